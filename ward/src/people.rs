//! `ward key …` and `ward user …`.

use serde_json::Value as Json;
use ward_server::admin::Command;

use crate::cli::{KeyCommand, UserCommand};
use crate::connect;
use crate::failure::{Done, Failure};
use crate::output::{Out, lines, table};
use crate::rotate;

/// `ward key …`.
pub async fn key(command: KeyCommand, out: Out) -> Done {
    match command {
        KeyCommand::Create { here, user, name, expires_at, allowed_addresses } => {
            let command = Command::KeyCreate { user, name, expires_at, allowed_addresses };
            let answer = connect::write(&here, command).await?;
            shown(out, &answer);
            out.say("the key is shown this once; keep it where only its user's program reads it");
        }
        KeyCommand::RotateRoot { here, leave_damaged, no_wait } => {
            rotate::run(&here, leave_damaged, no_wait, out).await?;
        }
        KeyCommand::List(here) => listed(out, &connect::read(&here, Command::KeyList).await?),
        KeyCommand::Delete { here, key } => {
            if key.starts_with("ward_") {
                return Err(Failure::usage(
                    "a key is never an argument, for others read those; name it by its kid, the eight characters that ward key list shows",
                ));
            }
            shown(out, &connect::write(&here, Command::KeyDelete { key }).await?);
        }
    }
    Ok(())
}

/// `ward user …`.
pub async fn user(command: UserCommand, out: Out) -> Done {
    match command {
        UserCommand::Create { here, role, email, first_name, last_name } => {
            shown(
                out,
                &connect::write(&here, Command::UserCreate { role, email, first_name, last_name })
                    .await?,
            );
        }
        UserCommand::List(here) => listed(out, &connect::read(&here, Command::UserList).await?),
        UserCommand::Disable(args) => {
            shown(out, &connect::write(&args.here, Command::UserDisable { user: args.user }).await?)
        }
        UserCommand::ResetMfa(args) => {
            let command = Command::UserResetMfa { user: args.user };
            shown(out, &connect::write(&args.here, command).await?);
        }
        UserCommand::Link(args) => {
            shown(out, &connect::write(&args.here, Command::UserLink { user: args.user }).await?);
            out.say("the link works once; give it to that person only");
        }
    }
    Ok(())
}

fn shown(out: Out, answer: &Json) {
    out.answer(answer, || if answer.is_null() { "done".to_owned() } else { lines(answer) });
}

/// The list itself, or the one that the answer has under a name.
fn listed(out: Out, answer: &Json) {
    let inner =
        answer.as_object().and_then(|object| object.values().find(|value| value.is_array()));
    out.answer(answer, || table(inner.unwrap_or(answer)));
}
