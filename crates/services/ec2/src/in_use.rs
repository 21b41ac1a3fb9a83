//! What of a network others use: functions' interfaces, and those of databases.

use super::Ec2;
use serde_json::{Value, json};
use servicekit::call::Caller;
use servicekit::fields::{required, texts};
use servicekit::house::House;
use wire::ServiceError;

/// How many pages are looked through: more than there are.
const PAGES_MAX: usize = 1_000;

pub(super) enum Part<'a> {
    Subnet(&'a str),
    Group(&'a str),
}

impl Ec2 {
    pub(super) async fn is_used(&self, caller: &Caller, part: Part<'_>) -> Result<bool, ServiceError> {
        let Some(house) = &self.house else { return Ok(false) };
        Ok(used_by_functions(house, caller, &part).await? || used_by_databases(house, caller, &part).await?)
    }
}

async fn used_by_functions(house: &House, caller: &Caller, part: &Part<'_>) -> Result<bool, ServiceError> {
    let (member, id) = match part {
        Part::Subnet(id) => ("SubnetIds", *id),
        Part::Group(id) => ("SecurityGroupIds", *id),
    };
    let functions = all(house, caller, ("lambda", "ListFunctions"), "Functions").await?;
    let in_vpc = functions.iter().filter_map(|function| function.get("VpcConfig"));
    Ok(in_vpc.flat_map(|vpc| texts(vpc, member)).any(|own| own == id))
}

async fn used_by_databases(house: &House, caller: &Caller, part: &Part<'_>) -> Result<bool, ServiceError> {
    let mut databases = all(house, caller, ("rds", "DescribeDBClusters"), "DBClusters").await?;
    databases.extend(all(house, caller, ("rds", "DescribeDBInstances"), "DBInstances").await?);
    let subnet = match part {
        Part::Group(id) => {
            let mut groups = databases.iter().flat_map(|one| list(one, "VpcSecurityGroups"));
            return Ok(groups.any(|group| group["VpcSecurityGroupId"] == *id));
        }
        Part::Subnet(id) => *id,
    };
    let groups = all(house, caller, ("rds", "DescribeDBSubnetGroups"), "DBSubnetGroups").await?;
    let with_it =
        groups.iter().filter(|group| list(group, "Subnets").any(|one| one["SubnetIdentifier"] == subnet));
    let names: Vec<&str> = with_it.map(|group| required(group, "DBSubnetGroupName")).collect();
    // Clusters tell the group's name, instances the group.
    let name = |one: &Value| match &one["DBSubnetGroup"] {
        Value::Object(group) => group.get("DBSubnetGroupName").and_then(Value::as_str).map(str::to_owned),
        other => other.as_str().map(str::to_owned),
    };
    Ok(databases.iter().filter_map(name).any(|name| names.contains(&name.as_str())))
}

/// Every page of a list.
async fn all(
    house: &House,
    caller: &Caller,
    (service, operation): (&str, &str),
    member: &str,
) -> Result<Vec<Value>, ServiceError> {
    let (mut input, mut found) = (json!({}), Vec::new());
    for _ in 0..PAGES_MAX {
        let told = house.ask(caller, service, operation, input).await?;
        found.extend(list(&told, member).cloned());
        match told.get("NextMarker").or(told.get("Marker")).filter(|marker| marker.is_string()) {
            Some(marker) => input = json!({ "Marker": marker }),
            None => break,
        }
    }
    Ok(found)
}

fn list<'a>(told: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    told.get(member).and_then(Value::as_array).into_iter().flatten()
}
