//! The resources of all domains as one bundle of FHIR R4. A Sandbox's says of itself, and of each
//! resource, that it is test data (`HTEST`), so that it can be taken for nothing else (ISO-28).

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use ward_charting::export::{labels_of, of_part_2};
use ward_clients::export::fhir::Part;
use ward_clients::export::{ClientRecord, people};
use ward_instance::{Kind, Timestamp};

use ward_documents::EXPORT_TYPE;

/// The code system of the tag.
const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// From where and when an archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Of which environment.
    pub kind: Kind,
    /// The instance's address.
    pub base_url: String,
    /// When, on its clock.
    pub at: Timestamp,
}

/// The bundle; `files` says where in the archive the stored files are.
pub fn bundle(record: &ClientRecord, files: &BTreeMap<String, String>, origin: &Origin) -> Json {
    let resources = [
        people::resources(record),
        ward_scheduling::export::resources(record),
        ward_charting::export::resources(record),
        ward_clinical::export::resources(record),
        documents(record, files),
    ]
    .concat();
    let meta =
        Part::default().with("source", origin.base_url.as_str()).list("security", labels(record));
    let entries: Vec<Json> = resources.into_iter().map(|it| entry(it, origin)).collect();
    let mut bundle = Part::default()
        .with("resourceType", "Bundle")
        .with("meta", meta.json())
        .with("type", "collection")
        .at("timestamp", Some(origin.at.to_string()))
        .list("entry", entries)
        .json();
    mark(&mut bundle, origin);
    bundle
}

/// The security labels of all that is in, on paper as well: the whole is as confidential as its
/// strictest part.
fn labels(record: &ClientRecord) -> Vec<Json> {
    let mut all = labels_of(record);
    if !record.part_2_papers.is_empty() {
        let missing: Vec<Json> = of_part_2().into_iter().filter(|it| !all.contains(it)).collect();
        all.extend(missing);
    }
    all
}

fn entry(mut resource: Json, origin: &Origin) -> Json {
    mark(&mut resource, origin);
    let of = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    let url = format!("{}/{}/{}", origin.base_url, of("resourceType"), of("id"));
    json!({ "fullUrl": url, "resource": resource })
}

fn mark(resource: &mut Json, origin: &Origin) {
    if let Some(tag) = origin.kind.fhir_tag() {
        resource["meta"]["tag"] = json!([{ "system": REASON, "code": tag }]);
    }
}

/// The client's documents, but for former exports.
fn documents(record: &ClientRecord, files: &BTreeMap<String, String>) -> Vec<Json> {
    let rows = record.of("documents").iter();
    let kept = rows.filter(|row| row.text("file_content_type") != Some(EXPORT_TYPE));
    let resource = |row: &ward_clients::export::Row| {
        let attachment = Part::default()
            .text("contentType", row.text("file_content_type"))
            .maybe("url", row.text("file_id").and_then(|id| files.get(id)).cloned())
            .maybe("size", row.int("byte_size").filter(|size| *size <= i64::from(u32::MAX >> 1)))
            .text("title", row.text("display_name"))
            .at("creation", row.moment("created_at"));
        let author = record.person(row.int("owner_id")).map(ward_clients::export::fhir::refer);
        let is_part_2 = record.part_2_papers.contains(&row.id());
        // As the records have them that it was printed of.
        let labels = if is_part_2 { of_part_2() } else { Vec::new() };
        Part::resource("DocumentReference", row.id())
            .maybe("meta", Part::default().list("security", labels).some())
            .with("status", "current")
            .to("subject", Some(format!("Patient/{}", record.client_id)))
            .at("date", row.moment("created_at"))
            .list("author", author.into_iter().collect())
            .text("description", row.text("description"))
            .with("content", json!([{ "attachment": attachment.json() }]))
            .json()
    };
    kept.map(resource).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_clients::export::Row;
    use ward_documents::tables::DOCUMENTS;
    use ward_identity::tables::USERS;
    use ward_store::Value;

    fn client() -> ClientRecord {
        let mut values = vec![Value::Null; USERS.columns.len()];
        for (name, value) in [
            ("id", Value::Int(7)),
            ("first_name", "Ann".into()),
            ("dob", "1990-02-03".into()),
            ("deceased_on", "2026-01-05".into()),
        ] {
            values[USERS.column(name).unwrap()] = value;
        }
        let mut record = ClientRecord { client_id: 7, ..ClientRecord::default() };
        record.rows.insert("users", vec![Row { table: &USERS, values }]);
        record
    }

    fn origin(kind: Kind) -> Origin {
        Origin { kind, base_url: "https://ward.example".into(), at: Timestamp(0) }
    }

    #[test]
    fn dom_31_a_pdf_of_a_record_under_part_2_is_labelled() {
        let mut record = client();
        let mut rows = Vec::new();
        for id in [4, 5] {
            let mut values = vec![Value::Null; DOCUMENTS.columns.len()];
            values[DOCUMENTS.column("id").unwrap()] = Value::Int(id);
            rows.push(Row { table: &DOCUMENTS, values });
        }
        record.rows.insert("documents", rows);
        let plain = bundle(&record, &BTreeMap::new(), &origin(Kind::Sandbox));
        assert!(!plain.to_string().contains("42CFRPart2"), "{plain}");
        record.part_2_papers.insert(5);
        let made = bundle(&record, &BTreeMap::new(), &origin(Kind::Sandbox));
        assert_eq!(made["meta"]["security"][2]["code"], "42CFRPart2", "{made}");
        let labels = |at: usize| &made["entry"][at]["resource"]["meta"]["security"];
        assert!(labels(1).is_null(), "{made}");
        assert_eq!(labels(2)[2]["code"], "42CFRPart2", "{made}");
    }

    #[test]
    fn iso_28_a_sandboxs_bundle_is_marked_and_a_productions_is_not() {
        let test = bundle(&client(), &BTreeMap::new(), &origin(Kind::Sandbox));
        assert_eq!(test["meta"]["tag"][0]["code"], "HTEST");
        assert_eq!(test["entry"][0]["resource"]["meta"]["tag"][0]["code"], "HTEST");
        let real = bundle(&client(), &BTreeMap::new(), &origin(Kind::Production));
        assert!(!real.to_string().contains("HTEST"), "{real}");
        assert_eq!(real["meta"]["source"], "https://ward.example");
        assert_eq!(real["entry"][0]["fullUrl"], "https://ward.example/Patient/7");
        assert_eq!(real["entry"][0]["resource"]["birthDate"], "1990-02-03");
        assert_eq!(real["entry"][0]["resource"]["deceasedDateTime"], "2026-01-05");
    }
}
