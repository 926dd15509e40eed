//! Questions for slots: days, zones, views, and what is no question.

use serde_json::json;
use ward_engine::ViewId;
use ward_store::{Actor, Sql};

use crate::calendars::at;
use crate::slot_lists::{DAY, NOW, asked, hours, of, open_type};
use crate::support::World;

#[tokio::test]
async fn days_are_of_who_asks_and_answers_of_the_view() {
    World::each(async |w| {
        // From ten in the evening in New York: the second of March in London.
        let late = json!({ "time": "22 00", "end_time": "23 00" });
        hours(&w, &w.standard, late).await;
        let open = open_type(&w, json!({ "length": 60 })).await;
        let mut sql = Sql::new();
        sql.push("UPDATE users SET timezone = 'America/New_York' WHERE id = ")
            .bind(w.standard.user_id);
        w.execute(sql).await;
        let args = of(&w.standard, &open);
        let nobody = Actor::anonymous();
        let days = async |more: &str| {
            let query = format!("{{ daysAvailableForRange({args}{more}) }}");
            asked(&w, &nobody, &query).await["data"]["daysAvailableForRange"].clone()
        };
        let march = ", date_from_month: \"March 9, 2027\"";
        assert_eq!(days(march).await, json!(["2027-03-01"]), "a visitor's days are the provider's");
        assert_eq!(
            days(&format!("{march}, timezone: \"Europe/London\"")).await,
            json!(["2027-03-02"])
        );
        let browser = ", start_date: \"Tue Mar 02 2027 08:15:00 GMT+0000 (Greenwich Mean Time)\", \
            end_date: \"2027-03-02T23:00:00.000Z\", timezone: \"Europe/London\"";
        assert_eq!(days(browser).await, json!(["2027-03-02"]), "as browsers show a moment");
        let half = format!("{march}, end_date: \"2027-03-09\"");
        assert_eq!(days(&half).await, json!(["2027-03-01"]), "the month, as one end says none");
        let bound = format!("{march}, start_date_boundary: \"2027-03-02\"");
        assert_eq!(days(&bound).await, json!([]));
        let query = format!("{{ nextAvailableSlot({args}, timezone: \"Europe/London\") }}");
        for (view, shown) in [
            (ViewId::V2026, "2027-03-02T03:00:00Z"),
            (ViewId::Baseline, "2027-03-02 03:00:00 +0000"),
        ] {
            let answer = w.run_at(at(NOW), view, &nobody, &query, json!({})).await;
            assert_eq!(answer["data"]["nextAvailableSlot"], shown, "{answer}");
            // Whoever has an account has a zone, whatever they send.
            let answer = w.run_at(at(NOW), view, &w.owner, &query, json!({})).await;
            let own = answer["data"]["nextAvailableSlot"].as_str().unwrap();
            assert!(own.starts_with("2027-03-01") && own.contains("22:00:00"), "{answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_next_slot_is_found_however_many_could_have_one() {
    World::each(async |w| {
        let open = open_type(&w, json!({})).await;
        let names: Vec<String> = (0..75).map(|n| format!("P{n}")).collect();
        for name in &names[1..] {
            w.colleague(name.clone().leak()).await;
        }
        let late = w.colleague("P0").await;
        let nobody = Actor::anonymous();
        let all = format!(
            "{{ nextAvailableSlot(provider_id: \"{}\", org_level: true, appt_type_id: \"{open}\") }}",
            w.standard.user_id
        );
        let next = async || asked(&w, &nobody, &all).await["data"]["nextAvailableSlot"].clone();
        assert!(next().await.is_null());
        // In 174 days, where 77 providers once were looked at for 155.
        hours(&w, &late, json!({ "range_start": "August 13, 2027" })).await;
        assert_eq!(next().await, json!("2027-08-13T09:00:00-04:00"));
        // The first of all, whoever has it.
        hours(&w, &w.owner, json!({ "range_start": "May 3, 2027" })).await;
        hours(&w, &w.standard, json!({ "range_start": "May 4, 2027" })).await;
        assert_eq!(next().await, json!("2027-05-03T09:00:00-04:00"));
        let end = all.replace("org_level", "end_date_boundary: \"2027-05-02\", org_level");
        assert!(asked(&w, &nobody, &end).await["data"]["nextAvailableSlot"].is_null());
    })
    .await;
}

#[tokio::test]
async fn what_is_no_question_gets_a_sentence_and_what_is_too_much_too() {
    World::each(async |w| {
        hours(&w, &w.standard, json!({})).await;
        let open = open_type(&w, json!({})).await;
        let args = of(&w.standard, &open);
        let nobody = Actor::anonymous();
        let many: Vec<String> = (1..=501).map(|n| format!("\"{}\"", w.standard.user_id + n)).collect();
        let many = format!("provider_ids: [{}]", many.join(", "));
        let bad = [
            ("timezone: \"Nowhere/At_All\"", "timezone is not a known time zone such as America/New_York"),
            ("start_date: \"2027-02-31\"", "start_date must be a date such as 2026-03-04"),
            ("start_date: \"2027-03-02\", end_date: \"2027-03-01\"", "end_date can't be before start_date"),
            ("start_date: \"2027-03-01\", end_date: \"2027-05-02\"", "end_date must be within 62 days of start_date"),
            ("start_date: \"0001-01-01\", end_date: \"9999-12-30\"", "end_date must be within 62 days of start_date"),
            ("start_date: \"-0004-01-01\"", "start_date must be a date such as 2026-03-04"),
            ("length: \"0\"", "length must be from 1 to 1440 minutes"),
            ("length: \"-30\"", "length must be from 1 to 1440 minutes"),
            ("contact_type: \"Telepathy\"", "contact_type must be one of Healthie Video Call, In Person, Phone Call"),
            ("licensed_in_state: \"Ontario\"", "licensed_in_state must be a state such as NY"),
            (many.as_str(), "provider_ids can name at most 500"),
        ];
        for (more, sentence) in bad {
            let query = format!("{{ availableSlotsForRange({args}, {more}) {{ date }} }}");
            let answer = asked(&w, &nobody, &query).await;
            assert_eq!(answer["errors"][0]["message"], sentence, "{answer}");
        }
        let half = format!("{{ daysAvailableForRange({args}, start_date: \"2027-03-01\") }}");
        let answer = asked(&w, &nobody, &half).await;
        assert_eq!(answer["errors"][0]["message"], "start_date and end_date are sent together, or neither");
        for year in ["0001-01-01", "9999-12-30"] {
            let query = format!("{{ availableSlotsForRange({args}, start_date: \"{year}\", end_date: \"{year}\") {{ date }} \
                daysAvailableForRange({args}, date_from_month: \"{year}\") \
                nextAvailableSlot({args}, start_date_boundary: \"{year}\") }}");
            let answer = asked(&w, &nobody, &query).await;
            assert!(answer.get("errors").is_none(), "{answer}");
            assert_eq!(answer["data"]["daysAvailableForRange"], json!([]));
        }
        // Nobody asks of nobody.
        let nothing = format!("{{ availableSlotsForRange(provider_id: \"\", {DAY}) {{ date }} nextAvailableSlot daysAvailableForRange }}");
        let answer = asked(&w, &nobody, &nothing).await;
        assert_eq!(answer["data"], json!({ "availableSlotsForRange": [], "nextAvailableSlot": null, "daysAvailableForRange": [] }));
    })
    .await;
}
