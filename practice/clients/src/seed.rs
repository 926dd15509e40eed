//! A practice's clients for trying things out: made by the system, without
//! events or mails, the same for the same seed and at the same offsets of the
//! instance's id ranges.

use jiff::tz::TimeZone;
use ward_identity::account;
use ward_identity::tables::{InviteCode, InviteKind, Organization, User};
use ward_instance::{Random, Timestamp};
use ward_store::{Day, Id, Scope, StoreError};

use crate::client::{blank_client, set_active};
use crate::group::invite_code;
use crate::seed_people::{GROUPS, PEOPLE, Person, TAGS, people};
use crate::tables::{AppliedTag, Location, Tag, UserGroup};

/// Seeded ids start at a multiple of this in each range.
const ALIGN: i64 = 1_000;
/// Tags on one person, at most.
const TAGS_OF_ONE: usize = 4;

/// Makes the seeded clients of a practice, cared for by its providers in turn.
/// `providers` are the staff that clients can be assigned to, at least one.
pub async fn seed(
    scope: &mut Scope<'_>,
    providers: &[User],
    random: &Random,
) -> Result<Vec<User>, StoreError> {
    let Some(first) = providers.first() else {
        return Err(StoreError::internal("a seeded practice needs a provider"));
    };
    let groups = groups(scope, first, random).await?;
    let tags = tags(scope, first).await?;
    let count = PEOPLE as i64;
    let user_id = scope.tx.reserve_ids("User", count, ALIGN).await?;
    let location_id = scope.tx.reserve_ids("Location", count + 1, ALIGN).await?;
    let applied_id = scope.tx.reserve_ids("AppliedTag", count * TAGS_OF_ONE as i64, ALIGN).await?;
    practice_address(scope, first, location_id + count).await?;
    let today = jiff::Timestamp::from_microsecond(scope.now().0)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned_datetime(TimeZone::UTC)
        .date();
    let mut clients = Vec::with_capacity(PEOPLE);
    for (at, person) in people(random, today).iter().enumerate() {
        let offset = at as i64;
        let provider = &providers[at % providers.len()];
        let client = client(scope, Id::new(user_id + offset), provider, person, &groups).await?;
        if let Some(lines) = &person.address {
            let location = address(Id::new(location_id + offset), &client, lines, scope.now());
            scope.create(&location).await?;
        }
        for (n, tag) in person.tags.iter().filter_map(|tag| tags.get(*tag)).enumerate() {
            let id = applied_id + offset * TAGS_OF_ONE as i64 + n as i64;
            scope
                .create(&AppliedTag {
                    id: Id::new(id),
                    org_id: client.org_id,
                    tag_id: tag.id,
                    user_id: client.id,
                    created_at: scope.now(),
                    updated_at: scope.now(),
                    deleted_at: None,
                })
                .await?;
        }
        clients.push(client);
    }
    Ok(clients)
}

async fn groups(
    scope: &mut Scope<'_>,
    owner: &User,
    random: &Random,
) -> Result<Vec<UserGroup>, StoreError> {
    let first = scope.tx.reserve_ids("UserGroup", GROUPS.len() as i64, ALIGN).await?;
    let mut groups: Vec<UserGroup> = Vec::with_capacity(GROUPS.len());
    for (at, name) in GROUPS.iter().enumerate() {
        let mut code = invite_code(random);
        while groups.iter().any(|group| group.invite_code == code) {
            code = invite_code(random);
        }
        let group = UserGroup {
            id: Id::new(first + at as i64),
            org_id: owner.org_id,
            unit_id: owner.unit_id,
            name: (*name).to_owned(),
            invite_code: code,
            user_id: Some(owner.id),
            version: 1,
            created_at: scope.now(),
            updated_at: scope.now(),
            deleted_at: None,
        };
        scope.create(&group).await?;
        scope
            .create(&InviteCode {
                code: group.invite_code.clone(),
                root_id: owner.org_id,
                kind: InviteKind::Group,
                target_id: group.id.0,
                created_at: scope.now(),
            })
            .await?;
        groups.push(group);
    }
    Ok(groups)
}

async fn tags(scope: &mut Scope<'_>, owner: &User) -> Result<Vec<Tag>, StoreError> {
    let first = scope.tx.reserve_ids("Tag", TAGS.len() as i64, ALIGN).await?;
    let mut tags = Vec::with_capacity(TAGS.len());
    for (at, name) in TAGS.iter().enumerate() {
        let tag = Tag {
            id: Id::new(first + at as i64),
            org_id: owner.org_id,
            unit_id: owner.unit_id,
            name: (*name).to_owned(),
            user_id: Some(owner.id),
            version: 1,
            created_at: scope.now(),
            updated_at: scope.now(),
            deleted_at: None,
        };
        scope.create(&tag).await?;
        tags.push(tag);
    }
    Ok(tags)
}

async fn client(
    scope: &mut Scope<'_>,
    id: Id<User>,
    provider: &User,
    person: &Person,
    groups: &[UserGroup],
) -> Result<User, StoreError> {
    let email = person.email.as_deref();
    let human = account::human_of(scope, &provider.namespace, email, true).await?;
    let mut client = blank_client(id, provider, human, scope.now());
    let text = |text: &str| Some(text.to_owned());
    client.first_name = text(person.first_name);
    client.last_name = person.last_name.and_then(text);
    client.email.clone_from(&person.email);
    client.skipped_email = email.is_none();
    client.phone_number = text(&person.phone_number);
    client.dob = Some(Day(person.dob));
    client.timezone = person.timezone.and_then(text);
    client.ssn.clone_from(&person.ssn);
    client.record_identifier = Some(format!("MRN-{:04}", person.number));
    client.user_group_id =
        person.group.and_then(|at| groups.get(at)).map(|group| Id::new(group.id.0));
    client.restricted = person.is_restricted;
    set_active(&mut client, !person.is_archived, scope.now());
    account::create(scope, &client).await?;
    Ok(client)
}

/// The practice's own address.
async fn practice_address(scope: &mut Scope<'_>, owner: &User, id: i64) -> Result<(), StoreError> {
    let lines = ["100 Example Plaza", "New York", "NY", "10001"].map(str::to_owned);
    let mut location = address(Id::new(id), owner, &lines, scope.now());
    location.user_id = None;
    location.organization_id = Some(Id::<Organization>::new(owner.unit_id.0));
    location.name = Some("Main office".to_owned());
    scope.create(&location).await
}

fn address(id: Id<Location>, user: &User, lines: &[String; 4], now: Timestamp) -> Location {
    let [line1, city, state, zip] = lines.clone();
    Location {
        line1: Some(line1),
        city: Some(city),
        state: Some(state),
        zip: Some(zip),
        country: Some("US".to_owned()),
        ..Location::blank(id, user, now)
    }
}
