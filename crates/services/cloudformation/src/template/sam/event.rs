//! What calls a function: streams and queues, topics, and the paths of APIs.

use super::http_api::HttpRoute;
use super::rest_api::RestRoute;
use super::{Expansion, Members, only};
use serde_json::{Value, json};

const MAPPING: &[&str] = &[
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "ScalingConfig",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
];

impl Expansion {
    /// One entry of a function's `Events`.
    pub(super) fn event(
        &mut self,
        function: &str,
        name: &str,
        kind: &str,
        own: Members,
        from: &Value,
    ) -> Result<(), String> {
        match kind {
            "DynamoDB" => self.mapping(function, name, "Stream", own, from),
            "SQS" => self.mapping(function, name, "Queue", own, from),
            "SNS" => self.topic(function, name, own, from),
            "Api" => self.path(function, name, own, from),
            "HttpApi" => self.route(function, name, own, from),
            _ => Err(format!("Type {kind} is not supported.")),
        }
    }

    fn mapping(
        &mut self,
        function: &str,
        name: &str,
        source: &str,
        own: Members,
        from: &Value,
    ) -> Result<(), String> {
        only(&own, &[MAPPING, &[source]].concat())?;
        let arn = own.get(source).ok_or_else(|| format!("Missing required property '{source}'."))?;
        let mut properties = json!({"EventSourceArn": arn, "FunctionName": {"Ref": function}});
        for (member, value) in own.iter().filter(|(member, _)| *member != source) {
            properties[member] = value.clone();
        }
        self.add(&format!("{function}{name}"), "AWS::Lambda::EventSourceMapping", properties, from);
        Ok(())
    }

    fn topic(&mut self, function: &str, name: &str, own: Members, from: &Value) -> Result<(), String> {
        only(&own, &["Topic", "FilterPolicy", "FilterPolicyScope"])?;
        let topic = own.get("Topic").ok_or("Missing required property 'Topic'.")?;
        let mut subscription = json!({
            "Protocol": "lambda", "TopicArn": topic, "Endpoint": {"Fn::GetAtt": [function, "Arn"]},
        });
        for member in ["FilterPolicy", "FilterPolicyScope"] {
            if let Some(value) = own.get(member) {
                subscription[member] = value.clone();
            }
        }
        let permission = permission(function, "sns.amazonaws.com", topic);
        self.add(&format!("{function}{name}Permission"), "AWS::Lambda::Permission", permission, from);
        self.add(&format!("{function}{name}"), "AWS::SNS::Subscription", subscription, from);
        Ok(())
    }

    fn path(&mut self, function: &str, name: &str, own: Members, from: &Value) -> Result<(), String> {
        only(&own, &["Path", "Method", "RestApiId"])?;
        let text = |member: &str| {
            let found = own.get(member).and_then(Value::as_str);
            found.ok_or_else(|| format!("Event is missing the '{member}'."))
        };
        let api = referred(own.get("RestApiId"), "ServerlessRestApi")?;
        let method = verb(text("Method")?);
        let path = text("Path")?;
        let source = source(&api, &method.replace("ANY", "*"), &starred(path));
        let allowed = permission(function, "apigateway.amazonaws.com", &source);
        self.add(
            &format!("{function}{name}Permission{}", self.rest.stage_suffix(&api)),
            "AWS::Lambda::Permission",
            allowed,
            from,
        );
        let route = RestRoute {
            path: path.to_owned(),
            method,
            function: function.to_owned(),
            condition: from.get("Condition").cloned(),
        };
        self.rest.route(&api, route);
        Ok(())
    }

    fn route(&mut self, function: &str, name: &str, own: Members, from: &Value) -> Result<(), String> {
        only(&own, &["Path", "Method", "ApiId", "PayloadFormatVersion", "TimeoutInMillis", "RouteSettings"])?;
        let api = referred(own.get("ApiId"), "ServerlessHttpApi")?;
        let path = own.get("Path").and_then(Value::as_str);
        let method = own.get("Method").and_then(Value::as_str).map_or_else(|| "ANY".to_owned(), verb);
        let key = match path {
            None | Some("$default") => "$default".to_owned(),
            Some(path) => format!("{method} {path}"),
        };
        let source = match path {
            None | Some("$default") => source(&api, "$default", ""),
            Some(path) => source(&api, "*", path),
        };
        let allowed = permission(function, "apigateway.amazonaws.com", &source);
        self.add(&format!("{function}{name}Permission"), "AWS::Lambda::Permission", allowed, from);
        let route = HttpRoute {
            key,
            function: function.to_owned(),
            format: own.get("PayloadFormatVersion").cloned().unwrap_or_else(|| json!("2.0")),
            timeout: own.get("TimeoutInMillis").cloned(),
            settings: own.get("RouteSettings").cloned(),
            condition: from.get("Condition").cloned(),
        };
        self.http.route(&api, route);
        Ok(())
    }
}

/// The API that an event names; a reference to another resource of the template.
fn referred(api: Option<&Value>, implicit: &str) -> Result<String, String> {
    match api {
        None => Ok(implicit.to_owned()),
        Some(Value::String(name)) => Ok(name.clone()),
        Some(reference) => {
            let name = reference.get("Ref").and_then(Value::as_str);
            name.map(str::to_owned)
                .ok_or_else(|| "The API must be a valid reference to an API in the same template.".to_owned())
        }
    }
}

fn verb(method: &str) -> String {
    match method.to_ascii_uppercase().as_str() {
        "*" | "X-AMAZON-APIGATEWAY-ANY-METHOD" => "ANY".to_owned(),
        other => other.to_owned(),
    }
}

/// A path whose variables are stars, as policies write them.
fn starred(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "*".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn source(api: &str, method: &str, path: &str) -> Value {
    let form = format!(
        "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__Api__}}/*/{method}{}",
        escaped(path)
    );
    json!({"Fn::Sub": [form, {"__Api__": {"Ref": api}}]})
}

/// A dollar before a brace would be a variable.
fn escaped(path: &str) -> String {
    path.replace("${", "${!")
}

fn permission(function: &str, principal: &str, source: &Value) -> Value {
    json!({
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": function},
        "Principal": principal,
        "SourceArn": source,
    })
}
