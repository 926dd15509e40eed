//! How many requests are worked on at once. A request above the bound is
//! refused before its body is read, so an answer or a refusal always comes soon
//! and memory stays bounded, however much is asked.
//!
//! Requests are answered on the threads that read them, so where the server is
//! busy the backlog is threads' unread connections, which nobody counts. While
//! it is busy, requests therefore work in turns: each first lets the other
//! connections come in and be counted, and few work at the same time.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use ward_instance::Clock;

/// Requests worked on or waiting for their turn.
pub const MOST: usize = 256;
/// How often the server looks whether it is busy.
const LOOK: Duration = Duration::from_millis(20);
/// It is busy when it came to look so much too late.
const LATE: Duration = Duration::from_millis(5);
/// It stays busy for so many looks after the last late one.
const LOOKS_BUSY: u32 = 25;

/// The bound, and what is inside.
pub struct Admission {
    most: usize,
    inside: AtomicUsize,
    turns: Arc<Semaphore>,
    is_busy: AtomicBool,
    refused: AtomicU64,
}

/// A request inside; leaves when dropped.
pub struct Admitted<'a>(&'a Admission);

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::Release);
    }
}

impl Admission {
    /// At most so many requests at once, `turns` of them at work while busy.
    pub fn new(most: usize, turns: usize) -> Self {
        Admission {
            most,
            inside: AtomicUsize::new(0),
            turns: Arc::new(Semaphore::new(turns.max(1))),
            is_busy: AtomicBool::new(false),
            refused: AtomicU64::new(0),
        }
    }

    /// Whether one more request would be refused now: asked before its body is
    /// read. A body that is slow to come takes nobody's place.
    pub fn is_full(&self) -> bool {
        let full = self.inside.load(Ordering::Acquire) >= self.most;
        self.refused.fetch_add(u64::from(full), Ordering::Relaxed);
        full
    }

    /// Takes a place, if there is one.
    pub fn enter(&self) -> Option<Admitted<'_>> {
        let before = self.inside.fetch_add(1, Ordering::AcqRel);
        let admitted = Admitted(self);
        if before < self.most {
            return Some(admitted);
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Works: at once or, while the server is busy, in turns.
    pub async fn work<F: Future>(&self, work: F) -> F::Output {
        if !self.is_busy.load(Ordering::Relaxed) {
            return work.await;
        }
        let turns = Turns { turns: &self.turns, held: None, wanted: None, work: pin!(work) };
        turns.await
    }

    /// Requests refused so far.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Looks whether the server is busy, until `stop`.
    pub async fn watch(&self, clock: &Clock, mut stop: watch::Receiver<bool>) {
        let mut left = 0;
        loop {
            let before = clock.monotonic_micros();
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => return,
            }
            let slept = Duration::from_micros(clock.monotonic_micros().saturating_sub(before));
            left = if slept > LOOK + LATE { LOOKS_BUSY } else { left.saturating_sub(1) };
            self.is_busy.store(left > 0, Ordering::Relaxed);
        }
    }
}

/// Work that holds a turn while it runs, and none while it waits for something
/// else: a commit, another server.
struct Turns<'a, F> {
    turns: &'a Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    wanted: Option<BoxFuture<'static, Option<OwnedSemaphorePermit>>>,
    work: Pin<&'a mut F>,
}

impl<F: Future> Future for Turns<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        if this.held.is_none() {
            let turns = this.turns;
            let wanted = this.wanted.get_or_insert_with(|| {
                let turns = Arc::clone(turns);
                Box::pin(async move {
                    let turn = turns.acquire_owned().await.ok();
                    // Behind everybody who has come in meanwhile.
                    tokio::task::yield_now().await;
                    turn
                })
            });
            let Poll::Ready(turn) = wanted.poll_unpin(context) else { return Poll::Pending };
            this.held = turn;
            this.wanted = None;
        }
        let polled = this.work.as_mut().poll(context);
        if polled.is_pending() {
            this.held = None;
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_bound_are_inside() {
        let admission = Admission::new(2, 1);
        let first = admission.enter().unwrap();
        let second = admission.enter().unwrap();
        assert!(admission.is_full());
        assert!(admission.enter().is_none());
        drop(first);
        assert!(!admission.is_full());
        let third = admission.enter().unwrap();
        assert!(admission.enter().is_none());
        drop((second, third));
        assert_eq!(admission.inside.load(Ordering::Relaxed), 0);
        assert_eq!(admission.refused(), 3);
    }

    /// While it is busy, everybody comes in before anybody works, one works at
    /// a time, and who waits for something else lets others work.
    #[tokio::test]
    async fn turns_are_taken_and_given_back() {
        let admission = Arc::new(Admission::new(8, 1));
        admission.is_busy.store(true, Ordering::Relaxed);
        let (working, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let go = Arc::new(tokio::sync::Notify::new());
        let mut tasks = Vec::new();
        for n in 0..8 {
            let (admission, working, most) = (admission.clone(), working.clone(), most.clone());
            let go = go.clone();
            tasks.push(tokio::spawn(async move {
                let _inside = admission.enter().expect("a place");
                let work = async {
                    let inside = admission.inside.load(Ordering::Relaxed);
                    working.fetch_add(1, Ordering::Relaxed);
                    most.fetch_max(working.load(Ordering::Relaxed), Ordering::Relaxed);
                    working.fetch_sub(1, Ordering::Relaxed);
                    // The first waits until the last has begun.
                    match n {
                        0 => go.notified().await,
                        7 => go.notify_one(),
                        _ => {}
                    }
                    inside
                };
                admission.work(work).await
            }));
        }
        let mut seen = Vec::new();
        for task in tasks {
            seen.push(task.await.expect("no panic"));
        }
        assert_eq!(seen[0], 8, "the first worked before the others had come in");
        assert_eq!(most.load(Ordering::Relaxed), 1);
        assert_eq!(admission.turns.available_permits(), 1);
    }
}
