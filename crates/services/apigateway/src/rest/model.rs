//! Models: schemas by name, that bodies of requests can be held against.

use super::book::RestApi;
use super::{Rest, page, patch, schema};
use crate::fault::{bad, conflict, missing, too_many};
use crate::members::{Members, take_over};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use servicekit::ids;
use std::collections::BTreeMap;
use wire::ServiceError;
use world::World;

const MODELS_MAX: usize = 400;

/// The models that every API begins with.
pub(super) fn first(world: &World) -> BTreeMap<String, Members> {
    const EMPTY: &str = "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Empty Schema\",\n  \"type\" : \"object\"\n}";
    const ERROR: &str = "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Error Schema\",\n  \"type\" : \"object\",\n  \"properties\" : {\n    \"message\" : { \"type\" : \"string\" }\n  }\n}";
    let all = [("Empty", "empty", EMPTY), ("Error", "error", ERROR)];
    let each = all.into_iter().map(|(name, word, schema)| {
        let told = json!({
            "id": ids::small(world, 6),
            "name": name,
            "description": format!("This is a default {word} schema model"),
            "schema": schema,
            "contentType": "application/json",
        });
        (name.to_owned(), told.as_object().cloned().unwrap_or_default())
    });
    each.collect()
}

impl Rest {
    pub(super) async fn create_model(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "name");
        let mut told = Members::new();
        told.insert("id".to_owned(), ids::small(&self.book.world, 6).into());
        take_over(&mut told, input, &["name", "description", "schema", "contentType"]);
        told.retain(|_, value| *value != "");
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            add(api, name, told.clone())?;
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_model(&self, call: &Call, input: &Value) -> Answer {
        if input.get("flatten") == Some(&Value::Bool(true)) {
            return Err(bad("flatten is not supported: models are told as they were made."));
        }
        let name = required(input, "modelName");
        let api = self.book.find(&call.caller, required(input, "restApiId")).map_err(|_| no_model(name))?;
        Ok(Value::Object(api.models.get(name).cloned().ok_or_else(|| no_model(name))?))
    }

    pub(super) fn get_models(&self, call: &Call, input: &Value) -> Answer {
        page(input, self.book.find(&call.caller, required(input, "restApiId"))?.models)
    }

    pub(super) async fn update_model(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "modelName");
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            let told = api.models.get_mut(name).ok_or_else(|| no_model(name))?;
            let mut new = told.clone();
            patch::replace(&mut new, &patch::all(input), &["description", "schema"], &[])?;
            check_schema(&new)?;
            told.clone_from(&new);
            Ok(new)
        });
        Ok(Value::Object(told.await.map_err(|error| no_api(error, || no_model(name)))?))
    }

    pub(super) async fn delete_model(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "modelName");
        let gone = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            if !api.models.contains_key(name) {
                return Err(no_model(name));
            }
            if let Some(user) = user(api, name) {
                return Err(conflict(format!("Cannot delete model '{name}', is referenced in {user}")));
            }
            api.models.remove(name);
            Ok(())
        });
        gone.await.map_err(|error| no_api(error, || no_model(name)))?;
        Ok(json!({}))
    }
}

/// One more model of an API.
pub(super) fn add(api: &mut RestApi, name: &str, told: Members) -> Result<(), ServiceError> {
    if name.is_empty() {
        return Err(bad("Model name must be non-empty"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(bad(format!("Model name must be alphanumeric: {name}")));
    }
    if api.models.contains_key(name) {
        return Err(conflict("Model name already exists for this REST API"));
    }
    if api.models.len() >= MODELS_MAX {
        return Err(too_many(format!("An API has at most {MODELS_MAX} models.")));
    }
    check_schema(&told)?;
    api.models.insert(name.to_owned(), told);
    Ok(())
}

fn check_schema(told: &Members) -> Result<(), ServiceError> {
    let told = Value::Object(told.clone());
    let written = text(&told, "schema").unwrap_or_default();
    if written.is_empty() {
        return Err(bad("Model schema must have at least 1 property or array items defined"));
    }
    if !is_json(&told) {
        return Ok(());
    }
    let tree = serde_json::from_str(written).map_err(|_| "Invalid model schema specified".to_owned());
    tree.and_then(|tree: Value| schema::check(&tree, 0)).map_err(|words| {
        bad(format!("Invalid model specified: Validation Result: warnings : [], errors : [{words}]"))
    })
}

fn is_json(told: &Value) -> bool {
    text(told, "contentType").unwrap_or_default().to_ascii_lowercase().contains("json")
}

/// The schemas of all models that are about JSON, by their names.
pub(super) fn schemas(models: &BTreeMap<String, Members>) -> schema::Schemas {
    let each = models.iter().filter_map(|(name, told)| {
        let told = Value::Object(told.clone());
        let tree = serde_json::from_str(text(&told, "schema")?).ok().filter(|_| is_json(&told))?;
        Some((name.clone(), tree))
    });
    each.collect()
}

/// What names a model, as the refusal to delete it tells.
fn user(api: &RestApi, model: &str) -> Option<String> {
    let names = |owner: &Value, member: &str| {
        owner.get(member).and_then(Value::as_object).is_some_and(|all| all.values().any(|one| one == model))
    };
    for (id, resource) in &api.resources {
        for (verb, method) in &resource.methods {
            let place = format!("{}/{verb}", api.path(id));
            let method = Value::Object(method.clone());
            if names(&method, "requestModels") {
                return Some(format!("method request: {place}"));
            }
            for (status, response) in method["methodResponses"].as_object().into_iter().flatten() {
                if names(response, "responseModels") {
                    return Some(format!("method response: {place}/{status}"));
                }
            }
        }
    }
    let url = format!("/models/{model}\"");
    let refers =
        |told: &Members| told.get("schema").and_then(Value::as_str).is_some_and(|text| text.contains(&url));
    let other = api.models.iter().find(|(name, told)| *name != model && refers(told));
    other.map(|(name, _)| format!("model: {name}"))
}

/// These calls tell of an API that is not there as of a part that is not.
pub(super) fn no_api(error: ServiceError, part: impl FnOnce() -> ServiceError) -> ServiceError {
    let is_api = error.message.as_deref().is_some_and(|words| words.starts_with("Invalid API identifier"));
    if is_api { part() } else { error }
}

fn no_model(name: &str) -> ServiceError {
    missing(format!("Invalid model name specified: {name}"))
}
