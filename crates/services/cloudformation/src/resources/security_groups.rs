//! `AWS::EC2::SecurityGroup`, and single rules of one: `SecurityGroupIngress` and `SecurityGroupEgress`.

use super::network::{id, tagged, undone};
use super::{Change, Cx, only, pick};
use crate::template::evaluate::Made;
use serde_json::{Map, Value, json};

/// The two lists of rules, the calls that change them, and the member that names the other group.
const WAYS: [(&str, &str, &str, &str); 2] = [
    (
        "SecurityGroupIngress",
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupIngress",
        "SourceSecurityGroupId",
    ),
    (
        "SecurityGroupEgress",
        "AuthorizeSecurityGroupEgress",
        "RevokeSecurityGroupEgress",
        "DestinationSecurityGroupId",
    ),
];

pub(super) async fn create(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    let [ingress, egress] = WAYS.map(|way| way.0);
    only(properties, &["GroupName", "GroupDescription", "VpcId", "Tags", ingress, egress])?;
    let mut input = pick(properties, &["VpcId"]);
    input.insert("GroupName".to_owned(), name.into());
    let description = properties.get("GroupDescription").cloned().unwrap_or_default();
    input.insert("Description".to_owned(), description);
    let answer = cx.ask("ec2", "CreateSecurityGroup", tagged("security-group", properties, input)).await?;
    let group = answer["GroupId"].clone();
    let made = async {
        set_rules(cx, &group, &json!({}), properties).await?;
        let shown = cx.ask("ec2", "DescribeSecurityGroups", json!({ "GroupIds": [group] })).await?;
        let vpc = shown["SecurityGroups"][0]["VpcId"].clone();
        let attributes = [("GroupId", group.clone()), ("Id", group.clone()), ("VpcId", vpc)];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
        Ok(Made { id: id(&group), attributes })
    };
    undone(cx, made.await, "DeleteSecurityGroup", json!({ "GroupId": group })).await
}

pub(super) async fn update(cx: &Cx<'_>, change: Change<'_>) -> Result<(), String> {
    let Change { made, old, new } = change;
    set_rules(cx, &json!(made.id), old, new).await
}

/// Brings a group's own rules from what they were to what they shall be.
async fn set_rules(cx: &Cx<'_>, group: &Value, old: &Value, new: &Value) -> Result<(), String> {
    for (list, authorize, revoke, peer) in WAYS {
        let (was, now) = (rules(old, list, peer)?, rules(new, list, peer)?);
        let gone: Vec<&Value> = was.iter().filter(|rule| !now.contains(rule)).collect();
        if !gone.is_empty() {
            cx.ask_gone("ec2", revoke, json!({ "GroupId": group, "IpPermissions": gone })).await?;
        }
        let more: Vec<&Value> = now.iter().filter(|rule| !was.contains(rule)).collect();
        if !more.is_empty() {
            cx.ask("ec2", authorize, json!({ "GroupId": group, "IpPermissions": more })).await?;
        }
    }
    Ok(())
}

/// The rules of a list. A group that says nothing of what goes out lets everything.
fn rules(properties: &Value, list: &str, peer: &str) -> Result<Vec<Value>, String> {
    let open = || json!({ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] });
    let given = properties.get(list).and_then(Value::as_array).filter(|given| !given.is_empty());
    let mut rules = match given {
        Some(given) => given.iter().map(|rule| permission(rule, peer)).collect::<Result<Vec<_>, _>>()?,
        None if list == "SecurityGroupEgress" => vec![open()],
        None => Vec::new(),
    };
    rules.dedup();
    Ok(rules)
}

/// A template's rule as the calls take it.
fn permission(rule: &Value, peer: &str) -> Result<Value, String> {
    let peers = [
        ("CidrIp", "IpRanges", "CidrIp"),
        ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
        (peer, "UserIdGroupPairs", "GroupId"),
        ("SourcePrefixListId", "PrefixListIds", "PrefixListId"),
        ("DestinationPrefixListId", "PrefixListIds", "PrefixListId"),
    ];
    const OWN: &[&str] = &["IpProtocol", "FromPort", "ToPort"];
    let known: Vec<&str> = peers.iter().map(|(member, ..)| *member).chain(OWN.iter().copied()).collect();
    only(rule, &[&known[..], &["Description"]].concat())?;
    let mut permission = pick(rule, OWN);
    for (member, list, inner) in peers {
        let Some(value) = rule.get(member) else { continue };
        let mut one = Map::from_iter([(inner.to_owned(), value.clone())]);
        one.extend(pick(rule, &["Description"]));
        permission.insert(list.to_owned(), json!([one]));
    }
    if permission.keys().all(|member| OWN.contains(&member.as_str())) {
        return Err("One of CidrIp, CidrIpv6, a security group or a prefix list must be specified".to_owned());
    }
    Ok(permission.into())
}

pub(super) async fn add_rule(cx: &Cx<'_>, kind: &str, properties: &Value) -> Result<Made, String> {
    let (_, authorize, _, peer) = way(kind);
    let answer = cx.ask("ec2", authorize, single(properties, peer)?).await?;
    let rule = &answer["SecurityGroupRules"][0]["SecurityGroupRuleId"];
    Ok(Made { id: id(rule), attributes: [("Id".to_owned(), rule.clone())].into() })
}

pub(super) async fn remove_rule(
    cx: &Cx<'_>,
    kind: &str,
    made: &Made,
    properties: &Value,
) -> Result<(), String> {
    let (_, _, revoke, _) = way(kind);
    let input = json!({ "GroupId": properties["GroupId"], "SecurityGroupRuleIds": [made.id] });
    cx.ask_gone("ec2", revoke, input).await
}

fn way(kind: &str) -> (&'static str, &'static str, &'static str, &'static str) {
    if kind.ends_with("Ingress") { WAYS[0] } else { WAYS[1] }
}

fn single(properties: &Value, peer: &str) -> Result<Value, String> {
    let mut rule = properties.as_object().cloned().unwrap_or_default();
    let group = rule.remove("GroupId").ok_or("GroupId must be specified")?;
    Ok(json!({ "GroupId": group, "IpPermissions": [permission(&rule.into(), peer)?] }))
}
