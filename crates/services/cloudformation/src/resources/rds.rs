//! `AWS::RDS::DBCluster`, `DBInstance`, `DBSubnetGroup`, `DBClusterParameterGroup` and `DBParameterGroup`.

use super::{Change, Cx, pick, tags};
use crate::template::evaluate::Made;
use serde_json::{Map, Value, json};

/// What a cluster can still change, in RDS's own members.
const CLUSTER_CHANGES: &[&str] = &[
    "BackupRetentionPeriod",
    "CopyTagsToSnapshot",
    "DBClusterParameterGroupName",
    "DeletionProtection",
    "EnableHttpEndpoint",
    "EngineVersion",
    "MasterUserPassword",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "ScalingConfiguration",
    "ServerlessV2ScalingConfiguration",
    "StorageType",
    "VpcSecurityGroupIds",
];

const INSTANCE_CHANGES: &[&str] = &[
    "AllocatedStorage",
    "AutoMinorVersionUpgrade",
    "BackupRetentionPeriod",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DBParameterGroupName",
    "DeletionProtection",
    "EngineVersion",
    "MasterUserPassword",
    "MultiAZ",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "PromotionTier",
    "PubliclyAccessible",
    "StorageType",
    "VpcSecurityGroupIds",
];

pub(super) async fn create(kind: &str, cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    let name = lowered(name);
    let properties = cx.resolve(properties).await?;
    let mut input = properties.as_object().cloned().unwrap_or_default();
    input.remove("Tags");
    tags::add("rds", &properties, &mut input);
    match kind {
        "AWS::RDS::DBCluster" => {
            input.insert("DBClusterIdentifier".to_owned(), name.as_str().into());
            let answer = cx.ask("rds", "CreateDBCluster", input.into()).await?;
            Ok(cluster(&answer["DBCluster"]))
        }
        "AWS::RDS::DBInstance" => {
            if let Some(groups) = input.remove("VPCSecurityGroups") {
                input.insert("VpcSecurityGroupIds".to_owned(), groups);
            }
            // Its subnets are the cluster's.
            if input.contains_key("DBClusterIdentifier") {
                input.remove("DBSubnetGroupName");
            }
            input.insert("DBInstanceIdentifier".to_owned(), name.as_str().into());
            let answer = cx.ask("rds", "CreateDBInstance", input.into()).await?;
            Ok(instance(&answer["DBInstance"]))
        }
        "AWS::RDS::DBSubnetGroup" => {
            input.insert("DBSubnetGroupName".to_owned(), name.as_str().into());
            cx.ask("rds", "CreateDBSubnetGroup", input.into()).await?;
            Ok(Made { id: name, ..Made::default() })
        }
        _ => {
            let of_cluster = kind == "AWS::RDS::DBClusterParameterGroup";
            let (member, operation) = match of_cluster {
                true => ("DBClusterParameterGroupName", "CreateDBClusterParameterGroup"),
                false => ("DBParameterGroupName", "CreateDBParameterGroup"),
            };
            no_parameters(&properties)?;
            input.remove("Parameters");
            if let Some(family) = input.remove("Family") {
                input.insert("DBParameterGroupFamily".to_owned(), family);
            }
            input.insert(member.to_owned(), name.as_str().into());
            cx.ask("rds", operation, input.into()).await?;
            Ok(Made { id: name, ..Made::default() })
        }
    }
}

pub(super) async fn update(kind: &str, cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let (old, new) = (cx.resolve(old).await?, cx.resolve(new).await?);
    cx.retag("rds", json!({ "ResourceName": arn(kind, cx, &made.id) }), &old, &new).await?;
    match kind {
        "AWS::RDS::DBCluster" => {
            let mut input = changes(&old, &new, CLUSTER_CHANGES);
            input.insert("DBClusterIdentifier".to_owned(), made.id.as_str().into());
            let answer = cx.ask("rds", "ModifyDBCluster", input.into()).await?;
            Ok(cluster(&answer["DBCluster"]))
        }
        "AWS::RDS::DBInstance" => {
            let mut input = changes(&old, &new, INSTANCE_CHANGES);
            if let Some(groups) =
                new.get("VPCSecurityGroups").filter(|groups| old.get("VPCSecurityGroups") != Some(groups))
            {
                input.insert("VpcSecurityGroupIds".to_owned(), groups.clone());
            }
            input.insert("DBInstanceIdentifier".to_owned(), made.id.as_str().into());
            let answer = cx.ask("rds", "ModifyDBInstance", input.into()).await?;
            Ok(instance(&answer["DBInstance"]))
        }
        "AWS::RDS::DBSubnetGroup" => {
            let mut input = pick(&new, &["DBSubnetGroupDescription", "SubnetIds"]);
            input.insert("DBSubnetGroupName".to_owned(), made.id.as_str().into());
            cx.ask("rds", "ModifyDBSubnetGroup", input.into()).await?;
            Ok(made.clone())
        }
        _ => no_parameters(&new).map(|()| made.clone()),
    }
}

/// What tags are told by.
fn arn(kind: &str, cx: &Cx<'_>, id: &str) -> String {
    let noun = match kind {
        "AWS::RDS::DBCluster" => "cluster",
        "AWS::RDS::DBClusterParameterGroup" => "cluster-pg",
        "AWS::RDS::DBInstance" => "db",
        "AWS::RDS::DBSubnetGroup" => "subgrp",
        _ => "pg",
    };
    format!("arn:aws:rds:{}:{}:{noun}:{id}", cx.caller.region, cx.caller.account)
}

pub(super) async fn delete(kind: &str, cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    let id = made.id.as_str();
    let (operation, input) = match kind {
        "AWS::RDS::DBCluster" => {
            ("DeleteDBCluster", json!({"DBClusterIdentifier": id, "SkipFinalSnapshot": true}))
        }
        "AWS::RDS::DBInstance" => {
            ("DeleteDBInstance", json!({"DBInstanceIdentifier": id, "SkipFinalSnapshot": true}))
        }
        "AWS::RDS::DBSubnetGroup" => ("DeleteDBSubnetGroup", json!({"DBSubnetGroupName": id})),
        "AWS::RDS::DBClusterParameterGroup" => {
            ("DeleteDBClusterParameterGroup", json!({"DBClusterParameterGroupName": id}))
        }
        _ => ("DeleteDBParameterGroup", json!({"DBParameterGroupName": id})),
    };
    cx.ask_gone("rds", operation, input).await
}

/// RDS keeps identifiers in small letters, and knows no two hyphens in a row.
fn lowered(name: &str) -> String {
    let mut lowered = name.to_ascii_lowercase();
    while lowered.contains("--") {
        lowered = lowered.replace("--", "-");
    }
    lowered
}

fn no_parameters(properties: &Value) -> Result<(), String> {
    match properties.get("Parameters").and_then(Value::as_object) {
        Some(parameters) if !parameters.is_empty() => {
            let names: Vec<&str> = parameters.keys().map(String::as_str).collect();
            Err(format!("Parameters of databases are not supported here: {}", names.join(", ")))
        }
        _ => Ok(()),
    }
}

/// What is not the same any more.
fn changes(old: &Value, new: &Value, members: &[&str]) -> Map<String, Value> {
    let mut changed = pick(new, members);
    changed.retain(|member, value| old.get(member) != Some(value));
    // Protection that is no longer asked for is lifted.
    for member in ["DeletionProtection", "EnableHttpEndpoint"] {
        if members.contains(&member) && old.get(member).is_some() && new.get(member).is_none() {
            changed.insert(member.to_owned(), false.into());
        }
    }
    changed
}

fn cluster(shape: &Value) -> Made {
    let mut attributes = vec![
        ("Endpoint.Address", shape["Endpoint"].clone()),
        ("Endpoint.Port", shape["Port"].to_string().into()),
        ("ReadEndpoint.Address", shape["ReaderEndpoint"].clone()),
        ("DBClusterArn", shape["DBClusterArn"].clone()),
        ("DBClusterResourceId", shape["DbClusterResourceId"].clone()),
    ];
    if let Some(arn) = shape["MasterUserSecret"].get("SecretArn") {
        attributes.push(("MasterUserSecret.SecretArn", arn.clone()));
    }
    made(&shape["DBClusterIdentifier"], attributes)
}

fn instance(shape: &Value) -> Made {
    let endpoint = &shape["Endpoint"];
    let mut attributes = vec![
        ("Endpoint.Address", endpoint["Address"].clone()),
        ("Endpoint.Port", endpoint["Port"].to_string().into()),
        ("Endpoint.HostedZoneId", endpoint["HostedZoneId"].clone()),
        ("DBInstanceArn", shape["DBInstanceArn"].clone()),
        ("DbiResourceId", shape["DbiResourceId"].clone()),
    ];
    if let Some(arn) = shape["MasterUserSecret"].get("SecretArn") {
        attributes.push(("MasterUserSecret.SecretArn", arn.clone()));
    }
    made(&shape["DBInstanceIdentifier"], attributes)
}

fn made(id: &Value, attributes: Vec<(&str, Value)>) -> Made {
    let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value));
    Made { id: id.as_str().unwrap_or_default().to_owned(), attributes: attributes.collect() }
}
