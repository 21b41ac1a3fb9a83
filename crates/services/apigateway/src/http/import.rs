//! HTTP APIs made, or made anew, from documents that describe them.

use super::book::{Book, HttpApi};
use super::{Http, cors, integration, route};
use crate::fault::bad;
use crate::guards::Guarded;
use crate::members::Members;
use crate::openapi::{Document, Operation};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use servicekit::ids;
use wire::ServiceError;
use world::World;

impl Http {
    pub(super) async fn import_api(&self, call: &Call, input: &Value) -> Answer {
        let document = document(input)?;
        let (id, mut api) =
            self.new_api(call, &json!({"Name": document.text("/info/title"), "ProtocolType": "HTTP"}))?;
        fill(&self.book.world, &document, input, &mut api)?;
        let api = self.book.create(&id, api).await?;
        Ok(self.shown(call, api.told))
    }

    /// What the document does not say goes.
    pub(super) async fn reimport_api(&self, call: &Call, input: &Value) -> Answer {
        let document = document(input)?;
        let told = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            api.routes.clear();
            api.integrations.clear();
            api.authorizers.clear();
            for member in ["CorsConfiguration", "Description", "Version"] {
                api.told.shift_remove(member);
            }
            fill(&self.book.world, &document, input, api)?;
            Ok(api.told.clone())
        });
        Ok(self.shown(call, told.await?))
    }
}

fn document(input: &Value) -> Result<Document, ServiceError> {
    let document = Document::read(required(input, "Body").as_bytes());
    let document = document.filter(|document| document.get("openapi").is_some());
    document.ok_or_else(|| bad("Invalid OpenAPI input."))
}

fn fill(world: &World, document: &Document, input: &Value, api: &mut HttpApi) -> Result<(), ServiceError> {
    for (place, member) in
        [("/info/title", "Name"), ("/info/description", "Description"), ("/info/version", "Version")]
    {
        if let Some(said) = document.text(place) {
            api.told.insert(member.to_owned(), said.into());
        }
    }
    if let Some(own) = document.get("x-amazon-apigateway-cors") {
        let own = titled(own);
        cors::check(&own)?;
        api.told.insert("CorsConfiguration".to_owned(), own);
    }
    for (name, told) in document.guards() {
        guard(world, api, name, told)?;
    }
    let base = document.base(text(input, "Basepath").unwrap_or_default());
    for operation in document.operations() {
        let placed = add(world, document, api, &base, &operation);
        placed.map_err(|error| {
            let words = error.message.unwrap_or_default();
            bad(format!("Unable to create the route {} {}: {words}", operation.verb, operation.path))
        })?;
    }
    Ok(())
}

fn add(
    world: &World,
    document: &Document,
    api: &mut HttpApi,
    base: &str,
    operation: &Operation<'_>,
) -> Result<(), ServiceError> {
    let key = match operation.path {
        "/$default" => "$default".to_owned(),
        path => format!("{} {base}{path}", operation.verb),
    };
    let mut wanted = json!({ "RouteKey": key });
    if let Some(name) = text(operation.told, "operationId") {
        wanted["OperationName"] = name.into();
    }
    if let Some(kind) = operation.told.pointer("/x-amazon-apigateway-auth/type") {
        wanted["AuthorizationType"] = kind.clone();
    }
    let needed = operation.told.get("security").or_else(|| document.get("security"));
    let first = needed.and_then(|all| all.get(0)).and_then(Value::as_object);
    for (name, scopes) in first.into_iter().flatten() {
        let known = api.authorizers.iter().find(|(_, own)| own["Name"] == name.as_str());
        if let Some((id, own)) = known {
            let jwt = own["AuthorizerType"] == "JWT";
            wanted["AuthorizerId"] = id.as_str().into();
            wanted["AuthorizationType"] = if jwt { "JWT" } else { "CUSTOM" }.into();
            if jwt && scopes.as_array().is_some_and(|all| !all.is_empty()) {
                wanted["AuthorizationScopes"] = scopes.clone();
            }
        } else if document.guards().any(|(own, told)| own == name && is_signature(told)) {
            wanted["AuthorizationType"] = "AWS_IAM".into();
        } else {
            return Err(bad(format!("there is no authorizer of the name {name}")));
        }
    }
    if let Some(own) = operation.told.get("x-amazon-apigateway-integration") {
        let id = ids::small(world, 7);
        let told = integration::made(&id, &behind(document.followed(own)))?;
        api.integrations.insert(id.clone(), told);
        wanted["Target"] = format!("integrations/{id}").into();
    }
    let id = ids::small(world, 7);
    let told = route::made(&id, &wanted, api)?;
    api.routes.insert(id, told);
    Ok(())
}

fn is_signature(told: &Value) -> bool {
    text(told, "x-amazon-apigateway-authtype").is_some_and(|kind| kind.eq_ignore_ascii_case("awsSigv4"))
}

/// An integration in the words of calls.
fn behind(told: &Value) -> Value {
    let mut wanted = titled(told);
    let members = wanted.as_object_mut();
    let Some(members) = members else { return wanted };
    for (theirs, ours) in [
        ("Type", "IntegrationType"),
        ("Uri", "IntegrationUri"),
        ("HttpMethod", "IntegrationMethod"),
        ("Credentials", "CredentialsArn"),
    ] {
        if let Some(value) = members.shift_remove(theirs) {
            members.insert(ours.to_owned(), value);
        }
    }
    for member in ["IntegrationType", "ConnectionType", "IntegrationMethod"] {
        if let Some(Value::String(word)) = members.get_mut(member) {
            *word = if word == "x-amazon-apigateway-any-method" {
                "ANY".to_owned()
            } else {
                word.to_ascii_uppercase()
            };
        }
    }
    // Functions are called by POST, whatever a document says.
    if members.get("IntegrationType").is_some_and(|kind| kind == "AWS_PROXY") {
        members.shift_remove("IntegrationMethod");
    }
    wanted
}

fn guard(world: &World, api: &mut HttpApi, name: &str, told: &Value) -> Result<(), ServiceError> {
    let Some(own) = told.get("x-amazon-apigateway-authorizer") else { return Ok(()) };
    let id = ids::small(world, 6);
    let mut wanted = titled(own);
    wanted["Name"] = name.into();
    let kind = text(own, "type").unwrap_or_default().to_ascii_uppercase();
    wanted["AuthorizerType"] = kind.into();
    if let Some(sources) = text(own, "identitySource") {
        wanted["IdentitySource"] = sources.split(',').map(|one| Value::from(one.trim())).collect();
    }
    if let Some(settings) = own.get("jwtConfiguration") {
        wanted["JwtConfiguration"] = titled(settings);
    }
    if let Some(role) = wanted.get("AuthorizerCredentials").cloned() {
        wanted["AuthorizerCredentialsArn"] = role;
    }
    let mut kept = Members::new();
    kept.insert("AuthorizerId".to_owned(), id.as_str().into());
    Book::take(&mut kept, &wanted, true)?;
    Book::check(&kept, api)?;
    api.authorizers.insert(id, kept);
    Ok(())
}

/// Members whose names begin small, as calls have them.
fn titled(told: &Value) -> Value {
    let members = told.as_object().into_iter().flatten();
    let named = members.map(|(name, value)| {
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        (first.into_iter().chain(letters).collect(), value.clone())
    });
    Value::Object(named.collect())
}
