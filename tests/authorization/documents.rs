//! What the arguments of documents and folders name, and how such are made.

use ward_tests::json;

use crate::meaning::Meaning::{self, Left, May, Needs};
use crate::meaning::Object;
use crate::world::World;

/// Root field, path of the value, what it names.
pub const OBJECTS: &[(&str, &str, Meaning)] = &[
    ("document", "id", Needs(Object::Document)),
    // The document is in no plan; the clinical domain's tests put one into one.
    ("document", "care_plan_id", Left),
    ("documentViewings", "document_id", May(Object::Document)),
    ("documentViewingsCount", "document_id", May(Object::Document)),
    ("documents", "consolidated_user_id", May(Object::Client)),
    ("documents", "folder_id", May(Object::Folder)),
    ("documents", "private_user_id", May(Object::Client)),
    ("documents", "provider_id", May(Object::Provider)),
    ("documents", "viewable_user_id", May(Object::Client)),
    ("documentsCount", "consolidated_user_id", May(Object::Client)),
    ("documentsCount", "folder_id", May(Object::Folder)),
    ("documentsCount", "private_user_id", May(Object::Client)),
    ("documentsCount", "provider_id", May(Object::Provider)),
    ("documentsCount", "viewable_user_id", May(Object::Client)),
    ("folder", "id", Needs(Object::Folder)),
    ("folders", "client_id", May(Object::Client)),
    ("folders", "consolidated_user_id", May(Object::Client)),
    ("folders", "document_to_move_id", May(Object::Document)),
    ("folders", "folder_id", May(Object::Folder)),
    ("folders", "folder_to_move_id", May(Object::Folder)),
    ("folders", "private_user_id", May(Object::Client)),
    ("folders", "provider_id", May(Object::Provider)),
    ("folders", "viewable_user_id", May(Object::Client)),
    ("foldersCount", "consolidated_user_id", May(Object::Client)),
    ("foldersCount", "folder_id", May(Object::Folder)),
    ("foldersCount", "private_user_id", May(Object::Client)),
    ("foldersCount", "provider_id", May(Object::Provider)),
    ("foldersCount", "viewable_user_id", May(Object::Client)),
    ("shareable", "id", Needs(Object::Document)),
    ("createDocument", "input.rel_user_id", Needs(Object::Client)),
    ("createDocument", "input.folder_id", May(Object::Folder)),
    ("createDocument", "input.clients_ids", May(Object::Client)),
    ("createDocument", "input.provider_ids", May(Object::Provider)),
    ("createDocument", "input.share_users", May(Object::Client)),
    ("shareAnswersAsDocument", "input.form_answer_group_id", Needs(Object::Printed)),
    ("shareAnswersAsDocument", "input.user_id", May(Object::Client)),
    ("generateChartingPdf", "input.form_answer_group_array", Needs(Object::Printed)),
    ("generateChartingPdf", "input.id", May(Object::Client)),
    ("updateDocument", "input.id", Needs(Object::Document)),
    ("updateDocument", "input.folder_id", May(Object::Folder)),
    ("updateDocument", "input.rel_user_id", May(Object::Client)),
    ("updateDocument", "input.share_users", May(Object::Client)),
    ("deleteDocument", "input.id", Needs(Object::Document)),
    ("exportClientEhi", "input.client_id", Needs(Object::Client)),
    ("exportClientEhi", "input.disclosure_consent_id", May(Object::Granted)),
    ("disclosureConsent", "id", Needs(Object::Consent)),
    ("disclosureConsents", "user_id", Needs(Object::Noted)),
    ("createDisclosureConsent", "input.user_id", Needs(Object::Client)),
    ("createDisclosureConsent", "input.form_answer_group_id", May(Object::Filled)),
    ("revokeDisclosureConsent", "input.id", Needs(Object::Consent)),
    ("createFolder", "input.rel_user_id", May(Object::Client)),
    ("createFolder", "input.folder_id", May(Object::Folder)),
    ("createFolder", "input.share_users", May(Object::Client)),
    ("updateFolder", "input.id", Needs(Object::Folder)),
    ("updateFolder", "input.folder_id", May(Object::Folder)),
    ("updateFolder", "input.share_users", May(Object::Client)),
    ("deleteFolder", "input.id", Needs(Object::Folder)),
    ("createSharings", "input.id", Needs(Object::Document)),
    ("createSharings", "input.org_member_ids", May(Object::Provider)),
    ("createSharings", "input.patient_ids", May(Object::Client)),
    ("createSharings", "input.user_group_ids", May(Object::Group)),
    ("deleteSharings", "input.id", Needs(Object::Document)),
    ("deleteSharings", "input.org_member_ids", May(Object::Provider)),
    // The client would not see the document any more, of which others are asked.
    ("deleteSharings", "input.patient_ids", Left),
    ("deleteSharings", "input.user_group_ids", May(Object::Group)),
];

/// Data that makes a call meaningful, by root field.
pub const DATA: &[(&str, &[&str])] = &[
    ("createDocument", &["display_name", "file_string"]),
    ("shareAnswersAsDocument", &["name"]),
    ("updateDocument", &["display_name"]),
    ("createFolder", &["name"]),
    ("updateFolder", &["name"]),
    ("shareable", &["shareable_type"]),
    ("createSharings", &["shareable_type"]),
    ("createDisclosureConsent", &["recipient", "purpose", "scope", "signed_on"]),
    ("deleteSharings", &["shareable_type"]),
];

/// Data that takes a right of its own.
pub const TRIED: &[(&str, &str)] = &[
    ("createDocument", "input.org_level"),
    ("updateDocument", "input.shared_on_welcome"),
    ("updateDocument", "input.shared_with_dietitians"),
    ("updateFolder", "input.shared_on_welcome"),
    ("updateFolder", "input.shared_with_dietitians"),
    ("createSharings", "input.share_with_all_clients"),
    ("createSharings", "input.share_with_all_org_members"),
];

/// Names that open nothing.
pub const WORDS: &str = "
    file_type file_types filter for_template_use file file_string description internal_notes
    share_with_rel include_in_charting created_at updated_at should_run_in_job include_archived
    expires_on
";

/// Two letters.
pub const FILE: &str = "data:text/plain;base64,SGkK";

impl World {
    /// The client of a document, folder or request, whom a call before may have archived: with who
    /// is, nothing new is shared, and they are asked nothing.
    pub fn reader(&mut self, own: bool) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        let input = json!({"id": client, "active": true});
        self.make("updateClient", "updateClientInput!", "user", input);
        client
    }

    /// A document of the owner's about the client.
    pub fn document(&mut self, own: bool) -> String {
        let client = self.reader(own);
        let name = if own { self.word() } else { self.unseen() };
        let input = json!({"rel_user_id": client, "display_name": name, "file_string": FILE,
            "share_with_rel": true, "include_in_charting": true});
        self.make("createDocument", "createDocumentInput", "document", input)
    }

    /// What the client has consented to.
    pub fn consent(&mut self, own: bool) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        let mut word = || if own { self.word() } else { self.unseen() };
        let (recipient, purpose) = (word(), word());
        let input = json!({"user_id": client, "recipient": recipient, "purpose": purpose,
            "scope": "ALL_RECORDS", "signed_on": "2025-01-02"});
        let field = "createDisclosureConsent";
        self.make(field, &format!("{field}Input"), "disclosure_consent", input)
    }

    /// A folder of the owner's for the client.
    pub fn folder(&mut self, own: bool) -> String {
        let client = self.reader(own);
        let name = if own { self.word() } else { self.unseen() };
        let input = json!({"rel_user_id": client, "name": name, "share_with_rel": true});
        self.make("createFolder", "createFolderInput", "folder", input)
    }
}
