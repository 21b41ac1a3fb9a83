//! APIs made, or changed, from documents that describe them.

mod operations;

use super::book::{Resource, RestApi};
use super::{Rest, model, responses, validator};
use crate::fault::bad;
use crate::guards::Guarded;
use crate::members::Members;
use crate::openapi::Document;
use crate::rest::book::Book;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use servicekit::ids;
use std::collections::BTreeMap;
use wire::{ServiceError, percent};
use world::World;

/// What a document may ask for and we do not have.
const REFUSED: &[&str] = &[
    "x-amazon-apigateway-policy",
    "x-amazon-apigateway-minimum-compression-size",
    "x-amazon-apigateway-endpoint-configuration",
];

impl Rest {
    pub(super) async fn import_rest_api(&self, call: &Call, input: &Value) -> Answer {
        let document = document(call, input)?;
        let title = document.text("/info/title").unwrap_or_default();
        let mut wanted = json!({"name": title});
        if let Some(kind) = parameter(call, input, "endpointConfigurationTypes") {
            wanted["endpointConfiguration"] = json!({"types": [kind]});
        }
        let (id, mut api) = self.made(call, &wanted)?;
        api.models.clear();
        let import = Import::new(&self.book.world, &document, &id, call, input);
        import.fill(&mut api)?;
        self.book.apis.put(&id, api.clone()).await?;
        Ok(Value::Object(api.told))
    }

    pub(super) async fn put_rest_api(&self, call: &Call, input: &Value) -> Answer {
        let document = document(call, input)?;
        let id = required(input, "restApiId");
        let import = Import::new(&self.book.world, &document, id, call, input);
        let told = self.book.change(&call.caller, id, |api| {
            if text(input, "mode") == Some("overwrite") {
                let root = Resource::default();
                api.resources = BTreeMap::from([(api.root.clone(), root)]);
                api.models.clear();
                api.validators.clear();
                api.authorizers.clear();
                api.responses.clear();
                for member in ["description", "version", "binaryMediaTypes"] {
                    api.told.shift_remove(member);
                }
            }
            import.fill(api)?;
            Ok(api.told.clone())
        });
        Ok(Value::Object(told.await?))
    }
}

/// The document in a call's body.
fn document(call: &Call, input: &Value) -> Result<Document, ServiceError> {
    let body = match (&call.inside, text(input, "body")) {
        (Some(_), Some(body)) => body.as_bytes(),
        _ => &call.request.body,
    };
    let document = Document::read(body).ok_or_else(|| bad("Invalid OpenAPI input."))?;
    match REFUSED.iter().find(|name| document.get(name).is_some()) {
        Some(name) => Err(bad(format!("{name} is not supported."))),
        None => Ok(document),
    }
}

/// One of the parameters that a call has beside its document.
fn parameter(call: &Call, input: &Value, name: &str) -> Option<String> {
    if call.inside.is_some() {
        return input.get("parameters").and_then(|all| text(all, name)).map(str::to_owned);
    }
    let mut pairs = percent::pairs(&call.request.query);
    let found = pairs.find(|(own, _)| *own == name)?.1;
    Some(String::from_utf8_lossy(&percent::decode_form(found)).into_owned())
}

struct Import<'a> {
    world: &'a World,
    document: &'a Document,
    /// What models refer to each other by.
    models: String,
    base: String,
}

impl<'a> Import<'a> {
    fn new(world: &'a World, document: &'a Document, id: &str, call: &Call, input: &Value) -> Import<'a> {
        let base = document.base(&parameter(call, input, "basepath").unwrap_or_default());
        let models = format!("https://apigateway.amazonaws.com/restapis/{id}/models/");
        Import { world, document, models, base }
    }

    fn fill(&self, api: &mut RestApi) -> Result<(), ServiceError> {
        self.describe(api)?;
        for (name, schema) in self.document.schemas() {
            self.model(api, &model_name(name), schema)?;
        }
        let validators = self.document.get("x-amazon-apigateway-request-validators");
        for (name, told) in validators.and_then(Value::as_object).into_iter().flatten() {
            api.validators.retain(|_, own| own.get("name").and_then(Value::as_str) != Some(name));
            let id = ids::small(self.world, 6);
            let mut told = told.clone();
            told["name"] = name.as_str().into();
            validator::add(api, &id, validator::made(&id, &told))?;
        }
        for (name, told) in self.document.guards() {
            self.guard(api, name, told)?;
        }
        let said = self.document.get("x-amazon-apigateway-gateway-responses").and_then(Value::as_object);
        for (kind, told) in said.into_iter().flatten() {
            let mut told = told.clone();
            told["responseType"] = kind.as_str().into();
            if told.get("statusCode").is_some() {
                told["statusCode"] = status(&told);
            }
            responses::put(api, &told)?;
        }
        self.operations(api)
    }

    fn describe(&self, api: &mut RestApi) -> Result<(), ServiceError> {
        if self.document.text("/x-amazon-apigateway-api-key-source").is_some_and(|source| source != "HEADER")
        {
            return Err(bad("x-amazon-apigateway-api-key-source AUTHORIZER is not supported."));
        }
        for (place, member) in
            [("/info/title", "name"), ("/info/description", "description"), ("/info/version", "version")]
        {
            if let Some(said) = self.document.text(place) {
                api.told.insert(member.to_owned(), said.into());
            }
        }
        let named = self.document.get("x-amazon-apigateway-binary-media-types").and_then(Value::as_array);
        if let Some(named) = named {
            let own = api.told.entry("binaryMediaTypes").or_insert_with(|| json!([]));
            if let Some(own) = own.as_array_mut() {
                named.iter().for_each(|kind| {
                    if !own.contains(kind) {
                        own.push(kind.clone())
                    }
                });
            }
        }
        Ok(())
    }

    /// A schema whose references name other models by their addresses.
    fn model(&self, api: &mut RestApi, name: &str, schema: &Value) -> Result<(), ServiceError> {
        let mut told = Members::new();
        told.insert("id".to_owned(), ids::small(self.world, 6).into());
        told.insert("name".to_owned(), name.into());
        if let Some(words) = text(schema, "description") {
            told.insert("description".to_owned(), words.into());
        }
        told.insert("schema".to_owned(), self.referring(schema).to_string().into());
        told.insert("contentType".to_owned(), "application/json".into());
        api.models.remove(name);
        model::add(api, name, told)
    }

    fn referring(&self, schema: &Value) -> Value {
        match schema {
            Value::Object(members) => {
                let each = members.iter().map(|(name, value)| match (name.as_str(), value.as_str()) {
                    ("$ref", Some(place)) => {
                        let model = model_name(place.rsplit('/').next().unwrap_or_default());
                        (name.clone(), format!("{}{model}", self.models).into())
                    }
                    _ => (name.clone(), self.referring(value)),
                });
                Value::Object(each.collect())
            }
            Value::Array(items) => items.iter().map(|item| self.referring(item)).collect(),
            other => other.clone(),
        }
    }

    /// The name of a schema's model; one that has no name is given one.
    fn named(&self, api: &mut RestApi, schema: &Value) -> Result<String, ServiceError> {
        if let Some(place) = text(schema, "$ref") {
            return Ok(model_name(place.rsplit('/').next().unwrap_or_default()));
        }
        let name = format!("MODEL{}", self.world.hex(6));
        self.model(api, &name, schema)?;
        Ok(name)
    }

    fn guard(&self, api: &mut RestApi, name: &str, told: &Value) -> Result<(), ServiceError> {
        let Some(own) = told.get("x-amazon-apigateway-authorizer") else { return Ok(()) };
        let id = ids::small(self.world, 6);
        let mut input = own.clone();
        input["name"] = name.into();
        input["type"] = text(own, "type").unwrap_or_default().to_ascii_uppercase().into();
        input["authType"] =
            told.get("x-amazon-apigateway-authtype").cloned().unwrap_or_else(|| json!("custom"));
        if input.get("identitySource").is_none() && text(told, "in") == Some("header") {
            let header = text(told, "name").unwrap_or_default();
            input["identitySource"] = format!("method.request.header.{header}").into();
        }
        let mut kept = Members::new();
        kept.insert("id".to_owned(), id.as_str().into());
        Book::take(&mut kept, &input, true)?;
        api.authorizers.retain(|_, own| own.get("name").and_then(Value::as_str) != Some(name));
        Book::check(&kept, api)?;
        api.authorizers.insert(id, kept);
        Ok(())
    }
}

/// A status that is written as a number, too.
fn status(told: &Value) -> Value {
    match told.get("statusCode") {
        Some(Value::Number(number)) => number.to_string().into(),
        Some(own) => own.clone(),
        None => Value::Null,
    }
}

/// Models have names of letters and digits only.
fn model_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}
