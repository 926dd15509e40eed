//! What a form says of the client themselves goes into their record (behaviour 26): name, date of
//! birth and telephone.

use ward_engine::{Answer, Call, Given, Problems, moment};
use ward_identity::account::{is_client_taken, lock_address};
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Day, Id};

use crate::{access, client, rules};

/// One thing that a form says of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// First and last name.
    Name(String, String),
    /// When they were born.
    Born(Day),
    /// Where they are called.
    Telephone(String),
}

impl Fact {
    /// Whether a question of the type asks for one.
    pub fn is_asked_by(mod_type: &str) -> bool {
        matches!(mod_type, "name" | "dob" | "phone")
    }

    /// What an answer to a question of a type says (behaviour 25); nothing where it is no such
    /// type, or not what a client's record can have. The answer stands in any case.
    pub fn read(mod_type: &str, answer: &str, now: Timestamp) -> Option<Fact> {
        match mod_type {
            "name" => {
                let (first, last) = answer.split_once(',')?;
                Some(Fact::Name(line("first_name", first)?, line("last_name", last)?))
            }
            "dob" => {
                let mut problems = Problems::default();
                let given = Given::Value(answer.to_owned());
                rules::birth_date("dob", &given, now, &mut problems);
                problems.check().ok()?;
                moment::day(answer.trim()).map(Fact::Born)
            }
            "phone" => line("phone_number", answer).map(Fact::Telephone),
            _ => None,
        }
    }

    fn write(&self, client: &mut User) {
        match self {
            Fact::Name(first, last) => {
                client.first_name = Some(first.clone());
                client.last_name = Some(last.clone());
            }
            Fact::Born(day) => client.dob = Some(*day),
            Fact::Telephone(number) => client.phone_number = Some(number.clone()),
        }
    }
}

/// A line that a client's record can have.
fn line(field: &str, text: &str) -> Option<String> {
    let given = Given::Value(text.trim().to_owned());
    let mut problems = Problems::default();
    rules::required(field, &given, &mut problems);
    rules::bounded(field, &given, rules::LINE_CHARS_MAX, &mut problems);
    rules::plain_name(field, &given, &mut problems);
    problems.check().ok()?;
    given.trimmed().map(str::to_owned)
}

/// Writes facts into the record of a client whom the caller sees, as a change by the caller. A
/// name that another client of the same address has already is left. Who acts for a client
/// changes none of them: their word stands in the form, for staff to judge (DOM-35).
pub async fn write(call: &mut Call<'_>, id: Id<User>, facts: &[Fact]) -> Answer<()> {
    if facts.is_empty() || call.actor.proxy_id.is_some() {
        return Ok(());
    }
    let before = access::client_to_change(call, id, "user_id").await?;
    let mut after = before.clone();
    facts.iter().for_each(|fact| fact.write(&mut after));
    if [&before.first_name, &before.last_name] != [&after.first_name, &after.last_name] {
        lock_address(&mut call.scope, after.email.as_deref()).await?;
        if is_client_taken(&mut call.scope, &after, Some(after.id)).await? {
            after.first_name.clone_from(&before.first_name);
            after.last_name.clone_from(&before.last_name);
        }
    }
    client::save(call, &before, after, &[]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_say() {
        let now = Timestamp::from_seconds(1_790_000_000);
        let said = |mod_type, answer| Fact::read(mod_type, answer, now);
        let name = Fact::Name("Ada".to_owned(), "de la Cruz".to_owned());
        assert_eq!(said("name", " Ada, de la Cruz "), Some(name));
        assert_eq!(
            said("phone", "+1 202-555-0100"),
            Some(Fact::Telephone("+1 202-555-0100".into()))
        );
        assert_eq!(said("dob", "1990-02-01"), moment::day("1990-02-01").map(Fact::Born));
        for (mod_type, answer) in [
            ("name", "Ada"),
            ("name", "Ada,"),
            ("name", "Ada,www.example.com"),
            ("dob", "yesterday"),
            ("dob", "2150-01-01"),
            ("dob", ""),
            ("phone", " "),
            ("phone", "1\n2"),
            ("text", "Ada,Cruz"),
        ] {
            assert_eq!(said(mod_type, answer), None, "{mod_type}: {answer}");
        }
        assert_eq!(said("phone", &"1".repeat(256)), None);
    }
}
