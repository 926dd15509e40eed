//! Ids: of the own range, of the other's, and of documentation.

use crate::document::document;
use crate::failure::Failure;
use crate::ids::{id_places, is_answered, kind_of, value};
use crate::kind::Kind;
use crate::pair::Pair;
use crate::report::Row;
use crate::schema::Root;
use crate::side::{DENIED, VIEW};

/// ISO-22.
pub fn ranges(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    for kind in Kind::BOTH {
        for (of, ids) in &pair.holdings(kind)?.ids {
            let numbers = ids.iter().filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
            for id in numbers {
                row.case(kind_of(id) == Some(kind), || {
                    format!("the {} answers with the {of} {id}, not of its range", kind.title())
                });
            }
        }
    }
    Ok(())
}

/// ISO-03, as far as it is seen from outside.
pub fn rows(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    let (s, p) = (pair.holdings(Kind::Sandbox)?, pair.holdings(Kind::Production)?);
    row.without("nothing that the Sandbox answers could be read at Production, too");
    for (of, ids) in &s.ids {
        // Of what was not read there nothing is known.
        if !p.read.contains(of) {
            row.untried(&format!("Production's {of}"));
            continue;
        }
        let theirs = p.ids.get(of);
        for id in ids {
            // Only numbers are written out: other ids may be tokens.
            let shown = if id.bytes().all(|byte| byte.is_ascii_digit()) { id } else { "…" };
            row.case(theirs.is_none_or(|theirs| !theirs.contains(id)), || {
                format!("the {of} {shown} is answered by both: they read one database")
            });
        }
    }
    Ok(())
}

/// ISO-19.
pub fn foreign(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    for crossing in pair.crossings()? {
        if crossing.is_denied {
            row.untried(&format!("the {}'s {}", crossing.to.title(), crossing.at));
            continue;
        }
        for refusal in crossing.existing.iter().chain([&crossing.absent]) {
            let fault = refusal.fault.as_ref();
            row.judged(fault.map(|it| format!("the {}: {it}", crossing.to.title())));
        }
    }
    Ok(())
}

/// Refusals that tell whether there is something by the id. What is no refusal at all is the
/// concern of the check before.
pub fn oracle(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    row.without("no id of the own range is known of either");
    for crossing in pair.crossings()? {
        let Some(existing) = &crossing.existing else { continue };
        if existing.fault.is_some() {
            continue;
        }
        row.case(!crossing.tells, || {
            format!(
                "the {} answers {} otherwise when the id names something at the other",
                crossing.to.title(),
                crossing.at
            )
        });
    }
    Ok(())
}

/// Ids that documentation shows.
const EXAMPLES: [&str; 3] = ["1", "12345", "999999"];

/// ISO-20: each place with one of them, in turn.
pub fn documentation(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    let mut examples = EXAMPLES.iter().cycle();
    for (side, _) in pair.ways() {
        let schema = pair.schema(side.kind)?;
        let own = pair.absent(side.kind)?;
        for (root, field) in schema.roots() {
            if root != Root::Query {
                continue;
            }
            for place in id_places(schema, field).0 {
                // A client whom the caller does not see: their own parts.
                let own_instead = field.name.starts_with("conversationMemberships");
                if own_instead && place.dotted() == "client_id" {
                    continue;
                }
                for example in examples.by_ref().take(1) {
                    let meant = value(place.last(), example);
                    let call = document(schema, root, field, &own, Some((&place, meant)));
                    let answer = side.graphql(VIEW, &call.query, &call.variables)?;
                    if answer.code() == DENIED && pair.is_denied(side, root, field)? {
                        let (who, at) = (side.kind.title(), place.dotted());
                        row.untried(&format!("the {who}'s {}({at})", field.name));
                        continue;
                    }
                    row.case(!is_answered(root, field, answer.status, &answer.json), || {
                        format!(
                            "the {} does not refuse {}({}: {example}) as unknown: {} {:?}",
                            side.kind.title(),
                            field.name,
                            place.dotted(),
                            answer.status,
                            answer.code()
                        )
                    });
                }
            }
        }
    }
    Ok(())
}
