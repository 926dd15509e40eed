//! What the receiver's side tells of an effect later, where it really went out: that it arrived,
//! came back, or that the receiver wants no more. The Sandbox's simulators tell the same of theirs.

use std::sync::Arc;

use ward_store::system::{EffectClass, EffectOutcome};
use ward_store::{Db, Query, Sql, StoreError, Value};

use crate::sim::tables::Medium;

use EffectOutcome::{Bounced, Complained, Delivered, OptedOut, Sent, SoftBounced, Undeliverable};

/// What can be told of messages of a medium; nothing else is listened to.
pub const fn tellable(medium: Medium) -> &'static [EffectOutcome] {
    match medium {
        Medium::Email => &[Delivered, SoftBounced, Bounced, Complained, OptedOut],
        Medium::Sms => &[Delivered, Undeliverable, OptedOut],
        Medium::Push | Medium::Video => &[],
    }
}

/// How much an outcome weighs. Reports come twice and out of order: a later one counts if it weighs
/// more, so that who wants no more is not forgotten for a receipt that was late.
const fn weight(outcome: EffectOutcome) -> u8 {
    match outcome {
        Sent => 0,
        SoftBounced => 1,
        Delivered => 2,
        Bounced | Undeliverable => 3,
        Complained | OptedOut => 4,
    }
}

const ALL: [EffectOutcome; 7] =
    [Sent, Delivered, Bounced, SoftBounced, Complained, Undeliverable, OptedOut];

/// Takes a report about the effect that the receiver's side knows by this reference. Whether there
/// is one is not told: whoever reports does not learn which references exist.
pub async fn told(
    db: &Db,
    medium: Medium,
    reference: &str,
    outcome: EffectOutcome,
) -> Result<(), StoreError> {
    let classes = EffectClass::ALL.into_iter().filter(|class| Medium::of(*class) == Some(medium));
    let classes: Arc<[Box<str>]> = classes.map(|class| class.as_str().into()).collect();
    let lighter = ALL.into_iter().filter(|before| weight(*before) < weight(outcome));
    let lighter: Arc<[Box<str>]> = lighter.map(|before| before.as_str().into()).collect();
    let sql = Sql::fixed(
        "UPDATE effect_intents SET outcome = $1, outcome_at = $5 WHERE id = $2 \
         AND class IN_LIST($3) AND (outcome IS NULL OR outcome IN_LIST($4))",
        [
            outcome.as_str().into(),
            reference.into(),
            Value::Texts(classes),
            Value::Texts(lighter),
            db.instance().now().0.into(),
        ],
    );
    db.write(move |tx| {
        let sql = sql.clone();
        Box::pin(async move { tx.execute(&sql).await.map(drop) })
    })
    .await
}
