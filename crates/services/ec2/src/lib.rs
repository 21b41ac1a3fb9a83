//! Elastic Compute Cloud, as far as descriptions of networks go: they are kept and told back, and no network is made.
//! Never opens a socket.

mod addresses;
mod cidr;
mod describe;
mod endpoints;
mod groups;
mod in_use;
mod internet;
mod nat;
mod network;
mod routes;
mod rules;
mod subnets;
mod tags;
mod vpcs;
mod zones;

use network::Network;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller, Pending};
use servicekit::documents::{Documents, Edit};
use servicekit::fields::text;
use servicekit::house::House;
use store::Store;
use wire::ServiceError;
use wire::shape::Kind;
use world::World;

pub use zones::zones;

/// How many there may be of each kind of thing, which bounds the document they are in.
const EACH_MAX: usize = 1_000;

pub struct Ec2 {
    world: World,
    /// By `account/region`.
    networks: Documents<Network>,
    /// Who knows what uses them.
    house: Option<House>,
}

impl Ec2 {
    pub fn new(store: &Store, world: &World, house: House) -> Ec2 {
        Ec2 { world: world.clone(), networks: Documents::new(store, "ec2/network"), house: Some(house) }
    }

    /// Networks that nothing else uses.
    #[cfg(test)]
    fn alone(store: &Store, world: &World) -> Ec2 {
        Ec2 { world: world.clone(), networks: Documents::new(store, "ec2/network"), house: None }
    }

    pub fn call(&self, call: Call) -> Pending<'_> {
        Box::pin(async move {
            let answer = match check(&call) {
                Ok(input) => self.answer(&call, &input).await,
                Err(error) => Err(error),
            };
            call.settle(answer)
        })
    }

    async fn answer(&self, call: &Call, input: &Value) -> Answer {
        match call.operation.name {
            "CreateVpc" => self.create_vpc(call, input).await,
            "DescribeVpcs" => self.describe_vpcs(call, input).await,
            "ModifyVpcAttribute" => self.modify_vpc(call, input).await,
            "DescribeVpcAttribute" => self.describe_vpc_attribute(call, input).await,
            "DeleteVpc" => self.delete_vpc(call, input).await,
            "DescribeNetworkAcls" => self.describe_acls(call, input).await,
            "DescribeVpnGateways" => vpcs::describe_vpn_gateways(input),
            "CreateSubnet" => self.create_subnet(call, input).await,
            "DescribeSubnets" => self.describe_subnets(call, input).await,
            "ModifySubnetAttribute" => self.modify_subnet(call, input).await,
            "DeleteSubnet" => self.delete_subnet(call, input).await,
            "CreateRouteTable" => self.create_route_table(call, input).await,
            "DescribeRouteTables" => self.describe_route_tables(call, input).await,
            "DeleteRouteTable" => self.delete_route_table(call, input).await,
            "AssociateRouteTable" => self.associate(call, input).await,
            "ReplaceRouteTableAssociation" => self.replace_association(call, input).await,
            "DisassociateRouteTable" => self.disassociate(call, input).await,
            "CreateRoute" => self.put_route(call, input, routes::Put::New).await,
            "ReplaceRoute" => self.put_route(call, input, routes::Put::Over).await,
            "DeleteRoute" => self.delete_route(call, input).await,
            "CreateInternetGateway" => self.create_internet_gateway(call, input).await,
            "DescribeInternetGateways" => self.describe_internet_gateways(call, input).await,
            "AttachInternetGateway" => self.attach_internet_gateway(call, input).await,
            "DetachInternetGateway" => self.detach_internet_gateway(call, input).await,
            "DeleteInternetGateway" => self.delete_internet_gateway(call, input).await,
            "AllocateAddress" => self.allocate_address(call, input).await,
            "DescribeAddresses" => self.describe_addresses(call, input).await,
            "ReleaseAddress" => self.release_address(call, input).await,
            "CreateNatGateway" => self.create_nat_gateway(call, input).await,
            "DescribeNatGateways" => self.describe_nat_gateways(call, input).await,
            "DeleteNatGateway" => self.delete_nat_gateway(call, input).await,
            "CreateSecurityGroup" => self.create_group(call, input).await,
            "DescribeSecurityGroups" => self.describe_groups(call, input).await,
            "DeleteSecurityGroup" => self.delete_group(call, input).await,
            "AuthorizeSecurityGroupIngress" => self.authorize(call, input, false).await,
            "AuthorizeSecurityGroupEgress" => self.authorize(call, input, true).await,
            "RevokeSecurityGroupIngress" => self.revoke(call, input, false).await,
            "RevokeSecurityGroupEgress" => self.revoke(call, input, true).await,
            "DescribeSecurityGroupRules" => self.describe_rules(call, input).await,
            "CreateVpcEndpoint" => self.create_endpoint(call, input).await,
            "DescribeVpcEndpoints" => self.describe_endpoints(call, input).await,
            "ModifyVpcEndpoint" => self.modify_endpoint(call, input).await,
            "DeleteVpcEndpoints" => self.delete_endpoints(call, input).await,
            "CreateTags" => self.create_tags(call, input).await,
            "DeleteTags" => self.delete_tags(call, input).await,
            "DescribeTags" => self.describe_tags(call, input).await,
            "DescribeAvailabilityZones" => zones::describe_zones(call, input),
            "DescribeRegions" => zones::describe_regions(input),
            _ => Err(call.unknown()),
        }
    }

    /// An account's networks in a region; the first look makes what everybody finds there.
    async fn view(&self, caller: &Caller) -> Result<Network, ServiceError> {
        match self.networks.get(&key(caller))? {
            Some(network) => Ok(network),
            None => self.edit(caller, |network| Ok(network.clone())).await,
        }
    }

    /// Changes them in one durable step; a refusal changes nothing.
    async fn edit<R>(
        &self,
        caller: &Caller,
        mut change: impl FnMut(&mut Network) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        let step = |old: Option<Network>| {
            let mut network = old.unwrap_or_else(|| Network::first(&self.world, caller));
            let answer = change(&mut network)?;
            Ok((Edit::Put(network), answer))
        };
        self.networks.edit(&key(caller), step).await
    }
}

fn key(caller: &Caller) -> String {
    format!("{}/{}", caller.account, caller.region)
}

/// The input, in which nothing is missing; a dry run ends here.
fn check(call: &Call) -> Answer {
    let input = call.unchecked_input()?;
    if let Some(Kind::Structure(structure)) = call.operation.input.map(|shape| &shape.kind)
        && let Some(member) =
            structure.members.iter().find(|member| member.required && input.get(member.name).is_none())
    {
        let message = format!("The request must contain the parameter {}", member.wire_name);
        return Err(fault("MissingParameter", message));
    }
    call.check(&input)?;
    if input.get("DryRun") == Some(&Value::Bool(true)) {
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(fault("DryRunOperation", message).with_status(412));
    }
    Ok(input)
}

fn fault(code: &'static str, message: impl Into<String>) -> ServiceError {
    ServiceError::new(code, message)
}

fn invalid(message: impl Into<String>) -> ServiceError {
    fault("InvalidParameterValue", message)
}

fn missing(member: &str) -> ServiceError {
    fault("MissingParameter", format!("The request must contain the parameter {member}"))
}

/// `what` as AWS spells it in these words: `vpc`, `subnet`, `routeTable`.
fn depended_on(what: &str, id: &str) -> ServiceError {
    fault("DependencyViolation", format!("The {what} '{id}' has dependencies and cannot be deleted."))
}

/// Refuses, by name, members that would be without effect here.
fn only(input: &Value, members: &[&str]) -> Result<(), ServiceError> {
    let given = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    let known = |name: &str| members.contains(&name) || ["DryRun", "TagSpecifications"].contains(&name);
    let all = input.as_object().into_iter().flatten();
    match all.filter(|(_, value)| given(value)).find(|(name, _)| !known(name)) {
        None => Ok(()),
        Some((name, _)) => {
            Err(fault("UnsupportedOperation", format!("The parameter {name} is not supported here.")))
        }
    }
}

fn room(there: usize, code: &'static str, what: &str) -> Result<(), ServiceError> {
    if there < EACH_MAX {
        return Ok(());
    }
    Err(fault(code, format!("The maximum number of {what} has been reached.")))
}

/// What a client's token already made, for a call that is repeated.
fn made_before(network: &Network, input: &Value) -> Option<String> {
    network.tokens.get(text(input, "ClientToken")?).cloned()
}

fn remember(network: &mut Network, input: &Value, id: &str) {
    if let Some(token) = text(input, "ClientToken") {
        network.tokens.insert(token.to_owned(), id.to_owned());
    }
}

fn arn(caller: &Caller, what: &str) -> String {
    format!("arn:aws:ec2:{}:{}:{what}", caller.region, caller.account)
}

fn done() -> Answer {
    Ok(json!({}))
}

#[cfg(test)]
mod tests;
