//! `Document` and `DocumentViewing`.

use ward_clients::tables::USER_GROUPS;
use ward_engine::{Bindings, Kind, Link, Out, Request};
use ward_identity::bindings::USER_ORDERS;
use ward_identity::tables::{USERS, User};
use ward_identity::upload_scan;
use ward_instance::token::FileLink;
use ward_store::{Entity, Join};

use crate::bindings::shares::{self, Asked, Sharings};
use crate::file;
use crate::listing::VIEWED;
use crate::name;
use crate::tables::{DOCUMENT_VIEWINGS, DOCUMENTS, document_viewings as viewings, documents as at};
use crate::viewing::LINK_SECONDS;

const TYPE: &str = "Document";
const SHARINGS: Sharings = Sharings { table: "document_sharings", of: "document_id" };
const PEOPLE: Link = Link::Join {
    parent: at::id,
    join: Join { table: SHARINGS.table, to: "user_id", from: "document_id" },
};
const GROUPS: Link = Link::Join {
    parent: at::id,
    join: Join { table: SHARINGS.table, to: "user_group_id", from: "document_id" },
};
const COUNTED: &[usize] = &[at::id, at::shared_on_welcome, at::shared_with_dietitians];
const PLACES: (Sharings, usize, usize, usize) =
    (SHARINGS, at::id, at::shared_on_welcome, at::shared_with_dietitians);

/// Binds the types.
pub fn bind(b: &mut Bindings) {
    b.object(TYPE, &DOCUMENTS);
    b.cursor(TYPE);
    b.computed(TYPE, "expiring_url", &[at::file_id], |request, row, _| {
        row.text(at::file_id).map_or(Out::Null, |blob| link(request, blob))
    });
    b.computed(TYPE, "extension", &[at::file_name], |_, row, _| {
        row.text(at::file_name).and_then(name::extension).into()
    });
    b.computed(TYPE, "friendly_type", &[at::file_content_type], |_, row, _| {
        row.text(at::file_content_type).map_or(Out::Null, |it| file::family(it).into())
    });
    // What the staff writes of a document is not for the client (behaviour 9).
    b.computed(TYPE, "internal_notes", &[at::internal_notes], |request, row, _| {
        match request.actor.is_member() {
            true => row.text(at::internal_notes).map(str::to_owned).into(),
            false => Out::Null,
        }
    });
    b.computed(TYPE, "metadata", &[at::metadata], |request, row, _| {
        match request.actor.is_member() {
            true => row.text(at::metadata).map(str::to_owned).into(),
            false => Out::Null,
        }
    });
    b.computed(TYPE, "can_only_share", &[at::owner_id], |request, row, _| {
        (request.actor.is_member() && !shares::editable(request, row, at::owner_id)).into()
    });
    b.one(TYPE, "owner", &USERS, Link::Key(at::owner_id));
    b.one(TYPE, "rel_user", &USERS, Link::Key(at::rel_user_id));
    b.many(TYPE, "users", &USERS, PEOPLE).orders(USER_ORDERS, "LAST_NAME_ASC");
    b.many(TYPE, "user_groups", &USER_GROUPS, GROUPS);
    let viewed = Link::Column { parent: at::id, child: "document_id" };
    b.many(TYPE, "opens", &DOCUMENT_VIEWINGS, viewed).orders(VIEWED, "VIEWED_AT_DESC");
    const SINCE: &[usize] = &[at::id, at::created_at, at::folder_id];
    b.batch(TYPE, "created_at", SINCE, |request, q, rows, args| {
        let places = (SHARINGS, at::id, at::created_at, at::folder_id);
        Box::pin(shares::visible_since(request, q, rows, places, args))
    })
    .args(&[("viewable_user_id", Kind::Id(User::NAME))]);
    b.batch(TYPE, "scan_status", &[at::file_id], |request, q, rows, _| {
        Box::pin(upload_scan::of_rows(request, q, rows, &[at::file_id]))
    });
    counts(b);
    b.object("DocumentViewing", &DOCUMENT_VIEWINGS);
    b.cursor("DocumentViewing");
    b.one("DocumentViewing", "user", &USERS, Link::Key(viewings::user_id));
}

fn counts(b: &mut Bindings) {
    b.batch(TYPE, "shared", COUNTED, |request, q, rows, _| {
        Box::pin(shares::answered(request, q, rows, PLACES, Asked::Any))
    });
    b.batch(TYPE, "shared_users_count", COUNTED, |request, q, rows, _| {
        Box::pin(shares::answered(request, q, rows, PLACES, Asked::People))
    });
    b.batch(TYPE, "shared_user_groups_count", COUNTED, |request, q, rows, _| {
        Box::pin(shares::answered(request, q, rows, PLACES, Asked::Groups))
    });
    b.count(TYPE, "users_count", &USERS, PEOPLE);
}

/// A link that opens the file for whoever asks, for seconds (behaviour 10).
fn link(request: &Request, blob: &str) -> Out {
    let now = request.instance.clock().wall();
    let link = FileLink {
        blob: blob.to_owned(),
        user_id: request.actor.user_id,
        proxy_id: request.actor.proxy_id.unwrap_or(0),
        expires: now.plus_micros(LINK_SECONDS * 1_000_000),
    };
    format!("{}/files/{}", request.base_url, request.instance.file_link(&link)).into()
}
