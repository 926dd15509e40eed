//! What every answer of the run has to be, whatever was asked.

use std::collections::BTreeSet;
use std::time::SystemTime;

use crate::failure::Failure;
use crate::pair::Pair;
use crate::report::Row;
use crate::side::{Seen, Side};
use crate::wire::Ask;

/// Seconds that a clock may be wrong.
const SKEW_MAX: i64 = 30;

/// Answers of all sorts: pages, errors, paths that are not there.
fn all_sorts(side: &Side) -> Result<Vec<Seen>, Failure> {
    for path in ["/healthz", "/readyz", "/graphql", "/nowhere", "/set-password", "/files/x"] {
        side.ask(&Ask::get(path).with("accept", "text/html"))?;
    }
    let mut no_json = Ask::get("/graphql").with("content-type", "text/plain");
    (no_json.method, no_json.body) = (hyper::Method::POST, Some("x".to_owned()));
    side.ask(&no_json)?;
    no_json.headers = vec![("content-type", "application/json".to_owned())];
    side.ask(&no_json)?;
    Ok(side.seen())
}

/// ISO-23: `X-Environment`.
pub fn environment(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    for (side, _) in pair.ways() {
        let word = side.kind.word();
        for seen in all_sorts(side)? {
            let named = seen.answer.header("x-environment");
            row.case(named == word, || {
                format!(
                    "the {} answers {} with {} and X-Environment {named:?}",
                    side.kind.title(),
                    seen.what,
                    seen.answer.status
                )
            });
        }
    }
    Ok(())
}

/// ISO-12: `X-Instance`, and the tags in the keys.
pub fn instance(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    let (s, p) = (&pair.s, &pair.p);
    row.case(s.tag != p.tag, || format!("both keys are of an instance {}", s.tag));
    let seen = [all_sorts(s)?, all_sorts(p)?];
    let tag = |seen: &Seen| seen.answer.header("x-instance").to_owned();
    let [own, others]: [BTreeSet<String>; 2] =
        seen.each_ref().map(|those| those.iter().map(tag).collect());
    // First, as it says more than any one answer.
    let both: Vec<_> = own.intersection(&others).filter(|tag| !tag.is_empty()).collect();
    row.case(both.is_empty(), || format!("both answer as the instance {both:?}"));
    for ((side, _), those) in pair.ways().into_iter().zip(&seen) {
        for seen in those {
            let tag = tag(seen);
            row.case(tag == side.tag, || {
                format!(
                    "the {} answers {} with X-Instance {tag:?}, and its key is of {}",
                    side.kind.title(),
                    seen.what,
                    side.tag
                )
            });
        }
    }
    Ok(())
}

/// ISO-16.
pub fn cookies(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    let mut names = [BTreeSet::new(), BTreeSet::new()];
    for (number, (side, _)) in pair.ways().into_iter().enumerate() {
        for seen in all_sorts(side)? {
            let set = seen.answer.headers.get_all("set-cookie").into_iter();
            // A cookie without a name is all value: that is not repeated.
            let name = |value: &hyper::header::HeaderValue| {
                let name = value.to_str().ok().and_then(|it| it.split_once('=')).map(|it| it.0);
                name.unwrap_or("a cookie without a name").to_owned()
            };
            let set: Vec<String> = set.map(name).collect();
            let loose: Vec<&String> =
                set.iter().filter(|name| !name.starts_with("__Host-")).collect();
            row.case(loose.is_empty(), || {
                format!(
                    "the {} sets {loose:?} at {}: a name without __Host- reaches sibling hosts",
                    side.kind.title(),
                    seen.what
                )
            });
            names[number].extend(set);
        }
    }
    let both: Vec<_> = names[0].intersection(&names[1]).collect();
    row.case(both.is_empty(), || format!("both set the cookie {both:?}"));
    Ok(())
}

/// ISO-47: the `Date` of answers beside this machine's clock, and beside the other's.
pub fn clock(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    row.without("no answer has a Date");
    let mut worst = Vec::new();
    for (side, _) in pair.ways() {
        let skews: Vec<i64> = all_sorts(side)?.iter().filter_map(skew).collect();
        let most = skews.iter().copied().max_by_key(|skew| skew.abs());
        for skew in &skews {
            row.case(skew.abs() <= SKEW_MAX, || {
                format!("the {}'s clock is {skew} s from this machine's", side.kind.title())
            });
        }
        worst.extend(most);
    }
    if let [s, p] = worst[..] {
        let apart = (s - p).abs();
        row.case(apart <= SKEW_MAX, || format!("their clocks are {apart} s apart"));
    }
    Ok(())
}

/// Seconds that an answer's `Date` is ahead of this machine.
fn skew(seen: &Seen) -> Option<i64> {
    let told = httpdate::parse_http_date(seen.answer.header("date")).ok()?;
    let seconds = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    };
    Some(seconds(told)? - seconds(seen.answer.at)?)
}
