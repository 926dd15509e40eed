//! Organization A with its people, organization B with its owner, and objects of A to try.

use ward_tests::people::{self, id};
use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json};

use crate::meaning::Object;

/// The last step of the practice's sign-in address.
const BRAND_PATH: &str = "our-practice";

/// Everybody's password.
pub const PASSWORD: &str = "copper-lantern-41-meadow";

/// A word in everything of A that strangers and A's client must not read.
pub const CANARY: &str = "unseen";

/// A word in the names of A's clients whom only the owner cares for.
pub const CLIENT_CANARY: &str = "unseenclient";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A's owner.
    Owner,
    /// A member of A with the flags of a new one, who cares for nobody.
    Standard,
    /// A support member of A.
    Support,
    /// A program of A.
    Integration,
    /// The owner of organization B, who names A's objects.
    Other,
    /// A client of A, who names what is not theirs.
    Client,
    /// The same client, who names what is theirs.
    Own,
    /// Nobody in particular.
    Anonymous,
}

impl Principal {
    /// In the order of the columns.
    pub const ALL: [Principal; 8] = [
        Principal::Owner,
        Principal::Standard,
        Principal::Support,
        Principal::Integration,
        Principal::Other,
        Principal::Client,
        Principal::Own,
        Principal::Anonymous,
    ];

    /// The column's title.
    pub const fn title(self) -> &'static str {
        match self {
            Principal::Owner => "owner",
            Principal::Standard => "standard",
            Principal::Support => "support",
            Principal::Integration => "integration",
            Principal::Other => "other",
            Principal::Client => "client",
            Principal::Own => "own",
            Principal::Anonymous => "anonymous",
        }
    }
}

/// Both organizations.
pub struct World {
    pub instance: Instance,
    pub server: Server,
    owner: String,
    staff: [String; 3],
    other: String,
    /// The client who asks.
    client: String,
    pub client_email: String,
    client_group: String,
    /// The client's session, until one is ended.
    session: Option<String>,
    organization: String,
    /// A provider of A who cares for nobody that asks.
    spare: String,
    /// The organization's brand.
    brand: String,
    owner_id: String,
    /// The client whom all objects of a call belong to, and the e-mail.
    about: Option<(String, String)>,
    /// What the call has named so far, and whether it is the client's own.
    named: Vec<(bool, Object, String)>,
    words: u32,
}

impl World {
    /// Makes it.
    pub fn new(engine: Engine) -> World {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let owner = instance.owner_key();
        let staff = ["provider", "support", "integration"].map(|role| instance.member(role));
        let made = instance.ward(
            &["user", "create"],
            &[
                "--role",
                "provider",
                "--email",
                "spare@practice.example",
                "--first-name",
                "Spare",
                "--last-name",
                "Provider",
            ],
        );
        drop(made.ok());
        let spare = instance.key("spare@practice.example");
        // The proxy is the test: sign-ups are bounded for an address, and so each call has its own.
        let server = instance.serve_with(&["--trusted-proxy", "127.0.0.0/8"]);
        let organization = server.with(&owner).ask("{ organization { id } }", json!({}));
        let mut world = World {
            other: String::new(),
            client: String::new(),
            client_email: "asking@client.example".to_owned(),
            client_group: String::new(),
            session: None,
            organization: id(&organization.data()["organization"]),
            spare: people::current_user(&server.with(&spare)),
            brand: String::new(),
            owner_id: people::current_user(&server.with(&owner)),
            instance,
            server,
            owner,
            staff,
            about: None,
            named: Vec::new(),
            words: 0,
        };
        world.client = people::client(&world.as_owner(), "asking");
        world.client_group = world.make(
            "createGroup",
            "createGroupInput",
            "user_group",
            json!({"name": "Own group"}),
        );
        let input =
            json!({"id": world.client, "password": PASSWORD, "user_group_id": world.client_group});
        world.make("updateClient", "updateClientInput!", "user", input);
        world.other = world.organization_b();
        world.furnish(&spare);
        world
    }

    /// What lists have something to show of: a client and a deed of the spare provider, an address
    /// of the practice.
    fn furnish(&mut self, spare_key: &str) {
        let (client, _) = self.unseen_client();
        let input = json!({"id": client, "dietitian_id": self.spare});
        self.make("updateClient", "updateClientInput!", "user", input);
        let query = "mutation($input: updateUserInput) { updateUser(input: $input) { user { id } messages { field message } } }";
        let input = json!({"input": {"pronouns": "she/her"}});
        self.server.with(spare_key).ask(query, input).data();
        let input = json!({"name": "Main office", "line1": "1 Main Street", "city": "Town", "state": "NY", "zip": "10001"});
        self.make("createLocation", "createLocationInput", "location", input);
        let input = json!({"brand_name": "Practice", "custom_sign_in_path": BRAND_PATH});
        self.brand = self.make("createBrand", "createBrandInput", "brand", input);
        // A brand is made once: of B's owner, too.
        let query = "mutation { createBrand(input: {brand_name: \"Other\"}) { brand { id } messages { field message } } }";
        self.server.with(&self.other).ask(query, json!({})).data();
    }

    /// Forgets what the last calls were about: the next names something new.
    pub fn next_call(&mut self) {
        self.about = None;
        self.named.clear();
    }

    /// The client signs in anew: the session may have been ended.
    pub fn end_session(&mut self) {
        self.session = None;
    }

    /// As a principal.
    pub fn api(&mut self, principal: Principal) -> Api {
        match principal {
            Principal::Owner => self.as_owner(),
            Principal::Standard => self.server.with(&self.staff[0]),
            Principal::Support => self.server.with(&self.staff[1]),
            Principal::Integration => self.server.with(&self.staff[2]),
            Principal::Other => self.server.with(&self.other),
            Principal::Client | Principal::Own => {
                let session = self.session.clone().unwrap_or_else(|| self.sign_in());
                self.session = Some(session.clone());
                self.server.with(&session)
            }
            Principal::Anonymous => self.server.api(),
        }
    }

    fn as_owner(&self) -> Api {
        self.server.with(&self.owner)
    }

    fn sign_in(&self) -> String {
        let input = json!({"email": self.client_email, "password": PASSWORD});
        let reply = people::sign_in(&self.server.api(), input);
        reply.data()["signIn"]["token"].as_str().unwrap().to_owned()
    }

    /// An address that no call came from before.
    pub fn address(&mut self) -> String {
        self.words += 1;
        format!("10.0.{}.{}", self.words / 256, self.words % 256)
    }

    /// A word that was not given before.
    pub fn word(&mut self) -> String {
        self.words += 1;
        format!("word{}", self.words)
    }

    fn unseen(&mut self) -> String {
        format!("{CANARY}{}", self.word())
    }

    /// Something of A for a principal to name; all of a call belong together.
    pub fn object(&mut self, principal: Principal, object: Object) -> String {
        let own = principal == Principal::Own;
        let known = self.named.iter().find(|(whose, of, _)| (*whose, *of) == (own, object));
        if let Some((_, _, id)) = known {
            return id.clone();
        }
        let id = self.new_object(own, object);
        self.named.push((own, object, id.clone()));
        id
    }

    fn new_object(&mut self, own: bool, object: Object) -> String {
        match object {
            Object::Client if own => self.client.clone(),
            Object::ClientEmail if own => self.client_email.clone(),
            Object::Client => self.about().0,
            Object::ClientEmail => self.about().1,
            Object::OwnerEmail => ward_tests::instance::OWNER.to_owned(),
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
            Object::Brand => self.brand.clone(),
            Object::BrandPath => BRAND_PATH.to_owned(),
            Object::OrganizationInfo => {
                let reply = self.as_owner().ask("{ organizationInfo { id } }", json!({}));
                id(&reply.data()["organizationInfo"])
            }
            // Nobody has one yet.
            Object::OtherIdNumber => self.never(object),
            Object::ApiKey if own => self.own_key(),
            Object::ApiKey => self.key(),
        }
    }

    /// An id that nobody has, or what stands for one; the ids of this epoch begin alike.
    pub fn never(&self, object: Object) -> String {
        match object {
            Object::ClientEmail | Object::OwnerEmail => "nobody@nowhere.example".to_owned(),
            Object::InviteCode => "ffffff".to_owned(),
            Object::BrandPath => "nobody-has-this".to_owned(),
            _ => format!("{}999123", &self.organization[..4]),
        }
    }

    /// A client of the owner's with a tag and an address, whom only the owner cares for.
    fn unseen_client(&mut self) -> (String, String) {
        let name = format!("{CLIENT_CANARY}{}", self.word());
        let client = people::client(&self.as_owner(), &name);
        let (tag, street) = (self.unseen(), self.unseen());
        self.tag(&client, tag);
        self.location(&client, street);
        (client, format!("{name}@client.example"))
    }

    fn about(&mut self) -> (String, String) {
        if self.about.is_none() {
            self.about = Some(self.unseen_client());
        }
        self.about.clone().unwrap()
    }

    /// A group with a client in it.
    fn group(&mut self, name: String) -> String {
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

    /// A key of a colleague's. They are few, so that there is room for more.
    fn key(&mut self) -> String {
        let input = json!({"user_id": self.spare, "name": self.unseen()});
        self.make("createApiKey", "createApiKeyInput", "api_key_object", input)
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

    /// Makes something as A's owner; its id.
    #[track_caller]
    fn make(&self, field: &str, input_type: &str, object: &str, input: Json) -> String {
        let query = format!(
            "mutation($input: {input_type}) {{ {field}(input: $input) {{ {object} {{ id }} messages {{ field message }} }} }}"
        );
        let reply = self.as_owner().ask(&query, json!({"input": input}));
        id(&reply.data()[field][object])
    }

    /// Founds organization B; a key of its owner.
    fn organization_b(&self) -> String {
        const EMAIL: &str = "owner@other.example";
        let query = "mutation($input: signUpInput) { signUp(input: $input) { messages { field message } } }";
        let input = json!({"role": "dietitian", "email": EMAIL, "password": PASSWORD,
            "first_name": "Other", "last_name": "Owner", "legal_name": "Other Practice"});
        self.server.api().ask(query, json!({"input": input})).data();
        let input = json!({"email": EMAIL, "password": PASSWORD, "generate_api_token": true});
        let reply = people::sign_in(&self.server.api(), input);
        reply.data()["signIn"]["api_key"].as_str().unwrap().to_owned()
    }
}
