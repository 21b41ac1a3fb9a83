//! APIs: made, shown, changed and removed; quickly made ones have a route and a stage at once.

use super::book::HttpApi;
use super::{Http, cors, integration, page, take_over};
use crate::fault::{bad, refuse};
use crate::members::Members;
use serde_json::{Value, json};
use servicekit::address;
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use servicekit::ids;
use wire::ServiceError;

const SELECTION: &str = "$request.method $request.path";

/// What belongs to WebSocket APIs, or is not built.
const REFUSED: &[&str] = &["DisableSchemaValidation"];

const OWN: &[&str] =
    &["Name", "Description", "Version", "CorsConfiguration", "DisableExecuteApiEndpoint", "IpAddressType"];

impl Http {
    pub(super) async fn create_api(&self, call: &Call, input: &Value) -> Answer {
        let (id, mut api) = self.new_api(call, input)?;
        match text(input, "Target") {
            Some(target) => self.quickly(&mut api, input, target)?,
            None => {
                for member in ["RouteKey", "CredentialsArn"] {
                    if input.get(member).is_some() {
                        return Err(bad(format!("{member} is only allowed together with Target.")));
                    }
                }
            }
        }
        let api = self.book.create(&id, api).await?;
        Ok(self.shown(call, api.told))
    }

    /// A new API, without parts.
    pub(super) fn new_api(&self, call: &Call, input: &Value) -> Result<(String, HttpApi), ServiceError> {
        if required(input, "ProtocolType") != "HTTP" {
            return Err(bad("ProtocolType WEBSOCKET is not supported."));
        }
        check(input)?;
        let id = ids::small(&self.book.world, 10);
        let mut told = Members::new();
        told.insert("ApiId".to_owned(), id.as_str().into());
        told.insert("ApiKeySelectionExpression".to_owned(), "$request.header.x-api-key".into());
        told.insert("CreatedDate".to_owned(), self.book.now());
        told.insert("DisableExecuteApiEndpoint".to_owned(), false.into());
        told.insert("IpAddressType".to_owned(), "ipv4".into());
        told.insert("ProtocolType".to_owned(), "HTTP".into());
        told.insert("RouteSelectionExpression".to_owned(), SELECTION.into());
        told.insert("Tags".to_owned(), input.get("Tags").cloned().unwrap_or_else(|| json!({})));
        take_over(&mut told, input, OWN);
        let account = call.caller.account.to_string();
        let region = call.caller.region.to_string();
        Ok((id, HttpApi { account, region, told, ..HttpApi::default() }))
    }

    /// An integration, a route to it and a stage that deploys by itself.
    fn quickly(&self, api: &mut HttpApi, input: &Value, target: &str) -> Result<(), ServiceError> {
        let world = &self.book.world;
        let function = target.starts_with("arn:");
        let mut wanted = json!({
            "IntegrationType": if function { "AWS_PROXY" } else { "HTTP_PROXY" },
            "IntegrationUri": target,
            "PayloadFormatVersion": if function { "2.0" } else { "1.0" },
        });
        if let Some(role) = input.get("CredentialsArn") {
            wanted["CredentialsArn"] = role.clone();
        }
        let integration_id = ids::small(world, 7);
        let mut told = integration::made(&integration_id, &wanted)?;
        told.insert("ApiGatewayManaged".to_owned(), true.into());
        api.integrations.insert(integration_id.clone(), told);
        let route_id = ids::small(world, 7);
        let wanted = json!({
            "RouteKey": text(input, "RouteKey").unwrap_or("$default"),
            "Target": format!("integrations/{integration_id}"),
        });
        let mut told = super::route::made(&route_id, &wanted, api)?;
        told.insert("ApiGatewayManaged".to_owned(), true.into());
        api.routes.insert(route_id, told);
        let mut told = self.stage_made(&json!({"StageName": "$default", "AutoDeploy": true}))?;
        told.insert("ApiGatewayManaged".to_owned(), true.into());
        api.stages.insert("$default".to_owned(), told);
        Ok(())
    }

    pub(super) fn get_api(&self, call: &Call, input: &Value) -> Answer {
        let api = self.book.find(&call.caller, required(input, "ApiId"))?;
        Ok(self.shown(call, api.told))
    }

    pub(super) fn get_apis(&self, call: &Call, input: &Value) -> Answer {
        let all = self.book.apis.list("")?.into_iter();
        let here = all.filter(|(_, api)| api.region == *call.caller.region);
        let told = here.map(|(id, api)| match self.shown(call, api.told) {
            Value::Object(told) => (id, told),
            _ => (id, Members::new()),
        });
        page(input, told.collect())
    }

    pub(super) async fn update_api(&self, call: &Call, input: &Value) -> Answer {
        check(input)?;
        if let Some(member) =
            ["Target", "RouteKey", "CredentialsArn"].iter().find(|member| input.get(**member).is_some())
        {
            return Err(bad(format!(
                "{member} is not supported here: change the API's integration or route."
            )));
        }
        let changed = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            take_over(&mut api.told, input, OWN);
            if input.get("CorsConfiguration").is_some_and(cors::is_empty) {
                api.told.shift_remove("CorsConfiguration");
            }
            Ok(api.told.clone())
        });
        Ok(self.shown(call, changed.await?))
    }

    pub(super) async fn delete_api(&self, call: &Call, input: &Value) -> Answer {
        self.book.delete(&call.caller, required(input, "ApiId")).await?;
        Ok(json!({}))
    }

    pub(super) async fn delete_cors(&self, call: &Call, input: &Value) -> Answer {
        let gone = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            api.told.shift_remove("CorsConfiguration");
            Ok(())
        });
        gone.await?;
        Ok(json!({}))
    }

    pub(super) fn shown(&self, call: &Call, mut told: Members) -> Value {
        let id = told.get("ApiId").and_then(Value::as_str).unwrap_or_default();
        let endpoint = address::endpoint(&address::origin(call, &self.own), id);
        told.insert("ApiEndpoint".to_owned(), endpoint.into());
        Value::Object(told)
    }
}

fn check(input: &Value) -> Result<(), ServiceError> {
    refuse(input, REFUSED)?;
    let expression = text(input, "RouteSelectionExpression");
    if expression.is_some_and(|own| own != SELECTION && own != "${request.method} ${request.path}") {
        return Err(bad(format!("RouteSelectionExpression of an HTTP API must be \"{SELECTION}\".")));
    }
    if text(input, "ApiKeySelectionExpression").is_some_and(|own| own != "$request.header.x-api-key") {
        return Err(bad("ApiKeySelectionExpression is not supported."));
    }
    input.get("CorsConfiguration").map_or(Ok(()), cors::check)
}
