//! Groups: their policies, and who is in them. Users keep which groups they are in.

use super::role::encoded;
use super::user::{self, User};
use super::{Iam, already_exists, checked_document, delete_conflict, no_such_entity, paged};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{required, text};
use servicekit::ids;
use std::collections::BTreeMap;
use wire::ServiceError;

/// AWS's number of groups that a user may be in.
const GROUPS_OF_USER_MAX: usize = 10;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Group {
    pub name: String,
    path: String,
    id: String,
    arn: String,
    created_s: u64,
    /// ARNs of managed policies.
    pub attached: Vec<String>,
    /// Inline policies: name → document.
    pub inline: BTreeMap<String, String>,
}

impl Group {
    /// Its name and id, as a policy's entities are listed.
    pub fn named(&self) -> Value {
        json!({ "GroupName": self.name, "GroupId": self.id })
    }

    pub fn is_at(&self, path_prefix: &str) -> bool {
        self.path.starts_with(path_prefix)
    }

    fn shown(&self) -> Value {
        json!({
            "Path": self.path,
            "GroupName": self.name,
            "GroupId": self.id,
            "Arn": self.arn,
            "CreateDate": self.created_s,
        })
    }
}

fn missing(name: &str) -> ServiceError {
    no_such_entity(format!("The group with name {name} cannot be found."))
}

fn missing_inline(name: &str) -> ServiceError {
    no_such_entity(format!("The group policy with name {name} cannot be found."))
}

impl Iam {
    pub(super) async fn create_group(&self, call: &Call, input: &Value) -> Answer {
        let (name, account) = (required(input, "GroupName"), &*call.caller.account);
        let path = text(input, "Path").unwrap_or("/");
        let group = Group {
            name: name.to_owned(),
            path: path.to_owned(),
            id: format!("AGPA{}", ids::token(&self.world, 17)),
            arn: format!("arn:aws:iam::{account}:group{path}{name}"),
            created_s: self.world.now().seconds(),
            attached: Vec::new(),
            inline: BTreeMap::new(),
        };
        let shown = group.shown();
        self.groups
            .edit(&user::key(account, name), |old| match old {
                Some(_) => Err(already_exists(format!("Group with name {name} already exists."))),
                None => Ok((Edit::Put(group.clone()), ())),
            })
            .await?;
        Ok(json!({ "Group": shown }))
    }

    fn group(&self, call: &Call, input: &Value) -> Result<Group, ServiceError> {
        let name = required(input, "GroupName");
        self.groups.get(&user::key(&call.caller.account, name))?.ok_or_else(|| missing(name))
    }

    async fn change_group(
        &self,
        call: &Call,
        input: &Value,
        mut change: impl FnMut(&mut Group) -> Result<(), ServiceError>,
    ) -> Answer {
        let name = required(input, "GroupName");
        self.groups
            .edit(&user::key(&call.caller.account, name), |old| {
                let mut group = old.ok_or_else(|| missing(name))?;
                change(&mut group)?;
                Ok((Edit::Put(group), ()))
            })
            .await?;
        Ok(json!({}))
    }

    /// The users of a group.
    fn members(&self, call: &Call, group: &Group) -> Result<Vec<(String, User)>, ServiceError> {
        let mut users = self.users.list(&format!("{}/", call.caller.account))?;
        users.retain(|(_, user)| user.groups.contains(&group.name));
        Ok(users)
    }

    pub(super) fn get_group(&self, call: &Call, input: &Value) -> Answer {
        let group = self.group(call, input)?;
        let members = self.members(call, &group)?;
        let shown = members.into_iter().map(|(name, user)| (name, user.shown(false)));
        let mut answer = paged(input, "Users", shown.collect())?;
        answer["Group"] = group.shown();
        Ok(answer)
    }

    pub(super) async fn update_group(&self, call: &Call, input: &Value) -> Answer {
        if text(input, "NewGroupName").is_some() {
            let message = "NewGroupName is not supported: a group keeps its name";
            return Err(ServiceError::new("NotImplemented", message).with_status(501));
        }
        let path = text(input, "NewPath");
        let account = call.caller.account.clone();
        self.change_group(call, input, |group| {
            if let Some(path) = path {
                group.path = path.to_owned();
                group.arn = format!("arn:aws:iam::{account}:group{path}{}", group.name);
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn delete_group(&self, call: &Call, input: &Value) -> Answer {
        let group = self.group(call, input)?;
        if !self.members(call, &group)?.is_empty() {
            return Err(delete_conflict("Cannot delete entity, must remove users from group first."));
        }
        self.groups
            .edit(&user::key(&call.caller.account, &group.name), |old| {
                let group = old.ok_or_else(|| missing(&group.name))?;
                if !group.attached.is_empty() {
                    return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
                }
                if !group.inline.is_empty() {
                    return Err(delete_conflict("Cannot delete entity, must delete policies first."));
                }
                Ok((Edit::Remove, ()))
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) fn list_groups(&self, call: &Call, input: &Value) -> Answer {
        let prefix = text(input, "PathPrefix").unwrap_or("/");
        let groups = self.groups.list(&format!("{}/", call.caller.account))?;
        let shown = groups.into_iter().filter(|(_, group)| group.is_at(prefix));
        paged(input, "Groups", shown.map(|(name, group)| (name, group.shown())).collect())
    }

    pub(super) async fn add_user_to_group(&self, call: &Call, input: &Value) -> Answer {
        let group = self.group(call, input)?.name;
        self.change_user(call, input, |user| {
            if !user.groups.contains(&group) {
                if user.groups.len() >= GROUPS_OF_USER_MAX {
                    let message = format!("Cannot exceed quota for GroupsPerUser: {GROUPS_OF_USER_MAX}");
                    return Err(ServiceError::new("LimitExceeded", message).with_status(409));
                }
                user.groups.push(group.clone());
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn remove_user_from_group(&self, call: &Call, input: &Value) -> Answer {
        let group = self.group(call, input)?.name;
        self.change_user(call, input, |user| {
            user.groups.retain(|known| *known != group);
            Ok(())
        })
        .await
    }

    pub(super) fn list_groups_for_user(&self, call: &Call, input: &Value) -> Answer {
        let user = self.user(call, input)?;
        let mut shown = Vec::new();
        for group in self.groups_of(&call.caller.account, &user)? {
            shown.push((group.name.clone(), group.shown()));
        }
        shown.sort_by(|(left, _), (right, _)| left.cmp(right));
        paged(input, "Groups", shown)
    }

    /// The groups that a user is in.
    pub(super) fn groups_of(&self, account: &str, user: &User) -> Result<Vec<Group>, ServiceError> {
        let found = user.groups.iter().map(|name| self.groups.get(&user::key(account, name)));
        Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    pub(super) async fn attach_group_policy(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "PolicyArn");
        self.attachable(call, Some(arn))?;
        self.change_group(call, input, |group| {
            if !group.attached.iter().any(|attached| attached == arn) {
                group.attached.push(arn.to_owned());
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn detach_group_policy(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "PolicyArn");
        self.change_group(call, input, |group| {
            let before = group.attached.len();
            group.attached.retain(|attached| attached != arn);
            if group.attached.len() == before {
                return Err(no_such_entity(format!("Policy {arn} was not found.")));
            }
            Ok(())
        })
        .await
    }

    pub(super) fn list_attached_group_policies(&self, call: &Call, input: &Value) -> Answer {
        let group = self.group(call, input)?;
        paged(input, "AttachedPolicies", super::attached(group.attached, text(input, "PathPrefix")))
    }

    pub(super) async fn put_group_policy(&self, call: &Call, input: &Value) -> Answer {
        let document = checked_document(required(input, "PolicyDocument"))?;
        self.change_group(call, input, |group| {
            group.inline.insert(required(input, "PolicyName").to_owned(), document.clone());
            Ok(())
        })
        .await
    }

    pub(super) fn get_group_policy(&self, call: &Call, input: &Value) -> Answer {
        let (group, name) = (self.group(call, input)?, required(input, "PolicyName"));
        let document = group.inline.get(name).ok_or_else(|| missing_inline(name))?;
        Ok(json!({ "GroupName": group.name, "PolicyName": name, "PolicyDocument": encoded(document) }))
    }

    pub(super) async fn delete_group_policy(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "PolicyName");
        self.change_group(call, input, |group| {
            group.inline.remove(name).map(|_| ()).ok_or_else(|| missing_inline(name))
        })
        .await
    }

    pub(super) fn list_group_policies(&self, call: &Call, input: &Value) -> Answer {
        let group = self.group(call, input)?;
        let names = group.inline.into_keys().map(|name| (name.clone(), Value::from(name)));
        paged(input, "PolicyNames", names.collect())
    }
}
