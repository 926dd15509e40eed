//! `User`: accounts of clients and staff, and the queries for them.

use std::collections::HashMap;

use ward_engine::{
    Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Out, Request, RowView, parse_id,
};
use ward_instance::Timestamp;
use ward_instance::token::FileLink;
use ward_store::{Cond, Day, Entity, Id, Join, Query, Role, Sql, Value, search};

use crate::account::joined;
use crate::bindings::profile::licensed_in;
use crate::tables::{API_KEYS, ORGANIZATION_MEMBERSHIPS, ORGANIZATIONS, USERS, User, users as at};

const USER: Kind = Kind::Id(User::NAME);
const USER_LIST: Kind = Kind::Ids(User::NAME);

/// Everybody who cares for a client: the primary provider and the care team.
const CARE: &str = "(SELECT b.org_id, b.id AS patient_id, b.dietitian_id AS user_id FROM users b \
     WHERE b.dietitian_id IS NOT NULL \
     UNION SELECT c.org_id, c.patient_id, c.user_id FROM care_team_members c)";
const PROVIDERS: Link =
    Link::Join { parent: at::id, join: Join { table: CARE, to: "user_id", from: "patient_id" } };
const OTHER_PROVIDERS: Link = Link::Join {
    parent: at::id,
    join: Join { table: "care_team_members", to: "user_id", from: "patient_id" },
};
const PATIENTS: Link =
    Link::Join { parent: at::id, join: Join { table: CARE, to: "patient_id", from: "user_id" } };

/// What lists of users can be ordered by (behaviour 7); text without case.
pub const USER_ORDERS: &[OrderOption] = &[
    OrderOption { name: "LAST_NAME", expression: "{t}.last_name_fold" },
    OrderOption { name: "FIRST_NAME", expression: "{t}.first_name_fold" },
    OrderOption { name: "EMAIL", expression: "{t}.email_fold" },
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "UPDATED_AT", expression: "{t}.updated_at" },
    OrderOption {
        name: "PROVIDER_NAME",
        expression: "COALESCE((SELECT d.last_name_fold || ' ' || d.first_name_fold FROM users d \
             WHERE d.org_id = {t}.org_id AND d.id = {t}.dietitian_id), '\u{10ffff}')",
    },
];

/// Registers the type and its queries.
pub fn bind(b: &mut Bindings) {
    b.object("User", &USERS);
    b.cursor("User");
    bind_names(b);
    bind_facts(b);
    bind_relations(b);
    b.query_one("currentUser", &USERS, |request, _| Ok(Listing::of(own(request))));
    b.query_one("user", &USERS, one).args(&[
        ("id", USER),
        ("or_current_user", Kind::Plain),
        ("email", Kind::Plain),
    ]);
    const MEMBERS_ARGS: &[(&str, Kind)] =
        &[("keywords", Kind::Plain), ("licensed_in_state", Kind::Plain)];
    b.query_list("organizationMembers", &USERS, members)
        .args(MEMBERS_ARGS)
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.query_count("organizationMembersCount", &USERS, members).args(MEMBERS_ARGS);
}

fn bind_names(b: &mut Bindings) {
    const NAME: &[usize] = &[at::first_name, at::last_name];
    const LEGAL: &[usize] = &[at::first_name, at::last_name, at::legal_name];
    b.computed("User", "full_name", NAME, |_, row, _| full_name(row)).public();
    b.computed("User", "name", NAME, |_, row, _| full_name(row)).public();
    b.computed("User", "first_name_last_initial", NAME, |_, row, _| {
        let initial: Option<String> =
            row.text(at::last_name).and_then(|name| name.trim().chars().next()).map(Into::into);
        text_or_null(joined([row.text(at::first_name), initial.as_deref()]))
    })
    .public();
    b.computed("User", "full_legal_name", LEGAL, |_, row, _| {
        let legal = row.text(at::legal_name).filter(|name| !name.trim().is_empty());
        text_or_null(joined([legal.or(row.text(at::first_name)), row.text(at::last_name)]))
    });
    b.computed("User", "doc_share_id", &[at::id], |_, row, _| {
        row.get(at::id).int().map(|id| format!("user-{id}")).into()
    })
    .public();
    b.column("User", "shard_aware_id", at::id);
    b.column("User", "organization_id", at::unit_id);
    b.column("User", "calendar_timezone", at::timezone);
    b.column("User", "dimissed_calendar_prompt", at::dismissed_calendar_prompt);
    b.column("User", "last_activity", at::last_active);
}

fn full_name(row: &RowView<'_>) -> Out {
    text_or_null(joined([row.text(at::first_name), row.text(at::last_name)]))
}

fn text_or_null(text: String) -> Out {
    if text.is_empty() { Out::Null } else { text.into() }
}

fn bind_facts(b: &mut Bindings) {
    b.computed("User", "age", &[at::dob], |request, row, _| {
        let born: Option<Day> = row.text(at::dob).and_then(|text| text.parse().ok()).map(Day);
        born.and_then(|born| age(born, request.now, &request.zone)).into()
    });
    b.computed("User", "avatar_url", &[at::avatar_id], avatar_url).public();
    for field in ["has_created_password", "signup_completed"] {
        b.computed("User", field, &[at::password_hash], |_, row, _| {
            (!row.get(at::password_hash).is_null()).into()
        });
    }
    b.computed("User", "accessed_account", &[at::last_sign_in_at], |_, row, _| {
        (!row.get(at::last_sign_in_at).is_null()).into()
    });
    b.computed(
        "User",
        "is_first_time_provider",
        &[at::is_patient, at::last_sign_in_at],
        |_, row, _| {
            (!row.get(at::is_patient).truth() && row.get(at::last_sign_in_at).is_null()).into()
        },
    );
    b.computed("User", "is_org", &[at::is_patient], |_, row, _| {
        (!row.get(at::is_patient).truth()).into()
    });
    // Staff's notes on a client, not for the client (behaviour 4.4, 9).
    b.computed("User", "metadata", &[at::metadata], |request, row, _| {
        staff_only(request, row, at::metadata)
    });
    b.computed("User", "quick_notes", &[at::quick_notes], |request, row, _| {
        staff_only(request, row, at::quick_notes)
    });
    // No one is above the organizations, and nothing has a trial or a plan here.
    for field in ["is_super_admin", "requires_reactivation"] {
        b.computed("User", field, &[], |_, _, _| false.into());
    }
    // Credentials are never read back; keys of other products do not exist.
    for field in [
        "token",
        "access_token",
        "is_trialing",
        "helpscout_hash",
        "kustomer_api_key",
        "intercom_hash",
        "chameleon_hash",
    ] {
        b.computed("User", field, &[], |_, _, _| Out::Null);
    }
    b.batch("User", "other_provider_ids", &[at::id, at::org_id], |_, conn, rows, _| {
        Box::pin(care_team_ids(conn, rows))
    });
}

fn staff_only(request: &Request, row: &RowView<'_>, column: usize) -> Out {
    row.text(column).filter(|_| request.actor.is_member()).into()
}

/// Whole years between birth and today, today in the reader's zone.
pub(crate) fn age(born: Day, now: Timestamp, zone: &jiff::tz::TimeZone) -> Option<i64> {
    let moment = jiff::Timestamp::from_microsecond(now.0).ok()?;
    let today = moment.to_zoned_datetime(zone.clone()).date();
    let is_before_birthday = (today.month(), today.day()) < (born.0.month(), born.0.day());
    let years = i64::from(today.year()) - i64::from(born.0.year()) - i64::from(is_before_birthday);
    (years >= 0).then_some(years)
}

/// A link that ends: rounded to days, so that the same picture has the same
/// address for a day.
fn avatar_url(request: &Request, row: &RowView<'_>, _: &Args) -> Out {
    file_url(request, row.text(at::avatar_id))
}

/// The address of a stored file for whoever asks.
pub fn file_url(request: &Request, blob: Option<&str>) -> Out {
    const DAY_SECONDS: i64 = 86_400;
    let Some(blob) = blob else { return Out::Null };
    let today = request.instance.clock().wall().as_seconds().div_euclid(DAY_SECONDS);
    let link = FileLink {
        blob: blob.to_owned(),
        user_id: request.actor.user_id,
        proxy_id: request.actor.proxy_id.unwrap_or(0),
        expires: Timestamp::from_seconds((today + 2) * DAY_SECONDS),
    };
    format!("{}/files/{}", request.base_url, request.instance.file_link(&link)).into()
}

/// Ids of the care team besides the primary provider.
async fn care_team_ids(conn: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let (orgs, ids) = keys_of(&rows);
    let sql = Sql::fixed(
        "SELECT c.patient_id, c.user_id FROM care_team_members c \
         WHERE c.org_id IN_LIST($1) AND c.patient_id IN_LIST($2) ORDER BY c.user_id",
        [Value::Ints(orgs.into()), Value::Ints(ids.into())],
    );
    let mut teams: HashMap<i64, Vec<i64>> = HashMap::new();
    for row in conn.rows(&sql).await?.iter() {
        if let [patient, provider] = row
            && let (Some(patient), Some(provider)) = (patient.int(), provider.int())
        {
            teams.entry(patient).or_default().push(provider);
        }
    }
    let team = |row: &RowView<'_>| row.get(at::id).int().and_then(|id| teams.remove(&id));
    let mut team = team;
    Ok(rows.iter().map(|row| Out::from(team(row).unwrap_or_default())).collect())
}

/// The organizations and the ids of rows, each once.
pub(crate) fn keys_of(rows: &[RowView<'_>]) -> (Vec<i64>, Vec<i64>) {
    let all = |column: usize| {
        let mut ids: Vec<i64> = rows.iter().filter_map(|row| row.get(column).int()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    (all(at::org_id), all(at::id))
}

fn bind_relations(b: &mut Bindings) {
    b.one("User", "organization", &ORGANIZATIONS, Link::Key(at::unit_id)).public();
    b.one(
        "User",
        "organization_membership",
        &ORGANIZATION_MEMBERSHIPS,
        Link::Column { parent: at::id, child: "user_id" },
    )
    .public();
    b.one("User", "dietitian", &USERS, Link::Key(at::dietitian_id));
    b.one("User", "user_who_invited_member", &USERS, Link::Key(at::created_by_id));
    b.many("User", "providers", &USERS, PROVIDERS)
        .args(&[("can_be_scheduled_with", Kind::Plain)])
        .listing(|_, args| {
            let bookable = args.bool("can_be_scheduled_with") == Some(true);
            Ok(Listing::of(if bookable { active_providers() } else { Cond::Always }).public())
        })
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.many("User", "other_providers", &USERS, OTHER_PROVIDERS).orders(USER_ORDERS, "LAST_NAME_ASC");
    b.many("User", "patients", &USERS, PATIENTS)
        .args(&[("client_ids", USER_LIST), ("only_active", Kind::Plain)])
        .listing(patients)
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.many("User", "active_patients", &USERS, PATIENTS)
        .args(&[("keywords", Kind::Plain), ("include_suborg_patients", Kind::Plain)])
        .listing(active_patients)
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.count("User", "active_patients_count", &USERS, PATIENTS)
        .listing(|_, _| Ok(Listing::of(Cond::is_true("active"))));
    b.count("User", "patients_count", &USERS, PATIENTS)
        .args(&[("only_primary", Kind::Plain)])
        .listing(|_, args| {
            let primary = Cond::sql("{t}.dietitian_id = j.user_id", []);
            Ok(Listing::of(if args.flag("only_primary") { primary } else { Cond::Always }))
        });
    b.many("User", "api_keys", &API_KEYS, Link::Column { parent: at::id, child: "user_id" })
        .args(&[("keywords", Kind::Plain)])
        .listing(super::key::listing)
        .orders(super::key::ORDERS, "CREATED_AT_DESC");
}

/// Providers that clients can book: active, and marked as providers.
pub(crate) fn active_providers() -> Cond {
    Cond::sql(
        "{t}.is_patient = FALSE AND {t}.active = TRUE AND EXISTS (SELECT 1 \
         FROM organization_memberships ap WHERE ap.org_id = {t}.org_id AND ap.user_id = {t}.id \
         AND ap.active = TRUE AND ap.is_provider = TRUE)",
        [],
    )
}

fn patients(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = Cond::Always;
    if args.flag("only_active") {
        cond = cond.and(Cond::is_true("active"));
    }
    if let Some(ids) = args.get::<Vec<Id<User>>>("client_ids", request)? {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        cond = cond.and(Cond::is_in("id", &ids));
    }
    Ok(Listing::of(cond))
}

fn active_patients(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = Cond::is_true("active");
    if args.bool("include_suborg_patients") == Some(false) {
        cond = cond.and(Cond::eq("unit_id", request.actor.unit_id));
    }
    Ok(Listing::of(cond).searching(&USERS, request, args.text("keywords")))
}

/// Rows of another table whose `user_id` is a member that the keywords find.
pub fn members_of_keywords(request: &Request, keywords: &str) -> Cond {
    match search::keyword_cond(&USERS, request.actor.org_id, keywords) {
        Cond::Sql(text, params) => {
            let text = text.replace("{t}", "ku");
            let mut all = vec![Value::Int(request.actor.org_id)];
            all.extend(params);
            Cond::sql(
                format!(
                    "{{t}}.user_id IN (SELECT ku.id FROM users ku WHERE ku.org_id = ? AND {text})"
                ),
                all,
            )
        }
        other => other,
    }
}

fn own(request: &Request) -> Cond {
    match request.actor.role {
        Role::Client | Role::Member => Cond::eq("id", request.actor.user_id),
        Role::Anonymous | Role::System => Cond::Never,
    }
}

/// `user`: by id, else by e-mail, else the caller (behaviour 18.2).
fn one(request: &Request, args: &Args) -> Answer<Listing> {
    if request.actor.role == Role::Anonymous {
        return Ok(Listing::none());
    }
    let cond = match (args.text("id"), args.text("email")) {
        (Some(id), _) => match parse_id::<User>(id, "id", request.instance.ids()) {
            Err(ward_engine::Refused::NotFound(_)) if args.flag("or_current_user") => own(request),
            parsed => Cond::eq("id", parsed?.0),
        },
        (None, Some(email)) => Cond::eq("email_fold", crate::email::key(email)),
        (None, None) if args.flag("or_current_user") => own(request),
        (None, None) => Cond::Never,
    };
    Ok(Listing::of(cond).public())
}

/// Staff of the units that the actor may see.
fn members(request: &Request, args: &Args) -> Answer<Listing> {
    if !request.actor.is_member() {
        return Ok(Listing::none());
    }
    let staff = Cond::sql("{t}.is_patient = FALSE", []);
    let licensed = args.text("licensed_in_state").map_or(Cond::Always, |it| licensed_in([it]));
    let listing = Listing::of(staff.and(licensed));
    Ok(listing.searching(&USERS, request, args.text("keywords")))
}
