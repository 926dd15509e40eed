//! What a seeded Sandbox can book: some types of the owner's, and working hours of
//! every provider. The same for every seed.

use jiff::civil::{Date, date};
use ward_identity::tables::{Organization, User};
use ward_store::{Day, Id, Scope, StoreError};

use crate::appointment_type::input::PRICING_OPTION;
use crate::tables::{AppointmentType, Availability};

/// A type: name, minutes, cents, ways to meet (video, in person, telephone), group.
pub type Kind = (&'static str, i64, i64, [bool; 3], bool);

/// The standard practice's: a first visit, the next ones, calls and a group.
pub const STANDARD: [Kind; 4] = [
    ("Initial consultation", 60, 15_000, [true, true, false], false),
    ("Follow-up", 30, 8_000, [true, true, false], false),
    ("Phone check-in", 15, 3_500, [false, false, true], false),
    ("Cooking class", 90, 2_500, [true, true, false], true),
];
/// A Monday; providers work from then on.
const FIRST_DAY: Date = date(2026, 1, 5);
/// Minutes of the day, from Monday to Friday.
const HOURS: [(i64, i64); 2] = [(9 * 60, 12 * 60), (13 * 60, 17 * 60)];

/// Lays types of the root organization, which it answers, and the hours of the owner,
/// whose key is the first one that is tried, and of these providers.
pub async fn lay(
    scope: &mut Scope<'_>,
    providers: &[User],
) -> Result<Vec<AppointmentType>, StoreError> {
    lay_these(scope, providers, &STANDARD).await
}

/// The same with other types.
pub async fn lay_these(
    scope: &mut Scope<'_>,
    providers: &[User],
    kinds: &[Kind; 4],
) -> Result<Vec<AppointmentType>, StoreError> {
    let mut types = Vec::with_capacity(kinds.len());
    let root: Id<Organization> = Id::new(scope.actor.org_id);
    let owner = scope.find(root).await?.and_then(|root: Organization| root.owner_id);
    let now = scope.now();
    for (position, (name, length, cents, ways, is_group)) in (1..).zip(*kinds) {
        let row = AppointmentType {
            id: scope.next_id().await?,
            org_id: root,
            unit_id: root,
            user_id: owner,
            name: name.to_owned(),
            client_facing_display_name: None,
            client_display_description: None,
            length,
            is_group,
            is_waitlist_enabled: is_group,
            clients_can_book: true,
            bookable_by_groups: true,
            bookable_without_group: true,
            specific_groups: false,
            user_group_id: None,
            require_specific_providers: false,
            require_in_state_clients: false,
            dont_ask_for_reason: false,
            offers_video: Some(ways[0]),
            offers_in_person: Some(ways[1]),
            offers_phone: Some(ways[2]),
            pricing_cents: Some(cents),
            pricing_option: PRICING_OPTION.to_owned(),
            has_specific_appointment_settings: false,
            metadata: None,
            position,
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        scope.create(&row).await?;
        types.push(row);
    }
    let owner = match owner {
        Some(id) => {
            scope.find::<User>(id).await?.filter(|it| providers.iter().all(|one| one.id != it.id))
        }
        None => None,
    };
    for provider in owner.iter().chain(providers) {
        let mut week = Vec::new();
        for day_of_week in 1..=5 {
            for (start_minute, end_minute) in HOURS {
                let id = scope.next_id().await?;
                week.push(weekly(provider, id, day_of_week, (start_minute, end_minute), now));
            }
        }
        scope.create_all(&week).await?;
    }
    Ok(types)
}

fn weekly(
    provider: &User,
    id: Id<Availability>,
    day_of_week: i64,
    (start_minute, end_minute): (i64, i64),
    now: ward_instance::Timestamp,
) -> Availability {
    Availability {
        id,
        org_id: provider.org_id,
        unit_id: provider.unit_id,
        user_id: provider.id,
        appointment_type_id: None,
        contact_type_id: None,
        appointment_location_id: None,
        is_repeating: true,
        day_of_week: Some(day_of_week),
        first_day: Day(FIRST_DAY),
        end_on: None,
        start_minute,
        end_minute,
        start_at: None,
        end_at: None,
        timezone: provider.timezone.clone().unwrap_or_else(|| "America/New_York".to_owned()),
        version: 1,
        created_at: now,
        updated_at: now,
    }
}
