//! Roles: their trust, their inline policies, the managed policies attached to them.

use super::{Iam, already_exists, checked_document, delete_conflict, no_such_entity, paged};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::{Documents, Edit};
use servicekit::fields::{self, integer, object, required, text};
use servicekit::ids;
use std::collections::BTreeMap;
use store::Store;
use wire::ServiceError;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Role {
    name: String,
    path: String,
    id: String,
    arn: String,
    created_s: u64,
    trust: String,
    description: Option<String>,
    session_s_max: i64,
    boundary: Option<String>,
    tags: BTreeMap<String, String>,
    /// ARNs of managed policies.
    pub attached: Vec<String>,
    /// Inline policies: name → document.
    inline: BTreeMap<String, String>,
}

impl Role {
    /// Its name and id, as a policy's entities are listed.
    pub(super) fn named(&self) -> Value {
        json!({ "RoleName": self.name, "RoleId": self.id })
    }

    pub(super) fn is_at(&self, path_prefix: &str) -> bool {
        self.path.starts_with(path_prefix)
    }

    /// As IAM shows it. Documents are percent-encoded JSON on this wire.
    pub(super) fn inline(&self) -> &BTreeMap<String, String> {
        &self.inline
    }

    pub(super) fn boundary(&self) -> Option<&str> {
        self.boundary.as_deref()
    }

    pub(super) fn trust(&self) -> &str {
        &self.trust
    }

    pub(super) fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    fn shown(&self) -> Value {
        let boundary = self
            .boundary
            .as_ref()
            .map(|arn| json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn }));
        object([
            ("Path", Some(self.path.clone().into())),
            ("RoleName", Some(self.name.clone().into())),
            ("RoleId", Some(self.id.clone().into())),
            ("Arn", Some(self.arn.clone().into())),
            ("CreateDate", Some(self.created_s.into())),
            ("AssumeRolePolicyDocument", Some(encoded(&self.trust))),
            ("Description", self.description.clone().map(Value::from)),
            ("MaxSessionDuration", Some(self.session_s_max.into())),
            ("PermissionsBoundary", boundary),
            ("Tags", (!self.tags.is_empty()).then(|| fields::tag_list(&self.tags))),
        ])
    }
}

pub(super) fn encoded(document: &str) -> Value {
    wire::percent::encode(document).into()
}

/// Names are told apart without regard to case.
fn key(call: &Call, name: &str) -> String {
    format!("{}/{}", call.caller.account, name.to_ascii_lowercase())
}

fn missing(name: &str) -> ServiceError {
    no_such_entity(format!("The role with name {name} cannot be found."))
}

/// The id of a role that there is: what its sessions are told by.
pub(crate) fn role_id(store: &Store, account: &str, name: &str) -> Result<Option<String>, ServiceError> {
    let roles: Documents<Role> = Documents::new(store, super::ROLES);
    Ok(roles.get(&format!("{account}/{}", name.to_ascii_lowercase()))?.map(|role| role.id))
}

impl Iam {
    pub(super) async fn create_role(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "RoleName");
        let path = text(input, "Path").unwrap_or("/");
        let role = Role {
            name: name.to_owned(),
            path: path.to_owned(),
            id: format!("AROA{}", ids::token(&self.world, 17)),
            arn: format!("arn:aws:iam::{}:role{path}{name}", call.caller.account),
            created_s: self.world.now().seconds(),
            trust: checked_document(required(input, "AssumeRolePolicyDocument"))?,
            description: text(input, "Description").map(str::to_owned),
            session_s_max: integer(input, "MaxSessionDuration").unwrap_or(3_600),
            boundary: text(input, "PermissionsBoundary").map(str::to_owned),
            tags: fields::tags_of(input, "Tags"),
            attached: Vec::new(),
            inline: BTreeMap::new(),
        };
        // How long its sessions last is told from the first reading on. [suite: recorded answers]
        let mut shown = role.shown();
        if let Some(members) = shown.as_object_mut() {
            members.remove("MaxSessionDuration");
        }
        self.roles
            .edit(&key(call, name), |old| match old {
                Some(_) => Err(already_exists(format!("Role with name {name} already exists."))),
                None => Ok((Edit::Put(role.clone()), ())),
            })
            .await?;
        Ok(json!({ "Role": shown }))
    }

    pub(super) fn role(&self, call: &Call, name: &str) -> Result<Role, ServiceError> {
        self.roles.get(&key(call, name))?.ok_or_else(|| missing(name))
    }

    /// Changes the role that `RoleName` names.
    async fn change(
        &self,
        call: &Call,
        input: &Value,
        mut change: impl FnMut(&mut Role) -> Result<(), ServiceError>,
    ) -> Result<Role, ServiceError> {
        let name = required(input, "RoleName");
        self.roles
            .edit(&key(call, name), |old| {
                let mut role = old.ok_or_else(|| missing(name))?;
                change(&mut role)?;
                Ok((Edit::Put(role.clone()), role))
            })
            .await
    }

    pub(super) fn get_role(&self, call: &Call, input: &Value) -> Answer {
        let mut shown = self.role(call, required(input, "RoleName"))?.shown();
        shown["RoleLastUsed"] = json!({});
        Ok(json!({ "Role": shown }))
    }

    pub(super) async fn update_role(&self, call: &Call, input: &Value) -> Answer {
        self.change(call, input, |role| {
            if let Some(description) = text(input, "Description") {
                role.description = Some(description.to_owned());
            }
            role.session_s_max = integer(input, "MaxSessionDuration").unwrap_or(role.session_s_max);
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) async fn update_role_description(&self, call: &Call, input: &Value) -> Answer {
        let description = required(input, "Description");
        let change = |role: &mut Role| {
            role.description = Some(description.to_owned());
            Ok(())
        };
        Ok(json!({ "Role": self.change(call, input, change).await?.shown() }))
    }

    /// There are no instances here, and no profiles of theirs: whoever cleans up asks all the same.
    pub(super) fn list_instance_profiles(&self, call: &Call, input: &Value) -> Answer {
        self.role(call, required(input, "RoleName"))?;
        paged(input, "InstanceProfiles", Vec::new())
    }

    pub(super) async fn update_trust(&self, call: &Call, input: &Value) -> Answer {
        let trust = checked_document(required(input, "PolicyDocument"))?;
        self.change(call, input, |role| {
            role.trust = trust.clone();
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) async fn delete_role(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "RoleName");
        self.roles
            .edit(&key(call, name), |old| {
                let role = old.ok_or_else(|| missing(name))?;
                if !role.attached.is_empty() {
                    return Err(delete_conflict("Cannot delete entity, must detach policies first."));
                }
                if !role.inline.is_empty() {
                    return Err(delete_conflict("Cannot delete entity, must delete policies first."));
                }
                Ok((Edit::Remove, ()))
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) fn list_roles(&self, call: &Call, input: &Value) -> Answer {
        let prefix = text(input, "PathPrefix").unwrap_or("/");
        let roles = self.roles.list(&format!("{}/", call.caller.account))?;
        let shown =
            roles.into_iter().filter(|(_, role)| role.path.starts_with(prefix)).map(|(name, role)| {
                let mut shown = role.shown();
                if let Some(members) = shown.as_object_mut() {
                    // A list leaves them out.
                    members.remove("Tags");
                    members.remove("PermissionsBoundary");
                }
                (name, shown)
            });
        paged(input, "Roles", shown.collect())
    }

    pub(super) async fn tag_role(&self, call: &Call, input: &Value) -> Answer {
        let tags = fields::tags_of(input, "Tags");
        self.change(call, input, |role| {
            role.tags.extend(tags.clone());
            if role.tags.len() > 50 {
                let message = "The number of tags has reached the maximum limit.";
                return Err(ServiceError::new("LimitExceeded", message).with_status(409));
            }
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) async fn untag_role(&self, call: &Call, input: &Value) -> Answer {
        let keys = fields::texts(input, "TagKeys");
        self.change(call, input, |role| {
            role.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) fn list_role_tags(&self, call: &Call, input: &Value) -> Answer {
        let role = self.role(call, required(input, "RoleName"))?;
        let shown = role.tags.iter().map(|(key, value)| (key.clone(), json!({ "Key": key, "Value": value })));
        paged(input, "Tags", shown.collect())
    }

    pub(super) async fn attach_role_policy(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "PolicyArn");
        self.attachable(call, Some(arn))?;
        self.change(call, input, |role| {
            if !role.attached.iter().any(|attached| attached == arn) {
                role.attached.push(arn.to_owned());
            }
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) async fn detach_role_policy(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "PolicyArn");
        self.change(call, input, |role| {
            let before = role.attached.len();
            role.attached.retain(|attached| attached != arn);
            if role.attached.len() == before {
                return Err(no_such_entity(format!("Policy {arn} was not found.")));
            }
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) fn list_attached_role_policies(&self, call: &Call, input: &Value) -> Answer {
        let role = self.role(call, required(input, "RoleName"))?;
        paged(input, "AttachedPolicies", super::attached(role.attached, text(input, "PathPrefix")))
    }

    pub(super) async fn set_role_boundary(&self, call: &Call, input: &Value) -> Answer {
        let boundary = text(input, "PermissionsBoundary");
        self.attachable(call, boundary)?;
        self.change(call, input, |role| {
            role.boundary = boundary.map(str::to_owned);
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) async fn put_role_policy(&self, call: &Call, input: &Value) -> Answer {
        let document = checked_document(required(input, "PolicyDocument"))?;
        self.change(call, input, |role| {
            role.inline.insert(required(input, "PolicyName").to_owned(), document.clone());
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) fn get_role_policy(&self, call: &Call, input: &Value) -> Answer {
        let role = self.role(call, required(input, "RoleName"))?;
        let name = required(input, "PolicyName");
        let document = role.inline.get(name).ok_or_else(|| missing_inline(name))?;
        Ok(json!({ "RoleName": role.name, "PolicyName": name, "PolicyDocument": encoded(document) }))
    }

    pub(super) async fn delete_role_policy(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "PolicyName");
        self.change(call, input, |role| {
            role.inline.remove(name).map(|_| ()).ok_or_else(|| missing_inline(name))
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) fn list_role_policies(&self, call: &Call, input: &Value) -> Answer {
        let role = self.role(call, required(input, "RoleName"))?;
        let names = role.inline.into_keys().map(|name| (name.clone(), Value::from(name)));
        paged(input, "PolicyNames", names.collect())
    }
}

fn missing_inline(name: &str) -> ServiceError {
    no_such_entity(format!("The role policy with name {name} cannot be found."))
}
