//! Starts on what is not the process's own.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::failure::Failure;
use crate::isolation::Ground;
use crate::isolation::dump::dump;
use crate::isolation::own::{Ended, Own};
use crate::kind::Kind;
use crate::report::Row;

/// What is wrong with a refusal: exit 78 and one line `E-ISO-nn: …; fix: …`.
fn fault(ended: &Ended, numbers: &[&str], what: &str) -> Option<String> {
    let said = ended.stderr.trim();
    let number = numbers.iter().any(|number| said.starts_with(&format!("E-{number}: ")));
    let is_one_line = said.lines().count() == 1 && said.contains("; fix: ");
    match ended.code {
        Some(78) if number && is_one_line => None,
        Some(78) => {
            Some(format!("{what} is refused, but not with one line of {numbers:?}: {said}"))
        }
        code => {
            Some(format!("{what} is not refused with status 78, but ends with {code:?}: {said}"))
        }
    }
}

/// Makes instances that no other row touches.
fn two(ground: &Ground, row: &str) -> Result<[(Kind, PathBuf); 2], Failure> {
    let born = |kind: Kind| Ok((kind, ground.own.birth(kind, &format!("{row}-{}", kind.word()))?));
    Ok([born(Kind::Sandbox)?, born(Kind::Production)?])
}

fn serve(own: &Own, kind: Kind, dir: &Path, variables: &[(&str, &str)]) -> Result<Ended, Failure> {
    let more = ["--listen", "127.0.0.1:0"];
    own.run_with(&["serve", "--kind", kind.word()], dir, &more, variables)
}

fn sql(dir: &Path, text: &str) -> Result<(), String> {
    let open = Connection::open(dir.join("ward.db"));
    let done = open.and_then(|connection| {
        connection.pragma_update(None, "foreign_keys", false)?;
        connection.execute_batch(text)
    });
    done.map_err(|error| error.to_string())
}

/// All files of a directory, as somebody clones a machine.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    std::fs::set_permissions(to, std::fs::metadata(from)?.permissions())?;
    for entry in std::fs::read_dir(from)?.flatten() {
        let (kind, place) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &place)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}

/// ISO-01.
pub fn wrong_kind(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    for (kind, dir) in two(ground, "wrong-kind")? {
        let before = dump(&dir.join("ward.db"))?;
        let ended = serve(&ground.own, kind.other(), &dir, &[])?;
        row.judged(fault(&ended, &["ISO-01"], &format!("a {} served as the other", kind.title())));
        let changed = dump(&dir.join("ward.db"))? != before;
        row.case(!changed, || format!("a start as the wrong kind changes the {}", kind.title()));
    }
    Ok(())
}

/// ISO-02: of the other environment, and of another Sandbox.
pub fn copied_database(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    let [(_, s), (_, p)] = two(ground, "copied-database")?;
    let another = ground.own.birth(Kind::Sandbox, "copied-database-another")?;
    for (from, to, kind) in
        [(&p, &s, Kind::Sandbox), (&s, &p, Kind::Production), (&another, &s, Kind::Sandbox)]
    {
        let (file, kept) = (to.join("ward.db"), to.join("ward.kept"));
        let moved =
            std::fs::copy(&file, &kept).and_then(|_| std::fs::copy(from.join("ward.db"), &file));
        moved.map_err(|error| Failure::internal(error.to_string()))?;
        let ended = serve(&ground.own, kind, to, &[])?;
        let what = format!("a {} on a database of another instance", kind.title());
        row.judged(fault(&ended, &["ISO-02"], &what));
        let back = std::fs::copy(&kept, &file);
        back.map_err(|error| Failure::internal(error.to_string()))?;
    }
    Ok(())
}

/// ISO-04.
pub fn both_variables(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    let both = [("WARD_SANDBOX_LOG_LEVEL", "info"), ("WARD_PRODUCTION_LOG_LEVEL", "info")];
    for (kind, dir) in two(ground, "both-variables")? {
        let ended = serve(&ground.own, kind, &dir, &both)?;
        row.judged(fault(
            &ended,
            &["ISO-04"],
            &format!("a {} with both's variables", kind.title()),
        ));
    }
    Ok(())
}

/// The keys of live connectors, as Production's configuration has them.
const LIVE_KEYS: [&str; 27] = [
    "smtp_host",
    "smtp_port",
    "smtp_tls",
    "smtp_user",
    "smtp_password_file",
    "smtp_from",
    "smtp_ca",
    "smtp_callback_token_file",
    "sms_url",
    "sms_token_file",
    "sms_from",
    "sms_ca",
    "sms_callback_token_file",
    "push_url",
    "push_token_file",
    "push_ca",
    "video_url",
    "video_token_file",
    "video_ca",
    "scan_socket",
    "s3_endpoint",
    "s3_bucket",
    "s3_region",
    "s3_prefix",
    "s3_access_key",
    "s3_secret_key_file",
    "s3_ca",
];

/// Settings of connectors that there are none of yet.
const LATER: [&str; 4] = ["card_secret_key", "clearinghouse_user", "fax_token", "erx_key"];

/// ISO-05.
pub fn live_settings(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    const SECRET: &str = "secret-of-a-live-connector";
    let dir = ground.own.birth(Kind::Sandbox, "live-settings")?;
    for key in LIVE_KEYS.iter().chain(&LATER) {
        let key = key.to_ascii_uppercase();
        for name in [format!("WARD_SANDBOX_{key}"), format!("WARD_{key}")] {
            let ended = serve(&ground.own, Kind::Sandbox, &dir, &[(&name, SECRET)])?;
            row.judged(fault(&ended, &["ISO-05"], &format!("a Sandbox with {name}")));
            row.case(!ended.stderr.contains(SECRET), || format!("the value of {name} is shown"));
        }
    }
    let ended = serve(&ground.own, Kind::Sandbox, &dir, &[("WARD_PRODUCTION_LOG_LEVEL", "info")])?;
    row.judged(fault(&ended, &["ISO-04", "ISO-05"], "a Sandbox with Production's variables"));
    Ok(())
}

/// ISO-06: by SQL, with the constraint and without it.
pub fn conversion(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    for (kind, dir) in two(ground, "conversion")? {
        let other = kind.other();
        let update = format!("UPDATE instance SET kind = '{}'", other.word());
        let stopped = sql(&dir, &update);
        row.case(stopped.as_ref().is_err_and(|it| it.contains("CHECK constraint")), || {
            format!("an UPDATE of the {}'s kind is not stopped: {stopped:?}", kind.title())
        });
        let by_hand = format!(
            "CREATE TABLE converted AS SELECT * FROM instance; DROP TABLE instance;
             ALTER TABLE converted RENAME TO instance; {update};"
        );
        row.judged(sql(&dir, &by_hand).err());
        for (kind, what) in [(kind, "as before"), (other, "as the other")] {
            let ended = serve(&ground.own, kind, &dir, &[])?;
            let what = format!("a converted instance served {what}");
            row.judged(fault(&ended, &["ISO-06"], &what));
        }
    }
    Ok(())
}

/// ISO-10c, and ISO-08 as far as SQLite has it.
pub fn second_process(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    for kind in Kind::BOTH {
        let ended = serve(&ground.own, kind, ground.dir(kind), &[])?;
        row.case(ended.code == Some(75), || {
            format!("a second process of the {} ends with {:?}, not 75", kind.title(), ended.code)
        });
    }
    Ok(())
}

/// ISO-09.
pub fn copied_directory(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    for (kind, dir) in two(ground, "copied-directory")? {
        let to = dir.with_extension("copy");
        copy(&dir, &to).map_err(|error| {
            Failure::unavailable(format!("{} cannot be copied: {error}", dir.display()))
        })?;
        // A start finds out; the status tells.
        serve(&ground.own, kind, &to, &[])?;
        for (dir, is_copy) in [(&to, true), (&dir, false)] {
            let status = ground.own.run(&["status", "--kind", kind.word()], dir, &["--json"])?;
            let told = status.json("ward status")?;
            let state = told["state"].as_str().unwrap_or_default().to_owned();
            row.case((state == "quarantined") == is_copy, || {
                format!(
                    "the {} of a {} is {state:?}",
                    if is_copy { "copied directory" } else { "directory" },
                    kind.title()
                )
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_of_live_connectors_are_tried() {
        let text = include_str!("../../../foundation/instance/src/config/variables.rs");
        let (_, rest) = text.split_once("const LIVE_KEYS").unwrap();
        let (list, _) = rest.split_once("];").unwrap();
        let keys: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
        assert_eq!(keys, LIVE_KEYS);
    }
}
