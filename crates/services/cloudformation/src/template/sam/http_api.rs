//! `AWS::Serverless::HttpApi`: the API, its integrations and routes, and a stage that deploys by itself.

use super::rest_api::Written;
use super::{Members, digest, identifier, only};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) struct HttpRoute {
    pub key: String,
    pub function: String,
    pub format: Value,
    pub timeout: Option<Value>,
    pub settings: Option<Value>,
    pub condition: Option<Value>,
}

#[derive(Default)]
pub(super) struct HttpApis {
    declared: BTreeMap<String, (Members, Value)>,
    routes: Vec<(String, HttpRoute)>,
}

const OWN: &[&str] = &[
    "CorsConfiguration",
    "DefaultRouteSettings",
    "Description",
    "DisableExecuteApiEndpoint",
    "FailOnWarnings",
    "Name",
    "RouteSettings",
    "StageName",
    "StageVariables",
    "Tags",
];

impl HttpApis {
    pub fn declare(&mut self, id: &str, properties: Members, from: &Value) -> Result<(), String> {
        only(&properties, OWN)?;
        self.declared.insert(id.to_owned(), (properties, from.clone()));
        Ok(())
    }

    pub fn route(&mut self, api: &str, route: HttpRoute) {
        self.routes.push((api.to_owned(), route));
    }

    pub fn written(mut self, globals: Members) -> Result<Written, String> {
        only(&globals, OWN)?;
        let implicit = "ServerlessHttpApi";
        if self.routes.iter().any(|(api, _)| api == implicit) && !self.declared.contains_key(implicit) {
            self.declared.insert(implicit.to_owned(), (globals, json!({})));
        }
        if let Some((api, _)) = self.routes.iter().find(|(api, _)| !self.declared.contains_key(api)) {
            return Err(format!(
                "ApiId must be a valid reference to an 'AWS::Serverless::HttpApi' resource in same template: {api}"
            ));
        }
        let mut all = Vec::new();
        for (id, (own, from)) in &self.declared {
            let routes: Vec<&HttpRoute> =
                self.routes.iter().filter(|(api, _)| api == id).map(|(_, route)| route).collect();
            all.extend(api(id, own, from, &routes)?);
        }
        Ok(all)
    }
}

fn resource(kind: &str, properties: Value, condition: Option<&Value>) -> Value {
    let mut resource = json!({"Type": format!("AWS::ApiGatewayV2::{kind}"), "Properties": properties});
    if let Some(condition) = condition {
        resource["Condition"] = condition.clone();
    }
    resource
}

fn api(id: &str, own: &Members, from: &Value, routes: &[&HttpRoute]) -> Result<Written, String> {
    let condition = from.get("Condition");
    let reference = json!({"Ref": id});
    let mut tags = own.get("Tags").cloned().unwrap_or_else(|| json!({}));
    tags["httpapi:createdBy"] = "SAM".into();
    let name = own.get("Name").cloned().unwrap_or_else(|| json!({"Ref": "AWS::StackName"}));
    let mut properties = json!({"Name": name, "ProtocolType": "HTTP", "Tags": tags});
    for member in ["Description", "DisableExecuteApiEndpoint", "FailOnWarnings"] {
        if let Some(value) = own.get(member) {
            properties[member] = value.clone();
        }
    }
    match own.get("CorsConfiguration") {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => properties["CorsConfiguration"] = json!({"AllowOrigins": ["*"]}),
        Some(cors @ Value::Object(_)) => properties["CorsConfiguration"] = cors.clone(),
        Some(_) => return Err("Invalid value for 'CorsConfiguration' property.".to_owned()),
    }
    let mut written = vec![(id.to_owned(), resource("Api", properties, condition))];
    let mut settings = own.get("RouteSettings").cloned().unwrap_or_else(|| json!({}));
    for route in routes {
        let under = route.condition.as_ref().or(condition);
        let mut integration = json!({
            "ApiId": reference, "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": route.format,
            "IntegrationUri": {"Fn::GetAtt": [route.function, "Arn"]},
        });
        if let Some(timeout) = &route.timeout {
            integration["TimeoutInMillis"] = timeout.clone();
        }
        let part = format!("{}{}", identifier(&route.key), digest(&route.key.as_str().into(), 6));
        let to = format!("{id}Integration{part}");
        let target = json!({"Fn::Join": ["/", ["integrations", {"Ref": to}]]});
        written.push((to, resource("Integration", integration, under)));
        let own =
            json!({"ApiId": reference, "RouteKey": route.key, "Target": target, "AuthorizationType": "NONE"});
        written.push((format!("{id}Route{part}"), resource("Route", own, under)));
        if let Some(own) = &route.settings {
            settings[&route.key] = own.clone();
        }
    }
    let stage_name = own.get("StageName").cloned().unwrap_or_else(|| json!("$default"));
    let mut stage = json!({"ApiId": reference, "StageName": stage_name, "AutoDeploy": true, "Tags": tags});
    for member in ["DefaultRouteSettings", "StageVariables"] {
        if let Some(value) = own.get(member) {
            stage[member] = value.clone();
        }
    }
    if settings.as_object().is_some_and(|all| !all.is_empty()) {
        stage["RouteSettings"] = settings;
    }
    let suffix = match stage_name.as_str() {
        Some("$default") | None => "ApiGatewayDefault".to_owned(),
        Some(name) => identifier(name),
    };
    written.push((format!("{id}{suffix}Stage"), resource("Stage", stage, condition)));
    Ok(written)
}
