//! What is kept: one document for each account and region, so that every change to its parts is one step.

use super::zones::zones;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use servicekit::call::Caller;
use servicekit::fields::{required, tag_list};
use std::collections::BTreeMap;
use wire::ServiceError;
use world::World;

/// All parts of an account's networks in a region, by their ids.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Network {
    pub vpcs: BTreeMap<String, Vpc>,
    pub subnets: BTreeMap<String, Subnet>,
    pub route_tables: BTreeMap<String, RouteTable>,
    pub internet_gateways: BTreeMap<String, InternetGateway>,
    pub nat_gateways: BTreeMap<String, NatGateway>,
    /// By allocation.
    pub addresses: BTreeMap<String, Address>,
    pub security_groups: BTreeMap<String, SecurityGroup>,
    pub endpoints: BTreeMap<String, Endpoint>,
    /// The tags of all of them.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Clients' tokens, and what was made for them.
    pub tokens: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Vpc {
    pub cidr: String,
    /// Of the block and the VPC.
    pub association: String,
    pub tenancy: String,
    pub is_default: bool,
    pub dns_support: bool,
    pub dns_hostnames: bool,
    pub usage_metrics: bool,
    /// Its one network ACL, which lets everything pass.
    pub acl: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Subnet {
    pub vpc: String,
    pub cidr: String,
    pub zone: String,
    pub is_default: bool,
    pub public_ips: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RouteTable {
    pub vpc: String,
    pub routes: Vec<Route>,
    /// The subnet of each association; none for the VPC itself, whose main table it then is.
    pub associations: BTreeMap<String, Option<String>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Route {
    pub destination: String,
    pub target: Target,
    /// Made with its table rather than by a call.
    pub inborn: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Target {
    /// `local`, or an internet gateway.
    Gateway(String),
    Nat(String),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct InternetGateway {
    pub vpc: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct NatGateway {
    pub subnet: String,
    /// A private one has none.
    pub allocation: Option<String>,
    pub interface: String,
    pub private_ip: String,
    pub created_s: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Address {
    pub public_ip: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SecurityGroup {
    pub vpc: String,
    pub name: String,
    pub description: String,
    pub rules: BTreeMap<String, Rule>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rule {
    pub outward: bool,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub protocol: String,
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub peer: Peer,
    pub description: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Peer {
    V4(String),
    V6(String),
    Group(String),
    PrefixList(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Endpoint {
    pub vpc: String,
    pub service: String,
    /// `Gateway` or `Interface`.
    pub kind: String,
    pub policy: String,
    pub private_dns: bool,
    pub route_tables: Vec<String>,
    pub subnets: Vec<String>,
    pub groups: Vec<String>,
    pub created_s: u64,
}

/// An id as EC2 makes them: `vpc-` and seventeen hexadecimal digits.
pub(super) fn id(world: &World, kind: &str) -> String {
    format!("{kind}-{}", world.hex(17))
}

impl Network {
    /// What every account finds in a region: a VPC with a public subnet in each zone.
    pub fn first(world: &World, caller: &Caller) -> Network {
        let mut network = Network::default();
        let vpc = network.add_vpc(world, "172.31.0.0/16", "default", true);
        let gateway = id(world, "igw");
        let table = network.main_table(&vpc).expect("a VPC is made with its table").to_owned();
        if let Some(table) = network.route_tables.get_mut(&table) {
            table.routes.push(Route {
                destination: "0.0.0.0/0".to_owned(),
                target: Target::Gateway(gateway.clone()),
                inborn: false,
            });
        }
        network.internet_gateways.insert(gateway, InternetGateway { vpc: Some(vpc.clone()) });
        for (number, zone) in zones(&caller.region).into_iter().enumerate() {
            let cidr = format!("172.31.{}.0/20", number * 16);
            let subnet = Subnet { vpc: vpc.clone(), cidr, zone, is_default: true, public_ips: true };
            network.subnets.insert(id(world, "subnet"), subnet);
        }
        network
    }

    /// A VPC with what comes with every one: its main route table and its default group.
    pub fn add_vpc(&mut self, world: &World, cidr: &str, tenancy: &str, is_default: bool) -> String {
        let vpc = id(world, "vpc");
        self.vpcs.insert(
            vpc.clone(),
            Vpc {
                cidr: cidr.to_owned(),
                association: id(world, "vpc-cidr-assoc"),
                tenancy: tenancy.to_owned(),
                is_default,
                dns_support: true,
                dns_hostnames: is_default,
                usage_metrics: false,
                acl: id(world, "acl"),
            },
        );
        let associations = [(id(world, "rtbassoc"), None)].into();
        let table = RouteTable { vpc: vpc.clone(), routes: vec![Route::local(cidr)], associations };
        self.route_tables.insert(id(world, "rtb"), table);
        let group = id(world, "sg");
        let rule = |outward, peer| Rule {
            outward,
            protocol: "-1".to_owned(),
            from: None,
            to: None,
            peer,
            description: None,
        };
        let rules = [
            (id(world, "sgr"), rule(false, Peer::Group(group.clone()))),
            (id(world, "sgr"), rule(true, Peer::V4("0.0.0.0/0".to_owned()))),
        ];
        self.security_groups.insert(
            group,
            SecurityGroup {
                vpc: vpc.clone(),
                name: "default".to_owned(),
                description: "default VPC security group".to_owned(),
                rules: rules.into(),
            },
        );
        vpc
    }

    pub fn main_table(&self, vpc: &str) -> Option<&str> {
        let mut own = self.route_tables.iter().filter(|(_, table)| table.vpc == vpc);
        own.find(|(_, table)| table.associations.values().any(Option::is_none)).map(|(id, _)| id.as_str())
    }

    pub fn default_vpc(&self) -> Option<&str> {
        self.vpcs.iter().find(|(_, vpc)| vpc.is_default).map(|(id, _)| id.as_str())
    }

    /// A VPC that is named, or the default one.
    pub fn vpc_or_default(&self, named: Option<&str>) -> Result<String, ServiceError> {
        match named {
            Some(vpc) => self.vpc(vpc).map(|_| vpc.to_owned()),
            None => self
                .default_vpc()
                .map(str::to_owned)
                .ok_or_else(|| super::fault("VPCIdNotSpecified", "No default VPC for this user")),
        }
    }

    pub fn vpc(&self, id: &str) -> Result<&Vpc, ServiceError> {
        self.vpcs.get(id).ok_or_else(|| super::vpcs::no_vpc(id))
    }

    pub fn subnet(&self, id: &str) -> Result<&Subnet, ServiceError> {
        self.subnets.get(id).ok_or_else(|| super::subnets::no_subnet(id))
    }

    pub fn group(&self, id: &str) -> Result<&SecurityGroup, ServiceError> {
        self.security_groups.get(id).ok_or_else(|| super::groups::no_group(id))
    }

    /// Gives a new thing the tags that its making asks for.
    pub fn tag(&mut self, id: &str, input: &Value) {
        let specifications = input.get("TagSpecifications").and_then(Value::as_array);
        let lists = specifications.into_iter().flatten().filter_map(|one| one.get("Tags")?.as_array());
        let tags =
            lists.flatten().map(|tag| (required(tag, "Key").to_owned(), required(tag, "Value").to_owned()));
        let tags: BTreeMap<String, String> = tags.collect();
        if !tags.is_empty() {
            self.tags.insert(id.to_owned(), tags);
        }
    }

    pub fn tags_of(&self, id: &str) -> Value {
        self.tags.get(id).map_or_else(|| Value::Array(Vec::new()), tag_list)
    }

    /// Drops what is said of something that is gone.
    pub fn forget(&mut self, id: &str) {
        self.tags.remove(id);
        self.tokens.retain(|_, made| made != id);
    }

    pub fn has(&self, id: &str) -> bool {
        self.vpcs.contains_key(id)
            || self.subnets.contains_key(id)
            || self.route_tables.contains_key(id)
            || self.internet_gateways.contains_key(id)
            || self.nat_gateways.contains_key(id)
            || self.addresses.contains_key(id)
            || self.security_groups.contains_key(id)
            || self.security_groups.values().any(|group| group.rules.contains_key(id))
            || self.endpoints.contains_key(id)
            || self.vpcs.values().any(|vpc| vpc.acl == id)
    }
}

impl Route {
    pub fn local(cidr: &str) -> Route {
        Route { destination: cidr.to_owned(), target: Target::Gateway("local".to_owned()), inborn: true }
    }
}
