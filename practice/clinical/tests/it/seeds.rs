//! Seeded lists, and that nothing of them can be read in the database's files.

use ward_clinical::entry::table::Entry;
use ward_clinical::episode::table::EpisodeOfCare;
use ward_clinical::goal::table::{Goal, GoalHistory};
use ward_clinical::seed;
use ward_clinical::tables::{
    AllergySensitivity, FamilyHistoryCondition, HealthConcern, Immunization, Medication,
};
use ward_identity::tables::User;
use ward_instance::Random;
use ward_store::{Actor, Cond, Id, Scope, StoreError};

use crate::support::World;

async fn seeded(w: &World) -> Vec<User> {
    let (org, provider) = (w.organization.id.0, w.owner.user_id);
    let made = w.db.write(move |tx| {
        Box::pin(async move {
            let actor = Actor::system(org);
            let mut scope = Scope::new(tx, &actor);
            let staff: Vec<User> =
                scope.find(Id::<User>::new(provider)).await?.into_iter().collect();
            let random = Random::seeded(7);
            let ground = ward_clients::seed::lay(&mut scope, &staff, &random, 12).await?;
            let clients = ward_clients::seed::clients(&mut scope, &ground, 0..12).await?;
            seed::lists(&mut scope, &clients).await?;
            Ok(clients)
        })
    });
    made.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
}

/// A shorter text turns up in sealed bytes by chance: three characters once in so many megabytes.
const TELLING: usize = 5;

/// Whether the files have a text that is long enough to tell.
fn finds(raw: &[u8], text: &str) -> bool {
    if text.len() < TELLING {
        return false;
    }
    raw.windows(text.len()).any(|at| at == text.as_bytes())
}

#[tokio::test]
async fn nothing_clinical_is_in_the_files() {
    World::each(async |w| {
        let clients = seeded(&w).await;
        let medications = w.rows::<Medication>(Cond::Always).await;
        let allergies = w.rows::<AllergySensitivity>(Cond::Always).await;
        let vaccines = w.rows::<Immunization>(Cond::Always).await;
        let concerns = w.rows::<HealthConcern>(Cond::Always).await;
        let relatives = w.rows::<FamilyHistoryCondition>(Cond::Always).await;
        assert!(medications.iter().any(|it| !it.active) && medications.len() > 4);
        assert!(allergies.len() > 3 && vaccines.len() > 1);
        assert!(concerns.len() > 1 && relatives.len() > 1);
        let entries = w.rows::<Entry>(Cond::Always).await;
        assert!(entries.iter().any(|it| it.metric_stat.is_some()) && entries.len() > 10);
        let goals = w.rows::<Goal>(Cond::Always).await;
        assert!(goals.iter().any(|it| it.parent_id.is_some()) && goals.len() > 4);
        assert!(w.rows::<GoalHistory>(Cond::Always).await.len() > 10);
        assert!(w.rows::<EpisodeOfCare>(Cond::Always).await.len() > 1);
        assert!(w.events().await.iter().all(|it| !it.starts_with("goal")), "nothing happened");
        let raw = w.raw();
        if raw.is_empty() {
            // PostgreSQL keeps its files to itself.
            return;
        }
        // What is plain is found, so the files are those of the rows.
        let mut names = clients.iter().filter_map(|it| it.first_name.as_ref());
        assert!(names.any(|name| finds(&raw, name)));
        assert!(medications.iter().any(|it| it.name.len() >= TELLING));
        assert!(allergies.iter().any(|it| it.name.len() >= TELLING));
        for it in &medications {
            let texts = [Some(it.name.clone()), it.frequency.clone(), it.route.clone()];
            for text in texts.into_iter().flatten() {
                assert!(!finds(&raw, &text), "{text}");
            }
        }
        for it in &allergies {
            assert!(!finds(&raw, &it.name), "{}", it.name);
            let reaction = it.reaction.as_deref().unwrap_or("Mushrooms");
            assert!(!finds(&raw, reaction), "{reaction}");
        }
        for it in &vaccines {
            assert!(!finds(&raw, &it.vaccine_name), "{}", it.vaccine_name);
        }
        for it in &concerns {
            for text in [&it.code, &it.display_name].into_iter().flatten() {
                assert!(!finds(&raw, text), "{text}");
            }
        }
        for it in entries.iter().filter_map(|it| it.description.as_ref()) {
            assert!(!finds(&raw, it), "{it}");
        }
        for it in &relatives {
            assert!(!finds(&raw, &it.concept_id) && !finds(&raw, "Maternal"));
        }
    })
    .await;
}
