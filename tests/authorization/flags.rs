//! The member who holds one flag at a time.

use ward_tests::schema::Schema;
use ward_tests::{Instance, Server, V2026};

use crate::sites::hire;

/// How many flags a membership has (behaviour 16.3).
const COUNT: usize = 105;

/// The flags, and the member who holds some.
#[derive(Clone, Debug)]
pub struct Flags {
    /// Every flag's name.
    pub names: Vec<String>,
    /// The user.
    pub user: String,
    pub key: String,
    held: Vec<String>,
}

impl Flags {
    /// Hires the member, who holds none.
    pub fn of(instance: &Instance, server: &Server) -> Flags {
        let schema = Schema::of(&server.api(), V2026);
        let served = &schema.types["OrganizationMembership"].fields;
        let served = served.iter().filter(|field| field.of.name() == "Boolean");
        let stored = instance.database().columns("organization_memberships");
        let is_flag = |name: &String| name != "active" && stored.contains(name);
        let names: Vec<String> = served.map(|field| field.name.clone()).filter(is_flag).collect();
        assert_eq!(names.len(), COUNT, "flags: {names:?}");
        let user = hire(instance, "provider", "one-flag");
        let flags = Flags { names, key: instance.key(&user), user, held: Vec::new() };
        flags.lay(instance, &flags.user, &[]);
        flags
    }

    /// The member holds this flag and no other from here on.
    pub fn hold_only(&mut self, instance: &Instance, number: u8) {
        let name = self.names[usize::from(number)].clone();
        self.hold(instance, &[&name]);
    }

    /// The member holds these flags and no other from here on.
    pub fn hold(&mut self, instance: &Instance, flags: &[&str]) {
        if self.held != flags {
            self.lay(instance, &self.user, flags);
            self.held = flags.iter().map(|flag| (*flag).to_owned()).collect();
        }
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
