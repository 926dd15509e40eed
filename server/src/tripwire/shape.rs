//! What a text could hold, told by one look at each of its bytes: the patterns, which find it, are
//! tried only where it could. Pure. Says yes too often rather than no, so that nothing is missed.

/// What a text could hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Three, two and four digits with something between.
    pub ssn: bool,
    /// Digits enough for a card, in groups that stand close.
    pub card: bool,
    /// A word with the letters and digits of an MBI.
    pub mbi: bool,
    /// A word that names a record's number.
    pub context: bool,
}

/// Words that name a record's number begin like this.
const NAMES: [&[u8]; 6] =
    [b"mrn", b"dob", b"date of birth", b"policy n", b"member id", b"medical record"];

/// Letters and digits of an MBI (CMS): positions 2, 5, 8, 9 are letters, and 1, 4, 7, 10, 11 digits.
const MBI: (usize, usize, usize) = (11, 4, 5);
/// The fewest digits of a card.
const CARD_DIGITS: usize = 13;
/// What stands between two groups takes so many bytes at most.
const BETWEEN: usize = 3;

/// The walk over the bytes.
#[derive(Default)]
struct Walk {
    shape: Shape,
    /// Digits of the group that is being read.
    group: usize,
    /// The two groups before it, while they stand close.
    groups: [usize; 2],
    /// Digits of all groups that stand close, with this one.
    chain: usize,
    /// Bytes since the last group.
    gap: usize,
    /// All, letters and digits of the word that is being read.
    word: (usize, usize, usize),
}

/// Looks at a text.
pub fn of(text: &str) -> Shape {
    let bytes = text.as_bytes();
    let mut walk = Walk::default();
    let mut is_in_word = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => walk.digit(),
            _ => walk.other(*byte),
        }
        let is_of_word = byte.is_ascii_alphanumeric() || *byte == b'_';
        if is_of_word && !is_in_word && names_a_number(&bytes[at..]) {
            walk.shape.context = true;
        }
        is_in_word = is_of_word;
    }
    walk.group_ends();
    walk.shape
}

impl Walk {
    fn digit(&mut self) {
        self.group += 1;
        self.chain += 1;
        self.gap = 0;
        self.shape.card |= self.chain >= CARD_DIGITS;
        self.word.0 += 1;
        self.word.2 += 1;
        self.word_grew();
    }

    fn other(&mut self, byte: u8) {
        self.group_ends();
        self.gap += 1;
        let is_between = matches!(byte, b' ' | b'.' | b'-') || !byte.is_ascii();
        if !is_between || self.gap > BETWEEN || (self.gap > 1 && byte.is_ascii()) {
            self.groups = [0, 0];
            self.chain = 0;
        }
        match byte {
            b'-' => {}
            // Some letters beyond ASCII are the capitals of a Latin one's.
            _ if byte.is_ascii_alphabetic() || !byte.is_ascii() => {
                self.word.0 += 1;
                self.word.1 += 1;
                self.word_grew();
            }
            _ => self.word = (0, 0, 0),
        }
    }

    fn group_ends(&mut self) {
        if self.group > 0 {
            self.shape.ssn |= self.groups == [3, 2] && self.group == 4;
            self.groups = [self.groups[1], self.group];
            self.group = 0;
        }
    }

    fn word_grew(&mut self) {
        let (all, letters, digits) = self.word;
        self.shape.mbi |= all >= MBI.0 && letters >= MBI.1 && digits >= MBI.2;
    }
}

fn names_a_number(rest: &[u8]) -> bool {
    matches!(rest.first().map(u8::to_ascii_lowercase), Some(b'm' | b'd' | b'p'))
        && NAMES.iter().any(|name| {
            rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        })
}
