//! Internet gateways, each of one VPC at most.

use super::describe::{Listing, describe};
use super::network::{InternetGateway, Network, id};
use super::{Ec2, depended_on, done, fault, room};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::required;
use wire::ServiceError;

const LISTING: Listing = Listing {
    list: "InternetGateways",
    ids: "InternetGatewayIds",
    id: "InternetGatewayId",
    missing: no_gateway,
    filters: &[
        ("attachment.state", "Attachments.State"),
        ("attachment.vpc-id", "Attachments.VpcId"),
        ("internet-gateway-id", "InternetGatewayId"),
        ("owner-id", "OwnerId"),
    ],
};

impl Ec2 {
    pub(super) async fn create_internet_gateway(&self, call: &Call, input: &Value) -> Answer {
        let made = self.edit(&call.caller, |network| {
            room(network.internet_gateways.len(), "InternetGatewayLimitExceeded", "internet gateways")?;
            let id = id(&self.world, "igw");
            let gateway = InternetGateway::default();
            network.internet_gateways.insert(id.clone(), gateway.clone());
            network.tag(&id, input);
            Ok(shown(network, &id, &gateway, &call.caller))
        });
        Ok(json!({ "InternetGateway": made.await? }))
    }

    pub(super) async fn describe_internet_gateways(&self, call: &Call, input: &Value) -> Answer {
        let network = self.view(&call.caller).await?;
        let gateways = network.internet_gateways.iter();
        let all = gateways.map(|(id, gateway)| shown(&network, id, gateway, &call.caller));
        describe(input, &LISTING, all.collect())
    }

    pub(super) async fn attach_internet_gateway(&self, call: &Call, input: &Value) -> Answer {
        let (id, vpc) = (required(input, "InternetGatewayId"), required(input, "VpcId"));
        self.edit(&call.caller, |network| {
            network.vpc(vpc)?;
            let taken = network.internet_gateways.values().any(|other| other.vpc.as_deref() == Some(vpc));
            let gateway = network.internet_gateways.get_mut(id).ok_or_else(|| no_gateway(id))?;
            match &gateway.vpc {
                Some(already) => {
                    let message = format!("resource {id} is already attached to network {already}");
                    return Err(fault("Resource.AlreadyAssociated", message));
                }
                None if taken => {
                    let message = format!("Network {vpc} already has an internet gateway attached");
                    return Err(super::invalid(message));
                }
                None => gateway.vpc = Some(vpc.to_owned()),
            }
            Ok(())
        })
        .await?;
        done()
    }

    pub(super) async fn detach_internet_gateway(&self, call: &Call, input: &Value) -> Answer {
        let (id, vpc) = (required(input, "InternetGatewayId"), required(input, "VpcId"));
        self.edit(&call.caller, |network| {
            let public = network.nat_gateways.values().filter(|gateway| gateway.allocation.is_some());
            let is_mapped = public
                .filter_map(|gateway| network.subnets.get(&gateway.subnet))
                .any(|subnet| subnet.vpc == vpc);
            let gateway = network.internet_gateways.get_mut(id).ok_or_else(|| no_gateway(id))?;
            if gateway.vpc.as_deref() != Some(vpc) {
                let message = format!("resource {id} is not attached to network {vpc}");
                return Err(fault("Gateway.NotAttached", message));
            }
            if is_mapped {
                let message = format!(
                    "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
                );
                return Err(fault("DependencyViolation", message));
            }
            gateway.vpc = None;
            Ok(())
        })
        .await?;
        done()
    }

    pub(super) async fn delete_internet_gateway(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "InternetGatewayId");
        self.edit(&call.caller, |network| {
            if network.internet_gateways.get(id).ok_or_else(|| no_gateway(id))?.vpc.is_some() {
                return Err(depended_on("internetGateway", id));
            }
            network.internet_gateways.remove(id);
            network.forget(id);
            Ok(())
        })
        .await?;
        done()
    }
}

pub(super) fn no_gateway(id: &str) -> ServiceError {
    fault("InvalidInternetGatewayID.NotFound", format!("The internetGateway ID '{id}' does not exist"))
}

fn shown(network: &Network, id: &str, gateway: &InternetGateway, caller: &Caller) -> Value {
    let attachments = gateway.vpc.iter().map(|vpc| json!({ "State": "available", "VpcId": vpc }));
    json!({
        "Attachments": attachments.collect::<Vec<_>>(),
        "InternetGatewayId": id,
        "OwnerId": &*caller.account,
        "Tags": network.tags_of(id),
    })
}
