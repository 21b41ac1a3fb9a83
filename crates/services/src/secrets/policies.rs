//! Who else may use a secret, as a policy says it.

use super::Secrets;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{object, required, text};
use wire::ServiceError;

impl Secrets {
    /// What putting it would say, without a secret too.
    pub(super) fn validate_resource_policy(&self, call: &Call, input: &Value) -> Answer {
        if let Some(id) = text(input, "SecretId") {
            self.find(call, id)?;
        }
        let policy = required(input, "ResourcePolicy");
        check(policy)?;
        let errors: Vec<Value> = is_public(policy)
            .then(|| json!({ "CheckName": "PublicPolicy", "ErrorMessage": BROAD }))
            .into_iter()
            .collect();
        Ok(json!({ "PolicyValidationPassed": errors.is_empty(), "ValidationErrors": errors }))
    }

    pub(super) async fn put_resource_policy(&self, call: &Call, input: &Value) -> Answer {
        let policy = required(input, "ResourcePolicy");
        check(policy)?;
        let block = input.get("BlockPublicPolicy").and_then(Value::as_bool).unwrap_or(false);
        if block && is_public(policy) {
            return Err(ServiceError::new("PublicPolicyException", BROAD));
        }
        self.set_policy(call, input, Some(policy.to_owned())).await
    }

    pub(super) async fn delete_resource_policy(&self, call: &Call, input: &Value) -> Answer {
        self.set_policy(call, input, None).await
    }

    async fn set_policy(&self, call: &Call, input: &Value, policy: Option<String>) -> Answer {
        self.change(call, input, |_, secret| {
            secret.refuse_deleted()?;
            secret.policy.clone_from(&policy);
            Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
        })
        .await
    }

    pub(super) fn get_resource_policy(&self, call: &Call, input: &Value) -> Answer {
        let (_, secret) = self.find(call, required(input, "SecretId"))?;
        secret.refuse_deleted()?;
        Ok(object([
            ("ARN", Some(secret.arn.into())),
            ("Name", Some(secret.name.into())),
            ("ResourcePolicy", secret.policy.map(Value::from)),
        ]))
    }
}

const BROAD: &str =
    "This resource policy grants broad access to the secret, which BlockPublicPolicy forbids.";

fn check(policy: &str) -> Result<(), ServiceError> {
    match serde_json::from_str::<Value>(policy).is_ok_and(|policy| policy.is_object()) {
        true => Ok(()),
        false => {
            let message = "This resource policy contains invalid Json.";
            Err(ServiceError::new("MalformedPolicyDocumentException", message))
        }
    }
}

/// Whether a statement allows everybody.
fn is_public(policy: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = match &policy["Statement"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    statements.iter().any(|statement| {
        let principal = &statement["Principal"];
        let everybody = *principal == "*" || principal["AWS"] == "*" || principal["AWS"] == json!(["*"]);
        statement["Effect"] == "Allow" && everybody && statement.get("Condition").is_none()
    })
}
