//! Nothing that hangs on the root key is forgotten by its rotation (SEC-22):
//! whoever adds a key, a digest or a MAC says here what becomes of it.

use ward_instance::Purpose;
use ward_server::assemble;
use ward_store::{ColumnKind, Table};

/// What a rotation does with columns of bytes that are not sealed; sealed ones
/// are sealed anew, except those of the audit log.
const COLUMNS: [(&str, &str); 17] = [
    ("api_keys.row_mac", "signed anew, by a step of its domain"),
    ("api_keys.secret_hash", "hangs on no key"),
    ("audit_events.chain", "stays; the old root's chain key is kept to verify"),
    ("audit_events.row_mac", "stays; the old root's row key is kept to verify"),
    ("blobs.sha256", "hangs on no key"),
    ("data_keys.wrapped", "wrapped under the new root"),
    ("events.row_mac", "signed anew"),
    ("idempotency_keys.answer", "sealed anew"),
    ("idempotency_keys.request_hash", "stays for its day; the old root's key is kept to compare"),
    ("link_tokens.address_digest", "ends"),
    ("link_tokens.lookup", "ends"),
    ("push_devices.token_digest", "hangs on no key"),
    ("sessions.lookup", "ends"),
    ("sign_in_attempts.subject", "ends: counting begins again"),
    ("simulated_messages.to_index", "made anew, by a step of its crate"),
    ("users.password_hash", "hangs on no key"),
    ("verification_codes.digest", "ends"),
];

/// The same for everything that is derived from a root.
const fn becomes(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Birth => "the certificate is signed anew",
        Purpose::Kek => "data keys are wrapped anew, and new ones made",
        Purpose::RowMac => "events and API keys are signed anew; audit entries keep theirs",
        Purpose::Ledger => "ids.ledger and chain.heads are signed anew",
        Purpose::Session | Purpose::ResetToken | Purpose::Invite | Purpose::ConfirmEmail => "ends",
        Purpose::Cursor | Purpose::FileUrl | Purpose::IcsFeed => "ends; nothing is stored",
        Purpose::BlindIndex => "indexes are made anew; attempt counters end",
        Purpose::Idempotency => "answers are sealed anew; the key is kept to compare requests",
        Purpose::AuditChain => "stays, to verify only",
        Purpose::Control => {
            "nothing is stored: each command is signed under every root of the key file"
        }
        Purpose::WebhookSeed | Purpose::StreamName | Purpose::DossierSign | Purpose::Backup => {
            "not used yet"
        }
    }
}

#[test]
fn sec_22_every_column_under_a_key_has_a_fate() {
    let mut found: Vec<String> = assemble::tables().into_iter().flat_map(of_bytes).collect();
    found.sort();
    let listed: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let missing: Vec<_> = found.iter().filter(|name| !listed.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "say what a rotation of the root does with {missing:?}");
    let gone: Vec<_> = listed.iter().filter(|name| !is_column(name)).collect();
    assert!(gone.is_empty(), "there is no {gone:?} any more");
    assert!(COLUMNS.is_sorted_by_key(|(name, _)| *name));
}

#[test]
fn sec_22_steps_of_domains_are_of_tables() {
    let tables = assemble::tables();
    let hooks = assemble::rotation_hooks();
    for (name, _) in &hooks.steps {
        assert!(tables.iter().any(|table| table.name == *name), "{name} is no table");
        assert!(COLUMNS.iter().any(|(column, fate)| {
            column.starts_with(&format!("{name}.")) && fate.contains("by a step")
        }));
    }
    let by_steps = COLUMNS.iter().filter(|(_, fate)| fate.contains("by a step")).count();
    assert_eq!(by_steps, hooks.steps.len());
    assert_eq!(hooks.at_start.len(), 1);
    assert!(Purpose::ALL.iter().all(|purpose| !becomes(*purpose).is_empty()));
}

fn of_bytes(table: &'static Table) -> Vec<String> {
    let bytes = table.columns.iter().filter(|it| !it.sealed && it.kind == ColumnKind::Bytes);
    bytes.map(|column| format!("{}.{}", table.name, column.name)).collect()
}

fn is_column(name: &str) -> bool {
    let tables = assemble::tables();
    name.split_once('.').is_some_and(|(table, column)| {
        tables.iter().any(|it| it.name == table && it.column(column).is_some())
    })
}
