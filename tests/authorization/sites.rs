//! Founding organizations and hiring people.

use std::collections::BTreeMap;

use ward_tests::people::{self, id};
use ward_tests::{Instance, Server, json};

use crate::flags::Flags;
use crate::principal::{Principal, Site};
use crate::world::PASSWORD;

/// An organization and who is asked to make its objects.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its owner's key.
    pub owner: String,
    pub owner_id: String,
    pub owner_email: String,
    pub organization: String,
    /// A provider of it who cares for nobody that asks.
    pub spare: String,
    /// A member of it who cares for nobody at all, so that its owner may make them keys.
    pub key_holder: String,
}

/// The staff that asks.
#[derive(Clone, Debug)]
pub struct Staff {
    pub keys: BTreeMap<Principal, String>,
    /// The user who is the primary provider of some.
    pub primary: String,
    /// The user who is in the care team of some.
    pub care_team: String,
    /// The key of A's spare provider.
    pub spare: String,
    spare_id: String,
}

impl Staff {
    /// Hires A's.
    pub fn hired(instance: &Instance, server: &Server, flags: &Flags) -> Staff {
        let preset = |principal: Principal| match principal {
            Principal::Admin => "administrator",
            Principal::Support => "support",
            Principal::Integration => "integration",
            _ => "provider",
        };
        let mut keys = BTreeMap::new();
        for principal in [
            Principal::Admin,
            Principal::Bare,
            Principal::Standard,
            Principal::Support,
            Principal::Integration,
            Principal::Primary,
            Principal::CareTeam,
            Principal::Deactivated,
        ] {
            let user = hire(instance, preset(principal), principal.title());
            keys.insert(principal, instance.key(&user));
            if principal == Principal::Deactivated {
                bar(instance, &user);
            }
        }
        let of = |principal| people::current_user(&server.with(&keys[&principal]));
        let (primary, care_team) = (of(Principal::Primary), of(Principal::CareTeam));
        flags.lay(instance, &of(Principal::Bare), &[]);
        let spare_id = hire(instance, "provider", "spare");
        let spare = instance.key(&spare_id);
        Staff { keys, primary, care_team, spare, spare_id }
    }
}

/// A new member of the founding organization; the user's id.
pub fn hire(instance: &Instance, role: &str, name: &str) -> String {
    let email = format!("{name}@practice.example");
    let words = ["--role", role, "--email", &email, "--first-name", name, "--last-name", "Tester"];
    id(&instance.ward(&["user", "create"], &words).json())
}

/// Ends a membership and leaves the keys where they are.
fn bar(instance: &Instance, user: &str) {
    let sql = format!("UPDATE organization_memberships SET active = FALSE WHERE user_id = {user}");
    instance.database().execute(&sql);
}

/// All organizations; A's is there.
pub fn founded(instance: &Instance, server: &Server, staff: &mut Staff) -> BTreeMap<Site, Place> {
    people::set_password(&server.api(), &instance.owner_link, PASSWORD);
    let owner = instance.owner_key();
    let reply = server.with(&owner).ask("{ organization { id } currentUser { id } }", json!({}));
    let root = id(&reply.data()["organization"]);
    let place = Place {
        owner_id: id(&reply.data()["currentUser"]),
        owner,
        owner_email: ward_tests::instance::OWNER.to_owned(),
        organization: root.clone(),
        spare: staff.spare_id.clone(),
        key_holder: hire(instance, "provider", "keys"),
    };
    let mut places = BTreeMap::from([(Site::A, place)]);
    for site in [Site::B, Site::A1, Site::A2] {
        let (organization, owner_id, owner_email) = sign_up(server, site);
        let org = if site == Site::B { &organization } else { &root };
        if site != Site::B {
            make_suborganization(instance, &organization, &root);
        }
        let spare = hire(instance, "provider", &format!("spare-{}", site.word()));
        let key_holder = hire(instance, "provider", &format!("keys-{}", site.word()));
        move_to(instance, &spare, org, &organization);
        move_to(instance, &key_holder, org, &organization);
        if site == Site::A1 {
            let member = hire(instance, "provider", Principal::SubMember.title());
            move_to(instance, &member, org, &organization);
            staff.keys.insert(Principal::SubMember, instance.key(&member));
        }
        let owner = instance.key(&owner_id);
        places
            .insert(site, Place { owner, owner_id, owner_email, organization, spare, key_holder });
    }
    places
}

/// A new organization: its id, its owner's and the owner's address.
fn sign_up(server: &Server, site: Site) -> (String, String, String) {
    let word = site.canary();
    let email = format!("{word}owner-email@other.example");
    let query = "mutation($input: signUpInput) { signUp(input: $input) {
        user { id organization { id } } messages { field message } } }";
    let input = json!({"role": "dietitian", "email": email, "password": PASSWORD,
        "first_name": format!("{word}owner-first"), "last_name": format!("{word}owner-last"),
        "legal_name": format!("{word}owner-legal")});
    let reply = server.api().ask(query, json!({"input": input}));
    let user = &reply.data()["signUp"]["user"];
    (id(&user["organization"]), id(user), email)
}

/// Lays a root organization below another. The API has no way to do so.
fn make_suborganization(instance: &Instance, organization: &str, root: &str) {
    let mut sql = format!(
        "UPDATE organizations SET org_id = {root}, parent_organization_id = {root} \
         WHERE id = {organization}; DELETE FROM sessions WHERE org_id = {organization};"
    );
    for (table, column) in [
        ("users", "org_id"),
        ("organization_infos", "org_id"),
        ("organization_memberships", "org_id"),
        ("search_grams", "org_id"),
        ("logins", "root_id"),
        ("invite_codes", "root_id"),
    ] {
        sql += &format!("UPDATE {table} SET {column} = {root} WHERE {column} = {organization};");
    }
    instance.settled_dump();
    instance.database().execute(&sql);
}

/// Moves a new member, who has no key yet, to another organization.
fn move_to(instance: &Instance, user: &str, root: &str, unit: &str) {
    let sql = format!(
        "UPDATE users SET org_id = {root}, unit_id = {unit} WHERE id = {user};
         UPDATE organization_memberships SET org_id = {root}, unit_id = {unit}
         WHERE user_id = {user};
         UPDATE search_grams SET org_id = {root} WHERE row_id = {user};
         UPDATE logins SET root_id = {root} WHERE user_id = {user};
         UPDATE invite_codes SET root_id = {root} WHERE target_id = {user};"
    );
    instance.database().execute(&sql);
}
