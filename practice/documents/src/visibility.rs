//! Who sees which document and folder (behaviour 31): one predicate a table.
//!
//! Of whatever is about a client nobody learns who does not see that client: of the
//! staff whoever sees them, of the clients they themselves, and whom the document is
//! shared with by name. Neither a group, nor a folder, nor a welcome opens it.

use ward_charting::proxy::open_groups;
use ward_clients::feature_toggle::{Switch, is_on_for};
use ward_identity::flags::CAN_SEE_DOCS;
use ward_identity::visibility::is_seen;
use ward_store::{Actor, Cond, Role, Rule, Value};

use crate::{EXPORT_TYPE, MANIFEST_TYPE};

/// A table with the sharings of another one.
#[derive(Clone, Copy)]
struct Sharings {
    table: &'static str,
    of: &'static str,
}

const OF_DOCUMENTS: Sharings = Sharings { table: "document_sharings", of: "document_id" };
const OF_FOLDERS: Sharings = Sharings { table: "folder_sharings", of: "folder_id" };

impl Sharings {
    /// Shared with somebody by name.
    fn by_name(self, org_id: i64, user_id: i64) -> Cond {
        let Sharings { table, of } = self;
        Cond::sql(
            format!(
                "{{t}}.id IN (SELECT s.{of} FROM {table} s WHERE s.org_id = ? AND s.user_id = ?)"
            ),
            [org_id.into(), user_id.into()],
        )
    }

    /// Shared with the group that a client is in at this moment.
    fn by_group(self, org_id: i64, client_id: i64) -> Cond {
        let Sharings { table, of } = self;
        Cond::sql(
            format!(
                "{{t}}.id IN (SELECT s.{of} FROM {table} s WHERE s.org_id = ? \
                 AND s.user_group_id = (SELECT g.user_group_id FROM users g \
                 WHERE g.org_id = ? AND g.id = ?))"
            ),
            [org_id.into(), org_id.into(), client_id.into()],
        )
    }
}

/// Shared with every client of the unit of the row, or of all units.
fn by_welcome(org_id: i64, client_id: i64) -> Cond {
    Cond::sql(
        "({t}.shared_on_welcome = TRUE AND {t}.unit_id IN (SELECT w.unit_id FROM users w \
         WHERE w.org_id = ? AND w.id = ? UNION ALL SELECT w.org_id FROM users w \
         WHERE w.org_id = ? AND w.id = ?))",
        [org_id.into(), client_id.into(), org_id.into(), client_id.into()],
    )
}

/// In one of the folders that a condition finds, or in a folder in one of them.
fn within(org_id: i64, folders: Cond, further: Cond) -> Cond {
    let (Cond::Sql(found, mut params), Cond::Sql(further, more)) =
        (and_true(folders), and_true(further))
    else {
        return Cond::Never;
    };
    let text = format!(
        "{{t}}.folder_id IN (WITH RECURSIVE opened(id) AS (\
         SELECT f.id FROM folders f WHERE f.org_id = ? AND f.deleted_at IS NULL AND ({}) \
         UNION SELECT c.id FROM folders c JOIN opened o ON c.folder_id = o.id \
         WHERE c.org_id = ? AND c.deleted_at IS NULL AND ({})) SELECT id FROM opened)",
        found.replace("{t}", "f"),
        further.replace("{t}", "c"),
    );
    params.insert(0, org_id.into());
    params.push(org_id.into());
    params.extend(more);
    Cond::Sql(text, params)
}

fn and_true(cond: Cond) -> Cond {
    match cond {
        Cond::Always => Cond::sql("TRUE", []),
        other => other,
    }
}

/// About nobody, or about this client.
fn about_nobody_else(client_id: i64) -> Cond {
    Cond::sql("({t}.rel_user_id IS NULL OR {t}.rel_user_id = ?)", [client_id.into()])
}

/// Folders that are shared with a client themselves, not through another one.
fn folders_shared_with(org_id: i64, client_id: i64) -> Cond {
    let by_name = OF_FOLDERS.by_name(org_id, client_id);
    let wide = OF_FOLDERS.by_group(org_id, client_id).or(by_welcome(org_id, client_id));
    about_nobody_else(client_id).and(by_name.or(wide))
}

/// Documents that are shared with a client in any way.
pub fn documents_shared_with(org_id: i64, client_id: i64) -> Cond {
    let shared = folders_shared_with(org_id, client_id);
    let wide = OF_DOCUMENTS
        .by_group(org_id, client_id)
        .or(by_welcome(org_id, client_id))
        .or(within(org_id, shared, about_nobody_else(client_id)));
    OF_DOCUMENTS.by_name(org_id, client_id).or(about_nobody_else(client_id).and(wide))
}

/// Folders that are shared with a client in any way.
pub fn all_folders_shared_with(org_id: i64, client_id: i64) -> Cond {
    let shared = folders_shared_with(org_id, client_id);
    let inside = within(org_id, shared.clone(), about_nobody_else(client_id));
    shared.or(about_nobody_else(client_id).and(inside))
}

/// Documents: a client's own uploads and what is shared with them, while their
/// feature toggle shows documents at all; a member's as [`of_member`] says.
pub fn documents(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Anonymous => Rule::none(),
        Role::Client => {
            let own = Cond::eq("owner_id", actor.user_id);
            let own = own.and(about_nobody_else(actor.user_id));
            let seen = own.or(documents_shared_with(actor.org_id, actor.user_id));
            // A list of all clients is nobody's but the staff's, wherever its folder is shared.
            let no_list = Cond::sql("{t}.file_content_type <> ?", [MANIFEST_TYPE.into()]);
            let open = open_to_proxy(actor);
            Rule::full(shows_documents(actor).and(seen).and(no_list).and(open))
        }
        Role::Member => {
            let charted =
                Cond::sql("({t}.rel_user_id IS NOT NULL AND {t}.include_in_charting = TRUE)", []);
            // What a client's export holds, a member may not otherwise see: it is for whoever
            // asked for it.
            let exports = [Value::from(EXPORT_TYPE), Value::from(MANIFEST_TYPE)];
            let kept = Cond::sql("{t}.file_content_type NOT IN (?, ?)", exports);
            Rule::full(of_member(actor, OF_DOCUMENTS, charted, kept))
        }
    }
}

/// Folders, likewise; a client's folder is in the chart as they are.
pub fn folders(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Anonymous => Rule::none(),
        Role::Client => {
            let seen = all_folders_shared_with(actor.org_id, actor.user_id);
            Rule::full(shows_documents(actor).and(seen))
        }
        Role::Member => {
            let charted = Cond::not_null("rel_user_id");
            Rule::full(of_member(actor, OF_FOLDERS, charted, Cond::Always))
        }
    }
}

/// A member's own; those of the units they may see that are in the chart, shared with
/// all members or with them, themselves or through a folder; with `can_see_docs` all.
/// Never what is about a client whom they do not see, and of what is not `kept` for all
/// only their own and what is shared with them by name.
fn of_member(actor: &Actor, sharings: Sharings, charted: Cond, kept: Cond) -> Cond {
    let own = Cond::eq("owner_id", actor.user_id);
    let all = Cond::is_true("shared_with_dietitians");
    let named = sharings.by_name(actor.org_id, actor.user_id);
    let others = match actor.has(CAN_SEE_DOCS.flag) {
        true => Cond::Always,
        false => {
            let units = actor.units("unit_id");
            let open = units.and(all.clone()).or(OF_FOLDERS.by_name(actor.org_id, actor.user_id));
            charted.or(all).or(within(actor.org_id, open, Cond::Always))
        }
    };
    let seen = own.or(named).or(actor.units("unit_id").and(others).and(kept));
    seen.and(is_seen(actor, "{t}.rel_user_id"))
}

/// For who acts for a client: nothing that was printed of forms or notes of which one is confidential or
/// deleted at this moment, or was confidential on paper, be it the only one or not (42 CFR 2.14), and no
/// archive.
fn open_to_proxy(actor: &Actor) -> Cond {
    match actor.proxy_id {
        None => Cond::Always,
        Some(_) => open_groups(actor, "printed_of").and(Cond::sql(
            "(({t}.printed_of IS NULL OR {t}.printed_confidential = FALSE) \
             AND {t}.disclosure_consent_id IS NULL AND {t}.file_content_type <> ?)",
            [EXPORT_TYPE.into()],
        )),
    }
}

fn shows_documents(actor: &Actor) -> Cond {
    is_on_for(actor, Switch::Documents)
}

/// Sharings of documents: with whoever sees the document; a client's own only.
pub fn document_sharings(actor: &Actor) -> Rule {
    of(actor, documents(actor), "documents", "document_id")
}

/// Sharings of folders, likewise.
pub fn folder_sharings(actor: &Actor) -> Rule {
    of(actor, folders(actor), "folders", "folder_id")
}

/// Who opened a document: for members who see both; a client knows of themselves, and so does who acts
/// for one, of documents that they see.
pub fn document_viewings(actor: &Actor) -> Rule {
    let rule = documents(actor);
    match actor.role {
        Role::Client => {
            let reader = actor.proxy_id.unwrap_or(actor.user_id);
            let seen = held(rule, "documents", "document_id");
            Rule::full(seen.and(Cond::eq("user_id", reader)))
        }
        Role::System | Role::Anonymous | Role::Member => {
            of(actor, rule, "documents", "document_id")
        }
    }
}

/// Rows that belong to one of another table and name a person.
fn of(actor: &Actor, rule: Rule, table: &str, column: &str) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Anonymous => Rule::none(),
        Role::Client if actor.proxy_id.is_none() => Rule::full(Cond::eq("user_id", actor.user_id)),
        Role::Client | Role::Member => {
            Rule::full(held(rule, table, column).and(match actor.proxy_id {
                None => is_seen(actor, "{t}.user_id"),
                Some(_) => Cond::eq("user_id", actor.user_id),
            }))
        }
    }
}

/// Rows that name one of another table by this column, which a rule opens in full.
fn held(rule: Rule, table: &str, column: &str) -> Cond {
    let (text, params): (String, Vec<Value>) = match rule.full {
        Cond::Sql(text, params) => (text.replace("{t}", "held"), params),
        Cond::Always => ("TRUE".to_owned(), Vec::new()),
        Cond::Never => return Cond::Never,
    };
    Cond::Sql(
        format!(
            "EXISTS (SELECT 1 FROM {table} held WHERE held.org_id = {{t}}.org_id \
             AND held.id = {{t}}.{column} AND ({text}))"
        ),
        params,
    )
}
