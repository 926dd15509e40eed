//! Which rows the domain's lists answer, by their arguments, and in which orders
//! (behaviour 7, 8, 31). Visibility comes on top and is not here.

use ward_engine::{Answer, Args, FromIn, Kind, Listing, OrderOption, Request};
use ward_identity::tables::{USERS, User};
use ward_identity::visibility::sees_user;
use ward_store::{Actor, Cond, Entity, Id, Rule, Value};

use crate::file::SORTS;
use crate::shareable;
use crate::tables::{DOCUMENTS, Document, FOLDERS, Folder};
use crate::visibility::{self, all_folders_shared_with, documents_shared_with};

const USER: Kind = Kind::Id(User::NAME);
const FOLDER: Kind = Kind::Id(Folder::NAME);

/// Arguments of `documents`.
pub const DOCUMENTS_ARGS: &[(&str, Kind)] = &[
    ("consolidated_user_id", USER),
    ("file_type", Kind::Plain),
    ("file_types", Kind::Plain),
    ("filter", Kind::Plain),
    ("folder_id", FOLDER),
    ("for_template_use", Kind::Plain),
    ("keywords", Kind::Plain),
    ("private_user_id", USER),
    ("provider_id", USER),
    ("viewable_user_id", USER),
];

/// Arguments of `documentsCount`.
pub const DOCUMENTS_COUNT_ARGS: &[(&str, Kind)] = &[
    ("consolidated_user_id", USER),
    ("file_type", Kind::Plain),
    ("filter", Kind::Plain),
    ("folder_id", FOLDER),
    ("keywords", Kind::Plain),
    ("private_user_id", USER),
    ("provider_id", USER),
    ("viewable_user_id", USER),
];

/// Arguments of `folders`.
pub const FOLDERS_ARGS: &[(&str, Kind)] = &[
    ("client_id", USER),
    ("consolidated_user_id", USER),
    ("document_to_move_id", Kind::Id(Document::NAME)),
    ("filter", Kind::Plain),
    ("folder_id", FOLDER),
    ("folder_to_move_id", FOLDER),
    ("for_template_use", Kind::Plain),
    ("keywords", Kind::Plain),
    ("private_user_id", USER),
    ("provider_id", USER),
    ("viewable_user_id", USER),
];

/// Arguments of `foldersCount`.
pub const FOLDERS_COUNT_ARGS: &[(&str, Kind)] = &[
    ("consolidated_user_id", USER),
    ("filter", Kind::Plain),
    ("folder_id", FOLDER),
    ("keywords", Kind::Plain),
    ("private_user_id", USER),
    ("provider_id", USER),
    ("viewable_user_id", USER),
];

const CREATED_AT: OrderOption = OrderOption { name: "CREATED_AT", expression: "{t}.created_at" };
/// The older words of `sort_by` (behaviour 7).
const NEWEST: OrderOption = OrderOption { name: "NEWESTFIRST", expression: "(0 - {t}.created_at)" };
const OLDEST: OrderOption = OrderOption { name: "OLDESTFIRST", expression: "{t}.created_at" };

/// What documents can be ordered by.
pub const DOCUMENT_ORDERS: &[OrderOption] = &[
    OrderOption { name: "NAME", expression: "{t}.display_name_fold" },
    CREATED_AT,
    NEWEST,
    OLDEST,
];

/// What folders can be ordered by.
pub const FOLDER_ORDERS: &[OrderOption] =
    &[OrderOption { name: "NAME", expression: "{t}.name_fold" }, CREATED_AT, NEWEST, OLDEST];

/// What viewings are ordered by.
pub const VIEWED: &[OrderOption] =
    &[OrderOption { name: "VIEWED_AT", expression: "{t}.viewed_at" }];

/// An argument that is an id; a blank one says nothing.
fn id<R: Entity>(args: &Args, name: &str, request: &Request) -> Answer<Option<Id<R>>>
where
    Id<R>: FromIn,
{
    match args.text(name) {
        Some(_) => args.get(name, request),
        None => Ok(None),
    }
}

/// Arguments that both lists have, on a table whose shared rows `shared` finds.
struct Common {
    cond: Cond,
    named: Vec<i64>,
}

fn common(request: &Request, args: &Args, shared: fn(i64, i64) -> Cond) -> Answer<Common> {
    let org_id = request.actor.org_id;
    let mut it = Common { cond: Cond::Always, named: Vec::new() };
    let about = |client: Id<User>| Cond::eq("rel_user_id", client.0);
    let mut narrow = |client: Id<User>, cond: Cond| {
        // Of whom the caller does not see, nothing is told by what is found.
        let cond = cond.and(sees_user(&request.actor, client));
        it.cond = std::mem::replace(&mut it.cond, Cond::Always).and(cond);
        it.named.push(client.0);
    };
    if let Some(client) = id::<User>(args, "private_user_id", request)? {
        narrow(client, about(client));
    }
    if let Some(client) = id::<User>(args, "viewable_user_id", request)? {
        narrow(client, shared(org_id, client.0));
    }
    for name in ["consolidated_user_id", "client_id"] {
        if let Some(client) = id::<User>(args, name, request)? {
            narrow(client, about(client).or(shared(org_id, client.0)));
        }
    }
    if let Some(folder) = id::<Folder>(args, "folder_id", request)? {
        it.cond = it.cond.and(Cond::eq("folder_id", folder.0));
    }
    if let Some(provider) = id::<User>(args, "provider_id", request)? {
        it.cond = it.cond.and(Cond::eq("owner_id", provider.0));
    }
    // What is made for a client is no template.
    if args.flag("for_template_use") {
        it.cond = it.cond.and(Cond::is_null("rel_user_id"));
    }
    match args.text("filter").map(str::to_ascii_lowercase).as_deref() {
        Some("mine" | "own" | "owned") => {
            it.cond = it.cond.and(Cond::eq("owner_id", request.actor.user_id));
        }
        Some("private") => it.cond = it.cond.and(Cond::not_null("rel_user_id")),
        Some("organization" | "org") => {
            it.cond = it.cond.and(Cond::is_true("shared_with_dietitians"));
        }
        _ => {}
    }
    Ok(it)
}

/// `documents` and `documentsCount`.
pub fn documents(request: &Request, args: &Args) -> Answer<Listing> {
    let Common { mut cond, named } = common(request, args, documents_shared_with)?;
    let mut words: Vec<String> = args.get("file_types", request)?.unwrap_or_default();
    words.extend(args.text("file_type").map(str::to_owned));
    if let Some(of_types) = of_types(&words) {
        cond = cond.and(of_types);
    }
    let listing = Listing::of(cond).naming(&USERS, named);
    Ok(listing.searching(&DOCUMENTS, request, args.text("keywords")))
}

/// `folders` and `foldersCount`.
pub fn folders(request: &Request, args: &Args) -> Answer<Listing> {
    let Common { mut cond, named } = common(request, args, all_folders_shared_with)?;
    if let Some(document) = id::<Document>(args, "document_to_move_id", request)? {
        cond = cond.and(takes(document, visibility::documents(&request.actor)));
    }
    if let Some(folder) = id::<Folder>(args, "folder_to_move_id", request)? {
        cond = cond.and(outside(folder, &request.actor));
    }
    let listing = Listing::of(cond).naming(&USERS, named);
    Ok(listing.searching(&FOLDERS, request, args.text("keywords")))
}

/// Folders that a document can be moved to, if the caller sees it: nobody's and its client's, but the
/// one that it is in.
fn takes(document: Id<Document>, rule: Rule) -> Cond {
    let (seen, more) = seen(rule);
    let text = format!(
        "EXISTS (SELECT 1 FROM documents moved WHERE moved.org_id = {{t}}.org_id AND moved.id = ? \
         AND moved.deleted_at IS NULL AND ({{t}}.rel_user_id IS NULL OR {{t}}.rel_user_id = moved.rel_user_id) \
         AND (moved.folder_id IS NULL OR moved.folder_id <> {{t}}.id) AND ({seen}))"
    );
    let mut params: Vec<Value> = vec![document.0.into()];
    params.extend(more);
    Cond::Sql(text, params)
}

/// Folders that are neither this one, which the caller has to see, nor in it, of the same client.
fn outside(folder: Id<Folder>, actor: &Actor) -> Cond {
    let (seen, more) = seen(visibility::folders(actor));
    let org_id = actor.org_id;
    let text = format!(
        "({{t}}.id NOT IN (WITH RECURSIVE inside(id) AS (SELECT s.id FROM folders s \
         WHERE s.org_id = ? AND s.id = ? UNION SELECT c.id FROM folders c \
         JOIN inside i ON c.folder_id = i.id WHERE c.org_id = ?) SELECT id FROM inside) \
         AND EXISTS (SELECT 1 FROM folders moved WHERE moved.org_id = ? AND moved.id = ? AND moved.deleted_at IS NULL \
         AND COALESCE(moved.rel_user_id, 0) = COALESCE({{t}}.rel_user_id, 0) AND ({seen})))"
    );
    let mut params: Vec<Value> =
        vec![org_id.into(), folder.0.into(), org_id.into(), org_id.into(), folder.0.into()];
    params.extend(more);
    Cond::Sql(text, params)
}

/// That the caller sees the row `moved`: of what they do not, nothing is told by what is found.
fn seen(rule: Rule) -> (String, Vec<Value>) {
    match rule.full {
        Cond::Sql(text, params) => (text.replace("{t}", "moved"), params),
        Cond::Always => ("TRUE".to_owned(), Vec::new()),
        Cond::Never => ("FALSE".to_owned(), Vec::new()),
    }
}

/// Documents of these sorts, by family (`pdf`, `image`) or by the end of a name;
/// nothing when all are wanted.
fn of_types(words: &[String]) -> Option<Cond> {
    let words: Vec<String> = words.iter().map(|it| it.trim().to_ascii_lowercase()).collect();
    if words.is_empty() || words.iter().any(|it| it.is_empty() || it == "all") {
        return None;
    }
    let mut types: Vec<&str> = Vec::new();
    for word in &words {
        let word = word.trim_end_matches('s');
        let of = SORTS.iter().filter(|it| it.is_called(word)).map(|it| it.content_type);
        types.extend(of);
    }
    let mut cond = Cond::Never;
    for content_type in types {
        cond = cond.or(Cond::eq("file_content_type", content_type));
    }
    if words.iter().any(|it| it == "other") {
        for sort in SORTS.iter().filter(|it| !["pdf", "image"].contains(&it.family)) {
            cond = cond.or(Cond::eq("file_content_type", sort.content_type));
        }
        cond = cond.or(Cond::eq("file_content_type", crate::file::BYTES));
    }
    Some(cond)
}

/// A care plan, which another domain has: documents are found by whether they are in one.
pub struct CarePlanRef;

impl Entity for CarePlanRef {
    const NAME: &'static str = "CarePlan";
}

/// `document`; where a care plan is named, only if it is in that.
pub fn document(request: &Request, args: &Args) -> Answer<Listing> {
    let plan = id::<CarePlanRef>(args, "care_plan_id", request)?;
    let Some(id) = id::<Document>(args, "id", request)? else { return Ok(Listing::none()) };
    let cond = Cond::eq("id", id.0);
    let Some(plan) = plan else { return Ok(Listing::of(cond)) };
    let in_plan = "EXISTS (SELECT 1 FROM care_plan_connections c WHERE c.org_id = {t}.org_id \
         AND c.document_id = {t}.id AND c.care_plan_id = ? AND c.deleted_at IS NULL)";
    Ok(Listing::of(cond.and(Cond::sql(in_plan.to_owned(), [plan.0.into()]))))
}

/// `folder`.
pub fn folder(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<Folder>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}

/// `shareable`, where a document is asked for.
pub fn shareable_document(request: &Request, args: &Args) -> Answer<Listing> {
    match args.text("shareable_type") {
        Some(shareable::DOCUMENT) => document(request, args),
        _ => Ok(Listing::none()),
    }
}

/// `shareable`, where a folder is asked for.
pub fn shareable_folder(request: &Request, args: &Args) -> Answer<Listing> {
    match args.text("shareable_type") {
        Some(shareable::FOLDER) => folder(request, args),
        _ => Ok(Listing::none()),
    }
}

/// `documentViewings` and its count.
pub fn viewings(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<Document>(args, "document_id", request)?;
    Ok(id.map_or_else(Listing::all, |id| Listing::of(Cond::eq("document_id", id.0))))
}
