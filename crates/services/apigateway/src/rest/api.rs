//! APIs and the account they belong to.

use super::book::{Resource, RestApi};
use super::patch::{self, Rules};
use super::{Rest, model, page};
use crate::fault::{bad, refuse};
use crate::members::{Members, take_over};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text, texts};
use servicekit::ids;
use std::collections::BTreeMap;
use wire::ServiceError;

const REFUSED: &[&str] =
    &["cloneFrom", "endpointAccessMode", "minimumCompressionSize", "policy", "securityPolicy"];

const OWN: &[&str] = &[
    "name",
    "description",
    "version",
    "binaryMediaTypes",
    "apiKeySource",
    "endpointConfiguration",
    "tags",
    "disableExecuteApiEndpoint",
];

const PATCHED: Rules = Rules {
    texts: &["name", "description", "version"],
    truths: &["disableExecuteApiEndpoint"],
    lists: &["binaryMediaTypes"],
    ..Rules::NONE
};

impl Rest {
    pub(super) async fn create_rest_api(&self, call: &Call, input: &Value) -> Answer {
        let (id, api) = self.made(call, input)?;
        let told = api.told.clone();
        self.book.apis.put(&id, api).await?;
        Ok(Value::Object(told))
    }

    /// A new API, with nothing but its root.
    pub(super) fn made(&self, call: &Call, input: &Value) -> Result<(String, RestApi), ServiceError> {
        check(input)?;
        if required(input, "name").trim().is_empty() {
            return Err(bad("Invalid API name specified"));
        }
        let (id, root) = (ids::small(&self.book.world, 10), ids::small(&self.book.world, 10));
        let mut told = Members::new();
        told.insert("id".to_owned(), id.as_str().into());
        told.insert("apiKeySource".to_owned(), "HEADER".into());
        told.insert("createdDate".to_owned(), self.book.now());
        told.insert("disableExecuteApiEndpoint".to_owned(), false.into());
        told.insert("endpointConfiguration".to_owned(), json!({"types": ["EDGE"], "ipAddressType": "ipv4"}));
        told.insert("rootResourceId".to_owned(), root.as_str().into());
        take_over(&mut told, input, OWN);
        if let Some(Value::Object(endpoint)) = told.get_mut("endpointConfiguration") {
            endpoint.entry("types").or_insert_with(|| json!(["EDGE"]));
            endpoint.entry("ipAddressType").or_insert_with(|| json!("ipv4"));
        }
        let api = RestApi {
            account: call.caller.account.to_string(),
            region: call.caller.region.to_string(),
            told,
            resources: BTreeMap::from([(root.clone(), Resource::default())]),
            models: model::first(&self.book.world),
            root,
            ..RestApi::default()
        };
        Ok((id, api))
    }

    pub(super) fn get_rest_api(&self, call: &Call, input: &Value) -> Answer {
        Ok(Value::Object(self.book.find(&call.caller, required(input, "restApiId"))?.told))
    }

    pub(super) fn get_rest_apis(&self, call: &Call, input: &Value) -> Answer {
        let all = self.book.apis.list("")?.into_iter();
        let here = all.filter(|(_, api)| api.region == *call.caller.region);
        page(input, here.map(|(id, api)| (id, api.told)))
    }

    pub(super) async fn update_rest_api(&self, call: &Call, input: &Value) -> Answer {
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            for patch in patch::all(input) {
                let path: Vec<&str> = patch.path.iter().map(String::as_str).collect();
                match path.as_slice() {
                    ["endpointConfiguration", "types", _] => {
                        let types = json!([patch.value.clone().unwrap_or_default()]);
                        check(&json!({"endpointConfiguration": {"types": types}}))?;
                        api.told["endpointConfiguration"]["types"] = types;
                    }
                    _ => patch::apply(&mut api.told, &[patch], &PATCHED)?,
                }
            }
            Ok(api.told.clone())
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_rest_api(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "restApiId");
        self.book.delete(&call.caller, id).await?;
        self.plans.forget_stages(&call.caller, id, None).await?;
        Ok(json!({}))
    }

    pub(super) fn get_account(&self, call: &Call) -> Answer {
        let role = self.accounts.get(&call.caller.region)?;
        let mut told = json!({
            "apiKeyVersion": "4",
            "features": ["UsagePlans"],
            "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
        });
        if let Some(role) = role {
            told["cloudwatchRoleArn"] = role.into();
        }
        Ok(told)
    }

    pub(super) async fn update_account(&self, call: &Call, input: &Value) -> Answer {
        let mut told = Members::new();
        let rules = Rules { texts: &["cloudwatchRoleArn"], ..Rules::NONE };
        let patches = patch::all(input);
        patch::apply(&mut told, &patches, &rules)?;
        let named = told.get("cloudwatchRoleArn").and_then(Value::as_str).filter(|role| !role.is_empty());
        match named {
            Some(role) if !role.starts_with("arn:") || !role.contains(":role/") => {
                return Err(bad(
                    "The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy.",
                ));
            }
            Some(role) => self.accounts.put(&call.caller.region, role.to_owned()).await?,
            None if patches.is_empty() => {}
            None => drop(self.accounts.remove(&call.caller.region).await?),
        }
        self.get_account(call)
    }
}

fn check(input: &Value) -> Result<(), ServiceError> {
    refuse(input, REFUSED)?;
    if text(input, "apiKeySource").is_some_and(|source| source != "HEADER") {
        return Err(bad("apiKeySource AUTHORIZER is not supported."));
    }
    let endpoint = input.get("endpointConfiguration").unwrap_or(&Value::Null);
    refuse(endpoint, &["vpcEndpointIds"])?;
    match texts(endpoint, "types").iter().find(|kind| !["EDGE", "REGIONAL"].contains(&kind.as_str())) {
        Some(kind) => Err(bad(format!("Endpoint type {kind} is not supported: use REGIONAL or EDGE."))),
        None => Ok(()),
    }
}
