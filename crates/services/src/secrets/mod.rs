//! Secrets Manager: values under names, in versions that labels point at, sealed where they lie.

mod cron;
mod lifetime;
mod list;
mod password;
mod policies;
mod rotation;
mod rotor;
mod secret;
mod values;

use crate::dispatch::Parts;
use lambda::ServiceCalls;
use rotor::Rotor;
use secret::{Secret, check_name, no_secret};
use serde_json::Value;
use servicekit::call::{Answer, Call, Pending};
use servicekit::documents::{Documents, Edit};
use servicekit::fields::required;
use servicekit::vault::Vault;
use store::Store;
use wire::{Response, ServiceError};
use world::World;

/// The kind of their documents.
const SECRETS: &str = "secrets/secret";

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Secrets {
    world: World,
    vault: Vault,
    /// By `account/region/name`.
    secrets: Documents<Secret>,
    /// None where no functions run.
    rotor: Option<Rotor>,
}

impl Secrets {
    pub fn new(parts: &Parts) -> Secrets {
        let calls = ServiceCalls::new("secretsmanager.amazonaws.com", &parts.targets);
        Secrets {
            rotor: Some(Rotor::new(Box::new(calls))),
            ..Secrets::over(&parts.store, &parts.world, &parts.vault)
        }
    }

    pub fn over(store: &Store, world: &World, vault: &Vault) -> Secrets {
        Secrets {
            world: world.clone(),
            vault: vault.clone(),
            secrets: Documents::new(store, SECRETS),
            rotor: None,
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
            "CreateSecret" => self.create_secret(call, input).await,
            "GetSecretValue" => self.get_secret_value(call, input).await,
            "BatchGetSecretValue" => self.batch_get_secret_value(call, input).await,
            "PutSecretValue" => self.put_secret_value(call, input).await,
            "UpdateSecret" => self.update_secret(call, input).await,
            "UpdateSecretVersionStage" => self.update_version_stage(call, input).await,
            "DeleteSecret" => self.delete_secret(call, input).await,
            "RotateSecret" => self.rotate_secret(call, input).await,
            "CancelRotateSecret" => self.cancel_rotate_secret(call, input).await,
            "RestoreSecret" => self.restore_secret(call, input).await,
            "DescribeSecret" => self.describe_secret(call, input),
            "ListSecrets" => self.list_secrets(call, input).await,
            "ListSecretVersionIds" => self.list_version_ids(call, input),
            "TagResource" => self.tag_resource(call, input).await,
            "UntagResource" => self.untag_resource(call, input).await,
            "ValidateResourcePolicy" => self.validate_resource_policy(call, input),
            "PutResourcePolicy" => self.put_resource_policy(call, input).await,
            "GetResourcePolicy" => self.get_resource_policy(call, input),
            "DeleteResourcePolicy" => self.delete_resource_policy(call, input).await,
            "GetRandomPassword" => password::random(&self.world, input),
            _ => Err(call.unknown()),
        }
    }

    /// The secret that an id names: by name, by ARN, or by ARN without its last six characters.
    fn find(&self, call: &Call, id: &str) -> Result<(String, Secret), ServiceError> {
        let prefix = format!("arn:aws:secretsmanager:{}:{}:secret:", call.caller.region, call.caller.account);
        let given = id.strip_prefix(prefix.as_str());
        if id.starts_with("arn:") && given.is_none() {
            return Err(no_secret());
        }
        let name = given.unwrap_or(id);
        check_name(name)?;
        let shorter = given.and_then(|name| name.rsplit_once('-')).filter(|(_, suffix)| suffix.len() == 6);
        for name in [Some(name), shorter.map(|(name, _)| name)].into_iter().flatten() {
            let key = key(call, name);
            let found = self
                .secrets
                .get(&key)?
                .filter(|found| given.is_none() || found.arn == id || given == Some(&found.name));
            if let Some(found) = found.filter(|found| !self.is_gone(found)) {
                return Ok((key, found));
            }
        }
        Err(no_secret())
    }

    /// Whether its recovery window is over.
    fn is_gone(&self, secret: &Secret) -> bool {
        secret.delete_s.is_some_and(|at_s| at_s <= self.world.now().seconds())
    }

    /// Removes a secret, unless another one has taken its name.
    async fn forget(&self, key: &str, secret: &Secret) -> Result<(), ServiceError> {
        let edit = |there: Option<Secret>| match there {
            Some(there) if there.arn == secret.arn => Ok((Edit::Remove, ())),
            _ => Ok((Edit::Keep, ())),
        };
        self.secrets.edit(key, edit).await
    }

    /// Changes a secret that is there.
    async fn change<R: Clone>(
        &self,
        call: &Call,
        input: &Value,
        change: impl Fn(&str, &mut Secret) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        let (key, found) = self.find(call, required(input, "SecretId"))?;
        self.secrets
            .edit(&key, |secret| {
                let mut secret = secret.filter(|secret| secret.arn == found.arn).ok_or_else(no_secret)?;
                let answer = change(&key, &mut secret)?;
                Ok((Edit::Put(secret), answer))
            })
            .await
    }

    fn now_s(&self) -> f64 {
        self.world.now().seconds_f64()
    }
}

/// Whether there is a secret with a value.
pub(crate) fn has_sealed(store: &Store) -> Result<bool, ServiceError> {
    let all = Documents::<Secret>::new(store, SECRETS).list("")?;
    Ok(all.iter().any(|(_, secret)| secret.versions.values().any(|version| !version.is_empty())))
}

fn key(call: &Call, name: &str) -> String {
    format!("{}{name}", prefix(call))
}

fn arn(call: &Call, name: &str, suffix: &str) -> String {
    let caller = &call.caller;
    format!("arn:aws:secretsmanager:{}:{}:secret:{name}-{suffix}", caller.region, caller.account)
}

/// How the keys of a caller's secrets begin.
fn prefix(call: &Call) -> String {
    format!("{}/{}/", call.caller.account, call.caller.region)
}

#[cfg(test)]
mod tests;
