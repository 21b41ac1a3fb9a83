//! Elastic Container Registry: repositories by name, with their policies. There are no images: functions run without
//! containers, and what would push or pull one is refused by name.

use crate::dispatch::Parts;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Pending};
use servicekit::documents::{Documents, Edit};
use servicekit::fields::{object, required, tag_list, tags_of, text, texts};
use std::collections::BTreeMap;
use wire::{Response, ServiceError};
use world::World;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Repository {
    created_s: u64,
    mutability: String,
    scan_on_push: bool,
    encryption: Value,
    lifecycle: Option<String>,
    policy: Option<String>,
    tags: BTreeMap<String, String>,
}

pub(crate) struct Ecr {
    world: World,
    repositories: Documents<Repository>,
}

impl Ecr {
    pub fn new(parts: &Parts) -> Ecr {
        Ecr { world: parts.world.clone(), repositories: Documents::new(&parts.store, "ecr/repository") }
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
        let name = required(input, "repositoryName");
        match call.operation.name {
            "CreateRepository" => self.create(call, input, name).await,
            "DescribeRepositories" => self.describe(call, input),
            "DeleteRepository" => {
                let gone = self.repositories.remove(&key(call, name)).await?;
                let gone = gone.ok_or_else(|| missing(call, name))?;
                Ok(json!({ "repository": shown(call, name, &gone) }))
            }
            "PutLifecyclePolicy" => {
                let text = document(input, "lifecyclePolicyText")?;
                self.change(call, name, |one| one.lifecycle = Some(text.clone())).await?;
                Ok(
                    json!({ "repositoryName": name, "registryId": &*call.caller.account, "lifecyclePolicyText": text }),
                )
            }
            "GetLifecyclePolicy" => {
                let one = self
                    .get(call, name)?
                    .lifecycle
                    .ok_or_else(|| no_policy("LifecyclePolicyNotFoundException", "Lifecycle policy"))?;
                Ok(
                    json!({ "repositoryName": name, "registryId": &*call.caller.account, "lifecyclePolicyText": one }),
                )
            }
            "DeleteLifecyclePolicy" => {
                let old = self.get(call, name)?.lifecycle;
                let old =
                    old.ok_or_else(|| no_policy("LifecyclePolicyNotFoundException", "Lifecycle policy"))?;
                self.change(call, name, |one| one.lifecycle = None).await?;
                Ok(
                    json!({ "repositoryName": name, "registryId": &*call.caller.account, "lifecyclePolicyText": old }),
                )
            }
            "SetRepositoryPolicy" => {
                let text = document(input, "policyText")?;
                self.change(call, name, |one| one.policy = Some(text.clone())).await?;
                Ok(json!({ "repositoryName": name, "registryId": &*call.caller.account, "policyText": text }))
            }
            "GetRepositoryPolicy" => {
                let one = self
                    .get(call, name)?
                    .policy
                    .ok_or_else(|| no_policy("RepositoryPolicyNotFoundException", "Repository policy"))?;
                Ok(json!({ "repositoryName": name, "registryId": &*call.caller.account, "policyText": one }))
            }
            "DeleteRepositoryPolicy" => {
                let old = self.get(call, name)?.policy;
                let old =
                    old.ok_or_else(|| no_policy("RepositoryPolicyNotFoundException", "Repository policy"))?;
                self.change(call, name, |one| one.policy = None).await?;
                Ok(json!({ "repositoryName": name, "registryId": &*call.caller.account, "policyText": old }))
            }
            "PutImageTagMutability" => {
                let mutability = required(input, "imageTagMutability").to_owned();
                self.change(call, name, |one| one.mutability = mutability.clone()).await?;
                Ok(
                    json!({ "repositoryName": name, "registryId": &*call.caller.account, "imageTagMutability": mutability }),
                )
            }
            "ListImages" => {
                self.get(call, name)?;
                Ok(json!({ "imageIds": [] }))
            }
            "DescribeImages" => {
                self.get(call, name)?;
                match input.get("imageIds").and_then(|ids| ids.get(0)) {
                    None => Ok(json!({ "imageDetails": [] })),
                    Some(id) => {
                        let message = format!(
                            "The image with imageId {id} does not exist within the repository with name '{name}' in the registry with id '{}'",
                            call.caller.account
                        );
                        Err(ServiceError::new("ImageNotFoundException", message))
                    }
                }
            }
            "ListTagsForResource" => {
                Ok(json!({ "tags": tag_list(&self.get(call, named_by_arn(input))?.tags) }))
            }
            "TagResource" => {
                let tags = tags_of(input, "tags");
                self.change(call, named_by_arn(input), |one| one.tags.extend(tags.clone())).await?;
                Ok(json!({}))
            }
            "UntagResource" => {
                let keys = texts(input, "tagKeys");
                let name = named_by_arn(input);
                self.change(call, name, |one| one.tags.retain(|key, _| !keys.contains(key))).await?;
                Ok(json!({}))
            }
            _ => Err(call.unknown()),
        }
    }

    async fn create(&self, call: &Call, input: &Value, name: &str) -> Answer {
        if input.get("imageTagMutabilityExclusionFilters").is_some() {
            let message = "imageTagMutabilityExclusionFilters is not implemented";
            return Err(ServiceError::new("InvalidParameterException", message));
        }
        let scanning = input.get("imageScanningConfiguration").and_then(|one| one.get("scanOnPush"));
        let repository = Repository {
            created_s: self.world.now().seconds(),
            mutability: text(input, "imageTagMutability").unwrap_or("MUTABLE").to_owned(),
            scan_on_push: scanning.and_then(Value::as_bool) == Some(true),
            encryption: input
                .get("encryptionConfiguration")
                .cloned()
                .unwrap_or(json!({ "encryptionType": "AES256" })),
            lifecycle: None,
            policy: None,
            tags: tags_of(input, "tags"),
        };
        self.repositories
            .edit(&key(call, name), |old| match old {
                None => Ok((Edit::Put(repository.clone()), ())),
                Some(_) => Err(ServiceError::new(
                    "RepositoryAlreadyExistsException",
                    format!(
                        "The repository with name '{name}' already exists in the registry with id '{}'",
                        call.caller.account
                    ),
                )),
            })
            .await?;
        Ok(json!({ "repository": shown(call, name, &repository) }))
    }

    fn describe(&self, call: &Call, input: &Value) -> Answer {
        let names = texts(input, "repositoryNames");
        let found: Vec<Value> = if names.is_empty() {
            let all = self.repositories.list(&key(call, ""))?;
            all.iter().map(|(name, one)| shown(call, name, one)).collect()
        } else {
            let shown = |name: &String| Ok(shown(call, name, &self.get(call, name)?));
            names.iter().map(shown).collect::<Result<_, ServiceError>>()?
        };
        let limit = servicekit::fields::integer(input, "maxResults").unwrap_or(1000) as usize;
        let entries =
            found.into_iter().map(|one| (required(&one, "repositoryName").to_owned(), one)).collect();
        let page = servicekit::fields::page(entries, text(input, "nextToken"), limit, || {
            ServiceError::new("InvalidParameterException", "Invalid parameter at 'nextToken'")
        })?;
        Ok(object([("repositories", Some(page.items.into())), ("nextToken", page.next.map(Value::from))]))
    }

    fn get(&self, call: &Call, name: &str) -> Result<Repository, ServiceError> {
        self.repositories.get(&key(call, name))?.ok_or_else(|| missing(call, name))
    }

    async fn change(
        &self,
        call: &Call,
        name: &str,
        change: impl Fn(&mut Repository),
    ) -> Result<(), ServiceError> {
        self.repositories
            .edit(&key(call, name), |one| {
                let mut one = one.ok_or_else(|| missing(call, name))?;
                change(&mut one);
                Ok((Edit::Put(one), ()))
            })
            .await
    }
}

fn named_by_arn(input: &Value) -> &str {
    required(input, "resourceArn").rsplit_once("repository/").map_or("", |(_, name)| name)
}

fn key(call: &Call, name: &str) -> String {
    format!("{}/{}/{name}", call.caller.account, call.caller.region)
}

fn missing(call: &Call, name: &str) -> ServiceError {
    let account = &call.caller.account;
    let message =
        format!("The repository with name '{name}' does not exist in the registry with id '{account}'");
    ServiceError::new("RepositoryNotFoundException", message)
}

fn no_policy(code: &'static str, what: &str) -> ServiceError {
    ServiceError::new(code, format!("{what} does not exist for the repository"))
}

/// A policy's text, which must be JSON.
fn document(input: &Value, member: &str) -> Result<String, ServiceError> {
    let text = required(input, member);
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_)) => Ok(text.to_owned()),
        _ => Err(ServiceError::new(
            "InvalidParameterException",
            format!("Invalid parameter at '{member}': not a JSON document"),
        )),
    }
}

fn shown(call: &Call, name: &str, repository: &Repository) -> Value {
    let (account, region) = (&call.caller.account, &call.caller.region);
    json!({
        "repositoryArn": format!("arn:aws:ecr:{region}:{account}:repository/{name}"),
        "registryId": &**account,
        "repositoryName": name,
        "repositoryUri": format!("{account}.dkr.ecr.{region}.amazonaws.com/{name}"),
        "createdAt": repository.created_s,
        "imageTagMutability": repository.mutability,
        "imageScanningConfiguration": { "scanOnPush": repository.scan_on_push },
        "encryptionConfiguration": repository.encryption,
    })
}
