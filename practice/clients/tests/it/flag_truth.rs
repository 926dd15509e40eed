//! SEC-03: the truth table of the permission flags. Each is stored and read
//! back; each that governs something today is flipped alone and then denied and
//! allowed; each other says which domain will ask for it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::{Bindings, Engine, ViewId, prune};
use ward_identity::flags::{self, ALL, Governs};
use ward_identity::person;
use ward_store::{Actor, Sql};

use crate::support::{World, contract};

/// What a flag does today.
enum Truth {
    /// It governs something: cases, each allowed with it and refused without.
    Governs(&'static [Case]),
    /// The domain that will ask for it.
    Awaits(&'static str),
    /// It chooses what is shown or told, and guards nothing.
    Shows,
}

/// Who runs the operation; the flag is always the bearer's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Bearer,
    Owner,
}

/// How the flag's absence is told.
enum Refusal {
    /// By name in `extensions.permission`.
    Named,
    /// By the name of another flag that would do as well.
    Other(&'static str),
    /// A message on this input field.
    Message(&'static str),
    /// Nothing is there.
    Nothing,
}

struct Case {
    /// What the bearer holds besides.
    with: &'static [&'static str],
    asks: Asks,
    /// The document; `$client`, `$bearer` and so on are ids.
    document: &'static str,
    /// Where the answer shows that it was done or seen.
    shows: &'static str,
    refusal: Refusal,
}

const fn named(document: &'static str, shows: &'static str) -> Case {
    Case { with: &[], asks: Asks::Bearer, document, shows, refusal: Refusal::Named }
}

use Truth::{Awaits, Governs as Rules, Shows};

const ADD_MEMBER: &str = r#"mutation { createOrganizationMembership(input: {first_name: "N", last_name: "N",
    email: "n$n@example.com"}) { organizationMembership { id } messages { field message } } }"#;
const EDIT_MEMBER: &str = r#"mutation { updateOrganizationMembership(input: {id: "$membership", title: "t$n"}) {
    organizationMembership { id } messages { field message } } }"#;
const EDIT_PROFILE: &str = r#"mutation { updateOrganizationMember(input: {id: "$colleague", npi: "$n"}) {
    user { id } messages { field message } } }"#;
const NEW_TEMPLATE: &str = r#"mutation { createPermissionTemplate(input: {name: "t$n"}) {
    newPermissionTemplate { id } messages { field message } } }"#;
const NEW_KEY: &str = r#"mutation { createApiKey(input: {user_id: "$bearer"}) {
    api_key_object { id } messages { field message } } }"#;
const KEY_OF_ANOTHER: &str = r#"mutation { createApiKey(input: {user_id: "$weaker"}) {
    api_key_object { id } messages { field message } } }"#;
const GRANT_ADMIN: &str = r#"mutation { createPermissionTemplate(input: {name: "t$n", is_admin: true}) {
    newPermissionTemplate { id } messages { field message } } }"#;
const LOG: &str = "{ auditLog(first: 1) { nodes { type } } }";
const CLIENT: &str = r#"{ user(id: "$client") { id } }"#;
const ADD_CLIENT: &str = r#"mutation { createClient(input: {first_name: "C", last_name: "C",
    email: "c$n@example.com", dietitian_id: "$owner"}) { user { id } messages { field message } } }"#;
const ADD_RESTRICTED: &str = r#"mutation { createClient(input: {first_name: "C", last_name: "C", restricted: true,
    email: "c$n@example.com", dietitian_id: "$owner"}) { user { id } messages { field message } } }"#;
const ARCHIVE: &str = r#"mutation { updateClient(input: {id: "$client", active: false}) {
    user { id } messages { field message } } }"#;
const PASSWORD: &str = r#"mutation { updateClient(input: {id: "$client", password: "violet-anchor-27-bramble"}) {
    user { id } messages { field message } } }"#;
const NEW_TAG: &str =
    r#"mutation { createTag(input: {name: "t$n"}) { tag { id } messages { field message } } }"#;
const RENAME_TAG: &str = r#"mutation { updateTag(input: {id: "$tag", name: "r$n"}) { tag { id } messages { field message } } }"#;
const PROVIDER: &str = r#"mutation { updateClient(input: {id: "$other", dietitian_id: "$bearer"}) {
    user { id } messages { field message } } }"#;
const CARE_TEAM: &str = r#"mutation { updateClient(input: {id: "$other", other_provider_ids: ["$bearer"]}) {
    user { id } messages { field message } } }"#;
const GROUP: &str = r#"mutation { deleteUserGroup(input: {id: "$group"}) {
    user_group { id } messages { field message } } }"#;

const fn seeing(case: Case) -> Case {
    Case { with: &["can_see_clients"], ..case }
}

const fn not_there(document: &'static str, shows: &'static str) -> Case {
    Case { refusal: Refusal::Nothing, ..named(document, shows) }
}

/// The flag is a third person's: the owner asks.
const fn of_another(document: &'static str, shows: &'static str, field: &'static str) -> Case {
    Case { asks: Asks::Owner, refusal: Refusal::Message(field), ..named(document, shows) }
}

const TRUTHS: &[(&str, Truth)] = &[
    ("allow_group_level_actions", Rules(&[named(GROUP, "/deleteUserGroup/user_group")])),
    ("allow_self_scheduling_in_care_team", Awaits("scheduling")),
    ("auto_create_convo_for_care_team", Awaits("messaging")),
    ("can_access_calendar_quick_share", Shows),
    ("can_access_to_members_chat", Awaits("messaging")),
    ("can_access_zus", Awaits("no domain: another company's product")),
    ("can_add_clients", Rules(&[seeing(named(ADD_CLIENT, "/createClient/user"))])),
    (
        "can_add_members",
        Rules(&[named(ADD_MEMBER, "/createOrganizationMembership/organizationMembership")]),
    ),
    ("can_add_members_to_chat", Awaits("messaging")),
    ("can_add_others_appointments", Awaits("scheduling")),
    ("can_add_own_appointments", Awaits("scheduling")),
    ("can_assign_tasks_to_all_org_members", Awaits("clinical")),
    ("can_autogenerate_charting_notes_from_zoom_calls", Awaits("charting")),
    (
        "can_be_care_team_member",
        Rules(&[of_another(CARE_TEAM, "/updateClient/user", "other_provider_ids")]),
    ),
    ("can_charge_clients", Awaits("billing")),
    ("can_create_tags", Rules(&[named(NEW_TAG, "/createTag/tag")])),
    ("can_delete_automations", Awaits("automation")),
    ("can_delete_charting_notes", Awaits("charting")),
    ("can_delete_faxes", Awaits("messaging")),
    ("can_delete_recordings", Awaits("scheduling")),
    ("can_edit_appointment_types", Awaits("scheduling")),
    ("can_edit_automations", Awaits("automation")),
    ("can_edit_calendar", Awaits("scheduling")),
    ("can_edit_credit", Awaits("scheduling")),
    ("can_edit_docs", Awaits("documents")),
    ("can_edit_education", Awaits("documents")),
    ("can_edit_forms", Awaits("charting")),
    (
        "can_edit_members",
        Rules(&[
            named(EDIT_MEMBER, "/updateOrganizationMembership/organizationMembership"),
            named(EDIT_PROFILE, "/updateOrganizationMember/user"),
            named(NEW_TEMPLATE, "/createPermissionTemplate/newPermissionTemplate"),
        ]),
    ),
    ("can_edit_packages", Awaits("billing")),
    ("can_edit_products", Awaits("billing")),
    (
        "can_edit_settings",
        Rules(&[Case {
            refusal: Refusal::Other("allow_group_level_actions"),
            ..named(GROUP, "/deleteUserGroup/user_group")
        }]),
    ),
    ("can_enroll_clients_to_programs", Awaits("documents")),
    ("can_lock_form_answer_groups", Awaits("charting")),
    ("can_lock_others_charting_notes", Awaits("charting")),
    ("can_lock_own_charting_notes", Awaits("charting")),
    ("can_manage_care_plan_templates", Awaits("clinical")),
    ("can_manage_others_availability", Awaits("scheduling")),
    ("can_manage_others_blocks", Awaits("scheduling")),
    ("can_manage_own_availability", Awaits("scheduling")),
    ("can_manage_own_blocks", Awaits("scheduling")),
    ("can_mark_assigned_tasks_to_other_org_members_as_completed", Awaits("clinical")),
    ("can_merge_clients", Awaits("clients")),
    ("can_order_labs", Awaits("clinical")),
    ("can_remove_client", Rules(&[seeing(named(ARCHIVE, "/updateClient/user"))])),
    ("can_remove_org_member_signatures", Awaits("charting")),
    ("can_rename_and_delete_tags", Rules(&[named(RENAME_TAG, "/updateTag/tag")])),
    ("can_request_to_prescribe_controlled_substances", Awaits("clinical")),
    (
        "can_restrict_clients",
        Rules(&[Case {
            with: &["can_add_clients"],
            shows: "/createClient",
            ..named(ADD_RESTRICTED, "")
        }]),
    ),
    ("can_see_billing", Awaits("billing")),
    ("can_see_calendar", Awaits("scheduling")),
    ("can_see_clients", Rules(&[not_there(CLIENT, "/user")])),
    ("can_see_docs", Awaits("documents")),
    ("can_see_faxes", Awaits("messaging")),
    ("can_see_fullscript_tab", Awaits("no domain: another company's product")),
    ("can_see_option_to_use_erx_dosespot", Awaits("clinical")),
    ("can_see_sent_faxes", Awaits("messaging")),
    ("can_see_transfers", Awaits("billing")),
    ("can_set_client_password", Rules(&[seeing(named(PASSWORD, "/updateClient/user"))])),
    ("can_share_documents_and_folders_with_org_members", Awaits("documents")),
    ("can_sign_others_charting_notes", Awaits("charting")),
    ("can_sign_own_charting_notes", Awaits("charting")),
    ("can_submit_cms_1500s_to_candid_health", Awaits("insurance")),
    ("can_submit_cms_1500s_to_change_health", Awaits("insurance")),
    ("can_submit_cms_1500s_to_office_ally", Awaits("insurance")),
    ("can_unlink_chart_note_from_appointment", Awaits("charting")),
    ("can_unlock_charting_notes", Awaits("charting")),
    ("can_view_all_org_members_tasks", Awaits("clinical")),
    ("can_view_audit_log", Rules(&[named(LOG, "/auditLog/nodes/0")])),
    ("can_view_automations", Awaits("automation")),
    ("can_view_cms1500s", Awaits("insurance")),
    ("can_view_goal_templates", Awaits("clinical")),
    ("can_view_labs", Awaits("clinical")),
    ("can_view_org_dashboard", Awaits("reports")),
    ("can_view_recordings", Awaits("scheduling")),
    ("can_view_reports", Awaits("reports")),
    ("can_view_super_bills", Awaits("insurance")),
    ("can_write_org_addendums", Awaits("charting")),
    ("create_chat_when_assigned", Awaits("messaging")),
    ("gets_failed_fax_notif", Shows),
    ("gets_fax_notif", Shows),
    ("has_own_branding", Awaits("identity, with brands")),
    ("has_primary_diagnosis_column", Shows),
    ("hide_calendar_tab", Shows),
    (
        "is_admin",
        Rules(&[
            Case {
                with: &["is_developer"],
                ..named(KEY_OF_ANOTHER, "/createApiKey/api_key_object")
            },
            Case {
                with: &["can_edit_members"],
                ..named(GRANT_ADMIN, "/createPermissionTemplate/newPermissionTemplate")
            },
        ]),
    ),
    ("is_developer", Rules(&[named(NEW_KEY, "/createApiKey/api_key_object")])),
    ("is_provider", Rules(&[of_another(PROVIDER, "/updateClient/user", "dietitian_id")])),
    ("notify_any_client_activity", Shows),
    ("notify_on_book", Shows),
    ("notify_on_cancel", Shows),
    ("notify_on_payment_failure", Shows),
    ("request_eligibility_checks", Awaits("insurance")),
    ("sees_all_billing", Awaits("billing")),
    ("sees_all_clients", Rules(&[not_there(CLIENT, "/user")])),
    ("send_email_on_intake_flow_complete", Shows),
    ("send_email_on_intake_flow_start", Shows),
    ("share_appointment_types", Awaits("scheduling")),
    ("share_custom_metrics", Awaits("clinical")),
    ("share_fullscript", Awaits("no domain: another company's product")),
    ("share_goal_templates", Awaits("clinical")),
    ("share_packages", Awaits("billing")),
    ("share_smart_phrases", Awaits("charting")),
    ("share_user_groups", Awaits("clients, with shared groups")),
    ("show_availability_first", Shows),
    ("show_org_tab", Shows),
    ("start_conversation_with", Awaits("messaging")),
];

fn truth(flag: &str) -> &'static Truth {
    let found = TRUTHS.iter().find(|(name, _)| *name == flag);
    &found.unwrap_or_else(|| panic!("nobody has said what {flag} governs")).1
}

#[test]
fn every_flag_is_in_the_table_once_and_tells_the_truth() {
    let names: Vec<&str> = ALL.iter().map(|line| line.permission.name).collect();
    let listed: Vec<&str> = TRUTHS.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, names, "the table has every flag once, in the list's order");
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut enforced, mut shows) = (0, 0);
    let sources = sources();
    for line in ALL {
        let name = line.permission.name;
        let used = uses(&sources, name);
        match truth(name) {
            Rules(cases) => {
                assert!(!cases.is_empty(), "{name} has no case");
                enforced += 1;
            }
            Awaits(domain) => {
                assert!(used.is_empty(), "{name} is asked for in {used:?}: give it its cases");
                *waiting.entry(domain).or_default() += 1;
            }
            Shows => {
                assert_eq!(line.governs, Governs::Display, "{name} guards something");
                shows += 1;
            }
        }
    }
    println!(
        "SEC-03: {} flags stored, {enforced} enforced, {enforced} tested (allowed and denied); \
         {shows} only show; waiting for {waiting:?}",
        ALL.len()
    );
}

/// What may name a flag without asking for it: lists of flags.
const LISTS: [&str; 5] = ["flags.rs", "practice.rs", "seed.rs", "template.rs", "user_flags.rs"];

fn sources() -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let practice = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<_> =
        ["identity/src", "clients/src"].iter().map(|it| practice.join(it)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !LISTS.contains(&name.as_str()) {
                texts.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    texts
}

/// Files that name the flag's constant.
fn uses(sources: &[(String, String)], flag: &str) -> Vec<String> {
    let constant = flag.to_uppercase();
    let is_word = |text: &str| {
        text.match_indices(&constant).any(|(at, _)| {
            let rest = text[at + constant.len()..].chars().next();
            let before = text[..at].chars().next_back();
            let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            !inside(rest) && !inside(before)
        })
    };
    sources.iter().filter(|(_, text)| is_word(text)).map(|(name, _)| name.clone()).collect()
}

/// The world with both domains' bindings.
fn whole(mut world: World) -> World {
    let mut bindings = Bindings::new();
    ward_identity::bind(&mut bindings);
    ward_clients::bind(&mut bindings);
    let served = |view| prune(&contract(view), &bindings).unwrap();
    let (old, new) = (served(ViewId::Baseline), served(ViewId::V2026));
    world.engine = Arc::new(Engine::new(&old, &new, bindings).unwrap());
    world
}

/// Gives a member exactly these flags.
async fn lay(world: &World, user: i64, held: &[&str]) {
    let set = ALL.iter().map(|line| {
        let name = line.permission.name;
        format!("{name} = {}", if held.contains(&name) { "TRUE" } else { "FALSE" })
    });
    let mut sql = Sql::new();
    sql.push("UPDATE organization_memberships SET ");
    sql.push(&set.collect::<Vec<_>>().join(", ")).push(" WHERE user_id = ");
    sql.bind(user);
    world.execute(sql).await;
}

/// The bearer with exactly these flags, as the next request finds them.
async fn bearer(world: &World, held: &[&str]) -> Actor {
    let (org, user) = (world.standard.org_id, world.standard.user_id);
    lay(world, user, held).await;
    let load = world.db.write(move |tx| Box::pin(async move { person::load(tx, org, user).await }));
    let found: Result<_, ward_store::StoreError> = load.await;
    found.unwrap().unwrap().actor(None)
}

/// The ids that documents name.
struct Ids(Vec<(&'static str, String)>);

impl Ids {
    async fn of(world: &World) -> Ids {
        let client = world.client("Cleo", "cleo@example.com").await;
        let other = world.client("Otto", "otto@example.com").await;
        let owner = world.owner.clone();
        let tag = world.mutate(&owner, "createTag", "tag { id }", json!({"name": "First"})).await;
        let id = |json: &Json| json["id"].as_str().unwrap().to_owned();
        let support = world.support.user_id.to_string();
        let membership = format!(r#"{{ organizationMembership(user_id: "{support}") {{ id }} }}"#);
        let membership = world.run(&owner, &membership, json!({})).await;
        // Nobody is weaker than who holds nothing.
        lay(world, world.support.user_id, &[]).await;
        Ids(vec![
            ("$client", client),
            ("$other", other),
            ("$tag", id(&tag["tag"])),
            ("$membership", id(&membership["organizationMembership"])),
            ("$colleague", support.clone()),
            ("$weaker", support),
            ("$owner", world.owner.user_id.to_string()),
            ("$bearer", world.standard.user_id.to_string()),
        ])
    }

    /// A group with a client whom the bearer does not see.
    async fn group(&self, world: &World, n: usize) -> String {
        let input = json!({"name": format!("g{n}")});
        let made = world.mutate(&world.owner, "createGroup", "user_group { id }", input).await;
        let group = made["user_group"]["id"].as_str().unwrap().to_owned();
        let client = &self.0[0].1;
        let input = json!({"id": client, "user_group_id": group});
        world.mutate(&world.owner, "updateClient", "user { id }", input).await;
        group
    }

    async fn fill(&self, world: &World, document: &str, n: usize) -> String {
        let mut text = document.to_owned();
        if text.contains("$group") {
            text = text.replace("$group", &self.group(world, n).await);
        }
        for (name, id) in &self.0 {
            text = text.replace(name, id);
        }
        text.replace("$n", &n.to_string())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_flag_that_governs_is_denied_and_allowed() {
    World::each(async |world| {
        let world = whole(world);
        let ids = Ids::of(&world).await;
        let mut n = 0;
        for line in ALL {
            let name = line.permission.name;
            let Rules(cases) = truth(name) else { continue };
            for case in *cases {
                for is_held in [false, true] {
                    n += 1;
                    let mut held = case.with.to_vec();
                    held.extend(is_held.then_some(name));
                    let bearer = bearer(&world, &held).await;
                    let asks = if case.asks == Asks::Owner { &world.owner } else { &bearer };
                    let document = ids.fill(&world, case.document, n).await;
                    let answer = world.run_in(ViewId::V2026, asks, &document, json!({})).await;
                    assert_eq!(is_done(case, &answer), is_held, "{name}, {document}: {answer}");
                    if !is_held {
                        told(case, name, &answer);
                    }
                }
            }
        }
        println!("SEC-03: {n} operations tried with one flag flipped");
    })
    .await;
}

/// Whether the answer shows what was asked for, and no error or message.
fn is_done(case: &Case, answer: &Json) -> bool {
    let shown = answer["data"].pointer(case.shows).unwrap_or(&Json::Null);
    let root = answer["data"].as_object().and_then(|data| data.values().next());
    let is_silent = root.is_none_or(|root| root["messages"].is_null());
    !shown.is_null() && is_silent && answer["errors"].is_null()
}

/// The absence of the flag is told as the case says.
fn told(case: &Case, flag: &str, answer: &Json) {
    match case.refusal {
        Refusal::Named => {
            assert_eq!(answer["errors"][0]["extensions"]["permission"], flag, "{answer}");
        }
        Refusal::Other(flag) => {
            assert_eq!(answer["errors"][0]["extensions"]["permission"], flag, "{answer}");
        }
        Refusal::Message(field) => {
            let payload = answer["data"].as_object().unwrap().values().next().unwrap();
            assert_eq!(payload["messages"][0]["field"], field, "{answer}");
        }
        Refusal::Nothing => assert_eq!(answer["errors"], Json::Null, "{answer}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_flag_is_stored_and_read_back() {
    World::each(async |world| {
        let world = whole(world);
        let reads: Vec<&str> = ALL.iter().map(|line| line.permission.name).collect();
        let user = world.standard.user_id;
        let query = format!(
            r#"{{ organizationMembership(user_id: "{user}") {{ id {} }} }}"#,
            reads.join(" ")
        );
        lay(&world, user, &[]).await;
        let first = world.run(&world.owner, &query, json!({})).await;
        let id = first["organizationMembership"]["id"].as_str().unwrap().to_owned();
        for permission in flags::settable() {
            for is_on in [true, false] {
                let input = json!({"id": id, permission.name: is_on});
                let select = format!("organizationMembership {{ {} }}", permission.name);
                let field = "updateOrganizationMembership";
                let payload = world.mutate(&world.owner, field, &select, input).await;
                assert_eq!(payload["messages"], Json::Null, "{}: {payload}", permission.name);
                assert_eq!(payload["organizationMembership"][permission.name], is_on);
            }
        }
        for permission in flags::OPERATOR_SET {
            let input = json!({"id": id, permission.name: true});
            let document = "mutation($input: updateOrganizationMembershipInput) {
                updateOrganizationMembership(input: $input) { messages { message } } }";
            let answer =
                world.run_in(ViewId::V2026, &world.owner, document, json!({"input": input})).await;
            assert!(answer["data"].is_null(), "the operator sets {}: {answer}", permission.name);
            lay(&world, user, &[permission.name]).await;
            let read = world.run(&world.owner, &query, json!({})).await;
            for name in &reads {
                let is_on = *name == permission.name;
                assert_eq!(read["organizationMembership"][name], is_on, "{name}");
            }
        }
    })
    .await;
}
