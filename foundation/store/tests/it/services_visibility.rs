//! How much of a row each actor sees.

use futures_util::FutureExt;
use ward_store::{Actor, Id, Level, Role};

use crate::services_tables::{PERSONS, Person, member, person};
use crate::support::World;

fn client(org_id: i64, unit_id: i64, user_id: i64) -> Actor {
    Actor { role: Role::Client, user_id, org_id, unit_id, ..Actor::anonymous() }
}

/// Each actor, each row: the level, and whether asking for more finds it.
async fn levels_follow_the_rule(w: World) {
    let org = w.organization(1).await;
    let (own, peer, other) = (org + 5, org + 6, org + 7);
    let sub = org + 1;
    w.act(&Actor::system(org), move |mut scope| {
        async move {
            for (id, unit) in [(own, org), (peer, org), (other, sub)] {
                let mut new = person(scope.tx, org, id, "Ada");
                new.unit_id = unit;
                scope.create(&new).await?;
            }
            Ok(())
        }
        .boxed()
    })
    .await
    .unwrap();
    let cases = [
        (client(org, org, own), own, Level::Full),
        (client(org, org, own), peer, Level::Limited),
        (client(org, org, own), other, Level::Public),
        (member(org), other, Level::Full),
        (Actor { unit_id: sub, ..member(org) }, other, Level::Full),
        (Actor { unit_id: sub, ..member(org) }, own, Level::None),
        (Actor { org_id: org, ..Actor::anonymous() }, own, Level::None),
    ];
    for (actor, id, level) in cases {
        for least in [Level::Public, Level::Limited, Level::Full] {
            let seen = w
                .act(&actor, move |mut scope| {
                    async move {
                        let one = scope.visible(Id::<Person>::new(id), least).await?;
                        let locked = scope.visible_for_update(Id::<Person>::new(id), least).await?;
                        assert_eq!(one, locked);
                        Ok(one.map(|(_, level)| level))
                    }
                    .boxed()
                })
                .await
                .unwrap();
            let expected = (level >= least).then_some(level);
            assert_eq!(seen, expected, "{:?} {id} {least:?}", actor.role);
        }
    }
}

both!(levels_follow_the_rule);

#[test]
fn columns_have_levels() {
    let at = |level| {
        let columns = PERSONS.columns.iter().filter(move |column| column.level <= level);
        columns.map(|column| column.name).collect::<Vec<_>>()
    };
    assert_eq!(at(Level::Public), ["id", "name"]);
    assert_eq!(at(Level::Limited), ["id", "name", "email", "phone", "active"]);
    assert!(at(Level::Full).contains(&"note"));
}
