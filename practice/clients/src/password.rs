//! A new password for an account, judged and hashed before the transaction
//! (behaviour 3.3). The rules and the hashing are the identity domain's.

use ward_engine::{Answer, Problems, Refused, Request};
use ward_identity::practice;
use ward_identity::tables::User;
use ward_identity::{attempt, password};
use ward_store::{Query, Sql};

/// A hashed password, and the hash that it is to replace when the old password
/// was asked for.
pub struct NewPassword {
    hash: String,
    replaces: Option<Option<String>>,
}

impl NewPassword {
    /// The hash.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether the account still has the password that was asked for.
    pub fn fits(&self, user: &User) -> bool {
        self.replaces.as_ref().is_none_or(|old| *old == user.password_hash)
    }
}

/// Judges and hashes a password that staff give a client. `names` are the
/// client's, as far as they are known.
pub async fn new(request: &Request, text: &str, names: &[&str]) -> Answer<NewPassword> {
    hashed(request, text, names, None).await
}

/// The same for the caller's own account, whose password has to be known. An
/// account that has none yet gets one without.
pub async fn own(
    request: &Request,
    current: Option<&str>,
    text: &str,
    names: &[&str],
) -> Answer<NewPassword> {
    let (old, mut known) = account(request).await?;
    if let Some(old) = &old {
        let wrong = || Refused::on("current_password", "Current password is invalid");
        let current = current.filter(|text| !text.is_empty()).ok_or_else(wrong)?;
        let user = request.actor.user_id.to_string();
        let subjects = attempt::Subjects::of(request, "current_password", &user);
        attempt::count(&request.db, &subjects).await?;
        if !password::fits(current, old).await? {
            return Err(wrong());
        }
        request
            .db
            .write(move |tx| {
                let subjects = subjects.clone();
                Box::pin(async move {
                    attempt::forgive(tx, &subjects, attempt::Whose::TheAddress).await
                })
            })
            .await?;
    }
    known.extend(names.iter().map(|name| (*name).to_owned()));
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    hashed(request, text, &known, Some(old)).await
}

/// The caller's hash, names and address.
async fn account(request: &Request) -> Answer<(Option<String>, Vec<String>)> {
    let sql = Sql::fixed(
        "SELECT u.password_hash, u.first_name, u.last_name, u.email FROM users u \
         WHERE u.org_id = $1 AND u.id = $2",
        [request.actor.org_id.into(), request.actor.user_id.into()],
    );
    let rows = request.db.read().await?.rows(&sql).await?;
    let texts: Vec<Option<String>> =
        rows.row(0).iter().map(|value| value.text().map(str::to_owned)).collect();
    let hash = texts.first().cloned().ok_or_else(|| Refused::not_found("id"))?;
    Ok((hash, texts.into_iter().skip(1).flatten().collect()))
}

async fn hashed(
    request: &Request,
    text: &str,
    names: &[&str],
    replaces: Option<Option<String>>,
) -> Answer<NewPassword> {
    let practice = practice::name(request).await?;
    let personal: Vec<&str> = names.iter().copied().chain(practice.as_deref()).collect();
    let mut problems = Problems::new();
    for problem in password::judge(text, &personal).await? {
        problems.add("password", problem);
    }
    problems.check()?;
    let hash = password::hash(request.instance.random(), text).await?;
    Ok(NewPassword { hash, replaces })
}
