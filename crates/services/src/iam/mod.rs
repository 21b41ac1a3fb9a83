//! Identity and Access Management: users and their keys, groups, roles, policies. An account's, whatever the region.

mod access_key;
mod group;
mod managed;
mod permissions;
mod policy;
mod policy_tags;
mod role;
mod user;
mod versions;

use crate::dispatch::Parts;
use access::Keys;
use access::policy::Document;
use group::Group;
use policy::Policy;
use role::Role;
pub(crate) use role::role_id;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Pending};
use servicekit::documents::Documents;
use servicekit::fields::{self, integer, text};
use store::Store;
use user::User;
use wire::{Response, ServiceError};
use world::World;

/// The kind of their documents.
const ROLES: &str = "iam/role";

pub(crate) struct Iam {
    world: World,
    roles: Documents<Role>,
    policies: Documents<Policy>,
    users: Documents<User>,
    groups: Documents<Group>,
    keys: Keys,
}

impl Iam {
    pub fn new(parts: &Parts, keys: &Keys) -> Iam {
        Iam::over(&parts.store, &parts.world, keys)
    }

    pub fn over(store: &Store, world: &World, keys: &Keys) -> Iam {
        Iam {
            world: world.clone(),
            roles: Documents::new(store, ROLES),
            policies: Documents::new(store, "iam/policy"),
            users: Documents::new(store, "iam/user"),
            groups: Documents::new(store, "iam/group"),
            keys: keys.clone(),
        }
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
            "PutRolePermissionsBoundary" | "DeleteRolePermissionsBoundary" => {
                self.set_role_boundary(call, input).await
            }
            "CreateUser" => self.create_user(call, input).await,
            "GetUser" => self.get_user(call, input),
            "UpdateUser" => self.update_user(call, input).await,
            "DeleteUser" => self.delete_user(call, input).await,
            "ListUsers" => self.list_users(call, input),
            "TagUser" => self.tag_user(call, input).await,
            "UntagUser" => self.untag_user(call, input).await,
            "ListUserTags" => self.list_user_tags(call, input),
            "PutUserPermissionsBoundary" | "DeleteUserPermissionsBoundary" => {
                self.set_user_boundary(call, input).await
            }
            "AttachUserPolicy" => self.attach_user_policy(call, input).await,
            "DetachUserPolicy" => self.detach_user_policy(call, input).await,
            "ListAttachedUserPolicies" => self.list_attached_user_policies(call, input),
            "PutUserPolicy" => self.put_user_policy(call, input).await,
            "GetUserPolicy" => self.get_user_policy(call, input),
            "DeleteUserPolicy" => self.delete_user_policy(call, input).await,
            "ListUserPolicies" => self.list_user_policies(call, input),
            "CreateGroup" => self.create_group(call, input).await,
            "GetGroup" => self.get_group(call, input),
            "UpdateGroup" => self.update_group(call, input).await,
            "DeleteGroup" => self.delete_group(call, input).await,
            "ListGroups" => self.list_groups(call, input),
            "ListGroupsForUser" => self.list_groups_for_user(call, input),
            "AddUserToGroup" => self.add_user_to_group(call, input).await,
            "RemoveUserFromGroup" => self.remove_user_from_group(call, input).await,
            "AttachGroupPolicy" => self.attach_group_policy(call, input).await,
            "DetachGroupPolicy" => self.detach_group_policy(call, input).await,
            "ListAttachedGroupPolicies" => self.list_attached_group_policies(call, input),
            "PutGroupPolicy" => self.put_group_policy(call, input).await,
            "GetGroupPolicy" => self.get_group_policy(call, input),
            "DeleteGroupPolicy" => self.delete_group_policy(call, input).await,
            "ListGroupPolicies" => self.list_group_policies(call, input),
            "CreateAccessKey" => self.create_access_key(call, input).await,
            "ListAccessKeys" => self.list_access_keys(call, input),
            "UpdateAccessKey" => self.update_access_key(call, input).await,
            "DeleteAccessKey" => self.delete_access_key(call, input).await,
            "CreatePolicyVersion" => self.create_policy_version(call, input).await,
            "SetDefaultPolicyVersion" => self.set_default_policy_version(call, input).await,
            "DeletePolicyVersion" => self.delete_policy_version(call, input).await,
            "CreatePolicy" => self.create_policy(call, input).await,
            "GetPolicy" => self.get_policy(call, input),
            "GetPolicyVersion" => self.get_policy_version(call, input),
            "ListPolicies" => self.list_policies(call, input),
            "ListPolicyVersions" => self.list_policy_versions(call, input),
            "DeletePolicy" => self.delete_policy(call, input).await,
            "TagPolicy" => self.tag_policy(call, input).await,
            "UntagPolicy" => self.untag_policy(call, input).await,
            "ListPolicyTags" => self.list_policy_tags(call, input),
            // An account here has its number and no name.
            "ListAccountAliases" => paged(input, "AccountAliases", Vec::new()),
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

/// A policy document must be one that a decision can be made with.
fn checked_document(document: &str) -> Result<String, ServiceError> {
    match Document::parse(document) {
        Ok(_) => Ok(document.to_owned()),
        Err(malformed) => Err(ServiceError::new("MalformedPolicyDocument", malformed.0)),
    }
}

/// Attached policies by name, of those whose path begins so.
fn attached(arns: Vec<String>, path_prefix: Option<&str>) -> Vec<(String, Value)> {
    let prefix = path_prefix.unwrap_or("/");
    let of_path = arns.into_iter().filter(|arn| {
        arn.split_once(":policy").is_some_and(|(_, path_and_name)| path_and_name.starts_with(prefix))
    });
    let mut shown: Vec<(String, Value)> = of_path
        .map(|arn| {
            let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
            (name.clone(), json!({ "PolicyName": name, "PolicyArn": arn }))
        })
        .collect();
    shown.sort_by(|(left, _), (right, _)| left.cmp(right));
    shown
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
