//! Groups of subnets and of parameters: kept and told. The databases here have neither network nor machine.

use super::{Group, Rds, arn, key, prefix};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::{Documents, Edit};
use servicekit::fields::{required, tags_of, text, texts};
use wire::ServiceError;

impl Rds {
    pub(super) async fn create_subnet_group(&self, call: &Call, input: &Value) -> Answer {
        let group = Group {
            name: required(input, "DBSubnetGroupName").to_ascii_lowercase(),
            description: required(input, "DBSubnetGroupDescription").to_owned(),
            family: String::new(),
            subnets: texts(input, "SubnetIds"),
            tags: tags_of(input, "Tags"),
        };
        let exists = || {
            let message = format!("The DB subnet group '{}' already exists.", group.name);
            ServiceError::new("DBSubnetGroupAlreadyExists", message)
        };
        put_new(&self.subnet_groups, call, &group, exists).await?;
        Ok(json!({"DBSubnetGroup": subnet_group(call, &group)}))
    }

    pub(super) fn describe_subnet_groups(&self, call: &Call, input: &Value) -> Answer {
        let found = match text(input, "DBSubnetGroupName") {
            Some(name) => {
                vec![self.subnet_groups.get(&key(&call.caller, name))?.ok_or_else(|| no_subnet_group(name))?]
            }
            None => values(self.subnet_groups.list(&prefix(&call.caller))?),
        };
        super::describe::page(input, "DBSubnetGroups", found, |group| {
            Ok((group.name.clone(), subnet_group(call, group)))
        })
    }

    pub(super) async fn modify_subnet_group(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "DBSubnetGroupName");
        let group = self
            .subnet_groups
            .edit(&key(&call.caller, name), |group| {
                let mut group = group.ok_or_else(|| no_subnet_group(name))?;
                group.subnets = texts(input, "SubnetIds");
                if let Some(description) = text(input, "DBSubnetGroupDescription") {
                    group.description = description.to_owned();
                }
                Ok((Edit::Put(group.clone()), group))
            })
            .await?;
        Ok(json!({"DBSubnetGroup": subnet_group(call, &group)}))
    }

    pub(super) async fn delete_subnet_group(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "DBSubnetGroupName");
        let group = self.subnet_groups.get(&key(&call.caller, name))?.ok_or_else(|| no_subnet_group(name))?;
        let uses = |told: &Value| {
            text(told, "DBSubnetGroupName").is_some_and(|used| used.eq_ignore_ascii_case(&group.name))
        };
        let prefix = prefix(&call.caller);
        if self.clusters.list(&prefix)?.iter().any(|(_, cluster)| uses(&cluster.told))
            || self.instances.list(&prefix)?.iter().any(|(_, instance)| uses(&instance.told))
        {
            let message = format!(
                "Cannot delete the subnet group '{name}' because at least one database instance: is still using it."
            );
            return Err(ServiceError::new("InvalidDBSubnetGroupStateFault", message));
        }
        self.subnet_groups.remove(&key(&call.caller, name)).await?;
        Ok(json!({}))
    }

    pub(super) async fn create_parameter_group(
        &self,
        call: &Call,
        input: &Value,
        of_cluster: bool,
    ) -> Answer {
        let member = if of_cluster { "DBClusterParameterGroupName" } else { "DBParameterGroupName" };
        let group = Group {
            name: required(input, member).to_ascii_lowercase(),
            description: required(input, "Description").to_owned(),
            family: required(input, "DBParameterGroupFamily").to_owned(),
            subnets: Vec::new(),
            tags: tags_of(input, "Tags"),
        };
        let exists = || {
            ServiceError::new(
                "DBParameterGroupAlreadyExists",
                format!("Parameter group {} already exists", group.name),
            )
        };
        put_new(self.parameters(of_cluster), call, &group, exists).await?;
        let outer = if of_cluster { "DBClusterParameterGroup" } else { "DBParameterGroup" };
        Ok(json!({outer: parameter_group(call, &group, of_cluster)}))
    }

    pub(super) fn describe_parameter_groups(&self, call: &Call, input: &Value, of_cluster: bool) -> Answer {
        let member = if of_cluster { "DBClusterParameterGroupName" } else { "DBParameterGroupName" };
        let groups = self.parameters(of_cluster);
        let found = match text(input, member) {
            Some(name) => vec![
                groups.get(&key(&call.caller, name))?.ok_or_else(|| no_parameter_group(name, of_cluster))?,
            ],
            None => values(groups.list(&prefix(&call.caller))?),
        };
        let list = if of_cluster { "DBClusterParameterGroups" } else { "DBParameterGroups" };
        super::describe::page(input, list, found, |group| {
            Ok((group.name.clone(), parameter_group(call, group, of_cluster)))
        })
    }

    pub(super) async fn delete_parameter_group(
        &self,
        call: &Call,
        input: &Value,
        of_cluster: bool,
    ) -> Answer {
        let member = if of_cluster { "DBClusterParameterGroupName" } else { "DBParameterGroupName" };
        let name = required(input, member);
        let removed = self.parameters(of_cluster).remove(&key(&call.caller, name)).await?;
        removed.map(|_| json!({})).ok_or_else(|| no_parameter_group(name, of_cluster))
    }

    pub(super) fn parameters(&self, of_cluster: bool) -> &Documents<Group> {
        if of_cluster { &self.cluster_parameter_groups } else { &self.parameter_groups }
    }
}

async fn put_new(
    groups: &Documents<Group>,
    call: &Call,
    group: &Group,
    exists: impl Fn() -> ServiceError,
) -> Result<(), ServiceError> {
    let place = key(&call.caller, &group.name);
    let put = groups.edit(&place, |there| match there {
        Some(_) => Err(exists()),
        None => Ok((Edit::Put(group.clone()), ())),
    });
    put.await
}

fn values<T>(found: Vec<(String, T)>) -> Vec<T> {
    found.into_iter().map(|(_, value)| value).collect()
}

fn no_subnet_group(name: &str) -> ServiceError {
    ServiceError::new("DBSubnetGroupNotFoundFault", format!("DB subnet group '{name}' does not exist."))
}

fn no_parameter_group(name: &str, of_cluster: bool) -> ServiceError {
    let what = if of_cluster { "DBClusterParameterGroup" } else { "DBParameterGroup" };
    ServiceError::new("DBParameterGroupNotFound", format!("{what} not found: {name}"))
}

fn subnet_group(call: &Call, group: &Group) -> Value {
    let subnets = group.subnets.iter().map(|id| json!({"SubnetIdentifier": id, "SubnetStatus": "Active"}));
    json!({
        "DBSubnetGroupName": group.name,
        "DBSubnetGroupDescription": group.description,
        "DBSubnetGroupArn": arn(&call.caller, "subgrp", &group.name),
        "SubnetGroupStatus": "Complete",
        "Subnets": subnets.collect::<Vec<_>>(),
    })
}

fn parameter_group(call: &Call, group: &Group, of_cluster: bool) -> Value {
    let (kind, name, outer) = match of_cluster {
        true => ("cluster-pg", "DBClusterParameterGroupName", "DBClusterParameterGroupArn"),
        false => ("pg", "DBParameterGroupName", "DBParameterGroupArn"),
    };
    json!({
        name: group.name,
        outer: arn(&call.caller, kind, &group.name),
        "Description": group.description,
        "DBParameterGroupFamily": group.family,
    })
}
