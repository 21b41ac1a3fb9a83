//! Who may use a layer's version.

use super::Functions;
use crate::name::{conflict, missing};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};

impl Functions {
    pub(super) async fn add_layer_permission(&self, call: &Call, input: &Value) -> Answer {
        let layer = self.layer_governed(call, input)?;
        let (id, principal) = (required(input, "StatementId"), required(input, "Principal"));
        let told = match principal {
            "*" => json!("*"),
            account if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) => {
                json!({ "AWS": format!("arn:aws:iam::{account}:root") })
            }
            other => json!({ "AWS": other }),
        };
        let mut statement = json!({
            "Sid": id,
            "Effect": "Allow",
            "Principal": told,
            "Action": required(input, "Action"),
            "Resource": self.layer_arn(call, &layer),
        });
        if let Some(organization) = text(input, "OrganizationId") {
            statement["Condition"] = json!({ "StringEquals": { "aws:PrincipalOrgID": organization } });
        }
        let (_, revision) = self
            .change_layer(call, input, |layer| {
                if layer.policy.contains_key(id) {
                    return Err(conflict(format!(
                        "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing statement."
                    )));
                }
                layer.policy.insert(id.to_owned(), statement.clone());
                Ok(())
            })
            .await?;
        Ok(json!({ "Statement": statement.to_string(), "RevisionId": revision }))
    }

    pub(super) fn get_layer_policy(&self, call: &Call, input: &Value) -> Answer {
        let layer = self.layer_governed(call, input)?;
        if layer.policy.is_empty() {
            return Err(missing("No policy is associated with the given resource."));
        }
        let statements: Vec<_> = layer.policy.values().collect();
        let policy = json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
        Ok(json!({ "Policy": policy.to_string(), "RevisionId": layer.revision }))
    }

    pub(super) async fn remove_layer_permission(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "StatementId");
        self.change_layer(call, input, |layer| match layer.policy.shift_remove(id) {
            Some(_) => Ok(()),
            None => Err(missing(format!("Statement {id} is not found in resource policy."))),
        })
        .await?;
        Ok(json!({}))
    }
}
