//! Which clients a request has read so far, for the access log.

use parking_lot::Mutex;
use ward_store::access::AccessEntry;
use ward_store::{Actor, Query, Sql, StoreError, Value, Watch};

use crate::call::Request;
use crate::level::RowSet;

/// Paths of one entry are cut to so many bytes.
const PATH_BYTES_MAX: usize = 1_000;

/// Clients whose rows a request answers. Empty, it costs no allocation.
#[derive(Debug, Default)]
pub struct Reads(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    clients: Vec<(i64, Watch)>,
    paths: Vec<Box<str>>,
}

/// A client and the watch, as a statement answers them.
fn subject(row: &[Value]) -> Option<(i64, Watch)> {
    let watch = row.get(1).and_then(Value::int);
    let watch = watch.map_or(Watch::BrokenGlass, Watch::from_number);
    Some((row.first()?.int()?, watch))
}

impl Reads {
    /// Notes clients that were read by another way than rows of the engine, such
    /// as their ids out of a batch.
    pub fn note(&self, path: &str, clients: impl IntoIterator<Item = (i64, Watch)>) {
        let mut clients = clients.into_iter().peekable();
        if clients.peek().is_none() {
            return;
        }
        let mut found = self.0.lock();
        found.clients.extend(clients);
        if found.paths.iter().all(|known| known.as_ref() != path) {
            found.paths.push(path.into());
        }
    }

    /// Notes the clients of these rows; the ids of those that are of several.
    pub(crate) fn note_rows(
        &self,
        path: &str,
        set: &RowSet,
        rows: impl IntoIterator<Item = usize>,
    ) -> Vec<i64> {
        let Some(at) = set.subject else { return Vec::new() };
        let mut several = Vec::new();
        let client = |row: usize| {
            let (client, watch) = subject(set.rows.row(row).get(at..)?)?;
            if client < 0 {
                several.push(-client);
            }
            (client >= 0).then_some((client, watch))
        };
        self.note(path, rows.into_iter().filter_map(client));
        several
    }

    /// Notes the clients that a statement finds, and how closely they are watched.
    pub(crate) async fn note_found(
        &self,
        path: &str,
        conn: &mut dyn Query,
        sql: &Sql,
    ) -> Result<(), StoreError> {
        let found = conn.rows(sql).await?;
        self.note(path, found.iter().filter_map(subject));
        Ok(())
    }

    /// Forgets what was noted: the answer that showed it never left.
    pub(crate) fn forget(&self) {
        *self.0.lock() = Found::default();
    }

    /// Takes what was noted as entries of the log: those whom the actor sees by
    /// breaking the glass in one of their own.
    pub(crate) fn take(&self, request: &Request, actor: &Actor) -> Vec<AccessEntry> {
        let Found { mut clients, paths } = std::mem::take(&mut *self.0.lock());
        if clients.is_empty() {
            return Vec::new();
        }
        // Of one client the closest watch counts.
        clients.sort_unstable_by_key(|(id, watch)| (*id, std::cmp::Reverse(*watch)));
        clients.dedup_by_key(|(id, _)| *id);
        let path = joined(&paths);
        let wall_at = request.instance.clock().wall();
        let entry = |clients: Vec<i64>, watch: Watch| AccessEntry {
            org_id: actor.org_id,
            actor_id: actor.doer(),
            actor_kind: actor.role.as_str(),
            credential: actor.credential.clone(),
            credential_kind: match (&request.session, &actor.credential) {
                (Some(_), _) => "session",
                (None, Some(_)) => "api_key",
                (None, None) => "none",
            },
            request_id: request.request_id.as_str().into(),
            path: path.clone(),
            clients,
            watch,
            occurred_at: request.now,
            wall_at,
        };
        let closest = |glass: bool| {
            let wanted = clients.iter().filter(|(_, it)| (*it == Watch::BrokenGlass) == glass);
            let watch = wanted.clone().map(|(_, watch)| *watch).max()?;
            Some(entry(wanted.map(|(id, _)| *id).collect(), watch))
        };
        [closest(false), closest(true)].into_iter().flatten().collect()
    }
}

/// Writes the readings of a request's answer, which must not leave before: of the engine's own
/// answers, and of those that a server gives by other routes.
pub async fn log(request: &Request, actor: &Actor) -> Result<(), StoreError> {
    let entries = request.reads.take(request, actor);
    match entries.is_empty() {
        true => Ok(()),
        false => request.db.access_log().log(&request.db, entries).await,
    }
}

fn joined(paths: &[Box<str>]) -> Box<str> {
    let mut text = paths.join(", ");
    if text.len() > PATH_BYTES_MAX {
        // GraphQL names are ASCII, so every place is between two characters.
        text.truncate(PATH_BYTES_MAX);
        text.push('\u{2026}');
    }
    text.into()
}
