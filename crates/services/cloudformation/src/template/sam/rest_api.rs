//! `AWS::Serverless::Api`: the API, its resources and methods, a deployment of them, and a stage.

use super::{Members, digest, identifier, only, tag_list};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) struct RestRoute {
    pub path: String,
    pub method: String,
    pub function: String,
    pub condition: Option<Value>,
}

#[derive(Default)]
pub(super) struct RestApis {
    /// Those the template names, and what the rest of each says.
    declared: BTreeMap<String, (Members, Value)>,
    /// In the order in which functions name them.
    routes: Vec<(String, RestRoute)>,
}

const OWN: &[&str] = &[
    "BinaryMediaTypes",
    "Cors",
    "Description",
    "EndpointConfiguration",
    "MethodSettings",
    "Name",
    "StageName",
    "Tags",
    "TracingEnabled",
    "Variables",
];

/// The resources of a template that are written for APIs.
pub(super) type Written = Vec<(String, Value)>;

impl RestApis {
    pub fn declare(&mut self, id: &str, properties: Members, from: &Value) -> Result<(), String> {
        only(&properties, OWN)?;
        if !properties.get("StageName").is_some_and(Value::is_string) {
            return Err("Missing required property 'StageName'; it must be a text.".to_owned());
        }
        self.declared.insert(id.to_owned(), (properties, from.clone()));
        Ok(())
    }

    pub fn route(&mut self, api: &str, route: RestRoute) {
        self.routes.push((api.to_owned(), route));
    }

    /// What the name of a permission for an API ends in.
    pub fn stage_suffix(&self, api: &str) -> String {
        let stage = self.declared.get(api).and_then(|(own, _)| own.get("StageName")?.as_str());
        identifier(stage.unwrap_or("Prod"))
    }

    pub fn written(mut self, globals: Members) -> Result<Written, String> {
        only(&globals, OWN)?;
        let implicit = "ServerlessRestApi";
        if self.routes.iter().any(|(api, _)| api == implicit) && !self.declared.contains_key(implicit) {
            let mut own = globals;
            own.insert("StageName".to_owned(), "Prod".into());
            own.entry("Name").or_insert_with(|| json!({"Ref": "AWS::StackName"}));
            self.declared.insert(implicit.to_owned(), (own, json!({})));
        }
        if let Some((api, _)) = self.routes.iter().find(|(api, _)| !self.declared.contains_key(api)) {
            return Err(format!(
                "RestApiId must be a valid reference to an 'AWS::Serverless::Api' resource in same template: {api}"
            ));
        }
        let mut all = Vec::new();
        for (id, (own, from)) in &self.declared {
            let routes: Vec<&RestRoute> =
                self.routes.iter().filter(|(api, _)| api == id).map(|(_, route)| route).collect();
            all.extend(api(id, own, from, &routes));
        }
        Ok(all)
    }
}

fn resource(kind: &str, properties: Value, condition: Option<&Value>) -> Value {
    let mut resource = json!({"Type": kind, "Properties": properties});
    if let Some(condition) = condition {
        resource["Condition"] = condition.clone();
    }
    resource
}

fn api(id: &str, own: &Members, from: &Value, routes: &[&RestRoute]) -> Written {
    let condition = from.get("Condition");
    let reference = json!({"Ref": id});
    let mut properties =
        json!({"Name": own.get("Name").cloned().unwrap_or_else(|| json!({"Ref": "AWS::StackName"}))});
    for member in ["BinaryMediaTypes", "Description"] {
        if let Some(value) = own.get(member) {
            // `image~1png` is how a document of an API writes a slash.
            properties[member] =
                serde_json::from_str(&value.to_string().replace("~1", "/")).unwrap_or_default();
        }
    }
    if let Some(endpoint) = own.get("EndpointConfiguration") {
        properties["EndpointConfiguration"] = match endpoint {
            Value::String(kind) => json!({"Types": [kind]}),
            Value::Object(members) if members.contains_key("Type") => json!({"Types": [members["Type"]]}),
            other => other.clone(),
        };
    }
    if let Some(tags) = own.get("Tags") {
        properties["Tags"] = tag_list(tags);
    }
    let mut written = vec![(id.to_owned(), resource("AWS::ApiGateway::RestApi", properties, condition))];
    let mut tree =
        Tree { api: id, root: json!({"Fn::GetAtt": [id, "RootResourceId"]}), resources: Vec::new() };
    let mut methods: Vec<(String, Value)> = Vec::new();
    let mut paths: Vec<&str> = Vec::new();
    for route in routes {
        let place = tree.place(&route.path, condition);
        let uri = format!(
            "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{}.Arn}}/invocations",
            route.function
        );
        let method = json!({
            "RestApiId": reference, "ResourceId": place, "HttpMethod": route.method, "AuthorizationType": "NONE",
            "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Sub": uri}},
        });
        let name =
            format!("{id}{}{}", part_name(&route.path), identifier(&route.method.to_ascii_lowercase()));
        methods.push((
            name,
            resource("AWS::ApiGateway::Method", method, route.condition.as_ref().or(condition)),
        ));
        if !paths.contains(&route.path.as_str()) {
            paths.push(&route.path);
        }
    }
    if let Some(cors) = own.get("Cors") {
        for path in paths {
            let verbs: Vec<&str> =
                routes.iter().filter(|route| route.path == path).map(|route| route.method.as_str()).collect();
            if !verbs.contains(&"OPTIONS") && !verbs.contains(&"ANY") {
                let place = tree.place(path, condition);
                let method = preflight(&reference, &place, cors, &verbs);
                let name = format!("{id}{}Options", part_name(path));
                methods.push((name, resource("AWS::ApiGateway::Method", method, condition)));
            }
        }
    }
    written.append(&mut tree.resources);
    let depends: Vec<&String> =
        methods.iter().filter(|(_, one)| one.get("Condition") == condition).map(|(name, _)| name).collect();
    let all: Map<String, Value> = written.iter().chain(&methods).cloned().collect();
    let deployment = format!("{id}Deployment{}", digest(&all.into(), 10));
    let mut deployed = resource("AWS::ApiGateway::Deployment", json!({"RestApiId": reference}), condition);
    deployed["DependsOn"] = json!(depends);
    let stage = stage(own, &reference, &deployment);
    let stage_name = format!("{id}{}Stage", identifier(own["StageName"].as_str().unwrap_or_default()));
    written.extend(methods);
    written.push((deployment, deployed));
    written.push((stage_name, resource("AWS::ApiGateway::Stage", stage, condition)));
    written
}

fn stage(own: &Members, api: &Value, deployment: &str) -> Value {
    let mut stage =
        json!({"RestApiId": api, "DeploymentId": {"Ref": deployment}, "StageName": own["StageName"]});
    for member in ["MethodSettings", "TracingEnabled", "Variables"] {
        if let Some(value) = own.get(member) {
            stage[member] = value.clone();
        }
    }
    if let Some(tags) = own.get("Tags") {
        stage["Tags"] = tag_list(tags);
    }
    stage
}

/// The resources of the paths so far.
struct Tree<'a> {
    api: &'a str,
    root: Value,
    resources: Written,
}

impl Tree<'_> {
    /// A reference to the resource of a path, which is there afterwards with all above it.
    fn place(&mut self, path: &str, condition: Option<&Value>) -> Value {
        let (mut parent, mut so_far) = (self.root.clone(), String::new());
        for part in path.split('/').filter(|part| !part.is_empty()) {
            so_far = format!("{so_far}/{part}");
            let name = format!("{}Resource{}", self.api, part_name(&so_far));
            if !self.resources.iter().any(|(own, _)| *own == name) {
                let own = json!({"RestApiId": {"Ref": self.api}, "ParentId": parent, "PathPart": part});
                self.resources.push((name.clone(), resource("AWS::ApiGateway::Resource", own, condition)));
            }
            parent = json!({"Ref": name});
        }
        parent
    }
}

/// A path as a part of names: readable, and another one for every path.
fn part_name(path: &str) -> String {
    if path.trim_matches('/').is_empty() {
        return "Root".to_owned();
    }
    format!("{}{}", identifier(path), digest(&path.into(), 6))
}

/// What tells browsers of other sites' pages; values are written in quotes (`"'*'"`).
fn preflight(api: &Value, place: &Value, cors: &Value, verbs: &[&str]) -> Value {
    let member = |name: &str| cors.get(name).cloned().filter(|_| cors.is_object());
    let origin =
        if cors.is_string() { cors.clone() } else { member("AllowOrigin").unwrap_or_else(|| json!("'*'")) };
    let mut methods: Vec<&str> = verbs.to_vec();
    methods.push("OPTIONS");
    methods.sort_unstable();
    let all = [
        ("Origin", Some(origin)),
        (
            "Methods",
            Some(member("AllowMethods").unwrap_or_else(|| json!(format!("'{}'", methods.join(","))))),
        ),
        ("Headers", member("AllowHeaders")),
        ("Credentials", member("AllowCredentials").filter(|own| *own == true).map(|_| json!("'true'"))),
    ];
    let mut mapped: Map<String, Value> = all
        .into_iter()
        .filter_map(|(name, value)| {
            Some((format!("method.response.header.Access-Control-Allow-{name}"), value?))
        })
        .collect();
    if let Some(age) = member("MaxAge") {
        mapped.insert("method.response.header.Access-Control-Max-Age".to_owned(), age);
    }
    let declared: Map<String, Value> = mapped.keys().map(|name| (name.clone(), true.into())).collect();
    json!({
        "RestApiId": api, "ResourceId": place, "HttpMethod": "OPTIONS", "AuthorizationType": "NONE",
        "Integration": {
            "Type": "MOCK",
            "RequestTemplates": {"application/json": "{ \"statusCode\": 200 }"},
            "IntegrationResponses": [{"StatusCode": "200", "ResponseParameters": mapped, "ResponseTemplates": {"application/json": "{}\n"}}],
        },
        "MethodResponses": [{"StatusCode": "200", "ResponseParameters": declared}],
    })
}
