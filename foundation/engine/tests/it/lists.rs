//! Plain lists of the old view: offset, page size, the switch, counts, filters.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;

use crate::world::{World, texts};

cases!(
    pages_by_offset,
    the_switch_decides,
    nested_lists_page_for_each_parent,
    filters_and_counts_agree,
);

async fn titles(w: &World, field: &str) -> Vec<String> {
    let data = w.ask(ViewId::Baseline, &format!("{{ l: {field} {{ title }} }}")).data().await;
    texts(&data["l"], "title")
}

async fn pages_by_offset(w: World) {
    let all = titles(&w, "books").await;
    assert_eq!(all.len(), 9, "the default page holds ten");
    for (offset, size) in [(0, 4), (4, 4), (8, 4), (9, 4), (100, 4), (0, 0), (3, 1)] {
        let page = titles(&w, &format!("books(offset: {offset}, page_size: {size})")).await;
        let from = offset.min(9);
        assert_eq!(page, all[from..(from + size).min(9)], "{offset} {size}");
    }
    // Nulls count as not given.
    let query =
        "query($n: Int) { l: books(offset: $n, page_size: $n, should_paginate: null) { title } }";
    let answer = w.run(ViewId::Baseline, query, json!({"n": null})).await;
    assert_eq!(texts(&answer["data"]["l"], "title"), all);
}

async fn the_switch_decides(w: World) {
    let all = titles(&w, "books(should_paginate: false)").await;
    assert_eq!(titles(&w, "books(should_paginate: false, page_size: 2, offset: 3)").await, all);
    assert_eq!(
        titles(&w, "books(should_paginate: true, page_size: 2, offset: 3)").await,
        all[3..5]
    );
    // Without a switch that has a default, asking for a page is asking to page.
    let ids = async |args: &str| {
        let data =
            w.ask(ViewId::Baseline, &format!("{{ l: authors{args} {{ id }} }}")).data().await;
        texts(&data["l"], "id")
    };
    let all = ids("").await;
    assert_eq!(all.len(), 5);
    assert_eq!(ids("(page_size: 2)").await, all[..2]);
    assert_eq!(ids("(offset: 2)").await, all[2..]);
    assert_eq!(ids("(offset: 2, should_paginate: false)").await, all);
}

async fn nested_lists_page_for_each_parent(w: World) {
    let query = "{ authors(order_by: UNSORTED) { all_books { title } \
        books(offset: 1, page_size: 1) { title } loose_books { title } } }";
    let data = w.ask(ViewId::Baseline, query).data().await;
    for author in data["authors"].as_array().unwrap() {
        let all = texts(&author["all_books"], "title");
        let expected: Vec<_> = all.iter().skip(1).take(1).cloned().collect();
        assert_eq!(texts(&author["books"], "title"), expected);
        assert_eq!(author["loose_books"], author["all_books"]);
    }
}

async fn filters_and_counts_agree(w: World) {
    for filter in [
        "active: true",
        "active: false",
        "keywords: \"berg\"",
        "keywords: \"ÇELIK\"",
        "keywords: \"nobody\"",
        "ids: \"2007500001,2007500002\"",
        "ids: [\"2007500001, 2007500005\", 2007500002]",
        "ids: []",
        "ids: [\"2007500006\"]",
        "active: null",
    ] {
        let query = format!("{{ l: authors({filter}) {{ id }} n: authorsCount({filter}) }}");
        let old = w.ask(ViewId::Baseline, &query).data().await;
        let listed = texts(&old["l"], "id");
        assert_eq!(old["n"], json!(listed.len()), "{filter}");
        let query = format!("{{ l: authors({filter}) {{ nodes {{ id }} total_count }} }}");
        let new: Json = w.ask(ViewId::V2026, &query).data().await;
        assert_eq!(texts(&new["l"]["nodes"], "id"), listed, "{filter}");
        assert_eq!(new["l"]["total_count"], old["n"], "{filter}");
    }
}
