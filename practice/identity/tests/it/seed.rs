//! The same seed gives the same people at the same offsets.

use ward_identity::seed::{self, SeededPractice};
use ward_instance::{Random, ids};
use ward_store::Tx;

use crate::support::World;

async fn seeded(seed: u64) -> SeededPractice {
    let world = World::new().await;
    let org_id = world.founded.organization.id.0;
    world
        .db
        .write(move |tx: &mut Tx| {
            Box::pin(async move { seed::seed(tx, org_id, &Random::seeded(seed), None).await })
        })
        .await
        .unwrap()
}

fn offset(id: i64) -> i64 {
    ids::slot_of(id).map_or(id, |slot| id - ids::slot_range(slot).0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_repeats_itself() {
    let (one, two, other) = (seeded(7).await, seeded(7).await, seeded(8).await);
    let shape = |it: &SeededPractice| -> Vec<_> {
        it.people
            .iter()
            .map(|person| (person.role, person.name.clone(), offset(person.user_id)))
            .collect()
    };
    assert_eq!(shape(&one), shape(&two));
    assert_ne!(shape(&one), shape(&other));
    assert_eq!(one.people.len(), 8);
    assert_eq!(one.people.iter().filter(|person| person.email.is_none()).count(), 2);
    assert_eq!(offset(one.branches[0]), offset(two.branches[0]));
}
