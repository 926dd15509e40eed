//! Lists of appointments: their filters and orders (behaviour 23.6).

use serde_json::{Value as Json, json};

use crate::booking::{Desk, ahead, appointments, booked, change, with};
use crate::support::World;

#[tokio::test]
async fn lists_have_what_their_filters_say() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let other = w.type_of(&w.owner, json!({ "name": "Other", "length": 20 })).await;
        let second = w.client("Bea", "bea@example.com").await;
        let owner = w.owner.user_id.to_string();
        let standard = w.standard.user_id.to_string();
        let day = ahead(&w, 3, "15:00");
        let past = booked(&w, &w.owner, desk.at(&ahead(&w, -3, "15:00"))).await;
        let next = booked(&w, &w.owner, desk.at(&day)).await;
        let more = json!({ "user_id": second, "appointment_type_id": other,
            "contact_type": "Phone Call", "providers": standard });
        let joint = booked(&w, &w.owner, with(&desk.at(&ahead(&w, 9, "15:00")), more)).await;
        let more = json!({ "other_party_id": standard });
        let theirs = booked(&w, &w.owner, with(&desk.at(&ahead(&w, 4, "15:00")), more)).await;
        let gone = booked(&w, &w.owner, desk.at(&ahead(&w, 5, "15:00"))).await;
        change(&w, &w.owner, json!({ "id": gone, "pm_status": "Cancelled" })).await;
        change(&w, &w.owner, json!({ "id": past, "pm_status": "Occurred", "confirmed": true })).await;
        let block = json!({ "is_blocker": true, "datetime": ahead(&w, 6, "15:00"),
            "end_date": ahead(&w, 6, "16:00") });
        let block = booked(&w, &w.owner, block).await;
        let date = &day[..10];
        let cases: Vec<(String, Vec<&String>)> = vec![
            (String::new(), vec![&joint, &block, &gone, &next]),
            ("order_by: DATE_ASC".into(), vec![&next, &gone, &block, &joint]),
            ("order_by: CREATED_AT_ASC".into(), vec![&next, &joint, &gone, &block]),
            ("filter: \"all\"".into(), vec![&joint, &block, &gone, &next, &past]),
            ("filter: \"past\"".into(), vec![&past]),
            ("filter: \"ended\"".into(), vec![&past]),
            ("filter: \"upcoming\"".into(), vec![&joint, &block, &gone, &next]),
            ("filter: \"didnt-occur\"".into(), vec![&gone]),
            ("is_active: true".into(), vec![&joint, &block, &next]),
            ("is_active: false".into(), vec![&gone]),
            ("is_active: true, with_all_statuses: true".into(), vec![&joint, &block, &gone, &next]),
            ("include_blockers: false".into(), vec![&joint, &gone, &next]),
            ("without_status: true".into(), vec![&joint, &block, &next]),
            ("is_with_clients: true".into(), vec![&joint, &gone, &next]),
            ("is_org: true".into(), vec![&joint, &block, &gone, &theirs, &next]),
            (format!("provider_id: \"{standard}\""), vec![&joint, &theirs]),
            (
                format!("provider_id: \"{standard}\", use_provider_inclusions: false"),
                vec![&theirs],
            ),
            (format!("provider_ids: [\"{standard}\", \"{owner}\"], is_active: true"), vec![&joint, &block, &theirs, &next]),
            (format!("user_id: \"{second}\""), vec![&joint]),
            (format!("attendee_ids: [\"{second}\"]"), vec![&joint]),
            (format!("user_id: \"{}\", provider_id: \"{standard}\"", desk.client), vec![&theirs]),
            (format!("filter_by_appointment_type_id: \"{other}\""), vec![&joint]),
            (
                format!("filter_by_appointment_type_id: \"{other}\", filter_by_appointment_type_ids: [\"{}\"]", desk.of),
                vec![&gone, &next],
            ),
            ("filter_by_contact_types: \"Phone Call\"".into(), vec![&joint]),
            ("filter_by_appointment_status: \"Cancelled\"".into(), vec![&gone]),
            (
                "filter: \"all\", filter_by_appointment_statuses: [\"Cancelled\", \"Occurred\"]".into(),
                vec![&gone, &past],
            ),
            ("filter: \"all\", is_confirmed: true".into(), vec![&past]),
            (format!("specificDay: \"{date}\""), vec![&next]),
            (format!("startDate: \"{date}\", endDate: \"{date}\""), vec![&next]),
            (
                format!("startDate: \"{}\", endDate: \"{day}\"", ahead(&w, -9, "15:00")),
                vec![&past],
            ),
            ("show_appointments: false".into(), vec![]),
        ];
        for (args, wanted) in cases {
            let wanted: Vec<String> = wanted.into_iter().cloned().collect();
            assert_eq!(appointments(&w, &w.owner, &args).await, wanted, "{args}");
        }
        // The member who gives one with another has it, too.
        let own = w.with(&w.standard, &[]);
        assert_eq!(appointments(&w, &own, "").await, [joint, theirs]);
        let wrong = "{ appointments(startDate: \"2027-03-05\", endDate: \"2027-03-01\") { nodes { id } } }";
        let answer = w.run_in(ward_engine::ViewId::V2026, &w.owner, wrong, json!({})).await;
        assert_eq!(answer["errors"][0]["message"], "endDate must be after startDate");
    })
    .await;
}

#[tokio::test]
async fn units_beside_and_above_each_other() {
    World::each(async |w| {
        let head = w.branch().await;
        let of = w.type_of(&head, json!({ "name": "There", "length": 30 })).await;
        let input =
            json!({ "first_name": "Cleo", "last_name": "Branch", "email": "c@example.com" });
        let made = w.mutate(&head, "createClient", "user { id }", input).await;
        let client = made["user"]["id"].clone();
        let input = json!({ "user_id": client, "appointment_type_id": of,
            "contact_type": "Phone Call", "datetime": ahead(&w, 3, "15:00") });
        let id = booked(&w, &head, input.clone()).await;
        let desk = Desk::of(&w).await;
        booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        assert_eq!(appointments(&w, &head, "is_org: true").await, std::slice::from_ref(&id));
        assert_eq!(appointments(&w, &w.owner, "is_org: true").await.len(), 1);
        let below = "is_org: true, include_suborganizations: true";
        assert_eq!(appointments(&w, &w.owner, below).await.len(), 2);
        let unit = format!("organization_id: \"{}\"", head.unit_id);
        assert_eq!(appointments(&w, &w.owner, &unit).await, [id]);
        let root = format!("organization_id: \"{}\"", w.owner.unit_id);
        assert!(appointments(&w, &head, &root).await.is_empty());
        // A type, or a client, of another unit does not fit the provider.
        for more in [json!({ "appointment_type_id": desk.of }), json!({ "user_id": desk.client })] {
            let payload = crate::booking::book(&w, &w.owner, {
                let mut input = with(&input, more);
                input["other_party_id"] = json!(head.user_id.to_string());
                input
            })
            .await;
            assert_eq!(payload["messages"][0]["message"], "Object not found", "{payload}");
            assert_eq!(payload["appointment"], Json::Null);
        }
    })
    .await;
}

/// What a member gives, gives beside another and attends is one list, however it is cut.
#[tokio::test]
async fn pages_of_all_that_somebody_takes_part_in() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let standard = w.standard.user_id.to_string();
        for day in 1..9 {
            let more = match day % 3 {
                0 => json!({ "other_party_id": standard }),
                1 => json!({ "providers": standard }),
                _ => json!({}),
            };
            booked(&w, &w.owner, with(&desk.at(&ahead(&w, day, "15:00")), more)).await;
        }
        let both = format!(
            "provider_ids: [\"{standard}\", \"{}\"], order_by: DATE_ASC",
            w.owner.user_id
        );
        let mut ids = appointments(&w, &w.owner, &both).await;
        assert_eq!(ids.len(), 8, "each once, also where one gives and the other comes");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 8);
        for order in ["DATE_ASC", "DATE_DESC", "CREATED_AT_DESC"] {
            let whose = format!("provider_id: \"{standard}\", order_by: {order}");
            let all = appointments(&w, &w.owner, &whose).await;
            assert_eq!(all.len(), 5, "1, 3, 4, 6 and 7 days ahead");
            for (size, from) in [("first", "after"), ("last", "before")] {
                let (mut pages, mut cursor) = (Vec::new(), String::new());
                loop {
                    let page = format!(
                        "{{ appointments({whose}, {size}: 2{cursor}) {{ nodes {{ id }} total_count \
                         page_info {{ start_cursor end_cursor has_next_page has_previous_page }} }} }}"
                    );
                    let answer =
                        w.run_in(ward_engine::ViewId::V2026, &w.owner, &page, json!({})).await;
                    let list = &answer["data"]["appointments"];
                    assert_eq!(list["total_count"], 5, "{answer}");
                    let ids = list["nodes"].as_array().unwrap().iter();
                    let ids: Vec<String> =
                        ids.map(|node| node["id"].as_str().unwrap().to_owned()).collect();
                    let info = &list["page_info"];
                    let (more, end) = match size {
                        "first" => (&info["has_next_page"], &info["end_cursor"]),
                        _ => (&info["has_previous_page"], &info["start_cursor"]),
                    };
                    cursor = format!(", {from}: {end}");
                    pages = match size {
                        "first" => [pages, ids].concat(),
                        _ => [ids, pages].concat(),
                    };
                    if more != true {
                        break;
                    }
                }
                assert_eq!(pages, all, "{size} {order}");
            }
        }
    })
    .await;
}
