//! Networks as templates make, change and remove them.

use super::Bench;
use serde_json::{Value, json};

/// A VPC with a subnet, its ways out, and two groups; `second` is what a change of the template says.
fn resources(second: bool) -> Value {
    let table = if second { "Other" } else { "Table" };
    let port = if second { 5432 } else { 3306 };
    json!({
        "Vpc": { "Type": "AWS::EC2::VPC", "Properties": {
            "CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": second,
            "Tags": [{ "Key": "Name", "Value": format!("second {second}") }],
        }},
        "Subnet": { "Type": "AWS::EC2::Subnet", "Properties": {
            "VpcId": { "Ref": "Vpc" }, "CidrBlock": "10.0.1.0/24", "MapPublicIpOnLaunch": second.to_string(),
            "AvailabilityZone": { "Fn::Select": ["1", { "Fn::GetAZs": "" }] },
        }},
        "Gateway": { "Type": "AWS::EC2::InternetGateway" },
        "Attached": { "Type": "AWS::EC2::VPCGatewayAttachment", "Properties": {
            "VpcId": { "Ref": "Vpc" }, "InternetGatewayId": { "Ref": "Gateway" },
        }},
        "Address": { "Type": "AWS::EC2::EIP", "Properties": { "Domain": "vpc" } },
        "Nat": { "Type": "AWS::EC2::NatGateway", "DependsOn": "Attached", "Properties": {
            "SubnetId": { "Ref": "Subnet" }, "AllocationId": { "Fn::GetAtt": ["Address", "AllocationId"] },
        }},
        "Table": { "Type": "AWS::EC2::RouteTable", "Properties": { "VpcId": { "Ref": "Vpc" } } },
        "Other": { "Type": "AWS::EC2::RouteTable", "Properties": { "VpcId": { "Ref": "Vpc" } } },
        "Association": { "Type": "AWS::EC2::SubnetRouteTableAssociation", "Properties": {
            "RouteTableId": { "Ref": table }, "SubnetId": { "Ref": "Subnet" },
        }},
        "Route": { "Type": "AWS::EC2::Route", "DependsOn": "Attached", "Properties": match second {
            true => json!({ "RouteTableId": { "Ref": "Table" }, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": { "Ref": "Nat" } }),
            false => json!({ "RouteTableId": { "Ref": "Table" }, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": { "Ref": "Gateway" } }),
        }},
        "Endpoint": { "Type": "AWS::EC2::VPCEndpoint", "Properties": {
            "VpcId": { "Ref": "Vpc" }, "RouteTableIds": [{ "Ref": table }],
            "ServiceName": { "Fn::Sub": "com.amazonaws.${AWS::Region}.dynamodb" },
        }},
        "Group": { "Type": "AWS::EC2::SecurityGroup", "Properties": {
            "GroupDescription": "g", "VpcId": { "Ref": "Vpc" },
            "SecurityGroupIngress": [{ "IpProtocol": "tcp", "FromPort": port, "ToPort": port.to_string(), "CidrIp": "10.0.0.0/16" }],
            "SecurityGroupEgress": match second {
                true => json!([]),
                false => json!([{ "IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32" }]),
            },
        }},
        "Rule": { "Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
            "GroupId": { "Fn::GetAtt": ["Group", "GroupId"] }, "IpProtocol": "-1",
            "SourceSecurityGroupId": { "Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"] },
            "Description": format!("second {second}"),
        }},
    })
}

fn first_of(answer: &Value) -> &Value {
    let list = answer.as_object().and_then(|members| members.values().find(|value| value.is_array()));
    &list.unwrap_or_else(|| panic!("{answer}"))[0]
}

#[tokio::test]
async fn a_network_is_made_changed_and_removed() {
    let bench = Bench::new();
    let outputs = json!({
        "Vpc": { "Value": { "Ref": "Vpc" } },
        "Subnet": { "Value": { "Ref": "Subnet" } },
        "Zone": { "Value": { "Fn::GetAtt": ["Subnet", "AvailabilityZone"] } },
        "Address": { "Value": { "Ref": "Address" } },
        "Group": { "Value": { "Ref": "Group" } },
        "Table": { "Value": { "Ref": "Table" } },
        "Other": { "Value": { "Ref": "Other" } },
        "Endpoint": { "Value": { "Ref": "Endpoint" } },
    });
    let (status, made) = bench.deploy("CreateStack", resources(false), outputs.clone()).await;
    assert_eq!(status, "CREATE_COMPLETE", "{made}");
    assert_eq!(made["Zone"], "us-east-1b");
    assert_eq!(made["Address"], "203.0.113.1");
    let group = bench.good("ec2", "DescribeSecurityGroups", json!({ "GroupIds": [made["Group"]] })).await;
    let out = &first_of(&group)["IpPermissionsEgress"];
    assert_eq!(out[0]["IpProtocol"], "icmp", "what goes out is what the template says: {out}");
    assert_eq!(out.as_array().map(Vec::len), Some(1));

    let (status, changed) = bench.deploy("UpdateStack", resources(true), outputs).await;
    assert_eq!(status, "UPDATE_COMPLETE", "{changed}");
    assert_eq!(changed, made, "nothing was made anew");
    let vpc = bench.good("ec2", "DescribeVpcs", json!({ "VpcIds": [made["Vpc"]] })).await;
    assert_eq!(first_of(&vpc)["Tags"][0]["Value"], "second true");
    let attribute = json!({ "VpcId": made["Vpc"], "Attribute": "enableDnsHostnames" });
    let attribute = bench.good("ec2", "DescribeVpcAttribute", attribute).await;
    assert_eq!(attribute["EnableDnsHostnames"]["Value"], true);
    let subnet = bench.good("ec2", "DescribeSubnets", json!({ "SubnetIds": [made["Subnet"]] })).await;
    assert_eq!(first_of(&subnet)["MapPublicIpOnLaunch"], true);
    let other = bench.good("ec2", "DescribeRouteTables", json!({ "RouteTableIds": [made["Other"]] })).await;
    assert_eq!(first_of(&other)["Associations"][0]["SubnetId"], made["Subnet"]);
    let table = bench.good("ec2", "DescribeRouteTables", json!({ "RouteTableIds": [made["Table"]] })).await;
    assert!(first_of(&table)["Routes"][1]["NatGatewayId"].is_string(), "{table}");
    let ids = json!({ "VpcEndpointIds": [made["Endpoint"]] });
    let endpoint = bench.good("ec2", "DescribeVpcEndpoints", ids).await;
    assert_eq!(first_of(&endpoint)["RouteTableIds"], json!([made["Other"]]));
    let group = bench.good("ec2", "DescribeSecurityGroups", json!({ "GroupIds": [made["Group"]] })).await;
    let group = first_of(&group);
    let ports: Vec<&Value> =
        group["IpPermissions"].as_array().expect("a list").iter().map(|one| &one["FromPort"]).collect();
    assert!(ports.contains(&&json!(5432)) && !ports.contains(&&json!(3306)), "{group}");
    assert_eq!(group["IpPermissionsEgress"][0]["IpProtocol"], "-1", "{group}");

    bench.good("cloudformation", "DeleteStack", json!({ "StackName": "s" })).await;
    let left = bench.good("ec2", "DescribeVpcs", json!({})).await;
    assert_eq!(left["Vpcs"].as_array().map(Vec::len), Some(1), "the default one: {left}");
    for operation in ["DescribeAddresses", "DescribeNatGateways", "DescribeVpcEndpoints"] {
        let left = bench.good("ec2", operation, json!({})).await;
        assert_eq!(first_of(&left), &Value::Null, "{operation}: {left}");
    }
}

#[tokio::test]
async fn what_a_network_cannot_have_fails_the_stack_and_leaves_nothing() {
    let bench = Bench::new();
    let mut wrong = resources(false);
    wrong["Subnet"]["Properties"]["CidrBlock"] = "10.1.0.0/24".into();
    let (status, shown) = bench.deploy("CreateStack", wrong, json!({})).await;
    assert_eq!(status, "ROLLBACK_COMPLETE", "{shown}");
    assert!(shown["reasons"].to_string().contains("The CIDR '10.1.0.0/24' is invalid."), "{shown}");
    let left = bench.good("ec2", "DescribeVpcs", json!({})).await;
    assert_eq!(left["Vpcs"].as_array().map(Vec::len), Some(1), "{left}");
}

#[tokio::test]
async fn what_functions_and_databases_use_of_a_network_stays() {
    let bench = Bench::new();
    let vpc = bench.good("ec2", "CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" })).await;
    let vpc = &vpc["Vpc"]["VpcId"];
    let mut subnets = Vec::new();
    for (block, zone) in [("10.0.1.0/24", "us-east-1a"), ("10.0.2.0/24", "us-east-1b")] {
        let input = json!({ "VpcId": vpc, "CidrBlock": block, "AvailabilityZone": zone });
        subnets.push(bench.good("ec2", "CreateSubnet", input).await["Subnet"]["SubnetId"].clone());
    }
    let input = json!({ "VpcId": vpc, "GroupName": "g", "Description": "d" });
    let group = bench.good("ec2", "CreateSecurityGroup", input).await["GroupId"].clone();
    let refused = async || {
        let subnet = bench.ask("ec2", "DeleteSubnet", json!({ "SubnetId": subnets[0] })).await;
        let group = bench.ask("ec2", "DeleteSecurityGroup", json!({ "GroupId": group })).await;
        [subnet, group].map(|answer| answer.err().unwrap_or_default())
    };
    let words = [
        format!(
            "The subnet '{}' has dependencies and cannot be deleted.",
            subnets[0].as_str().expect("an id")
        ),
        format!("resource {} has a dependent object", group.as_str().expect("an id")),
    ];
    let all_refused = |told: [String; 2]| {
        let one = |(told, words): (&String, &String)| {
            told.contains("DependencyViolation") && told.contains(words.as_str())
        };
        assert!(told.iter().zip(&words).all(one), "{told:?}");
    };
    let function = json!({
        "FunctionName": "f", "Runtime": "python3.12", "Handler": "index.handler", "Role": "arn:aws:iam::123456789012:role/r",
        "Code": { "ZipFile": crate::tests::bench::zip("def handler(event, context):\n    return {}\n") },
        "VpcConfig": { "SubnetIds": [subnets[0]], "SecurityGroupIds": [group] },
    });
    bench.good("lambda", "CreateFunction", function).await;
    all_refused(refused().await);
    bench.good("lambda", "DeleteFunction", json!({ "FunctionName": "f" })).await;

    let input = json!({ "DBSubnetGroupName": "s", "DBSubnetGroupDescription": "d", "SubnetIds": subnets });
    bench.good("rds", "CreateDBSubnetGroup", input).await;
    let cluster = json!({
        "DBClusterIdentifier": "c", "Engine": "aurora-mysql", "MasterUsername": "keeper", "MasterUserPassword": "a-password",
        "DBSubnetGroupName": "s", "VpcSecurityGroupIds": [group],
    });
    match bench.ask("rds", "CreateDBCluster", cluster).await {
        Ok(_) => {
            all_refused(refused().await);
            let input = json!({ "DBClusterIdentifier": "c", "SkipFinalSnapshot": true });
            bench.good("rds", "DeleteDBCluster", input).await;
        }
        Err(words) => assert!(words.contains("installed"), "{words}"),
    }
    assert_eq!(refused().await, [String::new(), String::new()]);
}
