//! Route tables, their routes, and the subnets they are associated with.

use super::cidr::Cidr;
use super::describe::{Listing, describe};
use super::network::{Network, Route, RouteTable, Target, id};
use super::{Ec2, depended_on, done, fault, invalid, made_before, only, remember, room};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::{required, text};
use wire::ServiceError;

const ROUTES_MAX: usize = 500;

/// Whether a route may be there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    New,
    Over,
}

const LISTING: Listing = Listing {
    list: "RouteTables",
    ids: "RouteTableIds",
    id: "RouteTableId",
    missing: no_table,
    filters: &[
        ("association.main", "Associations.Main"),
        ("association.route-table-association-id", "Associations.RouteTableAssociationId"),
        ("association.route-table-id", "Associations.RouteTableId"),
        ("association.subnet-id", "Associations.SubnetId"),
        ("owner-id", "OwnerId"),
        ("route-table-id", "RouteTableId"),
        ("route.destination-cidr-block", "Routes.DestinationCidrBlock"),
        ("route.gateway-id", "Routes.GatewayId"),
        ("route.nat-gateway-id", "Routes.NatGatewayId"),
        ("route.origin", "Routes.Origin"),
        ("route.state", "Routes.State"),
        ("vpc-id", "VpcId"),
    ],
};

impl Ec2 {
    pub(super) async fn create_route_table(&self, call: &Call, input: &Value) -> Answer {
        let vpc = required(input, "VpcId");
        let made = self.edit(&call.caller, |network| {
            let id = match made_before(network, input) {
                Some(id) => id,
                None => {
                    room(network.route_tables.len(), "RouteTableLimitExceeded", "route tables")?;
                    let routes = vec![Route::local(&network.vpc(vpc)?.cidr)];
                    let id = id(&self.world, "rtb");
                    let table = RouteTable { vpc: vpc.to_owned(), routes, associations: [].into() };
                    network.route_tables.insert(id.clone(), table);
                    network.tag(&id, input);
                    remember(network, input, &id);
                    id
                }
            };
            Ok(shown(network, &id, table(network, &id)?, &call.caller))
        });
        Ok(json!({ "RouteTable": made.await? }))
    }

    pub(super) async fn describe_route_tables(&self, call: &Call, input: &Value) -> Answer {
        let network = self.view(&call.caller).await?;
        let all = network.route_tables.iter().map(|(id, table)| shown(&network, id, table, &call.caller));
        describe(input, &LISTING, all.collect())
    }

    pub(super) async fn delete_route_table(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "RouteTableId");
        self.edit(&call.caller, |network| {
            let in_use =
                network.endpoints.values().any(|endpoint| endpoint.route_tables.iter().any(|one| one == id));
            if in_use || !table(network, id)?.associations.is_empty() {
                return Err(depended_on("routeTable", id));
            }
            network.route_tables.remove(id);
            network.forget(id);
            Ok(())
        })
        .await?;
        done()
    }

    pub(super) async fn associate(&self, call: &Call, input: &Value) -> Answer {
        only(input, &["RouteTableId", "SubnetId"])?;
        let table_id = required(input, "RouteTableId");
        let subnet = text(input, "SubnetId").ok_or_else(|| super::missing("subnetId"))?;
        let made = self.edit(&call.caller, |network| {
            if network.subnet(subnet)?.vpc != table(network, table_id)?.vpc {
                let message = format!("Route table {table_id} and subnet {subnet} belong to different networks");
                return Err(invalid(message));
            }
            let there = network.route_tables.iter().find_map(|(id, table)| {
                let own = table.associations.iter().find(|(_, one)| one.as_deref() == Some(subnet));
                own.map(|(association, _)| (id.clone(), association.clone()))
            });
            match there {
                Some((table, association)) if table == table_id => return Ok(association),
                Some(_) => {
                    let message = format!("the specified association for route table {table_id} conflicts with an existing association");
                    return Err(fault("Resource.AlreadyAssociated", message));
                }
                None => {}
            }
            let association = id(&self.world, "rtbassoc");
            let table = network.route_tables.get_mut(table_id).ok_or_else(|| no_table(table_id))?;
            table.associations.insert(association.clone(), Some(subnet.to_owned()));
            Ok(association)
        });
        Ok(json!({ "AssociationId": made.await?, "AssociationState": { "State": "associated" } }))
    }

    /// Moves an association, the main one too, to another table; it gets another id.
    pub(super) async fn replace_association(&self, call: &Call, input: &Value) -> Answer {
        let (old, table_id) = (required(input, "AssociationId"), required(input, "RouteTableId"));
        let made = self.edit(&call.caller, |network| {
            let vpc = table(network, table_id)?.vpc.clone();
            let (from, subnet) = association(network, old)?;
            if table(network, &from)?.vpc != vpc {
                let message =
                    format!("Route table {table_id} and association {old} belong to different networks");
                return Err(invalid(message));
            }
            if let Some(table) = network.route_tables.get_mut(&from) {
                table.associations.remove(old);
            }
            let new = id(&self.world, "rtbassoc");
            if let Some(table) = network.route_tables.get_mut(table_id) {
                table.associations.insert(new.clone(), subnet);
            }
            Ok(new)
        });
        Ok(json!({ "NewAssociationId": made.await?, "AssociationState": { "State": "associated" } }))
    }

    pub(super) async fn disassociate(&self, call: &Call, input: &Value) -> Answer {
        let gone = required(input, "AssociationId");
        self.edit(&call.caller, |network| {
            let (table, subnet) = association(network, gone)?;
            if subnet.is_none() {
                return Err(invalid(format!("cannot disassociate the main route table association {gone}")));
            }
            if let Some(table) = network.route_tables.get_mut(&table) {
                table.associations.remove(gone);
            }
            Ok(())
        })
        .await?;
        done()
    }

    pub(super) async fn put_route(&self, call: &Call, input: &Value, put: Put) -> Answer {
        only(input, &["RouteTableId", "DestinationCidrBlock", "GatewayId", "NatGatewayId"])?;
        let (id, destination) = (required(input, "RouteTableId"), destination(input)?);
        let target = match (text(input, "GatewayId"), text(input, "NatGatewayId")) {
            (Some(gateway), None) => Target::Gateway(gateway.to_owned()),
            (None, Some(gateway)) => Target::Nat(gateway.to_owned()),
            (None, None) => {
                return Err(fault(
                    "MissingParameter",
                    "The request must contain exactly one of gatewayId, natGatewayId",
                ));
            }
            (Some(_), Some(_)) => {
                let message = "The request must contain exactly one of gatewayId, natGatewayId";
                return Err(fault("InvalidParameterCombination", message));
            }
        };
        self.edit(&call.caller, |network| {
            check_target(network, &table(network, id)?.vpc, &target)?;
            let table = network.route_tables.get_mut(id).ok_or_else(|| no_table(id))?;
            let is_full = table.routes.len() >= ROUTES_MAX;
            let there = table.routes.iter_mut().find(|route| route.destination == destination);
            match (there, put) {
                (Some(_), Put::New) => {
                    let message = format!("The route identified by {destination} already exists.");
                    return Err(fault("RouteAlreadyExists", message));
                }
                (None, Put::Over) => return Err(no_route(id, &destination)),
                (Some(route), Put::Over) => route.target.clone_from(&target),
                (None, Put::New) if is_full => {
                    let message = "The maximum number of routes has been reached.";
                    return Err(fault("RouteLimitExceeded", message));
                }
                (None, Put::New) => {
                    let (destination, target) = (destination.clone(), target.clone());
                    table.routes.push(Route { destination, target, inborn: false });
                }
            }
            Ok(())
        })
        .await?;
        Ok(json!({ "Return": true }))
    }

    pub(super) async fn delete_route(&self, call: &Call, input: &Value) -> Answer {
        only(input, &["RouteTableId", "DestinationCidrBlock"])?;
        let (id, destination) = (required(input, "RouteTableId"), destination(input)?);
        self.edit(&call.caller, |network| {
            let table = network.route_tables.get_mut(id).ok_or_else(|| no_table(id))?;
            let at = table.routes.iter().position(|route| route.destination == destination);
            let at = at.ok_or_else(|| no_route(id, &destination))?;
            if table.routes[at].inborn {
                return Err(invalid(format!("cannot remove local route {destination} in route table {id}")));
            }
            table.routes.remove(at);
            Ok(())
        })
        .await?;
        done()
    }
}

fn destination(input: &Value) -> Result<String, ServiceError> {
    let given = text(input, "DestinationCidrBlock").ok_or_else(|| super::missing("destinationCidrBlock"))?;
    let cidr = Cidr::parse(given).ok_or_else(|| {
        invalid(format!(
            "Value ({given}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block."
        ))
    })?;
    Ok(cidr.to_string())
}

/// A route leads to something that is there, in the table's own network.
fn check_target(network: &Network, vpc: &str, target: &Target) -> Result<(), ServiceError> {
    match target {
        Target::Gateway(local) if local == "local" => Ok(()),
        Target::Gateway(id) => {
            let gateway = network.internet_gateways.get(id);
            match gateway.ok_or_else(|| super::internet::no_gateway(id))?.vpc.as_deref() == Some(vpc) {
                true => Ok(()),
                false => {
                    Err(invalid(format!("route table and network gateway {id} belong to different networks")))
                }
            }
        }
        Target::Nat(id) => network.nat_gateways.get(id).map(|_| ()).ok_or_else(|| super::nat::no_gateway(id)),
    }
}

fn table<'a>(network: &'a Network, id: &str) -> Result<&'a RouteTable, ServiceError> {
    network.route_tables.get(id).ok_or_else(|| no_table(id))
}

/// The table an association is with, and its subnet.
fn association(network: &Network, id: &str) -> Result<(String, Option<String>), ServiceError> {
    let found = network
        .route_tables
        .iter()
        .find_map(|(table, own)| Some((table.clone(), own.associations.get(id)?.clone())));
    found.ok_or_else(|| {
        fault("InvalidAssociationID.NotFound", format!("The association ID '{id}' does not exist"))
    })
}

pub(super) fn no_table(id: &str) -> ServiceError {
    fault("InvalidRouteTableID.NotFound", format!("The routeTable ID '{id}' does not exist"))
}

fn no_route(table: &str, destination: &str) -> ServiceError {
    let message = format!("no route with destination-cidr-block {destination} in route table {table}");
    fault("InvalidRoute.NotFound", message)
}

fn shown(network: &Network, id: &str, table: &RouteTable, caller: &Caller) -> Value {
    let associations = table.associations.iter().map(|(association, subnet)| {
        let mut shown = json!({
            "Main": subnet.is_none(),
            "RouteTableAssociationId": association,
            "RouteTableId": id,
            "AssociationState": { "State": "associated" },
        });
        if let Some(subnet) = subnet {
            shown["SubnetId"] = subnet.as_str().into();
        }
        shown
    });
    let routes = table.routes.iter().map(|route| {
        let (member, target, is_there) = match &route.target {
            Target::Gateway(id) => (
                "GatewayId",
                id,
                id == "local" || network.internet_gateways.get(id).is_some_and(|one| one.vpc.is_some()),
            ),
            Target::Nat(id) => ("NatGatewayId", id, network.nat_gateways.contains_key(id)),
        };
        json!({
            "DestinationCidrBlock": route.destination,
            member: target,
            "Origin": if route.inborn { "CreateRouteTable" } else { "CreateRoute" },
            "State": if is_there { "active" } else { "blackhole" },
        })
    });
    json!({
        "Associations": associations.collect::<Vec<_>>(),
        "PropagatingVgws": [],
        "RouteTableId": id,
        "Routes": routes.collect::<Vec<_>>(),
        "VpcId": table.vpc,
        "OwnerId": &*caller.account,
        "Tags": network.tags_of(id),
    })
}
