//! A lane: transactions of at most a hundred operations, each with the marks that it reaches, as long as the pipeline is
//! this runner's. The lane's own entry counts them: one that was given up and arrives late finds another count.

use super::calls::{OWN, Tables, number, number_of, own, text_of, told};
use super::draft::Draft;
use super::keeper::Inside;
use super::look::name_of;
use super::marks::{mark_fields, read_mark_entry};
use super::state::{MARK, QUARANTINE, lane_owner, pipeline_owner, seen_owner};
use crate::join::{Mark, Origin, Sequence, Track, Work};
use crate::mapping::{ItemName, Items, KeySchema, Keying, Mapping, Shape};
use crate::source::{Fault, Login};
use crate::targets::claims::{Claims, Keeper};
use crate::targets::decide::decide;
use crate::targets::ledger::fenced;
use crate::targets::marks::write_track;
use crate::targets::{Applied, Change, ItemChange, Lane, Shared};
use crate::{Error, Kind};
use model::Value;
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use world::{Timestamp, World};

pub const LANE: &str = "lane";
pub const GONE: &str = "gone:";

pub struct Transacting {
    pub(super) tables: Tables,
    pub(super) shared: Shared,
    world: World,
    pub(super) owner: String,
    commits: i64,
    /// Records up to these are applied.
    applied: BTreeMap<Track, Sequence>,
    pub(super) quarantined: HashSet<String>,
    /// Whether anything is remembered as gone, and what of it concerns the work at hand.
    has_gone: bool,
    pub(super) gone: HashSet<String>,
    /// Of the rows at hand, those that this copy has brought already.
    seen: HashSet<String>,
    /// Items that the endpoint refuses, and why.
    condemned: HashMap<ItemName, String>,
}

enum Step<'w> {
    Change(&'w Work<Change>, &'w ItemChange),
    End(&'w Work<Change>),
}

enum Sent {
    Done,
    /// Something in it will never be taken.
    Unfit(String),
}

impl Lane for Transacting {
    fn commit(&mut self, works: &[Work<Change>]) -> Result<Applied, Error> {
        let mapping = self.shared.mapping();
        let changes = works
            .iter()
            .map(|work| work.rows.iter().map(move |change| Step::Change(work, change.item_change())));
        let steps: Vec<Step<'_>> = changes
            .zip(works)
            .flat_map(|(changes, work)| changes.chain(std::iter::once(Step::End(work))))
            .collect();
        self.look_for_gone(works)?;
        self.look_for_seen(&mapping, works)?;
        let (mut at, mut most) = (0, usize::MAX);
        let mut total = Applied::default();
        while at < steps.len() {
            let (mut draft, mut applied, mut marks) = (Draft::default(), Applied::default(), BTreeMap::new());
            let mut to = at;
            while to < steps.len() && to - at < most && !draft.is_full() && marks.len() < 8 {
                applied.add(self.step(&mapping, &steps[to], &mut draft, &mut marks)?);
                to += 1;
            }
            for (track, (mark, end)) in &marks {
                let fields = mark_fields(mark.as_ref(), i64::from(*end));
                draft.remember(&self.owner, &format!("{MARK}{}", write_track(track)), fields);
            }
            match (self.send(&mapping, &mut draft)?, &steps[at]) {
                (Sent::Done, _) => {
                    self.settle(draft, marks);
                    total.add(applied);
                    (at, most) = (to, usize::MAX);
                }
                (Sent::Unfit(_), _) if to - at > 1 => most = 1,
                (Sent::Unfit(reason), Step::Change(_, change))
                    if !matches!(mapping.keying, Keying::Shared(_))
                        && self.condemned.insert(change.name(), reason.clone()).is_none() => {}
                (Sent::Unfit(reason), _) => {
                    return Err(Error::new(Kind::Target, format!("target: {reason}")));
                }
            }
        }
        self.condemned.clear();
        Ok(total)
    }
}

impl Transacting {
    pub fn open(login: &Login, shared: Shared, number: usize, world: &World) -> Result<Transacting, Error> {
        let mut tables = Tables::open(login, world)?;
        let owner = lane_owner(&shared.pipeline, number);
        let lane = tables.get(OWN, &own(&owner, LANE)).map_err(told)?.ok_or_else(fenced)?;
        if number_of(&lane, "epoch") != Some(shared.epoch) {
            return Err(fenced());
        }
        let mut applied = BTreeMap::new();
        for entry in tables.entries(&owner, MARK, None).map_err(told)? {
            if let Some((track, (Some(Mark::Record(sequence)), _))) = read_mark_entry(&entry) {
                applied.insert(track, sequence);
            }
        }
        let has_gone = !tables.entries(&owner, GONE, Some(1)).map_err(told)?.is_empty();
        let entries = tables.entries(&pipeline_owner(&shared.pipeline), QUARANTINE, None).map_err(told)?;
        let name = |entry: &model::Item| text_of(entry, "entry")?.strip_prefix(QUARANTINE).map(str::to_owned);
        Ok(Transacting {
            tables,
            world: world.clone(),
            owner,
            commits: number_of(&lane, "commits").unwrap_or_default(),
            applied,
            quarantined: entries.iter().filter_map(name).collect(),
            has_gone,
            gone: HashSet::new(),
            seen: HashSet::new(),
            condemned: HashMap::new(),
            shared,
        })
    }

    /// Which of the items at hand the stream has taken away.
    fn look_for_gone(&mut self, works: &[Work<Change>]) -> Result<(), Error> {
        self.gone.clear();
        let scanned = works.iter().filter(|work| work.track.origin() == Origin::Snapshot);
        let key = |change: &Change| own(&self.owner, &format!("{GONE}{}", change.name()));
        let keys: Vec<_> = scanned.flat_map(|work| &work.rows).map(key).collect();
        if self.has_gone && !keys.is_empty() {
            let found = self.tables.get_all(OWN, &keys).map_err(told)?;
            let name = |entry: &model::Item| text_of(entry, "entry")?.strip_prefix(GONE).map(str::to_owned);
            self.gone = found.iter().filter_map(name).collect();
        }
        Ok(())
    }

    /// Which of the rows at hand are not of an earlier copy.
    fn look_for_seen(&mut self, mapping: &Mapping, works: &[Work<Change>]) -> Result<(), Error> {
        self.seen.clear();
        if !self.shared.recopy || matches!(mapping.keying, Keying::Shared(_)) {
            return Ok(());
        }
        let scanned = works.iter().filter(|work| work.track.origin() == Origin::Snapshot);
        let items = scanned.flat_map(|work| &work.rows).filter_map(Change::item);
        let keys = items.filter_map(|item| mapping.item_key(item));
        let keys: Vec<_> = keys.map(|key| own(&seen_owner(&self.shared.pipeline), &name_of(&key))).collect();
        let found = self.tables.get_all(OWN, &keys).map_err(told)?;
        self.seen = found.iter().filter_map(|entry| text_of(entry, "entry").map(str::to_owned)).collect();
        Ok(())
    }

    /// This copy has brought the row.
    pub(super) fn sees(&mut self, key: &model::Item, draft: &mut Draft) {
        let name = name_of(key);
        draft.remember(&seen_owner(&self.shared.pipeline), &name, model::Item::new());
        self.seen.insert(name);
    }

    fn step<'w>(
        &mut self,
        mapping: &Mapping,
        step: &Step<'w>,
        draft: &mut Draft,
        marks: &mut BTreeMap<&'w Track, (Option<Mark>, bool)>,
    ) -> Result<Applied, Error> {
        let (work, change) = match step {
            Step::Change(work, change) => (*work, *change),
            Step::End(work) => {
                marks.insert(&work.track, (work.mark.clone(), work.end));
                return Ok(Applied::default());
            }
        };
        if let Some(sequence) = &change.sequence {
            // An earlier attempt came this far.
            if self.applied.get(&work.track).is_some_and(|applied| sequence <= applied) {
                return Ok(Applied::of(work.track.origin(), 1, 0));
            }
            marks.insert(&work.track, (Some(Mark::Record(sequence.clone())), false));
        }
        let (origin, schema) = (work.track.origin(), self.shared.schema.clone());
        match mapping.keying {
            Keying::Shared(rule) => {
                let claims = Claims { shape: Items(mapping), rule };
                let recopy = self.shared.recopy && work.remember;
                let mut inside = Inside { lane: self, draft, mapping, recopy };
                claims.one(&mut inside, change, origin, work.remember)
            }
            Keying::Fixed | Keying::Moving => self.plain(mapping, &schema, work, change, draft),
        }
    }

    /// A change of an item that shares its row with nobody.
    fn plain(
        &mut self,
        mapping: &Mapping,
        schema: &KeySchema,
        work: &Work<Change>,
        change: &ItemChange,
        draft: &mut Draft,
    ) -> Result<Applied, Error> {
        let origin = work.track.origin();
        let name = change.name();
        if origin == Origin::Snapshot && self.gone.contains(&name.to_string()) {
            return Ok(Applied::of(origin, 1, 0));
        }
        let shape = Items(mapping);
        let mut decided = decide(&shape, schema, origin, change)?;
        if let Some(reason) = self.condemned.get(&name) {
            decided.quarantine = Some(reason.clone());
            if let (Some(row), Origin::Stream) = (decided.row.take(), origin) {
                draft.delete(&shape.key(&row));
            }
        }
        if let Some(before) = decided.remove {
            match decided.softly {
                Some(seconds) => {
                    let at = format!("{}Z", Timestamp::from_seconds(seconds).iso_seconds());
                    draft.soften(before, &mapping.deleted_at, &at);
                }
                None => draft.delete(&before),
            }
        }
        if let Some(row) = decided.row {
            let (key, recopy) = (shape.key(&row), self.shared.recopy);
            match origin {
                Origin::Snapshot if recopy && self.seen.contains(&name_of(&key)) => {}
                Origin::Snapshot => draft.copy(&key, row, !recopy),
                Origin::Stream => draft.put(&key, row),
            }
            if recopy && work.remember {
                self.sees(&key, draft);
            }
        }
        let quarantined = usize::from(decided.quarantine.is_some());
        let mut inside = Inside { lane: self, draft, mapping, recopy: false };
        if origin == Origin::Stream && work.remember && (decided.gone || quarantined > 0) {
            inside.forget_not(&name.to_string())?;
        }
        inside.judge(change, origin, decided.quarantine)?;
        Ok(Applied::of(origin, 1, quarantined))
    }

    /// What is true once the transaction is.
    fn settle(&mut self, draft: Draft, marks: BTreeMap<&Track, (Option<Mark>, bool)>) {
        self.commits += 1;
        self.quarantined.extend(draft.entered);
        for name in &draft.left {
            self.quarantined.remove(name);
        }
        for (track, (mark, _)) in marks {
            if let Some(Mark::Record(sequence)) = mark {
                self.applied.insert(track.clone(), sequence);
            }
        }
    }

    pub(super) fn forgets(&mut self, name: &str) {
        self.has_gone = true;
        self.gone.insert(name.to_owned());
    }

    fn send(&mut self, mapping: &Mapping, draft: &mut Draft) -> Result<Sent, Error> {
        loop {
            if draft.is_empty() {
                self.commits -= 1;
                return Ok(Sent::Done);
            }
            let token = self.world.hex(16);
            let mut operations = draft.operations(&mapping.table, &mapping.key[0]);
            operations.push(self.fence(&token));
            let body = format!(r#"{{"TransactItems":[{}]}}"#, operations.join(","));
            let fault = match self.tables.ask("TransactWriteItems", &body) {
                Ok(_) => return Ok(Sent::Done),
                Err(fault) => fault,
            };
            let (code, message, reasons) = match fault {
                Fault::Refused { code, message, reasons, .. } => (code, message, reasons),
                silent => return self.look_whether_done(&token, silent),
            };
            if code == "ValidationException" {
                return Ok(Sent::Unfit(message));
            }
            let silent = Fault::Silent(format!("target: {code}: {message}"));
            if code != "TransactionCanceledException" || reasons.len() != operations.len() {
                let refused = Fault::Refused { code, message, status: 400, reasons };
                return Err(told(refused));
            }
            if reasons[reasons.len() - 1].0 == "ConditionalCheckFailed" {
                return self.look_whether_done(&token, silent);
            }
            let of = |wanted: &str| -> Vec<usize> {
                let numbered = reasons.iter().enumerate();
                numbered.filter(|(_, (code, _))| code == wanted).map(|(at, _)| at).collect()
            };
            if let Some(at) = of("ValidationError").first() {
                return Ok(Sent::Unfit(reasons[*at].1.clone()));
            }
            let needless = of("ConditionalCheckFailed");
            if needless.is_empty() {
                return Err(told(silent));
            }
            draft.drop_rows(&needless);
        }
    }

    /// Only the runner that took the pipeline last may write, and each transaction once.
    fn fence(&self, token: &str) -> String {
        json!({ "Update": {
            "TableName": OWN, "Key": super::calls::tree(&own(&self.owner, LANE)),
            "UpdateExpression": "SET commits = :next, #t = :token",
            "ConditionExpression": "epoch = :epoch AND commits = :commits",
            "ExpressionAttributeNames": { "#t": "token" },
            "ExpressionAttributeValues": {
                ":epoch": { "N": self.shared.epoch.to_string() },
                ":commits": { "N": self.commits.to_string() },
                ":next": { "N": (self.commits + 1).to_string() },
                ":token": { "S": token },
            },
        } })
        .to_string()
    }

    /// Nobody said whether it took place, or the fence did not hold.
    fn look_whether_done(&mut self, token: &str, fault: Fault) -> Result<Sent, Error> {
        let lane = self.tables.get(OWN, &own(&self.owner, LANE)).map_err(told)?.ok_or_else(fenced)?;
        if number_of(&lane, "epoch") != Some(self.shared.epoch) {
            return Err(fenced());
        }
        match lane.get("token") {
            Some(Value::S(last)) if last == token => Ok(Sent::Done),
            _ => Err(told(fault)),
        }
    }
}

/// A lane's own entry, as a runner that takes the pipeline writes it.
pub fn lane_fields(epoch: i64) -> model::Item {
    [("epoch", number(epoch)), ("commits", number(0))].into_iter().collect()
}
