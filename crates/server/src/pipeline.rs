//! From a request's bytes to its answer: bounds, the house's own paths, the services.

use crate::backups::{Backups, Refusal};
use crate::bodies::{Arriving, Outgoing};
use crate::metrics::Metrics;
use crate::pages::Pages;
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::{Body, Frame, Incoming};
use services::{Reply, Services, Tail};
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// The largest body: what Lambda takes, and what everybody else does.
const LAMBDA_BYTES_MAX: usize = 70_167_211;
const BODY_BYTES_MAX: usize = 17 << 20;
/// How long a client may be silent in the middle of a body.
pub(crate) const BODY_SILENCE_MAX: Duration = Duration::from_secs(60);

pub(crate) struct Pipeline {
    services: Services,
    metrics: Metrics,
    backups: Arc<Backups>,
    pages: Pages,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

enum BodyFault {
    TooLarge,
    Broken,
}

impl Pipeline {
    pub fn new(services: Services, metrics: Metrics, backups: Arc<Backups>, pages: Pages) -> Pipeline {
        Pipeline { services, metrics, backups, pages }
    }

    pub async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Outgoing> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        if path.starts_with("/_millstream/")
            && let Some(response) = self.house(&parts).await
        {
            return response;
        }
        let lambda = path.starts_with("/2015-03-31/") || path.starts_with("/2018-10-31/");
        let most = if lambda { LAMBDA_BYTES_MAX } else { BODY_BYTES_MAX };
        let mut request = wire::Request {
            path: path.to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            method: parts.method,
            headers: parts.headers,
            body: Bytes::new(),
            // An address of the older kind that came through a socket of the newer one is told as it is.
            peer: Some(peer.to_canonical()),
        };
        if self.services.is_storage(&request) {
            return self.storage(request, body).await;
        }
        request.body = match collect(body, most).await {
            Ok(body) => body,
            Err(fault) => return refuse(fault, most),
        };
        let reply = self.services.answer(request).await;
        self.send(reply)
    }

    /// What is asked of the house itself. Boxed, as all that is not asked often: what a connection's task awaits lies in it
    /// and is moved with every request.
    fn house<'a>(&'a self, parts: &'a Parts) -> Boxed<'a, Option<Response<Outgoing>>> {
        Box::pin(async move {
            let path = parts.uri.path();
            if path.starts_with("/_millstream/code/") {
                return Some(match self.services.download(path).await {
                    Some(zip) => text(StatusCode::OK, "application/zip", zip),
                    None => text(
                        StatusCode::FORBIDDEN,
                        "text/plain",
                        "This link is not one of ours, or too old.\n",
                    ),
                });
            }
            let own = path.strip_prefix("/_millstream/").filter(|own| {
                !["url/", "api/", "cloudformation/"].iter().any(|open| own.starts_with(open))
            })?;
            Some(match own.strip_prefix("backup") {
                Some(rest) => self.backup(rest.to_owned(), parts).await,
                None => self.own(own, parts),
            })
        })
    }

    /// A request to S3, whose body is read as it comes.
    fn storage(&self, request: wire::Request, body: Incoming) -> Boxed<'_, Response<Outgoing>> {
        Box::pin(async move {
            let has_body = !body.is_end_stream();
            let reply = self.services.call_storage(request, Box::new(Arriving(body))).await;
            let mut response = self.send(reply);
            // Of what is refused, the body may not have been read, or not even sent: the connection ends, and the client
            // is told, so that it asks nothing more on it.
            if has_body && (response.status().is_client_error() || response.status().is_server_error()) {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        })
    }

    fn send(&self, reply: Reply) -> Response<Outgoing> {
        let Reply { response: answer, tail } = reply;
        self.metrics.count(answer.status);
        let body = match tail {
            Some(Tail::Stored(tail)) => Outgoing::stored(tail),
            Some(Tail::Live(pieces)) => Outgoing::live(answer.body, pieces),
            None => Outgoing::whole(answer.body),
        };
        let mut response = Response::new(body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response
    }

    /// `POST /_millstream/backup` begins a backup, `POST /_millstream/backup/ID` answers its next piece, and nothing
    /// at its end.
    async fn backup(&self, rest: String, parts: &Parts) -> Response<Outgoing> {
        // A page in a browser must not read what is kept here.
        let from_page = parts.headers.contains_key(header::ORIGIN);
        if parts.method != http::Method::POST || from_page {
            return text(StatusCode::FORBIDDEN, "text/plain", "Backups are for `millstream backup`.\n");
        }
        if let Err(why) = self.services.check_reads_all(&head(parts)) {
            return text(StatusCode::FORBIDDEN, "text/plain", format!("{why}\n"));
        }
        let backups = self.backups.clone();
        let answer = tokio::task::spawn_blocking(move || match rest.strip_prefix('/') {
            Some(id) => backups.next(id).map(|piece| piece.unwrap_or_default()),
            None if rest.is_empty() => backups
                .begin()
                .map(|(id, sequence)| format!("{{\"id\":\"{id}\",\"sequence\":{sequence}}}\n").into_bytes()),
            None => Err(Refusal::Unknown),
        });
        let (status, message) = match answer.await {
            Ok(Ok(piece)) => return text(StatusCode::OK, "application/octet-stream", piece),
            Ok(Err(Refusal::Busy)) => {
                (StatusCode::CONFLICT, "a backup is being made: wait for its end, or a minute\n".to_owned())
            }
            Ok(Err(Refusal::Unknown)) => (
                StatusCode::NOT_FOUND,
                "there is no such backup: its reader was silent for a minute?\n".to_owned(),
            ),
            Ok(Err(Refusal::Failed(why))) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        };
        text(status, "text/plain", message)
    }

    fn own(&self, path: &str, parts: &Parts) -> Response<Outgoing> {
        if path != "health"
            && let Err(why) = self.services.check_watches(&head(parts))
        {
            return text(StatusCode::FORBIDDEN, "text/plain", format!("{why}\n"));
        }
        match path {
            "health" => text(StatusCode::OK, "application/json", "{\"status\":\"ok\"}\n"),
            "metrics" => text(StatusCode::OK, "text/plain; version=0.0.4", self.metrics.text()),
            "triggers" => text(StatusCode::OK, "application/json", self.services.triggers(None)),
            path if path.starts_with("triggers/") => {
                let id = path.trim_start_matches("triggers/");
                text(StatusCode::OK, "application/json", self.services.triggers(Some(id)))
            }
            path if let Some(page) = self.pages.page(path) => text(StatusCode::OK, "application/json", page),
            _ => text(
                StatusCode::NOT_FOUND,
                "text/plain",
                "There are /_millstream/health, /_millstream/metrics and /_millstream/triggers.\n",
            ),
        }
    }
}

/// A request as its signature is checked, before its body.
fn head(parts: &Parts) -> wire::Request {
    wire::Request {
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        method: parts.method.clone(),
        headers: parts.headers.clone(),
        ..wire::Request::default()
    }
}

/// The next piece of a body. Most are there already, and no clock is started for them.
async fn next_frame(body: &mut Incoming) -> Result<Option<Result<Frame<Bytes>, hyper::Error>>, BodyFault> {
    let mut frame = body.frame();
    let there = poll_fn(|context| Poll::Ready(Pin::new(&mut frame).poll(context))).await;
    match there {
        Poll::Ready(frame) => Ok(frame),
        Poll::Pending => tokio::time::timeout(BODY_SILENCE_MAX, frame).await.map_err(|_| BodyFault::Broken),
    }
}

/// The whole body, unless it is too large or its sender falls silent.
async fn collect(mut body: Incoming, most: usize) -> Result<Bytes, BodyFault> {
    if body.size_hint().lower() > most as u64 {
        return Err(BodyFault::TooLarge);
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while !body.is_end_stream() {
        let Some(frame) = next_frame(&mut body).await? else { break };
        let Ok(data) = frame.map_err(|_| BodyFault::Broken)?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > most {
            return Err(BodyFault::TooLarge);
        }
        // Most bodies come in one piece, which is passed on as it is.
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

fn refuse(fault: BodyFault, most: usize) -> Response<Outgoing> {
    let (status, body) = match fault {
        BodyFault::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("{{\"__type\":\"com.amazon.coral.service#RequestEntityTooLargeException\",\"message\":\"Request must be smaller than {most} bytes\"}}"),
        ),
        BodyFault::Broken => (
            StatusCode::BAD_REQUEST,
            "{\"__type\":\"com.amazon.coral.service#SerializationException\",\"message\":\"The request body ended early\"}".to_owned(),
        ),
    };
    let mut response = text(status, "application/x-amz-json-1.0", body);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::whole(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It lies in the connection's task, and is moved there with every request.
    const ANSWER_BYTES_MAX: usize = 3_072;

    #[test]
    fn an_answer_being_made_is_small() {
        fn bytes_of<F>(_: impl Fn(&'static Pipeline, Request<Incoming>) -> F) -> usize {
            size_of::<F>()
        }
        let bytes =
            bytes_of(|pipeline, request| pipeline.answer(request, IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)));
        assert!(bytes <= ANSWER_BYTES_MAX, "{bytes} bytes");
    }
}
