//! Messaging as it happens: a client and a member hear of what the other does.

use ward_tests::socket::{cable, channel, listen};
use ward_tests::{Engine, Json, json, people};

use crate::practice::Practice;

const PASSWORD: &str = "copper-lantern-41-meadow";

fn made(practice: &Practice, field: &str, object: &str, input: Json) -> String {
    let query = format!(
        "mutation($input: {field}Input!) {{ {field}(input: $input) {{ {object} {{ id }} messages {{ field message }} }} }}"
    );
    let reply = practice.owner().ask(&query, json!({"input": input}));
    reply.data()[field][object]["id"].as_str().unwrap_or_default().to_owned()
}

/// What happens in a conversation is told to who takes part, and to nobody else (DOM-34).
#[test]
fn participants_hear_of_messages_and_others_do_not() {
    for engine in Engine::available("messages as they happen") {
        let practice = Practice::open(engine, &[]);
        let client = people::client(&practice.owner(), "listener");
        made(&practice, "updateClient", "user", json!({"id": client, "password": PASSWORD}));
        let email = "listener@client.example";
        let signed =
            people::sign_in(&practice.server.api(), json!({"email": email, "password": PASSWORD}));
        let session = signed.data()["signIn"]["token"].as_str().unwrap().to_owned();
        let colleague = practice.instance.member("provider");
        let talk = made(
            &practice,
            "createConversation",
            "conversation",
            json!({"simple_added_users": client}),
        );
        let notes = format!(
            "subscription {{ noteAddedSubscription(conversationId: \"{talk}\") {{ content deleted_by_user }} }}"
        );
        let changes = format!(
            "subscription {{ conversationChangedSubscription(id: \"{talk}\") {{ name }} }}"
        );
        let parts = "subscription { conversationMembershipUpdatedSubscription { user_id viewed } }";
        let added = "subscription { conversationMembershipAddedSubscription { user_id } }";
        let counted =
            "subscription { userUpdatedSubscription { id conversation_notification_count } }";
        let hears = |query: &str| {
            let mut socket = cable(practice.server.port, &session);
            listen(&mut socket, &channel("1"), query);
            socket
        };
        let mut note = hears(&notes);
        let mut change = hears(&changes);
        let mut part = hears(parts);
        let mut joined = hears(added);
        let mut count = hears(counted);
        let mut stranger = cable(practice.server.port, &colleague);
        listen(&mut stranger, &channel("1"), &notes);
        let sent = made(
            &practice,
            "createNote",
            "note",
            json!({"conversation_id": talk, "content": "Hello"}),
        );
        let told = |socket: &mut ward_tests::socket::Socket, field: &str| {
            socket.message()["message"]["result"]["data"][field].clone()
        };
        let hello = json!({"content": "Hello", "deleted_by_user": false});
        assert_eq!(told(&mut note, "noteAddedSubscription"), hello);
        let unread = json!({"user_id": client, "viewed": false});
        assert_eq!(told(&mut part, "conversationMembershipUpdatedSubscription"), unread);
        let one = json!({"id": client, "conversation_notification_count": 1});
        assert_eq!(told(&mut count, "userUpdatedSubscription"), one);
        made(&practice, "updateNote", "note", json!({"id": sent, "content": "Hallo"}));
        assert_eq!(told(&mut note, "noteAddedSubscription")["content"], "Hallo");
        made(&practice, "deleteNote", "note", json!({"id": sent}));
        assert_eq!(told(&mut note, "noteAddedSubscription")["deleted_by_user"], true);
        made(
            &practice,
            "updateConversation",
            "conversation",
            json!({"id": talk, "name": "Renamed"}),
        );
        // How the conversation began may be told late, before the new name.
        let renamed = json!({"name": "Renamed"});
        while told(&mut change, "conversationChangedSubscription") != renamed {}
        made(
            &practice,
            "createConversation",
            "conversation",
            json!({"simple_added_users": client}),
        );
        assert_eq!(
            told(&mut joined, "conversationMembershipAddedSubscription"),
            json!({"user_id": client})
        );
        stranger.is_silent();
        // Taken out, the client is told nothing more.
        let input = json!({"conversation_id": talk, "user_id": client});
        made(&practice, "deleteConversationMembership", "conversationMembership", input);
        made(&practice, "createNote", "note", json!({"conversation_id": talk, "content": "Alone"}));
        note.is_silent();
    }
}
