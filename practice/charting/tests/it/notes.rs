//! Signing, locking and adding to notes (behaviour 26, DOM-16, DOM-17).

use serde_json::{Value as Json, json};
use ward_charting::filled::hand::{Act, Hand, No, Note, may};
use ward_charting::filled::listing::status;
use ward_charting::filled::tables::{FormAnswerGroupAuditEvent, FormAnswerGroupSigning};
use ward_engine::Permission;
use ward_identity::flags::{
    CAN_LOCK_FORM_ANSWER_GROUPS, CAN_LOCK_OTHERS_CHARTING_NOTES, CAN_LOCK_OWN_CHARTING_NOTES,
    CAN_REMOVE_ORG_MEMBER_SIGNATURES, CAN_SEE_CLIENTS, CAN_SIGN_OTHERS_CHARTING_NOTES,
    CAN_SIGN_OWN_CHARTING_NOTES, CAN_UNLOCK_CHARTING_NOTES, CAN_WRITE_ORG_ADDENDUMS,
};
use ward_store::{Actor, Cond, Flags, Query, Sql};

use crate::filled::told;
use crate::support::World;

const NOTE: &str = "form_answer_group { id is_locked frozen locked_at chart_note_status \
    locked_by { id } }";

impl World {
    /// A finished note of the owner about a new client, with one answer: its id, and the
    /// question's.
    pub async fn note(&self, client: &str) -> (String, String) {
        let form =
            self.form(&self.owner, json!({ "name": "Note", "use_for_charting": true })).await;
        let q = self.question(&form, "text", "Assessment").await;
        self.change(json!({ "id": q, "required": true })).await;
        let answers = json!([{ "custom_module_id": q, "answer": "Well" }]);
        let input = json!({ "custom_module_form_id": form, "user_id": client, "finished": true,
            "form_answers": answers });
        let made = self.fill(&self.owner, input).await;
        (made["form_answer_group"]["id"].as_str().unwrap().to_owned(), q)
    }

    async fn act(&self, actor: &Actor, field: &str, input: &str, more: &str) -> Json {
        let returns = match field {
            "createAddendum" => "addendum { id content created_at user { id } }".to_owned(),
            "deleteFormAnswerGroupSigning" => "formAnswerGroupSigning { id }".to_owned(),
            "signFormAnswerGroup" => format!(
                "{NOTE} form_answer_group_signing {{ id meaning is_intact user_full_legal_name \
                 user_qualifications form_answer_group_id user {{ id }} }}"
            ),
            _ => NOTE.to_owned(),
        };
        let query = format!(
            "mutation {{ {field}(input: {{ {input} {more} }}) {{ {returns} \
             messages {{ field message }} }} }}"
        );
        let answer = self.run_in(ward_engine::ViewId::V2026, actor, &query, json!({})).await;
        answer["data"][field].clone()
    }

    /// Does something to a note.
    pub async fn to(&self, actor: &Actor, field: &str, id: &str, more: &str) -> Json {
        self.act(actor, field, &format!("id: \"{id}\""), more).await
    }

    pub async fn add(&self, actor: &Actor, id: &str, content: &str) -> Json {
        let input = format!("form_answer_group_id: \"{id}\"");
        self.act(actor, "createAddendum", &input, &format!("content: \"{content}\"")).await
    }

    async fn history(&self, actor: &Actor, id: &str) -> Json {
        let query = "query($id: ID) { formAnswerGroup(id: $id) { chart_note_status \
            form_answers { answer } \
            form_answer_group_signings { id is_intact meaning user { id } } \
            charting_note_addendums { content user { id } } \
            form_answer_group_audit_events { action description committed_by { id } } } }";
        self.run(actor, query, json!({ "id": id })).await["formAnswerGroup"].clone()
    }
}

#[tokio::test]
async fn dom_16_a_signature_binds_what_was_signed() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let (id, q) = w.note(&ada).await;
        let signed = w.to(&w.owner, "signFormAnswerGroup", &id, "").await;
        assert_eq!(signed["form_answer_group"]["chart_note_status"], "SIGNED", "{signed}");
        let own = &signed["form_answer_group_signing"];
        assert_eq!(own["meaning"], "AUTHOR");
        assert_eq!(own["is_intact"], true);
        assert_eq!(own["user_full_legal_name"], "Olive Staffson");
        assert_eq!(own["form_answer_group_id"], id.as_str());
        let twice = w.to(&w.owner, "signFormAnswerGroup", &id, "").await;
        assert_eq!(told(&twice)[0].1, "You have signed this form already");
        let other = w.with(&w.standard, &[CAN_SEE_CLIENTS, CAN_SIGN_OTHERS_CHARTING_NOTES]);
        let co = w.to(&other, "signFormAnswerGroup", &id, "").await;
        assert_eq!(co["form_answer_group"]["chart_note_status"], "CO_SIGNED", "{co}");
        assert_eq!(co["form_answer_group_signing"]["meaning"], "CO_SIGNER");
        let intact = async || {
            let read = w.history(&w.owner, &id).await;
            let list = read["form_answer_group_signings"].as_array().unwrap().clone();
            list.iter().map(|it| it["is_intact"] == true).collect::<Vec<_>>()
        };
        assert_eq!(intact().await, [true, true]);
        // A signed note can be edited, and the signatures say so; back again, they hold.
        for (text, holds) in [("Ill", false), ("Well", true)] {
            let answers = json!([{ "custom_module_id": q, "answer": text }]);
            w.refill(&w.owner, json!({ "id": id, "form_answers": answers })).await;
            assert_eq!(intact().await, [holds, holds], "{text}");
        }
        // Nor can it be backdated unseen.
        let day = json!({ "id": id, "formatted_date": "2020-01-01" });
        assert!(w.refill(&w.owner, day).await["messages"].is_null());
        assert_eq!(intact().await, [false, false]);
        let removed = co["form_answer_group_signing"]["id"].as_str().unwrap().to_owned();
        let denied = w.to(&other, "deleteFormAnswerGroupSigning", own["id"].as_str().unwrap(), "");
        assert_eq!(told(&denied.await)[0].0, "base");
        let may = w.with(&w.standard, &[CAN_SEE_CLIENTS, CAN_REMOVE_ORG_MEMBER_SIGNATURES]);
        let gone = w.to(&may, "deleteFormAnswerGroupSigning", own["id"].as_str().unwrap(), "");
        let gone = gone.await;
        assert!(gone["messages"].is_null(), "{gone}");
        let gone = w.to(&other, "deleteFormAnswerGroupSigning", &removed, "").await;
        assert!(gone["messages"].is_null(), "one's own: {gone}");
        assert_eq!(w.history(&w.owner, &id).await["chart_note_status"], "CREATED");
        let again = w.to(&w.owner, "signFormAnswerGroup", &id, "").await;
        assert_eq!(again["form_answer_group_signing"]["is_intact"], true, "{again}");
        let steps: Vec<FormAnswerGroupAuditEvent> = w.rows(Cond::Always).await;
        let steps: Vec<&str> = steps.iter().map(|it| it.action.as_str()).collect();
        assert_eq!(steps.iter().filter(|it| **it == "REMOVE_SIGNATURE").count(), 2, "{steps:?}");
        assert_eq!(steps.iter().filter(|it| **it == "SIGNED").count(), 3);
    })
    .await;
}

#[tokio::test]
async fn dom_16_what_is_altered_in_the_store_shows() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let (id, _) = w.note(&ada).await;
        w.to(&w.owner, "signFormAnswerGroup", &id, "").await;
        w.to(&w.owner, "lockFormAnswerGroup", &id, "").await;
        let intact = async || {
            let read = w.history(&w.owner, &id).await;
            read["form_answer_group_signings"][0]["is_intact"] == true
        };
        assert!(intact().await);
        for (alters, heals) in [
            (
                "UPDATE question_versions SET label = 'Diagnosis' WHERE label = 'Assessment'",
                "UPDATE question_versions SET label = 'Assessment' WHERE label = 'Diagnosis'",
            ),
            (
                "UPDATE form_answer_groups SET served_at = served_at - 1000000",
                "UPDATE form_answer_groups SET served_at = served_at + 1000000",
            ),
            ("UPDATE form_answers SET hidden = TRUE", "UPDATE form_answers SET hidden = FALSE"),
        ] {
            for (statement, holds) in [(alters, false), (heals, true)] {
                w.spoil(Sql::fixed(statement, [])).await;
                assert_eq!(intact().await, holds, "{statement}");
            }
        }
        let rows: Vec<FormAnswerGroupSigning> = w.rows(Cond::Always).await;
        let hash = &rows[0].content_hash;
        assert_eq!(hash.len(), 64);
        let sql = Sql::fixed("SELECT * FROM form_answer_group_signings", []);
        let kept = format!("{:?}", w.db.read().await.unwrap().rows(&sql).await.unwrap());
        assert!(!kept.contains(hash.as_str()), "the hash of a short text tells the text");
    })
    .await;
}

#[tokio::test]
async fn dom_17_a_locked_note_is_only_added_to() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let (id, q) = w.note(&ada).await;
        assert_eq!(told(&w.add(&w.owner, &id, "P.S.").await)[0].0, "base");
        let early = w.to(&w.owner, "unlockFormAnswerGroup", &id, r#"description: "x""#).await;
        assert_eq!(told(&early)[0].1, "This form isn't locked");
        let locked = w.to(&w.owner, "lockFormAnswerGroup", &id, "").await;
        let note = &locked["form_answer_group"];
        assert_eq!((&note["is_locked"], &note["frozen"]), (&json!(true), &json!(true)), "{locked}");
        assert_eq!(note["chart_note_status"], "LOCKED");
        assert!(!note["locked_at"].is_null());
        let changes = [
            json!({ "id": id, "name": "Other" }),
            json!({ "id": id, "formatted_date": "2020-01-01" }),
            json!({ "id": id, "metadata": "{}" }),
            json!({ "id": id, "form_answers": [{ "custom_module_id": q, "answer": "Ill" }] }),
        ];
        for input in changes {
            let refused = w.refill(&w.owner, input).await;
            assert!(told(&refused)[0].1.starts_with("This form is locked"), "{refused}");
        }
        let delete = json!({ "id": id });
        let delete =
            w.mutate(&w.owner, "deleteFormAnswerGroup", "form_answer_group { id }", delete).await;
        assert!(told(&delete)[0].1.starts_with("This form is locked"), "{delete}");
        assert_eq!(
            told(&w.to(&w.owner, "lockFormAnswerGroup", &id, "").await)[0].1,
            "This form is locked already"
        );
        // It can be signed: that changes nothing of it. The signature stays, then.
        let signed = w.to(&w.owner, "signFormAnswerGroup", &id, "").await;
        assert_eq!(signed["form_answer_group"]["chart_note_status"], "SIGNED_AND_LOCKED");
        let signing = signed["form_answer_group_signing"]["id"].as_str().unwrap();
        let kept = w.to(&w.owner, "deleteFormAnswerGroupSigning", signing, "").await;
        assert!(told(&kept)[0].1.starts_with("This form is locked"), "{kept}");
        assert_eq!(told(&w.add(&w.owner, &id, " ").await)[0].0, "content");
        let added = w.add(&w.owner, &id, "P.S.").await;
        assert_eq!(added["addendum"]["content"], "P.S.", "{added}");
        let one = w.run(
            &w.owner,
            "query($id: ID) { chartingNoteAddendum(id: $id) { content form_answer_group { id } } }",
            json!({ "id": added["addendum"]["id"] }),
        );
        assert_eq!(one.await["chartingNoteAddendum"]["form_answer_group"]["id"], id.as_str());
        let blank = w.to(&w.owner, "unlockFormAnswerGroup", &id, r#"description: " ""#).await;
        assert_eq!(told(&blank)[0].0, "description");
        let why = r#"description: "Wrong client""#;
        let open = w.to(&w.owner, "unlockFormAnswerGroup", &id, why).await;
        assert_eq!(open["form_answer_group"]["chart_note_status"], "SIGNED", "{open}");
        assert!(open["form_answer_group"]["locked_at"].is_null());
        let read = w.history(&w.owner, &id).await;
        assert_eq!(read["form_answers"], json!([{ "answer": "Well" }]));
        assert_eq!(read["charting_note_addendums"][0]["content"], "P.S.", "it stays");
        let mut steps: Vec<String> = read["form_answer_group_audit_events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| format!("{} {}", it["action"].as_str().unwrap(), it["description"]))
            .collect();
        steps.sort();
        assert_eq!(
            steps,
            ["ADDENDUM_CREATED null", "LOCKED null", "SIGNED null", "UNLOCKED \"Wrong client\""]
        );
        let owner = w.owner.user_id.to_string();
        assert_eq!(read["form_answer_group_audit_events"][0]["committed_by"]["id"], owner);
        assert_eq!(
            w.filled_events().await,
            [
                "charting_note_addendum.created",
                "form_answer_group.created",
                "form_answer_group.locked",
                "form_answer_group.signed",
                "form_answer_group.unlocked",
            ]
        );
        let lists = "{ chartNotes(chart_note_status: SIGNED) { total_count } \
            formAnswerGroups(signed_status: true, locked_status: false) { total_count } }";
        let lists = w.run(&w.owner, lists, json!({})).await;
        assert_eq!(lists["chartNotes"]["total_count"], 1);
        assert_eq!(lists["formAnswerGroups"]["total_count"], 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_member_can_do_is_what_the_server_does() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let (id, _) = w.note(&ada).await;
        let can = async |actor: &Actor, of: Json| {
            let query = "query($id: ID, $of: ID) { formAnswerGroup(id: $id) { \
                sign: provider_can_sign(provider_id: $of) lock: provider_can_lock(provider_id: $of) \
                unlock: provider_can_unlock(provider_id: $of) \
                add: provider_can_add_addendum(provider_id: $of) } }";
            let data = w.run(actor, query, json!({ "id": id, "of": of })).await;
            data["formAnswerGroup"].clone()
        };
        let verdict = |sign: bool, lock: bool, unlock: bool, add: bool| {
            json!({ "sign": sign, "lock": lock, "unlock": unlock, "add": add })
        };
        assert_eq!(can(&w.owner, Json::Null).await, verdict(true, true, false, false));
        let plain = w.with(&w.standard, &[CAN_SEE_CLIENTS]);
        assert_eq!(can(&plain, Json::Null).await, verdict(false, false, false, false));
        for (field, more) in [("signFormAnswerGroup", ""), ("lockFormAnswerGroup", "")] {
            assert_eq!(told(&w.to(&plain, field, &id, more).await)[0].0, "base", "{field}");
        }
        // Of a colleague, and of nobody who is seen.
        let owner = w.owner.user_id.to_string();
        assert_eq!(can(&plain, owner.clone().into()).await, verdict(true, true, false, false));
        let stranger = w.stranger.user_id.to_string();
        assert_eq!(can(&w.owner, stranger.into()).await, verdict(false, false, false, false));
        assert_eq!(can(&w.owner, ada.as_str().into()).await, verdict(false, false, false, false));
        // A colleague may what their membership says, of whom they see.
        let standard = w.standard.user_id.to_string();
        for (sees, may) in [(false, false), (true, true)] {
            let sql = Sql::fixed(
                "UPDATE organization_memberships SET can_sign_others_charting_notes = TRUE, \
                 sees_all_clients = $1, can_see_clients = $1 WHERE user_id = $2",
                [sees.into(), w.standard.user_id.into()],
            );
            w.spoil(sql).await;
            let said = can(&w.owner, standard.as_str().into()).await;
            assert_eq!(said["sign"], may, "sees: {sees}");
        }
        let locks = w.with(&w.standard, &[CAN_SEE_CLIENTS, CAN_LOCK_OTHERS_CHARTING_NOTES]);
        assert_eq!(can(&locks, Json::Null).await, verdict(false, true, false, false));
        let locked = w.to(&locks, "lockFormAnswerGroup", &id, "").await;
        assert_eq!(locked["form_answer_group"]["locked_by"]["id"], w.standard.user_id.to_string());
        assert_eq!(can(&w.owner, Json::Null).await, verdict(true, false, true, true));
        assert_eq!(told(&w.add(&locks, &id, "x").await)[0].0, "base", "another's note");
        let adds = w.with(&w.standard, &[CAN_SEE_CLIENTS, CAN_WRITE_ORG_ADDENDUMS]);
        assert_eq!(can(&adds, Json::Null).await, verdict(false, false, false, true));
        assert!(w.add(&adds, &id, "x").await["messages"].is_null());
        // Whoever does not see the client, and the client.
        let as_ada = w.as_client(&ada).await;
        for actor in [&w.with(&w.standard, &[CAN_UNLOCK_CHARTING_NOTES]), &w.stranger] {
            let none = w.to(actor, "unlockFormAnswerGroup", &id, r#"description: "x""#).await;
            assert_eq!(told(&none)[0].1, "Object not found");
        }
        let denied = w.to(&as_ada, "unlockFormAnswerGroup", &id, r#"description: "x""#).await;
        assert_eq!(told(&denied)[0].0, "base");
        // A form that the client filled in: they see who signed it, and not its history.
        let intake = w.form(&w.owner, json!({ "name": "Intake" })).await;
        w.question(&intake, "text", "Q").await;
        let own = json!({ "custom_module_form_id": intake, "finished": true });
        let own = w.fill(&as_ada, own).await;
        let own = own["form_answer_group"]["id"].as_str().unwrap();
        w.to(&w.owner, "signFormAnswerGroup", own, "").await;
        w.to(&w.owner, "lockFormAnswerGroup", own, "").await;
        let query = "query($id: ID) { formAnswerGroup(id: $id) { provider_can_sign \
            form_answer_group_signings { user_full_legal_name } \
            form_answer_group_audit_events { id } } }";
        let read = w.run(&as_ada, query, json!({ "id": own })).await;
        let read = &read["formAnswerGroup"];
        assert_eq!(read["form_answer_group_signings"].as_array().unwrap().len(), 1, "{read}");
        assert_eq!(read["form_answer_group_audit_events"], json!([]));
        assert_eq!(read["provider_can_sign"], false);
        let frozen = w.refill(&as_ada, json!({ "id": own, "name": "Mine" })).await;
        assert!(told(&frozen)[0].1.starts_with("This form is locked"), "{frozen}");
    })
    .await;
}

#[test]
fn who_may() {
    let hand = |user_id: i64, permissions: &[Permission]| Hand {
        sight: None,
        user_id,
        flags: permissions.iter().fold(Flags::default(), |all, it| all.with(it.flag)),
        is_standard: true,
    };
    let note = Note { filler_id: Some(1), finished: true, is_locked: false, is_signed: false };
    let own = hand(1, &[CAN_SIGN_OWN_CHARTING_NOTES, CAN_LOCK_OWN_CHARTING_NOTES]);
    assert!(may(Act::Sign, &own, note).is_ok() && may(Act::Lock, &own, note).is_ok());
    let other = Note { filler_id: Some(2), ..note };
    for act in [Act::Sign, Act::Lock, Act::Unlock, Act::Add] {
        assert!(matches!(may(act, &own, other), Err(No::Permission(_))), "{act:?}");
    }
    assert!(may(Act::Lock, &hand(1, &[CAN_LOCK_FORM_ANSWER_GROUPS]), note).is_ok(), "its alias");
    assert!(may(Act::Lock, &hand(3, &[CAN_LOCK_FORM_ANSWER_GROUPS]), note).is_err());
    let support = Hand { is_standard: false, ..own.clone() };
    assert!(matches!(may(Act::Sign, &support, note), Err(No::State(_))));
    assert!(may(Act::Lock, &support, note).is_ok());
    let draft = Note { finished: false, ..note };
    assert!(may(Act::Sign, &own, draft).is_err() && may(Act::Lock, &own, draft).is_err());
    let signed = Note { is_signed: true, ..note };
    assert!(may(Act::Sign, &own, signed).is_err());
    let locked = Note { is_locked: true, ..note };
    assert!(may(Act::Add, &own, locked).is_ok() && may(Act::Add, &own, note).is_err());
    let unlocks = hand(3, &[CAN_UNLOCK_CHARTING_NOTES]);
    assert!(
        may(Act::Unlock, &unlocks, locked).is_ok() && may(Act::Unlock, &unlocks, note).is_err()
    );
    let all = [
        (0, "CREATED", "LOCKED"),
        (1, "SIGNED", "SIGNED_AND_LOCKED"),
        (2, "CO_SIGNED", "CO_SIGNED_AND_LOCKED"),
        (3, "CO_SIGNED", "CO_SIGNED_AND_LOCKED"),
    ];
    for (signings, open, locked) in all {
        assert_eq!((status(signings, false), status(signings, true)), (open, locked));
    }
}
