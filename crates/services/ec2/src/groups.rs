//! Security groups: kept and told; nothing is kept from anybody.

use super::describe::{Listing, describe};
use super::in_use::Part;
use super::network::{Network, Peer, Rule, SecurityGroup, id};
use super::{Ec2, arn, fault, missing, only, room, rules};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::{required, text, texts};
use wire::ServiceError;

const LISTING: Listing = Listing {
    list: "SecurityGroups",
    ids: "GroupIds",
    id: "GroupId",
    missing: no_group,
    filters: &[
        ("description", "Description"),
        ("egress.ip-permission.cidr", "IpPermissionsEgress.IpRanges.CidrIp"),
        ("egress.ip-permission.from-port", "IpPermissionsEgress.FromPort"),
        ("egress.ip-permission.group-id", "IpPermissionsEgress.UserIdGroupPairs.GroupId"),
        ("egress.ip-permission.protocol", "IpPermissionsEgress.IpProtocol"),
        ("egress.ip-permission.to-port", "IpPermissionsEgress.ToPort"),
        ("group-id", "GroupId"),
        ("group-name", "GroupName"),
        ("ip-permission.cidr", "IpPermissions.IpRanges.CidrIp"),
        ("ip-permission.from-port", "IpPermissions.FromPort"),
        ("ip-permission.group-id", "IpPermissions.UserIdGroupPairs.GroupId"),
        ("ip-permission.protocol", "IpPermissions.IpProtocol"),
        ("ip-permission.to-port", "IpPermissions.ToPort"),
        ("owner-id", "OwnerId"),
        ("vpc-id", "VpcId"),
    ],
};

impl Ec2 {
    pub(super) async fn create_group(&self, call: &Call, input: &Value) -> Answer {
        only(input, &["Description", "GroupName", "VpcId"])?;
        let (name, description) = (required(input, "GroupName"), required(input, "Description"));
        check_name(name)?;
        let made = self.edit(&call.caller, |network| {
            let vpc = network.vpc_or_default(text(input, "VpcId"))?;
            room(network.security_groups.len(), "SecurityGroupLimitExceeded", "security groups")?;
            if network.security_groups.values().any(|other| other.vpc == vpc && other.name == name) {
                let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
                return Err(fault("InvalidGroup.Duplicate", message));
            }
            let group = id(&self.world, "sg");
            let outward = Rule {
                outward: true,
                protocol: "-1".to_owned(),
                from: None,
                to: None,
                peer: Peer::V4("0.0.0.0/0".to_owned()),
                description: None,
            };
            network.security_groups.insert(
                group.clone(),
                SecurityGroup {
                    vpc,
                    name: name.to_owned(),
                    description: description.to_owned(),
                    rules: [(id(&self.world, "sgr"), outward)].into(),
                },
            );
            network.tag(&group, input);
            Ok((network.tags_of(&group), group))
        });
        let (tags, group) = made.await?;
        let arn = arn(&call.caller, &format!("security-group/{group}"));
        Ok(json!({ "GroupId": group, "Tags": tags, "SecurityGroupArn": arn }))
    }

    pub(super) async fn describe_groups(&self, call: &Call, input: &Value) -> Answer {
        let network = self.view(&call.caller).await?;
        let names = texts(input, "GroupNames");
        for name in &names {
            named(&network, name)?;
        }
        let is_named = |group: &SecurityGroup| {
            names.is_empty()
                || (Some(group.vpc.as_str()) == network.default_vpc() && names.contains(&group.name))
        };
        let wanted = network.security_groups.iter().filter(|(_, group)| is_named(group));
        let all = wanted.map(|(id, group)| shown(&network, id, group, &call.caller));
        describe(input, &LISTING, all.collect())
    }

    pub(super) async fn delete_group(&self, call: &Call, input: &Value) -> Answer {
        let network = self.view(&call.caller).await?;
        let id = which(&network, input)?;
        let is_default = network.group(&id)?.name == "default";
        if !is_default && self.is_used(&call.caller, Part::Group(&id)).await? {
            return Err(fault("DependencyViolation", format!("resource {id} has a dependent object")));
        }
        let gone = self.edit(&call.caller, |network| {
            let id = which(network, input)?;
            let group = network.group(&id)?;
            if group.name == "default" {
                let message =
                    format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
                return Err(fault("CannotDelete", message));
            }
            let peer = Peer::Group(id.clone());
            let others = network.security_groups.iter().filter(|(other, _)| **other != id);
            if others.flat_map(|(_, other)| other.rules.values()).any(|rule| rule.peer == peer)
                || network.endpoints.values().any(|endpoint| endpoint.groups.contains(&id))
            {
                return Err(fault("DependencyViolation", format!("resource {id} has a dependent object")));
            }
            if let Some(group) = network.security_groups.remove(&id) {
                group.rules.keys().for_each(|rule| network.forget(rule));
            }
            network.forget(&id);
            Ok(id)
        });
        Ok(json!({ "Return": true, "GroupId": gone.await? }))
    }
}

/// The group that a call means: by its id or, in the default VPC, by its name.
pub(super) fn which(network: &Network, input: &Value) -> Result<String, ServiceError> {
    match (text(input, "GroupId"), text(input, "GroupName")) {
        (Some(id), _) => network.group(id).map(|_| id.to_owned()),
        (None, Some(name)) => named(network, name),
        (None, None) => Err(missing("GroupName or GroupId")),
    }
}

fn named(network: &Network, name: &str) -> Result<String, ServiceError> {
    let vpc = network.default_vpc();
    let mut groups = network.security_groups.iter();
    let found = groups.find(|(_, group)| Some(group.vpc.as_str()) == vpc && group.name == name);
    found.map(|(id, _)| id.clone()).ok_or_else(|| {
        let message =
            format!("The security group '{name}' does not exist in default VPC '{}'", vpc.unwrap_or("none"));
        fault("InvalidGroup.NotFound", message)
    })
}

fn check_name(name: &str) -> Result<(), ServiceError> {
    const BESIDE: &str = "._-:/()#,@[]+=&;{}!$* ";
    let fits = (1..=255).contains(&name.len())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || BESIDE.contains(letter));
    if name.starts_with("sg-") {
        let message = format!(
            "invalid value for parameter groupName: Group names may not be in the format sg-*: {name}"
        );
        return Err(super::invalid(message));
    }
    match fits {
        true => Ok(()),
        false => Err(super::invalid(format!(
            "Invalid value '{name}' for groupName. It must be at most 255 letters, digits, spaces and ._-:/()#,@[]+=&;{{}}!$*"
        ))),
    }
}

pub(super) fn no_group(id: &str) -> ServiceError {
    fault("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
}

fn shown(network: &Network, id: &str, group: &SecurityGroup, caller: &Caller) -> Value {
    json!({
        "GroupId": id,
        "GroupName": group.name,
        "Description": group.description,
        "OwnerId": &*caller.account,
        "VpcId": group.vpc,
        "SecurityGroupArn": arn(caller, &format!("security-group/{id}")),
        "IpPermissions": rules::permissions(group, false, caller),
        "IpPermissionsEgress": rules::permissions(group, true, caller),
        "Tags": network.tags_of(id),
    })
}
