//! A bare HTTP server that answers always the same: the most that the same library can do here.

use super::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

/// The server as a process of its own.
pub struct Server {
    child: Child,
    address: String,
}

impl Server {
    pub fn start(body: &[u8]) -> Result<Server> {
        let body = String::from_utf8(body.to_vec())?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bench", "bare-server", &body])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut address)?;
        Ok(Server { child, address: address.trim().to_owned() })
    }

    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn serve(body: &str) -> Result<()> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let body = body.clone();
            tokio::spawn(async move {
                let service = service_fn(|request: Request<Incoming>| {
                    let body = body.clone();
                    async move {
                        // Read, as any server must.
                        let _ = http_body_util::BodyExt::collect(request.into_body()).await;
                        Ok::<_, Infallible>(Response::new(Full::new(body)))
                    }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}
