//! Whose changes the audit log shows.

use serde_json::json;
use ward_engine::ViewId::V2026;
use ward_identity::admin::{self, Preset};
use ward_identity::tables::{CareTeamMember, User};
use ward_identity::{account, flags};
use ward_store::audit::AuditEntry;
use ward_store::system::AuditType;

use crate::circle::client;
use crate::support::{World, member};

async fn an_administrator_does_not_find_a_restricted_client_in_the_log(world: World) {
    let org = world.founded.organization.id;
    let (administrator, open, closed) = world
        .system(org.0, move |scope| {
            Box::pin(async move {
                let mut people = Vec::new();
                for (name, preset) in [("Ada", Preset::Administrator), ("Pia", Preset::Provider)] {
                    let who = member(name, &format!("{name}@example.com"));
                    let (user, membership) =
                        admin::create_user(scope, org, preset, &who).await.unwrap();
                    let mut after = membership.clone();
                    after.set_flags(membership.flags().with(flags::CAN_VIEW_AUDIT_LOG.flag));
                    scope.update(&membership, &after).await.unwrap();
                    people.push(user);
                }
                let open = client(scope, &people[1], "Cleo", false).await;
                let closed = client(scope, &people[1], "Rex", true).await;
                for user in [&open, &closed] {
                    let after = User { bio: Some("A secret".to_owned()), ..user.clone() };
                    account::update(scope, user, &after).await.unwrap();
                    let team = CareTeamMember {
                        org_id: org,
                        patient_id: user.id,
                        user_id: people[0].id,
                        created_at: scope.now(),
                    };
                    scope.subject_id = Some(user.id.0);
                    scope.create(&team).await.unwrap();
                    scope.destroy(&team).await.unwrap();
                    // Of the client by their subject alone, and what they did themselves.
                    let mut entry =
                        AuditEntry::by(scope.actor, AuditType::Update, "FORM_ANSWER", "no number");
                    entry.subject_id = Some(user.id.0);
                    scope.record(entry);
                    let mut entry =
                        AuditEntry::by(scope.actor, AuditType::Update, "LOCATION", "12");
                    entry.actor_id = user.id.0;
                    entry.actor_kind = "client";
                    scope.record(entry);
                    scope.subject_id = None;
                }
                (people[0].id, open.id, closed.id)
            })
        })
        .await;
    let document = |client: ward_store::Id<User>| {
        format!(
            r#"{{ record: auditLog(resource_name: USER, resource_id: "{client}") {{ total_count }}
                answers: auditLog(resource_name: FORM_ANSWER) {{ total_count }}
                acts: auditLog(resource_name: LOCATION) {{ total_count }}
                members: auditLog(resource_name: ORGANIZATION_MEMBERSHIP, event_type: CREATE) {{ total_count }} }}"#
        )
    };
    let count = |n: i64| json!({ "total_count": n });
    let counts = |record, rest| json!({"record": count(record), "answers": count(rest), "acts": count(rest), "members": count(3)});
    let key = world.key(org.0, administrator.0).await;
    assert_eq!(world.run(&key, V2026, &document(open)).await["data"], counts(2, 1));
    assert_eq!(world.run(&key, V2026, &document(closed)).await["data"], counts(0, 1));
    let all = world
        .run(
            &key,
            V2026,
            "{ auditLog { nodes { resource_id resource_changes { value_after_change } } } }",
        )
        .await;
    assert!(!all.to_string().contains("Rex"), "{all}");
    assert!(all.to_string().contains("Cleo"), "{all}");
    let owner = world.owner_key().await;
    assert_eq!(world.run(&owner, V2026, &document(open)).await["data"], counts(2, 2));
    assert_eq!(world.run(&owner, V2026, &document(closed)).await["data"], counts(2, 2));
}
both!(an_administrator_does_not_find_a_restricted_client_in_the_log);
