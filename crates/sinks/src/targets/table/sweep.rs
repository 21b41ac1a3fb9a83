//! The end of a copy over items that were there: what it did not bring goes, as deletes do.

use super::calls::{OWN, Tables, own, text_of, told, tree};
use super::lane::LANE;
use super::look::name_of;
use super::state::{lane_owner, seen_owner};
use crate::config::Deletes;
use crate::mapping::Mapping;
use crate::targets::ledger::fenced;
use crate::{Error, Kind};
use model::Item;
use serde_json::{Value as Json, json};
use std::collections::HashSet;
use world::Timestamp;

/// Operations of one transaction, beside the fence.
const OPERATIONS: usize = 90;

/// Whose pipeline it is, and what sweeps.
pub struct Sweep<'a> {
    pub pipeline: &'a str,
    pub mapping: &'a Mapping,
    pub epoch: i64,
    pub now_ms: u64,
}

impl Sweep<'_> {
    pub fn run(&self, tables: &mut Tables) -> Result<u64, Error> {
        let mapping = self.mapping;
        if mapping.deletes == Deletes::Ignore {
            return Ok(0);
        }
        let mut count = 0;
        // Marked ones are old enough to be left alone.
        let mut names = mapping.key.clone();
        if mapping.deletes == Deletes::Soft {
            names.push(mapping.deleted_at.clone());
        }
        tables.scan(&mapping.table, Some(&names), None, |tables, items| {
            let keys: Vec<Item> = items
                .iter()
                .filter(|item| mapping.deletes != Deletes::Soft || !item.contains(&mapping.deleted_at))
                .map(|item| mapping.key_of_item(item))
                .collect();
            let entries: Vec<Item> =
                keys.iter().map(|key| own(&seen_owner(self.pipeline), &name_of(key))).collect();
            let found = tables.get_all(OWN, &entries).map_err(told)?;
            let seen: HashSet<&str> = found.iter().filter_map(|entry| text_of(entry, "entry")).collect();
            let old: Vec<&Item> = keys.iter().filter(|key| !seen.contains(name_of(key).as_str())).collect();
            for keys in old.chunks(OPERATIONS) {
                self.remove(tables, keys)?;
                count += keys.len() as u64;
            }
            Ok(true)
        })?;
        Ok(count)
    }

    fn remove(&self, tables: &mut Tables, keys: &[&Item]) -> Result<(), Error> {
        let at = format!("{}Z", Timestamp::from_millis(self.now_ms).iso_seconds());
        let table = &self.mapping.table;
        let mut operations = vec![json!({ "ConditionCheck": {
            "TableName": OWN, "Key": tree(&own(&lane_owner(self.pipeline, 0), LANE)),
            "ConditionExpression": "epoch = :epoch",
            "ExpressionAttributeValues": { ":epoch": { "N": self.epoch.to_string() } },
        } })];
        operations.extend(keys.iter().map(|key| match self.mapping.deletes {
            Deletes::Soft => json!({ "Update": {
                "TableName": table, "Key": tree(key), "UpdateExpression": "SET #d = :d",
                "ExpressionAttributeNames": { "#d": self.mapping.deleted_at },
                "ExpressionAttributeValues": { ":d": { "S": at } },
            } }),
            _ => json!({ "Delete": { "TableName": table, "Key": tree(key) } }),
        }));
        let asked: Json = json!({ "TransactItems": operations });
        match tables.call("TransactWriteItems", &asked) {
            Ok(_) => Ok(()),
            Err(fault) if fault.reason(0) == Some("ConditionalCheckFailed") => Err(fenced()),
            Err(fault) => Err(fault.of(Kind::Target)),
        }
    }
}
