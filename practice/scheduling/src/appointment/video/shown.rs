//! Who is shown what of a room. Members who see the appointment and clients who attend it are told
//! where to come in; who gives it, where to open it.

use std::collections::HashSet;

use ward_engine::{Answer, Out, Request, RowView};
use ward_store::{Query, Sql, Value};

use crate::appointment::shown::{Field, found_ids};
use crate::appointment::table::appointments as at;
use crate::listing::numbers;

/// Columns that the fields of [`FIELDS`] read.
pub const NEEDS: &[usize] = &[
    at::deleted_at,
    at::id,
    at::provider_id,
    at::room_ordered,
    at::zoom_dial_in_info,
    at::zoom_join_url,
    at::zoom_meeting_id,
    at::zoom_start_url,
];

/// What is shown of rooms.
pub const FIELDS: &[Field] = &[
    Field {
        name: "zoom_meeting_id",
        run: |request, q, rows, _| Box::pin(to_comers(request, q, rows, at::zoom_meeting_id)),
    },
    Field {
        name: "zoom_join_url",
        run: |request, q, rows, _| Box::pin(to_comers(request, q, rows, at::zoom_join_url)),
    },
    Field {
        name: "zoom_dial_in_info",
        run: |request, q, rows, _| Box::pin(to_comers(request, q, rows, at::zoom_dial_in_info)),
    },
    Field {
        name: "zoom_dial_in_info_html",
        run: |request, q, rows, _| {
            Box::pin(async move {
                let told = to_comers(request, q, rows, at::zoom_dial_in_info).await?;
                Ok(told.into_iter().map(as_html).collect())
            })
        },
    },
    Field {
        name: "zoom_start_url",
        run: |request, q, rows, _| Box::pin(to_hosts(request, q, rows)),
    },
];

/// A column of a room that there is, to members and to clients who have not called their part off.
async fn to_comers(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    column: usize,
) -> Answer<Vec<Out>> {
    let comes = match request.actor.is_client() {
        true => Some(of_own(request, q, &rows, COMES).await?),
        false => None,
    };
    let is_told = |row: &RowView<'_>| match (&comes, row.get(at::id).int()) {
        (Some(comes), Some(id)) => comes.contains(&id),
        (None, _) => request.actor.is_member(),
        (Some(_), None) => false,
    };
    Ok(rows.iter().map(|row| shown(row, column, is_told(row))).collect())
}

/// Where the room is opened, to those who give the call.
async fn to_hosts(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let gives = match request.actor.is_member() {
        true => of_own(request, q, &rows, GIVES).await?,
        false => HashSet::new(),
    };
    let own = request.actor.is_member().then_some(request.actor.user_id);
    let is_host = |row: &RowView<'_>| {
        let beside = row.get(at::id).int().is_some_and(|id| gives.contains(&id));
        beside || (own.is_some() && row.get(at::provider_id).int() == own)
    };
    Ok(rows.iter().map(|row| shown(row, at::zoom_start_url, is_host(row))).collect())
}

/// The same words as HTML.
fn as_html(told: Out) -> Out {
    match told {
        Out::Text(text) => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            Out::from(format!("<p>{text}</p>"))
        }
        other => other,
    }
}

fn shown(row: &RowView<'_>, column: usize, is_told: bool) -> Out {
    let is_there = row.get(at::room_ordered).truth() && row.get(at::deleted_at).is_null();
    let is_told = is_told && is_there;
    row.text(column).filter(|_| is_told).into()
}

const COMES: &str = "SELECT i.appointment_id FROM appointment_inclusions i WHERE i.org_id = $1 \
     AND i.appointment_id IN_LIST($2) AND i.user_id = $3 AND i.cancelled = FALSE";
const GIVES: &str = "SELECT p.appointment_id FROM appointment_providers p WHERE p.org_id = $1 \
     AND p.appointment_id IN_LIST($2) AND p.user_id = $3";

/// Those of the rows' appointments that somebody comes to, or gives beside the main provider.
async fn of_own(
    request: &Request,
    q: &mut dyn Query,
    rows: &[RowView<'_>],
    sql: &'static str,
) -> Answer<HashSet<i64>> {
    let ids = Value::Ints(numbers(rows, at::id).into());
    let actor = &request.actor;
    found_ids(q, &Sql::fixed(sql, [actor.org_id.into(), ids, actor.user_id.into()])).await
}
