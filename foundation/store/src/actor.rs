//! Who asks: the person a request runs as, and the rows they may see.

use std::sync::Arc;
use ward_instance::Timestamp;

use crate::cond::Cond;
use crate::exercised::Exercised;

/// A permission flag of a membership (behaviour 16.3), numbered by the
/// identity domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flag(pub u8);

/// The set of flags that an actor holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u128);

impl Flags {
    /// Whether the flag is in the set.
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & (1 << flag.0) != 0
    }

    /// The set with the flag.
    #[must_use]
    pub const fn with(self, flag: Flag) -> Self {
        Flags(self.0 | (1 << flag.0))
    }

    /// The set without the flag.
    #[must_use]
    pub const fn without(self, flag: Flag) -> Self {
        Flags(self.0 & !(1 << flag.0))
    }
}

/// What kind of account the actor is (behaviour 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// No credential was sent.
    Anonymous,
    /// A client (patient).
    Client,
    /// A provider or staff member of an organization.
    Member,
    /// The instance itself: seeding, jobs, the command line.
    System,
}

impl Role {
    /// As logs keep it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Anonymous => "anonymous",
            Role::Client => "client",
            Role::Member => "member",
            Role::System => "system",
        }
    }
}

/// The person a request runs as, with what they may do at this moment.
///
/// It is loaded anew for each request, so a demotion or deletion acts on the
/// next one.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Kind of account.
    pub role: Role,
    /// The user; 0 for anonymous and system.
    pub user_id: i64,
    /// The root organization: the tenant. 0 for anonymous.
    pub org_id: i64,
    /// The organization or sub-organization the user belongs to.
    pub unit_id: i64,
    /// Permission flags of the membership; the owner holds all.
    pub flags: Flags,
    /// Whether the user owns `unit_id`'s organization.
    pub is_owner: bool,
    /// Time zone of the answers (behaviour 9), an IANA name.
    pub time_zone: Box<str>,
    /// The API key (its kid) or session the request came with, for audit and
    /// rate limits; safe to log.
    pub credential: Option<Box<str>>,
    /// The wall-clock moment at which accesses that end by themselves are
    /// judged: break-glass on a restricted client counts while it ends later.
    /// [`Actor::NO_BREAK_GLASS`] unless a request is being answered.
    pub glass_at: Timestamp,
    /// Where checks mark the flags that they found, while a request is answered.
    pub exercised: Option<Arc<Exercised>>,
    /// The rows that this very request made for a visitor, who reads the public part of
    /// them in the answer, and never again.
    pub handed: Vec<i64>,
    /// The user who acts for this one, in a session of their own: another client, who is who
    /// did whatever is done.
    pub proxy_id: Option<i64>,
}

impl Actor {
    /// Nothing ends later than this, so no break-glass access counts.
    pub const NO_BREAK_GLASS: Timestamp = Timestamp(i64::MAX);

    /// Nobody: no credential was sent.
    pub fn anonymous() -> Self {
        Actor {
            role: Role::Anonymous,
            user_id: 0,
            org_id: 0,
            unit_id: 0,
            flags: Flags::default(),
            is_owner: false,
            time_zone: "America/New_York".into(),
            credential: None,
            glass_at: Self::NO_BREAK_GLASS,
            exercised: None,
            handed: Vec::new(),
            proxy_id: None,
        }
    }

    /// The instance itself, acting in one organization.
    pub fn system(org_id: i64) -> Self {
        Actor {
            role: Role::System,
            org_id,
            unit_id: org_id,
            flags: Flags(u128::MAX),
            is_owner: true,
            ..Self::anonymous()
        }
    }

    /// Whether the actor holds the flag; if so, that is marked as what decided.
    pub fn has(&self, flag: Flag) -> bool {
        let has = self.flags.has(flag);
        if has && let Some(exercised) = &self.exercised {
            exercised.mark(flag);
        }
        has
    }

    /// The user who is there: the one who acts for the actor, if somebody does. Logs tell of
    /// them.
    pub fn doer(&self) -> i64 {
        self.proxy_id.unwrap_or(self.user_id)
    }

    /// A staff member or the system.
    pub fn is_member(&self) -> bool {
        matches!(self.role, Role::Member | Role::System)
    }

    /// A client.
    pub fn is_client(&self) -> bool {
        self.role == Role::Client
    }

    /// Member of the root organization itself, who sees its sub-organizations.
    pub fn is_at_root(&self) -> bool {
        self.unit_id == self.org_id
    }

    /// Rows whose `column` holds a unit that the actor's organization may see:
    /// its own, and for the root all (behaviour 15: a parent sees all, siblings
    /// and children see only themselves).
    pub fn units(&self, column: &str) -> Cond {
        if self.is_at_root() { Cond::Always } else { Cond::eq(column, self.unit_id) }
    }
}

/// How much of a row an actor may see (behaviour 3.4, 4.4, 16.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Nothing: the row does not exist for them.
    None = 0,
    /// What a stranger may know, such as a provider's name.
    Public = 1,
    /// What a related person may know.
    Limited = 2,
    /// Everything.
    Full = 3,
}

impl Level {
    /// From its number; unknown numbers are `None`.
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Level::Public,
            2 => Level::Limited,
            3 => Level::Full,
            _ => Level::None,
        }
    }
}

/// Which rows an actor sees at which level.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Rows seen in full.
    pub full: Cond,
    /// Rows seen at least in part.
    pub limited: Cond,
    /// Rows of which the public part is seen.
    pub public: Cond,
}

impl Rule {
    /// No row at all.
    pub fn none() -> Self {
        Rule { full: Cond::Never, limited: Cond::Never, public: Cond::Never }
    }

    /// These rows in full, no other.
    pub fn full(cond: Cond) -> Self {
        Rule { full: cond, ..Self::none() }
    }

    /// And these in part.
    #[must_use]
    pub fn limited(mut self, cond: Cond) -> Self {
        self.limited = cond;
        self
    }

    /// And the public part of these.
    #[must_use]
    pub fn public(mut self, cond: Cond) -> Self {
        self.public = cond;
        self
    }

    /// Rows seen at `least` or more.
    pub fn at_least(&self, least: Level) -> Cond {
        let mut cond = self.full.clone();
        if least <= Level::Limited {
            cond = cond.or(self.limited.clone());
        }
        if least <= Level::Public {
            cond = cond.or(self.public.clone());
        }
        cond
    }
}
