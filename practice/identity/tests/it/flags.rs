//! The permission flags: the list, the defaults, owner and administrator.

use std::collections::HashSet;

use ward_identity::flags::{self, ALL, Governs};
use ward_identity::practice::Place;
use ward_identity::tables::{ORGANIZATION_MEMBERSHIPS, OrgRole};
use ward_store::Flags;

#[test]
fn there_are_105_each_with_its_own_number_and_column() {
    assert_eq!(ALL.len(), 105);
    let numbers: HashSet<u8> = ALL.iter().map(|line| line.permission.flag.0).collect();
    assert_eq!(numbers.len(), ALL.len());
    assert!(numbers.iter().all(|number| *number < 128), "they fit the set");
    for line in ALL {
        assert!(ORGANIZATION_MEMBERSHIPS.column(line.permission.name).is_some());
    }
}

#[test]
fn a_new_member_may_do_their_own_work_only() {
    let standard = flags::defaults(OrgRole::Standard);
    let support = flags::defaults(OrgRole::Support);
    for (permission, in_standard, in_support) in [
        (flags::IS_PROVIDER, true, false),
        (flags::CAN_ADD_CLIENTS, true, false),
        (flags::CAN_SIGN_OWN_CHARTING_NOTES, true, false),
        (flags::CAN_SIGN_OTHERS_CHARTING_NOTES, false, false),
        (flags::SEES_ALL_CLIENTS, false, true),
        (flags::CAN_EDIT_CALENDAR, false, true),
        (flags::IS_ADMIN, false, false),
        (flags::IS_DEVELOPER, false, false),
        (flags::CAN_VIEW_AUDIT_LOG, false, false),
    ] {
        assert_eq!(standard.has(permission.flag), in_standard, "{}", permission.name);
        assert_eq!(support.has(permission.flag), in_support, "{}", permission.name);
    }
}

#[test]
fn an_administrator_passes_what_is_of_the_organization_and_no_more() {
    let admin = Flags::default().with(flags::IS_ADMIN.flag);
    let held = flags::effective(admin, false);
    for line in ALL {
        let expected = line.governs == Governs::Organization;
        assert_eq!(held.has(line.permission.flag), expected, "{}", line.permission.name);
    }
    assert_eq!(flags::effective(Flags::default(), false), Flags::default());
    assert_eq!(flags::effective(Flags::default(), true), flags::every());
}

#[test]
fn an_integration_is_neither_provider_nor_developer_nor_administrator() {
    let held = flags::effective(Place::integration().held, false);
    for permission in
        [flags::IS_ADMIN, flags::IS_DEVELOPER, flags::IS_PROVIDER, flags::CAN_ADD_MEMBERS]
    {
        assert!(!held.has(permission.flag), "{}", permission.name);
    }
    assert!(flags::covers(flags::every(), held));
    assert!(!flags::covers(held, flags::every()));
}
