//! Usage plans: stages, how fast each key may call them, and how often.

use super::period::Quota;
use super::{Plan, Plans};
use crate::fault::{bad, missing, too_many};
use crate::members::{Members, take_over};
use crate::rest::book::Book;
use crate::rest::page;
use crate::rest::patch::{self, Patch, Rules};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::{required, text};
use servicekit::ids;
use std::collections::BTreeSet;
use wire::ServiceError;

/// How many plans a region has at most, and stages a plan.
const PLANS_MAX: usize = 300;
const STAGES_MAX: usize = 100;

const PATCHED: Rules = Rules { texts: &["description", "name"], ..Rules::NONE };
const PATHS: &[&str] = &[
    "name",
    "description",
    "apiStages",
    "apiStages/<apiId:stageName>/throttle",
    "apiStages/<apiId:stageName>/throttle/<resourcePath>/<httpMethod>",
    "quota",
    "throttle",
];

impl Plan {
    /// Its stages: API and name.
    pub(super) fn stages(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.told.get("apiStages").and_then(Value::as_array).into_iter().flatten();
        all.map(|one| (required(one, "apiId"), required(one, "stage")))
    }

    /// What is said of one of them.
    pub(super) fn stage(&self, api: &str, stage: &str) -> Option<&Value> {
        let mut all = self.told.get("apiStages")?.as_array()?.iter();
        all.find(|one| one["apiId"] == api && one["stage"] == stage)
    }

    fn list(&mut self) -> &mut Vec<Value> {
        let list = self.told.entry("apiStages").or_insert_with(|| json!([]));
        if !list.is_array() {
            *list = json!([]);
        }
        list.as_array_mut().expect("it is a list by now")
    }

    fn change(&mut self, patch: &Patch) -> Result<(), ServiceError> {
        let path: Vec<&str> = patch.path.iter().map(String::as_str).collect();
        let value = patch.value.as_deref().unwrap_or_default();
        match path.as_slice() {
            ["throttle" | "quota"] if patch.removes() => drop(self.told.shift_remove(path[0])),
            ["throttle", "rateLimit" | "burstLimit"] | ["quota", "limit" | "offset"] if !patch.removes() => {
                self.told.entry(path[0]).or_insert_with(|| json!({}))[path[1]] = patch.number()?;
            }
            ["quota", "period"] if !patch.removes() => {
                self.told.entry("quota").or_insert_with(|| json!({}))["period"] = value.into();
            }
            ["apiStages"] => {
                let wrong = || bad("Invalid API Stage specified");
                let (api, stage) = value.split_once(':').ok_or_else(wrong)?;
                let known = self.stage(api, stage).is_some();
                if patch.removes() && !known {
                    return Err(wrong());
                }
                if patch.removes() {
                    self.list().retain(|one| one["apiId"] != api || one["stage"] != stage);
                } else if !known {
                    self.list().push(json!({"apiId": api, "stage": stage}));
                }
            }
            ["apiStages", name, "throttle", rest @ ..] => self.throttle(name, rest, patch)?,
            ["name" | "description"] => {
                return patch::apply(&mut self.told, std::slice::from_ref(patch), &PATCHED);
            }
            _ => return Err(patch.refused(PATHS)),
        }
        Ok(())
    }

    /// What is said of a method of a stage: `<resource path>/<method>`, then `rateLimit` or `burstLimit`.
    fn throttle(&mut self, name: &str, rest: &[&str], patch: &Patch) -> Result<(), ServiceError> {
        let stage = self.list().iter_mut().find(|one| {
            name.split_once(':').is_some_and(|(api, stage)| one["apiId"] == api && one["stage"] == stage)
        });
        let stage = stage.and_then(Value::as_object_mut).ok_or_else(|| bad("Invalid API Stage specified"))?;
        let place = |path: &str, method: &str| format!("{path}/{method}");
        match (rest, patch.removes()) {
            ([], true) => drop(stage.shift_remove("throttle")),
            ([path, method], true) => {
                if let Some(Value::Object(all)) = stage.get_mut("throttle") {
                    all.shift_remove(&place(path, method));
                }
            }
            ([path, method, limit @ ("rateLimit" | "burstLimit")], false) => {
                let all = stage.entry("throttle").or_insert_with(|| json!({}));
                all[place(path, method)][*limit] = patch.number()?;
            }
            _ => return Err(patch.refused(PATHS)),
        }
        Ok(())
    }

    fn check(&self, apis: &Book, caller: &Caller) -> Result<(), ServiceError> {
        let name = text_of(&self.told, "name");
        if name.is_empty() {
            return Err(bad("Usage Plan name cannot be empty"));
        }
        let mut seen = BTreeSet::new();
        for (api, stage) in self.stages() {
            if api.is_empty() || stage.is_empty() {
                return Err(bad(format!(
                    "Invalid API Stage {{api: {api}, stage: {stage}}} specified for usageplan {name}"
                )));
            }
            let found = apis.find(caller, api).is_ok_and(|found| found.stages.contains_key(stage));
            if !found {
                return Err(missing(format!("API Stage not found: {api}:{stage}")));
            }
            if !seen.insert((api, stage)) {
                return Err(bad(format!("API Stage {api}:{stage} is given more than once")));
            }
        }
        if seen.len() > STAGES_MAX {
            return Err(too_many(format!("A usage plan has at most {STAGES_MAX} stages.")));
        }
        let own = self.told.get("apiStages").and_then(Value::as_array).into_iter().flatten();
        let of_methods = own.filter_map(|stage| stage.get("throttle")?.as_object());
        let all = of_methods.flat_map(|all| all.values()).chain(self.told.get("throttle"));
        for limits in all {
            let is = |name: &str| limits.get(name).and_then(Value::as_f64).is_none_or(|limit| limit >= 0.0);
            if !is("rateLimit") || !is("burstLimit") {
                return Err(bad("Usage Plan throttle limits must not be negative"));
            }
        }
        let Some(quota) = self.told.get("quota") else { return Ok(()) };
        if quota.get("offset").and_then(Value::as_i64).unwrap_or(0) != 0 {
            return Err(bad("The offset of a quota is not supported: leave it at 0."));
        }
        match Quota::of(quota) {
            Some(quota) if quota.limit > 0 => Ok(()),
            _ => Err(bad("Usage Plan quota needs a limit above 0 and a period: DAY, WEEK or MONTH")),
        }
    }
}

impl Plans {
    pub(super) async fn create_plan(&self, apis: &Book, call: &Call, input: &Value) -> Answer {
        let id = ids::small(&self.world, 6);
        let mut told = Members::new();
        told.insert("id".to_owned(), id.as_str().into());
        told.insert("apiStages".to_owned(), json!([]));
        take_over(&mut told, input, &["name", "description", "apiStages", "throttle", "quota", "tags"]);
        let plan = Plan { region: call.caller.region.to_string(), told, keys: BTreeSet::new() };
        plan.check(apis, &call.caller)?;
        let _alone = self.structure.lock().await;
        if self.plans_here(&call.caller)?.len() >= PLANS_MAX {
            return Err(too_many(format!("A region has at most {PLANS_MAX} usage plans.")));
        }
        self.plans.put(&id, plan.clone()).await?;
        Ok(Value::Object(plan.told))
    }

    pub(super) fn get_plan(&self, call: &Call, input: &Value) -> Answer {
        Ok(Value::Object(self.plan(&call.caller, required(input, "usagePlanId"))?.told))
    }

    pub(super) fn get_plans(&self, call: &Call, input: &Value) -> Answer {
        let key = text(input, "keyId");
        let all = self.plans_here(&call.caller)?.into_iter();
        let fits = all.filter(|(_, plan)| key.is_none_or(|key| plan.keys.contains(key)));
        page(input, fits.map(|(id, plan)| (id, plan.told)))
    }

    pub(super) async fn update_plan(&self, apis: &Book, call: &Call, input: &Value) -> Answer {
        let id = required(input, "usagePlanId");
        let _alone = self.structure.lock().await;
        let mut plan = self.plan(&call.caller, id)?;
        patch::all(input).iter().try_for_each(|patch| plan.change(patch))?;
        plan.check(apis, &call.caller)?;
        self.check_shared(&self.plans_here(&call.caller)?, id, &plan)?;
        self.plans.put(id, plan.clone()).await?;
        Ok(Value::Object(plan.told))
    }

    pub(super) async fn delete_plan(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "usagePlanId");
        let _alone = self.structure.lock().await;
        let plan = self.plan(&call.caller, id)?;
        if let Some((api, stage)) = plan.stages().next() {
            return Err(bad(format!(
                "Cannot delete Usage Plan {id} because there are API Stages associated with it, including {api}:{stage}"
            )));
        }
        self.plans.remove(id).await?;
        for key in &plan.keys {
            self.used.remove(&format!("{id}/{key}")).await?;
        }
        Ok(json!({}))
    }

    /// A stage is gone, or all of an API's: no plan has it any more.
    pub async fn forget_stages(
        &self,
        caller: &Caller,
        api: &str,
        gone: Option<&str>,
    ) -> Result<(), ServiceError> {
        let _alone = self.structure.lock().await;
        for (id, mut plan) in self.plans_here(caller)? {
            let before = plan.list().len();
            plan.list().retain(|one| one["apiId"] != api || gone.is_some_and(|name| one["stage"] != name));
            if plan.list().len() < before {
                self.plans.put(&id, plan).await?;
            }
        }
        self.live.forget("");
        Ok(())
    }
}

fn text_of<'a>(told: &'a Members, name: &str) -> &'a str {
    told.get(name).and_then(Value::as_str).unwrap_or_default()
}
