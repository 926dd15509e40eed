//! What an answer tells, without the answer: to say whether two are alike.

use std::collections::{BTreeMap, BTreeSet};

use crate::failure::Failure;
use crate::text::hex;
use crate::wire::Answer;

/// Headers that are each answer's own.
const OWN: [&str; 3] = ["date", "x-request-id", "content-length"];

/// Times that two answers are asked for once more before they count as different.
const ROUNDS: usize = 2;

/// Digests of an answer, but for the id that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Of status and body.
    told: String,
    /// Of the values of each header.
    headers: BTreeMap<String, String>,
}

fn digest(text: &str) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref())
}

impl Outline {
    /// Digests an answer.
    pub fn of(answer: &Answer, id: &str) -> Outline {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &answer.headers {
            if !OWN.contains(&name.as_str()) {
                let values = headers.entry(name.to_string()).or_default();
                values.push_str(&format!("{value:?} "));
            }
        }
        for values in headers.values_mut() {
            *values = digest(values);
        }
        let told = digest(&format!("{} {}", answer.status, answer.text.replace(id, "ID")));
        Outline { told, headers }
    }
}

/// Headers that differ from answer to answer whatever is asked: a moving clock, what a proxy counts.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    values: BTreeSet<String>,
    presence: BTreeSet<String>,
}

impl Noise {
    /// Learns from two answers to one question.
    fn learn(&mut self, one: &Outline, two: &Outline) {
        for name in one.headers.keys().chain(two.headers.keys()) {
            match (one.headers.get(name), two.headers.get(name)) {
                (Some(one), Some(two)) if one != two => drop(self.values.insert(name.clone())),
                (None, _) | (_, None) => drop(self.presence.insert(name.clone())),
                _ => {}
            }
        }
    }

    /// Whether two answers are alike but for the noise.
    fn alike(&self, one: &Outline, two: &Outline) -> bool {
        let mut names = one.headers.keys().chain(two.headers.keys());
        one.told == two.told
            && names.all(|name| match (one.headers.get(name), two.headers.get(name)) {
                (Some(one), Some(two)) => {
                    one == two || self.values.contains(name) || self.presence.contains(name)
                }
                _ => self.presence.contains(name),
            })
    }
}

/// Whether two questions are answered differently, each time that they are asked.
pub fn differ(
    first: [&Outline; 2],
    again: impl Fn() -> Result<[Outline; 2], Failure>,
    noise: &mut Noise,
) -> Result<bool, Failure> {
    let mut last = first.map(Clone::clone);
    for _ in 0..ROUNDS {
        if noise.alike(&last[0], &last[1]) {
            return Ok(false);
        }
        let now = again()?;
        for (last, now) in last.iter().zip(&now) {
            noise.learn(last, now);
        }
        if noise.alike(&last[0], &last[1]) {
            return Ok(false);
        }
        last = now;
    }
    Ok(!noise.alike(&last[0], &last[1]))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn outline(told: &str, headers: &[(&str, String)]) -> Outline {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Outline { told: told.to_owned(), headers: headers.collect() }
    }

    /// Whether what a server makes of "is there" and of the number of the request differs.
    fn found(make: impl Fn(bool, usize) -> Outline) -> bool {
        let count = Cell::new(0);
        let next = |is_there| {
            count.set(count.get() + 1);
            make(is_there, count.get())
        };
        let (mut noise, one, two) = (Noise::default(), next(true), next(false));
        differ([&one, &two], || Ok([next(true), next(false)]), &mut noise).unwrap()
    }

    #[test]
    fn what_differs_by_itself_is_no_difference() {
        assert!(!found(|_, _| outline("no", &[])));
        assert!(!found(|_, n| outline("no", &[("x-sandbox-clock", n.to_string())])));
        assert!(!found(|_, n| match n % 4 {
            1 => outline("no", &[("set-cookie", "a".to_owned())]),
            _ => outline("no", &[]),
        }));
    }

    #[test]
    fn what_differs_by_the_id_is_found_beside_noise() {
        let noisy = |n: usize, more: Option<&str>| {
            let mut headers = vec![("x-sandbox-clock", n.to_string())];
            headers.extend(more.map(|value| ("x-found", value.to_owned())));
            outline("no", &headers)
        };
        assert!(found(|is_there, n| noisy(n, is_there.then_some("yes"))));
        assert!(found(|is_there, n| noisy(n, Some(if is_there { "yes" } else { "no" }))));
        assert!(found(|is_there, n| outline(
            if is_there { "somebody's" } else { "no" },
            &[("cf-ray", n.to_string())]
        )));
        // Even where the value is never the same.
        let secret = |n: usize| outline("no", &[("x-found", n.to_string())]);
        assert!(found(|is_there, n| if is_there { secret(n) } else { outline("no", &[]) }));
    }
}
