//! Who sees which types: members, clients, strangers, sub-organizations.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{CAN_EDIT_APPOINTMENT_TYPES, CAN_MANAGE_OWN_AVAILABILITY};
use ward_store::{Actor, Sql};

use crate::support::World;

async fn visible(w: &World, actor: &Actor, id: &str) -> Json {
    let query = "query($id: ID) { appointmentType(id: $id) { name length organization_id created_at \
        available_contact_types metadata provider_appt_type_connections { provider_name } } }";
    w.run(actor, query, json!({ "id": id })).await["appointmentType"].clone()
}

#[tokio::test]
async fn clients_see_what_they_may_book() {
    World::each(async |w| {
        let group = |name: &str| {
            let input = json!({ "name": name });
            let world = &w;
            async move {
                let made =
                    world.mutate(&world.owner, "createGroup", "user_group { id }", input).await;
                made["user_group"]["id"].as_str().unwrap().to_owned()
            }
        };
        let (adults, teens) = (group("Adults").await, group("Teens").await);
        let open = |name: &str| json!({ "name": name, "length": 30, "clients_can_book": true });
        let with = |name: &str, more: Json| {
            let mut input = open(name);
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        let o = &w.owner;
        w.type_of(o, open("Open")).await;
        w.type_of(o, json!({ "name": "Staff only", "length": 30 })).await;
        w.type_of(o, with("No groups", json!({ "bookable_by_groups": false }))).await;
        w.type_of(o, with("Groups", json!({ "bookable_without_group": false }))).await;
        w.type_of(
            o,
            with(
                "Adults",
                json!({ "bookable_without_group": false, "bookable_group_ids": [adults] }),
            ),
        )
        .await;
        let gone = w.type_of(o, open("Gone")).await;
        w.mutate(o, "deleteAppointmentType", "appointmentType { id }", json!({ "id": gone })).await;
        let client = w.client("Ada", "ada@example.com").await;
        let own = w.as_client(&client).await;
        assert_eq!(w.names(&own, "").await, ["Open", "No groups"]);
        assert_eq!(w.names(&own, "with_deleted_appt_types: true").await, ["Open", "No groups"]);
        for (group, expected) in
            [(&teens, vec!["Open", "Groups"]), (&adults, vec!["Open", "Groups", "Adults"])]
        {
            let input = json!({ "id": client, "user_group_id": group });
            w.mutate(o, "updateClient", "user { id }", input).await;
            assert_eq!(w.names(&own, "").await, expected);
        }
        let nobody = Actor::anonymous();
        assert!(w.names(&nobody, "").await.is_empty(), "there is no list of everything");
        assert!(w.names(&nobody, "org_level: true").await.is_empty());
        let provider =
            format!("provider_id: \"{}\", with_deleted_appt_types: true", w.owner.user_id);
        assert_eq!(w.names(&nobody, &provider).await, ["Open", "No groups"]);
        let elsewhere = format!("provider_id: \"{}\"", w.stranger.user_id);
        assert!(w.names(&nobody, &elsewhere).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn strangers_read_what_a_new_client_needs_and_no_more() {
    World::each(async |w| {
        let stan = w.standard.user_id.to_string();
        let id = w.type_of(&w.owner, json!({ "name": "Open", "length": 30, "clients_can_book": true,
            "metadata": "{\"internal\": true}", "require_specific_providers": true,
            "provider_ids_for_appt_type_connections": [stan] })).await;
        let shut = w.type_of(&w.owner, json!({ "name": "Shut", "length": 30 })).await;
        let nobody = Actor::anonymous();
        let seen = visible(&w, &nobody, &id).await;
        assert_eq!(seen["name"], "Open", "{seen}");
        assert_eq!(seen["organization_id"], w.organization.id.0);
        assert_eq!(seen["available_contact_types"][1], "In Person");
        assert_eq!(seen["provider_appt_type_connections"], json!([{ "provider_name": "Stan Staffson" }]));
        assert!(seen["metadata"].is_null(), "{seen}");
        assert!(visible(&w, &nobody, &shut).await.is_null());
        // Only who is named offers it.
        let by = |user: i64| format!("provider_id: \"{user}\"");
        assert_eq!(w.names(&nobody, &by(w.standard.user_id)).await, ["Open"]);
        assert!(w.names(&nobody, &by(w.owner.user_id)).await.is_empty());
        let both = format!("provider_ids: [\"{}\", \"{}\"]", w.owner.user_id, w.standard.user_id);
        assert_eq!(w.names(&nobody, &both).await, ["Open"]);
        let query = "query($id: ID) { organizationMembership(user_id: $id) { user { appointment_types { name } appointment_setting { id } } } }";
        let answer = w.run(&nobody, query, json!({ "id": stan })).await;
        let user = &answer["organizationMembership"]["user"];
        assert_eq!(user["appointment_types"], json!([{ "name": "Open" }]), "{answer}");
        let payload = w.mutate(&nobody, "createAppointmentType", "appointmentType { id }", json!({ "name": "X", "length": 1 })).await;
        assert!(payload["appointmentType"].is_null(), "{payload}");
    })
    .await;
}

#[tokio::test]
async fn of_whom_strangers_do_not_know_they_learn_no_practice() {
    World::each(async |w| {
        w.type_of(&w.owner, json!({ "name": "Open", "length": 30, "clients_can_book": true }))
            .await;
        let nobody = Actor::anonymous();
        let query = "query($id: String) { appointmentTypes(provider_id: $id) { name } \
            appointmentTypesCount(provider_id: $id) }";
        let asked = async |user: i64| {
            let variables = json!({ "id": user.to_string() });
            w.run_in(ViewId::Baseline, &nobody, query, variables).await
        };
        let unknown = asked(w.stranger.user_id + 100).await;
        assert_eq!(unknown["data"]["appointmentTypesCount"], 0, "{unknown}");
        let stan = w.standard.user_id;
        assert_eq!(asked(w.support.user_id).await, unknown, "is no provider");
        assert_ne!(asked(stan).await, unknown);
        let by = |users: [i64; 2]| format!("provider_ids: [\"{}\", \"{}\"]", users[0], users[1]);
        assert_eq!(w.names(&nobody, &by([w.support.user_id, stan])).await, ["Open"]);
        let mut sql = Sql::new();
        sql.push("UPDATE users SET active = FALSE WHERE id = ").bind(stan);
        w.execute(sql).await;
        assert_eq!(asked(stan).await, unknown, "is not active");
        assert!(w.names(&nobody, &by([w.support.user_id, stan])).await.is_empty());
        // Members know their colleagues.
        assert_eq!(w.names(&w.owner, &by([w.support.user_id, stan])).await, ["Open"]);
    })
    .await;
}

#[tokio::test]
async fn all_types_are_all_that_one_sees() {
    World::each(async |w| {
        let sue = w.with(&w.support, &[CAN_EDIT_APPOINTMENT_TYPES]);
        let unshared = w.type_of(&sue, json!({ "name": "Sue's", "length": 30 })).await;
        let shared = w.type_of(&w.owner, json!({ "name": "Shared", "length": 30 })).await;
        let field = "createAvailabilityWithAppointmentTypes";
        let query = format!(
            "mutation($input: CreateAvailabilityWithAppointmentTypesInput!) {{ {field}(input: $input) \
             {{ availability {{ id }} messages {{ field message }} }} }}"
        );
        let times = json!({ "link_all_non_group_types": true,
            "start_datetime": "2027-03-02T09:00:00-05:00", "end_datetime": "2027-03-02T10:00:00-05:00" });
        let plain = w.with(&w.standard, &[CAN_MANAGE_OWN_AVAILABILITY]);
        let answer = w.run(&plain, &query, json!({ "input": times })).await;
        assert!(answer[field]["messages"].is_null(), "{answer}");
        assert!(!answer[field]["availability"].is_null(), "{answer}");
        for (of, linked) in [(&unshared, 0), (&shared, 1)] {
            let query = "query($of: ID, $user: ID) { availabilities(one_time: true, provider_id: $user, \
                startDate: \"2027-03-01\", endDate: \"2027-03-23\", appointment_type_id: $of) { id } }";
            let variables = json!({ "of": of, "user": w.standard.user_id.to_string() });
            let answer = w.run(&w.owner, query, variables).await;
            assert_eq!(answer["availabilities"].as_array().unwrap().len(), linked, "{answer}");
        }
        assert_eq!(w.written("availability_appointment_types").await.0, 1);
    })
    .await;
}

#[tokio::test]
async fn a_layer_is_known_to_who_knows_whose_it_is() {
    World::each(async |w| {
        let stan = w.standard.user_id.to_string();
        let hours = json!({ "user_id": stan, "start_time": "08:00", "end_time": "18:00" });
        let field = "createAppointmentSetting";
        let made = w.mutate(&w.owner, field, "appointmentSetting { id }", hours).await;
        let layer = made["appointmentSetting"]["id"].clone();
        let own = json!({ "name": "Shut", "length": 30, "appointment_setting": { "buffer": "5" } });
        let of = w.type_of(&w.owner, own).await;
        let query = "query($id: ID) { appointmentType(id: $id) { appointment_setting { id } } }";
        let shut = w.run(&w.owner, query, json!({ "id": of })).await;
        let shut = shut["appointmentType"]["appointment_setting"]["id"].clone();
        let client = w.client("Ada", "ada@example.com").await;
        let (ada, nobody) = (w.as_client(&client).await, Actor::anonymous());
        let query = "query($id: ID) { appointmentSetting(id: $id) { id } }";
        let knows = async |actor: &Actor, id: &Json| {
            !w.run(actor, query, json!({ "id": id })).await["appointmentSetting"].is_null()
        };
        // Ada is not cared for by Stan yet; a stranger looks for a provider.
        assert_eq!((knows(&ada, &layer).await, knows(&nobody, &layer).await), (false, true));
        let team = json!({ "id": client, "other_provider_ids": [stan] });
        w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        assert!(knows(&ada, &layer).await);
        // Nobody books the type until clients can.
        assert_eq!((knows(&ada, &shut).await, knows(&nobody, &shut).await), (false, false));
        let input = json!({ "id": of, "clients_can_book": true });
        w.mutate(&w.owner, "updateAppointmentType", "appointmentType { id }", input).await;
        assert_eq!((knows(&ada, &shut).await, knows(&nobody, &shut).await), (true, true));
        assert!(knows(&w.owner, &layer).await && knows(&w.owner, &shut).await);
        assert!(!knows(&w.stranger, &layer).await);
    })
    .await;
}

#[tokio::test]
async fn units_have_their_own_types_and_the_root_sees_them() {
    World::each(async |w| {
        let branch = w.branch().await;
        let ours = w.type_of(&w.owner, json!({ "name": "Root's", "length": 30 })).await;
        let theirs = w.type_of(&branch, json!({ "name": "Branch's", "length": 30 })).await;
        assert!(visible(&w, &branch, &ours).await.is_null());
        assert_eq!(visible(&w, &w.owner, &theirs).await["name"], "Branch's");
        assert_eq!(w.names(&branch, "org_level: true").await, ["Branch's"]);
        let stan = w.standard.user_id.to_string();
        let input = json!({ "id": theirs, "provider_ids_for_appt_type_connections": [stan] });
        let payload =
            w.mutate(&w.owner, "updateAppointmentType", "appointmentType { id }", input).await;
        assert_eq!(
            payload["messages"][0]["field"], "provider_ids_for_appt_type_connections",
            "{payload}"
        );
        // A branch's clients join groups of their own unit or the root's.
        let mut groups = Vec::new();
        for actor in [&branch, &w.owner] {
            let made =
                w.mutate(actor, "createGroup", "user_group { id }", json!({ "name": "G" })).await;
            groups.push(made["user_group"]["id"].clone());
        }
        for (field, group) in
            [("user_group_id", groups[0].clone()), ("bookable_group_ids", json!([groups[0]]))]
        {
            for (of, refused) in [(&ours, true), (&theirs, false)] {
                let input = json!({ "id": of, field: group });
                let payload = w
                    .mutate(&w.owner, "updateAppointmentType", "appointmentType { id }", input)
                    .await;
                assert_eq!(payload["messages"][0]["field"] == field, refused, "{payload}");
            }
        }
        let input = json!({ "id": theirs, "user_group_id": groups[1] });
        let payload =
            w.mutate(&w.owner, "updateAppointmentType", "appointmentType { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
    })
    .await;
}

#[tokio::test]
async fn whether_a_type_can_be_had_is_told_to_whoever_books() {
    World::each(async |w| {
        let input = json!({ "name": "Open", "length": 30, "clients_can_book": true, "require_in_state_clients": true });
        let id = w.type_of(&w.owner, input).await;
        let other = w.type_of(&w.owner, json!({ "name": "Other", "length": 30, "clients_can_book": true })).await;
        let nobody = Actor::anonymous();
        let client = w.client("Ada", "a@example.com").await;
        let ada = w.as_client(&client).await;
        let (owner, stan) = (w.owner.user_id.to_string(), w.standard.user_id.to_string());
        let query = "query($id: ID, $p: String, $ps: [ID], $s: String) { appointmentType(id: $id) { \
            availability_exists_for(provider_id: $p, provider_ids: $ps) \
            valid_state_licensing_for(provider_id: $p, client_state_of_residence: $s) } }";
        let asked = async |actor: &Actor, of: &str, variables: Json| {
            let mut variables = variables;
            variables["id"] = json!(of);
            let answer = w.run(actor, query, variables).await["appointmentType"].clone();
            [answer["availability_exists_for"].clone(), answer["valid_state_licensing_for"].clone()]
        };
        for actor in [&nobody, &ada, &w.owner] {
            assert_eq!(asked(actor, &id, json!({ "p": stan, "s": "ny" })).await, [json!(false), json!(false)]);
        }
        let past = json!({ "start_datetime": "2020-01-01T09:00:00Z", "end_datetime": "2020-01-01T10:00:00Z" });
        let ended = json!({ "is_repeating": true, "range_start": "2020-01-06", "end_on": "2020-02-01", "time": "09 00", "end_time": "10 00" });
        for input in [past, ended] {
            let made = w.mutate(&w.standard, "createAvailability", "availability { id }", input).await;
            assert!(made["messages"].is_null(), "{made}");
        }
        assert_eq!(asked(&nobody, &id, json!({ "p": stan })).await[0], false, "what is over is no time to come");
        let weekly = json!({ "is_repeating": true, "range_start": "2020-01-06", "time": "09 00", "end_time": "10 00" });
        let made = w.mutate(&w.standard, "createAvailability", "availability { id }", weekly.clone()).await;
        assert!(made["messages"].is_null(), "{made}");
        // A client knows of those who care for them.
        assert_eq!(asked(&ada, &id, json!({ "p": stan })).await[0], false);
        let team = json!({ "id": client, "other_provider_ids": [stan] });
        let joined = w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        assert!(joined["messages"].is_null(), "{joined}");
        let licence = json!({ "id": stan, "state_licenses": [{ "state": "NY" }] });
        let licensed = w.mutate(&w.owner, "updateOrganizationMember", "user { id }", licence).await;
        assert!(licensed["messages"].is_null(), "{licensed}");
        for actor in [&nobody, &ada, &w.owner, &w.with(&w.support, &[])] {
            assert_eq!(asked(actor, &id, json!({ "p": stan, "s": "ny" })).await, [json!(true), json!(true)]);
            assert_eq!(asked(actor, &id, json!({ "p": owner, "s": "NY" })).await, [json!(false), json!(false)]);
            assert_eq!(asked(actor, &id, json!({ "ps": [owner, stan], "s": "NJ" })).await, [json!(true), json!(false)]);
            assert_eq!(asked(actor, &id, json!({})).await, [json!(true), Json::Null], "of whom, and where");
            assert_eq!(asked(actor, &other, json!({ "p": owner })).await[1], true, "asks for no licence");
        }
        // Only the times of who offers a type count, and their licences.
        let named = json!({ "id": other, "require_specific_providers": true, "require_in_state_clients": true,
            "provider_ids_for_appt_type_connections": [owner] });
        let changed = w.mutate(&w.owner, "updateAppointmentType", "appointmentType { id }", named).await;
        assert!(changed["messages"].is_null(), "{changed}");
        for p in [Json::Null, json!(stan)] {
            assert_eq!(asked(&nobody, &other, json!({ "p": p, "s": "NY" })).await, [json!(false), json!(false)]);
            assert_eq!(asked(&nobody, &id, json!({ "p": p, "s": "NY" })).await, [json!(true), json!(true)]);
        }
        // Of the times themselves they see nothing.
        let list = "{ availabilities(is_repeating: true, is_org: true) { id } }";
        for actor in [&nobody, &ada, &w.with(&w.support, &[])] {
            let answer = w.run(actor, list, json!({})).await;
            assert!(answer["availabilities"].as_array().is_none_or(Vec::is_empty), "{answer}");
        }
        // Where times are set by type, they are that type's only.
        let hours = json!({ "start_time": "08:00", "end_time": "18:00", "times_by_appointment_type": true });
        w.mutate(&w.owner, "createAppointmentSetting", "appointmentSetting { id }", hours).await;
        let mut own = weekly;
        own["appointment_type_id"] = json!(id);
        let made = w.mutate(&w.standard, "createAvailability", "availability { id }", own).await;
        assert!(made["messages"].is_null(), "{made}");
        assert_eq!(asked(&nobody, &id, json!({ "p": stan })).await[0], true);
        assert_eq!(asked(&nobody, &other, json!({ "p": stan })).await[0], false);
        let elsewhere = asked(&nobody, &id, json!({ "p": w.stranger.user_id.to_string() })).await;
        assert_eq!(elsewhere[0], false);
    })
    .await;
}
