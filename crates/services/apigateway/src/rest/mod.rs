//! REST APIs (version 1 of the service): their parts, kept as AWS's members, and how they serve.

mod admit;
mod api;
mod authorizer;
mod book;
mod deployment;
mod export;
mod fault;
mod function;
mod import;
mod integration;
mod live;
mod mapping;
mod method;
mod model;
mod patch;
mod plans;
mod resource;
mod respond;
mod responses;
mod schema;
mod serve;
mod tags;
mod template;
mod test_invoke;
mod upstream;
mod validation;
mod validator;

use super::cache::Cache;
use super::members::{self, Members, Names};
use super::outside::Outside;
use book::Book;
use lambda::ServiceCalls;
use live::Live;
use plans::Plans;
use serde_json::Value;
use servicekit::call::{Answer, Call};
use servicekit::documents::Documents;
use servicekit::fields::text;
use store::Store;
use world::World;

pub(super) struct Rest {
    book: Book,
    /// The role for logs, by region.
    accounts: Documents<String>,
    live: Cache<Live>,
    plans: Plans,
    outside: Outside,
}

impl Rest {
    pub fn new(store: &Store, world: &World, outside: &Outside) -> Rest {
        Rest {
            book: Book::new(store, world),
            accounts: Documents::new(store, "apigateway/account"),
            live: Cache::new(),
            plans: Plans::new(store, world),
            outside: outside.clone(),
        }
    }

    pub async fn answer(&self, targets: &ServiceCalls, call: &Call, input: &Value) -> Answer {
        let answer = match call.operation.name {
            "CreateRestApi" => self.create_rest_api(call, input).await,
            "GetRestApi" => self.get_rest_api(call, input),
            "GetRestApis" => self.get_rest_apis(call, input),
            "UpdateRestApi" => self.update_rest_api(call, input).await,
            "DeleteRestApi" => self.delete_rest_api(call, input).await,
            "CreateResource" => self.create_resource(call, input).await,
            "GetResource" => self.get_resource(call, input),
            "GetResources" => self.get_resources(call, input),
            "UpdateResource" => self.update_resource(call, input).await,
            "DeleteResource" => self.delete_resource(call, input).await,
            "PutMethod" => self.put_method(call, input).await,
            "GetMethod" => self.get_method(call, input),
            "UpdateMethod" => self.update_method(call, input).await,
            "DeleteMethod" => self.delete_method(call, input).await,
            "PutMethodResponse" => self.put_method_response(call, input).await,
            "GetMethodResponse" => self.get_method_response(call, input),
            "UpdateMethodResponse" => self.update_method_response(call, input).await,
            "DeleteMethodResponse" => self.delete_method_response(call, input).await,
            "PutIntegration" => self.put_integration(call, input).await,
            "GetIntegration" => self.get_integration(call, input),
            "UpdateIntegration" => self.update_integration(call, input).await,
            "DeleteIntegration" => self.delete_integration(call, input).await,
            "PutIntegrationResponse" => self.put_integration_response(call, input).await,
            "GetIntegrationResponse" => self.get_integration_response(call, input),
            "UpdateIntegrationResponse" => self.update_integration_response(call, input).await,
            "DeleteIntegrationResponse" => self.delete_integration_response(call, input).await,
            _ => self.answer_more(targets, call, input).await,
        };
        if let Some(id) = text(input, "restApiId") {
            self.live.forget(id);
        }
        answer
    }

    /// What concerns deployments, stages, the account and all there is of an API.
    async fn answer_more(&self, targets: &ServiceCalls, call: &Call, input: &Value) -> Answer {
        match call.operation.name {
            "CreateDeployment" => self.create_deployment(call, input).await,
            "GetDeployment" => self.get_deployment(call, input),
            "GetDeployments" => self.get_deployments(call, input),
            "UpdateDeployment" => self.update_deployment(call, input).await,
            "DeleteDeployment" => self.delete_deployment(call, input).await,
            "CreateStage" => self.create_stage(call, input).await,
            "GetStage" => self.get_stage(call, input),
            "GetStages" => self.get_stages(call, input),
            "UpdateStage" => self.update_stage(call, input).await,
            "DeleteStage" => self.delete_stage(call, input).await,
            "PutGatewayResponse" => self.put_gateway_response(call, input).await,
            "GetGatewayResponse" => self.get_gateway_response(call, input),
            "GetGatewayResponses" => self.get_gateway_responses(call, input),
            "UpdateGatewayResponse" => self.update_gateway_response(call, input).await,
            "DeleteGatewayResponse" => self.delete_gateway_response(call, input).await,
            "ImportRestApi" => self.import_rest_api(call, input).await,
            "GetExport" => self.get_export(call, input),
            "PutRestApi" => self.put_rest_api(call, input).await,
            "CreateModel" => self.create_model(call, input).await,
            "GetModel" => self.get_model(call, input),
            "GetModels" => self.get_models(call, input),
            "UpdateModel" => self.update_model(call, input).await,
            "DeleteModel" => self.delete_model(call, input).await,
            "CreateRequestValidator" => self.create_validator(call, input).await,
            "GetRequestValidator" => self.get_validator(call, input),
            "GetRequestValidators" => self.get_validators(call, input),
            "UpdateRequestValidator" => self.update_validator(call, input).await,
            "DeleteRequestValidator" => self.delete_validator(call, input).await,
            "GetAccount" => self.get_account(call),
            "UpdateAccount" => self.update_account(call, input).await,
            "CreateAuthorizer" | "GetAuthorizer" | "GetAuthorizers" | "UpdateAuthorizer"
            | "DeleteAuthorizer" => crate::guards::answer(&self.book, call, input).await,
            "FlushStageAuthorizersCache" => self.flush_authorizers(call, input),
            "TestInvokeMethod" => self.test_invoke(targets, call, input).await,
            "GetTags" | "TagResource" | "UntagResource" => self.tags(call, input).await,
            _ => self.plans.answer(&self.book, call, input).await,
        }
    }
}

/// One page of things by id.
fn page(input: &Value, all: impl IntoIterator<Item = (String, Members)>) -> Answer {
    members::page(input, all, &Names { limit: "limit", token: "position", items: "items" })
}
