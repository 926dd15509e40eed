//! Relations: one statement for all parents of a level, whatever their number;
//! who sees what through them.

use expect_test::expect;
use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::{Actor, Id, Level, Scope};

use crate::world::bindings::{self, level_of};
use crate::world::seed::{self, BASE, ORG};
use crate::world::tables::{AUTHORS, Book};
use crate::world::{World, author, texts};

cases!(
    a_level_without_parents_asks_nothing,
    one_by_key,
    one_is_the_first_of_many,
    through_a_table_between,
    counts_by_parent,
    deleted_rows_are_nowhere,
    levels_of_a_row_hide_its_fields,
    a_stranger_sees_the_public_part_through_relations,
    nothing_is_found_without_an_error,
    a_relation_is_one_statement_for_all_parents,
    too_many_objects_are_refused,
);

/// 50 more authors with three books each.
async fn many(w: &World) {
    if w.number("SELECT COUNT(*) FROM authors").await > 50 {
        return;
    }
    let made = w.db.write(|tx| {
        Box::pin(async move {
            let actor = Actor::system(ORG);
            let mut scope = Scope::new(tx, &actor);
            for n in 1..=50 {
                let name = format!("Zz {n:02}");
                scope.create(&seed::author(1000 + n, &name, None, "2026-01-01T00:00:00Z")).await?;
                for m in 1..=3 {
                    let book = Book {
                        id: Id::new(BASE + 1000 + n * 10 + m),
                        org_id: Id::new(ORG),
                        author_id: Id::new(BASE + 1000 + n),
                        title: format!("Book {m}"),
                        shelf: None,
                        pages: None,
                        cents: None,
                        deleted_at: None,
                    };
                    scope.create(&book).await?;
                }
            }
            Ok::<_, ward_store::StoreError>(())
        })
    });
    made.await.unwrap();
}

async fn statements(w: &World, view: ViewId, query: &str) -> (usize, Json) {
    let reply = w.ask(view, query).reply().await;
    let body: Json = serde_json::from_slice(&reply.body).unwrap();
    assert!(body.get("errors").is_none(), "{body}");
    (reply.statements, body["data"].clone())
}

async fn a_relation_is_one_statement_for_all_parents(w: World) {
    many(&w).await;
    for (fields, wanted) in [
        ("id", 1),
        ("all_books { id }", 2),
        ("books { id }", 2),
        ("first_book { id }", 2),
        ("boss { id }", 2),
        ("books_count", 2),
        ("all_books { id author { id } tags { id } tags_count first_tag { id } }", 6),
        ("all_books { author { all_books { author { name } } } }", 5),
        ("a: all_books { id } b: all_books { id }", 3),
    ] {
        let query = format!("{{ authors(page_size: 56) {{ {fields} }} }}");
        let (count, data) = statements(&w, ViewId::Baseline, &query).await;
        assert_eq!(count, wanted, "{fields}");
        assert_eq!(data["authors"].as_array().unwrap().len(), 55);
    }
    let query =
        "{ authors(keywords: \"Zz\", page_size: 50) { all_books { title author { name } } } }";
    let (_, data) = statements(&w, ViewId::Baseline, query).await;
    for (n, author) in data["authors"].as_array().unwrap().iter().enumerate() {
        assert_eq!(texts(&author["all_books"], "title"), ["Book 1", "Book 2", "Book 3"]);
        let writer = &author["all_books"][0]["author"]["name"];
        assert_eq!(writer.as_str().unwrap(), format!("Zz {:02}", n + 1));
    }
    let connection = "{ authors(first: 56) { nodes { all_books { id } } } }";
    assert_eq!(statements(&w, ViewId::V2026, connection).await.0, 2);
    // Pages of all parents: one statement for the rows, one for how many.
    let pages =
        "{ authors(first: 56) { nodes { books(first: 2) { total_count nodes { title } } } } }";
    let (count, data) = statements(&w, ViewId::V2026, pages).await;
    assert_eq!(count, 3);
    let last = data["authors"]["nodes"].as_array().unwrap().last().unwrap();
    assert_eq!(last["books"]["total_count"], 3);
    assert_eq!(texts(&last["books"]["nodes"], "title"), ["Book 1", "Book 2"]);
    let counted = "{ authors(first: 56) { total_count nodes { id } edges { node { name } } } }";
    assert_eq!(statements(&w, ViewId::V2026, counted).await.0, 2);
}

async fn a_level_without_parents_asks_nothing(w: World) {
    let query = "{ authors(ids: []) { all_books { tags { id } } first_book { id } } authorsCount(ids: []) }";
    let (count, data) = statements(&w, ViewId::Baseline, query).await;
    expect![[r#"{"authors":[],"authorsCount":0}"#]].assert_eq(&data.to_string());
    assert_eq!(count, 0);
}

async fn one_by_key(w: World) {
    let query = "{ authors(ids: [\"2007500001\", 2007500002, 2007500004, 2007500005]) { \
        name boss { id name boss { id } } } }";
    let mut answer = w.baseline(query).await;
    // The last one's boss is deleted.
    let authors = answer["data"]["authors"].as_array_mut().unwrap();
    for author in authors.iter_mut().filter(|it| it["name"] == seed::ODD_NAME) {
        author["name"] = "odd".into();
    }
    expect![[r#"[{"name":"Ada Ahlgren","boss":null},{"name":"bo Berg","boss":{"id":"2007500001","name":"Ada Ahlgren","boss":null}},{"name":"odd","boss":{"id":"2007500002","name":"bo Berg","boss":{"id":"2007500001"}}},{"name":"Eve","boss":null}]"#]].assert_eq(&Json::from(authors.clone()).to_string());
}

async fn one_is_the_first_of_many(w: World) {
    let query = "{ authors { id first_book { id author { id } } } }";
    expect![[r#"{"data":{"authors":[{"id":"2007500001","first_book":{"id":"2007500001","author":{"id":"2007500001"}}},{"id":"2007500002","first_book":{"id":"2007500004","author":{"id":"2007500002"}}},{"id":"2007500003","first_book":{"id":"2007500007","author":{"id":"2007500003"}}},{"id":"2007500004","first_book":{"id":"2007500006","author":{"id":"2007500004"}}},{"id":"2007500005","first_book":{"id":"2007500008","author":{"id":"2007500005"}}}]}}"#]].assert_eq(&w.baseline(query).await.to_string());
    let query = "{ books(page_size: 4, order_by: TITLE_DESC) { title first_tag { name } } }";
    expect![[r#"{"data":{"books":[{"title":"Grape","first_tag":null},{"title":"Fig","first_tag":null},{"title":"Elder","first_tag":null},{"title":"Cherry","first_tag":{"name":"classic"}}]}}"#]].assert_eq(&w.baseline(query).await.to_string());
}

async fn through_a_table_between(w: World) {
    let query = "{ tags { name books { title tags { name } } } }";
    expect![[r#"{"data":{"tags":[{"name":"classic","books":[{"title":"Apple","tags":[{"name":"classic"},{"name":"new"}]},{"title":"apricot","tags":[{"name":"classic"}]},{"title":"Cherry","tags":[{"name":"classic"},{"name":"odd"}]}]},{"name":"new","books":[{"title":"Apple","tags":[{"name":"classic"},{"name":"new"}]}]},{"name":"odd","books":[{"title":"Banana","tags":[{"name":"odd"}]},{"title":"Cherry","tags":[{"name":"classic"},{"name":"odd"}]}]},{"name":"unused","books":[]}]}}"#]].assert_eq(&w.baseline(query).await.to_string());
    let query =
        "{ tags(first: 2) { nodes { name books(first: 1) { total_count nodes { title } } } } }";
    expect![[r#"{"data":{"tags":{"nodes":[{"name":"classic","books":{"total_count":3,"nodes":[{"title":"Apple"}]}},{"name":"new","books":{"total_count":1,"nodes":[{"title":"Apple"}]}}]}}}"#]].assert_eq(&w.v2026(query).await.to_string());
}

async fn counts_by_parent(w: World) {
    let query = "{ tags { name books_count } books(page_size: 20) { title tags_count } \
        authors { id books_count } authorsCount booksCount active: authorsCount(active: true) }";
    expect![[r##"{"data":{"tags":[{"name":"classic","books_count":3},{"name":"new","books_count":1},{"name":"odd","books_count":2},{"name":"unused","books_count":0}],"books":[{"title":"#9 Hash","tags_count":0},{"title":"'Quote","tags_count":0},{"title":"Apple","tags_count":2},{"title":"apricot","tags_count":1},{"title":"Banana","tags_count":1},{"title":"Cherry","tags_count":2},{"title":"Elder","tags_count":0},{"title":"Fig","tags_count":0},{"title":"Grape","tags_count":0}],"authors":[{"id":"2007500001","books_count":3},{"id":"2007500002","books_count":1},{"id":"2007500003","books_count":1},{"id":"2007500004","books_count":1},{"id":"2007500005","books_count":3}],"authorsCount":5,"booksCount":9,"active":4}}"##]].assert_eq(&w.baseline(query).await.to_string());
}

async fn deleted_rows_are_nowhere(w: World) {
    let query = "{ author(id: 2007500006) { id } authors(ids: [2007500006]) { id } \
        authorsCount(ids: [2007500006]) }";
    expect![[r#"{"data":{"author":null,"authors":[],"authorsCount":0}}"#]]
        .assert_eq(&w.baseline(query).await.to_string());
    // Nor through relations: the deleted book of author 2 and the deleted boss.
    let query = "{ author(id: 2007500002) { all_books { title } first_book { title } books_count } \
        eve: author(id: 2007500005) { boss { id } } }";
    expect![[r#"{"data":{"author":{"all_books":[{"title":"Cherry"}],"first_book":{"title":"Cherry"},"books_count":1},"eve":{"boss":null}}}"#]].assert_eq(&w.baseline(query).await.to_string());
}

/// Each column of an author, as each actor: above the row's level it is null.
async fn levels_of_a_row_hide_its_fields(w: World) {
    let bindings = bindings::all();
    let served = |name: &str| bindings.get("Author", name).is_some();
    let fields: Vec<&str> =
        AUTHORS.columns.iter().map(|column| column.name).filter(|name| served(name)).collect();
    assert!(!fields.contains(&"secret_hash"), "secret columns are not even bound");
    // Those that the contract has and no row of the library leaves empty.
    let asked = ["id", "name", "email", "note", "joined_at", "extra", "born_on"];
    let query = format!(
        "{{ author(id: 2007500001) {{ {} address {{ city }} places {{ city strict }} score }} }}",
        asked.join(" ")
    );
    for (actor, level) in
        [(crate::world::member(), 3), (author(1), 3), (author(2), 2), (Actor::anonymous(), 1)]
    {
        let data = w.ask(ViewId::V2026, &query).actor(actor).run().await;
        for field in asked {
            let least = level_of(&bindings, "Author", field);
            let seen = !data["data"]["author"][field].is_null();
            assert_eq!(seen, Level::from_number(level) >= least, "{field} {level}: {data}");
        }
        assert_eq!(data["data"]["author"]["address"].is_null(), level < 2, "{data}");
        assert_eq!(data["data"]["author"]["places"].is_null(), level < 3, "{data}");
        assert!(!data["data"]["author"]["score"].is_null());
    }
    // An inactive author is not there for a stranger, and only in public for another author.
    let query = "{ author(id: 2007500003) { id name email } }";
    let stranger = w.ask(ViewId::V2026, query).actor(Actor::anonymous()).data().await;
    assert_eq!(stranger, json!({"author": null}));
    let other = w.ask(ViewId::V2026, query).actor(author(2)).data().await;
    expect![[r#"{"author":{"id":"2007500003","name":"Çelik Ünal","email":null}}"#]]
        .assert_eq(&other.to_string());
}

async fn a_stranger_sees_the_public_part_through_relations(w: World) {
    let query = "{ books(first: 20, order_by: TITLE_ASC) { total_count nodes { title author { name } } } \
        authors { total_count } }";
    let data = w.ask(ViewId::V2026, query).actor(Actor::anonymous()).run().await;
    assert_eq!(data["data"]["authors"]["total_count"], 4);
    let errors = data["errors"].as_array().unwrap();
    // One book's author is inactive, so not there; the book may not be without.
    assert_eq!(errors.len(), 1, "{data}");
    expect![[r#"{"message":"Cannot return null for non-nullable field author","locations":[{"line":1,"column":69}],"path":["books","nodes",7,"author"]}"#]].assert_eq(&errors[0].to_string());
    assert_eq!(data["data"]["books"]["total_count"], 9);
    let nodes = data["data"]["books"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.iter().filter(|node| node.is_null()).count(), 1);
}

async fn nothing_is_found_without_an_error(w: World) {
    let query = "{ a: author(id: 2007500777) { id } b: author(id: \"x\") { id } c: author(id: \"\") { id } \
        d: author { id } e: author(id: null) { id } f: author(id: 42) { id } g: author(id: -1) { id } \
        h: author(id: 99999999999999999999) { id } l: author(id: 2007500001) { lost } }";
    expect![[r#"{"data":{"a":null,"b":null,"c":null,"d":null,"e":null,"f":null,"g":null,"h":null,"l":{"lost":null}}}"#]].assert_eq(&w.v2026(query).await.to_string());
}

async fn too_many_objects_are_refused(w: World) {
    // 50 authors, and each level multiplies the books by three.
    let mut query = "all_books { id }".to_owned();
    for _ in 0..8 {
        query = format!("all_books {{ author {{ {query} }} }}");
    }
    many(&w).await;
    let query = format!("{{ authors(keywords: \"Zz\") {{ {query} }} }}");
    let answer = w.ask(ViewId::Baseline, &query).run().await;
    expect![[r#"{"errors":[{"message":"The request would answer more than 50000 objects. Ask for smaller pages.","extensions":{"code":"TOO_MANY_OBJECTS"}}]}"#]].assert_eq(&answer.to_string());
}
