//! What every answer of the run has to be, whatever was asked.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::json;

use crate::failure::Failure;
use crate::pair::Pair;
use crate::report::Row;
use crate::side::{Seen, Side, VIEW};
use crate::wire::{Answer, Ask};

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
    Ok(side.seen_of_its_own())
}

/// One case for each route and status, however many answers were had there: with what is wrong with
/// the first that is not as it has to be.
pub fn judge(
    row: &mut Row,
    side: &Side,
    answers: &[Seen],
    fault: impl Fn(&Seen) -> Option<String>,
) {
    let mut cases: Vec<((&str, u16), Option<String>)> = Vec::new();
    for seen in answers {
        let of = (seen.what.as_str(), seen.answer.status);
        match cases.iter_mut().find(|(known, _)| *known == of) {
            Some((_, found)) if found.is_none() => *found = fault(seen),
            Some(_) => {}
            None => cases.push((of, fault(seen))),
        }
    }
    row.remark(format!("looked at {} answers of the {}", answers.len(), side.kind.title()));
    for (_, found) in cases {
        row.judged(found);
    }
}

/// ISO-23: `X-Environment`.
pub fn environment(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    for (side, _) in pair.ways() {
        judge(row, side, &all_sorts(side)?, |seen| {
            let named = seen.answer.header("x-environment");
            let otherwise = || {
                format!(
                    "the {} answers {} with {} and X-Environment {named:?}",
                    side.kind.title(),
                    seen.what,
                    seen.answer.status
                )
            };
            (named != side.kind.word()).then(otherwise)
        });
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
        judge(row, side, those, |seen| {
            let tag = tag(seen);
            let otherwise = || {
                format!(
                    "the {} answers {} with X-Instance {tag:?}, and its key is of {}",
                    side.kind.title(),
                    seen.what,
                    side.tag
                )
            };
            (tag != side.tag).then(otherwise)
        });
    }
    Ok(())
}

/// The names of the cookies that an answer sets.
fn set_by(seen: &Seen) -> Vec<String> {
    let set = seen.answer.headers.get_all("set-cookie").into_iter();
    // A cookie without a name is all value: that is not repeated.
    let name = |value: &hyper::header::HeaderValue| {
        let name = value.to_str().ok().and_then(|it| it.split_once('=')).map(|it| it.0);
        name.unwrap_or("a cookie without a name").to_owned()
    };
    set.map(name).collect()
}

/// ISO-16: first that the other's cookies lead nowhere, then those that are set.
pub fn cookies(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    for (side, other) in pair.ways() {
        with_cookies_of(other, side, row)?;
    }
    let mut names = [BTreeSet::new(), BTreeSet::new()];
    for (number, (side, _)) in pair.ways().into_iter().enumerate() {
        let answers = all_sorts(side)?;
        names[number].extend(answers.iter().flat_map(set_by));
        judge(row, side, &answers, |seen| {
            let mut loose = set_by(seen);
            loose.retain(|name| !name.starts_with("__Host-"));
            let otherwise = || {
                format!(
                    "the {} sets {loose:?} at {}: a name without __Host- reaches sibling hosts",
                    side.kind.title(),
                    seen.what
                )
            };
            (!loose.is_empty()).then(otherwise)
        });
    }
    let both: Vec<_> = names[0].intersection(&names[1]).collect();
    row.case(both.is_empty(), || format!("both set the cookie {both:?}"));
    if names.iter().all(BTreeSet::is_empty) {
        row.remark("no answer sets a cookie: keys and sessions travel in a header");
    }
    Ok(())
}

/// What a browser might bring that has been at the other: its session, if one is given, under names
/// that tell the environment. Nothing sets these; a proxy may have been taught to heed them.
fn cookies_of(other: &Side) -> String {
    let (word, tag) = (other.kind.word(), other.tag.as_str());
    let session = other.session.as_deref().unwrap_or(tag);
    [
        format!("__Host-ward-{word}={session}"),
        format!("__Host-session={session}"),
        format!("session={session}"),
        format!("environment={word}"),
        format!("env={word}"),
        format!("instance={tag}"),
    ]
    .join("; ")
}

/// Who answers, as far as it tells.
fn told(answer: &Answer) -> [String; 4] {
    let headers = ["x-environment", "x-instance"].map(|name| answer.header(name).to_owned());
    let [environment, instance] = headers;
    [answer.status.to_string(), answer.code().to_owned(), environment, instance]
}

/// Each question is answered by the same one, alike, with the other's cookies and without any.
fn with_cookies_of(other: &Side, side: &Side, row: &mut Row) -> Result<(), Failure> {
    let who = Side::question(VIEW, "{ currentUser { id } }", &json!({}));
    let asks = [
        Ask::get("/healthz"),
        Ask::get("/readyz"),
        Side::question(VIEW, "{ __typename }", &json!({})),
        who.with("authorization", format!("Basic {}", side.key)),
    ];
    for ask in asks {
        let without = told(&side.ask(&ask)?);
        let with = told(&side.ask(&ask.clone().with("cookie", cookies_of(other)))?);
        row.case(with == without, || {
            format!(
                "the {} answers {} {} to who brings cookies of the {} with {with:?}, else with {without:?}",
                side.kind.title(),
                ask.method,
                ask.path,
                other.kind.title()
            )
        });
    }
    Ok(())
}

/// ISO-47: the `Date` of answers beside this machine's clock, and beside the other's. Of all answers
/// of one the date that is most wrong is the case.
pub fn clock(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    row.without("no answer has a Date");
    let mut worst = Vec::new();
    for (side, _) in pair.ways() {
        let skews: Vec<i64> = all_sorts(side)?.iter().filter_map(skew).collect();
        let title = side.kind.title();
        row.remark(format!("looked at the dates of {} answers of the {title}", skews.len()));
        let Some(most) = skews.into_iter().max_by_key(|skew| skew.abs()) else { continue };
        row.case(most.abs() <= SKEW_MAX, || {
            format!("the {title}'s clock is {most} s from this machine's")
        });
        worst.push(most);
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
