//! `resetPassword` (behaviour 3.3): always a success, whoever is asked for.

use std::sync::Arc;

use serde_json::json;
use ward_engine::{Answer, Call, Payload, Problems, Refused, Request, input};
use ward_store::intents::EffectIntent;
use ward_store::system::EffectClass;
use ward_store::{Actor, Cond, Query, Scope, StoreError, Tx, Value};

use crate::account::NAMESPACE;
use crate::attempt::{self, Subjects};
use crate::tables::{LinkPurpose, Organization};
use crate::{email, link, person, rank};

/// Links that one request sends at most, over all accounts of an address.
const LINKS_MAX: i64 = 8;

input! {
    /// `resetPassword`.
    pub struct ResetPassword {
        email: String,
        namespace: String,
    }
}

/// Whose password is to be reset, unless it is asked for too often.
#[derive(Clone, Debug)]
pub struct Asked {
    namespace: String,
    address: String,
    /// Asked for too often: answered like any other, and nothing is sent.
    is_quiet: bool,
}

/// Counts the request, per address asked for and per network address.
pub async fn prepare(request: Arc<Request>, input: ResetPassword) -> Answer<Asked> {
    let mut problems = Problems::new();
    let Some(address) = input.email.trimmed().map(str::to_owned) else {
        problems.add("email", "Email can't be blank");
        return Err(problems
            .check()
            .err()
            .unwrap_or_else(|| Refused::on("email", "Email can't be blank")));
    };
    let namespace = input.namespace.trimmed().unwrap_or(NAMESPACE).to_owned();
    let subjects =
        Subjects::of(&request, "reset", &format!("{namespace}\u{1f}{}", email::key(&address)));
    let is_quiet = match attempt::count(&request.db, &subjects).await {
        Ok(()) => false,
        Err(Refused::Error(_)) => true,
        Err(other) => return Err(other),
    };
    Ok(Asked { namespace, address, is_quiet })
}

/// Sends one mail an organization, with one link an account: what one
/// organization's links are must not stand in another's records.
pub async fn reset_password(call: &mut Call<'_>, asked: &Asked) -> Answer<Payload> {
    if asked.is_quiet {
        return Ok(Payload::new());
    }
    let cause = call.request.request_id.clone();
    let accounts = accounts(call.tx, &asked.namespace, &email::key(&asked.address)).await?;
    let mut organizations: Vec<i64> = accounts.iter().map(|(org_id, _)| *org_id).collect();
    organizations.dedup();
    for org_id in organizations {
        let users = accounts.iter().filter(|(org, _)| *org == org_id).map(|(_, user)| *user);
        send(call.tx, org_id, users.collect(), &cause).await?;
    }
    Ok(Payload::new())
}

/// The accounts of an address that may sign in, grouped by organization.
async fn accounts(
    tx: &mut Tx,
    namespace: &str,
    address_key: &str,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let sql = rank::accounts(namespace, address_key, rank::For::Link, LINKS_MAX);
    let rows = tx.rows(&sql).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    let mut accounts: Vec<_> = rows.iter().filter_map(pair).collect();
    accounts.sort_unstable();
    Ok(accounts)
}

async fn send(tx: &mut Tx, org_id: i64, users: Vec<i64>, cause: &str) -> Result<(), StoreError> {
    let system = Actor::system(org_id);
    let mut links = Vec::new();
    let (mut to, mut first_name, mut subject, mut key) = (None, None, None, None);
    for user_id in users {
        let Some(person) = person::load(tx, org_id, user_id).await? else { continue };
        let mut scope = Scope::new(tx, &system);
        let user = &person.user;
        let minted = link::issue(&mut scope, user, LinkPurpose::Reset).await?;
        links.push(link::path(&minted.text));
        to = to.or_else(|| user.email.clone());
        first_name = first_name.or_else(|| user.first_name.clone());
        subject = subject.or(user.is_patient.then_some(user.id.0));
        key.get_or_insert_with(|| scope.uuid().0);
    }
    let (Some(to), Some(key)) = (to, key) else { return Ok(()) };
    let mut scope = Scope::new(tx, &system);
    let organization = scope.find_by::<Organization>(Cond::eq("id", org_id)).await?;
    let practice = organization.map(|organization| organization.name);
    // A mail to several accounts is of no single client.
    let subject = subject.filter(|_| links.len() == 1);
    let accounts: Vec<_> =
        links.iter().map(|link| json!({"link": link, "practice_name": practice})).collect();
    let payload = json!({ "accounts": accounts, "recipient_name": first_name });
    scope
        .intend(EffectIntent {
            class: EffectClass::AccountMail,
            kind: "reset_password",
            to,
            payload,
            subject_client: subject,
            recipient: None,
            cause: cause.to_owned(),
            idempotency_key: format!("reset_password/{key}"),
            not_before: None,
            expires_at: None,
        })
        .await?;
    Ok(())
}
