//! Methods, and the responses they declare.

use super::Rest;
use super::book::RestApi;
use super::patch::{self, Rules};
use crate::fault::{bad, conflict, missing, refuse};
use crate::members::{Members, take_over};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use wire::ServiceError;

const METHODS: &[&str] = &["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];

const REFUSED: &[&str] = &["authorizationScopes"];

const PATCHED: Rules = Rules {
    texts: &["authorizationType", "authorizerId", "operationName", "requestValidatorId"],
    truths: &["apiKeyRequired"],
    truth_maps: &["requestParameters"],
    maps: &["requestModels"],
    ..Rules::NONE
};

const RESPONSE_PATCHED: Rules =
    Rules { truth_maps: &["responseParameters"], maps: &["responseModels"], ..Rules::NONE };

/// Whose method: API, resource, method.
pub(super) fn place(input: &Value) -> (&str, &str, &str) {
    (required(input, "restApiId"), required(input, "resourceId"), required(input, "httpMethod"))
}

impl Rest {
    pub(super) async fn put_method(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let told = self.book.change(&call.caller, api, |api| add(api, resource, method, input));
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_method(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let mut api = self.book.find(&call.caller, api)?;
        Ok(Value::Object(api.method(resource, method)?.clone()))
    }

    pub(super) async fn update_method(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let told = self.book.change(&call.caller, api, |api| {
            let mut told = api.method(resource, method)?.clone();
            patch::apply(&mut told, &patch::all(input), &PATCHED)?;
            told.retain(|name, value| {
                let empty = *value == "" || value.as_object().is_some_and(serde_json::Map::is_empty);
                !(empty
                    && ["requestValidatorId", "requestModels", "requestParameters"].contains(&name.as_str()))
            });
            check(&told, api)?;
            api.method(resource, method)?.clone_from(&told);
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_method(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let gone = self.book.change(&call.caller, api, |api| {
            api.method(resource, method)?;
            api.resource(resource)?.methods.remove(method);
            Ok(())
        });
        gone.await?;
        Ok(json!({}))
    }

    pub(super) async fn put_method_response(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let told = self.book.change(&call.caller, api, |api| add_response(api, resource, method, input));
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_method_response(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let mut api = self.book.find(&call.caller, api)?;
        let told = response(api.method(resource, method)?, "methodResponses", required(input, "statusCode"))?;
        Ok(Value::Object(told.clone()))
    }

    pub(super) async fn update_method_response(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let told = self.book.change(&call.caller, api, |api| {
            let status = required(input, "statusCode");
            let mut told = response(api.method(resource, method)?, "methodResponses", status)?.clone();
            patch::apply(&mut told, &patch::all(input), &RESPONSE_PATCHED)?;
            check_models(&told, "responseModels", api)?;
            *response(api.method(resource, method)?, "methodResponses", status)? = told.clone();
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_method_response(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let gone = self.book.change(&call.caller, api, |api| {
            forget_response(api.method(resource, method)?, "methodResponses", required(input, "statusCode"))
        });
        gone.await?;
        Ok(json!({}))
    }
}

/// One more method of a resource.
pub(super) fn add(
    api: &mut RestApi,
    resource: &str,
    method: &str,
    input: &Value,
) -> Result<Members, ServiceError> {
    refuse(input, REFUSED)?;
    let mut told = Members::new();
    told.insert("httpMethod".to_owned(), method.into());
    told.insert("apiKeyRequired".to_owned(), false.into());
    let own = [
        "apiKeyRequired",
        "authorizationType",
        "authorizerId",
        "operationName",
        "requestParameters",
        "requestModels",
        "requestValidatorId",
    ];
    take_over(&mut told, input, &own);
    if let Some(kind) = text(input, "authorizationType") {
        told.insert("authorizationType".to_owned(), kind.to_ascii_uppercase().into());
    }
    api.resource(resource)?;
    if !METHODS.contains(&method) {
        let all = METHODS.join(",");
        return Err(bad(format!("Invalid HttpMethod specified. Valid options are {all}")));
    }
    check(&told, api)?;
    let methods = &mut api.resource(resource)?.methods;
    if methods.contains_key(method) {
        return Err(conflict("Method already exists for this resource"));
    }
    methods.insert(method.to_owned(), told.clone());
    Ok(told)
}

/// One more response that a method declares.
pub(super) fn add_response(
    api: &mut RestApi,
    resource: &str,
    method: &str,
    input: &Value,
) -> Result<Members, ServiceError> {
    let status = required(input, "statusCode");
    let mut told = Members::new();
    told.insert("statusCode".to_owned(), status.into());
    take_over(&mut told, input, &["responseParameters", "responseModels"]);
    check_models(&told, "responseModels", api)?;
    let responses = api.method(resource, method)?.entry("methodResponses").or_insert_with(|| json!({}));
    let responses = responses.as_object_mut().ok_or_else(no_response)?;
    if responses.contains_key(status) {
        return Err(conflict("Response already exists for this resource"));
    }
    responses.insert(status.to_owned(), Value::Object(told.clone()));
    Ok(told)
}

fn check(told: &Members, api: &RestApi) -> Result<(), ServiceError> {
    let member = |name: &str| told.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (member("authorizationType").unwrap_or_default(), member("authorizerId")) {
        ("NONE" | "AWS_IAM", _) => {}
        ("CUSTOM", Some(id)) if api.authorizers.contains_key(id) => {}
        ("CUSTOM", _) => {
            return Err(bad(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
            ));
        }
        (kind, _) => {
            return Err(bad(format!(
                "authorizationType {kind} is not supported: use NONE, AWS_IAM or CUSTOM."
            )));
        }
    }
    if member("requestValidatorId").is_some_and(|id| !api.validators.contains_key(id)) {
        return Err(bad("Invalid Request Validator identifier specified"));
    }
    check_parameters(told)?;
    check_models(told, "requestModels", api)
}

/// `method.request.<place>.<name>`: a name is of one place.
fn check_parameters(told: &Members) -> Result<(), ServiceError> {
    let parameters = told.get("requestParameters").and_then(Value::as_object).into_iter().flatten();
    let mut names: Vec<&str> = parameters.filter_map(|(whole, _)| whole.splitn(4, '.').nth(3)).collect();
    names.sort_unstable();
    match names.windows(2).any(|two| two[0] == two[1]) {
        true => Err(bad("Parameter names must be unique across querystring, header and path")),
        false => Ok(()),
    }
}

fn check_models(told: &Members, member: &str, api: &RestApi) -> Result<(), ServiceError> {
    let models = told.get(member).and_then(Value::as_object).into_iter().flatten();
    let known = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        ["Empty", "Error"].contains(&name) || api.models.contains_key(name)
    };
    match models.map(|(_, name)| name).find(|name| !known(name)) {
        Some(name) => Err(bad(format!("Invalid model identifier specified: {}", text_of(name)))),
        None => Ok(()),
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn no_response() -> ServiceError {
    missing("Invalid Response status code specified")
}

/// A response of a method or of an integration.
pub(super) fn response<'a>(
    owner: &'a mut Members,
    member: &str,
    status: &str,
) -> Result<&'a mut Members, ServiceError> {
    let found = owner.get_mut(member).and_then(|all| all.get_mut(status));
    found.and_then(Value::as_object_mut).ok_or_else(no_response)
}

pub(super) fn forget_response(owner: &mut Members, member: &str, status: &str) -> Result<(), ServiceError> {
    response(owner, member, status)?;
    if let Some(all) = owner.get_mut(member).and_then(Value::as_object_mut) {
        all.shift_remove(status);
    }
    Ok(())
}

/// The template of a content type: JSON's, unless the request says another.
pub(super) fn template<'a>(templates: Option<&'a Value>, kind: &str) -> Option<&'a str> {
    let templates = templates?;
    let kind = kind.split(';').next().unwrap_or_default().trim();
    text(templates, if kind.is_empty() { "application/json" } else { kind })
}
