//! Names of keys.

use super::key::{Alias, invalid, is_managed, no_key};
use super::{Kms, keys::listed, place};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{object, required, text};
use wire::ServiceError;

impl Kms {
    pub(super) async fn create_alias(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "AliasName");
        check(name)?;
        let target = self.target(call, input).await?;
        let now_s = self.world.now().seconds_f64();
        self.aliases
            .edit(&place(call, name), |there| match there {
                Some(_) => {
                    let message = format!("An alias with the name {} already exists", arn(call, name));
                    Err(ServiceError::new("AlreadyExistsException", message))
                }
                None => {
                    let alias = Alias { target: target.clone(), created_s: now_s, updated_s: now_s };
                    Ok((Edit::Put(alias), json!({})))
                }
            })
            .await
    }

    pub(super) async fn update_alias(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "AliasName");
        check(name)?;
        let target = self.target(call, input).await?;
        let now_s = self.world.now().seconds_f64();
        self.aliases
            .edit(&place(call, name), |there| {
                let there = there.ok_or_else(|| missing(call, name))?;
                Ok((Edit::Put(Alias { target: target.clone(), updated_s: now_s, ..there }), json!({})))
            })
            .await
    }

    pub(super) async fn delete_alias(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "AliasName");
        check(name)?;
        match self.aliases.remove(&place(call, name)).await? {
            Some(_) => Ok(json!({})),
            None => Err(missing(call, name)),
        }
    }

    pub(super) async fn list_aliases(&self, call: &Call, input: &Value) -> Answer {
        self.forget_gone(call).await?;
        let key = match text(input, "KeyId") {
            Some(id) => Some(self.find(call, id).await?.id),
            None => None,
        };
        let found = self.aliases.list(&place(call, ""))?.into_iter();
        let found = found.filter(|(_, alias)| key.as_ref().is_none_or(|key| alias.target == *key));
        let shown = found.map(|(name, alias)| {
            let shown = object([
                ("AliasName", Some(name.as_str().into())),
                ("AliasArn", Some(arn(call, &name).into())),
                ("TargetKeyId", Some(alias.target.into())),
                ("CreationDate", Some(alias.created_s.into())),
                ("LastUpdatedDate", Some(alias.updated_s.into())),
            ]);
            (name, shown)
        });
        listed("Aliases", shown.collect(), input)
    }

    async fn target(&self, call: &Call, input: &Value) -> Result<String, ServiceError> {
        let id = required(input, "TargetKeyId");
        if id.starts_with("alias/") || id.contains(":alias/") {
            return Err(invalid("Aliases must refer to keys. Not aliases"));
        }
        let key = self.find(call, id).await?;
        key.refuse_deleted(call)?;
        Ok(key.id)
    }
}

fn arn(call: &Call, name: &str) -> String {
    format!("arn:aws:kms:{}:{}:{name}", call.caller.region, call.caller.account)
}

fn missing(call: &Call, name: &str) -> ServiceError {
    no_key(&format!("Alias {} is not found.", arn(call, name)))
}

fn check(name: &str) -> Result<(), ServiceError> {
    let plain = name.strip_prefix("alias/").unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte);
    if plain.is_empty() || !plain.bytes().all(fits) {
        return Err(invalid(
            "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    }
    match is_managed(name) || plain.starts_with("aws/") {
        true => Err(ServiceError::new("InvalidAliasNameException", "The prefix alias/aws/ is AWS's own.")),
        false => Ok(()),
    }
}
