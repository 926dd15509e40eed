//! `ward attest`: people say that an instance is meant to be where it is.

use ward_server::admin::Command;

use crate::cli::AttestArgs;
use crate::connect;
use crate::failure::Done;
use crate::output::{Out, plain};

/// `ward attest`.
pub async fn run(args: AttestArgs, out: Out) -> Done {
    let answer = connect::write(
        &args.here,
        Command::Attest { base_url: args.base_url, reason: args.reason, by: args.by },
    )
    .await?;
    out.answer(&answer, || {
        format!(
            "{}: {}; the reason is in the audit log",
            plain(&answer["base_url"]),
            plain(&answer["state"])
        )
    });
    Ok(())
}
