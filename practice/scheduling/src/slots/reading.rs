//! Whom and what a question for slots means, read for whoever asks: which providers,
//! and what they can be booked for. A constant number of statements, however many
//! providers.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use ward_clients::feature_toggle::{self, Switch};
use ward_engine::{Answer, Refused, Request, moment};
use ward_identity::states;
use ward_identity::tables::{LOCATIONS, USERS, User, locations, users};
use ward_store::{
    Actor, Cond, Join, Level, OrderKey, Query, Record, Role, Select, Sql, StoreError, Table, Value,
    read_selected,
};

use super::ask::{Ask, PROVIDERS_MAX};
use super::moved::{self, Moved};
use crate::providers::{licensed_in, tagged};
use crate::tables::{APPOINTMENT_TYPES, AppointmentType, appointment_types as at};
use crate::visibility;

/// A provider who can be asked for a time.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Who.
    pub id: i64,
    /// The tenant.
    pub org_id: i64,
    /// The organization or sub-organization.
    pub unit_id: i64,
    /// The zone of their clock.
    pub zone: TimeZone,
    /// Who is higher is chosen first.
    pub priority: i64,
}

impl Provider {
    /// Of a member's row.
    pub fn of(user: &User) -> Self {
        Provider {
            id: user.id.0,
            org_id: user.org_id.0,
            unit_id: user.unit_id.0,
            zone: zone_of(user.timezone.as_deref()),
            priority: 0,
        }
    }
}

/// A provider's clock; where nothing is known of it, New York's (behaviour 9).
fn zone_of(name: Option<&str>) -> TimeZone {
    let known = name.and_then(moment::zone);
    known.or_else(|| moment::zone("America/New_York")).unwrap_or(TimeZone::UTC)
}

/// What is to be booked.
#[derive(Clone, Debug)]
pub enum What {
    /// A time of a provider's alone: of a type, or only so long.
    Alone {
        /// Of which type.
        of: Option<Box<AppointmentType>>,
        /// How long, in minutes.
        length: i64,
    },
    /// A seat in an appointment of several.
    Seat(Vec<AppointmentType>),
}

/// Who can be booked for what, by whom.
pub struct Field {
    /// Who asks, as one of the practice: a visitor has no tenant of their own.
    pub actor: Actor,
    /// For what.
    pub what: What,
    /// With whom.
    pub providers: Vec<Provider>,
    /// The zone of whoever was named, else of the first.
    pub zone: Option<TimeZone>,
    /// What a client's move is bound by.
    pub moved: Option<Moved>,
    /// Who has a licence where the client is, where a group's type asks for one.
    pub licensed: Option<HashSet<i64>>,
}

impl Field {
    /// Whether a provider may see the client in a group of this type (behaviour 22.1).
    pub(super) fn may_give(&self, of: &AppointmentType, provider: i64) -> bool {
        let licensed = self.licensed.as_ref().filter(|_| of.require_in_state_clients);
        licensed.is_none_or(|licensed| licensed.contains(&provider))
    }
}

/// Rows as the actor sees them; a visitor is bound by the public part of the rule.
pub(crate) fn seen<'a>(actor: &'a Actor, table: &'static Table) -> Select<'a> {
    let mut select = Select::new(table, actor);
    select.org_id = (actor.org_id != 0).then_some(actor.org_id);
    select.least = Level::Public;
    select
}

pub(crate) async fn records<R: Record>(
    q: &mut dyn Query,
    mut select: Select<'_>,
) -> Answer<Vec<R>> {
    if select.filter.is_never() {
        return Ok(Vec::new());
    }
    select.columns = (0..select.table.columns.len()).collect();
    let rows = q.rows(&select.sql()).await?;
    let name = select.table.name;
    let row = |row: &[Value]| {
        R::from_values(row).map_err(|column| StoreError::internal(format!("{name}: {column}")))
    };
    let found: Result<Vec<R>, StoreError> = rows.iter().map(row).collect();
    Ok(found?)
}

/// The same person as one of a practice, where they are nobody's.
pub(crate) fn visiting(actor: &Actor, org_id: i64, unit_id: i64) -> Actor {
    match actor.role {
        Role::Anonymous => Actor { org_id, unit_id, ..actor.clone() },
        _ => actor.clone(),
    }
}

/// Who and what a question means; nothing where it means nobody, or nothing that the
/// caller may book.
pub async fn field(request: &Request, q: &mut dyn Query, ask: &Ask) -> Answer<Option<Field>> {
    let own = &*request.actor;
    let (org, who) = (own.org_id, own.user_id);
    if own.is_client() && !feature_toggle::is_on(q, org, who, Switch::Scheduling).await? {
        return Ok(None);
    }
    if own.is_client()
        && let Some(field) = moved::field(q, own, ask).await?
    {
        return Ok(Some(field));
    }
    let types = types(own, q, ask).await?;
    let is_of_types = ask.type_id.is_some() || !ask.group_types.is_empty();
    let named = named(own, q, ask).await?;
    if (is_of_types && types.is_empty()) || (ask.provider.is_some() && named.is_none()) {
        return Ok(None);
    }
    let place = named.as_ref().map(|it| (it.org_id, it.unit_id));
    let of_type = types.first().map(|of| (of.org_id.0, of.unit_id.0));
    let home = (own.org_id != 0).then_some((own.org_id, own.unit_id));
    let Some((org_id, unit_id)) = place.or(of_type).or(home) else { return Ok(None) };
    let actor = visiting(own, org_id, unit_id);
    let types: Vec<_> = types.into_iter().filter(|of| of.org_id.0 == org_id).collect();
    let single = types.iter().find(|of| !of.is_group && Some(of.id.0) == ask.type_id);
    let narrow = match single {
        Some(of) => match in_state(request, q, &actor, of, ask).await? {
            Some(licensed) => offers(of.id.0).and(licensed),
            None => return Ok(None),
        },
        None => Cond::Always,
    };
    let providers = providers(&actor, q, ask, unit_id, narrow).await?;
    let zone = named.map(|it| it.zone).or(providers.first().map(|it| it.zone.clone()));
    let what = match single {
        Some(of) => Some(What::Alone { length: of.length, of: Some(Box::new(of.clone())) }),
        None if is_of_types => {
            let groups: Vec<_> = types.into_iter().filter(|of| of.is_group).collect();
            (!groups.is_empty()).then_some(What::Seat(groups))
        }
        None => {
            let length = match ask.length {
                Some(length) => Some(length),
                None => longest(&actor, q, &providers).await?,
            };
            length.map(|length| What::Alone { of: None, length })
        }
    };
    let licensed = match &what {
        Some(What::Seat(types)) => licensed(request, q, &actor, (types, &providers), ask).await?,
        _ => None,
    };
    Ok(what.map(|what| Field { actor, what, providers, zone, moved: None, licensed }))
}

/// The types that are named and that the caller may book: to members all they see.
pub(crate) async fn types(
    actor: &Actor,
    q: &mut dyn Query,
    ask: &Ask,
) -> Answer<Vec<AppointmentType>> {
    let ids: Vec<i64> = ask.type_id.iter().chain(&ask.group_types).copied().collect();
    let mut select = seen(actor, &APPOINTMENT_TYPES);
    select.filter = Cond::is_in("id", &ids);
    records(q, select.ordered(Vec::new())).await
}

pub(super) const USER_COLUMNS: [usize; 4] =
    [users::id, users::org_id, users::unit_id, users::timezone];
/// What a member's place says of them as a provider.
const PLACE: Join =
    Join { table: "organization_memberships", to: "user_id", from: "scheduling_priority" };

/// Members who can be booked.
fn is_provider() -> Cond {
    Cond::sql(
        "{t}.is_patient = FALSE AND {t}.active = TRUE AND {t}.is_integration = FALSE \
         AND j.active = TRUE AND j.is_provider = TRUE",
        [],
    )
}

async fn users_where(
    actor: &Actor,
    q: &mut dyn Query,
    filter: Cond,
    most: usize,
) -> Answer<Vec<Provider>> {
    if filter.is_never() {
        return Ok(Vec::new());
    }
    let mut select = seen(actor, &USERS).ordered(Vec::new());
    select.columns = USER_COLUMNS.to_vec();
    select.join = Some(PLACE);
    select.filter = is_provider().and(filter);
    select.limit = i64::try_from(most).ok();
    let rows = q.rows(&select.sql()).await?;
    Ok(rows.iter().filter_map(provider).collect())
}

/// A provider of [`USER_COLUMNS`] and their priority.
pub(super) fn provider(row: &[Value]) -> Option<Provider> {
    let number = |at: usize| row.get(at).and_then(Value::int);
    Some(Provider {
        id: number(0)?,
        org_id: number(1)?,
        unit_id: number(2)?,
        zone: zone_of(row.get(3).and_then(Value::text)),
        priority: number(4).unwrap_or(0),
    })
}

/// Who is named first: whose practice and whose clock is meant.
pub(crate) async fn named(actor: &Actor, q: &mut dyn Query, ask: &Ask) -> Answer<Option<Provider>> {
    let Some(id) = ask.provider.or(ask.providers.first().copied()) else { return Ok(None) };
    Ok(users_where(actor, q, Cond::eq("id", id), 1).await?.into_iter().next())
}

/// Providers who offer a type.
fn offers(type_id: i64) -> Cond {
    let offers = visibility::offered_by!("o");
    Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM users gives JOIN appointment_types o ON o.org_id = gives.org_id \
             WHERE gives.org_id = {{t}}.org_id AND gives.id = {{t}}.id AND o.id = ? AND {offers})"
        ),
        [type_id.into()],
    )
}

/// Who may see the client where a type asks for a licence in the client's state:
/// where the client lives, else where they say they do (behaviour 21). Nothing where
/// that is not known. Members book whom they like.
async fn in_state(
    request: &Request,
    q: &mut dyn Query,
    actor: &Actor,
    of: &AppointmentType,
    ask: &Ask,
) -> Answer<Option<Cond>> {
    if !of.require_in_state_clients || actor.is_member() {
        return Ok(Some(Cond::Always));
    }
    let states = states(request, q, actor, ask).await?;
    Ok((!states.is_empty()).then(|| licensed_in(&states)))
}

/// Where the client is.
async fn states(
    request: &Request,
    q: &mut dyn Query,
    actor: &Actor,
    ask: &Ask,
) -> Answer<Vec<&'static str>> {
    let mut states = match actor.is_client() {
        true => home_states(request, q, actor).await?,
        false => Vec::new(),
    };
    if states.is_empty() {
        states.extend(ask.state);
    }
    Ok(states)
}

/// Which of these providers have a licence where the client is; nothing where none of
/// these types asks for one. Nobody where it is not known where the client is.
async fn licensed(
    request: &Request,
    q: &mut dyn Query,
    actor: &Actor,
    (types, providers): (&[AppointmentType], &[Provider]),
    ask: &Ask,
) -> Answer<Option<HashSet<i64>>> {
    if actor.is_member() || !types.iter().any(|of| of.require_in_state_clients) {
        return Ok(None);
    }
    let states = states(request, q, actor, ask).await?;
    let states: Vec<Box<str>> = states.into_iter().map(Box::from).collect();
    let ids: Vec<i64> = providers.iter().map(|it| it.id).collect();
    if states.is_empty() || ids.is_empty() {
        return Ok(Some(HashSet::new()));
    }
    let sql = Sql::fixed(
        "SELECT l.user_id FROM state_licenses l WHERE l.org_id = $1 AND l.user_id IN_LIST($2) \
         AND l.state IN_LIST($3)",
        [actor.org_id.into(), Value::Ints(ids.into()), Value::Texts(states.into())],
    );
    let rows = q.rows(&sql).await?;
    Ok(Some(rows.iter().filter_map(|row| row.first()?.int()).collect()))
}

/// The states of a client's addresses.
pub(crate) async fn home_states(
    request: &Request,
    q: &mut dyn Query,
    actor: &Actor,
) -> Answer<Vec<&'static str>> {
    let mut select = seen(actor, &LOCATIONS);
    select.columns = vec![locations::id, locations::org_id, locations::state];
    select.filter = Cond::eq("user_id", actor.user_id);
    let rows = read_selected(q, &request.db, &select).await?;
    let state = |row: &[Value]| row.get(2).and_then(Value::text).and_then(states::code);
    Ok(rows.iter().filter_map(state).collect())
}

/// Everybody who is meant.
async fn providers(
    actor: &Actor,
    q: &mut dyn Query,
    ask: &Ask,
    unit_id: i64,
    narrow: Cond,
) -> Answer<Vec<Provider>> {
    let listed = |ids: &[i64]| Cond::is_in("id", ids);
    let mut filter = match (ask.org_level, ask.provider, ask.providers.as_slice()) {
        (true, _, []) => Cond::eq("unit_id", unit_id),
        (true, _, some) | (false, None, some @ [_, ..]) => listed(some),
        (false, Some(one), _) => Cond::eq("id", one),
        (false, None, []) if actor.is_member() => Cond::eq("id", actor.user_id),
        (false, None, []) => Cond::sql(
            "{t}.id IN (SELECT own.dietitian_id FROM users own WHERE own.org_id = ? AND own.id = ?)",
            [actor.org_id.into(), actor.user_id.into()],
        ),
    };
    if !ask.excluded.is_empty() {
        filter = filter.and(Cond::sql(
            "NOT ({t}.id IN_LIST(?))",
            [Value::Ints(ask.excluded.as_slice().into())],
        ));
    }
    if ask.org_level && !ask.tags.is_empty() {
        filter = filter.and(tagged(&ask.tags));
    }
    if let Some(state) = ask.state {
        filter = filter.and(licensed_in(&[state]));
    }
    let found = users_where(actor, q, filter.and(narrow), PROVIDERS_MAX + 1).await?;
    match found.len() > PROVIDERS_MAX {
        true => {
            let sentence =
                format!("More than {PROVIDERS_MAX} providers: name some with provider_ids");
            Err(Refused::on("provider_ids", sentence))
        }
        false => Ok(found),
    }
}

/// The longest type that the caller may book with these providers: where neither a
/// type nor a length is said, a start that is told has to be good for each.
async fn longest(actor: &Actor, q: &mut dyn Query, providers: &[Provider]) -> Answer<Option<i64>> {
    let ids: Vec<i64> = providers.iter().map(|it| it.id).collect();
    if ids.is_empty() {
        return Ok(None);
    }
    let mut select = seen(actor, &APPOINTMENT_TYPES);
    select.columns = vec![at::length];
    select.filter = crate::listing::offered_by(actor, &ids)
        .and(Cond::eq("is_group", false))
        .and(Cond::is_true("clients_can_book"));
    select = select.ordered(vec![OrderKey::expression("{t}.length", true)]);
    select.limit = Some(1);
    Ok(q.rows(&select.sql()).await?.scalar().and_then(Value::int))
}
