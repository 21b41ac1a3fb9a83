//! What a pipeline remembers: entries of one table beside the targets, by owner: the pipeline itself, and each lane.

use super::calls::{OWN, Tables, number, number_of, own, text_of, told, tree};
use super::lane::{GONE, LANE, lane_fields};
use super::marks::mark_fields;
use super::schema::{check_table, make_own, make_table};
use super::sweep::Sweep;
use crate::join::{Mark, ShardId, Stored, Track};
use crate::mapping::{Made, Mapping};
use crate::source::{Fault, Login};
use crate::targets::ledger::{Kept, Ledger, Quarantined, fenced};
use crate::targets::marks::{ENDED_AS_A_WHOLE, Marks, VERSION, VERSIONS, read_plan, write_plan, write_track};
use crate::{Error, Kind};
use model::{Item, Value};
use serde_json::{Value as Json, json};
use world::World;

pub const MARK: &str = "mark:";
pub const QUARANTINE: &str = "quarantine:";
pub const STATE: &str = "state";

pub struct State {
    pub(super) tables: Tables,
    pub(super) pipeline: String,
    world: World,
}

pub fn pipeline_owner(pipeline: &str) -> String {
    format!("pipeline:{pipeline}")
}

/// Of the names of rows of the copy under way.
pub fn seen_owner(pipeline: &str) -> String {
    format!("seen:{pipeline}")
}

pub fn lane_owner(pipeline: &str, lane: usize) -> String {
    format!("lane:{lane}:{pipeline}")
}

impl State {
    pub fn open(login: &Login, pipeline: &str, world: &World) -> Result<State, Error> {
        let tables = Tables::open(login, world)?;
        Ok(State { tables, pipeline: pipeline.to_owned(), world: world.clone() })
    }

    pub(super) fn owner(&self) -> String {
        pipeline_owner(&self.pipeline)
    }

    /// The pipeline's own entry; none: it has not begun, or nothing has begun here.
    fn own(&mut self) -> Result<Option<Item>, Error> {
        match self.tables.get(OWN, &own(&self.owner(), STATE)) {
            Err(fault) if fault.is("ResourceNotFoundException") => Ok(None),
            found => found.map_err(told),
        }
    }

    /// Changes the pipeline's entry; false: the condition does not hold.
    fn update(&mut self, change: &str, condition: &str, values: Json) -> Result<bool, Error> {
        let mut asked = json!({
            "TableName": OWN, "Key": tree(&own(&self.owner(), STATE)), "UpdateExpression": change,
            "ConditionExpression": condition, "ExpressionAttributeValues": values,
        });
        if change.contains("#s") {
            asked["ExpressionAttributeNames"] = json!({ "#s": "stream" });
        }
        match self.tables.call("UpdateItem", &asked) {
            Ok(_) => Ok(true),
            Err(fault) if fault.is("ConditionalCheckFailedException") => Ok(false),
            Err(fault) => Err(told(fault)),
        }
    }

    fn forget(&mut self, owner: &str, prefix: &str) -> Result<(), Error> {
        let entries = self.tables.entries(owner, prefix, None).map_err(told)?;
        let keys: Vec<Item> =
            entries.iter().filter_map(|entry| Some(own(owner, text_of(entry, "entry")?))).collect();
        self.tables.delete_all(OWN, &keys).map_err(told)
    }

    /// Forgets all but the pipeline's own entry; the lanes' entries first: without them no runner writes.
    fn clear(&mut self) -> Result<(), Error> {
        let plan = self.own()?.as_ref().and_then(|entry| text_of(entry, "plan")).and_then(read_plan);
        let lanes = plan.map_or(0, |plan| plan.lanes);
        for prefix in [LANE, ""] {
            for lane in 0..lanes {
                self.forget(&lane_owner(&self.pipeline, lane), prefix)?;
            }
        }
        self.forget(&seen_owner(&self.pipeline), "")?;
        self.forget(&self.owner(), QUARANTINE)
    }

    pub(super) fn damaged(&self, what: &str) -> Error {
        let message = format!("what pipeline '{}' remembers is damaged: {what}", self.pipeline);
        Error::new(Kind::Target, message)
    }
}

impl Ledger for State {
    fn prepare(&mut self) -> Result<(), Error> {
        make_own(&mut self.tables, &self.world)
    }

    fn load(&mut self) -> Result<Option<Kept>, Error> {
        let Some(entry) = self.own()? else { return Ok(None) };
        let text = |name: &str| text_of(&entry, name).unwrap_or_default().to_owned();
        let number = |name: &str| number_of(&entry, name).unwrap_or_default();
        if !VERSIONS.contains(&number("version")) {
            return Err(Error::config(format!(
                "pipeline '{}' was kept by another version of this program (form {})",
                self.pipeline,
                number("version")
            )));
        }
        let plan = read_plan(&text("plan")).ok_or_else(|| self.damaged("plan"))?;
        Ok(Some(Kept {
            source: text("source"),
            stream: text("stream"),
            fingerprint: text("fingerprint"),
            derived: Vec::new(),
            epoch: number("epoch"),
            begun_ms: number("begun_ms") as u64,
            confirmed_ms: number("confirmed_ms") as u64,
            consistent_ms: number("consistent_ms") as u64,
            paused: number("paused") != 0,
            again: text("stream").is_empty(),
            stored: Stored { plan, marks: Marks::new(), scanned: number("scanned") != 0 },
        }))
    }

    fn marks(&mut self, lanes: usize) -> Result<Marks, Error> {
        self.all_marks(lanes)
    }

    fn begin(&mut self, kept: &Kept) -> Result<(), Error> {
        if kept.stored.plan.recopy {
            // Whoever was told to begin again may have been killed at it.
            self.clear()?;
        }
        let mut entry = own(&self.owner(), STATE);
        let texts = [
            ("source", kept.source.clone()),
            ("stream", kept.stream.clone()),
            ("plan", write_plan(&kept.stored.plan)),
            ("fingerprint", kept.fingerprint.clone()),
        ];
        texts.into_iter().for_each(|(name, text)| drop(entry.insert(name, Value::S(text))));
        let numbers = [
            ("epoch", kept.epoch),
            ("begun_ms", kept.begun_ms as i64),
            ("confirmed_ms", kept.begun_ms as i64),
            ("consistent_ms", 0),
            ("scanned", 0),
            ("paused", 0),
            ("version", VERSION),
        ];
        numbers.into_iter().for_each(|(name, value)| drop(entry.insert(name, number(value))));
        let asked = json!({
            "TableName": OWN, "Item": tree(&entry), "ConditionExpression": "attribute_not_exists(entry) OR #s = :none",
            "ExpressionAttributeNames": { "#s": "stream" }, "ExpressionAttributeValues": { ":none": { "S": "" } },
        });
        match self.tables.call("PutItem", &asked) {
            Ok(_) => Ok(()),
            Err(fault) if fault.is("ConditionalCheckFailedException") => Err(fenced()),
            Err(fault) => Err(told(fault)),
        }
    }

    fn take(&mut self) -> Result<i64, Error> {
        let values = json!({ ":one": { "N": "1" }, ":version": { "N": VERSION.to_string() } });
        let change = "SET epoch = epoch + :one, version = :version";
        if !self.update(change, "attribute_exists(entry)", values)? {
            return Err(fenced());
        }
        let kept = self.own()?.ok_or_else(fenced)?;
        let epoch = number_of(&kept, "epoch").ok_or_else(|| self.damaged("epoch"))?;
        let plan = text_of(&kept, "plan").and_then(read_plan).ok_or_else(|| self.damaged("plan"))?;
        for lane in 0..plan.lanes {
            let mut entry = own(&lane_owner(&self.pipeline, lane), LANE);
            lane_fields(epoch).iter().for_each(|(name, value)| drop(entry.insert(name, value.clone())));
            let asked = json!({
                "TableName": OWN, "Item": tree(&entry),
                "ConditionExpression": "attribute_not_exists(epoch) OR epoch < :epoch",
                "ExpressionAttributeValues": { ":epoch": { "N": epoch.to_string() } },
            });
            match self.tables.call("PutItem", &asked) {
                Ok(_) => {}
                Err(fault) if fault.is("ConditionalCheckFailedException") => return Err(fenced()),
                Err(fault) => return Err(told(fault)),
            }
        }
        Ok(epoch)
    }

    fn level(&mut self, marks: &[(Track, usize, Option<Mark>)]) -> Result<(), Error> {
        for (track, lane, mark) in marks {
            let mut entry = own(&lane_owner(&self.pipeline, *lane), &format!("{MARK}{}", write_track(track)));
            let fields = mark_fields(mark.as_ref(), 0);
            fields.iter().for_each(|(name, value)| drop(entry.insert(name, value.clone())));
            self.tables.put(OWN, &entry).map_err(told)?;
        }
        Ok(())
    }

    fn finish(&mut self, shards: &[ShardId], epoch: i64) -> Result<(), Error> {
        self.of_shards(shards, epoch, |mut key, lane| match lane {
            0 => {
                let fields = mark_fields(None, ENDED_AS_A_WHOLE);
                fields.iter().for_each(|(name, value)| drop(key.insert(name, value.clone())));
                json!({ "Put": { "TableName": OWN, "Item": tree(&key) } })
            }
            _ => json!({ "Delete": { "TableName": OWN, "Key": tree(&key) } }),
        })
    }

    fn forget(&mut self, shards: &[ShardId], epoch: i64) -> Result<(), Error> {
        self.of_shards(shards, epoch, |key, _| json!({ "Delete": { "TableName": OWN, "Key": tree(&key) } }))
    }

    fn seal(&mut self, epoch: i64) -> Result<(), Error> {
        let values = json!({ ":epoch": { "N": epoch.to_string() }, ":one": { "N": "1" } });
        if !self.update("SET scanned = :one", "epoch = :epoch", values)? {
            return Err(fenced());
        }
        let lanes = self.load()?.map_or(0, |kept| kept.stored.plan.lanes);
        for lane in 0..lanes {
            self.forget(&lane_owner(&self.pipeline, lane), GONE)?;
        }
        self.forget(&seen_owner(&self.pipeline), "")
    }

    fn confirm(&mut self, epoch: i64, now_ms: u64, consistent: bool) -> Result<(), Error> {
        let change = match consistent {
            true => "SET confirmed_ms = :now, consistent_ms = :now",
            false => "SET confirmed_ms = :now",
        };
        let values = json!({ ":epoch": { "N": epoch.to_string() }, ":now": { "N": now_ms.to_string() } });
        match self.update(change, "epoch = :epoch", values)? {
            true => Ok(()),
            false => Err(fenced()),
        }
    }

    fn is_paused(&mut self, epoch: i64) -> Result<bool, Error> {
        match self.own()? {
            Some(entry) if number_of(&entry, "epoch") == Some(epoch) => {
                Ok(number_of(&entry, "paused") == Some(1))
            }
            _ => Err(fenced()),
        }
    }

    fn pause(&mut self, paused: bool) -> Result<bool, Error> {
        if self.own()?.is_none() {
            return Ok(false);
        }
        let values = json!({ ":paused": { "N": i64::from(paused).to_string() } });
        self.update("SET paused = :paused", "attribute_exists(entry)", values)
    }

    fn again(&mut self) -> Result<(), Error> {
        let values = json!({
            ":none": { "S": "" }, ":zero": { "N": "0" }, ":one": { "N": "1" },
        });
        let change = "SET #s = :none, scanned = :zero, consistent_ms = :zero, epoch = epoch + :one";
        if !self.update(change, "attribute_exists(entry)", values)? {
            return Err(fenced());
        }
        self.clear()
    }

    fn sweep(&mut self, mapping: &Mapping, epoch: i64, now_ms: u64) -> Result<u64, Error> {
        let sweep = Sweep { pipeline: &self.pipeline, mapping, epoch, now_ms };
        sweep.run(&mut self.tables)
    }

    fn quarantined(&mut self) -> Result<Vec<Quarantined>, Error> {
        let entries = match self.tables.entries(&self.owner(), QUARANTINE, None) {
            Err(fault) if fault.is("ResourceNotFoundException") => Vec::new(),
            found => found.map_err(told)?,
        };
        let text = |entry: &Item, name: &str| text_of(entry, name).unwrap_or_default().to_owned();
        Ok(entries
            .iter()
            .map(|entry| Quarantined {
                item: text(entry, "entry").trim_start_matches(QUARANTINE).to_owned(),
                key: text(entry, "item_key"),
                image: text_of(entry, "image").map(str::to_owned),
                reason: text(entry, "reason"),
                at_ms: number_of(entry, "at_ms").unwrap_or_default() as u64,
            })
            .collect())
    }

    fn make(&mut self, mapping: &Mapping, create: bool) -> Result<(), Error> {
        make_table(&mut self.tables, &self.world, mapping, create)
    }

    fn check(&mut self, mapping: &Mapping) -> Result<Option<Vec<String>>, Error> {
        Ok(check_table(&mut self.tables, mapping)?.then(Vec::new))
    }

    fn has_rows(&mut self, mapping: &Mapping) -> Result<bool, Error> {
        if !check_table(&mut self.tables, mapping)? {
            return Ok(false);
        }
        let mut found = false;
        self.tables.scan(&mapping.table, None, Some(1), |_, items| {
            found = !items.is_empty();
            Ok(!found)
        })?;
        Ok(found)
    }

    /// While the entry is there no later record was applied; both are written at once.
    fn rewrite(
        &mut self,
        mapping: &Mapping,
        entry: &Quarantined,
        item: &Item,
    ) -> Result<Option<bool>, Error> {
        let Ok(Made::Row(row)) = mapping.item(item) else { return Ok(None) };
        let key = own(&self.owner(), &format!("{QUARANTINE}{}", entry.item));
        let asked = json!({ "TransactItems": [
            { "Delete": {
                "TableName": OWN, "Key": tree(&key), "ConditionExpression": "attribute_exists(entry)",
            } },
            { "Put": { "TableName": mapping.table, "Item": tree(&row) } },
        ] });
        match self.tables.call("TransactWriteItems", &asked) {
            Ok(_) => Ok(Some(true)),
            Err(Fault::Refused { reasons, .. })
                if reasons.first().is_some_and(|(code, _)| code == "ConditionalCheckFailed") =>
            {
                Ok(Some(false))
            }
            Err(Fault::Refused { code, reasons, .. })
                if code == "ValidationException"
                    || reasons.iter().any(|(code, _)| code == "ValidationError") =>
            {
                Ok(None)
            }
            Err(fault) => Err(told(fault)),
        }
    }
}
