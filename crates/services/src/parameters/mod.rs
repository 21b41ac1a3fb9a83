//! Systems Manager's Parameter Store: texts under paths, in numbered versions; secure ones sealed where they lie.

mod get;
mod labels;
mod name;
mod parameter;
mod put;
mod search;

use crate::dispatch::Parts;
use parameter::Parameter;
use serde_json::Value;
use servicekit::call::{Answer, Call, Pending};
use servicekit::documents::Documents;
use servicekit::house::House;
use servicekit::vault::Vault;
use wire::{Response, ServiceError};
use world::World;

/// The kind of their documents.
const PARAMETERS: &str = "ssm/parameter";

pub(crate) struct Parameters {
    world: World,
    vault: Vault,
    /// Secrets can be read as parameters.
    house: House,
    /// By `account/region/name`.
    parameters: Documents<Parameter>,
}

impl Parameters {
    pub fn new(parts: &Parts, house: House) -> Parameters {
        Parameters::over(&parts.store, &parts.world, &parts.vault, house)
    }

    pub fn over(store: &store::Store, world: &World, vault: &Vault, house: House) -> Parameters {
        let parameters = Documents::new(store, PARAMETERS);
        Parameters { world: world.clone(), vault: vault.clone(), house, parameters }
    }

    pub fn call(&self, call: Call) -> Pending<'_, Response> {
        Box::pin(async move {
            let answer = match call.input() {
                Ok(input) => self.answer(&call, &input).await,
                Err(error) => Err(error),
            };
            call.settle(answer)
        })
    }

    async fn answer(&self, call: &Call, input: &Value) -> Answer {
        match call.operation.name {
            "PutParameter" => self.put_parameter(call, input).await,
            "GetParameter" => self.get_parameter(call, input).await,
            "GetParameters" => self.get_parameters(call, input).await,
            "GetParametersByPath" => self.get_parameters_by_path(call, input),
            "GetParameterHistory" => self.get_history(call, input),
            "DescribeParameters" => self.describe_parameters(call, input),
            "DeleteParameter" => self.delete_parameter(call, input).await,
            "DeleteParameters" => self.delete_parameters(call, input).await,
            "LabelParameterVersion" => self.label_version(call, input).await,
            "UnlabelParameterVersion" => self.unlabel_version(call, input).await,
            "AddTagsToResource" => self.add_tags(call, input).await,
            "RemoveTagsFromResource" => self.remove_tags(call, input).await,
            "ListTagsForResource" => self.list_tags(call, input),
            _ => Err(call.unknown()),
        }
    }

    fn found(&self, call: &Call, name: &str) -> Result<Parameter, ServiceError> {
        self.parameters.get(&key(call, name))?.ok_or_else(no_parameter)
    }
}

/// Whether there is a secure string.
pub(crate) fn has_sealed(store: &store::Store) -> Result<bool, ServiceError> {
    let all = Documents::<Parameter>::new(store, PARAMETERS).list("")?;
    Ok(all.iter().any(|(_, parameter)| parameter.is_secure()))
}

fn key(call: &Call, name: &str) -> String {
    format!("{}{name}", prefix(call))
}

/// How the keys of a caller's parameters begin.
fn prefix(call: &Call) -> String {
    format!("{}/{}/", call.caller.account, call.caller.region)
}

/// AWS tells no more than the code.
fn no_parameter() -> ServiceError {
    ServiceError::silent("ParameterNotFound")
}

fn no_version(name: &str, version: &str) -> ServiceError {
    let message = format!(
        "Systems Manager could not find version {version} of {name}. Verify the version and try again."
    );
    ServiceError::new("ParameterVersionNotFound", message)
}

fn validation(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ValidationException", message)
}

fn invalid_token() -> ServiceError {
    ServiceError::new("InvalidNextToken", "The specified token is not valid.")
}

#[cfg(test)]
mod tests;
