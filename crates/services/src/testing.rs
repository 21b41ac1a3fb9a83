//! All services in one place, for tests of what several of them do together; and what tests of one of them ask.

use crate::{
    DatabaseServers, Hosts, LambdaTargets, LogBook, LogQueue, Parts, Queues, Services, Settings, Vault,
};
use engine::Engine;
use feed::Feed;
use functions::Functions;
use serde_json::{Value, json};
use servicekit::call::{Call, Caller};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use wire::{Request, Response, Service};
use world::World;

/// A directory that goes with the test.
pub(crate) struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Scratch {
        // Worlds of the same seed give the same names.
        let name = World::real().hex(12);
        Scratch(std::env::temp_dir().join(format!("services-test-{name}")))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A house over a store, with what lies beside it in `dir`.
pub(crate) fn services(store: &Store, world: &World, dir: &Path) -> Services {
    services_with(store, world, dir, Settings { objects: Some(dir.join("objects")), ..Settings::default() })
}

pub(crate) fn services_with(store: &Store, world: &World, dir: &Path, settings: Settings) -> Services {
    let engine = Engine::open(store.clone(), world.clone(), engine::Settings::default()).expect("an engine");
    let engine = Arc::new(engine);
    let logs = LogBook::new(store, world);
    let queue = LogQueue::start(logs.clone()).expect("a queue");
    let functions = Functions::new(functions::Settings::new(dir), world, Arc::new(queue));
    functions.set_endpoint("http://127.0.0.1:4566");
    let targets = LambdaTargets::new(store, &functions, world);
    let feed = Feed::open(feed::Parts {
        engine: engine.clone(),
        store: store.clone(),
        world: world.clone(),
        targets: Arc::new(targets.clone()),
        settings: feed::Settings::default(),
    });
    Services::new(Parts {
        queues: Queues::open(store, world).expect("queues"),
        vault: Vault::fleeting(world),
        hosts: Hosts::new(&dir.join("databases"), DatabaseServers::default()),
        engine,
        world: world.clone(),
        store: store.clone(),
        functions,
        targets,
        feed: feed.expect("a feed"),
        logs,
        settings,
    })
}

/// A call as a client of one service makes it.
pub(crate) fn call(service: &'static Service, operation: &str, request: Request) -> Call {
    Call {
        request,
        service,
        operation: service.operation(operation).expect("an operation"),
        caller: Caller { account: "123456789012".into(), region: "us-east-1".into(), access_key: None },
        request_id: "id".into(),
        inside: None,
    }
}

/// The document of an answer; an empty one where it has none.
pub(crate) fn document(response: &Response) -> Value {
    match response.body.is_empty() {
        true => json!({}),
        false => serde_json::from_slice(&response.body).expect("json"),
    }
}
