//! `createOrganizationMembership` (behaviour 16.1): a new member of the caller's
//! organization or, from the root, of one below it.

use std::sync::Arc;

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, Request, input};
use ward_store::{Flags, Id, Level};

use crate::flags::{self, CAN_ADD_MEMBERS, NOT_OF_SUPPORT};
use crate::id_or_blank::{IdOrBlank, named};
use crate::lines;
use crate::permit;
use crate::practice::{self, NewMember, Place};
use crate::profile::{self as shown, ProfessionEntry, Profile, SpecialtyEntry};
use crate::tables::{OrgRole, Organization, OrganizationMembership, PermissionTemplate, User};
use crate::{account, grant, member_mail, password, template};

input! {
    /// `createOrganizationMembershipInput`.
    pub struct CreateMembership {
        organization_id: IdOrBlank<Organization>,
        first_name: String,
        last_name: String,
        email: String,
        org_role: String,
        /// Without one, the member gets a link to set it.
        password: String,
        send_invite_email: bool,
        permission_template_id: IdOrBlank<PermissionTemplate>,
        timezone: String,
        title: String,
        professions: Vec<ProfessionEntry>,
        specialties: Vec<SpecialtyEntry>,
    }
}

/// The input, with its password hashed.
pub struct Prepared {
    input: CreateMembership,
    hash: Option<String>,
}

/// Before the transaction: a password is judged and hashed.
pub async fn prepare(request: Arc<Request>, input: CreateMembership) -> Answer<Prepared> {
    permit::requires(&request.actor, CAN_ADD_MEMBERS)?;
    let newcomer = newcomer_of(&input);
    let mut problems = Problems::new();
    newcomer.check(&mut problems);
    role(&input.org_role, &mut problems);
    lines::bounded([("title", &input.title)], &mut problems);
    shown::check(&shown_of(&input), &mut problems);
    problems.check()?;
    let hash = newcomer.hash(&request).await?;
    Ok(Prepared { input, hash })
}

fn shown_of(input: &CreateMembership) -> Profile {
    Profile {
        professions: input.professions.clone(),
        specialties: input.specialties.clone(),
        ..Profile::default()
    }
}

fn newcomer_of(input: &CreateMembership) -> Newcomer {
    Newcomer {
        first_name: input.first_name.clone(),
        last_name: input.last_name.clone(),
        email: input.email.clone(),
        password: input.password.clone(),
        timezone: input.timezone.clone(),
    }
}

/// Makes a member. They hold what the template says or, without one, the flags
/// of a new member as far as whoever adds them holds them (trust SEC-04).
pub async fn create(call: &mut Call<'_>, prepared: &Prepared) -> Answer<Payload> {
    let input = &prepared.input;
    permit::requires(call.actor, CAN_ADD_MEMBERS)?;
    let unit = unit_of(call, named(&input.organization_id), "organization_id").await?;
    let template = match named(&input.permission_template_id) {
        Some(id) => Some(template::usable(call, id, &unit, "permission_template_id").await?),
        None => None,
    };
    let place = place(call, input, template.as_ref())?;
    grant::may_grant(call.actor, Flags::default(), place.held)?;
    let member = NewMember {
        title: input.title.trimmed().map(str::to_owned),
        ..newcomer_of(input).member(prepared.hash.clone())
    };
    let (user, membership) = add(call, &unit, &member, place).await?;
    shown::write(call, &user, &shown_of(input)).await?;
    if let Some(template) = &template {
        let after = OrganizationMembership {
            permission_template_id: Some(template.id),
            permission_template_applied_at: Some(call.now()),
            ..membership.clone()
        };
        call.update(&membership, &after).await?;
    }
    if input.send_invite_email.value() != Some(&false) {
        member_mail::invite(call, &user).await?;
    }
    Ok(Payload::new()
        .one("organizationMembership", membership.id.0)
        .one("currentUser", call.actor.user_id))
}

/// The role and flags of the new member.
fn place(
    call: &Call<'_>,
    input: &CreateMembership,
    template: Option<&PermissionTemplate>,
) -> Answer<Place> {
    let mut problems = Problems::new();
    let asked = role(&input.org_role, &mut problems);
    problems.check()?;
    let role = asked.or(template.map(|it| it.org_role)).unwrap_or(OrgRole::Standard);
    let held = match template {
        Some(template) => template.flags(),
        None => Flags(flags::defaults(role).0 & call.actor.flags.0),
    };
    Ok(Place { role, held: of_role(role, held) })
}

/// Flags without what the role excludes.
pub fn of_role(role: OrgRole, held: Flags) -> Flags {
    match role {
        OrgRole::Standard => held,
        OrgRole::Support => Flags(held.0 & !flags::set_of(NOT_OF_SUPPORT).0),
    }
}

/// A role by its name.
pub fn role(given: &Given<String>, problems: &mut Problems) -> Option<OrgRole> {
    let text = given.trimmed()?;
    let role = OrgRole::from_text(text);
    if role.is_none() {
        problems.add("org_role", "Org role must be Standard or Support");
    }
    role
}

/// The unit that is named, else the caller's own: one that the caller sees in
/// full, locked so that of two equal members added at once one is refused.
pub async fn unit_of(
    call: &mut Call<'_>,
    id: Option<Id<Organization>>,
    at: &str,
) -> Answer<Organization> {
    let id = id.unwrap_or(Id::new(call.actor.unit_id));
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(unit, _)| unit).ok_or_else(|| Refused::not_found(at))
}

/// Somebody who is to have an account, as an input names them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Newcomer {
    pub(crate) first_name: Given<String>,
    pub(crate) last_name: Given<String>,
    pub(crate) email: Given<String>,
    pub(crate) password: Given<String>,
    pub(crate) timezone: Given<String>,
}

impl Newcomer {
    /// Everything that is wrong with them, but for how easily the password is
    /// guessed.
    pub(crate) fn check(&self, problems: &mut Problems) {
        lines::required("first_name", &self.first_name, problems);
        lines::required("last_name", &self.last_name, problems);
        lines::required("email", &self.email, problems);
        lines::address("email", &self.email, problems);
        lines::time_zone("timezone", &self.timezone, problems);
        let texts = [("first_name", &self.first_name), ("last_name", &self.last_name)];
        lines::bounded(texts, problems);
        if let Some(text) = self.given_password()
            && let Some(problem) = password::length_problem(text)
        {
            problems.add("password", problem);
        }
    }

    fn given_password(&self) -> Option<&String> {
        self.password.value().filter(|text| !text.trim().is_empty())
    }

    /// The password's hash, once it is judged; none when none was sent.
    pub(crate) async fn hash(&self, request: &Request) -> Answer<Option<String>> {
        let Some(text) = self.given_password() else { return Ok(None) };
        let practice = practice::name(request).await?;
        let names = [&self.first_name, &self.last_name, &self.email];
        let names = names.into_iter().filter_map(|name| name.trimmed());
        let personal: Vec<&str> = names.chain(practice.as_deref()).collect();
        let mut problems = Problems::new();
        for problem in password::judge(text, &personal).await? {
            problems.add("password", problem);
        }
        problems.check()?;
        Ok(Some(password::hash(request.instance.random(), text).await?))
    }

    /// As a row's beginning.
    pub(crate) fn member(&self, hash: Option<String>) -> NewMember {
        let text = |given: &Given<String>| given.trimmed().unwrap_or_default().to_owned();
        NewMember {
            first_name: text(&self.first_name),
            last_name: text(&self.last_name),
            email: self.email.trimmed().map(lines::kept_address),
            timezone: self.timezone.trimmed().map(str::to_owned),
            password_hash: hash,
            ..NewMember::default()
        }
    }
}

/// Writes the account and the membership of somebody new in a locked unit.
async fn add(
    call: &mut Call<'_>,
    unit: &Organization,
    member: &NewMember,
    place: Place,
) -> Answer<(User, OrganizationMembership)> {
    let address = member.email.as_deref().unwrap_or_default();
    if account::is_unit_email_taken(&mut call.scope, unit.id, address, None).await? {
        return Err(Refused::on("email", "Email has already been taken"));
    }
    Ok(practice::add_member_by_staff(&mut call.scope, unit, member, place).await?)
}

/// The owner of a unit that was made in this transaction.
pub(crate) async fn add_owner(
    call: &mut Call<'_>,
    unit: &Organization,
    member: &NewMember,
) -> Answer<User> {
    let (user, _) = add(call, unit, member, Place::owner()).await?;
    Ok(user)
}
