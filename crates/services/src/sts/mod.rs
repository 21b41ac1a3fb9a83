//! Security Token Service: who is calling, and temporary credentials for roles.

mod session;

use crate::call::{Answer, Call};
use crate::dispatch::Parts;
use crate::documents::Documents;
use crate::fields::{integer, object, required, text};
use crate::iam::RoleArn;
use crate::ids;
use serde_json::{Value, json};
use session::Session;
use store::Store;
use wire::{Response, ServiceError};
use world::World;

pub(crate) struct Sts {
    world: World,
    sessions: Documents<Session>,
}

impl Sts {
    pub fn new(parts: &Parts) -> Sts {
        Sts::over(&parts.store, &parts.world)
    }

    pub fn over(store: &Store, world: &World) -> Sts {
        Sts { world: world.clone(), sessions: Documents::new(store, "sts/session") }
    }

    pub async fn call(&self, call: Call) -> Response {
        let answer = match call.input() {
            Ok(input) => self.answer(&call, &input).await,
            Err(error) => Err(error),
        };
        call.settle(answer)
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
        if let Some(session) = self.sessions.get(key)? {
            self.refuse_expired(&session)?;
            return Ok(json!({ "UserId": session.user_id, "Account": account, "Arn": session.arn }));
        }
        Ok(json!({ "UserId": account, "Account": account, "Arn": format!("arn:aws:iam::{account}:root") }))
    }

    async fn assume_role(&self, input: &Value) -> Answer {
        let role = RoleArn::parse(required(input, "RoleArn")).ok_or_else(|| {
            ServiceError::new("ValidationError", format!("{} is invalid", required(input, "RoleArn")))
        })?;
        let name = required(input, "RoleSessionName");
        let seconds = integer(input, "DurationSeconds").unwrap_or(3_600);
        let role_id = format!("AROA{}", ids::token(&self.world, 17));
        let user_id = format!("{role_id}:{name}");
        let arn = format!("arn:aws:sts::{}:assumed-role/{}/{name}", role.account, role.name);
        let session = Session {
            user_id: user_id.clone(),
            arn: arn.clone(),
            role: Some(role.to_string()),
            expires_s: 0,
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
        let arn = format!("arn:aws:iam::{account}:root");
        let session = Session { user_id: account.to_owned(), arn, role: None, expires_s: 0 };
        Ok(json!({ "Credentials": self.issue(session, seconds).await? }))
    }

    /// Makes credentials and remembers whose they are until they expire.
    async fn issue(&self, session: Session, seconds: i64) -> Answer {
        self.sweep().await?;
        let access_key = format!("ASIA{}", ids::token(&self.world, 16));
        let expires_s = self.world.now().seconds() + seconds.max(0) as u64;
        self.sessions.put(&access_key, Session { expires_s, ..session }).await?;
        Ok(json!({
            "AccessKeyId": access_key,
            "SecretAccessKey": ids::secret(&self.world, 30),
            "SessionToken": ids::secret(&self.world, 180),
            "Expiration": expires_s,
        }))
    }

    async fn sweep(&self) -> Result<(), ServiceError> {
        let now_s = self.world.now().seconds();
        for (key, session) in self.sessions.list("")? {
            // A day's grace, so that an expired key is still told apart from an unknown one.
            if session.expires_s + 86_400 < now_s {
                self.sessions.remove(&key).await?;
            }
        }
        Ok(())
    }

    fn refuse_expired(&self, session: &Session) -> Result<(), ServiceError> {
        if session.expires_s > self.world.now().seconds() {
            return Ok(());
        }
        let message = "The security token included in the request is expired";
        Err(ServiceError::new("ExpiredToken", message).with_status(403))
    }
}

#[cfg(test)]
mod tests;
