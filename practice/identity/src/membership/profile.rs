//! What is known of a member as a person: `updateOrganizationMember`, and the
//! same fields in `updateOrganizationMembership`.

use std::sync::Arc;

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, Request, UploadedFile, input};
use ward_store::{Changes, Id, Json, Level};

use crate::flags::CAN_EDIT_MEMBERS;
use crate::id_or_blank::{IdOrBlank, named};
use crate::lines;
use crate::permit;
use crate::person::{self, Person};
use crate::picture::{self, NewFile};
use crate::profile::{self as shown, BioEntry, OtherIdEntry, Profile, StateLicenseEntry};
use crate::tables::User;
use crate::{account, attempt, confirm_email, events, member_mail, npi, rank_of};

/// The longest `metadata`, in characters (behaviour 9).
const METADATA_CHARACTERS_MAX: usize = 128_000;

input! {
    /// `updateOrganizationMemberInput`.
    pub struct UpdateMember {
        /// The member; the caller when there is none.
        id: IdOrBlank<User>,
        first_name: String,
        last_name: String,
        email: String,
        phone_number: String,
        qualifications: String,
        timezone: String,
        npi: String,
        metadata: String,
        record_identifier: String,
        additional_record_identifier: String,
        avatar: UploadedFile,
        avatar_string: String,
        state_licenses: Vec<StateLicenseEntry>,
        provider_bio: BioEntry,
        /// An addition to the contract.
        other_id_numbers: Vec<OtherIdEntry>,
    }
}

/// The input, with its picture on the disk.
pub struct PreparedMember {
    input: UpdateMember,
    avatar: Option<NewFile>,
}

/// Before the transaction: a picture is stored, of whoever may change the
/// member as far as is known by then.
pub async fn prepare_member(request: Arc<Request>, input: UpdateMember) -> Answer<PreparedMember> {
    let own = Id::new(request.actor.user_id);
    if !request.actor.is_member() || named(&input.id).unwrap_or(own) != own {
        permit::requires(&request.actor, CAN_EDIT_MEMBERS)?;
    }
    let avatar = match (&input.avatar, input.avatar_string.trimmed()) {
        (Given::Value(file), _) => Some(picture::from_upload(&request, *file, "avatar").await?),
        (_, Some(text)) => Some(picture::from_text(&request, text, "avatar_string").await?),
        _ => None,
    };
    Ok(PreparedMember { input, avatar })
}

/// The fields of a person that both operations change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberProfile {
    /// First name.
    pub first_name: Given<String>,
    /// Last name.
    pub last_name: Given<String>,
    /// E-mail address.
    pub email: Given<String>,
    /// Telephone number.
    pub phone_number: Given<String>,
    /// Letters behind the name.
    pub qualifications: Given<String>,
    /// IANA name.
    pub timezone: Given<String>,
}

impl MemberProfile {
    /// Everything that is wrong with it.
    pub fn check(&self, problems: &mut Problems) {
        lines::not_emptied("first_name", &self.first_name, problems);
        lines::not_emptied("last_name", &self.last_name, problems);
        lines::not_emptied("email", &self.email, problems);
        lines::address("email", &self.email, problems);
        lines::time_zone("timezone", &self.timezone, problems);
        let texts = [
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("phone_number", &self.phone_number),
            ("qualifications", &self.qualifications),
        ];
        lines::bounded(texts, problems);
    }

    /// Writes everything but the address.
    pub fn write(&self, user: &mut User) {
        self.first_name.set_text(&mut user.first_name);
        self.last_name.set_text(&mut user.last_name);
        self.phone_number.set_text(&mut user.phone_number);
        self.qualifications.set_text(&mut user.qualifications);
        self.timezone.set_text(&mut user.timezone);
    }

    /// The address that the member is to have instead of theirs.
    pub fn new_address(&self, user: &User) -> Option<String> {
        let address = self.email.trimmed().map(lines::kept_address);
        address.filter(|address| user.email.as_deref() != Some(address))
    }
}

/// Gives a member another address; whether an invitation is to go there. That of
/// an account that was never used changes at once, and a program's; else the new
/// one counts once it is confirmed.
pub async fn readdress(call: &mut Call<'_>, user: &mut User, address: &str) -> Answer<bool> {
    if user.id.0 == call.actor.user_id {
        return Err(Refused::on("email", "Change your own e-mail address with updateUser"));
    }
    attempt::count_mail(&mut call.scope, user, address).await?;
    if account::is_unit_email_taken(&mut call.scope, user.unit_id, address, Some(user.id)).await? {
        return Err(Refused::on("email", "Email has already been taken"));
    }
    let is_in_use = user.password_hash.is_some() || user.last_sign_in_at.is_some();
    if is_in_use && !user.is_integration {
        user.unconfirmed_email = Some(address.to_owned());
        let cause = call.request.request_id.clone();
        confirm_email::ask(&mut call.scope, user, address, &cause).await?;
        return Ok(false);
    }
    let space = user.namespace.clone();
    user.human_id = account::human_of(&mut call.scope, &space, Some(address), false).await?;
    user.email = Some(address.to_owned());
    Ok(!user.is_integration)
}

/// Writes a member's changed account, and says so.
pub async fn save(call: &mut Call<'_>, before: &User, after: &User) -> Answer<Changes> {
    let changes = account::update(&mut call.scope, before, after).await?;
    if !changes.is_empty() {
        call.emit(events::member_updated(after, &changes.columns));
    }
    Ok(changes)
}

/// Changes what is known of a member: their own profile, or a colleague's with
/// `can_edit_members`.
pub async fn update_member(call: &mut Call<'_>, prepared: &PreparedMember) -> Answer<Payload> {
    let input = &prepared.input;
    let before = member_of(call, input).await?;
    let profile = profile_of(input);
    let mut problems = Problems::new();
    profile.check(&mut problems);
    check(input, &mut problems);
    let shown = shown_of(input);
    shown::check(&shown, &mut problems);
    problems.check()?;
    let mut after = before.clone();
    profile.write(&mut after);
    write(input, &mut after);
    let mut is_invited_anew = false;
    if let Some(address) = profile.new_address(&before) {
        if before.id.0 != call.actor.user_id {
            let target = loaded(call, &before).await?;
            rank_of::may_take_over(call, &target).await?;
        }
        is_invited_anew = readdress(call, &mut after, &address).await?;
    }
    match &prepared.avatar {
        Some(avatar) => picture::put_on(call, &mut after, avatar).await?,
        None if input.avatar == Given::Null || input.avatar_string == Given::Null => {
            picture::take_off(call, &mut after).await?;
        }
        None => {}
    }
    let mut changed = account::update(&mut call.scope, &before, &after).await?.columns;
    changed.extend(shown::write(call, &after, &shown).await?);
    if !changed.is_empty() {
        call.emit(events::member_updated(&after, &changed));
    }
    if is_invited_anew {
        member_mail::invite(call, &after).await?;
    }
    Ok(Payload::new().one("user", after.id.0))
}

/// A member with everything that decides what they may do.
pub async fn loaded(call: &mut Call<'_>, user: &User) -> Answer<Person> {
    let loaded = person::load(call.scope.tx, user.org_id.0, user.id.0).await?;
    loaded.ok_or_else(|| Refused::not_found("id"))
}

async fn member_of(call: &mut Call<'_>, input: &UpdateMember) -> Answer<User> {
    let own = Id::new(call.actor.user_id);
    let id = named(&input.id).unwrap_or(own);
    if !call.actor.is_member() || id != own {
        permit::requires(call.actor, CAN_EDIT_MEMBERS)?;
    }
    let found = call.visible_for_update(id, Level::Full).await?;
    let member = found.map(|(user, _)| user).filter(|user| !user.is_patient);
    member.ok_or_else(|| Refused::not_found("id"))
}

fn shown_of(input: &UpdateMember) -> Profile {
    Profile {
        state_licenses: input.state_licenses.clone(),
        provider_bio: input.provider_bio.clone(),
        other_id_numbers: input.other_id_numbers.clone(),
        ..Profile::default()
    }
}

fn profile_of(input: &UpdateMember) -> MemberProfile {
    MemberProfile {
        first_name: input.first_name.clone(),
        last_name: input.last_name.clone(),
        email: input.email.clone(),
        phone_number: input.phone_number.clone(),
        qualifications: input.qualifications.clone(),
        timezone: input.timezone.clone(),
    }
}

fn check(input: &UpdateMember, problems: &mut Problems) {
    let texts = [
        ("record_identifier", &input.record_identifier),
        ("additional_record_identifier", &input.additional_record_identifier),
    ];
    lines::bounded(texts, problems);
    npi::check("npi", &input.npi, problems);
    let parses = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
    if input.metadata.trimmed().is_some_and(|text| !parses(text)) {
        problems.add("metadata", "Metadata must be a valid JSON document");
    }
    if input.metadata.value().is_some_and(|it| it.chars().count() > METADATA_CHARACTERS_MAX) {
        problems.add(
            "metadata",
            format!("Metadata is too long (maximum is {METADATA_CHARACTERS_MAX} characters)"),
        );
    }
}

fn write(input: &UpdateMember, user: &mut User) {
    input.npi.set_text(&mut user.npi);
    input.record_identifier.set_text(&mut user.record_identifier);
    input.additional_record_identifier.set_text(&mut user.additional_record_identifier);
    if input.metadata.is_given() {
        let text = input.metadata.value().filter(|text| !text.trim().is_empty());
        user.metadata = text.cloned().map(Json);
    }
}
