//! A stage of an API as a document that describes it: OpenAPI 3 or Swagger 2, with API Gateway's own members as they are wanted.

mod operation;

use super::Rest;
use super::book::Snapshot;
use crate::fault::{bad, missing};
use crate::members::Members;
use crate::openapi;
use serde_json::{Map, Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use servicekit::yaml;
use wire::{ServiceError, percent};
use world::Timestamp;

/// The languages of documents.
#[derive(Clone, Copy, PartialEq)]
enum Language {
    Swagger2,
    OpenApi3,
}

struct Export<'a> {
    snapshot: &'a Snapshot,
    language: Language,
    integrations: bool,
    authorizers: bool,
    /// All else that only API Gateway knows.
    own: bool,
}

impl Rest {
    pub(super) fn get_export(&self, call: &Call, input: &Value) -> Answer {
        let (id, name) = (required(input, "restApiId"), required(input, "stageName"));
        let language = match required(input, "exportType") {
            "swagger" => Language::Swagger2,
            "oas30" => Language::OpenApi3,
            other => return Err(bad(format!("Unsupported export type '{other}': use swagger or oas30"))),
        };
        let api = self.book.find(&call.caller, id)?;
        let stage = api.stages.get(name).ok_or_else(|| missing("Invalid stage identifier specified"))?;
        let deployment = stage.get("deploymentId").and_then(Value::as_str).unwrap_or_default();
        let snapshot = self.book.snapshots.get(&format!("{id}/{deployment}"))?.unwrap_or_default();
        let wanted = extensions(call, input)?;
        let wants = |one: &str| wanted.iter().any(|name| name == one || name == "apigateway");
        let export = Export {
            snapshot: &snapshot,
            language,
            integrations: wants("integrations"),
            authorizers: wants("authorizers"),
            own: wants("apigateway"),
        };
        let document = export.document(&api.told, id, name, &call.caller.region);
        let (kind, ending, written) = match text(input, "accepts").unwrap_or("application/json") {
            kind @ ("application/yaml" | "application/x-yaml") => (kind, "yaml", yaml::write(&document)),
            "application/json" | "*/*" => ("application/json", "json", format!("{document:#}")),
            other => {
                return Err(bad(format!(
                    "Unsupported accept type '{other}': use application/json or application/yaml"
                )));
            }
        };
        Ok(json!({
            "contentType": kind,
            "contentDisposition": format!("attachment; filename=\"{id}-{name}.{ending}\""),
            "body": wire::base64::encode(written.as_bytes()),
        }))
    }
}

/// Which of API Gateway's members are wanted.
fn extensions(call: &Call, input: &Value) -> Result<Vec<String>, ServiceError> {
    let named = match &call.inside {
        Some(_) => input.pointer("/parameters/extensions").and_then(Value::as_str).map(str::to_owned),
        None => {
            let found = percent::pairs(&call.request.query).find(|(name, _)| *name == "extensions");
            found.map(|(_, value)| String::from_utf8_lossy(&percent::decode_form(value)).into_owned())
        }
    };
    let named = named.unwrap_or_default();
    let all = named.split(',').map(str::trim).filter(|name| !name.is_empty());
    let all: Vec<String> = all.map(str::to_owned).collect();
    match all.iter().find(|name| !["apigateway", "authorizers", "integrations"].contains(&name.as_str())) {
        Some(other) => {
            Err(bad(format!("Unsupported extension '{other}': use integrations, authorizers or apigateway")))
        }
        None => Ok(all),
    }
}

impl Export<'_> {
    fn document(&self, told: &Members, id: &str, stage: &str, region: &str) -> Value {
        let host = format!("{id}.execute-api.{region}.amazonaws.com");
        let mut document = Map::new();
        let mut add = |name: &str, value: Value| {
            document.insert(name.to_owned(), value);
        };
        match self.language {
            Language::Swagger2 => add("swagger", "2.0".into()),
            Language::OpenApi3 => add("openapi", "3.0.1".into()),
        }
        let mut info = Map::from_iter([("title".to_owned(), told["name"].clone())]);
        if let Some(words) = told.get("description") {
            info.insert("description".to_owned(), words.clone());
        }
        let made = || {
            told["createdDate"]
                .as_f64()
                .map(|seconds| format!("{}Z", Timestamp::from_seconds(seconds as u64).iso_seconds()))
                .unwrap_or_default()
        };
        let version = told.get("version").cloned().unwrap_or_else(|| made().into());
        info.insert("version".to_owned(), version);
        add("info", info.into());
        match self.language {
            Language::Swagger2 => {
                add("host", host.into());
                add("basePath", format!("/{stage}").into());
                add("schemes", json!(["https"]));
            }
            Language::OpenApi3 => {
                let variables = json!({ "basePath": { "default": stage } });
                add(
                    "servers",
                    json!([{ "url": format!("https://{host}/{{basePath}}"), "variables": variables }]),
                );
            }
        }
        add("paths", self.paths());
        let (schemas, guards) = (self.schemas(), self.guards());
        match self.language {
            Language::Swagger2 => {
                add("securityDefinitions", guards.into());
                add("definitions", schemas.into());
            }
            Language::OpenApi3 => add("components", json!({ "schemas": schemas, "securitySchemes": guards })),
        }
        if self.own {
            add("x-amazon-apigateway-gateway-responses", self.responses());
            add("x-amazon-apigateway-binary-media-types", json!(self.snapshot.binary));
            add("x-amazon-apigateway-request-validators", self.validators());
        }
        document.retain(|name, value| name == "paths" || !is_empty(value));
        document.into()
    }

    fn paths(&self) -> Value {
        let mut paths: Vec<_> = self.snapshot.resources.values().collect();
        paths.sort_by(|left, right| left.0.cmp(&right.0));
        let mut all = Map::new();
        for (path, resource) in paths.into_iter().filter(|(_, one)| !one.methods.is_empty()) {
            let each = resource.methods.iter();
            let each =
                each.map(|(verb, told)| (openapi::verb_name(verb).to_owned(), self.operation(path, told)));
            all.insert(path.clone(), Value::Object(each.collect()));
        }
        all.into()
    }

    fn schemas(&self) -> Map<String, Value> {
        let each = self.snapshot.models.iter();
        let each = each.map(|(name, told)| {
            let schema = told.get("schema").and_then(Value::as_str).unwrap_or("{}");
            let schema = serde_json::from_str(schema).unwrap_or_else(|_| json!({}));
            (name.clone(), self.referring(schema))
        });
        each.collect()
    }

    /// A schema whose references name other parts of the document.
    fn referring(&self, schema: Value) -> Value {
        match schema {
            Value::Object(members) => {
                let each = members.into_iter().filter(|(name, _)| name != "$schema");
                let each = each.map(|(name, value)| match (name.as_str(), value.as_str()) {
                    ("$ref", Some(place)) => {
                        let model = place.rsplit('/').next().unwrap_or_default().to_owned();
                        (name, self.place(&model))
                    }
                    _ => (name, self.referring(value)),
                });
                Value::Object(each.collect())
            }
            Value::Array(items) => items.into_iter().map(|item| self.referring(item)).collect(),
            other => other,
        }
    }

    /// Where a model stands in the document.
    fn place(&self, model: &str) -> Value {
        match self.language {
            Language::Swagger2 => format!("#/definitions/{model}").into(),
            Language::OpenApi3 => format!("#/components/schemas/{model}").into(),
        }
    }

    fn responses(&self) -> Value {
        let each = self.snapshot.responses.iter();
        let each =
            each.map(|(kind, told)| (kind.clone(), without(told, &["responseType", "defaultResponse"])));
        Value::Object(each.collect())
    }

    fn validators(&self) -> Value {
        let each = self.snapshot.validators.values();
        let each = each.map(|told| {
            (told["name"].as_str().unwrap_or_default().to_owned(), without(told, &["id", "name"]))
        });
        Value::Object(each.collect())
    }
}

fn without(told: &Members, names: &[&str]) -> Value {
    let kept = told.iter().filter(|(name, _)| !names.contains(&name.as_str()));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Whether a part of a document says nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
