//! Backups: everything that the tables hold, of one moment, into either engine.

use futures_util::FutureExt;
use ward_instance::envelope::{EnvelopeReader, EnvelopeWriter, Header};
use ward_instance::{Certificate, Random, Timestamp};
use ward_store::backup::{
    self, BodyReader, BodyWriter, Facts, Loader, Piece, Swap, dump, forget_staged, is_gone, schema,
};
use ward_store::{Birth, Db, Place, Query, Sql, StoreError, Value};

use crate::services_tables::{member, person};
use crate::support::World;
use crate::tables;

/// Some people in an organization of its own, numbered in the audit log.
async fn fill(w: &World, organization: i64, people: i64) {
    let org = w.organization(organization).await;
    for n in 0..people {
        w.act(&member(org), move |mut scope| {
            async move {
                let new = person(scope.tx, org, org + 5 + n, "Ada");
                scope.create(&new).await
            }
            .boxed()
        })
        .await
        .unwrap();
    }
    w.sequence().await;
}

fn header(w: &World) -> Header {
    Header {
        kind: w.ring.kind().to_string(),
        tag: w.ring.tag().to_string(),
        instance_id: w.ring.instance_id().to_string(),
        created_at: 1,
        restore_epoch: 0,
        root_version: w.ring.current_version(),
        schema: schema(w.ring.kind(), &tables::all()).unwrap(),
        ward: "test".to_owned(),
    }
}

fn facts() -> Facts {
    Facts {
        born_at: 1,
        base_url: "http://127.0.0.1".to_owned(),
        host_binding: String::new(),
        state: "active".to_owned(),
        schema_epoch: 1,
        id_epoch: 0,
        slots: vec![3],
        used_slots: vec![2, 3, 9],
        files_elsewhere: None,
    }
}

async fn backed_up(w: &World) -> Vec<u8> {
    let envelope = EnvelopeWriter::begin(&w.ring, &header(w), &Random::os(), Vec::new()).unwrap();
    let mut body = BodyWriter::new(envelope);
    body.facts(&facts()).unwrap();
    let mut reader = w.db.snapshot().await.unwrap();
    dump(&w.db, &mut reader, &mut body, &|_| ()).await.unwrap();
    body.file("a-file").unwrap();
    body.bytes(&[7; 100_000]).unwrap();
    body.finish().unwrap().1
}

fn body<'a>(w: &World, bytes: &'a [u8]) -> BodyReader<&'a [u8]> {
    let mut from = bytes;
    let (header, preamble) = Header::read(&mut from).unwrap();
    header.check(&w.ring).unwrap();
    BodyReader::new(EnvelopeReader::new(&w.ring, &header, &preamble, from).unwrap())
}

fn certificate(w: &World, epoch: i64) -> Certificate {
    let mut certificate = Certificate::new(&w.ring, Timestamp(1), "http://127.0.0.1", "");
    certificate.restore_epoch = epoch;
    certificate.sign(&w.ring);
    certificate
}

/// Puts rows together as a restore does; `change` may change them.
async fn load(
    w: &World,
    bytes: &[u8],
    change: impl Fn(&str, &mut Vec<Value>),
) -> Result<Place, StoreError> {
    let (certificate, tables) = (certificate(w, 1), tables::all());
    let birth = Birth {
        ring: &w.ring,
        certificate: &certificate,
        tables: &tables,
        migrations: &[],
        now: Timestamp(2),
    };
    let mut loader = Loader::begin(&w.place, &birth).await?;
    let (mut body, mut table) = (body(w, bytes), String::new());
    while let Some(piece) = body.piece().unwrap() {
        match piece {
            Piece::Table { name, columns } => {
                loader.table(&name, &columns).await?;
                table = name;
            }
            Piece::Row(mut row) => {
                change(&table, &mut row);
                loader.row(row).await?;
            }
            Piece::Facts(told) => assert_eq!(told, facts()),
            Piece::File(_) | Piece::Bytes(_) | Piece::End(_) => {}
        }
    }
    loader.finish().await.map(|(place, _)| place)
}

/// Every row of every table as text, through the store.
async fn content(db: &Db) -> Vec<String> {
    let mut reader = db.read().await.unwrap();
    let mut lines = Vec::new();
    for table in db.tables() {
        let mut sql = Sql::new();
        sql.push("SELECT * FROM ").push(table.name);
        let rows = reader.rows(&sql).await.unwrap();
        lines.extend(rows.iter().map(|row| format!("{} {row:?}", table.name)));
    }
    lines.sort();
    lines
}

async fn what_is_there_takes_the_place(w: World) {
    fill(&w, 1, 250).await;
    let before = content(&w.db).await;
    assert!(before.len() > 4, "an empty database proves nothing");
    let bytes = backed_up(&w).await;
    fill(&w, 2, 2).await;
    assert_ne!(content(&w.db).await, before);
    let staged = load(&w, &bytes, |_, _| ()).await.unwrap();
    // Beside what is there, which goes on until the swap.
    let beside = Db::open(staged, w.instance.clone(), tables::all()).await.unwrap();
    assert_eq!(content(&beside).await, before);
    beside.shutdown().await;
    assert_ne!(content(&w.db).await, before);
    w.db.shutdown().await;
    assert!(!is_gone(&w.place, w.ring.kind()).await.unwrap());
    let swap = Swap { place: &w.place, ring: &w.ring, node: "me", since: i64::MAX };
    swap.run().await.unwrap();
    let there = Db::open(w.place.clone(), w.instance.clone(), tables::all()).await.unwrap();
    assert_eq!(content(&there).await, before);
    let certificate = ward_store::read_certificate(&mut there.read().await.unwrap()).await.unwrap();
    assert_eq!(certificate.restore_epoch, 1);
    there.shutdown().await;
}

both!(what_is_there_takes_the_place);

/// One snapshot: what is written meanwhile is not seen, on either engine.
async fn a_snapshot_is_of_one_moment(w: World) {
    fill(&w, 1, 2).await;
    let count = Sql::fixed("SELECT COUNT(*) FROM audit_events", []);
    let mut snapshot = w.db.snapshot().await.unwrap();
    let before = snapshot.rows(&count).await.unwrap();
    fill(&w, 2, 2).await;
    assert_eq!(snapshot.rows(&count).await.unwrap(), before);
    assert_ne!(w.rows(count).await, before);
}

both!(a_snapshot_is_of_one_moment);

/// Rows that do not fit together, or into these tables, come nowhere.
async fn what_does_not_fit_is_refused(w: World) {
    fill(&w, 1, 2).await;
    let bytes = backed_up(&w).await;
    let of_the_other_kind = load(&w, &bytes, |table, row| {
        if table == "audit_events" {
            // A UUID of Production, which the CHECK refuses.
            row[0] = Value::from("01890000-0000-8000-8000-000000000000");
        }
    });
    let error = of_the_other_kind.await.unwrap_err();
    assert!(matches!(error, StoreError::Constraint(_) | StoreError::Unique(_)), "{error}");
    let certificate = certificate(&w, 1);
    let tables = tables::all();
    let birth = Birth {
        ring: &w.ring,
        certificate: &certificate,
        tables: &tables,
        migrations: &[],
        now: Timestamp(2),
    };
    let mut loader = Loader::begin(&w.place, &birth).await.unwrap();
    assert!(loader.table("nothing", &["id".to_owned()]).await.is_err());
    assert!(loader.table("events", &["id".to_owned()]).await.is_err());
    assert!(loader.row(vec![Value::Int(1)]).await.is_err());
    drop(loader);
    forget_staged(&w.place).unwrap();
    assert!(matches!(backup::others(&w.place, w.ring.kind(), "me", 0).await, Ok(0)));
    // Nothing of it is in the instance's database.
    assert!(content(&w.db).await.iter().all(|line| !line.contains("01890000-0000")));
}

both!(what_does_not_fit_is_refused);
