//! S3 as clients see it, over a store in memory and files in a directory of their own.

mod absent;
mod integrity;
mod marks;
mod objects;
mod pages;
mod uploads;

use super::{S3, lead};
use bytes::Bytes;
use servicekit::body::{BodyBroken, BodySource, NextPiece, Whole};
use servicekit::call::{Call, Caller};
use servicekit::reply::{Reply, Tail};
use std::path::PathBuf;
use store::Store;
use wire::Request;
use world::World;

struct Bench {
    store: Store,
    world: World,
    dir: PathBuf,
    s3: Option<S3>,
    region: &'static str,
}

/// What a client is told.
struct Told {
    status: u16,
    headers: http::HeaderMap,
    body: String,
}

impl Told {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible"))
    }

    /// The text of the first element of this name.
    fn element(&self, name: &str) -> String {
        self.elements(name).into_iter().next().unwrap_or_default()
    }

    fn elements(&self, name: &str) -> Vec<String> {
        fn find(element: &wire::xml::Element, name: &str, found: &mut Vec<String>) {
            if element.name == name {
                found.push(element.text.clone());
            }
            element.children.iter().for_each(|child| find(child, name, found));
        }
        let mut found = Vec::new();
        let root =
            wire::xml::parse(self.body.as_bytes()).unwrap_or_else(|| panic!("no document: {}", self.body));
        find(&root, name, &mut found);
        found
    }
}

/// A body that comes in pieces, and may break off.
struct Pieces(Vec<Result<Bytes, BodyBroken>>);

impl BodySource for Pieces {
    fn next(&mut self) -> NextPiece<'_> {
        let piece = (!self.0.is_empty()).then(|| self.0.remove(0));
        Box::pin(std::future::ready(piece))
    }
}

impl Bench {
    fn new() -> Bench {
        let (store, world, dir) = (Store::memory(), World::simulated(5), super::temporary_dir());
        let s3 = Some(S3::over(&store, &world, Some(&dir)));
        Bench { store, world, dir, s3, region: "us-east-1" }
    }

    /// A bench with the bucket `b`.
    async fn with_bucket() -> Bench {
        let bench = Bench::new();
        assert_eq!(bench.ask("PUT /b-1", &[], "").await.status, 200);
        bench
    }

    /// The server stops and starts again.
    fn restart(&mut self) {
        self.s3 = None;
        self.s3 = Some(S3::over(&self.store, &self.world, Some(&self.dir)));
    }

    async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Told {
        let length = body.len().to_string();
        let mut all = vec![("content-length", length.as_str())];
        all.extend_from_slice(headers);
        self.send(line, &all, Box::new(Whole(Some(Bytes::copy_from_slice(body.as_bytes()))))).await
    }

    async fn send(&self, line: &str, headers: &[(&str, &str)], body: super::Body) -> Told {
        match self.call(line, headers) {
            Ok(call) => read(self.s3.as_ref().expect("a server").call(call, body).await),
            Err(unknown) => read((*unknown).into()),
        }
    }

    /// The call that a line and headers make, without a body.
    fn call(&self, line: &str, headers: &[(&str, &str)]) -> Result<Call, Box<wire::Response>> {
        let (method, target) = line.split_once(' ').expect("a method and a target");
        let mut request = Request { method: method.parse().expect("a method"), ..Request::default() }
            .with_target(target)
            .with_header("host", "localhost:4566")
            .with_header("x-amz-date", "20261121T000000Z")
            .with_header("authorization", "AWS4-HMAC-SHA256 Credential=k/20261121/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0");
        for (name, value) in headers {
            request = request.with_header(name, value);
        }
        let service = &api::tables::s3::SERVICE;
        let request = lead(request);
        let operation = match wire::route_storage(&request, service) {
            Ok(route) => route.operation,
            Err(unknown) => return Err(Box::new(unknown.into_response("id"))),
        };
        let caller = Caller { account: "123456789012".into(), region: self.region.into(), access_key: None };
        Ok(Call { request, service, operation, caller, request_id: "id".into(), inside: None })
    }

    /// How many files hold objects' bytes.
    fn files(&self) -> usize {
        self.s3.as_ref().expect("a server").vault.names().expect("a directory").len()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn read(reply: Reply) -> Told {
    let mut body = reply.response.body.to_vec();
    if let Some(Tail::Stored(mut tail)) = reply.tail {
        while let Some(piece) = tail.read() {
            body.extend_from_slice(&piece.expect("a piece"));
        }
    }
    let body = String::from_utf8(body).expect("text");
    Told { status: reply.response.status.as_u16(), headers: reply.response.headers, body }
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(work);
}
