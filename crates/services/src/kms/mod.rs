//! Key Management Service: symmetric keys that encrypt small values and make data keys. Key material never leaves it.

mod aliases;
mod cipher;
mod key;
mod keys;
mod policies;

use crate::dispatch::Parts;
use key::{Alias, Key, no_key};
use serde_json::Value;
use servicekit::call::{Answer, Call, Pending};
use servicekit::documents::{Documents, Edit};
use servicekit::fields::required;
use servicekit::ids::managed_key;
use servicekit::vault::Vault;
use wire::{Response, ServiceError};
use world::World;

/// Those that tell the ids of their keys.
const SERVICES: [&str; 2] = ["dynamodb", "s3"];

/// The kind of keys' documents.
const KEYS: &str = "kms/key";

pub(crate) struct Kms {
    world: World,
    vault: Vault,
    /// By `account/region/id`.
    keys: Documents<Key>,
    /// By `account/region/alias/…`.
    aliases: Documents<Alias>,
}

impl Kms {
    pub fn new(parts: &Parts) -> Kms {
        Kms::over(&parts.store, &parts.world, &parts.vault)
    }

    pub fn over(store: &store::Store, world: &World, vault: &Vault) -> Kms {
        Kms {
            world: world.clone(),
            vault: vault.clone(),
            keys: Documents::new(store, KEYS),
            aliases: Documents::new(store, "kms/alias"),
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
        refuse(input)?;
        match call.operation.name {
            "CreateKey" => self.create_key(call, input).await,
            "DescribeKey" => self.describe_key(call, input).await,
            "ListKeys" => self.list_keys(call, input).await,
            "EnableKey" => self.enable_key(call, input).await,
            "DisableKey" => self.disable_key(call, input).await,
            "ScheduleKeyDeletion" => self.schedule_deletion(call, input).await,
            "CancelKeyDeletion" => self.cancel_deletion(call, input).await,
            "UpdateKeyDescription" => self.update_description(call, input).await,
            "CreateAlias" => self.create_alias(call, input).await,
            "UpdateAlias" => self.update_alias(call, input).await,
            "DeleteAlias" => self.delete_alias(call, input).await,
            "ListAliases" => self.list_aliases(call, input).await,
            "Encrypt" => self.encrypt(call, input).await,
            "Decrypt" => self.decrypt(call, input).await,
            "ReEncrypt" => self.re_encrypt(call, input).await,
            "GenerateDataKey" => self.generate_data_key(call, input, true).await,
            "GenerateDataKeyWithoutPlaintext" => self.generate_data_key(call, input, false).await,
            "GenerateRandom" => self.generate_random(input),
            "GetKeyPolicy" => self.get_policy(call, input).await,
            "PutKeyPolicy" => self.put_policy(call, input).await,
            "ListKeyPolicies" => self.list_policies(call, input).await,
            "RotateKeyOnDemand" => self.rotate_on_demand(call, input).await,
            "EnableKeyRotation" => self.enable_rotation(call, input).await,
            "DisableKeyRotation" => self.disable_rotation(call, input).await,
            "GetKeyRotationStatus" => self.rotation_status(call, input).await,
            "TagResource" => self.tag_resource(call, input).await,
            "UntagResource" => self.untag_resource(call, input).await,
            "ListResourceTags" => self.list_tags(call, input).await,
            _ => Err(call.unknown()),
        }
    }

    /// The key that an id, an ARN or an alias names. AWS's own aliases have theirs from the first use on.
    async fn find(&self, call: &Call, id: &str) -> Result<Key, ServiceError> {
        let own = format!("arn:aws:kms:{}:{}:", call.caller.region, call.caller.account);
        let name = match id.strip_prefix(own.as_str()) {
            Some(name) => name.strip_prefix("key/").unwrap_or(name),
            // Of another region, or account.
            None if id.starts_with("arn:") => {
                let region = id.split(':').nth(3).unwrap_or_default();
                return Err(no_key(&match region == &*call.caller.region {
                    true => format!("Key '{id}' does not exist"),
                    false => format!("Invalid arn {region}"),
                }));
            }
            None => id,
        };
        if !name.starts_with("alias/") && !key::is_id(name) {
            return Err(no_key(&format!("Invalid keyId '{name}'")));
        }
        let found = match name.starts_with("alias/") {
            false => match self.keys.get(&place(call, name))? {
                None => self.managed_by_id(call, name).await?,
                found => found,
            },
            true => match self.aliases.get(&place(call, name))? {
                Some(alias) => self.keys.get(&place(call, &alias.target))?,
                None if key::is_managed(name) => Some(self.managed(call, name).await?),
                None => return Err(no_key(&format!("Alias {own}{name} is not found."))),
            },
        };
        found
            .filter(|key| !self.is_gone(key))
            .ok_or_else(|| no_key(&format!("Key '{own}key/{name}' does not exist")))
    }

    /// One of AWS's own keys whose id another service told before anybody used it.
    async fn managed_by_id(&self, call: &Call, id: &str) -> Result<Option<Key>, ServiceError> {
        let caller = &call.caller;
        let service =
            SERVICES.iter().find(|service| managed_key(&caller.account, &caller.region, service) == id);
        match service {
            Some(service) => self.managed(call, &format!("alias/aws/{service}")).await.map(Some),
            None => Ok(None),
        }
    }

    /// A key for use: enabled, and not about to be deleted.
    async fn find_usable(&self, call: &Call, id: &str) -> Result<Key, ServiceError> {
        let key = self.find(call, id).await?;
        key.refuse_unusable(call)?;
        Ok(key)
    }

    fn is_gone(&self, key: &Key) -> bool {
        key.delete_s.is_some_and(|at_s| at_s <= self.world.now().seconds())
    }

    /// Changes a key that clients may change.
    async fn change<R>(
        &self,
        call: &Call,
        input: &Value,
        change: impl Fn(&mut Key) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        let found = self.find(call, required(input, "KeyId")).await?;
        if found.managed_for.is_some() {
            let message = format!("{} is managed by AWS: it cannot be changed", found.arn(call));
            return Err(ServiceError::new("UnsupportedOperationException", message));
        }
        self.keys
            .edit(&place(call, &found.id), |there| {
                let mut key =
                    there.ok_or_else(|| no_key(&format!("Key '{}' does not exist", found.arn(call))))?;
                let answer = change(&mut key)?;
                Ok((Edit::Put(key), answer))
            })
            .await
    }
}

/// Whether there is a key.
pub(crate) fn has_sealed(store: &store::Store) -> Result<bool, ServiceError> {
    Ok(!Documents::<Key>::new(store, KEYS).list("")?.is_empty())
}

fn place(call: &Call, name: &str) -> String {
    format!("{}/{}/{name}", call.caller.account, call.caller.region)
}

/// Members that would have to do something, and do not here.
fn refuse(input: &Value) -> Result<(), ServiceError> {
    let members =
        ["GrantTokens", "Recipient", "CustomKeyStoreId", "XksKeyId", "DryRunModifiers", "ResourceOwners"];
    match members
        .into_iter()
        .find(|member| input.get(*member).is_some_and(|value| *value != serde_json::json!([])))
    {
        Some(member) => Err(unsupported(&format!("{member} is not supported: leave it out"))),
        None => Ok(()),
    }
}

fn unsupported(message: &str) -> ServiceError {
    ServiceError::new("UnsupportedOperationException", message)
}

#[cfg(test)]
mod tests;
