//! Endpoints of services in a VPC. Functions reach every service without them.

use super::describe::{Listing, describe};
use super::network::{Endpoint, Network, id};
use super::{Ec2, fault, invalid, made_before, only, remember, room};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::{required, text, texts};
use wire::ServiceError;

/// What an endpoint lets pass unless it is told otherwise.
const OPEN: &str = r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

const LISTING: Listing = Listing {
    list: "VpcEndpoints",
    ids: "VpcEndpointIds",
    id: "VpcEndpointId",
    missing: no_endpoint,
    filters: &[
        ("service-name", "ServiceName"),
        ("vpc-endpoint-id", "VpcEndpointId"),
        ("vpc-endpoint-state", "State"),
        ("vpc-endpoint-type", "VpcEndpointType"),
        ("vpc-id", "VpcId"),
    ],
};

impl Ec2 {
    pub(super) async fn create_endpoint(&self, call: &Call, input: &Value) -> Answer {
        const MEMBERS: &[&str] = &[
            "VpcEndpointType",
            "VpcId",
            "ServiceName",
            "PolicyDocument",
            "RouteTableIds",
            "SubnetIds",
            "SecurityGroupIds",
            "PrivateDnsEnabled",
            "ClientToken",
        ];
        only(input, MEMBERS)?;
        let service = text(input, "ServiceName").ok_or_else(|| super::missing("ServiceName"))?;
        let made = self.edit(&call.caller, |network| {
            let id = match made_before(network, input) {
                Some(id) => id,
                None => {
                    room(network.endpoints.len(), "VpcEndpointLimitExceeded", "VPC endpoints")?;
                    let vpc = required(input, "VpcId");
                    network.vpc(vpc)?;
                    let mut endpoint = Endpoint {
                        vpc: vpc.to_owned(),
                        service: service.to_owned(),
                        kind: text(input, "VpcEndpointType").unwrap_or("Gateway").to_owned(),
                        policy: text(input, "PolicyDocument").unwrap_or(OPEN).to_owned(),
                        private_dns: input.get("PrivateDnsEnabled") == Some(&Value::Bool(true)),
                        route_tables: texts(input, "RouteTableIds"),
                        subnets: texts(input, "SubnetIds"),
                        groups: texts(input, "SecurityGroupIds"),
                        created_s: self.world.now().seconds(),
                    };
                    check(network, &endpoint)?;
                    if endpoint.kind == "Interface" && endpoint.groups.is_empty() {
                        let mut groups = network.security_groups.iter();
                        let default = groups.find(|(_, group)| group.vpc == vpc && group.name == "default");
                        endpoint.groups.extend(default.map(|(id, _)| id.clone()));
                    }
                    let id = id(&self.world, "vpce");
                    network.endpoints.insert(id.clone(), endpoint);
                    network.tag(&id, input);
                    remember(network, input, &id);
                    id
                }
            };
            Ok(shown(network, &id, &network.endpoints[&id], &call.caller))
        });
        Ok(json!({ "VpcEndpoint": made.await?, "ClientToken": text(input, "ClientToken") }))
    }

    pub(super) async fn describe_endpoints(&self, call: &Call, input: &Value) -> Answer {
        let network = self.view(&call.caller).await?;
        let all = network.endpoints.iter().map(|(id, endpoint)| shown(&network, id, endpoint, &call.caller));
        describe(input, &LISTING, all.collect())
    }

    pub(super) async fn modify_endpoint(&self, call: &Call, input: &Value) -> Answer {
        const MEMBERS: &[&str] = &[
            "VpcEndpointId",
            "ResetPolicy",
            "PolicyDocument",
            "PrivateDnsEnabled",
            "AddRouteTableIds",
            "RemoveRouteTableIds",
            "AddSubnetIds",
            "RemoveSubnetIds",
            "AddSecurityGroupIds",
            "RemoveSecurityGroupIds",
        ];
        only(input, MEMBERS)?;
        let id = required(input, "VpcEndpointId");
        let change = |list: &mut Vec<String>, members: &str| {
            let gone = texts(input, &format!("Remove{members}"));
            list.retain(|one| !gone.contains(one));
            for new in texts(input, &format!("Add{members}")) {
                if !list.contains(&new) {
                    list.push(new);
                }
            }
        };
        self.edit(&call.caller, |network| {
            let mut endpoint = network.endpoints.get(id).cloned().ok_or_else(|| no_endpoint(id))?;
            change(&mut endpoint.route_tables, "RouteTableIds");
            change(&mut endpoint.subnets, "SubnetIds");
            change(&mut endpoint.groups, "SecurityGroupIds");
            if input.get("ResetPolicy") == Some(&Value::Bool(true)) {
                endpoint.policy = OPEN.to_owned();
            }
            if let Some(policy) = text(input, "PolicyDocument") {
                endpoint.policy = policy.to_owned();
            }
            if let Some(private) = input.get("PrivateDnsEnabled").and_then(Value::as_bool) {
                endpoint.private_dns = private;
            }
            check(network, &endpoint)?;
            network.endpoints.insert(id.to_owned(), endpoint);
            Ok(())
        })
        .await?;
        Ok(json!({ "Return": true }))
    }

    pub(super) async fn delete_endpoints(&self, call: &Call, input: &Value) -> Answer {
        let ids = texts(input, "VpcEndpointIds");
        let unsuccessful = self.edit(&call.caller, |network| {
            let mut unsuccessful = Vec::new();
            for id in &ids {
                if network.endpoints.remove(id).is_none() {
                    let error = no_endpoint(id);
                    unsuccessful.push(json!({
                        "ResourceId": id,
                        "Error": { "Code": error.code, "Message": error.message },
                    }));
                }
                network.forget(id);
            }
            Ok(unsuccessful)
        });
        Ok(json!({ "Unsuccessful": unsuccessful.await? }))
    }
}

/// An endpoint of a kind that is known, whose parts are there.
fn check(network: &Network, endpoint: &Endpoint) -> Result<(), ServiceError> {
    let (extra, member) = match endpoint.kind.as_str() {
        "Gateway" => (
            endpoint.subnets.is_empty() && endpoint.groups.is_empty() && !endpoint.private_dns,
            "SubnetIds, SecurityGroupIds and PrivateDnsEnabled",
        ),
        "Interface" => (endpoint.route_tables.is_empty(), "RouteTableIds"),
        other => return Err(invalid(format!("VpcEndpointType {other} is not supported here"))),
    };
    if !extra {
        let message = format!("{member} are not for endpoints of type {}", endpoint.kind);
        return Err(fault("InvalidParameterCombination", message));
    }
    for id in &endpoint.route_tables {
        if !network.route_tables.contains_key(id) {
            return Err(super::routes::no_table(id));
        }
    }
    endpoint.subnets.iter().try_for_each(|id| network.subnet(id).map(|_| ()))?;
    endpoint.groups.iter().try_for_each(|id| network.group(id).map(|_| ()))
}

pub(super) fn no_endpoint(id: &str) -> ServiceError {
    fault("InvalidVpcEndpointId.NotFound", format!("The Vpc Endpoint Id '{id}' does not exist"))
}

fn shown(network: &Network, id: &str, endpoint: &Endpoint, caller: &Caller) -> Value {
    let groups = endpoint
        .groups
        .iter()
        .filter_map(|id| Some(json!({ "GroupId": id, "GroupName": network.security_groups.get(id)?.name })));
    json!({
        "VpcEndpointId": id,
        "VpcEndpointType": endpoint.kind,
        "VpcId": endpoint.vpc,
        "ServiceName": endpoint.service,
        "State": "available",
        "PolicyDocument": endpoint.policy,
        "RouteTableIds": endpoint.route_tables,
        "SubnetIds": endpoint.subnets,
        "Groups": groups.collect::<Vec<_>>(),
        "PrivateDnsEnabled": endpoint.private_dns,
        "RequesterManaged": false,
        "NetworkInterfaceIds": [],
        "DnsEntries": [],
        "CreationTimestamp": endpoint.created_s,
        "OwnerId": &*caller.account,
        "Tags": network.tags_of(id),
    })
}
