//! What conversations tell their people (behaviour 12), and nobody else.

use ward_tests::socket::{Socket, subscribe, transport};
use ward_tests::{Api, Engine, Json, json, people};

use crate::practice::Practice;

/// Members of a practice who write to each other.
struct Talk {
    practice: Practice,
    /// The key of who takes part, and of who does not.
    colleague: String,
    outsider: String,
    colleague_id: String,
    conversation: String,
}

/// The payload of a mutation that had to succeed.
#[track_caller]
fn done(api: &Api, field: &str, ty: &str, select: &str, input: &Json) -> Json {
    let query = format!(
        "mutation($input: {ty}) {{ {field}(input: $input) {{ {select} messages {{ field message }} }} }}"
    );
    api.ask(&query, json!({"input": input})).data()[field].clone()
}

impl Talk {
    fn begin(engine: Engine) -> Talk {
        let practice = Practice::open(engine, &[]);
        let colleague = practice.instance.member("provider");
        let outsider = practice.instance.member("support");
        let colleague_id = people::current_user(&practice.server.with(&colleague));
        let added = json!({"simple_added_users": format!("user-{colleague_id}"), "name": "Plan"});
        let begun = done(
            &practice.owner(),
            "createConversation",
            "createConversationInput",
            "conversation { id }",
            &added,
        );
        let conversation = people::id(&begun["conversation"]);
        Talk { practice, colleague, outsider, colleague_id, conversation }
    }

    fn socket(&self, key: &str) -> Socket {
        transport(self.practice.server.port, key)
    }

    /// The owner writes; the id of the message.
    fn write(&self, content: &str) -> String {
        let input = json!({"conversation_id": self.conversation, "content": content});
        let owner = self.practice.owner();
        let made = done(&owner, "createNote", "createNoteInput!", "note { id }", &input);
        people::id(&made["note"])
    }

    fn notes(&self) -> String {
        format!(
            "subscription {{ noteAddedSubscription(conversationId: \"{}\") {{ id content deleted_by_user creator {{ first_name }} }} }}",
            self.conversation
        )
    }
}

/// The next answer to an operation.
#[track_caller]
fn next(socket: &mut Socket, id: &str, field: &str) -> Json {
    let message = socket.message();
    assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message}");
    assert!(message["payload"]["errors"].is_null(), "{message}");
    message["payload"]["data"][field].clone()
}

const PART: &str = "conversationMembershipUpdatedSubscription";
const COUNTS: &str = "userUpdatedSubscription";

#[test]
fn messages_are_told_to_who_takes_part() {
    for engine in Engine::available("conversations") {
        let talk = Talk::begin(engine);
        let mut inside = talk.socket(&talk.colleague);
        let mut outside = talk.socket(&talk.outsider);
        for socket in [&mut inside, &mut outside] {
            subscribe(socket, "notes", &talk.notes());
        }
        let note = talk.write("<p>Hi</p>");
        let field = "noteAddedSubscription";
        let told = next(&mut inside, "notes", field);
        assert_eq!((&told["id"], &told["content"]), (&json!(note), &json!("<p>Hi</p>")), "{told}");
        let change = json!({"id": note, "content": "<p>Hello</p>"});
        done(&talk.practice.owner(), "updateNote", "updateNoteInput", "note { id }", &change);
        assert_eq!(next(&mut inside, "notes", field)["content"], "<p>Hello</p>");
        let gone = json!({"id": note});
        done(&talk.practice.owner(), "deleteNote", "deleteNoteInput", "note { id }", &gone);
        let told = next(&mut inside, "notes", field);
        assert_eq!(told["deleted_by_user"], true, "{told}");
        // Who was taken out hears nothing more.
        let out = json!({"conversation_id": talk.conversation, "user_id": talk.colleague_id});
        done(
            &talk.practice.owner(),
            "deleteConversationMembership",
            "deleteConversationMembershipInput",
            "conversationMembership { id }",
            &out,
        );
        talk.write("<p>Alone</p>");
        inside.is_silent();
        outside.is_silent();
    }
}

#[test]
fn each_hears_of_their_own_part_and_numbers() {
    for engine in Engine::available("memberships") {
        let talk = Talk::begin(engine);
        let mut inside = talk.socket(&talk.colleague);
        let mut outside = talk.socket(&talk.outsider);
        let mine = format!("subscription {{ {PART} {{ id viewed archived user_id }} }}");
        let counts =
            format!("subscription {{ {COUNTS} {{ id conversation_notification_count }} }}");
        for socket in [&mut inside, &mut outside] {
            subscribe(socket, "part", &mine);
            subscribe(socket, "counts", &counts);
        }
        talk.write("<p>One</p>");
        let part = next(&mut inside, "part", PART);
        assert_eq!((&part["viewed"], &part["user_id"]), (&json!(false), &json!(talk.colleague_id)));
        let count = json!({"id": talk.colleague_id, "conversation_notification_count": 1});
        assert_eq!(next(&mut inside, "counts", COUNTS), count);
        let update = |input: Json| {
            let api = talk.practice.server.with(&talk.colleague);
            let ty = "updateConversationMembershipInput";
            let select = "conversation_membership { id }";
            done(&api, "updateConversationMembership", ty, select, &input);
        };
        update(json!({"id": part["id"], "viewed": true}));
        assert_eq!(next(&mut inside, "part", PART)["viewed"], true);
        let count = json!({"id": talk.colleague_id, "conversation_notification_count": 0});
        assert_eq!(next(&mut inside, "counts", COUNTS), count);
        update(json!({"id": part["id"], "archived": true}));
        assert_eq!(next(&mut inside, "part", PART)["archived"], true);
        assert_eq!(next(&mut inside, "counts", COUNTS), count);
        // Nothing changed, so nothing is told.
        update(json!({"id": part["id"], "archived": true}));
        inside.is_silent();
        outside.is_silent();
    }
}

#[test]
fn a_conversation_tells_its_changes_and_who_joins() {
    for engine in Engine::available("conversations that change") {
        let talk = Talk::begin(engine);
        let mut inside = talk.socket(&talk.colleague);
        let mut outside = talk.socket(&talk.outsider);
        let changed = format!(
            "subscription {{ conversationChangedSubscription(id: \"{}\") {{ id name invitees {{ id }} }} }}",
            talk.conversation
        );
        let added =
            "subscription { conversationMembershipAddedSubscription { convo { id name } } }";
        for socket in [&mut inside, &mut outside] {
            subscribe(socket, "changed", &changed);
            subscribe(socket, "added", added);
        }
        let owner = talk.practice.owner();
        let update = |input: Json| {
            let ty = "updateConversationInput";
            done(&owner, "updateConversation", ty, "conversation { id }", &input);
        };
        update(json!({"id": talk.conversation, "name": "New plan"}));
        let told = next(&mut inside, "changed", "conversationChangedSubscription");
        assert_eq!((&told["id"], &told["name"]), (&json!(talk.conversation), &json!("New plan")));
        outside.is_silent();
        // Who is added hears of it, and from then on of the conversation.
        let outsider = people::current_user(&talk.practice.server.with(&talk.outsider));
        let all = format!("user-{},user-{outsider}", talk.colleague_id);
        update(json!({"id": talk.conversation, "simple_added_users": all}));
        // Once for the part, once for the conversation's own change; what joining tells between.
        let joined = |socket: &mut Socket| {
            let told = next(socket, "changed", "conversationChangedSubscription");
            assert!(told["invitees"].to_string().contains(&outsider), "{told}");
        };
        joined(&mut outside);
        let part = next(&mut outside, "added", "conversationMembershipAddedSubscription");
        assert_eq!(part["convo"], json!({"id": talk.conversation, "name": "New plan"}));
        joined(&mut outside);
        joined(&mut inside);
        joined(&mut inside);
        inside.is_silent();
    }
}
