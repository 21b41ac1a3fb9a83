//! Virtual private clouds, and what stands beside each: its network ACL.

use super::cidr::Cidr;
use super::describe::{Listing, describe};
use super::network::{Network, Vpc};
use super::{Ec2, depended_on, done, fault, invalid, only, room};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::{required, text};
use wire::ServiceError;

const LISTING: Listing = Listing {
    list: "Vpcs",
    ids: "VpcIds",
    id: "VpcId",
    missing: no_vpc,
    filters: &[
        ("cidr", "CidrBlock"),
        ("cidr-block", "CidrBlock"),
        ("cidr-block-association.cidr-block", "CidrBlockAssociationSet.CidrBlock"),
        ("cidr-block-association.association-id", "CidrBlockAssociationSet.AssociationId"),
        ("dhcp-options-id", "DhcpOptionsId"),
        ("is-default", "IsDefault"),
        ("isDefault", "IsDefault"),
        ("owner-id", "OwnerId"),
        ("state", "State"),
        ("vpc-id", "VpcId"),
    ],
};

impl Ec2 {
    pub(super) async fn create_vpc(&self, call: &Call, input: &Value) -> Answer {
        only(input, &["CidrBlock", "InstanceTenancy"])?;
        let cidr = block(input)?;
        if !(16..=28).contains(&cidr.bits()) {
            return Err(fault("InvalidVpc.Range", format!("The CIDR '{cidr}' is invalid.")));
        }
        let tenancy = text(input, "InstanceTenancy").unwrap_or("default");
        let made = self.edit(&call.caller, |network| {
            room(network.vpcs.len(), "VpcLimitExceeded", "VPCs")?;
            let id = network.add_vpc(&self.world, &cidr.to_string(), tenancy, false);
            network.tag(&id, input);
            Ok(shown(network, &id, network.vpc(&id)?, &call.caller))
        });
        Ok(json!({ "Vpc": made.await? }))
    }

    pub(super) async fn describe_vpcs(&self, call: &Call, input: &Value) -> Answer {
        let network = self.view(&call.caller).await?;
        let all = network.vpcs.iter().map(|(id, vpc)| shown(&network, id, vpc, &call.caller));
        describe(input, &LISTING, all.collect())
    }

    pub(super) async fn modify_vpc(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "VpcId");
        let asked = |member: &str| input.get(member)?.get("Value")?.as_bool();
        self.edit(&call.caller, |network| {
            let vpc = network.vpcs.get_mut(id).ok_or_else(|| no_vpc(id))?;
            let support = asked("EnableDnsSupport").unwrap_or(vpc.dns_support);
            vpc.dns_support = support;
            vpc.dns_hostnames = asked("EnableDnsHostnames").unwrap_or(vpc.dns_hostnames);
            vpc.usage_metrics = asked("EnableNetworkAddressUsageMetrics").unwrap_or(vpc.usage_metrics);
            Ok(())
        })
        .await?;
        done()
    }

    pub(super) async fn describe_vpc_attribute(&self, call: &Call, input: &Value) -> Answer {
        let (id, network) = (required(input, "VpcId"), self.view(&call.caller).await?);
        let vpc = network.vpc(id)?;
        let (member, value) = match required(input, "Attribute") {
            "enableDnsSupport" => ("EnableDnsSupport", vpc.dns_support),
            "enableDnsHostnames" => ("EnableDnsHostnames", vpc.dns_hostnames),
            _ => ("EnableNetworkAddressUsageMetrics", vpc.usage_metrics),
        };
        Ok(json!({ "VpcId": id, member: { "Value": value } }))
    }

    pub(super) async fn delete_vpc(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "VpcId");
        self.edit(&call.caller, |network| {
            network.vpc(id)?;
            let main = network.main_table(id).map(str::to_owned);
            let gateways =
                network.internet_gateways.values().any(|gateway| gateway.vpc.as_deref() == Some(id));
            let in_use = gateways
                || network.subnets.values().any(|subnet| subnet.vpc == id)
                || network
                    .route_tables
                    .iter()
                    .any(|(table, own)| own.vpc == id && Some(table) != main.as_ref())
                || network.security_groups.values().any(|group| group.vpc == id && group.name != "default")
                || network.endpoints.values().any(|endpoint| endpoint.vpc == id);
            if in_use {
                return Err(depended_on("vpc", id));
            }
            let groups = network.security_groups.iter().filter(|(_, group)| group.vpc == id);
            let inborn: Vec<String> = groups.map(|(id, _)| id.clone()).chain(main).collect();
            network.security_groups.retain(|_, group| group.vpc != id);
            network.route_tables.retain(|_, table| table.vpc != id);
            let acl = network.vpcs.remove(id).map(|vpc| vpc.acl);
            inborn.into_iter().chain(acl).chain([id.to_owned()]).for_each(|gone| network.forget(&gone));
            Ok(())
        })
        .await?;
        done()
    }

    pub(super) async fn describe_acls(&self, call: &Call, input: &Value) -> Answer {
        const LISTING: Listing = Listing {
            list: "NetworkAcls",
            ids: "NetworkAclIds",
            id: "NetworkAclId",
            missing: |id| {
                fault("InvalidNetworkAclID.NotFound", format!("The networkAcl ID '{id}' does not exist"))
            },
            filters: &[
                ("association.association-id", "Associations.NetworkAclAssociationId"),
                ("association.network-acl-id", "NetworkAclId"),
                ("association.subnet-id", "Associations.SubnetId"),
                ("default", "IsDefault"),
                ("network-acl-id", "NetworkAclId"),
                ("owner-id", "OwnerId"),
                ("vpc-id", "VpcId"),
            ],
        };
        let network = self.view(&call.caller).await?;
        let all = network.vpcs.iter().map(|(id, vpc)| shown_acl(&network, id, vpc, &call.caller));
        describe(input, &LISTING, all.collect())
    }
}

/// There are no virtual private gateways.
pub(super) fn describe_vpn_gateways(input: &Value) -> Answer {
    const LISTING: Listing = Listing {
        list: "VpnGateways",
        ids: "VpnGatewayIds",
        id: "VpnGatewayId",
        missing: |id| {
            fault("InvalidVpnGatewayID.NotFound", format!("The vpnGateway ID '{id}' does not exist"))
        },
        filters: &[
            ("amazon-side-asn", "AmazonSideAsn"),
            ("attachment.state", "VpcAttachments.State"),
            ("attachment.vpc-id", "VpcAttachments.VpcId"),
            ("availability-zone", "AvailabilityZone"),
            ("state", "State"),
            ("type", "Type"),
            ("vpn-gateway-id", "VpnGatewayId"),
        ],
    };
    describe(input, &LISTING, Vec::new())
}

/// The block of addresses that a call gives.
pub(super) fn block(input: &Value) -> Result<Cidr, ServiceError> {
    let given = text(input, "CidrBlock").ok_or_else(|| super::missing("cidrBlock"))?;
    Cidr::parse(given).ok_or_else(|| {
        invalid(format!(
            "Value ({given}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        ))
    })
}

pub(super) fn no_vpc(id: &str) -> ServiceError {
    fault("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist"))
}

fn shown(network: &Network, id: &str, vpc: &Vpc, caller: &Caller) -> Value {
    json!({
        "CidrBlock": vpc.cidr,
        "DhcpOptionsId": "default",
        "State": "available",
        "VpcId": id,
        "OwnerId": &*caller.account,
        "InstanceTenancy": vpc.tenancy,
        "Ipv6CidrBlockAssociationSet": [],
        "CidrBlockAssociationSet": [{
            "AssociationId": vpc.association,
            "CidrBlock": vpc.cidr,
            "CidrBlockState": { "State": "associated" },
        }],
        "IsDefault": vpc.is_default,
        "Tags": network.tags_of(id),
    })
}

/// The one ACL of a VPC and of all its subnets.
fn shown_acl(network: &Network, id: &str, vpc: &Vpc, caller: &Caller) -> Value {
    let own = network.subnets.iter().filter(|(_, subnet)| subnet.vpc == id);
    let associations = own.map(|(subnet, _)| {
        let association = subnet.replace("subnet-", "aclassoc-");
        json!({ "NetworkAclAssociationId": association, "NetworkAclId": vpc.acl, "SubnetId": subnet })
    });
    let entry = |outward: bool, number: u32, action: &str| {
        json!({
            "CidrBlock": "0.0.0.0/0",
            "Egress": outward,
            "Protocol": "-1",
            "RuleAction": action,
            "RuleNumber": number,
        })
    };
    json!({
        "NetworkAclId": vpc.acl,
        "VpcId": id,
        "OwnerId": &*caller.account,
        "IsDefault": true,
        "Associations": associations.collect::<Vec<_>>(),
        "Entries": [
            entry(true, 100, "allow"),
            entry(true, 32_767, "deny"),
            entry(false, 100, "allow"),
            entry(false, 32_767, "deny"),
        ],
        "Tags": network.tags_of(&vpc.acl),
    })
}
