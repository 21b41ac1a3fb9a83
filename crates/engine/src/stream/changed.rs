use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Ready when what it was made for has changed. Needs no runtime.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Changed {}

impl Changed {
    /// Blocks this thread until then.
    pub fn wait(self) {
        unimplemented!()
    }
}

impl Future for Changed {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        unimplemented!()
    }
}
