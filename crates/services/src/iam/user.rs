//! Users: their policies, their boundary, their tags. Their keys stand beside.

use super::role::encoded;
use super::{Iam, already_exists, checked_document, delete_conflict, no_such_entity, paged};
use access::Identity;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{self, object, required, text};
use servicekit::ids;
use std::collections::BTreeMap;
use wire::ServiceError;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct User {
    pub name: String,
    path: String,
    pub id: String,
    pub arn: String,
    created_s: u64,
    pub boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
    /// ARNs of managed policies.
    pub attached: Vec<String>,
    /// Inline policies: name → document.
    pub inline: BTreeMap<String, String>,
    /// The names of the groups it is in.
    #[serde(default)]
    pub groups: Vec<String>,
}

impl User {
    /// Its name and id, as a policy's entities are listed.
    pub fn named(&self) -> Value {
        json!({ "UserName": self.name, "UserId": self.id })
    }

    pub fn is_at(&self, path_prefix: &str) -> bool {
        self.path.starts_with(path_prefix)
    }

    /// Lists leave tags and boundary out.
    pub fn shown(&self, whole: bool) -> Value {
        let boundary = self
            .boundary
            .as_ref()
            .filter(|_| whole)
            .map(|arn| json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn }));
        let tags = (whole && !self.tags.is_empty()).then(|| fields::tag_list(&self.tags));
        object([
            ("Path", Some(self.path.clone().into())),
            ("UserName", Some(self.name.clone().into())),
            ("UserId", Some(self.id.clone().into())),
            ("Arn", Some(self.arn.clone().into())),
            ("CreateDate", Some(self.created_s.into())),
            ("PermissionsBoundary", boundary),
            ("Tags", tags),
        ])
    }
}

/// Names are told apart without regard to case.
pub(super) fn key(account: &str, name: &str) -> String {
    format!("{account}/{}", name.to_ascii_lowercase())
}

fn missing(name: &str) -> ServiceError {
    no_such_entity(format!("The user with name {name} cannot be found."))
}

fn missing_inline(name: &str) -> ServiceError {
    no_such_entity(format!("The user policy with name {name} cannot be found."))
}

impl Iam {
    pub(super) async fn create_user(&self, call: &Call, input: &Value) -> Answer {
        let (name, account) = (required(input, "UserName"), &*call.caller.account);
        let path = text(input, "Path").unwrap_or("/");
        let boundary = text(input, "PermissionsBoundary");
        self.attachable(call, boundary)?;
        let user = User {
            name: name.to_owned(),
            path: path.to_owned(),
            id: format!("AIDA{}", ids::token(&self.world, 17)),
            arn: format!("arn:aws:iam::{account}:user{path}{name}"),
            created_s: self.world.now().seconds(),
            boundary: boundary.map(str::to_owned),
            tags: fields::tags_of(input, "Tags"),
            attached: Vec::new(),
            inline: BTreeMap::new(),
            groups: Vec::new(),
        };
        let shown = user.shown(true);
        self.users
            .edit(&key(account, name), |old| match old {
                Some(_) => Err(already_exists(format!("User with name {name} already exists."))),
                None => Ok((Edit::Put(user.clone()), ())),
            })
            .await?;
        Ok(json!({ "User": shown }))
    }

    /// The user that a request names, or else the one that asks.
    pub(super) fn user(&self, call: &Call, input: &Value) -> Result<User, ServiceError> {
        let account = &*call.caller.account;
        let own = || match self.keys.find(call.caller.access_key.as_deref().unwrap_or_default()) {
            Ok(Some(known)) => match known.identity {
                Identity::User { name, .. } => Some(name),
                Identity::Root { .. } | Identity::Role { .. } => None,
            },
            _ => None,
        };
        let name = text(input, "UserName").map(str::to_owned).or_else(own).ok_or_else(|| {
            let message = "Must specify userName when calling with non-User credentials";
            ServiceError::new("ValidationError", message)
        })?;
        self.users.get(&key(account, &name))?.ok_or_else(|| missing(&name))
    }

    pub(super) async fn change_user(
        &self,
        call: &Call,
        input: &Value,
        mut change: impl FnMut(&mut User) -> Result<(), ServiceError>,
    ) -> Answer {
        let name = required(input, "UserName");
        self.users
            .edit(&key(&call.caller.account, name), |old| {
                let mut user = old.ok_or_else(|| missing(name))?;
                change(&mut user)?;
                Ok((Edit::Put(user), ()))
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) fn get_user(&self, call: &Call, input: &Value) -> Answer {
        Ok(json!({ "User": self.user(call, input)?.shown(true) }))
    }

    pub(super) async fn update_user(&self, call: &Call, input: &Value) -> Answer {
        if text(input, "NewUserName").is_some() {
            let message = "NewUserName is not supported: a user keeps its name";
            return Err(ServiceError::new("NotImplemented", message).with_status(501));
        }
        let path = text(input, "NewPath");
        let account = call.caller.account.clone();
        self.change_user(call, input, |user| {
            if let Some(path) = path {
                user.path = path.to_owned();
                user.arn = format!("arn:aws:iam::{account}:user{path}{}", user.name);
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn delete_user(&self, call: &Call, input: &Value) -> Answer {
        let (name, account) = (required(input, "UserName"), &*call.caller.account);
        if !self.keys.of_user(account, name)?.is_empty() {
            return Err(delete_conflict("Cannot delete entity, must delete access keys first."));
        }
        self.users
            .edit(&key(account, name), |old| {
                let user = old.ok_or_else(|| missing(name))?;
                if !user.attached.is_empty() {
                    return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
                }
                if !user.inline.is_empty() {
                    return Err(delete_conflict("Cannot delete entity, must delete policies first."));
                }
                if !user.groups.is_empty() {
                    return Err(delete_conflict("Cannot delete entity, must remove users from group first."));
                }
                Ok((Edit::Remove, ()))
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) fn list_users(&self, call: &Call, input: &Value) -> Answer {
        let prefix = text(input, "PathPrefix").unwrap_or("/");
        let users = self.users.list(&format!("{}/", call.caller.account))?;
        let shown = users.into_iter().filter(|(_, user)| user.is_at(prefix));
        paged(input, "Users", shown.map(|(name, user)| (name, user.shown(false))).collect())
    }

    pub(super) async fn tag_user(&self, call: &Call, input: &Value) -> Answer {
        let tags = fields::tags_of(input, "Tags");
        self.change_user(call, input, |user| {
            user.tags.extend(tags.clone());
            if user.tags.len() > 50 {
                let message = "The number of tags has reached the maximum limit.";
                return Err(ServiceError::new("LimitExceeded", message).with_status(409));
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn untag_user(&self, call: &Call, input: &Value) -> Answer {
        let keys = fields::texts(input, "TagKeys");
        self.change_user(call, input, |user| {
            user.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
        .await
    }

    pub(super) fn list_user_tags(&self, call: &Call, input: &Value) -> Answer {
        let user = self.user(call, input)?;
        let shown = user.tags.iter().map(|(key, value)| (key.clone(), json!({ "Key": key, "Value": value })));
        paged(input, "Tags", shown.collect())
    }

    pub(super) async fn set_user_boundary(&self, call: &Call, input: &Value) -> Answer {
        let boundary = text(input, "PermissionsBoundary");
        self.attachable(call, boundary)?;
        self.change_user(call, input, |user| {
            user.boundary = boundary.map(str::to_owned);
            Ok(())
        })
        .await
    }

    pub(super) async fn attach_user_policy(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "PolicyArn");
        self.attachable(call, Some(arn))?;
        self.change_user(call, input, |user| {
            if !user.attached.iter().any(|attached| attached == arn) {
                user.attached.push(arn.to_owned());
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn detach_user_policy(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "PolicyArn");
        self.change_user(call, input, |user| {
            let before = user.attached.len();
            user.attached.retain(|attached| attached != arn);
            if user.attached.len() == before {
                return Err(no_such_entity(format!("Policy {arn} was not found.")));
            }
            Ok(())
        })
        .await
    }

    pub(super) fn list_attached_user_policies(&self, call: &Call, input: &Value) -> Answer {
        let user = self.user(call, input)?;
        paged(input, "AttachedPolicies", super::attached(user.attached, text(input, "PathPrefix")))
    }

    pub(super) async fn put_user_policy(&self, call: &Call, input: &Value) -> Answer {
        let document = checked_document(required(input, "PolicyDocument"))?;
        self.change_user(call, input, |user| {
            user.inline.insert(required(input, "PolicyName").to_owned(), document.clone());
            Ok(())
        })
        .await
    }

    pub(super) fn get_user_policy(&self, call: &Call, input: &Value) -> Answer {
        let (user, name) = (self.user(call, input)?, required(input, "PolicyName"));
        let document = user.inline.get(name).ok_or_else(|| missing_inline(name))?;
        Ok(json!({ "UserName": user.name, "PolicyName": name, "PolicyDocument": encoded(document) }))
    }

    pub(super) async fn delete_user_policy(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "PolicyName");
        self.change_user(call, input, |user| {
            user.inline.remove(name).map(|_| ()).ok_or_else(|| missing_inline(name))
        })
        .await
    }

    pub(super) fn list_user_policies(&self, call: &Call, input: &Value) -> Answer {
        let user = self.user(call, input)?;
        let names = user.inline.into_keys().map(|name| (name.clone(), Value::from(name)));
        paged(input, "PolicyNames", names.collect())
    }
}
