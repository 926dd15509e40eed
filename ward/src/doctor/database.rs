//! What the doctor sees in the database.

use ward_instance::clock::Course;
use ward_server::{Opened, assemble};
use ward_store::verify::{Verdict, verify};
use ward_store::{Engine, Query as _, Sql, StoreError, Value, migrate};

use super::Check;

/// With more audit entries than this, verifying is left to its own command.
const ENTRIES_MAX: i64 = 200_000;
/// A clock may be this far behind the newest entry, in microseconds.
const CLOCK_SLACK: i64 = 5_000_000;

/// All checks of the database.
pub async fn checks(opened: &Opened) -> Vec<Check> {
    vec![
        told("database", integrity(opened).await),
        told("schema", migrations(opened).await),
        told("clock", clock(opened).await),
        told("effects", effects(opened).await),
        told("audit log", audit(opened).await),
    ]
}

fn told(name: &'static str, outcome: Result<Check, StoreError>) -> Check {
    outcome.unwrap_or_else(|error| {
        Check::fail(name, error.to_string(), "see whether the database is reachable and whole")
    })
}

async fn integrity(opened: &Opened) -> Result<Check, StoreError> {
    let mut reader = opened.db.read().await?;
    if opened.db.engine() == Engine::Pg {
        reader.rows(&Sql::fixed("SELECT kind FROM instance", [])).await?;
        return Ok(Check::ok("database", "PostgreSQL answers and is this instance's"));
    }
    let rows = reader.rows(&Sql::fixed("PRAGMA quick_check(1)", [])).await?;
    Ok(match rows.scalar().and_then(Value::text) {
        Some("ok") => Check::ok("database", "SQLite finds its file whole"),
        Some(problem) => Check::fail(
            "database",
            problem,
            "stop the server, keep a copy of the files, and restore the last backup",
        ),
        None => Check::fail(
            "database",
            "SQLite gives no answer to its own check",
            "stop the server and keep a copy of the files",
        ),
    })
}

async fn migrations(opened: &Opened) -> Result<Check, StoreError> {
    let pending = migrate::pending(&opened.db, assemble::MIGRATIONS).await?;
    if pending.is_empty() {
        return Ok(Check::ok("schema", "up to date"));
    }
    Ok(Check::warn(
        "schema",
        format!("pending migrations: {pending:?}"),
        "ward serve applies them at its next start; or ward migrate",
    ))
}

/// A clock that ran backwards would order new entries before old ones.
async fn clock(opened: &Opened) -> Result<Check, StoreError> {
    let rows = opened
        .db
        .read()
        .await?
        .rows(&Sql::fixed("SELECT MAX(wall_at) FROM audit_events", []))
        .await?;
    let newest =
        rows.scalar().and_then(Value::int).unwrap_or(0).max(opened.certificate.born_at.as_micros());
    let now = opened.instance.clock().wall().as_micros();
    if now.saturating_add(CLOCK_SLACK) >= newest {
        return Ok(shown(opened));
    }
    Ok(Check::fail(
        "clock",
        format!("{} s behind the newest entry of the audit log", (newest - now) / 1_000_000),
        "set the machine's clock; let it be kept by NTP",
    ))
}

/// A Sandbox's clock that does not show real time is why reminders do not come.
fn shown(opened: &Opened) -> Check {
    let clock = opened.instance.clock();
    let Course { wall, logical, rate } = clock.course();
    if rate == Course::REAL.rate && logical == wall {
        return Check::ok("clock", "not behind anything that was written");
    }
    let goes = match rate {
        0 => "stands still",
        rate if rate == Course::REAL.rate => "goes as fast as real time",
        _ => "goes at another rate than real time",
    };
    let seconds = clock.offset_micros() / 1_000_000;
    let (apart, back) = match seconds {
        0.. => (
            format!("{seconds} s ahead of real time"),
            "ward sandbox reset, or a snapshot of before, brings real time back".to_owned(),
        ),
        _ => {
            let behind = seconds.unsigned_abs();
            (
                format!("{behind} s behind real time"),
                format!("ward sandbox clock advance {behind}s brings it to real time"),
            )
        }
    };
    let returns = opened.clock_returns_at();
    let left = returns.map_or_else(String::new, |at| {
        format!("; if nobody moves it, it goes as real time does from {at} on")
    });
    let on = match rate == Course::REAL.rate {
        true => "",
        false => "ward sandbox clock resume lets it go as fast as real time; ",
    };
    Check::warn(
        "clock",
        format!("the Sandbox's clock was moved: it {goes}, {apart}{left}"),
        format!("{on}{back}"),
    )
}

async fn effects(opened: &Opened) -> Result<Check, StoreError> {
    let waiting = ward_effects::waiting(&opened.db).await?;
    if waiting.is_empty() {
        return Ok(Check::ok("effects", "nothing waits"));
    }
    let counted: Vec<String> =
        waiting.iter().map(|waiting| format!("{} {}", waiting.count, waiting.class)).collect();
    Ok(Check::warn(
        "effects",
        format!("switched off or without a connector, so they wait: {}", counted.join(", ")),
        "give people their links yourself: ward user link --user EMAIL",
    ))
}

async fn audit(opened: &Opened) -> Result<Check, StoreError> {
    let rows =
        opened.db.read().await?.rows(&Sql::fixed("SELECT COUNT(*) FROM audit_events", [])).await?;
    let entries = rows.scalar().and_then(Value::int).unwrap_or(0);
    if entries > ENTRIES_MAX {
        return Ok(Check::ok(
            "audit log",
            format!("{entries} entries; verify them with ward audit verify"),
        ));
    }
    Ok(match verify(&opened.db, Some(&opened.dir.join("chain.heads"))).await? {
        Verdict::Intact { entries, .. } => {
            Check::ok("audit log", format!("intact, {entries} entries"))
        }
        Verdict::Broken(bad) => Check::fail(
            "audit log",
            bad.to_string(),
            "keep the files as they are and find out who had access to them",
        ),
    })
}
