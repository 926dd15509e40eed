//! Named worlds that a Sandbox is filled with. The same pack and seed give the same data, on every
//! platform; all people are invented and reach nobody.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use ward_clients::seed::Theme;
use ward_clients::{seed_messy, seed_people};
use ward_identity::seed::{self as identity, Cast, Part};
use ward_instance::SandboxWitness;
use ward_scheduling::seed::{self as scheduling, Kind};

/// A world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pack {
    /// The synthetic practice of `ward sandbox seed`.
    #[default]
    Standard,
    /// An organization with its owner and one integration.
    Empty,
    /// A dietitian on their own.
    Solo,
    /// Group behavioural health with sub-organizations.
    Group,
    /// Virtual primary care.
    PrimaryCare,
    /// Every edge.
    Messy,
}

impl Pack {
    /// All of them.
    pub const ALL: [Pack; 6] =
        [Pack::Standard, Pack::Empty, Pack::Solo, Pack::Group, Pack::PrimaryCare, Pack::Messy];

    /// As it is asked for.
    pub const fn as_str(self) -> &'static str {
        match self {
            Pack::Standard => "standard",
            Pack::Empty => "empty",
            Pack::Solo => "solo",
            Pack::Group => "group",
            Pack::PrimaryCare => "primary-care",
            Pack::Messy => "messy",
        }
    }

    /// What it is, in one sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Pack::Standard => {
                "A nutrition practice with a branch, six staff, two integrations and forty clients."
            }
            Pack::Empty => {
                "An organization with its owner, and in `ward sandbox run` an integration; nothing else."
            }
            Pack::Solo => "A dietitian on their own, with twelve clients and one integration.",
            Pack::Group => {
                "Group behavioural health: three sub-organizations, ten staff, clinics with rooms and forty clients."
            }
            Pack::PrimaryCare => {
                "Virtual primary care: video visits, a group visit with a waitlist, clients with credits."
            }
            Pack::Messy => {
                "Every edge: nights in which the clocks jump, leap days, minors, merged and restricted clients, names of any script and length, missing values, archived types, a series that was called off."
            }
        }
    }

    /// What it is made of; nothing for the empty one. There are none in Production.
    pub(crate) const fn world(self, _: &SandboxWitness) -> Option<&'static World> {
        match self {
            Pack::Standard => Some(&STANDARD),
            Pack::Empty => None,
            Pack::Solo => Some(&SOLO),
            Pack::Group => Some(&GROUP),
            Pack::PrimaryCare => Some(&PRIMARY_CARE),
            Pack::Messy => Some(&MESSY),
        }
    }

    /// As it is listed.
    pub fn list() -> Json {
        let packs = Pack::ALL.map(|it| json!({"name": it.as_str(), "about": it.sentence()}));
        json!({ "packs": packs })
    }
}

impl FromStr for Pack {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Pack::ALL.into_iter().find(|it| it.as_str() == text).ok_or(
            "the pack is standard, empty, solo, group, primary-care or messy; ward sandbox packs tells of each",
        )
    }
}

/// Which further things a world has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    /// Nothing.
    None,
    /// Who waits for a seat, and credits.
    Waiting,
    /// What a program trips over.
    Edges,
}

/// What a pack is made of.
pub(crate) struct World {
    pub(crate) cast: &'static Cast,
    pub(crate) theme: Theme,
    pub(crate) types: &'static [Kind; 4],
    pub(crate) clients: usize,
    /// Of the root, then of each branch: places with their rooms.
    pub(crate) places: &'static [&'static [(&'static str, &'static [&'static str])]],
    pub(crate) more: More,
}

const STANDARD: World = World {
    cast: &identity::STANDARD,
    theme: Theme::STANDARD,
    types: &scheduling::STANDARD,
    clients: seed_people::PEOPLE,
    places: &[],
    more: More::None,
};

const SOLO: World = World {
    cast: &Cast { branches: &[], parts: &[identity::INTEGRATION] },
    theme: Theme {
        groups: ["Nutrition", "Family", "Sports", "Waiting list"],
        tags: Theme::STANDARD.tags,
    },
    types: &[
        ("Nutrition assessment", 60, 17_500, [true, true, false], false),
        ("Nutrition follow-up", 30, 9_000, [true, true, false], false),
        ("Phone check-in", 15, 0, [false, false, true], false),
        ("Grocery tour", 90, 3_000, [false, true, false], true),
    ],
    clients: 12,
    places: &[&[("Home office, 1 Example Street, New York, NY 10001", &[])]],
    more: More::None,
};

const fn therapist(title: &'static str, qualifications: &'static str) -> Part {
    Part {
        qualifications: Some(qualifications),
        ..Part::new("provider", title, identity::provider)
    }
}

const fn at_branch(branch: usize, title: &'static str, qualifications: &'static str) -> Part {
    Part {
        qualifications: Some(qualifications),
        branch: Some(branch),
        ..Part::new("suborganization_provider", title, identity::lead)
    }
}

const GROUP: World = World {
    cast: &Cast {
        branches: &["North", "South", "Telehealth"],
        parts: &[
            identity::ADMINISTRATOR,
            Part {
                qualifications: Some("PsyD"),
                ..Part::new("lead_provider", "Clinical director", identity::lead)
            },
            therapist("Therapist", "LCSW"),
            therapist("Therapist", "LMFT"),
            therapist("Psychiatrist", "MD"),
            at_branch(0, "Therapist", "LPC"),
            at_branch(1, "Therapist", "LCSW"),
            at_branch(2, "Nurse practitioner", "PMHNP"),
            Part::new("support", "Front desk", identity::support),
            Part::new("support", "Intake coordinator", identity::support),
            identity::INTEGRATION,
            identity::READER,
        ],
    },
    theme: Theme {
        groups: ["Anxiety", "Grief", "Recovery", "Waiting list"],
        tags: [
            "Intake",
            "Safety plan",
            "Telehealth",
            "Needs interpreter",
            "Insurance",
            "Follow-up",
        ],
    },
    types: &[
        ("Intake evaluation", 60, 22_000, [true, true, false], false),
        ("Individual therapy", 50, 16_500, [true, true, false], false),
        ("Phone check-in", 15, 4_000, [false, false, true], false),
        ("Group therapy", 90, 6_000, [true, true, false], true),
    ],
    clients: seed_people::PEOPLE,
    places: &[
        &[(
            "Main clinic, 100 Example Plaza, New York, NY 10001",
            &["Room 1", "Room 2", "Group room"],
        )],
        &[("North clinic, 5 Sample Avenue, Albany, NY 12207", &["Room A", "Room B"])],
        &[("South clinic, 9 Mock Court, Newark, NJ 07102", &["Room A"])],
    ],
    more: More::None,
};

const PRIMARY_CARE: World = World {
    cast: &Cast {
        branches: &[],
        parts: &[
            identity::ADMINISTRATOR,
            Part {
                qualifications: Some("MD"),
                ..Part::new("lead_provider", "Medical director", identity::lead)
            },
            therapist("Nurse practitioner", "NP"),
            therapist("Physician assistant", "PA-C"),
            Part::new("support", "Care coordinator", identity::support),
            identity::INTEGRATION,
            identity::READER,
        ],
    },
    theme: Theme {
        groups: ["Members", "Employer plan", "Diabetes", "Waiting list"],
        tags: ["New", "Chronic", "Video only", "Needs interpreter", "Lab due", "Follow-up"],
    },
    types: &[
        ("New member visit", 40, 12_500, [true, false, false], false),
        ("Video visit", 20, 7_500, [true, false, false], false),
        ("Nurse call", 10, 0, [false, false, true], false),
        ("Diabetes group visit", 60, 2_000, [true, false, false], true),
    ],
    clients: 30,
    places: &[],
    more: More::Waiting,
};

const MESSY: World = World {
    cast: &identity::STANDARD,
    theme: Theme {
        groups: ["Ünïcödé", "emoji 🧪", "quotes \" ' `", "Waiting list"],
        tags: Theme::STANDARD.tags,
    },
    types: &scheduling::STANDARD,
    clients: seed_messy::COUNT,
    places: &[&[("Edge clinic ☎ 1 Edge Street\u{a0}New York", &["Room ½", "Räum 2"])]],
    more: More::Edges,
};
