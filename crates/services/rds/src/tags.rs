//! Tags of whatever has an ARN.

use super::{Rds, arn, invalid, key};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::{Documents, Edit};
use servicekit::fields::{required, tag_list, tags_of, texts};
use std::collections::BTreeMap;
use wire::ServiceError;

type Tags = BTreeMap<String, String>;

impl Rds {
    pub(super) async fn add_tags(&self, call: &Call, input: &Value) -> Answer {
        let more = tags_of(input, "Tags");
        self.retag(call, required(input, "ResourceName"), &|tags| tags.extend(more.clone())).await?;
        Ok(json!({}))
    }

    pub(super) async fn remove_tags(&self, call: &Call, input: &Value) -> Answer {
        let keys = texts(input, "TagKeys");
        self.retag(call, required(input, "ResourceName"), &|tags| tags.retain(|key, _| !keys.contains(key)))
            .await?;
        Ok(json!({}))
    }

    pub(super) fn list_tags(&self, call: &Call, input: &Value) -> Answer {
        let (kind, name) = parts(call, required(input, "ResourceName"))?;
        let place = key(&call.caller, name);
        let tags = match kind {
            "cluster" => self.clusters.get(&place)?.map(|found| found.tags),
            "db" => self.instances.get(&place)?.map(|found| found.tags),
            "subgrp" => self.subnet_groups.get(&place)?.map(|found| found.tags),
            "cluster-pg" => self.cluster_parameter_groups.get(&place)?.map(|found| found.tags),
            _ => self.parameter_groups.get(&place)?.map(|found| found.tags),
        };
        let tags = tags.ok_or_else(|| not_found(kind, name))?;
        Ok(json!({"TagList": tag_list(&tags)}))
    }

    async fn retag(
        &self,
        call: &Call,
        resource: &str,
        change: &(dyn Fn(&mut Tags) + Sync),
    ) -> Result<(), ServiceError> {
        let (kind, name) = parts(call, resource)?;
        let place = key(&call.caller, name);
        let missing = || not_found(kind, name);
        match kind {
            "cluster" => edit(&self.clusters, &place, |found| change(&mut found.tags), missing).await,
            "db" => edit(&self.instances, &place, |found| change(&mut found.tags), missing).await,
            "subgrp" => edit(&self.subnet_groups, &place, |found| change(&mut found.tags), missing).await,
            kind => {
                edit(self.parameters(kind == "cluster-pg"), &place, |found| change(&mut found.tags), missing)
                    .await
            }
        }
    }
}

async fn edit<T: Clone + Serialize + DeserializeOwned>(
    documents: &Documents<T>,
    place: &str,
    change: impl Fn(&mut T),
    missing: impl Fn() -> ServiceError,
) -> Result<(), ServiceError> {
    let edited = documents.edit(place, |found| {
        let mut found = found.ok_or_else(&missing)?;
        change(&mut found);
        Ok((Edit::Put(found), ()))
    });
    edited.await
}

/// The kind and the name that an ARN of this account and region holds.
fn parts<'a>(call: &Call, resource: &'a str) -> Result<(&'static str, &'a str), ServiceError> {
    for kind in ["cluster", "db", "subgrp", "cluster-pg", "pg"] {
        if let Some(name) = resource.strip_prefix(&arn(&call.caller, kind, "")) {
            return Ok((kind, name));
        }
    }
    Err(invalid(format!("Invalid resource name: {resource}")))
}

fn not_found(kind: &str, name: &str) -> ServiceError {
    let (code, what) = match kind {
        "cluster" => ("DBClusterNotFoundFault", "DBCluster"),
        "db" => ("DBInstanceNotFound", "DBInstance"),
        "subgrp" => ("DBSubnetGroupNotFoundFault", "DBSubnetGroup"),
        _ => ("DBParameterGroupNotFound", "DBParameterGroup"),
    };
    ServiceError::new(code, format!("{what} {name} not found."))
}
