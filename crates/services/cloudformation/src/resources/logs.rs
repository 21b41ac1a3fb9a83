//! `AWS::Logs::LogGroup` and `LogStream`.

use super::{Change, Cx, only, tags};
use crate::template::evaluate::Made;
use serde_json::{Value, json};

pub(super) async fn create(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    only(properties, &["LogGroupName", "RetentionInDays", "LogGroupClass", "Tags"])?;
    let mut input = json!({"logGroupName": name});
    if let Some(class) = properties.get("LogGroupClass") {
        input["logGroupClass"] = class.clone();
    }
    if let Some(members) = input.as_object_mut() {
        tags::add("logs", properties, members);
    }
    cx.ask("logs", "CreateLogGroup", input).await?;
    let made = Made { id: name.to_owned(), ..Made::default() };
    let (account, region) = (&cx.caller.account, &cx.caller.region);
    let arn = format!("arn:aws:logs:{region}:{account}:log-group:{name}:*");
    let made = Made { attributes: [("Arn".to_owned(), arn.into())].into(), ..made };
    retain(cx, &made, properties).await?;
    Ok(made)
}

pub(super) async fn update(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let arn = made.attributes.get("Arn").and_then(Value::as_str).unwrap_or_default();
    let about = json!({"resourceArn": arn.trim_end_matches(":*")});
    cx.retag("logs", about, old, new).await?;
    retain(cx, made, new).await?;
    Ok(made.clone())
}

async fn retain(cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    match properties.get("RetentionInDays") {
        Some(days) => {
            let input = json!({"logGroupName": made.id, "retentionInDays": days});
            cx.ask("logs", "PutRetentionPolicy", input).await?;
        }
        None => {
            cx.ask("logs", "DeleteRetentionPolicy", json!({"logGroupName": made.id})).await?;
        }
    }
    Ok(())
}

pub(super) async fn delete(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("logs", "DeleteLogGroup", json!({"logGroupName": made.id})).await
}

pub(super) async fn create_stream(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    only(properties, &["LogGroupName", "LogStreamName"])?;
    let input = json!({"logGroupName": properties["LogGroupName"], "logStreamName": name});
    cx.ask("logs", "CreateLogStream", input).await?;
    Ok(Made { id: name.to_owned(), ..Made::default() })
}

pub(super) async fn delete_stream(cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    let input = json!({"logGroupName": properties["LogGroupName"], "logStreamName": made.id});
    cx.ask_gone("logs", "DeleteLogStream", input).await
}
