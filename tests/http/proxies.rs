//! DOM-35: clients who act for a client: with a sign-in of their own, one of two blocked, never beyond
//! the day on which the client is 18, and never without the logs saying who it was.

use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json, people, tell, until};

pub const PASSWORD: &str = "violet-harbour-93-lantern";

const RELATIVES: &str = "{ currentUser { linked_relatives { id relationship client_portal_access client_portal_access_until user { id first_name email } } } }";
pub const ACT: &str = "mutation($id: ID!) { actAsLinkedClient(input: {notification_contact_id: $id}) { token user { id } messages { field message } } }";
const WHO: &str = "{ currentUser { id } }";

pub fn to(api: &Api, at: &str) {
    let reply = api.post("/sandbox/v1/clock/set", &json!({"to": at, "settle": true}));
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// A mutation's payload, refused or not.
pub fn run(api: &Api, field: &str, selects: &str, input: Json) -> Json {
    let query = format!(
        "mutation($input: {field}Input!) {{ {field}(input: $input) {{ {selects} messages {{ field message }} }} }}"
    );
    api.ask(&query, json!({"input": input})).json["data"][field].clone()
}

#[track_caller]
pub fn done(payload: Json) -> Json {
    assert!(payload.is_object() && payload["messages"].is_null(), "{payload}");
    payload
}

#[track_caller]
pub fn refused(payload: &Json, with: &str) {
    let said = payload["messages"][0]["message"].as_str().unwrap_or_default();
    assert!(said.contains(with), "{with:?}: {payload}");
}

/// A child, who is 18 on 5 March 2031, and those who act for them.
pub struct Family<'a> {
    server: &'a Server,
    pub owner: Api,
    pub child: String,
}

impl<'a> Family<'a> {
    pub fn new(server: &'a Server, owner: Api) -> Self {
        owner.post("/sandbox/v1/clock/freeze", &json!({}));
        to(&owner, "2031-03-03T12:00:00Z");
        let family = Family { server, child: people::client(&owner, "child"), owner };
        family.change(&family.child, json!({"dob": "2013-03-05", "timezone": "Etc/UTC"}));
        family
    }

    pub fn change(&self, client: &str, mut input: Json) {
        input["id"] = client.into();
        done(run(&self.owner, "updateClient", "user { id }", input));
    }

    /// A relative, with a password, and the contact that lets them act; their id and its.
    pub fn relative(&self, name: &str) -> (String, String) {
        let id = people::client(&self.owner, name);
        self.change(&id, json!({"password": PASSWORD}));
        let input = json!({"user_id": self.child, "linked_client_id": id, "relationship": name,
            "client_portal_access": true});
        let selects = "notificationContact { id client_portal_access client_portal_access_until }";
        let made = done(run(&self.owner, "createNotificationContact", selects, input));
        let made = &made["notificationContact"];
        assert_eq!(made["client_portal_access"], true, "{made}");
        assert_eq!(made["client_portal_access_until"], "2031-03-05", "{made}");
        (id, people::id(made))
    }

    /// Somebody, signed in as themselves.
    pub fn signed_in(&self, name: &str) -> Api {
        let input = json!({"email": format!("{name}@client.example"), "password": PASSWORD});
        let reply = people::sign_in(&self.server.api(), input);
        self.server.with(reply.data()["signIn"]["token"].as_str().unwrap())
    }

    /// Somebody who acts for the child from now on.
    pub fn acting(&self, own: &Api, contact: &str) -> Api {
        let reply = own.ask(ACT, json!({"id": contact}));
        let payload = &reply.data()["actAsLinkedClient"];
        assert_eq!(payload["user"]["id"], self.child.as_str(), "{}", reply.text);
        self.server.with(payload["token"].as_str().unwrap())
    }

    /// Switches what a contact opens.
    pub fn switch(&self, contact: &str, on: bool) -> Json {
        let input = json!({"id": contact, "client_portal_access": on});
        done(run(&self.owner, "updateNotificationContact", SHOWN, input))
    }

    #[track_caller]
    pub fn is_in(&self, api: &Api) {
        assert_eq!(people::current_user(api), self.child);
    }
}

const SHOWN: &str = "notificationContact { client_portal_access }";

#[track_caller]
pub fn is_out(api: &Api) {
    let over = api.ask(WHO, json!({}));
    assert_eq!(over.code(), "UNAUTHENTICATED", "{}", over.text);
}

/// A form of a client's that they have filled in.
fn form(owner: &Api, client: &str, confidentiality: &str) -> String {
    let input = json!({"name": "About you", "confidentiality": confidentiality});
    let (of, made) = ("createCustomModuleFormInput", "customModuleForm");
    let form = owner.make("createCustomModuleForm", of, made, input);
    let input = json!({"custom_module_form_id": form, "user_id": client, "finished": true});
    let of = "createFormAnswerGroupInput";
    owner.make("createFormAnswerGroup", of, "form_answer_group", input)
}

fn book(owner: &Api, of: &str, client: &str, day: &str) -> String {
    let input = json!({"user_id": client, "appointment_type_id": of, "contact_type": "Phone Call",
        "datetime": format!("2031-03-{day}T15:00:00Z")});
    people::id(&done(run(owner, "createAppointment", "appointment { id }", input))["appointment"])
}

/// Whether somebody sees what has an id.
pub fn sees(api: &Api, field: &str, id: &str) -> bool {
    let query = format!("query($id: ID) {{ {field}(id: $id) {{ id }} }}");
    api.ask(&query, json!({"id": id})).json["data"][field].is_object()
}

/// What is seen: all of the child's but what is confidential, and nothing of anybody else's.
fn look(family: &Family<'_>, mum: &str, acting: &Api) {
    let owner = &family.owner;
    let of = run(
        owner,
        "createAppointmentType",
        "appointmentType { id }",
        json!({"name": "Visit", "length": 30}),
    );
    let of = people::id(&of["appointmentType"]);
    let (theirs, other) = (book(owner, &of, &family.child, "20"), book(owner, &of, mum, "21"));
    assert!(sees(acting, "appointment", &theirs) && !sees(acting, "appointment", &other));
    let [plain, part_2] = ["NORMAL", "PART_2"].map(|it| form(owner, &family.child, it));
    let of_mum = form(owner, mum, "NORMAL");
    assert!(sees(acting, "formAnswerGroup", &plain));
    assert!(!sees(acting, "formAnswerGroup", &part_2) && !sees(acting, "formAnswerGroup", &of_mum));
    // Nor what was made of one: an entry of what was answered, and a PDF of it.
    let entry = weighed(owner, &family.child);
    let paper = json!({"form_answer_group_id": part_2, "name": "Sober"});
    let paper = done(run(owner, "shareAnswersAsDocument", "document { id }", paper));
    let paper = people::id(&paper["document"]);
    let shared = json!({"id": paper, "share_with_rel": true});
    done(run(owner, "updateDocument", "document { id }", shared));
    assert!(!sees(acting, "entry", &entry) && !sees(acting, "document", &paper));
    family.change(&family.child, json!({"password": PASSWORD}));
    let child = family.signed_in("child");
    assert!(sees(&child, "formAnswerGroup", &plain) && sees(&child, "formAnswerGroup", &part_2));
    assert!(sees(&child, "entry", &entry) && sees(&child, "document", &paper));
}

/// The entry that a client's weight made, which was asked for by a form under Part 2.
fn weighed(owner: &Api, client: &str) -> String {
    let form = json!({"name": "Weighing", "confidentiality": "PART_2"});
    let form = done(run(owner, "createCustomModuleForm", "customModuleForm { id }", form));
    let form = people::id(&form["customModuleForm"]);
    let question = json!({"custom_module_form_id": form, "mod_type": "Weight", "label": "Weight"});
    let question = done(run(owner, "createCustomModule", "customModule { id }", question));
    let answer = json!([{"custom_module_id": question["customModule"]["id"], "answer": "171.125"}]);
    let filled = json!({"custom_module_form_id": form, "user_id": client, "finished": true, "form_answers": answer});
    done(run(owner, "createFormAnswerGroup", "form_answer_group { id }", filled));
    let query =
        "query($id: String) { entries(client_id: $id, type: \"MetricEntry\") { nodes { id } } }";
    people::id(&owner.ask(query, json!({"id": client})).data()["entries"]["nodes"][0])
}

/// What somebody who acts does not do.
fn refuse(family: &Family<'_>, contact: &str, acting: &Api) {
    for input in [
        json!({"email": "mine@client.example"}),
        json!({"password": "copper-lantern-41-meadow", "current_password": PASSWORD}),
        json!({"dob": "2020-01-01"}),
        json!({"uniq_push_id": "my-telephone"}),
    ] {
        refused(&run(acting, "updateUser", "user { id }", input), "You act for somebody else");
    }
    let names = json!({"first_name": "Somebody"});
    let said = run(acting, "createNotificationContact", SHOWN, names);
    refused(&said, "You act for somebody else");
    for field in ["updateNotificationContact", "deleteNotificationContact"] {
        let said = run(acting, field, SHOWN, json!({"id": contact}));
        refused(&said, "You act for somebody else");
    }
    let again = acting.ask(ACT, json!({"id": contact}));
    assert!(again.json["data"]["actAsLinkedClient"]["token"].is_null(), "{}", again.text);
    let key =
        run(acting, "createApiKey", "api_key", json!({"user_id": family.child, "name": "kept"}));
    assert!(key["api_key"].is_null(), "{key}");
    let input =
        json!({"email": "child@client.example", "password": PASSWORD, "generate_api_token": true});
    let own = people::sign_in(&family.server.api(), input);
    let own = family.server.with(own.data()["signIn"]["api_key"].as_str().unwrap());
    let keys = |api: &Api| {
        let listed = api.ask("{ apiKeys { total_count nodes { id } } }", json!({}));
        listed.data()["apiKeys"]["total_count"].clone()
    };
    assert_eq!((keys(&own), keys(acting)), (json!(1), json!(0)));
    let said = run(acting, "deleteApiKey", "api_key { id }", json!({"id": contact}));
    refused(&said, "You act for somebody else");
    // And sees no contact, so not who else there is.
    let contacts = "{ currentUser { notification_contacts { id } linked_relatives { id } } }";
    let none = json!({"notification_contacts": [], "linked_relatives": []});
    assert_eq!(acting.ask(contacts, json!({})).data()["currentUser"], none);
}

/// The logs name who acts, and for whom.
fn logged(family: &Family<'_>, mum: &str, acting: &Api) {
    let asked = acting.ask(WHO, json!({}));
    let path = format!("/sandbox/v1/requests/{}", asked.header("x-request-id"));
    let asked = family.owner.get(&path);
    assert_eq!(asked.json["user_id"], mum, "{}", asked.text);
    done(run(acting, "updateUser", "user { id }", json!({"pronouns": "they"})));
    let log = "query($id: ID) { auditLog(resource_id: $id, resource_name: USER) { nodes { acting_user { id } resource_changes { field value_after_change } } } }";
    let log = family.owner.ask(log, json!({"id": family.child}));
    let entries = log.data()["auditLog"]["nodes"].as_array().unwrap();
    let has = |entry: &Json, field: &str, value: &str| {
        let change = json!({"field": field, "value_after_change": value});
        entry["resource_changes"].as_array().unwrap().contains(&change)
    };
    let by_mum = |entry: &&Json| entry["acting_user"]["id"] == mum;
    let changed = entries.iter().filter(by_mum).find(|it| has(it, "pronouns", "they"));
    assert!(has(changed.unwrap(), "on_behalf_of", &family.child), "{}", log.text);
    assert!(entries.iter().filter(by_mum).any(|it| has(it, "acting_proxy", mum)), "{}", log.text);
    assert!(entries.iter().any(|it| has(it, "proxy", mum)), "{}", log.text);
    let reads = "query($id: ID!) { clientAccessLog(client_id: $id) { nodes { user_id } } }";
    until("the reading is logged as hers", || {
        let read = family.owner.ask(reads, json!({"id": family.child}));
        let nodes = read.data()["clientAccessLog"]["nodes"].as_array().unwrap();
        nodes.iter().any(|node| node["user_id"] == mum).then_some(())
    });
}

/// Who can be let in, and by whom.
fn granted(family: &Family<'_>, of_dad: &str) {
    let baby = people::client(&family.owner, "baby");
    let dad = json!({"user_id": baby, "linked_client_id": people::client(&family.owner, "uncle"),
        "client_portal_access": true});
    let said = run(&family.owner, "createNotificationContact", SHOWN, dad);
    refused(&said, "Date of birth must be known");
    let nobody =
        json!({"user_id": family.child, "first_name": "Kim", "client_portal_access": true});
    let said = run(&family.owner, "createNotificationContact", SHOWN, nobody);
    refused(&said, "an account of their own");
    family.switch(of_dad, true);
    let late = json!({"id": of_dad, "client_portal_access_until": "2031-03-06"});
    let said = run(&family.owner, "updateNotificationContact", SHOWN, late);
    refused(&said, "can't be after the day on which the client is 18");
    // A client takes away what there is of theirs, and gives it to nobody.
    let child = family.signed_in("child");
    let own = |on: bool| json!({"id": of_dad, "client_portal_access": on});
    let query = format!(
        "mutation($input: updateNotificationContactInput) {{ updateNotificationContact(input: $input) {{ {SHOWN} messages {{ field message }} }} }}"
    );
    let taken = child.ask(&query, json!({"input": own(false)}));
    let shown = &taken.data()["updateNotificationContact"]["notificationContact"];
    assert_eq!(shown["client_portal_access"], false, "{}", taken.text);
    assert_eq!(child.ask(&query, json!({"input": own(true)})).code(), "PERMISSION_DENIED");
    family.switch(of_dad, true);
}

#[test]
fn dom_35_proxies_act_as_themselves_until_they_are_blocked_or_the_client_is_18() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        let (mum, of_mum) = family.relative("mum");
        let (_, of_dad) = family.relative("dad");
        let (_, of_gran) = family.relative("gran");
        let [own, dad, gran] = ["mum", "dad", "gran"].map(|name| family.signed_in(name));
        let seen = own.ask(RELATIVES, json!({}));
        let expected = json!([{"id": of_mum, "relationship": "mum", "client_portal_access": true,
            "client_portal_access_until": "2031-03-05",
            "user": {"id": family.child, "first_name": "child", "email": null}}]);
        assert_eq!(seen.data()["currentUser"]["linked_relatives"], expected, "{}", seen.text);
        // Nobody acts by another's contact, and no key acts.
        assert!(
            own.ask(ACT, json!({"id": of_dad})).json["data"]["actAsLinkedClient"]["token"]
                .is_null()
        );
        let input = json!({"email": "mum@client.example", "password": PASSWORD, "generate_api_token": true});
        let key = people::sign_in(&server.api(), input);
        let key = server.with(key.data()["signIn"]["api_key"].as_str().unwrap());
        let reply = key.ask(ACT, json!({"id": of_mum}));
        refused(&reply.json["data"]["actAsLinkedClient"], "Sign in to act");
        let by_mum = family.acting(&own, &of_mum);
        let by_dad = family.acting(&dad, &of_dad);
        let by_gran = family.acting(&gran, &of_gran);
        family.is_in(&by_mum);
        look(&family, &mum, &by_mum);
        // The child's first password ended whatever was begun before.
        is_out(&by_mum);
        is_out(&by_dad);
        is_out(&by_gran);
        let [by_mum, by_dad, by_gran] = [(&own, &of_mum), (&dad, &of_dad), (&gran, &of_gran)]
            .map(|(it, of)| family.acting(it, of));
        refuse(&family, &of_mum, &by_mum);
        logged(&family, &mum, &by_mum);
        // One is blocked, another's contact is gone, and the third goes on.
        family.switch(&of_dad, false);
        is_out(&by_dad);
        assert!(
            dad.ask(ACT, json!({"id": of_dad})).json["data"]["actAsLinkedClient"]["token"]
                .is_null()
        );
        done(run(&family.owner, "deleteNotificationContact", SHOWN, json!({"id": of_gran})));
        is_out(&by_gran);
        family.is_in(&by_mum);
        granted(&family, &of_dad);
        family.is_in(&by_mum);
        grown_up(&family, &own, &of_mum);
        server.stop();
        assert!(s.verify_audit().0);
        tell("DOM-35", format_args!("{engine:?}: three acted, none on the 18th birthday"));
    }
}

/// A new password of who acts ends what is done with the old one; the birthday ends the rest.
fn grown_up(family: &Family<'_>, own: &Api, contact: &str) {
    let before = family.acting(own, contact);
    let input = json!({"password": "copper-lantern-41-meadow", "current_password": PASSWORD});
    done(run(own, "updateUser", "user { id }", input));
    is_out(&before);
    let acting = family.acting(own, contact);
    to(&family.owner, "2031-03-04T23:59:00Z");
    family.is_in(&acting);
    to(&family.owner, "2031-03-05T00:00:30Z");
    is_out(&acting);
    let reply = own.ask(ACT, json!({"id": contact}));
    assert!(reply.json["data"]["actAsLinkedClient"]["token"].is_null(), "{}", reply.text);
    // Nor is who they acted for among those whom they know.
    assert_eq!(own.ask(RELATIVES, json!({})).data()["currentUser"]["linked_relatives"], json!([]));
    assert!(!sees(own, "user", &family.child));
}
