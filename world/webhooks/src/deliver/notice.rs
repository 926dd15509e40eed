//! What developers are written when a webhook fails (behaviour 13.4).

use serde_json::json;
use ward_identity::account_mail::{self, AccountMail};
use ward_identity::tables::{Organization, OrganizationMembership, User};
use ward_store::{Cond, Scope, StoreError};

use crate::tables::{ValidationState, Webhook};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It has failed for a day.
    Failing,
    /// It has failed for three days and was disabled.
    Disabled,
    /// Its receiver got worse since last week.
    Worse(ValidationState),
    /// Its receiver is such that it was disabled.
    Unfit(ValidationState),
}

impl Notice {
    const fn kind(self) -> &'static str {
        match self {
            Notice::Failing => "webhook_failing",
            Notice::Disabled => "webhook_disabled",
            Notice::Worse(_) => "webhook_worse",
            Notice::Unfit(_) => "webhook_unfit",
        }
    }

    const fn finding(self) -> Option<ValidationState> {
        match self {
            Notice::Failing | Notice::Disabled => None,
            Notice::Worse(state) | Notice::Unfit(state) => Some(state),
        }
    }
}

/// Writes to the developers of the webhook's organization; to its owner when there is none.
pub async fn send(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    notice: Notice,
) -> Result<(), StoreError> {
    let endpoint = url::Url::parse(&webhook.url).ok();
    // A path or query may hold a secret of the receiver's.
    let endpoint = endpoint.and_then(|url| url.host_str().map(str::to_owned));
    let facts = json!({
        "endpoint": endpoint.unwrap_or_default(),
        "webhook": webhook.id.0.to_string(),
        "finding": notice.finding().map(ValidationState::as_str),
    });
    let cause = format!("webhook/{}", webhook.id);
    for reader in readers(scope, webhook).await? {
        let Some(to) = reader.email.clone() else { continue };
        let mail =
            AccountMail { kind: notice.kind(), to: &to, facts: facts.clone(), cause: &cause };
        account_mail::send(scope, &reader, mail).await?;
    }
    Ok(())
}

async fn readers(scope: &mut Scope<'_>, webhook: &Webhook) -> Result<Vec<User>, StoreError> {
    let developers = Cond::eq("unit_id", webhook.unit_id.0)
        .and(Cond::is_true("active"))
        .and(Cond::is_true("is_developer"));
    let memberships: Vec<OrganizationMembership> = scope.list(developers, &[]).await?;
    let mut readers = Vec::new();
    for membership in memberships {
        let user: Option<User> = scope.find(membership.user_id).await?;
        readers.extend(user.filter(|user| user.active && !user.is_integration));
    }
    if readers.is_empty() {
        let unit: Option<Organization> = scope.find(webhook.unit_id).await?;
        if let Some(owner) = unit.and_then(|unit| unit.owner_id) {
            readers.extend(scope.find(owner).await?);
        }
    }
    Ok(readers)
}
