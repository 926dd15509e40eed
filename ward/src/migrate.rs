//! `ward migrate`: the database to this version's schema, or only whether it is.

use serde_json::json;
use ward_server::{Hold, assemble};
use ward_store::migrate;

use crate::cli::MigrateArgs;
use crate::connect;
use crate::failure::{Done, Failure};
use crate::output::Out;
use crate::serve::apply_migrations;

/// `ward migrate [--check]`.
pub async fn run(args: MigrateArgs, out: Out) -> Done {
    if args.check {
        let opened = connect::look(&args.here, "migrate --check").await?;
        let pending = migrate::pending(&opened.db, assemble::MIGRATIONS).await;
        connect::close(opened).await?;
        let pending = pending?;
        let answer = json!({"pending": pending});
        if pending.is_empty() {
            out.answer(&answer, || "nothing to migrate".to_owned());
            return Ok(());
        }
        out.answer(&answer, || {
            format!(
                "pending: {pending:?}; apply them with: ward migrate --kind {} --dir {}",
                args.here.kind,
                args.here.dir.display()
            )
        });
        return Err(Failure::no());
    }
    let mut opened = connect::open(&args.here, Hold::Exclusive, "migrate").await?;
    let applied = apply_migrations(&mut opened).await;
    connect::close(opened).await?;
    let applied = applied?;
    out.answer(&json!({"applied": applied}), || {
        if applied.is_empty() {
            "nothing to migrate".to_owned()
        } else {
            format!("applied: {applied:?}")
        }
    });
    Ok(())
}
