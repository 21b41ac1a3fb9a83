//! What a document says of paths: resources, methods, and what is behind them.

use super::{Import, status};
use crate::fault::bad;
use crate::members::Members;
use crate::openapi::Operation;
use crate::rest::book::{Resource, RestApi};
use crate::rest::{integration, method, resource};
use serde_json::{Map, Value, json};
use servicekit::fields::{text, texts};
use servicekit::ids;
use wire::ServiceError;

impl Import<'_> {
    pub(super) fn operations(&self, api: &mut RestApi) -> Result<(), ServiceError> {
        for operation in self.document.operations() {
            let place = self.resource(api, operation.path)?;
            self.method(api, &place, &operation).map_err(|error| {
                let words = error.message.clone().unwrap_or_default();
                bad(format!("Errors found during import: Unable to put integration or method on '{}' for resource at path '{}': {words}", operation.verb, operation.path))
            })?;
        }
        Ok(())
    }

    /// The resource of a path, and those above it.
    fn resource(&self, api: &mut RestApi, path: &str) -> Result<String, ServiceError> {
        let whole = format!("{}{path}", self.base);
        let mut at = api.root.clone();
        for part in whole.split('/').filter(|part| !part.is_empty()) {
            let below = |one: &Resource| one.parent.as_deref() == Some(&at) && one.part == part;
            let known = api.resources.iter().find(|(_, one)| below(one)).map(|(id, _)| id.clone());
            at = match known {
                Some(id) => id,
                None => {
                    let id = ids::small(self.world, 6);
                    resource::add(api, &at, part, &id)?;
                    id
                }
            };
        }
        Ok(at)
    }

    fn method(&self, api: &mut RestApi, place: &str, operation: &Operation<'_>) -> Result<(), ServiceError> {
        let Operation { verb, told, .. } = *operation;
        let mut input = self.admission(api, told)?;
        if let Some(name) = text(told, "operationId") {
            input.insert("operationName".to_owned(), name.into());
        }
        let validator = text(told, "x-amazon-apigateway-request-validator")
            .or_else(|| self.document.text("/x-amazon-apigateway-request-validator"));
        if let Some(name) = validator {
            let found = api.validators.iter().find(|(_, own)| own["name"] == name);
            let (id, _) = found.ok_or_else(|| bad(format!("there is no request validator {name}")))?;
            input.insert("requestValidatorId".to_owned(), id.as_str().into());
        }
        let (parameters, models) = self.asked(api, operation)?;
        for (member, all) in [("requestParameters", parameters), ("requestModels", models)] {
            if !all.is_empty() {
                input.insert(member.to_owned(), all.into());
            }
        }
        api.resource(place)?.methods.remove(verb);
        method::add(api, place, verb, &input.into())?;
        for (code, response) in told["responses"].as_object().into_iter().flatten() {
            // `default` and whole families have no status of their own.
            if code.parse::<u16>().is_ok() {
                let response = self.declared(api, told, code, self.document.followed(response))?;
                method::add_response(api, place, verb, &response)?;
            }
        }
        match told.get("x-amazon-apigateway-integration") {
            Some(own) => behind(api, place, verb, self.document.followed(own)),
            None => Ok(()),
        }
    }

    /// Who may call: `{"authorizationType", "authorizerId", "apiKeyRequired"}`.
    fn admission(&self, api: &RestApi, told: &Value) -> Result<Map<String, Value>, ServiceError> {
        let mut input = Map::from_iter([("authorizationType".to_owned(), json!("NONE"))]);
        if let Some(kind) = told.pointer("/x-amazon-apigateway-auth/type") {
            input.insert("authorizationType".to_owned(), kind.clone());
        }
        let needed = told.get("security").or_else(|| self.document.get("security"));
        let first = needed.and_then(|all| all.get(0)).and_then(Value::as_object);
        for (name, _) in first.into_iter().flatten() {
            let guard = self.document.guards().find(|(own, _)| *own == name).map(|(_, told)| told);
            let guard = guard.ok_or_else(|| bad(format!("there is no security scheme {name}")))?;
            if guard.get("x-amazon-apigateway-authorizer").is_some() {
                let id =
                    api.authorizers.iter().find(|(_, own)| own["name"] == name.as_str()).map(|(id, _)| id);
                input.insert("authorizationType".to_owned(), "CUSTOM".into());
                input.insert("authorizerId".to_owned(), id.map(String::as_str).unwrap_or_default().into());
            } else if text(guard, "x-amazon-apigateway-authtype")
                .is_some_and(|kind| kind.eq_ignore_ascii_case("awsSigv4"))
            {
                input.insert("authorizationType".to_owned(), "AWS_IAM".into());
            } else if text(guard, "type") == Some("apiKey") {
                input.insert("apiKeyRequired".to_owned(), true.into());
            }
        }
        Ok(input)
    }

    /// The parameters that a request has, and the models of its body by content type.
    fn asked(
        &self,
        api: &mut RestApi,
        operation: &Operation<'_>,
    ) -> Result<(Members, Members), ServiceError> {
        let (mut parameters, mut models) = (Map::new(), Map::new());
        for own in &operation.parameters {
            let place = match text(own, "in") {
                Some("query") => "querystring",
                Some(place @ ("path" | "header")) => place,
                Some("body") => {
                    let mut kinds = texts(operation.told, "consumes");
                    if kinds.is_empty() {
                        kinds.push("application/json".to_owned());
                    }
                    let name = self.named(api, &own["schema"])?;
                    models.extend(kinds.into_iter().map(|kind| (kind, name.as_str().into())));
                    continue;
                }
                _ => continue,
            };
            let needed = own.get("required") == Some(&Value::Bool(true));
            let name = text(own, "name").unwrap_or_default();
            parameters.insert(format!("method.request.{place}.{name}"), needed.into());
        }
        let body = operation.told.get("requestBody").map(|body| self.document.followed(body));
        models.extend(self.models_of(api, body.and_then(|body| body.get("content")))?);
        Ok((parameters, models))
    }

    /// `{"application/json": {"schema"}}` as models by content type.
    fn models_of(
        &self,
        api: &mut RestApi,
        content: Option<&Value>,
    ) -> Result<Map<String, Value>, ServiceError> {
        let mut models = Map::new();
        for (kind, told) in content.and_then(Value::as_object).into_iter().flatten() {
            if let Some(schema) = told.get("schema") {
                models.insert(kind.clone(), self.named(api, schema)?.into());
            }
        }
        Ok(models)
    }

    /// A response that a method declares.
    fn declared(
        &self,
        api: &mut RestApi,
        operation: &Value,
        code: &str,
        told: &Value,
    ) -> Result<Value, ServiceError> {
        let headers = told.get("headers").and_then(Value::as_object).into_iter().flatten();
        let headers: Map<String, Value> =
            headers.map(|(name, _)| (format!("method.response.header.{name}"), false.into())).collect();
        let mut models = self.models_of(api, told.get("content"))?;
        if let Some(schema) = told.get("schema") {
            let mut kinds = texts(operation, "produces");
            if kinds.is_empty() {
                kinds.push("application/json".to_owned());
            }
            let name = self.named(api, schema)?;
            models.extend(kinds.into_iter().map(|kind| (kind, name.as_str().into())));
        }
        let mut input = json!({"statusCode": code});
        for (member, all) in [("responseParameters", headers), ("responseModels", models)] {
            if !all.is_empty() {
                input[member] = all.into();
            }
        }
        Ok(input)
    }
}

/// Puts what is behind a method there, and what becomes of its answers.
fn behind(api: &mut RestApi, place: &str, verb: &str, told: &Value) -> Result<(), ServiceError> {
    let mut input = told.clone();
    let upper = |member: &str| text(told, member).map(str::to_ascii_uppercase);
    for member in ["type", "passthroughBehavior"] {
        if let Some(word) = upper(member) {
            input[member] = word.into();
        }
    }
    if let Some(verb) = upper("httpMethod") {
        input["integrationHttpMethod"] =
            if verb == "X-AMAZON-APIGATEWAY-ANY-METHOD" { "ANY".into() } else { verb.into() };
    }
    if text(&input, "type").unwrap_or_default().starts_with("HTTP") && input.get("connectionType").is_none() {
        input["connectionType"] = "INTERNET".into();
    }
    integration::put(api, place, verb, &input)?;
    for (pattern, response) in told["responses"].as_object().into_iter().flatten() {
        let mut response = response.clone();
        response["statusCode"] = status(&response);
        if pattern != "default" {
            response["selectionPattern"] = pattern.as_str().into();
        }
        integration::put_response(api, place, verb, &response)?;
    }
    Ok(())
}
