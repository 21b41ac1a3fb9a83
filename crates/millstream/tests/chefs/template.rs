//! The template, shaped as the CDK writes it for such an application: a network of four subnets, a cluster whose user is in a
//! secret, five functions, a REST API over them, a table, and the stream that leads back.

use serde_json::{Map, Value, json};

/// Calls the Data API, the table, or nobody, as `WHAT` says; without an SDK, which a machine may not have.
const CODE: &str = include_str!("handler.js");

fn get(resource: &str, attribute: &str) -> Value {
    json!({ "Fn::GetAtt": [resource, attribute] })
}

fn refer(resource: &str) -> Value {
    json!({ "Ref": resource })
}

fn join(parts: Value) -> Value {
    json!({ "Fn::Join": ["", parts] })
}

/// The whole template; `greeting` is what the functions over the table are told.
pub fn template(greeting: &str) -> String {
    let mut all = Map::new();
    network(&mut all);
    database(&mut all);
    functions(&mut all, greeting);
    api(&mut all);
    let url = json!([
        "https://",
        refer("Api"),
        ".execute-api.",
        refer("AWS::Region"),
        ".",
        refer("AWS::URLSuffix"),
        "/",
        refer("Prod"),
        "/"
    ]);
    let outputs = json!({
        "Url": { "Value": join(url) },
        "Cluster": { "Value": cluster_arn() },
        "Secret": { "Value": refer("Secret") },
        "Group": { "Value": get("Group", "GroupId") },
    });
    json!({ "Resources": all, "Outputs": outputs }).to_string()
}

fn network(all: &mut Map<String, Value>) {
    let mut add = |name: &str, kind: &str, properties: Value| {
        let resource = json!({ "Type": format!("AWS::EC2::{kind}"), "Properties": properties });
        all.insert(name.to_owned(), resource);
    };
    let tags = |name: &str| json!([{ "Key": "Name", "Value": format!("Chefs/{name}") }]);
    add(
        "Vpc",
        "VPC",
        json!({
            "CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": true, "EnableDnsSupport": true,
            "InstanceTenancy": "default", "Tags": tags("Vpc"),
        }),
    );
    add("Gateway", "InternetGateway", json!({ "Tags": tags("Gateway") }));
    let attached = json!({ "InternetGatewayId": refer("Gateway"), "VpcId": refer("Vpc") });
    add("Attachment", "VPCGatewayAttachment", attached);
    for (number, name) in ["Public1", "Public2", "Private1", "Private2"].into_iter().enumerate() {
        let is_public = number < 2;
        let (table, subnet) = (format!("{name}Table"), refer(name));
        let zone = json!({ "Fn::Select": [number % 2, { "Fn::GetAZs": "" }] });
        add(
            name,
            "Subnet",
            json!({
                "AvailabilityZone": zone, "CidrBlock": format!("10.0.{}.0/18", number * 64),
                "MapPublicIpOnLaunch": is_public, "Tags": tags(name), "VpcId": refer("Vpc"),
            }),
        );
        add(&table, "RouteTable", json!({ "Tags": tags(name), "VpcId": refer("Vpc") }));
        let association = json!({ "RouteTableId": refer(&table), "SubnetId": subnet });
        add(&format!("{name}Association"), "SubnetRouteTableAssociation", association);
        let mut route = json!({ "DestinationCidrBlock": "0.0.0.0/0", "RouteTableId": refer(&table) });
        if is_public {
            route["GatewayId"] = refer("Gateway");
            add(&format!("{name}Address"), "EIP", json!({ "Domain": "vpc", "Tags": tags(name) }));
            let address = get(&format!("{name}Address"), "AllocationId");
            let nat = json!({ "AllocationId": address, "SubnetId": subnet, "Tags": tags(name) });
            add(&format!("{name}Nat"), "NatGateway", nat);
        } else {
            route["NatGatewayId"] = refer(&format!("{}Nat", name.replace("Private", "Public")));
        }
        add(&format!("{name}Route"), "Route", route);
    }
    all["Public1Route"]["DependsOn"] = json!(["Attachment"]);
    all["Public2Route"]["DependsOn"] = json!(["Attachment"]);
}

fn database(all: &mut Map<String, Value>) {
    let of_secret = |member: &str| {
        join(json!(["{{resolve:secretsmanager:", refer("Secret"), format!(":SecretString:{member}::}}}}")]))
    };
    let open = json!([{ "CidrIp": "0.0.0.0/0", "Description": "Allow all outbound traffic by default", "IpProtocol": "-1" }]);
    let more = json!({
        "Secret": { "Type": "AWS::SecretsManager::Secret", "Properties": { "GenerateSecretString": {
            "ExcludeCharacters": "\"@/\\ '", "GenerateStringKey": "password", "PasswordLength": 30,
            "SecretStringTemplate": "{\"username\":\"admin\"}",
        }}},
        "SecretAttachment": { "Type": "AWS::SecretsManager::SecretTargetAttachment", "Properties": {
            "SecretId": refer("Secret"), "TargetId": refer("Cluster"), "TargetType": "AWS::RDS::DBCluster",
        }},
        "Group": { "Type": "AWS::EC2::SecurityGroup", "Properties": {
            "GroupDescription": "The database", "SecurityGroupEgress": open, "VpcId": refer("Vpc"),
        }},
        "GroupRule": { "Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
            "GroupId": get("Group", "GroupId"), "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306,
            "SourceSecurityGroupId": get("Group", "GroupId"),
        }},
        "Subnets": { "Type": "AWS::RDS::DBSubnetGroup", "Properties": {
            "DBSubnetGroupDescription": "Subnets of the database", "SubnetIds": [refer("Private1"), refer("Private2")],
        }},
        "Cluster": { "Type": "AWS::RDS::DBCluster", "Properties": {
            "DBSubnetGroupName": refer("Subnets"), "DeletionProtection": false, "EnableHttpEndpoint": true,
            "Engine": "aurora-mysql", "EngineMode": "serverless",
            "MasterUsername": of_secret("username"), "MasterUserPassword": of_secret("password"),
            "ScalingConfiguration": { "AutoPause": true, "MaxCapacity": 16, "MinCapacity": 1, "SecondsUntilAutoPause": 300 },
            "VpcSecurityGroupIds": [get("Group", "GroupId")],
        }, "DeletionPolicy": "Delete" },
        "Table": { "Type": "AWS::DynamoDB::Table", "Properties": {
            "AttributeDefinitions": [{ "AttributeName": "ChefId", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{ "AttributeName": "ChefId", "KeyType": "HASH" }],
            "StreamSpecification": { "StreamViewType": "NEW_IMAGE" }, "TableName": "chefs",
        }, "DeletionPolicy": "Delete" },
    });
    all.extend(more.as_object().cloned().unwrap_or_default());
}

fn cluster_arn() -> Value {
    join(json!([
        "arn:",
        refer("AWS::Partition"),
        ":rds:",
        refer("AWS::Region"),
        ":",
        refer("AWS::AccountId"),
        ":cluster:",
        refer("Cluster")
    ]))
}

fn functions(all: &mut Map<String, Value>, greeting: &str) {
    let basic = join(json!([
        "arn:",
        refer("AWS::Partition"),
        ":iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    ]));
    let trust = json!({ "Statement": [{ "Action": "sts:AssumeRole", "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" } }], "Version": "2012-10-17" });
    let actions = json!(["rds-data:*", "secretsmanager:GetSecretValue", "dynamodb:*"]);
    let policy = json!({ "Statement": [{ "Action": actions, "Effect": "Allow", "Resource": "*" }], "Version": "2012-10-17" });
    all.insert("Role".to_owned(), json!({ "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": trust, "ManagedPolicyArns": [basic] } }));
    all.insert("Policy".to_owned(), json!({ "Type": "AWS::IAM::Policy", "Properties": { "PolicyDocument": policy, "PolicyName": "all", "Roles": [refer("Role")] } }));
    for what in ["init", "read", "write", "scan", "put"] {
        let variables = match what {
            "scan" | "put" => json!({ "WHAT": what, "TABLE": refer("Table"), "GREETING": greeting }),
            _ => json!({ "WHAT": what, "CLUSTER": cluster_arn(), "SECRET": refer("Secret") }),
        };
        let function = json!({ "Type": "AWS::Lambda::Function", "DependsOn": ["Policy", "Role"], "Properties": {
            "Code": { "ZipFile": CODE }, "Environment": { "Variables": variables }, "Handler": "index.handler",
            "Role": get("Role", "Arn"), "Runtime": "nodejs20.x", "Timeout": 30,
            "VpcConfig": { "SecurityGroupIds": [get("Group", "GroupId")], "SubnetIds": [refer("Private1"), refer("Private2")] },
        }});
        all.insert(what.to_owned(), function);
    }
    all.insert("Back".to_owned(), json!({ "Type": "AWS::Lambda::EventSourceMapping", "Properties": {
        "BatchSize": 1, "EventSourceArn": get("Table", "StreamArn"), "FunctionName": refer("write"), "StartingPosition": "LATEST",
    }}));
}

fn api(all: &mut Map<String, Value>) {
    let mut add = |name: String, kind: &str, properties: Value| {
        all.insert(name, json!({ "Type": kind, "Properties": properties }));
    };
    let api = || refer("Api");
    add("Api".to_owned(), "AWS::ApiGateway::RestApi", json!({ "Name": "chefs" }));
    for (name, parent, part) in [
        ("Aurora", get("Api", "RootResourceId"), "aurora"),
        ("Dynamo", get("Api", "RootResourceId"), "dynamo"),
        ("AuroraChefs", refer("Aurora"), "chefs"),
        ("DynamoChefs", refer("Dynamo"), "chefs"),
    ] {
        let resource = json!({ "ParentId": parent, "PathPart": part, "RestApiId": api() });
        add(name.to_owned(), "AWS::ApiGateway::Resource", resource);
    }
    let mut methods = Vec::new();
    for (what, resource, verb, path) in [
        ("init", "Aurora", "GET", "aurora"),
        ("read", "AuroraChefs", "GET", "aurora/chefs"),
        ("write", "AuroraChefs", "POST", "aurora/chefs"),
        ("scan", "DynamoChefs", "GET", "dynamo/chefs"),
        ("put", "DynamoChefs", "POST", "dynamo/chefs"),
    ] {
        let uri = json!([
            "arn:",
            refer("AWS::Partition"),
            ":apigateway:",
            refer("AWS::Region"),
            ":lambda:path/2015-03-31/functions/",
            get(what, "Arn"),
            "/invocations"
        ]);
        let integration = json!({ "IntegrationHttpMethod": "POST", "Type": "AWS_PROXY", "Uri": join(uri) });
        methods.push(format!("{resource}{verb}"));
        add(
            format!("{resource}{verb}"),
            "AWS::ApiGateway::Method",
            json!({
                "AuthorizationType": "NONE", "HttpMethod": verb, "Integration": integration,
                "ResourceId": refer(resource), "RestApiId": api(),
            }),
        );
        let source = json!([
            "arn:",
            refer("AWS::Partition"),
            ":execute-api:",
            refer("AWS::Region"),
            ":",
            refer("AWS::AccountId"),
            ":",
            api(),
            "/",
            refer("Prod"),
            "/",
            verb,
            "/",
            path
        ]);
        add(
            format!("{resource}{verb}May"),
            "AWS::Lambda::Permission",
            json!({
                "Action": "lambda:InvokeFunction", "FunctionName": get(what, "Arn"),
                "Principal": "apigateway.amazonaws.com", "SourceArn": join(source),
            }),
        );
    }
    add("Deployment".to_owned(), "AWS::ApiGateway::Deployment", json!({ "RestApiId": api() }));
    let stage = json!({ "DeploymentId": refer("Deployment"), "RestApiId": api(), "StageName": "prod" });
    add("Prod".to_owned(), "AWS::ApiGateway::Stage", stage);
    all["Deployment"]["DependsOn"] = json!(methods);
}
