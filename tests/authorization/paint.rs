//! One object of everything in every organization, with a word that says whose it is in every text
//! that can be written: an input that takes any text gets one, whatever it is called.

use std::collections::BTreeSet;

use ward_tests::document::{Place, places};
use ward_tests::schema::{Field, Root, Schema};
use ward_tests::{BASELINE, Engine, Json, V2026, json, people, tell};

use crate::call::{Line, document, fitted, lines};
use crate::canary;
use crate::meaning::{self, Meaning, Object};
use crate::principal::{Principal, Site, Whose};
use crate::world::World;

/// Texts that do something else than stand there.
const ACTS: [&str; 25] = [
    "scheduled_at",
    "added_users",
    "attached_image_string",
    "avatar_string",
    "clientMutationId",
    "current_email",
    "current_password",
    "human_id",
    "invite_code",
    "namespace",
    "org_role",
    "password",
    "password_confirmation",
    "pretend_to_be",
    "reset_token",
    "role",
    "timezone",
    "token",
    "username",
    "dob",
    "deceased_on",
    "select_all_status",
    "value",
    "interval_type",
    "interval_value",
];

/// Creations that are made below one by one, or that nobody can be painted with.
const BY_HAND: [&str; 6] = [
    "createClient",
    "createLocation",
    "createTag",
    "createGroup",
    "createApiKey",
    "createOrganization",
];

/// Data without which nothing is made, and that is one of a few words.
const CODES: [&str; 5] =
    ["concept_id", "contact_type", "datetime", "signed_on", "smoking_status_code"];

/// How often an input is sent anew without what was refused.
const TRIES: usize = 60;

/// A painted world.
pub struct Painted {
    pub world: World,
    pub schemas: [Schema; 2],
    /// Texts that were written.
    pub texts: usize,
    /// What they were of.
    pub kinds: BTreeSet<(Site, String)>,
    /// What could not be made, and why.
    pub unpainted: Vec<String>,
    /// Pictures of people, by what stands in their links.
    pub pictures: Vec<(Site, &'static str, String)>,
}

impl Painted {
    /// Makes it.
    pub fn new() -> Painted {
        let world = World::new(Engine::Sqlite);
        let schemas = [V2026, BASELINE].map(|view| Schema::of(&world.server.api(), view));
        let mut painted = Painted {
            world,
            schemas,
            texts: 0,
            kinds: BTreeSet::new(),
            unpainted: Vec::new(),
            pictures: Vec::new(),
        };
        for site in Site::ALL {
            painted.site(site);
        }
        painted.people_of_a();
        painted.world.enter(Site::A);
        tell(
            "painted",
            format_args!("{} texts written; not made: {:?}", painted.texts, painted.unpainted),
        );
        painted
    }

    fn site(&mut self, site: Site) {
        self.world.enter(site);
        self.paint("updateUser", "owner", &[]);
        self.paint("createLocation", "organization", &[]);
        self.paint("createGroup", "group", &[]);
        self.paint("createTag", "tag", &[]);
        let owner = self.world.owner_id.clone();
        self.paint("createApiKey", "apikey", &[("input.user_id", owner.into())]);
        let client = self.world.object_of(site, Whose::Stranger, Object::Client);
        self.client(&client, canary::UNCARED);
        self.world.object_of(site, Whose::Stranger, Object::Group);
        self.picture(site, canary::UNCARED, &client);
        let rest: Vec<Line> = lines(&self.schemas[0])
            .0
            .into_iter()
            .filter(|line| line.named.is_none() && line.root == Root::Mutation)
            .filter(|line| line.field.name.starts_with("create"))
            .filter(|line| !BY_HAND.contains(&line.field.name.as_str()))
            .collect();
        for line in rest {
            let kind = line.field.name.trim_start_matches("create").to_lowercase();
            let of = if line.is_of_client() { canary::UNCARED.to_owned() } else { kind };
            self.paint(&line.field.name, &of, &[]);
        }
    }

    /// The clients of A whom some see and others do not.
    fn people_of_a(&mut self) {
        self.world.enter(Site::A);
        let input = json!({"input": {"pronouns": "they/them"}});
        let spare = self.world.server.with(&self.world.staff.spare);
        spare.ask("mutation($input: updateUserInput) { updateUser(input: $input) { messages { field message } } }", input).data();
        for (whose, of) in [
            (Whose::Primary, canary::PRIMARYS),
            (Whose::CareTeam, canary::CARE_TEAMS),
            (Whose::Bearer, canary::BEARERS),
        ] {
            let client = self.world.object_of(Site::A, whose, Object::Client);
            self.client(&client, of);
        }
        for (principal, of) in [
            (Principal::Own, canary::OWN),
            (Principal::Restricted, canary::RESTRICTED),
            (Principal::Archived, canary::ARCHIVED),
        ] {
            let client = self.world.clients[&principal].id.clone();
            self.client(&client, of);
        }
        let restricted = self.world.clients[&Principal::Restricted].id.clone();
        self.picture(Site::A, canary::RESTRICTED, &restricted);
    }

    fn client(&mut self, client: &str, of: &str) {
        self.paint("updateClient", of, &[("input.id", client.into())]);
        self.paint("createLocation", of, &[("input.user_id", client.into())]);
    }

    /// A picture of a client. In the middle of its link stands the file, whoever the link is for and
    /// whenever it ends.
    fn picture(&mut self, site: Site, of: &'static str, client: &str) {
        let link = people::picture_of(&self.world.as_owner(), client);
        let (_, token) = link.split_once("/files/").unwrap();
        let body = token.splitn(4, '_').last().unwrap();
        self.pictures.push((site, of, body[24..64].to_owned()));
    }

    /// Calls a mutation as the organization's owner with a word in every text that it takes.
    fn paint(&mut self, field: &str, of: &str, fixed: &[(&str, Json)]) {
        let schema = &self.schemas[0];
        let Some((_, field)) = schema.roots().into_iter().find(|(_, it)| it.name == field) else {
            return;
        };
        let mut values = Vec::new();
        for place in places(schema, field) {
            if let Some(value) = value(&mut self.world, schema, field, &place, of, fixed) {
                values.push((place, value));
            }
        }
        for _ in 0..TRIES {
            let (query, variables) =
                document(Root::Mutation, field, &values, " { messages { field message } }");
            let reply = self.world.as_owner().ask(&query, variables);
            let answer = &reply.json["data"][&field.name];
            let refused: Vec<String> = answer["messages"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|message| message["field"].as_str().map(str::to_owned))
                .collect();
            if !answer.is_null() && answer["messages"].is_null() {
                for (_, value) in &values {
                    for word in canary::found(&value.to_string()) {
                        self.texts += 1;
                        self.kinds.insert((word.site, word.of));
                    }
                }
                return;
            }
            let before = values.len();
            values.retain(|(place, value)| {
                let is_text = !canary::found(&value.to_string()).is_empty();
                !(is_text && refused.iter().any(|name| *name == place.last().name))
            });
            if values.len() == before {
                // What stands within is an object of its own, and wants more than words.
                values.retain(|(place, _)| place.path.len() <= 2);
            }
            if values.len() == before {
                self.unpainted.push(format!("{}: {}", field.name, reply.text));
                return;
            }
        }
    }
}

fn value(
    world: &mut World,
    schema: &Schema,
    field: &Field,
    place: &Place,
    of: &str,
    fixed: &[(&str, Json)],
) -> Option<Json> {
    let path = place.dotted();
    if let Some((_, value)) = fixed.iter().find(|(at, _)| *at == path) {
        return Some(value.clone());
    }
    let name = place.last().name.as_str();
    let meaning = meaning::meaning(field, place)?;
    if let Meaning::Needs(object) = meaning {
        let is_own = matches!(field.name.as_str(), "createLocation" | "updateUser");
        let id = (!is_own).then(|| world.object_of(world.here, Whose::Stranger, object))?;
        return Some(fitted(place, &id));
    }
    let is_text = matches!(place.last().of.name(), "String" | "ID")
        && schema.named(&place.last().of).kind == "SCALAR";
    let is_update = field.name.starts_with("update");
    // A physician is the practice's, whosever referral names them.
    let is_physicians = place.path.iter().any(|step| step.name == "referring_physician");
    let of = if is_physicians { "referringphysician" } else { of };
    let word = format!("{}{of}-{name}", world.here.canary());
    match meaning {
        _ if ACTS.contains(&name) => None,
        Meaning::Data if CODES.contains(&name) => {
            Some(meaning::data(world, &field.name, name, None))
        }
        Meaning::Data | Meaning::Left if is_text && name.ends_with("email") => {
            (!is_update).then(|| json!(format!("{word}@x.example")))
        }
        Meaning::Data | Meaning::Left if name == "metadata" => {
            Some(json!(json!({"note": word}).to_string()))
        }
        Meaning::Data | Meaning::Left if is_text => {
            let single = json!(word);
            Some(if place.last().of.is_list() { json!([single]) } else { single })
        }
        Meaning::Data => Some(meaning::data(world, &field.name, name, None)),
        _ => None,
    }
}
