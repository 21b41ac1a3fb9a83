//! Who may call a function: the statements of its resource policy.

use super::Functions;
use crate::call::{Answer, Call};
use crate::fields::{required, text};
use crate::lambda::name::{FunctionName, arn, conflict};
use serde_json::{Value, json};
use wire::ServiceError;

impl Functions {
    pub(super) async fn add_permission(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "StatementId");
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?;
        let resource = arn(&call.caller, &name.name);
        let statement = statement(input, &resource);
        self.change(call, required(input, "FunctionName"), text(input, "RevisionId"), |function| {
            if function.policy.contains_key(id) {
                return Err(conflict(format!(
                    "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing statement."
                )));
            }
            function.policy.insert(id.to_owned(), statement.clone());
            Ok(())
        })
        .await?;
        Ok(json!({ "Statement": statement.to_string() }))
    }

    pub(super) fn get_policy(&self, call: &Call, input: &Value) -> Answer {
        let function = self.named(call, input)?;
        if function.policy.is_empty() {
            return Err(missing("No policy is associated with the given resource."));
        }
        let statements: Vec<_> = function.policy.values().collect();
        let policy = json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
        Ok(json!({ "Policy": policy.to_string(), "RevisionId": function.revision }))
    }

    pub(super) async fn remove_permission(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "StatementId");
        self.change(call, required(input, "FunctionName"), text(input, "RevisionId"), |function| {
            match function.policy.remove(id) {
                Some(_) => Ok(()),
                None => Err(missing(&format!("Statement {id} is not found in resource policy."))),
            }
        })
        .await?;
        Ok(json!({}))
    }
}

fn missing(message: &str) -> ServiceError {
    ServiceError::new("ResourceNotFoundException", message).with_status(404).with("Type", "User")
}

fn statement(input: &Value, resource: &str) -> Value {
    let principal = required(input, "Principal");
    let told = if principal.contains(".amazonaws.com") {
        json!({ "Service": principal })
    } else if principal == "*" {
        json!("*")
    } else if principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit()) {
        json!({ "AWS": format!("arn:aws:iam::{principal}:root") })
    } else {
        json!({ "AWS": principal })
    };
    let mut statement = json!({
        "Sid": required(input, "StatementId"),
        "Effect": "Allow",
        "Principal": told,
        "Action": required(input, "Action"),
        "Resource": resource,
    });
    let mut condition = serde_json::Map::new();
    if let Some(account) = text(input, "SourceAccount") {
        condition.insert("StringEquals".to_owned(), json!({ "AWS:SourceAccount": account }));
    }
    if let Some(source) = text(input, "SourceArn") {
        condition.insert("ArnLike".to_owned(), json!({ "AWS:SourceArn": source }));
    }
    if !condition.is_empty() {
        statement["Condition"] = Value::Object(condition);
    }
    statement
}
