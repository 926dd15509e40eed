//! ISO-02: a directory of stored files is one instance's. A server clears away there what its database
//! does not know, so another one's is refused before anything in it is touched.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use ward_tests::instance::init;
use ward_tests::{Api, Engine, Instance, Kind, json, people, tell};

use crate::backups::files;

/// What says whose it is.
const MARK: &str = "ward-instance.json";

/// The variable that names an instance's directory of files.
const fn variable(kind: Kind) -> &'static str {
    match kind {
        Kind::Sandbox => "WARD_SANDBOX_FILES",
        Kind::Production => "WARD_PRODUCTION_FILES",
    }
}

/// Names the directory in `ward.toml`, or none.
fn configure(instance: &Instance, files: Option<&Path>) {
    let path = instance.dir.join("ward.toml");
    let text = fs::read_to_string(&path).unwrap();
    let kept = text.lines().filter(|line| !line.starts_with("files = "));
    let mut text: String = kept.map(|line| format!("{line}\n")).collect();
    if let Some(files) = files {
        text += &format!("files = {}\n", json!(files.display().to_string()));
    }
    fs::write(&path, text).unwrap();
}

/// Gives the owner a picture, and stops; the owner's key.
fn stored(instance: &Instance) -> String {
    let key = instance.owner_key();
    let server = instance.serve();
    people::avatar(&server.with(&key));
    picture(&server.with(&key));
    server.stop();
    key
}

/// Reads the owner's picture, which has to be there.
#[track_caller]
fn picture(api: &Api) {
    let user = api.ask("{ currentUser { avatar_url } }", json!({}));
    let link = user.data()["currentUser"]["avatar_url"].as_str().unwrap().to_owned();
    let reply = api.get(&link[link.find("/files/").unwrap()..]);
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// The sealed file of an instance that has stored one.
fn sealed(instance: &Instance) -> PathBuf {
    let folders = fs::read_dir(instance.dir.join("files")).unwrap().map(|it| it.unwrap());
    let mut folders = folders.filter(|folder| folder.file_name().len() == 2);
    let mut sealed = fs::read_dir(folders.next().unwrap().path()).unwrap();
    sealed.next().unwrap().unwrap().path()
}

/// A file of long ago of which no row tells, named as the instance names its own that has stored `like`.
fn orphan(files: &Path, like: &Path) -> PathBuf {
    let name = like.file_name().unwrap().to_str().unwrap();
    let part = if name.ends_with("00") { "01" } else { "00" };
    fs::create_dir_all(files.join(part)).unwrap();
    let path = files.join(part).join(format!("{}{part}", &name[..34]));
    fs::write(&path, "sealed").unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1)).unwrap();
    path
}

#[test]
fn iso_02_the_files_of_another_instance_are_refused() {
    let mut refused = 0;
    for engine in Engine::available("ISO-02") {
        for kind in Kind::BOTH {
            let other = Instance::birth(kind, engine);
            let key = stored(&other);
            // What a server removes that has the directory: this is somebody's upload.
            fs::create_dir_all(other.dir.join("files/incoming")).unwrap();
            fs::write(other.dir.join("files/incoming/upload"), "half").unwrap();
            let before = files(&other.dir);
            for own in [Instance::birth(kind.other(), engine), Instance::birth(kind, engine)] {
                refused += kept_out(&own, &other);
                assert!(files(&other.dir) == before, "{kind:?} {engine:?}: a file was touched");
                drop(own.serve());
            }
            let server = other.serve();
            picture(&server.with(&key));
        }
    }
    tell("ISO-02", format_args!("{refused} starts with another one's files exit 78"));
}

/// Tries to start with whatever is the other's; how often.
fn kept_out(own: &Instance, other: &Instance) -> usize {
    let (theirs, link) = (other.dir.join("files"), own.dir.join("link"));
    symlink(&theirs, &link).unwrap();
    let whole = "is the whole directory of an instance";
    let places = [
        (theirs.as_path(), &*other.tag),
        (link.as_path(), &*other.tag),
        (&*theirs.join("deeper"), "another instance's"),
        (other.dir.as_path(), whole),
        (other.dir.parent().unwrap(), "holds the directory of another instance"),
        (own.dir.as_path(), whole),
        (own.dir.parent().unwrap(), "holds the directory of this instance"),
    ]
    .map(|(place, what)| (place.to_owned(), what.to_owned()));
    for (place, what) in &places {
        let said = own.refused_start(&[(variable(own.kind), place.to_str().unwrap())]);
        let line = said.refused("ISO-02");
        assert!(line.starts_with("E-ISO-02: ") && line.contains(what), "{what}: {line}");
    }
    configure(own, Some(&theirs));
    let said = own.refused_start(&[]);
    let line = said.refused("ISO-02");
    assert!(line.contains(&other.tag), "{line}");
    let doctor = own.ward(&["doctor"], &[]);
    assert!(doctor.code != Some(0) && doctor.stdout.contains("E-ISO-02"), "{doctor:?}");
    // Nor does a command that serves nothing.
    own.ward(&["status"], &[]).refused("ISO-02");
    configure(own, None);
    places.len() + 1
}

/// What a server clears away in a folder of its own that is a link is another one's.
#[test]
fn iso_02_a_folder_of_files_that_is_a_link_is_refused() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    stored(&p);
    s.serve().stop();
    fs::write(p.dir.join("files/incoming/upload"), "half").unwrap();
    let before = files(&p.dir);
    for theirs in [sealed(&p).parent().unwrap(), &*p.dir.join("files/incoming")] {
        let own = s.dir.join("files").join(theirs.file_name().unwrap());
        let _ = fs::remove_dir_all(&own);
        symlink(theirs, &own).unwrap();
        let said = s.refused_start(&[]);
        let line = said.refused("ISO-02");
        assert!(line.contains("behind a link"), "{line}");
        assert!(files(&p.dir) == before, "a file was touched");
        fs::remove_file(own).unwrap();
    }
    s.serve().stop();
    tell("ISO-02", "2 linked folders of files are refused");
}

/// A volume that is mounted over the directory, say. What another instance has named stays anyway.
#[test]
fn iso_02_whose_the_files_are_is_asked_before_any_is_cleared_away() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let key = stored(&s);
    stored(&p);
    let large = s.dir.join("files");
    let (own, theirs) = (orphan(&large, &sealed(&s)), orphan(&large, &sealed(&p)));
    let server = s.serve();
    let sweep = || {
        let by = json!({"by": "1s", "settle": true});
        let moved = server.with(&key).post("/sandbox/v1/clock/advance", &by);
        assert_eq!(moved.status, 200, "{}", moved.text);
    };
    let mark = fs::read(large.join(MARK)).unwrap();
    fs::copy(p.dir.join("files").join(MARK), large.join(MARK)).unwrap();
    sweep();
    assert!(own.exists() && theirs.exists(), "a directory of another one was swept");
    fs::write(large.join(MARK), mark).unwrap();
    sweep();
    assert!(!own.exists(), "its own was not swept");
    assert!(theirs.exists(), "a file that it has not stored was removed");
    picture(&server.with(&key));
    tell("ISO-02", "a directory that became another one's is not swept");
}

#[test]
fn iso_02_nobody_is_born_with_the_files_of_another_one() {
    let place = tempfile::tempdir().unwrap();
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    stored(&p);
    let (theirs, before) = (p.dir.join("files"), files(&p.dir));
    for kind in Kind::BOTH {
        let dir = place.path().join(kind.word());
        let named = [(variable(kind).to_owned(), theirs.display().to_string())];
        let said = init(kind, &dir, &[], &named);
        assert!(said.refused("ISO-02").contains(&p.tag), "{said:?}");
        assert!(!dir.join("root.key").exists() && files(&p.dir) == before, "{kind:?}");
        init(kind, &dir, &[], &[]).ok();
    }
    tell("ISO-02", "no instance is born with another one's files");
}

/// A directory from before there were marks goes on, and is no other one's; an empty one is taken.
#[test]
fn iso_02_a_directory_without_a_mark_is_whose_names_are_in_it() {
    let place = tempfile::tempdir().unwrap();
    let (large, empty) = (place.path().join("large"), place.path().join("empty"));
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    configure(&p, Some(&large));
    let key = stored(&p);
    fs::remove_file(large.join(MARK)).unwrap();
    let before = files(&large);
    let mut s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let said = s.refused_start(&[(variable(s.kind), large.to_str().unwrap())]);
    let line = said.refused("ISO-02");
    assert!(line.contains("did not store"), "{line}");
    assert!(files(&large) == before, "a file was touched");
    let server = p.serve();
    picture(&server.with(&key));
    server.stop();
    let mark = fs::read_to_string(large.join(MARK)).unwrap();
    assert!(mark.contains("\"production\"") && mark.contains(&p.tag), "{mark}");
    // Whoever is first has an empty one.
    fs::create_dir(&empty).unwrap();
    s.variables.push((variable(s.kind).to_owned(), empty.display().to_string()));
    s.serve().stop();
    let said = p.refused_start(&[(variable(p.kind), empty.to_str().unwrap())]);
    assert!(said.refused("ISO-02").contains(&s.tag), "{said:?}");
    s.serve().stop();
    tell("ISO-02", "a directory without a mark goes on, and is refused to the other environment");
}

/// Several nodes have one directory: beside them, or that of one of them.
#[test]
fn iso_02_nodes_of_one_instance_share_their_files() {
    if !Engine::available("ISO-02").contains(&Engine::Postgres) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let first = Instance::birth(Kind::Production, Engine::Postgres);
    let key = first.owner_key();
    let second = first.copied();
    // The one that starts first need not be the one whose directory it is in.
    let large = first.dir.join("files");
    configure(&second, Some(&large));
    second.serve().stop();
    assert!(large.join(MARK).exists());
    for shared in [first.dir.join("files"), place.path().join("shared")] {
        configure(&first, Some(&shared));
        configure(&second, Some(&shared));
        let nodes = [first.serve(), second.serve()];
        people::avatar(&nodes[0].with(&key));
        picture(&nodes[1].with(&key));
        let again = second.refused_start(&[]);
        assert_eq!(again.code, Some(75), "a held directory: {again:?}");
        for node in nodes {
            node.stop();
        }
    }
    tell("ISO-02", "2 nodes have one directory of files");
}

#[test]
fn iso_02_a_restore_takes_no_other_ones_files() {
    for engine in Engine::available("ISO-02") {
        let place = tempfile::tempdir().unwrap();
        let large = place.path().join("large");
        let other = Instance::birth(Kind::Production, engine);
        stored(&other);
        let s = Instance::birth(Kind::Sandbox, engine);
        configure(&s, Some(&large));
        let key = stored(&s);
        let (backup, _) = s.backup("files");
        let (theirs, before) = (other.dir.join("files"), files(&other.dir));
        configure(&s, Some(&theirs));
        s.restore(&backup, &[]).refused("ISO-02");
        assert!(files(&other.dir) == before, "{engine:?}: a file was touched");
        // Into a directory that is not there, as on another disk.
        configure(&s, Some(&large));
        fs::remove_dir_all(&large).unwrap();
        s.lose_database();
        s.restore(&backup, &[]).ok();
        assert!(large.join(MARK).exists());
        let server = s.serve();
        picture(&server.with(&key));
        server.stop();
        tell("ISO-02", format_args!("{engine:?}: a restore keeps to its own directory"));
    }
}
