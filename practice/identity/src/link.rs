//! One-time links that set a password: reset links and invitations
//! (behaviour 3.3, 18.1). Good once, for a time, until a newer one. The links
//! that confirm an address ([`crate::confirm_email`]) are of the same kind.

use ward_engine::{Answer, Refused};
use ward_instance::token::{MintedToken, TokenClass, TokenPurpose};
use ward_instance::{Instance, Timestamp};
use ward_store::audit::AuditEntry;
use ward_store::system::AuditType;
use ward_store::{Cond, Db, Id, Query, Scope, Sql, StoreError, Tx, Value};

use crate::tables::{LinkPurpose, LinkToken, PasswordSetBy, User};
use crate::{account, password, person};

/// How long a reset link is good.
pub const RESET_SECONDS: i64 = 24 * 3_600;
/// How long an invitation is good.
pub const INVITE_SECONDS: i64 = 14 * 24 * 3_600;

/// How long a link that confirms an address is good.
pub const CONFIRM_SECONDS: i64 = 24 * 3_600;

const PASSWORD_LINKS: &[LinkPurpose] =
    &[LinkPurpose::Reset, LinkPurpose::Invite, LinkPurpose::Handed];

/// What a link that does not open anything is told, whatever the reason.
pub const NOT_GOOD: &str = "This link is not valid any more. Ask for a new one";

/// Whether a link opens at wall time `wall`.
pub fn is_good(link: &LinkToken, wall: Timestamp) -> bool {
    link.used_at.is_none() && link.voided_at.is_none() && wall < link.expires_at
}

/// The page where a link's holder chooses a password, without the instance's
/// address: mails add it when they are sent.
pub fn path(text: &str) -> String {
    format!("/set-password?token={text}")
}

/// The address of that page.
pub fn address(base_url: &str, text: &str) -> String {
    format!("{}{}", base_url.trim_end_matches('/'), path(text))
}

/// Makes a link for a user of the scope's organization; older ones are void.
pub async fn issue(
    scope: &mut Scope<'_>,
    user: &User,
    purpose: LinkPurpose,
) -> Result<MintedToken, StoreError> {
    issue_for(scope, user, purpose, None).await
}

/// The same, for the address of which this is the digest.
pub(crate) async fn issue_for(
    scope: &mut Scope<'_>,
    user: &User,
    purpose: LinkPurpose,
    address_digest: Option<Vec<u8>>,
) -> Result<MintedToken, StoreError> {
    let wall = scope.tx.wall();
    let seconds = match purpose {
        LinkPurpose::Reset => RESET_SECONDS,
        LinkPurpose::Invite | LinkPurpose::Handed => INVITE_SECONDS,
        LinkPurpose::ConfirmEmail => CONFIRM_SECONDS,
    };
    void(scope, user.id, replaced_by(purpose)).await?;
    let id = scope.uuid();
    // What is handed out is shown again (behaviour 18.1).
    let minted = match purpose {
        LinkPurpose::Handed => scope.instance().token_of_row(TokenPurpose::Invite, &id.0),
        _ => scope.instance().mint_token(token_of(purpose)),
    };
    let link = LinkToken {
        id,
        org_id: user.org_id,
        unit_id: user.unit_id,
        user_id: user.id,
        purpose,
        lookup: minted.lookup.to_vec(),
        address_digest,
        created_at: wall,
        expires_at: wall.plus_seconds(seconds),
        used_at: None,
        voided_at: None,
    };
    scope.create(&link).await?;
    Ok(minted)
}

/// What a new link of a purpose makes void: all that set a password, or all
/// that confirm an address.
const fn replaced_by(purpose: LinkPurpose) -> &'static [LinkPurpose] {
    match purpose {
        LinkPurpose::Reset | LinkPurpose::Invite | LinkPurpose::Handed => PASSWORD_LINKS,
        LinkPurpose::ConfirmEmail => &[LinkPurpose::ConfirmEmail],
    }
}

const fn token_of(purpose: LinkPurpose) -> TokenPurpose {
    match purpose {
        LinkPurpose::Reset => TokenPurpose::Reset,
        LinkPurpose::Invite | LinkPurpose::Handed => TokenPurpose::Invite,
        LinkPurpose::ConfirmEmail => TokenPurpose::ConfirmEmail,
    }
}

/// Voids every open link of a user.
pub async fn void_all(scope: &mut Scope<'_>, user_id: Id<User>) -> Result<(), StoreError> {
    void(scope, user_id, PASSWORD_LINKS).await?;
    void(scope, user_id, &[LinkPurpose::ConfirmEmail]).await
}

async fn void(
    scope: &mut Scope<'_>,
    user_id: Id<User>,
    purposes: &[LinkPurpose],
) -> Result<(), StoreError> {
    for purpose in purposes {
        let sql = Sql::fixed(
            "UPDATE link_tokens SET voided_at = $1 WHERE org_id = $2 AND user_id = $3 \
             AND purpose = $4 AND used_at IS NULL AND voided_at IS NULL",
            [
                scope.tx.wall().0.into(),
                scope.actor.org_id.into(),
                user_id.0.into(),
                purpose.as_str().into(),
            ],
        );
        scope.tx.execute(&sql).await?;
    }
    Ok(())
}

/// The digest to look a link up by that sets a password, if its text can be one
/// of this instance.
pub fn lookup_of(instance: &Instance, text: &str, at: &str) -> Answer<Vec<u8>> {
    lookup_among(instance, text, PASSWORD_LINKS, at)
}

/// The same for links of these purposes.
pub(crate) fn lookup_among(
    instance: &Instance,
    text: &str,
    purposes: &[LinkPurpose],
    at: &str,
) -> Answer<Vec<u8>> {
    for purpose in purposes {
        let class = instance.classify_token(token_of(*purpose), text.trim());
        match class {
            TokenClass::Ours { lookup } => return Ok(lookup.to_vec()),
            TokenClass::WrongPurpose(_) | TokenClass::Malformed => {}
            TokenClass::WrongEnvironment(..) | TokenClass::WrongInstance(_) => {
                return Err(foreign(instance, &class, at));
            }
        }
    }
    Err(Refused::on(ward_engine::last_step(at), NOT_GOOD))
}

/// The refusal of a token of another environment or instance (ISO-15).
pub fn foreign(instance: &Instance, class: &TokenClass, at: &str) -> Refused {
    let here = instance.kind().title();
    let message = match class {
        TokenClass::WrongEnvironment(named, _) => {
            format!(
                "This is a {} token and this server is {here}; nothing was executed.",
                named.title()
            )
        }
        _ => format!("This is a token of another {here}; nothing was executed."),
    };
    Refused::Foreign {
        argument: at.to_owned(),
        code: ward_instance::token::WRONG_ENVIRONMENT_TOKEN,
        message,
    }
}

/// The tenant and user of a link's digest, for a link that opens now.
async fn holder(
    q: &mut impl Query,
    lookup: &[u8],
    wall: Timestamp,
) -> Result<Option<(i64, i64)>, StoreError> {
    let sql = Sql::fixed(
        "SELECT org_id, user_id FROM link_tokens WHERE lookup = $1 \
         AND used_at IS NULL AND voided_at IS NULL AND expires_at > $2",
        [lookup.into(), wall.0.into()],
    );
    let rows = q.rows(&sql).await?;
    let row = rows.iter().next();
    Ok(row.and_then(|row| Some((row.first()?.int()?, row.get(1)?.int()?))))
}

/// Uses a link up, and gives whose it is. Refused unless it is good and its
/// holder may sign in.
pub async fn redeem(tx: &mut Tx, lookup: &[u8], at: &str) -> Answer<person::Person> {
    let (holder, link) = redeem_link(tx, lookup, at).await?;
    // Links that set a password go to the account's address, and end when that
    // changes. One that staff handed out proves nothing of it: they can follow it
    // themselves, for an address that is somebody else's (trust ruling 9).
    if link.purpose != LinkPurpose::Handed {
        let actor = holder.actor(None);
        let mut scope = Scope::new(tx, &actor);
        account::prove_login(&mut scope, holder.user.id).await?;
    }
    Ok(holder)
}

/// Uses any link up, and gives whose it is and its row.
pub(crate) async fn redeem_link(
    tx: &mut Tx,
    lookup: &[u8],
    at: &str,
) -> Answer<(person::Person, LinkToken)> {
    let not_good = || Refused::on(ward_engine::last_step(at), NOT_GOOD);
    let wall = tx.wall();
    let (org_id, user_id) = holder(tx, lookup, wall).await?.ok_or_else(not_good)?;
    let holder = person::load_held(tx, org_id, user_id).await?;
    let holder = holder.filter(person::Person::may_sign_in).ok_or_else(not_good)?;
    let actor = holder.actor(None);
    let mut scope = Scope::new(tx, &actor);
    let cond = Cond::sql("{t}.lookup = ?", [Value::from(lookup)]);
    let link = scope.find_by::<LinkToken>(cond).await?;
    let link = link.filter(|link| is_good(link, wall)).ok_or_else(not_good)?;
    // Two at once: the second finds it used.
    let sql = Sql::fixed(
        "UPDATE link_tokens SET used_at = $1 WHERE org_id = $2 AND id = $3 AND used_at IS NULL",
        [wall.0.into(), org_id.into(), link.id.0.as_str().into()],
    );
    if scope.tx.execute(&sql).await? == 0 {
        return Err(not_good());
    }
    let entry = AuditEntry::by(&actor, AuditType::Update, "LINK_TOKEN", link.id.0.as_str());
    scope.record(entry);
    Ok((holder, link))
}

/// Why a password was not set.
#[derive(Debug, thiserror::Error)]
pub enum SetPasswordError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The password could not be hashed now.
    #[error(transparent)]
    Hash(#[from] password::HashError),
}

/// Sets a password through a link: what the page behind one-time links does.
/// Answers the problems as sentences.
pub async fn set_password_by_link(
    db: &Db,
    token: &str,
    new_password: &str,
) -> Result<Result<(), Vec<String>>, SetPasswordError> {
    let lookup = match lookup_of(db.instance(), token, "token") {
        Ok(lookup) => lookup,
        Err(refused) => return sentences(refused),
    };
    let wall = db.instance().clock().wall();
    let mut reader = db.read().await?;
    let Some((org_id, user_id)) = holder(&mut reader, &lookup, wall).await? else {
        return Ok(Err(vec![NOT_GOOD.to_owned()]));
    };
    let personal = personal_of(&mut reader, org_id, user_id).await?;
    drop(reader);
    let personal: Vec<&str> = personal.iter().map(String::as_str).collect();
    let problems = password::judge(new_password, &personal).await?;
    if !problems.is_empty() {
        return Ok(Err(problems.into_iter().map(str::to_owned).collect()));
    }
    let hash = password::hash(db.instance().random(), new_password).await?;
    let set = db
        .write(move |tx| {
            let (lookup, hash) = (lookup.clone(), hash.clone());
            Box::pin(async move { set(tx, &lookup, hash).await })
        })
        .await;
    match set {
        Ok(()) => Ok(Ok(())),
        Err(refused) => sentences(refused),
    }
}

async fn set(tx: &mut Tx, lookup: &[u8], hash: String) -> Answer<()> {
    let holder = redeem(tx, lookup, "token").await?;
    let actor = holder.actor(None);
    let mut scope = Scope::new(tx, &actor);
    let after = User {
        password_hash: Some(hash),
        password_set_by: Some(PasswordSetBy::Person),
        ..holder.user.clone()
    };
    account::update(&mut scope, &holder.user, &after).await?;
    void_all(&mut scope, holder.user.id).await?;
    Ok(())
}

fn sentences(refused: Refused) -> Result<Result<(), Vec<String>>, SetPasswordError> {
    let (problems, _) = refused.told()?;
    Ok(Err(problems.into_iter().map(|problem| problem.message).collect()))
}

/// Names and addresses that a password may not be built from.
async fn personal_of(
    q: &mut impl Query,
    org_id: i64,
    user_id: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = Sql::fixed(
        "SELECT u.first_name, u.last_name, u.legal_name, u.email, o.name FROM users u \
         JOIN organizations o ON o.org_id = u.org_id AND o.id = u.unit_id \
         WHERE u.org_id = $1 AND u.id = $2",
        [org_id.into(), user_id.into()],
    );
    let rows = q.rows(&sql).await?;
    let row = rows.iter().next().unwrap_or_default();
    Ok(row.iter().filter_map(Value::text).map(str::to_owned).collect())
}
