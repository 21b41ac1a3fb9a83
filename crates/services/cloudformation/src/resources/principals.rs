//! Users, groups and roles: the policies that they hold, whichever resource gives them.

use super::Cx;
use super::iam::document;
use serde_json::{Value, json};
use servicekit::fields::texts;

/// Who may hold policies: how calls name one, and properties several.
#[derive(Clone, Copy)]
pub(super) struct Principal {
    noun: &'static str,
    pub plural: &'static str,
}

pub(super) const GROUP: Principal = Principal { noun: "Group", plural: "Groups" };
pub(super) const ROLE: Principal = Principal { noun: "Role", plural: "Roles" };
pub(super) const USER: Principal = Principal { noun: "User", plural: "Users" };
pub(super) const ALL: [Principal; 3] = [GROUP, ROLE, USER];

impl Principal {
    /// The member of a call or an answer that names one.
    pub fn member(self) -> String {
        format!("{}Name", self.noun)
    }

    fn about(self, name: &str, mut input: Value) -> Value {
        input[self.member()] = name.into();
        input
    }

    pub async fn attach(self, cx: &Cx<'_>, name: &str, arn: &str) -> Result<(), String> {
        let operation = format!("Attach{}Policy", self.noun);
        cx.ask("iam", &operation, self.about(name, json!({ "PolicyArn": arn }))).await.map(|_| ())
    }

    pub async fn detach(self, cx: &Cx<'_>, name: &str, arn: &str) -> Result<(), String> {
        let operation = format!("Detach{}Policy", self.noun);
        cx.ask_gone("iam", &operation, self.about(name, json!({ "PolicyArn": arn }))).await
    }

    /// Gives it a policy of its own.
    pub async fn put(self, cx: &Cx<'_>, name: &str, policy: &str, document: &Value) -> Result<(), String> {
        let input = self.about(name, json!({ "PolicyName": policy, "PolicyDocument": document }));
        cx.ask("iam", &format!("Put{}Policy", self.noun), input).await.map(|_| ())
    }

    /// Takes a policy of its own away.
    pub async fn take(self, cx: &Cx<'_>, name: &str, policy: &str) -> Result<(), String> {
        let operation = format!("Delete{}Policy", self.noun);
        cx.ask_gone("iam", &operation, self.about(name, json!({ "PolicyName": policy }))).await
    }

    /// What it may do at most, whatever its policies say. Groups have no such thing.
    pub async fn put_boundary(self, cx: &Cx<'_>, name: &str, arn: &Value) -> Result<(), String> {
        let input = self.about(name, json!({ "PermissionsBoundary": arn }));
        cx.ask("iam", &format!("Put{}PermissionsBoundary", self.noun), input).await.map(|_| ())
    }

    pub async fn drop_boundary(self, cx: &Cx<'_>, name: &str) -> Result<(), String> {
        let operation = format!("Delete{}PermissionsBoundary", self.noun);
        cx.ask_gone("iam", &operation, self.about(name, json!({}))).await
    }

    /// Brings `ManagedPolicyArns` and `Policies` from what they were to what they shall be.
    pub async fn hold(self, cx: &Cx<'_>, name: &str, old: &Value, new: &Value) -> Result<(), String> {
        let (was, now) = (texts(old, "ManagedPolicyArns"), texts(new, "ManagedPolicyArns"));
        for arn in now.iter().filter(|arn| !was.contains(arn)) {
            self.attach(cx, name, arn).await?;
        }
        for arn in was.iter().filter(|arn| !now.contains(arn)) {
            self.detach(cx, name, arn).await?;
        }
        let list = |of: &Value| of.get("Policies").and_then(Value::as_array).cloned().unwrap_or_default();
        let named = |policy: &Value| policy["PolicyName"].as_str().unwrap_or_default().to_owned();
        let (was, now) = (list(old), list(new));
        for policy in now.iter().filter(|policy| !was.contains(policy)) {
            self.put(cx, name, &named(policy), &document(policy, "PolicyDocument")).await?;
        }
        for policy in was.iter().map(named).filter(|policy| !now.iter().any(|one| named(one) == *policy)) {
            self.take(cx, name, &policy).await?;
        }
        Ok(())
    }
}
