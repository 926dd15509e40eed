//! What is told as it happens: a form or note that somebody else changes, a draft too, for those
//! who write in it together (behaviour 12). Each subscriber reads it with their own eyes.

use futures_util::FutureExt;
use ward_engine::{Answer, Args, Bindings, Happening, Kind, Request, parse_id};
use ward_store::Entity;

use crate::filled::tables::{FORM_ANSWER_GROUPS, FormAnswerGroup};

/// Finishing a draft changes it, too.
const CHANGES: &[&str] = &[
    "form_answer_group.updated",
    "form_answer_group.signed",
    "form_answer_group.locked",
    "form_answer_group.unlocked",
];

/// Binds the subscription.
pub fn bind(b: &mut Bindings) {
    const MODIFIED: &str = "formAnswerGroupModifiedSubscription";
    b.subscription(MODIFIED, &FORM_ANSWER_GROUPS, group)
        .args(&[("id", Kind::Id(FormAnswerGroup::NAME))]);
    b.feed(MODIFIED, CHANGES, |event, _| {
        std::future::ready(Ok(Happening::of_record(event))).boxed()
    });
}

fn group(request: &Request, args: &Args) -> Answer<i64> {
    let text = args.text("id").unwrap_or_default();
    parse_id::<FormAnswerGroup>(text, "id", request.instance.ids()).map(|id| id.0)
}
