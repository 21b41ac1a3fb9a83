//! A method tried as it is, before it is deployed.

use super::Rest;
use super::live::LiveStage;
use super::method::place;
use super::serve::{Run, context};
use crate::fault::{bad, missing, refuse};
use crate::members::Members;
use crate::route_key::{RouteKey, select};
use crate::visit::{self, Visit};
use lambda::ServiceCalls;
use serde_json::{Map, Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::text;
use wire::{Request, Response, ServiceError};

const STAGE: &str = "test-invoke-stage";

impl Rest {
    pub(super) async fn test_invoke(&self, targets: &ServiceCalls, call: &Call, input: &Value) -> Answer {
        refuse(input, &["clientCertificateId"])?;
        let (id, resource, verb) = place(input);
        let mut api = self.book.find(&call.caller, id)?;
        let whole = api.method(resource, verb)?;
        if !whole.contains_key("methodIntegration") {
            return Err(missing("Invalid Integration identifier specified"));
        }
        let own_path = api.path(resource);
        let target = text(input, "pathWithQueryString").filter(|path| !path.is_empty()).unwrap_or(&own_path);
        let request = request(input, verb, target)?;
        let key = RouteKey::parse(&format!("ANY {own_path}"));
        let variables = select(key.iter(), verb, &request.path).map(|(_, variables)| variables);
        let mut told = Members::new();
        if let Some(variables) = input.get("stageVariables") {
            told.insert("variables".to_owned(), variables.clone());
        }
        let stage = LiveStage::of(api.snapshot(), "", &told);
        let method =
            stage.method(resource, verb).ok_or_else(|| missing("Invalid Method identifier specified"))?;
        let (request_id, short) = (targets.world.uuid(), visit::short_id(&targets.world));
        let trace = visit::trace(&request, &targets.world);
        let visit = Visit {
            request: &request,
            path: &request.path,
            account: &api.account,
            region: &api.region,
            api: id,
            stage: STAGE,
            route: &method.path,
            variables: variables.as_deref().unwrap_or_default(),
            stage_variables: stage.variables.as_ref(),
            signed: false,
            request_id: &request_id,
            trace_id: &trace,
            now: targets.world.now(),
        };
        let context = context(&visit, &stage, Some(method), &short);
        let before = targets.world.elapsed();
        let outside = &self.outside;
        let run = Run { outside, stage: &stage, method, visit, behind: &request.path, context };
        let response = run.answer_inside(targets).await.with_header("x-amzn-trace-id", &trace);
        let latency = targets.world.elapsed().saturating_sub(before).as_millis() as u64;
        Ok(shown(&response, latency, &request_id, target))
    }
}

fn request(input: &Value, verb: &str, target: &str) -> Result<Request, ServiceError> {
    let method = if verb == "ANY" { "GET" } else { verb };
    let mut request = Request {
        method: method.parse().map_err(|_| bad("Invalid HttpMethod specified."))?,
        body: text(input, "body").unwrap_or_default().to_owned().into(),
        ..Request::default()
    }
    .with_target(target);
    for (name, value) in input.get("headers").and_then(Value::as_object).into_iter().flatten() {
        request = request.with_header(&name.to_ascii_lowercase(), value.as_str().unwrap_or_default());
    }
    for (name, values) in input.get("multiValueHeaders").and_then(Value::as_object).into_iter().flatten() {
        let Ok(name) = name.to_ascii_lowercase().parse::<http::HeaderName>() else { continue };
        for value in values.as_array().into_iter().flatten().filter_map(Value::as_str) {
            if let Ok(value) = value.parse() {
                request.headers.append(&name, value);
            }
        }
    }
    Ok(request)
}

fn shown(response: &Response, latency: u64, request_id: &str, target: &str) -> Value {
    let (mut headers, mut every) = (Map::new(), Map::new());
    for name in response.headers.keys() {
        let values = response.headers.get_all(name).iter();
        let values: Vec<_> =
            values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
        headers.insert(name.to_string(), json!(values.last()));
        every.insert(name.to_string(), json!(values));
    }
    let status = response.status.as_u16();
    json!({
        "status": status,
        "body": String::from_utf8_lossy(&response.body),
        "headers": headers,
        "multiValueHeaders": every,
        "log": format!("Execution log for request {request_id}\nResource Path: {target}\nMethod completed with status: {status}\n"),
        "latency": latency,
    })
}
