//! Instances: of a cluster, whose server they share, or with a server of their own.

use super::clusters::{final_snapshot, flag, identifier, no_cluster, port, told, version};
use super::hosts::Family;
use super::master::check_database;
use super::{Instance, Rds, arn, combination, invalid, key, prefix, refuse};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{required, tags_of, text};
use wire::ServiceError;

/// Nothing here answers to these.
const REFUSED: &[&str] = &[
    "DBSecurityGroups",
    "OptionGroupName",
    "CharacterSetName",
    "NcharCharacterSetName",
    "TdeCredentialArn",
    "TdeCredentialPassword",
    "Domain",
    "DomainFqdn",
    "DomainIAMRoleName",
    "Timezone",
    "EnableIAMDatabaseAuthentication",
    "ProcessorFeatures",
    "EnableCustomerOwnedIp",
    "BackupTarget",
    "CustomIamInstanceProfile",
    "MultiTenant",
    "DedicatedLogVolume",
    "AdditionalStorageVolumes",
    "MasterUserAuthenticationType",
];

/// Of a machine that is not there: kept, and told again.
const TOLD: &[&str] = &[
    "AllocatedStorage",
    "AutoMinorVersionUpgrade",
    "AvailabilityZone",
    "BackupRetentionPeriod",
    "CopyTagsToSnapshot",
    "DBParameterGroupName",
    "DBSubnetGroupName",
    "KmsKeyId",
    "MultiAZ",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "PromotionTier",
    "PubliclyAccessible",
    "StorageEncrypted",
    "StorageType",
    "VpcSecurityGroupIds",
];

impl Rds {
    pub(super) async fn create_instance(&self, call: &Call, input: &Value) -> Answer {
        let caller = &call.caller;
        let id = identifier(required(input, "DBInstanceIdentifier"), "DBInstanceIdentifier")?;
        let engine = required(input, "Engine").to_owned();
        let family = Family::of(&engine).ok_or_else(|| {
            invalid(format!("Invalid DB engine: {engine}; here are postgres, mysql, mariadb, aurora-postgresql, aurora-mysql"))
        })?;
        refuse(input, REFUSED)?;
        self.check_groups(caller, input)?;
        let exists = || ServiceError::new("DBInstanceAlreadyExists", "DB instance already exists");
        if self.instances.get(&key(caller, &id))?.is_some() {
            return Err(exists());
        }
        let mut instance = Instance {
            resource: format!("db-{}", servicekit::ids::token(&self.world, 26)),
            version: version(&engine, text(input, "EngineVersion")),
            class: required(input, "DBInstanceClass").to_owned(),
            cluster: None,
            host: None,
            database: None,
            created_s: self.world.now().seconds_f64(),
            secret: None,
            protected: flag(input, "DeletionProtection").unwrap_or(false),
            told: told(input, TOLD, &json!({})),
            tags: tags_of(input, "Tags"),
            engine,
            id,
        };
        match text(input, "DBClusterIdentifier") {
            Some(named) => {
                refuse(
                    input,
                    &["MasterUsername", "MasterUserPassword", "ManageMasterUserPassword", "DBName", "Port"],
                )?;
                let cluster = self.cluster(caller, named)?.ok_or_else(|| no_cluster(named))?;
                if cluster.engine != instance.engine {
                    return Err(combination(format!(
                        "The engine name requested for your DB instance ({}) doesn't match the engine name of your DB cluster ({}).",
                        instance.engine, cluster.engine
                    )));
                }
                instance.version = cluster.version;
                instance.cluster = Some(cluster.id);
            }
            None if instance.engine.starts_with("aurora") => {
                return Err(combination(format!(
                    "An instance of {} belongs to a cluster: name it with DBClusterIdentifier",
                    instance.engine
                )));
            }
            None => {
                instance.database = check_database(text(input, "DBName"))?;
                self.hosts.check(family)?;
                let master = self.master(caller, input, "db").await?;
                match self.found(family, &master, port(input)?, instance.database.as_deref()).await {
                    Ok(host) => instance.host = Some(host),
                    Err(error) => {
                        self.forget_secret(caller, master.secret.as_deref()).await;
                        return Err(error);
                    }
                }
                instance.secret = master.secret;
            }
        }
        let place = key(caller, &instance.id);
        let put = self.instances.edit(&place, |there| match there {
            Some(_) => Err(exists()),
            None => Ok((Edit::Put(instance.clone()), ())),
        });
        if let Err(error) = put.await {
            if let Some(host) = &instance.host {
                self.hosts.remove(host).await?;
            }
            self.forget_secret(caller, instance.secret.as_deref()).await;
            return Err(error);
        }
        Ok(json!({"DBInstance": self.instance_shape(caller, &instance)?}))
    }

    pub(super) fn describe_instances(&self, call: &Call, input: &Value) -> Answer {
        let caller = &call.caller;
        let mut found = match text(input, "DBInstanceIdentifier") {
            Some(id) => vec![self.instance(call, id)?],
            None => self.instances.list(&prefix(caller))?.into_iter().map(|(_, instance)| instance).collect(),
        };
        for filter in input.get("Filters").and_then(Value::as_array).into_iter().flatten() {
            let values = servicekit::fields::texts(filter, "Values");
            match required(filter, "Name") {
                "db-instance-id" => found.retain(|instance| values.contains(&instance.id)),
                "db-cluster-id" => found.retain(|instance| {
                    let cluster = instance.cluster.as_ref();
                    cluster
                        .is_some_and(|id| values.contains(id) || values.contains(&arn(caller, "cluster", id)))
                }),
                "engine" => found.retain(|instance| values.contains(&instance.engine)),
                "dbi-resource-id" => found.retain(|instance| values.contains(&instance.resource)),
                other => return Err(invalid(format!("Unrecognized filter name: {other}"))),
            }
        }
        super::describe::page(input, "DBInstances", found, |instance| {
            Ok((instance.id.clone(), self.instance_shape(caller, instance)?))
        })
    }

    pub(super) async fn modify_instance(&self, call: &Call, input: &Value) -> Answer {
        let mut instance = self.instance(call, required(input, "DBInstanceIdentifier"))?;
        refuse(input, REFUSED)?;
        refuse(
            input,
            &[
                "NewDBInstanceIdentifier",
                "DBPortNumber",
                "ManageMasterUserPassword",
                "RotateMasterUserPassword",
            ],
        )?;
        self.check_groups(&call.caller, input)?;
        if let Some(password) = text(input, "MasterUserPassword") {
            match &mut instance.host {
                Some(host) if instance.secret.is_none() => self.change_password(host, password).await?,
                _ => {
                    return Err(combination(
                        "MasterUserPassword is the cluster's, or managed: it is not changed here",
                    ));
                }
            }
        }
        instance.class = text(input, "DBInstanceClass").map_or(instance.class, str::to_owned);
        instance.version = text(input, "EngineVersion").map_or(instance.version, str::to_owned);
        instance.protected = flag(input, "DeletionProtection").unwrap_or(instance.protected);
        instance.told = told(input, TOLD, &instance.told);
        self.instances.put(&key(&call.caller, &instance.id), instance.clone()).await?;
        Ok(json!({"DBInstance": self.instance_shape(&call.caller, &instance)?}))
    }

    pub(super) async fn delete_instance(&self, call: &Call, input: &Value) -> Answer {
        let caller = &call.caller;
        let instance = self.instance(call, required(input, "DBInstanceIdentifier"))?;
        if instance.protected {
            let message =
                "Cannot delete protected DB Instance, please disable deletion protection and try again.";
            return Err(combination(message));
        }
        // The data of a cluster's instance is the cluster's.
        if instance.cluster.is_none() {
            final_snapshot(input, "FinalDBSnapshotIdentifier", "FinalDBSnapshotIdentifier")?;
        }
        let mut shape = self.instance_shape(caller, &instance)?;
        shape["DBInstanceStatus"] = "deleting".into();
        self.give_up(instance.host.as_ref(), self.instances.remove(&key(caller, &instance.id))).await?;
        self.forget_secret(caller, instance.secret.as_deref()).await;
        Ok(json!({"DBInstance": shape}))
    }

    fn instance(&self, call: &Call, id: &str) -> Result<Instance, ServiceError> {
        let name = id.strip_prefix(&arn(&call.caller, "db", "")).unwrap_or(id);
        let found = self.instances.get(&key(&call.caller, name))?;
        found.ok_or_else(|| ServiceError::new("DBInstanceNotFound", format!("DBInstance {id} not found.")))
    }
}
