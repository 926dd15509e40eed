//! The receivers of all webhooks of a measurement: one port, a path for each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::PATIENCE;
use crate::load;

/// As slow as a receiver can be without a failure.
const SLOW: Duration = Duration::from_secs(9);

/// When a receiver answers.
#[derive(Clone, Copy, PartialEq)]
pub enum Answers {
    AtOnce,
    AfterNineSeconds,
    Never,
}

/// Takes requests and notes when each record's first came to each path.
pub struct Receiver {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    how: fn(usize) -> Answers,
    /// All answer after nine seconds.
    is_busy: AtomicBool,
    requests: AtomicUsize,
    arrived: Mutex<HashMap<(usize, String), Instant>>,
}

impl State {
    fn at(&self, key: &(usize, String)) -> Option<Instant> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }
}

impl Receiver {
    /// That answers as `how` says of a path's number.
    pub async fn start(how: fn(usize) -> Answers) -> Result<Receiver> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State {
            how,
            is_busy: AtomicBool::new(false),
            requests: AtomicUsize::new(0),
            arrived: Mutex::default(),
        });
        let taking = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, taking.clone()));
            }
        });
        Ok(Receiver { port, state })
    }

    /// Whether all answer after nine seconds from now on, or as usual.
    pub fn set_busy(&self, is_busy: bool) {
        self.state.is_busy.store(is_busy, Ordering::SeqCst);
    }

    /// Requests so far.
    pub fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Waits for so many requests in all.
    pub async fn until(&self, requests: usize) -> Result<Instant> {
        let began = Instant::now();
        while self.requests() < requests {
            if began.elapsed() > PATIENCE {
                bail!("{} requests came instead of {requests}", self.requests());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(Instant::now())
    }

    /// When the first request about a record came to a path.
    pub async fn arrived(&self, path: usize, id: &str) -> Result<Instant> {
        let began = Instant::now();
        let key = (path, id.to_owned());
        loop {
            if let Some(at) = self.state.at(&key) {
                return Ok(at);
            }
            if began.elapsed() > PATIENCE {
                bail!("nothing came to {path} about {id}");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn take(mut stream: TcpStream, state: Arc<State>) -> Result<()> {
    let mut buffer = Vec::new();
    load::answer(&mut stream, &mut buffer).await?;
    let now = Instant::now();
    let text = String::from_utf8_lossy(&buffer);
    let number = |after: &str| -> String {
        let rest = text.split(after).nth(1).unwrap_or_default();
        rest.chars().take_while(char::is_ascii_digit).collect()
    };
    let path = number("POST /").parse().unwrap_or(0);
    let id = number("\"resource_id\":");
    state.arrived.lock().unwrap_or_else(PoisonError::into_inner).entry((path, id)).or_insert(now);
    state.requests.fetch_add(1, Ordering::SeqCst);
    let how = match state.is_busy.load(Ordering::SeqCst) {
        true => Answers::AfterNineSeconds,
        false => (state.how)(path),
    };
    match how {
        Answers::AtOnce => {}
        Answers::AfterNineSeconds => tokio::time::sleep(SLOW).await,
        Answers::Never => {
            // Until the sender has had enough.
            let _ = stream.read(&mut [0]).await;
            return Ok(());
        }
    }
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes()).await?;
    Ok(())
}
