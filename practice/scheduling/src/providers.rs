//! Which providers are meant where a list or a question narrows them (behaviour 22).

use ward_clients::tables::Tag;
use ward_engine::{Answer, Args, Refused, Request};
use ward_identity::states;
use ward_store::{Cond, Value};

use crate::listing::ids;

/// Members with a licence in one of these states.
pub(crate) fn licensed_in(states: &[&str]) -> Cond {
    let states: Vec<Box<str>> = states.iter().map(|it| Box::from(*it)).collect();
    Cond::sql(
        "EXISTS (SELECT 1 FROM state_licenses may WHERE may.org_id = {t}.org_id \
         AND may.user_id = {t}.id AND may.state IN_LIST(?))",
        [Value::Texts(states.into())],
    )
}

/// Members who have all of these tags.
pub(crate) fn tagged(tags: &[i64]) -> Cond {
    let count = i64::try_from(tags.len()).unwrap_or(i64::MAX);
    Cond::sql(
        "(SELECT COUNT(*) FROM applied_tags has WHERE has.org_id = {t}.org_id \
         AND has.user_id = {t}.id AND has.deleted_at IS NULL AND has.tag_id IN_LIST(?)) = ?",
        [Value::Ints(tags.into()), count.into()],
    )
}

/// The state that an argument names.
pub(crate) fn state(args: &Args, name: &str) -> Answer<Option<&'static str>> {
    let Some(text) = args.text(name) else { return Ok(None) };
    let known = states::code(text).map(Some);
    known.ok_or_else(|| Refused::on(name, format!("{name} must be a state such as NY")))
}

/// Rows whose `column` names a member of `state_license` and all `tag_ids`, where these are
/// sent. Clients see no tags: by them they find nothing.
pub(crate) fn narrowed(request: &Request, args: &Args, column: &str) -> Answer<Cond> {
    let mut cond = Cond::Always;
    if let Some(state) = state(args, "state_license")? {
        cond = cond.and(licensed_in(&[state]));
    }
    if let Some(mut tags) = ids::<Tag>(args, "tag_ids", request)? {
        if !request.actor.is_member() {
            return Ok(Cond::Never);
        }
        tags.sort_unstable();
        tags.dedup();
        cond = cond.and(tagged(&tags));
    }
    Ok(match cond {
        Cond::Sql(text, params) => Cond::Sql(
            format!(
                "EXISTS (SELECT 1 FROM users gives WHERE gives.org_id = {{t}}.org_id \
                 AND gives.id = {{t}}.{column} AND {})",
                text.replace("{t}", "gives")
            ),
            params,
        ),
        other => other,
    })
}
