//! Elastic addresses: numbers that nobody answers at.

use super::cidr::Cidr;
use super::describe::{Listing, describe};
use super::network::{Address, Network, id};
use super::{Ec2, done, fault, only};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::{text, texts};
use wire::ServiceError;

/// Blocks set aside for examples: what is given out leads nowhere.
const BLOCKS: [&str; 2] = ["203.0.113.0/24", "198.51.100.0/24"];

const LISTING: Listing = Listing {
    list: "Addresses",
    ids: "AllocationIds",
    id: "AllocationId",
    missing: no_allocation,
    filters: &[
        ("allocation-id", "AllocationId"),
        ("association-id", "AssociationId"),
        ("domain", "Domain"),
        ("network-border-group", "NetworkBorderGroup"),
        ("network-interface-id", "NetworkInterfaceId"),
        ("private-ip-address", "PrivateIpAddress"),
        ("public-ip", "PublicIp"),
    ],
};

impl Ec2 {
    pub(super) async fn allocate_address(&self, call: &Call, input: &Value) -> Answer {
        only(input, &["Domain"])?;
        if text(input, "Domain") == Some("standard") {
            return Err(super::invalid("Domain standard is not supported: addresses belong to VPCs."));
        }
        let made = self.edit(&call.caller, |network| {
            let free = free(network).ok_or_else(|| {
                fault("AddressLimitExceeded", "The maximum number of addresses has been reached.")
            })?;
            let id = id(&self.world, "eipalloc");
            network.addresses.insert(id.clone(), Address { public_ip: free.clone() });
            network.tag(&id, input);
            Ok(json!({
                "AllocationId": id,
                "PublicIp": free,
                "Domain": "vpc",
                "PublicIpv4Pool": "amazon",
                "NetworkBorderGroup": &*call.caller.region,
            }))
        });
        made.await
    }

    pub(super) async fn describe_addresses(&self, call: &Call, input: &Value) -> Answer {
        let network = self.view(&call.caller).await?;
        let ips = texts(input, "PublicIps");
        if let Some(ip) = ips.iter().find(|ip| !network.addresses.values().any(|one| one.public_ip == **ip)) {
            return Err(no_address(ip));
        }
        let wanted =
            network.addresses.iter().filter(|(_, one)| ips.is_empty() || ips.contains(&one.public_ip));
        let all = wanted.map(|(id, address)| shown(&network, id, address, &call.caller));
        describe(input, &LISTING, all.collect())
    }

    pub(super) async fn release_address(&self, call: &Call, input: &Value) -> Answer {
        only(input, &["AllocationId", "PublicIp"])?;
        self.edit(&call.caller, |network| {
            let id = match (text(input, "AllocationId"), text(input, "PublicIp")) {
                (Some(id), _) => network
                    .addresses
                    .contains_key(id)
                    .then(|| id.to_owned())
                    .ok_or_else(|| no_allocation(id))?,
                (None, Some(ip)) => {
                    let found = network.addresses.iter().find(|(_, one)| one.public_ip == ip);
                    found.map(|(id, _)| id.clone()).ok_or_else(|| no_address(ip))?
                }
                (None, None) => return Err(super::missing("allocationId")),
            };
            if network.nat_gateways.values().any(|gateway| gateway.allocation.as_deref() == Some(id.as_str()))
            {
                let ip = &network.addresses[&id].public_ip;
                return Err(fault("InvalidIPAddress.InUse", format!("Address {ip} is in use.")));
            }
            network.addresses.remove(&id);
            network.forget(&id);
            Ok(())
        })
        .await?;
        done()
    }
}

/// The lowest address that nobody has.
fn free(network: &Network) -> Option<String> {
    let blocks = BLOCKS.iter().filter_map(|block| Cidr::parse(block));
    let mut all = blocks.flat_map(|block| (1..255).map(move |number| block.address(number).to_string()));
    all.find(|ip| !network.addresses.values().any(|one| one.public_ip == *ip))
}

pub(super) fn no_allocation(id: &str) -> ServiceError {
    fault("InvalidAllocationID.NotFound", format!("The allocation ID '{id}' does not exist"))
}

fn no_address(ip: &str) -> ServiceError {
    fault("InvalidAddress.NotFound", format!("Address '{ip}' not found."))
}

fn shown(network: &Network, id: &str, address: &Address, caller: &Caller) -> Value {
    let mut shown = json!({
        "AllocationId": id,
        "PublicIp": address.public_ip,
        "Domain": "vpc",
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": &*caller.region,
        "Tags": network.tags_of(id),
    });
    let mut gateways = network.nat_gateways.values();
    if let Some(gateway) = gateways.find(|gateway| gateway.allocation.as_deref() == Some(id)) {
        shown["AssociationId"] = id.replace("eipalloc-", "eipassoc-").into();
        shown["NetworkInterfaceId"] = gateway.interface.as_str().into();
        shown["PrivateIpAddress"] = gateway.private_ip.as_str().into();
    }
    shown
}
