//! Request validators: which parts of requests are checked before anything is called.

use super::book::RestApi;
use super::model::no_api;
use super::{Rest, page, patch};
use crate::fault::{bad, conflict, missing, too_many};
use crate::members::{Members, take_over};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::required;
use servicekit::ids;
use wire::ServiceError;

const VALIDATORS_MAX: usize = 100;

const TRUTHS: &[&str] = &["validateRequestParameters", "validateRequestBody"];

impl Rest {
    pub(super) async fn create_validator(&self, call: &Call, input: &Value) -> Answer {
        let id = ids::small(&self.book.world, 6);
        let told = made(&id, input);
        let made = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            add(api, &id, told.clone())?;
            Ok(told)
        });
        let wrong = || bad("Invalid REST API identifier specified");
        Ok(Value::Object(made.await.map_err(|error| no_api(error, wrong))?))
    }

    pub(super) fn get_validator(&self, call: &Call, input: &Value) -> Answer {
        let api = self.book.find(&call.caller, required(input, "restApiId")).map_err(|_| no_validator())?;
        let told = api.validators.get(required(input, "requestValidatorId")).cloned();
        Ok(Value::Object(told.ok_or_else(no_validator)?))
    }

    pub(super) fn get_validators(&self, call: &Call, input: &Value) -> Answer {
        page(input, self.book.find(&call.caller, required(input, "restApiId"))?.validators)
    }

    pub(super) async fn update_validator(&self, call: &Call, input: &Value) -> Answer {
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            let told =
                api.validators.get_mut(required(input, "requestValidatorId")).ok_or_else(no_validator)?;
            let mut new = told.clone();
            patch::replace(&mut new, &patch::all(input), &["name"], TRUTHS)?;
            if new.get("name").and_then(Value::as_str).unwrap_or_default().trim().is_empty() {
                return Err(bad("Request Validator name cannot be blank"));
            }
            told.clone_from(&new);
            Ok(new)
        });
        Ok(Value::Object(told.await.map_err(|error| no_api(error, no_validator))?))
    }

    pub(super) async fn delete_validator(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "requestValidatorId");
        let gone = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            if !api.validators.contains_key(id) {
                return Err(no_validator());
            }
            for (resource, one) in &api.resources {
                let uses = |method: &&Members| method.get("requestValidatorId") == Some(&json!(id));
                if let Some(method) = one.methods.values().find(uses) {
                    let place = format!(
                        "{}/{}",
                        api.path(resource),
                        method["httpMethod"].as_str().unwrap_or_default()
                    );
                    return Err(conflict(format!(
                        "Cannot delete request validator '{id}', is referenced in method: {place}"
                    )));
                }
            }
            api.validators.remove(id);
            Ok(())
        });
        gone.await.map_err(|error| no_api(error, no_validator))?;
        Ok(json!({}))
    }
}

/// A validator as it is kept.
pub(super) fn made(id: &str, input: &Value) -> Members {
    let mut told = Members::new();
    told.insert("id".to_owned(), id.into());
    take_over(&mut told, input, &["name"]);
    for truth in TRUTHS {
        told.insert((*truth).to_owned(), (input.get(*truth) == Some(&Value::Bool(true))).into());
    }
    told
}

/// One more validator of an API.
pub(super) fn add(api: &mut RestApi, id: &str, told: Members) -> Result<(), ServiceError> {
    if api.validators.len() >= VALIDATORS_MAX {
        return Err(too_many(format!("An API has at most {VALIDATORS_MAX} request validators.")));
    }
    api.validators.insert(id.to_owned(), told);
    Ok(())
}

fn no_validator() -> ServiceError {
    missing("Invalid Request Validator identifier specified")
}
