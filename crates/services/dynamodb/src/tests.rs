//! Requests and what they are answered, as tables of JSON, over a store in memory and a simulated clock.

mod absent;
mod backups;
mod batches;
mod behaviours;
mod compatibility;
mod composite;
mod items;
mod keys;
mod legacy;
mod lifecycle;
mod order;
mod partiql;
mod searches;
mod sizes;
mod streams;
mod tables;
mod throttle;
mod transactions;
mod words;

use super::Dynamodb;
use super::streams::Seal;
use super::transfers::Transfers;
use engine::{Engine, Maintenance, Settings};
use serde_json::{Value as Json, json};
use servicekit::call::{Call, Caller};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use wire::{Request, Service};
use world::World;

/// A server of one caller, without its network.
struct Bench {
    dynamodb: Dynamodb,
    world: World,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Bench {
        Bench::set(Settings::default())
    }

    fn set(settings: Settings) -> Bench {
        let world = World::simulated(7);
        let store = Store::memory();
        let settings = Settings { maintenance: Maintenance::Manual, ..settings };
        let engine = Engine::open(store.clone(), world.clone(), settings)
            .expect("an engine opens over an empty store");
        let seal = Seal::durable(&store, &world);
        let policies = super::policies::Policies::new(&store);
        let engine = Arc::new(engine);
        let logs = crate::LogBook::new(&store, &world);
        let house = servicekit::house::House::empty();
        let transfers = Arc::new(Transfers::new(&store, &engine, &world, logs, house));
        let dynamodb = Dynamodb { engine, world: world.clone(), seal, policies, transfers };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
        Bench { dynamodb, world, runtime }
    }

    /// A bench with the tables `H` (hash key `pk`) and `C` (keys `pk` and `sk`, two local and two global indexes).
    fn with_tables() -> Bench {
        let bench = Bench::new();
        bench.make(json!({
            "TableName": "Hash",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        }));
        let defined = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        let keys = |hash: &str, range: &str| json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }]);
        bench.make(json!({
            "TableName": "Both",
            "AttributeDefinitions": [defined("pk"), defined("sk"), defined("a"), defined("b")],
            "KeySchema": keys("pk", "sk"),
            "LocalSecondaryIndexes": [
                { "IndexName": "local-all", "KeySchema": keys("pk", "a"), "Projection": { "ProjectionType": "ALL" } },
                { "IndexName": "local-keys", "KeySchema": keys("pk", "b"), "Projection": { "ProjectionType": "KEYS_ONLY" } },
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "global-all",
                    "KeySchema": [{ "AttributeName": "a", "KeyType": "HASH" }],
                    "Projection": { "ProjectionType": "ALL" },
                },
                {
                    "IndexName": "global-some",
                    "KeySchema": keys("a", "b"),
                    "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": ["data"] },
                },
            ],
            "BillingMode": "PAY_PER_REQUEST",
        }));
        bench
    }

    fn make(&self, table: Json) {
        let answer = self.ask("CreateTable", table);
        assert!(answer.get("TableDescription").is_some(), "{answer}");
    }

    /// The answer, or the error's name and message as `{"error": …, "message": …}`.
    fn ask(&self, operation: &str, input: Json) -> Json {
        self.ask_as("123456789012", "us-east-1", operation, input)
    }

    fn ask_as(&self, account: &str, region: &str, operation: &str, input: Json) -> Json {
        let streams: &'static Service = &api::tables::dynamodbstreams::SERVICE;
        let tables: &'static Service = &api::tables::dynamodb::SERVICE;
        let service = if streams.operation(operation).is_some() { streams } else { tables };
        let call = Call {
            request: Request::post(input.to_string()),
            service,
            operation: service.operation(operation).expect("the model knows the operation"),
            caller: Caller { account: account.into(), region: region.into(), access_key: None },
            request_id: "id".into(),
            inside: None,
        };
        match self.runtime.block_on(self.dynamodb.answer(&call)) {
            Ok(body) if body.is_empty() => Json::Null,
            Ok(body) => serde_json::from_slice(&body).expect("answers are JSON"),
            Err(fault) => {
                let mut told = json!({ "error": fault.name(), "message": fault.message });
                for (member, value) in *fault.members {
                    told[member] = value;
                }
                told
            }
        }
    }

    #[track_caller]
    fn check(&self, operation: &str, input: Json, expect: Json) {
        let answer = self.ask(operation, input.clone());
        assert_eq!(answer, expect, "{operation} {input}");
    }

    /// The request is wrong, and these are the words for it.
    #[track_caller]
    fn refuses(&self, operation: &str, input: Json, message: &str) {
        self.check(operation, input, json!({ "error": "ValidationException", "message": message }));
    }

    fn pass(&self, time: Duration) {
        self.world.advance(time);
    }
}
