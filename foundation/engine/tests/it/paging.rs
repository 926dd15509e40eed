//! Connections (behaviour 6) and orders (behaviour 7).

use expect_test::expect;
use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::{Actor, Id, Scope};

use crate::support;
use crate::world::seed::{BASE, ORG};
use crate::world::tables::{Book, Tag};
use crate::world::{World, messages, texts};

cases!(
    forwards_and_backwards_meet_every_row_once,
    the_ends_are_exact,
    first_and_last_together,
    after_and_before_together,
    none_negative_and_empty,
    every_order_is_total,
    the_old_texts_order_too,
    cursors_have_their_form,
    a_cursor_of_elsewhere_is_refused,
    a_cursor_outlives_its_row,
    the_cursor_field_is_the_edges_cursor,
    nested_connections_page_for_each_parent,
    pages_together_are_as_pages_alone,
    pages_are_bounded,
);

const ORDERS: [&str; 6] =
    ["PAGES_ASC", "SHELF_ASC", "SHELF_DESC", "TITLE_ASC", "TITLE_DESC", "WORN_ASC"];

/// The books of a page, and the page itself.
async fn books(w: &World, args: &str) -> (Vec<String>, Json) {
    let query = format!(
        "{{ books({args}) {{ total_count nodes {{ title }} edges {{ cursor node {{ title }} }} \
         page_info {{ has_next_page has_previous_page start_cursor end_cursor }} }} }}"
    );
    let page = w.ask(ViewId::V2026, &query).data().await["books"].clone();
    let titles = texts(&page["nodes"], "title");
    let edges = page["edges"].as_array().unwrap();
    let of_edges: Vec<_> =
        edges.iter().map(|edge| edge["node"]["title"].as_str().unwrap()).collect();
    assert_eq!(titles, of_edges);
    let info = &page["page_info"];
    let cursor = |edge: Option<&Json>| edge.map_or(Json::Null, |edge| edge["cursor"].clone());
    assert_eq!(info["start_cursor"], cursor(edges.first()));
    assert_eq!(info["end_cursor"], cursor(edges.last()));
    (titles, page)
}

fn info(page: &Json) -> (bool, bool) {
    let info = &page["page_info"];
    (info["has_next_page"].as_bool().unwrap(), info["has_previous_page"].as_bool().unwrap())
}

async fn forwards_and_backwards_meet_every_row_once(w: World) {
    for order in ORDERS {
        let (all, whole) = books(&w, &format!("order_by: {order}")).await;
        assert_eq!(all.len(), 9, "{order}");
        assert_eq!(info(&whole), (false, false));
        for size in [1, 2, 4, 9, 10] {
            for (word, side, cursor) in
                [("first", "after", "end_cursor"), ("last", "before", "start_cursor")]
            {
                let mut met: Vec<Vec<String>> = Vec::new();
                let mut place = String::new();
                loop {
                    let args = format!("order_by: {order}, {word}: {size} {place}");
                    let (titles, page) = books(&w, &args).await;
                    assert_eq!(page["total_count"], 9, "whatever the page");
                    let started = !place.is_empty();
                    let seen: usize = met.iter().map(Vec::len).sum::<usize>() + titles.len();
                    let more = seen < 9;
                    let expected = if word == "first" { (more, started) } else { (started, more) };
                    assert_eq!(info(&page), expected, "{args}");
                    met.push(titles);
                    if !more {
                        break;
                    }
                    let at = page["page_info"][cursor].as_str().unwrap();
                    place = format!(", {side}: \"{at}\"");
                }
                if word == "last" {
                    met.reverse();
                }
                assert_eq!(met.concat(), all, "{order} {word} {size}");
            }
        }
    }
}

async fn the_ends_are_exact(w: World) {
    let (_, page) = books(&w, "first: 9").await;
    assert_eq!(info(&page), (false, false));
    let end = page["page_info"]["end_cursor"].as_str().unwrap();
    let (titles, behind) = books(&w, &format!("first: 1, after: \"{end}\"")).await;
    assert_eq!((titles.len(), info(&behind)), (0, (false, true)));
    let start = page["page_info"]["start_cursor"].as_str().unwrap();
    let (titles, before) = books(&w, &format!("last: 1, before: \"{start}\"")).await;
    assert_eq!((titles.len(), info(&before)), (0, (true, false)));
    assert_eq!(before["total_count"], 9);
}

async fn first_and_last_together(w: World) {
    let (all, _) = books(&w, "order_by: TITLE_ASC").await;
    for (first, last, expected, ends) in [
        (4, 2, &all[2..4], (true, true)),
        (4, 4, &all[..4], (true, false)),
        (2, 5, &all[..2], (true, false)),
        (9, 2, &all[7..], (false, true)),
        (20, 20, &all[..], (false, false)),
    ] {
        let (titles, page) = books(&w, &format!("first: {first}, last: {last}")).await;
        assert_eq!(titles, expected, "{first} {last}");
        assert_eq!(info(&page), ends, "{first} {last}");
    }
}

async fn after_and_before_together(w: World) {
    let (all, page) = books(&w, "order_by: TITLE_ASC").await;
    let cursor = |n: usize| page["edges"][n]["cursor"].as_str().unwrap();
    let between = format!("after: \"{}\", before: \"{}\"", cursor(1), cursor(6));
    for (args, expected) in [
        ("", &all[2..6]),
        ("first: 2, ", &all[2..4]),
        ("last: 2, ", &all[4..6]),
        ("first: 9, ", &all[2..6]),
    ] {
        let (titles, page) = books(&w, &format!("{args}{between}")).await;
        assert_eq!(titles, expected, "{args}");
        assert_eq!(page["total_count"], 9);
    }
}

async fn none_negative_and_empty(w: World) {
    let (titles, page) = books(&w, "first: 0").await;
    assert!(titles.is_empty());
    assert_eq!(page["total_count"], 9);
    assert_eq!(page["page_info"]["end_cursor"], Json::Null);
    let (titles, page) = books(&w, "last: 0").await;
    assert_eq!((titles.len(), &page["total_count"]), (0, &json!(9)));
    let answer =
        w.v2026("{ books(first: -1) { total_count } b: books(last: -2) { total_count } }").await;
    expect![[r#"{"data":{"books":null,"b":null},"errors":[{"message":"`first` on a connection cannot be less than zero.","locations":[{"line":1,"column":3}],"path":["books"]},{"message":"`last` on a connection cannot be less than zero.","locations":[{"line":1,"column":36}],"path":["b"]}]}"#]].assert_eq(&answer.to_string());
    let answer = w.v2026(
        "{ authors(ids: []) { total_count nodes { id } edges { cursor } page_info { \
        has_next_page has_previous_page start_cursor end_cursor } } }",
    );
    expect![[r#"{"data":{"authors":{"total_count":0,"nodes":[],"edges":[],"page_info":{"has_next_page":false,"has_previous_page":false,"start_cursor":null,"end_cursor":null}}}}"#]].assert_eq(&answer.await.to_string());
    let query = "query($n: Int) { tags(first: $n) { nodes { name } } }";
    let absent = w.run(ViewId::V2026, query, json!({})).await;
    let null = w.run(ViewId::V2026, query, json!({"n": null})).await;
    assert_eq!(texts(&absent["data"]["tags"]["nodes"], "name").len(), 4);
    assert_eq!(absent, null);
}

/// Nulls last in ascending order, lexical order without regard to case, and
/// the id as the last key, in the direction of the first.
async fn every_order_is_total(w: World) {
    let of = |order: &str| books_in(w.clone(), order.to_owned());
    expect!["#9 Hash, 'Quote, Apple, apricot, Banana, Cherry, Elder, Fig, Grape"]
        .assert_eq(&of("TITLE_ASC").await);
    expect!["Grape, Fig, Elder, Cherry, Banana, apricot, Apple, 'Quote, #9 Hash"]
        .assert_eq(&of("TITLE_DESC").await);
    expect!["Banana, Apple, Cherry, Fig, Grape, #9 Hash, 'Quote, apricot, Elder"]
        .assert_eq(&of("SHELF_ASC").await);
    expect!["Elder, apricot, 'Quote, #9 Hash, Grape, Fig, Cherry, Apple, Banana"]
        .assert_eq(&of("SHELF_DESC").await);
    expect!["Fig, Grape, #9 Hash, 'Quote, Cherry, Apple, Banana, Elder, apricot"]
        .assert_eq(&of("PAGES_ASC").await);
    expect!["#9 Hash, 'Quote, Apple, Banana, Cherry, Elder, Fig, Grape, apricot"]
        .assert_eq(&of("WORN_ASC").await);
    let query = "{ authors(order_by: RATING_ASC) { nodes { id rating } } \
        down: authors(order_by: RATING_DESC) { nodes { id rating } } \
        none: authors(order_by: UNSORTED) { nodes { id } } }";
    expect![[r#"{"data":{"authors":{"nodes":[{"id":"2007500005","rating":1},{"id":"2007500002","rating":3},{"id":"2007500004","rating":3},{"id":"2007500001","rating":5},{"id":"2007500003","rating":null}]},"down":{"nodes":[{"id":"2007500003","rating":null},{"id":"2007500001","rating":5},{"id":"2007500004","rating":3},{"id":"2007500002","rating":3},{"id":"2007500005","rating":1}]},"none":{"nodes":[{"id":"2007500001"},{"id":"2007500002"},{"id":"2007500003"},{"id":"2007500004"},{"id":"2007500005"}]}}}"#]].assert_eq(&w.v2026(query).await.to_string());
}

async fn books_in(w: World, order: String) -> String {
    books(&w, &format!("order_by: {order}")).await.0.join(", ")
}

async fn the_old_texts_order_too(w: World) {
    let names = async |args: &str| {
        let answer = w.baseline(&format!("{{ authors({args}) {{ id }} }}")).await;
        texts(&answer["data"]["authors"], "id")
            .iter()
            .map(|id| id[9..].to_owned())
            .collect::<String>()
    };
    let up = names("order_by: JOINED_AT_ASC").await;
    assert_eq!(up, "12345");
    assert_eq!(names("sort_by: \"joined_at_asc\"").await, up);
    assert_eq!(names("sort_by: \"joined_at_desc\"").await, "54321");
    assert_eq!(names("sort_by: \"joined_at\"").await, up);
    // The enum wins; what is unknown is the default.
    assert_eq!(names("sort_by: \"joined_at_desc\", order_by: JOINED_AT_ASC").await, up);
    let default = names("active: null").await;
    for unknown in ["zzz_asc", "", "name_fold", "id; DROP TABLE authors"] {
        assert_eq!(names(&format!("sort_by: \"{unknown}\"")).await, default, "{unknown}");
    }
}

async fn cursors_have_their_form(w: World) {
    use base64::Engine as _;
    let (_, page) = books(&w, "first: 1, order_by: TITLE_ASC").await;
    let cursor = page["page_info"]["end_cursor"].as_str().unwrap();
    let json = base64::engine::general_purpose::STANDARD.decode(cursor).unwrap();
    let mut json: Json = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["m"].as_str().unwrap().len(), 22);
    json.as_object_mut().unwrap().remove("m");
    expect![[r#"{"k":["'#9 hash","2007500009"]}"#]].assert_eq(&json.to_string());
}

async fn a_cursor_of_elsewhere_is_refused(w: World) {
    let (_, page) = books(&w, "first: 2, order_by: TITLE_ASC").await;
    let cursor = page["page_info"]["end_cursor"].as_str().unwrap();
    let query = format!("{{ books(order_by: SHELF_ASC, after: \"{cursor}\") {{ total_count }} }}");
    expect![[r#"{"data":{"books":null},"errors":[{"message":"`after` is a cursor of another instance, of another list or of another order. Start again without it.","locations":[{"line":1,"column":3}],"path":["books"],"extensions":{"code":"WRONG_ENVIRONMENT_TOKEN","argument":"after"}}]}"#]].assert_eq(&w.v2026(&query).await.to_string());
    for query in [
        format!("{{ books(order_by: TITLE_DESC, after: \"{cursor}\") {{ total_count }} }}"),
        format!("{{ books(order_by: SHELF_ASC, before: \"{cursor}\") {{ total_count }} }}"),
        format!("{{ tags(after: \"{cursor}\") {{ total_count }} }}"),
    ] {
        let answer = w.v2026(&query).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "WRONG_ENVIRONMENT_TOKEN", "{query}");
    }
    // Signed by another instance for this very list.
    let (_, _, other) = support::born();
    let keys = [Some("apple".to_owned()), Some(BASE.to_string())];
    let forged = other.cursor_encode("books TITLE", &keys);
    let answer = w.v2026(&format!("{{ books(after: \"{forged}\") {{ total_count }} }}")).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "WRONG_ENVIRONMENT_TOKEN");
    let own = w.instance.cursor_encode("books TITLE", &keys);
    assert!(
        w.v2026(&format!("{{ books(after: \"{own}\") {{ total_count }} }}")).await["errors"]
            .is_null()
    );
    for bad in [
        "x",
        "eyJrIjpbIkJlcmciLCIxMDAzIl19",
        "====",
        &"A".repeat(9_000),
        &cursor[..cursor.len() - 4],
    ] {
        let answer = w.run(
            ViewId::V2026,
            "query($c: String) { books(after: $c) { total_count } }",
            json!({ "c": bad }),
        );
        let answer = answer.await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "INVALID_CURSOR", "{bad}: {answer}");
        assert!(answer.to_string().len() < 500);
    }
    // A MAC over keys of another shape does not reach the statement.
    for keys in [vec![], vec![None], vec![Some("a".to_owned()); 3]] {
        let odd = w.instance.cursor_encode("books TITLE", &keys);
        let answer = w.v2026(&format!("{{ books(after: \"{odd}\") {{ total_count }} }}")).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "INVALID_CURSOR", "{keys:?}");
    }
}

async fn a_cursor_outlives_its_row(w: World) {
    let (all, page) = books(&w, "order_by: TITLE_ASC").await;
    let book = |title: &str, id: i64| Book {
        id: Id::new(BASE + id),
        org_id: Id::new(ORG),
        author_id: Id::new(BASE + 1),
        title: title.to_owned(),
        shelf: None,
        pages: None,
        cents: None,
        deleted_at: None,
    };
    let new = book("Cz", 500);
    let write = |create: bool| {
        let new = new.clone();
        w.db.write(move |tx| {
            let new = new.clone();
            Box::pin(async move {
                let actor = Actor::system(ORG);
                let mut scope = Scope::new(tx, &actor);
                if create { scope.create(&new).await } else { scope.destroy(&new).await }
            })
        })
    };
    write(true).await.unwrap();
    let (titles, with) = books(&w, "order_by: TITLE_ASC").await;
    let at = titles.iter().position(|title| title == "Cz").unwrap();
    let cursor = with["edges"][at]["cursor"].as_str().unwrap();
    write(false).await.unwrap();
    let (behind, _) = books(&w, &format!("order_by: TITLE_ASC, after: \"{cursor}\"")).await;
    assert_eq!(behind, all[at..]);
    let (before, _) = books(&w, &format!("order_by: TITLE_ASC, before: \"{cursor}\"")).await;
    assert_eq!(before, all[..at]);
    assert_eq!(page["total_count"], 9);
}

async fn the_cursor_field_is_the_edges_cursor(w: World) {
    for order in ["NAME_ASC", "RATING_DESC", "UNSORTED"] {
        let query = format!(
            "{{ authors(order_by: {order}) {{ edges {{ cursor node {{ c: cursor }} }} nodes {{ cursor }} }} }}"
        );
        let page = w.ask(ViewId::V2026, &query).data().await["authors"].clone();
        let edges = texts(&page["edges"], "cursor");
        assert_eq!(edges.len(), 5);
        assert_eq!(texts(&page["nodes"], "cursor"), edges);
        for edge in page["edges"].as_array().unwrap() {
            assert_eq!(edge["node"]["c"], edge["cursor"]);
        }
        // The old view pages by the same cursor.
        let at = &edges[1];
        let query =
            format!("{{ authors(order_by: {order}, after: \"{at}\", page_size: 2) {{ cursor }} }}");
        let old = w.ask(ViewId::Baseline, &query).data().await;
        assert_eq!(texts(&old["authors"], "cursor"), edges[2..4]);
    }
}

async fn nested_connections_page_for_each_parent(w: World) {
    let query = "{ authors(order_by: UNSORTED) { nodes { books(first: 2, order_by: TITLE_ASC) { \
        total_count nodes { title } page_info { has_next_page } } } } }";
    expect![[r##"{"data":{"authors":{"nodes":[{"books":{"total_count":3,"nodes":[{"title":"Apple"},{"title":"apricot"}],"page_info":{"has_next_page":true}}},{"books":{"total_count":1,"nodes":[{"title":"Cherry"}],"page_info":{"has_next_page":false}}},{"books":{"total_count":1,"nodes":[{"title":"Fig"}],"page_info":{"has_next_page":false}}},{"books":{"total_count":1,"nodes":[{"title":"Elder"}],"page_info":{"has_next_page":false}}},{"books":{"total_count":3,"nodes":[{"title":"#9 Hash"},{"title":"'Quote"}],"page_info":{"has_next_page":true}}}]}}}"##]].assert_eq(&w.v2026(query).await.to_string());
}

/// Pages of several parents are read at once, that of one alone: they agree.
async fn pages_together_are_as_pages_alone(w: World) {
    let page = "total_count nodes { title } edges { cursor } page_info { has_next_page has_previous_page \
        start_cursor end_cursor }";
    let (_, all) = books(&w, "order_by: TITLE_ASC").await;
    let cursor = |n: usize| all["edges"][n]["cursor"].as_str().unwrap();
    for args in [
        "first: 2".to_owned(),
        "last: 2".to_owned(),
        "first: 0".to_owned(),
        "first: 2, last: 1".to_owned(),
        "last: 1, order_by: SHELF_DESC".to_owned(),
        format!("first: 1, after: \"{}\"", cursor(2)),
        format!("last: 1, before: \"{}\"", cursor(4)),
        format!("after: \"{}\", before: \"{}\"", cursor(1), cursor(7)),
    ] {
        let together = format!(
            "{{ authors(first: 5, order_by: UNSORTED) {{ nodes {{ books({args}) {{ {page} }} }} }} }}"
        );
        let together = w.ask(ViewId::V2026, &together).data().await;
        for n in 1..=5 {
            let id = crate::world::seed::id(n);
            let alone = format!("{{ author(id: {id}) {{ books({args}) {{ {page} }} }} }}");
            let alone = w.ask(ViewId::V2026, &alone).data().await;
            let at = usize::try_from(n).unwrap() - 1;
            assert_eq!(together["authors"]["nodes"][at], alone["author"], "{n} {args}");
        }
    }
}

/// A hundred when nothing is asked; a thousand at most.
async fn pages_are_bounded(w: World) {
    w.db.write(|tx| {
        Box::pin(async move {
            let actor = Actor::system(ORG);
            let mut scope = Scope::new(tx, &actor);
            for n in 1..=1_000 {
                let (id, org_id) = (Id::new(BASE + 10_000 + n), Id::new(ORG));
                scope.create(&Tag { id, org_id, name: format!("t{n}") }).await?;
            }
            Ok::<_, ward_store::StoreError>(())
        })
    })
    .await
    .unwrap();
    for (args, expected) in [("", 100), ("(first: 1000)", 1000), ("(last: 1000)", 1000)] {
        let page = w.v2026(&format!("{{ tags{args} {{ nodes {{ id }} total_count }} }}")).await;
        let page = &page["data"]["tags"];
        assert_eq!(page["nodes"].as_array().unwrap().len(), expected, "{args}");
        assert_eq!(page["total_count"], 1004);
    }
    let page =
        w.v2026("{ tags(first: 2000000) { nodes { id } page_info { has_next_page } } }").await;
    assert_eq!(page["data"]["tags"]["nodes"].as_array().unwrap().len(), 1000);
    assert_eq!(page["data"]["tags"]["page_info"]["has_next_page"], true);
    for (args, expected) in [
        ("", 1000),
        ("(should_paginate: true)", 10),
        ("(should_paginate: true, page_size: 5000)", 1000),
        ("(should_paginate: true, page_size: 7, offset: 1000)", 4),
        ("(should_paginate: true, page_size: -7, offset: -3)", 0),
    ] {
        let list = w.baseline(&format!("{{ tags{args} {{ id }} }}")).await;
        assert!(messages(&list).is_empty());
        assert_eq!(list["data"]["tags"].as_array().unwrap().len(), expected, "{args}");
    }
}
