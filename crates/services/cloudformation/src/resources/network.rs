//! `AWS::EC2::VPC` and the parts of its network; security groups have a file of their own.

use super::{Change, Cx, only, pick, security_groups as groups, tags};
use crate::template::evaluate::Made;
use serde_json::{Map, Value, json};
use servicekit::fields::{text, texts};

pub(super) async fn create(kind: &str, cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    match kind {
        "AWS::EC2::VPC" => create_vpc(cx, properties).await,
        "AWS::EC2::Subnet" => create_subnet(cx, properties).await,
        "AWS::EC2::RouteTable" => {
            only(properties, &["VpcId", "Tags"])?;
            let input = tagged("route-table", properties, pick(properties, &["VpcId"]));
            let answer = cx.ask("ec2", "CreateRouteTable", input).await?;
            Ok(known_as("RouteTableId", &answer["RouteTable"]["RouteTableId"]))
        }
        "AWS::EC2::Route" => {
            cx.ask("ec2", "CreateRoute", properties.clone()).await?;
            let (table, to) = (text(properties, "RouteTableId"), text(properties, "DestinationCidrBlock"));
            let (table, to) = (table.unwrap_or_default(), to.unwrap_or_default());
            let id = format!("{table}|{to}");
            Ok(Made { id, attributes: [("CidrBlock".to_owned(), to.into())].into() })
        }
        "AWS::EC2::SubnetRouteTableAssociation" => {
            let answer = cx.ask("ec2", "AssociateRouteTable", properties.clone()).await?;
            Ok(known_as("Id", &answer["AssociationId"]))
        }
        "AWS::EC2::InternetGateway" => {
            only(properties, &["Tags"])?;
            let input = tagged("internet-gateway", properties, Map::new());
            let answer = cx.ask("ec2", "CreateInternetGateway", input).await?;
            Ok(known_as("InternetGatewayId", &answer["InternetGateway"]["InternetGatewayId"]))
        }
        "AWS::EC2::VPCGatewayAttachment" => attach(cx, properties).await,
        "AWS::EC2::EIP" => {
            only(properties, &["Domain", "Tags"])?;
            let input = tagged("elastic-ip", properties, pick(properties, &["Domain"]));
            let answer = cx.ask("ec2", "AllocateAddress", input).await?;
            let attributes = ["AllocationId", "PublicIp"].map(|name| (name.to_owned(), answer[name].clone()));
            Ok(Made { id: id(&answer["PublicIp"]), attributes: attributes.into() })
        }
        "AWS::EC2::NatGateway" => {
            const OWN: &[&str] = &["AllocationId", "SubnetId", "ConnectivityType", "PrivateIpAddress"];
            only(properties, &[OWN, &["Tags"]].concat())?;
            let input = tagged("natgateway", properties, pick(properties, OWN));
            let answer = cx.ask("ec2", "CreateNatGateway", input).await?;
            Ok(known_as("NatGatewayId", &answer["NatGateway"]["NatGatewayId"]))
        }
        "AWS::EC2::VPCEndpoint" => create_endpoint(cx, properties).await,
        "AWS::EC2::SecurityGroup" => groups::create(cx, name, properties).await,
        _ => groups::add_rule(cx, kind, properties).await,
    }
}

pub(super) async fn update(kind: &str, cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let id = made.id.as_str();
    match kind {
        "AWS::EC2::VPC" => set_dns(cx, id, new).await?,
        "AWS::EC2::Subnet" => set_public_ips(cx, id, new).await?,
        "AWS::EC2::Route" => {
            cx.ask("ec2", "ReplaceRoute", new.clone()).await?;
        }
        "AWS::EC2::SubnetRouteTableAssociation" => {
            let input = json!({ "AssociationId": id, "RouteTableId": new["RouteTableId"] });
            let answer = cx.ask("ec2", "ReplaceRouteTableAssociation", input).await?;
            return Ok(known_as("Id", &answer["NewAssociationId"]));
        }
        "AWS::EC2::VPCGatewayAttachment" => {
            detach(cx, old).await?;
            return attach(cx, new).await;
        }
        "AWS::EC2::VPCEndpoint" => update_endpoint(cx, id, old, new).await?,
        "AWS::EC2::SecurityGroup" => groups::update(cx, change).await?,
        "AWS::EC2::SecurityGroupIngress" | "AWS::EC2::SecurityGroupEgress" => {
            groups::remove_rule(cx, kind, made, old).await?;
            return groups::add_rule(cx, kind, new).await;
        }
        _ => {}
    }
    let tagged = if kind == "AWS::EC2::EIP" { &made.attributes["AllocationId"] } else { &json!(id) };
    retag(cx, tagged, old, new).await?;
    Ok(made.clone())
}

pub(super) async fn delete(kind: &str, cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    let (operation, member) = match kind {
        "AWS::EC2::VPC" => ("DeleteVpc", "VpcId"),
        "AWS::EC2::Subnet" => ("DeleteSubnet", "SubnetId"),
        "AWS::EC2::RouteTable" => ("DeleteRouteTable", "RouteTableId"),
        "AWS::EC2::Route" => {
            let input = pick(properties, &["RouteTableId", "DestinationCidrBlock"]);
            return cx.ask_gone("ec2", "DeleteRoute", input.into()).await;
        }
        "AWS::EC2::SubnetRouteTableAssociation" => ("DisassociateRouteTable", "AssociationId"),
        "AWS::EC2::InternetGateway" => ("DeleteInternetGateway", "InternetGatewayId"),
        "AWS::EC2::VPCGatewayAttachment" => return detach(cx, properties).await,
        "AWS::EC2::EIP" => ("ReleaseAddress", "PublicIp"),
        "AWS::EC2::NatGateway" => ("DeleteNatGateway", "NatGatewayId"),
        "AWS::EC2::VPCEndpoint" => {
            let input = json!({ "VpcEndpointIds": [made.id] });
            return cx.ask_gone("ec2", "DeleteVpcEndpoints", input).await;
        }
        "AWS::EC2::SecurityGroup" => ("DeleteSecurityGroup", "GroupId"),
        _ => return groups::remove_rule(cx, kind, made, properties).await,
    };
    cx.ask_gone("ec2", operation, json!({ member: made.id })).await
}

async fn create_vpc(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    const DNS: &[&str] = &["EnableDnsHostnames", "EnableDnsSupport"];
    const OWN: &[&str] = &["CidrBlock", "InstanceTenancy"];
    only(properties, &[OWN, DNS, &["Tags"]].concat())?;
    let input = tagged("vpc", properties, pick(properties, OWN));
    let vpc = cx.ask("ec2", "CreateVpc", input).await?["Vpc"].take();
    let made = finish_vpc(cx, &vpc, properties).await;
    undone(cx, made, "DeleteVpc", json!({ "VpcId": vpc["VpcId"] })).await
}

async fn finish_vpc(cx: &Cx<'_>, vpc: &Value, properties: &Value) -> Result<Made, String> {
    let id = id(&vpc["VpcId"]);
    set_dns(cx, &id, properties).await?;
    let of_vpc = json!({ "Name": "vpc-id", "Values": [id] });
    let by_name = json!({ "Name": "group-name", "Values": ["default"] });
    let group = cx.ask("ec2", "DescribeSecurityGroups", json!({ "Filters": [of_vpc, by_name] })).await?;
    let acl = cx.ask("ec2", "DescribeNetworkAcls", json!({ "Filters": [of_vpc] })).await?;
    let associations = vpc["CidrBlockAssociationSet"].as_array().into_iter().flatten();
    let associations: Value = associations.map(|one| one["AssociationId"].clone()).collect();
    let attributes = [
        ("VpcId", vpc["VpcId"].clone()),
        ("CidrBlock", vpc["CidrBlock"].clone()),
        ("CidrBlockAssociations", associations),
        ("DefaultSecurityGroup", group["SecurityGroups"][0]["GroupId"].clone()),
        ("DefaultNetworkAcl", acl["NetworkAcls"][0]["NetworkAclId"].clone()),
        ("Ipv6CidrBlocks", json!([])),
    ];
    Ok(Made { id, attributes: attributes.map(|(name, value)| (name.to_owned(), value)).into() })
}

/// Without a word about it a VPC has names resolved, and gives none.
async fn set_dns(cx: &Cx<'_>, vpc: &str, properties: &Value) -> Result<(), String> {
    for (member, default) in [("EnableDnsSupport", true), ("EnableDnsHostnames", false)] {
        let value = properties.get(member).cloned().unwrap_or(default.into());
        let input = json!({ "VpcId": vpc, member: { "Value": value } });
        cx.ask("ec2", "ModifyVpcAttribute", input).await?;
    }
    Ok(())
}

async fn create_subnet(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    const OWN: &[&str] = &["AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId"];
    only(properties, &[OWN, &["MapPublicIpOnLaunch", "Tags"]].concat())?;
    let input = tagged("subnet", properties, pick(properties, OWN));
    let subnet = cx.ask("ec2", "CreateSubnet", input).await?["Subnet"].take();
    let id = id(&subnet["SubnetId"]);
    let names = ["SubnetId", "VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId"];
    let mut made = Made { attributes: names.map(|name| (name.to_owned(), subnet[name].clone())).into(), id };
    made.attributes.insert("Ipv6CidrBlocks".to_owned(), json!([]));
    let set = set_public_ips(cx, &made.id, properties).await;
    let undo = json!({ "SubnetId": made.id });
    undone(cx, set.map(|()| made), "DeleteSubnet", undo).await
}

async fn set_public_ips(cx: &Cx<'_>, subnet: &str, properties: &Value) -> Result<(), String> {
    let value = properties.get("MapPublicIpOnLaunch").cloned().unwrap_or(false.into());
    let input = json!({ "SubnetId": subnet, "MapPublicIpOnLaunch": { "Value": value } });
    cx.ask("ec2", "ModifySubnetAttribute", input).await.map(|_| ())
}

async fn attach(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    cx.ask("ec2", "AttachInternetGateway", properties.clone()).await?;
    let id = format!("IGW|{}", text(properties, "VpcId").unwrap_or_default());
    Ok(Made { id, attributes: [("AttachmentType".to_owned(), "IGW".into())].into() })
}

async fn detach(cx: &Cx<'_>, properties: &Value) -> Result<(), String> {
    cx.ask_gone("ec2", "DetachInternetGateway", properties.clone()).await
}

async fn create_endpoint(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    let mut input = properties.as_object().cloned().unwrap_or_default();
    input.remove("Tags");
    if let Some(policy) = input.get("PolicyDocument").filter(|policy| policy.is_object()) {
        let policy = policy.to_string();
        input.insert("PolicyDocument".to_owned(), policy.into());
    }
    let answer = cx.ask("ec2", "CreateVpcEndpoint", tagged("vpc-endpoint", properties, input)).await?;
    let endpoint = &answer["VpcEndpoint"];
    let attributes = [
        ("Id", endpoint["VpcEndpointId"].clone()),
        ("CreationTimestamp", endpoint["CreationTimestamp"].to_string().into()),
        ("DnsEntries", json!([])),
        ("NetworkInterfaceIds", json!([])),
    ];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
    Ok(Made { id: id(&endpoint["VpcEndpointId"]), attributes })
}

async fn update_endpoint(cx: &Cx<'_>, id: &str, old: &Value, new: &Value) -> Result<(), String> {
    let mut input = json!({ "VpcEndpointId": id });
    for members in ["RouteTableIds", "SubnetIds", "SecurityGroupIds"] {
        let (was, now) = (texts(old, members), texts(new, members));
        let added: Vec<&String> = now.iter().filter(|one| !was.contains(one)).collect();
        let removed: Vec<&String> = was.iter().filter(|one| !now.contains(one)).collect();
        input[format!("Add{members}")] = json!(added);
        input[format!("Remove{members}")] = json!(removed);
    }
    match new.get("PolicyDocument") {
        Some(Value::String(policy)) => input["PolicyDocument"] = policy.as_str().into(),
        Some(policy) => input["PolicyDocument"] = policy.to_string().into(),
        None => input["ResetPolicy"] = true.into(),
    }
    input["PrivateDnsEnabled"] = new.get("PrivateDnsEnabled").cloned().unwrap_or(false.into());
    cx.ask("ec2", "ModifyVpcEndpoint", input).await.map(|_| ())
}

/// The outcome of what followed a thing's making; when that failed the thing is taken back.
pub(super) async fn undone(
    cx: &Cx<'_>,
    outcome: Result<Made, String>,
    operation: &str,
    input: Value,
) -> Result<Made, String> {
    if outcome.is_err() {
        let _removed = cx.ask("ec2", operation, input).await;
    }
    outcome
}

/// An input with the resource's tags, as EC2 takes them.
pub(super) fn tagged(kind: &str, properties: &Value, mut input: Map<String, Value>) -> Value {
    let tags = tags::list(properties);
    if !tags.is_empty() {
        let specification = json!([{ "ResourceType": kind, "Tags": tags }]);
        input.insert("TagSpecifications".to_owned(), specification);
    }
    input.into()
}

async fn retag(cx: &Cx<'_>, id: &Value, old: &Value, new: &Value) -> Result<(), String> {
    if old.get("Tags") == new.get("Tags") {
        return Ok(());
    }
    let now = tags::list(new);
    let gone = tags::list(old).into_iter().filter(|tag| !now.iter().any(|other| other["Key"] == tag["Key"]));
    let gone: Vec<Value> = gone.map(|tag| json!({ "Key": tag["Key"] })).collect();
    if !gone.is_empty() {
        cx.ask("ec2", "DeleteTags", json!({ "Resources": [id], "Tags": gone })).await?;
    }
    if !now.is_empty() {
        cx.ask("ec2", "CreateTags", json!({ "Resources": [id], "Tags": now })).await?;
    }
    Ok(())
}

fn known_as(attribute: &str, value: &Value) -> Made {
    Made { id: id(value), attributes: [(attribute.to_owned(), value.clone())].into() }
}

pub(super) fn id(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
