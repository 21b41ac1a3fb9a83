//! Clusters: made, changed, removed.

use super::hosts::Family;
use super::master::check_database;
use super::{Cluster, Rds, arn, combination, invalid, key, prefix, refuse};
use serde_json::{Map, Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::documents::Edit;
use servicekit::fields::{integer, required, tags_of, text};
use wire::ServiceError;

/// Nothing here answers to these.
const REFUSED: &[&str] = &[
    "ReplicationSourceIdentifier",
    "GlobalClusterIdentifier",
    "BacktrackWindow",
    "CharacterSetName",
    "OptionGroupName",
    "Domain",
    "DomainIAMRoleName",
    "EnableIAMDatabaseAuthentication",
    "EnableGlobalWriteForwarding",
    "EnableLocalWriteForwarding",
    "EnableLimitlessDatabase",
    "DBClusterInstanceClass",
    "AllocatedStorage",
    "Iops",
    "RdsCustomClusterConfiguration",
    "ClusterScalabilityType",
    "PreSignedUrl",
    "AssociatedRoles",
    "WithExpressConfiguration",
    "MasterUserAuthenticationType",
];

/// Of a machine that is not there: kept, and told again.
const TOLD: &[&str] = &[
    "AvailabilityZones",
    "BackupRetentionPeriod",
    "CopyTagsToSnapshot",
    "DBClusterParameterGroupName",
    "DBSubnetGroupName",
    "EngineMode",
    "KmsKeyId",
    "NetworkType",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "ScalingConfiguration",
    "ServerlessV2ScalingConfiguration",
    "StorageEncrypted",
    "StorageType",
    "VpcSecurityGroupIds",
];

impl Rds {
    pub(super) async fn create_cluster(&self, call: &Call, input: &Value) -> Answer {
        let caller = &call.caller;
        let id = identifier(required(input, "DBClusterIdentifier"), "DBClusterIdentifier")?;
        let engine = required(input, "Engine").to_owned();
        let family = Family::of(&engine).filter(|_| engine.starts_with("aurora-")).ok_or_else(|| {
            invalid(format!("Invalid DB engine: {engine}; clusters are of aurora-mysql or aurora-postgresql"))
        })?;
        refuse(input, REFUSED)?;
        let database = check_database(text(input, "DatabaseName"))?;
        self.check_groups(caller, input)?;
        if self.clusters.get(&key(caller, &id))?.is_some() {
            return Err(ServiceError::new("DBClusterAlreadyExistsFault", "DB Cluster already exists"));
        }
        self.hosts.check(family)?;
        let master = self.master(caller, input, "cluster").await?;
        let host = match self.found(family, &master, port(input)?, database.as_deref()).await {
            Ok(host) => host,
            Err(error) => {
                self.forget_secret(caller, master.secret.as_deref()).await;
                return Err(error);
            }
        };
        let cluster = Cluster {
            resource: format!("cluster-{}", servicekit::ids::token(&self.world, 26)),
            version: version(&engine, text(input, "EngineVersion")),
            engine,
            host,
            database,
            created_s: self.world.now().seconds_f64(),
            http: flag(input, "EnableHttpEndpoint").unwrap_or(false),
            secret: master.secret,
            protected: flag(input, "DeletionProtection").unwrap_or(false),
            told: told(input, TOLD, &json!({})),
            tags: tags_of(input, "Tags"),
            id,
        };
        let place = key(caller, &cluster.id);
        let put = self.clusters.edit(&place, |there| match there {
            Some(_) => Err(ServiceError::new("DBClusterAlreadyExistsFault", "DB Cluster already exists")),
            None => Ok((Edit::Put(cluster.clone()), ())),
        });
        if let Err(error) = put.await {
            self.hosts.remove(&cluster.host).await?;
            self.forget_secret(caller, cluster.secret.as_deref()).await;
            return Err(error);
        }
        Ok(json!({"DBCluster": self.cluster_shape(caller, &cluster)?}))
    }

    pub(super) fn describe_clusters(&self, call: &Call, input: &Value) -> Answer {
        let caller = &call.caller;
        let mut found = match text(input, "DBClusterIdentifier") {
            Some(id) => vec![self.cluster(caller, id)?.ok_or_else(|| no_cluster(id))?],
            None => self.clusters.list(&prefix(caller))?.into_iter().map(|(_, cluster)| cluster).collect(),
        };
        for filter in input.get("Filters").and_then(Value::as_array).into_iter().flatten() {
            let values = servicekit::fields::texts(filter, "Values");
            match required(filter, "Name") {
                "db-cluster-id" => found.retain(|cluster| {
                    values.contains(&cluster.id) || values.contains(&arn(caller, "cluster", &cluster.id))
                }),
                "engine" => found.retain(|cluster| values.contains(&cluster.engine)),
                "db-cluster-resource-id" => found.retain(|cluster| values.contains(&cluster.resource)),
                other => return Err(invalid(format!("Unrecognized filter name: {other}"))),
            }
        }
        super::describe::page(input, "DBClusters", found, |cluster| {
            Ok((cluster.id.clone(), self.cluster_shape(caller, cluster)?))
        })
    }

    pub(super) async fn modify_cluster(&self, call: &Call, input: &Value) -> Answer {
        let caller = &call.caller;
        let id = required(input, "DBClusterIdentifier");
        let mut cluster = self.cluster(caller, id)?.ok_or_else(|| no_cluster(id))?;
        refuse(input, REFUSED)?;
        refuse(
            input,
            &["NewDBClusterIdentifier", "Port", "RotateMasterUserPassword", "MasterUserSecretKmsKeyId"],
        )?;
        if flag(input, "ManageMasterUserPassword").is_some_and(|managed| managed != cluster.secret.is_some())
        {
            return Err(combination("ManageMasterUserPassword is chosen when a cluster is made, here"));
        }
        self.check_groups(caller, input)?;
        if let Some(password) = text(input, "MasterUserPassword") {
            if cluster.secret.is_some() {
                return Err(combination(
                    "You can't specify MasterUserPassword for an instance with ManageMasterUserPassword enabled.",
                ));
            }
            self.change_password(&mut cluster.host, password).await?;
        }
        cluster.http = flag(input, "EnableHttpEndpoint").unwrap_or(cluster.http);
        cluster.protected = flag(input, "DeletionProtection").unwrap_or(cluster.protected);
        cluster.version = text(input, "EngineVersion").map_or(cluster.version, str::to_owned);
        cluster.told = told(input, TOLD, &cluster.told);
        self.clusters.put(&key(caller, &cluster.id), cluster.clone()).await?;
        Ok(json!({"DBCluster": self.cluster_shape(caller, &cluster)?}))
    }

    pub(super) async fn set_http_endpoint(&self, call: &Call, input: &Value, enabled: bool) -> Answer {
        let id = required(input, "ResourceArn");
        let not_found = || ServiceError::new("ResourceNotFoundFault", format!("DBCluster {id} not found."));
        let mut cluster = self.cluster(&call.caller, id)?.ok_or_else(not_found)?;
        cluster.http = enabled;
        self.clusters.put(&key(&call.caller, &cluster.id), cluster).await?;
        Ok(json!({"ResourceArn": id, "HttpEndpointEnabled": enabled}))
    }

    pub(super) async fn delete_cluster(&self, call: &Call, input: &Value) -> Answer {
        let caller = &call.caller;
        let id = required(input, "DBClusterIdentifier");
        let cluster = self.cluster(caller, id)?.ok_or_else(|| no_cluster(id))?;
        if cluster.protected {
            let message =
                "Cannot delete protected Cluster, please disable deletion protection and try again.";
            return Err(combination(message));
        }
        final_snapshot(input, "FinalDBSnapshotIdentifier", "FinalDBClusterSnapshotIdentifier")?;
        let members = self.instances.list(&prefix(caller))?;
        if members.iter().any(|(_, instance)| instance.cluster.as_ref() == Some(&cluster.id)) {
            let message = "Cluster cannot be deleted, it still contains DB instances in non-deleting state.";
            return Err(ServiceError::new("InvalidDBClusterStateFault", message));
        }
        let mut shape = self.cluster_shape(caller, &cluster)?;
        shape["Status"] = "deleting".into();
        self.give_up(Some(&cluster.host), self.clusters.remove(&key(caller, &cluster.id))).await?;
        self.forget_secret(caller, cluster.secret.as_deref()).await;
        Ok(json!({"DBCluster": shape}))
    }

    /// Groups that are named are there; those that AWS brings along always are.
    pub(super) fn check_groups(&self, caller: &Caller, input: &Value) -> Result<(), ServiceError> {
        let is_own = |name: &&str| !name.starts_with("default");
        if let Some(name) = text(input, "DBSubnetGroupName").filter(is_own)
            && self.subnet_groups.get(&key(caller, name))?.is_none()
        {
            let message = format!("DB subnet group '{name}' does not exist.");
            return Err(ServiceError::new("DBSubnetGroupNotFoundFault", message));
        }
        for (member, groups) in [
            ("DBClusterParameterGroupName", &self.cluster_parameter_groups),
            ("DBParameterGroupName", &self.parameter_groups),
        ] {
            if let Some(name) = text(input, member).filter(is_own)
                && groups.get(&key(caller, name))?.is_none()
            {
                let code = if member.contains("Cluster") {
                    "DBClusterParameterGroupNotFound"
                } else {
                    "DBParameterGroupNotFound"
                };
                return Err(ServiceError::new(
                    code,
                    format!("{member} doesn't refer to an existing DB parameter group: {name}"),
                ));
            }
        }
        Ok(())
    }
}

pub(super) fn no_cluster(id: &str) -> ServiceError {
    ServiceError::new("DBClusterNotFoundFault", format!("DBCluster {id} not found."))
}

/// Letters, digits and single hyphens; kept in small letters.
pub(super) fn identifier(id: &str, member: &str) -> Result<String, ServiceError> {
    let well = id.starts_with(|first: char| first.is_ascii_alphabetic())
        && id.len() <= 63
        && !id.ends_with('-')
        && !id.contains("--")
        && id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    if well {
        return Ok(id.to_ascii_lowercase());
    }
    Err(invalid(format!(
        "The parameter {member} is not a valid identifier. Identifiers must begin with a letter; must contain only \
         ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
    )))
}

pub(super) fn flag(input: &Value, member: &str) -> Option<bool> {
    input.get(member)?.as_bool()
}

/// The members of these names, over those that were told before.
pub(super) fn told(input: &Value, members: &[&str], before: &Value) -> Value {
    let mut told: Map<String, Value> = before.as_object().cloned().unwrap_or_default();
    for member in members {
        if let Some(value) = input.get(*member) {
            told.insert((*member).to_owned(), value.clone());
        }
    }
    Value::Object(told)
}

/// A port that is asked for is given when it is free, and refused when it is not.
pub(super) fn port(input: &Value) -> Result<Option<u16>, ServiceError> {
    let Some(asked) = integer(input, "Port") else { return Ok(None) };
    let port = u16::try_from(asked).ok().filter(|port| *port >= 1150);
    let port = port.ok_or_else(|| invalid(format!("Port {asked} is not between 1150 and 65535")))?;
    match std::net::TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(Some(port)),
        Err(error) => Err(invalid(format!(
            "Port {port} of this machine is not free ({error}); leave Port out for one that is"
        ))),
    }
}

/// Snapshots are not built: whoever wants a last one is not left without.
pub(super) fn final_snapshot(input: &Value, member: &str, told_as: &str) -> Result<(), ServiceError> {
    refuse(input, &[member])?;
    if flag(input, "SkipFinalSnapshot") == Some(true) {
        return Ok(());
    }
    Err(combination(format!("{told_as} is required unless SkipFinalSnapshot is specified.")))
}

/// The version that is asked for, or one that AWS would choose. The server is whichever is installed.
pub(super) fn version(engine: &str, asked: Option<&str>) -> String {
    let usual = match engine {
        "aurora-mysql" => "8.0.mysql_aurora.3.08.2",
        "aurora-postgresql" | "postgres" => "16.8",
        "mysql" => "8.0.41",
        _ => "10.11.11",
    };
    asked.unwrap_or(usual).to_owned()
}
