//! Fields of group notes: what they say of single clients, and who attends.

use std::collections::HashMap;

use ward_engine::{
    Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Out, Request, RowView,
};
use ward_identity::tables::{USERS, User};
use ward_store::{Cond, Entity, Join, Query, Sql, Value};

use crate::filled::listing;
use crate::filled::tables::form_answer_groups as group;
use crate::group_note::tables::{INDIVIDUAL_CLIENT_NOTES, individual_client_notes as at};

const GROUP: &str = "FormAnswerGroup";
const OF: &str = "IndividualClientType";
const OF_GROUP: Link = Link::Column { parent: group::id, child: "form_answer_group_id" };

/// What individual notes can be ordered by: of who attended nobody says whether they did stands
/// between who did and who did not.
const ORDERS: &[OrderOption] = &[
    OrderOption {
        name: "ATTENDED",
        expression: "CASE WHEN {t}.attended = TRUE THEN 2 WHEN {t}.attended = FALSE THEN 0 ELSE 1 END",
    },
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
];
const IN_TURN: &str = "CREATED_AT_ASC";

/// Who attends the appointment of a group note.
const COMERS: Join = Join {
    table: "(SELECT g.org_id, g.id AS form_answer_group_id, c.user_id FROM form_answer_groups g \
     JOIN appointment_inclusions c ON c.org_id = g.org_id AND c.appointment_id = g.appointment_id \
     WHERE g.is_group_appt_note = TRUE AND c.cancelled = FALSE)",
    to: "user_id",
    from: "form_answer_group_id",
};

/// Binds the fields. Diagnoses of single clients are of a domain to come.
pub fn bind(b: &mut Bindings) {
    b.object(OF, &INDIVIDUAL_CLIENT_NOTES);
    b.one(OF, "user", &USERS, Link::Key(at::user_id));
    b.batch(OF, "appointment_inclusion_id", &[at::id], |request, q, rows, _| {
        Box::pin(inclusions(request, q, rows))
    });
    b.many(GROUP, "individual_client_notes", &INDIVIDUAL_CLIENT_NOTES, OF_GROUP)
        .orders(ORDERS, IN_TURN);
    b.one(GROUP, "individual_note", &INDIVIDUAL_CLIENT_NOTES, OF_GROUP)
        .args(&[("user_id", Kind::Id(User::NAME))])
        .listing(of_client)
        .orders(ORDERS, IN_TURN);
    let comers = Link::Join { parent: group::id, join: COMERS };
    b.many(GROUP, "group_appointment_attendees", &USERS, comers);
}

/// `individual_note`: the client's who is named.
fn of_client(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(match listing::id::<User>(args, "user_id", request)? {
        Some(client) => Listing::of(Cond::eq("user_id", client.0)).naming(&USERS, vec![client.0]),
        None => Listing::none(),
    })
}

/// The client's part in the appointment, while they attend: who called it off attends no more. Who
/// sees the client's note sees the client.
async fn inclusions(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids = super::numbers(&rows, at::id);
    let mut sql = Sql::new();
    sql.push("SELECT n.id, c.id FROM individual_client_notes n JOIN form_answer_groups g ");
    sql.push("ON g.org_id = n.org_id AND g.id = n.form_answer_group_id ");
    sql.push("JOIN appointment_inclusions c ON c.org_id = g.org_id ");
    sql.push("AND c.appointment_id = g.appointment_id AND c.user_id = n.user_id ");
    sql.push("AND c.cancelled = FALSE ");
    sql.push("WHERE n.org_id = ").bind(request.actor.org_id);
    sql.push(" AND n.id").bind_in(ids);
    let found = q.rows(&sql).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    let parts: HashMap<i64, i64> = found.iter().filter_map(pair).collect();
    let of = |row: &RowView<'_>| row.get(at::id).int().and_then(|id| parts.get(&id)).copied();
    Ok(rows.iter().map(|row| of(row).into()).collect())
}
