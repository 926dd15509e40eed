//! DOM-35: what who acts for a client reads, and what they leave as it was.

use ward_tests::{Api, Engine, Instance, Kind, json, people};

use crate::proxies::{Family, done, run, sees};

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
        let stricter = json!({"id": two, "confidentiality": "PART_2"});
        done(run(owner, "updateFormAnswerGroup", "form_answer_group { id }", stricter));
        assert_eq!(seen(), [true, false, false, false]);
        assert_eq!(listed(), 1);
    }
}
