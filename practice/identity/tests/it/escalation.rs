//! SEC-04: nobody makes a member, a template or themselves stronger than they
//! are, and nobody takes over somebody stronger.

use proptest::prelude::*;
use serde_json::Value as Json;
use ward_engine::ViewId::V2026;
use ward_identity::practice::Place;
use ward_identity::tables::OrgRole;
use ward_identity::{flags, grant};
use ward_instance::Random;
use ward_store::{Actor, Flags, Query, Role, Sql};

use crate::members::{Hired, denied, done, hire, hire_in, message, number, update};
use crate::support::World;
use crate::templates;

fn actor(held: Flags) -> Actor {
    Actor {
        role: Role::Member,
        user_id: 1,
        org_id: 9,
        unit_id: 9,
        flags: flags::effective(held, false),
        ..Actor::anonymous()
    }
}

fn sets() -> impl Strategy<Value = Flags> {
    let all = flags::every().0;
    prop_oneof![any::<u128>(), Just(0), Just(all), Just(1 << flags::IS_ADMIN.flag.0)]
        .prop_map(move |bits| Flags(bits & all))
}

proptest! {
    /// What is granted is never more than what there was and what the giver has.
    #[test]
    fn a_grant_adds_nothing_that_the_giver_lacks(held in sets(), before in sets(), after in sets()) {
        let actor = actor(held);
        let (old, new) = (flags::effective(before, false), flags::effective(after, false));
        let limit = Flags(old.0 | actor.flags.0);
        let refused = grant::excess(&actor, before, after);
        prop_assert_eq!(refused.is_none(), flags::covers(limit, new));
        if let Some(permission) = refused {
            prop_assert!(new.has(permission.flag) && !limit.has(permission.flag));
        }
    }
}

/// A clerk who edits and adds members and holds little else.
async fn clerk(world: &World) -> Hired {
    let held = [flags::CAN_EDIT_MEMBERS, flags::CAN_ADD_MEMBERS, flags::CAN_CREATE_TAGS];
    hire(world, "Cleo", OrgRole::Standard, flags::set_of(held)).await
}

async fn no_flag_is_granted_that_the_giver_lacks(world: World) {
    let clerk = clerk(&world).await;
    let plain = hire(&world, "Paul", OrgRole::Standard, Flags::default()).await;
    let held =
        flags::set_of([flags::CAN_EDIT_MEMBERS, flags::CAN_ADD_MEMBERS, flags::CAN_CREATE_TAGS]);
    let (mut refused, mut granted) = (0, 0);
    for permission in flags::settable() {
        let fields = format!("{}: true", permission.name);
        let answer = update(&world, &clerk.key, plain.membership, &fields).await;
        if held.has(permission.flag) {
            done(&answer, "updateOrganizationMembership");
            granted += 1;
        } else {
            denied(&answer, permission.name);
            refused += 1;
        }
        let in_template = format!(r#"name: "{0}", {0}: true"#, permission.name);
        let answer = world.run(&clerk.key, V2026, &templates::create(&in_template)).await;
        let is_known = !answer["data"].is_null();
        match held.has(permission.flag) {
            true => drop(done(&answer, "createPermissionTemplate")),
            false if is_known => denied(&answer, permission.name),
            false => {}
        }
    }
    assert_eq!((refused, granted), (99, 3));
    let stored = "SELECT COUNT(*) FROM permission_templates WHERE can_create_tags = FALSE \
                  AND can_edit_members = FALSE AND can_add_members = FALSE";
    assert_eq!(number(&world, stored, Vec::new()).await, 0, "nothing of what was refused");
}
both!(no_flag_is_granted_that_the_giver_lacks);

async fn a_new_member_is_no_stronger_than_who_adds_them(world: World) {
    let owner = world.owner_key().await;
    let clerk = clerk(&world).await;
    let add = |fields: &str| {
        format!(
            r#"mutation {{ createOrganizationMembership(input: {{first_name: "Nina", last_name: "New",
                email: "nina@example.com", {fields}}}) {{ organizationMembership {{ can_create_tags
                is_provider can_see_billing can_sign_own_charting_notes is_admin }} messages {{ field message }} }} }}"#
        )
    };
    let strong = templates::template(&world, &owner, r#"name: "Chief", is_admin: true"#).await;
    let with = format!(r#"permission_template_id: "{strong}""#);
    denied(&world.run(&clerk.key, V2026, &add(&with)).await, "is_admin");
    assert_eq!(
        number(&world, "SELECT COUNT(*) FROM users WHERE email = 'nina@example.com'", vec![]).await,
        0
    );
    let answer = world.run(&clerk.key, V2026, &add("")).await;
    let made = &done(&answer, "createOrganizationMembership")["organizationMembership"];
    for (name, value) in made.as_object().unwrap() {
        assert_eq!(value, false, "{name}");
    }
    let apply = format!("{with}, permission_template_applied: true");
    let plain = hire(&world, "Paul", OrgRole::Standard, Flags::default()).await;
    denied(&update(&world, &clerk.key, plain.membership, &apply).await, "is_admin");
    // A template that is stronger than they are is not theirs to change either.
    for document in [
        format!(
            r#"mutation {{ updatePermissionTemplate(input: {{id: "{strong}", name: "Desk"}}) {{ messages {{ message }} }} }}"#
        ),
        format!(
            r#"mutation {{ deletePermissionTemplate(input: {{id: "{strong}"}}) {{ messages {{ message }} }} }}"#
        ),
    ] {
        denied(&world.run(&clerk.key, V2026, &document).await, "is_admin");
    }
    let read = format!(r#"{{ permissionTemplate(id: "{strong}") {{ name can_be_edited }} }}"#);
    let answer = world.run(&clerk.key, V2026, &read).await;
    assert_eq!(answer["data"]["permissionTemplate"]["can_be_edited"], false, "{answer}");
    assert_eq!(answer["data"]["permissionTemplate"]["name"], "Chief");
}
both!(a_new_member_is_no_stronger_than_who_adds_them);

async fn nobody_changes_what_they_may_do_themselves(world: World) {
    let owner = world.owner_key().await;
    let administrator = hire(&world, "Ada", OrgRole::Standard, Place::administrator().held).await;
    let clerk = clerk(&world).await;
    let own = number(
        &world,
        "SELECT id FROM organization_memberships WHERE user_id = $1",
        vec![world.founded.owner.id.0.into()],
    )
    .await;
    let template = templates::template(&world, &owner, r#"name: "T", can_create_tags: true"#).await;
    let apply =
        format!(r#"permission_template_id: "{template}", permission_template_applied: true"#);
    for (key, membership) in [
        (&owner, own),
        (&administrator.key, administrator.membership),
        (&clerk.key, clerk.membership),
    ] {
        for fields in [
            "hide_calendar_tab: true",
            "can_create_tags: false, can_edit_members: false",
            r#"org_role: "Support""#,
            "active: false, bypass_api_key_warning: true",
            apply.as_str(),
        ] {
            let answer = update(&world, key, membership, fields).await;
            let said = message(&answer, "updateOrganizationMembership", "base");
            assert!(said.starts_with("You can't change your own"), "{fields}: {answer}");
        }
        // What is sent as it is, is no change.
        let same = update(&world, key, membership, r#"org_role: "Standard", active: true"#).await;
        done(&same, "updateOrganizationMembership");
    }
}
both!(nobody_changes_what_they_may_do_themselves);

async fn nobody_takes_over_somebody_stronger(world: World) {
    let clerk = clerk(&world).await;
    let administrator = hire(&world, "Ada", OrgRole::Standard, Place::administrator().held).await;
    // An administrator by name alone lacks what administrators are not given.
    let lesser = hire(&world, "Levi", OrgRole::Standard, flags::set_of([flags::IS_ADMIN])).await;
    let plain = hire(&world, "Paul", OrgRole::Standard, flags::defaults(OrgRole::Standard)).await;
    let own = number(
        &world,
        "SELECT id FROM organization_memberships WHERE user_id = $1",
        vec![world.founded.owner.id.0.into()],
    )
    .await;
    let mine = [
        r#"email: "mine@example.com""#,
        "active: false, bypass_api_key_warning: true",
        "can_view_audit_log: false, is_admin: false",
        r#"org_role: "Support""#,
    ];
    let member = |user: i64| {
        format!(
            r#"mutation {{ updateOrganizationMember(input: {{id: "{user}", email: "mine@example.com"}}) {{
                user {{ id }} messages {{ field message }} }} }}"#
        )
    };
    for fields in mine {
        // Of the owner's own record what these fields change differs.
        for (key, who) in [(&clerk.key, "clerk"), (&administrator.key, "administrator")] {
            let answer = update(&world, key, own, fields).await;
            assert_eq!(
                answer["errors"][0]["extensions"]["permission"], "is_owner",
                "{who}: {answer}"
            );
        }
        let answer = update(&world, &clerk.key, administrator.membership, fields).await;
        denied(&answer, "is_admin");
        let answer = update(&world, &lesser.key, administrator.membership, fields).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "PERMISSION_DENIED", "{answer}");
    }
    for (key, user, permission) in [
        (&administrator.key, world.founded.owner.id.0, "is_owner"),
        (&clerk.key, administrator.user.0, "is_admin"),
    ] {
        denied(&world.run(key, V2026, &member(user)).await, permission);
    }
    // A plain member's mail is theirs too, unless one holds all that they hold;
    // barring them is the clerk's business.
    let answer = update(&world, &clerk.key, plain.membership, mine[0]).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "PERMISSION_DENIED", "{answer}");
    done(
        &update(&world, &clerk.key, plain.membership, mine[1]).await,
        "updateOrganizationMembership",
    );
    let answer = update(&world, &clerk.key, plain.membership, "active: true").await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "PERMISSION_DENIED", "{answer}");
    done(
        &update(&world, &administrator.key, lesser.membership, mine[2]).await,
        "updateOrganizationMembership",
    );
    assert!(ward_identity::authenticate(&world.db, &administrator.key).await.unwrap().is_ok());
}
both!(nobody_takes_over_somebody_stronger);

async fn the_owner_of_a_unit_below_answers_to_the_roots_owner_only(world: World) {
    let owner = world.owner_key().await;
    let administrator = hire(&world, "Ada", OrgRole::Standard, Place::administrator().held).await;
    let branch = world.branch().await;
    let inside = hire_in(&world, branch.clone(), "Ines", OrgRole::Standard, Flags::default()).await;
    let user = inside.user;
    world
        .system(world.founded.organization.id.0, move |scope| {
            let branch = branch.clone();
            Box::pin(async move {
                let owned =
                    ward_identity::tables::Organization { owner_id: Some(user), ..branch.clone() };
                scope.update(&branch, &owned).await.unwrap();
            })
        })
        .await;
    let fields = "active: false, bypass_api_key_warning: true";
    denied(&update(&world, &administrator.key, inside.membership, fields).await, "is_owner");
    // Nor does the owner below know of anybody above.
    let answer = update(&world, &inside.key, administrator.membership, fields).await;
    assert_eq!(message(&answer, "updateOrganizationMembership", "id"), "Object not found");
    done(&update(&world, &owner, inside.membership, fields).await, "updateOrganizationMembership");
}
both!(the_owner_of_a_unit_below_answers_to_the_roots_owner_only);

/// Four members who work together, against everything that changes members.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_who_work_together_never_hold_more_than_they_began_with() {
    const STEPS: usize = 400;
    let world = World::new().await;
    let seed = Random::os().below(u64::MAX);
    eprintln!("seed {seed}");
    let random = Random::seeded(seed);
    let started = [
        flags::set_of([flags::CAN_EDIT_MEMBERS, flags::CAN_SEE_CLIENTS]),
        flags::set_of([flags::CAN_ADD_MEMBERS, flags::CAN_EDIT_MEMBERS, flags::IS_PROVIDER]),
        flags::set_of([flags::CAN_EDIT_MEMBERS, flags::IS_DEVELOPER]),
        flags::set_of([flags::CAN_ADD_MEMBERS]),
    ];
    let mut keys = Vec::new();
    for (name, held) in ["Amos", "Bela", "Cyra", "Dirk"].into_iter().zip(started) {
        keys.push(hire(&world, name, OrgRole::Standard, held).await.key);
    }
    let honest = hire(&world, "Hana", OrgRole::Standard, Place::administrator().held).await;
    let owner = world.owner_key().await;
    let strong = templates::template(&world, &owner, r#"name: "S", is_admin: true"#).await;
    let strong: i64 = strong.parse().unwrap();
    let limit = started.iter().fold(Flags::default(), |all, held| Flags(all.0 | held.0));
    let names: Vec<&str> = flags::settable().map(|permission| permission.name).collect();
    let mut done = 0;
    for step in 0..STEPS {
        let pick = |count: usize| usize::try_from(random.below(count as u64)).unwrap();
        let key = &keys[pick(keys.len())];
        let members = ids(&world, "SELECT id FROM organization_memberships").await;
        let templates = ids(&world, "SELECT id FROM permission_templates").await;
        let member = members[pick(members.len())];
        let template = if pick(2) == 0 { strong } else { templates[pick(templates.len())] };
        let few = |count: usize| {
            let flags =
                (0..count).map(|_| format!("{}: {}", names[pick(names.len())], pick(3) > 0));
            let mut flags: Vec<String> = flags.collect();
            flags.sort();
            flags.dedup_by_key(|text| text.split(':').next().map(str::to_owned));
            flags.join(", ")
        };
        let document = match pick(7) {
            0 | 1 => change(member, &few(1)),
            2 => change(
                member,
                &format!(
                    r#"permission_template_id: "{template}", permission_template_applied: true"#
                ),
            ),
            3 => change(member, &format!("active: {}, bypass_api_key_warning: true", pick(2) == 0)),
            4 => change(member, &format!(r#"email: "x{step}@example.com""#)),
            5 => templates::create(&format!(r#"name: "t{step}", {}"#, few(1))),
            _ => format!(
                r#"mutation {{ createOrganizationMembership(input: {{first_name: "N", last_name: "{step}",
                    email: "n{step}@example.com", permission_template_id: "{}"}}) {{ messages {{ message }} }} }}"#,
                if pick(2) == 0 { String::new() } else { template.to_string() }
            ),
        };
        if ward_identity::authenticate(&world.db, key).await.unwrap().is_err() {
            continue;
        }
        let answer = world.run(key, V2026, &document).await;
        let payload = answer["data"].as_object().and_then(|data| data.values().next());
        done += usize::from(payload.is_some_and(|it| it["messages"].is_null() && !it.is_null()));
        let worst = strongest(&world, limit, &[world.founded.owner.id.0, honest.user.0]).await;
        assert_eq!(worst, None, "seed {seed}, step {step}: {document}: {answer}");
    }
    let untouched = "SELECT COUNT(*) FROM users WHERE id IN_LIST($1) AND active = TRUE \
                     AND email IN ('owner@example.com', 'hana@example.com') AND unconfirmed_email IS NULL";
    let both = vec![world.founded.owner.id.0, honest.user.0];
    let both = ward_store::Value::Ints(both.into());
    assert_eq!(number(&world, untouched, vec![both]).await, 2, "seed {seed}");
    assert!(done > STEPS / 20, "seed {seed}: only {done} of {STEPS} were done");
}

fn change(membership: i64, fields: &str) -> String {
    format!(
        r#"mutation {{ updateOrganizationMembership(input: {{id: "{membership}", {fields}}}) {{
            messages {{ field message }} }} }}"#
    )
}

async fn ids(world: &World, sql: &'static str) -> Vec<i64> {
    let rows = world.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
    rows.iter().filter_map(|row| row.first()?.int()).collect()
}

/// A member who holds more than the limit, but for these.
async fn strongest(world: &World, limit: Flags, except: &[i64]) -> Option<Json> {
    let names: Vec<&str> = flags::ALL.iter().map(|line| line.permission.name).collect();
    let text = format!("SELECT user_id, {} FROM organization_memberships", names.join(", "));
    let mut sql = Sql::new();
    sql.push(&text);
    let rows = world.db.read().await.unwrap().rows(&sql).await.unwrap();
    rows.iter().find_map(|row| {
        let user = row[0].int().unwrap();
        let held = flags::ALL.iter().zip(&row[1..]).filter(|(_, value)| value.truth());
        let held = flags::set_of(held.map(|(line, _)| line.permission));
        let is_more = !flags::covers(limit, flags::effective(held, false));
        (is_more && !except.contains(&user)).then(|| user.into())
    })
}
