//! A published questionnaire comes in by the API: PHQ-9 as a FHIR R4 Questionnaire becomes a form,
//! is answered, and has the instrument's score.

use ward_tests::{Api, Engine, Instance, Json, Kind, json, people};

/// PHQ-9, which anybody may reproduce, in the standard's own shape
/// (<https://hl7.org/fhir/R4/questionnaire.html>).
const PHQ_9: &str = include_str!("phq-9.fhir.json");

/// Where R4 keeps what a choice scores.
const SCORE: &str = "http://hl7.org/fhir/StructureDefinition/ordinalValue";

/// A form that was made, and its questions by what the questionnaire calls them.
struct Imported {
    form: String,
    questions: Vec<(String, String)>,
}

fn import(api: &Api, questionnaire: &Json) -> Imported {
    assert_eq!(questionnaire["resourceType"], "Questionnaire");
    let input = json!({"name": questionnaire["title"], "external_id": questionnaire["url"]});
    let of = "createCustomModuleFormInput";
    let form = api.make("createCustomModuleForm", of, "customModuleForm", input);
    let mut imported = Imported { form, questions: Vec::new() };
    imported.items(api, &questionnaire["item"]);
    imported
}

impl Imported {
    fn items(&mut self, api: &Api, items: &Json) {
        for item in items.as_array().into_iter().flatten() {
            let options: Vec<String> =
                item["answerOption"].as_array().into_iter().flatten().map(option).collect();
            let input = json!({"custom_module_form_id": self.form, "mod_type": mod_type(item),
                "label": item["text"], "required": item["required"] == true,
                "options": options.join("\n")});
            let of = "createCustomModuleInput";
            let question = api.make("createCustomModule", of, "customModule", input);
            self.questions.push((item["linkId"].as_str().unwrap().to_owned(), question));
            self.items(api, &item["item"]);
        }
    }

    /// Answers by what the questionnaire calls the questions.
    fn answers(&self, given: &[(&str, &str)]) -> Json {
        let of = |link: &str| &self.questions.iter().find(|(known, _)| known == link).unwrap().1;
        let answer =
            |(link, text): &(&str, &str)| json!({"custom_module_id": of(link), "answer": text});
        given.iter().map(answer).collect()
    }
}

fn mod_type(item: &Json) -> &'static str {
    match item["type"].as_str().unwrap() {
        "group" => "label",
        "display" => "read_only",
        "choice" => "radio",
        "text" => "textarea",
        "date" => "date",
        "decimal" if item["readOnly"] == true => "autoscored_calculator",
        other => panic!("no question is a {other}"),
    }
}

/// An option with what it scores, if it does.
fn option(option: &Json) -> String {
    let text = option["valueString"].as_str().unwrap();
    let extensions = option["extension"].as_array().into_iter().flatten();
    let score =
        extensions.filter(|it| it["url"] == SCORE).find_map(|it| it["valueDecimal"].as_i64());
    score.map_or_else(|| text.to_owned(), |score| format!("{text} ({score})"))
}

const FILL: &str = "mutation($input: createFormAnswerGroupInput) { createFormAnswerGroup(input: \
    $input) { form_answer_group { id autoscored_sections { section_title value } form_answers { \
    label displayed_answer } } messages { field message } } }";

#[test]
fn a_published_questionnaire_is_imported_and_scored() {
    let questionnaire: Json = serde_json::from_str(PHQ_9).unwrap();
    for engine in Engine::available("questionnaire") {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let key = instance.owner_key();
        let server = instance.serve();
        let api = server.with(&key);
        let client = people::client(&api, "ada");
        let imported = import(&api, &questionnaire);
        // All of them as often as can be but one, which is missed at the end only.
        let often = "Nearly every day (3)";
        let mut given: Vec<(&str, &str)> =
            ["1", "2", "3", "4", "5", "6", "7", "8"].map(|link| (link, often)).to_vec();
        given.push(("10", "Very difficult"));
        given.push(("11", "Since the spring"));
        let mut input = json!({"custom_module_form_id": imported.form, "user_id": client,
            "finished": true, "form_answers": imported.answers(&given)});
        let missed = api.ask(FILL, json!({"input": input}));
        let messages = &missed.json["data"]["createFormAnswerGroup"]["messages"];
        let sentence = messages[0]["message"].as_str().unwrap();
        assert!(sentence.contains("better off dead") && messages[1].is_null(), "{messages}");
        given.push(("9", "Several days (1)"));
        input["form_answers"] = imported.answers(&given);
        let filled = api.ask(FILL, json!({"input": input}));
        let group = &filled.data()["createFormAnswerGroup"]["form_answer_group"];
        // Options that say no score have their places' (behaviour 25).
        let scores = json!([{"section_title": "Problems", "value": 25.0},
            {"section_title": "Difficulty", "value": 2.0}]);
        assert_eq!(group["autoscored_sections"], scores, "{}", filled.text);
        let read = group["form_answers"].as_array().unwrap();
        assert_eq!(read.len(), imported.questions.len(), "every question has its row");
    }
}
