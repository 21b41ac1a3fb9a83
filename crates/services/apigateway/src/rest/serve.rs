//! A request to a REST API: stage, method, integration, answer.

use super::Rest;
use super::admit::Door;
use super::fault::{Fault, constant};
use super::live::{Live, LiveMethod, LiveStage};
use super::method::template;
use super::plans::Plans;
use super::template::{Facts, Filled, Template, at_path};
use crate::reply;
use crate::target::{function_of, with_variables};
use crate::visit::{self, Visit};
use lambda::{Ask, ServiceCalls, Told};
use serde_json::{Value, json};
use std::time::Duration;
use wire::{Request, Response};

/// A request that has found its method.
pub(super) struct Run<'a> {
    pub stage: &'a LiveStage,
    pub method: &'a LiveMethod,
    pub visit: Visit<'a>,
    /// The path behind the stage's name.
    pub behind: &'a str,
    pub context: Value,
}

impl Rest {
    /// The ARN of the method that a request is to, if that asks for a signature.
    pub fn signed(&self, id: &str, path: &str, request: &Request) -> Option<String> {
        let live = self.live.get(id, || Live::read(&self.book, id)).ok()??;
        let rest = path.strip_prefix('/').unwrap_or(path);
        let (name, behind) = rest.split_once('/').unwrap_or((rest, ""));
        let verb = request.method.as_str();
        let (method, _) = live.stages.get(name)?.find(verb, &format!("/{behind}"))?;
        let Live { account, region, .. } = &*live;
        let arn = format!("arn:aws:execute-api:{region}:{account}:{id}/{name}/{verb}/{behind}");
        matches!(method.door, Door::Signed).then_some(arn)
    }

    /// None when there is no such API.
    pub async fn serve(
        &self,
        targets: &ServiceCalls,
        id: &str,
        path: &str,
        request: &Request,
    ) -> Option<Response> {
        let live = match self.live.get(id, || Live::read(&self.book, id)) {
            Ok(live) => live?,
            Err(_) => return Some(forbidden(500, "Internal server error")),
        };
        let (request_id, short) = (targets.world.uuid(), visit::short_id(&targets.world));
        let trace = visit::trace(request, &targets.world);
        let rest = path.strip_prefix('/').unwrap_or(path);
        let name = rest.split('/').next().unwrap_or_default();
        let response = match live.stages.get(name).filter(|_| !live.disabled) {
            None => forbidden(403, "Forbidden"),
            Some(stage) => {
                let behind = if rest.len() == name.len() { "/" } else { &rest[name.len()..] };
                let found = stage.find(request.method.as_str(), behind);
                let (method, variables) =
                    found.map_or((None, Vec::new()), |(method, variables)| (Some(method), variables));
                let visit = Visit {
                    request,
                    path,
                    account: &live.account,
                    region: &live.region,
                    api: id,
                    stage: name,
                    route: method.map_or("", |method| &method.path),
                    variables: &variables,
                    stage_variables: stage.variables.as_ref(),
                    signed: method.is_some_and(|method| matches!(method.door, Door::Signed)),
                    request_id: &request_id,
                    trace_id: &trace,
                    now: targets.world.now(),
                };
                let context = context(&visit, stage, method, &short);
                match method {
                    None => Fault::Token.response(stage, &visit, &context),
                    Some(method) => {
                        Run { stage, method, visit, behind, context }.answer(targets, &self.plans).await
                    }
                }
            }
        };
        let traced = response.with_header("x-amzn-requestid", &request_id);
        Some(traced.with_header("x-amz-apigw-id", &short).with_header("x-amzn-trace-id", &trace))
    }
}

fn forbidden(status: u16, message: &str) -> Response {
    reply::message(status, message).with_header("x-amzn-errortype", "ForbiddenException")
}

/// What functions and templates are told of the request itself.
pub(super) fn context(
    visit: &Visit<'_>,
    stage: &LiveStage,
    method: Option<&LiveMethod>,
    extended: &str,
) -> Value {
    json!({
        "accountId": visit.account,
        "apiId": visit.api,
        "deploymentId": stage.deployment,
        "domainName": visit.domain(),
        "domainPrefix": visit.api,
        "extendedRequestId": extended,
        "httpMethod": visit.request.method.as_str(),
        "identity": visit.identity(),
        "path": visit.path,
        "protocol": "HTTP/1.1",
        "requestId": visit.request_id,
        "requestTime": visit::log_time(visit.now),
        "requestTimeEpoch": visit.now.millis(),
        "resourceId": method.map(|method| &method.resource),
        "resourcePath": method.map(|method| &method.path),
        "stage": visit.stage,
    })
}

impl Run<'_> {
    /// Lets the request in, and answers it.
    pub async fn answer(mut self, targets: &ServiceCalls, plans: &Plans) -> Response {
        match self.admit(targets).await {
            Ok(None) => {}
            Ok(Some(caller)) => self.context["authorizer"] = caller,
            Err(fault) => return fault.response(self.stage, &self.visit, &self.context),
        }
        if let Err(fault) = self.admit_key(plans) {
            return fault.response(self.stage, &self.visit, &self.context);
        }
        self.answer_inside(targets).await
    }

    /// Answers a request that has been let in.
    pub async fn answer_inside(&self, targets: &ServiceCalls) -> Response {
        let answer = self.try_answer(targets).await;
        answer.unwrap_or_else(|fault| fault.response(self.stage, &self.visit, &self.context))
    }

    async fn try_answer(&self, targets: &ServiceCalls) -> Result<Response, Fault> {
        let request = self.visit.request;
        if request.body.len() > visit::BODY_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        let place = format!("{} {}", self.method.method, self.method.path);
        if !self.stage.throttle.lets(&place, self.method.limit, targets.world.elapsed()) {
            return Err(Fault::Throttled);
        }
        match self.member("type") {
            Some("AWS_PROXY") => self.proxy(targets).await,
            Some("AWS") => self.function(targets).await,
            Some("MOCK") => self.mock(),
            _ => Err(Fault::Configuration),
        }
    }

    fn member(&self, name: &str) -> Option<&str> {
        self.method.integration.get(name)?.as_str()
    }

    /// The function is given the whole request, and its answer is the whole response.
    async fn proxy(&self, targets: &ServiceCalls) -> Result<Response, Fault> {
        let mut event = json!({
            "resource": self.method.path,
            "path": self.behind,
            "httpMethod": self.visit.request.method.as_str(),
        });
        let is_text = |visit: &Visit<'_>| {
            !self.stage.is_binary(visit.request.header("content-type").unwrap_or_default())
        };
        if let (Value::Object(event), Value::Object(rest)) =
            (&mut event, self.visit.event_1(true, is_text, self.context.clone()))
        {
            event.extend(rest);
        }
        match self.call(targets, event).await {
            Told::Answer(payload) => {
                let wants = self.visit.request.header("accept").unwrap_or("*/*");
                reply::rest(&payload, self.stage.is_binary(wants)).ok_or(Fault::BadAnswer)
            }
            Told::Failed(_) => Err(Fault::BadAnswer),
            other => Err(fault_of(&other)),
        }
    }

    /// The function is given what the request's template makes, and its answer goes through the response's.
    async fn function(&self, targets: &ServiceCalls) -> Result<Response, Fault> {
        let sent = self.request_body()?;
        let event = match sent.text.trim().is_empty() {
            true => json!({}),
            false => serde_json::from_str(&sent.text).map_err(|_| Fault::Configuration)?,
        };
        match self.call(targets, event).await {
            Told::Answer(payload) => self.respond(&payload, None, &sent.context),
            Told::Failed(payload) => {
                let message = at_path(&payload, "$.errorMessage");
                let message = message.as_ref().and_then(Value::as_str).unwrap_or_default();
                self.respond(&payload, Some(message), &sent.context)
            }
            other => Err(fault_of(&other)),
        }
    }

    /// Nothing is called: the template says which response it is to be.
    fn mock(&self) -> Result<Response, Fault> {
        let sent = self.request_body()?;
        let status = status_in(&sent.text).ok_or(Fault::Configuration)?;
        self.respond(b"", Some(&status), &sent.context)
    }

    async fn call(&self, targets: &ServiceCalls, payload: Value) -> Told {
        // [reference: REST API, control plane] Functions are called by POST, whatever method is served.
        if self.member("httpMethod") != Some("POST") {
            return Told::Refused;
        }
        let Visit { account, region, api, stage, .. } = self.visit;
        let verb = self.visit.request.method.as_str();
        let arn = format!("arn:aws:execute-api:{region}:{account}:{api}/{stage}");
        let millis = self.method.integration.get("timeoutInMillis").and_then(Value::as_u64);
        let uri = with_variables(self.member("uri").unwrap_or_default(), self.stage.variables.as_ref());
        let ask = Ask {
            account,
            function: function_of(&uri).unwrap_or_default(),
            sources: &[
                format!("{arn}/{verb}{}", self.method.path),
                format!("{arn}/{verb}{}", self.behind),
                format!("{arn}/{}{}", self.method.method, self.method.path),
            ],
            by_role: self.member("credentials").is_some_and(|role| !role.is_empty()),
            payload,
            timeout: Duration::from_millis(millis.unwrap_or(29_000)),
        };
        targets.call(ask).await
    }

    /// A template filled in from a body and what is known of the request.
    fn filled(&self, text: &str, body: &[u8], context: &Value) -> Result<Filled, Fault> {
        let template = Template::parse(text).map_err(|_| Fault::Configuration)?;
        let params = self.visit.parameters();
        let stage_variables = self.stage.variables.as_ref();
        Ok(template.fill(&Facts { body, params: &params, context, stage_variables }))
    }

    /// The request's body through the template of its content type, or as it is.
    fn request_body(&self) -> Result<Filled, Fault> {
        let request = self.visit.request;
        let templates = self.method.integration.get("requestTemplates");
        let kind = request.header("content-type").unwrap_or_default();
        if let Some(text) = template(templates, kind) {
            return self.filled(text, &request.body, &self.context);
        }
        let none = templates.and_then(Value::as_object).is_none_or(serde_json::Map::is_empty);
        match self.member("passthroughBehavior") {
            Some("NEVER") => Err(Fault::MediaType),
            Some("WHEN_NO_TEMPLATES") if !none => Err(Fault::MediaType),
            _ => {
                let text = String::from_utf8_lossy(&request.body).into_owned();
                Ok(Filled { text, context: self.context.clone() })
            }
        }
    }

    /// The response whose pattern fits what went wrong or what a mock says, else the one without a pattern.
    /// `context`: with what the request's template set in it, which decides about the response in the end.
    fn respond(&self, body: &[u8], told: Option<&str>, context: &Value) -> Result<Response, Fault> {
        let all = self.method.integration.get("integrationResponses").and_then(Value::as_object);
        let all: Vec<&Value> = all.into_iter().flatten().map(|(_, response)| response).collect();
        let pattern = |one: &Value| one.get("selectionPattern").and_then(Value::as_str).map(str::to_owned);
        let fits = |one: &&&Value| {
            let pattern = pattern(one).filter(|pattern| !pattern.is_empty());
            let regex = pattern.and_then(|own| regex_lite::Regex::new(&format!("^(?:{own})$")).ok());
            regex.zip(told).is_some_and(|(regex, told)| regex.is_match(told))
        };
        let plain = |one: &&&Value| pattern(one).is_none_or(|pattern| pattern.is_empty());
        let chosen = all.iter().find(fits).or_else(|| all.iter().find(plain)).ok_or(Fault::Configuration)?;
        let status = chosen["statusCode"].as_str().and_then(|status| status.parse().ok()).unwrap_or(200);
        let templates = chosen.get("responseTemplates").and_then(Value::as_object);
        let text = templates.and_then(|all| all.get("application/json").or_else(|| all.values().next()));
        let kind = templates.and_then(|all| all.keys().next()).map_or("application/json", String::as_str);
        let (filled, context) = match text.and_then(Value::as_str) {
            Some(text) => {
                let filled = self.filled(text, body, context)?;
                (filled.text.into_bytes(), filled.context)
            }
            None => (body.to_vec(), context.clone()),
        };
        let kind = if text.is_some() { kind } else { "application/json" };
        let mut response = Response::new(status, filled).with_header("content-type", kind);
        for (name, value) in chosen.get("responseParameters").and_then(Value::as_object).into_iter().flatten()
        {
            let Some(name) = name.strip_prefix("method.response.header.") else { continue };
            if let Some(value) = self.mapped(value.as_str().unwrap_or_default(), body) {
                response.set_header(&name.to_ascii_lowercase(), &value);
            }
        }
        override_with(&context["responseOverride"], &mut response);
        Ok(response)
    }

    fn mapped(&self, value: &str, body: &[u8]) -> Option<String> {
        let Some(path) = value.strip_prefix("integration.response.body") else {
            return constant(value, &self.context, self.stage.variables.as_ref());
        };
        let found = at_path(body, path)?;
        Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
    }
}

fn fault_of(told: &Told) -> Fault {
    match told {
        Told::Throttled => Fault::Throttled,
        Told::TimedOut => Fault::Timeout,
        Told::TooLarge => Fault::TooLarge,
        Told::Refused | Told::Failed(_) | Told::Answer(_) => Fault::Configuration,
    }
}

/// What templates said about the response itself.
fn override_with(told: &Value, response: &mut Response) {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let status = told.get("status").and_then(|status| word(status).parse::<u16>().ok());
    if let Some(status) = status.and_then(|status| http::StatusCode::from_u16(status).ok()) {
        response.status = status;
    }
    for (name, value) in told.get("header").and_then(Value::as_object).into_iter().flatten() {
        response.set_header(&name.to_ascii_lowercase(), &word(value));
    }
}

/// The status in `{"statusCode": 200}`, which is also written without quotes.
fn status_in(text: &str) -> Option<String> {
    let rest = text.split_once("statusCode")?.1.trim_start_matches(['"', '\'']).trim_start();
    let rest = rest.strip_prefix(':')?.trim_start().trim_start_matches(['"', '\'']);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (digits.len() == 3).then_some(digits)
}
