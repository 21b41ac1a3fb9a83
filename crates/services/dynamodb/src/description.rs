//! A table's description, as five operations tell it.

use super::capacity::{self, Warmth};
use engine::{
    Billing, Encryption, IndexDescription, IndexStatus, KeyPart, KeySchema, ProjectionKind, TableClass,
    TableDescription, TableStatus, Throughput,
};
use serde_json::{Map, Value as Json, json};

/// The whole description.
pub(super) fn table(table: &TableDescription) -> Json {
    let mut out = outline(table);
    set(&mut out, "AttributeDefinitions", attributes(&table.attributes));
    set(&mut out, "KeySchema", key_schema(&table.key));
    set(&mut out, "CreationDateTime", json!(table.created.seconds_f64()));
    if !table.local.is_empty() {
        set(&mut out, "LocalSecondaryIndexes", table.local.iter().map(local_index).collect());
    }
    if !table.global.is_empty() {
        let on_demand = matches!(table.billing, Billing::OnDemand { .. });
        let creating = table.status == TableStatus::Creating;
        let describe = |index| global_index(index, on_demand, creating);
        set(&mut out, "GlobalSecondaryIndexes", table.global.iter().map(describe).collect());
    }
    if let Some(stream) = &table.stream {
        if stream.enabled {
            let view = stream.view.as_str();
            set(&mut out, "StreamSpecification", json!({ "StreamEnabled": true, "StreamViewType": view }));
        }
        set(&mut out, "LatestStreamLabel", json!(stream.label));
        set(&mut out, "LatestStreamArn", json!(stream.arn));
    }
    if let Some(encryption) = &table.encryption {
        set(&mut out, "SSEDescription", self::encryption(encryption));
    }
    if let Some(restore) = &table.restore {
        let mut summary = json!({
            "SourceTableArn": restore.table_arn,
            "RestoreDateTime": restore.at.seconds_f64(),
            "RestoreInProgress": restore.in_progress,
        });
        if restore.until.is_none() {
            summary["SourceBackupArn"] = json!(restore.backup_arn);
        }
        set(&mut out, "RestoreSummary", summary);
    }
    if let Some(class) = table.class {
        set(&mut out, "TableClassSummary", json!({ "TableClass": class_name(class) }));
    }
    let warmth = if table.status == TableStatus::Creating { Warmth::Coming } else { Warmth::Ready };
    capacity::describe(&table.billing, table.reserve, warmth, |member, told| set(&mut out, member, told));
    Json::Object(out)
}

pub(super) fn encryption(encryption: &Encryption) -> Json {
    encrypted(encryption, "ENABLED")
}

/// Of a table whose key is being changed, or which goes back to the service's own.
pub(super) fn encrypting(encryption: &Encryption) -> Json {
    encrypted(encryption, "UPDATING")
}

fn encrypted(encryption: &Encryption, status: &str) -> Json {
    let mut sse = json!({ "Status": status, "SSEType": "KMS" });
    if let Some(arn) = &encryption.kms_key_arn {
        sse["KMSMasterKeyArn"] = json!(arn);
    }
    sse
}

/// What is left to say of a table that is being deleted: nothing of its schema.
pub(super) fn deleted_table(table: &TableDescription) -> Json {
    Json::Object(outline(table))
}

fn outline(table: &TableDescription) -> Map<String, Json> {
    let mut out = Map::new();
    set(&mut out, "TableName", json!(&*table.name));
    set(&mut out, "TableStatus", json!(status(table.status)));
    set(&mut out, "TableArn", json!(table.arn));
    set(&mut out, "TableId", json!(table.id));
    set(&mut out, "ItemCount", json!(table.items));
    set(&mut out, "TableSizeBytes", json!(table.bytes));
    set(&mut out, "DeletionProtectionEnabled", json!(table.deletion_protection));
    let (units, on_demand) = match table.billing {
        Billing::Provisioned(units) => (units, None),
        Billing::OnDemand { since } => (Throughput { read_units: 0, write_units: 0 }, Some(since)),
    };
    set(&mut out, "ProvisionedThroughput", throughput(units));
    if let Some(since) = on_demand {
        let mut summary = json!({ "BillingMode": "PAY_PER_REQUEST" });
        if let Some(since) = since.filter(|_| table.status != TableStatus::Creating) {
            summary["LastUpdateToPayPerRequestDateTime"] = json!(since.seconds_f64());
        }
        set(&mut out, "BillingModeSummary", summary);
    }
    out
}

fn set(out: &mut Map<String, Json>, member: &str, value: Json) {
    out.insert(member.to_owned(), value);
}

pub(super) fn key_schema(schema: &KeySchema) -> Json {
    let element = |part: &KeyPart, kind| json!({ "AttributeName": &*part.name, "KeyType": kind });
    let hash = schema.hash.iter().map(|part| element(part, "HASH"));
    hash.chain(schema.range.iter().map(|part| element(part, "RANGE"))).collect()
}

fn attributes(attributes: &[KeyPart]) -> Json {
    let define =
        |part: &KeyPart| json!({ "AttributeName": &*part.name, "AttributeType": part.kind.as_str() });
    attributes.iter().map(define).collect()
}

fn throughput(units: Throughput) -> Json {
    json!({
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": units.read_units,
        "WriteCapacityUnits": units.write_units,
    })
}

fn index(index: &IndexDescription) -> Json {
    json!({
        "IndexName": &*index.name,
        "KeySchema": key_schema(&index.key),
        "Projection": projection(&index.projection),
        "IndexSizeBytes": index.bytes,
        "ItemCount": index.items,
        "IndexArn": index.arn,
    })
}

fn local_index(description: &IndexDescription) -> Json {
    index(description)
}

fn global_index(description: &IndexDescription, on_demand: bool, with_table: bool) -> Json {
    let mut out = index(description);
    out["IndexStatus"] = json!(match description.status {
        IndexStatus::Creating => "CREATING",
        IndexStatus::Active => "ACTIVE",
        IndexStatus::Deleting => "DELETING",
        IndexStatus::Updating => "UPDATING",
    });
    // One that is made with its table has nothing to be filled from. [suite: recorded answers]
    if description.status == IndexStatus::Creating && !with_table {
        out["Backfilling"] = json!(description.backfilling);
    }
    let none = Throughput { read_units: 0, write_units: 0 };
    let units = description.throughput.filter(|_| !on_demand).unwrap_or(none);
    out["ProvisionedThroughput"] = throughput(units);
    let billing = if on_demand { Billing::OnDemand { since: None } } else { Billing::Provisioned(units) };
    let warmth = if description.status == IndexStatus::Creating { Warmth::Coming } else { Warmth::Ready };
    capacity::describe(&billing, description.reserve, warmth, |member, told| out[member] = told);
    out
}

pub(super) fn projection(kind: &ProjectionKind) -> Json {
    match kind {
        ProjectionKind::All => json!({ "ProjectionType": "ALL" }),
        ProjectionKind::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
        ProjectionKind::Include(names) => {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": names })
        }
    }
}

fn class_name(class: TableClass) -> &'static str {
    match class {
        TableClass::Standard => "STANDARD",
        TableClass::InfrequentAccess => "STANDARD_INFREQUENT_ACCESS",
    }
}

fn status(status: TableStatus) -> &'static str {
    match status {
        TableStatus::Creating => "CREATING",
        TableStatus::Updating => "UPDATING",
        TableStatus::Active => "ACTIVE",
        TableStatus::Deleting => "DELETING",
    }
}
