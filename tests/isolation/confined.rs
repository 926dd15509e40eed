//! SEC-37: a server opens the files of its own instance and nothing of another's, not even what the
//! same user of the machine could open, and what it would read gladly.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ward_tests::{Engine, Instance, Kind, Server, json, people, tell};

/// Whether this machine's kernel can confine a process, as the doctor says.
fn is_possible(instance: &Instance) -> bool {
    let told = instance.ward(&["doctor"], &[]).json();
    let checks = told["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["check"] == "confinement");
    let check = check.unwrap_or_else(|| panic!("nothing of confinement in {told:#}"));
    check["outcome"] == "ok"
}

/// The bytes behind a link; the status when there are none.
fn fetched(server: &Server, link: &str) -> Result<Vec<u8>, u16> {
    let path = &link[link.find("/files/").unwrap()..];
    match ureq::get(format!("http://127.0.0.1:{}{path}", server.port)).call() {
        Ok(mut answer) => Ok(answer.body_mut().read_to_vec().unwrap()),
        Err(ureq::Error::StatusCode(status)) => Err(status),
        Err(error) => panic!("{error}"),
    }
}

/// The one sealed file that an instance has.
fn sealed(files: &Path) -> PathBuf {
    let folders = std::fs::read_dir(files).unwrap().map(|it| it.unwrap().path());
    let folders = folders.filter(|folder| folder.is_dir());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    let [file] = files.as_slice() else { panic!("not one file: {files:?}") };
    file.clone()
}

/// Puts a link in a file's place, which then is at `to`.
fn moved(file: &Path, to: &Path) {
    let now = std::fs::canonicalize(file).unwrap();
    std::fs::rename(now, to).unwrap();
    let _ = std::fs::remove_file(file);
    symlink(to, file).unwrap();
}

fn status(pid: u32, thread: &str, key: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{thread}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim_start_matches(':').trim().to_owned()
}

#[test]
fn sec_37_a_server_opens_nothing_of_another_instance() {
    for engine in Engine::available("SEC-37") {
        for kind in Kind::BOTH {
            let (own, other) =
                (Instance::birth(kind, engine), Instance::birth(kind.other(), engine));
            if !is_possible(&own) {
                println!("SEC-37: NOT RUN, this kernel has no Landlock");
                return;
            }
            opens_nothing_of(&own, &other, engine);
        }
    }
}

/// The instance's own sealed file, which opens wherever it is, is put into the other's directory.
fn opens_nothing_of(own: &Instance, other: &Instance, engine: Engine) {
    let key = own.owner_key();
    let server = own.serve();
    let link = people::avatar(&server.with(&key));
    let picture = fetched(&server, &link).unwrap();
    let file = sealed(&own.dir.join("files"));
    moved(&file, &own.dir.join("elsewhere"));
    assert_eq!(fetched(&server, &link).as_ref(), Ok(&picture), "a link within the directory");
    let in_other = other.dir.join("files-of-nobody");
    moved(&file, &in_other);
    let refused = fetched(&server, &link);
    assert!(matches!(refused, Err(500..)), "{:?} {engine:?}: {refused:?}", own.kind);
    assert!(server.is_ready());
    // Each thread is: what is confined may never get more rights.
    let threads = std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
    let threads: Vec<_> =
        threads.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert!(threads.len() > 1, "{threads:?}");
    for thread in &threads {
        assert_eq!(status(server.pid(), thread, "NoNewPrivs"), "1", "thread {thread}");
    }
    // It was the place, and nothing else.
    moved(&file, &own.dir.join("elsewhere"));
    assert_eq!(fetched(&server, &link).as_ref(), Ok(&picture), "back in the directory");
    server.stop();
    tell(
        "SEC-37",
        format_args!("{:?} on {engine:?}: {} threads confined", own.kind, threads.len()),
    );
}

/// What a configuration names is opened wherever it is, also where a link leads to.
#[test]
fn sec_37_what_is_configured_is_opened() {
    let instance = Instance::birth(Kind::Production, Engine::Sqlite);
    let key = instance.owner_key();
    let outside = tempfile::tempdir().unwrap();
    let path = |name: &str| outside.path().join(name);
    std::fs::create_dir(path("large")).unwrap();
    symlink(path("large"), path("files")).unwrap();
    std::fs::write(path("secret"), "secret\n").unwrap();
    std::fs::set_permissions(path("secret"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    symlink(path("secret"), path("password")).unwrap();
    let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(path("authority.pem"), authority.cert.pem()).unwrap();
    let config = instance.dir.join("ward.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let lines = [
        ("files", path("files").display().to_string()),
        ("smtp_host", "localhost".to_owned()),
        ("smtp_from", "mail@practice.example".to_owned()),
        ("smtp_user", "mail".to_owned()),
        ("smtp_password_file", path("password").display().to_string()),
        ("smtp_ca", path("authority.pem").display().to_string()),
    ];
    let lines = lines.map(|(key, value)| format!("{key} = {}\n", json!(value)));
    std::fs::write(&config, text + &lines.concat()).unwrap();
    let server = instance.serve();
    let link = people::avatar(&server.with(&key));
    assert!(fetched(&server, &link).is_ok());
    assert!(sealed(&path("large")).starts_with(path("large")));
    server.stop();
}
