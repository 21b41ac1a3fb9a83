//! The parameters that this server does not have, by operation.
//!
//! Operations refuse by this list, and `docs/compatibility.md` is written from it: neither can forget the other.

use super::fault::{Fault, parameter};
use super::tree::Tree;
use servicekit::call::Call;

/// Parameters that would change what is made, so that ignoring them would be a lie.
pub(super) const REFUSED: &[(&str, &[&str])] = &[
    ("CreateTable", &["GlobalTableSourceArn", "GlobalTableSettingsReplicationMode", "VectorIndexes"]),
    ("ExportTableToPointInTime", &["FilterSpecification"]),
    ("RestoreTableFromBackup", &["VectorIndexOverride"]),
    ("RestoreTableToPointInTime", &["VectorIndexOverride"]),
    (
        "UpdateTable",
        &[
            "ReplicaUpdates",
            "MultiRegionConsistency",
            "GlobalTableWitnessUpdates",
            "GlobalTableSettingsReplicationMode",
            "DisassociationProtectionEnabled",
            "VectorIndexUpdates",
        ],
    ),
];

/// The parameters of an operation that it refuses.
pub(super) fn refused(operation: &str) -> &'static [&'static str] {
    let found = REFUSED.iter().find(|(name, _)| *name == operation);
    found.map_or(&[], |(_, members)| members)
}

/// Refuses, by its name, a parameter that the operation does not have here.
pub(super) fn refuse(call: &Call, input: Tree<'_>) -> Result<(), Fault> {
    match refused(call.operation.name).iter().find(|member| input.has(member)) {
        Some(member) => Err(parameter(format!("{member} is not supported by this server"))),
        None => Ok(()),
    }
}
