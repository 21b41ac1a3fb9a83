//! Deployments and stages: what is served, and under which name.

use super::patch::{self, Rules};
use super::{Rest, page};
use crate::fault::{bad, conflict, missing, refuse, too_many};
use crate::members::{Members, take_over};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text, texts};
use wire::ServiceError;

const STAGES_MAX: usize = 10;

const REFUSED: &[&str] =
    &["cacheClusterEnabled", "cacheClusterSize", "canarySettings", "documentationVersion", "tracingEnabled"];

const PATCHED: Rules = Rules { texts: &["description"], maps: &["variables"], ..Rules::NONE };

impl Rest {
    pub(super) async fn create_deployment(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, REFUSED)?;
        let stage = text(input, "stageName").filter(|name| !name.is_empty());
        if let Some(name) = stage {
            check_name(name)?;
        } else if input.get("variables").is_some() || input.get("stageDescription").is_some() {
            return Err(bad("Stage name must be specified with stageDescription or variables."));
        }
        let api = required(input, "restApiId");
        let told = self.book.deploy(&call.caller, api, text(input, "description"), |api, deployment| {
            let Some(name) = stage else { return Ok(()) };
            if !api.stages.contains_key(name) && api.stages.len() >= STAGES_MAX {
                return Err(stages_full());
            }
            let told = api.stages.entry(name.to_owned()).or_insert_with(|| self.new_stage(name));
            told.insert("deploymentId".to_owned(), deployment.into());
            told.insert("lastUpdatedDate".to_owned(), self.book.now());
            if let Some(description) = input.get("stageDescription") {
                told.insert("description".to_owned(), description.clone());
            }
            take_over(told, input, &["variables"]);
            Ok(())
        });
        let told = told.await?;
        self.live.forget(api);
        Ok(Value::Object(told))
    }

    pub(super) fn get_deployment(&self, call: &Call, input: &Value) -> Answer {
        let (api, id) = (required(input, "restApiId"), required(input, "deploymentId"));
        let found = self.book.find(&call.caller, api)?;
        let mut told = found.deployments.get(id).cloned().ok_or_else(no_deployment)?;
        if texts(input, "embed").iter().any(|what| what.eq_ignore_ascii_case("apisummary")) {
            let snapshot = self.book.snapshots.get(&format!("{api}/{id}"))?.unwrap_or_default();
            let mut summary = Members::new();
            for (path, resource) in
                snapshot.resources.into_values().filter(|(_, one)| !one.methods.is_empty())
            {
                let methods = resource.methods.into_iter().map(|(name, method)| {
                    (name, json!({"authorizationType": method["authorizationType"], "apiKeyRequired": method["apiKeyRequired"]}))
                });
                summary.insert(path, Value::Object(methods.collect()));
            }
            told.insert("apiSummary".to_owned(), summary.into());
        }
        Ok(Value::Object(told))
    }

    pub(super) fn get_deployments(&self, call: &Call, input: &Value) -> Answer {
        page(input, self.book.find(&call.caller, required(input, "restApiId"))?.deployments)
    }

    pub(super) async fn update_deployment(&self, call: &Call, input: &Value) -> Answer {
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            let told = api.deployments.get_mut(required(input, "deploymentId")).ok_or_else(no_deployment)?;
            let rules = Rules { texts: &["description"], ..Rules::NONE };
            patch::apply(told, &patch::all(input), &rules)?;
            Ok(told.clone())
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_deployment(&self, call: &Call, input: &Value) -> Answer {
        let (api, id) = (required(input, "restApiId"), required(input, "deploymentId"));
        let gone = self.book.change(&call.caller, api, |api| {
            if !api.deployments.contains_key(id) {
                return Err(no_deployment());
            }
            if api.uses(id) {
                return Err(bad("Active stages pointing to this deployment must be moved or deleted"));
            }
            api.deployments.remove(id);
            Ok(())
        });
        gone.await?;
        self.book.forget_deployment(api, id).await?;
        Ok(json!({}))
    }

    fn new_stage(&self, name: &str) -> Members {
        let told = json!({
            "stageName": name,
            "cacheClusterEnabled": false,
            "cacheClusterStatus": "NOT_AVAILABLE",
            "methodSettings": {},
            "tracingEnabled": false,
            "createdDate": self.book.now(),
            "lastUpdatedDate": self.book.now(),
        });
        told.as_object().cloned().unwrap_or_default()
    }

    pub(super) async fn create_stage(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, REFUSED)?;
        let name = required(input, "stageName");
        check_name(name)?;
        let mut told = self.new_stage(name);
        take_over(&mut told, input, &["deploymentId", "description", "variables", "tags"]);
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            if !api.deployments.contains_key(required(input, "deploymentId")) {
                return Err(bad("Deployment id does not exist"));
            }
            if api.stages.contains_key(name) {
                return Err(conflict("Stage already exists"));
            }
            if api.stages.len() >= STAGES_MAX {
                return Err(stages_full());
            }
            api.stages.insert(name.to_owned(), told.clone());
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_stage(&self, call: &Call, input: &Value) -> Answer {
        let api = self.book.find(&call.caller, required(input, "restApiId"))?;
        let told = api.stages.get(required(input, "stageName")).ok_or_else(no_stage)?;
        Ok(Value::Object(told.clone()))
    }

    pub(super) fn get_stages(&self, call: &Call, input: &Value) -> Answer {
        let api = self.book.find(&call.caller, required(input, "restApiId"))?;
        let wanted = text(input, "deploymentId");
        let of = |told: &Members| wanted.is_none_or(|id| told.get("deploymentId") == Some(&json!(id)));
        let all: Vec<_> = api.stages.into_values().filter(of).map(Value::Object).collect();
        Ok(json!({"item": all}))
    }

    pub(super) async fn update_stage(&self, call: &Call, input: &Value) -> Answer {
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            let mut told = api.stages.get(required(input, "stageName")).cloned().ok_or_else(no_stage)?;
            for patch in patch::all(input) {
                let path: Vec<&str> = patch.path.iter().map(String::as_str).collect();
                match path.as_slice() {
                    ["deploymentId"] => {
                        let id = patch.value.clone().unwrap_or_default();
                        if !api.deployments.contains_key(&id) {
                            return Err(bad("Deployment id does not exist"));
                        }
                        told.insert("deploymentId".to_owned(), id.into());
                    }
                    [resource, method, group, setting] => {
                        let place = format!("{}/{method}", resource.replace('/', "~1"));
                        set_method(&mut told, &place, &format!("{group}/{setting}"), &patch)?;
                    }
                    [_, _] if patch.removes() && path[0] != "variables" => {
                        let place = format!("{}/{}", path[0].replace('/', "~1"), path[1]);
                        if let Some(Value::Object(all)) = told.get_mut("methodSettings") {
                            all.shift_remove(&place);
                        }
                    }
                    _ => patch::apply(&mut told, &[patch], &PATCHED)?,
                }
            }
            told.insert("lastUpdatedDate".to_owned(), self.book.now());
            api.stages.insert(required(input, "stageName").to_owned(), told.clone());
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_stage(&self, call: &Call, input: &Value) -> Answer {
        let gone = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            api.stages.remove(required(input, "stageName")).ok_or_else(no_stage)
        });
        gone.await?;
        let (api, name) = (required(input, "restApiId"), required(input, "stageName"));
        self.plans.forget_stages(&call.caller, api, Some(name)).await?;
        Ok(json!({}))
    }
}

/// One setting of a method, or of all of them (`*/*`).
fn set_method(
    told: &mut Members,
    place: &str,
    setting: &str,
    patch: &patch::Patch,
) -> Result<(), ServiceError> {
    let (member, value) = match setting {
        "throttling/rateLimit" => ("throttlingRateLimit", patch.number()?),
        "throttling/burstLimit" => ("throttlingBurstLimit", patch.number()?),
        "metrics/enabled" => ("metricsEnabled", json!(patch.value.as_deref() == Some("true"))),
        "logging/loglevel" if patch.value.as_deref() == Some("OFF") => ("loggingLevel", json!("OFF")),
        "logging/dataTrace" if patch.value.as_deref() == Some("false") => ("dataTraceEnabled", json!(false)),
        "caching/enabled" if patch.value.as_deref() == Some("false") => ("cachingEnabled", json!(false)),
        _ => {
            return Err(bad(format!(
                "The method setting {setting} is not supported: only throttling/rateLimit, throttling/burstLimit and metrics/enabled."
            )));
        }
    };
    let all = told.entry("methodSettings").or_insert_with(|| json!({}));
    all[place][member] = value;
    Ok(())
}

fn check_name(name: &str) -> Result<(), ServiceError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    match !name.is_empty() && name.bytes().all(allowed) {
        true => Ok(()),
        false => Err(bad("Stage name only allows a-zA-Z0-9_-")),
    }
}

fn stages_full() -> ServiceError {
    too_many(format!("An API has at most {STAGES_MAX} stages."))
}

fn no_deployment() -> ServiceError {
    missing("Invalid Deployment identifier specified")
}

fn no_stage() -> ServiceError {
    missing("Invalid stage identifier specified")
}
