//! What conversations go by where nobody named them: the names of those who take
//! part, as somebody in it may know them.

use std::collections::BTreeMap;

use ward_engine::{Answer, Out, Request};
use ward_identity::account::joined;
use ward_identity::bindings::file_url;
use ward_identity::tables::USERS;
use ward_store::{Query, Sql, Value, Watch};

/// Somebody who takes part.
#[derive(Clone, Debug, PartialEq)]
pub struct Participant {
    /// Their id.
    pub user_id: i64,
    /// First name.
    pub first: String,
    /// Last name; of other clients its first letter, to a client.
    pub last: String,
    /// Their picture.
    pub avatar_id: Option<String>,
}

impl Participant {
    /// The whole name.
    pub fn name(&self) -> String {
        joined([Some(&self.first), Some(&self.last)])
    }

    /// The first name and the first letter of the last.
    pub fn name_and_initial(&self) -> String {
        let initial: Option<String> = self.last.trim().chars().next().map(Into::into);
        joined([Some(&self.first), initial.as_deref()])
    }
}

/// A conversation's name and who takes part, as they joined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Called {
    /// As somebody named it.
    pub name: Option<String>,
    /// Everybody.
    pub people: Vec<Participant>,
}

impl Called {
    /// Everybody but one.
    pub fn others(&self, user: i64) -> impl Iterator<Item = &Participant> {
        self.people.iter().filter(move |person| person.user_id != user)
    }

    /// The other one, in a conversation of two.
    pub fn other(&self, user: i64) -> Option<&Participant> {
        let mut others = self.others(user);
        others.next().filter(|_| others.next().is_none())
    }

    /// The names of the others.
    pub fn list(&self, user: i64) -> String {
        let names: Vec<String> = self.others(user).map(Participant::name).collect();
        names.join(", ")
    }

    /// Its name, else the names of the others.
    pub fn display_name(&self, user: i64) -> String {
        self.name.clone().unwrap_or_else(|| self.list(user))
    }
}

/// Name and participants of conversations. `path` is what the access log says of
/// the clients whose names are read.
pub async fn of(
    request: &Request,
    q: &mut dyn Query,
    conversations: &[i64],
    path: &str,
) -> Answer<BTreeMap<i64, Called>> {
    let mut called: BTreeMap<i64, Called> = BTreeMap::new();
    if conversations.is_empty() {
        return Ok(called);
    }
    let rows = q.rows(&statement(request, conversations)).await?;
    let mut clients = Vec::new();
    for row in rows.iter() {
        let [conversation, name, user, first, last, is_patient, avatar, watch] = row else {
            continue;
        };
        let (Some(conversation), Some(user)) = (conversation.int(), user.int()) else { continue };
        let is_other_client =
            is_patient.truth() && request.actor.is_client() && user != request.actor.user_id;
        let last = last.text().unwrap_or_default();
        let last = match is_other_client {
            true => last.chars().take(1).collect(),
            false => last.to_owned(),
        };
        if is_patient.truth() {
            let watch = watch.int().map_or(Watch::BrokenGlass, Watch::from_number);
            clients.push((user, watch));
        }
        let entry = called.entry(conversation).or_default();
        entry.name = name.text().map(str::to_owned);
        entry.people.push(Participant {
            user_id: user,
            first: first.text().unwrap_or_default().to_owned(),
            last,
            avatar_id: avatar.text().filter(|_| !is_other_client).map(str::to_owned),
        });
    }
    request.reads.note(path, clients);
    Ok(called)
}

fn statement(request: &Request, conversations: &[i64]) -> Sql {
    let mut sql = Sql::new();
    sql.push("SELECT c.id, c.name, u.id, u.first_name, u.last_name, u.is_patient, u.avatar_id, ");
    match USERS.subject {
        Some(subject) => subject(&request.actor).watch.write("u", &mut sql),
        None => drop(sql.push("0")),
    }
    sql.push(
        " FROM conversations c JOIN conversation_memberships m ON m.org_id = c.org_id \
         AND m.conversation_id = c.id AND m.deleted_at IS NULL \
         JOIN users u ON u.org_id = m.org_id AND u.id = m.user_id WHERE c.org_id = ",
    );
    sql.bind(request.actor.org_id).push(" AND c.id IN_LIST(");
    sql.bind(Value::Ints(conversations.into())).push(") ORDER BY c.id, m.created_at, m.id");
    sql
}

/// A picture's address, for whoever asks.
pub fn avatar(request: &Request, person: Option<&Participant>) -> Out {
    file_url(request, person.and_then(|person| person.avatar_id.as_deref()))
}

/// A text that is not empty.
pub fn text(text: String) -> Out {
    if text.is_empty() { Out::Null } else { text.into() }
}
