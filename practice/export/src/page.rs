//! What the archive says in other ways than FHIR: all rows as JSON, and a page for people that
//! needs nothing but itself. Pure functions.

use serde_json::{Map, Value as Json};
use ward_clients::export::{ClientRecord, Row};
use ward_instance::Timestamp;
use ward_store::{Column, ColumnKind, Value};

use super::bundle::Origin;
use super::plan::COLUMNS_LEFT_OUT;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
    padding:0 1rem;color:#1d2b28}.mark{background:#fff3cd;border:1px solid #8a6d3b;\
    padding:.5rem 1rem}dl{border-top:1px solid #ccc;padding-top:.5rem;display:grid;\
    grid-template-columns:14rem 1fr;gap:.1rem 1rem}dt{color:#555}dd{margin:0;\
    white-space:pre-wrap;overflow-wrap:anywhere}";

/// Whether a column is in the archive: not what somebody signs in with, nor how the instance works.
fn is_shown(column: &Column) -> bool {
    !column.secret && !COLUMNS_LEFT_OUT.contains(&column.name)
}

/// A row as JSON: ids as texts, moments in RFC 3339.
pub fn row(row: &Row) -> Json {
    let columns = row.table.columns.iter().zip(&row.values);
    let shown = columns.filter(|(column, _)| is_shown(column));
    let members: Map<String, Json> =
        shown.map(|(column, value)| (column.name.to_owned(), told(column.kind, value))).collect();
    Json::Object(members)
}

fn told(kind: ColumnKind, value: &Value) -> Json {
    match (kind, value) {
        (ColumnKind::Bool, Value::Int(it)) => Json::Bool(*it != 0),
        (ColumnKind::Id(_), Value::Int(id)) => Json::String(id.to_string()),
        (ColumnKind::Instant, Value::Int(at)) => Json::String(Timestamp(*at).to_string()),
        (ColumnKind::Json, Value::Text(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_string()))
        }
        (_, Value::Int(number)) => Json::from(*number),
        (_, Value::Text(text)) => Json::String(text.to_string()),
        (_, Value::Bytes(bytes)) => {
            Json::String(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
        }
        _ => Json::Null,
    }
}

/// The page: what is to be known of the archive, then each table with its rows, and what stands in
/// them.
pub fn index(
    record: &ClientRecord,
    files: &[(String, String)],
    (origin, notices): (&Origin, &[String]),
) -> String {
    let mut out = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta name=\"robots\" content=\"noindex\"><title>Export of a client</title>");
    out.push_str(&format!(
        "<meta name=\"ward-environment\" content=\"{}\"><style>{STYLE}</style></head><body>",
        origin.kind.as_str()
    ));
    out.push_str("<h1>Export of a client</h1>\n<p class=\"mark\">");
    out.push_str(&format!(
        "{} data. Made {} by {}. README.md says what is in this archive.</p>\n",
        origin.kind.title(),
        escaped(&origin.at.to_string()),
        escaped(&origin.base_url)
    ));
    for notice in notices {
        out.push_str(&format!("<p class=\"mark\">{}</p>\n", escaped(notice)));
    }
    if !files.is_empty() {
        out.push_str("<h2>Files</h2>\n<ul>");
        for (path, name) in files {
            let (path, name) = (escaped(path), escaped(name));
            out.push_str(&format!("<li><a href=\"{path}\">{name}</a></li>\n"));
        }
        out.push_str("</ul>\n");
    }
    for (table, rows) in &record.rows {
        out.push_str(&format!("<h2>{}</h2>\n", escaped(&words(table))));
        for row in rows {
            section(&mut out, record, row);
        }
    }
    out.push_str("</body></html>\n");
    out
}

fn section(out: &mut String, record: &ClientRecord, row: &Row) {
    out.push_str("<dl>");
    for (column, value) in row.table.columns.iter().zip(&row.values) {
        let kept_by_store = ["org_id", "unit_id", "version"].contains(&column.name);
        if value.is_null() || !is_shown(column) || kept_by_store {
            continue;
        }
        let text = match told(column.kind, value) {
            Json::String(text) => text,
            other => other.to_string(),
        };
        let who = match column.kind {
            ColumnKind::Id("User") => name_of(record, value.int()),
            _ => None,
        };
        let text = who.map_or(text.clone(), |who| format!("{who} ({text})"));
        out.push_str(&format!(
            "<dt>{}</dt><dd>{}</dd>\n",
            escaped(&words(column.name)),
            escaped(&text)
        ));
    }
    out.push_str("</dl>\n");
}

fn name_of(record: &ClientRecord, id: Option<i64>) -> Option<String> {
    let staff = record.staff.iter().find(|row| Some(row.id()) == id);
    let row = staff.or_else(|| record.by_id("users", id))?;
    let names = [row.text("first_name"), row.text("last_name")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then_some(name)
}

/// `form_answers` is "Form answers".
fn words(name: &str) -> String {
    let text = name.trim_end_matches("_id").replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect()
    })
}

/// As text of a page, or within the quotes of an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_identity::tables::USERS;
    use ward_instance::Kind;

    #[test]
    fn pages_are_escaped_and_never_hold_secrets() {
        let mut values = vec![Value::Null; USERS.columns.len()];
        for (name, value) in [
            ("id", Value::Int(7)),
            ("last_name", "<script>\"x\"</script>".into()),
            ("password_hash", "argon".into()),
            ("active", Value::Int(1)),
        ] {
            values[USERS.column(name).unwrap()] = value;
        }
        let client = Row { table: &USERS, values };
        let json = row(&client);
        assert_eq!(json["id"], "7");
        assert_eq!(json["active"], true);
        assert!(json.get("password_hash").is_none());
        let mut record = ClientRecord { client_id: 7, ..ClientRecord::default() };
        record.rows.insert("users", vec![client]);
        let kind = Kind::Sandbox;
        let origin = Origin { kind, base_url: "https://ward.example".into(), at: Timestamp(0) };
        let notices = ["For <b>you</b>".to_owned()];
        let page = index(&record, &[], (&origin, notices.as_slice()));
        assert!(page.contains("<p class=\"mark\">For &lt;b&gt;you"), "{page}");
        assert!(
            page.contains("&lt;script&gt;&quot;x&quot;") && !page.contains("<script"),
            "{page}"
        );
        assert!(page.contains("Sandbox data") && !page.contains("argon"));
    }

    #[test]
    fn names_of_columns_are_words() {
        assert_eq!(words("form_answers"), "Form answers");
        assert_eq!(words("user_id"), "User");
        assert_eq!(words(""), "");
    }
}
