//! The predicates of who sees whom, as conditions.

use ward_identity::flags::{CAN_SEE_CLIENTS, CAN_VIEW_AUDIT_LOG, IS_ADMIN, IS_DEVELOPER};
use ward_identity::visibility;
use ward_store::{Actor, Cond, Flags, Level, Role};

fn actor(role: Role, unit_id: i64, flags: &[ward_engine::Permission]) -> Actor {
    let flags = flags.iter().fold(Flags::default(), |held, it| held.with(it.flag));
    Actor { role, user_id: 5, org_id: 1, unit_id, flags, is_owner: false, ..Actor::anonymous() }
}

fn text(cond: &Cond) -> String {
    match cond {
        Cond::Sql(text, _) => text.clone(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_stranger_sees_no_client_and_no_private_part() {
    let rule = visibility::users(&Actor::anonymous());
    assert!(rule.at_least(Level::Limited).is_never());
    assert!(text(&rule.public).contains("{t}.is_patient = FALSE"));
    assert!(visibility::api_keys(&Actor::anonymous()).at_least(Level::Public).is_never());
    assert!(visibility::audit_log(&Actor::anonymous()).at_least(Level::Public).is_never());
}

#[test]
fn a_member_opens_other_clients_by_flag_only_and_restricted_ones_never() {
    let plain = text(&visibility::users(&actor(Role::Member, 1, &[])).full);
    let of_others = "{t}.is_patient = TRUE";
    let of_restricted = "{t}.is_patient = TRUE AND {t}.restricted = TRUE";
    assert_eq!(plain.matches(of_others).count(), plain.matches(of_restricted).count(), "{plain}");
    assert!(plain.contains("client_restriction_authorizations"), "{plain}");
    assert!(!plain.contains("break_glass_accesses"), "without a moment it does not count: {plain}");
    let asked = Actor { glass_at: ward_instance::Timestamp(7), ..actor(Role::Member, 1, &[]) };
    assert!(text(&visibility::users(&asked).full).contains("bg.expires_at > ?"));
    for permission in [CAN_SEE_CLIENTS, IS_ADMIN] {
        let wide = text(&visibility::users(&actor(Role::Member, 1, &[permission])).full);
        assert!(wide.contains("{t}.restricted = FALSE"), "{wide}");
    }
    let owner = Actor { is_owner: true, ..actor(Role::Member, 1, &[]) };
    assert!(!text(&visibility::users(&owner).full).contains("restricted"));
}

#[test]
fn a_sub_organization_is_bound_to_itself() {
    let branch = visibility::users(&actor(Role::Member, 2, &[CAN_SEE_CLIENTS])).full;
    assert_eq!(text(&branch).matches("{t}.unit_id = ?").count(), 2, "staff and clients");
    let root = visibility::users(&actor(Role::Member, 1, &[CAN_SEE_CLIENTS])).full;
    assert!(!text(&root).contains("unit_id"));
}

#[test]
fn keys_and_log_need_their_flags() {
    let plain = visibility::api_keys(&actor(Role::Member, 2, &[])).full;
    assert_eq!(text(&plain), "{t}.user_id = ?");
    let developer = visibility::api_keys(&actor(Role::Member, 2, &[IS_DEVELOPER])).full;
    assert!(text(&developer).contains("{t}.unit_id = ?"));
    assert!(visibility::audit_log(&actor(Role::Member, 1, &[])).full.is_never());
    let viewer = actor(Role::Member, 1, &[CAN_VIEW_AUDIT_LOG]);
    let shown = text(&visibility::audit_log(&viewer).full);
    assert!(shown.contains("{t}.subject_id IS NULL OR EXISTS"), "only clients they see: {shown}");
    assert!(visibility::audit_log(&Actor { is_owner: true, ..viewer }).full.is_always());
    let client = Actor { flags: Flags(u128::MAX), ..actor(Role::Client, 1, &[]) };
    assert!(visibility::audit_log(&client).full.is_never(), "a client has no flags that count");
}
