//! Relational Database Service: clusters and instances, each a real PostgreSQL, MariaDB or MySQL of this machine, and SQL over HTTP
//! against them. Never knows another service but by asking it, nor where its requests come from.

mod clusters;
mod data;
mod describe;
mod groups;
mod hosts;
mod instances;
mod master;
mod servers;
mod tags;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use servicekit::call::{Answer, Call, Caller, Pending};
use servicekit::documents::Documents;
use servicekit::house::House;
use servicekit::vault::Vault;
use std::collections::BTreeMap;
use store::Store;
use wire::{Response, ServiceError};
use world::World;

pub use data::RdsData;
pub use hosts::Hosts;
use hosts::{Family, Host, blocking};
pub use servers::DatabaseServers;

pub struct Rds {
    world: World,
    vault: Vault,
    house: House,
    hosts: Hosts,
    /// All by `account/region/identifier`.
    clusters: Documents<Cluster>,
    instances: Documents<Instance>,
    subnet_groups: Documents<Group>,
    cluster_parameter_groups: Documents<Group>,
    parameter_groups: Documents<Group>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Cluster {
    id: String,
    /// `cluster-` and letters: never used again.
    resource: String,
    engine: String,
    version: String,
    host: Host,
    database: Option<String>,
    created_s: f64,
    /// Whether the Data API reaches it.
    http: bool,
    secret: Option<String>,
    protected: bool,
    /// What was given and has no meaning here but to be told again.
    told: Value,
    tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Instance {
    id: String,
    resource: String,
    engine: String,
    version: String,
    class: String,
    /// The cluster it belongs to; otherwise it has a host of its own.
    cluster: Option<String>,
    host: Option<Host>,
    database: Option<String>,
    created_s: f64,
    secret: Option<String>,
    protected: bool,
    told: Value,
    tags: BTreeMap<String, String>,
}

/// A subnet group or a group of parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Group {
    name: String,
    description: String,
    /// Of parameters: the engine and its version.
    family: String,
    subnets: Vec<String>,
    tags: BTreeMap<String, String>,
}

impl Rds {
    pub fn new(store: &Store, world: &World, vault: &Vault, hosts: &Hosts, house: House) -> Rds {
        Rds {
            world: world.clone(),
            vault: vault.clone(),
            house,
            hosts: hosts.clone(),
            clusters: Documents::new(store, "rds/cluster"),
            instances: Documents::new(store, "rds/instance"),
            subnet_groups: Documents::new(store, "rds/subnet-group"),
            cluster_parameter_groups: Documents::new(store, "rds/cluster-parameter-group"),
            parameter_groups: Documents::new(store, "rds/parameter-group"),
        }
    }

    pub fn call(&self, call: Call) -> Pending<'_, Response> {
        Box::pin(async move {
            let answer = match call.input() {
                Ok(input) => self.answer(&call, &input).await,
                Err(error) => Err(error),
            };
            call.settle(answer)
        })
    }

    async fn answer(&self, call: &Call, input: &Value) -> Answer {
        match call.operation.name {
            "CreateDBCluster" => self.create_cluster(call, input).await,
            "DescribeDBClusters" => self.describe_clusters(call, input),
            "ModifyDBCluster" => self.modify_cluster(call, input).await,
            "DeleteDBCluster" => self.delete_cluster(call, input).await,
            "EnableHttpEndpoint" => self.set_http_endpoint(call, input, true).await,
            "DisableHttpEndpoint" => self.set_http_endpoint(call, input, false).await,
            "CreateDBInstance" => self.create_instance(call, input).await,
            "DescribeDBInstances" => self.describe_instances(call, input),
            "ModifyDBInstance" => self.modify_instance(call, input).await,
            "DeleteDBInstance" => self.delete_instance(call, input).await,
            "CreateDBSubnetGroup" => self.create_subnet_group(call, input).await,
            "DescribeDBSubnetGroups" => self.describe_subnet_groups(call, input),
            "ModifyDBSubnetGroup" => self.modify_subnet_group(call, input).await,
            "DeleteDBSubnetGroup" => self.delete_subnet_group(call, input).await,
            "CreateDBClusterParameterGroup" => self.create_parameter_group(call, input, true).await,
            "DescribeDBClusterParameterGroups" => self.describe_parameter_groups(call, input, true),
            "DeleteDBClusterParameterGroup" => self.delete_parameter_group(call, input, true).await,
            "CreateDBParameterGroup" => self.create_parameter_group(call, input, false).await,
            "DescribeDBParameterGroups" => self.describe_parameter_groups(call, input, false),
            "DeleteDBParameterGroup" => self.delete_parameter_group(call, input, false).await,
            "AddTagsToResource" => self.add_tags(call, input).await,
            "RemoveTagsFromResource" => self.remove_tags(call, input).await,
            "ListTagsForResource" => self.list_tags(call, input),
            _ => Err(call.unknown()),
        }
    }

    /// A cluster by its name or ARN.
    fn cluster(&self, caller: &Caller, id: &str) -> Result<Option<Cluster>, ServiceError> {
        let prefix = arn(caller, "cluster", "");
        if id.starts_with("arn:") && !id.starts_with(&prefix) {
            return Ok(None);
        }
        self.clusters.get(&key(caller, id.strip_prefix(&prefix).unwrap_or(id)))
    }

    /// The same, with its server running, and where that is now.
    async fn awake(&self, caller: &Caller, mut cluster: Cluster) -> Result<Cluster, ServiceError> {
        let password = self.password(&cluster.host)?;
        let port = self.hosts.ensure(&cluster.host, &password).await?;
        if port != cluster.host.port {
            cluster.host.port = port;
            self.clusters.put(&key(caller, &cluster.id), cluster.clone()).await?;
        }
        Ok(cluster)
    }

    /// Starts the servers that a stopped server left behind, and forgets those that were never finished.
    pub async fn recover(&self) -> Result<(), ServiceError> {
        let (clusters, instances) = (self.clusters.list("")?, self.instances.list("")?);
        let of_instances = instances.iter().filter_map(|(_, instance)| instance.host.as_ref());
        let known = clusters.iter().map(|(_, cluster)| &cluster.host).chain(of_instances);
        self.hosts.sweep(known.map(|host| host.id.clone()).collect()).await?;
        // One that does not start keeps no other from it.
        let mut failed = Ok(());
        for (key, mut cluster) in clusters {
            match self.start(&mut cluster.host).await {
                Ok(true) => self.clusters.put(&key, cluster).await?,
                Ok(false) => {}
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        for (key, mut instance) in instances {
            let Some(host) = &mut instance.host else { continue };
            match self.start(host).await {
                Ok(true) => self.instances.put(&key, instance).await?,
                Ok(false) => {}
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        failed
    }

    /// Starts a server that was there before; whether its port is another one now.
    async fn start(&self, host: &mut Host) -> Result<bool, ServiceError> {
        let port = self.hosts.ensure(host, &self.password(host)?).await?;
        Ok(std::mem::replace(&mut host.port, port) != port)
    }

    /// Removes a database and what is known of it. A server of its own that is no longer known is swept away at the next
    /// start, if this is cut short; on somebody else's nothing is, so that what is there goes first.
    async fn give_up<T>(
        &self,
        host: Option<&Host>,
        forget: impl Future<Output = Result<T, ServiceError>>,
    ) -> Result<(), ServiceError> {
        let (guest, own): (Option<&Host>, Option<&Host>) = match host {
            Some(host) if host.guest.is_some() => (Some(host), None),
            own => (None, own),
        };
        if let Some(host) = guest {
            self.hosts.remove(host).await?;
        }
        forget.await?;
        match own {
            Some(host) => self.hosts.remove(host).await,
            None => Ok(()),
        }
    }

    /// How a cluster's database is reached by one of its users.
    fn login(&self, cluster: &Cluster, user: &str, password: &str, database: Option<&str>) -> sql::Settings {
        self.hosts.login(&cluster.host, user, password, database)
    }

    pub async fn stop(&self) {
        self.hosts.stop().await;
    }
}

fn key(caller: &Caller, id: &str) -> String {
    format!("{}{}", prefix(caller), id.to_ascii_lowercase())
}

fn prefix(caller: &Caller) -> String {
    format!("{}/{}/", caller.account, caller.region)
}

/// `kind` is RDS's own: `cluster`, `db`, `subgrp`, `cluster-pg`, `pg`.
fn arn(caller: &Caller, kind: &str, id: &str) -> String {
    format!("arn:aws:rds:{}:{}:{kind}:{id}", caller.region, caller.account)
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidParameterValue", message)
}

fn combination(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidParameterCombination", message)
}

/// Refuses, by name, what is not built.
fn refuse(input: &Value, members: &[&str]) -> Result<(), ServiceError> {
    let asked = |member: &&&str| {
        input.get(**member).is_some_and(|value| !matches!(value, Value::Bool(false) | Value::Null))
    };
    match members.iter().find(asked) {
        None => Ok(()),
        Some(member) => Err(combination(format!("{member} is not supported here"))),
    }
}
