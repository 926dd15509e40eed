//! ISO-01, 02, 04, 05, 06: a process that is started on what is not its own refuses to start.

use ward_tests::instance::init;
use ward_tests::{Engine, Instance, Kind, tell};

/// A Sandbox and a Production that do not run.
fn two() -> (Instance, Instance) {
    let born = |kind| Instance::birth(kind, Engine::Sqlite);
    (born(Kind::Sandbox), born(Kind::Production))
}

#[test]
fn iso_01_wrong_kind_refused() {
    let (s, p) = two();
    for instance in [&s, &p] {
        let before = instance.logical_dump();
        let output = instance.refused_start_as(instance.kind.other(), &[]);
        let line = output.refused("ISO-01");
        assert!(line.starts_with("E-ISO-01: "), "{line}");
        // All three opinions: the database's, the key file's, the command line's.
        let (own, other) = (instance.kind.title(), instance.kind.other().title());
        let named = format!("{own} {}", instance.tag);
        assert_eq!(line.matches(&named).count(), 2, "database and key file in: {line}");
        assert!(line.contains(&format!("command line says {other}")), "{line}");
        instance.logical_dump().assert_unchanged_since(&before, "a start as the wrong kind");
        // It is none the worse.
        drop(instance.serve());
    }
    tell("ISO-01", "2 starts as the wrong kind refused");
}

#[test]
fn iso_02_copied_database_file_refused() {
    let (s, p) = two();
    let another = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let cases = [(&p, &s), (&s, &p), (&another, &s)];
    for (from, to) in cases {
        let kept = to.dir.with_extension("kept");
        std::fs::rename(to.file(), &kept).unwrap();
        std::fs::copy(from.file(), to.file()).unwrap();
        let before = to.logical_dump();
        let output = to.refused_start(&[]);
        let line = output.refused("ISO-02");
        assert!(line.starts_with("E-ISO-02: "), "{line}");
        let born = format!("database born as {} {}", from.kind.title(), from.tag);
        assert!(line.contains(&born), "`{born}` is not in: {line}");
        to.logical_dump().assert_unchanged_since(&before, "a start on a copied database");
        std::fs::remove_file(to.file()).unwrap();
        std::fs::rename(&kept, to.file()).unwrap();
        drop(to.serve());
    }
    tell("ISO-02", format_args!("{} copied database files refused", cases.len()));
}

#[test]
fn iso_04_variables_of_both_kinds_refused() {
    let (s, p) = two();
    let both = [("WARD_SANDBOX_LOG_LEVEL", "info"), ("WARD_PRODUCTION_LOG_LEVEL", "info")];
    for instance in [&s, &p] {
        let before = instance.logical_dump();
        let output = instance.refused_start(&both);
        let line = output.refused("ISO-04");
        assert!(line.starts_with("E-ISO-04: "), "{line}");
        let foreign = format!("WARD_{}_LOG_LEVEL", instance.kind.other().word().to_uppercase());
        assert!(line.contains(&foreign), "{foreign} is not named in: {line}");
        instance
            .logical_dump()
            .assert_unchanged_since(&before, "a start with both kinds' variables");
        // The database's address is a variable like any other.
        let address = "postgres://elsewhere/database";
        let other = format!("WARD_{}_DATABASE_URL", instance.kind.other().word().to_uppercase());
        instance.refused_start(&[(&other, address)]).refused("ISO-04");
    }
    let files = tempfile::tempdir().unwrap();
    let dir = files.path().join("new");
    let owned = both.map(|(name, value)| (name.to_owned(), value.to_owned()));
    init(Kind::Sandbox, &dir, &[], &owned).refused("ISO-04");
    assert!(!dir.join("root.key").exists(), "a refused birth leaves a key file");
    tell("ISO-04", "5 commands with variables of both kinds refused");
}

/// Variables that only a live connector would have.
const CONNECTORS: [&str; 10] = [
    "WARD_SANDBOX_SMTP_HOST",
    "WARD_SMTP_PASSWORD",
    "WARD_SANDBOX_CARD_SECRET_KEY",
    "WARD_STRIPE_SECRET_KEY",
    "WARD_SANDBOX_CLEARINGHOUSE_PASSWORD",
    "WARD_CLEARINGHOUSE_USER",
    "WARD_SANDBOX_FAX_TOKEN",
    "WARD_FAX_TOKEN",
    "WARD_SANDBOX_ERX_KEY",
    "WARD_ERX_KEY",
];

#[test]
fn iso_05_live_connector_settings_refused() {
    const SECRET: &str = "secret-of-a-live-connector";
    let (s, p) = two();
    let before = s.logical_dump();
    for name in CONNECTORS {
        let output = s.refused_start(&[(name, SECRET)]);
        let line = output.refused("ISO-05");
        assert!(line.starts_with("E-ISO-05: ") && line.contains(name), "{name}: {line}");
        assert!(!line.contains(SECRET), "the value is shown: {line}");
    }
    // The whole environment of Production, as a copied .env has it.
    s.refused_start(&[("WARD_PRODUCTION_LOG_LEVEL", "info")]).refused("ISO-05");
    let file = s.dir.join("ward.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    for key in ["smtp_password", "card_key", "clearinghouse", "fax_token", "erx_key"] {
        std::fs::write(&file, format!("{key} = \"{SECRET}\"\n{text}")).unwrap();
        let output = s.refused_start(&[]);
        let line = output.refused("ISO-05");
        assert!(line.starts_with("E-ISO-05: ") && line.contains(key), "{key}: {line}");
        assert!(!line.contains(SECRET), "the value is shown: {line}");
    }
    std::fs::write(&file, text).unwrap();
    s.logical_dump().assert_unchanged_since(&before, "a start with live connector settings");
    drop((s.serve(), p.serve()));
    tell("ISO-05", format_args!("{} variables and 5 keys refused", CONNECTORS.len() + 1));
}

#[test]
fn iso_06_conversion_refused() {
    let (s, p) = two();
    for instance in [&s, &p] {
        let (own, other) = (instance.kind.word(), instance.kind.other().word());
        let connection = ward_tests::database::writable(&instance.file());
        let update = format!("UPDATE instance SET kind = '{other}'");
        let error = connection.execute(&update, []).unwrap_err().to_string();
        assert!(error.contains("CHECK constraint failed"), "{error}");
        // Without the constraint: the table made anew, as somebody determined would.
        let convert = format!(
            "CREATE TABLE converted AS SELECT * FROM instance;
             DROP TABLE instance;
             ALTER TABLE converted RENAME TO instance;
             {update};"
        );
        connection.execute_batch(&convert).unwrap();
        let refused = |kind: Kind, what: &str| {
            let output = instance.refused_start_as(kind, &[]);
            println!("ISO-06: {own}, {what}: {}", output.refused("ISO-06"));
        };
        refused(instance.kind, "the row converted");
        refused(instance.kind.other(), "the row converted, started as the other");
        // And the header too, so that even the file looks like the other kind's.
        let header = match instance.kind {
            Kind::Sandbox => 0x5052_4431,
            Kind::Production => 0x5342_5831,
        };
        connection.pragma_update(None, "application_id", header).unwrap();
        refused(instance.kind, "row and header converted");
        refused(instance.kind.other(), "row and header converted, started as the other");
        drop(connection);
    }
    tell("ISO-06", "2 raw updates stopped by the constraint, 8 starts after converting by hand");
}

#[test]
fn iso_06_changed_certificate_refused() {
    let changes = [
        "base_url = 'https://elsewhere.example'",
        "state = 'quarantined'",
        "id_epoch = id_epoch + 1",
        "host_binding = 'x.y'",
    ];
    for change in changes {
        let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
        s.database().execute(&format!("UPDATE instance SET {change}"));
        let output = s.refused_start(&[]);
        let line = output.refused("ISO-06");
        assert!(line.starts_with("E-ISO-06: "), "{change}: {line}");
    }
    tell("ISO-06", format_args!("{} changes of the certificate's row found", changes.len()));
}
