//! An answer, and the body that follows it where it is not whole.

use crate::body::Stored;
use bytes::Bytes;
use std::io;
use tokio::sync::mpsc;
use wire::Response;

pub struct Reply {
    pub response: Response,
    pub tail: Option<Tail>,
}

/// What follows.
pub enum Tail {
    /// Stored bytes, so many of them.
    Stored(Stored),
    /// Bytes that are still being made.
    Live(mpsc::Receiver<io::Result<Bytes>>),
}

impl From<Response> for Reply {
    fn from(response: Response) -> Reply {
        Reply { response, tail: None }
    }
}

impl Reply {
    pub fn live(response: Response, pieces: mpsc::Receiver<io::Result<Bytes>>) -> Reply {
        Reply { response, tail: Some(Tail::Live(pieces)) }
    }

    /// The answer with all of what is still being made, as far as it is made well.
    pub async fn whole(self) -> Response {
        let Reply { mut response, tail } = self;
        if let Some(Tail::Live(mut pieces)) = tail {
            let mut body = response.body.to_vec();
            while let Some(Ok(piece)) = pieces.recv().await {
                body.extend_from_slice(&piece);
            }
            response.body = body.into();
        }
        response
    }
}
