//! API keys.

use super::{Key, Plans};
use crate::fault::{bad, conflict, missing, too_many};
use crate::members::{Members, take_over};
use crate::rest::book::Book;
use crate::rest::page;
use crate::rest::patch::{self, Rules};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use servicekit::ids;
use wire::ServiceError;
use world::World;

/// How many keys a region has at most.
const KEYS_MAX: usize = 10_000;

const PATCHED: Rules =
    Rules { texts: &["customerId", "description", "name"], truths: &["enabled"], ..Rules::NONE };

impl Plans {
    pub(super) async fn create_key(&self, apis: &Book, call: &Call, input: &Value) -> Answer {
        let given = text(input, "value").filter(|value| !value.is_empty());
        if given.is_some_and(|value| value.len() < 20) {
            return Err(bad("API Key value should be at least 20 characters"));
        }
        if given.is_some_and(|value| value.len() > 128) {
            return Err(bad("API Key value should be at most 128 characters"));
        }
        let value = given.map_or_else(|| drawn(&self.world), str::to_owned);
        let distinct = input.get("generateDistinctId") != Some(&Value::Bool(false)) || given.is_none();
        let id = if distinct { ids::small(&self.world, 10) } else { value.clone() };
        let now = apis.now();
        let mut told = Members::new();
        for (member, value) in [
            ("id", json!(id)),
            ("value", json!(value)),
            ("enabled", json!(false)),
            ("createdDate", now.clone()),
            ("lastUpdatedDate", now),
            ("stageKeys", stages(apis, call, input)?),
        ] {
            told.insert(member.to_owned(), value);
        }
        take_over(&mut told, input, &["name", "description", "enabled", "customerId", "tags"]);
        let _alone = self.structure.lock().await;
        let all = self.keys.list("")?;
        let here: Vec<_> = all.iter().filter(|(_, key)| key.region == *call.caller.region).collect();
        if here.len() >= KEYS_MAX {
            return Err(too_many(format!("A region has at most {KEYS_MAX} API keys.")));
        }
        if here.iter().any(|(_, key)| key.told["value"] == value) || all.iter().any(|(own, _)| *own == id) {
            return Err(conflict("API Key already exists"));
        }
        self.keys.put(&id, Key { region: call.caller.region.to_string(), told: told.clone() }).await?;
        Ok(Value::Object(told))
    }

    pub(super) fn get_key(&self, call: &Call, input: &Value) -> Answer {
        let key = self.key(&call.caller, required(input, "apiKey"))?;
        Ok(Value::Object(shown(key.told, input.get("includeValue"))))
    }

    pub(super) fn get_keys(&self, call: &Call, input: &Value) -> Answer {
        let named = text(input, "nameQuery").unwrap_or_default();
        let customer = text(input, "customerId");
        let fits = |told: &Members| {
            let own = |name: &str| told.get(name).and_then(Value::as_str);
            own("name").unwrap_or_default().starts_with(named)
                && customer.is_none_or(|customer| own("customerId") == Some(customer))
        };
        let all = self.keys.list("")?.into_iter();
        let here = all.filter(|(_, key)| key.region == *call.caller.region && fits(&key.told));
        page(input, here.map(|(id, key)| (id, shown(key.told, input.get("includeValues")))))
    }

    pub(super) async fn update_key(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "apiKey");
        let _alone = self.structure.lock().await;
        let mut key = self.key(&call.caller, id)?;
        patch::apply(&mut key.told, &patch::all(input), &PATCHED)?;
        key.told.insert("lastUpdatedDate".to_owned(), self.world.now().seconds().into());
        self.keys.put(id, key.clone()).await?;
        Ok(Value::Object(shown(key.told, None)))
    }

    /// Plans lose it, too.
    pub(super) async fn delete_key(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "apiKey");
        let _alone = self.structure.lock().await;
        self.key(&call.caller, id)?;
        for (plan_id, mut plan) in self.plans_here(&call.caller)? {
            if plan.keys.remove(id) {
                self.plans.put(&plan_id, plan).await?;
                self.used.remove(&format!("{plan_id}/{id}")).await?;
            }
        }
        self.keys.remove(id).await?;
        Ok(json!({}))
    }
}

/// A key's value is only told to who asks for it.
fn shown(mut told: Members, with_value: Option<&Value>) -> Members {
    if with_value != Some(&Value::Bool(true)) {
        told.shift_remove("value");
    }
    told
}

/// `api/stage` of those that are named. They say nothing of what a key opens: that is what plans are for.
fn stages(apis: &Book, call: &Call, input: &Value) -> Result<Value, ServiceError> {
    let mut names = Vec::new();
    for stage in input.get("stageKeys").and_then(Value::as_array).into_iter().flatten() {
        let (api, name) = (required(stage, "restApiId"), required(stage, "stageName"));
        if !apis.find(&call.caller, api)?.stages.contains_key(name) {
            return Err(missing("Invalid stage identifier specified"));
        }
        names.push(format!("{api}/{name}"));
    }
    Ok(names.into())
}

fn drawn(world: &World) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..40).map(|_| char::from(ALPHABET[world.below(62) as usize])).collect()
}
