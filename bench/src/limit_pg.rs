//! The physical limit on PostgreSQL: axum and the raw driver's prepared
//! statements, JSON by hand, on Ward's own tables; creates go into copies.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use tokio::sync::Mutex;
use tokio_postgres::{Client, Row, Statement};

use crate::limit::{About, CREATED, client};
use crate::world;

/// Connections, as many as Ward has.
const CONNECTIONS: usize = 16;

struct Limit {
    org_id: i64,
    connections: Vec<Mutex<Connection>>,
    next: AtomicUsize,
    id: AtomicI64,
}

struct Connection {
    client: Client,
    get: Statement,
    search: Statement,
    common: Statement,
    count: Statement,
    list: Statement,
    names: Statement,
    groups: Statement,
    tags: Statement,
    create: Vec<Statement>,
}

/// Serves what [`crate::limit`] does.
pub async fn serve(url: &str) -> Result<()> {
    let url = format!("{url}?application_name=limit");
    let first = world::connect(&url).await?;
    let org_id = first.query_one("SELECT MIN(id) FROM organizations", &[]).await?.get(0);
    let copies = copies(&first, org_id).await?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Mutex::new(Connection::new(world::connect(&url).await?, &copies).await?));
    }
    let limit = Limit { org_id, connections, next: AtomicUsize::new(0), id: AtomicI64::new(0) };
    let routes =
        Router::new()
            .route(
                "/list",
                post(|State(it): State<Arc<Limit>>| async move { told(it.list().await) }),
            )
            .route(
                "/total",
                post(|State(it): State<Arc<Limit>>| async move { told(it.total().await) }),
            )
            .route(
                "/get",
                post(|State(it): State<Arc<Limit>>, about: About| async move {
                    told(it.get(&about).await)
                }),
            )
            .route(
                "/search",
                post(|State(it): State<Arc<Limit>>, about: About| async move {
                    told(it.search(&about).await)
                }),
            )
            .route(
                "/common",
                post(|State(it): State<Arc<Limit>>| async move { told(it.common().await) }),
            )
            .route(
                "/create",
                post(|State(it): State<Arc<Limit>>| async move { told(it.create().await) }),
            )
            .with_state(Arc::new(limit));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, routes).await?;
    Ok(())
}

fn told(answer: Result<String>) -> String {
    answer.unwrap_or_else(|error| format!("{error:#}"))
}

/// Copies of the tables that a create writes, and the statements that write the
/// rows of one client once more under other keys.
async fn copies(client: &Client, org_id: i64) -> Result<Vec<String>> {
    let id: i64 =
        client.query_one("SELECT MAX(id) FROM users WHERE is_patient = TRUE", &[]).await?.get(0);
    let of_user = format!("org_id = {org_id} AND id = {id}");
    let of_logins = format!("user_id = {id}");
    let of_grams = format!("org_id = {org_id} AND kind = 'users' AND row_id = {id}");
    let of_audit = format!("org_id = {org_id} AND resource_name = 'USER' AND resource_id = '{id}'");
    let of_events = format!("org_id = {org_id} AND resource_type = 'User' AND resource_id = {id}");
    let mut statements = Vec::new();
    for (table, of, whole) in [
        ("users", of_user, true),
        ("logins", of_logins, true),
        ("search_grams", of_grams, true),
        ("audit_events", of_audit, false),
        ("events", of_events, false),
    ] {
        let copy = format!("limit_{table}");
        let rows = if whole { "" } else { " LIMIT 0" };
        client
            .batch_execute(&format!(
                "CREATE TABLE {copy} (LIKE {table} INCLUDING ALL); \
                 INSERT INTO {copy} SELECT * FROM {table}{rows}; ANALYZE {copy}"
            ))
            .await?;
        let columns: Vec<String> = client
            .query(
                "SELECT column_name::text FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
                &[&table],
            )
            .await?
            .iter()
            .map(|row| row.get(0))
            .collect();
        let values: Vec<String> = columns.iter().map(|column| value(table, column)).collect();
        statements.push(format!(
            "INSERT INTO {copy} ({}) SELECT {} FROM {table} WHERE {of} AND $1::bigint > 0",
            columns.join(", "),
            values.join(", ")
        ));
    }
    Ok(statements)
}

fn value(table: &str, column: &str) -> String {
    match (table, column) {
        ("users", "id") | ("logins", "user_id") | ("search_grams", "row_id") => {
            format!("{column} + 100000 + $1::bigint")
        }
        ("audit_events" | "events", "id") => {
            "left(id, 24) || lpad(($1::bigint)::text, 12, '0')".to_owned()
        }
        ("audit_events" | "events", "seq" | "chain") => "NULL".to_owned(),
        ("users", "email" | "email_fold" | "last_name_fold") | ("logins", "email_key") => {
            format!("($1::bigint)::text || {column}")
        }
        _ => column.to_owned(),
    }
}

impl Connection {
    async fn new(client: Client, copies: &[String]) -> Result<Self> {
        let mut create = Vec::new();
        for text in copies {
            create.push(client.prepare(text).await?);
        }
        Ok(Connection {
            get: client
                .prepare("SELECT id, first_name, last_name, email FROM users WHERE org_id = $1 AND id = $2")
                .await?,
            search: client
                .prepare(
                    "SELECT id, first_name, last_name, email FROM users WHERE org_id = $1 AND id IN \
                     (SELECT row_id FROM search_grams WHERE org_id = $1 AND kind = 'users' AND gram = $2) \
                     AND search_text LIKE '%' || $3::text || '%' ORDER BY last_name_fold, id LIMIT 25",
                )
                .await?,
            common: client
                .prepare(
                    "SELECT id, first_name, last_name, email FROM users WHERE org_id = $1 AND is_patient = TRUE \
                     AND search_text LIKE '%example.com%' ORDER BY last_name_fold, id LIMIT 25",
                )
                .await?,
            count: client
                .prepare("SELECT COUNT(*) FROM users WHERE org_id = $1 AND is_patient = TRUE")
                .await?,
            list: client
                .prepare(
                    "SELECT id, first_name, last_name, email, phone_number, dob, dietitian_id, user_group_id FROM users \
                     WHERE org_id = $1 AND is_patient = TRUE ORDER BY last_name_fold, id LIMIT 50",
                )
                .await?,
            names: client
                .prepare("SELECT id, first_name || ' ' || last_name FROM users WHERE org_id = $1 AND id = ANY($2)")
                .await?,
            groups: client
                .prepare("SELECT id, name FROM user_groups WHERE org_id = $1 AND id = ANY($2)")
                .await?,
            tags: client
                .prepare(
                    "SELECT a.user_id, t.id, t.name FROM applied_tags a JOIN tags t ON t.org_id = a.org_id AND t.id = a.tag_id \
                     WHERE a.org_id = $1 AND a.user_id = ANY($2) ORDER BY t.name_fold",
                )
                .await?,
            create,
            client,
        })
    }
}

fn of_row(row: &Row) -> String {
    let text = |at: usize| row.get::<_, Option<&str>>(at).unwrap_or_default();
    client(row.get(0), text(1), text(2), text(3))
}

fn found(rows: &[Row]) -> String {
    let clients: Vec<String> = rows.iter().map(of_row).collect();
    format!("{{\"data\":{{\"users\":[{}]}}}}", clients.join(","))
}

impl Limit {
    async fn connection(&self) -> tokio::sync::MutexGuard<'_, Connection> {
        for connection in &self.connections {
            if let Ok(free) = connection.try_lock() {
                return free;
            }
        }
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        self.connections[n % self.connections.len()].lock().await
    }

    async fn get(&self, about: &About) -> Result<String> {
        let it = self.connection().await;
        let id: i64 = about.get("id").context("an id")?.parse()?;
        let row = it.client.query_one(&it.get, &[&self.org_id, &id]).await?;
        Ok(format!("{{\"data\":{{\"user\":{}}}}}", of_row(&row)))
    }

    async fn search(&self, about: &About) -> Result<String> {
        let it = self.connection().await;
        let email = about.get("email").context("an address")?;
        let start: String = email.chars().take(8).collect();
        Ok(found(&it.client.query(&it.search, &[&self.org_id, &start, email]).await?))
    }

    async fn common(&self) -> Result<String> {
        let it = self.connection().await;
        Ok(found(&it.client.query(&it.common, &[&self.org_id]).await?))
    }

    async fn total(&self) -> Result<String> {
        let count: i64 = {
            let it = self.connection().await;
            it.client.query_one(&it.count, &[&self.org_id]).await?.get(0)
        };
        Ok(format!("{{\"count\":{count},\"list\":{}}}", self.list().await?))
    }

    async fn list(&self) -> Result<String> {
        let it = self.connection().await;
        let clients = it.client.query(&it.list, &[&self.org_id]).await?;
        let ids: Vec<i64> = clients.iter().map(|row| row.get(0)).collect();
        let of = |at: usize| clients.iter().filter_map(|row| row.get(at)).collect::<Vec<i64>>();
        let providers = it.client.query(&it.names, &[&self.org_id, &of(6)]).await?;
        let groups = it.client.query(&it.groups, &[&self.org_id, &of(7)]).await?;
        let tags = it.client.query(&it.tags, &[&self.org_id, &ids]).await?;
        let mut out = String::with_capacity(20_000);
        out.push_str("{\"data\":{\"users\":[");
        for (n, row) in clients.iter().enumerate() {
            let text = |at: usize| row.get::<_, Option<&str>>(at).unwrap_or_default();
            let related = |at: usize, known: &[Row], name: &str| {
                let id: Option<i64> = row.get(at);
                let found = known.iter().find(|it| Some(it.get::<_, i64>(0)) == id);
                found.map_or_else(
                    || "null".to_owned(),
                    |it| {
                        format!(
                            "{{\"id\":\"{}\",\"{name}\":\"{}\"}}",
                            it.get::<_, i64>(0),
                            it.get::<_, &str>(1)
                        )
                    },
                )
            };
            let id: i64 = row.get(0);
            let _ = write!(
                out,
                "{}{{\"id\":\"{id}\",\"first_name\":\"{}\",\"last_name\":\"{}\",\"email\":\"{}\",\"phone_number\":\"{}\",\"dob\":\"{}\",\"dietitian\":{},\"user_group\":{},\"active_tags\":[",
                if n > 0 { "," } else { "" },
                text(1),
                text(2),
                text(3),
                text(4),
                text(5),
                related(6, &providers, "full_name"),
                related(7, &groups, "name")
            );
            let worn: Vec<String> = tags
                .iter()
                .filter(|tag| tag.get::<_, i64>(0) == id)
                .map(|tag| {
                    format!(
                        "{{\"id\":\"{}\",\"name\":\"{}\"}}",
                        tag.get::<_, i64>(1),
                        tag.get::<_, &str>(2)
                    )
                })
                .collect();
            out.push_str(&worn.join(","));
            out.push_str("]}");
        }
        out.push_str("]}}");
        Ok(out)
    }

    async fn create(&self) -> Result<String> {
        let id = self.id.fetch_add(1, Ordering::Relaxed) + 1;
        let mut it = self.connection().await;
        let Connection { client, create, .. } = &mut *it;
        let transaction = client.transaction().await?;
        for statement in create.iter() {
            transaction.execute(statement, &[&id]).await?;
        }
        transaction.commit().await?;
        Ok(CREATED.to_owned())
    }
}
