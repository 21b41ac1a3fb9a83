//! What a table is set to.

use crate::expiry::Expiry;
use crate::history::History;
use crate::{Billing, Encryption, OnDemandLimits, Reserve, Restore, TableClass, Throughput};
use serde::{Deserialize, Serialize};
use world::Timestamp;

#[derive(Serialize, Deserialize)]
pub(crate) enum BillingRecord {
    OnDemand { since_ms: Option<u64> },
    Provisioned { read_units: u64, write_units: u64 },
}

impl BillingRecord {
    pub fn of(billing: Billing) -> BillingRecord {
        match billing {
            Billing::OnDemand { since } => BillingRecord::OnDemand { since_ms: since.map(Timestamp::millis) },
            Billing::Provisioned(Throughput { read_units, write_units }) => {
                BillingRecord::Provisioned { read_units, write_units }
            }
        }
    }

    pub fn read(self) -> Billing {
        match self {
            BillingRecord::OnDemand { since_ms } => {
                Billing::OnDemand { since: since_ms.map(Timestamp::from_millis) }
            }
            BillingRecord::Provisioned { read_units, write_units } => {
                Billing::Provisioned(Throughput { read_units, write_units })
            }
        }
    }
}

/// Read units, then write units.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct ReserveRecord {
    on_demand: Option<(Option<u64>, Option<u64>)>,
    warm: Option<(u64, u64)>,
}

impl ReserveRecord {
    pub fn is_empty(&self) -> bool {
        self.on_demand.is_none() && self.warm.is_none()
    }

    pub fn of(reserve: Reserve) -> ReserveRecord {
        ReserveRecord {
            on_demand: reserve.on_demand.map(|limits| (limits.read_units_max, limits.write_units_max)),
            warm: reserve.warm.map(|units| (units.read_units, units.write_units)),
        }
    }

    pub fn read(self) -> Reserve {
        Reserve {
            on_demand: self
                .on_demand
                .map(|(read_units_max, write_units_max)| OnDemandLimits { read_units_max, write_units_max }),
            warm: self.warm.map(|(read_units, write_units)| Throughput { read_units, write_units }),
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum ClassRecord {
    Standard,
    InfrequentAccess,
}

impl ClassRecord {
    pub fn of(class: TableClass) -> ClassRecord {
        match class {
            TableClass::Standard => ClassRecord::Standard,
            TableClass::InfrequentAccess => ClassRecord::InfrequentAccess,
        }
    }

    pub fn read(self) -> TableClass {
        match self {
            ClassRecord::Standard => TableClass::Standard,
            ClassRecord::InfrequentAccess => TableClass::InfrequentAccess,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct EncryptionRecord {
    kms_key_arn: Option<String>,
}

impl EncryptionRecord {
    pub fn of(Encryption { kms_key_arn }: &Encryption) -> EncryptionRecord {
        EncryptionRecord { kms_key_arn: kms_key_arn.clone() }
    }

    pub fn read(self) -> Encryption {
        Encryption { kms_key_arn: self.kms_key_arn }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ExpiryRecord {
    id: u64,
    attribute: String,
    backfilling: bool,
}

impl ExpiryRecord {
    pub fn of(expiry: &Expiry) -> ExpiryRecord {
        ExpiryRecord {
            id: expiry.id,
            attribute: expiry.attribute.to_string(),
            backfilling: expiry.backfilling,
        }
    }

    pub fn read(self) -> Expiry {
        Expiry { id: self.id, attribute: self.attribute.into(), backfilling: self.backfilling }
    }
}

/// Where a restored table comes from.
#[derive(Serialize, Deserialize)]
pub(crate) struct RestoreRecord {
    backup: u64,
    backup_arn: String,
    table_arn: String,
    at_ms: u64,
    in_progress: bool,
    /// Of a table that was brought back to a moment: that moment, and `backup` is the source's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_ms: Option<u64>,
}

impl RestoreRecord {
    pub fn of(restore: &Restore) -> RestoreRecord {
        RestoreRecord {
            backup: restore.backup,
            backup_arn: restore.backup_arn.clone(),
            table_arn: restore.table_arn.clone(),
            at_ms: restore.at.millis(),
            in_progress: restore.in_progress,
            until_ms: restore.until.map(Timestamp::millis),
        }
    }

    pub fn read(self) -> Restore {
        Restore {
            backup: self.backup,
            backup_arn: self.backup_arn,
            table_arn: self.table_arn,
            at: Timestamp::from_millis(self.at_ms),
            in_progress: self.in_progress,
            until: self.until_ms.map(Timestamp::from_millis),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct HistoryRecord {
    id: u64,
    since_ms: u64,
    days: u32,
}

impl HistoryRecord {
    pub fn of(History { id, since, days }: History) -> HistoryRecord {
        HistoryRecord { id, since_ms: since.millis(), days }
    }

    pub fn read(self) -> History {
        History { id: self.id, since: Timestamp::from_millis(self.since_ms), days: self.days }
    }
}
