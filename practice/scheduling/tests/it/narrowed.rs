//! Lists that are narrowed by words, licences, tags and units.

use serde_json::json;
use ward_engine::ViewId;
use ward_store::Actor;

use crate::booking::{Desk, ahead, appointments, booked, with};
use crate::support::World;

#[tokio::test]
async fn lists_are_narrowed_by_words_licences_and_tags() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let bea = w.client("Beatrix", "bea@example.com").await;
        let other = w.type_of(&w.owner, json!({ "name": "Massage", "length": 20 })).await;
        let stan = w.standard.user_id.to_string();
        let first = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let more = json!({ "user_id": bea, "appointment_type_id": other, "other_party_id": stan,
            "contact_type": "Phone Call" });
        let second = booked(&w, &w.owner, with(&desk.at(&ahead(&w, 4, "15:00")), more)).await;
        let licence = json!({ "id": stan, "state_licenses": [{ "state": "NY" }] });
        w.mutate(&w.owner, "updateOrganizationMember", "user { id }", licence).await;
        let tag = w.mutate(&w.owner, "createTag", "tag { id }", json!({ "name": "Late" })).await;
        let tag = tag["tag"]["id"].as_str().unwrap().to_owned();
        let input = json!({ "ids": [tag], "taggable_user_id": stan });
        w.mutate(&w.owner, "bulkApply", "tags { id }", input).await;
        let cases: [(&str, Vec<&String>); 9] = [
            ("keywords: \"beatrix\"", vec![&second]),
            ("keywords: \"BEA client\"", vec![&second]),
            ("keywords: \"ada beatrix\"", vec![]),
            ("keywords: \"massa\"", vec![&second]),
            ("keywords: \"first\"", vec![&first]),
            ("keywords: \"\"", vec![&second, &first]),
            ("state_license: \"New York\"", vec![&second]),
            ("state_license: \"NJ\"", vec![]),
            ("tag_ids: [\"TAG\"]", vec![&second]),
        ];
        for (args, wanted) in cases {
            let args = format!("is_org: true, {}", args.replace("TAG", &tag));
            let wanted: Vec<String> = wanted.into_iter().cloned().collect();
            assert_eq!(appointments(&w, &w.owner, &args).await, wanted, "{args}");
        }
        let query = "{ appointments(is_org: true, state_license: \"Nowhere\") { nodes { id } } }";
        let wrong = w.run_in(ViewId::V2026, &w.owner, query, json!({})).await;
        let sentence = "state_license must be a state such as NY";
        assert_eq!(wrong["errors"][0]["message"], sentence, "{wrong}");
        // Nobody is found whom the member does not see, nor by a client who else comes.
        let blind = w.with(&w.standard, &[ward_identity::flags::CAN_SEE_CALENDAR]);
        let all = appointments(&w, &blind, "is_org: true").await;
        assert_eq!(all, [second.clone(), first.clone()]);
        assert!(appointments(&w, &blind, "is_org: true, keywords: \"ada@\"").await.is_empty());
        let client = w.as_client(&bea).await;
        assert!(appointments(&w, &client, "keywords: \"beatrix\"").await.is_empty());
        assert_eq!(appointments(&w, &client, "keywords: \"massage\"").await, [second]);
        // Clients see no tags, so they find nothing by them.
        assert_eq!(appointments(&w, &client, "").await.len(), 1);
        assert!(appointments(&w, &client, &format!("tag_ids: [\"{tag}\"]")).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn availability_is_narrowed_as_appointments_are() {
    World::each(async |w| {
        let head = w.branch().await;
        let stan = w.standard.user_id.to_string();
        for (actor, user) in [(&w.owner, &w.owner), (&w.owner, &w.standard), (&head, &head)] {
            let input = json!({ "range_start": "March 1, 2027", "time": "09 00",
                "end_time": "10 00", "timezone": "America/New_York",
                "user_id": user.user_id.to_string() });
            let made = w.mutate(actor, "createAvailability", "availability { id }", input).await;
            assert!(made["messages"].is_null(), "{made}");
        }
        let licence = json!({ "id": stan, "state_licenses": [{ "state": "NY" }] });
        w.mutate(&w.owner, "updateOrganizationMember", "user { id }", licence).await;
        let tag = w.mutate(&w.owner, "createTag", "tag { id }", json!({ "name": "Late" })).await;
        let tag = tag["tag"]["id"].as_str().unwrap().to_owned();
        let input = json!({ "ids": [tag], "taggable_user_id": stan });
        w.mutate(&w.owner, "bulkApply", "tags { id }", input).await;
        let (owner, theirs) = (w.owner.user_id.to_string(), head.user_id.to_string());
        let found = async |actor: &Actor, args: &str| {
            let query = format!(
                "{{ availabilities(one_time: true, startDate: \"2027-02-28\", \
                 endDate: \"2027-03-03\", {args}) {{ user_id }} }}"
            );
            let answer = w.run(actor, &query, json!({})).await;
            let mut list: Vec<String> = answer["availabilities"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["user_id"].to_string().trim_matches('"').to_owned())
                .collect();
            list.sort();
            list
        };
        let mut ours = vec![owner.clone(), stan.clone()];
        ours.sort();
        assert_eq!(found(&w.owner, "is_org: true").await, ours);
        let below = "is_org: true, include_suborganizations: true";
        assert_eq!(found(&w.owner, below).await.len(), 3);
        assert_eq!(found(&head, below).await, std::slice::from_ref(&theirs));
        let unit = |id: i64| format!("organization_id: \"{id}\"");
        assert_eq!(found(&w.owner, &unit(head.unit_id)).await, [theirs]);
        assert!(found(&head, &unit(w.owner.unit_id)).await.is_empty());
        let only = [stan];
        assert_eq!(found(&w.owner, "is_org: true, state_license: \"NY\"").await, only);
        assert_eq!(found(&w.owner, &format!("is_org: true, tag_ids: [\"{tag}\"]")).await, only);
        assert!(found(&w.owner, "is_org: true, state_license: \"NJ\"").await.is_empty());
    })
    .await;
}
