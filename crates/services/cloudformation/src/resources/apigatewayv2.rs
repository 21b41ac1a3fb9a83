//! `AWS::ApiGatewayV2::Api`, `Authorizer`, `Integration`, `Route`, `Stage` and `Deployment`.

use super::{Change, Cx, api_bodies, pick, tags};
use crate::template::evaluate::Made;
use serde_json::{Map, Value, json};

/// The calls for one type of part, and the member that is its id.
struct Part {
    create: &'static str,
    update: &'static str,
    delete: &'static str,
    id: &'static str,
    /// What a property goes back to when the template says it no more.
    defaults: fn() -> Vec<(&'static str, Value)>,
}

const SERVICE: &str = "apigatewayv2";
const API: &str = "AWS::ApiGatewayV2::Api";

fn part(kind: &str) -> Part {
    match kind {
        "AWS::ApiGatewayV2::Api" => Part {
            create: "CreateApi",
            update: "UpdateApi",
            delete: "DeleteApi",
            id: "ApiId",
            defaults: || {
                vec![
                    ("CorsConfiguration", json!({})),
                    ("Description", json!("")),
                    ("DisableExecuteApiEndpoint", json!(false)),
                ]
            },
        },
        "AWS::ApiGatewayV2::Authorizer" => Part {
            create: "CreateAuthorizer",
            update: "UpdateAuthorizer",
            delete: "DeleteAuthorizer",
            id: "AuthorizerId",
            defaults: || {
                vec![
                    ("AuthorizerCredentialsArn", json!("")),
                    ("AuthorizerResultTtlInSeconds", json!(0)),
                    ("EnableSimpleResponses", json!(false)),
                    ("IdentitySource", json!([])),
                ]
            },
        },
        "AWS::ApiGatewayV2::Integration" => Part {
            create: "CreateIntegration",
            update: "UpdateIntegration",
            delete: "DeleteIntegration",
            id: "IntegrationId",
            defaults: || {
                vec![
                    ("CredentialsArn", json!("")),
                    ("Description", json!("")),
                    ("TimeoutInMillis", json!(30_000)),
                ]
            },
        },
        "AWS::ApiGatewayV2::Route" => Part {
            create: "CreateRoute",
            update: "UpdateRoute",
            delete: "DeleteRoute",
            id: "RouteId",
            defaults: || {
                vec![
                    ("AuthorizationScopes", json!([])),
                    ("AuthorizationType", json!("NONE")),
                    ("AuthorizerId", json!("")),
                ]
            },
        },
        "AWS::ApiGatewayV2::Stage" => Part {
            create: "CreateStage",
            update: "UpdateStage",
            delete: "DeleteStage",
            id: "StageName",
            defaults: || {
                vec![
                    ("AutoDeploy", json!(false)),
                    ("DefaultRouteSettings", json!({"DetailedMetricsEnabled": false})),
                    ("Description", json!("")),
                ]
            },
        },
        _ => Part {
            create: "CreateDeployment",
            update: "UpdateDeployment",
            delete: "DeleteDeployment",
            id: "DeploymentId",
            defaults: || vec![("Description", json!(""))],
        },
    }
}

/// The members of the calls: tags are told apart, and a warning is nothing to fail on.
fn members(properties: &Value) -> Map<String, Value> {
    let mut input = properties.as_object().cloned().unwrap_or_default();
    input.remove("Tags");
    if input.get("FailOnWarnings").is_some_and(|own| own == false || own == "false") {
        input.remove("FailOnWarnings");
    }
    if let Some(all) = input.get_mut("ResponseParameters").and_then(Value::as_object_mut) {
        all.values_mut().for_each(|status| *status = by_destination(status));
    }
    input
}

/// `{"ResponseParameters": [{"Destination", "Source"}]}` as the map that calls have.
fn by_destination(status: &Value) -> Value {
    let Some(list) = status["ResponseParameters"].as_array() else { return status.clone() };
    let pair = |one: &Value| Some((one["Destination"].as_str()?.to_owned(), one["Source"].clone()));
    Value::Object(list.iter().filter_map(pair).collect())
}

/// What a map had and has no more is taken away by name: calls lay a map over the one there is.
fn forget(before: &Map<String, Value>, input: &mut Map<String, Value>, member: &str, nothing: &Value) {
    let names = before.get(member).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name);
    let mut now = input.get(member).cloned().unwrap_or_else(|| json!({}));
    let gone: Vec<&String> = names.filter(|name| now.get(name.as_str()).is_none()).collect();
    if gone.is_empty() {
        return;
    }
    gone.into_iter().for_each(|name| now[name.as_str()] = nothing.clone());
    input.insert(member.to_owned(), now);
}

pub(super) async fn create(kind: &str, cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    let part = part(kind);
    let mut input = members(properties);
    if tags::takes(kind) {
        tags::add(SERVICE, properties, &mut input);
    }
    let body = if kind == API { api_bodies::of(cx, properties).await? } else { None };
    let answer = match body {
        Some(body) => import(cx, body, input).await?,
        None => cx.ask(SERVICE, part.create, input.into()).await?,
    };
    let id = answer[part.id].as_str().unwrap_or_default().to_owned();
    let mut attributes = Map::new();
    for name in [part.id, "ApiEndpoint"] {
        if let Some(value) = answer.get(name) {
            attributes.insert(name.to_owned(), value.clone());
        }
    }
    Ok(Made { id, attributes: attributes.into_iter().collect() })
}

/// What only says where an API's document is.
const OF_BODIES: [&str; 3] = ["BasePath", "Body", "BodyS3Location"];

/// An API that a document describes; properties go before what that says.
async fn import(cx: &Cx<'_>, body: String, mut input: Map<String, Value>) -> Result<Value, String> {
    let base = input.get("BasePath").cloned().unwrap_or_else(|| json!("ignore"));
    let answer = cx.ask(SERVICE, "ImportApi", json!({"Body": body, "Basepath": base})).await?;
    let tags = input.remove("Tags");
    for own in OF_BODIES.iter().chain(&["ProtocolType"]) {
        input.remove(*own);
    }
    input.insert("ApiId".to_owned(), answer["ApiId"].clone());
    let mut done = cx.ask(SERVICE, "UpdateApi", input.into()).await;
    if done.is_ok()
        && let Some(tags) = tags.filter(|tags| *tags != json!({}))
    {
        let id = answer["ApiId"].as_str().unwrap_or_default();
        let arn = format!("arn:aws:apigateway:{}::/apis/{id}", cx.caller.region);
        let tagged = cx.ask(SERVICE, "TagResource", json!({"ResourceArn": arn, "Tags": tags})).await;
        done = tagged.and(done);
    }
    if done.is_err() {
        cx.ask_gone(SERVICE, "DeleteApi", json!({"ApiId": answer["ApiId"]})).await?;
    }
    done
}

pub(super) async fn update(kind: &str, cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let part = part(kind);
    let (before, mut input) = (members(old), members(new));
    for (member, default) in (part.defaults)() {
        if before.contains_key(member) {
            input.entry(member).or_insert(default);
        }
    }
    if kind == "AWS::ApiGatewayV2::Stage" {
        forget_settings(cx, old, new).await?;
        forget(&before, &mut input, "StageVariables", &json!(""));
    }
    if kind == "AWS::ApiGatewayV2::Integration" {
        forget(&before, &mut input, "RequestParameters", &json!(""));
        forget(&before, &mut input, "ResponseParameters", &json!({}));
    }
    // These are only for what is made.
    for fixed in ["ProtocolType", "Target", "RouteKey", "CredentialsArn"] {
        if kind == "AWS::ApiGatewayV2::Api" {
            input.remove(fixed);
        }
    }
    if kind == "AWS::ApiGatewayV2::Deployment" {
        input.remove("StageName");
    }
    let body = if kind == API { api_bodies::of(cx, new).await? } else { None };
    if let Some(body) = body {
        let base = input.get("BasePath").cloned().unwrap_or_else(|| json!("ignore"));
        cx.ask(SERVICE, "ReimportApi", json!({"ApiId": made.id, "Body": body, "Basepath": base})).await?;
        OF_BODIES.iter().for_each(|own| drop(input.remove(*own)));
    }
    input.insert(part.id.to_owned(), made.id.as_str().into());
    cx.ask(SERVICE, part.update, input.into()).await?;
    if tags::takes(kind) {
        retag(kind, cx, made, old, new).await?;
    }
    Ok(made.clone())
}

async fn forget_settings(cx: &Cx<'_>, old: &Value, new: &Value) -> Result<(), String> {
    let of = |properties: &Value| {
        properties.get("RouteSettings").and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let kept = of(new);
    for (key, _) in of(old).into_iter().filter(|(key, _)| !kept.contains_key(key)) {
        let mut input = pick(new, &["ApiId", "StageName"]);
        input.insert("RouteKey".to_owned(), key.into());
        cx.ask_gone(SERVICE, "DeleteRouteSettings", input.into()).await?;
    }
    Ok(())
}

async fn retag(kind: &str, cx: &Cx<'_>, made: &Made, old: &Value, new: &Value) -> Result<(), String> {
    let region = &cx.caller.region;
    let arn = match kind {
        "AWS::ApiGatewayV2::Api" => format!("arn:aws:apigateway:{region}::/apis/{}", made.id),
        _ => {
            let api = new["ApiId"].as_str().unwrap_or_default();
            format!("arn:aws:apigateway:{region}::/apis/{api}/stages/{}", made.id)
        }
    };
    cx.retag(SERVICE, json!({ "ResourceArn": arn }), old, new).await
}

pub(super) async fn delete(kind: &str, cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    let part = part(kind);
    let mut input = pick(properties, &["ApiId"]);
    input.insert(part.id.to_owned(), made.id.as_str().into());
    cx.ask_gone(SERVICE, part.delete, input.into()).await
}
