//! A note that locks by itself is told of as one that somebody locks (behaviour 14, 26).

use ward_tests::{Engine, json};

use crate::practice::Practice;

#[test]
fn a_note_that_locks_by_itself_is_told_of() {
    let practice = Practice::open(Engine::Sqlite);
    practice.webhook("/hook", &["form_answer_group.locked"]);
    let client = practice.client("ada");
    let hours = json!({"chart_note_autolock_hours": 24});
    let set = practice.run("updateOrganization", "organization { id }", &hours);
    assert!(set["messages"].is_null(), "{set}");
    let form = json!({"name": "Visit", "use_for_charting": true});
    let form = practice.run("createCustomModuleForm", "customModuleForm { id }", &form);
    let note = json!({"custom_module_form_id": form["customModuleForm"]["id"],
        "user_id": client, "finished": true});
    let note = practice.run("createFormAnswerGroup", "form_answer_group { id }", &note);
    assert!(note["messages"].is_null(), "{note}");
    let id = note["form_answer_group"]["id"].as_str().unwrap();
    for (by, told) in [("PT23H", 0), ("PT2H", 1)] {
        let asked = json!({"by": by, "settle": true});
        let moved = practice.api().post("/sandbox/v1/clock/advance", &asked);
        assert_eq!(moved.status, 200, "{}", moved.text);
        if told > 0 {
            let told = practice.receiver.event("/hook", "form_answer_group.locked");
            assert_eq!(told.resource().trim_matches('"'), id);
        }
        assert_eq!(practice.receiver.at("/hook").len(), told, "{by}");
    }
    practice.server.stop();
}
