//! UpdateTable.

use super::compatibility::refuse;
use super::create_table::{check_bounds, check_throughput, class, encryption, index_reserve};
use super::fault::{Fault, control, limit_exceeded, parameter, validation};
use super::schema::{GLOBAL_INDEXES_MAX, attributes, index, throughput};
use super::tree::Tree;
use super::{Body, Dynamodb, capacity, description, names, scope};
use engine::stream::ViewType;
use engine::{
    Billing, IndexCapacity, IndexChange, IndexStatus, StreamChange, TableChange, TableDescription, Throughput,
};
use serde_json::json;
use servicekit::call::{Call, Caller};

/// Changes of which a request must have at least one.
const CHANGES: [&str; 9] = [
    "ProvisionedThroughput",
    "BillingMode",
    "StreamSpecification",
    "GlobalSecondaryIndexUpdates",
    "SSESpecification",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
    "TableClass",
];

pub(super) async fn update_table(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let name = names::table(input.text("TableName").unwrap_or_default(), &call.caller)?.to_owned();
    refuse(call, input)?;
    check(input)?;
    let engine = &dynamodb.engine;
    let now = engine.table(&scope(&call.caller), &name).and_then(|table| engine.describe_table(&table));
    let now = now.map_err(|error| control(error, &name))?;
    let change = change(input, &now, &call.caller)?;
    let (scope, table) = (scope(&call.caller), name.clone());
    let updated = dynamodb.blocking(move |engine| engine.update_table(&scope, &table, change)).await?;
    let updated = updated.map_err(|error| control(error, &name))?;
    let mut told = description::table(&updated);
    // The key that comes, or the one that goes. [suite: recorded answers]
    if let Some(key) = updated.encryption.or(now.encryption).filter(|_| input.has("SSESpecification")) {
        told["SSEDescription"] = description::encrypting(&key);
    }
    if input.has("WarmThroughput") {
        told["WarmThroughput"]["Status"] = json!("UPDATING");
    }
    Ok(json!({ "TableDescription": told }).to_string().into_bytes())
}

/// What can be said of the request alone.
fn check(input: Tree<'_>) -> Result<(), Fault> {
    let has = |member: &&str| input.has(member) && input.list(member).is_none_or(|list| !list.is_empty());
    if !CHANGES.iter().any(has) {
        return Err(validation(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required",
        ));
    }
    for (member, spoken) in [
        ("SSESpecification", "Server-Side Encryption"),
        ("TableClass", "TableClass"),
        ("DeletionProtectionEnabled", "DeletionProtection"),
    ] {
        if input.has(member) && CHANGES.iter().any(|other| *other != member && input.has(other)) {
            return Err(parameter(format!(
                "{spoken} modification must be the only operation in the request"
            )));
        }
    }
    if input.has("StreamSpecification") {
        if input.has("ProvisionedThroughput") {
            return Err(parameter("You cannot modify stream status while updating table IOPS"));
        }
        if input.has("GlobalSecondaryIndexUpdates") {
            return Err(parameter("You cannot create or delete index while changing stream status"));
        }
    }
    if input.text("BillingMode") == Some("PAY_PER_REQUEST") && input.has("ProvisionedThroughput") {
        return Err(parameter(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        ));
    }
    if let Some(units) = throughput(input) {
        check_bounds(units, "table")?;
    }
    check_index_updates(input)
}

fn check_index_updates(input: Tree<'_>) -> Result<(), Fault> {
    let asked = || input.structures("GlobalSecondaryIndexUpdates");
    if asked().filter(|tree| tree.has("Create") || tree.has("Delete")).count() > 1 {
        return Err(limit_exceeded(
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        ));
    }
    let mut names: Vec<&str> = Vec::new();
    for tree in asked() {
        let (Update::Create(tree) | Update::Delete(tree) | Update::Change(tree)) = Update::of(tree)?;
        let name = tree.text("IndexName").unwrap_or_default();
        if names.contains(&name) {
            return Err(parameter(format!(
                "Only one global secondary index update per index is allowed simultaneously. Index: {name}"
            )));
        }
        names.push(name);
    }
    Ok(())
}

/// One entry of GlobalSecondaryIndexUpdates.
enum Update<'a> {
    Create(Tree<'a>),
    Delete(Tree<'a>),
    Change(Tree<'a>),
}

impl<'a> Update<'a> {
    fn of(tree: Tree<'a>) -> Result<Update<'a>, Fault> {
        match (tree.structure("Create"), tree.structure("Delete"), tree.structure("Update")) {
            (Some(create), None, None) => Ok(Update::Create(create)),
            (None, Some(delete), None) => Ok(Update::Delete(delete)),
            (None, None, Some(change)) => Ok(Update::Change(change)),
            (None, None, None) => Err(parameter(
                "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null",
            )),
            _ => Err(parameter(
                "Only one of Create, Update, or Delete may be specified in GlobalSecondaryIndexUpdate",
            )),
        }
    }
}

fn change(input: Tree<'_>, now: &TableDescription, caller: &Caller) -> Result<TableChange, Fault> {
    let billing = billing(input, now)?;
    let defined = attributes(input);
    for new in &defined {
        if now.attributes.iter().any(|known| known.name == new.name && known.kind != new.kind) {
            return Err(parameter(format!(
                "Attribute type cannot be redefined. AttributeName: {}",
                new.name
            )));
        }
    }
    let encryption =
        input.has("SSESpecification").then(|| encryption(input, "SSESpecification", caller)).transpose()?;
    let asks = input.has("OnDemandThroughput") || input.has("WarmThroughput");
    let reserve = asks
        .then(|| capacity::reserve(input, billing.as_ref().unwrap_or(&now.billing), now.reserve, "table"));
    Ok(TableChange {
        indexes: index_changes(input, now, billing.as_ref().unwrap_or(&now.billing))?,
        billing,
        stream: stream(input, now)?,
        class: input.text("TableClass").map(class),
        deletion_protection: input.flag("DeletionProtectionEnabled"),
        encryption,
        reserve: reserve.transpose()?,
        attributes: defined,
    })
}

fn billing(input: Tree<'_>, now: &TableDescription) -> Result<Option<Billing>, Fault> {
    let units = throughput(input);
    match (input.text("BillingMode"), units, now.billing) {
        (None, None, _) => Ok(None),
        (Some("PAY_PER_REQUEST"), _, Billing::OnDemand { .. }) => Ok(None),
        (Some("PAY_PER_REQUEST"), _, Billing::Provisioned(_)) => Ok(Some(Billing::OnDemand { since: None })),
        (None, Some(_), Billing::OnDemand { .. }) => Err(parameter(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        )),
        (Some(_), None, Billing::OnDemand { .. }) => Err(parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        )),
        (Some(_), None, Billing::Provisioned(_)) => Ok(None),
        (_, Some(units), Billing::Provisioned(known)) if units == known => Err(unchanged(known)),
        (_, Some(units), _) => Ok(Some(Billing::Provisioned(units))),
    }
}

fn unchanged(units: Throughput) -> Fault {
    let Throughput { read_units: read, write_units: write } = units;
    validation(format!(
        "The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: {read}. Requested ReadCapacityUnits: {read}. Current WriteCapacityUnits provisioned for the table: {write}. Requested WriteCapacityUnits: {write}. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    ))
}

fn stream(input: Tree<'_>, now: &TableDescription) -> Result<Option<StreamChange>, Fault> {
    let Some(stream) = input.structure("StreamSpecification") else {
        return Ok(None);
    };
    let enabled = now.stream.as_ref().is_some_and(|stream| stream.enabled);
    match (stream.flag("StreamEnabled").unwrap_or_default(), stream.text("StreamViewType")) {
        (true, None) => Err(parameter("If stream is being enabled then UpdateViewType is required")),
        (true, Some(_)) if enabled => {
            Err(validation(format!("Table already has an enabled stream: TableName: {}", now.name)))
        }
        (true, Some(view)) => Ok(ViewType::parse(view).map(StreamChange::Enable)),
        (false, Some(_)) => {
            Err(parameter("If stream is being disabled, then UpdateViewType must not be specified"))
        }
        (false, None) if !enabled => {
            Err(validation(format!("Table has no stream to disable: TableName: {}", now.name)))
        }
        (false, None) => Ok(Some(StreamChange::Disable)),
    }
}

fn index_changes(
    input: Tree<'_>,
    now: &TableDescription,
    billing: &Billing,
) -> Result<Vec<IndexChange>, Fault> {
    let change = |tree| {
        Ok(match Update::of(tree)? {
            Update::Create(create) => new_index(create, input, now, billing)?,
            Update::Delete(delete) => IndexChange::Delete(known(delete, now)?.into()),
            Update::Change(change) => {
                let name = known(change, now)?;
                IndexChange::Capacity(name.into(), index_capacity(change, name, now, billing)?)
            }
        })
    };
    input.structures("GlobalSecondaryIndexUpdates").map(change).collect()
}

fn index_capacity(
    update: Tree<'_>,
    name: &str,
    now: &TableDescription,
    billing: &Billing,
) -> Result<IndexCapacity, Fault> {
    let of = format!("index {name}");
    let known = now.global.iter().find(|index| *index.name == *name);
    let (was, before) = known.map(|index| (index.throughput, index.reserve)).unwrap_or_default();
    let given = throughput(update);
    if let Some(units) = given {
        check_bounds(units, &of)?;
        if matches!(billing, Billing::OnDemand { .. }) {
            return Err(parameter(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
            ));
        }
    } else if !update.has("OnDemandThroughput") && !update.has("WarmThroughput") {
        return Err(parameter(format!(
            "One of ProvisionedThroughput, OnDemandThroughput or WarmThroughput must be specified for {of}"
        )));
    }
    let throughput = given.or(was);
    let billing = match billing {
        Billing::Provisioned(_) => Billing::Provisioned(throughput.unwrap_or_default()),
        on_demand => *on_demand,
    };
    Ok(IndexCapacity { throughput, reserve: capacity::reserve(update, &billing, before, &of)? })
}

fn new_index(
    tree: Tree<'_>,
    input: Tree<'_>,
    now: &TableDescription,
    billing: &Billing,
) -> Result<IndexChange, Fault> {
    // An attribute that is a key already is defined again. [suite: alternator]
    let mut index = index(tree, &attributes(input))?;
    if now.local.iter().chain(&now.global).any(|known| known.name == index.name) {
        return Err(validation("Attempting to create an index which already exists"));
    }
    if now.global.len() >= GLOBAL_INDEXES_MAX {
        return Err(parameter(format!(
            "GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_INDEXES_MAX}"
        )));
    }
    check_throughput(&index, billing)?;
    index.reserve = index_reserve(tree, &index, billing)?;
    Ok(IndexChange::Create(index))
}

/// The name of an index that exists and is not on its way out.
fn known<'a>(tree: Tree<'a>, now: &TableDescription) -> Result<&'a str, Fault> {
    let name = tree.text("IndexName").unwrap_or_default();
    match now.global.iter().find(|index| *index.name == *name) {
        Some(index) if index.status != IndexStatus::Deleting => Ok(name),
        _ => Err(super::fault::no_resource()),
    }
}
