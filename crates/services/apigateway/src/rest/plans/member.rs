//! The keys of usage plans.

use super::{Key, Plan, Plans};
use crate::fault::{bad, conflict, missing};
use crate::members::{Members, take_over};
use crate::rest::page;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use wire::ServiceError;

impl Plans {
    pub(super) async fn add_key(&self, call: &Call, input: &Value) -> Answer {
        let (plan_id, key_id) = place(input);
        if required(input, "keyType") != "API_KEY" {
            return Err(bad("Usage plan key type must be API_KEY"));
        }
        let _alone = self.structure.lock().await;
        let mut plan = self.plan(&call.caller, plan_id)?;
        let key = self.key(&call.caller, key_id)?;
        if !plan.keys.insert(key_id.to_owned()) {
            return Err(conflict(format!("API Key {key_id} is already a key of Usage Plan {plan_id}")));
        }
        self.check_shared(&self.plans_here(&call.caller)?, plan_id, &plan)?;
        self.plans.put(plan_id, plan).await?;
        Ok(Value::Object(shown(key, true)))
    }

    /// No key has two plans with the same stage: which of them would count?
    pub(super) fn check_shared(
        &self,
        all: &[(String, Plan)],
        id: &str,
        plan: &Plan,
    ) -> Result<(), ServiceError> {
        for (_, other) in all.iter().filter(|(other, _)| other != id) {
            if other.keys.is_disjoint(&plan.keys) {
                continue;
            }
            let both = plan.stages().find(|(api, stage)| other.stage(api, stage).is_some());
            if let Some((api, stage)) = both {
                return Err(conflict(format!(
                    "Usage Plan {id} cannot be added because API Key cannot reference multiple Usage Plans with the same API stage: {api}:{stage}"
                )));
            }
        }
        Ok(())
    }

    pub(super) fn get_plan_key(&self, call: &Call, input: &Value) -> Answer {
        let (plan, key) = place(input);
        self.member(&self.plan(&call.caller, plan)?, key)?;
        Ok(Value::Object(shown(self.key(&call.caller, key)?, false)))
    }

    pub(super) fn get_plan_keys(&self, call: &Call, input: &Value) -> Answer {
        let named = text(input, "nameQuery").unwrap_or_default();
        let mut all = Vec::new();
        for id in self.plan(&call.caller, required(input, "usagePlanId"))?.keys {
            let told = shown(self.key(&call.caller, &id)?, false);
            if told.get("name").and_then(Value::as_str).unwrap_or_default().starts_with(named) {
                all.push((id, told));
            }
        }
        page(input, all)
    }

    pub(super) async fn remove_key(&self, call: &Call, input: &Value) -> Answer {
        let (plan_id, key) = place(input);
        let _alone = self.structure.lock().await;
        let mut plan = self.plan(&call.caller, plan_id)?;
        self.member(&plan, key)?;
        plan.keys.remove(key);
        self.plans.put(plan_id, plan).await?;
        self.used.remove(&format!("{plan_id}/{key}")).await?;
        Ok(json!({}))
    }

    pub(super) fn member(&self, plan: &Plan, key: &str) -> Result<(), ServiceError> {
        match plan.keys.contains(key) {
            true => Ok(()),
            false => Err(missing("Invalid Usage Plan Key identifier specified")),
        }
    }
}

pub(super) fn place(input: &Value) -> (&str, &str) {
    (required(input, "usagePlanId"), required(input, "keyId"))
}

fn shown(key: Key, with_value: bool) -> Members {
    let mut told = Members::new();
    let key = Value::Object(key.told);
    take_over(&mut told, &key, if with_value { &["id", "value", "name"] } else { &["id", "name"] });
    told.insert("type".to_owned(), "API_KEY".into());
    told
}
