//! Making the objects that calls name.

use ward_tests::people::{self, id};
use ward_tests::{Json, json};

use crate::canary;
use crate::meaning::Object;
use crate::principal::{Principal, Site, Whose};
use crate::world::{PASSWORD, World};

impl World {
    /// Makes something of the organization that is entered; for a new kind of object, a new arm.
    pub fn new_object(&mut self, own: bool, object: Object) -> String {
        match object {
            Object::Client if own => self.client.clone(),
            Object::ClientEmail if own => self.client_email.clone(),
            Object::Client => self.about().0,
            Object::ClientEmail => self.about().1,
            Object::OwnerEmail => self.owner_email.clone(),
            Object::Provider | Object::Member if own => self.owner_id.clone(),
            Object::Provider | Object::Member => self.spare.clone(),
            Object::Organization => self.organization.clone(),
            Object::Membership => {
                let user = if own { self.owner_id.clone() } else { self.spare.clone() };
                let query = "query($id: ID) { organizationMembership(user_id: $id) { id } }";
                let reply = self.as_owner().ask(query, json!({"id": user}));
                id(&reply.data()["organizationMembership"])
            }
            Object::Group if own => self.client_group.clone(),
            Object::Group | Object::SecondGroup => {
                let name = self.unseen();
                self.group(name)
            }
            Object::InviteCode => self.invite_code(),
            Object::Tag if own => {
                let name = self.word();
                self.tag(&self.client, name)
            }
            Object::Tag => {
                let (name, user) = (self.unseen(), self.about().0);
                self.tag(&user, name)
            }
            Object::Location if own => {
                let street = self.word();
                self.location(&self.client, street)
            }
            Object::Location => {
                let (street, user) = (self.unseen(), self.about().0);
                self.location(&user, street)
            }
            Object::BrandPath => self.brand_path(),
            Object::Brand => {
                let query = "query($path: String) { brand(custom_sign_in_path: $path) { id } }";
                let reply = self.as_owner().ask(query, json!({"path": self.brand_path()}));
                id(&reply.data()["brand"])
            }
            Object::OrganizationInfo => {
                let reply = self.as_owner().ask("{ organizationInfo { id } }", json!({}));
                id(&reply.data()["organizationInfo"])
            }
            Object::OtherIdNumber => self.shown("other_id_numbers"),
            Object::StateLicense => self.shown("state_licenses"),
            Object::Biography => self.shown("provider_bio"),
            Object::Attendee => self.attendee(own),
            Object::ClientPair => {
                let first = self.new_object(own, Object::Client);
                format!("{first},{}", self.unseen_client().0)
            }
            Object::AppliedTag => {
                let tag = self.new_object(own, Object::Tag);
                let query = "query($tag: ID) { appliedTags(tag_id: $tag) { nodes { id } } }";
                let reply = self.as_owner().ask(query, json!({"tag": tag}));
                id(&reply.data()["appliedTags"]["nodes"][0])
            }
            Object::Physician => self.physician(),
            Object::Referral => {
                let user = if own { self.client.clone() } else { self.about().0 };
                let input = json!({"user_id": user, "referring_physician_id": self.physician()});
                self.make("createReferral", "createReferralInput", "referral", input)
            }
            Object::ApiKey if own => self.own_key(),
            Object::ApiKey => self.key(),
            Object::RestrictedClient if own => self.client.clone(),
            Object::RestrictedClient => self.opened_client().0,
            Object::Authorization => self.authorization(own),
            Object::BreakGlass => self.opened_client().1,
            Object::Toggle => self.toggle(own),
            Object::Webhook => self.webhook().0,
            Object::WebhookEvent => self.webhook().1,
            kind @ (Object::Conversation
            | Object::Part
            | Object::Note
            | Object::Scheduler
            | Object::Notification
            | Object::SentNotice
            | Object::ChatSetting
            | Object::Contact) => self.of_messaging(own, kind),
            Object::Document => self.document(own),
            Object::Folder => self.folder(own),
            Object::Entry(list) => self.entry(own, list),
            Object::Noted => self.noted(own),
            Object::Consent | Object::Granted => self.consent(own),
            kind @ (Object::PlanTemplate | Object::GroupPlan | Object::AdviceCategory) => {
                self.of_plans(own, kind)
            }
            Object::AppointmentType => self.appointment_type(own),
            Object::AppointmentSetting => self.appointment_setting(own),
            kind @ (Object::Place | Object::Room) => self.place(own, kind),
            Object::AppointmentPrice => self.appointment_price(own),
            Object::AppointmentCredit => self.appointment_credit(own),
            Object::Availability => self.availability(own),
            Object::Appointment => self.appointment(own).0,
            Object::Inclusion => self.appointment(own).1,
            Object::Series => self.series(own),
            Object::Request => self.request(own),
            kind @ (Object::Form | Object::Question | Object::Condition) => self.of_form(own, kind),
            kind @ (Object::QuestionFile | Object::AnswerFile) => self.form_file(kind),
            Object::IntakeForm => self.intake_form(),
            Object::Former => self.former(own),
            kind @ (Object::Asked | Object::AskedClient | Object::Recurring) => {
                self.asked(own, kind)
            }
            kind @ (Object::Flow | Object::SecondFlow | Object::Step | Object::Done) => {
                self.of_flow(own, kind)
            }
            kind @ (Object::Filled
            | Object::Answer
            | Object::Signing
            | Object::Locked
            | Object::Addendum
            | Object::Printed) => self.of_filled(own, kind),
            Object::SecondProvider => self.owner_id.clone(),
            Object::Template => {
                // Units below read their parent's, which serve them too (behaviour 15). Who is
                // given one stays a provider.
                let name = if self.here == Site::A { self.word() } else { self.unseen() };
                let input =
                    json!({"name": name, "is_provider": true, "can_be_care_team_member": true});
                let (field, object) = ("createPermissionTemplate", "newPermissionTemplate");
                self.make(field, "createPermissionTemplateInput", object, input)
            }
        }
    }

    /// A client of the owner's with a tag and an address, whom nobody cares for but the owner and
    /// whose objects are named.
    pub fn unseen_client(&mut self) -> (String, String) {
        let of = match self.whose {
            Whose::Stranger => canary::UNCARED,
            Whose::Own => canary::OWN,
            Whose::Primary => canary::PRIMARYS,
            Whose::CareTeam => canary::CARE_TEAMS,
            Whose::Bearer => canary::BEARERS,
        };
        let name = self.canary(of);
        let client = self.client_named(&name);
        let (tag, street) = (self.unseen(), self.canary(of));
        self.tag(&client, tag);
        self.location(&client, street);
        (client, format!("{name}@client.example"))
    }

    /// A client of the owner's, cared for by whoever is to care.
    fn client_named(&mut self, name: &str) -> String {
        let mut input = people::new_client(name);
        match self.whose {
            Whose::Primary => input["client"]["dietitian_id"] = self.staff.primary.clone().into(),
            Whose::CareTeam => {
                input["client"]["other_provider_ids"] = json!([self.staff.care_team]);
            }
            Whose::Bearer => {
                let flag = "can_be_care_team_member".to_owned();
                self.flags.hold(&self.instance, true, &[flag]);
                input["client"]["other_provider_ids"] = json!([self.flags.caring.user]);
            }
            Whose::Stranger | Whose::Own => {}
        }
        let reply = self.as_owner().ask(people::CREATE_CLIENT, input);
        id(&reply.data()["createClient"]["user"])
    }

    /// A restricted client, and the access of the spare provider who has opened them. Who breaks
    /// the glass reads the name, so it is no canary.
    fn opened_client(&mut self) -> (String, String) {
        let name = self.word();
        let client = self.client_named(&name);
        let input = json!({"id": client, "restricted": true});
        self.make("updateClient", "updateClientInput!", "user", input);
        let query = "mutation($input: createBreakGlassAccessInput) {
            createBreakGlassAccess(input: $input) { break_glass_access { id } messages { message } } }";
        let input = json!({"client_id": client, "reason": self.word()});
        let key = self.openers.entry(self.here).or_insert_with(|| self.instance.key(&self.spare));
        let reply = self.server.with(key).ask(query, json!({"input": input}));
        let access = id(&reply.data()["createBreakGlassAccess"]["break_glass_access"]);
        (client, access)
    }

    /// The authorization of the spare provider, of whom a client has one: that of a call which
    /// took none away is there still.
    fn authorization(&mut self, own: bool) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        let input = json!({"client_id": client, "provider_id": self.spare, "reason": self.word()});
        let query = "mutation($input: createClientRestrictionAuthorizationInput) {
            createClientRestrictionAuthorization(input: $input)
            { client_restriction_authorization { id } messages { message } } }";
        let reply = self.as_owner().ask(query, json!({"input": input}));
        let made = &reply.json["data"]["createClientRestrictionAuthorization"];
        match (&made["client_restriction_authorization"], self.authorized.get(&client)) {
            (Json::Null, Some(known)) => known.clone(),
            (Json::Null, None) => panic!("{}", reply.text),
            (authorization, _) => {
                self.authorized.insert(client, id(authorization));
                id(authorization)
            }
        }
    }

    fn toggle(&mut self, own: bool) -> String {
        let client = if own { self.client.clone() } else { self.about().0 };
        let query = "query($id: ID) { featureToggleForEditing(user_id: $id) { id } }";
        let reply = self.as_owner().ask(query, json!({"id": client}));
        match reply.data()["featureToggleForEditing"].is_null() {
            true => {
                let input = json!({"user_id": client});
                self.make(
                    "createFeatureToggle",
                    "createFeatureToggleInput",
                    "feature_toggle",
                    input,
                )
            }
            false => id(&reply.data()["featureToggleForEditing"]),
        }
    }

    pub fn about(&mut self) -> (String, String) {
        let at = (self.here, self.whose);
        if !self.about.contains_key(&at) {
            let client = self.unseen_client();
            self.about.insert(at, client);
        }
        self.about[&at].clone()
    }

    /// A group with a client in it.
    pub fn group(&mut self, name: String) -> String {
        let input = json!({"name": name});
        let group = self.make("createGroup", "createGroupInput", "user_group", input);
        let input = json!({"id": self.about().0, "user_group_id": group});
        self.make("updateClient", "updateClientInput!", "user", input);
        group
    }

    fn invite_code(&mut self) -> String {
        let query = "query($id: ID) { userGroup(id: $id) { invite_code } }";
        // Who signs up with it reads its name.
        let name = self.word();
        let group = self.group(name);
        let reply = self.as_owner().ask(query, json!({"id": group}));
        reply.data()["userGroup"]["invite_code"].as_str().unwrap().to_owned()
    }

    fn tag(&self, on: &str, name: String) -> String {
        let input = json!({"name": name, "taggable_user_id": on});
        self.make("createTag", "createTagInput", "tag", input)
    }

    fn location(&self, of: &str, street: String) -> String {
        let input =
            json!({"user_id": of, "line1": street, "city": "Town", "state": "NY", "zip": "10001"});
        self.make("createLocation", "createLocationInput", "location", input)
    }

    /// Something that the spare provider shows of themselves.
    fn shown(&mut self, field: &str) -> String {
        const SAY: &str = "mutation($input: updateOrganizationMemberInput) {
            updateOrganizationMember(input: $input) { user { id } messages { field message } } }";
        let look = format!("query($id: ID) {{ user(id: $id) {{ {field} {{ id }} }} }}");
        let mut reply = self.as_owner().ask(&look, json!({"id": self.spare}));
        let is_there = |reply: &ward_tests::Reply| {
            let found = &reply.data()["user"][field];
            found["id"].is_string() || found[0]["id"].is_string()
        };
        if !is_there(&reply) {
            let input = json!({"id": self.spare, "state_licenses": [{"state": "NY"}],
                "provider_bio": {"bio": self.word()}, "other_id_numbers": [{"other_id": self.word()}]});
            self.as_owner().ask(SAY, json!({"input": input})).data();
            reply = self.as_owner().ask(&look, json!({"id": self.spare}));
        }
        let found = &reply.data()["user"][field];
        if found.is_array() { id(&found[0]) } else { id(found) }
    }

    /// The last step of the organization's own sign-in address.
    fn brand_path(&self) -> String {
        format!("practice-{}", self.here.word())
    }

    /// The brands of the organizations, and of whoever else may make one, which is once.
    pub fn brands(&mut self) {
        for site in Site::ALL {
            self.enter(site);
            let input = json!({"brand_name": "Ours", "custom_sign_in_path": self.brand_path()});
            self.make("createBrand", "createBrandInput", "brand", input);
        }
        self.enter(Site::A);
        let query = "mutation { createBrand(input: {brand_name: \"Mine\"}) { brand { id } messages { field message } } }";
        let admin = self.staff.keys[&Principal::Admin].clone();
        self.server.with(&admin).ask(query, json!({})).data();
    }

    fn physician(&mut self) -> String {
        let (input, made) = (json!({"first_name": self.unseen()}), "referring_physician");
        self.make("createReferringPhysician", "createReferringPhysicianInput", made, input)
    }

    /// A key of a colleague's. They are few, so that there is room for more.
    fn key(&mut self) -> String {
        let input = json!({"user_id": self.key_holder, "name": self.unseen()});
        self.make("createApiKey", "createApiKeyInput", "api_key_object", input)
    }

    /// A webhook of the organization's whose receiver does not exist, and its event.
    fn webhook(&mut self) -> (String, String) {
        let query = "mutation($input: createWebhookInput) { createWebhook(input: $input) {
            webhook { id webhook_events { id } } messages { field message } } }";
        let url = format!("https://{}.invalid/", self.unseen());
        let input = json!({"url": url, "should_retry": false, "event_type": "TEST_CREATED"});
        let reply = self.as_owner().ask(query, json!({"input": input}));
        let webhook = &reply.data()["createWebhook"]["webhook"];
        (id(webhook), id(&webhook["webhook_events"][0]))
    }

    /// A key of the asking client's own.
    fn own_key(&self) -> String {
        let input =
            json!({"email": self.client_email, "password": PASSWORD, "generate_api_token": true});
        people::sign_in(&self.server.api(), input).data();
        let reply = self
            .server
            .with(&self.sign_in())
            .ask("{ apiKeys(first: 1) { nodes { id } } }", json!({}));
        id(&reply.data()["apiKeys"]["nodes"][0])
    }

    /// Makes something as the organization's owner; its id.
    #[track_caller]
    pub fn make(&self, field: &str, input_type: &str, object: &str, input: Json) -> String {
        self.as_owner().make(field, input_type, object, input)
    }
}
