//! Confirming a new e-mail address: it counts once its owner has followed the
//! link that was sent there (behaviour 15; trust ruling 9). Until then the old
//! one stays in force.

use serde_json::json;
use ward_engine::{Answer, Refused};
use ward_instance::Instance;
use ward_store::keyring::blind_index;
use ward_store::{Db, Scope, StoreError, Tx};

use crate::account_mail::{self, AccountMail};
use crate::link::{self, NOT_GOOD};
use crate::tables::{LinkPurpose, LinkToken, User};
use crate::{account, email, events};

const TAKEN: &str = "This e-mail address belongs to another account of the practice";

/// The page where a link's holder confirms, without the instance's address.
pub fn path(text: &str) -> String {
    format!("/confirm-email?token={text}")
}

fn digest(instance: &Instance, org_id: i64, address: &str) -> Vec<u8> {
    blind_index(instance, org_id, "link_tokens", "address", &email::key(address))
}

/// Asks the owner of a new address whether it is theirs. An older question is
/// void.
pub async fn ask(
    scope: &mut Scope<'_>,
    user: &User,
    address: &str,
    cause: &str,
) -> Result<(), StoreError> {
    let digest = digest(scope.instance(), user.org_id.0, address);
    let minted = link::issue_for(scope, user, LinkPurpose::ConfirmEmail, Some(digest)).await?;
    let facts = json!({ "link": path(&minted.text) });
    let mail = AccountMail { kind: "confirm_email", to: address, facts, cause };
    account_mail::send(scope, user, mail).await
}

/// Uses a link up and makes the address count: what the page behind it does.
/// Answers the problems as sentences.
pub async fn confirm_by_link(
    db: &Db,
    token: &str,
    cause: &str,
) -> Result<Result<(), Vec<String>>, StoreError> {
    let purposes = &[LinkPurpose::ConfirmEmail];
    let lookup = match link::lookup_among(db.instance(), token, purposes, "token") {
        Ok(lookup) => lookup,
        Err(refused) => return sentences(refused),
    };
    let cause = cause.to_owned();
    let confirmed = db
        .write(move |tx| {
            let (lookup, cause) = (lookup.clone(), cause.clone());
            Box::pin(async move { confirm(tx, &lookup, &cause).await })
        })
        .await;
    match confirmed {
        Ok(()) => Ok(Ok(())),
        Err(refused) => sentences(refused),
    }
}

async fn confirm(tx: &mut Tx, lookup: &[u8], cause: &str) -> Answer<()> {
    let (holder, link) = link::redeem_link(tx, lookup, "token").await?;
    let actor = holder.actor(None);
    let mut scope = Scope::new(tx, &actor);
    let before = holder.user;
    let address = wanted(&scope, &before, &link).ok_or_else(|| Refused::on("token", NOT_GOOD))?;
    if before.is_patient {
        scope.subject_id = Some(before.id.0);
    }
    let human_id =
        account::human_of(&mut scope, &before.namespace, Some(&address), before.is_patient).await?;
    let after = User {
        email: Some(address.clone()),
        unconfirmed_email: None,
        skipped_email: false,
        human_id,
        ..before.clone()
    };
    // Somebody may have got the address since the question was asked.
    let is_taken = match before.is_patient {
        true => account::is_client_taken(&mut scope, &after, Some(after.id)).await?,
        false => {
            let unit = after.unit_id;
            account::is_unit_email_taken(&mut scope, unit, &address, Some(after.id)).await?
        }
    };
    if is_taken {
        return Err(Refused::on("token", TAKEN));
    }
    let changes = account::update(&mut scope, &before, &after).await?;
    account::prove_login(&mut scope, after.id).await?;
    if after.is_patient && !changes.columns.is_empty() {
        scope.emit(events::patient_updated(&after, &changes.columns));
    }
    if let Some(old) = before.email.as_deref() {
        let mail = AccountMail { kind: "email_changed", to: old, facts: json!({}), cause };
        account_mail::send(&mut scope, &before, mail).await?;
    }
    Ok(())
}

/// The address that a link confirms, if it is still the one wanted.
fn wanted(scope: &Scope<'_>, user: &User, link: &LinkToken) -> Option<String> {
    let address = user.unconfirmed_email.clone()?;
    let digest = digest(scope.instance(), user.org_id.0, &address);
    let fits = link.purpose == LinkPurpose::ConfirmEmail && link.address_digest == Some(digest);
    fits.then_some(address)
}

fn sentences(refused: Refused) -> Result<Result<(), Vec<String>>, StoreError> {
    let (problems, _) = refused.told()?;
    Ok(Err(problems.into_iter().map(|problem| problem.message).collect()))
}
