use crate::Error;
use crate::stream::{Record, Sequence, Stream};
use std::sync::Arc;

/// Reads all shards of a stream as one, in commit order.
#[derive(Debug)]
pub struct Follow {
    stream: Arc<Stream>,
    after: Sequence,
}

impl Follow {
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Everything up to here has been read.
    pub fn position(&self) -> Sequence {
        self.after
    }

    /// The records that follow, at most `max`; empty if there are none yet.
    pub fn read(&mut self, _max: usize) -> Result<Vec<Arc<Record>>, Error> {
        unimplemented!()
    }

    /// Ready once there may be more to read. False: the stream is disabled and everything has been read.
    pub async fn changed(&mut self) -> bool {
        unimplemented!()
    }
}
