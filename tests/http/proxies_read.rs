//! DOM-35: what who acts for a client reads, and what they leave as it was.

use std::io::Write as _;

use ward_tests::{Api, Engine, Instance, Kind, Server, json, people, raw};

use crate::proxies::{Family, PASSWORD, done, run, sees};
use crate::uploads::{TEXT, attach, told};

/// A note of a visit with a client.
fn note(owner: &Api, client: &str, confidentiality: &str) -> String {
    let form =
        json!({"name": "Visit note", "use_for_charting": true, "confidentiality": confidentiality});
    let form = done(run(owner, "createCustomModuleForm", "customModuleForm { id }", form));
    let note = json!({"custom_module_form_id": form["customModuleForm"]["id"], "user_id": client,
        "finished": true});
    let made = done(run(owner, "createFormAnswerGroup", "form_answer_group { id }", note));
    people::id(&made["form_answer_group"])
}

/// Notes in one PDF, shared with the client; its id.
fn paper(s: &Instance, owner: &Api, notes: &[&str]) -> String {
    let list = json!({"form_answer_group_array": format!("[{}]", notes.join(","))});
    done(run(owner, "generateChartingPdf", "user { id }", list));
    let paper = s.database().one("SELECT MAX(id) FROM documents WHERE printed_of IS NOT NULL");
    let shared = json!({"id": paper, "share_with_rel": true});
    done(run(owner, "updateDocument", "document { id }", shared));
    paper
}

/// Makes a note as confidential as this.
fn classify(owner: &Api, note: &str, confidentiality: &str) {
    let input = json!({"id": note, "confidentiality": confidentiality});
    done(run(owner, "updateFormAnswerGroup", "form_answer_group { id }", input));
}

#[test]
fn dom_35_a_pdf_is_read_by_who_acts_where_all_that_it_was_printed_of_is() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        let (_, of_mum) = family.relative("mum");
        let acting = family.acting(&family.signed_in("mum"), &of_mum);
        let owner = &family.owner;
        let [one, two, part_2] =
            ["NORMAL", "NORMAL", "PART_2"].map(|it| note(owner, &family.child, it));
        let papers = [vec![&*one], vec![&*one, &*two], vec![&*part_2], vec![&*one, &*part_2]];
        let papers = papers.map(|notes| paper(&s, owner, &notes));
        let seen = || papers.each_ref().map(|it| sees(&acting, "document", it));
        assert_eq!(seen(), [true, true, false, false]);
        let listed = || {
            let list = acting.ask("{ documents { nodes { id } } }", json!({}));
            let nodes = list.data()["documents"]["nodes"].as_array().unwrap();
            nodes.iter().filter(|it| papers.contains(&people::id(it))).count()
        };
        assert_eq!(listed(), 2);
        // One of the notes turns out to be more than it said.
        classify(owner, &two, "PART_2");
        assert_eq!(seen(), [true, false, false, false]);
        assert_eq!(listed(), 1);
        // It was less than it said, which does not change what is on paper; nor did that tell of it.
        classify(owner, &two, "NORMAL");
        assert_eq!(seen(), [true, true, false, false]);
        classify(owner, &part_2, "NORMAL");
        assert_eq!(seen(), [true, true, false, false]);
        assert!(sees(&acting, "document", &paper(&s, owner, &[&*part_2])));
        // Of what is deleted nobody says any more how confidential it is.
        done(run(owner, "deleteFormAnswerGroup", "", json!({"id": two})));
        assert_eq!(seen(), [true, false, false, false]);
        assert_eq!(listed(), 1);
    }
}

#[test]
fn dom_35_a_document_says_who_opened_it_acting_for_the_client() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        family.change(&family.child, json!({"password": PASSWORD}));
        let child = family.signed_in("child");
        let (mum, of_mum) = family.relative("mum");
        let own = family.signed_in("mum");
        let acting = family.acting(&own, &of_mum);
        let note = note(&family.owner, &family.child, "NORMAL");
        let paper = paper(&s, &family.owner, &[&*note]);
        let link = "query($id: ID) { document(id: $id) { expiring_url } }";
        let reply = acting.ask(link, json!({"id": paper}));
        let link = reply.data()["document"]["expiring_url"].as_str().unwrap();
        let link = &link[link.find("/files/").unwrap()..];
        assert_eq!(server.api().get(link).status, 200);
        let viewings =
            "query($id: ID) { documentViewings(document_id: $id) { nodes { user_id } } }";
        let told = |api: &Api| {
            let reply = api.ask(viewings, json!({"id": paper}));
            reply.data()["documentViewings"]["nodes"].clone()
        };
        let hers = json!([{"user_id": mum}]);
        assert_eq!((told(&family.owner), told(&acting)), (hers.clone(), hers));
        // The client knows of their own; and who does not act, of none of a document not theirs.
        assert_eq!((told(&child), told(&own)), (json!([]), json!([])));
    }
}

/// A form with a question for a file, which a client fills in themselves; its answer.
fn with_file(owner: &Api, client: &Api) -> String {
    let form = json!({"name": "Scans"});
    let form = done(run(owner, "createCustomModuleForm", "customModuleForm { id }", form));
    let form = &form["customModuleForm"]["id"];
    let question = json!({"custom_module_form_id": form, "mod_type": "document", "label": "Scan"});
    let question = done(run(owner, "createCustomModule", "customModule { id }", question));
    let answers = json!([{"custom_module_id": question["customModule"]["id"], "answer": "see it"}]);
    let filled = json!({"custom_module_form_id": form, "finished": true, "form_answers": answers});
    let selects = "form_answer_group { form_answers { id } }";
    let made = done(run(client, "createFormAnswerGroup", selects, filled));
    people::id(&made["form_answer_group"]["form_answers"][0])
}

/// Sends a file to where it was said; the status.
fn put(server: &Server, path: &str) -> u16 {
    let mut stream = raw::connect(server.port).unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\n\r\n",
        server.port,
        TEXT.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(TEXT).unwrap();
    raw::read(&mut stream).status
}

#[test]
fn dom_35_a_file_is_attached_by_who_sent_it_themselves_or_acting_for_the_client() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        family.change(&family.child, json!({"password": PASSWORD}));
        let child = family.signed_in("child");
        let [mum, dad] = ["mum", "dad"].map(|name| {
            let (_, contact) = family.relative(name);
            family.acting(&family.signed_in(name), &contact)
        });
        let answer = with_file(&family.owner, &child);
        for sender in [&child, &mum] {
            let (upload, path) = told(sender, &answer);
            assert_eq!(put(&server, &path), 200);
            let others = [&child, &mum, &dad].into_iter().filter(|it| !std::ptr::eq(*it, sender));
            for other in others {
                let refused = attach(other, &answer, &upload);
                assert_eq!(refused["messages"][0]["field"], "upload_id", "{refused}");
            }
            let attached = attach(sender, &answer, &upload);
            assert_eq!(attached["file_attachment"]["id"], upload.as_str(), "{attached}");
        }
    }
}
