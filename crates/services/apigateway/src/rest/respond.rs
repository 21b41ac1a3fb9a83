//! What templates and mappings make of a request for what is behind, and of its answer.

use super::fault::{Fault, constant};
use super::method::template;
use super::serve::Run;
use super::template::{Facts, Filled, Template, at_path};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use wire::Response;

/// What is sent to what is behind.
pub(super) struct Sent {
    pub body: Bytes,
    /// With what the template set in it.
    pub context: Value,
}

/// What came back from there.
#[derive(Default)]
pub(super) struct Told<'a> {
    pub body: Bytes,
    /// What patterns of responses are held against: what went wrong, or a status.
    pub selects: Option<&'a str>,
    pub headers: Option<&'a HeaderMap>,
}

impl Run<'_> {
    /// Nothing is called: the template says which response it is to be.
    pub(super) fn mock(&self) -> Result<Response, Fault> {
        let sent = self.request_body()?;
        let status = status_in(&String::from_utf8_lossy(&sent.body)).ok_or(Fault::Configuration)?;
        self.respond(&Told { selects: Some(&status), ..Told::default() }, &sent.context)
    }

    /// A template filled in from a body and what is known of the request.
    fn filled(&self, text: &str, body: &[u8], context: &Value) -> Result<Filled, Fault> {
        let template = Template::parse(text).map_err(|_| Fault::Configuration)?;
        let params = self.visit.parameters();
        let stage_variables = self.stage.variables.as_ref();
        Ok(template.fill(&Facts { body, params: &params, context, stage_variables }))
    }

    /// The request's body through the template of its content type, or as it is.
    pub(super) fn request_body(&self) -> Result<Sent, Fault> {
        let request = self.visit.request;
        let templates = self.method.integration.get("requestTemplates");
        let kind = request.header("content-type").unwrap_or_default();
        if let Some(text) = template(templates, kind) {
            let filled = self.filled(text, &request.body, &self.context)?;
            return Ok(Sent { body: filled.text.into(), context: filled.context });
        }
        let none = templates.and_then(Value::as_object).is_none_or(serde_json::Map::is_empty);
        match self.member("passthroughBehavior") {
            Some("NEVER") => Err(Fault::MediaType),
            Some("WHEN_NO_TEMPLATES") if !none => Err(Fault::MediaType),
            _ => Ok(Sent { body: request.body.clone(), context: self.context.clone() }),
        }
    }

    /// The response whose pattern fits what selects it, else the one without a pattern.
    /// `context`: with what the request's template set in it, which decides about the response in the end.
    pub(super) fn respond(&self, told: &Told<'_>, context: &Value) -> Result<Response, Fault> {
        let all = self.method.integration.get("integrationResponses").and_then(Value::as_object);
        let all: Vec<&Value> = all.into_iter().flatten().map(|(_, response)| response).collect();
        let pattern = |one: &Value| one.get("selectionPattern").and_then(Value::as_str).map(str::to_owned);
        let fits = |one: &&&Value| {
            let pattern = pattern(one).filter(|pattern| !pattern.is_empty());
            let regex = pattern.and_then(|own| regex_lite::Regex::new(&format!("^(?:{own})$")).ok());
            regex.zip(told.selects).is_some_and(|(regex, told)| regex.is_match(told))
        };
        let plain = |one: &&&Value| pattern(one).is_none_or(|pattern| pattern.is_empty());
        let chosen = all.iter().find(fits).or_else(|| all.iter().find(plain)).ok_or(Fault::Configuration)?;
        let status = chosen["statusCode"].as_str().and_then(|status| status.parse().ok()).unwrap_or(200);
        let templates = chosen.get("responseTemplates").and_then(Value::as_object);
        let text = templates.and_then(|all| all.get("application/json").or_else(|| all.values().next()));
        let kind = templates.and_then(|all| all.keys().next()).map_or("application/json", String::as_str);
        let (body, context) = match text.and_then(Value::as_str) {
            Some(text) => {
                let filled = self.filled(text, &told.body, context)?;
                (Bytes::from(filled.text), filled.context)
            }
            None => (told.body.clone(), context.clone()),
        };
        let kind = if text.is_some() { kind } else { "application/json" };
        let mut response = Response::new(status, body).with_header("content-type", kind);
        for (name, value) in chosen.get("responseParameters").and_then(Value::as_object).into_iter().flatten()
        {
            let Some(name) = name.strip_prefix("method.response.header.") else { continue };
            if let Some(value) = self.mapped(value.as_str().unwrap_or_default(), told) {
                response.set_header(&name.to_ascii_lowercase(), &value);
            }
        }
        override_with(&context["responseOverride"], &mut response);
        Ok(response)
    }

    fn mapped(&self, value: &str, told: &Told<'_>) -> Option<String> {
        let Some(source) = value.strip_prefix("integration.response.") else {
            return constant(value, &self.context, self.stage.variables.as_ref());
        };
        if let Some(path) = source.strip_prefix("body") {
            let found = at_path(&told.body, path)?;
            return Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned));
        }
        let (place, name) = source.split_once('.')?;
        let values: Vec<_> =
            told.headers?.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        match place {
            "multivalueheader" => Some(values.join(",")).filter(|_| !values.is_empty()),
            _ => values.last().map(|value| (*value).to_owned()),
        }
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
