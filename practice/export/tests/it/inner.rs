//! What an archive holds: what is stored of a client, and not how the instance works.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use serde_json::{Value as Json, json};
use ward_store::{Query, Sql, Uuid, Value, blobs};
use zip::ZipArchive;

use crate::between::keeps;
use crate::quarantine::packed;
use crate::support::World;

/// What the one archive holds that is kept.
async fn entries(w: &World) -> BTreeMap<String, String> {
    let sql = "SELECT d.file_id FROM documents d WHERE d.file_content_type = 'application/zip'";
    let mut reader = w.db.read().await.unwrap();
    let rows = reader.rows(&Sql::fixed(sql, [])).await.unwrap();
    let file = Uuid(rows.scalar().and_then(Value::text).unwrap().to_owned());
    let keys = w.db.keyring().of(&mut reader, w.org()).await.unwrap();
    let row = blobs::find(&mut reader, &keys, &file).await.unwrap().unwrap();
    let size = u64::try_from(row.byte_size).unwrap();
    let mut stored = blobs::open(&*w.blobs, &w.instance, &keys, &row, 0..size).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(some) = stored.chunk().await.unwrap() {
        bytes.extend(some);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut entries = BTreeMap::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        entries.insert(entry.name().unwrap().into_owned(), text);
    }
    entries
}

#[tokio::test]
async fn dom_39_an_archive_does_not_hold_when_a_note_is_to_lock() {
    World::each(async |w| {
        let ada = w.client("Ada", "a@example.com").await;
        let form = json!({ "name": "Visit", "use_for_charting": true });
        let form = w.mutate("createCustomModuleForm", "customModuleForm { id }", form).await;
        let input = json!({ "custom_module_form_id": form["customModuleForm"]["id"],
            "user_id": ada, "finished": true });
        let made = w.mutate("createFormAnswerGroup", "form_answer_group { id }", input).await;
        assert!(made["messages"].is_null(), "{made}");
        let failed = "UPDATE form_answer_groups SET autolock_skipped_until = 1, \
            autolock_failures = 1 WHERE autolock_from IS NOT NULL";
        w.execute(Sql::fixed(failed, [])).await;
        let archive = packed(&w, &ada).await;
        keeps(&w, archive).await.unwrap();
        let entries = entries(&w).await;
        let said: Json = serde_json::from_str(&entries["data/form_answer_groups.json"]).unwrap();
        let note = said["rows"][0].as_object().unwrap();
        assert_eq!(note["id"], made["form_answer_group"]["id"]);
        assert!(note.contains_key("locked_at") && note["finished"] == true, "{note:?}");
        assert!(entries["index.html"].contains("Visit"));
        for (name, text) in &entries {
            assert!(!text.to_lowercase().contains("autolock"), "{name}: {text}");
        }
    })
    .await;
}
