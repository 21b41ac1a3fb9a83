//! Answers that may be streams: read while the function still makes them.

use crate::functions::{InvokeError, Outcome};
use crate::runtime_api::Piece;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

/// What a caller gets that can read a stream.
#[derive(Debug)]
pub enum Answer {
    /// The function answered as a whole, or failed before it began to stream.
    Whole(Outcome),
    Streamed(Streamed),
}

/// An answer that has begun.
#[derive(Debug)]
pub struct Streamed {
    /// What the runtime says it holds.
    pub content_type: String,
    pieces: mpsc::Receiver<Piece>,
    end: oneshot::Receiver<Outcome>,
}

impl Answer {
    pub(crate) async fn of(
        mut pieces: mpsc::Receiver<Piece>,
        end: oneshot::Receiver<Outcome>,
    ) -> Result<Answer, InvokeError> {
        match pieces.recv().await {
            Some(Piece::Begun { content_type }) => {
                Ok(Answer::Streamed(Streamed { content_type, pieces, end }))
            }
            // The sender is gone: there is no stream.
            Some(Piece::Bytes(_)) | None => end.await.map(Answer::Whole).map_err(|_| InvokeError::Closed),
        }
    }
}

impl Streamed {
    /// The next bytes, once they are there; none at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.pieces.recv().await? {
                Piece::Bytes(bytes) => return Some(bytes),
                Piece::Begun { .. } => {}
            }
        }
    }

    /// How it ended. Its payload is empty, or the account of a failure in the middle.
    pub async fn end(self) -> Result<Outcome, InvokeError> {
        // Whoever does not read to the end must not hold the function up.
        drop(self.pieces);
        self.end.await.map_err(|_| InvokeError::Closed)
    }
}
