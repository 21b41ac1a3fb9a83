//! Connections: accepted up to a bound, served by HTTP/1.1, and let go in peace.

use crate::pipeline::Pipeline;
use crate::timer::KeptTimer;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

/// How long a client may take over its headers.
const HEADERS_MAX: Duration = Duration::from_secs(30);
/// How long connections have at the end to take their answers.
const DRAIN_MAX: Duration = Duration::from_secs(5);
/// The pause after the system had no descriptor for a connection.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

pub(crate) struct Listening {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Listening {
    /// Accepts no more, and waits for what is being answered.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

pub(crate) fn listen(socket: TcpListener, pipeline: Arc<Pipeline>, connections_max: usize) -> Listening {
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(accept(socket, pipeline, connections_max, stopped));
    Listening { stop, task }
}

async fn accept(
    socket: TcpListener,
    pipeline: Arc<Pipeline>,
    connections_max: usize,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(connections_max));
    let mut connections = JoinSet::new();
    loop {
        // A connection beyond the bound waits in the system's queue until another one ends.
        let place = tokio::select! {
            () = told(&mut stopped) => break,
            place = places.clone().acquire_owned() => place,
        };
        let (stream, peer) = tokio::select! {
            () = told(&mut stopped) => break,
            accepted = socket.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(_) => {
                    tokio::time::sleep(ACCEPT_RETRY).await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true);
        let (pipeline, mut stopped) = (pipeline.clone(), stopped.clone());
        connections.spawn(async move {
            let _place = place;
            let service = service_fn(|request| {
                let pipeline = &pipeline;
                async move { Ok::<_, Infallible>(pipeline.answer(request, peer.ip()).await) }
            });
            let connection = http1::Builder::new()
                .timer(KeptTimer::default())
                .header_read_timeout(HEADERS_MAX)
                .serve_connection(TokioIo::new(stream), service);
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                biased;
                _ = connection.as_mut() => return,
                () = told(&mut stopped) => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
        while connections.try_join_next().is_some() {}
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN_MAX, drained).await;
}

/// Ready once the listener is to stop.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}
