//! What each gives out: cursors, links, webhook secrets, its schema.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::holdings::Cursor;
use crate::kind::Kind;
use crate::pair::Pair;
use crate::report::Row;
use crate::schema::{Input, Root};
use crate::side::{DENIED, Side, VIEW, VIEWS};
use crate::text::is_plain_path;
use crate::wire::Ask;

const CODE: &str = "WRONG_ENVIRONMENT_TOKEN";

/// ISO-15 and ISO-25, of what a reader is given.
pub fn tokens(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    row.without("no list has a cursor, and the keys' users have no link");
    for (to, from) in pair.ways() {
        let served = pair.schema(to.kind)?.roots();
        let held = pair.holdings(from.kind)?;
        let is_live = from.kind == Kind::Production && !pair.is_own;
        for Cursor { list, sort, text } in &held.cursors {
            // By its order a cursor holds names and moments, for everybody to read: of Production's
            // only those go anywhere that hold ids alone.
            if is_live && !held.tells_only_ids(text) {
                continue;
            }
            // What is asked is of the schema of who is asked.
            let known = served.iter().find(|(root, it)| *root == Root::Query && it.name == *list);
            let after = known.and_then(|(_, it)| it.arguments.iter().find(|it| it.name == "after"));
            let (Some((_, field)), Some(Input { of, .. })) = (known, after) else { continue };
            let query = format!(
                "query($after: {of}) {{ {list}(first: 1, after: $after{sort}) {{ __typename }} }}"
            );
            let answer = to.graphql(VIEW, &query, &json!({"after": text}))?;
            if answer.code() == DENIED && pair.is_denied(to, Root::Query, field)? {
                row.untried(&format!("the {}'s {list}", to.kind.title()));
                continue;
            }
            let is_refused = answer.code() == CODE && answer.json["data"][list].is_null();
            row.case(is_refused, || {
                format!(
                    "a {} cursor of {list} is answered {:?} by the {} instead of {CODE}",
                    from.kind.title(),
                    answer.code(),
                    to.kind.title()
                )
            });
        }
        // Whoever has a link of Production has what is behind it: it goes nowhere but in the suite.
        if is_live {
            continue;
        }
        for (name, link) in own_links(from)? {
            let Some(path) = path_of(&link) else { continue };
            // That it opens something at home is looked at in a Sandbox only: one that opens nothing
            // there would be refused everywhere.
            if from.kind == Kind::Sandbox {
                let home = from.ask(&Ask::get(&path))?.status;
                row.case(home == 200, || {
                    format!("the Sandbox's own {name} is answered {home} at home")
                });
            }
            let answer = to.ask(&Ask::get(&path))?;
            let told = (answer.status, answer.code());
            row.case(told == (403, CODE), || {
                format!(
                    "the {}'s {name} is answered {} {:?} by the {} instead of 403 {CODE}",
                    from.kind.title(),
                    told.0,
                    told.1,
                    to.kind.title()
                )
            });
        }
    }
    Ok(())
}

/// The links of the key's user.
fn own_links(side: &Side) -> Result<Vec<(&'static str, String)>, Failure> {
    const LINKS: [&str; 2] = ["calendar_feed_link", "avatar_url"];
    let query = format!("{{ currentUser {{ {} }} }}", LINKS.join(" "));
    let data = side.read(&query, &json!({}))?.unwrap_or_default();
    let link = |name: &'static str| {
        let link = data["currentUser"][name].as_str()?;
        Some((name, link.to_owned()))
    };
    Ok(LINKS.into_iter().filter_map(link).collect())
}

/// Path and query of a link to an instance: below what has links, and nowhere else.
fn path_of(link: &str) -> Option<String> {
    let (_, rest) = link.split_once("://")?;
    let path = rest.get(rest.find('/')?..)?;
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    let is_link = ["/calendars/", "/files/"].iter().any(|below| bare.starts_with(below));
    let is_plain = is_plain_path(bare) && query.bytes().all(|byte| byte.is_ascii_graphic());
    (is_link && is_plain && !query.contains('#')).then(|| path.to_owned())
}

/// ISO-24, of what is read without knowing anybody: the own user's links and the pages.
pub fn links(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    for (side, other) in pair.ways() {
        let mut texts: Vec<(String, String)> =
            own_links(side)?.into_iter().map(|(name, link)| (name.to_owned(), link)).collect();
        for path in ["/graphql", "/set-password?token=x", "/readyz", "/sandbox/v1/openapi.json"] {
            let page = side.ask(&Ask::get(path).with("accept", "text/html"))?;
            texts.push((path.to_owned(), page.text));
        }
        // The other is known by the address that is asked, and by the one that it gives itself.
        let own = side.door.authority();
        let mut hosts: BTreeSet<String> =
            own_links(other)?.iter().filter_map(|(_, link)| host_of(link)).collect();
        hosts.retain(|host| host != own);
        hosts.insert(other.door.authority().to_owned());
        for (what, text) in texts {
            let found = match text.contains(&other.tag) {
                true => Some(other.tag.as_str()),
                false => hosts.iter().map(String::as_str).find(|host| leads_to(&text, host)),
            };
            row.case(found.is_none(), || {
                format!(
                    "{what} of the {} names the {}: {}",
                    side.kind.title(),
                    other.kind.title(),
                    found.unwrap_or_default()
                )
            });
        }
    }
    Ok(())
}

/// The host of a link to an instance, with its port where that is not the usual one.
fn host_of(link: &str) -> Option<String> {
    path_of(link)?;
    let link = url::Url::parse(link).ok()?;
    let host = link.host_str().filter(|host| !host.is_empty())?;
    Some(link.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Whether a text has an address at a host and port, and not at a longer one. A host without a port
/// is also the one with a usual port.
fn leads_to(text: &str, host: &str) -> bool {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let usual: &[&str] = if has_port { &[""] } else { &["", ":443", ":80"] };
    usual.iter().any(|port| leads_to_exactly(text, &format!("{host}{port}")))
}

fn leads_to_exactly(text: &str, host: &str) -> bool {
    let (text, address) = (text.to_ascii_lowercase(), format!("//{}", host.to_ascii_lowercase()));
    let goes_on = |rest: &str| {
        let mut rest = rest.chars();
        let is_part =
            |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphanumeric() || it == '-');
        match rest.next() {
            // The dot or colon of a sentence ends an address.
            Some('.' | ':') => is_part(rest.next()),
            first => is_part(first),
        }
    };
    text.match_indices(&address).any(|(at, _)| !goes_on(&text[at + address.len()..]))
}

/// ISO-40.
pub fn webhook_secrets(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    row.without("the keys' users see no webhook");
    let query =
        "{ webhooks(first: 50) { nodes { id signature_secret standard_signature_secret } } }";
    let mut secrets = [BTreeSet::new(), BTreeSet::new()];
    for kind in Kind::BOTH {
        let side = pair.of(kind);
        let Some(data) = side.read(query, &json!({}))? else {
            row.untried(&format!("the {}'s webhooks", kind.title()));
            continue;
        };
        let nodes = data["webhooks"]["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let start = format!("whsec_{}_{}_", kind.short(), side.tag);
        for node in nodes {
            let text = |name: &str| node[name].as_str().map(str::to_owned);
            if let Some(secret) = text("signature_secret") {
                let is_own = secret.starts_with(&start) && secret.len() > start.len() + 20;
                let id = node["id"].as_str().unwrap_or_default();
                row.case(is_own, || {
                    format!("the secret of the {} webhook {id} is not {start}…", kind.title())
                });
                secrets[kind as usize].insert(secret);
            }
            secrets[kind as usize].extend(text("standard_signature_secret"));
        }
    }
    let [s, p] = &secrets;
    let shared = s.intersection(p).count();
    if !s.is_empty() && !p.is_empty() {
        row.case(shared == 0, || format!("{shared} webhook secrets are both's"));
    }
    Ok(())
}

const INTROSPECTION: &str = "{ __schema { queryType { name } mutationType { name } subscriptionType { name }
    directives { name locations args { ...input } }
    types { kind name description enumValues(includeDeprecated: true) { name isDeprecated }
      inputFields { ...input } interfaces { name } possibleTypes { name }
      fields(includeDeprecated: true) { name isDeprecated args { ...input } type { ...of } } } } }
    fragment input on __InputValue { name defaultValue type { ...of } }
    fragment of on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// GL-02.
pub fn schema(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    for view in VIEWS {
        let s = pair.s.graphql(view, INTROSPECTION, &json!({}))?;
        let p = pair.p.graphql(view, INTROSPECTION, &json!({}))?;
        let is_schema = s.json["data"]["__schema"]["types"].is_array();
        row.case(is_schema, || format!("{view}: the Sandbox serves no schema"));
        row.case(s.text == p.text, || {
            format!("{view}: the schemas differ in {}", difference(&s.json, &p.json))
        });
    }
    Ok(())
}

/// The first type that differs.
fn difference(s: &Json, p: &Json) -> String {
    let types = |json: &Json| json["data"]["__schema"]["types"].as_array().cloned();
    let (s, p) = (types(s).unwrap_or_default(), types(p).unwrap_or_default());
    let name = |of: Option<&Json>| of.and_then(|it| it["name"].as_str()).map(str::to_owned);
    let longest = s.len().max(p.len());
    let first = (0..longest).find(|at| s.get(*at) != p.get(*at));
    let named = first.and_then(|at| name(s.get(at)).or_else(|| name(p.get(at))));
    named.map_or_else(|| "their order or form".to_owned(), |name| format!("the type {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_whatever_follows_it() {
        let host = "ehr.example.org:81";
        for text in [
            "http://ehr.example.org:81",
            "//EHR.example.org:81/x",
            "\"//ehr.example.org:81\"",
            "see http://ehr.example.org:81. Then",
            "http://ehr.example.org:81?a",
        ] {
            assert!(leads_to(text, host), "{text}");
        }
        for text in [
            "//ehr.example.org:8100/",
            "//ehr.example.org/",
            "ehr.example.org:81",
            "//a.ehr.example.org:81",
            "",
        ] {
            assert!(!leads_to(text, host), "{text}");
        }
        assert!(!leads_to(
            "https://ehr.example.org.uk/ https://ehr.example.org:8443/",
            "ehr.example.org"
        ));
        for text in ["https://ehr.example.org:443/x", "http://ehr.example.org:80", "//[::1]:443/"] {
            let host = if text.contains("::1") { "[::1]" } else { "ehr.example.org" };
            assert!(leads_to(text, host), "{text}");
        }
        assert!(!leads_to("https://ehr.example.org:4430/", "ehr.example.org"));
    }

    #[test]
    fn a_link_tells_its_host() {
        for (link, host) in [
            ("https://Ehr.example.org:443/files/x", Some("ehr.example.org")),
            ("http://ehr.example.org:4100/files/x", Some("ehr.example.org:4100")),
            ("https://pictures.example.org/x.png", None),
            ("/files/x", None),
        ] {
            assert_eq!(host_of(link).as_deref(), host, "{link}");
        }
    }

    #[test]
    fn only_links_to_calendars_and_files_are_followed() {
        for (link, path) in [
            ("https://a.example/calendars/abc.ics", Some("/calendars/abc.ics")),
            ("https://a.example/files/1?token=x%2F", Some("/files/1?token=x%2F")),
            ("https://a.example/graphql?query={a}", None),
            ("https://a.example/files/../graphql", None),
            ("https://a.example/files/%2e%2e/graphql", None),
            ("https://a.example/files/x y", None),
            ("https://a.example", None),
            ("/files/1", None),
        ] {
            assert_eq!(path_of(link).as_deref(), path, "{link}");
        }
    }
}
