//! A change that is kept from webhooks is kept from nothing else.

use ward_tests::{Engine, json};

use crate::practice::Practice;

#[test]
fn a_suppressed_change_still_takes_clients_out_of_their_groups_chat() {
    for engine in Engine::available("suppressed changes") {
        let practice = Practice::open(engine);
        let (ada, bo) = (practice.client("ada"), practice.client("bo"));
        let made = practice.run("createGroup", "user_group { id }", &json!({"name": "Oncology"}));
        let group = made["user_group"]["id"].as_str().unwrap().to_owned();
        let into = |ids: &[&String], group: &str| {
            let input = json!({"ids": ids, "user_group_id": group,
                "suppress_patient_updated_webhooks": true});
            let moved = practice.run("bulkUpdateClients", "users { id }", &input);
            assert!(moved["messages"].is_null(), "{moved}");
        };
        into(&[&ada, &bo], &group);
        let input = json!({"simple_added_users": format!("group-{group}")});
        let chat = practice.run("createConversation", "conversation { id }", &input);
        let chat = chat["conversation"]["id"].clone();
        practice.webhook("/hook", &["patient.updated"]);
        let in_it = || {
            let query =
                "query($id: ID) { conversationMembershipInvitees(id: $id) { nodes { user_id } } }";
            let reply = practice.api().ask(query, json!({"id": chat}));
            let nodes = &reply.data()["conversationMembershipInvitees"]["nodes"];
            let ids =
                nodes.as_array().unwrap().iter().map(|node| node["user_id"].as_str().unwrap());
            ids.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(in_it(), [ada.as_str(), &bo]);
        into(&[&ada], "");
        assert_eq!(in_it(), [bo.as_str()], "who left the group reads on");
        into(&[&ada], &group);
        assert_eq!(in_it().len(), 2, "who joined the group is not told of");
        // What comes after shows that nothing of it was told.
        let update = json!({"id": bo, "legal_name": "Bo King"});
        practice.run("updateClient", "user { id }", &update);
        assert_eq!(practice.receiver.event("/hook", "patient.updated").resource(), bo);
        assert_eq!(practice.receiver.at("/hook").len(), 1);
        practice.server.stop();
    }
}
