//! Who asks, and whose objects they name.

/// Which organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Site {
    /// Organization A.
    A,
    /// Organization B.
    B,
    /// A sub-organization of A.
    A1,
    /// Its sibling.
    A2,
}

impl Site {
    /// All of them.
    pub const ALL: [Site; 4] = [Site::A, Site::B, Site::A1, Site::A2];

    /// The word in its canaries.
    pub const fn word(self) -> &'static str {
        match self {
            Site::A => "a",
            Site::B => "b",
            Site::A1 => "a1",
            Site::A2 => "a2",
        }
    }

    /// How all its canaries begin.
    pub fn canary(self) -> String {
        format!("{}{}-", super::world::CANARY, self.word())
    }
}

/// Whose objects are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// Those of a client whom only the owner cares for.
    Stranger,
    /// The asking client's own.
    Own,
    /// Those of a client whose primary provider is [`Principal::Primary`].
    Primary,
    /// Those of a client whose care team has [`Principal::CareTeam`].
    CareTeam,
    /// Those of a client whose care team has the member with a single flag.
    Bearer,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// A's owner.
    Owner,
    /// An administrator of A.
    Admin,
    /// A member of A without any flag, who cares for nobody.
    Bare,
    /// A provider of A with the flags of a new one, who cares for nobody.
    Standard,
    /// A support member of A.
    Support,
    /// A program of A.
    Integration,
    /// The primary provider of the client whose objects are named.
    Primary,
    /// A care-team member of the client whose objects are named.
    CareTeam,
    /// A's owner, who names the sub-organization's objects.
    Parent,
    /// The owner of sub-organization A1, who names its objects.
    SubOwner,
    /// A provider of A1 with the flags of a new one, who names its objects.
    SubMember,
    /// The owner of A2, who names A1's objects.
    Sibling,
    /// The owner of organization B, who names A's objects.
    Other,
    /// A client of A, who names what is not theirs.
    Client,
    /// The same client, who names what is theirs.
    Own,
    /// A restricted client, who names what is theirs.
    Restricted,
    /// An archived client, who names what is theirs.
    Archived,
    /// A member of A whose membership has ended; the key is there still.
    Deactivated,
    /// Nobody in particular.
    Anonymous,
    /// A's owner with a session in place of a key.
    OwnerSession,
    /// A member of A with this one flag, by its number in the world's list, who cares for nobody.
    Flag(u8),
    /// The same member, who names what belongs to a client they care for.
    CaringFlag(u8),
}

use Principal::{
    Admin, Anonymous, Archived, Bare, CareTeam, CaringFlag, Client, Deactivated, Flag, Integration,
    Other, Own, Owner, OwnerSession, Parent, Primary, Restricted, Sibling, Standard, SubMember,
    SubOwner, Support,
};

impl Principal {
    /// In the order of the table's columns.
    pub const COLUMNS: [Principal; 19] = [
        Owner,
        Admin,
        Bare,
        Standard,
        Support,
        Integration,
        Primary,
        CareTeam,
        Parent,
        SubOwner,
        SubMember,
        Sibling,
        Other,
        Client,
        Own,
        Restricted,
        Archived,
        Deactivated,
        Anonymous,
    ];

    /// The column's title.
    pub const fn title(self) -> &'static str {
        match self {
            Owner => "owner",
            Admin => "admin",
            Bare => "no_flag",
            Standard => "standard",
            Support => "support",
            Integration => "integration",
            Primary => "primary",
            CareTeam => "care_team",
            Parent => "parent",
            SubOwner => "sub_owner",
            SubMember => "sub_member",
            Sibling => "sibling",
            Other => "other",
            Client => "client",
            Own => "own",
            Restricted => "restricted",
            Archived => "archived",
            Deactivated => "deactivated",
            Anonymous => "anonymous",
            OwnerSession => "owner's session",
            Flag(_) => "one flag",
            CaringFlag(_) => "one flag, caring",
        }
    }

    /// The organization that they belong to; strangers look at A.
    pub const fn home(self) -> Site {
        match self {
            SubOwner | SubMember => Site::A1,
            Sibling => Site::A2,
            Other => Site::B,
            _ => Site::A,
        }
    }

    /// The organization whose objects they name in the table.
    pub const fn names(self) -> Site {
        match self {
            Parent | SubOwner | SubMember | Sibling => Site::A1,
            _ => Site::A,
        }
    }

    /// Whose objects they name in the table.
    pub const fn whose(self) -> Whose {
        match self {
            Own | Restricted | Archived => Whose::Own,
            Primary => Whose::Primary,
            CareTeam => Whose::CareTeam,
            CaringFlag(_) => Whose::Bearer,
            _ => Whose::Stranger,
        }
    }

    /// Whether they are one of many who differ by a flag.
    pub const fn holds_one_flag(self) -> bool {
        matches!(self, Flag(_) | CaringFlag(_))
    }

    /// Whether nothing of what they name is theirs to know.
    pub const fn is_foreign(self) -> bool {
        matches!(self, Other | Client | Sibling | Deactivated)
    }
}
