//! Networks, keys, databases and repositories: what lies below everything else.

use super::{Asked, Need};
use serde_json::Value;

/// Descriptions are of everything; a change is of the one thing that its first id names, a tag of each that it names.
pub(super) fn networks(asked: &Asked<'_>) -> Vec<Need> {
    const KINDS: [(&str, &str); 9] = [
        ("GroupId", "sg"),
        ("SubnetId", "subnet"),
        ("RouteTableId", "rtb"),
        ("InternetGatewayId", "igw"),
        ("NatGatewayId", "nat"),
        ("AllocationId", "eipalloc"),
        ("VpcEndpointId", "vpce"),
        ("AssociationId", "rtb"),
        ("VpcId", "vpc"),
    ];
    let action = format!("ec2:{}", asked.operation);
    let is_of_all = asked.operation.starts_with("Describe") && asked.operation != "DescribeVpcAttribute";
    if is_of_all {
        return vec![Need::new(action, "*")];
    }
    let arn = |id: &str, kind: &str| asked.arn("ec2", &format!("{}/{id}", network_kind(kind)));
    let tagged =
        ["Resources", "VpcEndpointIds"].iter().filter_map(|member| asked.input.get(member)?.as_array());
    let tagged: Vec<Need> = tagged
        .flatten()
        .filter_map(Value::as_str)
        .map(|id| Need::new(action.clone(), arn(id, id.split('-').next().unwrap_or_default())))
        .collect();
    if !tagged.is_empty() {
        return tagged;
    }
    let named = KINDS.iter().find_map(|(member, kind)| Some(arn(asked.text(member)?, kind)));
    vec![Need::new(action, named.unwrap_or_else(|| "*".to_owned()))]
}

/// What a thing is, by how its id begins.
fn network_kind(prefix: &str) -> &'static str {
    match prefix {
        "vpc" => "vpc",
        "subnet" => "subnet",
        "sg" => "security-group",
        "sgr" => "security-group-rule",
        "rtb" => "route-table",
        "igw" => "internet-gateway",
        "nat" => "natgateway",
        "eipalloc" => "elastic-ip",
        "vpce" => "vpc-endpoint",
        _ => "network-acl",
    }
}

/// A key by its id; an alias stands for its key, but for what is done to the alias itself.
pub(super) fn keys(asked: &Asked<'_>) -> Vec<Need> {
    let action = format!("kms:{}", asked.operation);
    let arn = |given: &str| match given {
        arn if arn.starts_with("arn:") => arn.to_owned(),
        alias if alias.starts_with("alias/") => asked.arn("kms", alias),
        id => asked.arn("kms", &format!("key/{id}")),
    };
    let named: Vec<&str> = match asked.operation {
        "ReEncrypt" => {
            let needs = [("SourceKeyId", "kms:ReEncryptFrom"), ("DestinationKeyId", "kms:ReEncryptTo")];
            let need = |(member, action): (&str, &str)| {
                Need::new(action, asked.text(member).map_or_else(|| "*".to_owned(), arn))
            };
            return needs.into_iter().map(need).collect();
        }
        _ => ["AliasName", "KeyId", "TargetKeyId"].iter().filter_map(|member| asked.text(member)).collect(),
    };
    match named.is_empty() {
        true => vec![Need::new(action, "*")],
        false => named.into_iter().map(|given| Need::new(action.clone(), arn(given))).collect(),
    }
}

/// What a call is about first: a database, or what one is made of.
pub(super) fn databases(asked: &Asked<'_>) -> Vec<Need> {
    const KINDS: [(&str, &str); 5] = [
        ("DBInstanceIdentifier", "db"),
        ("DBClusterIdentifier", "cluster"),
        ("DBClusterParameterGroupName", "cluster-pg"),
        ("DBParameterGroupName", "pg"),
        ("DBSubnetGroupName", "subgrp"),
    ];
    let action = format!("rds:{}", asked.operation);
    let given = ["ResourceName", "ResourceArn"].iter().find_map(|member| asked.text(member));
    let named = || {
        KINDS.iter().find_map(|(member, kind)| {
            Some(asked.arn("rds", &format!("{kind}:{}", asked.text(member)?.to_ascii_lowercase())))
        })
    };
    let resource = given.map(str::to_owned).or_else(named).unwrap_or_else(|| "*".to_owned());
    vec![Need::new(action, resource)]
}

pub(super) fn repositories(asked: &Asked<'_>) -> Vec<Need> {
    let given = asked.text("resourceArn").map(str::to_owned);
    let named = || Some(asked.arn("ecr", &format!("repository/{}", asked.text("repositoryName")?)));
    let resource = given.or_else(named).unwrap_or_else(|| "*".to_owned());
    vec![Need::new(format!("ecr:{}", asked.operation), resource)]
}
