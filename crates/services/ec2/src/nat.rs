//! NAT gateways: available at once, and gone at once.

use super::cidr::Cidr;
use super::describe::{Listing, describe};
use super::network::{NatGateway, Network, id};
use super::{Ec2, fault, made_before, only, remember, room};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use wire::ServiceError;

const LISTING: Listing = Listing {
    list: "NatGateways",
    ids: "NatGatewayIds",
    id: "NatGatewayId",
    missing: no_gateway,
    filters: &[
        ("nat-gateway-id", "NatGatewayId"),
        ("state", "State"),
        ("subnet-id", "SubnetId"),
        ("vpc-id", "VpcId"),
    ],
};

impl Ec2 {
    pub(super) async fn create_nat_gateway(&self, call: &Call, input: &Value) -> Answer {
        only(input, &["SubnetId", "AllocationId", "ConnectivityType", "PrivateIpAddress", "ClientToken"])?;
        let subnet = text(input, "SubnetId").ok_or_else(|| super::missing("subnetId"))?;
        let is_private = text(input, "ConnectivityType") == Some("private");
        let allocation = text(input, "AllocationId");
        match (is_private, allocation) {
            (false, None) => return Err(super::missing("allocationId")),
            (true, Some(_)) => {
                let message = "AllocationId can not be specified for a private NAT gateway";
                return Err(fault("InvalidParameterCombination", message));
            }
            _ => {}
        }
        let made = self.edit(&call.caller, |network| {
            let id = match made_before(network, input) {
                Some(id) => id,
                None => {
                    room(network.nat_gateways.len(), "NatGatewayLimitExceeded", "NAT gateways")?;
                    if let Some(allocation) = allocation {
                        check_free(network, allocation)?;
                    }
                    let gateway = NatGateway {
                        subnet: subnet.to_owned(),
                        allocation: allocation.map(str::to_owned),
                        interface: id(&self.world, "eni"),
                        private_ip: private_ip(network, subnet, text(input, "PrivateIpAddress"))?,
                        created_s: self.world.now().seconds(),
                    };
                    let id = id(&self.world, "nat");
                    network.nat_gateways.insert(id.clone(), gateway);
                    network.tag(&id, input);
                    remember(network, input, &id);
                    id
                }
            };
            Ok(shown(network, &id, &network.nat_gateways[&id]))
        });
        Ok(json!({ "NatGateway": made.await?, "ClientToken": text(input, "ClientToken") }))
    }

    pub(super) async fn describe_nat_gateways(&self, call: &Call, input: &Value) -> Answer {
        let network = self.view(&call.caller).await?;
        let all = network.nat_gateways.iter().map(|(id, gateway)| shown(&network, id, gateway));
        describe(input, &LISTING, all.collect())
    }

    pub(super) async fn delete_nat_gateway(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "NatGatewayId");
        self.edit(&call.caller, |network| {
            network.nat_gateways.remove(id).ok_or_else(|| no_gateway(id))?;
            network.forget(id);
            Ok(())
        })
        .await?;
        Ok(json!({ "NatGatewayId": id }))
    }
}

fn check_free(network: &Network, allocation: &str) -> Result<(), ServiceError> {
    if !network.addresses.contains_key(allocation) {
        return Err(super::addresses::no_allocation(allocation));
    }
    if network.nat_gateways.values().any(|gateway| gateway.allocation.as_deref() == Some(allocation)) {
        let message = format!("resource {allocation} is already associated with another NAT gateway");
        return Err(fault("Resource.AlreadyAssociated", message));
    }
    Ok(())
}

/// The address that is asked for, or the first that is free; the network keeps the first four and the last.
fn private_ip(network: &Network, subnet: &str, asked: Option<&str>) -> Result<String, ServiceError> {
    let cidr = Cidr::parse(&network.subnet(subnet)?.cidr)
        .ok_or_else(|| servicekit::documents::unavailable("a subnet without a block"))?;
    let is_free = |ip: &str| {
        !network.nat_gateways.values().any(|other| other.subnet == subnet && other.private_ip == ip)
    };
    let last = u32::try_from(cidr.addresses()).unwrap_or(u32::MAX) - 1;
    let mut own = (4..last).map(|number| cidr.address(number).to_string());
    match asked {
        Some(ip) if own.any(|one| one == ip) && is_free(ip) => Ok(ip.to_owned()),
        Some(ip) => Err(super::invalid(format!("Address {ip} is not free in subnet {subnet}"))),
        None => own.find(|ip| is_free(ip)).ok_or_else(|| {
            fault(
                "InsufficientFreeAddressesInSubnet",
                format!("There are no free addresses in subnet {subnet}."),
            )
        }),
    }
}

pub(super) fn no_gateway(id: &str) -> ServiceError {
    fault("NatGatewayNotFound", format!("The Nat Gateway {id} was not found"))
}

fn shown(network: &Network, id: &str, gateway: &NatGateway) -> Value {
    let mut address = json!({
        "NetworkInterfaceId": gateway.interface,
        "PrivateIp": gateway.private_ip,
        "IsPrimary": true,
        "Status": "succeeded",
    });
    if let Some(allocation) = &gateway.allocation {
        address["AllocationId"] = allocation.as_str().into();
        address["AssociationId"] = allocation.replace("eipalloc-", "eipassoc-").into();
        let public = network.addresses.get(allocation);
        address["PublicIp"] = public.map(|address| address.public_ip.as_str()).into();
    }
    json!({
        "NatGatewayId": id,
        "CreateTime": gateway.created_s,
        "NatGatewayAddresses": [address],
        "State": "available",
        "SubnetId": gateway.subnet,
        "VpcId": network.subnets.get(&gateway.subnet).map(|subnet| subnet.vpc.as_str()),
        "ConnectivityType": if gateway.allocation.is_some() { "public" } else { "private" },
        "Tags": network.tags_of(id),
    })
}
