//! How people meet: a code set of three, known by a number, a code and the text
//! that the contract shows (behaviour 21).

/// One way to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContactType {
    /// A video call.
    Video,
    /// In a room.
    InPerson,
    /// By telephone.
    Phone,
}

impl ContactType {
    /// All of them, in the order in which they are listed.
    pub const ALL: [ContactType; 3] =
        [ContactType::Video, ContactType::InPerson, ContactType::Phone];

    /// Its number.
    pub const fn number(self) -> i64 {
        match self {
            ContactType::Video => 1,
            ContactType::InPerson => 2,
            ContactType::Phone => 3,
        }
    }

    /// The text that appointments and lists show.
    pub const fn name(self) -> &'static str {
        match self {
            ContactType::Video => "Healthie Video Call",
            ContactType::InPerson => "In Person",
            ContactType::Phone => "Phone Call",
        }
    }

    /// The code that inputs of appointment types name it by.
    pub const fn code(self) -> &'static str {
        match self {
            ContactType::Video => "video_chat",
            ContactType::InPerson => "in_person",
            ContactType::Phone => "phone_call",
        }
    }

    /// By its code, or by its text, old or new, in any case.
    pub fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("Secure Videochat") {
            return Some(ContactType::Video);
        }
        Self::ALL.into_iter().find(|it| text.eq_ignore_ascii_case(it.name()) || text == it.code())
    }

    /// By its number.
    pub fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }
}

/// Which ways are offered: what the nearest layer says of each, else all.
pub fn offered(layers: &[[Option<bool>; 3]]) -> Vec<ContactType> {
    let says = |at: usize| layers.iter().find_map(|layer| layer.get(at).copied().flatten());
    let shown = |(at, _): &(usize, ContactType)| says(*at).unwrap_or(true);
    ContactType::ALL.into_iter().enumerate().filter(shown).map(|(_, it)| it).collect()
}
