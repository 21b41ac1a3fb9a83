//! Networks as clients see them.

use super::Ec2;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller, Inside};
use std::sync::{Arc, Mutex};
use store::Store;
use wire::Request;
use world::World;

struct Bench {
    ec2: Ec2,
}

impl Bench {
    fn new() -> Bench {
        Bench { ec2: Ec2::alone(&Store::memory(), &World::simulated(7)) }
    }

    async fn ask(&self, operation: &str, input: Value) -> Answer {
        let service = &api::tables::ec2::SERVICE;
        let answer = Arc::new(Mutex::new(None));
        let call = Call {
            request: Request::post(""),
            service,
            operation: service.operation(operation).expect("an operation"),
            caller: Caller { account: "123456789012".into(), region: "eu-west-1".into(), access_key: None },
            request_id: "id".into(),
            inside: Some(Inside { input, answer: answer.clone() }),
        };
        self.ec2.call(call).await;
        answer.lock().expect("no panic").take().expect("an answer")
    }

    async fn good(&self, operation: &str, input: Value) -> Value {
        self.ask(operation, input).await.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// The code of a refusal.
    async fn refused(&self, operation: &str, input: Value) -> String {
        match self.ask(operation, input).await {
            Err(error) => error.code.into_owned(),
            Ok(answer) => panic!("{operation}: {answer}"),
        }
    }

    async fn vpc(&self) -> String {
        text(&self.good("CreateVpc", json!({"CidrBlock": "10.0.0.0/16"})).await["Vpc"]["VpcId"])
    }

    async fn subnet(&self, vpc: &str, cidr: &str) -> String {
        let made = self.good("CreateSubnet", json!({"VpcId": vpc, "CidrBlock": cidr})).await;
        text(&made["Subnet"]["SubnetId"])
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

fn filter(name: &str, value: &str) -> Value {
    json!({"Filters": [{"Name": name, "Values": [value]}]})
}

#[tokio::test]
async fn every_region_has_a_default_vpc() {
    let bench = Bench::new();
    let found = bench.good("DescribeVpcs", filter("isDefault", "true")).await;
    let vpc = text(&found["Vpcs"][0]["VpcId"]);
    assert_eq!(found, bench.good("DescribeVpcs", json!({})).await, "it is kept");
    let subnets = bench.good("DescribeSubnets", filter("vpc-id", &vpc)).await["Subnets"].take();
    let zones: Vec<&Value> =
        subnets.as_array().expect("a list").iter().map(|s| &s["AvailabilityZone"]).collect();
    assert_eq!(zones.len(), 3);
    assert!(zones.contains(&&json!("eu-west-1b")));
    assert_eq!(subnets[0]["AvailableIpAddressCount"], 4091);
    // What the CDK asks to tell public subnets from private ones.
    let tables = bench.good("DescribeRouteTables", filter("vpc-id", &vpc)).await;
    let routes = &tables["RouteTables"][0]["Routes"];
    assert!(text(&routes[1]["GatewayId"]).starts_with("igw-"), "{routes}");
    assert_eq!(tables["RouteTables"][0]["Associations"][0]["Main"], true);
    let gateways = bench.good("DescribeVpnGateways", filter("attachment.vpc-id", &vpc)).await;
    assert_eq!(gateways, json!({"VpnGateways": []}));
    let groups = bench.good("DescribeSecurityGroups", json!({"GroupNames": ["default"]})).await;
    assert_eq!(groups["SecurityGroups"][0]["VpcId"], *vpc);
    // A group without a VPC is in this one.
    let made = bench.good("CreateSecurityGroup", json!({"GroupName": "g", "Description": "d"})).await;
    let shown = bench.good("DescribeSecurityGroups", json!({"GroupIds": [made["GroupId"]]})).await;
    assert_eq!(shown["SecurityGroups"][0]["VpcId"], *vpc);
}

#[tokio::test]
async fn a_network_is_made_and_taken_apart() {
    let bench = Bench::new();
    let vpc = bench.vpc().await;
    let subnet = bench.subnet(&vpc, "10.0.1.0/24").await;
    let gateway = bench.good("CreateInternetGateway", json!({})).await["InternetGateway"].take();
    let gateway = json!({"InternetGatewayId": gateway["InternetGatewayId"], "VpcId": vpc});
    bench.good("AttachInternetGateway", gateway.clone()).await;
    let address = bench.good("AllocateAddress", json!({"Domain": "vpc"})).await;
    assert_eq!(address["PublicIp"], "203.0.113.1");
    let nat = json!({"SubnetId": subnet, "AllocationId": address["AllocationId"], "ClientToken": "once"});
    let made = bench.good("CreateNatGateway", nat.clone()).await;
    assert_eq!(bench.good("CreateNatGateway", nat).await, made, "the same token makes the same one");
    let nat = &made["NatGateway"]["NatGatewayId"];
    let table =
        bench.good("CreateRouteTable", json!({"VpcId": vpc})).await["RouteTable"]["RouteTableId"].take();
    let route = json!({"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": nat});
    bench.good("CreateRoute", route.clone()).await;
    assert_eq!(bench.refused("CreateRoute", route).await, "RouteAlreadyExists");
    let association = json!({"RouteTableId": table, "SubnetId": subnet});
    let association = bench.good("AssociateRouteTable", association).await["AssociationId"].take();

    for (operation, input, code) in [
        ("DeleteVpc", json!({"VpcId": vpc}), "DependencyViolation"),
        ("DeleteSubnet", json!({"SubnetId": subnet}), "DependencyViolation"),
        ("DeleteRouteTable", json!({"RouteTableId": table}), "DependencyViolation"),
        ("DetachInternetGateway", gateway.clone(), "DependencyViolation"),
        ("ReleaseAddress", json!({"AllocationId": address["AllocationId"]}), "InvalidIPAddress.InUse"),
    ] {
        assert_eq!(bench.refused(operation, input).await, code, "{operation}");
    }
    bench.good("DisassociateRouteTable", json!({"AssociationId": association})).await;
    bench.good("DeleteNatGateway", json!({"NatGatewayId": nat})).await;
    let left = bench.good("DescribeRouteTables", json!({"RouteTableIds": [table]})).await;
    assert_eq!(left["RouteTables"][0]["Routes"][1]["State"], "blackhole");
    bench.good("DeleteRouteTable", json!({"RouteTableId": table})).await;
    bench.good("ReleaseAddress", json!({"AllocationId": address["AllocationId"]})).await;
    bench.good("DeleteSubnet", json!({"SubnetId": subnet})).await;
    bench.good("DetachInternetGateway", gateway.clone()).await;
    bench.good("DeleteInternetGateway", json!({"InternetGatewayId": gateway["InternetGatewayId"]})).await;
    bench.good("DeleteVpc", json!({"VpcId": vpc})).await;
    for operation in ["DescribeRouteTables", "DescribeSecurityGroups", "DescribeNetworkAcls"] {
        let left = bench.good(operation, filter("vpc-id", &vpc)).await;
        assert_eq!(left.as_object().expect("a list").values().next(), Some(&json!([])), "{operation}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let bench = Bench::new();
    let vpc = bench.vpc().await;
    let other = bench.vpc().await;
    bench.subnet(&vpc, "10.0.0.0/24").await;
    let subnet = |cidr: &str| json!({"VpcId": vpc, "CidrBlock": cidr});
    for (operation, input, code) in [
        ("CreateVpc", json!({}), "MissingParameter"),
        ("CreateVpc", json!({"CidrBlock": "x"}), "InvalidParameterValue"),
        ("CreateVpc", json!({"CidrBlock": "10.0.0.0/8"}), "InvalidVpc.Range"),
        (
            "CreateVpc",
            json!({"CidrBlock": "10.0.0.0/16", "AmazonProvidedIpv6CidrBlock": true}),
            "UnsupportedOperation",
        ),
        ("CreateVpc", json!({"CidrBlock": "10.0.0.0/16", "DryRun": true}), "DryRunOperation"),
        ("CreateSubnet", subnet("10.0.0.128/25"), "InvalidSubnet.Conflict"),
        ("CreateSubnet", subnet("10.1.0.0/24"), "InvalidSubnet.Range"),
        (
            "CreateSubnet",
            json!({"VpcId": vpc, "CidrBlock": "10.0.9.0/24", "AvailabilityZone": "us-east-1a"}),
            "InvalidParameterValue",
        ),
        ("DescribeVpcs", filter("colour", "red"), "InvalidParameterValue"),
        ("DescribeVpcs", json!({"VpcIds": ["vpc-0"]}), "InvalidVpcID.NotFound"),
        ("DescribeSubnets", json!({"SubnetIds": ["subnet-0"]}), "InvalidSubnetID.NotFound"),
        ("DeleteSecurityGroup", json!({"GroupId": "sg-0"}), "InvalidGroup.NotFound"),
        ("CreateTags", json!({"Resources": ["igw-0"], "Tags": []}), "InvalidInternetGatewayID.NotFound"),
        (
            "AttachInternetGateway",
            json!({"InternetGatewayId": "igw-0", "VpcId": other}),
            "InvalidInternetGatewayID.NotFound",
        ),
    ] {
        assert_eq!(bench.refused(operation, input.clone()).await, code, "{operation} {input}");
    }
    let found = bench.good("DescribeSubnets", filter("vpc-id", &vpc)).await;
    assert_eq!(found["Subnets"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn rules_of_groups_are_added_told_and_taken_away() {
    let bench = Bench::new();
    let vpc = bench.vpc().await;
    let make = |name: &'static str| json!({"GroupName": name, "Description": "d", "VpcId": vpc});
    let web = bench.good("CreateSecurityGroup", make("web")).await["GroupId"].take();
    let base = bench.good("CreateSecurityGroup", make("base")).await["GroupId"].take();
    assert_eq!(bench.refused("CreateSecurityGroup", make("web")).await, "InvalidGroup.Duplicate");
    let permission = json!({
        "IpProtocol": "6", "FromPort": 3306, "ToPort": 3306,
        "UserIdGroupPairs": [{"GroupId": web, "Description": "from the web"}],
        "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
    });
    let rule = json!({"GroupId": base, "IpPermissions": [permission]});
    let made = bench.good("AuthorizeSecurityGroupIngress", rule.clone()).await;
    assert_eq!(made["SecurityGroupRules"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        bench.refused("AuthorizeSecurityGroupIngress", rule.clone()).await,
        "InvalidPermission.Duplicate"
    );
    let shown = bench.good("DescribeSecurityGroups", json!({"GroupIds": [base]})).await;
    let ingress = &shown["SecurityGroups"][0]["IpPermissions"];
    assert_eq!(ingress.as_array().map(Vec::len), Some(1), "the same ports stand together: {ingress}");
    assert_eq!(ingress[0]["IpProtocol"], "tcp");
    assert_eq!(ingress[0]["UserIdGroupPairs"][0]["GroupId"], web);
    assert_eq!(ingress[0]["UserIdGroupPairs"][0]["Description"], "from the web");
    assert_eq!(bench.refused("DeleteSecurityGroup", json!({"GroupId": web})).await, "DependencyViolation");

    let id = &made["SecurityGroupRules"][0]["SecurityGroupRuleId"];
    let gone = json!({"GroupId": base, "SecurityGroupRuleIds": [id]});
    bench.good("RevokeSecurityGroupIngress", gone).await;
    assert_eq!(bench.refused("RevokeSecurityGroupIngress", rule).await, "InvalidPermission.NotFound");
    let rules = bench.good("DescribeSecurityGroupRules", filter("group-id", &text(&base))).await;
    let outward: Vec<&Value> = rules["SecurityGroupRules"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|rule| &rule["IsEgress"])
        .collect();
    assert_eq!(outward.len(), 2, "one of ours, and the one that lets everything out");
    let ports = json!({"GroupId": base, "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 9, "ToPort": 1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]});
    assert_eq!(bench.refused("AuthorizeSecurityGroupEgress", ports).await, "InvalidParameterValue");
}

#[tokio::test]
async fn tags_are_filters_and_pages_go_on() {
    let bench = Bench::new();
    let vpc = bench.vpc().await;
    for number in 0..12 {
        bench.subnet(&vpc, &format!("10.0.{number}.0/24")).await;
    }
    let tags = json!([{"Key": "Name", "Value": "kitchen"}, {"Key": "stage", "Value": "one"}]);
    bench.good("CreateTags", json!({"Resources": [vpc], "Tags": tags})).await;
    for (name, value, found) in
        [("tag:Name", "kit*", 1), ("tag:Name", "cellar", 0), ("tag-key", "stage", 1), ("tag-key", "x", 0)]
    {
        let told = bench.good("DescribeVpcs", filter(name, value)).await;
        assert_eq!(told["Vpcs"].as_array().map(Vec::len), Some(found), "{name} {value}");
    }
    let gone = json!({"Resources": [vpc], "Tags": [{"Key": "stage", "Value": "two"}, {"Key": "Name"}]});
    bench.good("DeleteTags", gone).await;
    let left = bench.good("DescribeTags", filter("resource-id", &vpc)).await;
    assert_eq!(left["Tags"].as_array().map(Vec::len), Some(1));
    assert_eq!(left["Tags"][0]["ResourceType"], "vpc");
    assert_eq!(left["Tags"][0]["Key"], "stage");

    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut input = filter("vpc-id", &vpc);
        input["MaxResults"] = 5.into();
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = bench.good("DescribeSubnets", input).await;
        seen.extend(page["Subnets"].as_array().expect("a page").iter().map(|one| text(&one["SubnetId"])));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 12);
}

#[tokio::test]
async fn endpoints_hold_what_they_are_of() {
    let bench = Bench::new();
    let vpc = bench.vpc().await;
    let subnet = bench.subnet(&vpc, "10.0.0.0/24").await;
    let mut gateway = json!({"VpcId": vpc, "ServiceName": "com.amazonaws.eu-west-1.dynamodb"});
    let made = bench.good("CreateVpcEndpoint", gateway.clone()).await["VpcEndpoint"].take();
    assert_eq!(made["VpcEndpointType"], "Gateway");
    gateway["SubnetIds"] = json!([subnet]);
    assert_eq!(bench.refused("CreateVpcEndpoint", gateway.clone()).await, "InvalidParameterCombination");
    gateway["VpcEndpointType"] = "Interface".into();
    let interface = bench.good("CreateVpcEndpoint", gateway).await["VpcEndpoint"].take();
    assert_eq!(interface["Groups"][0]["GroupName"], "default");
    assert_eq!(bench.refused("DeleteSubnet", json!({"SubnetId": subnet})).await, "DependencyViolation");
    let change = json!({"VpcEndpointId": interface["VpcEndpointId"], "RemoveSubnetIds": [subnet]});
    bench.good("ModifyVpcEndpoint", change).await;
    bench.good("DeleteSubnet", json!({"SubnetId": subnet})).await;
    let ids = json!({"VpcEndpointIds": [made["VpcEndpointId"], interface["VpcEndpointId"], "vpce-0"]});
    let gone = bench.good("DeleteVpcEndpoints", ids).await;
    assert_eq!(gone["Unsuccessful"].as_array().map(Vec::len), Some(1));
}
