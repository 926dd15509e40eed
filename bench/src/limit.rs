//! The physical limit: axum and rusqlite, JSON by hand, on a copy of Ward's
//! own database; durable creates by group commit.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use anyhow::Result;
use axum::Router;
use axum::extract::{Query, State};
use axum::routing::post;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use crate::group_commit::{self, Written};

/// What a request is about: a client's id and e-mail address.
pub type About = Query<HashMap<String, String>>;

struct Limit {
    readers: Vec<std::sync::Mutex<Connection>>,
    writes: SyncSender<oneshot::Sender<()>>,
    created: &'static str,
}

/// Answers from the database.
pub type Read = fn(&Connection, &About) -> rusqlite::Result<String>;

/// Serves `/list`, `/total`, `/get`, `/search`, `/common` and `/create`; prints
/// its port. Creates go into the same database, which is a copy.
pub async fn serve(database: &str) -> Result<()> {
    let reads: [(&str, Read); 5] = [
        ("/list", list),
        ("/total", total),
        ("/get", one),
        ("/search", search),
        ("/common", common),
    ];
    serve_all(database, &reads, group_commit::client, CREATED).await
}

/// Serves these, and `/create`, which writes again what was written and answers `created`.
pub async fn serve_all(
    database: &str,
    reads: &[(&str, Read)],
    written: impl FnOnce(&Connection) -> Result<Written> + Send + 'static,
    created: &'static str,
) -> Result<()> {
    let mut readers = Vec::new();
    for _ in 0..4 {
        let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.set_prepared_statement_cache_capacity(64);
        readers.push(std::sync::Mutex::new(connection));
    }
    let (writes, waiting) = sync_channel(4096);
    let path = database.to_owned();
    std::thread::spawn(move || {
        if let Err(error) = group_commit::run(&path, &waiting, written) {
            eprintln!("the raw commit loop failed: {error:#}");
        }
    });
    let state = Arc::new(Limit { readers, writes, created });
    let mut routes = Router::new().route("/create", post(create));
    for (path, read) in reads.iter().copied() {
        routes = routes.route(
            path,
            post(move |State(limit): State<Arc<Limit>>, about: About| async move {
                limit.read(read, &about)
            }),
        );
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, routes.with_state(state)).await?;
    Ok(())
}

impl Limit {
    fn read(&self, read: Read, about: &About) -> String {
        for reader in self.readers.iter().cycle() {
            if let Ok(connection) = reader.try_lock() {
                return read(&connection, about).unwrap_or_else(|error| error.to_string());
            }
        }
        String::new()
    }
}

async fn create(State(limit): State<Arc<Limit>>) -> &'static str {
    let (done, wait) = oneshot::channel();
    if limit.writes.send(done).is_err() || wait.await.is_err() {
        return "{\"errors\":[]}";
    }
    limit.created
}

/// The answer to a create.
pub const CREATED: &str =
    "{\"data\":{\"createClient\":{\"user\":{\"id\":\"1\"},\"messages\":null}}}";

/// One client as it is written in an answer.
pub fn client(id: i64, first_name: &str, last_name: &str, email: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"first_name\":\"{first_name}\",\"last_name\":\"{last_name}\",\"email\":\"{email}\"}}"
    )
}

fn of_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<String> {
    let text = |at: usize| row.get::<_, Option<String>>(at).map(Option::unwrap_or_default);
    Ok(client(row.get(0)?, &text(1)?, &text(2)?, &text(3)?))
}

fn one(connection: &Connection, about: &About) -> rusqlite::Result<String> {
    let mut statement = connection.prepare_cached(
        "SELECT id, first_name, last_name, email FROM users WHERE org_id = (SELECT MIN(id) FROM organizations) AND id = ?1",
    )?;
    let id: i64 = about.get("id").and_then(|id| id.parse().ok()).unwrap_or(0);
    let client = statement.query_row([id], of_row)?;
    Ok(format!("{{\"data\":{{\"user\":{client}}}}}"))
}

fn search(connection: &Connection, about: &About) -> rusqlite::Result<String> {
    let email = about.get("email").map(String::as_str).unwrap_or_default();
    let start: String = email.chars().take(8).collect();
    let mut statement = connection.prepare_cached(
        "SELECT id, first_name, last_name, email FROM users WHERE org_id = (SELECT MIN(id) FROM organizations) \
         AND id IN (SELECT row_id FROM search_grams WHERE org_id = (SELECT MIN(id) FROM organizations) \
         AND kind = 'users' AND gram = ?1) AND search_text LIKE '%' || ?2 || '%' ORDER BY last_name_fold, id LIMIT 25",
    )?;
    found(statement.query_map([&start, email], of_row)?.collect())
}

fn common(connection: &Connection, _: &About) -> rusqlite::Result<String> {
    let mut statement = connection.prepare_cached(
        "SELECT id, first_name, last_name, email FROM users WHERE org_id = (SELECT MIN(id) FROM organizations) \
         AND is_patient = 1 AND search_text LIKE '%example.com%' ORDER BY last_name_fold, id LIMIT 25",
    )?;
    found(statement.query_map([], of_row)?.collect())
}

fn found(clients: rusqlite::Result<Vec<String>>) -> rusqlite::Result<String> {
    Ok(format!("{{\"data\":{{\"users\":[{}]}}}}", clients?.join(",")))
}

fn total(connection: &Connection, about: &About) -> rusqlite::Result<String> {
    let count: i64 = connection
        .prepare_cached(
            "SELECT COUNT(*) FROM users WHERE org_id = (SELECT MIN(id) FROM organizations) AND is_patient = 1",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(format!("{{\"count\":{count},\"list\":{}}}", list(connection, about)?))
}

/// Fifty clients by last name with provider, group and tags: three statements.
fn list(connection: &Connection, _: &About) -> rusqlite::Result<String> {
    struct Client {
        id: i64,
        text: String,
        provider: Option<i64>,
        group: Option<i64>,
    }
    let mut statement = connection.prepare_cached(
        "SELECT id, first_name, last_name, email, phone_number, dob, dietitian_id, user_group_id FROM users \
         WHERE org_id = (SELECT MIN(id) FROM organizations) AND is_patient = 1 ORDER BY last_name_fold, id LIMIT 50",
    )?;
    let clients: Vec<Client> = statement
        .query_map([], |row| {
            let mut text = String::with_capacity(256);
            let _ = write!(
                text,
                "{{\"id\":\"{}\",\"first_name\":\"{}\",\"last_name\":\"{}\",\"email\":\"{}\",\"phone_number\":\"{}\",\"dob\":\"{}\"",
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                row.get::<_, Option<String>>(4)?.unwrap_or_default(),
                row.get::<_, Option<String>>(5)?.unwrap_or_default()
            );
            Ok(Client { id: row.get(0)?, text, provider: row.get(6)?, group: row.get(7)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let ids = |ids: Vec<i64>| {
        format!("[{}]", ids.iter().map(i64::to_string).collect::<Vec<_>>().join(","))
    };
    let names = |sql: &str, list: String| -> rusqlite::Result<HashMap<i64, String>> {
        connection
            .prepare_cached(sql)?
            .query_map([list], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?
            .collect()
    };
    let providers = names(
        "SELECT id, first_name || ' ' || last_name FROM users WHERE id IN (SELECT value FROM json_each(?1))",
        ids(clients.iter().filter_map(|client| client.provider).collect()),
    )?;
    let groups = names(
        "SELECT id, name FROM user_groups WHERE id IN (SELECT value FROM json_each(?1))",
        ids(clients.iter().filter_map(|client| client.group).collect()),
    )?;
    let mut tags: HashMap<i64, Vec<(i64, String)>> = HashMap::new();
    let mut statement = connection.prepare_cached(
        "SELECT a.user_id, t.id, t.name FROM applied_tags a JOIN tags t ON t.id = a.tag_id WHERE a.user_id IN (SELECT value FROM json_each(?1)) ORDER BY t.name_fold",
    )?;
    let mut rows = statement.query([ids(clients.iter().map(|client| client.id).collect())])?;
    while let Some(row) = rows.next()? {
        tags.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?));
    }
    let mut out = String::with_capacity(20_000);
    out.push_str("{\"data\":{\"users\":[");
    for (n, client) in clients.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push_str(&client.text);
        let related = |id: Option<i64>, known: &HashMap<i64, String>, name: &str| match id
            .and_then(|id| known.get(&id).map(|text| (id, text)))
        {
            Some((id, text)) => format!("{{\"id\":\"{id}\",\"{name}\":\"{text}\"}}"),
            None => "null".to_owned(),
        };
        let _ = write!(
            out,
            ",\"dietitian\":{},\"user_group\":{},\"active_tags\":[",
            related(client.provider, &providers, "full_name"),
            related(client.group, &groups, "name")
        );
        for (m, (id, name)) in tags.get(&client.id).into_iter().flatten().enumerate() {
            let _ = write!(
                out,
                "{}{{\"id\":\"{id}\",\"name\":\"{name}\"}}",
                if m > 0 { "," } else { "" }
            );
        }
        out.push_str("]}");
    }
    out.push_str("]}}");
    Ok(out)
}
