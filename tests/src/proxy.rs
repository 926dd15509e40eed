//! A TCP proxy before PostgreSQL whose upstream can be swapped while it runs: what a mistaken
//! change of DNS or of a pooler's configuration does.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// The proxy; it ends with the test process.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where it listens, `127.0.0.1:PORT`.
    pub address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    upstream: String,
    /// The database that clients are led to, whatever they ask for.
    database: String,
    open: Vec<TcpStream>,
    led: usize,
}

impl Proxy {
    /// Leads to a database of a server.
    pub fn to(upstream: &str, database: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State {
            upstream: upstream.to_owned(),
            database: database.to_owned(),
            open: Vec::new(),
            led: 0,
        }));
        let proxy = Proxy { address, state };
        let serving = proxy.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let proxy = serving.clone();
                std::thread::spawn(move || proxy.lead(client));
            }
        });
        proxy
    }

    /// Leads elsewhere from now on, and cuts what is open. How many connections were cut.
    pub fn swap(&self, database: &str) -> usize {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.database = database.to_owned();
        state.led = 0;
        let cut = state.open.len();
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        cut
    }

    /// Connections led on since the last swap.
    pub fn led(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).led
    }

    fn lead(&self, mut client: TcpStream) {
        let Some(startup) = read_startup(&mut client) else { return };
        let mut server = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let Ok(mut server) = TcpStream::connect(&state.upstream) else { return };
            if server.write_all(&with_database(&startup, &state.database)).is_err() {
                return;
            }
            state.led += 1;
            state.open.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
            server
        };
        let (mut back_from, mut back_to) =
            (server.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut back_from, &mut back_to);
            let _ = back_to.shutdown(Shutdown::Both);
        });
        let _ = std::io::copy(&mut client, &mut server);
        let _ = server.shutdown(Shutdown::Both);
    }
}

/// The first message of a connection: its length, then version and parameters.
fn read_startup(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    client.read_exact(&mut length).ok()?;
    let rest =
        (u32::from_be_bytes(length) as usize).checked_sub(4).filter(|rest| *rest < 10_000)?;
    let mut body = vec![0; rest];
    client.read_exact(&mut body).ok()?;
    Some(body)
}

/// The same message with another database.
fn with_database(body: &[u8], database: &str) -> Vec<u8> {
    let (version, parameters) = body.split_at(4);
    let mut changed = version.to_vec();
    let mut words = parameters.split(|byte| *byte == 0);
    while let Some(name) = words.next().filter(|name| !name.is_empty()) {
        let value = words.next().unwrap_or_default();
        let value = if name == b"database" { database.as_bytes() } else { value };
        changed.extend(name.iter().chain(b"\0").chain(value).chain(b"\0"));
    }
    changed.push(0);
    let length = u32::try_from(changed.len() + 4).unwrap();
    length.to_be_bytes().into_iter().chain(changed).collect()
}
