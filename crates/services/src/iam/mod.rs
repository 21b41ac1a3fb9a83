//! Identity and Access Management: roles and policies. An account's, whatever the region.

mod managed;
mod policy;
mod role;

use crate::call::{Answer, Call};
use crate::dispatch::Parts;
use crate::documents::Documents;
use crate::fields::{self, integer, text};
use policy::Policy;
use role::Role;
use serde_json::Value;
use store::Store;
use wire::{Response, ServiceError};
use world::World;

pub(crate) use role::RoleArn;

pub(crate) struct Iam {
    world: World,
    roles: Documents<Role>,
    policies: Documents<Policy>,
}

impl Iam {
    pub fn new(parts: &Parts) -> Iam {
        Iam::over(&parts.store, &parts.world)
    }

    pub fn over(store: &Store, world: &World) -> Iam {
        Iam {
            world: world.clone(),
            roles: Documents::new(store, "iam/role"),
            policies: Documents::new(store, "iam/policy"),
        }
    }

    pub async fn call(&self, call: Call) -> Response {
        let answer = match call.input() {
            Ok(input) => self.answer(&call, &input).await,
            Err(error) => Err(error),
        };
        call.settle(answer)
    }

    async fn answer(&self, call: &Call, input: &Value) -> Answer {
        match call.operation.name {
            "CreateRole" => self.create_role(call, input).await,
            "GetRole" => self.get_role(call, input),
            "UpdateRole" => self.update_role(call, input).await,
            "UpdateRoleDescription" => self.update_role_description(call, input).await,
            "ListInstanceProfilesForRole" => self.list_instance_profiles(call, input),
            "ListEntitiesForPolicy" => self.list_entities(call, input),
            "UpdateAssumeRolePolicy" => self.update_trust(call, input).await,
            "DeleteRole" => self.delete_role(call, input).await,
            "ListRoles" => self.list_roles(call, input),
            "TagRole" => self.tag_role(call, input).await,
            "UntagRole" => self.untag_role(call, input).await,
            "ListRoleTags" => self.list_role_tags(call, input),
            "AttachRolePolicy" => self.attach_role_policy(call, input).await,
            "DetachRolePolicy" => self.detach_role_policy(call, input).await,
            "ListAttachedRolePolicies" => self.list_attached_role_policies(call, input),
            "PutRolePolicy" => self.put_role_policy(call, input).await,
            "GetRolePolicy" => self.get_role_policy(call, input),
            "DeleteRolePolicy" => self.delete_role_policy(call, input).await,
            "ListRolePolicies" => self.list_role_policies(call, input),
            "CreatePolicy" => self.create_policy(call, input).await,
            "GetPolicy" => self.get_policy(call, input),
            "GetPolicyVersion" => self.get_policy_version(call, input),
            "ListPolicies" => self.list_policies(call, input),
            "ListPolicyVersions" => self.list_policy_versions(call, input),
            "DeletePolicy" => self.delete_policy(call, input).await,
            _ => Err(call.unknown()),
        }
    }
}

/// Cuts the page that `Marker` and `MaxItems` ask for, in IAM's form.
fn paged(input: &Value, member: &str, entries: Vec<(String, Value)>) -> Answer {
    let limit = integer(input, "MaxItems").unwrap_or(100).max(1) as usize;
    let page = fields::page(entries, text(input, "Marker"), limit, || {
        ServiceError::new("ValidationError", "The specified marker is invalid.")
    })?;
    let truncated = page.next.is_some();
    Ok(fields::object([
        (member, Some(Value::Array(page.items))),
        ("IsTruncated", Some(truncated.into())),
        ("Marker", page.next.map(Value::from)),
    ]))
}

/// A policy document must at least be a JSON object with statements.
fn checked_document(document: &str) -> Result<String, ServiceError> {
    let malformed = |message: &str| ServiceError::new("MalformedPolicyDocument", message);
    let parsed: Value =
        serde_json::from_str(document).map_err(|_| malformed("This policy contains invalid Json"))?;
    match parsed.get("Statement") {
        Some(Value::Array(_) | Value::Object(_)) => Ok(document.to_owned()),
        _ => Err(malformed("Syntax errors in policy.")),
    }
}

fn no_such_entity(message: String) -> ServiceError {
    ServiceError::new("NoSuchEntity", message).with_status(404)
}

fn already_exists(message: String) -> ServiceError {
    ServiceError::new("EntityAlreadyExists", message).with_status(409)
}

fn delete_conflict(message: &str) -> ServiceError {
    ServiceError::new("DeleteConflict", message).with_status(409)
}

#[cfg(test)]
mod tests;
