//! Bodies on the wire: as they arrive, and as they are sent.

use crate::pipeline::BODY_SILENCE_MAX;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use services::{BodyBroken, BodySource, NextPiece, Stored};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

/// Pieces that are read ahead of a slow client.
const AHEAD: usize = 2;

/// A request's body, piece by piece.
pub(crate) struct Arriving(pub Incoming);

impl BodySource for Arriving {
    fn next(&mut self) -> NextPiece<'_> {
        Box::pin(async {
            loop {
                let frame = tokio::time::timeout(BODY_SILENCE_MAX, self.0.frame()).await;
                match frame {
                    Err(_) | Ok(Some(Err(_))) => return Some(Err(BodyBroken)),
                    Ok(None) => return None,
                    Ok(Some(Ok(frame))) => {
                        if let Ok(data) = frame.into_data() {
                            return Some(Ok(data));
                        }
                    }
                }
            }
        })
    }
}

/// An answer's body: there already, read from files while it is sent, or made while it is sent.
pub(crate) enum Outgoing {
    Whole(Option<Bytes>),
    Stored { pieces: mpsc::Receiver<io::Result<Bytes>>, left: u64 },
    Live { first: Option<Bytes>, pieces: mpsc::Receiver<io::Result<Bytes>> },
}

impl Outgoing {
    pub fn whole(bytes: Bytes) -> Outgoing {
        Outgoing::Whole(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// Reads on a thread that may block, until all is sent or the client has gone.
    pub fn stored(mut tail: Stored) -> Outgoing {
        let left = tail.bytes();
        if left == 0 {
            return Outgoing::Whole(None);
        }
        let (sender, pieces) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || {
            while let Some(piece) = tail.read() {
                let failed = piece.is_err();
                if sender.blocking_send(piece).is_err() || failed {
                    break;
                }
            }
        });
        Outgoing::Stored { pieces, left }
    }

    pub fn live(first: Bytes, pieces: mpsc::Receiver<io::Result<Bytes>>) -> Outgoing {
        Outgoing::Live { first: Some(first).filter(|bytes| !bytes.is_empty()), pieces }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Outgoing::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Outgoing::Live { first, pieces } => match first.take() {
                Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
                None => Poll::Ready(ready!(pieces.poll_recv(context)).map(|piece| piece.map(Frame::data))),
            },
            Outgoing::Stored { left: 0, .. } => Poll::Ready(None),
            Outgoing::Stored { pieces, left } => match ready!(pieces.poll_recv(context)) {
                Some(Ok(piece)) => {
                    *left = left.saturating_sub(piece.len() as u64);
                    Poll::Ready(Some(Ok(Frame::data(piece))))
                }
                Some(Err(error)) => Poll::Ready(Some(Err(error))),
                // The reader ended before the file did.
                None => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Outgoing::Whole(None) | Outgoing::Stored { left: 0, .. })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Outgoing::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Outgoing::Stored { left, .. } => SizeHint::with_exact(*left),
            // Nobody knows how much it will be.
            Outgoing::Live { .. } => SizeHint::default(),
        }
    }
}
