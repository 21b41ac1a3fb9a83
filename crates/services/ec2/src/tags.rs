//! Tags of whatever has an id.

use super::describe::{Listing, describe};
use super::network::Network;
use super::{Ec2, done, fault};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, tags_of, text, texts};
use wire::ServiceError;

const TAGS_MAX: usize = 50;

impl Ec2 {
    pub(super) async fn create_tags(&self, call: &Call, input: &Value) -> Answer {
        let (resources, more) = (texts(input, "Resources"), tags_of(input, "Tags"));
        if let Some(key) = more.keys().find(|key| key.starts_with("aws:")) {
            let message = format!("Tag keys starting with 'aws:' are reserved for internal use: {key}");
            return Err(super::invalid(message));
        }
        self.edit(&call.caller, |network| {
            for id in &resources {
                check_there(network, id)?;
                let tags = network.tags.entry(id.clone()).or_default();
                tags.extend(more.clone());
                if tags.len() > TAGS_MAX {
                    let message = format!("The maximum number of Tags for a resource is {TAGS_MAX}.");
                    return Err(fault("TagLimitExceeded", message));
                }
            }
            Ok(())
        })
        .await?;
        done()
    }

    /// Without tags, all go; a tag with a value goes only when it has that one.
    pub(super) async fn delete_tags(&self, call: &Call, input: &Value) -> Answer {
        let resources = texts(input, "Resources");
        let given = input.get("Tags").and_then(Value::as_array);
        self.edit(&call.caller, |network| {
            for id in &resources {
                check_there(network, id)?;
                let Some(tags) = network.tags.get_mut(id) else { continue };
                match given {
                    None => tags.clear(),
                    Some(given) => tags.retain(|key, value| {
                        !given.iter().any(|tag| {
                            required(tag, "Key") == key
                                && text(tag, "Value").is_none_or(|named| named == value)
                        })
                    }),
                }
                if tags.is_empty() {
                    network.tags.remove(id);
                }
            }
            Ok(())
        })
        .await?;
        done()
    }

    pub(super) async fn describe_tags(&self, call: &Call, input: &Value) -> Answer {
        const LISTING: Listing = Listing {
            list: "Tags",
            ids: "",
            id: "At",
            missing: no_resource,
            filters: &[
                ("key", "Key"),
                ("resource-id", "ResourceId"),
                ("resource-type", "ResourceType"),
                ("value", "Value"),
            ],
        };
        let network = self.view(&call.caller).await?;
        let of_one = |(id, tags): (&String, &std::collections::BTreeMap<String, String>)| {
            let (id, kind) = (id.clone(), kind(id));
            tags.clone().into_iter().map(move |(key, value)| {
                let at = format!("{id} {key}");
                json!({ "At": at, "ResourceId": id, "ResourceType": kind, "Key": key, "Value": value })
            })
        };
        describe(input, &LISTING, network.tags.iter().flat_map(of_one).collect())
    }
}

/// What a thing is, by its id.
fn kind(id: &str) -> &'static str {
    match id.split_once('-').map_or(id, |(kind, _)| kind) {
        "vpc" => "vpc",
        "subnet" => "subnet",
        "rtb" => "route-table",
        "igw" => "internet-gateway",
        "nat" => "natgateway",
        "eipalloc" => "elastic-ip",
        "sg" => "security-group",
        "sgr" => "security-group-rule",
        "vpce" => "vpc-endpoint",
        _ => "network-acl",
    }
}

fn check_there(network: &Network, id: &str) -> Result<(), ServiceError> {
    if network.has(id) { Ok(()) } else { Err(no_resource(id)) }
}

/// Each kind has a code of its own for an id that is nobody's.
fn no_resource(id: &str) -> ServiceError {
    match kind(id) {
        "vpc" => super::vpcs::no_vpc(id),
        "subnet" => super::subnets::no_subnet(id),
        "route-table" => super::routes::no_table(id),
        "internet-gateway" => super::internet::no_gateway(id),
        "natgateway" => super::nat::no_gateway(id),
        "elastic-ip" => super::addresses::no_allocation(id),
        "security-group" => super::groups::no_group(id),
        "security-group-rule" => super::rules::no_rule(id),
        "vpc-endpoint" => super::endpoints::no_endpoint(id),
        _ => fault("InvalidID", format!("The ID '{id}' is not valid")),
    }
}
