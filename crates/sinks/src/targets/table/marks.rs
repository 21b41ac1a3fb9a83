//! How far a pipeline is, as entries of its lanes.

use super::calls::{OWN, number, number_of, own, text_of, told, tree};
use super::state::{MARK, STATE, State, lane_owner};
use crate::Error;
use crate::join::{Mark, ShardId, Track};
use crate::source::Fault;
use crate::targets::ledger::{Ledger, fenced};
use crate::targets::marks::{Marks, add_mark, read_mark, read_track, write_mark, write_track};
use model::{Item, Value};
use serde_json::{Value as Json, json};

/// Of one TransactWriteItems.
const OPERATIONS_MAX: usize = 100;

pub fn mark_fields(mark: Option<&Mark>, ended: i64) -> Item {
    let (text, pages) = write_mark(mark);
    let mut fields = Item::new();
    if let Some(text) = text {
        fields.insert("mark", Value::S(text.to_owned()));
    }
    if let Some(pages) = pages {
        fields.insert("pages", number(pages));
    }
    fields.insert("ended", number(ended));
    fields
}

/// None: it cannot be read.
pub fn read_mark_entry(entry: &Item) -> Option<(Track, (Option<Mark>, i64))> {
    let track = read_track(text_of(entry, "entry")?.strip_prefix(MARK)?)?;
    let mark = read_mark(&track, text_of(entry, "mark"), number_of(entry, "pages"))?;
    Some((track, (mark, number_of(entry, "ended").unwrap_or_default())))
}

impl State {
    /// By track and lane.
    pub(super) fn all_marks(&mut self, lanes: usize) -> Result<Marks, Error> {
        let mut marks = Marks::new();
        for lane in 0..lanes {
            for entry in self.tables.entries(&lane_owner(&self.pipeline, lane), MARK, None).map_err(told)? {
                let (track, (mark, ended)) = read_mark_entry(&entry).ok_or_else(|| self.damaged("mark"))?;
                add_mark(&mut marks, lanes, (track, lane), mark, ended);
            }
        }
        Ok(marks)
    }

    /// What is done to the marks of some shards, of each all or none, as long as the pipeline is this runner's.
    pub(super) fn of_shards(
        &mut self,
        shards: &[ShardId],
        epoch: i64,
        operation: impl Fn(Item, usize) -> Json,
    ) -> Result<(), Error> {
        let lanes = self.load()?.map_or(0, |kept| kept.stored.plan.lanes);
        let fence = json!({ "ConditionCheck": {
            "TableName": OWN, "Key": tree(&own(&self.owner(), STATE)), "ConditionExpression": "epoch = :epoch",
            "ExpressionAttributeValues": { ":epoch": { "N": epoch.to_string() } },
        } });
        for shards in shards.chunks((OPERATIONS_MAX - 1) / lanes.max(1)) {
            let mut operations = vec![fence.clone()];
            for shard in shards {
                let entry = format!("{MARK}{}", write_track(&Track::Shard(shard.clone())));
                let key = |lane| own(&lane_owner(&self.pipeline, lane), &entry);
                operations.extend((0..lanes).map(|lane| operation(key(lane), lane)));
            }
            match self.tables.call("TransactWriteItems", &json!({ "TransactItems": operations })) {
                Ok(_) => {}
                Err(Fault::Refused { reasons, .. })
                    if reasons.first().is_some_and(|(code, _)| code == "ConditionalCheckFailed") =>
                {
                    return Err(fenced());
                }
                Err(fault) => return Err(told(fault)),
            }
        }
        Ok(())
    }
}
