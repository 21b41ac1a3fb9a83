//! `AWS::ApiGateway::RestApi`, `Resource`, `Authorizer`, `Method`, `Deployment`, `Stage`, `Account` and `GatewayResponse`.

use super::{Change, Cx, api_bodies, api_stages, only, tags};
use crate::template::evaluate::{Made, text};
use serde_json::{Map, Value, json};

pub(super) const SERVICE: &str = "apigateway";

/// The properties of these names as members of a call, which begin small.
pub(super) fn members(properties: &Value, names: &[&str]) -> Map<String, Value> {
    let present = names.iter().filter_map(|name| Some((small(name), properties.get(*name)?.clone())));
    present.collect()
}

fn small(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

pub(super) fn owned(properties: &Value, name: &str) -> String {
    properties.get(name).and_then(text).unwrap_or_default()
}

pub(super) fn made(id: &Value, attributes: &[(&str, &Value)]) -> Made {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).clone()));
    Made { id: id.as_str().unwrap_or_default().to_owned(), attributes: attributes.collect() }
}

/// `[{"op", "path", "value"}]` of what differs; what the template says no more goes back to its default.
pub(super) fn patches(old: &Value, new: &Value, paths: &[(&str, &str, &str)]) -> Vec<Value> {
    let differing = paths.iter().filter(|(name, ..)| old.get(*name) != new.get(*name));
    differing
        .map(|(name, path, default)| {
            let value = new.get(*name).and_then(text).unwrap_or_else(|| (*default).to_owned());
            json!({"op": "replace", "path": path, "value": value})
        })
        .collect()
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('~', "~0").replace('/', "~1")
}

const AUTHORIZER: &[&str] = &[
    "AuthType",
    "AuthorizerCredentials",
    "AuthorizerResultTtlInSeconds",
    "AuthorizerUri",
    "IdentitySource",
    "IdentityValidationExpression",
    "Name",
    "Type",
];

pub(super) async fn create(kind: &str, cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    match kind {
        "AWS::ApiGateway::RestApi" => create_api(cx, properties).await,
        "AWS::ApiGateway::Resource" => {
            only(properties, &["ParentId", "PathPart", "RestApiId"])?;
            let input = members(properties, &["ParentId", "PathPart", "RestApiId"]);
            let answer = cx.ask(SERVICE, "CreateResource", input.into()).await?;
            Ok(made(&answer["id"], &[("ResourceId", &answer["id"])]))
        }
        "AWS::ApiGateway::Method" => {
            put_method(cx, properties).await?;
            Ok(Made { id: cx.made_up_name(64), ..Made::default() })
        }
        "AWS::ApiGateway::Deployment" => {
            only(properties, &["Description", "RestApiId", "StageName"])?;
            let input = members(properties, &["Description", "RestApiId", "StageName"]);
            let answer = cx.ask(SERVICE, "CreateDeployment", input.into()).await?;
            Ok(made(&answer["id"], &[("DeploymentId", &answer["id"])]))
        }
        "AWS::ApiGateway::Authorizer" => {
            only(properties, &[AUTHORIZER, &["RestApiId", "ProviderARNs"]].concat())?;
            let input = members(properties, &[AUTHORIZER, &["RestApiId", "ProviderARNs"]].concat());
            let answer = cx.ask(SERVICE, "CreateAuthorizer", input.into()).await?;
            Ok(made(&answer["id"], &[("AuthorizerId", &answer["id"])]))
        }
        "AWS::ApiGateway::Stage" => api_stages::create_stage(cx, properties).await,
        "AWS::ApiGateway::Account" => {
            only(properties, &["CloudWatchRoleArn"])?;
            set_role(cx, properties).await?;
            let id = Value::from(cx.made_up_name(64));
            Ok(made(&id, &[("Id", &id)]))
        }
        _ => {
            put_response(cx, properties).await?;
            let id = Value::from(cx.made_up_name(64));
            Ok(made(&id, &[("Id", &id)]))
        }
    }
}

pub(super) async fn update(kind: &str, cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    match kind {
        "AWS::ApiGateway::RestApi" => update_api(cx, change).await?,
        "AWS::ApiGateway::Method" => {
            // Its parts are many: it is made anew in its place. What is served only changes with a deployment.
            delete_method(cx, old).await?;
            put_method(cx, new).await?;
        }
        "AWS::ApiGateway::Deployment" => {
            let change = patches(old, new, &[("Description", "/description", "")]);
            let input =
                json!({"restApiId": new["RestApiId"], "deploymentId": made.id, "patchOperations": change});
            cx.ask(SERVICE, "UpdateDeployment", input).await?;
        }
        "AWS::ApiGateway::Authorizer" => {
            let paths = AUTHORIZER.iter().map(|name| (*name, format!("/{}", small(name))));
            let paths: Vec<(&str, String)> = paths.collect();
            let default = |name: &str| if name == "AuthorizerResultTtlInSeconds" { "300" } else { "" };
            let paths: Vec<(&str, &str, &str)> =
                paths.iter().map(|(name, path)| (*name, path.as_str(), default(name))).collect();
            let change = patches(old, new, &paths);
            let input =
                json!({"restApiId": new["RestApiId"], "authorizerId": made.id, "patchOperations": change});
            cx.ask(SERVICE, "UpdateAuthorizer", input).await?;
        }
        "AWS::ApiGateway::Stage" => api_stages::update_stage(cx, old, new).await?,
        "AWS::ApiGateway::Account" => set_role(cx, new).await?,
        "AWS::ApiGateway::GatewayResponse" => put_response(cx, new).await?,
        _ => {}
    }
    Ok(made.clone())
}

pub(super) async fn delete(kind: &str, cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    let api = &properties["RestApiId"];
    let (operation, input) = match kind {
        "AWS::ApiGateway::RestApi" => ("DeleteRestApi", json!({"restApiId": made.id})),
        "AWS::ApiGateway::Resource" => ("DeleteResource", json!({"restApiId": api, "resourceId": made.id})),
        "AWS::ApiGateway::Method" => return delete_method(cx, properties).await,
        "AWS::ApiGateway::Authorizer" => {
            ("DeleteAuthorizer", json!({"restApiId": api, "authorizerId": made.id}))
        }
        "AWS::ApiGateway::Deployment" => {
            // A stage that it made goes with it.
            if let Some(stage) = properties.get("StageName") {
                cx.ask_gone(SERVICE, "DeleteStage", json!({"restApiId": api, "stageName": stage})).await?;
            }
            ("DeleteDeployment", json!({"restApiId": api, "deploymentId": made.id}))
        }
        "AWS::ApiGateway::Stage" => ("DeleteStage", json!({"restApiId": api, "stageName": made.id})),
        "AWS::ApiGateway::GatewayResponse" => {
            ("DeleteGatewayResponse", json!({"restApiId": api, "responseType": properties["ResponseType"]}))
        }
        // The account keeps its role.
        _ => return Ok(()),
    };
    cx.ask_gone(SERVICE, operation, input).await
}

const API: &[&str] = &[
    "Body",
    "BodyS3Location",
    "Mode",
    "Name",
    "Parameters",
    "Description",
    "BinaryMediaTypes",
    "DisableExecuteApiEndpoint",
    "EndpointConfiguration",
    "Tags",
];

async fn create_api(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    check_api(properties)?;
    if let Some(body) = api_bodies::of(cx, properties).await? {
        return import_api(cx, properties, body).await;
    }
    let mut input =
        members(properties, &["Name", "Description", "BinaryMediaTypes", "DisableExecuteApiEndpoint"]);
    if let Some(source) = properties.get("ApiKeySourceType") {
        input.insert("apiKeySource".to_owned(), source.clone());
    }
    if let Some(endpoint) = properties.get("EndpointConfiguration") {
        only(endpoint, &["Types", "VpcEndpointIds", "IpAddressType"])?;
        let endpoint = members(endpoint, &["Types", "VpcEndpointIds", "IpAddressType"]);
        input.insert("endpointConfiguration".to_owned(), endpoint.into());
    }
    tags::add(SERVICE, properties, &mut input);
    let answer = cx.ask(SERVICE, "CreateRestApi", input.into()).await?;
    Ok(made(&answer["id"], &[("RestApiId", &answer["id"]), ("RootResourceId", &answer["rootResourceId"])]))
}

/// An API that a document describes; properties go before what that says.
async fn import_api(cx: &Cx<'_>, properties: &Value, body: String) -> Result<Made, String> {
    let mut input = json!({"body": body, "parameters": api_bodies::parameters(properties)});
    if let Some(kind) = properties.pointer("/EndpointConfiguration/Types/0") {
        input["parameters"]["endpointConfigurationTypes"] = kind.clone();
    }
    let answer = cx.ask(SERVICE, "ImportRestApi", input).await?;
    let made =
        made(&answer["id"], &[("RestApiId", &answer["id"]), ("RootResourceId", &answer["rootResourceId"])]);
    let tagless = || json!({"EndpointConfiguration": properties["EndpointConfiguration"]});
    // What was imported holds what these do not say.
    let done = match describe(cx, &made, &tagless(), properties).await {
        Ok(()) => retag(cx, &format!("restapis/{}", made.id), &Value::Null, properties).await,
        wrong => wrong,
    };
    if done.is_err() {
        cx.ask_gone(SERVICE, "DeleteRestApi", json!({"restApiId": made.id})).await?;
    }
    done.map(|()| made)
}

fn check_api(properties: &Value) -> Result<(), String> {
    let mut own = properties.as_object().cloned().unwrap_or_default();
    // These ask for what is so anyway.
    own.retain(|name, value| match name.as_str() {
        "FailOnWarnings" => text(value).as_deref() != Some("false"),
        "ApiKeySourceType" => value != "HEADER",
        _ => true,
    });
    only(&own.into(), API)
}

async fn update_api(cx: &Cx<'_>, change: Change<'_>) -> Result<(), String> {
    let Change { made, old, new } = change;
    check_api(new)?;
    if let Some(body) = api_bodies::of(cx, new).await? {
        let mode = owned(new, "Mode");
        let mode = if mode.is_empty() { "overwrite" } else { mode.as_str() };
        let input = json!({
            "restApiId": made.id, "mode": mode, "body": body, "parameters": api_bodies::parameters(new),
        });
        cx.ask(SERVICE, "PutRestApi", input).await?;
        let before = json!({"EndpointConfiguration": old["EndpointConfiguration"]});
        describe(cx, made, &before, new).await?;
    } else {
        describe(cx, made, old, new).await?;
    }
    retag(cx, &format!("restapis/{}", made.id), old, new).await
}

/// What an API says of itself.
async fn describe(cx: &Cx<'_>, made: &Made, old: &Value, new: &Value) -> Result<(), String> {
    let paths = [
        ("Name", "/name", ""),
        ("Description", "/description", ""),
        ("DisableExecuteApiEndpoint", "/disableExecuteApiEndpoint", "false"),
    ];
    let mut change = patches(old, new, &paths);
    let types = |of: &Value| servicekit::fields::texts(of, "BinaryMediaTypes");
    for gone in types(old).iter().filter(|kind| !types(new).contains(kind)) {
        change.push(json!({"op": "remove", "path": format!("/binaryMediaTypes/{}", escaped(gone))}));
    }
    for added in types(new).iter().filter(|kind| !types(old).contains(kind)) {
        change.push(json!({"op": "add", "path": format!("/binaryMediaTypes/{}", escaped(added))}));
    }
    let endpoint = |of: &Value| of["EndpointConfiguration"]["Types"][0].as_str().unwrap_or("EDGE").to_owned();
    let (before, after) = (endpoint(old), endpoint(new));
    if before != after {
        let path = format!("/endpointConfiguration/types/{before}");
        change.push(json!({"op": "replace", "path": path, "value": after}));
    }
    if !change.is_empty() {
        let input = json!({"restApiId": made.id, "patchOperations": change});
        cx.ask(SERVICE, "UpdateRestApi", input).await?;
    }
    Ok(())
}

pub(super) async fn retag(cx: &Cx<'_>, path: &str, old: &Value, new: &Value) -> Result<(), String> {
    let arn = format!("arn:aws:apigateway:{}::/{path}", cx.caller.region);
    cx.retag(SERVICE, json!({ "resourceArn": arn }), old, new).await
}

/// Whose method it is, as each of its calls names it.
fn place(properties: &Value) -> Map<String, Value> {
    members(properties, &["RestApiId", "ResourceId", "HttpMethod"])
}

fn with(place: &Map<String, Value>, more: Map<String, Value>) -> Value {
    let mut input = place.clone();
    input.extend(more);
    input.into()
}

const METHOD: &[&str] = &[
    "ApiKeyRequired",
    "AuthorizationScopes",
    "AuthorizationType",
    "AuthorizerId",
    "OperationName",
    "RequestModels",
    "RequestParameters",
    "RequestValidatorId",
];

const INTEGRATION: &[&str] = &[
    "CacheKeyParameters",
    "CacheNamespace",
    "ConnectionId",
    "ConnectionType",
    "ContentHandling",
    "Credentials",
    "IntegrationHttpMethod",
    "PassthroughBehavior",
    "RequestParameters",
    "RequestTemplates",
    "ResponseTransferMode",
    "TimeoutInMillis",
    "Type",
    "Uri",
];

async fn put_method(cx: &Cx<'_>, properties: &Value) -> Result<(), String> {
    let own = ["RestApiId", "ResourceId", "HttpMethod", "Integration", "MethodResponses"];
    only(properties, &[METHOD, &own[..]].concat())?;
    let mut method = members(properties, METHOD);
    method.entry("authorizationType").or_insert_with(|| json!("NONE"));
    cx.ask(SERVICE, "PutMethod", with(&place(properties), method)).await?;
    let done = put_parts(cx, properties).await;
    if done.is_err() {
        // Half a method is none.
        delete_method(cx, properties).await?;
    }
    done
}

async fn put_parts(cx: &Cx<'_>, properties: &Value) -> Result<(), String> {
    let place = place(properties);
    for response in properties.get("MethodResponses").and_then(Value::as_array).into_iter().flatten() {
        let names = ["StatusCode", "ResponseModels", "ResponseParameters"];
        only(response, &names)?;
        cx.ask(SERVICE, "PutMethodResponse", with(&place, members(response, &names))).await?;
    }
    let Some(integration) = properties.get("Integration") else { return Ok(()) };
    only(integration, &[INTEGRATION, &["IntegrationResponses"]].concat())?;
    cx.ask(SERVICE, "PutIntegration", with(&place, members(integration, INTEGRATION))).await?;
    for response in integration.get("IntegrationResponses").and_then(Value::as_array).into_iter().flatten() {
        let names =
            ["ContentHandling", "ResponseParameters", "ResponseTemplates", "SelectionPattern", "StatusCode"];
        only(response, &names)?;
        cx.ask(SERVICE, "PutIntegrationResponse", with(&place, members(response, &names))).await?;
    }
    Ok(())
}

async fn delete_method(cx: &Cx<'_>, properties: &Value) -> Result<(), String> {
    cx.ask_gone(SERVICE, "DeleteMethod", place(properties).into()).await
}

async fn set_role(cx: &Cx<'_>, properties: &Value) -> Result<(), String> {
    let role = owned(properties, "CloudWatchRoleArn");
    let change = json!([{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]);
    cx.ask(SERVICE, "UpdateAccount", json!({"patchOperations": change})).await.map(|_| ())
}

async fn put_response(cx: &Cx<'_>, properties: &Value) -> Result<(), String> {
    let names = ["RestApiId", "ResponseType", "StatusCode", "ResponseParameters", "ResponseTemplates"];
    only(properties, &names)?;
    cx.ask(SERVICE, "PutGatewayResponse", members(properties, &names).into()).await.map(|_| ())
}
