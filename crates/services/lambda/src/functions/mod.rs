//! Functions: code, configuration, invocation, who may call them.

mod aliases;
mod code;
mod create;
mod download;
mod event_config;
mod events;
mod grant;
mod invoke;
mod layer_policy;
mod layers;
mod look;
mod shown;
mod stream;
mod update;
mod url_call;
mod url_event;
mod url_stream;
mod urls;
mod versions;
mod vpc;

use super::registry::Registry;
use crate::target::LambdaTargets;
use download::Links;
use events::Events;
use servicekit::call::{Call, Pending};
use servicekit::house::House;
use store::Store;
use urls::Urls;
use wire::Response;
use world::World;

/// What is told of a function's address that may not be called.
pub fn url_forbidden() -> Response {
    url_call::denied(Some(url_call::FORBIDDEN))
}

pub(crate) struct Functions {
    world: World,
    pub(super) registry: Registry,
    functions: ::functions::Functions,
    events: Events,
    links: Links,
    urls: Urls,
    house: House,
}

impl Functions {
    pub fn new(store: &Store, targets: &LambdaTargets, house: House) -> Functions {
        let registry = targets.registry.clone();
        let events = Events::new(store, &targets.world, &registry, &targets.functions, &targets.post);
        events.resume();
        Functions {
            world: targets.world.clone(),
            registry,
            functions: targets.functions.clone(),
            events,
            links: Links::new(&targets.world),
            urls: Urls::new(store),
            house,
        }
    }

    pub async fn idle(&self) {
        self.events.idle().await;
    }

    pub fn call(&self, call: Call) -> Pending<'_, Response> {
        Box::pin(async move {
            let input = match call.input() {
                Ok(input) => input,
                Err(error) => return call.refuse(error),
            };
            if call.operation.name == "Invoke" {
                return match self.invoke(&call, &input).await {
                    Ok((output, payload)) => call.settle_payload(output, payload),
                    Err(error) => call.refuse(error),
                };
            }
            let answer = match call.operation.name {
                "CreateFunction" => self.create(&call, &input).await,
                "GetFunction" => self.get(&call, &input),
                "GetFunctionConfiguration" => self.get_configuration(&call, &input),
                "ListFunctions" => self.list(&call, &input),
                "DeleteFunction" => self.delete(&call, &input).await,
                "UpdateFunctionCode" => self.update_code(&call, &input).await,
                "UpdateFunctionConfiguration" => self.update_configuration(&call, &input).await,
                "PublishVersion" => self.publish_version(&call, &input).await,
                "ListVersionsByFunction" => self.list_versions(&call, &input),
                "CreateAlias" => self.create_alias(&call, &input).await,
                "GetAlias" => self.get_alias(&call, &input),
                "UpdateAlias" => self.update_alias(&call, &input).await,
                "DeleteAlias" => self.delete_alias(&call, &input).await,
                "ListAliases" => self.list_aliases(&call, &input),
                "PutFunctionEventInvokeConfig" => self.put_event_config(&call, &input, false).await,
                "UpdateFunctionEventInvokeConfig" => self.put_event_config(&call, &input, true).await,
                "GetFunctionEventInvokeConfig" => self.get_event_config(&call, &input),
                "DeleteFunctionEventInvokeConfig" => self.delete_event_config(&call, &input).await,
                "ListFunctionEventInvokeConfigs" => self.list_event_configs(&call, &input),
                "PublishLayerVersion" => self.publish_layer(&call, &input).await,
                "GetLayerVersion" => self.get_layer(&call, &input),
                "GetLayerVersionByArn" => self.get_layer_by_arn(&call, &input),
                "DeleteLayerVersion" => self.delete_layer(&call, &input).await,
                "ListLayerVersions" => self.list_layer_versions(&call, &input),
                "ListLayers" => self.list_layers(&call, &input),
                "AddLayerVersionPermission" => self.add_layer_permission(&call, &input).await,
                "GetLayerVersionPolicy" => self.get_layer_policy(&call, &input),
                "RemoveLayerVersionPermission" => self.remove_layer_permission(&call, &input).await,
                "CreateFunctionUrlConfig" => self.create_url(&call, &input).await,
                "GetFunctionUrlConfig" => self.get_url(&call, &input),
                "UpdateFunctionUrlConfig" => self.update_url(&call, &input).await,
                "DeleteFunctionUrlConfig" => self.delete_url(&call, &input).await,
                "ListFunctionUrlConfigs" => self.list_urls(&call, &input),
                "GetAccountSettings" => self.account_settings(&call),
                "AddPermission" => self.add_permission(&call, &input).await,
                "GetPolicy" => self.get_policy(&call, &input),
                "RemovePermission" => self.remove_permission(&call, &input).await,
                "TagResource" => self.tag(&call, &input).await,
                "UntagResource" => self.untag(&call, &input).await,
                "ListTags" => self.list_tags(&call, &input),
                "PutFunctionConcurrency" => self.put_concurrency(&call, &input).await,
                "GetFunctionCodeSigningConfig" => self.get_code_signing(&call, &input),
                "GetRuntimeManagementConfig" => self.get_runtime_management(&call, &input),
                "GetFunctionConcurrency" => self.get_concurrency(&call, &input),
                "DeleteFunctionConcurrency" => self.delete_concurrency(&call, &input).await,
                _ => Err(call.unknown()),
            };
            call.settle(answer)
        })
    }
}
