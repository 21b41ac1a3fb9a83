//! Security Token Service: who is calling, and temporary credentials for roles.

use crate::dispatch::Parts;
use access::RoleArn;
use access::{Identity, Keys, Session};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Pending};
use servicekit::fields::{integer, object, required, text, texts};
use servicekit::ids;
use std::collections::BTreeSet;
use store::Store;
use wire::{Response, ServiceError};
use world::World;

pub(crate) struct Sts {
    world: World,
    keys: Keys,
    /// Where roles are.
    store: Store,
}

impl Sts {
    pub fn new(parts: &Parts, keys: &Keys) -> Sts {
        Sts::over(&parts.store, &parts.world, keys)
    }

    pub fn over(store: &Store, world: &World, keys: &Keys) -> Sts {
        Sts { world: world.clone(), keys: keys.clone(), store: store.clone() }
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
            "GetCallerIdentity" => self.caller_identity(call),
            "AssumeRole" => self.assume_role(input).await,
            "GetSessionToken" => self.session_token(call, input).await,
            "GetAccessKeyInfo" => Ok(json!({ "Account": &*call.caller.account })),
            _ => Err(call.unknown()),
        }
    }

    fn caller_identity(&self, call: &Call) -> Answer {
        let account = &*call.caller.account;
        let key = call.caller.access_key.as_deref().unwrap_or_default();
        if let Some(known) = self.keys.find(key)? {
            self.refuse_expired(known.expires_s)?;
            let identity = known.identity;
            return Ok(
                json!({ "UserId": identity.id(), "Account": identity.account(), "Arn": identity.arn() }),
            );
        }
        Ok(json!({ "UserId": account, "Account": account, "Arn": format!("arn:aws:iam::{account}:root") }))
    }

    async fn assume_role(&self, input: &Value) -> Answer {
        let role = RoleArn::parse(required(input, "RoleArn")).ok_or_else(|| {
            ServiceError::new("ValidationError", format!("{} is invalid", required(input, "RoleArn")))
        })?;
        let name = required(input, "RoleSessionName");
        let seconds = integer(input, "DurationSeconds").unwrap_or(3_600);
        check_tags(input)?;
        // The role need not be here; one that is has an id.
        let role_id = crate::iam::role_id(&self.store, &role.account, &role.name)?
            .unwrap_or_else(|| format!("AROA{}", ids::token(&self.world, 17)));
        let user_id = format!("{role_id}:{name}");
        let arn = format!("arn:aws:sts::{}:assumed-role/{}/{name}", role.account, role.name);
        let session = Session {
            user_id: user_id.clone(),
            arn: arn.clone(),
            role: Some(role.to_string()),
            expires_s: 0,
            user: None,
            policy: text(input, "Policy").map(str::to_owned),
            sealed: None,
        };
        let credentials = self.issue(session, seconds).await?;
        Ok(object([
            ("Credentials", Some(credentials)),
            ("AssumedRoleUser", Some(json!({ "AssumedRoleId": user_id, "Arn": arn }))),
            ("PackedPolicySize", text(input, "Policy").map(|policy| (policy.len() * 100 / 2048).into())),
            ("SourceIdentity", text(input, "SourceIdentity").map(Value::from)),
        ]))
    }

    async fn session_token(&self, call: &Call, input: &Value) -> Answer {
        let account = &*call.caller.account;
        let seconds = integer(input, "DurationSeconds").unwrap_or(43_200);
        let known = self.keys.find(call.caller.access_key.as_deref().unwrap_or_default())?;
        let (user, user_id, arn) = match known.map(|known| known.identity) {
            Some(Identity::User { name, arn, id, .. }) => (Some(name), id, arn),
            Some(Identity::Role { .. }) => {
                let message = "Cannot call GetSessionToken with session credentials";
                return Err(ServiceError::new("AccessDenied", message).with_status(403));
            }
            Some(Identity::Root { .. }) | None => {
                (None, account.to_owned(), format!("arn:aws:iam::{account}:root"))
            }
        };
        let session = Session { user_id, arn, role: None, expires_s: 0, user, policy: None, sealed: None };
        Ok(json!({ "Credentials": self.issue(session, seconds).await? }))
    }

    /// Makes credentials and remembers whose they are until they expire.
    async fn issue(&self, session: Session, seconds: i64) -> Answer {
        let (credentials, expires_s) = self.keys.issue(session, seconds.max(0) as u64).await?;
        Ok(json!({
            "AccessKeyId": credentials.access_key,
            "SecretAccessKey": credentials.secret_key,
            "SessionToken": credentials.session_token,
            "Expiration": expires_s,
        }))
    }

    fn refuse_expired(&self, expires_s: Option<u64>) -> Result<(), ServiceError> {
        if expires_s.is_none_or(|end| end > self.world.now().seconds()) {
            return Ok(());
        }
        let message = "The security token included in the request is expired";
        Err(ServiceError::new("ExpiredToken", message).with_status(403))
    }
}

/// Tags that a session is to have: told apart without regard to case, and passed on only if they are given.
fn check_tags(input: &Value) -> Result<(), ServiceError> {
    let refuse = |words: &str| Err(ServiceError::new("InvalidParameterValue", words));
    let mut seen = BTreeSet::new();
    for tag in input.get("Tags").and_then(Value::as_array).into_iter().flatten() {
        if !seen.insert(required(tag, "Key").to_lowercase()) {
            return refuse("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
        }
    }
    match texts(input, "TransitiveTagKeys").iter().all(|key| seen.contains(&key.to_lowercase())) {
        true => Ok(()),
        false => refuse("The specified transitive tag key must be included in the requested tags."),
    }
}

#[cfg(test)]
mod tests;
