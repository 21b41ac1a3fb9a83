//! Subnets: blocks of a VPC's addresses, each in one zone.

use super::cidr::Cidr;
use super::describe::{Listing, describe};
use super::in_use::Part;
use super::network::{Network, Subnet, id};
use super::zones::{zone_id, zones};
use super::{Ec2, arn, depended_on, done, fault, invalid, only, room};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::{required, text};
use wire::ServiceError;

/// The first four addresses of a subnet and its last one belong to the network.
const RESERVED: u64 = 5;

const LISTING: Listing = Listing {
    list: "Subnets",
    ids: "SubnetIds",
    id: "SubnetId",
    missing: no_subnet,
    filters: &[
        ("availability-zone", "AvailabilityZone"),
        ("availabilityZone", "AvailabilityZone"),
        ("availability-zone-id", "AvailabilityZoneId"),
        ("availabilityZoneId", "AvailabilityZoneId"),
        ("available-ip-address-count", "AvailableIpAddressCount"),
        ("cidr", "CidrBlock"),
        ("cidr-block", "CidrBlock"),
        ("cidrBlock", "CidrBlock"),
        ("default-for-az", "DefaultForAz"),
        ("defaultForAz", "DefaultForAz"),
        ("map-public-ip-on-launch", "MapPublicIpOnLaunch"),
        ("owner-id", "OwnerId"),
        ("state", "State"),
        ("subnet-arn", "SubnetArn"),
        ("subnet-id", "SubnetId"),
        ("vpc-id", "VpcId"),
    ],
};

impl Ec2 {
    pub(super) async fn create_subnet(&self, call: &Call, input: &Value) -> Answer {
        only(input, &["AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId"])?;
        let (vpc, cidr) = (required(input, "VpcId"), super::vpcs::block(input)?);
        let zone = zone(input, &call.caller)?;
        let made = self.edit(&call.caller, |network| {
            room(network.subnets.len(), "SubnetLimitExceeded", "subnets")?;
            let whole = Cidr::parse(&network.vpc(vpc)?.cidr);
            if !(16..=28).contains(&cidr.bits()) || !whole.is_some_and(|whole| whole.contains(cidr)) {
                return Err(fault("InvalidSubnet.Range", format!("The CIDR '{cidr}' is invalid.")));
            }
            let mut siblings = network.subnets.values().filter(|subnet| subnet.vpc == vpc);
            if siblings.any(|one| Cidr::parse(&one.cidr).is_some_and(|one| one.overlaps(cidr))) {
                let message = format!("The CIDR '{cidr}' conflicts with another subnet");
                return Err(fault("InvalidSubnet.Conflict", message));
            }
            let id = id(&self.world, "subnet");
            let subnet = Subnet {
                vpc: vpc.to_owned(),
                cidr: cidr.to_string(),
                zone: zone.clone(),
                is_default: false,
                public_ips: false,
            };
            network.subnets.insert(id.clone(), subnet);
            network.tag(&id, input);
            Ok(shown(network, &id, network.subnet(&id)?, &call.caller))
        });
        Ok(json!({ "Subnet": made.await? }))
    }

    pub(super) async fn describe_subnets(&self, call: &Call, input: &Value) -> Answer {
        let network = self.view(&call.caller).await?;
        let all = network.subnets.iter().map(|(id, subnet)| shown(&network, id, subnet, &call.caller));
        describe(input, &LISTING, all.collect())
    }

    pub(super) async fn modify_subnet(&self, call: &Call, input: &Value) -> Answer {
        only(input, &["SubnetId", "MapPublicIpOnLaunch"])?;
        let id = required(input, "SubnetId");
        let public = input.get("MapPublicIpOnLaunch").and_then(|asked| asked.get("Value")?.as_bool());
        self.edit(&call.caller, |network| {
            let subnet = network.subnets.get_mut(id).ok_or_else(|| no_subnet(id))?;
            subnet.public_ips = public.unwrap_or(subnet.public_ips);
            Ok(())
        })
        .await?;
        done()
    }

    pub(super) async fn delete_subnet(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "SubnetId");
        if self.is_used(&call.caller, Part::Subnet(id)).await? {
            return Err(depended_on("subnet", id));
        }
        self.edit(&call.caller, |network| {
            network.subnet(id)?;
            if network.nat_gateways.values().any(|gateway| gateway.subnet == id)
                || network.endpoints.values().any(|endpoint| endpoint.subnets.iter().any(|one| one == id))
            {
                return Err(depended_on("subnet", id));
            }
            network.subnets.remove(id);
            for table in network.route_tables.values_mut() {
                table.associations.retain(|_, subnet| subnet.as_deref() != Some(id));
            }
            network.forget(id);
            Ok(())
        })
        .await?;
        done()
    }
}

/// The zone that is asked for, by its name or its id; without one, the first.
fn zone(input: &Value, caller: &Caller) -> Result<String, ServiceError> {
    let zones = zones(&caller.region);
    let (member, asked) = match (text(input, "AvailabilityZone"), text(input, "AvailabilityZoneId")) {
        (Some(_), Some(_)) => {
            let message = "Only one of availabilityZone and availabilityZoneId may be given";
            return Err(fault("InvalidParameterCombination", message));
        }
        (Some(name), None) => ("availabilityZone", name),
        (None, Some(id)) => ("availabilityZoneId", id),
        (None, None) => return Ok(zones[0].clone()),
    };
    zones.iter().find(|zone| *zone == asked || zone_id(zone) == asked).cloned().ok_or_else(|| {
        invalid(format!(
            "Value ({asked}) for parameter {member} is invalid. Subnets can currently only be created in the following availability zones: {}.",
            zones.join(", ")
        ))
    })
}

pub(super) fn no_subnet(id: &str) -> ServiceError {
    fault("InvalidSubnetID.NotFound", format!("The subnet ID '{id}' does not exist"))
}

fn shown(network: &Network, id: &str, subnet: &Subnet, caller: &Caller) -> Value {
    let gateways = network.nat_gateways.values().filter(|gateway| gateway.subnet == id).count() as u64;
    let free = Cidr::parse(&subnet.cidr)
        .map_or(0, |cidr| cidr.addresses().saturating_sub(RESERVED).saturating_sub(gateways));
    json!({
        "AvailabilityZone": subnet.zone,
        "AvailabilityZoneId": zone_id(&subnet.zone),
        "AvailableIpAddressCount": free,
        "CidrBlock": subnet.cidr,
        "DefaultForAz": subnet.is_default,
        "MapPublicIpOnLaunch": subnet.public_ips,
        "MapCustomerOwnedIpOnLaunch": false,
        "State": "available",
        "SubnetId": id,
        "VpcId": subnet.vpc,
        "OwnerId": &*caller.account,
        "AssignIpv6AddressOnCreation": false,
        "Ipv6CidrBlockAssociationSet": [],
        "SubnetArn": arn(caller, &format!("subnet/{id}")),
        "EnableDns64": false,
        "Ipv6Native": false,
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": false,
            "EnableResourceNameDnsAAAARecord": false,
        },
        "Tags": network.tags_of(id),
    })
}
