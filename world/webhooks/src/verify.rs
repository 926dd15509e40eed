//! Checking a request that arrived, and saying what is wrong with it: for a developer whose
//! receiver refuses what it is sent. Both signatures, from the same bytes as [`crate::signature`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{secret, signature};

/// What libraries of Standard Webhooks allow between `webhook-timestamp` and now, in seconds.
pub const TOLERANCE: i64 = 5 * 60;

/// A request as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// Path, and query if there is one, as they were asked for.
    pub target: Option<&'a str>,
    /// Names in any case, and values.
    pub headers: &'a [(String, String)],
    /// The bytes of the body.
    pub body: &'a [u8],
}

impl<'a> Arrived<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        let found = self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }
}

/// What was found of one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Valid,
    /// It is not; each sentence names one thing.
    Wrong(Vec<String>),
    /// It can't be said with what is given; the sentence says why.
    Unknown(&'static str),
}

/// Checks the contract's signature (behaviour 13.3) with a webhook's `signature_secret`.
pub fn contract(secret: &str, arrived: &Arrived<'_>) -> Verdict {
    if standard_key(secret).is_some() {
        return Verdict::Unknown("this is the secret of Standard Webhooks; signature_secret signs");
    }
    let mut wrong = Vec::new();
    let mut part = |name: &str| {
        let value = arrived.header(name);
        if value.is_none() {
            wrong.push(format!("the header {name} is missing"));
        }
        value.and_then(|value| value.split('=').nth(1)).unwrap_or_default()
    };
    let (digest, given) = (part("Content-Digest"), part("Signature"));
    if arrived.header("Signature-Input").is_none() {
        wrong.push("the header Signature-Input is missing".to_owned());
    }
    if arrived.header("Content-Type").is_none_or(|kind| kind != signature::CONTENT_TYPE) {
        wrong.push(format!("Content-Type is not {}", signature::CONTENT_TYPE));
    }
    let length = arrived.body.len();
    if let Some(said) = arrived.header("Content-Length").filter(|said| **said != length.to_string())
    {
        wrong.push(format!("Content-Length says {said}, and the body has {length} bytes"));
    }
    if !digest.is_empty() && digest != signature::digest(arrived.body) {
        wrong.push(body_differs(digest, arrived.body));
    }
    let Some(target) = arrived.target else {
        wrong.push("the path that the request went to is not known, and it is signed".to_owned());
        return Verdict::Wrong(wrong);
    };
    if !given.is_empty() && wrong.is_empty() {
        wrong.extend(signature_differs(secret, target, given, arrived.body));
    }
    if wrong.is_empty() { Verdict::Valid } else { Verdict::Wrong(wrong) }
}

fn body_differs(digest: &str, body: &[u8]) -> String {
    let trimmed = body.trim_ascii_end();
    if trimmed.len() < body.len() && digest == signature::digest(trimmed) {
        return "the body ends in white space that was not sent".to_owned();
    }
    if digest.len() != 64 {
        return "Content-Digest is no SHA-256 in hexadecimal".to_owned();
    }
    let own = signature::digest(body);
    format!("the body is not what was sent: its SHA-256 is {own}, Content-Digest says {digest}")
}

fn signature_differs(secret: &str, target: &str, given: &str, body: &[u8]) -> Option<String> {
    let fits = |secret: &str, path: &str, query: &str| {
        signature::contract(secret, path, query, body) == format!("sig1={given}")
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if fits(secret, path, query) {
        return None;
    }
    let other = match path.strip_suffix('/') {
        Some(short) => short.to_owned(),
        None => format!("{path}/"),
    };
    let sentence = if fits(secret, path, "") {
        format!("the signature is that of {path} without its query")
    } else if fits(secret, &other, query) {
        format!("the signature is that of the path {other}, not {path}")
    } else if fits(secret.strip_prefix("whsec_").unwrap_or(secret), path, query) {
        "the signature was made without the secret's whsec_".to_owned()
    } else {
        "the signature is not that of this secret and this path".to_owned()
    };
    Some(sentence)
}

/// Checks the signature of Standard Webhooks with either of a webhook's secrets; its age is
/// [`age`]'s to say.
pub fn standard(secret: &str, arrived: &Arrived<'_>) -> Verdict {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let missing = |name: &&&str| arrived.header(name).is_none();
    let missing: Vec<String> =
        names.iter().filter(missing).map(|name| format!("the header {name} is missing")).collect();
    let [Some(id), Some(time), Some(given)] = names.map(|name| arrived.header(name)) else {
        return Verdict::Wrong(missing);
    };
    let Ok(seconds) = time.parse::<i64>() else {
        return Verdict::Wrong(vec!["webhook-timestamp is no number of seconds".to_owned()]);
    };
    let key = standard_key(secret).unwrap_or_else(|| secret::standard_key(secret).to_vec());
    let fits = |body: &[u8]| {
        let own = signature::standard_of(&key, id, seconds, body);
        given.split(' ').any(|given| given == own)
    };
    let trimmed = arrived.body.trim_ascii_end();
    if fits(arrived.body) {
        return Verdict::Valid;
    }
    let sentence = if !given.split(' ').any(|given| given.starts_with("v1,")) {
        "webhook-signature has no part that begins with v1,"
    } else if trimmed.len() < arrived.body.len() && fits(trimmed) {
        "the body ends in white space that was not sent"
    } else {
        "the signature is not that of this secret, webhook-id, webhook-timestamp and body"
    };
    Verdict::Wrong(vec![sentence.to_owned()])
}

/// How long before `now`, in seconds since 1970, the request says that it was sent.
pub fn age(arrived: &Arrived<'_>, now: i64) -> Option<i64> {
    let seconds: i64 = arrived.header("webhook-timestamp")?.parse().ok()?;
    now.checked_sub(seconds)
}

/// The key in a secret of Standard Webhooks; none in the contract's, which has a `_` more.
fn standard_key(secret: &str) -> Option<Vec<u8>> {
    STANDARD.decode(secret.strip_prefix("whsec_")?).ok().filter(|key| key.len() >= 24)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "whsec_sbx_K7QF2_4f6d2a";
    const SECONDS: i64 = 1_700_000_000;

    fn headers(target: &str, body: &[u8]) -> Vec<(String, String)> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        [
            ("Content-Type", signature::CONTENT_TYPE.to_owned()),
            ("Content-Length", body.len().to_string()),
            ("Content-Digest", format!("SHA-256={}", signature::digest(body))),
            ("Signature-Input", signature::INPUT.to_owned()),
            ("Signature", signature::contract(SECRET, path, query, body)),
            ("webhook-id", "0198-id".to_owned()),
            ("webhook-timestamp", SECONDS.to_string()),
            ("webhook-signature", signature::standard([SECRET], "0198-id", SECONDS, body)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn check(
        secret: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> [Verdict; 2] {
        let arrived = Arrived { target: Some(target), headers, body };
        [contract(secret, &arrived), standard(secret, &arrived)]
    }

    fn is_wrong(verdict: &Verdict, part: &str) -> bool {
        matches!(verdict, Verdict::Wrong(all) if all.iter().any(|it| it.contains(part)))
    }

    #[test]
    fn what_is_wrong_is_named() {
        let (target, body) = ("/hooks?src=ehr", br#"{"a":1}"#.as_slice());
        let sent = headers(target, body);
        let [contract, standard] = check(SECRET, target, &sent, b"{\"a\":1}\n");
        assert!(is_wrong(&contract, "ends in white space") && is_wrong(&contract, "Length"));
        assert!(is_wrong(&standard, "ends in white space"));
        let [contract, standard] = check(SECRET, target, &sent, br#"{"a":2}"#);
        assert!(is_wrong(&contract, "not what was sent") && is_wrong(&standard, "not that"));
        let [contract, standard] = check("whsec_sbx_K7QF2_other", target, &sent, body);
        assert!(is_wrong(&contract, "this secret") && is_wrong(&standard, "this secret"));
        let [contract, standard] = check(SECRET, "/hooks/?src=ehr", &sent, body);
        assert!(is_wrong(&contract, "the path /hooks, not /hooks/"), "{contract:?}");
        assert_eq!(standard, Verdict::Valid);
        let bare = headers("/hooks", body);
        assert!(is_wrong(&check(SECRET, target, &bare, body)[0], "without its query"));
        let [contract, standard] = check(SECRET, target, &sent[..3], body);
        assert!(is_wrong(&contract, "Signature is missing"), "{contract:?}");
        assert!(is_wrong(&standard, "webhook-signature is missing"), "{standard:?}");
        let own = secret::standard_text(SECRET);
        let [contract, standard] = check(&own, target, &sent, body);
        assert!(matches!(contract, Verdict::Unknown(_)) && standard == Verdict::Valid);
        let arrived = Arrived { target: None, headers: &sent, body };
        assert!(is_wrong(&super::contract(SECRET, &arrived), "path"));
        assert_eq!(age(&arrived, SECONDS + 7), Some(7));
    }

    fn targets() -> impl Strategy<Value = String> {
        "/[a-z0-9/%.-]{0,20}(\\?[a-z0-9=&]{1,20})?"
    }

    proptest! {
        #[test]
        fn what_was_signed_is_right(target in targets(), body in prop::collection::vec(any::<u8>(), 0..300)) {
            let sent = headers(&target, &body);
            prop_assert_eq!(check(SECRET, &target, &sent, &body), [Verdict::Valid, Verdict::Valid]);
        }

        #[test]
        fn any_changed_byte_is_refused(
            target in targets(), body in prop::collection::vec(any::<u8>(), 1..300),
            at in any::<prop::sample::Index>(), flip in 1..=u8::MAX,
        ) {
            let sent = headers(&target, &body);
            let mut changed = body.clone();
            changed[at.index(body.len())] ^= flip;
            for verdict in check(SECRET, &target, &sent, &changed) {
                prop_assert!(matches!(verdict, Verdict::Wrong(_)), "{:?}", verdict);
            }
        }

        #[test]
        fn any_changed_header_or_secret_is_refused(
            target in targets(), body in prop::collection::vec(any::<u8>(), 0..100),
            which in 0_usize..4, at in any::<prop::sample::Index>(), letter in "[a-zA-Z0-9]",
        ) {
            let mut sent = headers(&target, &body);
            let mut secret = SECRET.to_owned();
            // Digest and signature are the contract's, id and signature the standard's.
            let (index, judge) = [(2, 0), (4, 0), (5, 1), (7, 1)][which];
            let value = sent[index].1.clone();
            let from = if judge == 0 { value.find('=').unwrap() + 1 } else { 0 };
            let place = from + at.index(value.len() - from);
            let changed = format!("{}{letter}{}", &value[..place], &value[place + 1..]);
            prop_assume!(changed != value);
            sent[index].1 = changed;
            prop_assert!(check(SECRET, &target, &sent, &body)[judge] != Verdict::Valid);
            let place = at.index(secret.len());
            secret.replace_range(place..=place, &letter);
            prop_assume!(secret != SECRET);
            for verdict in check(&secret, &target, &headers(&target, &body), &body) {
                prop_assert!(verdict != Verdict::Valid, "{}", secret);
            }
        }

        #[test]
        fn another_path_is_refused(one in targets(), other in targets(), body in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assume!(one != other && one.trim_end_matches('?') != other.trim_end_matches('?'));
            let verdict = &check(SECRET, &other, &headers(&one, &body), &body)[0];
            prop_assert!(matches!(verdict, Verdict::Wrong(_)));
        }
    }
}
