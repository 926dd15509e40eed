//! What the arguments of charting name, and how its objects are made.

use ward_tests::people::id;
use ward_tests::{Json, json};

use crate::meaning::Meaning::{self, May, Needs};
use crate::meaning::Object;
use crate::world::World;

/// Root field, path of the value, what it names.
pub const OBJECTS: &[(&str, &str, Meaning)] = &[
    ("customModuleForm", "id", Needs(Object::Form)),
    ("updateCustomModuleForm", "input.id", Needs(Object::Form)),
    ("deleteCustomModuleForm", "input.id", Needs(Object::Form)),
    ("copyCustomModuleForm", "input.id", Needs(Object::Form)),
    ("copyCustomModuleForm", "input.id_list", May(Object::Form)),
    ("copyCustomModuleForm", "input.user_id", May(Object::Provider)),
    ("shareCustomModuleForm", "input.id", Needs(Object::Form)),
    ("shareCustomModuleForm", "input.form_share_recipient", Needs(Object::OwnerEmail)),
    ("createCustomModule", "input.custom_module_form_id", Needs(Object::Form)),
    ("createCustomModule", "input.parent_custom_module_id", May(Object::Question)),
    ("updateCustomModule", "input.id", Needs(Object::Question)),
    ("updateCustomModule", "input.parent_custom_module_id", May(Object::Question)),
    ("updateCustomModule", "input.custom_module_condition.id", May(Object::Condition)),
    (
        "updateCustomModule",
        "input.custom_module_condition.conditional_custom_module_id",
        May(Object::Question),
    ),
    ("deleteCustomModule", "input.id", Needs(Object::Question)),
    ("copyCustomModule", "input.id", Needs(Object::Question)),
];

/// Data that makes a call meaningful, by root field.
pub const DATA: &[(&str, &[&str])] = &[
    ("createCustomModuleForm", &["name"]),
    ("updateCustomModuleForm", &["name"]),
    ("createCustomModule", &["mod_type"]),
    ("updateCustomModule", &["required"]),
];

/// Names that open nothing.
pub const WORDS: &str = "
    category include_default_templates charting default is_video prefill use_for_charting
    use_for_program external_id_type is_archived exclude_from_scribe index is_custom label mod_type
    options options_array required sublabel filter_type value_to_filter validate_permissions
";

/// The value of data that is part of every call.
pub fn data(name: &str) -> Option<Json> {
    match name {
        "mod_type" => Some("text".into()),
        "required" => Some(true.into()),
        _ => None,
    }
}

impl World {
    /// One of the three.
    pub fn of_form(&mut self, own: bool, kind: Object) -> String {
        let (form, question, condition) = self.form(own);
        match kind {
            Object::Form => form,
            Object::Question => question,
            _ => condition,
        }
    }

    /// A template for notes; its second question, which depends on the first; on how.
    pub fn form(&mut self, own: bool) -> (String, String, String) {
        let mut word = || if own { self.word() } else { self.unseen() };
        let (name, label) = (word(), word());
        let input = json!({"name": name, "use_for_charting": true});
        let form = self.make(
            "createCustomModuleForm",
            "createCustomModuleFormInput",
            "customModuleForm",
            input,
        );
        let question = |label: &str| {
            let input = json!({"custom_module_form_id": form, "mod_type": "text", "label": label});
            self.make("createCustomModule", "createCustomModuleInput", "customModule", input)
        };
        let (first, second) = (question(&label), question(&label));
        let query =
            "mutation($input: updateCustomModuleInput) { updateCustomModule(input: $input) {
            customModule { custom_module_condition { id } } messages { field message } } }";
        let input = json!({"id": second, "custom_module_condition":
            {"conditional_custom_module_id": first, "filter_type": "is_answered"}});
        let reply = self.as_owner().ask(query, json!({"input": input}));
        let changed = &reply.data()["updateCustomModule"]["customModule"];
        let condition = id(&changed["custom_module_condition"]);
        (form, second, condition)
    }
}
