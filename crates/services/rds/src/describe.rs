//! How clusters and instances are told.

use super::{Cluster, Instance, Rds, arn, invalid, prefix};
use serde_json::{Value, json};
use servicekit::call::{Answer, Caller};
use servicekit::fields::{integer, tag_list, text};
use wire::ServiceError;

impl Rds {
    pub(super) fn cluster_shape(&self, caller: &Caller, cluster: &Cluster) -> Answer {
        let members = self.instances.list(&prefix(caller))?;
        let members =
            members.into_iter().filter(|(_, instance)| instance.cluster.as_ref() == Some(&cluster.id));
        let members: Vec<Value> = members
            .enumerate()
            .map(|(at, (_, instance))| {
                json!({
                    "DBInstanceIdentifier": instance.id,
                    "IsClusterWriter": at == 0,
                    "DBClusterParameterGroupStatus": "in-sync",
                    "PromotionTier": instance.told.get("PromotionTier").cloned().unwrap_or_else(|| json!(1)),
                })
            })
            .collect();
        let told = |member: &str, usual: Value| cluster.told.get(member).cloned().unwrap_or(usual);
        let mut shape = json!({
            "DBClusterIdentifier": cluster.id,
            "DBClusterArn": arn(caller, "cluster", &cluster.id),
            "DbClusterResourceId": cluster.resource,
            "Status": "available",
            "Engine": cluster.engine,
            "EngineVersion": cluster.version,
            "EngineMode": told("EngineMode", "provisioned".into()),
            "Endpoint": cluster.host.address(),
            "ReaderEndpoint": cluster.host.address(),
            "Port": cluster.host.port,
            "MasterUsername": cluster.host.user,
            "ClusterCreateTime": cluster.created_s,
            "DBClusterMembers": members,
            "DeletionProtection": cluster.protected,
            "HttpEndpointEnabled": cluster.http,
            "MultiAZ": false,
            "AllocatedStorage": 1,
            "AssociatedRoles": [],
            "IAMDatabaseAuthenticationEnabled": false,
            "HostedZoneId": "Z2R2ITUGPM61AM",
            "AvailabilityZones": told("AvailabilityZones", json!([format!("{}a", caller.region)])),
            "BackupRetentionPeriod": told("BackupRetentionPeriod", json!(1)),
            "CopyTagsToSnapshot": told("CopyTagsToSnapshot", json!(false)),
            "DBClusterParameterGroup": told("DBClusterParameterGroupName", format!("default.{}", family(&cluster.engine, &cluster.version)).into()),
            "DBSubnetGroup": told("DBSubnetGroupName", "default".into()),
            "NetworkType": told("NetworkType", "IPV4".into()),
            "PreferredBackupWindow": told("PreferredBackupWindow", "07:00-07:30".into()),
            "PreferredMaintenanceWindow": told("PreferredMaintenanceWindow", "sun:05:00-sun:05:30".into()),
            "StorageEncrypted": told("StorageEncrypted", json!(false)),
            "VpcSecurityGroups": security_groups(&cluster.told),
            "TagList": tag_list(&cluster.tags),
        });
        for member in ["KmsKeyId", "StorageType", "ServerlessV2ScalingConfiguration"] {
            if let Some(value) = cluster.told.get(member) {
                shape[member] = value.clone();
            }
        }
        if let Some(scaling) = cluster.told.get("ScalingConfiguration") {
            shape["ScalingConfigurationInfo"] = scaling.clone();
        }
        if let Some(name) = &cluster.database {
            shape["DatabaseName"] = name.as_str().into();
        }
        if let Some(arn) = &cluster.secret {
            shape["MasterUserSecret"] = secret(arn);
        }
        Ok(shape)
    }

    pub(super) fn instance_shape(&self, caller: &Caller, instance: &Instance) -> Answer {
        let mut host = instance.host.clone();
        let mut database = instance.database.clone();
        if let Some(id) = &instance.cluster
            && let Some(cluster) = self.cluster(caller, id)?
        {
            host = Some(cluster.host);
            database = cluster.database;
        }
        let (address, port) = host.as_ref().map_or(("127.0.0.1", 0), |host| (host.address(), host.port));
        let told = |member: &str, usual: Value| instance.told.get(member).cloned().unwrap_or(usual);
        let subnet_group = told("DBSubnetGroupName", "default".into());
        let mut shape = json!({
            "DBInstanceIdentifier": instance.id,
            "DBInstanceArn": arn(caller, "db", &instance.id),
            "DbiResourceId": instance.resource,
            "DBInstanceClass": instance.class,
            "DBInstanceStatus": "available",
            "Engine": instance.engine,
            "EngineVersion": instance.version,
            "Endpoint": {"Address": address, "Port": port, "HostedZoneId": "Z2R2ITUGPM61AM"},
            "InstanceCreateTime": instance.created_s,
            "MasterUsername": host.as_ref().map(|host| host.user.as_str()).unwrap_or_default(),
            "DeletionProtection": instance.protected,
            "AllocatedStorage": told("AllocatedStorage", json!(1)),
            "AutoMinorVersionUpgrade": told("AutoMinorVersionUpgrade", json!(true)),
            "AvailabilityZone": told("AvailabilityZone", format!("{}a", caller.region).into()),
            "BackupRetentionPeriod": told("BackupRetentionPeriod", json!(1)),
            "CopyTagsToSnapshot": told("CopyTagsToSnapshot", json!(false)),
            "DBParameterGroups": [{
                "DBParameterGroupName": told("DBParameterGroupName", format!("default.{}", family(&instance.engine, &instance.version)).into()),
                "ParameterApplyStatus": "in-sync",
            }],
            "DBSecurityGroups": [],
            "DBSubnetGroup": {"DBSubnetGroupName": subnet_group, "SubnetGroupStatus": "Complete"},
            "IAMDatabaseAuthenticationEnabled": false,
            "LicenseModel": if instance.engine.contains("postgres") { "postgresql-license" } else { "general-public-license" },
            "MonitoringInterval": 0,
            "MultiAZ": told("MultiAZ", json!(false)),
            "PendingModifiedValues": {},
            "PreferredBackupWindow": told("PreferredBackupWindow", "07:00-07:30".into()),
            "PreferredMaintenanceWindow": told("PreferredMaintenanceWindow", "sun:05:00-sun:05:30".into()),
            "PromotionTier": told("PromotionTier", json!(1)),
            "PubliclyAccessible": told("PubliclyAccessible", json!(false)),
            "StorageEncrypted": told("StorageEncrypted", json!(false)),
            "StorageType": told("StorageType", if instance.cluster.is_some() { "aurora" } else { "gp2" }.into()),
            "VpcSecurityGroups": security_groups(&instance.told),
            "TagList": tag_list(&instance.tags),
        });
        if let Some(id) = &instance.cluster {
            shape["DBClusterIdentifier"] = id.as_str().into();
        }
        if let Some(name) = database {
            shape["DBName"] = name.into();
        }
        if let Some(arn) = &instance.secret {
            shape["MasterUserSecret"] = secret(arn);
        }
        Ok(shape)
    }
}

fn secret(arn: &str) -> Value {
    json!({"SecretArn": arn, "SecretStatus": "active", "KmsKeyId": "alias/aws/secretsmanager"})
}

fn security_groups(told: &Value) -> Vec<Value> {
    let groups = servicekit::fields::texts(told, "VpcSecurityGroupIds");
    groups.into_iter().map(|id| json!({"VpcSecurityGroupId": id, "Status": "active"})).collect()
}

/// `aurora-mysql8.0`, `postgres16`: what default groups of parameters are called after.
fn family(engine: &str, version: &str) -> String {
    let numbers: Vec<&str> = version.split('.').collect();
    match engine {
        "aurora-postgresql" | "postgres" => format!("{engine}{}", numbers[0]),
        _ => format!("{engine}{}", numbers.iter().take(2).copied().collect::<Vec<_>>().join(".")),
    }
}

/// One page of what was found.
pub(super) fn page<T>(
    input: &Value,
    member: &str,
    found: Vec<T>,
    shape: impl Fn(&T) -> Result<(String, Value), ServiceError>,
) -> Answer {
    let limit = integer(input, "MaxRecords").unwrap_or(100);
    if !(20..=100).contains(&limit) {
        return Err(invalid(format!("Invalid value {limit} for MaxRecords. Must be between 20 and 100")));
    }
    let entries = found.iter().map(shape).collect::<Result<Vec<_>, _>>()?;
    let marker = text(input, "Marker");
    let page = servicekit::fields::page(entries, marker, limit as usize, || {
        invalid(format!("The request must contain a valid marker: {}", marker.unwrap_or_default()))
    })?;
    let mut answer = json!({ member: page.items });
    if let Some(next) = page.next {
        answer["Marker"] = next.into();
    }
    Ok(answer)
}
