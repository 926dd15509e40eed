//! Whose the bucket is, and how files get there.

use ward_tests::bucket::Bucket;
use ward_tests::instance::OWNER;
use ward_tests::{Engine, Instance, Kind, json, tell};

use crate::bucket::{avatar, configure, is_picture};

#[test]
fn iso_02_another_instances_bucket_is_refused() {
    let bucket = Bucket::start();
    let (one, two) = (
        Instance::birth(Kind::Production, Engine::Sqlite),
        Instance::birth(Kind::Production, Engine::Sqlite),
    );
    for instance in [&one, &two] {
        configure(instance, &bucket.lines(""));
    }
    drop(one.serve());
    let marked = bucket.objects();
    let refused = two.refused_start(&[]);
    let line = refused.refused("ISO-02");
    assert!(line.starts_with("E-ISO-02: ") && line.contains(&one.tag), "{line}");
    assert_eq!(bucket.objects(), marked, "a refused start has written");
    bucket.remove("ward-instance.json");
    bucket.put("letters.txt", b"somebody's");
    let line = two.refused_start(&[]).refused("ISO-02").to_owned();
    assert!(line.contains("does not say of which instance"), "{line}");
    tell("ISO-02", "a bucket of another instance and one of nobody refused");
}

#[test]
fn files_of_the_directory_are_copied_before_the_bucket_is_used() {
    let (bucket, p) = (Bucket::start(), Instance::birth(Kind::Production, Engine::Sqlite));
    let owner = p.owner_key();
    let server = p.serve();
    let before = avatar(&server.with(&owner));
    drop(server.stop());
    configure(&p, &bucket.lines("moved"));
    let refused = p.refused_start(&[]);
    assert!(refused.stderr.contains("ward files copy --kind production"), "{refused:?}");
    assert!(bucket.objects().is_empty());
    let copied = p.ward(&["files", "copy"], &[]).json();
    assert_eq!((&copied["copied"], &copied["missing"]), (&json!(1), &json!([])));
    let again = p.ward(&["files", "copy"], &[]).json();
    assert_eq!(again["copied"], 0);
    std::fs::remove_dir_all(p.dir.join("files")).unwrap();
    let doctor = p.ward(&["doctor"], &[]);
    assert!(doctor.stdout.contains("in the bucket practice-files/moved/"), "{}", doctor.stdout);
    let server = p.serve();
    is_picture(&server, &before);
    is_picture(&server, &avatar(&server.with(&owner)));
    assert_eq!(bucket.objects().len(), 3);
}

/// Without its keys the bucket would be followed by an empty directory.
#[test]
fn a_bucket_is_not_forgotten() {
    let (bucket, p) = (Bucket::start(), Instance::birth(Kind::Production, Engine::Sqlite));
    configure(&p, &bucket.lines("kept"));
    let owner = p.owner_key();
    let server = p.serve();
    let link = avatar(&server.with(&owner));
    drop(server.stop());
    configure(&p, "");
    let refused = p.refused_start(&[]);
    let is_told = refused.stderr.contains("in the bucket practice-files/kept/");
    assert!(is_told && refused.stderr.contains("s3_ keys"), "{refused:?}");
    assert!(!p.dir.join("files").exists());
    configure(&p, &bucket.lines("kept"));
    is_picture(&p.serve(), &link);
    // Who means it says so.
    configure(&p, "");
    std::fs::remove_file(p.dir.join("files.bucket")).unwrap();
    drop(p.serve());
}

/// A directory that is not there, or not the right one, does not make the bucket whole.
#[test]
fn a_bucket_is_not_used_while_files_are_missing() {
    let (bucket, p) = (Bucket::start(), Instance::birth(Kind::Production, Engine::Sqlite));
    let owner = p.owner_key();
    let server = p.serve();
    let link = avatar(&server.with(&owner));
    drop(server.stop());
    configure(&p, &bucket.lines(""));
    let (files, elsewhere) = (p.dir.join("files"), p.dir.join("files.away"));
    std::fs::rename(&files, &elsewhere).unwrap();
    let copied = p.ward(&["files", "copy"], &[]);
    assert_eq!(copied.code, Some(1), "{copied:?}");
    assert!(copied.stdout.contains("\"copied\":0"), "{copied:?}");
    assert!(p.refused_start(&[]).stderr.contains("ward files copy --kind production"));
    assert!(!files.exists(), "a folder was made in place of the one that is missing");
    std::fs::rename(&elsewhere, &files).unwrap();
    assert_eq!(p.ward(&["files", "copy"], &[]).json()["copied"], 1);
    is_picture(&p.serve(), &link);
}

#[test]
fn a_copy_reads_the_bucket_and_has_it_when_it_is_attested() {
    let (bucket, p) = (Bucket::start(), Instance::birth(Kind::Production, Engine::Sqlite));
    configure(&p, &bucket.lines(""));
    let owner = p.owner_key();
    let server = p.serve();
    let link = avatar(&server.with(&owner));
    drop(server.stop());
    let copy = p.copied();
    let quarantined = copy.serve();
    let objects = bucket.objects();
    is_picture(&quarantined, &link);
    drop(quarantined.stop());
    assert_eq!(bucket.objects(), objects, "a quarantined copy has written");
    drop(p.serve());
    copy.ward(&["attest"], &["--reason", "moved to another machine", "--by", OWNER]).ok();
    let server = copy.serve();
    is_picture(&server, &avatar(&server.with(&owner)));
    let line = p.refused_start(&[]).refused("ISO-02").to_owned();
    assert!(line.contains("at another place"), "{line}");
}
