//! `ward-probe run`: both instances from the options, the checks, and the report.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value as Json;
use ward_probe::failure::Failure;
use ward_probe::kind::Kind;
use ward_probe::pair::Pair;
use ward_probe::report::Report;
use ward_probe::side::{Given, Side};
use ward_probe::sign::Signer;
use ward_probe::wire::Trust;
use ward_probe::{checks, page};

use crate::answer;
use crate::cli::{OutArgs, RunArgs};

/// Bytes of a file with a key, at most.
const KEY_FILE_MAX: u64 = 4_096;

/// `ward-probe run`.
pub fn run(args: &RunArgs, as_json: bool) -> Result<(), Failure> {
    // Before anything is asked: what cannot be signed or written is said at once.
    let signer = signer(&args.out)?;
    check_places(&args.out.save)?;
    let pair = pair(args)?;
    deliver(&checks::probe(&pair)?, &signer, &args.out, as_json)
}

/// Signs, shows and saves a report; a fault in it is exit status 1, whatever else goes wrong.
pub fn deliver(
    report: &Report,
    signer: &Signer,
    out: &OutArgs,
    as_json: bool,
) -> Result<(), Failure> {
    let document = signer.sign(report.json(jiff::Timestamp::now()));
    answer(&match as_json {
        true => format!("{document}\n"),
        false => page::text(&document),
    });
    // Shown first: a disk that is full must not hide what was found.
    let saved: Vec<Failure> =
        out.save.iter().filter_map(|file| save(file, &document).err()).collect();
    let wrong: Vec<String> = report.ended().into_iter().chain(&saved).map(said).collect();
    match (report.has_fault(), saved.first()) {
        (true, _) => Err(Failure::said_no(wrong.join("; "))),
        (false, Some(failure)) => Err(failure.clone()),
        (false, None) => Ok(()),
    }
}

fn said(failure: &Failure) -> String {
    failure.sentence.clone()
}

fn save(file: &Path, document: &Json) -> Result<(), Failure> {
    let text = match is_page(file) {
        true => page::html(document),
        false => format!("{document:#}\n"),
    };
    std::fs::write(file, text)
        .map_err(|error| Failure::usage(format!("cannot write {}: {error}", file.display())))
}

fn is_page(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "html")
}

/// The files have endings that say what is to be in them, and can be written.
pub fn check_places(files: &[PathBuf]) -> Result<(), Failure> {
    let is_known = |file: &&PathBuf| {
        !file.extension().is_some_and(|ending| ending == "html" || ending == "json")
    };
    match files.iter().find(is_known) {
        Some(file) => Err(Failure::usage(format!(
            "--save {}: the name has to end with .json or .html",
            file.display()
        ))),
        None => files.iter().try_for_each(|file| check_writable(file)),
    }
}

/// Opens a file as it will be written, and leaves everything as it was.
fn check_writable(file: &Path) -> Result<(), Failure> {
    let is_new = !file.exists();
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(file)
        .map_err(|error| Failure::usage(format!("cannot write {}: {error}", file.display())))?;
    if is_new {
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}

/// The key to sign with.
pub fn signer(out: &OutArgs) -> Result<Signer, Failure> {
    let Some(file) = &out.signing_key else { return Signer::fresh() };
    Signer::from_pem(&read(file)?)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))
}

fn pair(args: &RunArgs) -> Result<Pair, Failure> {
    let mut input = std::io::stdin().lock();
    let mut key = |file: &str, option: &str| -> Result<String, Failure> {
        let mut text = String::new();
        if file == "-" {
            let line = std::io::Read::take(&mut input, KEY_FILE_MAX).read_line(&mut text);
            line.map_err(|error| Failure::usage(format!("standard input has no key: {error}")))?;
        } else {
            text = String::from_utf8_lossy(&read(Path::new(file))?).into_owned();
        }
        match text.trim() {
            "" => Err(Failure::usage(format!("{option} {file} has no key in it"))),
            key => Ok(key.to_owned()),
        }
    };
    let keys = [
        key(&args.sandbox_key_file, "--sandbox-key-file")?,
        key(&args.production_key_file, "--production-key-file")?,
    ];
    let session = |file: &Option<PathBuf>| -> Result<Option<String>, Failure> {
        let text = file.as_deref().map(read).transpose()?;
        Ok(text.map(|text| String::from_utf8_lossy(&text).trim().to_owned()))
    };
    let sessions = [session(&args.sandbox_session_file)?, session(&args.production_session_file)?];
    let roots = match &args.ca_file {
        Some(file) => certificates(file)?,
        None => Vec::new(),
    };
    let trust = Trust { roots, allows_http: args.allow_http };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::internal(error.to_string()))?;
    let runtime = Rc::new(runtime);
    let [s_key, p_key] = keys;
    let [s_session, p_session] = sessions;
    let s = Given { url: args.sandbox_url.clone(), key: s_key, session: s_session };
    let p = Given { url: args.production_url.clone(), key: p_key, session: p_session };
    // Both keys are looked at before anything is sent with either.
    let mut s = Side::new(Kind::Sandbox, s, &trust, Rc::clone(&runtime))?;
    let mut p = Side::new(Kind::Production, p, &trust, runtime)?;
    let end = Instant::now() + Duration::from_secs(u64::from(args.minutes) * 60);
    for side in [&mut s, &mut p] {
        side.door.open_until(end);
    }
    Ok(Pair::new(s, p))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let text = read(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.unwrap_or_default();
    match found.is_empty() {
        true => Err(Failure::usage(format!("{} has no certificate in it", file.display()))),
        false => Ok(found),
    }
}
