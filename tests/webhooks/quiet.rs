//! A change that is kept from webhooks is kept from nothing else, and a world that a Sandbox is filled
//! with is told to nobody.

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

/// What is in a named world did not happen: a webhook that was there before hears of none of it, and a
/// reset takes it away with what waits for it.
#[test]
fn a_world_that_a_sandbox_is_filled_with_is_told_to_nobody() {
    for engine in Engine::available("named worlds") {
        let practice = Practice::open(engine);
        let events = ["organization_membership.created", "patient.created", "appointment.created"];
        practice.webhook("/hook", &events);
        practice.instance.sandbox("seed", &["--pack", "group", "--seed", "7"]).ok();
        // What comes after shows that nothing of it was told.
        let client = practice.client("ada");
        assert_eq!(practice.receiver.event("/hook", "patient.created").resource(), client);
        let count = |table: &str| {
            practice.instance.database().number(&format!("SELECT COUNT(*) FROM {table}"))
        };
        assert_eq!(count("webhook_deliveries"), 1, "something of the seed is told");
        practice.instance.sandbox("reset", &["--pack", "solo", "--seed", "7"]).ok();
        for table in ["webhooks", "webhook_deliveries", "webhook_lanes"] {
            assert_eq!(count(table), 0, "{table}");
        }
        assert_eq!(practice.receiver.at("/hook").len(), 1);
        practice.server.stop();
    }
}
