//! `file-upload` and `file-download`: documents of 5 MiB, which are streamed. What one takes of
//! the processor, and whether many of them take more memory than few (C4). The limit of a
//! download is a program that copies the same bytes from a file into the connection; it opens
//! no seal and writes no row.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::load::{self, Make, Until};
use crate::process::Server;
use crate::setup::{self, World};
use crate::table::median;
use crate::{Check, Chosen, Row};

/// What the static program is called with.
pub const STATIC: &str = "limit-file";
/// Bytes of a file.
const BYTES: usize = 5 << 20;
/// Files at once.
const AT_ONCE: usize = 8;
/// Runs, and files of each.
const RUNS: usize = 12;
const EACH: u64 = match cfg!(debug_assertions) {
    true => 8,
    false => 40,
};
/// So many runs, the first and the last, whose memory is compared: the allocator gives back when
/// it likes, which moves single readings by 15 MiB either way.
const COMPARED: usize = 4;
/// What the last runs may take of memory beyond the first, in MiB.
const MEMORY_MAX: f64 = 8.0;
const BOUNDARY: &str = "ward-bench";

const UPLOAD: &str = "mutation($input: createDocumentInput) { createDocument(input: $input) \
    { document { id } messages { field message } } }";
const LINK: &str = "query($id: ID) { document(id: $id) { expiring_url } }";

/// The rows.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    if !chosen.has("file-upload") && !chosen.has("file-download") {
        return Ok(rows);
    }
    let world = setup::world().await?;
    let ward = world.serve()?;
    if chosen.has("file-upload") {
        rows.push(uploads(&world, &ward).await?);
    }
    if chosen.has("file-download") {
        rows.push(downloads(&world, &ward).await?);
    }
    Ok(rows)
}

/// What was seen of some runs of one server.
struct Seen {
    /// Microseconds of the processor that a file takes.
    cpu: Vec<f64>,
    /// MiB after each run.
    memory: Vec<f64>,
    p50: Vec<f64>,
}

impl Seen {
    fn new() -> Self {
        Seen { cpu: Vec::new(), memory: Vec::new(), p50: Vec::new() }
    }

    async fn run(&mut self, server: &Server, make: Make, expected: &'static str) -> Result<()> {
        let before = server.cpu_micros()?;
        let until = Until::Requests(EACH);
        let outcome = load::run(server.port, AT_ONCE, until, make, expected).await?;
        self.cpu.push((server.cpu_micros()? - before) / outcome.requests as f64);
        self.memory.push(server.memory_mib()?);
        self.p50.push(outcome.p50);
        Ok(())
    }

    /// MiB of the last runs beyond the first.
    fn more(&self) -> f64 {
        let last = self.memory.len().saturating_sub(COMPARED);
        let of = |runs: &[f64]| median(runs.to_vec());
        of(&self.memory[last..]) - of(&self.memory[..COMPARED.min(self.memory.len())])
    }

    fn row(&self, name: &str, limit: Option<f64>, started: f64, notes: &str) -> Row {
        let ended = self.memory.last().unwrap_or(&f64::NAN);
        Row {
            name: name.to_owned(),
            ward: median(self.cpu.clone()),
            limit,
            unit: "us CPU",
            checks: vec![Check::at_most("MiB more", self.more(), MEMORY_MAX)],
            notes: format!(
                "{} files of {} MiB, {AT_ONCE} at once, p50 {:.1} ms; {started:.1} MiB before, {ended:.1} after, {:.0?} on the way{notes}",
                RUNS as u64 * EACH,
                BYTES >> 20,
                median(self.p50.clone()),
                self.memory,
            ),
        }
    }
}

async fn uploads(world: &World, ward: &Server) -> Result<Row> {
    let request = upload(ward.port, &world.key);
    let make: Make = Arc::new(move |_| request.clone());
    let (started, mut seen) = (ward.memory_mib()?, Seen::new());
    for _ in 0..RUNS {
        seen.run(ward, make.clone(), "\"messages\":null").await?;
    }
    Ok(seen.row("file-upload", None, started, ""))
}

async fn downloads(world: &World, ward: &Server) -> Result<Row> {
    let made = load::send(ward.port, &upload(ward.port, &world.key)).await?;
    let id = &made["data"]["createDocument"]["document"]["id"];
    ensure!(id.is_string(), "{made}");
    let file = world.dir().with_extension("file.pdf");
    std::fs::write(&file, content())?;
    let mut command = std::process::Command::new(std::env::current_exe()?);
    let limit = Server::start(command.arg(STATIC).arg(&file))?;
    let (started, mut seen, mut limits) = (ward.memory_mib()?, Seen::new(), Seen::new());
    for _ in 0..RUNS {
        limits.run(&limit, gets(limit.port, "/file"), "%PDF").await?;
        // A link is good for seconds.
        let asked = load::ask(ward.port, &world.key, LINK, &json!({"id": id})).await?;
        let link = asked["data"]["document"]["expiring_url"].as_str().context("no link")?;
        seen.run(ward, gets(ward.port, path(link)?), "%PDF").await?;
    }
    let notes = format!("; a static file: {:.1} MiB more", limits.more());
    Ok(seen.row("file-download", Some(median(limits.cpu.clone())), started, &notes))
}

/// A request with a file, as the specification of multipart requests has it.
fn upload(port: u16, key: &str) -> Vec<u8> {
    let part = |name: &str, more: &str| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n")
    };
    let operations = json!({"query": UPLOAD, "variables": {"input": {"file": null}}}).to_string();
    let file = "; filename=\"bench.pdf\"\r\nContent-Type: application/pdf";
    let content = content();
    let body = [
        part("operations", "").as_bytes(),
        operations.as_bytes(),
        b"\r\n",
        part("map", "").as_bytes(),
        b"{\"0\":[\"variables.input.file\"]}\r\n",
        part("0", file).as_bytes(),
        content.as_slice(),
        format!("\r\n--{BOUNDARY}--\r\n").as_bytes(),
    ]
    .concat();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Basic {key}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

fn content() -> Vec<u8> {
    let mut content = b"%PDF-1.4 ".to_vec();
    content.resize(BYTES, b'x');
    content
}

fn get(port: u16, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").into_bytes()
}

fn gets(port: u16, path: &str) -> Make {
    let request = get(port, path);
    Arc::new(move |_| request.clone())
}

fn path(link: &str) -> Result<&str> {
    let at = link.find("/files/").with_context(|| format!("no link: {link}"))?;
    Ok(&link[at..])
}

/// Opens a link; how many bytes came, with their head.
pub async fn fetch(port: u16, link: &str) -> Result<usize> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(&get(port, path(link)?)).await?;
    let mut buffer = Vec::new();
    load::answer(&mut stream, &mut buffer).await?;
    ensure!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer));
    Ok(buffer.len())
}

/// Answers every request with a file; prints its port.
pub async fn serve(file: &str) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let file = file.to_owned();
        tokio::spawn(async move {
            if let Err(error) = answer(stream, &file).await {
                eprintln!("the static file: {error:#}");
            }
        });
    }
}

async fn answer(mut stream: TcpStream, file: &str) -> Result<()> {
    let (mut buffer, mut asked) = ([0; 4096], Vec::new());
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        asked.extend_from_slice(&buffer[..read]);
        if !asked.ends_with(b"\r\n\r\n") {
            continue;
        }
        asked.clear();
        let mut file = tokio::fs::File::open(file).await?;
        let length = file.metadata().await?.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        tokio::io::copy(&mut file, &mut stream).await?;
    }
}
