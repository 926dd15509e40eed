//! One socket at work, whatever it speaks: messages in, messages out, pings,
//! and an end that says why.

use std::future::Future;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::intake::{Intake, Verdict};
use super::outgoing::{End, Next, Outgoing};

/// Bytes of one message from a client.
pub const MESSAGE: usize = 1024 * 1024;
/// Bytes read at once.
const READ: usize = 1024;
/// A message that was not taken within this time is one that never will be.
const WRITE_TIME: Duration = Duration::from_secs(20);
/// How long the last words may take.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// From one ping of the WebSocket protocol to the next.
const PING: Duration = Duration::from_secs(30);
/// Without any sign of life for so many pings the other side is gone.
const PINGS_UNANSWERED: u32 = 3;

/// How a connection is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    /// A last message, where the protocol has one.
    pub text: Option<String>,
    /// The close code.
    pub code: u16,
    /// The reason beside it, at most 123 bytes.
    pub reason: &'static str,
}

/// What a message leads to.
pub enum Flow {
    /// The socket goes on.
    On,
    /// It is closed.
    Close(Farewell),
}

/// What the two protocols differ in.
pub trait Protocol: Send {
    /// From one of its own beats to the next.
    const BEAT: Duration;
    /// A text message came.
    fn received(&mut self, text: &str) -> impl Future<Output = Flow> + Send;
    /// A beat: something to send, or the end.
    fn beat(&mut self) -> Result<Option<String>, Farewell>;
    /// How it says goodbye.
    fn farewell(&self, end: End) -> Farewell;
    /// How it refuses what is no text, or too long.
    fn unreadable(&self, is_too_long: bool) -> Farewell;
}

/// The bounds of every socket.
pub fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .read_buffer_size(READ)
        .write_buffer_size(0)
}

/// Works until either side ends it.
pub async fn drive<P: Protocol>(
    mut socket: WebSocket,
    outgoing: &Outgoing,
    intake: &Intake,
    mut protocol: P,
) {
    let mut beats = every(P::BEAT);
    let mut pings = every(PING);
    let mut unanswered = 0;
    loop {
        let sent = tokio::select! {
            next = outgoing.next() => match next {
                Next::Text(text) => send(&mut socket, outgoing, Message::Text(text)).await,
                Next::End(end) => Err(Some(end)),
            },
            _ = beats.tick() => match protocol.beat() {
                Ok(None) => Ok(()),
                Ok(Some(text)) => send(&mut socket, outgoing, Message::Text(text.into())).await,
                Err(farewell) => return Box::pin(goodbye(socket, farewell)).await,
            },
            _ = pings.tick() => {
                unanswered += 1;
                if unanswered > PINGS_UNANSWERED {
                    Err(Some(End::Silent))
                } else {
                    send(&mut socket, outgoing, Message::Ping(Vec::new().into())).await
                }
            },
            message = socket.recv() => {
                unanswered = 0;
                match message {
                    // Boxed, as what a message leads to takes room only while it lasts.
                    Some(Ok(Message::Text(text))) => match Box::pin(protocol.received(&text)).await {
                        Flow::On => {
                            intake.done();
                            Ok(())
                        }
                        Flow::Close(farewell) => return Box::pin(goodbye(socket, farewell)).await,
                    },
                    Some(Ok(Message::Ping(payload) | Message::Pong(payload))) => {
                        intake.control(payload.len());
                        Ok(())
                    }
                    Some(Ok(Message::Binary(_))) => {
                        return Box::pin(goodbye(socket, protocol.unreadable(false))).await;
                    }
                    Some(Err(error)) => {
                        let farewell = match (intake.verdict(), is_too_long(error)) {
                            (Some(Verdict::Full), _) => protocol.farewell(End::Crowded),
                            (Some(Verdict::TooLong), _) => protocol.unreadable(true),
                            (None, Some(too_long)) => protocol.unreadable(too_long),
                            (None, None) => return,
                        };
                        return Box::pin(goodbye(socket, farewell)).await;
                    }
                    // The answer to it goes out while the rest is read.
                    Some(Ok(Message::Close(_))) => {
                        let _ = timeout(LAST_WORDS, rest(&mut socket)).await;
                        return;
                    }
                    None => return,
                }
            }
        };
        match sent {
            Ok(()) => {}
            Err(Some(end)) => return Box::pin(goodbye(socket, protocol.farewell(end))).await,
            Err(None) => return,
        }
    }
}

/// Ticks for the first time after one period.
fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    ticks
}

/// Sends a message, unless the socket ends meanwhile; nothing when it is gone.
async fn send(
    socket: &mut WebSocket,
    outgoing: &Outgoing,
    message: Message,
) -> Result<(), Option<End>> {
    tokio::select! {
        sent = socket.send(message) => sent.map_err(|_| None),
        end = outgoing.ended() => Err(Some(end)),
        () = tokio::time::sleep(WRITE_TIME) => Err(Some(End::TooSlow)),
    }
}

/// Says why, and waits until the other side has heard it, for a while.
pub async fn goodbye(mut socket: WebSocket, farewell: Farewell) {
    let words = async {
        if let Some(text) = farewell.text {
            let _ = socket.send(Message::Text(text.into())).await;
        }
        let frame = CloseFrame { code: farewell.code, reason: farewell.reason.into() };
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            rest(&mut socket).await;
        }
    };
    let _ = timeout(LAST_WORDS, words).await;
}

/// Reads until the other side has nothing more to say.
async fn rest(socket: &mut WebSocket) {
    while let Some(Ok(_)) = socket.recv().await {}
}

/// Whether a message was too long, or broke the protocol; nothing when the
/// connection is gone.
fn is_too_long(error: axum::Error) -> Option<bool> {
    use tungstenite::Error;
    match error.into_inner().downcast_ref::<Error>() {
        Some(Error::Capacity(_)) => Some(true),
        Some(Error::Utf8(_) | Error::Protocol(_)) => Some(false),
        _ => None,
    }
}
