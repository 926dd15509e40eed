//! The member who holds one flag at a time.

use ward_tests::schema::Schema;
use ward_tests::{Instance, Server, V2026};

use crate::sites::hire;

/// How many flags a membership has (behaviour 16.3).
const COUNT: usize = 105;

/// A member who holds some.
#[derive(Clone, Debug)]
pub struct Bearer {
    pub user: String,
    pub key: String,
    held: Option<Vec<String>>,
}

/// The flags, and the members who hold some.
#[derive(Clone, Debug)]
pub struct Flags {
    /// Every flag's name.
    pub names: Vec<String>,
    /// Cares for nobody.
    pub alone: Bearer,
    /// Cares for the client whose objects are named.
    pub caring: Bearer,
}

impl Flags {
    /// No flag at all, in place of a number.
    pub const NONE: u8 = u8::MAX;

    /// Hires the members.
    pub fn of(instance: &Instance, server: &Server) -> Flags {
        let schema = Schema::of(&server.api(), V2026);
        let served = &schema.types["OrganizationMembership"].fields;
        let served = served.iter().filter(|field| field.of.name() == "Boolean");
        let stored = instance.database().columns("organization_memberships");
        let is_flag = |name: &String| name != "active" && stored.contains(name);
        let names: Vec<String> = served.map(|field| field.name.clone()).filter(is_flag).collect();
        assert_eq!(names.len(), COUNT, "flags: {names:?}");
        let hired = |name: &str| {
            let user = hire(instance, "provider", name);
            Bearer { key: instance.key(&user), user, held: None }
        };
        Flags { names, alone: hired("one-flag"), caring: hired("one-flag-caring") }
    }

    /// A flag's name.
    pub fn name(&self, number: u8) -> Option<&str> {
        self.names.get(usize::from(number)).map(String::as_str)
    }

    /// The key of a member who holds this flag and no other from here on.
    pub fn holding(&mut self, instance: &Instance, number: u8, caring: bool) -> String {
        let flags: Vec<String> = self.name(number).map(str::to_owned).into_iter().collect();
        self.hold(instance, caring, &flags)
    }

    /// Gives one of the members these flags and no other; the key.
    pub fn hold(&mut self, instance: &Instance, caring: bool, flags: &[String]) -> String {
        let bearer = if caring { &self.caring } else { &self.alone };
        if bearer.held.as_deref() != Some(flags) {
            let names: Vec<&str> = flags.iter().map(String::as_str).collect();
            self.lay(instance, &bearer.user, &names);
        }
        let bearer = if caring { &mut self.caring } else { &mut self.alone };
        bearer.held = Some(flags.to_vec());
        bearer.key.clone()
    }

    /// Gives any member these flags and takes all others. Straight in the database: three of them
    /// are the operator's, and the API would refuse to make a member of nothing.
    pub fn lay(&self, instance: &Instance, user: &str, flags: &[&str]) {
        let set = |name: &String| {
            let held = if flags.contains(&name.as_str()) { "TRUE" } else { "FALSE" };
            format!("{name} = {held}")
        };
        let sets: Vec<String> = self.names.iter().map(set).collect();
        let sql = format!(
            "UPDATE organization_memberships SET {} WHERE user_id = {user}",
            sets.join(", ")
        );
        instance.database().execute(&sql);
    }
}
