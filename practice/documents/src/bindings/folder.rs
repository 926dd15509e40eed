//! `Folder`.

use ward_clients::tables::USER_GROUPS;
use ward_engine::{Bindings, Kind, Link, OrderOption, Out};
use ward_identity::bindings::USER_ORDERS;
use ward_identity::tables::{USERS, User};
use ward_store::{Entity, Join};

use crate::bindings::shares::{self, Asked, Sharings};
use crate::tables::{DOCUMENTS, FOLDERS, folders as at};

const TYPE: &str = "Folder";
const SHARINGS: Sharings = Sharings { table: "folder_sharings", of: "folder_id" };
const PEOPLE: Link = Link::Join {
    parent: at::id,
    join: Join { table: SHARINGS.table, to: "user_id", from: "folder_id" },
};
const GROUPS: Link = Link::Join {
    parent: at::id,
    join: Join { table: SHARINGS.table, to: "user_group_id", from: "folder_id" },
};
/// Each folder with those that it is in, itself included, and how far they are.
const ABOVE: &str = "(WITH RECURSIVE above(org_id, start, id, up, far) AS (\
     SELECT f.org_id, f.id, f.id, f.folder_id, CAST(0 AS BIGINT) FROM folders f \
     UNION ALL SELECT a.org_id, a.start, f.id, f.folder_id, a.far + 1 FROM folders f \
     JOIN above a ON f.org_id = a.org_id AND f.id = a.up WHERE a.far < 40) \
     SELECT org_id, start, id, far FROM above)";
const OUTERMOST: &[OrderOption] = &[OrderOption { name: "FAR", expression: "j.far" }];
const COUNTED: &[usize] = &[at::id, at::shared_on_welcome, at::shared_with_dietitians];
const PLACES: (Sharings, usize, usize, usize) =
    (SHARINGS, at::id, at::shared_on_welcome, at::shared_with_dietitians);

/// Binds the type.
pub fn bind(b: &mut Bindings) {
    b.object(TYPE, &FOLDERS);
    // What Ward makes by itself is no folder.
    b.computed(TYPE, "system_generated", &[at::owner_id], |_, row, _| {
        (row.get(at::owner_id).int() == Some(0)).into()
    });
    // No operation of the contract writes one.
    b.computed(TYPE, "description", &[], |_, _, _| Out::Null);
    b.computed(TYPE, "can_only_share", &[at::owner_id], |request, row, _| {
        (request.actor.is_member() && !shares::editable(request, row, at::owner_id)).into()
    });
    b.computed(TYPE, "current_user_can_edit", &[at::owner_id], |request, row, _| {
        shares::editable(request, row, at::owner_id).into()
    });
    b.one(TYPE, "owner", &USERS, Link::Key(at::owner_id));
    b.one(TYPE, "rel_user", &USERS, Link::Key(at::rel_user_id));
    b.one(TYPE, "parent_folder", &FOLDERS, Link::Key(at::folder_id));
    // From the outermost on, as far as the caller sees them, itself at the end.
    let path = Link::Join { parent: at::id, join: Join { table: ABOVE, to: "id", from: "start" } };
    b.many(TYPE, "folder_path", &FOLDERS, path).orders(OUTERMOST, "FAR_DESC");
    b.many(TYPE, "users", &USERS, PEOPLE).orders(USER_ORDERS, "LAST_NAME_ASC");
    b.many(TYPE, "user_groups", &USER_GROUPS, GROUPS);
    let inside = Link::Column { parent: at::id, child: "folder_id" };
    b.count(TYPE, "documents_count", &DOCUMENTS, inside);
    b.count(TYPE, "subfolders_count", &FOLDERS, inside);
    const SINCE: &[usize] = &[at::id, at::created_at, at::folder_id];
    b.batch(TYPE, "created_at", SINCE, |request, q, rows, args| {
        let places = (SHARINGS, at::id, at::created_at, at::folder_id);
        Box::pin(shares::visible_since(request, q, rows, places, args))
    })
    .args(&[("viewable_user_id", Kind::Id(User::NAME))]);
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
