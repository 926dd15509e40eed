//! What group notes say of single clients, for the paper of one of them.

use ward_engine::{Answer, Request};
use ward_identity::tables::User;
use ward_store::{Actor, Cond, Id, Level, OrderKey, Query, Select, Value, Watch, read_selected};

use super::read::{check_size, rows, whole};
use crate::filled::tables::FormAnswerGroup;
use crate::group_note::tables::{INDIVIDUAL_CLIENT_NOTES, IndividualClientNote};
use crate::group_note::visibility::clients_of;

/// The individual notes of what is printed.
#[derive(Default)]
pub struct Single {
    /// All of them, whoever sees them: a signature is of all.
    all: Vec<IndividualClientNote>,
    /// Those that the caller sees.
    seen: Vec<IndividualClientNote>,
    /// Whose data the notes are, and how closely the reading is watched.
    pub reads: Vec<(i64, Watch)>,
}

impl Single {
    /// Whether a form or note is in the chart of a client: of a group note it is the individual note
    /// that says so, which the caller sees.
    pub fn is_of(&self, group: &FormAnswerGroup, client: Id<User>) -> bool {
        match group.is_group_appt_note {
            true => !self.shown_of(group, client).is_empty(),
            false => group.user_id == client,
        }
    }

    /// All of a note.
    pub fn all_of(&self, group: &FormAnswerGroup) -> Vec<IndividualClientNote> {
        self.all.iter().filter(|it| it.form_answer_group_id == group.id).cloned().collect()
    }

    /// What the note says of a client, as the caller sees it.
    pub fn shown_of(&self, group: &FormAnswerGroup, client: Id<User>) -> Vec<IndividualClientNote> {
        let own = |it: &&IndividualClientNote| {
            it.form_answer_group_id == group.id && it.user_id == client
        };
        self.seen.iter().filter(own).cloned().collect()
    }
}

/// Reads the individual notes of the group notes among these.
pub async fn read(
    request: &Request,
    q: &mut dyn Query,
    groups: &[FormAnswerGroup],
    at: &'static str,
) -> Answer<Single> {
    let ids: Vec<i64> =
        groups.iter().filter(|it| it.is_group_appt_note).map(|it| it.id.0).collect();
    if ids.is_empty() {
        return Ok(Single::default());
    }
    let of_groups = || Cond::is_in("form_answer_group_id", &ids);
    let system = Actor::system(request.actor.org_id);
    let table = &INDIVIDUAL_CLIENT_NOTES;
    let mut select = Select::new(table, &system);
    select.columns = (0..table.columns.len()).collect();
    select.least = Level::Full;
    select.filter = of_groups();
    check_size(q, &select, "COALESCE(LENGTH(t.content), 0)", at).await?;
    let found = read_selected(q, &request.db, &select).await?;
    let all = whole(table, found.iter())?;
    let in_turn = [OrderKey::column("created_at", false), OrderKey::column("id", false)];
    let seen = rows(request, q, table, of_groups(), &in_turn).await?;
    let found = q.rows(&clients_of(&request.actor, &ids)).await?;
    let client = |row: &[Value]| {
        let watch = row.get(1).and_then(Value::int);
        let watch = watch.map_or(Watch::BrokenGlass, Watch::from_number);
        Some((row.first()?.int()?, watch))
    };
    Ok(Single { all, seen, reads: found.iter().filter_map(client).collect() })
}
