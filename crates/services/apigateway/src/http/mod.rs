//! HTTP APIs (version 2 of the service): their parts, kept as AWS's members, and how they serve.

mod admit;
mod api;
mod authorizer;
mod book;
mod cors;
mod deployment;
mod import;
mod integration;
mod live;
mod mapping;
mod route;
mod serve;
mod stage;
mod tags;
mod upstream;

use super::cache::Cache;
use super::members::{self, Members, Names, take_over};
use super::outside::Outside;
use book::Book;
use live::Live;
use serde_json::Value;
use servicekit::call::{Answer, Call};
use servicekit::fields::text;
use std::collections::BTreeMap;
use store::Store;
use wire::ServiceError;
use world::World;

pub(super) struct Http {
    book: Book,
    /// `http://host:port` of this server.
    own: String,
    live: Cache<Live>,
    outside: Outside,
}

impl Http {
    pub fn new(store: &Store, world: &World, own: &str, outside: &Outside) -> Http {
        let (book, outside) = (Book::new(store, world), outside.clone());
        Http { book, own: own.to_owned(), live: Cache::new(), outside }
    }

    pub async fn answer(&self, call: &Call, input: &Value) -> Answer {
        let answer = match call.operation.name {
            "CreateApi" => self.create_api(call, input).await,
            "GetApi" => self.get_api(call, input),
            "GetApis" => self.get_apis(call, input),
            "UpdateApi" => self.update_api(call, input).await,
            "DeleteApi" => self.delete_api(call, input).await,
            "DeleteCorsConfiguration" => self.delete_cors(call, input).await,
            "ImportApi" => self.import_api(call, input).await,
            "ReimportApi" => self.reimport_api(call, input).await,
            "CreateIntegration" => self.create_integration(call, input).await,
            "GetIntegration" => self.get_integration(call, input),
            "GetIntegrations" => self.get_integrations(call, input),
            "UpdateIntegration" => self.update_integration(call, input).await,
            "DeleteIntegration" => self.delete_integration(call, input).await,
            "CreateAuthorizer" | "GetAuthorizer" | "GetAuthorizers" | "UpdateAuthorizer"
            | "DeleteAuthorizer" => crate::guards::answer(&self.book, call, input).await,
            "CreateRoute" => self.create_route(call, input).await,
            "GetRoute" => self.get_route(call, input),
            "GetRoutes" => self.get_routes(call, input),
            "UpdateRoute" => self.update_route(call, input).await,
            "DeleteRoute" => self.delete_route(call, input).await,
            "CreateStage" => self.create_stage(call, input).await,
            "GetStage" => self.get_stage(call, input),
            "GetStages" => self.get_stages(call, input),
            "UpdateStage" => self.update_stage(call, input).await,
            "DeleteStage" => self.delete_stage(call, input).await,
            "DeleteRouteSettings" => self.delete_route_settings(call, input).await,
            "CreateDeployment" => self.create_deployment(call, input).await,
            "GetDeployment" => self.get_deployment(call, input),
            "GetDeployments" => self.get_deployments(call, input),
            "UpdateDeployment" => self.update_deployment(call, input).await,
            "DeleteDeployment" => self.delete_deployment(call, input).await,
            "GetTags" | "TagResource" | "UntagResource" => super::tags::answer(&self.book, call, input).await,
            _ => Err(call.unknown()),
        };
        if let Some(id) = text(input, "ApiId") {
            self.live.forget(id);
        }
        answer
    }
}

/// One page of things by id.
fn page(input: &Value, all: BTreeMap<String, Members>) -> Answer {
    members::page(input, all, &Names { limit: "MaxResults", token: "NextToken", items: "Items" })
}

fn found<'a>(
    all: &'a mut BTreeMap<String, Members>,
    what: &str,
    id: &str,
) -> Result<&'a mut Members, ServiceError> {
    all.get_mut(id).ok_or_else(|| super::fault::missing(format!("Invalid {what} identifier specified {id}")))
}
