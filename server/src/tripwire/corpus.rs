//! How much the guard finds and how often it is wrong, on texts that a generator makes.

use ward_instance::Random;

use super::numbers::{is_luhn, sign_in};
use super::{Sign, Tier};

/// Texts of each sort.
const EACH: usize = 20_000;

struct Maker(Random);

impl Maker {
    fn digits(&self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.0.below(10) as u8)).collect()
    }

    fn one<'a>(&self, of: &[&'a str]) -> &'a str {
        of[self.0.below(of.len() as u64) as usize]
    }

    fn ssn(&self) -> String {
        let area = 1 + self.0.below(665);
        let (group, serial) = (1 + self.0.below(99), 1 + self.0.below(9_999));
        format!("{area:03}-{group:02}-{serial:04}")
    }

    fn card(&self) -> String {
        let (prefix, length) = [("4", 16), ("52", 16), ("2345", 16), ("6011", 16), ("37", 15)]
            [self.0.below(5) as usize];
        let body = format!("{prefix}{}", self.digits(length - prefix.len() - 1));
        let checked = (b'0'..=b'9').map(|it| format!("{body}{}", char::from(it)));
        checked.into_iter().find(|it| is_luhn(it)).unwrap()
    }

    fn mbi(&self) -> String {
        let letter = || {
            self.one(&[
                "A", "C", "D", "E", "F", "G", "H", "J", "K", "M", "N", "P", "Q", "R", "T", "U",
                "V", "W", "X", "Y",
            ])
        };
        let digit = || self.digits(1);
        format!(
            "{}{}{}{}{}{}{}{}{}{}",
            1 + self.0.below(9),
            letter(),
            digit(),
            digit(),
            letter(),
            letter(),
            digit(),
            letter(),
            letter(),
            self.digits(2)
        )
    }

    /// A number as people write it: in groups, with whatever between them.
    fn grouped(&self, digits: &str, sizes: &[usize]) -> String {
        let between = self.one(&[" ", "-", "", ".", "\u{a0}", "\u{2011}"]);
        let (mut groups, mut rest) = (Vec::new(), digits);
        for size in sizes {
            let (group, behind) = rest.split_at((*size).min(rest.len()));
            groups.push(group);
            rest = behind;
        }
        groups.push(rest);
        groups.retain(|group| !group.is_empty());
        groups.join(between)
    }

    /// What stands beside a card: its end, its code, a date, a telephone number.
    fn beside(&self, card: &str) -> String {
        match self.0.below(6) {
            0 => format!("{card} {:02}/{}", 1 + self.0.below(12), 26 + self.0.below(9)),
            1 => format!("{card} {}", self.digits(3)),
            2 => format!("2026-03-{:02} {card}", 1 + self.0.below(28)),
            3 => format!("{card}, 212 555 01{}", self.digits(2)),
            4 => format!("{{\"card\": \"{card}\"}}"),
            _ => format!("line\n{card}\nline"),
        }
    }

    /// Something that a Sandbox is full of and that is nobody's.
    fn harmless(&self) -> String {
        match self.0.below(10) {
            0 => self.digits(10),
            1 => format!(
                "2026-{:02}-{:02}T{:02}:30:00Z",
                1 + self.0.below(12),
                1 + self.0.below(28),
                self.0.below(24)
            ),
            2 => format!("{}-{}-{}-{}", self.hex(8), self.hex(4), self.hex(4), self.hex(12)),
            3 => format!("+1 212 555 01{}", self.digits(2)),
            4 => format!("9{}-{}-{}", self.digits(2), self.digits(2), self.digits(4)),
            5 => format!("invoice {} of {}.{}", self.digits(7), self.digits(3), self.digits(2)),
            6 => format!("17{}", self.digits(14)),
            // One in forty of these has a network's beginning and a right check digit.
            7 => format!("tracking number {}", self.digits(16)),
            8 => format!(
                "{} Main Street, Apt {}, {}",
                self.digits(4),
                self.digits(2),
                self.digits(5)
            ),
            _ => format!("sha {}", self.hex(40)),
        }
    }

    fn hex(&self, count: usize) -> String {
        (0..count).map(|_| char::from(b"0123456789abcdef"[self.0.below(16) as usize])).collect()
    }

    fn around(&self, what: &str) -> String {
        let before = self.one(&["", "her number is ", "see: ", "(", "note of today, "]);
        let behind = self.one(&["", ".", " as she says", ")", ", thanks"]);
        format!("{before}{what}{behind}")
    }
}

#[test]
fn precision_and_recall() {
    let make = Maker(Random::seeded(20_260_304));
    let known = |sign: Option<Sign>| sign.is_some_and(|it| it.tier() == Tier::Hard);
    let mut missed = Vec::new();
    for _ in 0..EACH {
        let (card, mbi) = (make.card(), make.mbi());
        let card = match card.len() {
            15 => make.grouped(&card, &[4, 6, 5]),
            _ => make.grouped(&card, &[4, 4, 4, 4]),
        };
        let between = make.one(&["-", " ", "."]);
        let ssn = make.ssn().replace('-', between);
        let mbi = match make.0.below(3) {
            0 => mbi,
            1 => mbi.to_lowercase(),
            _ => format!("{}-{}-{}", &mbi[..4], &mbi[4..7], &mbi[7..]),
        };
        for real in [ssn, make.beside(&card), mbi] {
            let text = make.around(&real);
            if !known(sign_in(&text)) {
                missed.push(text);
            }
        }
    }
    let wrong: Vec<String> = (0..3 * EACH)
        .map(|_| make.around(&make.harmless()))
        .filter(|text| known(sign_in(text)))
        .collect();
    let all = 3 * EACH;
    let found = all - missed.len();
    let recall = found as f64 / all as f64;
    let precision = found as f64 / (found + wrong.len()) as f64;
    println!(
        "tripwire: recall {recall:.5}, precision {precision:.5} of {all} real and {all} harmless texts"
    );
    println!(
        "missed {:?}\nwrong {:?}",
        missed.iter().take(10).collect::<Vec<_>>(),
        wrong.iter().take(10).collect::<Vec<_>>()
    );
    assert!(recall > 0.999, "{recall}");
    assert!(precision > 0.995, "{precision}");
}
