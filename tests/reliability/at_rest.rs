//! SEC-21: what clients tell a practice can't be read in what an instance keeps.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use ward_tests::{Api, Engine, Instance, Kind, json, people};

/// A label is the practice's own, and searched: it stands there in plain, which shows that the
/// search finds what can be read.
const LABEL: &str = "Quetzalplain";

/// What is said, by what says it.
struct Said {
    form: String,
    question: String,
    client: String,
}

/// Everything that a client or a clinician writes, a word each; the words.
fn say_all(api: &Api, said: &Said) -> BTreeMap<&'static str, String> {
    let word = |what: &str| format!("Quokka{what}hidden");
    let Said { form, question, client } = said;
    let input = json!({"custom_module_form_id": form, "user_id": client, "finished": true,
        "metadata": format!("{{\"of\":\"{}\"}}", word("metadata")),
        "form_answers": [{"custom_module_id": question, "answer": word("answer")}]});
    let of = "createFormAnswerGroupInput";
    let note = api.make("createFormAnswerGroup", of, "form_answer_group", input);
    let lock = json!({"id": note});
    api.make("lockFormAnswerGroup", "LockInput", "form_answer_group", lock);
    let input = json!({"form_answer_group_id": note, "content": word("addendum")});
    api.make("createAddendum", "createAddendumInput", "addendum", input);
    let input = json!({"user_id": client, "name": "Penicillin", "category": "ALLERGY",
        "custom_reaction": word("reaction")});
    let of = "createAllergySensitivityInput";
    api.make("createAllergySensitivity", of, "allergy_sensitivity", input);
    let input = json!({"user_id": client, "name": word("medication"),
        "directions": word("directions")});
    api.make("createMedication", "createMedicationInput", "medication", input);
    let text = base64::engine::general_purpose::STANDARD.encode(word("document"));
    let input = json!({"rel_user_id": client, "display_name": "letter.txt",
        "file_string": format!("data:text/plain;base64,{text}")});
    api.make("createDocument", "createDocumentInput", "document", input);
    let input = json!({"simple_added_users": format!("user-{client}"),
        "note": {"content": word("message")}});
    api.make("createConversation", "createConversationInput", "conversation", input);
    let input = json!({"id": client, "metadata": format!("{{\"of\":\"{}\"}}", word("client"))});
    api.make("updateClient", "updateClientInput!", "user", input);
    let input = json!({"user_id": client, "type": "NoteEntry", "description": word("entry")});
    let entry = api.make("createEntry", "createEntryInput", "entry", input);
    let input = json!({"entry_id": entry, "content": word("comment")});
    api.make("createComment", "createCommentInput!", "comment", input);
    let all = ["metadata", "answer", "addendum", "reaction", "medication", "directions"];
    let more = ["document", "message", "client", "entry", "comment"];
    all.into_iter().chain(more).map(|what| (what, word(what))).collect()
}

/// All files below a directory, one behind another.
fn files(directory: &Path, found: &mut Vec<u8>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false if path.extension().is_some_and(|it| it == "sock") => {}
            false => found.extend(std::fs::read(&path).unwrap()),
        }
    }
}

#[test]
fn sec_21_no_word_of_a_client_can_be_read_in_the_files() {
    for engine in Engine::available("SEC-21") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let key = instance.owner_key();
        let server = instance.serve();
        let api = server.with(&key);
        let client = people::client(&api, "ada");
        let input = json!({"name": "Visit", "use_for_charting": true});
        let of = "createCustomModuleFormInput";
        let form = api.make("createCustomModuleForm", of, "customModuleForm", input);
        let input = json!({"custom_module_form_id": form, "mod_type": "text", "label": LABEL});
        let of = "createCustomModuleInput";
        let question = api.make("createCustomModule", of, "customModule", input);
        let words = say_all(&api, &Said { form, question, client });
        // What is queued or logged is there, too; then everything is on the disk.
        let dump = instance.settled_dump();
        drop(server);
        let mut bytes = Vec::new();
        files(&instance.dir, &mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let is_there = |word: &str| text.contains(word) || dump.contains(word);
        let is_control =
            if engine == Engine::Sqlite { text.contains(LABEL) } else { is_there(LABEL) };
        assert!(is_control, "{engine:?}: the search does not find what is in plain");
        let found: Vec<&&str> =
            words.iter().filter(|(_, word)| is_there(word)).map(|(what, _)| what).collect();
        assert!(found.is_empty(), "{engine:?}: what can be read: {found:?}");
    }
}
