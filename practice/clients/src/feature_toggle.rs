//! Feature toggles: what clients may see and track (behaviour 19). Of several
//! that could apply to a client, their own comes first, then their group's, then
//! their primary provider's. A care plan has none of its own.

use ward_engine::{
    Answer, Args, Bindings, Call, Given, Kind, Link, Listing, Out, Payload, Problems, Refused,
    Request, Returns, RowView, input, op,
};
use ward_identity::flags::{ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_SETTINGS};
use ward_identity::tables::{Organization, USERS, User, users};
use ward_identity::visibility;
use ward_store::{Cond, Day, Entity, Event, Id, Join, Level, StoreError};

use crate::access::members_only;
use crate::access::{self, IdOrBlank};
use crate::feature_switch::EFFECTIVE;
use crate::feature_toggle_switches::with_switches;
use crate::feature_toggle_table::{FEATURE_TOGGLES, FeatureToggle, feature_toggles as at};
use crate::group;
use crate::rules;
use crate::tables::{USER_GROUPS, UserGroup};

pub use crate::feature_switch::{Switch, is_on, is_on_for};

const OF_USER: Link = Link::Join {
    parent: users::id,
    join: Join { table: EFFECTIVE, to: "toggle_id", from: "user_id" },
};

macro_rules! toggle_inputs {
    ($( $switch:ident $on:literal; )*) => {
        input! {
            /// `createFeatureToggleInput`.
            pub struct CreateFeatureToggle {
                user_id: IdOrBlank<User>,
                user_group_id: IdOrBlank<UserGroup>,
                $( $switch: bool, )*
                seperate_provider_metric_from_client: bool,
                default_water_intake: String,
                email_notification_frequency: String,
                push_notification_frequency: String,
            }
        }

        input! {
            /// `updateFeatureToggleInput`.
            pub struct UpdateFeatureToggle {
                id: Id<FeatureToggle>,
                user_id: IdOrBlank<User>,
                $( $switch: bool, )*
                seperate_provider_metric_from_client: bool,
                prevent_inactive_access: bool,
                date_range_preference: String,
                default_water_intake: String,
                email_notification_frequency: String,
                push_notification_frequency: String,
                last_journal_from_date: Day,
                last_journal_to_date: Day,
            }
        }

        impl CreateFeatureToggle {
            fn switch(&self, toggle: &mut FeatureToggle) {
                set(&mut toggle.separate_provider_metric_from_client,
                    &self.seperate_provider_metric_from_client);
                $( set(&mut toggle.$switch, &self.$switch); )*
            }
        }

        impl UpdateFeatureToggle {
            fn switch(&self, toggle: &mut FeatureToggle) {
                set(&mut toggle.separate_provider_metric_from_client,
                    &self.seperate_provider_metric_from_client);
                $( set(&mut toggle.$switch, &self.$switch); )*
                set(&mut toggle.prevent_inactive_access, &self.prevent_inactive_access);
            }
        }
    };
}
with_switches!(toggle_inputs);

/// A switch as sent; null leaves it.
fn set(switch: &mut bool, sent: &Given<bool>) {
    if let Some(on) = sent.value() {
        *switch = *on;
    }
}

static RETURNS: &[(&str, Returns)] = &[("feature_toggle", Returns::One(&FEATURE_TOGGLES))];

/// Binds the type, its queries and mutations, and the field of users.
pub fn bind(b: &mut Bindings) {
    const TYPE: &str = "FeatureToggle";
    const ENTRIES: &[usize] = &[
        at::show_food,
        at::show_metric,
        at::show_mirror,
        at::show_note,
        at::show_sleep,
        at::show_workout,
        at::can_track_poop,
        at::can_track_symptoms,
        at::can_track_water_intake,
    ];
    b.object(TYPE, &FEATURE_TOGGLES);
    b.column(
        TYPE,
        "seperate_provider_metric_from_client",
        at::separate_provider_metric_from_client,
    );
    b.computed(TYPE, "has_any_entry_types", ENTRIES, |_, row: &RowView<'_>, _| {
        Out::from(ENTRIES.iter().any(|column| row.get(*column).truth()))
    });
    b.one(TYPE, "user", &USERS, Link::Key(at::user_id));
    b.one(TYPE, "user_group", &USER_GROUPS, Link::Key(at::user_group_id));
    b.one("User", "feature_toggle", &FEATURE_TOGGLES, OF_USER).listing(|_, _| Ok(Listing::all()));
    b.query_one("featureToggle", &FEATURE_TOGGLES, effective)
        .args(&[("id", Kind::Id(FeatureToggle::NAME)), ("user_id", Kind::Id(User::NAME))]);
    b.query_one("featureToggleForEditing", &FEATURE_TOGGLES, for_editing).args(&[
        ("id", Kind::Id(FeatureToggle::NAME)),
        ("user_group_id", Kind::Id(UserGroup::NAME)),
        ("user_id", Kind::Id(User::NAME)),
    ]);
    b.mutation("createFeatureToggle", RETURNS, op!(create));
    b.mutation("updateFeatureToggle", RETURNS, op!(update));
}

/// By id; else the one that applies to a user whom the actor sees, themselves if
/// nobody is named.
fn effective(request: &Request, args: &Args) -> Answer<Listing> {
    if let Some(id) = args.get::<Id<FeatureToggle>>("id", request)? {
        return Ok(Listing::of(Cond::eq("id", id.0)));
    }
    let user = args.get::<Id<User>>("user_id", request)?;
    let user = user.unwrap_or_else(|| Id::new(request.actor.user_id));
    let org_id = request.actor.org_id;
    let applies = Cond::sql(
        format!(
            "{{t}}.id = (SELECT e.toggle_id FROM {EFFECTIVE} e WHERE e.org_id = ? AND e.user_id = ?)"
        ),
        [org_id.into(), user.0.into()],
    );
    Ok(Listing::of(applies.and(visibility::sees_user(&request.actor, user))))
}

/// By id; else the one that is attached to a group or user itself.
fn for_editing(request: &Request, args: &Args) -> Answer<Listing> {
    if !request.actor.is_member() {
        return Ok(Listing::none());
    }
    let id = args.get::<Id<FeatureToggle>>("id", request)?;
    let group = args.get::<Id<UserGroup>>("user_group_id", request)?;
    let user = args.get::<Id<User>>("user_id", request)?;
    Ok(Listing::of(match (id, group, user) {
        (Some(id), _, _) => Cond::eq("id", id.0),
        (None, Some(group), _) => Cond::eq("user_group_id", group.0),
        (None, None, Some(user)) => Cond::eq("user_id", user.0),
        (None, None, None) => Cond::eq("user_id", request.actor.user_id),
    }))
}

/// Whom a toggle is attached to, and their unit.
enum Target {
    User(Box<User>),
    Group(UserGroup),
}

impl Target {
    fn unit_id(&self) -> Id<Organization> {
        match self {
            Target::User(user) => user.unit_id,
            Target::Group(group) => group.unit_id,
        }
    }
}

/// Attaches a new toggle to a client, a group, or a provider (the caller, if
/// nobody is named) for those of their clients who have no nearer one.
pub async fn create(call: &mut Call<'_>, input: &CreateFeatureToggle) -> Answer<Payload> {
    members_only(call.actor)?;
    let group = input.user_group_id.value().and_then(|id| id.0);
    let user = input.user_id.value().and_then(|id| id.0);
    let target = match (group, user) {
        (Some(_), Some(_)) => {
            return Err(Refused::base(
                "A feature toggle belongs to a user or to a group, not to both",
            ));
        }
        (Some(group), None) => Target::Group(group::seen(call, group, "user_group_id").await?),
        (None, user) => {
            let user = user.unwrap_or_else(|| Id::new(call.actor.user_id));
            Target::User(Box::new(access::seen_user(call, user, "user_id").await?))
        }
    };
    may_write(call, &target)?;
    let mut problems = Problems::new();
    for (field, text) in [
        ("default_water_intake", &input.default_water_intake),
        ("email_notification_frequency", &input.email_notification_frequency),
        ("push_notification_frequency", &input.push_notification_frequency),
    ] {
        rules::bounded(field, text, rules::LINE_CHARS_MAX, &mut problems);
    }
    problems.check()?;
    let id = call.next_id().await?;
    let org_id = Id::new(call.actor.org_id);
    let mut toggle = FeatureToggle::blank(id, org_id, target.unit_id(), call.now());
    let (taken, same) = match &target {
        Target::User(user) => {
            toggle.user_id = Some(user.id);
            (taken("user_id", "User"), Cond::eq("user_id", user.id.0))
        }
        Target::Group(group) => {
            toggle.user_group_id = Some(group.id);
            (taken("user_group_id", "User group"), Cond::eq("user_group_id", group.id.0))
        }
    };
    if call.find_by::<FeatureToggle>(same).await?.is_some() {
        return Err(taken);
    }
    input.switch(&mut toggle);
    if let Some(text) = input.default_water_intake.trimmed() {
        toggle.default_water_intake = text.to_owned();
    }
    input.email_notification_frequency.set_text(&mut toggle.email_notification_frequency);
    input.push_notification_frequency.set_text(&mut toggle.push_notification_frequency);
    if let Target::User(user) = &target {
        access::concerns(call, user);
    }
    call.create(&toggle).await.map_err(|error| match error {
        StoreError::Unique(_) => taken,
        other => other.into(),
    })?;
    call.emit(event("feature_toggle.created", &toggle, &target));
    Ok(Payload::new().one("feature_toggle", toggle.id.0))
}

/// Changes a toggle, named by its id or by the user to whom it is attached.
pub async fn update(call: &mut Call<'_>, input: &UpdateFeatureToggle) -> Answer<Payload> {
    members_only(call.actor)?;
    let before = to_change(call, input).await?;
    let target = match (before.user_id, before.user_group_id) {
        (Some(user), _) => Target::User(Box::new(access::seen_user(call, user, "id").await?)),
        (None, Some(group)) => Target::Group(group::seen(call, group, "id").await?),
        (None, None) => return Err(Refused::not_found("id")),
    };
    may_write(call, &target)?;
    stays(call, input, &before).await?;
    check(input).check()?;
    let mut after = before.clone();
    input.switch(&mut after);
    if let Some(text) = input.date_range_preference.trimmed() {
        after.date_range_preference = text.to_owned();
    }
    if let Some(text) = input.default_water_intake.trimmed() {
        after.default_water_intake = text.to_owned();
    }
    input.email_notification_frequency.set_text(&mut after.email_notification_frequency);
    input.push_notification_frequency.set_text(&mut after.push_notification_frequency);
    input.last_journal_from_date.set(&mut after.last_journal_from_date);
    input.last_journal_to_date.set(&mut after.last_journal_to_date);
    if let Target::User(user) = &target {
        access::concerns(call, user);
    }
    let changes = call.update(&before, &after).await?;
    if !changes.is_empty() {
        call.emit(event("feature_toggle.updated", &after, &target).changed(&changes.columns));
    }
    Ok(Payload::new().one("feature_toggle", after.id.0))
}

/// A toggle stays whose it is; a user who is named beside its id has to be that
/// one, and none whom the caller does not see.
async fn stays(
    call: &mut Call<'_>,
    input: &UpdateFeatureToggle,
    before: &FeatureToggle,
) -> Answer<()> {
    let Some(user) = input.user_id.value().and_then(|id| id.0) else { return Ok(()) };
    let user = access::seen_user(call, user, "user_id").await?;
    match before.user_id == Some(user.id) {
        true => Ok(()),
        false => Err(Refused::on("user_id", "User can't be changed: this is another's toggle")),
    }
}

async fn to_change(call: &mut Call<'_>, input: &UpdateFeatureToggle) -> Answer<FeatureToggle> {
    let named = match (input.id.value(), input.user_id.value().and_then(|id| id.0)) {
        (Some(id), _) => Some((*id, "id")),
        (None, Some(user)) => {
            let found = call.find_by::<FeatureToggle>(Cond::eq("user_id", user.0)).await?;
            found.map(|toggle| (toggle.id, "user_id"))
        }
        (None, None) => None,
    };
    let Some((id, field)) = named else {
        let field = if input.user_id.is_given() { "user_id" } else { "id" };
        return Err(Refused::not_found(field));
    };
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(toggle, _)| toggle).ok_or_else(|| Refused::not_found(field))
}

fn check(input: &UpdateFeatureToggle) -> Problems {
    let mut problems = Problems::new();
    for (field, text) in [
        ("date_range_preference", &input.date_range_preference),
        ("default_water_intake", &input.default_water_intake),
        ("email_notification_frequency", &input.email_notification_frequency),
        ("push_notification_frequency", &input.push_notification_frequency),
    ] {
        rules::bounded(field, text, rules::LINE_CHARS_MAX, &mut problems);
    }
    let dates = (input.last_journal_from_date.value(), input.last_journal_to_date.value());
    if let (Some(from), Some(to)) = dates
        && from > to
    {
        problems.add("last_journal_to_date", "Last journal to date can't be before its start");
    }
    problems
}

/// A client's toggle is written by who sees the client; one's own by oneself; a
/// group's with the right to act on groups; a colleague's with the right to edit
/// settings.
fn may_write(call: &Call<'_>, target: &Target) -> Answer<()> {
    match target {
        Target::User(user) if user.is_patient || user.id.0 == call.actor.user_id => Ok(()),
        Target::User(_) => access::requires(call.actor, CAN_EDIT_SETTINGS),
        Target::Group(_) if call.actor.has(CAN_EDIT_SETTINGS.flag) => Ok(()),
        Target::Group(_) => access::requires(call.actor, ALLOW_GROUP_LEVEL_ACTIONS),
    }
}

fn taken(field: &str, label: &str) -> Refused {
    Refused::on(field, format!("{label} has already been taken"))
}

fn event(kind: &'static str, toggle: &FeatureToggle, target: &Target) -> Event {
    let text = |id: Option<i64>| id.map(|id| id.to_string());
    let event = Event::new(kind, "FeatureToggle", toggle.id.0)
        .with("care_plan_id", serde_json::Value::Null)
        .with("user_id", text(toggle.user_id.map(|id| id.0)))
        .with("user_group_id", text(toggle.user_group_id.map(|id| id.0)))
        .of_unit(toggle.unit_id.0);
    match target {
        Target::User(user) if user.is_patient => event.about(user.id.0),
        _ => event,
    }
}
