//! Tables of a small library: authors, their books, tags on books.

use ward_instance::Timestamp;
use ward_store::system::{self, Tenant};
use ward_store::{
    Actor, Cond, Day, Id, Json, Key, Reference, Role, Rule, Table, index, record, text_enum, unique,
};

text_enum! {
    /// What somebody writes.
    pub enum AuthorKind { Novelist = "NOVELIST", Poet = "POET", Critic = "CRITIC" }
}

record! {
    /// Somebody who writes.
    pub struct Author in AUTHORS, authors {
        id: Id<Author> [public],
        org_id: Id<Tenant>,
        name: String [public folded searched],
        email: Option<String> [limited],
        note: Option<String> [sealed],
        born_on: Option<Day> [public],
        joined_at: Timestamp [public],
        rating: Option<i64> [public],
        active: bool [public],
        kind: AuthorKind [public],
        extra: Option<Json> [public],
        secret_hash: Option<String> [secret],
        boss_id: Option<Id<Author>> [public],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "name_fold", "id"])],
    references: [],
    audit: Some("AUTHOR"),
    visible: who_sees_an_author,
}

record! {
    /// What somebody wrote.
    pub struct Book in BOOKS, books {
        id: Id<Book> [public],
        org_id: Id<Tenant>,
        author_id: Id<Author> [public],
        title: String [public folded],
        shelf: Option<String> [public folded],
        pages: Option<i64> [public],
        cents: Option<i64> [public],
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "author_id"])],
    references: [],
    audit: None,
    visible: everybody,
}

record! {
    /// A word on a book.
    pub struct Tag in TAGS, tags {
        id: Id<Tag> [public],
        org_id: Id<Tenant>,
        name: String [public],
    }
    key: Key::Id,
    indexes: [unique(&["org_id", "name"])],
    references: [],
    audit: None,
    visible: everybody,
}

record! {
    /// Which tag is on which book.
    pub struct BookTag in BOOK_TAGS, book_tags {
        org_id: Id<Tenant>,
        book_id: Id<Book>,
        tag_id: Id<Tag>,
    }
    key: Key::Columns(&["org_id", "book_id", "tag_id"]),
    indexes: [],
    references: [Reference {
        columns: &["org_id", "book_id"],
        table: "books",
        target: &["org_id", "id"],
    }],
    audit: None,
    visible: |_| Rule::none(),
}

/// Members see all; an author sees themselves in full, active ones in part and
/// of everybody what is public; a stranger the public part of active ones.
fn who_sees_an_author(actor: &Actor) -> Rule {
    match actor.role {
        Role::Member | Role::System => Rule::full(Cond::Always),
        Role::Client => Rule::full(Cond::eq("id", actor.user_id))
            .limited(Cond::is_true("active"))
            .public(Cond::Always),
        Role::Anonymous => Rule::none().public(Cond::is_true("active")),
    }
}

fn everybody(actor: &Actor) -> Rule {
    match actor.role {
        Role::Anonymous => Rule::none().public(Cond::Always),
        _ => Rule::full(Cond::Always),
    }
}

/// These and the store's own.
pub fn all() -> Vec<&'static Table> {
    let mut tables = system::tables();
    tables.extend([&AUTHORS, &BOOKS, &TAGS, &BOOK_TAGS]);
    tables
}
