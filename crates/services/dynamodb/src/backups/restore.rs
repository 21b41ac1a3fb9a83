//! RestoreTableFromBackup.

use super::super::compatibility::refuse;
use super::super::create_table::{check_bounds, encryption};
use super::super::fault::{Fault, parameter};
use super::super::schema::throughput_of;
use super::super::tree::Tree;
use super::super::{Body, Dynamodb, capacity, description, names, scope};
use super::refused;
use engine::{BackupSource, Billing, IndexSpec, Reserve, TableSpec, Throughput};
use serde_json::json;
use servicekit::call::{Call, Caller};

pub(in super::super) async fn restore_table_from_backup(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let tree = Tree::of(&input);
    refuse(call, tree)?;
    let name = names::new_table(tree.text("TargetTableName").unwrap_or_default(), &call.caller)?.to_owned();
    let arn = tree.text("BackupArn").unwrap_or_default().to_owned();
    let scope = scope(&call.caller);
    let backup = dynamodb.engine.backup(&scope, &arn).map_err(|error| refused(error, &name))?;
    let spec = spec(tree, &name, backup.source, &call.caller)?;
    let made = dynamodb.blocking(move |engine| engine.restore_table(&scope, &arn, spec)).await?;
    let made = made.map_err(|error| refused(error, &name))?;
    Ok(json!({ "TableDescription": description::table(&made) }).to_string().into_bytes())
}

/// The table as it was, but for what the request overrides. Streams, tags, policies and time to live do not come back.
pub(super) fn spec(
    input: Tree<'_>,
    name: &str,
    source: BackupSource,
    caller: &Caller,
) -> Result<TableSpec, Fault> {
    let billing = billing(input, &source)?;
    let local = chosen(input, "LocalSecondaryIndexOverride", source.local)?;
    let mut global = chosen(input, "GlobalSecondaryIndexOverride", source.global)?;
    for index in &mut global {
        index.throughput = match billing {
            Billing::OnDemand { .. } => None,
            Billing::Provisioned(units) => Some(index.throughput.unwrap_or(units)),
        };
    }
    let mut reserve = match billing {
        Billing::OnDemand { .. } => source.reserve,
        Billing::Provisioned(_) => Reserve { on_demand: None, ..source.reserve },
    };
    if let Some(limits) = input.structure("OnDemandThroughputOverride") {
        reserve = capacity::limited(limits, &billing, reserve, "table")?;
    }
    let encryption = match input.has("SSESpecificationOverride") {
        true => encryption(input, "SSESpecificationOverride", caller)?,
        false => source.encryption,
    };
    let used = |part: &engine::KeyPart| {
        let keys = local.iter().chain(&global).map(|index: &IndexSpec| &index.key);
        source.key.contains(&part.name) || keys.into_iter().any(|key| key.contains(&part.name))
    };
    Ok(TableSpec {
        name: name.into(),
        attributes: source.attributes.iter().filter(|part| used(part)).cloned().collect(),
        key: source.key.clone(),
        local,
        global,
        billing,
        stream: None,
        class: None,
        deletion_protection: false,
        encryption,
        reserve,
        tags: Vec::new(),
    })
}

fn billing(input: Tree<'_>, source: &BackupSource) -> Result<Billing, Fault> {
    let units = throughput_of(input, "ProvisionedThroughputOverride");
    if let Some(units) = units {
        check_bounds(units, "table")?;
    }
    match (input.text("BillingModeOverride"), units, source.billing) {
        (Some("PAY_PER_REQUEST"), Some(_), _) | (None, Some(_), Billing::OnDemand { .. }) => Err(parameter(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        )),
        (Some("PAY_PER_REQUEST"), None, _) => Ok(Billing::OnDemand { since: None }),
        (_, Some(units), _) => Ok(Billing::Provisioned(units)),
        (Some(_), None, Billing::OnDemand { .. }) => Err(parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        )),
        (_, None, billing) => Ok(billing),
    }
}

/// Indexes may be left out, and given other throughput; none may be new or another than it was.
fn chosen(input: Tree<'_>, member: &str, known: Vec<IndexSpec>) -> Result<Vec<IndexSpec>, Fault> {
    if !input.has(member) {
        return Ok(known);
    }
    let mut chosen = Vec::new();
    for tree in input.structures(member) {
        let name = tree.text("IndexName").unwrap_or_default();
        let mut index = known
            .iter()
            .find(|index| *index.name == *name)
            .filter(|index| {
                tree.get("KeySchema") == Some(&description::key_schema(&index.key))
                    && tree.get("Projection") == Some(&description::projection(&index.projection))
            })
            .cloned()
            .ok_or_else(|| {
                parameter(format!("{member} may only name indexes of the source table, as they were: {name}"))
            })?;
        if chosen.iter().any(|earlier: &IndexSpec| earlier.name == index.name) {
            return Err(parameter(format!("Duplicate index name: {name}")));
        }
        let given: Option<Throughput> = throughput_of(tree, "ProvisionedThroughput");
        if let Some(units) = given {
            check_bounds(units, &format!("index {name}"))?;
        }
        index.throughput = given.or(index.throughput);
        chosen.push(index);
    }
    Ok(chosen)
}
