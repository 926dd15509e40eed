//! Whom a key may be made for, and that a key is of its row.

use ward_identity::grant::is_covered;
use ward_identity::key::Bound;
use ward_identity::practice::Place;
use ward_identity::tables::OrgRole;
use ward_identity::{admin, flags};
use ward_instance::{Kind, Timestamp};
use ward_store::Id;

use crate::support::{World, instance, member};

#[test]
fn a_row_of_another_user_or_instance_does_not_fit_its_mac() {
    let (here, ..) = instance(Kind::Sandbox);
    let (other, ..) = instance(Kind::Sandbox);
    let bound = Bound {
        id: 1,
        org_id: 2,
        user_id: 3,
        class: "user",
        kid: "abcdefgh",
        secret_hash: &[7; 32],
        expires_at: None,
        allowed_addresses: Some("[\"203.0.113.0/24\"]"),
    };
    let tag = bound.sign(&here);
    assert!(bound.fits(&here, &tag));
    assert!(!bound.fits(&other, &tag));
    assert!(!Bound { user_id: 4, ..bound }.fits(&here, &tag));
    assert!(!Bound { secret_hash: &[8; 32], ..bound }.fits(&here, &tag));
    assert!(!Bound { class: "agent", ..bound }.fits(&here, &tag));
    assert!(!Bound { expires_at: Some(Timestamp(1)), ..bound }.fits(&here, &tag));
    assert!(!Bound { allowed_addresses: None, ..bound }.fits(&here, &tag));
    let wider = Some("[\"203.0.0.0/16\"]");
    assert!(!Bound { allowed_addresses: wider, ..bound }.fits(&here, &tag));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_makes_a_key_stronger_than_themselves() {
    let world = World::new().await;
    let org = world.founded.organization.id;
    let people = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let mut ids = Vec::new();
                for (n, preset) in
                    [admin::Preset::Administrator, admin::Preset::Support].into_iter().enumerate()
                {
                    let member = member("Meret", &format!("m{n}@example.com"));
                    let made = admin::create_user(scope, org, preset, &member).await.unwrap();
                    ids.push(made.0.id);
                }
                let mut people = Vec::new();
                for id in ids {
                    people.push(
                        ward_identity::person::load(scope.tx, org.0, id.0).await.unwrap().unwrap(),
                    );
                }
                people
            })
        })
        .await;
    let [administrator, support] = <[_; 2]>::try_from(people).unwrap();
    let owner = world
        .system(org.0, {
            let id: Id<_> = world.founded.owner.id;
            move |scope| {
                Box::pin(async move {
                    ward_identity::person::load(scope.tx, org.0, id.0).await.unwrap().unwrap()
                })
            }
        })
        .await;
    assert!(is_covered(&owner.actor(None), &administrator).is_ok());
    assert!(is_covered(&administrator.actor(None), &support).is_ok());
    assert!(is_covered(&administrator.actor(None), &owner).is_err());
    assert!(is_covered(&support.actor(None), &administrator).is_err());
    assert_eq!(Place::of(OrgRole::Support).held, flags::defaults(OrgRole::Support));
}
