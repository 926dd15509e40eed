//! Notification contacts: people whom a client names, such as relatives, and who
//! get a copy of what the client is told, if the client wishes (behaviour 42). What they
//! open of the client's record is in [`crate::notices::portal`].

use ward_clients::rules;
use ward_clients::update_client::resend_welcome;
use ward_engine::{
    Answer, Bindings, Call, Given, Link, Payload, Problems, Refused, Returns, RowView, input, op,
};
use ward_identity::account::joined;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::{members_only, not_by_proxy};
use ward_identity::restricted;
use ward_identity::tables::{Organization, USERS, User, users};
use ward_instance::Timestamp;
use ward_store::{Cond, Event, Id, Key, Level, Query, Reference, Scope, Sql, Value, index, record};

use crate::notices::portal::{self, Wish};
use crate::notices::visibility;

/// A client can name so many.
pub const CONTACTS_MAX: i64 = 20;

record! {
    /// Somebody whom a client named.
    pub struct NotificationContact in NOTIFICATION_CONTACTS, notification_contacts {
        id: Id<NotificationContact> [limited],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The client.
        user_id: Id<User> [limited],
        /// The contact's own account, if they are a client too.
        linked_client_id: Option<Id<User>>,
        first_name: Option<String>,
        last_name: Option<String>,
        email: Option<String>,
        phone_number: Option<String>,
        relationship: Option<String> [limited],
        contact_type: Option<String>,
        emergency: bool,
        copy_notifications: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id"]).only("deleted_at IS NULL"),
        index(&["org_id", "linked_client_id"]).only("linked_client_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "linked_client_id"], table: "users", target: &["org_id", "id"],
        },
    ],
    audit: Some("NOTIFICATION_CONTACT"),
    subject: restricted::by_user_id,
    visible: visibility::contacts,
}

input! {
    /// `createNotificationContactInput`.
    pub struct CreateContact {
        user_id: IdOrBlank<User>,
        linked_client_id: IdOrBlank<User>,
        first_name: String,
        last_name: String,
        email: String,
        phone_number: String,
        relationship: String,
        contact_type: String,
        emergency: bool,
        copy_notifications: bool,
        send_invitation: bool,
        client_portal_access: bool,
        /// An addition: the first day on which it is over.
        client_portal_access_until: String,
    }
}

input! {
    /// `updateNotificationContactInput`.
    pub struct UpdateContact {
        id: Id<NotificationContact>,
        first_name: String,
        last_name: String,
        email: String,
        phone_number: String,
        relationship: String,
        contact_type: String,
        emergency: bool,
        copy_notifications: bool,
        client_portal_access: bool,
        /// An addition: the first day on which it is over.
        client_portal_access_until: String,
    }
}

input! {
    /// `deleteNotificationContactInput`.
    pub struct DeleteContact { id: Id<NotificationContact>, user_id: IdOrBlank<User> }
}

pub(super) const TYPE: &str = "NotificationContact";

/// What somebody who acts for a client does not do.
const NAMING: &str = "naming contacts";

/// Binds the type, the fields of users and the mutations.
pub fn bind(b: &mut Bindings) {
    use notification_contacts as at;
    b.object(TYPE, &NOTIFICATION_CONTACTS);
    b.one(TYPE, "user", &USERS, Link::Key(at::user_id)).limited();
    b.one(TYPE, "linked_client", &USERS, Link::Key(at::linked_client_id));
    for field in ["full_name", "full_legal_name_with_preferred"] {
        b.computed(TYPE, field, &[at::first_name, at::last_name], |_, row: &RowView<'_>, _| {
            let name = joined([row.text(at::first_name), row.text(at::last_name)]);
            Some(name).filter(|name| !name.is_empty()).into()
        });
    }
    let of = |child| Link::Column { parent: users::id, child };
    b.many("User", "notification_contacts", &NOTIFICATION_CONTACTS, of("user_id"));
    b.many("User", "linked_relatives", &NOTIFICATION_CONTACTS, of("linked_client_id"))
        .listing(portal::relatives);
    const CONTACT: &[(&str, Returns)] =
        &[("notificationContact", Returns::One(&NOTIFICATION_CONTACTS))];
    b.mutation("createNotificationContact", CONTACT, op!(create));
    b.mutation("updateNotificationContact", CONTACT, op!(update));
    const GONE: &[(&str, Returns)] = CONTACT;
    b.mutation("deleteNotificationContact", GONE, op!(delete));
}

/// The texts that both inputs have, by name.
type Texts<'a> = [(&'static str, &'a Given<String>); 6];

fn check(texts: &Texts<'_>) -> Problems {
    let mut problems = Problems::new();
    for (field, value) in texts {
        rules::bounded(field, value, rules::LINE_CHARS_MAX, &mut problems);
        if *field == "email" {
            rules::email(field, value, &mut problems);
        }
    }
    problems
}

/// Somebody can be told who a contact is and, for copies, how to reach them.
fn check_whole(contact: &NotificationContact) -> Answer<()> {
    let is_named = contact.first_name.is_some() || contact.last_name.is_some();
    if !is_named && contact.linked_client_id.is_none() {
        return Err(Refused::on("first_name", "First name can't be blank"));
    }
    match contact.copy_notifications && contact.email.is_none() {
        true => Err(Refused::on("email", "Email can't be blank")),
        false => Ok(()),
    }
}

pub(super) fn event(kind: &'static str, contact: &NotificationContact) -> Event {
    Event::new(kind, TYPE, contact.id.0).of_unit(contact.unit_id.0).about(contact.user_id.0)
}

/// Names a contact: a client their own; a member of a client whom they see.
pub async fn create(call: &mut Call<'_>, input: &CreateContact) -> Answer<Payload> {
    not_by_proxy(call.actor, NAMING)?;
    let own = call.actor.is_client().then(|| Id::new(call.actor.user_id));
    let id = named(&input.user_id).or(own).ok_or_else(|| Refused::not_found("user_id"))?;
    let client = client(call, id, "user_id").await?;
    let account = match named(&input.linked_client_id) {
        Some(linked) => {
            members_only(call.actor)?;
            Some(self::client(call, linked, "linked_client_id").await?)
        }
        None => None,
    };
    let linked = account.as_ref().map(|account| account.id);
    if let Some(linked) = linked {
        check_linked(call, client.id, linked).await?;
    }
    let mut problems = check(&[
        ("first_name", &input.first_name),
        ("last_name", &input.last_name),
        ("email", &input.email),
        ("phone_number", &input.phone_number),
        ("relationship", &input.relationship),
        ("contact_type", &input.contact_type),
    ]);
    let access = (&input.client_portal_access, &input.client_portal_access_until);
    let wish = Wish::of(call.actor, access, &mut problems);
    if contacts(call, client.id).await? >= CONTACTS_MAX {
        problems.add("base", format!("A client can have at most {CONTACTS_MAX} contacts"));
    }
    problems.check()?;
    let now = call.now();
    let text = |value: &Given<String>| value.trimmed().map(str::to_owned);
    let contact = NotificationContact {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        linked_client_id: linked,
        first_name: text(&input.first_name),
        last_name: text(&input.last_name),
        email: input.email.trimmed().map(rules::kept_email),
        phone_number: text(&input.phone_number),
        relationship: text(&input.relationship),
        contact_type: text(&input.contact_type),
        emergency: input.emergency.is_true(),
        copy_notifications: input.copy_notifications.is_true(),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    check_whole(&contact)?;
    call.scope.subject_id = Some(client.id.0);
    call.create(&contact).await?;
    portal::settle(call, &wish, &contact).await?;
    call.emit(event("notification_contact.created", &contact));
    if input.send_invitation.is_true() {
        // Into their own account, from which they act for the client if they may.
        let account = account.ok_or_else(|| {
            Refused::on("send_invitation", "Send invitation needs a linked client")
        })?;
        resend_welcome(call, &account, "send_invitation").await?;
    }
    Ok(Payload::new().one("notificationContact", contact.id.0))
}

/// Refuses the client themselves, and who is a contact of theirs already: what one of two opens,
/// the other would.
async fn check_linked(call: &mut Call<'_>, client: Id<User>, linked: Id<User>) -> Answer<()> {
    const AT: &str = "linked_client_id";
    if linked == client {
        return Err(Refused::on(AT, "Linked client must be somebody else"));
    }
    let named: Option<NotificationContact> = call.find_by(portal::pair(client, linked)).await?;
    match named {
        Some(_) => Err(Refused::on(AT, "Linked client is a contact of this client already")),
        None => Ok(()),
    }
}

async fn contacts(call: &mut Call<'_>, client: Id<User>) -> Answer<i64> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM notification_contacts \
         WHERE org_id = $1 AND user_id = $2 AND deleted_at IS NULL",
        [call.actor.org_id.into(), client.0.into()],
    );
    Ok(call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0))
}

/// A client whom the caller sees in full.
pub(super) async fn client(call: &mut Call<'_>, id: Id<User>, at: &str) -> Answer<User> {
    let seen: Option<(User, Level)> = call.visible_for_reference(id, Level::Full).await?;
    let client = seen.map(|(user, _)| user).filter(|user| user.is_patient);
    client.ok_or_else(|| Refused::not_found(at))
}

async fn seen(
    call: &mut Call<'_>,
    id: Option<Id<NotificationContact>>,
) -> Answer<NotificationContact> {
    let id = id.ok_or_else(|| Refused::not_found("id"))?;
    let seen: Option<(NotificationContact, Level)> =
        call.visible_for_update(id, Level::Full).await?;
    let (contact, _) = seen.ok_or_else(|| Refused::not_found("id"))?;
    call.scope.subject_id = Some(contact.user_id.0);
    Ok(contact)
}

/// Changes a contact.
pub async fn update(call: &mut Call<'_>, input: &UpdateContact) -> Answer<Payload> {
    not_by_proxy(call.actor, NAMING)?;
    let before = seen(call, input.id.value().copied()).await?;
    let mut problems = check(&[
        ("first_name", &input.first_name),
        ("last_name", &input.last_name),
        ("email", &input.email),
        ("phone_number", &input.phone_number),
        ("relationship", &input.relationship),
        ("contact_type", &input.contact_type),
    ]);
    let access = (&input.client_portal_access, &input.client_portal_access_until);
    let wish = Wish::of(call.actor, access, &mut problems);
    problems.check()?;
    let mut after = before.clone();
    input.first_name.set_text(&mut after.first_name);
    input.last_name.set_text(&mut after.last_name);
    input.phone_number.set_text(&mut after.phone_number);
    input.relationship.set_text(&mut after.relationship);
    input.contact_type.set_text(&mut after.contact_type);
    if input.email.is_given() {
        after.email = input.email.trimmed().map(rules::kept_email);
    }
    after.emergency = input.emergency.value().copied().unwrap_or(before.emergency);
    after.copy_notifications =
        input.copy_notifications.value().copied().unwrap_or(before.copy_notifications);
    check_whole(&after)?;
    let mut columns = call.update(&before, &after).await?.columns;
    if portal::settle(call, &wish, &after).await? {
        columns.push("client_portal_access");
    }
    if !columns.is_empty() {
        call.emit(event("notification_contact.updated", &after).changed(&columns));
    }
    Ok(Payload::new().one("notificationContact", after.id.0))
}

/// Takes a contact away.
pub async fn delete(call: &mut Call<'_>, input: &DeleteContact) -> Answer<Payload> {
    not_by_proxy(call.actor, NAMING)?;
    let contact = seen(call, input.id.value().copied()).await?;
    if named(&input.user_id).is_some_and(|id| id != contact.user_id) {
        return Err(Refused::not_found("id"));
    }
    portal::leave(call, &contact).await?;
    call.destroy(&contact).await?;
    call.emit(event("notification_contact.deleted", &contact));
    Ok(Payload::new().one("notificationContact", contact.id.0))
}

/// Addresses of those who get a copy of what a client is told, each once.
pub async fn copied(scope: &mut Scope<'_>, client: &User) -> Answer<Vec<NotificationContact>> {
    let of_client = Cond::eq("user_id", client.id.0)
        .and(Cond::is_true("copy_notifications"))
        .and(Cond::not_null("email"));
    let mut rows: Vec<NotificationContact> = scope.list(of_client, &[]).await?;
    rows.sort_by(|a, b| a.email.cmp(&b.email));
    rows.dedup_by(|a, b| a.email == b.email);
    rows.retain(|row| row.email != client.email);
    Ok(rows)
}
