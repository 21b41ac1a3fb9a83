//! `AWS::CloudFormation::CustomResource` and `Custom::…`: a function makes them, and puts its answer where it is told.

use super::{Change, Cx};
use crate::template::evaluate::Made;
use serde_json::{Map, Value, json};
use servicekit::fields::text;
use std::time::Duration;

/// How long an answer is waited for where the template says nothing.
const ANSWER_S: u64 = 3600;

/// Whether a type is one of these, whatever it is called.
pub(crate) fn is_custom(kind: &str) -> bool {
    kind == "AWS::CloudFormation::CustomResource" || kind.starts_with("Custom::")
}

struct Asked<'a> {
    request: &'static str,
    kind: &'a str,
    physical: Option<&'a str>,
    properties: &'a Value,
    old: Option<&'a Value>,
}

pub(super) async fn create(cx: &Cx<'_>, kind: &str, properties: &Value) -> Result<Made, String> {
    ask(cx, Asked { request: "Create", kind, physical: None, properties, old: None }).await
}

/// The function may answer with another id: then the old resource goes when the change has succeeded.
pub(super) async fn update(cx: &Cx<'_>, kind: &str, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    ask(cx, Asked { request: "Update", kind, physical: Some(&made.id), properties: new, old: Some(old) })
        .await
}

pub(super) async fn delete(cx: &Cx<'_>, kind: &str, made: &Made, properties: &Value) -> Result<(), String> {
    ask(cx, Asked { request: "Delete", kind, physical: Some(&made.id), properties, old: None })
        .await
        .map(drop)
}

async fn ask(cx: &Cx<'_>, asked: Asked<'_>) -> Result<Made, String> {
    let token = text(asked.properties, "ServiceToken").unwrap_or_default();
    if !token.starts_with("arn:aws:lambda:") {
        return Err(
            "Invalid service token: it must be the ARN of a function; topics are not supported.".to_owned()
        );
    }
    let limit_s = asked.properties.get("ServiceTimeout").and_then(|limit| match limit {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    });
    let limit = Duration::from_secs(limit_s.unwrap_or(ANSWER_S).clamp(1, ANSWER_S));
    let mut expected = cx.answers.expect(cx.world);
    let mut event = json!({
        "RequestType": asked.request,
        "ServiceToken": token,
        "ResponseURL": expected.url,
        "StackId": cx.stack.id,
        "RequestId": cx.world.uuid(),
        "LogicalResourceId": cx.logical,
        "ResourceType": asked.kind,
        "ResourceProperties": texts(asked.properties),
    });
    if let Some(physical) = asked.physical {
        event["PhysicalResourceId"] = physical.into();
    }
    if let Some(old) = asked.old {
        event["OldResourceProperties"] = texts(old);
    }
    let input =
        json!({ "FunctionName": token, "InvocationType": "RequestResponse", "Payload": event.to_string() });
    let invoked = cx.ask("lambda", "Invoke", input).await?;
    if invoked.get("FunctionError").is_some() && expected.answer.is_empty() {
        // Nobody is left who would answer.
        let payload = invoked["Payload"].as_str().unwrap_or_default();
        return Err(format!(
            "Received response status [FAILED] from custom resource. Message returned: {payload}"
        ));
    }
    let answer = tokio::time::timeout(limit, &mut expected.answer).await.map_err(|_| {
        "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.".to_owned()
    })?;
    let answer = answer.map_err(|_| "the server is being stopped".to_owned())?;
    if text(&answer, "Status") != Some("SUCCESS") {
        let reason = text(&answer, "Reason").unwrap_or("See the details in CloudWatch Log Stream");
        return Err(format!(
            "Received response status [FAILED] from custom resource. Message returned: {reason}"
        ));
    }
    let id = match text(&answer, "PhysicalResourceId").or(asked.physical) {
        Some(id) => id.to_owned(),
        None => return Err("Invalid PhysicalResourceId: the answer has none".to_owned()),
    };
    let data = answer.get("Data").and_then(Value::as_object).cloned().unwrap_or_default();
    Ok(Made { id, attributes: data.into_iter().collect() })
}

/// Functions are given every scalar as a text.
fn texts(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), texts(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(texts).collect(),
        Value::Bool(_) | Value::Number(_) => value.to_string().into(),
        other => other.clone(),
    }
}
