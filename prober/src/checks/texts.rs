//! What each gives out: cursors, links, webhook secrets, its schema.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::checks::answers::judge;
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

/// From now on each is known by the host that it gives itself, too.
pub fn learn_hosts(pair: &Pair) -> Result<(), Failure> {
    for (side, other) in pair.ways() {
        for host in own_links(other)?.iter().filter_map(|(_, link)| host_of(link)) {
            side.look_out_for_host(host);
        }
    }
    Ok(())
}

/// ISO-24: the own user's links, some pages, and all that was answered before.
pub fn links(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    for (side, other) in pair.ways() {
        for (name, link) in own_links(side)? {
            let found = side.foreign_in(&link);
            row.judged(found.map(|it| named(name, side, other, &it)));
        }
        for path in ["/graphql", "/set-password?token=x", "/readyz", "/sandbox/v1/openapi.json"] {
            side.ask(&Ask::get(path).with("accept", "text/html"))?;
        }
    }
    every_answer(pair, row)
}

/// ISO-24: no answer of the run so far tells of the other what the request had not told.
pub fn every_answer(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    for (side, other) in pair.ways() {
        judge(row, side, &side.seen(), |seen| {
            seen.names.as_ref().map(|it| named(&seen.what, side, other, it))
        });
    }
    Ok(())
}

fn named(what: &str, side: &Side, other: &Side, found: &str) -> String {
    format!("{what} of the {} names the {}: {found}", side.kind.title(), other.kind.title())
}

/// The host of a link to an instance, with its port where that is not the usual one.
fn host_of(link: &str) -> Option<String> {
    path_of(link)?;
    let link = url::Url::parse(link).ok()?;
    let host = link.host_str().filter(|host| !host.is_empty())?;
    Some(link.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
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
