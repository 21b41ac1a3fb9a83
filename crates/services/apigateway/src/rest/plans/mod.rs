//! API keys and usage plans: who may call the methods that ask for a key, how fast, and how often in a period.

mod admit;
mod key;
mod member;
mod period;
mod plan;
mod tags;
mod usage;

use super::book::Book;
use crate::cache::Cache;
use crate::fault::missing;
use crate::members::Members;
use crate::throttle::Throttle;
use admit::Subscribers;
use period::Used;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use servicekit::call::{Answer, Call, Caller};
use servicekit::documents::Documents;
use std::collections::BTreeSet;
use store::Store;
use tokio::sync::Mutex;
use wire::ServiceError;
use world::World;

pub(super) use admit::Place;
pub(super) use tags::Keys;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Key {
    region: String,
    told: Members,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    region: String,
    told: Members,
    /// The ids of its keys.
    keys: BTreeSet<String>,
}

pub(super) struct Plans {
    world: World,
    keys: Documents<Key>,
    plans: Documents<Plan>,
    /// By plan and key.
    used: Documents<Used>,
    /// Keys and plans ready to be asked for, under the name "".
    live: Cache<Subscribers>,
    throttle: Throttle,
    /// Held by what changes keys or plans.
    structure: Mutex<()>,
}

impl Plans {
    pub fn new(store: &Store, world: &World) -> Plans {
        Plans {
            world: world.clone(),
            keys: Documents::new(store, "apigateway/key"),
            plans: Documents::new(store, "apigateway/plan"),
            used: Documents::new(store, "apigateway/used"),
            live: Cache::new(),
            throttle: Throttle::default(),
            structure: Mutex::default(),
        }
    }

    pub async fn answer(&self, apis: &Book, call: &Call, input: &Value) -> Answer {
        let answer = match call.operation.name {
            "CreateApiKey" => self.create_key(apis, call, input).await,
            "GetApiKey" => self.get_key(call, input),
            "GetApiKeys" => self.get_keys(call, input),
            "UpdateApiKey" => self.update_key(call, input).await,
            "DeleteApiKey" => self.delete_key(call, input).await,
            "CreateUsagePlan" => self.create_plan(apis, call, input).await,
            "GetUsagePlan" => self.get_plan(call, input),
            "GetUsagePlans" => self.get_plans(call, input),
            "UpdateUsagePlan" => self.update_plan(apis, call, input).await,
            "DeleteUsagePlan" => self.delete_plan(call, input).await,
            "CreateUsagePlanKey" => self.add_key(call, input).await,
            "GetUsagePlanKey" => self.get_plan_key(call, input),
            "GetUsagePlanKeys" => self.get_plan_keys(call, input),
            "DeleteUsagePlanKey" => self.remove_key(call, input).await,
            "GetUsage" => self.get_usage(call, input),
            "UpdateUsage" => self.update_usage(call, input).await,
            _ => Err(call.unknown()),
        };
        if !call.operation.name.starts_with("Get") {
            self.live.forget("");
        }
        answer
    }

    fn key(&self, caller: &Caller, id: &str) -> Result<Key, ServiceError> {
        let found = self.keys.get(id)?.filter(|key| key.region == *caller.region);
        found.ok_or_else(|| missing("Invalid API Key identifier specified"))
    }

    fn plan(&self, caller: &Caller, id: &str) -> Result<Plan, ServiceError> {
        let found = self.plans.get(id)?.filter(|plan| plan.region == *caller.region);
        found.ok_or_else(|| missing("Invalid Usage Plan ID specified"))
    }

    fn plans_here(&self, caller: &Caller) -> Result<Vec<(String, Plan)>, ServiceError> {
        let all = self.plans.list("")?.into_iter();
        Ok(all.filter(|(_, plan)| plan.region == *caller.region).collect())
    }
}
