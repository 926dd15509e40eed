//! `POST /selected_private_notes.pdf`: what it prints, for whom, and that it is logged (SEC-19).

use ward_tests::{Api, Reply, json, people, until};

use crate::running::running;

/// A finished note about a client, with one answer; the id.
fn note(client: &str, name: &str, answer: &str) -> String {
    let owner = running().owner();
    let form = json!({"name": "Visit note", "use_for_charting": true});
    let made = "customModuleForm";
    let form = owner.make("createCustomModuleForm", "createCustomModuleFormInput", made, form);
    let question =
        json!({"custom_module_form_id": form, "mod_type": "text", "label": "How are they?"});
    let of = "createCustomModuleInput";
    let question = owner.make("createCustomModule", of, "customModule", question);
    let input = json!({"custom_module_form_id": form, "user_id": client, "finished": true,
        "name": name, "form_answers": [{"custom_module_id": question, "answer": answer}]});
    let of = "createFormAnswerGroupInput";
    owner.make("createFormAnswerGroup", of, "form_answer_group", input)
}

fn print(api: &Api, notes: &[&str], more: &str) -> Reply {
    let path = format!("/selected_private_notes.pdf?form_answer_array=[{}]{more}", notes.join(","));
    // As browsers and libraries send it.
    api.post(&path.replace('[', "%5B").replace(']', "%5D").replace(',', "%2C"), &json!({}))
}

/// What each page says.
fn pages(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "application/pdf");
    assert_eq!(reply.header("cache-control"), "private, no-store");
    let pdf = lopdf::Document::load_mem(&reply.bytes).unwrap();
    let numbers: Vec<u32> = pdf.get_pages().into_keys().collect();
    let text = |number: &u32| {
        let text = pdf.extract_text(&[*number]).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    numbers.iter().map(text).collect()
}

#[test]
fn iso_36_notes_of_a_client_are_one_pdf_with_the_mark_on_each_page() {
    let client = people::client(&running().owner(), "papered");
    let (first, second) = (note(&client, "First", "Well"), note(&client, "Second", "Ill"));
    let asked = format!("&patient_id={client}");
    let pages = pages(&print(&running().owner(), &[&first, &second], &asked));
    assert_eq!(pages.len(), 2, "{pages:?}");
    for (index, (name, answer)) in [("First", "Well"), ("Second", "Ill")].into_iter().enumerate() {
        let page = &pages[index];
        for words in [name, answer, "How are they?", &format!("Page {} of 2", index + 1)] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let mark = format!("SANDBOX, synthetic data, tag {}", running().instance.tag);
        assert!(page.contains(&mark), "{mark}: {page}");
    }
}

#[test]
fn sec_19_notes_that_are_read_as_a_pdf_are_in_the_access_log() {
    let client = people::client(&running().owner(), "printed");
    let read = pages(&print(&running().owner(), &[&note(&client, "Read", "Well")], ""));
    assert!(read[0].contains("Well"), "{read:?}");
    let query = "query($id: ID!) { clientAccessLog(client_id: $id) { nodes {
        path credential_kind } } }";
    let logged = || {
        let reply = running().owner().ask(query, json!({"id": client}));
        let nodes = reply.data()["clientAccessLog"]["nodes"].as_array().cloned().unwrap();
        let wanted = json!({"path": "selected_private_notes.pdf", "credential_kind": "api_key"});
        nodes.contains(&wanted).then_some(())
    };
    until("the entry is there", logged);
}

#[test]
fn what_one_may_not_read_is_not_printed() {
    let owner = running().owner();
    let client = people::client(&owner, "unread");
    let other = people::client(&owner, "unreadtoo");
    let (own, others) = (note(&client, "Own", "Well"), note(&other, "Others", "Ill"));
    let found_none = |reply: Reply| {
        assert_eq!((reply.status, reply.code()), (404, "NOT_FOUND"), "{}", reply.text);
    };
    found_none(print(&owner, &[&own, &others], ""));
    found_none(print(&owner, &[&own], &format!("&patient_id={other}")));
    found_none(print(&owner, &["x"], ""));
    // Who does not see the client: no more than of a note that is not there.
    let restrict = "mutation($id: ID) { updateClient(input: {id: $id, restricted: true}) { messages { message } } }";
    owner.ask(restrict, json!({"id": client})).data();
    let member = running().server.with(&running().instance.member("provider"));
    found_none(print(&member, &[&own], ""));
    // Nobody, and a key that is none.
    for (api, code) in [
        (running().nobody(), "PERMISSION_DENIED"),
        (running().server.with("nonsense"), "UNAUTHENTICATED"),
    ] {
        let reply = print(&api, &[&own], "");
        assert_eq!(reply.status, 403, "{}", reply.text);
        if code == "PERMISSION_DENIED" {
            assert_eq!(reply.code(), code, "{}", reply.text);
        }
        assert!(!reply.bytes.starts_with(b"%PDF"));
    }
    let blank = owner.post("/selected_private_notes.pdf", &json!({}));
    assert_eq!((blank.status, blank.code()), (400, "BAD_REQUEST"), "{}", blank.text);
    assert_eq!(owner.get("/selected_private_notes.pdf").status, 405);
}

/// DOM-31: counselling notes are printed for their author alone.
#[test]
fn dom_31_counselling_notes_are_printed_for_their_author_alone() {
    let owner = running().owner();
    let other = running().server.with(&running().instance.member("administrator"));
    let client = people::client(&owner, "confiding");
    let set = "mutation($input: updateFormAnswerGroupInput!) { updateFormAnswerGroup(input: $input) { messages { message } } }";
    let id = note(&client, "Process", "Whispered");
    assert!(pages(&print(&other, &[&id], ""))[0].contains("Whispered"));
    let part_2 = json!({"id": id, "confidentiality": "PART_2"});
    owner.ask(set, json!({"input": part_2})).data();
    let notice = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";
    let read = pages(&print(&other, &[&id], ""));
    assert!(read[0].contains(notice), "{read:?}");
    let apart = json!({"id": id, "confidentiality": "COUNSELLING_NOTES"});
    owner.ask(set, json!({"input": apart})).data();
    let refused = print(&other, &[&id], "");
    assert_eq!((refused.status, refused.code()), (404, "NOT_FOUND"), "{}", refused.text);
    let read = pages(&print(&owner, &[&id], ""));
    assert!(read[0].contains("Whispered"), "{read:?}");
    assert!(read[0].contains("Counselling notes, kept apart"), "{read:?}");
}

#[test]
fn a_client_prints_their_own_form_and_no_note() {
    let owner = running().owner();
    let client = people::client(&owner, "selfprinting");
    let about = note(&client, "About them", "Well");
    let (of, made) = ("createCustomModuleFormInput", "customModuleForm");
    let form = owner.make("createCustomModuleForm", of, made, json!({"name": "Intake"}));
    let input = json!({"custom_module_form_id": form, "user_id": client, "finished": true});
    let of = "createFormAnswerGroupInput";
    let theirs = owner.make("createFormAnswerGroup", of, "form_answer_group", input);
    let set = "mutation($input: updateClientInput!) { updateClient(input: $input) { messages { message } } }";
    let input = json!({"id": client, "password": "copper-lantern-41-meadow"});
    owner.ask(set, json!({"input": input})).data();
    let input =
        json!({"email": "selfprinting@client.example", "password": "copper-lantern-41-meadow"});
    let signed = people::sign_in(&running().server.api(), input);
    let reader = running().server.with(signed.data()["signIn"]["token"].as_str().unwrap());
    let read = pages(&print(&reader, &[&theirs], ""));
    assert!(read[0].contains("Intake"), "{read:?}");
    for notes in [vec![about.as_str()], vec![theirs.as_str(), about.as_str()]] {
        assert_eq!(print(&reader, &notes, "").status, 404);
    }
    assert_eq!(pages(&print(&owner, &[&theirs, &about], "")).len(), 2);
}
