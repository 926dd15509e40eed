//! A file that is read from the store: nothing of it for too long, and it ends with an error. Time
//! runs only while somebody waits for it, so a slow reader is not taken for a slow store.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use object_store::client::HttpError;
use tokio::time::Sleep;

use crate::s3::transport::{PATIENCE, Unanswered};

/// The body of an answer that is a file.
pub(crate) struct Watched {
    body: Incoming,
    /// Runs while the next bytes are waited for.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(crate) fn new(body: Incoming) -> Self {
        Watched { body, waiting: None }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.waiting = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(|_| Unanswered::Unreached.told())));
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(PATIENCE)));
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => {
                self.waiting = None;
                Poll::Ready(Some(Err(Unanswered::Late.told())))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
