//! All services over a store in memory, and functions in a directory of the test's own.

use crate::{LambdaTargets, LogBook, LogQueue, Parts, Services, Settings};
use engine::Engine;
use feed::Feed;
use functions::{Functions, zip_of};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;
use world::World;

pub struct Bench {
    pub services: Services,
    runtime: tokio::runtime::Runtime,
    dir: PathBuf,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.runtime.block_on(self.services.shutdown());
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

const CREDENTIAL: &str = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=00";

pub struct Reply {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Bench {
    pub fn new() -> Bench {
        Bench::set(Settings::default())
    }

    pub fn set(settings: Settings) -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let world = World::real();
        let dir = std::env::temp_dir().join(format!("services-test-{}", world.hex(12)));
        let store = Store::memory();
        let services = runtime.block_on(async {
            let engine =
                Engine::open(store.clone(), world.clone(), engine::Settings::default()).expect("an engine");
            let logs = LogBook::new(&store, &world);
            let queue = LogQueue::start(logs.clone()).expect("a queue");
            // What these functions saw they write into files, which a sandbox forbids.
            let of_functions = functions::Settings {
                sandbox: functions::sandbox::Sandbox::Off,
                ..functions::Settings::new(&dir)
            };
            let functions = Functions::new(of_functions, &world, Arc::new(queue));
            functions.set_endpoint("http://127.0.0.1:4566");
            let targets = LambdaTargets::new(&store, &functions, &world);
            let feed = Feed::open(feed::Parts {
                engine: Arc::new(engine.clone()),
                store: store.clone(),
                world: world.clone(),
                targets: Arc::new(targets.clone()),
                settings: feed::Settings::default(),
            })
            .expect("a feed");
            let queues = crate::Queues::open(&store, &world).expect("queues");
            let vault = crate::Vault::fleeting(&world);
            Services::new(Parts {
                vault,
                hosts: crate::Hosts::new(&dir.join("databases"), crate::DatabaseServers::default()),
                world,
                store,
                engine: Arc::new(engine),
                functions,
                targets,
                feed,
                logs,
                queues,
                settings,
            })
        });
        Bench { services, runtime, dir }
    }

    pub fn call(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut all = vec![("authorization", CREDENTIAL), ("x-amz-date", "20260101T000000Z")];
        all.extend(headers);
        let request = request(method, target, &all, body);
        reply(self.runtime.block_on(self.services.call(request)))
    }

    /// A call whose client goes away as soon as it is begun.
    pub fn leave(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &Value) {
        let mut all = vec![("authorization", CREDENTIAL), ("x-amz-date", "20260101T000000Z")];
        all.extend(headers);
        let request = request(method, target, &all, &bytes(body));
        self.runtime.block_on(async {
            let mut answer = std::pin::pin!(self.services.call(request));
            std::future::poll_fn(|context| {
                let _ = answer.as_mut().poll(context);
                std::task::Poll::Ready(())
            })
            .await;
        });
    }

    /// Waits until what goes on by itself has come so far.
    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        for _ in 0..20_000 {
            if is_so() {
                return;
            }
            self.runtime.block_on(async { tokio::time::sleep(std::time::Duration::from_millis(1)).await });
        }
        panic!("{what} never came to be");
    }

    /// A request as it is, signed or not.
    pub fn send(&self, request: wire::Request) -> Reply {
        reply(self.runtime.block_on(self.services.call(request)))
    }

    /// A call to the queues, which must go well.
    pub fn queue(&self, operation: &str, input: Value) -> Value {
        let credential = CREDENTIAL.replace("/lambda/", "/sqs/");
        let target = format!("AmazonSQS.{operation}");
        let headers = [
            ("authorization", credential.as_str()),
            ("x-amz-date", "20260101T000000Z"),
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", target.as_str()),
        ];
        let reply = self.call("POST", "/", &headers, &bytes(&input));
        assert_eq!(reply.status, 200, "{operation}: {}", String::from_utf8_lossy(&reply.body));
        reply.json()
    }

    /// A request to a function's address.
    pub fn url(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let request = request(method, target, headers, body);
        let whole =
            async { self.services.call_url(&request).await.expect("a function's address").whole().await };
        reply(self.runtime.block_on(whole))
    }

    /// A call that must go well.
    pub fn good(&self, method: &str, target: &str, body: Value) -> Value {
        let reply = self.call(method, target, &[], &bytes(&body));
        assert!(
            reply.status < 300,
            "{method} {target}: {} {}",
            reply.status,
            String::from_utf8_lossy(&reply.body)
        );
        reply.json()
    }

    /// The code and the message of a refusal.
    pub fn bad(&self, method: &str, target: &str, body: Value) -> String {
        let reply = self.call(method, target, &[], &bytes(&body));
        assert!(reply.status >= 400, "{method} {target}: {}", String::from_utf8_lossy(&reply.body));
        let told = reply.json();
        let message = told.get("message").or_else(|| told.get("Message")).and_then(Value::as_str);
        format!("{} {}: {}", reply.status, reply.header("x-amzn-errortype"), message.unwrap_or_default())
    }

    /// A Python function `name` with this text and these further members.
    pub fn function(&self, name: &str, text: &str, more: Value) -> Value {
        let mut input = json!({
            "FunctionName": name,
            "Runtime": "python3.12",
            "Handler": "app.handler",
            "Role": "arn:aws:iam::123456789012:role/r",
            "Timeout": 20,
            "Code": { "ZipFile": zip(text) },
        });
        for (member, value) in more.as_object().into_iter().flatten() {
            input[member] = value.clone();
        }
        self.good("POST", "/2015-03-31/functions", input)
    }

    pub fn until_events_end(&self) {
        self.runtime.block_on(self.services.lambda().idle());
    }

    pub fn download(&self, path: &str) -> Option<Vec<u8>> {
        self.runtime.block_on(self.services.download(path))
    }

    pub fn invoke(&self, name: &str, payload: Value) -> Reply {
        self.call("POST", &format!("/2015-03-31/functions/{name}/invocations"), &[], &bytes(&payload))
    }
}

pub fn zip(text: &str) -> String {
    wire::base64::encode(&zip_of(&[("app.py", text)]))
}

fn bytes(body: &Value) -> Vec<u8> {
    if body.is_null() { Vec::new() } else { body.to_string().into_bytes() }
}

fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> wire::Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut all = http::HeaderMap::new();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().expect("a header's name");
        all.insert(name, value.parse().expect("a header's value"));
    }
    wire::Request {
        method: method.parse().expect("a method"),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: all,
        body: body.to_vec().into(),
        ..wire::Request::default()
    }
}

fn reply(response: wire::Response) -> Reply {
    Reply { status: response.status.as_u16(), headers: response.headers, body: response.body.to_vec() }
}
