//! Integrations of methods: functions, servers elsewhere, and answers without any.

use super::book::RestApi;
use super::method::{forget_response, place, response};
use super::patch::{self, Rules};
use super::template::Template;
use super::{Rest, mapping};
use crate::fault::{bad, missing, refuse};
use crate::members::{Members, take_over};
use crate::outside::Place;
use crate::target;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{integer, required, text};
use wire::ServiceError;

const REFUSED: &[&str] = &[
    "connectionId",
    "contentHandling",
    "cacheKeyParameters",
    "cacheNamespace",
    "tlsConfig",
    "integrationTarget",
];

const OWN: &[&str] = &[
    "uri",
    "credentials",
    "passthroughBehavior",
    "timeoutInMillis",
    "requestParameters",
    "requestTemplates",
    "connectionType",
    "responseTransferMode",
];

const PATCHED: Rules = Rules {
    texts: &["uri", "httpMethod", "passthroughBehavior", "credentials"],
    numbers: &["timeoutInMillis"],
    maps: &["requestParameters", "requestTemplates"],
    ..Rules::NONE
};

const RESPONSE_PATCHED: Rules =
    Rules { texts: &["selectionPattern"], maps: &["responseParameters", "responseTemplates"], ..Rules::NONE };

impl Rest {
    pub(super) async fn put_integration(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let told = self.book.change(&call.caller, api, |api| put(api, resource, method, input));
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_integration(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let mut api = self.book.find(&call.caller, api)?;
        Ok(Value::Object(api.integration(resource, method)?.clone()))
    }

    pub(super) async fn update_integration(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let told = self.book.change(&call.caller, api, |api| {
            let told = api.integration(resource, method)?;
            patch::apply(told, &patch::all(input), &PATCHED)?;
            check(&Value::Object(told.clone()))?;
            let told = told.clone();
            check_declared(api.method(resource, method)?, told.get("requestParameters"))?;
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_integration(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let gone = self.book.change(&call.caller, api, |api| {
            api.integration(resource, method)?;
            api.method(resource, method)?.shift_remove("methodIntegration");
            Ok(())
        });
        gone.await?;
        Ok(json!({}))
    }

    pub(super) async fn put_integration_response(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let told = self.book.change(&call.caller, api, |api| put_response(api, resource, method, input));
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_integration_response(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let mut api = self.book.find(&call.caller, api)?;
        let own = api.integration(resource, method)?;
        Ok(Value::Object(response(own, "integrationResponses", required(input, "statusCode"))?.clone()))
    }

    pub(super) async fn update_integration_response(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let status = required(input, "statusCode");
        let told = self.book.change(&call.caller, api, |api| {
            let own = api.integration(resource, method)?;
            let mut told = response(own, "integrationResponses", status)?.clone();
            patch::apply(&mut told, &patch::all(input), &RESPONSE_PATCHED)?;
            check_response(api.method(resource, method)?, &told)?;
            *response(api.integration(resource, method)?, "integrationResponses", status)? = told.clone();
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_integration_response(&self, call: &Call, input: &Value) -> Answer {
        let (api, resource, method) = place(input);
        let gone = self.book.change(&call.caller, api, |api| {
            let own = api.integration(resource, method)?;
            forget_response(own, "integrationResponses", required(input, "statusCode"))
        });
        gone.await?;
        Ok(json!({}))
    }
}

/// Gives a method what is behind it; responses there were belong to what is replaced.
pub(super) fn put(
    api: &mut RestApi,
    resource: &str,
    method: &str,
    input: &Value,
) -> Result<Members, ServiceError> {
    refuse(input, REFUSED)?;
    let mut told = Members::new();
    told.insert("type".to_owned(), required(input, "type").into());
    if let Some(verb) = input.get("integrationHttpMethod") {
        told.insert("httpMethod".to_owned(), verb.clone());
    }
    told.insert("passthroughBehavior".to_owned(), "WHEN_NO_MATCH".into());
    told.insert("timeoutInMillis".to_owned(), 29_000.into());
    take_over(&mut told, input, OWN);
    told.insert("cacheNamespace".to_owned(), resource.into());
    told.insert("cacheKeyParameters".to_owned(), json!([]));
    check(&Value::Object(told.clone()))?;
    let own = api.method(resource, method)?;
    check_declared(own, told.get("requestParameters"))?;
    own.insert("methodIntegration".to_owned(), Value::Object(told.clone()));
    Ok(told)
}

/// What becomes of an answer.
pub(super) fn put_response(
    api: &mut RestApi,
    resource: &str,
    method: &str,
    input: &Value,
) -> Result<Members, ServiceError> {
    refuse(input, &["contentHandling"])?;
    let status = required(input, "statusCode");
    let mut told = Members::new();
    told.insert("statusCode".to_owned(), status.into());
    take_over(&mut told, input, &["selectionPattern", "responseParameters", "responseTemplates"]);
    check_response(api.method(resource, method)?, &told)?;
    let own = api.integration(resource, method)?;
    let responses = own.entry("integrationResponses").or_insert_with(|| json!({}));
    responses[status] = Value::Object(told.clone());
    Ok(told)
}

fn check(told: &Value) -> Result<(), ServiceError> {
    if text(told, "connectionType").is_some_and(|kind| kind != "INTERNET") {
        return Err(bad("connectionType VPC_LINK is not supported."));
    }
    if text(told, "responseTransferMode").is_some_and(|mode| mode != "BUFFERED") {
        return Err(bad("responseTransferMode STREAM is not supported."));
    }
    let kind = required(told, "type");
    match kind {
        "MOCK" => {}
        "AWS" | "AWS_PROXY" => check_uri(told, kind)?,
        "HTTP" | "HTTP_PROXY" => check_url(told)?,
        _ => {
            return Err(bad(format!(
                "Integration type {kind} is not supported: use AWS, AWS_PROXY, HTTP, HTTP_PROXY or MOCK."
            )));
        }
    }
    let behavior = required(told, "passthroughBehavior");
    if !["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"].contains(&behavior) {
        return Err(bad(format!("Invalid passthrough behavior specified: {behavior}")));
    }
    if !(50..=29_000).contains(&integer(told, "timeoutInMillis").unwrap_or(0)) {
        return Err(bad("Timeout should be between 50 ms and 29000 ms"));
    }
    check_parameters(told.get("requestParameters"), kind)?;
    check_templates(told.get("requestTemplates"))
}

/// What is mapped onto the request to a server; a function is given a payload, and the rest has nowhere to go, as on AWS.
fn check_parameters(parameters: Option<&Value>, kind: &str) -> Result<(), ServiceError> {
    for (name, value) in parameters.and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        if !mapping::is_target(name) || !mapping::is_source(value) {
            return Err(no_mapping(if mapping::is_target(name) { value } else { name }));
        }
        let asynchronous = name.eq_ignore_ascii_case("integration.request.header.x-amz-invocation-type");
        if asynchronous && kind.starts_with("AWS") {
            return Err(bad(format!("{name} is not supported: functions are waited for.")));
        }
    }
    Ok(())
}

/// What is taken from the client's request is what the method declares.
fn check_declared(method: &Members, parameters: Option<&Value>) -> Result<(), ServiceError> {
    let declared = method.get("requestParameters");
    for value in parameters.and_then(Value::as_object).into_iter().flatten().map(|(_, value)| value) {
        let value = value.as_str().unwrap_or_default();
        let plain = value.replacen(".multivalue", ".", 1);
        let named = plain.starts_with("method.request.") && !plain.starts_with("method.request.body");
        if named && declared.is_none_or(|own| own.get(&plain).is_none()) {
            return Err(bad(format!(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: {value}]"
            )));
        }
    }
    Ok(())
}

fn no_mapping(wrong: &str) -> ServiceError {
    bad(format!(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: {wrong}]"
    ))
}

/// A URL, or one whose beginning is a stage's variable.
fn check_url(told: &Value) -> Result<(), ServiceError> {
    check_verb(told)?;
    let uri = text(told, "uri").unwrap_or_default();
    Place::example(uri).ok_or_else(|| bad("Invalid HTTP endpoint specified for URI"))
}

fn check_verb(told: &Value) -> Result<(), ServiceError> {
    match text(told, "httpMethod").unwrap_or_default() {
        "" => Err(bad("Enumeration value for HttpMethod must be non-empty")),
        _ => Ok(()),
    }
}

/// [reference: REST API, texts of PutIntegration]
fn check_uri(told: &Value, kind: &str) -> Result<(), ServiceError> {
    check_verb(told)?;
    let uri = text(told, "uri").unwrap_or_default();
    let parts: Vec<&str> = uri.splitn(6, ':').collect();
    let ["arn", _, "apigateway", region, service, action] = parts.as_slice() else {
        return Err(bad("Invalid ARN specified in the request"));
    };
    if region.is_empty() || service.is_empty() {
        return Err(bad("Invalid ARN specified in the request"));
    }
    if !action.starts_with("path/") && !action.starts_with("action/") {
        return Err(bad("AWS ARN for integration must contain path or action"));
    }
    if target::function_of(uri).is_none() {
        return Err(bad(match kind {
            "AWS_PROXY" => "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.".to_owned(),
            _ => format!("Integrations with {service} are not supported: only with functions."),
        }));
    }
    Ok(())
}

fn check_templates(templates: Option<&Value>) -> Result<(), ServiceError> {
    for (kind, template) in templates.and_then(Value::as_object).into_iter().flatten() {
        Template::parse(template.as_str().unwrap_or_default())
            .map_err(|words| bad(format!("Template for {kind}: {words}")))?;
    }
    Ok(())
}

fn check_response(method: &Members, told: &Members) -> Result<(), ServiceError> {
    if !method.contains_key("methodIntegration") {
        return Err(missing("Invalid Integration identifier specified"));
    }
    check_templates(told.get("responseTemplates"))?;
    if let Some(pattern) = told.get("selectionPattern").and_then(Value::as_str) {
        regex_lite::Regex::new(pattern).map_err(|_| bad(format!("Invalid selection pattern {pattern}")))?;
    }
    let status = told.get("statusCode").and_then(Value::as_str).unwrap_or_default();
    let declared = method.get("methodResponses").and_then(|all| all.get(status)?.get("responseParameters"));
    for (name, value) in told.get("responseParameters").and_then(Value::as_object).into_iter().flatten() {
        let declares = declared.is_some_and(|own| own.get(name).is_some());
        let wrong = match (name.starts_with("method.response.header.") && declares, value.as_str()) {
            (false, _) => Some(name.as_str()),
            (true, value) => value.filter(|value| !mapping::is_response_source(value)),
        };
        if let Some(wrong) = wrong {
            return Err(no_mapping(wrong));
        }
    }
    Ok(())
}
