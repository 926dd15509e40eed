//! A practice's clients for trying things out: made by the system, without
//! events or mails, the same for the same seed and at the same offsets of the
//! instance's id ranges. A large practice is seeded in several transactions,
//! each of so many clients that memory stays bounded.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use ward_identity::tables::{Human, InviteCode, InviteKind, Organization, User};
use ward_identity::{account, email};
use ward_instance::{Random, Timestamp};
use ward_store::{Day, Id, Scope, StoreError};

use crate::client::{blank_client, set_active};
use crate::group::invite_code;
use crate::seed_people::{self, GROUPS, Person, TAGS, people};
use crate::tables::{AppliedTag, Location, Tag, UserGroup};

/// Seeded ids start at a multiple of this in each range.
const ALIGN: i64 = 1_000;
/// Tags on one person, at most.
const TAGS_OF_ONE: usize = 4;

/// Clients that a practice can be seeded with: their tags fill a Sandbox's
/// range of ids.
pub const MOST: usize = 200_000;

/// What the clients of a seeded practice have in common.
#[derive(Clone)]
pub struct Ground {
    providers: Arc<[User]>,
    groups: Arc<[UserGroup]>,
    tags: Arc<[Tag]>,
    people: Arc<[Person]>,
    crowd: u64,
    today: Date,
    user_id: i64,
    human_id: i64,
    location_id: i64,
    applied_id: i64,
}

/// What the groups and tags of a seeded practice are called.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Groups.
    pub groups: [&'static str; 4],
    /// Tags.
    pub tags: [&'static str; 6],
}

impl Theme {
    /// The standard practice's.
    pub const STANDARD: Theme = Theme { groups: GROUPS, tags: TAGS };
}

/// Lays the ground for `count` clients of a practice: groups, tags, its address
/// and the clients' ids. `providers` are the staff that clients can be assigned
/// to, in turn; at least one.
pub async fn lay(
    scope: &mut Scope<'_>,
    providers: &[User],
    random: &Random,
    count: usize,
) -> Result<Ground, StoreError> {
    lay_for(scope, providers, random, (count, &Theme::STANDARD, people)).await
}

/// Makes the people of a practice, as old as they are on a day.
pub type MakePeople = fn(&Random, Date) -> Vec<Person>;

/// The same with other groups, tags and people; `people` are made as old as they are on a day.
pub async fn lay_for(
    scope: &mut Scope<'_>,
    providers: &[User],
    random: &Random,
    (count, theme, people): (usize, &Theme, MakePeople),
) -> Result<Ground, StoreError> {
    let Some(first) = providers.first() else {
        return Err(StoreError::internal("a seeded practice needs a provider"));
    };
    let groups = groups(scope, first, random, theme).await?;
    let tags = tags(scope, first, theme).await?;
    let count = count as i64;
    let user_id = scope.tx.reserve_ids("User", count, ALIGN).await?;
    let human_id = scope.tx.reserve_ids("Human", count, ALIGN).await?;
    let location_id = scope.tx.reserve_ids("Location", count + 1, ALIGN).await?;
    let applied_id = scope.tx.reserve_ids("AppliedTag", count * TAGS_OF_ONE as i64, ALIGN).await?;
    practice_address(scope, first, location_id + count).await?;
    let today = jiff::Timestamp::from_microsecond(scope.now().0)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned_datetime(TimeZone::UTC)
        .date();
    Ok(Ground {
        providers: providers.into(),
        groups: groups.into(),
        tags: tags.into(),
        people: people(random, today).into(),
        crowd: random.u64(),
        today,
        user_id,
        human_id,
        location_id,
        applied_id,
    })
}

/// Makes the clients at these places of the practice.
pub async fn clients(
    scope: &mut Scope<'_>,
    ground: &Ground,
    places: Range<usize>,
) -> Result<Vec<User>, StoreError> {
    let persons: Vec<Person> = places.clone().map(|at| ground.person(at)).collect();
    let humans = known_humans(scope, ground, &persons).await?;
    let now = scope.now();
    let clients: Vec<User> = places
        .clone()
        .zip(&persons)
        .map(|(at, person)| ground.client(at, person, &humans, now))
        .collect();
    account::create_all(scope, &clients).await?;
    let (mut locations, mut applied) = (Vec::new(), Vec::new());
    for (at, (person, client)) in places.zip(persons.iter().zip(&clients)) {
        let id = Id::new(ground.location_id + at as i64);
        locations.extend(person.address.as_ref().map(|lines| address(id, client, lines, now)));
        applied.extend(ground.applied_tags(at, person, client, now));
    }
    scope.create_all(&locations).await?;
    scope.create_all(&applied).await?;
    Ok(clients)
}

/// The humans of addresses that the practice knew before.
async fn known_humans(
    scope: &mut Scope<'_>,
    ground: &Ground,
    persons: &[Person],
) -> Result<HashMap<String, Id<Human>>, StoreError> {
    let Some(provider) = ground.providers.first() else { return Ok(HashMap::new()) };
    let keys = persons.iter().filter_map(|person| person.email.as_deref()).map(email::key);
    account::humans_of(scope, &provider.namespace, keys.collect(), true).await
}

impl Ground {
    fn person(&self, at: usize) -> Person {
        match self.people.get(at) {
            Some(person) => person.clone(),
            None => seed_people::one_of_crowd(at, self.crowd, self.today),
        }
    }

    fn client(
        &self,
        at: usize,
        person: &Person,
        humans: &HashMap<String, Id<Human>>,
        now: Timestamp,
    ) -> User {
        let provider = &self.providers[at % self.providers.len()];
        let address = person.email.as_deref();
        let known = address.and_then(|address| humans.get(&email::key(address)).copied());
        let own = Id::new(self.human_id + seed_people::parent(at) as i64);
        let id = Id::new(self.user_id + at as i64);
        let mut client = blank_client(id, provider, known.unwrap_or(own), now);
        let text = |text: &str| Some(text.to_owned());
        client.first_name = text(&person.first_name);
        client.last_name = person.last_name.as_deref().and_then(text);
        client.email.clone_from(&person.email);
        client.skipped_email = address.is_none();
        client.phone_number = text(&person.phone_number);
        client.dob = Some(Day(person.dob));
        client.timezone = person.timezone.and_then(text);
        client.ssn.clone_from(&person.ssn);
        client.record_identifier = Some(format!("MRN-{:04}", person.number));
        client.user_group_id =
            person.group.and_then(|at| self.groups.get(at)).map(|group| group.id);
        client.restricted = person.is_restricted;
        set_active(&mut client, !person.is_archived, now);
        client
    }

    fn applied_tags(
        &self,
        at: usize,
        person: &Person,
        client: &User,
        now: Timestamp,
    ) -> impl Iterator<Item = AppliedTag> {
        let first = self.applied_id + (at * TAGS_OF_ONE) as i64;
        let tags = person.tags.iter().filter_map(|tag| self.tags.get(*tag));
        (first..).zip(tags).map(move |(id, tag)| AppliedTag {
            id: Id::new(id),
            org_id: client.org_id,
            tag_id: tag.id,
            user_id: client.id,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        })
    }
}

async fn groups(
    scope: &mut Scope<'_>,
    owner: &User,
    random: &Random,
    theme: &Theme,
) -> Result<Vec<UserGroup>, StoreError> {
    let first = scope.tx.reserve_ids("UserGroup", GROUPS.len() as i64, ALIGN).await?;
    let mut groups: Vec<UserGroup> = Vec::with_capacity(GROUPS.len());
    for (at, name) in theme.groups.iter().enumerate() {
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

async fn tags(scope: &mut Scope<'_>, owner: &User, theme: &Theme) -> Result<Vec<Tag>, StoreError> {
    let first = scope.tx.reserve_ids("Tag", TAGS.len() as i64, ALIGN).await?;
    let mut tags = Vec::with_capacity(TAGS.len());
    for (at, name) in theme.tags.iter().enumerate() {
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
        ..crate::location::blank(id, user, now)
    }
}
