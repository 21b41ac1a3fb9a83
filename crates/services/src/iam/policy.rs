//! Managed policies: the caller's own, and the ones AWS keeps.

use super::managed::MANAGED;
use super::versions::Versions;
use super::{Iam, already_exists, checked_document, delete_conflict, no_such_entity, paged};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{self, object, required, text};
use servicekit::ids;
use std::collections::BTreeMap;
use wire::ServiceError;

/// One policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Policy {
    name: String,
    path: String,
    id: String,
    arn: String,
    created_s: u64,
    description: Option<String>,
    /// Of the version that counts.
    document: String,
    pub tags: BTreeMap<String, String>,
    #[serde(default)]
    pub versions: Versions,
}

/// When the policies that AWS keeps are said to have been made.
const MANAGED_SINCE_S: u64 = 1_423_008_000;

impl Policy {
    pub(super) fn managed(arn: &str) -> Option<Policy> {
        let path_and_name = arn.strip_prefix("arn:aws:iam::aws:policy/")?;
        let managed = MANAGED.iter().find(|managed| managed.path_and_name == path_and_name)?;
        let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
        let path = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
        Some(Policy {
            name: name.to_owned(),
            path,
            id: managed.id(),
            arn: arn.to_owned(),
            created_s: MANAGED_SINCE_S,
            description: None,
            document: managed.document(),
            tags: BTreeMap::new(),
            versions: Versions::default(),
        })
    }

    fn shown(&self, attachments: usize) -> Value {
        object([
            ("PolicyName", Some(self.name.clone().into())),
            ("PolicyId", Some(self.id.clone().into())),
            ("Arn", Some(self.arn.clone().into())),
            ("Path", Some(self.path.clone().into())),
            ("DefaultVersionId", Some(self.default_version().into())),
            ("AttachmentCount", Some(attachments.into())),
            ("PermissionsBoundaryUsageCount", Some(0.into())),
            ("IsAttachable", Some(true.into())),
            ("CreateDate", Some(self.created_s.into())),
            ("UpdateDate", Some(self.created_s.into())),
        ])
    }

    pub(super) fn document(&self) -> &str {
        &self.document
    }

    pub(super) fn set_document(&mut self, document: String) {
        self.document = document;
    }

    pub(super) fn created_s(&self) -> u64 {
        self.created_s
    }
}

pub(super) fn missing(arn: &str) -> ServiceError {
    no_such_entity(format!("Policy {arn} was not found."))
}

impl Iam {
    /// The policy of that ARN, whoever keeps it.
    pub(super) fn policy(&self, call: &Call, arn: &str) -> Result<Option<Policy>, ServiceError> {
        match Policy::managed(arn) {
            Some(policy) => Ok(Some(policy)),
            None if arn.starts_with(&format!("arn:aws:iam::{}:policy/", call.caller.account)) => {
                self.policies.get(arn)
            }
            None => Ok(None),
        }
    }

    fn attachments(&self, call: &Call, arn: &str) -> Result<usize, ServiceError> {
        let of_account = format!("{}/", call.caller.account);
        let (roles, users) = (self.roles.list(&of_account)?, self.users.list(&of_account)?);
        let groups = self.groups.list(&of_account)?;
        let holds = |attached: &Vec<String>| attached.iter().any(|attached| attached == arn);
        Ok(roles.iter().filter(|(_, role)| holds(&role.attached)).count()
            + users.iter().filter(|(_, user)| holds(&user.attached)).count()
            + groups.iter().filter(|(_, group)| holds(&group.attached)).count())
    }

    /// Refuses to name a policy that is not there.
    pub(super) fn attachable(&self, call: &Call, arn: Option<&str>) -> Result<(), ServiceError> {
        match arn {
            Some(arn) if arn.split(':').count() < 6 => {
                Err(ServiceError::new("ValidationError", "Invalid ARN:  Could not be parsed!"))
            }
            Some(arn) if self.policy(call, arn)?.is_none() => {
                Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")))
            }
            _ => Ok(()),
        }
    }

    /// Whom a policy is attached to: roles, users and groups.
    pub(super) fn list_entities(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "PolicyArn");
        if self.policy(call, arn)?.is_none() {
            return Err(missing(arn));
        }
        let prefix = text(input, "PathPrefix").unwrap_or("/");
        let is_wanted = |kind: &str| {
            text(input, "EntityFilter").is_none_or(|wanted| wanted == kind)
                && text(input, "PolicyUsageFilter").is_none_or(|usage| usage == "PermissionsPolicy")
        };
        let of_account = format!("{}/", call.caller.account);
        let holds = |attached: &[String]| attached.iter().any(|attached| attached == arn);
        let roles = self.roles.list(&of_account)?;
        let shown = roles
            .into_iter()
            .filter(|(_, role)| is_wanted("Role") && role.is_at(prefix) && holds(&role.attached))
            .map(|(name, role)| (name, role.named()));
        let mut answer = paged(input, "PolicyRoles", shown.collect())?;
        let groups = self.groups.list(&of_account)?;
        let groups = groups
            .iter()
            .filter(|(_, group)| is_wanted("Group") && group.is_at(prefix) && holds(&group.attached))
            .map(|(_, group)| group.named());
        answer["PolicyGroups"] = groups.collect();
        let users = self.users.list(&of_account)?;
        let users = users
            .iter()
            .filter(|(_, user)| is_wanted("User") && user.is_at(prefix) && holds(&user.attached))
            .map(|(_, user)| user.named());
        answer["PolicyUsers"] = users.collect();
        Ok(answer)
    }

    pub(super) async fn create_policy(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "PolicyName");
        let path = text(input, "Path").unwrap_or("/");
        let policy = Policy {
            name: name.to_owned(),
            path: path.to_owned(),
            id: format!("ANPA{}", ids::token(&self.world, 17)),
            arn: format!("arn:aws:iam::{}:policy{path}{name}", call.caller.account),
            created_s: self.world.now().seconds(),
            description: text(input, "Description").map(str::to_owned),
            document: checked_document(required(input, "PolicyDocument"))?,
            tags: fields::tags_of(input, "Tags"),
            versions: Versions::default(),
        };
        let mut shown = policy.shown(0);
        if !policy.tags.is_empty() {
            shown["Tags"] = fields::tag_list(&policy.tags);
        }
        let arn = policy.arn.clone();
        self.policies
            .edit(&arn, |old| match old {
                Some(_) => Err(already_exists(format!(
                    "A policy called {name} already exists. Duplicate names are not allowed."
                ))),
                None => Ok((Edit::Put(policy.clone()), ())),
            })
            .await?;
        Ok(json!({ "Policy": shown }))
    }

    pub(super) fn get_policy(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "PolicyArn");
        let policy = self.policy(call, arn)?.ok_or_else(|| missing(arn))?;
        // Only here all is told: a list has neither, and what makes one tells tags that there are.
        let mut shown = policy.shown(self.attachments(call, arn)?);
        shown["Tags"] = fields::tag_list(&policy.tags);
        if let Some(description) = &policy.description {
            shown["Description"] = description.as_str().into();
        }
        Ok(json!({ "Policy": shown }))
    }

    pub(super) fn list_policies(&self, call: &Call, input: &Value) -> Answer {
        let scope = text(input, "Scope").unwrap_or("All");
        let prefix = text(input, "PathPrefix").unwrap_or("/");
        let only_attached = input.get("OnlyAttached").and_then(Value::as_bool).unwrap_or(false);
        let mut policies = Vec::new();
        if scope != "AWS" {
            let own = self.policies.list(&format!("arn:aws:iam::{}:", call.caller.account))?;
            policies.extend(own.into_iter().map(|(_, policy)| policy));
        }
        if scope != "Local" {
            let arns = MANAGED.iter().map(|managed| managed.arn());
            policies.extend(arns.filter_map(|arn| Policy::managed(&arn)));
        }
        let mut shown = Vec::new();
        for policy in policies.into_iter().filter(|policy| policy.path.starts_with(prefix)) {
            let attachments = self.attachments(call, &policy.arn)?;
            if attachments > 0 || !only_attached {
                shown.push((policy.arn.clone(), policy.shown(attachments)));
            }
        }
        shown.sort_by(|(left, _), (right, _)| left.cmp(right));
        paged(input, "Policies", shown)
    }

    pub(super) async fn delete_policy(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "PolicyArn");
        if Policy::managed(arn).is_some() {
            let message = format!("Policy {arn} is an AWS managed policy and cannot be deleted.");
            return Err(ServiceError::new("AccessDenied", message).with_status(403));
        }
        if self.policy(call, arn)?.is_none() {
            return Err(missing(arn));
        }
        if self.attachments(call, arn)? > 0 {
            return Err(delete_conflict("Cannot delete a policy attached to entities."));
        }
        self.policies.remove(arn).await?;
        Ok(json!({}))
    }
}
