//! `ward audit verify`: whether the audit log is as it was written.

use serde_json::{Value as Json, json};
use ward_store::verify::{Verdict, verify};

use crate::cli::{AuditCommand, Here};
use crate::connect;
use crate::failure::{Done, Failure};
use crate::output::{GREEN, Out, PLAIN, RED};

/// `ward audit …`.
pub async fn run(command: AuditCommand, out: Out) -> Done {
    let AuditCommand::Verify(here) = command;
    let verdict = verdict(&here, out).await?;
    out.answer(&as_json(&verdict), || match &verdict {
        Verdict::Intact { entries, unnumbered, organizations } => {
            format!("{GREEN}intact{PLAIN}: {entries} entries of {organizations} organizations, and {unnumbered} not numbered yet")
        }
        Verdict::Broken(bad) => format!("{RED}broken{PLAIN}: {bad}"),
    });
    if verdict.is_intact() {
        Ok(())
    } else {
        Err(Failure::said_no(
            "the audit log is not as it was written; keep the files as they are and find out who had access to them",
        ))
    }
}

async fn verdict(here: &Here, out: Out) -> Done<Verdict> {
    let opened = connect::look(here, "audit verify").await?;
    let bar = out.progress("verifying every entry of the audit log");
    let verdict = verify(&opened.db, Some(&opened.dir.join("chain.heads"))).await;
    bar.finish_and_clear();
    connect::close(opened).await?;
    Ok(verdict?)
}

fn as_json(verdict: &Verdict) -> Json {
    match verdict {
        Verdict::Intact { entries, unnumbered, organizations } => {
            json!({"intact": true, "entries": entries, "unnumbered": unnumbered, "organizations": organizations})
        }
        Verdict::Broken(bad) => {
            json!({"intact": false, "organization": bad.org_id.to_string(), "seq": bad.seq, "id": bad.id, "damage": bad.damage.to_string()})
        }
    }
}
