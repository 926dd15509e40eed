//! Contacts: people who are not clients yet, such as those who left their
//! address on a website (`createContact`). The contract calls them visitors and
//! has nothing that reads them back.

use ward_engine::{Answer, Bindings, Call, Given, Payload, Problems, Returns, input, op};
use ward_identity::flags::CAN_ADD_CLIENTS;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Actor, Id, Key, Reference, Rule, index, record};

use crate::access;
use crate::rules;

record! {
    /// A contact.
    pub struct Visitor in VISITORS, visitors {
        id: Id<Visitor>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        first_name: Option<String>,
        last_name: Option<String>,
        email: Option<String>,
        phone_number: Option<String>,
        /// What they said of themselves.
        about_me: Option<String> [sealed],
        /// The page that they came by.
        first_url: Option<String>,
        created_by_id: Id<User>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "unit_id", "id"])],
    references: [
        Reference { columns: &["org_id", "created_by_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("VISITOR"),
    visible: visibility,
}

fn visibility(actor: &Actor) -> Rule {
    if actor.is_member() { Rule::full(actor.units("unit_id")) } else { Rule::none() }
}

input! {
    /// `createContactInput`.
    pub struct CreateContact {
        first_name: String,
        last_name: String,
        email: String,
        phone_number: String,
        about_me: String,
        first_url: String,
    }
}

/// Binds the type and its mutation.
pub fn bind(b: &mut Bindings) {
    b.object("Visitor", &VISITORS);
    const VISITOR: &[(&str, Returns)] = &[("visitor", Returns::One(&VISITORS))];
    b.mutation("createContact", VISITOR, op!(create));
}

/// Keeps a contact, who can be reached by e-mail or phone. Adding people takes
/// the right to add clients (behaviour 16.3).
pub async fn create(call: &mut Call<'_>, input: &CreateContact) -> Answer<Payload> {
    access::requires(call.actor, CAN_ADD_CLIENTS)?;
    let mut problems = Problems::new();
    let p = &mut problems;
    rules::required("first_name", &input.first_name, p);
    if input.phone_number.trimmed().is_none() {
        rules::required("email", &input.email, p);
    }
    rules::email("email", &input.email, p);
    for (field, value) in [
        ("first_name", &input.first_name),
        ("last_name", &input.last_name),
        ("phone_number", &input.phone_number),
    ] {
        rules::bounded(field, value, rules::LINE_CHARS_MAX, p);
    }
    rules::bounded("about_me", &input.about_me, rules::NOTES_CHARS_MAX, p);
    rules::bounded("first_url", &input.first_url, rules::URL_CHARS_MAX, p);
    problems.check()?;
    let now = call.now();
    let text = |value: &Given<String>| value.trimmed().map(str::to_owned);
    let visitor = Visitor {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(call.actor.unit_id),
        first_name: text(&input.first_name),
        last_name: text(&input.last_name),
        email: input.email.trimmed().map(rules::kept_email),
        phone_number: text(&input.phone_number),
        about_me: text(&input.about_me),
        first_url: text(&input.first_url),
        created_by_id: Id::new(call.actor.user_id),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    call.create(&visitor).await?;
    Ok(Payload::new().one("visitor", visitor.id.0))
}
