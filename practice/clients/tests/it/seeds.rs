//! The seeded clients: the same for the same seed, plainly synthetic, writable.

use jiff::civil::date;
use ward_clients::seed::seed;
use ward_clients::seed_people::{PEOPLE, people};
use ward_clients::ssn::{Ssn, may_be_real_ssn};
use ward_identity::tables::User;
use ward_instance::Random;
use ward_store::{Actor, Cond, Id, Scope, StoreError};

use crate::support::World;

#[test]
fn the_same_seed_gives_the_same_people() {
    let today = date(2026, 3, 4);
    let made = people(&Random::seeded(42), today);
    assert_eq!(made, people(&Random::seeded(42), today));
    assert_ne!(made, people(&Random::seeded(43), today));
    assert_eq!(made.len(), PEOPLE);
}

#[test]
fn nobody_could_be_real() {
    let today = date(2026, 3, 4);
    for seed in 0..20 {
        let people = people(&Random::seeded(seed), today);
        for person in &people {
            assert!(person.phone_number.contains("-555-01"), "{person:?}");
            assert!(person.email.as_ref().is_none_or(|email| email.ends_with("@example.com")));
            let ssn = person.ssn.as_deref().map(|text| Ssn::parse(text).unwrap());
            assert!(ssn.is_none_or(|ssn| !may_be_real_ssn(&ssn)));
            let age = today.year() - person.dob.year();
            assert!((1..=96).contains(&age), "{person:?}");
        }
        assert!(people.iter().any(|person| person.dob == date(1996, 2, 29)));
        assert!(people.iter().any(|person| person.last_name.is_none()));
    }
}

#[tokio::test]
async fn a_practice_is_seeded_at_the_same_offsets() {
    World::each(async |w| {
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
            seed(&mut scope, &staff, &Random::seeded(7)).await
        })
    });
    let made = made.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(made.len(), PEOPLE);
    let first = made[0].id.0;
    assert_eq!(first % 1_000, 0);
    assert!(made.iter().zip(first..).all(|(client, id)| client.id.0 == id));
    assert_eq!(w.rows::<User>(Cond::is_true("is_patient")).await.len(), PEOPLE);
    let query = "{ users(keywords: \"さくら\") { nodes { first_name location { city } } } organization { location { name } } }";
    let answer = w.run(&w.owner, query, serde_json::json!({})).await;
    assert_eq!(answer["users"]["nodes"][0]["first_name"], "さくら", "{answer}");
    assert_eq!(answer["organization"]["location"]["name"], "Main office");
    })
    .await;
}
