//! Somebody without an account who books: a client whom the provider has, or a new
//! one (behaviour 18.1, 23.3).

use ward_engine::{Answer, Call, Given, Problems, Refused};
use ward_identity::account::{self as accounts, human_of, lock_address};
use ward_identity::allowance::{self, Allowance};
use ward_identity::tables::User;
use ward_identity::{attempt, email};
use ward_store::{Cond, Id, Query, Sql, Value, search};

use crate::account::{self, Welcome};
use crate::client::{self, blank_client, set_active};
use crate::events;
use crate::rules;

/// One mail a day to an address, of an organization.
const INVITATION: Allowance =
    Allowance { kind: "invitation_by_visitor", most: 1, seconds: 24 * 3_600 };

/// What a visitor says of themselves.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// First name.
    pub first_name: Given<String>,
    /// Last name.
    pub last_name: Given<String>,
    /// The name in documents.
    pub legal_name: Given<String>,
    /// E-mail address.
    pub email: Given<String>,
    /// Telephone number.
    pub phone_number: Given<String>,
    /// IANA name.
    pub timezone: Given<String>,
}

impl Visitor {
    /// What is wrong with it; required fields come first (behaviour 4.2).
    pub fn check(&self, problems: &mut Problems) {
        let required = [
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("email", &self.email),
        ];
        for (field, value) in required {
            rules::required(field, value, problems);
        }
        rules::email("email", &self.email, problems);
        for (field, value) in [
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("legal_name", &self.legal_name),
        ] {
            rules::plain_name(field, value, problems);
        }
        for (field, value) in [
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("legal_name", &self.legal_name),
            ("phone_number", &self.phone_number),
            ("email", &self.email),
        ] {
            rules::bounded(field, value, rules::LINE_CHARS_MAX, problems);
        }
    }
}

/// The client that a visitor is to a provider: the one of this e-mail address and
/// name whom the provider cares for, archived or not, else a new one. Who says the same of
/// themselves at this moment waits. Another provider's client, and one who has died, is
/// never told apart from nobody: the practice has two then, whom it can merge.
pub async fn client_of(call: &mut Call<'_>, visitor: &Visitor, provider: &User) -> Answer<User> {
    let address = visitor.email.trimmed().map(rules::kept_email);
    lock_address(&mut call.scope, address.as_deref()).await?;
    match known(call, visitor, provider, address.as_deref()).await? {
        Some(before) => {
            call.scope.subject_id = Some(before.id.0);
            unarchived(call, before).await
        }
        None => new(call, visitor, provider, address).await,
    }
}

async fn known(
    call: &mut Call<'_>,
    visitor: &Visitor,
    provider: &User,
    address: Option<&str>,
) -> Answer<Option<User>> {
    let Some(address) = address else { return Ok(None) };
    let folded = |name: &Given<String>| search::folded(&name.trimmed().map(str::to_owned).into());
    let sql = Sql::fixed(
        "SELECT u.id FROM users u WHERE u.org_id = $1 AND u.email_fold = $2 AND u.namespace = $3 \
         AND u.first_name_fold = $4 AND u.last_name_fold = $5 AND u.is_patient = TRUE \
         AND u.unit_id = $6 AND u.deleted_at IS NULL AND u.deceased_on IS NULL \
         AND (u.dietitian_id = $7 OR EXISTS (SELECT 1 \
         FROM care_team_members c WHERE c.org_id = u.org_id AND c.patient_id = u.id \
         AND c.user_id = $7)) ORDER BY u.id",
        [
            provider.org_id.0.into(),
            email::key(address).into(),
            provider.namespace.as_str().into(),
            folded(&visitor.first_name),
            folded(&visitor.last_name),
            provider.unit_id.0.into(),
            provider.id.0.into(),
        ],
    );
    let rows = call.tx.rows(&sql).await?;
    let Some(id) = rows.iter().next().and_then(|row| row.first()).and_then(Value::int) else {
        return Ok(None);
    };
    Ok(call.find_by(Cond::eq("id", id)).await?)
}

/// A client who books is no longer archived (behaviour 23.3).
pub async fn unarchived(call: &mut Call<'_>, before: User) -> Answer<User> {
    if before.active {
        return Ok(before);
    }
    let mut after = before.clone();
    set_active(&mut after, true, call.now());
    client::save(call, &before, after.clone(), &[]).await?;
    Ok(call.find(after.id).await?.unwrap_or(after))
}

async fn new(
    call: &mut Call<'_>,
    visitor: &Visitor,
    provider: &User,
    email: Option<String>,
) -> Answer<User> {
    let text = |value: &Given<String>| value.trimmed().map(str::to_owned);
    let human = human_of(&mut call.scope, &provider.namespace, email.as_deref(), true).await?;
    let id: Id<User> = call.next_id().await?;
    let client = User {
        email,
        first_name: text(&visitor.first_name),
        last_name: text(&visitor.last_name),
        legal_name: text(&visitor.legal_name),
        phone_number: text(&visitor.phone_number),
        timezone: text(&visitor.timezone),
        ..blank_client(id, provider, human, call.now())
    };
    call.scope.subject_id = Some(client.id.0);
    accounts::create(&mut call.scope, &client).await?;
    invite(call, &client).await?;
    call.emit(events::patient_created(client.id.0, client.unit_id.0));
    Ok(client)
}

/// Invites a client whom a visitor made, unless visitors had a mail sent to the
/// address today: it is whoever's they said. Who gets none can ask for a password.
async fn invite(call: &mut Call<'_>, client: &User) -> Answer<()> {
    let Some(address) = client.email.as_deref() else { return Ok(()) };
    let whose = format!("{}\u{1f}{}", client.org_id, email::key(address));
    if !allowance::take(call.scope.tx, &INVITATION, &whose).await? {
        return Ok(());
    }
    match attempt::count_mail(&mut call.scope, client, address).await {
        Ok(()) => account::invite(call, client, Welcome::SetPassword).await,
        // Too many mails of other kinds: that is no reason not to be booked.
        Err(Refused::Error(_)) => Ok(()),
        Err(refused) => Err(refused),
    }
}
