//! The organizations with their people, and objects of them to try.

use std::collections::BTreeMap;

use ward_tests::{Api, Engine, Instance, Kind, Server, json};
use ward_tests::{night, people};

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
    pub here: Site,
    owner: String,
    pub organization: String,
    pub owner_id: String,
    pub owner_email: String,
    /// A provider of it who cares for nobody that asks.
    pub spare: String,
    /// A member of it who cares for nobody at all.
    pub key_holder: String,
    /// The client who asks.
    pub client: String,
    pub client_email: String,
    pub client_group: String,
    owner_session: Option<String>,
    /// The spare providers' keys, where one has broken the glass.
    pub openers: BTreeMap<Site, String>,
    /// Authorizations of the spare provider that were made, by their clients: there is one of each.
    pub authorized: BTreeMap<String, String>,
    /// Whose objects are made, and the clients whom all objects of a call belong to, with e-mail.
    pub whose: Whose,
    pub about: BTreeMap<(Site, Whose), (String, String)>,
    /// What the call has named so far, by whose it is and which of the clients' who ask.
    named: Vec<((Site, Whose, Object, String), String)>,
    words: u32,
    /// How many concepts of family histories were given.
    pub concepts: usize,
    /// Whether a write was done since, so that the objects are not what they were.
    pub spent: bool,
}

impl World {
    /// Makes it.
    pub fn new(engine: Engine) -> World {
        let instance = Instance::birth(Kind::Sandbox, engine);
        // The proxy is the test: sign-ups are bounded for an address, and so each call has its own.
        let server = instance.serve_with(&["--trusted-proxy", "127.0.0.0/8"]);
        night::falls(&server.with(&instance.owner_key()), 3);
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
            key_holder: String::new(),
            client: String::new(),
            client_email: String::new(),
            client_group: String::new(),
            owner_session: None,
            openers: BTreeMap::new(),
            authorized: BTreeMap::new(),
            whose: Whose::Stranger,
            about: BTreeMap::new(),
            named: Vec::new(),
            words: 0,
            concepts: 0,
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

    /// What lists have something to show of: a client, a deed and working hours of the spare
    /// provider, an address of the practice, forms that can be requested.
    fn furnish(&mut self) {
        let (client, _) = self.unseen_client();
        let input = json!({"id": client, "dietitian_id": self.spare});
        self.make("updateClient", "updateClientInput!", "user", input);
        let query = "mutation($input: updateUserInput) { updateUser(input: $input) { user { id } messages { field message } } }";
        let input = json!({"input": {"pronouns": "she/her"}});
        self.server.with(&self.staff.spare).ask(query, input).data();
        let input = json!({"name": "Main office", "line1": "1 Main Street", "city": "Town", "state": "NY", "zip": "10001"});
        self.make("createLocation", "createLocationInput", "location", input);
        self.availability(false);
        self.place(false, Object::Place);
        self.appointment(false);
        for site in self.places.keys().copied().collect::<Vec<Site>>() {
            self.enter(site);
            self.take_requests();
            self.intake_form();
        }
        self.enter(Site::A);
        self.request(false);
        self.line();
        self.brands();
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
            self.key_holder = place.key_holder;
        }
    }

    /// From here on the client who asks is this one, if it is one.
    pub fn put_on(&mut self, principal: Principal) {
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
            Principal::Flag(number) => self.flags.holding(&self.instance, number, false),
            Principal::CaringFlag(number) => self.flags.holding(&self.instance, number, true),
            other => self.staff.keys[&other].clone(),
        };
        self.server.with(&key)
    }

    pub fn as_owner(&self) -> Api {
        self.server.with(&self.owner)
    }

    fn session(&mut self, principal: Principal) -> String {
        let whom = if principal == Principal::Client { Principal::Own } else { principal };
        let known = self.clients[&whom].session.clone();
        let session = known.unwrap_or_else(|| self.sign_in());
        self.clients.entry(whom).or_default().session = Some(session.clone());
        session
    }

    pub fn sign_in(&self) -> String {
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

    pub fn unseen(&mut self) -> String {
        self.canary("thing")
    }

    /// The flag that a principal holds, of those who hold one.
    pub fn flag_of(&self, principal: Principal) -> Option<&str> {
        match principal {
            Principal::Flag(number) | Principal::CaringFlag(number) => self.flags.name(number),
            _ => None,
        }
    }

    /// What a principal is called in reports.
    pub fn called(&self, principal: Principal) -> String {
        self.flag_of(principal).unwrap_or(principal.title()).to_owned()
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

    /// An id that nobody has, or what stands for one; the ids of this epoch begin alike.
    pub fn never(&self, object: Object) -> String {
        match object {
            Object::ClientEmail | Object::OwnerEmail => "nobody@nowhere.example".to_owned(),
            Object::ClientPair => {
                let start = &self.organization[..4];
                format!("{start}999123,{start}999124")
            }
            Object::InviteCode => "ffffff".to_owned(),
            Object::BrandPath => "nobody-has-this".to_owned(),
            _ => format!("{}999123", &self.organization[..4]),
        }
    }
}
