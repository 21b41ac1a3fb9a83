//! Users' access keys. A secret is shown once, when its key is made.

use super::{Iam, no_such_entity, paged};
use access::AccessKey;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{required, text};
use wire::ServiceError;

/// AWS's number.
const KEYS_MAX: usize = 2;

fn status(key: &AccessKey) -> &'static str {
    if key.is_active { "Active" } else { "Inactive" }
}

impl Iam {
    pub(super) async fn create_access_key(&self, call: &Call, input: &Value) -> Answer {
        let (user, account) = (self.user(call, input)?, &*call.caller.account);
        if self.keys.of_user(account, &user.name)?.len() >= KEYS_MAX {
            let message = format!("Cannot exceed quota for AccessKeysPerUser: {KEYS_MAX}");
            return Err(ServiceError::new("LimitExceeded", message).with_status(409));
        }
        let wanted = AccessKey {
            id: String::new(),
            account: account.to_owned(),
            user: user.name.clone(),
            user_id: user.id,
            user_arn: user.arn,
            secret: String::new(),
            is_active: true,
            created_s: 0,
        };
        let (key, secret) = self.keys.create(wanted).await?;
        Ok(json!({ "AccessKey": {
            "UserName": key.user,
            "AccessKeyId": key.id,
            "Status": status(&key),
            "SecretAccessKey": secret,
            "CreateDate": key.created_s,
        }}))
    }

    pub(super) fn list_access_keys(&self, call: &Call, input: &Value) -> Answer {
        let user = self.user(call, input)?;
        let keys = self.keys.of_user(&call.caller.account, &user.name)?;
        let shown = keys.into_iter().map(|key| {
            let shown = json!({
                "UserName": key.user,
                "AccessKeyId": key.id,
                "Status": status(&key),
                "CreateDate": key.created_s,
            });
            (key.id, shown)
        });
        paged(input, "AccessKeyMetadata", shown.collect())
    }

    pub(super) async fn update_access_key(&self, call: &Call, input: &Value) -> Answer {
        let is_active = match required(input, "Status") {
            "Active" => true,
            "Inactive" => false,
            other => {
                let message = format!("Status {other} is not supported: Active or Inactive");
                return Err(ServiceError::new("ValidationError", message));
            }
        };
        self.change_key(call, input, |key| Edit::Put(AccessKey { is_active, ..key })).await
    }

    pub(super) async fn delete_access_key(&self, call: &Call, input: &Value) -> Answer {
        self.change_key(call, input, |_| Edit::Remove).await
    }

    async fn change_key(
        &self,
        call: &Call,
        input: &Value,
        change: impl Fn(AccessKey) -> Edit<AccessKey>,
    ) -> Answer {
        let (id, account) = (required(input, "AccessKeyId"), &*call.caller.account);
        let user = match text(input, "UserName") {
            Some(_) => Some(self.user(call, input)?),
            None => None,
        };
        let absent = || no_such_entity(format!("The Access Key with id {id} cannot be found."));
        self.keys
            .documents()
            .edit(id, |old| {
                let key = old.filter(|key| key.account == account).ok_or_else(absent)?;
                if user.as_ref().is_some_and(|user| user.name != key.user) {
                    return Err(absent());
                }
                Ok((change(key), ()))
            })
            .await?;
        Ok(json!({}))
    }
}
