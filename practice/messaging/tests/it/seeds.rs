//! Seeded conversations: the same for the same seed, and such as the front door would have made.

use std::collections::BTreeSet;

use serde_json::json;
use ward_clients::seed_people::PEOPLE;
use ward_identity::tables::User;
use ward_instance::Random;
use ward_messaging::html::cleaned;
use ward_messaging::notices::tables::Notification;
use ward_messaging::seed;
use ward_messaging::seed_words::{BEGUN_BY_PROVIDER, LONGEST, THREADS, Writer};
use ward_messaging::tables::{Conversation, ConversationMembership, Note};
use ward_store::system::AuditRow;
use ward_store::{Actor, Cond, Id, Scope, StoreError};

use crate::support::World;

const COUNT: usize = 300;
/// 40 of the first forty, and of the 260 behind them one in 21.
const CONVERSATIONS: usize = 53;

/// Seeds clients and their conversations, in two transactions.
async fn seeded(w: &World, seed: u64) -> Vec<User> {
    let org = w.organization.id.0;
    let providers = [w.owner.user_id, w.standard.user_id];
    let made = w.db.write(move |tx| {
        Box::pin(async move {
            let actor = Actor::system(org);
            let mut scope = Scope::new(tx, &actor);
            let mut staff: Vec<User> = Vec::new();
            for id in providers {
                staff.extend(scope.find(Id::<User>::new(id)).await?);
            }
            let random = Random::seeded(seed);
            let ground = ward_clients::seed::lay(&mut scope, &staff, &random, COUNT).await?;
            let talk = seed::lay(&mut scope, &random, COUNT).await?;
            let mut all = Vec::new();
            for places in [0..PEOPLE, PEOPLE..150, 150..COUNT] {
                let first = places.start;
                let clients = ward_clients::seed::clients(&mut scope, &ground, places).await?;
                seed::conversations(&mut scope, &talk, first, &clients).await?;
                all.extend(clients);
            }
            Ok(all)
        })
    });
    made.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
}

/// What was made, without what differs between two instances.
async fn told(w: &World, clients: &[User]) -> Vec<String> {
    let conversations = w.rows::<Conversation>(Cond::Always).await;
    let notes = w.rows::<Note>(Cond::Always).await;
    let first = conversations.iter().map(|it| it.id.0).min().unwrap();
    let mut lines: Vec<String> = notes
        .iter()
        .map(|note| {
            let conversation = note.conversation_id.0 - first;
            let is_client = clients.iter().any(|client| client.id == note.user_id);
            format!("{conversation} {:?} {is_client} {}", note.number, note.content)
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn threads_are_as_they_would_be_kept() {
    for (at, thread) in THREADS.iter().enumerate() {
        assert!((1..=LONGEST).contains(&thread.len()), "{thread:?}");
        assert_eq!(thread[0].0 == Writer::Provider, at < BEGUN_BY_PROVIDER, "{thread:?}");
        for (_, words) in *thread {
            assert_eq!(cleaned(words).as_deref(), Ok(*words));
        }
    }
}

#[tokio::test]
async fn conversations_are_as_if_they_had_been_held() {
    World::each(async |w| {
        let clients = seeded(&w, 7).await;
        let conversations = w.rows::<Conversation>(Cond::Always).await;
        assert_eq!(conversations.len(), CONVERSATIONS);
        assert_eq!(seed::conversations_of(COUNT), CONVERSATIONS);
        let owners: BTreeSet<i64> = conversations.iter().map(|it| it.owner_id.0).collect();
        assert_eq!(owners, BTreeSet::from([w.owner.user_id, w.standard.user_id]));
        let (mut unread, mut silent, mut closed, mut put_away) = (0, 0, 0, 0);
        for it in &conversations {
            let of = Cond::eq("conversation_id", it.id.0);
            let client = clients.iter().find(|client| Some(client.id) == it.patient_id).unwrap();
            assert_eq!((client.dietitian_id, client.unit_id), (Some(it.owner_id), it.unit_id));
            let mut notes = w.rows::<Note>(of.clone()).await;
            notes.sort_by_key(|note| note.number);
            let numbers: Vec<i64> = notes.iter().filter_map(|note| note.number).collect();
            assert_eq!(numbers, (1..=it.notes_count).collect::<Vec<_>>());
            assert!(notes.is_sorted_by(|one, next| one.created_at < next.created_at));
            assert!(notes.iter().all(|note| note.created_at < w.instance.now()));
            assert!(notes.iter().all(|note| note.patient_id == it.patient_id));
            let wrote = |id: Id<User>| notes.iter().rfind(|note| note.user_id == id);
            if client.email.is_none() {
                assert!(wrote(client.id).is_none(), "{client:?} can't sign in");
            }
            let parts = w.rows::<ConversationMembership>(of.clone()).await;
            assert_eq!(parts.len(), 2);
            let notices = w.rows::<Notification>(of).await;
            for part in &parts {
                assert!(part.viewed_count <= it.notes_count);
                let own = wrote(part.user_id).and_then(|note| note.number).unwrap_or(0);
                assert!(part.viewed_count >= own, "who wrote has read what was before");
                let is_unread = part.viewed_count < it.notes_count;
                unread += usize::from(is_unread);
                let of_user = notices.iter().filter(|notice| notice.user_id == part.user_id);
                let unseen: Vec<&Notification> = of_user.filter(|notice| !notice.seen).collect();
                // One tells of all that was not looked at.
                assert_eq!(unseen.len(), usize::from(is_unread), "{part:?} {notices:?}");
                put_away += usize::from(part.archived_count.is_some());
            }
            assert_eq!(it.closed_at.is_some(), !client.active && it.notes_count > 0);
            closed += usize::from(it.closed_at.is_some());
            silent += usize::from(it.notes_count == 0);
        }
        assert!(unread >= 5 && closed >= 1 && put_away >= 1, "{unread} {closed} {put_away}");
        assert_eq!(silent, 8);
        // Nobody was sent anything, and every row is in the audit log, with its client.
        assert_eq!(w.events().await, Vec::<String>::new());
        let of = |name: &str| Cond::eq("resource_name", name).and(Cond::eq("event_type", "CREATE"));
        for name in ["CONVERSATION", "CONVERSATION_MEMBERSHIP", "NOTE", "NOTIFICATION"] {
            let entries = w.rows::<AuditRow>(of(name)).await;
            assert!(entries.len() >= CONVERSATIONS, "{name}: {}", entries.len());
            assert!(entries.iter().all(|entry| entry.subject_id.is_some()), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_seeded_conversation_goes_on() {
    World::each(async |w| {
        let clients = seeded(&w, 7).await;
        let query = "query($id: ID) { conversation(id: $id) { id dietitian_id patient_id } }";
        let owned = Cond::eq("owner_id", w.owner.user_id).and(Cond::sql("{t}.notes_count > 2", []));
        let it = w.rows::<Conversation>(owned.and(Cond::is_null("closed_at"))).await.remove(0);
        let id = it.id.0.to_string();
        let answer = w.run(&w.owner, query, json!({"id": id})).await;
        assert_eq!(answer["conversation"]["id"], id, "{answer}");
        let client = it.patient_id.unwrap();
        assert!(clients.iter().any(|one| one.id == client));
        let ada = w.as_client(&client.0.to_string()).await;
        let payload = w.note(&ada, json!({"conversation_id": id, "content": "One more"})).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let notes = w.rows::<Note>(Cond::eq("conversation_id", it.id.0)).await;
        let last = notes.iter().filter_map(|note| note.number).max();
        assert_eq!(last, Some(it.notes_count + 1));
        // A new client's ids follow, and clash with nothing.
        let new = w.client("Ada", "ada@example.com").await;
        let of_new = Cond::eq("patient_id", new.parse::<i64>().unwrap());
        assert_eq!(w.rows::<Conversation>(of_new).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_same_seed_gives_the_same_words() {
    let all = std::sync::Mutex::new(Vec::new());
    for seed in [7, 7, 8] {
        World::each(async |w| {
            let clients = seeded(&w, seed).await;
            let told = told(&w, &clients).await;
            assert!(told.len() > CONVERSATIONS);
            all.lock().unwrap().push((seed, told));
        })
        .await;
    }
    let all = all.into_inner().unwrap();
    for (seed, told) in &all {
        for (other, others) in &all {
            assert_eq!(seed == other, told == others, "{seed} and {other}");
        }
    }
}
