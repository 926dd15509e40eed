use std::fmt::Debug;
use std::os::unix::fs::symlink;
use std::sync::Barrier;

use ward_instance::{Random, Timestamp};

use super::*;

fn ring(kind: Kind, seed: u64) -> RootRing {
    let random = Random::seeded(seed);
    RootRing::generate(kind, InstanceId::draw(&random), &random)
}

fn store(files: &Path, ring: &RootRing, seed: u64) -> PathBuf {
    let name = uuid::new(ring.kind(), &ring.tag(), Timestamp(seed as i64), &Random::seeded(seed));
    let folder = files.join(&name[34..]);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(&name), "sealed").unwrap();
    folder.join(name)
}

#[track_caller]
fn refused<T: Debug>(outcome: Result<T, ServerError>, what: &str) {
    let error = outcome.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.exit_code(), 78, "{text}");
    assert!(text.starts_with("E-ISO-02: ") && text.contains(what), "{text}");
}

#[test]
fn an_empty_directory_is_taken_once_and_told_again_by_the_same_instance() {
    let place = tempfile::tempdir().unwrap();
    let (dir, files) = (place.path().join("own"), place.path().join("far/files"));
    let (mut one, two) = (ring(Kind::Production, 1), ring(Kind::Production, 2));
    assert_eq!(check(&dir, &files, &one).unwrap(), Whose::Nobodys);
    assert!(!files.exists(), "a look has made something");
    claim(&dir, &files, &one).unwrap();
    assert_eq!(check(&dir, &files, &one).unwrap(), Whose::Marked);
    claim(&dir, &files, &one).unwrap();
    let tag = one.tag().to_string();
    refused(check(&dir, &files, &two), &tag);
    assert!(claim(&dir, &files, &two).is_err());
    // After every rotation of the root key it is the same instance.
    let old = one.current_version();
    one.add_root(&Random::seeded(3)).unwrap();
    assert!(one.drop_root(old));
    assert_eq!(check(&dir, &files, &one).unwrap(), Whose::Marked);
    assert_eq!(fs::read_dir(&files).unwrap().count(), 1, "more than the mark is left");
}

#[test]
fn without_a_mark_the_names_of_the_files_tell() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("own");
    let own = ring(Kind::Sandbox, 1);
    for other in [ring(Kind::Production, 1), ring(Kind::Sandbox, 2)] {
        for part in ["", "incoming", "restoring-7"] {
            let files = place.path().join(format!("{}{part}", other.tag()));
            let (mine, theirs) = (store(&files, &own, 5), store(&files, &other, 6));
            if !part.is_empty() {
                fs::create_dir(files.join(part)).unwrap();
                let moved = files.join(part).join(theirs.file_name().unwrap());
                fs::rename(&theirs, moved).unwrap();
            }
            for whose in [&own, &other] {
                refused(check(&dir, &files, whose), "did not store");
                assert!(claim(&dir, &files, whose).is_err());
            }
            assert!(mine.exists() && !files.join(HOLDER_FILE).exists());
        }
    }
    // One from before there were marks.
    let files = place.path().join("before");
    fs::create_dir_all(files.join("lost+found")).unwrap();
    store(&files, &own, 7);
    assert_eq!(check(&dir, &files, &own).unwrap(), Whose::Named);
    claim(&dir, &files, &own).unwrap();
    assert_eq!(check(&dir, &files, &own).unwrap(), Whose::Marked);
}

#[test]
fn a_mark_that_is_not_one_is_refused_and_a_blank_one_is_none() {
    let place = tempfile::tempdir().unwrap();
    let (dir, files) = (place.path().join("own"), place.path().join("files"));
    let own = ring(Kind::Sandbox, 1);
    fs::create_dir(&files).unwrap();
    for text in ["{}", "no json", &"x".repeat(1 << 20)] {
        fs::write(files.join(HOLDER_FILE), text).unwrap();
        refused(check(&dir, &files, &own), "not to be read");
    }
    fs::remove_file(files.join(HOLDER_FILE)).unwrap();
    fs::create_dir(files.join(HOLDER_FILE)).unwrap();
    refused(check(&dir, &files, &own), "not to be read");
    fs::remove_dir(files.join(HOLDER_FILE)).unwrap();
    // What a power cut leaves.
    for blank in ["", "\0\0\0\0"] {
        fs::write(files.join(HOLDER_FILE), blank).unwrap();
        claim(&dir, &files, &own).unwrap();
        assert_eq!(check(&dir, &files, &own).unwrap(), Whose::Marked);
        assert_eq!(fs::read_dir(&files).unwrap().count(), 1, "more than the mark is left");
    }
    // A link to a good one.
    let kept = place.path().join("kept");
    fs::rename(files.join(HOLDER_FILE), &kept).unwrap();
    symlink(&kept, files.join(HOLDER_FILE)).unwrap();
    refused(check(&dir, &files, &own), "not to be read");
    fs::remove_file(files.join(HOLDER_FILE)).unwrap();
    // The other environment's, were its id the same.
    let id = own.instance_id();
    let other = serde_json::to_vec(&Holder::of(Kind::Production, id)).unwrap();
    fs::write(files.join(HOLDER_FILE), other).unwrap();
    refused(check(&dir, &files, &own), "belongs to the production");
}

#[test]
fn the_directory_of_an_instance_is_no_place_for_files() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    let (own, other) = (ring(Kind::Sandbox, 1), ring(Kind::Production, 2));
    for (name, ring) in [("own", &own), ("other", &other), ("node", &own)] {
        fs::create_dir(path(name)).unwrap();
        fs::write(path(name).join("root.key"), ring.to_text().as_bytes()).unwrap();
    }
    let at = |files: &str| check(&path("own"), &path(files), &own);
    symlink(path("other"), path("link")).unwrap();
    for whole in ["own", "other", "link", "new/../other", "other/."] {
        refused(at(whole), "is the whole directory");
    }
    refused(at(""), "holds the directory of this instance");
    for within in ["other/files", "other/a/b", "link/files", "new/../link/files"] {
        refused(at(within), "another instance's");
    }
    fs::create_dir_all(path("wide/a/b/production")).unwrap();
    fs::write(path("wide/a/b/production/ward.toml"), "").unwrap();
    refused(at("wide"), "holds the directory of another");
    // Its own, and that of another node.
    for right in ["own/files", "own/files/large", "node/files"] {
        assert_eq!(at(right).unwrap(), Whose::Nobodys, "{right}");
    }
}

#[test]
fn a_copy_of_ones_own_directory_may_lie_among_the_files() {
    let place = tempfile::tempdir().unwrap();
    let (dir, files) = (place.path().join("own"), place.path().join("files"));
    let (own, other) = (ring(Kind::Sandbox, 1), ring(Kind::Production, 2));
    let copy = files.join("before/monday");
    fs::create_dir_all(&copy).unwrap();
    fs::write(copy.join("root.key"), own.to_text().as_bytes()).unwrap();
    fs::write(copy.join("ward.toml"), "").unwrap();
    for whose in [Whose::Nobodys, Whose::Marked] {
        assert_eq!(check(&dir, &files, &own).unwrap(), whose);
        claim(&dir, &files, &own).unwrap();
    }
    fs::write(copy.join("root.key"), other.to_text().as_bytes()).unwrap();
    refused(check(&dir, &files, &own), "files/before/monday;");
}

#[test]
fn what_is_behind_a_link_is_refused() {
    let own = ring(Kind::Sandbox, 1);
    for part in ["3f", "incoming", "restoring-7"] {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let (dir, files) = (path("own"), path("files"));
        fs::create_dir(path("theirs")).unwrap();
        for is_marked in [false, true] {
            fs::create_dir_all(&files).unwrap();
            if is_marked {
                claim(&dir, &files, &own).unwrap();
            }
            symlink(path("theirs"), files.join(part)).unwrap();
            refused(check(&dir, &files, &own), "behind a link");
            refused(claim(&dir, &files, &own), &format!("files/{part};"));
            fs::remove_file(files.join(part)).unwrap();
        }
        // Where nothing is stored, a link is nothing.
        symlink(path("theirs"), files.join("lost+found")).unwrap();
        assert_eq!(check(&dir, &files, &own).unwrap(), Whose::Marked);
    }
}

#[test]
fn who_is_not_born_yet_has_nothing() {
    let place = tempfile::tempdir().unwrap();
    let (dir, files) = (place.path().join("new"), place.path().join("files"));
    let unborn = || check_unborn(&dir, &files, Kind::Sandbox);
    unborn().unwrap();
    let other = ring(Kind::Production, 1);
    store(&files, &other, 5);
    refused(unborn(), "did not store");
    claim(&dir, &files, &other).unwrap();
    refused(unborn(), "belongs to the production");
    assert!(!dir.exists());
    let env = [("WARD_SANDBOX_FILES".to_owned(), "/large".to_owned())];
    assert_eq!(named(Kind::Sandbox, &env), Some("/large".into()));
    assert_eq!(named(Kind::Sandbox, &[]), None);
}

#[test]
fn of_two_that_claim_at_once_one_has_it() {
    let rings = [ring(Kind::Sandbox, 1), ring(Kind::Production, 2)];
    for before in [None, Some(""), Some("\0\0")].repeat(10) {
        let place = tempfile::tempdir().unwrap();
        let (dir, files) = (place.path().join("own"), place.path().join("files"));
        if let Some(blank) = before {
            fs::create_dir(&files).unwrap();
            fs::write(files.join(HOLDER_FILE), blank).unwrap();
        }
        let (dir, files, both) = (&dir, &files, &Barrier::new(2));
        let claimed = std::thread::scope(|scope| {
            let claims = rings.each_ref().map(|ring| {
                scope.spawn(move || {
                    both.wait();
                    claim(dir, files, ring).is_ok()
                })
            });
            claims.map(|claim| claim.join().unwrap())
        });
        let has = rings.each_ref().map(|ring| check(dir, files, ring).is_ok());
        assert!(has[0] != has[1], "{before:?}: {has:?}");
        for (claimed, has) in claimed.into_iter().zip(has) {
            assert!(has || !claimed, "{before:?}: one has claimed what is the other's");
        }
        assert_eq!(fs::read_dir(files).unwrap().count(), 1, "more than the mark is left");
    }
}
