//! How values look in each view (behaviour 9).

use expect_test::expect;
use ward_engine::{ViewId, moment};
use ward_store::Scope;

use crate::world::seed::{self, BASE, ODD_NAME, at};
use crate::world::{World, texts};

cases!(
    each_view_writes_its_types,
    instants_are_in_the_actors_zone,
    the_clocks_change,
    any_text_is_valid_json,
    sealed_text_is_opened,
);

async fn each_view_writes_its_types(w: World) {
    let query = "{ author(id: 2007500001) { id name active kind rating born_on joined_at score extra } \
        no: author(id: 2007500003) { rating born_on score extra } }";
    expect![[r#"{"data":{"author":{"id":"2007500001","name":"Ada Ahlgren","active":true,"kind":"NOVELIST","rating":5,"born_on":"1980-02-29","joined_at":"2026-03-04T09:30:00-05:00","score":2.5,"extra":{"a":[1,2.5,null,true,"x"]}},"no":{"rating":null,"born_on":null,"score":null,"extra":null}}}"#]].assert_eq(&w.v2026(query).await.to_string());
    expect![[r#"{"data":{"author":{"id":"2007500001","name":"Ada Ahlgren","active":true,"kind":"NOVELIST","rating":"5","born_on":"1980-02-29","joined_at":"2026-03-04 09:30:00 -0500","score":"2.5","extra":{"a":[1,2.5,null,true,"x"]}},"no":{"rating":null,"born_on":null,"score":null,"extra":null}}}"#]].assert_eq(&w.baseline(query).await.to_string());
    let query = "{ books(page_size: 5) { id author_id pages price } }";
    expect![[r#"{"data":{"books":[{"id":"2007500009","author_id":"2007500005","pages":"9","price":null},{"id":"2007500010","author_id":"2007500005","pages":"9","price":null},{"id":"2007500001","author_id":"2007500001","pages":"100","price":"12.5"},{"id":"2007500002","author_id":"2007500001","pages":null,"price":null},{"id":"2007500003","author_id":"2007500001","pages":"300","price":"9.99"}]}}"#]].assert_eq(&w.baseline(query).await.to_string());
    let query = "{ books(first: 5) { nodes { id author_id pages price } total_count } }";
    expect![[r#"{"data":{"books":{"nodes":[{"id":"2007500009","author_id":"2007500005","pages":9,"price":null},{"id":"2007500010","author_id":"2007500005","pages":9,"price":null},{"id":"2007500001","author_id":"2007500001","pages":100,"price":12.5},{"id":"2007500002","author_id":"2007500001","pages":null,"price":null},{"id":"2007500003","author_id":"2007500001","pages":300,"price":9.99}],"total_count":9}}}"#]].assert_eq(&w.v2026(query).await.to_string());
}

async fn joined(w: &World, view: ViewId, zone: &str, n: i64) -> String {
    let query = format!("{{ author(id: {}) {{ joined_at }} }}", BASE + n);
    let data = w.ask(view, &query).zone(zone).data().await;
    data["author"]["joined_at"].as_str().unwrap().to_owned()
}

async fn instants_are_in_the_actors_zone(w: World) {
    for (zone, old, new) in [
        ("America/New_York", "2026-03-04 09:30:00 -0500", "2026-03-04T09:30:00-05:00"),
        ("Europe/Berlin", "2026-03-04 15:30:00 +0100", "2026-03-04T15:30:00+01:00"),
        ("Asia/Kolkata", "2026-03-04 20:00:00 +0530", "2026-03-04T20:00:00+05:30"),
        ("Pacific/Kiritimati", "2026-03-05 04:30:00 +1400", "2026-03-05T04:30:00+14:00"),
        ("UTC", "2026-03-04 14:30:00 +0000", "2026-03-04T14:30:00Z"),
        ("Europe/London", "2026-03-04 14:30:00 +0000", "2026-03-04T14:30:00Z"),
    ] {
        assert_eq!(joined(&w, ViewId::Baseline, zone, 1).await, old);
        assert_eq!(joined(&w, ViewId::V2026, zone, 1).await, new);
    }
}

async fn the_clocks_change(w: World) {
    let new = async |n| joined(&w, ViewId::V2026, "America/New_York", n).await;
    // The last second of winter time, the first of summer time.
    assert_eq!(new(2).await, "2026-03-08T01:59:59-05:00");
    assert_eq!(new(3).await, "2026-03-08T03:00:00-04:00");
    // The same wall time twice.
    assert_eq!(new(4).await, "2026-11-01T01:30:00-04:00");
    assert_eq!(new(5).await, "2026-11-01T01:30:00-05:00");
    assert_eq!(
        joined(&w, ViewId::Baseline, "America/New_York", 4).await,
        "2026-11-01 01:30:00 -0400"
    );
}

async fn any_text_is_valid_json(w: World) {
    let query = "{ author(id: 2007500004) { name shout(with: \"\\\"\\\\\\u00e9\\uD83E\\uDD80\", times: 2) } }";
    let data = w.ask(ViewId::V2026, query).data().await;
    assert_eq!(data["author"]["name"], ODD_NAME);
    assert_eq!(data["author"]["shout"], format!("{ODD_NAME}\"\\é🦀\"\\é🦀"));
    // Every character below the space, and the odd ones above.
    let all: String = (1..0x2_0000).filter_map(char::from_u32).step_by(7).collect();
    let named = all.chars().take(3_000).collect::<String>();
    let (first, name) = ((1..0x30).filter_map(char::from_u32).collect::<String>(), named);
    let made = w.db.write(move |tx| {
        let (first, name) = (first.clone(), name.clone());
        Box::pin(async move {
            let actor = crate::world::member();
            let mut scope = Scope::new(tx, &actor);
            scope.create(&seed::author(701, &first, None, "2026-01-01T00:00:00Z")).await?;
            scope.create(&seed::author(702, &name, None, "2026-01-01T00:00:00Z")).await?;
            Ok::<_, ward_store::StoreError>((first, name))
        })
    });
    let (first, name) = made.await.unwrap();
    let query = "{ authors(ids: [2007500701, 2007500702], order_by: JOINED_AT_ASC) { name } }";
    let data = w.ask(ViewId::Baseline, query).data().await;
    assert_eq!(texts(&data["authors"], "name"), [first, name]);
}

async fn sealed_text_is_opened(w: World) {
    let query = "{ authors(ids: [2007500001, 2007500002]) { note } \
        nested: books(page_size: 3) { author { note } } }";
    expect![[r#"{"data":{"authors":[{"note":"likes tea"},{"note":null}],"nested":[{"author":{"note":null}},{"author":{"note":null}},{"author":{"note":"likes tea"}}]}}"#]].assert_eq(&w.baseline(query).await.to_string());
}

/// What clients send as an instant (behaviour 9).
#[test]
fn instants_are_read_in_every_form() {
    let zone = moment::zone("America/New_York").unwrap();
    let wanted = at("2026-03-04T14:30:00Z");
    for text in [
        "2026-03-04T14:30:00Z",
        "2026-03-04T09:30:00-05:00",
        "2026-03-04T15:30:00+01:00",
        "2026-03-04 09:30:00",
        "2026-03-04T09:30:00",
        "2026-03-04 09:30",
        "2026-03-04 09:30:00 -0500",
        "2026-03-04 09:30:00 -05:00",
        "2026-03-04 09:30:00 EST -05:00",
        "2026-03-04 14:30:00 UTC",
        " 2026-03-04 14:30:00Z ",
    ] {
        assert_eq!(moment::instant(text, &zone), Some(wanted), "{text}");
    }
    for text in ["2026-03-04", "March 4, 2026", "March 04, 2026", "03/04/2026"] {
        assert_eq!(moment::instant(text, &zone), Some(at("2026-03-04T05:00:00Z")), "{text}");
    }
    // Skipped by the change of the clocks; met twice.
    for (text, wanted) in [
        ("2026-03-08 02:30:00", "2026-03-08T07:30:00Z"),
        ("2026-11-01 01:30:00", "2026-11-01T05:30:00Z"),
        ("2026-11-01 01:30:00 -0500", "2026-11-01T06:30:00Z"),
    ] {
        assert_eq!(moment::instant(text, &zone), Some(at(wanted)), "{text}");
    }
    for text in [
        "",
        "x",
        "2026-13-01",
        "2026-02-30 10:00",
        "2026-03-04 25:00",
        "2026-03-04 09:30:00 -5",
        "2026-03-04 09:30:00 Mars",
        "９９９９-03-04",
        "2026-03-04é",
        "2026-03-0é 10:00",
        "09:30",
    ] {
        assert_eq!(moment::instant(text, &zone), None, "{text}");
    }
}

#[test]
fn days_are_read_in_every_form() {
    for text in [
        "1990-02-01",
        "February 1, 1990",
        "February 01, 1990",
        "02/01/1990",
        " 1990-02-01 ",
        "1990-02-01T23:59:59Z",
        "1990-02-01 00:00:00",
    ] {
        assert_eq!(moment::day(text).unwrap().to_string(), "1990-02-01", "{text}");
    }
    for text in ["", "1990-02-30", "1990-2-1", "x", "0000-01-01", "-0001-01-01", "1990-02-01x"] {
        assert_eq!(moment::day(text), None, "{text}");
    }
}
