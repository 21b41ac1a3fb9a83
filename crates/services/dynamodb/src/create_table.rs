//! CreateTable.

use super::compatibility::refuse;
use super::fault::{Fault, control, parameter, validation};
use super::schema::{
    attributes, check_distinct, check_indexes, check_used, global_indexes, local_indexes, table_keys,
    throughput,
};
use super::tree::Tree;
use super::{Body, Dynamodb, capacity, description, names, policies, scope, tags};
use engine::stream::ViewType;
use engine::{Billing, Encryption, IndexSpec, Reserve, TableClass, TableSpec, Throughput};
use serde_json::json;
use servicekit::call::{Call, Caller};

pub(super) async fn create_table(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.unchecked_input()?;
    let tree = Tree::of(&input);
    // The name comes before everything else, and in words of its own. [suite: createTable, missing TableName]
    let Some(given) = tree.text("TableName") else {
        return Err(validation("The parameter 'TableName' is required but was not present in the request"));
    };
    let name = names::new_table(given, &call.caller)?.to_owned();
    call.check(&input)?;
    refuse(call, tree)?;
    let spec = spec(tree, &name, &call.caller)?;
    let policy = tree.text("ResourcePolicy").map(policies::check).transpose()?.map(str::to_owned);
    let scope = scope(&call.caller);
    let created = dynamodb.blocking(move |engine| engine.create_table(&scope, spec)).await?;
    let created = created.map_err(|error| control(error, &name))?;
    if let Some(policy) = policy {
        let table = dynamodb.table(&call.caller, &name)?;
        dynamodb.policies.begin(&table, policy, dynamodb.world.now()).await?;
    }
    Ok(json!({ "TableDescription": description::table(&created) }).to_string().into_bytes())
}

pub(super) fn spec(input: Tree<'_>, name: &str, caller: &Caller) -> Result<TableSpec, Fault> {
    // The model does not require them, for tables that are made another way.
    for (member, path) in [("AttributeDefinitions", "attributeDefinitions"), ("KeySchema", "keySchema")] {
        if !input.has(member) {
            return Err(validation(format!(
                "1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null"
            )));
        }
    }
    let attributes = attributes(input);
    check_distinct(&attributes)?;
    let billing = billing(input)?;
    let key = table_keys(input, &attributes)?;
    let local = local_indexes(input, &attributes, &key)?;
    let mut global = global_indexes(input, &attributes)?;
    for (index, tree) in global.iter_mut().zip(input.structures("GlobalSecondaryIndexes")) {
        check_throughput(index, &billing)?;
        index.reserve = index_reserve(tree, index, &billing)?;
    }
    check_indexes(local.iter().chain(&global))?;
    check_used(&attributes, &key, local.iter().chain(&global))?;
    let reserve = capacity::reserve(input, &billing, Reserve::default(), "table")?;
    Ok(TableSpec {
        name: name.into(),
        key,
        attributes,
        local,
        global,
        billing,
        stream: stream(input)?,
        class: input.text("TableClass").map(class),
        deletion_protection: input.flag("DeletionProtectionEnabled").unwrap_or_default(),
        encryption: encryption(input, "SSESpecification", caller)?,
        reserve,
        tags: tags::given(input)?,
    })
}

fn billing(input: Tree<'_>) -> Result<Billing, Fault> {
    match (input.text("BillingMode"), throughput(input)) {
        (Some("PAY_PER_REQUEST"), None) => Ok(Billing::OnDemand { since: None }),
        (Some("PAY_PER_REQUEST"), Some(_)) => Err(parameter(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        )),
        (_, Some(units)) => {
            check_bounds(units, "table")?;
            Ok(Billing::Provisioned(units))
        }
        (_, None) => Err(parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        )),
    }
}

/// No account has more than this.
const UNITS_MAX: u64 = 1_000_000_000_000;

pub(super) fn check_bounds(units: Throughput, of: &str) -> Result<(), Fault> {
    for (member, value) in
        [("ReadCapacityUnits", units.read_units), ("WriteCapacityUnits", units.write_units)]
    {
        if value > UNITS_MAX {
            return Err(validation(format!("Given value {value} for {member} is out of bounds for {of}")));
        }
    }
    Ok(())
}

/// A global index has throughput of its own exactly when its table is provisioned.
pub(super) fn check_throughput(index: &IndexSpec, billing: &Billing) -> Result<(), Fault> {
    let name = &index.name;
    match (billing, index.throughput) {
        (Billing::Provisioned(_), Some(units)) => check_bounds(units, &format!("index {name}")),
        (Billing::Provisioned(_), None) => {
            Err(parameter(format!("ProvisionedThroughput must be specified for index: {name}")))
        }
        (Billing::OnDemand { .. }, Some(_)) => Err(parameter(format!(
            "ProvisionedThroughput should not be specified for index: {name} when BillingMode is PAY_PER_REQUEST"
        ))),
        (Billing::OnDemand { .. }, None) => Ok(()),
    }
}

/// What a new index asks for beyond its billing.
pub(super) fn index_reserve(tree: Tree<'_>, index: &IndexSpec, billing: &Billing) -> Result<Reserve, Fault> {
    let billing = index.throughput.map_or(*billing, Billing::Provisioned);
    capacity::reserve(tree, &billing, Reserve::default(), &format!("index {}", index.name))
}

fn stream(input: Tree<'_>) -> Result<Option<ViewType>, Fault> {
    let Some(stream) = input.structure("StreamSpecification") else {
        return Ok(None);
    };
    match (stream.flag("StreamEnabled").unwrap_or_default(), stream.text("StreamViewType")) {
        (true, Some(view)) => Ok(ViewType::parse(view)),
        (true, None) => {
            Err(parameter("Table is being created with a stream enabled, UpdateViewType is required"))
        }
        (false, Some(_)) => Err(parameter(
            "Table is being created with a stream disabled, UpdateViewType should not be specified",
        )),
        (false, None) => Ok(None),
    }
}

pub(super) fn class(word: &str) -> TableClass {
    match word {
        "STANDARD_INFREQUENT_ACCESS" => TableClass::InfrequentAccess,
        _ => TableClass::Standard,
    }
}

/// The key that encrypts: the client's, or the one that the account has for this service.
pub(super) fn encryption(
    input: Tree<'_>,
    member: &str,
    caller: &Caller,
) -> Result<Option<Encryption>, Fault> {
    let Some(sse) = input.structure(member) else { return Ok(None) };
    if sse.text("SSEType") == Some("AES256") {
        return Err(parameter("SSEType AES256 is not supported"));
    }
    if sse.flag("Enabled") != Some(true) {
        return match sse.has("SSEType") || sse.has("KMSMasterKeyId") {
            true => Err(parameter("SSEType and KMSMasterKeyId can only be specified when SSE is enabled")),
            false => Ok(None),
        };
    }
    let own = servicekit::ids::managed_key(&caller.account, &caller.region, "dynamodb");
    let arn = match sse.text("KMSMasterKeyId").unwrap_or(&own) {
        arn if arn.starts_with("arn:") => arn.to_owned(),
        alias if alias.starts_with("alias/") => {
            format!("arn:aws:kms:{}:{}:{alias}", caller.region, caller.account)
        }
        id => format!("arn:aws:kms:{}:{}:key/{id}", caller.region, caller.account),
    };
    Ok(Some(Encryption { kms_key_arn: Some(arn) }))
}
