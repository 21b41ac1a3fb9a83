//! Rules of security groups, as calls give them and as they are told.

use super::cidr::Cidr;
use super::describe::{Listing, describe};
use super::groups::which;
use super::network::{Network, Peer, Rule, SecurityGroup, id};
use super::{Ec2, arn, fault, invalid, missing, only};
use serde_json::{Map, Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::{integer, required, text, texts};
use std::net::Ipv6Addr;
use wire::ServiceError;

/// As many as AWS gives a group when it is asked for more than the usual 60.
const RULES_MAX: usize = 1_000;

impl Ec2 {
    pub(super) async fn authorize(&self, call: &Call, input: &Value, outward: bool) -> Answer {
        only(
            input,
            &["GroupId", "GroupName", "IpPermissions", "IpProtocol", "FromPort", "ToPort", "CidrIp"],
        )?;
        let made = self.edit(&call.caller, |network| {
            let group_id = which(network, input)?;
            let rules = read(network, &group_id, input, outward)?;
            let group = network
                .security_groups
                .get_mut(&group_id)
                .ok_or_else(|| super::groups::no_group(&group_id))?;
            let mut made = Vec::new();
            for rule in rules {
                if group.rules.values().any(|there| there.is(&rule)) {
                    let message = format!("the specified rule \"{}\" already exists", told(&rule));
                    return Err(fault("InvalidPermission.Duplicate", message));
                }
                if group.rules.len() >= RULES_MAX {
                    let message = "The maximum number of rules per security group has been reached.";
                    return Err(fault("RulesPerSecurityGroupLimitExceeded", message));
                }
                let id = id(&self.world, "sgr");
                group.rules.insert(id.clone(), rule.clone());
                made.push((id, rule));
            }
            made.iter().for_each(|(id, _)| network.tag(id, input));
            let shown = made.iter().map(|(id, rule)| shown(network, &group_id, id, rule, &call.caller));
            Ok(shown.collect::<Vec<_>>())
        });
        Ok(json!({ "Return": true, "SecurityGroupRules": made.await? }))
    }

    pub(super) async fn revoke(&self, call: &Call, input: &Value, outward: bool) -> Answer {
        const MEMBERS: &[&str] = &[
            "GroupId",
            "GroupName",
            "IpPermissions",
            "IpProtocol",
            "FromPort",
            "ToPort",
            "CidrIp",
            "SecurityGroupRuleIds",
        ];
        only(input, MEMBERS)?;
        let ids = texts(input, "SecurityGroupRuleIds");
        let gone = self.edit(&call.caller, |network| {
            let group_id = which(network, input)?;
            let wanted = if ids.is_empty() { read(network, &group_id, input, outward)? } else { Vec::new() };
            let group = network
                .security_groups
                .get_mut(&group_id)
                .ok_or_else(|| super::groups::no_group(&group_id))?;
            let mut gone = Vec::new();
            for id in &ids {
                if group.rules.get(id).is_none_or(|rule| rule.outward != outward) {
                    return Err(no_rule(id));
                }
                gone.push(id.clone());
            }
            for rule in wanted {
                let mut there = group.rules.iter().filter(|(_, there)| there.is(&rule));
                let found = there.next().ok_or_else(|| {
                    fault(
                        "InvalidPermission.NotFound",
                        "The specified rule does not exist in this security group.",
                    )
                })?;
                gone.push(found.0.clone());
            }
            let mut told = Vec::new();
            for id in gone {
                if let Some(rule) =
                    network.security_groups.get_mut(&group_id).and_then(|group| group.rules.remove(&id))
                {
                    let mut one = members(&rule, "ReferencedGroupId");
                    one.insert("SecurityGroupRuleId".to_owned(), id.as_str().into());
                    one.insert("GroupId".to_owned(), group_id.as_str().into());
                    told.push(Value::from(one));
                }
                network.forget(&id);
            }
            Ok(told)
        });
        Ok(json!({ "Return": true, "RevokedSecurityGroupRules": gone.await? }))
    }

    pub(super) async fn describe_rules(&self, call: &Call, input: &Value) -> Answer {
        const LISTING: Listing = Listing {
            list: "SecurityGroupRules",
            ids: "SecurityGroupRuleIds",
            id: "SecurityGroupRuleId",
            missing: no_rule,
            filters: &[("group-id", "GroupId"), ("security-group-rule-id", "SecurityGroupRuleId")],
        };
        let network = self.view(&call.caller).await?;
        let all = network.security_groups.iter().flat_map(|(group, own)| {
            own.rules.iter().map(|(id, rule)| shown(&network, group, id, rule, &call.caller))
        });
        describe(input, &LISTING, all.collect())
    }
}

impl Rule {
    /// Whether it says the same as another; what it is described as counts for nothing.
    fn is(&self, other: &Rule) -> bool {
        Rule { description: None, ..self.clone() } == Rule { description: None, ..other.clone() }
    }
}

/// The rules that a call describes, in either of its forms.
fn read(network: &Network, group: &str, input: &Value, outward: bool) -> Result<Vec<Rule>, ServiceError> {
    let mut rules = Vec::new();
    for permission in input.get("IpPermissions").and_then(Value::as_array).into_iter().flatten() {
        let mut add = |described: &Value, peer: Peer| -> Result<(), ServiceError> {
            let description = text(described, "Description").map(str::to_owned);
            rules.push(rule(permission, outward, peer, description)?);
            Ok(())
        };
        let list = |member: &str| permission.get(member).and_then(Value::as_array).into_iter().flatten();
        for range in list("IpRanges") {
            add(range, v4(required(range, "CidrIp"))?)?;
        }
        for range in list("Ipv6Ranges") {
            add(range, v6(required(range, "CidrIpv6"))?)?;
        }
        for prefixes in list("PrefixListIds") {
            add(prefixes, Peer::PrefixList(required(prefixes, "PrefixListId").to_owned()))?;
        }
        for pair in list("UserIdGroupPairs") {
            add(pair, Peer::Group(peer_group(network, group, pair)?))?;
        }
    }
    if let Some(cidr) = text(input, "CidrIp") {
        rules.push(rule(input, outward, v4(cidr)?, None)?);
    }
    if rules.is_empty() {
        return Err(missing("ipPermissions"));
    }
    Ok(rules)
}

fn rule(given: &Value, outward: bool, peer: Peer, description: Option<String>) -> Result<Rule, ServiceError> {
    let protocol = match text(given, "IpProtocol").ok_or_else(|| missing("ipProtocol"))? {
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" => "icmpv6".to_owned(),
        "all" => "-1".to_owned(),
        other => other.to_ascii_lowercase(),
    };
    let is_known =
        ["tcp", "udp", "icmp", "icmpv6", "-1"].contains(&protocol.as_str()) || protocol.parse::<u8>().is_ok();
    if !is_known {
        return Err(invalid(format!("Invalid value '{protocol}' for IP protocol. Unknown protocol.")));
    }
    let (from, to) = (integer(given, "FromPort"), integer(given, "ToPort"));
    let (from, to) = match protocol.as_str() {
        "tcp" | "udp" => match (from, to) {
            (Some(from), Some(to)) if (0..=65_535).contains(&from) && (from..=65_535).contains(&to) => {
                (Some(from), Some(to))
            }
            (Some(from), Some(to)) => {
                return Err(invalid(format!("Invalid TCP/UDP port range ({from}:{to})")));
            }
            _ => {
                let words =
                    "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.";
                return Err(invalid(words));
            }
        },
        "icmp" | "icmpv6" => (Some(from.unwrap_or(-1)), Some(to.unwrap_or(-1))),
        _ => (None, None),
    };
    Ok(Rule { outward, protocol, from, to, peer, description })
}

fn v4(cidr: &str) -> Result<Peer, ServiceError> {
    let read = Cidr::parse(cidr).ok_or_else(|| invalid(format!("CIDR block {cidr} is malformed")))?;
    Ok(Peer::V4(read.to_string()))
}

fn v6(cidr: &str) -> Result<Peer, ServiceError> {
    let read = cidr.split_once('/').and_then(|(address, bits)| {
        let address: Ipv6Addr = address.parse().ok()?;
        let bits: u8 = bits.parse().ok().filter(|bits| *bits <= 128)?;
        Some(format!("{address}/{bits}"))
    });
    read.map(Peer::V6).ok_or_else(|| invalid(format!("CIDR block {cidr} is malformed")))
}

/// A group of the same account, by its id or by its name in the same VPC.
fn peer_group(network: &Network, group: &str, pair: &Value) -> Result<String, ServiceError> {
    match (text(pair, "GroupId"), text(pair, "GroupName")) {
        (Some(id), _) => network.group(id).map(|_| id.to_owned()),
        (None, Some(name)) => {
            let vpc = &network.group(group)?.vpc;
            let mut all = network.security_groups.iter();
            let found = all.find(|(_, other)| other.vpc == *vpc && other.name == name);
            found.map(|(id, _)| id.clone()).ok_or_else(|| super::groups::no_group(name))
        }
        (None, None) => Err(missing("groupId")),
    }
}

/// `peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW`
fn told(rule: &Rule) -> String {
    let peer = match &rule.peer {
        Peer::V4(peer) | Peer::V6(peer) | Peer::Group(peer) | Peer::PrefixList(peer) => peer,
    };
    let protocol = if rule.protocol == "-1" { "ALL".to_owned() } else { rule.protocol.to_ascii_uppercase() };
    match (rule.from, rule.to) {
        (Some(from), Some(to)) => {
            format!("peer: {peer}, {protocol}, from port: {from}, to port: {to}, ALLOW")
        }
        _ => format!("peer: {peer}, {protocol}, ALLOW"),
    }
}

pub(super) fn no_rule(id: &str) -> ServiceError {
    fault("InvalidSecurityGroupRuleId.NotFound", format!("The security group rule ID '{id}' does not exist"))
}

/// One rule as a thing of its own; `group_member` takes the group it lets in or out.
fn members(rule: &Rule, group_member: &str) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("IsEgress".to_owned(), rule.outward.into());
    shown.insert("IpProtocol".to_owned(), rule.protocol.as_str().into());
    shown.insert("FromPort".to_owned(), rule.from.unwrap_or(-1).into());
    shown.insert("ToPort".to_owned(), rule.to.unwrap_or(-1).into());
    let (member, value) = match &rule.peer {
        Peer::V4(cidr) => ("CidrIpv4", cidr),
        Peer::V6(cidr) => ("CidrIpv6", cidr),
        Peer::PrefixList(id) => ("PrefixListId", id),
        Peer::Group(id) => (group_member, id),
    };
    shown.insert(member.to_owned(), value.as_str().into());
    if let Some(description) = &rule.description {
        shown.insert("Description".to_owned(), description.as_str().into());
    }
    shown
}

fn shown(network: &Network, group: &str, id: &str, rule: &Rule, caller: &Caller) -> Value {
    let mut shown = members(rule, "");
    if let Some(peer) = shown.remove("") {
        let info = json!({ "GroupId": peer, "UserId": &*caller.account });
        shown.insert("ReferencedGroupInfo".to_owned(), info);
    }
    shown.insert("SecurityGroupRuleId".to_owned(), id.into());
    shown.insert("GroupId".to_owned(), group.into());
    shown.insert("GroupOwnerId".to_owned(), (&*caller.account).into());
    let arn = arn(caller, &format!("security-group-rule/{id}"));
    shown.insert("SecurityGroupRuleArn".to_owned(), arn.into());
    shown.insert("Tags".to_owned(), network.tags_of(id));
    shown.into()
}

/// A group's rules one way, those for the same ports together.
pub(super) fn permissions(group: &SecurityGroup, outward: bool, caller: &Caller) -> Vec<Value> {
    let mut told: Vec<Value> = Vec::new();
    for rule in group.rules.values().filter(|rule| rule.outward == outward) {
        let ports = |one: &Value| {
            one["IpProtocol"] == *rule.protocol
                && integer(one, "FromPort") == rule.from
                && integer(one, "ToPort") == rule.to
        };
        let at = told.iter().position(ports).unwrap_or_else(|| {
            told.push(servicekit::fields::object([
                ("IpProtocol", Some(rule.protocol.as_str().into())),
                ("FromPort", rule.from.map(Value::from)),
                ("ToPort", rule.to.map(Value::from)),
                ("IpRanges", Some(json!([]))),
                ("Ipv6Ranges", Some(json!([]))),
                ("PrefixListIds", Some(json!([]))),
                ("UserIdGroupPairs", Some(json!([]))),
            ]));
            told.len() - 1
        });
        let (list, mut one) = match &rule.peer {
            Peer::V4(cidr) => ("IpRanges", json!({ "CidrIp": cidr })),
            Peer::V6(cidr) => ("Ipv6Ranges", json!({ "CidrIpv6": cidr })),
            Peer::PrefixList(id) => ("PrefixListIds", json!({ "PrefixListId": id })),
            Peer::Group(id) => ("UserIdGroupPairs", json!({ "GroupId": id, "UserId": &*caller.account })),
        };
        if let Some(description) = &rule.description {
            one["Description"] = description.as_str().into();
        }
        if let Some(list) = told[at][list].as_array_mut() {
            list.push(one);
        }
    }
    told
}
