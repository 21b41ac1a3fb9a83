//! `AWS::CloudFormation::Stack`: a stack inside a stack.

use super::{Cx, only, tags};
use crate::template::evaluate::{Made, text as scalar};
use serde_json::{Map, Value, json};
use servicekit::fields::text;
use std::time::Duration;

/// Between looks at a stack that is being worked on for longer than a call waits.
const LOOK: Duration = Duration::from_millis(200);

fn input(name: &str, properties: &Value) -> Result<Value, String> {
    only(properties, &["TemplateURL", "Parameters", "Tags", "NotificationARNs"])?;
    let mut input = Map::new();
    input.insert("StackName".into(), name.into());
    let url = properties.get("TemplateURL").ok_or("TemplateURL must be given")?;
    input.insert("TemplateURL".into(), url.clone());
    let parameters = properties.get("Parameters").and_then(Value::as_object).into_iter().flatten();
    let parameters = parameters.map(|(key, value)| {
        // A list is told as its members with commas between.
        let value = match value {
            Value::Array(items) => items.iter().filter_map(scalar).collect::<Vec<_>>().join(","),
            other => scalar(other).unwrap_or_default(),
        };
        json!({ "ParameterKey": key, "ParameterValue": value })
    });
    input.insert("Parameters".into(), parameters.collect());
    input.insert("Tags".into(), tags::list(properties).into());
    let all = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];
    // The outer stack was granted what its template needs; the inner ones are part of it.
    input.insert("Capabilities".into(), json!(all));
    Ok(input.into())
}

pub(super) async fn create(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    let mut input = input(&cx.made_up_name(128), properties)?;
    input["OnFailure"] = "DO_NOTHING".into();
    let answer = cx.ask("cloudformation", "CreateStack", input).await?;
    let id = text(&answer, "StackId").unwrap_or_default().to_owned();
    let made = Made { id, ..Made::default() };
    match settled(cx, &made.id, "CREATE_COMPLETE").await {
        Ok(outputs) => Ok(Made { attributes: outputs, ..made }),
        Err(words) => {
            let _removed = delete(cx, &made).await;
            Err(format!("Embedded stack {} was not successfully created: {words}", made.id))
        }
    }
}

pub(super) async fn update(cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<Made, String> {
    let answer = cx.ask("cloudformation", "UpdateStack", input(&made.id, properties)?).await;
    match answer {
        Err(words) if words.contains("No updates are to be performed.") => return Ok(made.clone()),
        other => drop(other?),
    }
    let outputs = settled(cx, &made.id, "UPDATE_COMPLETE").await;
    let outputs = outputs
        .map_err(|words| format!("Embedded stack {} was not successfully updated: {words}", made.id))?;
    Ok(Made { id: made.id.clone(), attributes: outputs })
}

pub(super) async fn delete(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask("cloudformation", "DeleteStack", json!({ "StackName": made.id })).await?;
    match settled(cx, &made.id, "DELETE_COMPLETE").await {
        Ok(_) => Ok(()),
        Err(words) if words.contains("does not exist") => Ok(()),
        Err(words) => Err(format!("Embedded stack {} was not successfully deleted: {words}", made.id)),
    }
}

/// Waits until a stack is worked on no more: its outputs, where it ended so.
async fn settled(
    cx: &Cx<'_>,
    id: &str,
    end: &str,
) -> Result<std::collections::BTreeMap<String, Value>, String> {
    loop {
        let answer = cx.ask("cloudformation", "DescribeStacks", json!({ "StackName": id })).await?;
        let stack = &answer["Stacks"][0];
        let status = text(stack, "StackStatus").unwrap_or_default();
        if status.ends_with("_IN_PROGRESS") {
            tokio::time::sleep(LOOK).await;
            continue;
        }
        if status != end {
            return Err(text(stack, "StackStatusReason").unwrap_or(status).to_owned());
        }
        let outputs = stack["Outputs"].as_array().into_iter().flatten();
        let output =
            |one: &Value| Some((format!("Outputs.{}", text(one, "OutputKey")?), one["OutputValue"].clone()));
        return Ok(outputs.filter_map(output).collect());
    }
}
