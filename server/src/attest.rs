//! `ward attest`: people say that a moved, copied or restored instance is
//! meant to be where it is; quarantine ends (environments C.1).

use serde_json::{Value as Json, json};
use ward_instance::{Kind, State};
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{Actor, Scope, Tx, write_certificate};

use crate::admin::{self, Context};
use crate::place::{self, ServerError};

/// Ends quarantine, or records a deliberate move to another address. In
/// Production two administrators are named where two exist; a reason always.
pub async fn attest(
    context: &Context,
    base_url: Option<String>,
    reason: String,
    by: Vec<String>,
) -> Result<Json, ServerError> {
    if reason.trim().is_empty() {
        return Err(ServerError::Usage(
            "say why with --reason; it goes into the audit log".to_owned(),
        ));
    }
    let org_id = admin::founding(&context.db)
        .await?
        .ok_or_else(|| ServerError::Usage("the instance has no organization yet".to_owned()))?;
    if context.instance.kind() == Kind::Production {
        let mut reader = context.db.read().await?;
        let staff = ward_identity::admin::list_staff(&mut reader).await?;
        let administrators: Vec<_> = staff
            .iter()
            .filter(|user| {
                user.org_id == org_id
                    && user.active
                    && matches!(user.role, "owner" | "administrator")
            })
            .collect();
        let is_one = |name: &String| {
            administrators.iter().any(|user| {
                user.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(name))
            })
        };
        if let Some(stranger) = by.iter().find(|name| !is_one(name)) {
            return Err(ServerError::Usage(format!(
                "{stranger} is no administrator of the organization that runs this instance"
            )));
        }
        let mut names: Vec<String> = by.iter().map(|name| name.to_lowercase()).collect();
        names.sort_unstable();
        names.dedup();
        let named = names.len();
        if administrators.len() >= 2 && named < 2 {
            return Err(ServerError::Usage(
                "Production is attested by two administrators: name both with --by EMAIL"
                    .to_owned(),
            ));
        }
    }
    let mut certificate = {
        let mut reader = context.db.read().await?;
        ward_store::read_certificate(&mut reader).await?
    };
    let address = base_url.unwrap_or_else(|| certificate.base_url.clone());
    let parsed = address.parse().map_err(|_| {
        ServerError::Usage("--base-url is an address such as https://ehr.example.org".to_owned())
    })?;
    certificate.host_binding = place::binding(&context.dir, &context.db, &parsed).await?;
    context.files.follow(&context.db, &certificate.host_binding).await?;
    certificate.base_url = parsed.to_string();
    certificate.state = State::Active;
    certificate.sign(&context.instance.ring());
    let written = certificate.clone();
    context
        .db
        .write(move |tx: &mut Tx| {
            let (written, reason, by) = (written.clone(), reason.clone(), by.clone());
            Box::pin(async move {
                write_certificate(tx, &written).await?;
                let actor = Actor::system(org_id);
                let mut scope = Scope::new(tx, &actor);
                let mut entry =
                    AuditEntry::by(&actor, AuditType::Admin, "INSTANCE", written.tag.to_string());
                entry.changes = [("attested_by", by.join(", ")), ("reason", reason)]
                    .map(|(field, after)| AuditChange {
                        field: field.to_owned(),
                        before: None,
                        after: Some(after),
                    })
                    .into();
                scope.record(entry);
                Ok::<_, ward_store::StoreError>(())
            })
        })
        .await?;
    if let Some(app) = &context.app {
        app.quarantined.store(false, std::sync::atomic::Ordering::Relaxed);
    }
    Ok(json!({"state": "active", "base_url": certificate.base_url}))
}
