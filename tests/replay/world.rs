//! A seeded Sandbox, furnished so that every field that can hold something does in some object.

use std::collections::BTreeSet;

use ward_tests::night;
use ward_tests::people::{self, id};
use ward_tests::schema::Schema;
use ward_tests::{Api, BASELINE, Engine, Instance, Json, Kind, Server, V2026, json};

use crate::bookings::{self, Bookings};
use crate::charts;
use crate::forms;
use crate::intake;
use crate::notes;
use crate::openings::Openings;
use crate::papers::{self, Papers};
use crate::talks::{self, Talks};
use crate::values::Subject;
use crate::visits::{self, Visits};

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The practice's owner, whose key most clients hold.
    Owner,
    /// A client of the practice, signed in.
    Client,
    /// A provider of the sub-organization.
    Branch,
}

/// Whom an operation is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// A client of whom everything is known.
    Client,
    /// An archived one.
    Archived,
    /// A provider.
    Provider,
}

/// What the last name of every furnished client begins with.
pub const LAST_NAME: &str = "Replayed";

/// The client's password.
pub const PASSWORD: &str = "copper-lantern-41-meadow";

/// The running Sandbox, and the ids that variables are filled with.
pub struct World {
    pub instance: Instance,
    pub server: Server,
    owner_key: String,
    branch_key: String,
    session: String,
    pub owner: String,
    pub organization: String,
    /// The sub-organization.
    pub branch: String,
    pub client: String,
    pub client_email: String,
    pub archived: String,
    pub provider: String,
    pub colleague: String,
    pub group: String,
    /// A tag on the client.
    pub applied_tag: String,
    /// Conversations.
    pub talks: Talks,
    /// Documents.
    pub papers: Papers,
    /// Types and settings.
    pub bookings: Bookings,
    /// Appointments.
    pub visits: Visits,
    /// What can be booked.
    pub openings: Openings,
    /// A template in which everything is said of some question.
    pub form: String,
    /// A form that was filled in for the client.
    pub note: String,
    /// The intake flow of the client.
    pub flow: String,
    numbers: u32,
    schemas: [Schema; 2],
}

impl World {
    /// Seeds and furnishes one.
    pub fn new(engine: Engine) -> World {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let seeded = instance.sandbox("seed", &["--seed", "7"]).json();
        let owner_key = instance.owner_key();
        let staff = instance.ward(&["user", "list"], &[]).json();
        let member = |role: &str, nth: usize| {
            let listed = staff["users"].as_array().unwrap().iter();
            let of_role = listed.filter(|user| user["role"] == role).nth(nth);
            of_role.unwrap_or_else(|| panic!("no {role} {nth} in {staff}")).clone()
        };
        let provider = member("provider", 0);
        // The founding owner is listed first, the sub-organization's second.
        let branch_key = instance.key(member("owner", 1)["email"].as_str().unwrap());
        let server = instance.serve();
        night::falls(&server.with(&owner_key), 7);
        let schemas = [BASELINE, V2026].map(|view| Schema::of(&server.api(), view));
        let mut world = World {
            owner: people::current_user(&server.with(&owner_key)),
            organization: seeded["organization_id"].as_str().unwrap().to_owned(),
            branch: seeded["suborganization_id"].as_str().unwrap().to_owned(),
            client: String::new(),
            client_email: String::new(),
            archived: String::new(),
            provider: id(&provider),
            colleague: id(&member("provider", 1)),
            group: String::new(),
            applied_tag: String::new(),
            session: String::new(),
            instance,
            server,
            owner_key,
            branch_key,
            talks: Talks::default(),
            papers: Papers::default(),
            bookings: Bookings::default(),
            visits: Visits::default(),
            openings: Openings::default(),
            form: String::new(),
            note: String::new(),
            flow: String::new(),
            numbers: 0,
            schemas,
        };
        world.furnish();
        charts::furnish(&world);
        world.talks = Talks::new(&world);
        world.papers = Papers::new(&world);
        world.bookings = Bookings::new(&world);
        world.visits = Visits::new(&world);
        world.openings = Openings::new(&world);
        world.form = forms::new(&world);
        world.note = notes::new(&world);
        world.flow = intake::new(&world);
        world
    }

    /// As one of the callers.
    pub fn caller(&self, caller: Caller) -> Api {
        let key = match caller {
            Caller::Owner => &self.owner_key,
            Caller::Client => &self.session,
            Caller::Branch => &self.branch_key,
        };
        self.server.with(key).header("AuthorizationSource", "API")
    }

    /// As the owner.
    pub fn as_owner(&self) -> Api {
        self.caller(Caller::Owner)
    }

    /// The id of one of the people.
    pub fn person(&self, person: Person) -> String {
        match person {
            Person::Client => self.client.clone(),
            Person::Archived => self.archived.clone(),
            Person::Provider => self.provider.clone(),
        }
    }

    /// The names of an input type's fields in a view.
    pub fn inputs(&self, view: &str, name: &str) -> BTreeSet<String> {
        let schema = self.schemas.iter().find(|schema| schema.view == view).unwrap();
        schema.types[name].inputs.iter().map(|input| input.name.clone()).collect()
    }

    /// A word that was not given before.
    pub fn word(&mut self) -> String {
        self.numbers += 1;
        format!("replay{}", self.numbers)
    }

    /// A new object for a mutation to work on.
    pub fn subject(&mut self, root_field: &str) -> Subject {
        let word = self.word();
        let client = people::client(&self.as_owner(), &word);
        let email = format!("{word}@client.example");
        let id = match root_field {
            "bulkApply" | "deleteTag" | "updateTag" => self.tag(&word, None),
            "removeAppliedTag" => self.tag(&word, Some(&client)),
            "updateClient" => {
                self.tag(&word, Some(&client));
                client.clone()
            }
            "updateLocation" | "deleteLocation" => self.location(&client),
            "createReferral" => self.physician(),
            other => talks::subject(self, other, &client)
                .or_else(|| papers::subject(self, other, &client))
                .or_else(|| charts::subject(self, other, &client))
                .or_else(|| notes::subject(self, other, &client))
                .or_else(|| bookings::subject(self, other))
                .or_else(|| visits::subject(self, other))
                .unwrap_or_else(|| client.clone()),
        };
        Subject { id, client, email }
    }

    fn furnish(&mut self) {
        let group = "mutation($name: String) { createGroup(input: {name: $name}) { user_group { id } messages { field message } } }";
        self.group =
            id(&self.ask(group, json!({"name": "Replay group"}), "createGroup")["user_group"]);
        self.client = people::client(&self.as_owner(), "replayfull");
        self.client_email = "replayfull@client.example".to_owned();
        self.describe_client();
        self.archived = people::client(&self.as_owner(), "replayarchived");
        self.update(
            json!({"id": self.archived, "last_name": format!("{LAST_NAME} Away"), "active": false}),
        );
        let tag = self.tag("Replay tag", Some(&self.client.clone()));
        let applied = "query($tag: ID) { appliedTags(tag_id: $tag) { nodes { id } } }";
        self.applied_tag = id(&self.ask(applied, json!({"tag": tag}), "appliedTags")["nodes"][0]);
        let referrer = "mutation($input: createReferringPhysicianInput) { createReferringPhysician(input: $input) { referring_physician { id } messages { field message } } }";
        let input = json!({"first_name": "Ruth", "npi": self.npi(), "referrals": [{"user_id": self.client}]});
        self.ask(referrer, json!({"input": input}), "createReferringPhysician");
        self.tag("Replay staff tag", Some(&self.provider.clone()));
        self.session();
        self.picture(Some(&self.client.clone()));
        let provider = json!({"avatar_string": PICTURE, "qualifications": "RD", "phone_number": "+1 202-555-0160"});
        let key = self.instance.key(&self.email_of(&self.provider));
        self.server.with(&key).ask(UPDATE_USER, json!({"input": provider})).data();
        let member = "mutation($input: updateOrganizationMemberInput) { updateOrganizationMember(input: $input) { user { id } messages { field message } } }";
        let about = json!({"id": self.provider, "npi": self.npi(), "metadata": "{\"room\":\"2\"}"});
        self.ask(member, json!({"input": about}), "updateOrganizationMember");
        people::avatar(&self.as_owner());
        let owner = json!({"phone_number": "+1 202-555-0161", "timezone": "America/New_York"});
        self.ask(UPDATE_USER, json!({"input": owner}), "updateUser");
        let practice = "mutation($input: updateOrganizationInput) { updateOrganization(input: $input) { organization { id } messages { field message } } }";
        let about = json!({"npi": self.npi(), "tax_id": "12-3456789", "tax_id_type": "EIN", "phone_number": "+1 202-555-0162",
            "location": {"line1": "2 Replay Street", "line2": "Floor 3", "city": "Denver", "state": "CO", "zip": "80202", "country": "US"}});
        self.ask(practice, json!({"input": {"organization_info": about}}), "updateOrganization");
        let webhook = "mutation($input: createWebhookInput) { createWebhook(input: $input) { webhook { id } messages { field message } } }";
        let about = json!({"url": "https://replay.invalid/", "event_type": "TEST_CREATED"});
        self.ask(webhook, json!({"input": about}), "createWebhook");
        let brand = "mutation($input: createBrandInput) { createBrand(input: $input) { brand { id } messages { field message } } }";
        self.ask(brand, json!({"input": {"brand_name": "Replay"}}), "createBrand");
    }

    fn describe_client(&self) {
        self.update(json!({
            "id": self.client, "first_name": "Ada", "last_name": format!("{LAST_NAME} Whole"),
            "legal_name": "Adelaide", "phone_number": "+1 202-555-0170",
            "additional_phone_number": "+1 202-555-0171", "dob": "1990-02-01", "gender": "Female",
            "gender_identity": "Woman", "gender_identity_code": "FEMALE", "sex": "Female",
            "pronouns": "she/her", "height": "64", "record_identifier": "MRN-R1",
            "additional_record_identifier": "MRN-R2", "metadata": "{\"plan\":\"gold\"}",
            "quick_notes": "Prefers mornings", "timezone": "America/Denver",
            "dietitian_id": self.provider, "other_provider_ids": [self.colleague],
            "user_group_id": self.group, "password": PASSWORD,
            "location": {"name": "Home", "line1": "1 Replay Street", "line2": "Flat 2",
                "city": "Denver", "state": "CO", "zip": "80201", "country": "US"},
        }));
    }

    /// The client signs in, and so has a session and a day of the last visit.
    fn session(&mut self) {
        let input = json!({"email": self.client_email, "password": PASSWORD});
        let reply = people::sign_in(&self.server.api(), input);
        let token = reply.data()["signIn"]["token"].as_str();
        self.session = token.unwrap_or_else(|| panic!("no session: {}", reply.text)).to_owned();
    }

    fn picture(&self, of: Option<&str>) {
        let input = json!({"id": of, "avatar_string": PICTURE});
        self.ask(UPDATE_USER, json!({"input": input}), "updateUser");
    }

    fn update(&self, input: Json) {
        let query = "mutation($input: updateClientInput!) { updateClient(input: $input) { user { id } messages { field message } } }";
        self.ask(query, json!({"input": input}), "updateClient");
    }

    fn tag(&self, name: &str, on: Option<&str>) -> String {
        let query = "mutation($input: createTagInput) { createTag(input: $input) { tag { id } messages { field message } } }";
        let input = json!({"name": name, "taggable_user_id": on});
        id(&self.ask(query, json!({"input": input}), "createTag")["tag"])
    }

    fn physician(&self) -> String {
        let query = "mutation { createReferringPhysician(input: {first_name: \"Ruth\"}) { referring_physician { id } messages { field message } } }";
        id(&self.ask(query, json!({}), "createReferringPhysician")["referring_physician"])
    }

    /// A provider number that was not given before: nine digits and their check digit.
    pub fn npi(&mut self) -> String {
        self.numbers += 1;
        let nine = format!("1{:08}", self.numbers);
        let doubled = |digit: u32| digit * 2 / 10 + digit * 2 % 10;
        let digits = nine.bytes().rev().enumerate().map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            if place % 2 == 0 { doubled(digit) } else { digit }
        });
        format!("{nine}{}", (240 - 24 - digits.sum::<u32>()) % 10)
    }

    fn location(&self, client: &str) -> String {
        let query = "mutation($input: createLocationInput) { createLocation(input: $input) { location { id } messages { field message } } }";
        let input = json!({"user_id": client, "line1": "2 Before Street", "city": "Boulder", "state": "CO", "zip": "80301"});
        id(&self.ask(query, json!({"input": input}), "createLocation")["location"])
    }

    fn email_of(&self, user: &str) -> String {
        let read =
            self.ask("query($id: ID) { user(id: $id) { email } }", json!({"id": user}), "user");
        read["email"].as_str().unwrap().to_owned()
    }

    /// The answer to a request of the owner that has to succeed.
    #[track_caller]
    pub fn ask(&self, query: &str, variables: Json, field: &str) -> Json {
        self.as_owner().ask(query, variables).data()[field].clone()
    }
}

const UPDATE_USER: &str = "mutation($input: updateUserInput) { updateUser(input: $input) { user { id } messages { field message } } }";

/// One grey pixel.
pub const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
