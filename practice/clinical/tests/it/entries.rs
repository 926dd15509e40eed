//! Entries through the front door: metrics and journals of clients, by the staff and by the
//! clients themselves.

use serde_json::{Value as Json, json};
use ward_clinical::entry::table::Entry;
use ward_engine::ViewId;
use ward_identity::flags::SEES_ALL_CLIENTS;
use ward_store::{Actor, Cond};

use crate::support::World;

const SELECTS: &str = "entry { id type category name metric_stat metric_stat_string description \
    percieved_hungriness viewed created_at poster { id } added_by_user { id } added_by_user_id }";
const ENTRY: &str = "entry { id }";

/// Writes an entry; its id.
async fn noted(w: &World, actor: &Actor, input: Json) -> String {
    let made = w.mutate(actor, "createEntry", ENTRY, input).await;
    assert!(made["messages"].is_null(), "{made}");
    made["entry"]["id"].as_str().unwrap().to_owned()
}

/// The sentence that refuses a mutation.
async fn refused(w: &World, actor: &Actor, field: &str, input: Json) -> String {
    let done = w.mutate(actor, field, ENTRY, input).await;
    assert!(done["entry"].is_null(), "{done}");
    done["messages"][0]["message"].as_str().unwrap_or("nothing").to_owned()
}

/// Ids that `entries` answers, in order.
async fn listed(w: &World, actor: &Actor, args: &str) -> Vec<String> {
    let args = if args.is_empty() { String::new() } else { format!("({args})") };
    let query = format!("{{ entries{args} {{ nodes {{ id }} }} }}");
    let told = w.run(actor, &query, json!({})).await;
    let nodes = told["entries"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_metric_from_beginning_to_end() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let input = json!({ "user_id": a, "type": "MetricEntry", "category": "Weight",
            "metric_stat": "72.50", "created_at": "2026-03-04T09:30:00-05:00" });
        let made = w.mutate(&w.owner, "createEntry", SELECTS, input).await;
        let id = made["entry"]["id"].clone();
        let owner = w.owner.user_id.to_string();
        assert_eq!(
            made["entry"],
            json!({ "id": id, "type": "MetricEntry", "category": "Weight", "name": "Weight",
                "metric_stat": 72.5, "metric_stat_string": "72.50", "description": null,
                "percieved_hungriness": null, "viewed": true,
                "created_at": "2026-03-04T09:30:00-05:00", "poster": { "id": a },
                "added_by_user": { "id": owner }, "added_by_user_id": owner })
        );
        // The older view has texts where the newer has moments, and plain lists.
        let query = "query($id: String, $other: ID) { entries(client_id: $id, type: \"metricentry\") \
            { id metric_stat created_at } entriesCount(client_id: $id) \
            entry(client_id: $other, type: \"MetricEntry\") { id cursor } }";
        let told = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "id": a, "other": a })).await;
        let row = json!({ "id": id, "metric_stat": 72.5,
            "created_at": "2026-03-04 09:30:00 -0500" });
        assert_eq!(told["data"]["entries"], json!([row]), "{told}");
        assert_eq!(told["data"]["entriesCount"], 1);
        assert_eq!(told["data"]["entry"]["id"], id);
        let change = json!({ "id": id, "metric_stat": "71", "description": "After breakfast",
            "viewed": false, "user_id": a });
        let done = w.mutate(&w.owner, "updateEntry", SELECTS, change).await;
        let entry = &done["entry"];
        assert_eq!((&entry["metric_stat"], &entry["viewed"]), (&json!(71.0), &json!(false)));
        assert_eq!(entry["description"], "After breakfast");
        // What only moves in time is told to nobody.
        let moved = json!({ "id": id, "created_at": "2026-03-05" });
        let done = w.mutate(&w.owner, "updateEntry", SELECTS, moved).await;
        assert_eq!(done["entry"]["created_at"], "2026-03-05T00:00:00-05:00");
        let gone = w.mutate(&w.owner, "deleteEntry", ENTRY, json!({ "id": id })).await;
        assert_eq!(gone["entry"]["id"], id, "{gone}");
        assert!(listed(&w, &w.owner, "is_org: true").await.is_empty());
        let again = refused(&w, &w.owner, "deleteEntry", json!({ "id": id })).await;
        assert_eq!(again, "Object not found");
        assert_eq!(
            w.events().await,
            [
                "metric_entry.created []",
                r#"metric_entry.updated ["metric_stat","description","viewed"]"#,
                "metric_entry.deleted []",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn what_an_entry_can_be() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let create = async |mut input: Json| {
            input["user_id"] = a.clone().into();
            refused(&w, &w.owner, "createEntry", input).await
        };
        assert!(create(json!({})).await.starts_with("Type must be one of MetricEntry, FoodEntry"));
        assert!(create(json!({ "type": "Dream" })).await.starts_with("Type must be one of"));
        let metric = json!({ "type": "MetricEntry", "metric_stat": "1" });
        assert!(create(metric).await.starts_with("Category can't be blank"));
        let metric = json!({ "type": "MetricEntry", "category": "Weight" });
        assert_eq!(create(metric).await, "Metric stat can't be blank");
        let metric = json!({ "type": "MetricEntry", "category": "Weight", "metric_stat": "heavy" });
        assert_eq!(create(metric).await, "Metric stat must be a number such as 72.5");
        let hungry = json!({ "type": "FoodEntry", "percieved_hungriness": "4" });
        assert_eq!(create(hungry).await, "Perceived hungriness must be one of 1, 2, 3");
        let later = json!({ "type": "NoteEntry", "created_at": "2999-01-01T00:00:00Z" });
        assert_eq!(create(later).await, "Created at can be at most 3 months ahead");
        let never = json!({ "type": "NoteEntry", "created_at": "soon" });
        assert!(w.rows::<Entry>(Cond::Always).await.is_empty());
        let query = "mutation($input: createEntryInput) { createEntry(input: $input) \
            { entry { id percieved_hungriness name } messages { message } } }";
        let old = async |mut input: Json| {
            input["user_id"] = a.clone().into();
            let answer =
                w.run_in(ViewId::Baseline, &w.owner, query, json!({ "input": input })).await;
            answer["data"]["createEntry"].clone()
        };
        let done = old(never).await;
        let sentence = "Created at must be a date such as 2026-03-04 or March 4, 2026";
        assert_eq!(done["messages"][0]["message"], sentence, "{done}");
        // Either spelling; a member names whose it is.
        let food = json!({ "type": "FoodEntry", "perceived_hungriness": "2", "category": "Lunch" });
        let done = old(food).await;
        assert_eq!(done["entry"]["percieved_hungriness"], 2.0, "{done}");
        assert_eq!(done["entry"]["name"], Json::Null);
        let nobodys = json!({ "type": "NoteEntry", "description": "So" });
        assert_eq!(refused(&w, &w.owner, "createEntry", nobodys).await, "Object not found");
        let staff = json!({ "type": "NoteEntry", "user_id": w.standard.user_id.to_string() });
        assert_eq!(refused(&w, &w.owner, "createEntry", staff).await, "Object not found");
        let b = w.client("Bo", "b@example.com").await;
        let food = done["entry"]["id"].clone();
        let other = json!({ "id": food, "user_id": b });
        assert_eq!(refused(&w, &w.owner, "updateEntry", other).await, "Object not found");
        assert_eq!(w.events().await, ["entry.created []"]);
    })
    .await;
}

#[tokio::test]
async fn which_entries_a_list_answers() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let made = w.mutate(&w.owner, "createGroup", "user_group { id }", json!({ "name": "G" }));
        let group = made.await["user_group"]["id"].as_str().unwrap().to_owned();
        let input = json!({ "id": b, "user_group_id": group });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        let metric = async |who: &str, category: &str, stat: &str, at: &str| {
            let input = json!({ "user_id": who, "type": "MetricEntry", "category": category,
                "metric_stat": stat, "created_at": at });
            noted(&w, &w.owner, input).await
        };
        let first = metric(&a, "Weight", "80", "2026-03-01T12:00:00Z").await;
        let third = metric(&a, "Weight", "78", "2026-03-03T12:00:00Z").await;
        let second = metric(&a, "Body Fat %", "20", "2026-03-02T12:00:00Z").await;
        let other = metric(&b, "Weight", "60", "2026-03-04T12:00:00Z").await;
        let food = json!({ "user_id": a, "type": "FoodEntry", "description": "Soup",
            "created_at": "2026-03-03T23:30:00-05:00" });
        let food = noted(&w, &w.owner, food).await;
        let of = async |args: &str| listed(&w, &w.owner, args).await;
        let client = format!("client_id: \"{a}\"");
        assert_eq!(of(&client).await, [&*food, &third, &second, &first]);
        let metrics = format!("{client}, type: \"MetricEntry\"");
        let cases: [(String, Vec<&str>); 11] = [
            (format!("{metrics}, category: \"Weight\""), vec![&third, &first]),
            (format!("{metrics}, order_by: CREATED_AT_ASC"), vec![&first, &second, &third]),
            (format!("{metrics}, sort_by: \"created_at::asc\""), vec![&first, &second, &third]),
            (format!("{metrics}, sort_by: \"created_at::desc\""), vec![&third, &second, &first]),
            // Days of the caller's zone, the last one not included.
            (
                format!("{client}, start_range: \"2026-03-02\", end_range: \"2026-03-04\""),
                vec![&food, &third, &second],
            ),
            (
                format!("{client}, start_datetime_range: \"2026-03-03T12:00:00Z\""),
                vec![&food, &third],
            ),
            (format!("{client}, end_datetime_range: \"2026-03-02T12:00:00Z\""), vec![&first]),
            (format!("{client}, entry_id: \"{second}\""), vec![&second]),
            (format!("{client}, type: \"Nonsense\""), vec![]),
            (format!("group_id: \"{group}\""), vec![&other]),
            ("is_org: true, type: \"MetricEntry\"".into(), vec![&other, &third, &second, &first]),
        ];
        for (args, wanted) in cases {
            assert_eq!(of(&args).await, wanted, "{args}");
        }
        let query =
            format!("{{ entries({client}, end_range: \"whenever\") {{ nodes {{ id }} }} }}");
        let answer = w.run_in(ViewId::V2026, &w.owner, &query, json!({})).await;
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("end_range"), "{answer}");
        // Without whose: those of the clients whom the member looks after.
        let all = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        assert!(listed(&w, &all, "").await.is_empty());
        assert_eq!(listed(&w, &all, &client).await.len(), 4);
        let input = json!({ "id": b, "dietitian_id": w.standard.user_id.to_string() });
        let moved = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        assert!(moved["messages"].is_null(), "{moved}");
        assert_eq!(listed(&w, &all, "").await, [&*other]);
        let weights = "{ users(order_by: CREATED_AT_ASC) { nodes { weight } } }";
        let told = w.run(&w.owner, weights, json!({})).await;
        assert_eq!(told["users"]["nodes"], json!([{ "weight": "78" }, { "weight": "60" }]));
        // The latest, of a type where that is named.
        let latest = format!("{{ entry({client}) {{ id }} }}");
        assert_eq!(w.run(&w.owner, &latest, json!({})).await["entry"]["id"], *food);
        let latest = format!("{{ entry({metrics}) {{ id }} }}");
        assert_eq!(w.run(&w.owner, &latest, json!({})).await["entry"]["id"], *third);
        let none = w.run(&w.owner, "{ entry { id } }", json!({})).await;
        assert!(none["entry"].is_null());
    })
    .await;
}

#[tokio::test]
async fn clients_keep_their_own_journal() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let (ada, bo) = (w.as_client(&a).await, w.as_client(&b).await);
        let note = json!({ "type": "NoteEntry", "description": "A calm day" });
        let own = noted(&w, &ada, note.clone()).await;
        let weight = json!({ "user_id": a, "type": "MetricEntry", "category": "Weight",
            "metric_stat": "80" });
        let measured = noted(&w, &w.owner, weight).await;
        let query = "query($id: ID) { entry(id: $id) { description viewed poster { id } \
            added_by_user { id } } }";
        let read = w.run(&w.owner, query, json!({ "id": own })).await;
        assert_eq!(
            read["entry"],
            json!({ "description": "A calm day", "viewed": false, "poster": { "id": a },
                "added_by_user": { "id": a } })
        );
        // Both are theirs to read, and nobody else's; what is named besides does not matter.
        assert_eq!(listed(&w, &ada, "").await, [&*measured, &own]);
        assert_eq!(listed(&w, &ada, &format!("client_id: \"{b}\"")).await.len(), 2);
        let none = w.with(&w.standard, &[]);
        for actor in [&bo, &none, &w.stranger] {
            assert!(listed(&w, actor, "is_org: true").await.is_empty());
            assert!(listed(&w, actor, &format!("client_id: \"{a}\"")).await.is_empty());
            let read = w.run(actor, query, json!({ "id": own })).await;
            assert!(read["entry"].is_null(), "{read}");
            for (field, input) in [
                ("createEntry", json!({ "type": "NoteEntry", "user_id": a })),
                ("updateEntry", json!({ "id": own, "description": "Poison" })),
                ("deleteEntry", json!({ "id": own })),
            ] {
                assert_eq!(refused(&w, actor, field, input).await, "Object not found", "{field}");
            }
        }
        // They change what they wrote, and not what was measured.
        let theirs = json!({ "id": own, "description": "A quiet day" });
        let done = w.mutate(&ada, "updateEntry", "entry { description }", theirs).await;
        assert_eq!(done["entry"]["description"], "A quiet day", "{done}");
        let seen = json!({ "id": own, "viewed": true });
        assert!(refused(&w, &ada, "updateEntry", seen).await.contains("your practice"));
        for (field, input) in [
            ("updateEntry", json!({ "id": measured, "metric_stat": "60" })),
            ("deleteEntry", json!({ "id": measured })),
        ] {
            let sentence = refused(&w, &ada, field, input).await;
            assert!(sentence.contains("written by your practice"), "{sentence}");
        }
        // Whether they keep one is for the practice to say.
        let input = json!({ "user_id": a, "can_view_journal_entries": false });
        let made = w.mutate(&w.owner, "createFeatureToggle", "feature_toggle { id }", input).await;
        assert!(listed(&w, &ada, "").await.is_empty());
        let off = refused(&w, &ada, "createEntry", note).await;
        assert_eq!(off, "Your practice has switched the journal off");
        assert_eq!(listed(&w, &w.owner, &format!("client_id: \"{a}\"")).await.len(), 2);
        let id = &made["feature_toggle"]["id"];
        let input = json!({ "id": id, "can_view_journal_entries": true });
        w.mutate(&w.owner, "updateFeatureToggle", "feature_toggle { id }", input).await;
        let input = json!({ "ids": [a, b], "target_user_id": b });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert_eq!(merged["user"]["id"], json!(b), "{merged}");
        // With the client goes what they wrote.
        let bo = w.as_client(&b).await;
        assert_eq!(listed(&w, &bo, "").await.len(), 2);
        let gone = w.mutate(&bo, "deleteEntry", ENTRY, json!({ "id": own })).await;
        assert_eq!(gone["entry"]["id"], own, "{gone}");
        assert_eq!(w.rows::<Entry>(Cond::Always).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_devices_send_many_at_once() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let bulk = async |actor: &Actor, entries: Json| {
            let selects = "entries { id type category external_id third_party_source viewed }";
            w.mutate(actor, "bulkCreateEntries", selects, json!({ "entries": entries })).await
        };
        let steps = |who: &str, at: &str, name: Option<&str>| {
            json!({ "user_id": who, "category": "Steps", "metric_stat": "4200", "created_at": at,
                "third_party_source": "A watch", "external_id": name, "check_duplicates": true })
        };
        let (early, late) = ("2026-03-04T09:00:00Z", "2026-03-04T10:00:00Z");
        let sent = json!([steps(&a, early, None), steps(&a, late, None), steps(&b, early, None)]);
        let made = bulk(&w.owner, sent.clone()).await;
        assert!(made["messages"].is_null(), "{made}");
        assert_eq!(made["entries"].as_array().unwrap().len(), 3);
        assert_eq!(
            made["entries"][0],
            json!({ "id": made["entries"][0]["id"], "type": "MetricEntry", "category": "Steps",
                "external_id": null, "third_party_source": "A watch", "viewed": true })
        );
        // Sent once more, and by name with another moment: nothing is written.
        assert_eq!(bulk(&w.owner, sent).await["entries"], made["entries"]);
        let named = bulk(&w.owner, json!([steps(&a, early, Some("s1"))])).await;
        let again = bulk(&w.owner, json!([steps(&a, late, Some("s1"))])).await;
        assert_eq!(named["entries"], again["entries"]);
        assert_eq!(w.rows::<Entry>(Cond::Always).await.len(), 4);
        // Two meals of a day are two; and the same meal is one, also in one call.
        let meal = |what: &str| {
            json!({ "user_id": a, "type": "FoodEntry", "description": what,
                "created_at": "2026-03-05", "check_duplicates": true })
        };
        let meals = bulk(&w.owner, json!([meal("Soup"), meal("Bread"), meal("Soup")])).await;
        assert_eq!(meals["entries"].as_array().unwrap().len(), 2, "{meals}");
        assert_eq!(bulk(&w.owner, json!([meal("Bread")])).await["entries"][0], meals["entries"][1]);
        for meal in meals["entries"].as_array().unwrap() {
            w.mutate(&w.owner, "deleteEntry", ENTRY, json!({ "id": meal["id"] })).await;
        }
        // What was deleted does not come back with the device's next call.
        let gone = json!({ "id": named["entries"][0]["id"] });
        w.mutate(&w.owner, "deleteEntry", ENTRY, gone).await;
        let again = bulk(&w.owner, json!([steps(&a, late, Some("s1"))])).await;
        assert_eq!((&again["entries"], &again["messages"]), (&json!([]), &Json::Null));
        let named = bulk(&w.owner, json!([steps(&a, early, Some("s2"))])).await;
        assert_eq!(named["entries"].as_array().unwrap().len(), 1);
        // Who does not ask gets another one; a client sends their own.
        let ada = w.as_client(&a).await;
        let own = json!([{ "type": "SleepEntry", "description": "Seven hours" },
            { "category": "Steps", "metric_stat": "4200", "created_at": early }]);
        let done = bulk(&ada, own).await;
        assert_eq!(done["entries"].as_array().unwrap().len(), 2, "{done}");
        assert_eq!(done["entries"][0]["viewed"], false);
        // All or nothing; of clients whom the caller does not see, nothing.
        let wrong = json!([steps(&a, "2026-03-05", None), { "user_id": a, "category": "Steps" }]);
        let refused = bulk(&w.owner, wrong).await;
        assert!(refused["entries"].is_null(), "{refused}");
        assert_eq!(refused["messages"][0]["message"], "Entry 2: Metric stat can't be blank");
        let others = json!([steps(&a, "2026-03-05", None), steps(&b, "2026-03-05", None)]);
        for actor in [&ada, &w.stranger, &w.with(&w.standard, &[])] {
            let refused = bulk(actor, others.clone()).await;
            assert_eq!(refused["messages"][0]["message"], "Object not found", "{refused}");
        }
        let one = steps(&a, "2026-03-05", None);
        for entries in [json!([]), json!(vec![one; 501])] {
            let refused = bulk(&w.owner, entries).await;
            let sentence = "Entries must be a list of one to 500 entries";
            assert_eq!(refused["messages"][0]["message"], sentence);
        }
        assert_eq!(w.rows::<Entry>(Cond::Always).await.len(), 6);
        let events = w.events().await;
        let metrics = events.iter().filter(|it| *it == "metric_entry.created []").count();
        assert_eq!((events.len(), metrics), (12, 6));
    })
    .await;
}
