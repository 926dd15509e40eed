//! What one socket is yet to be sent: a bounded queue that never makes the
//! sender wait. A reader who is too slow for it is cut off.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::budget::Budget;

/// Messages that may wait for one socket.
const MESSAGES: usize = 256;
/// Bytes that may wait for one socket; one message may be larger if it waits alone.
const BYTES: usize = 512 * 1024;
/// Of what is free for all sockets, what one may have waiting; and a message that
/// waits alone.
const PART: usize = 256;
const PART_ALONE: usize = 8;
/// Bytes that may wait for all sockets.
const BYTES_OF_ALL: usize = 256 * 1024 * 1024;

/// Why a socket is closed by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It does not read as fast as things happen.
    TooSlow,
    /// The server stops; another one, or the next, takes over.
    Restart,
    /// The credential is over: revoked, expired, idle, of a barred person.
    Revoked,
    /// Something happened that could not be told.
    Failed,
    /// Nothing came from it for too long, not even the answer to a ping.
    Silent,
    /// There is no room for what it sends.
    Crowded,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// A message.
    Text(Utf8Bytes),
    /// The end.
    End(End),
}

/// The budget of what waits for all sockets.
pub const fn budget() -> Budget {
    Budget::of(BYTES_OF_ALL)
}

/// The queue of one socket.
#[derive(Debug)]
pub struct Outgoing {
    waiting: Mutex<Waiting>,
    changed: Notify,
    budget: Arc<Budget>,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Utf8Bytes>,
    bytes: usize,
    /// Bytes of the message that is being sent.
    sending: usize,
    end: Option<End>,
}

impl Outgoing {
    /// Empty.
    pub fn new(budget: Arc<Budget>) -> Self {
        Outgoing { waiting: Mutex::default(), changed: Notify::new(), budget }
    }

    /// Adds a message. Where there is no room for it the socket ends as too
    /// slow; what waited is dropped. When all sockets have much waiting, who has
    /// the most ends first, and never one who reads.
    pub fn push(&self, text: String) {
        let mut waiting = self.waiting.lock();
        if waiting.end.is_some() {
            return;
        }
        let bytes = text.len();
        let is_alone = waiting.messages.is_empty();
        let has_room = is_alone
            || (waiting.messages.len() < MESSAGES && waiting.bytes.saturating_add(bytes) <= BYTES);
        let (holds, part) = if is_alone { (0, PART_ALONE) } else { (waiting.bytes, PART) };
        if !has_room || !self.budget.take(holds, bytes, part) {
            self.finish(&mut waiting, End::TooSlow);
            return;
        }
        waiting.bytes += bytes;
        waiting.messages.push_back(text.into());
        drop(waiting);
        self.changed.notify_one();
    }

    /// Ends the socket; the first reason counts.
    pub fn end(&self, end: End) {
        let mut waiting = self.waiting.lock();
        if waiting.end.is_none() {
            self.finish(&mut waiting, end);
        }
    }

    fn finish(&self, waiting: &mut Waiting, end: End) {
        self.budget.give(waiting.bytes);
        *waiting = Waiting { end: Some(end), sending: waiting.sending, ..Waiting::default() };
        self.changed.notify_one();
    }

    /// The next message, or the end, once there is one. One task at a time waits.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.changed.notified().await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut waiting = self.waiting.lock();
        // Who asks for the next has sent the last.
        self.budget.give(std::mem::take(&mut waiting.sending));
        if let Some(end) = waiting.end {
            return Some(Next::End(end));
        }
        let text = waiting.messages.pop_front()?;
        waiting.bytes -= text.len();
        waiting.sending = text.len();
        Some(Next::Text(text))
    }

    /// The end, once there is one: for who is busy sending.
    pub async fn ended(&self) -> End {
        loop {
            if let Some(end) = self.waiting.lock().end {
                return end;
            }
            self.changed.notified().await;
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let waiting = self.waiting.get_mut();
        self.budget.give(waiting.bytes + waiting.sending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(next: Option<Next>) -> String {
        match next {
            Some(Next::Text(text)) => text.to_string(),
            other => panic!("no text: {other:?}"),
        }
    }

    #[test]
    fn messages_come_in_order_and_give_their_bytes_back() {
        let budget = Arc::new(budget());
        let queue = Outgoing::new(budget.clone());
        queue.push("one".into());
        queue.push("three".into());
        assert_eq!(budget.bytes(), 8);
        assert_eq!(text(queue.take()), "one");
        assert_eq!(text(queue.take()), "three");
        assert!(queue.take().is_none());
        queue.push("left".into());
        drop(queue);
        assert_eq!(budget.bytes(), 0);
    }

    #[test]
    fn one_too_many_ends_it() {
        let budget = Arc::new(budget());
        let queue = Outgoing::new(budget.clone());
        for _ in 0..MESSAGES {
            queue.push("x".into());
        }
        queue.push("x".into());
        assert!(matches!(queue.take(), Some(Next::End(End::TooSlow))));
        assert_eq!(budget.bytes(), 0);
        queue.push("x".into());
        queue.end(End::Restart);
        assert!(matches!(queue.take(), Some(Next::End(End::TooSlow))), "the first reason counts");
        assert_eq!(budget.bytes(), 0);
    }

    #[test]
    fn a_large_message_waits_alone() {
        let queue = Outgoing::new(Arc::new(budget()));
        queue.push("x".repeat(2 * BYTES));
        queue.push("x".into());
        assert!(matches!(queue.take(), Some(Next::End(End::TooSlow))));
        let queue = Outgoing::new(Arc::new(budget()));
        queue.push("x".repeat(2 * BYTES));
        assert_eq!(text(queue.take()).len(), 2 * BYTES);
    }

    /// However many let all wait that may wait, who reads is told.
    #[test]
    fn who_reads_does_not_end_for_others() {
        let budget = Arc::new(Budget::of(1024 * 1024));
        let hoarders: Vec<_> = (0..200).map(|_| Outgoing::new(budget.clone())).collect();
        for hoarder in &hoarders {
            hoarder.push("x".repeat(100 * 1024));
            (0..100).for_each(|_| hoarder.push("x".repeat(1024)));
        }
        let ended = hoarders.iter().filter(|it| matches!(it.take(), Some(Next::End(_)))).count();
        assert!(ended > 0, "nobody had too much");
        let reader = Outgoing::new(budget.clone());
        for _ in 0..1_000 {
            reader.push("told".into());
            assert_eq!(text(reader.take()), "told");
        }
        drop((hoarders, reader));
        assert_eq!(budget.bytes(), 0);
    }

    /// A message counts until it was sent.
    #[test]
    fn what_is_being_sent_counts() {
        let budget = Arc::new(budget());
        let queue = Outgoing::new(budget.clone());
        queue.push("four".into());
        assert_eq!((text(queue.take()).len(), budget.bytes()), (4, 4));
        assert!(queue.take().is_none());
        assert_eq!(budget.bytes(), 0);
    }
}
