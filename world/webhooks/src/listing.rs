//! Which rows the lists answer (behaviour 8, 13.4).

use ward_engine::{Answer, Args, Listing, Request, parse_id};
use ward_store::{Cond, search};

use crate::catalogue;
use crate::tables::{Outcome, WEBHOOKS, Webhook};

/// Webhooks by keywords in their address.
pub fn webhooks(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(Listing::of(found(request, args.text("keywords"))))
}

fn found(request: &Request, keywords: Option<&str>) -> Cond {
    let cond = |text: &str| search::keyword_cond(&WEBHOOKS, request.actor.org_id, text);
    keywords.map_or(Cond::Always, cond)
}

/// Attempts by the arguments of `sentWebhooks`.
pub fn sent(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = match args.text("keywords") {
        Some(keywords) => by_keywords(request, keywords),
        None => Cond::Always,
    };
    if let Some(after) = args.moment("sent_after", request)? {
        cond = cond.and(Cond::sql("{t}.created_at >= ?", [after.0.into()]));
    }
    if let Some(before) = args.moment("sent_before", request)? {
        cond = cond.and(Cond::sql("{t}.created_at <= ?", [before.0.into()]));
    }
    if let Some(id) = args.text("resource_id") {
        // Of any kind of record; refused when it is an id of another environment.
        let number = match id.parse::<i64>() {
            Ok(_) => parse_id::<Webhook>(id, "resource_id", request.instance.ids())?.0,
            Err(_) => return Ok(Listing::none()),
        };
        cond = cond.and(Cond::eq("resource_id", number));
    }
    if let Some(wanted) = args.text("resource_type") {
        cond = cond.and(match catalogue::resource_type(wanted) {
            Some(model) => Cond::eq("resource_id_type", model),
            None => Cond::Never,
        });
    }
    if args.flag("failed") {
        let delivered = Outcome::Delivered.as_str();
        cond = cond.and(Cond::sql("{t}.outcome <> ?", [delivered.into()]));
    }
    Ok(Listing::of(cond))
}

/// Attempts of webhooks whose address has the keywords, and of an event or a model by its name.
fn by_keywords(request: &Request, keywords: &str) -> Cond {
    let named = match catalogue::find(keywords) {
        Some(event) => Cond::eq("event_type", event),
        None => Cond::eq("resource_id_type", keywords),
    };
    let of_webhooks = match found(request, Some(keywords)) {
        Cond::Never => Cond::Never,
        Cond::Always => Cond::Always,
        Cond::Sql(text, params) => Cond::Sql(
            format!(
                "{{t}}.webhook_id IN (SELECT w.id FROM webhooks w WHERE w.org_id = {{t}}.org_id AND ({}))",
                text.replace("{t}", "w")
            ),
            params,
        ),
    };
    of_webhooks.or(named)
}
