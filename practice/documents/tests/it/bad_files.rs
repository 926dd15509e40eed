//! Files that are refused: one clear sentence each, and nothing is left (SEC-29).

use serde_json::json;
use ward_documents::file::DOCUMENT_BYTES_MAX;
use ward_documents::tables::Document;
use ward_store::Cond;

use crate::support::World;

const PDF: &[u8] = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

/// An archive whose one document claims to unpack to 4 GiB.
fn bomb() -> Vec<u8> {
    let names = ["[Content_Types].xml", "word/document.xml"];
    let mut directory = Vec::new();
    for name in names {
        directory.extend(b"PK\x01\x02");
        directory.extend([0; 20]);
        directory.extend(u32::MAX.to_le_bytes());
        directory.extend((name.len() as u16).to_le_bytes());
        directory.extend([0; 16]);
        directory.extend(name.as_bytes());
    }
    let mut bytes = b"PK\x03\x04 cut short".to_vec();
    let start = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0\x02\0\x02\0");
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

/// Name, claimed type, bytes, what the refusal says.
fn corpus() -> Vec<(String, &'static str, Vec<u8>, &'static str)> {
    let bytes = "application/octet-stream";
    let polyglot = [b"GIF89a\x01\0\x01\0\0\0\0".as_slice(), b"<html><script>x()</script>"].concat();
    let archived = [PNG, &bomb()].concat();
    let mut huge = PNG.to_vec();
    huge[16..24].copy_from_slice(&[0, 2, 0, 0, 0, 2, 0, 0]);
    let mut large = PDF.to_vec();
    large.resize(usize::try_from(DOCUMENT_BYTES_MAX).unwrap() + 1, b' ');
    let mut all = vec![
        ("empty.pdf".to_owned(), "application/pdf", Vec::new(), "is empty"),
        (
            "wrong.pdf".to_owned(),
            "application/pdf",
            b"hello".to_vec(),
            "is not what it is said to be",
        ),
        ("wrong.png".to_owned(), "image/png", PDF.to_vec(), "is not what it is said to be"),
        ("typed".to_owned(), "image/png", PDF.to_vec(), "is not what it is said to be"),
        ("picture.gif".to_owned(), "image/gif", polyglot, "holds a page"),
        ("picture.png".to_owned(), "image/png", archived, "holds a page or an archive"),
        ("pixels.png".to_owned(), "image/png", huge, "million pixels"),
        ("notes.docx".to_owned(), bytes, bomb(), "unpacks to more"),
        (
            "notes.docx".to_owned(),
            bytes,
            b"PK\x03\x04 no directory".to_vec(),
            "is not what it is said to be",
        ),
        ("page.txt".to_owned(), "text/plain", b"<!doctype html><p>".to_vec(), "HTML or SVG"),
        ("drawing".to_owned(), "image/svg+xml", b"<svg onload='x()'/>".to_vec(), "HTML or SVG"),
        ("setup.pdf".to_owned(), "application/pdf", b"MZ\x90\0\x03".to_vec(), "is a program"),
        ("run".to_owned(), bytes, b"\x7fELF\x02\x01\x01".to_vec(), "is a program"),
        ("large.pdf".to_owned(), "application/pdf", large, "at most 50 MiB"),
    ];
    let long = format!("{}.pdf", "n".repeat(300));
    for (name, said) in [
        ("", "can't be blank"),
        ("../../etc/passwd", "not a path"),
        ("..\\..\\boot.ini", "not a path"),
        ("/etc/passwd", "not a path"),
        ("..", "not a path"),
        ("nul\0byte.pdf", "control or direction"),
        ("line\nbreak.pdf", "control or direction"),
        ("scan\u{202e}fdp.exe", "control or direction"),
        ("CON", "device on Windows"),
        ("com1.pdf", "device on Windows"),
        ("scan.pdf::$DATA", "can't be saved everywhere"),
        ("scan.pdf.", "can't be saved everywhere"),
        (&long, "too long"),
    ] {
        all.push((name.to_owned(), "application/pdf", PDF.to_vec(), said));
    }
    all
}

#[tokio::test]
async fn bad_files_are_refused_in_one_sentence_and_leave_nothing() {
    World::each(async |w| {
        for (name, claimed, bytes, said) in corpus() {
            let shown: String = name.chars().take(20).collect();
            let payload = w.upload(&w.owner, (&name, claimed, &bytes), json!({})).await;
            assert!(payload["document"].is_null(), "{shown}: {payload}");
            let messages = payload["messages"].as_array().unwrap();
            assert_eq!((messages.len(), &messages[0]["field"]), (1, &json!("file")), "{payload}");
            let sentence = messages[0]["message"].as_str().unwrap();
            assert!(sentence.contains(said), "{shown:?}: {sentence}");
            assert!(!sentence.contains('\n') && sentence.chars().count() < 160, "{sentence}");
        }
        for (text, said) in [
            ("data:application/pdf;base64,!!!", "data URL"),
            ("data:application/pdf;base64,", "is empty"),
            ("data:application/pdf;base64,SGVsbG8K", "is not what it is said to be"),
        ] {
            let input = json!({ "file_string": text });
            let payload = w.mutate(&w.owner, "createDocument", "document { id }", input).await;
            assert_eq!(payload["messages"][0]["field"], "file_string", "{payload}");
            let sentence = payload["messages"][0]["message"].as_str().unwrap();
            assert!(sentence.contains(said), "{text}: {sentence}");
        }
        let payload = w.mutate(&w.owner, "createDocument", "document { id }", json!({})).await;
        assert_eq!(payload["messages"][0]["field"], "file", "{payload}");
        let rows: Vec<Document> = w.rows(Cond::Always).await;
        assert_eq!((rows.len(), w.files().await, w.events().await.len()), (0, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_good_file_is_what_its_bytes_say() {
    World::each(async |w| {
        let file = ("Résumé 2026.pdf", "application/octet-stream", PDF);
        let made = w.upload(&w.owner, file, json!({})).await;
        assert!(made["messages"].is_null(), "{made}");
        let query = "query($id: ID) { document(id: $id) { display_name file_content_type extension \
             friendly_type } }";
        let data = w.run(&w.owner, query, json!({ "id": made["document"]["id"] })).await;
        let wanted = json!({ "display_name": "Résumé 2026.pdf", "file_content_type": "application/pdf",
            "extension": "pdf", "friendly_type": "pdf" });
        assert_eq!(data["document"], wanted);
        assert_eq!(w.files().await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_link_is_for_one_person_and_ten_seconds() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let id = w.document(&w.owner, "note", json!({ "clients_ids": [ada] })).await;
        let client = w.as_client(&ada).await;
        let query = "query($id: ID) { document(id: $id) { expiring_url } }";
        let before = w.instance.clock().wall();
        let data = w.run(&client, query, json!({ "id": id })).await;
        let after = w.instance.clock().wall();
        let link = data["document"]["expiring_url"].as_str().unwrap();
        let link = w.instance.open_file_link(link.rsplit('/').next().unwrap()).unwrap();
        assert_eq!(link.user_id, client.user_id);
        let ten = 10 * 1_000_000;
        assert!(link.expires >= before.plus_micros(ten) && link.expires <= after.plus_micros(ten));
    })
    .await;
}
