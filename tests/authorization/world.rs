//! The organizations with their people, and objects of them to try.

use std::collections::BTreeMap;

use ward_tests::people::{self, id};
use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json};

use crate::canary;
use crate::flags::Flags;
use crate::meaning::Object;
use crate::principal::{Principal, Site, Whose};
use crate::sites::{Place, Staff};

/// Everybody's password.
pub const PASSWORD: &str = "copper-lantern-41-meadow";

/// How every word begins that somebody must not read; then comes the organization.
pub const CANARY: &str = "canary-";

/// A client who asks.
#[derive(Clone, Debug, Default)]
pub struct Asking {
    pub id: String,
    pub email: String,
    pub group: String,
    /// Until one is ended.
    session: Option<String>,
}

/// All organizations.
pub struct World {
    pub instance: Instance,
    pub server: Server,
    pub places: BTreeMap<Site, Place>,
    pub staff: Staff,
    pub flags: Flags,
    /// The clients who ask.
    pub clients: BTreeMap<Principal, Asking>,
    /// The organization whose objects are made: its owner's key and ids.
    here: Site,
    owner: String,
    organization: String,
    owner_id: String,
    owner_email: String,
    /// A provider of it who cares for nobody that asks.
    spare: String,
    /// The client who asks.
    client: String,
    pub client_email: String,
    client_group: String,
    owner_session: Option<String>,
    /// Whose objects are made, and the clients whom all objects of a call belong to, with e-mail.
    whose: Whose,
    about: BTreeMap<(Site, Whose), (String, String)>,
    /// What the call has named so far, by whose it is and which of the clients' who ask.
    named: Vec<((Site, Whose, Object, String), String)>,
    words: u32,
    /// Whether a write was done since, so that the objects are not what they were.
    pub spent: bool,
}

impl World {
    /// Makes it.
    pub fn new(engine: Engine) -> World {
        let instance = Instance::birth(Kind::Sandbox, engine);
        // The proxy is the test: sign-ups are bounded for an address, and so each call has its own.
        let server = instance.serve_with(&["--trusted-proxy", "127.0.0.0/8"]);
        let flags = Flags::of(&instance, &server);
        let mut staff = Staff::hired(&instance, &server, &flags);
        let places = crate::sites::founded(&instance, &server, &mut staff);
        let mut world = World {
            instance,
            server,
            places,
            staff,
            flags,
            clients: BTreeMap::new(),
            here: Site::B,
            owner: String::new(),
            organization: String::new(),
            owner_id: String::new(),
            owner_email: String::new(),
            spare: String::new(),
            client: String::new(),
            client_email: String::new(),
            client_group: String::new(),
            owner_session: None,
            whose: Whose::Stranger,
            about: BTreeMap::new(),
            named: Vec::new(),
            words: 0,
            spent: false,
        };
        world.enter(Site::A);
        for principal in [Principal::Own, Principal::Restricted, Principal::Archived] {
            let asking = world.asking(principal.title());
            world.clients.insert(principal, asking);
        }
        let settle = |world: &World, principal, input: &str, value: bool| {
            let input = json!({"id": world.clients[&principal].id, input: value});
            world.make("updateClient", "updateClientInput!", "user", input);
        };
        settle(&world, Principal::Restricted, "restricted", true);
        settle(&world, Principal::Archived, "active", false);
        world.put_on(Principal::Own);
        world.furnish();
        world
    }

    /// A client with a password, in a group.
    fn asking(&mut self, name: &str) -> Asking {
        let email = format!("{name}@client.example");
        let id = people::client(&self.as_owner(), name);
        let input = json!({"name": format!("Group of {name}")});
        let group = self.make("createGroup", "createGroupInput", "user_group", input);
        let input = json!({"id": id, "password": PASSWORD, "user_group_id": group});
        self.make("updateClient", "updateClientInput!", "user", input);
        Asking { id, email, group, session: None }
    }

    /// What lists have something to show of: a client and a deed of the spare provider, an address
    /// of the practice.
    fn furnish(&mut self) {
        let (client, _) = self.unseen_client();
        let input = json!({"id": client, "dietitian_id": self.spare});
        self.make("updateClient", "updateClientInput!", "user", input);
        let query = "mutation($input: updateUserInput) { updateUser(input: $input) { user { id } messages { field message } } }";
        let input = json!({"input": {"pronouns": "she/her"}});
        self.server.with(&self.staff.spare).ask(query, input).data();
        let input = json!({"name": "Main office", "line1": "1 Main Street", "city": "Town", "state": "NY", "zip": "10001"});
        self.make("createLocation", "createLocationInput", "location", input);
    }

    /// From here on objects are made in this organization, by its owner.
    pub fn enter(&mut self, site: Site) {
        if self.here != site {
            self.here = site;
            let place = self.places[&site].clone();
            self.owner = place.owner;
            self.organization = place.organization;
            self.owner_id = place.owner_id;
            self.owner_email = place.owner_email;
            self.spare = place.spare;
        }
    }

    /// From here on the client who asks is this one, if it is one.
    fn put_on(&mut self, principal: Principal) {
        let whom = if principal == Principal::Client { Principal::Own } else { principal };
        if let Some(asking) = self.clients.get(&whom) {
            self.client.clone_from(&asking.id);
            self.client_email.clone_from(&asking.email);
            self.client_group.clone_from(&asking.group);
        }
    }

    /// Forgets what the last calls were about: the next names something new.
    pub fn next_call(&mut self) {
        self.spent = false;
        self.about.clear();
        self.named.clear();
    }

    /// The clients sign in anew: a session may have been ended.
    pub fn end_session(&mut self) {
        self.owner_session = None;
        for asking in self.clients.values_mut() {
            asking.session = None;
        }
    }

    /// As a principal.
    pub fn api(&mut self, principal: Principal) -> Api {
        self.put_on(principal);
        let key = match principal {
            Principal::Owner | Principal::Parent => self.places[&Site::A].owner.clone(),
            Principal::SubOwner => self.places[&Site::A1].owner.clone(),
            Principal::Sibling => self.places[&Site::A2].owner.clone(),
            Principal::Other => self.places[&Site::B].owner.clone(),
            Principal::Anonymous => return self.server.api(),
            Principal::Client | Principal::Own | Principal::Restricted | Principal::Archived => {
                self.session(principal)
            }
            Principal::OwnerSession => {
                let email = ward_tests::instance::OWNER;
                let session = self.owner_session.clone().unwrap_or_else(|| self.sign_in_as(email));
                self.owner_session = Some(session.clone());
                session
            }
            Principal::Flag(number) | Principal::CaringFlag(number) => {
                self.flags.hold_only(&self.instance, number);
                self.flags.key.clone()
            }
            other => self.staff.keys[&other].clone(),
        };
        self.server.with(&key)
    }

    fn as_owner(&self) -> Api {
        self.server.with(&self.owner)
    }

    fn session(&mut self, principal: Principal) -> String {
        let whom = if principal == Principal::Client { Principal::Own } else { principal };
        let known = self.clients[&whom].session.clone();
        let session = known.unwrap_or_else(|| self.sign_in());
        self.clients.entry(whom).or_default().session = Some(session.clone());
        session
    }

    fn sign_in(&self) -> String {
        self.sign_in_as(&self.client_email)
    }

    fn sign_in_as(&self, email: &str) -> String {
        let input = json!({"email": email, "password": PASSWORD});
        let reply = people::sign_in(&self.server.api(), input);
        reply.data()["signIn"]["token"].as_str().unwrap().to_owned()
    }

    /// An address that no call came from before.
    pub fn address(&mut self) -> String {
        self.words += 1;
        let [_, a, b, c] = self.words.to_be_bytes();
        format!("10.{a}.{b}.{c}")
    }

    /// A word that was not given before.
    pub fn word(&mut self) -> String {
        self.words += 1;
        format!("word{}", self.words)
    }

    /// A text that says of what it is.
    pub fn canary(&mut self, of: &str) -> String {
        format!("{}{of}-{}", self.here.canary(), self.word())
    }

    fn unseen(&mut self) -> String {
        self.canary("thing")
    }

    /// Something for a principal to name; all of a call belong together.
    pub fn object(&mut self, principal: Principal, object: Object) -> String {
        self.put_on(principal);
        self.object_of(principal.names(), principal.whose(), object)
    }

    /// Something of an organization; all of a call belong together.
    pub fn object_of(&mut self, site: Site, whose: Whose, object: Object) -> String {
        self.enter(site);
        self.whose = whose;
        let asking = if whose == Whose::Own { self.client.clone() } else { String::new() };
        let of = (site, whose, object, asking);
        if let Some((_, id)) = self.named.iter().find(|(known, _)| *known == of) {
            return id.clone();
        }
        let id = self.new_object(whose == Whose::Own, object);
        self.named.push((of, id.clone()));
        id
    }

    fn new_object(&mut self, own: bool, object: Object) -> String {
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
            Object::ApiKey if own => self.own_key(),
            Object::ApiKey => self.key(),
        }
    }

    /// An id that nobody has, or what stands for one; the ids of this epoch begin alike.
    pub fn never(&self, object: Object) -> String {
        match object {
            Object::ClientEmail | Object::OwnerEmail => "nobody@nowhere.example".to_owned(),
            Object::InviteCode => "ffffff".to_owned(),
            _ => format!("{}999123", &self.organization[..4]),
        }
    }

    /// A client of the owner's with a tag and an address, whom nobody cares for but the owner and
    /// whose objects are named.
    fn unseen_client(&mut self) -> (String, String) {
        let of = match self.whose {
            Whose::Stranger => canary::UNCARED,
            Whose::Own => canary::OWN,
            Whose::Primary => canary::PRIMARYS,
            Whose::CareTeam => canary::CARE_TEAMS,
            Whose::Bearer => canary::BEARERS,
        };
        let name = self.canary(of);
        let mut input = people::new_client(&name);
        match self.whose {
            Whose::Primary => input["client"]["dietitian_id"] = self.staff.primary.clone().into(),
            Whose::CareTeam => {
                input["client"]["other_provider_ids"] = json!([self.staff.care_team]);
            }
            Whose::Bearer => {
                self.flags.hold(&self.instance, &["can_be_care_team_member"]);
                input["client"]["other_provider_ids"] = json!([self.flags.user]);
            }
            Whose::Stranger | Whose::Own => {}
        }
        let reply = self.as_owner().ask(people::CREATE_CLIENT, input);
        let client = id(&reply.data()["createClient"]["user"]);
        let (tag, street) = (self.unseen(), self.canary(of));
        self.tag(&client, tag);
        self.location(&client, street);
        (client, format!("{name}@client.example"))
    }

    fn about(&mut self) -> (String, String) {
        let at = (self.here, self.whose);
        if !self.about.contains_key(&at) {
            let client = self.unseen_client();
            self.about.insert(at, client);
        }
        self.about[&at].clone()
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

    /// Makes something as the organization's owner; its id.
    #[track_caller]
    pub fn make(&self, field: &str, input_type: &str, object: &str, input: Json) -> String {
        let query = format!(
            "mutation($input: {input_type}) {{ {field}(input: $input) {{ {object} {{ id }} messages {{ field message }} }} }}"
        );
        let reply = self.as_owner().ask(&query, json!({"input": input}));
        id(&reply.data()[field][object])
    }
}
