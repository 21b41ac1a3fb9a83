//! Methods and authorizers, as documents tell them.

use super::{Export, Language, is_empty};
use crate::members::Members;
use crate::openapi;
use serde_json::{Map, Value, json};

/// The schemes that methods need without an authorizer.
const SIGNED: &str = "sigv4";
const KEYED: &str = "api_key";

impl Export<'_> {
    pub(super) fn operation(&self, path: &str, told: &Members) -> Value {
        let mut out = Map::new();
        if let Some(name) = told.get("operationName") {
            out.insert("operationId".to_owned(), name.clone());
        }
        let asked = told.get("requestModels").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut parameters = self.parameters(path, told);
        match self.language {
            Language::Swagger2 => {
                if let Some((_, model)) = asked.iter().next() {
                    let schema = json!({ "$ref": self.place(model.as_str().unwrap_or_default()) });
                    let name = model.clone();
                    parameters
                        .push(json!({ "in": "body", "name": name, "required": true, "schema": schema }));
                    out.insert("consumes".to_owned(), asked.keys().map(|kind| json!(kind)).collect());
                }
                out.insert("produces".to_owned(), json!(self.produced(told)));
            }
            Language::OpenApi3 if !asked.is_empty() => {
                let body = json!({ "content": self.content(&asked), "required": true });
                out.insert("requestBody".to_owned(), body);
            }
            Language::OpenApi3 => {}
        }
        out.insert("parameters".to_owned(), parameters.into());
        out.insert("security".to_owned(), self.needed(told));
        if self.own
            && let Some(name) = self.validator(told)
        {
            out.insert("x-amazon-apigateway-request-validator".to_owned(), name);
        }
        let integration = told.get("methodIntegration").and_then(Value::as_object);
        if let Some(integration) = integration.filter(|_| self.integrations) {
            out.insert("x-amazon-apigateway-integration".to_owned(), behind(integration));
        }
        out.retain(|_, value| !is_empty(value));
        // A document has responses, if only that there are none.
        out.insert("responses".to_owned(), self.declared(told));
        out.into()
    }

    /// The content types of all responses.
    fn produced(&self, told: &Members) -> Vec<String> {
        let mut kinds = Vec::new();
        let responses = told.get("methodResponses").and_then(Value::as_object).into_iter().flatten();
        for (_, response) in responses {
            for (kind, _) in response["responseModels"].as_object().into_iter().flatten() {
                if !kinds.contains(kind) {
                    kinds.push(kind.clone());
                }
            }
        }
        kinds
    }

    fn parameters(&self, path: &str, told: &Members) -> Vec<Value> {
        let mut all: Vec<(String, String, bool)> = Vec::new();
        for (name, needed) in told.get("requestParameters").and_then(Value::as_object).into_iter().flatten() {
            let Some((place, name)) =
                name.strip_prefix("method.request.").and_then(|own| own.split_once('.'))
            else {
                continue;
            };
            let place = if place == "querystring" { "query" } else { place };
            all.push((place.to_owned(), name.to_owned(), place == "path" || *needed == true));
        }
        // What is in a path is there whether it was declared or not.
        for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let name = part.trim_end_matches('+');
            if !all.iter().any(|(place, own, _)| place == "path" && own == name) {
                all.push(("path".to_owned(), name.to_owned(), true));
            }
        }
        let each = all.into_iter().map(|(place, name, needed)| {
            let mut one = json!({ "name": name, "in": place, "required": needed });
            match self.language {
                Language::Swagger2 => one["type"] = "string".into(),
                Language::OpenApi3 => one["schema"] = json!({ "type": "string" }),
            }
            one
        });
        each.collect()
    }

    /// Models by content type as OpenAPI 3 has them.
    fn content(&self, models: &Map<String, Value>) -> Value {
        let each = models.iter().map(|(kind, model)| {
            let place = self.place(model.as_str().unwrap_or_default());
            (kind.clone(), json!({ "schema": { "$ref": place } }))
        });
        Value::Object(each.collect())
    }

    fn declared(&self, told: &Members) -> Value {
        let responses = told.get("methodResponses").and_then(Value::as_object).into_iter().flatten();
        let each = responses.map(|(code, response)| {
            let mut out = json!({ "description": format!("{code} response") });
            let headers = response["responseParameters"].as_object().into_iter().flatten();
            let headers = headers.filter_map(|(name, _)| name.strip_prefix("method.response.header."));
            let kind = match self.language {
                Language::Swagger2 => json!({ "type": "string" }),
                Language::OpenApi3 => json!({ "schema": { "type": "string" } }),
            };
            let headers: Map<String, Value> = headers.map(|name| (name.to_owned(), kind.clone())).collect();
            if !headers.is_empty() {
                out["headers"] = headers.into();
            }
            if let Some(models) = response["responseModels"].as_object().filter(|all| !all.is_empty()) {
                match self.language {
                    Language::OpenApi3 => out["content"] = self.content(models),
                    Language::Swagger2 => {
                        let first = models.values().next().and_then(Value::as_str).unwrap_or_default();
                        out["schema"] = json!({ "$ref": self.place(first) });
                    }
                }
            }
            (code.clone(), out)
        });
        Value::Object(each.collect())
    }

    /// Who may call a method: all the schemes that it needs together.
    fn needed(&self, told: &Members) -> Value {
        let mut all = Map::new();
        match told["authorizationType"].as_str() {
            Some("AWS_IAM") => drop(all.insert(SIGNED.to_owned(), json!([]))),
            Some("CUSTOM") => {
                let id = told.get("authorizerId").and_then(Value::as_str).unwrap_or_default();
                let found = self.snapshot.authorizers.get(id).and_then(|own| own["name"].as_str());
                all.extend(found.map(|name| (name.to_owned(), json!([]))));
            }
            _ => {}
        }
        if told.get("apiKeyRequired") == Some(&Value::Bool(true)) {
            all.insert(KEYED.to_owned(), json!([]));
        }
        if all.is_empty() { json!([]) } else { json!([all]) }
    }

    /// The schemes that are needed by some method, and the authorizers.
    pub(super) fn guards(&self) -> Map<String, Value> {
        let mut all = Map::new();
        let scheme = |header: &str| json!({ "type": "apiKey", "name": header, "in": "header" });
        for told in self.snapshot.resources.values().flat_map(|(_, resource)| resource.methods.values()) {
            if told["authorizationType"] == "AWS_IAM" {
                let mut signed = scheme("Authorization");
                signed["x-amazon-apigateway-authtype"] = "awsSigv4".into();
                all.insert(SIGNED.to_owned(), signed);
            }
            if told.get("apiKeyRequired") == Some(&Value::Bool(true)) {
                all.insert(KEYED.to_owned(), scheme("x-api-key"));
            }
        }
        for told in self.snapshot.authorizers.values() {
            let text = |member: &str| told.get(member).and_then(Value::as_str).unwrap_or_default();
            let header = text("identitySource")
                .strip_prefix("method.request.header.")
                .filter(|name| !name.contains(','));
            let mut guard = scheme(header.unwrap_or("Unused"));
            guard["x-amazon-apigateway-authtype"] = "custom".into();
            if self.authorizers {
                let mut own = super::without(told, &["id", "name", "authType"]);
                own["type"] = text("type").to_ascii_lowercase().into();
                guard["x-amazon-apigateway-authorizer"] = own;
            }
            all.insert(text("name").to_owned(), guard);
        }
        all
    }

    /// The name of a method's validator.
    fn validator(&self, told: &Members) -> Option<Value> {
        let id = told.get("requestValidatorId")?.as_str()?;
        Some(self.snapshot.validators.get(id)?["name"].clone())
    }
}

/// An integration, with what becomes of its answers.
fn behind(told: &Members) -> Value {
    let mut out = super::without(told, &["cacheNamespace", "cacheKeyParameters", "integrationResponses"]);
    for member in ["type", "passthroughBehavior"] {
        if let Some(word) = told.get(member).and_then(Value::as_str) {
            out[member] = word.to_ascii_lowercase().into();
        }
    }
    if told.get("httpMethod").is_some_and(|verb| verb == "ANY") {
        out["httpMethod"] = openapi::verb_name("ANY").into();
    }
    let responses = told.get("integrationResponses").and_then(Value::as_object).into_iter().flatten();
    let responses = responses.map(|(_, response)| {
        let pattern =
            response.get("selectionPattern").and_then(Value::as_str).filter(|text| !text.is_empty());
        let told = response.as_object().cloned().unwrap_or_default();
        (pattern.unwrap_or("default").to_owned(), super::without(&told, &["selectionPattern"]))
    });
    let responses: Map<String, Value> = responses.collect();
    if !responses.is_empty() {
        out["responses"] = responses.into();
    }
    out
}
