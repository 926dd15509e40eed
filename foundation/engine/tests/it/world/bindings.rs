//! What answers the library's fields.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;
use ward_engine::{
    Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Out, Permission, Refused, Request,
    RowView,
};
use ward_store::search::keyword_cond;
use ward_store::{Cond, Flag, Id, Join, Level, Query};

use super::tables::{AUTHORS, Author, BOOKS, TAGS, authors, books, tags};
use super::{mutations, subscriptions};

pub const SALARY: Permission = Permission { flag: Flag(3), name: "can_see_salaries" };
pub const VAULT: Permission = Permission { flag: Flag(4), name: "can_open_the_vault" };
pub const PUBLISH: Permission = Permission { flag: Flag(5), name: "can_publish" };

const AUTHOR_ORDERS: &[OrderOption] = &[
    OrderOption { name: "NAME", expression: "{t}.name_fold" },
    OrderOption { name: "JOINED_AT", expression: "{t}.joined_at" },
    OrderOption { name: "RATING", expression: "COALESCE({t}.rating, 9007199254740991)" },
];
const BOOK_ORDERS: &[OrderOption] = &[
    OrderOption { name: "TITLE", expression: "{t}.title_fold" },
    OrderOption { name: "SHELF", expression: "{t}.shelf_fold" },
    OrderOption { name: "PAGES", expression: "COALESCE({t}.pages, 9007199254740991)" },
    // A text key as it was typed: the cursor has to keep any first character.
    OrderOption { name: "WORN", expression: "{t}.title" },
];

const TAGGED: Link = Link::Join {
    parent: tags::id,
    join: Join { table: "book_tags", to: "book_id", from: "tag_id" },
};
const TAGS_OF: Link = Link::Join {
    parent: books::id,
    join: Join { table: "book_tags", to: "tag_id", from: "book_id" },
};
const WRITTEN: Link = Link::Column { parent: authors::id, child: "author_id" };

/// Everything but what is called `unbound`.
pub fn all() -> Bindings {
    let mut b = Bindings::new();
    queries(&mut b);
    author_fields(&mut b);
    b.object("Book", &BOOKS);
    b.one("Book", "author", &AUTHORS, Link::Key(books::author_id)).public();
    b.one("Book", "first_tag", &TAGS, TAGS_OF).public();
    b.many("Book", "tags", &TAGS, TAGS_OF).public();
    b.count("Book", "tags_count", &TAGS, TAGS_OF).public();
    b.column("Book", "strict_shelf", books::shelf);
    b.computed("Book", "price", &[books::cents], price).public();
    b.object("Tag", &TAGS);
    b.many("Tag", "books", &BOOKS, TAGGED).orders(BOOK_ORDERS, "TITLE_ASC").public();
    b.count("Tag", "books_count", &BOOKS, TAGGED).public();
    b.unserved(
        "# path | reason | domain\n\
         CreateAuthorInput.unserved | nobody sends it | library\n",
    );
    mutations::bind(&mut b);
    subscriptions::bind(&mut b);
    b
}

fn queries(b: &mut Bindings) {
    const LISTED: &[(&str, Kind)] =
        &[("active", Kind::Plain), ("ids", Kind::Ids("Author")), ("keywords", Kind::Plain)];
    b.query_one("author", &AUTHORS, one_author).args(&[("id", Kind::Id("Author"))]);
    b.query_one("strict_author", &AUTHORS, one_author).args(&[("id", Kind::Id("Author"))]);
    b.query_list("authors", &AUTHORS, some_authors).args(LISTED).orders(AUTHOR_ORDERS, "NAME_ASC");
    b.query_count("authorsCount", &AUTHORS, some_authors).args(LISTED);
    b.query_list("books", &BOOKS, all_of_it).orders(BOOK_ORDERS, "TITLE_ASC");
    b.query_count("booksCount", &BOOKS, all_of_it);
    b.query_list("tags", &TAGS, all_of_it);
    b.query_list("vault", &AUTHORS, all_of_it).requires(VAULT);
    b.computed("Query", "echo", &[], |_, _, args| format!("{args:?}").into()).args(&[
        ("at", Kind::Plain),
        ("day", Kind::Plain),
        ("extra", Kind::Plain),
        ("filter", Kind::Plain),
        ("flag", Kind::Plain),
        ("ids", Kind::Ids("Author")),
        ("kind", Kind::Plain),
        ("number", Kind::Plain),
        ("size", Kind::Plain),
        ("strict", Kind::Plain),
        ("text", Kind::Plain),
        ("texts", Kind::Plain),
    ]);
}

fn author_fields(b: &mut Bindings) {
    b.object("Author", &AUTHORS);
    b.cursor("Author");
    b.value_object("Address", &["city", "lines", "number", "strict", "more"]);
    b.one("Author", "boss", &AUTHORS, Link::Key(authors::boss_id)).public();
    b.one("Author", "first_book", &BOOKS, WRITTEN).public();
    b.many("Author", "books", &BOOKS, WRITTEN).orders(BOOK_ORDERS, "TITLE_ASC").public();
    b.many("Author", "all_books", &BOOKS, WRITTEN).orders(BOOK_ORDERS, "TITLE_ASC").public();
    b.many("Author", "loose_books", &BOOKS, WRITTEN).orders(BOOK_ORDERS, "TITLE_ASC").public();
    b.batch("Author", "books_count", &[authors::id], books_count).public();
    b.batch("Author", "broken", &[], |_, _, _, _| {
        async { Err(Refused::base("The printer is on fire.")) }.boxed()
    })
    .public();
    b.batch("Author", "lost", &[], |_, _, _, _| async { Err(Refused::not_found("id")) }.boxed())
        .public();
    b.column("Author", "strict_email", authors::email);
    b.computed("Author", "salary", &[authors::rating], salary).requires(SALARY);
    b.computed("Author", "strict_salary", &[authors::rating], salary).requires(SALARY);
    b.computed("Author", "score", &[authors::rating], |_, row, _| {
        row.get(authors::rating).int().map_or(Out::Null, |rating| Out::Float(rating as f64 / 2.0))
    })
    .public();
    b.computed("Author", "shout", &[authors::name], shout)
        .args(&[("times", Kind::Plain), ("with", Kind::Plain)])
        .public();
    b.computed("Author", "address", &[authors::name], |_, row, _| address(row)).limited();
    b.computed("Author", "places", &[authors::name], |_, row, _| {
        Out::List(vec![address(row), Out::Json(json!({"city": "Nowhere"}))])
    });
}

fn address(row: &RowView<'_>) -> Out {
    Out::Json(json!({
        "city": row.text(authors::name),
        "lines": ["1 Main St", "Floor 2"],
        "number": 7,
        "strict": "s",
        "more": {"list": [1, {"a": null}], "text": "t"},
    }))
}

fn salary(_: &Request, row: &RowView<'_>, _: &Args) -> Out {
    row.get(authors::rating).int().map(|rating| rating * 1000).into()
}

fn shout(_: &Request, row: &RowView<'_>, args: &Args) -> Out {
    let times = usize::try_from(args.int("times").unwrap_or(0)).unwrap();
    let mark = args.text("with").unwrap_or("").repeat(times);
    format!("{}{mark}", row.text(authors::name).unwrap()).into()
}

fn price(_: &Request, row: &RowView<'_>, _: &Args) -> Out {
    row.get(books::cents).int().map_or(Out::Null, |cents| Out::Float(cents as f64 / 100.0))
}

/// One statement for all rows of the level.
fn books_count<'a>(
    request: &'a Request,
    conn: &'a mut dyn Query,
    rows: Vec<RowView<'a>>,
    _: &'a Args,
) -> BoxFuture<'a, Answer<Vec<Out>>> {
    async move {
        let mut sql = ward_store::Sql::fixed(
            "SELECT author_id, COUNT(*) FROM books WHERE deleted_at IS NULL AND author_id",
            [],
        );
        let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(authors::id).int()).collect();
        sql.bind_in(ids.clone()).push(" GROUP BY author_id");
        let found = conn.rows(&sql).await?;
        let count = |id: &i64| {
            let row = found.iter().find(|row| row[0].int() == Some(*id));
            Out::Int(row.and_then(|row| row[1].int()).unwrap_or(0))
        };
        assert_eq!(request.db.engine(), conn.engine());
        Ok(ids.iter().map(count).collect())
    }
    .boxed()
}

fn one_author(request: &Request, args: &Args) -> Answer<Listing> {
    let id: Option<Id<Author>> = args.get("id", request)?;
    Ok(Listing::of(id.map_or(Cond::Never, |id| Cond::eq("id", id.0))).public())
}

fn some_authors(request: &Request, args: &Args) -> Answer<Listing> {
    let mut filter = Cond::Always;
    if let Some(active) = args.bool("active") {
        filter = filter.and(Cond::eq("active", active));
    }
    if let Some(ids) = args.get::<Vec<Id<Author>>>("ids", request)? {
        filter = filter.and(Cond::is_in("id", &ids.iter().map(|id| id.0).collect::<Vec<_>>()));
    }
    if let Some(words) = args.text("keywords") {
        filter = filter.and(keyword_cond(&AUTHORS, request.actor.org_id, words));
    }
    Ok(Listing::of(filter).public())
}

fn all_of_it(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::all().public())
}

/// The levels of the served fields, for the visibility table.
pub fn level_of(bindings: &Bindings, type_name: &str, field: &str) -> Level {
    bindings.get(type_name, field).unwrap().level
}
