//! What the arguments of messaging name.

use ward_tests::people::id;
use ward_tests::{Api, json};

use crate::meaning::Meaning::{self, Left, May, Needs};
use crate::meaning::Object;
use crate::principal::{Principal, Site};
use crate::world::World;

/// Root field, path of the value, what it names.
pub const OBJECTS: &[(&str, &str, Meaning)] = &[
    ("conversation", "id", Needs(Object::Conversation)),
    ("conversation", "provider_id", May(Object::Provider)),
    ("conversations", "user_id", May(Object::Client)),
    ("conversationMembership", "id", Needs(Object::Part)),
    ("conversationMembership", "conversation_membership_id", May(Object::Part)),
    ("conversationMembershipInvitees", "id", Needs(Object::Conversation)),
    ("conversationMemberships", "client_id", May(Object::Client)),
    ("conversationMemberships", "provider_id", May(Object::Provider)),
    ("conversationMemberships", "provider_ids", May(Object::Provider)),
    ("conversationMembershipsCount", "client_id", May(Object::Client)),
    ("conversationMembershipsCount", "provider_id", May(Object::Provider)),
    ("conversationMembershipsCount", "provider_ids", May(Object::Provider)),
    ("conversationMembershipsAllCounts", "client_id", May(Object::Client)),
    ("conversationMembershipsAllCounts", "provider_id", May(Object::Provider)),
    ("conversationMembershipsAllCounts", "provider_ids", May(Object::Provider)),
    ("note", "id", Needs(Object::Note)),
    ("noteViewedStatus", "id", Needs(Object::Note)),
    ("notes", "conversation_id", May(Object::Conversation)),
    ("notes", "ids", May(Object::Note)),
    ("notes", "provider_id", May(Object::Provider)),
    ("notes", "since_note_id", May(Object::Note)),
    ("notesCount", "conversation_id", May(Object::Conversation)),
    ("notesCount", "provider_id", May(Object::Provider)),
    ("createConversation", "input.owner_id", May(Object::Provider)),
    ("createConversation", "input.simple_added_users", Needs(Object::Client)),
    ("updateConversation", "input.id", Needs(Object::Conversation)),
    ("updateConversation", "input.simple_added_users", May(Object::Client)),
    ("updateConversation", "input.closed_by_id", May(Object::Provider)),
    ("updateConversationMembership", "input.id", Needs(Object::Part)),
    // Whether there is one depends on the calls before: the domain's tests ask it.
    ("draft", "conversation_membership_id", Left),
    ("createDraft", "input.conversation_membership_id", Needs(Object::Part)),
    ("removeDraft", "input.id", Left),
    ("deleteConversationMembership", "input.conversation_id", Needs(Object::Conversation)),
    ("deleteConversationMembership", "input.user_id", May(Object::Client)),
    ("deleteConversationMembership", "input.group_id", May(Object::Group)),
    ("createNote", "input.conversation_id", Needs(Object::Conversation)),
    ("createNote", "input.user_id", May(Object::Provider)),
    ("updateNote", "input.id", Needs(Object::Note)),
    ("updateNote", "input.conversation_id", May(Object::Conversation)),
    ("updateNote", "input.user_id", May(Object::Provider)),
    ("deleteNote", "input.id", Needs(Object::Note)),
    ("note_scheduler", "id", Needs(Object::Scheduler)),
    ("scheduledMessageBlasts", "client_id", May(Object::Client)),
    ("scheduledMessageBlasts", "provider_id", May(Object::Provider)),
    ("scheduledMessageBlasts", "provider_ids", May(Object::Provider)),
    ("createMessageBlast", "input.patient_id", Needs(Object::Client)),
    ("createMessageBlast", "input.dietitian_id", May(Object::Provider)),
    ("createMessageBlast", "input.simple_added_users", May(Object::Client)),
    ("updateNoteScheduler", "input.id", Needs(Object::Scheduler)),
    ("updateNoteScheduler", "input.participant_ids", May(Object::Client)),
    ("notifications", "other_party_id", May(Object::Client)),
    ("notificationCount", "other_party_id", May(Object::Client)),
    ("updateNotification", "input.id", Needs(Object::Notification)),
    ("updateNotifications", "input.notification_ids", Needs(Object::Notification)),
    ("notificationSetting", "id", May(Object::Client)),
    ("updateNotificationSetting", "input.id", May(Object::Client)),
    ("unsubscribeFromNotification", "input.user_id", May(Object::Client)),
    ("sentNotificationRecord", "id", Needs(Object::SentNotice)),
    ("sentNotificationRecords", "patient_id", May(Object::Client)),
    ("sentNotificationRecords", "provider_id", May(Object::Provider)),
    ("sentNotificationRecordsCount", "patient_id", May(Object::Client)),
    ("sentNotificationRecordsCount", "provider_id", May(Object::Provider)),
    ("updateNotificationRecords", "input.user_id", Needs(Object::Client)),
    ("chatSetting", "id", May(Object::ChatSetting)),
    ("chatSetting", "user_id", May(Object::Provider)),
    ("createChatSetting", "input.user_id", May(Object::Provider)),
    // The contract asks for an id there that says nothing.
    ("createChatSetting", "input.recurring_days_data.id", Left),
    ("updateChatSetting", "input.recurring_days_data.id", Left),
    ("updateChatSetting", "input.id", Needs(Object::ChatSetting)),
    ("updateChatSetting", "input.user_id", May(Object::Provider)),
    ("createNotificationContact", "input.user_id", Needs(Object::Client)),
    ("createNotificationContact", "input.linked_client_id", May(Object::Client)),
    ("updateNotificationContact", "input.id", Needs(Object::Contact)),
    ("deleteNotificationContact", "input.id", Needs(Object::Contact)),
    ("deleteNotificationContact", "input.user_id", May(Object::Client)),
    // A key acts for nobody: `tests/http/proxies.rs` signs in.
    ("actAsLinkedClient", "input.notification_contact_id", Needs(Object::Contact)),
];

/// Data that makes a call meaningful, by root field.
pub const DATA: &[(&str, &[&str])] = &[
    ("updateConversation", &["name"]),
    ("updateConversationMembership", &["viewed"]),
    ("createMessageBlast", &["note.content"]),
    ("createDraft", &["content"]),
    ("createNote", &["content"]),
    ("updateNote", &["content"]),
    ("updateNotification", &["seen"]),
    ("updateChatSetting", &["content"]),
    ("createNotificationContact", &["first_name"]),
    ("updateNotificationContact", &["first_name"]),
    ("updateNotifications", &["seen"]),
    ("updateNotificationRecords", &["viewed_bounced_records"]),
];

/// Names that open nothing.
pub const WORDS: &str = "
    conversation_type notes_type only_include_shared_memberships read_status scheduled_notes
    label value content attached_image attached_image_string attached_audio attached_document org_chat
    archived viewed deleted_by_user org_chat scheduled_at
    seen_status types type status start_date end_date org_level seen read
    updateAllNotifications fromAllNotifications viewed_bounced_records
    auto_welcome_text send_auto_welcome no_end_date is_active scheduled_turned_on
    receive_notifications recurring_content recurring_days_data is_recurring_active
    recurring_turned_on receive_notifications_recurring days time_range day_ranges
    hide_close_confirmation hide_org_chat_confirmation relationship contact_type emergency
    copy_notifications send_invitation client_portal_access client_portal_access_until
    notification_setting_uuid type_of_notification quiet_hours_start quiet_hours_end
";

impl World {
    /// Makes something of messaging.
    pub fn of_messaging(&mut self, own: bool, kind: Object) -> String {
        match kind {
            Object::Part => self.part(own),
            Object::Note => self.note(own),
            Object::Scheduler => self.scheduler(own),
            Object::Notification => self.told(),
            Object::SentNotice => self.mailed(),
            Object::ChatSetting => self.chat_setting(),
            Object::Contact => self.contact(own),
            _ => self.conversation(own).0,
        }
    }

    fn part(&mut self, own: bool) -> String {
        let (conversation, client) = self.conversation(own);
        let query =
            "query($id: ID) { conversationMembershipInvitees(id: $id) { nodes { id user_id } } }";
        let reply = self.as_owner().ask(query, json!({"id": conversation}));
        let parts = &reply.data()["conversationMembershipInvitees"]["nodes"];
        assert_eq!(parts[0]["user_id"], json!(client), "{}", reply.text);
        id(&parts[0])
    }

    fn note(&mut self, own: bool) -> String {
        let conversation = self.conversation(own).0;
        let query = "query($id: ID) { notes(conversation_id: $id) { nodes { id } } }";
        let reply = self.as_owner().ask(query, json!({"id": conversation}));
        id(&reply.data()["notes"]["nodes"][0])
    }

    fn scheduler(&mut self, own: bool) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        let content = if own { self.word() } else { self.unseen() };
        let query = "mutation($input: createMessageBlastInput) { createMessageBlast(input: $input) { messages { field message } } }";
        let input = json!({"patient_id": client, "note": {"content": content},
            "scheduled_at": "2027-06-01T12:00:00Z"});
        self.as_owner().ask(query, json!({"input": input})).data();
        let query = "query($client: String) { scheduledMessageBlasts(client_id: $client) { nodes { id } } }";
        let reply = self.as_owner().ask(query, json!({"client": client}));
        id(&reply.data()["scheduledMessageBlasts"]["nodes"][0])
    }

    fn contact(&mut self, own: bool) -> String {
        let user = if own { self.client.clone() } else { self.about().0 };
        let name = if own { self.word() } else { self.unseen() };
        let input = json!({"user_id": user, "first_name": name});
        let (field, made) = ("createNotificationContact", "notificationContact");
        self.make(field, &format!("{field}Input"), made, input)
    }

    /// A conversation of the owner with the client, and a note in it; and the client.
    fn conversation(&mut self, own: bool) -> (String, String) {
        let client = if own { self.client.clone() } else { self.about().0 };
        let (name, content) = match own {
            true => (self.word(), self.word()),
            false => (self.unseen(), self.unseen()),
        };
        let input = json!({"patient_id": client, "name": name, "note": {"content": content}});
        let of = "createConversationInput";
        (self.make("createConversation", of, "conversation", input), client)
    }

    /// Whom the owner gives clients to, and their key.
    fn receiver(&mut self) -> (String, Api) {
        if self.here == Site::A {
            let key = self.staff.keys[&Principal::Primary].clone();
            return (self.staff.primary.clone(), self.server.with(&key));
        }
        let key = self.openers.entry(self.here).or_insert_with(|| self.instance.key(&self.spare));
        (self.spare.clone(), self.server.with(key))
    }

    /// What a provider is told when the owner makes a client theirs.
    fn told(&mut self) -> String {
        let (provider, receiver) = self.receiver();
        let name = format!("{}told", self.word());
        let input = json!({"first_name": name, "last_name": "Client", "skipped_email": true,
            "dietitian_id": provider, "dont_send_welcome": true});
        let client = self.make("createClient", "createClientInput!", "user", input);
        let query =
            "query($client: String) { notifications(other_party_id: $client) { nodes { id } } }";
        let reply = receiver.ask(query, json!({"client": client}));
        id(&reply.data()["notifications"]["nodes"][0])
    }

    /// What they were mailed of it, as soon as it was.
    fn mailed(&mut self) -> String {
        let (provider, receiver) = self.receiver();
        let query = "mutation { updateNotificationSetting(input: {quiet_hours_start: \"00:00\",
            quiet_hours_end: \"00:00\"}) { messages { message } } }";
        receiver.ask(query, json!({})).data();
        self.told();
        let query = "{ sentNotificationRecords(org_level: true) { nodes { id user_id } } }";
        let provider = json!(provider);
        ward_tests::wait::until("the provider's mail", || {
            let reply = receiver.ask(query, json!({}));
            let sent = reply.data()["sentNotificationRecords"]["nodes"].clone();
            sent.as_array().unwrap().iter().find(|it| it["user_id"] == provider).map(id)
        })
    }

    /// The owner's settings of conversations.
    pub fn chat_setting(&mut self) -> String {
        let reply = self.as_owner().ask("{ chatSetting { id } }", json!({}));
        if !reply.data()["chatSetting"].is_null() {
            return id(&reply.data()["chatSetting"]);
        }
        let input = json!({"content": self.unseen()});
        self.make("createChatSetting", "createChatSettingInput", "chatSetting", input)
    }
}
