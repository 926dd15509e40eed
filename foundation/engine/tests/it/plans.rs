//! The plan cache: admitted on second use, by the whole text, in bounded bytes.

use serde_json::json;
use ward_engine::ViewId;

use crate::world::World;

cases!(
    admitted_on_second_use,
    the_whole_text_counts,
    refused_documents_are_not_kept,
    what_is_kept_is_bounded,
);

async fn kept_after(w: &World, times: usize, query: &str) -> usize {
    for _ in 0..times {
        w.v2026(query).await;
    }
    w.engine.kept_plans().0
}

async fn admitted_on_second_use(mut w: World) {
    w.engine = crate::world::engine();
    assert_eq!(kept_after(&w, 1, "{ __typename }").await, 0);
    assert_eq!(kept_after(&w, 1, "{ __typename }").await, 1);
    assert_eq!(kept_after(&w, 3, "{ __typename }").await, 1);
    // The same plan, other variables and conditions.
    let query = "query($i: ID, $yes: Boolean!) { author(id: $i) { id name @include(if: $yes) } }";
    for n in [1, 2, 3, 1] {
        for yes in [true, false] {
            let id = crate::world::seed::id(n);
            let answer = w.run(ViewId::V2026, query, json!({"i": id, "yes": yes})).await;
            assert_eq!(answer["data"]["author"]["id"], id);
            assert_eq!(answer["data"]["author"].get("name").is_some(), yes);
        }
    }
    assert_eq!(w.engine.kept_plans().0, 2);
}

async fn the_whole_text_counts(mut w: World) {
    w.engine = crate::world::engine();
    let query = "query A { a: author(id: 2007500001) { rating } } query B { b: author(id: 2007500001) { rating } }";
    for _ in 0..3 {
        for view in ViewId::ALL {
            for (name, key) in [("A", "a"), ("B", "b")] {
                let data = w.ask(view, query).operation(name).data().await;
                let expected = if view == ViewId::Baseline { json!("5") } else { json!(5) };
                assert_eq!(data, json!({ key: { "rating": expected } }));
            }
        }
    }
    assert_eq!(w.engine.kept_plans().0, 4, "one for each view and operation");
    // One character more is another document.
    let data =
        w.ask(ViewId::V2026, &query.replace("rating", "rating name")).operation("A").data().await;
    assert_eq!(data["a"]["name"], "Ada Ahlgren");
}

async fn refused_documents_are_not_kept(w: World) {
    let before = w.engine.kept_plans();
    for query in ["{", "{ nobody }", "query($a: Int) { __typename }", "mutation { x }"] {
        kept_after(&w, 3, query).await;
    }
    assert_eq!(w.engine.kept_plans(), before);
}

async fn what_is_kept_is_bounded(w: World) {
    // Large in memory for their text: long lists, many fields.
    for n in 0..120 {
        let list = "1,".repeat(3_000);
        let fields: String = (0..1_000).map(|k| format!("a{k}_{n}:__typename ")).collect();
        let query = format!("{{ echo(extra: [{list}{n}]) {fields} }}");
        for _ in 0..2 {
            w.v2026(&query).await;
            assert!(w.engine.kept_plans().1 <= 16 * 1024 * 1024);
        }
    }
    let (plans, bytes) = w.engine.kept_plans();
    assert!(plans > 5 && bytes / plans > 100_000, "{plans} plans, {bytes} bytes");
}
