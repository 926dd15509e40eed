//! The library's rows. Ids are fixed, so snapshots can hold them.

use ward_instance::Timestamp;
use ward_store::{Actor, Day, Id, Json, Scope, StoreError, Tx, keyring};

use super::tables::{Author, AuthorKind, Book, BookTag, Tag};

/// Every id is this and a small number.
pub const BASE: i64 = 2_007_500_000;
/// The organization.
pub const ORG: i64 = BASE;

/// Author `n`'s id on the wire.
pub fn id(n: i64) -> String {
    (BASE + n).to_string()
}

/// An instant.
pub fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

/// Quotes, backslash, tab, new line, controls, a letter outside the BMP.
pub const ODD_NAME: &str = "Dora \"Q\" \\ \t\n\r\u{1}\u{7f}é🦀\u{2028}";

/// Book and tag.
pub const BOOK_TAGS: [(i64, i64); 7] = [(1, 1), (1, 2), (2, 1), (3, 3), (4, 1), (4, 3), (5, 1)];

/// Writes all rows in one transaction.
pub async fn library(tx: &mut Tx) -> Result<(), StoreError> {
    keyring::create_for(tx, ORG).await?;
    let actor = Actor::system(ORG);
    let mut scope = Scope::new(tx, &actor);
    for author in authors() {
        scope.create(&author).await?;
    }
    for book in books() {
        scope.create(&book).await?;
    }
    for (n, name) in [(1, "classic"), (2, "new"), (3, "odd"), (4, "unused")] {
        let tag = Tag { id: Id::new(BASE + n), org_id: Id::new(ORG), name: name.to_owned() };
        scope.create(&tag).await?;
    }
    for (book, tag) in BOOK_TAGS {
        let (book_id, tag_id) = (Id::new(BASE + book), Id::new(BASE + tag));
        scope.create(&BookTag { org_id: Id::new(ORG), book_id, tag_id }).await?;
    }
    Ok(())
}

/// Every author, the deleted one too.
pub fn authors() -> Vec<Author> {
    let day = |text: &str| Some(Day(text.parse().unwrap()));
    let ada = Author {
        email: Some("ada@example.org".into()),
        note: Some("likes tea".into()),
        born_on: day("1980-02-29"),
        extra: Some(Json(r#"{"a":[1,2.5,null,true,"x"]}"#.into())),
        secret_hash: Some("$argon2id$".into()),
        ..author(1, "Ada Ahlgren", Some(5), "2026-03-04T14:30:00Z")
    };
    let bo = Author {
        boss_id: boss(1),
        kind: AuthorKind::Poet,
        ..author(2, "bo Berg", Some(3), "2026-03-08T06:59:59Z")
    };
    let celik = Author {
        boss_id: boss(1),
        active: false,
        email: Some("celik@example.org".into()),
        ..author(3, "Çelik Ünal", None, "2026-03-08T07:00:00Z")
    };
    let dora = Author {
        boss_id: boss(2),
        email: Some("dora@example.org".into()),
        kind: AuthorKind::Critic,
        ..author(4, ODD_NAME, Some(3), "2026-11-01T05:30:00Z")
    };
    let eve = Author {
        boss_id: boss(6),
        email: Some("eve@example.org".into()),
        ..author(5, "Eve", Some(1), "2026-11-01T06:30:00Z")
    };
    let ghost = Author {
        deleted_at: Some(at("2026-01-01T00:00:00Z")),
        ..author(6, "Ghost", Some(4), "2026-01-01T00:00:00Z")
    };
    vec![ada, bo, celik, dora, eve, ghost]
}

fn boss(n: i64) -> Option<Id<Author>> {
    Some(Id::new(BASE + n))
}

/// An author with little.
pub fn author(n: i64, name: &str, rating: Option<i64>, joined_at: &str) -> Author {
    Author {
        id: Id::new(BASE + n),
        org_id: Id::new(ORG),
        name: name.to_owned(),
        email: None,
        note: None,
        born_on: None,
        joined_at: at(joined_at),
        rating,
        active: true,
        kind: AuthorKind::Novelist,
        extra: None,
        secret_hash: None,
        boss_id: None,
        version: 1,
        created_at: at("2026-01-01T00:00:00Z"),
        updated_at: at("2026-01-01T00:00:00Z"),
        deleted_at: None,
    }
}

/// Number, author, title, shelf, pages, cents.
type Row = (i64, i64, &'static str, Option<&'static str>, Option<i64>, Option<i64>);

const BOOKS: [Row; 10] = [
    (1, 1, "Apple", Some("B"), Some(100), Some(1250)),
    (2, 1, "apricot", None, None, None),
    (3, 1, "Banana", Some("a"), Some(300), Some(999)),
    (4, 2, "Cherry", Some("b"), Some(50), None),
    (5, 2, "Damson", Some("a"), Some(300), None),
    (6, 4, "Elder", None, Some(300), None),
    (7, 3, "Fig", Some("c"), Some(7), None),
    (8, 5, "Grape", Some("c"), Some(9), None),
    (9, 5, "#9 Hash", Some("c"), Some(9), None),
    (10, 5, "'Quote", Some("c"), Some(9), None),
];

/// Every book, the deleted one too.
pub fn books() -> Vec<Book> {
    BOOKS.iter().map(|row| book(row, (row.0 == 5).then(|| at("2026-01-01T00:00:00Z")))).collect()
}

fn book((n, author, title, shelf, pages, cents): &Row, deleted_at: Option<Timestamp>) -> Book {
    Book {
        id: Id::new(BASE + n),
        org_id: Id::new(ORG),
        author_id: Id::new(BASE + author),
        title: (*title).to_owned(),
        shelf: shelf.map(str::to_owned),
        pages: *pages,
        cents: *cents,
        deleted_at,
    }
}
