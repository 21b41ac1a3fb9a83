//! Who may call a function: the statements of its resource policy.

use super::Functions;
use crate::name::{FunctionName, arn, conflict, invalid, missing};
use crate::registry::{Function, key};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use std::collections::BTreeMap;
use wire::ServiceError;

impl Functions {
    /// The name whose policy it is: `$LATEST`'s is the function's own.
    fn granted(&self, call: &Call, input: &Value) -> Result<FunctionName, ServiceError> {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?
            .qualified(text(input, "Qualifier"))?;
        if name.qualifier.as_deref() == Some("$LATEST") {
            return Err(invalid("We currently do not support adding policies for $LATEST."));
        }
        self.registry.find(&call.caller, &name)?;
        Ok(name)
    }

    pub(super) async fn add_permission(&self, call: &Call, input: &Value) -> Answer {
        let name = self.granted(call, input)?;
        let statement = statement(input, &name.arn(&call.caller))?;
        let id = required(input, "StatementId");
        self.change(call, &name.name, text(input, "RevisionId"), |function| {
            if policy(function, &name).contains_key(id) {
                return Err(conflict(format!(
                    "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing statement."
                )));
            }
            policy(function, &name).insert(id.to_owned(), statement.clone());
            Ok(())
        })
        .await?;
        Ok(json!({ "Statement": statement.to_string() }))
    }

    pub(super) fn get_policy(&self, call: &Call, input: &Value) -> Answer {
        let name = self.granted(call, input)?;
        let mut function = self.whole(call, input)?;
        let policy = policy(&mut function, &name);
        if policy.is_empty() {
            return Err(missing("The resource you requested does not exist."));
        }
        let statements: Vec<_> = policy.values().collect();
        let policy = json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
        Ok(json!({ "Policy": policy.to_string(), "RevisionId": function.revision }))
    }

    pub(super) async fn remove_permission(&self, call: &Call, input: &Value) -> Answer {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?;
        if self.registry.functions.get(&key(&call.caller, &name.name))?.is_none() {
            return Err(missing(format!("No policy found for: {}", arn(&call.caller, &name.name))));
        }
        let name = self.granted(call, input)?;
        let id = required(input, "StatementId");
        self.change(call, &name.name, text(input, "RevisionId"), |function| {
            let statements = policy(function, &name);
            if statements.is_empty() {
                return Err(missing("No policy is associated with the given resource."));
            }
            match statements.remove(id) {
                Some(_) => Ok(()),
                None => Err(missing(format!("Statement {id} is not found in resource policy."))),
            }
        })
        .await?;
        Ok(json!({}))
    }
}

fn policy<'a>(function: &'a mut Function, name: &FunctionName) -> &'a mut BTreeMap<String, Value> {
    match &name.qualifier {
        Some(qualifier) => function.policies.entry(qualifier.clone()).or_default(),
        None => &mut function.policy,
    }
}

fn statement(input: &Value, resource: &str) -> Result<Value, ServiceError> {
    if let Some(name) = ["InvokedViaFunctionUrl"].iter().find(|name| input.get(**name).is_some()) {
        return Err(invalid(format!("{name} is not supported.")));
    }
    let principal = required(input, "Principal");
    let told = if principal.contains(".amazonaws.com") {
        json!({ "Service": principal })
    } else if principal == "*" {
        json!("*")
    } else if principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit()) {
        json!({ "AWS": format!("arn:aws:iam::{principal}:root") })
    } else if principal.starts_with("arn:") {
        json!({ "AWS": principal })
    } else {
        return Err(invalid("The provided principal was invalid. Please check the principal and try again."));
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
    let mut equals = condition.remove("StringEquals").unwrap_or_else(|| json!({}));
    let conditions = [
        ("EventSourceToken", "lambda:EventSourceToken"),
        ("FunctionUrlAuthType", "lambda:FunctionUrlAuthType"),
        ("PrincipalOrgID", "aws:PrincipalOrgID"),
    ];
    for (member, key) in conditions {
        if let Some(value) = text(input, member) {
            equals[key] = value.into();
        }
    }
    if equals.as_object().is_some_and(|equals| !equals.is_empty()) {
        condition.insert("StringEquals".to_owned(), equals);
    }
    if !condition.is_empty() {
        statement["Condition"] = Value::Object(condition);
    }
    Ok(statement)
}
