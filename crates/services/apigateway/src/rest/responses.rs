//! Gateway responses: what the API itself says when a request comes to nothing.

use super::Rest;
use super::book::RestApi;
use super::patch::{self, Rules};
use super::template::Template;
use crate::fault::{bad, missing};
use crate::members::{Members, take_over};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::required;
use wire::ServiceError;

/// Every type, and its status unless another is set.
const TYPES: &[(&str, Option<u16>)] = &[
    ("ACCESS_DENIED", Some(403)),
    ("API_CONFIGURATION_ERROR", Some(500)),
    ("AUTHORIZER_CONFIGURATION_ERROR", Some(500)),
    ("AUTHORIZER_FAILURE", Some(500)),
    ("BAD_REQUEST_BODY", Some(400)),
    ("BAD_REQUEST_PARAMETERS", Some(400)),
    ("DEFAULT_4XX", None),
    ("DEFAULT_5XX", None),
    ("EXPIRED_TOKEN", Some(403)),
    ("INTEGRATION_FAILURE", Some(504)),
    ("INTEGRATION_TIMEOUT", Some(504)),
    ("INVALID_API_KEY", Some(403)),
    ("INVALID_SIGNATURE", Some(403)),
    ("MISSING_AUTHENTICATION_TOKEN", Some(403)),
    ("QUOTA_EXCEEDED", Some(429)),
    ("REQUEST_TOO_LARGE", Some(413)),
    ("RESOURCE_NOT_FOUND", Some(404)),
    ("THROTTLED", Some(429)),
    ("UNAUTHORIZED", Some(401)),
    ("UNSUPPORTED_MEDIA_TYPE", Some(415)),
    ("WAF_FILTERED", Some(403)),
];

const PATCHED: Rules =
    Rules { texts: &["statusCode"], maps: &["responseParameters", "responseTemplates"], ..Rules::NONE };

fn default(kind: &str) -> Members {
    let status = TYPES.iter().find(|(own, _)| *own == kind).and_then(|(_, status)| *status);
    let mut told = Members::new();
    told.insert("responseType".to_owned(), kind.into());
    if let Some(status) = status {
        told.insert("statusCode".to_owned(), status.to_string().into());
    }
    told.insert("responseParameters".to_owned(), json!({}));
    let template = json!({"application/json": "{\"message\":$context.error.messageString}"});
    told.insert("responseTemplates".to_owned(), template);
    told.insert("defaultResponse".to_owned(), true.into());
    told
}

impl Rest {
    pub(super) async fn put_gateway_response(&self, call: &Call, input: &Value) -> Answer {
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| put(api, input));
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_gateway_response(&self, call: &Call, input: &Value) -> Answer {
        let api = self.book.find(&call.caller, required(input, "restApiId"))?;
        let kind = required(input, "responseType");
        Ok(Value::Object(api.responses.get(kind).cloned().unwrap_or_else(|| default(kind))))
    }

    pub(super) fn get_gateway_responses(&self, call: &Call, input: &Value) -> Answer {
        let api = self.book.find(&call.caller, required(input, "restApiId"))?;
        let of = |kind: &str| api.responses.get(kind).cloned().unwrap_or_else(|| default(kind));
        let all: Vec<_> = TYPES.iter().map(|(kind, _)| Value::Object(of(kind))).collect();
        Ok(json!({"items": all}))
    }

    pub(super) async fn update_gateway_response(&self, call: &Call, input: &Value) -> Answer {
        let kind = required(input, "responseType");
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            let mut told = api.responses.get(kind).cloned().unwrap_or_else(|| default(kind));
            patch::apply(&mut told, &patch::all(input), &PATCHED)?;
            told.insert("defaultResponse".to_owned(), false.into());
            check(&told)?;
            api.responses.insert(kind.to_owned(), told.clone());
            Ok(told)
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_gateway_response(&self, call: &Call, input: &Value) -> Answer {
        let gone = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            let gone = api.responses.remove(required(input, "responseType"));
            gone.ok_or_else(|| missing("Gateway response type not defined on api"))
        });
        gone.await?;
        Ok(json!({}))
    }
}

/// Says one type otherwise.
pub(super) fn put(api: &mut RestApi, input: &Value) -> Result<Members, ServiceError> {
    let kind = required(input, "responseType");
    let mut told = default(kind);
    told.insert("responseParameters".to_owned(), json!({}));
    told.insert("responseTemplates".to_owned(), json!({}));
    told.insert("defaultResponse".to_owned(), false.into());
    take_over(&mut told, input, &["statusCode", "responseParameters", "responseTemplates"]);
    check(&told)?;
    api.responses.insert(kind.to_owned(), told.clone());
    Ok(told)
}

fn check(told: &Members) -> Result<(), ServiceError> {
    let map = |member: &str| told.get(member).and_then(Value::as_object).into_iter().flatten();
    for (kind, template) in map("responseTemplates") {
        Template::parse(template.as_str().unwrap_or_default())
            .map_err(|words| bad(format!("Template for {kind}: {words}")))?;
    }
    for (name, value) in map("responseParameters") {
        let value = value.as_str().unwrap_or_default();
        let fixed = value.len() >= 2 && value.starts_with('\'') && value.ends_with('\'');
        let fits = ["method.request.header.", "context.", "stageVariables."]
            .iter()
            .any(|start| value.starts_with(start));
        if !name.starts_with("gatewayresponse.header.") || !(fixed || fits) {
            return Err(bad(format!("Invalid mapping expression specified: {name} = {value}")));
        }
    }
    Ok(())
}
