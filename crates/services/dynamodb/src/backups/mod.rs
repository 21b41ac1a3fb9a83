//! Backups on demand, and tables made of them or of another table's past: one operation, one file; and what they have in common.

mod create;
mod delete;
mod describe;
mod list;
mod recover;
mod restore;

pub(super) use create::create_backup;
pub(super) use delete::delete_backup;
pub(super) use describe::describe_backup;
pub(super) use list::list_backups;
pub(super) use recover::restore_table_to_point_in_time;
pub(super) use restore::restore_table_from_backup;

use super::capacity::{self, Warmth};
use super::description;
use super::fault::{Fault, control};
use engine::{Backup, BackupStatus, Billing, Error, ErrorKind, IndexSpec, Throughput};
use serde_json::{Value as Json, json};

fn status(backup: &Backup) -> &'static str {
    match backup.status {
        BackupStatus::Creating => "CREATING",
        BackupStatus::Available => "AVAILABLE",
    }
}

fn details(backup: &Backup, status: &str) -> Json {
    json!({
        "BackupArn": backup.arn,
        "BackupName": backup.name,
        "BackupSizeBytes": backup.bytes,
        "BackupStatus": status,
        "BackupType": "USER",
        "BackupCreationDateTime": backup.created.seconds_f64(),
    })
}

/// All there is to say of a backup.
fn described(backup: &Backup, status: &str) -> Json {
    let source = &backup.source;
    let (units, mode) = match source.billing {
        Billing::Provisioned(units) => (units, "PROVISIONED"),
        Billing::OnDemand { .. } => (Throughput::default(), "PAY_PER_REQUEST"),
    };
    let mut table = json!({
        "TableName": &*source.name,
        "TableId": source.id,
        "TableArn": source.arn(),
        "TableSizeBytes": backup.bytes,
        "KeySchema": description::key_schema(&source.key),
        "TableCreationDateTime": source.created.seconds_f64(),
        "ProvisionedThroughput": units_of(units),
        "ItemCount": backup.items,
        "BillingMode": mode,
    });
    capacity::describe(&source.billing, source.reserve, Warmth::Coming, |member, told| table[member] = told);
    let mut features = json!({});
    let index = |index: &IndexSpec| {
        json!({
            "IndexName": &*index.name,
            "KeySchema": description::key_schema(&index.key),
            "Projection": description::projection(&index.projection),
        })
    };
    if !source.local.is_empty() {
        features["LocalSecondaryIndexes"] = source.local.iter().map(index).collect();
    }
    if !source.global.is_empty() {
        let global = |global: &IndexSpec| {
            let mut told = index(global);
            told["ProvisionedThroughput"] = units_of(global.throughput.unwrap_or_default());
            told
        };
        features["GlobalSecondaryIndexes"] = source.global.iter().map(global).collect();
    }
    if let Some(view) = source.stream {
        features["StreamDescription"] = json!({ "StreamEnabled": true, "StreamViewType": view.as_str() });
    }
    if let Some(encryption) = &source.encryption {
        features["SSEDescription"] = description::encryption(encryption);
    }
    json!({
        "BackupDetails": details(backup, status),
        "SourceTableDetails": table,
        "SourceTableFeatureDetails": features,
    })
}

fn units_of(units: Throughput) -> Json {
    json!({ "ReadCapacityUnits": units.read_units, "WriteCapacityUnits": units.write_units })
}

/// What the engine refuses, by the names that operations on backups have for it.
pub(super) fn refused(error: Error, table: &str) -> Fault {
    match error.kind {
        ErrorKind::TableNotFound => Fault::new("TableNotFoundException", format!("Table not found: {table}")),
        ErrorKind::TableExists => {
            Fault::new("TableAlreadyExistsException", format!("Table already exists: {table}"))
        }
        ErrorKind::NotRecoverable => Fault::new("PointInTimeRecoveryUnavailableException", error.message),
        ErrorKind::NotThen => Fault::new("InvalidRestoreTimeException", error.message),
        ErrorKind::TableInUse => Fault::new("TableInUseException", error.message),
        _ => control(error, table),
    }
}
