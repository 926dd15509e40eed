//! What comes in on a connection, counted where the bytes are read: a message
//! that is not whole yet is held by the WebSocket library, out of sight.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::budget::Purse;
use super::socket::MESSAGE;

/// Bytes of the first message, before a credential was accepted.
const FIRST: usize = 8 * 1024;
/// Bytes that heads of frames may add to a message.
const HEADS: usize = 64 * 1024;
/// Bytes of a control message's head from a client.
const CONTROL: usize = 6;

/// Why nothing more is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A message is too long.
    TooLong,
    /// There is no room for what comes in.
    Full,
}

/// A connection's count; of HTTP nothing is counted.
#[derive(Debug, Default)]
pub struct Intake(Mutex<Option<Meter>>);

#[derive(Debug)]
struct Meter {
    purse: Arc<Purse>,
    /// Bytes of one message.
    most: usize,
    /// Bytes since the last message was done with.
    bytes: usize,
    verdict: Option<Verdict>,
}

impl Meter {
    fn back(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.purse.give(bytes);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.purse.give(self.bytes);
    }
}

impl Intake {
    /// From now on a socket speaks whose credential is not accepted yet.
    pub fn begin(&self, purse: Purse) {
        let purse = Arc::new(purse);
        *self.0.lock() = Some(Meter { purse, most: FIRST, bytes: 0, verdict: None });
    }

    /// It is a person's.
    pub fn accept(&self, purse: Arc<Purse>) {
        let most = MESSAGE + HEADS;
        *self.0.lock() = Some(Meter { purse, most, bytes: 0, verdict: None });
    }

    /// A message was heard and is done with.
    pub fn done(&self) {
        if let Some(meter) = self.0.lock().as_mut() {
            meter.back(meter.bytes);
        }
    }

    /// A ping or pong came, between the parts of a message perhaps.
    pub fn control(&self, payload: usize) {
        if let Some(meter) = self.0.lock().as_mut() {
            meter.back(payload + CONTROL);
        }
    }

    /// Why nothing more is read, when that is so.
    pub fn verdict(&self) -> Option<Verdict> {
        self.0.lock().as_ref().and_then(|meter| meter.verdict)
    }

    fn read(&self, bytes: usize) -> Result<(), Verdict> {
        let mut meter = self.0.lock();
        let Some(meter) = meter.as_mut() else { return Ok(()) };
        let verdict = if meter.bytes + bytes > meter.most {
            Verdict::TooLong
        } else if !meter.purse.take(bytes) {
            Verdict::Full
        } else {
            meter.bytes += bytes;
            return Ok(());
        };
        meter.verdict = Some(verdict);
        Err(verdict)
    }
}

/// A connection whose intake is counted.
pub struct Metered<S> {
    inner: S,
    intake: Arc<Intake>,
}

impl<S> Metered<S> {
    /// Counts what is read from a stream.
    pub fn new(inner: S, intake: Arc<Intake>) -> Self {
        Metered { inner, intake }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Poll::Ready(Ok(())) = read {
            let bytes = buffer.filled().len() - before;
            if bytes > 0 && self.intake.read(bytes).is_err() {
                return Poll::Ready(Err(io::Error::other("more than is taken in")));
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::OF_PERSON;
    use super::*;

    #[test]
    fn pings_do_not_add_up() {
        let intake = Intake::default();
        intake.begin(Purse::new(Arc::new(Purse::budget()), OF_PERSON));
        for _ in 0..10_000 {
            assert_eq!(intake.read(CONTROL + 4), Ok(()));
            intake.control(4);
        }
        assert_eq!(intake.read(FIRST), Ok(()));
        intake.done();
        assert_eq!(intake.read(FIRST + 1), Err(Verdict::TooLong));
        assert_eq!(intake.verdict(), Some(Verdict::TooLong));
    }

    #[test]
    fn sockets_of_one_person_share() {
        let budget = Arc::new(Purse::budget());
        let purse = Arc::new(Purse::new(budget.clone(), OF_PERSON));
        let sockets: Vec<Intake> = (0..50).map(|_| Intake::default()).collect();
        let mut full = 0;
        for socket in &sockets {
            socket.accept(purse.clone());
            full += usize::from(socket.read(MESSAGE) == Err(Verdict::Full));
        }
        assert_eq!((full, purse.held()), (46, 4 * MESSAGE));
        drop(sockets);
        assert_eq!((purse.held(), budget.bytes()), (0, 0));
    }
}
