//! Looks at files for malware: who says so, what is told of a file, who sees what was found.

use serde_json::{Value as Json, json};
use ward_charting::attachment;
use ward_charting::attachment::tables::FileAttachment;
use ward_documents::quarantine::told_of_find;
use ward_documents::tables::Document;
use ward_engine::ViewId;
use ward_identity::flags::{CAN_EDIT_SETTINGS, CAN_SEE_CLIENTS, CAN_SEE_DOCS};
use ward_store::system::EffectRow;
use ward_store::{Actor, Cond, Id, Scope, StoreError, blobs};

use crate::support::World;

const THREAT: &str = "Eicar-Test-Signature";
const FOUND: &str = "{ quarantinedFiles { total_count nodes { file_name threat purpose scanned_at owner { id } } } }";

/// Says what is done with files from now on; the payload.
async fn says(w: &World, input: Json) -> Json {
    w.mutate(&w.owner, "updateOrganization", "organization { upload_scan }", input).await
}

async fn status(w: &World, id: &str) -> Json {
    let query = "query($id: ID) { document(id: $id) { scan_status } }";
    w.run(&w.owner, query, json!({ "id": id })).await["document"]["scan_status"].clone()
}

/// What the dispatcher writes down once a document's file was looked at.
async fn judged(w: &World, id: &str, threat: Option<&'static str>) {
    let number: i64 = id.parse().unwrap();
    let document = w.rows::<Document>(Cond::eq("id", number)).await.remove(0);
    let (org, file) = (w.organization.id.0, document.file_id);
    let done = w.db.write(move |tx| {
        let file = file.clone();
        Box::pin(async move {
            assert!(blobs::judge(tx, org, &file, threat).await?.is_some());
            match threat {
                Some(threat) => told_of_find(tx, org, &file, threat).await,
                None => Ok(()),
            }
        })
    });
    done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
}

/// How many looks were asked for.
async fn looks(w: &World) -> usize {
    w.rows::<EffectRow>(Cond::eq("kind", "file_scan")).await.len()
}

/// The names of the files that somebody lists.
async fn names(w: &World, actor: &Actor) -> Vec<Json> {
    let list = w.run(actor, FOUND, json!({})).await["quarantinedFiles"].clone();
    let nodes = list["nodes"].as_array().cloned().unwrap();
    assert_eq!(list["total_count"], nodes.len(), "{list}");
    for node in &nodes {
        assert_eq!((&node["threat"], &node["purpose"]), (&json!(THREAT), &json!("document")));
        assert!(node["scanned_at"].is_string(), "{node}");
    }
    nodes.iter().map(|node| node["file_name"].clone()).collect()
}

#[tokio::test]
async fn files_are_looked_at_as_the_practice_says() {
    World::each(async |w| {
        let first = w.document(&w.owner, "First", json!({})).await;
        assert_eq!((status(&w, &first).await, looks(&w).await), (Json::Null, 0));
        let mut ids = Vec::new();
        for (said, state) in [("HOLD", "HELD"), ("RELEASE", "PENDING")] {
            let payload = says(&w, json!({ "upload_scan": said })).await;
            assert_eq!(payload["organization"]["upload_scan"], said, "{payload}");
            let id = w.document(&w.owner, said, json!({})).await;
            assert_eq!(status(&w, &id).await, state);
            ids.push(id);
        }
        assert_eq!((status(&w, &first).await, looks(&w).await), (Json::Null, 2));
        judged(&w, &ids[0], None).await;
        judged(&w, &ids[1], Some(THREAT)).await;
        assert_eq!(status(&w, &ids[0]).await, "CLEAN");
        assert_eq!(status(&w, &ids[1]).await, "FOUND");
        says(&w, json!({ "upload_scan": "OFF" })).await;
        let last = w.document(&w.owner, "Last", json!({})).await;
        assert_eq!((status(&w, &last).await, looks(&w).await), (Json::Null, 2));
        // The others stand as they stood.
        assert_eq!(status(&w, &ids[1]).await, "FOUND");
        let delete = json!({ "id": ids[1] });
        w.mutate(&w.owner, "deleteDocument", "document { id }", delete).await;
        assert_eq!(w.run(&w.owner, FOUND, json!({})).await["quarantinedFiles"]["total_count"], 0);
    })
    .await;
}

#[tokio::test]
async fn what_was_held_is_let_go_with_hold() {
    World::each(async |w| {
        for said in ["OFF", "RELEASE"] {
            says(&w, json!({ "upload_scan": "HOLD" })).await;
            let mut ids = Vec::new();
            for name in ["Clean", "Found", "Open"] {
                ids.push(w.document(&w.owner, name, json!({})).await);
            }
            judged(&w, &ids[0], None).await;
            judged(&w, &ids[1], Some(THREAT)).await;
            // Said again, it holds on.
            says(&w, json!({ "upload_scan": "HOLD" })).await;
            assert_eq!(status(&w, &ids[2]).await, "HELD");
            says(&w, json!({ "upload_scan": said })).await;
            for (id, state) in ids.iter().zip(["CLEAN", "FOUND", "PENDING"]) {
                assert_eq!(status(&w, id).await, state, "{said}");
            }
            // It is looked at all the same.
            judged(&w, &ids[2], Some(THREAT)).await;
            assert_eq!(status(&w, &ids[2]).await, "FOUND");
        }
    })
    .await;
}

#[tokio::test]
async fn who_says_whether_files_are_looked_at() {
    World::each(async |w| {
        let query = "mutation($input: updateOrganizationInput) { updateOrganization(input: $input) \
            { organization { id } messages { field message } } }";
        let set = json!({ "input": { "upload_scan": "HOLD" } });
        let denied = w.run_in(ViewId::V2026, &w.standard, query, set).await;
        assert_eq!(denied["errors"][0]["extensions"]["code"], "PERMISSION_DENIED", "{denied}");
        let bad = json!({ "input": { "upload_scan": "ALWAYS" } });
        let bad = w.run_in(ViewId::V2026, &w.owner, query, bad).await;
        assert_eq!(bad["errors"].as_array().map(Vec::len), Some(1), "{bad}");
        // A sub-organization follows its root.
        let input = json!({ "create_as_suborganization": true, "first_name": "Branch",
            "last_name": "Owner", "email": "branch@example.com", "send_invite_email": false,
            "organization_info": { "name": "Branch" } });
        let made =
            w.mutate(&w.owner, "createOrganization", "organization { id upload_scan }", input);
        let branch = made.await["organization"].clone();
        assert!(branch["id"].is_string() && branch["upload_scan"].is_null(), "{branch}");
        for said in ["HOLD", "OFF"] {
            let refused = says(&w, json!({ "id": branch["id"], "upload_scan": said })).await;
            assert_eq!(refused["messages"][0]["field"], "upload_scan", "{refused}");
        }
        // What is blank says nothing.
        let blank = says(&w, json!({ "upload_scan": null })).await;
        assert_eq!(blank["organization"]["upload_scan"], "OFF", "{blank}");
    })
    .await;
}

#[tokio::test]
async fn who_sees_what_was_found_and_who_is_told() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let bea = w.client("Bea", "b@example.com").await;
        says(&w, json!({ "upload_scan": "HOLD" })).await;
        for client in [&ada, &bea] {
            let file = ("hiv result.txt", "text/plain", b"of a client".as_slice());
            let made = w.upload(&w.owner, file, json!({ "rel_user_id": client })).await;
            judged(&w, made["document"]["id"].as_str().unwrap(), Some(THREAT)).await;
        }
        let restricted = json!({ "id": ada, "restricted": true });
        w.mutate(&w.owner, "updateClient", "user { id }", restricted).await;
        let name = json!("hiv result.txt");
        assert_eq!(names(&w, &w.owner).await, [name.clone(), name.clone()]);
        // A restricted client's is not theirs to know of, and the name not who sees no documents.
        let settings = w.with(&w.standard, &[CAN_EDIT_SETTINGS, CAN_SEE_CLIENTS]);
        assert_eq!(names(&w, &settings).await, [Json::Null]);
        let with_documents = [CAN_EDIT_SETTINGS, CAN_SEE_CLIENTS, CAN_SEE_DOCS];
        assert_eq!(names(&w, &w.with(&w.standard, &with_documents)).await, [name]);
        assert!(names(&w, &w.with(&w.standard, &[CAN_EDIT_SETTINGS])).await.is_empty());
        assert!(names(&w, &w.stranger).await.is_empty());
        for actor in [w.with(&w.standard, &[CAN_SEE_DOCS]), w.as_client(&bea).await] {
            let denied = w.run_in(ViewId::V2026, &actor, FOUND, json!({})).await;
            assert_eq!(denied["errors"][0]["extensions"]["code"], "PERMISSION_DENIED", "{denied}");
        }
        let page = "{ quarantinedFiles(first: 1) { nodes { id } page_info { has_next_page } } }";
        let page = w.run(&w.owner, page, json!({})).await["quarantinedFiles"].clone();
        assert_eq!(page["page_info"]["has_next_page"], true, "{page}");
        let mails = w.rows::<EffectRow>(Cond::eq("kind", "file_quarantined")).await;
        // One, unless an hour ends between the two.
        assert!((1..=2).contains(&mails.len()), "{}", mails.len());
        for mail in mails {
            assert_eq!(mail.to_sealed, "owner@example.com");
            let says_nothing = !mail.payload.contains("hiv") && !mail.payload.contains("Ada");
            assert!(says_nothing && mail.payload.contains(THREAT), "{}", mail.payload);
        }
        let told = w.events().await;
        let told = told.iter().filter(|it| *it == "document.updated [\"scan_status\"]").count();
        assert_eq!(told, 2);
    })
    .await;
}

/// What somebody lists: the purpose and the name of each file, in order of these.
async fn listed(w: &World, actor: &Actor) -> Vec<(String, Option<String>)> {
    let list = w.run(actor, FOUND, json!({})).await["quarantinedFiles"].clone();
    let text = |it: &Json| it.as_str().map(str::to_owned);
    let nodes = list["nodes"].as_array().unwrap().iter();
    let mut all: Vec<_> =
        nodes.map(|it| (text(&it["purpose"]).unwrap(), text(&it["file_name"]))).collect();
    all.sort();
    all
}

fn file(purpose: &str, named: bool) -> (String, Option<String>) {
    (purpose.to_owned(), named.then(|| format!("of a {purpose}.png")))
}

#[tokio::test]
async fn whose_pictures_and_messages_files_are_listed_and_named() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let bea = w.client("Bea", "b@example.com").await;
        for client in [&ada, &bea] {
            for purpose in ["avatar", "note"] {
                w.found_file(client.parse().unwrap(), purpose).await;
            }
        }
        w.found_file(w.owner.user_id, "note").await;
        let restricted = json!({ "id": ada, "restricted": true });
        w.mutate(&w.owner, "updateClient", "user { id }", restricted).await;
        let (picture, message) = (file("avatar", true), file("note", false));
        // The name of a message's file is said to nobody, its own sender included.
        let all = [&picture, &picture, &message, &message, &message].map(Clone::clone);
        assert_eq!(listed(&w, &w.owner).await, all);
        // Of a restricted client's, only what staff sent them is there.
        let settings = w.with(&w.standard, &[CAN_EDIT_SETTINGS, CAN_SEE_CLIENTS, CAN_SEE_DOCS]);
        let others = [&picture, &message, &message].map(Clone::clone);
        assert_eq!(listed(&w, &settings).await, others);
        assert!(listed(&w, &w.stranger).await.is_empty());
    })
    .await;
}

/// An attached file of a note, in which something was found.
async fn attach(w: &World, note: &str, client: &str) {
    let owner = w.owner.user_id;
    let blob = w.found_file(owner, attachment::PURPOSE).await;
    let (org, now) = (w.organization.id, w.instance.now());
    let (note, client): (i64, i64) = (note.parse().unwrap(), client.parse().unwrap());
    let made = w.db.write(move |tx| {
        let blob = blob.clone();
        Box::pin(async move {
            let system = Actor::system(org.0);
            let mut scope = Scope::new(tx, &system);
            let row = FileAttachment {
                id: scope.next_id().await?,
                org_id: org,
                unit_id: org,
                form_answer_id: None,
                form_answer_group_id: Some(Id::new(note)),
                patient_id: Some(Id::new(client)),
                custom_module_id: None,
                custom_module_form_id: None,
                user_id: Id::new(owner),
                proxy_id: None,
                file_name: "of a form_file.png".to_owned(),
                content_type: "image/png".to_owned(),
                byte_size: 11,
                checksum: "none".to_owned(),
                blob_id: Some(blob),
                content_hash: None,
                attached_at: Some(now),
                version: 1,
                created_at: now,
                updated_at: now,
                deleted_at: None,
            };
            scope.create(&row).await
        })
    });
    made.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
}

/// DOM-31: of a confidential note's file nobody learns the name who does not read the note.
#[tokio::test]
async fn dom_31_files_of_confidential_notes_are_named_to_their_readers() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let (form, q) = w.template(&[("text", "What was said?")]).await;
        for confidentiality in ["PART_2", "COUNSELLING_NOTES"] {
            let answers = [(q[0].as_str(), "A secret")];
            let more = json!({ "confidentiality": confidentiality });
            let note = w.note(&form, &ada, &answers, more).await;
            attach(&w, &note, &ada).await;
        }
        let (named, unnamed) = (file("form_file", true), file("form_file", false));
        assert_eq!(listed(&w, &w.owner).await, [named.clone(), named.clone()]);
        // Every flag opens no counselling notes of somebody else.
        let powerful = Actor { flags: w.owner.flags, is_owner: false, ..w.standard.clone() };
        assert_eq!(listed(&w, &powerful).await, [unnamed, named]);
        let restricted = json!({ "id": ada, "restricted": true });
        w.mutate(&w.owner, "updateClient", "user { id }", restricted).await;
        let settings = w.with(&w.standard, &[CAN_EDIT_SETTINGS, CAN_SEE_CLIENTS]);
        assert!(listed(&w, &settings).await.is_empty());
    })
    .await;
}
