//! What is promised, seen in the books of the targets.

use super::house::House;
use crate::books::Happened;
use engine::stream::Position;
use feed::{Feed, Policy, Totals};
use model::ValueView;
use std::collections::{BTreeMap, BTreeSet};

/// Every record's item, by sequence.
type Ledger = BTreeMap<u64, String>;

/// One mapping's part of the promises.
struct Promise<'a> {
    /// What a failure is told with.
    told: String,
    policy: &'a Policy,
    prefix: Option<&'a str>,
    ledger: &'a Ledger,
}

impl House {
    /// What was promised, for every mapping.
    pub fn check_end(&self, feed: &Feed) {
        let (seed, ledger, books) = (self.seed, self.ledger(), self.books.open());
        assert_eq!(ledger.len() as u64, self.written, "seed {seed}: the stream has every change");
        for (number, (id, policy, filter)) in self.mappings.iter().enumerate() {
            let name = format!("t{number}");
            let told = format!("seed {seed}: {name}");
            let promise = Promise { told, policy, prefix: filter.as_deref(), ledger: &ledger };
            let totals = feed.get(id).expect("a mapping").flow.totals;
            promise.check_totals(&totals);
            promise.check_log(&books[&name].log, totals.dropped);
        }
    }

    pub fn check_sums(&self, feed: &Feed) {
        let total = self.written;
        for found in feed.list() {
            let read = found.flow.read();
            assert!(read <= total, "seed {}: {} has read {read} of {total}", self.seed, found.mapping.target);
        }
    }

    fn ledger(&self) -> Ledger {
        let stream = self.engine.table_stream(&self.table).expect("a stream");
        let mut all = BTreeMap::new();
        for shard in stream.shards() {
            let mut after = self.engine.stream_position(&shard, Position::TrimHorizon).expect("a place");
            loop {
                let found = self.engine.read_records(&shard, after, 10_000, 64 << 20).expect("records");
                for record in &found.records {
                    let Ok(Some(ValueView::S(id))) = record.keys().get("id") else { panic!("no key") };
                    all.insert(record.sequence.0, id.to_owned());
                }
                if found.next.is_none() || found.through == after {
                    break;
                }
                after = found.through;
            }
        }
        all
    }
}

impl Promise<'_> {
    fn is_wanted(&self, item: &str) -> bool {
        self.prefix.is_none_or(|prefix| item.starts_with(prefix))
    }

    fn wanted(&self) -> BTreeSet<u64> {
        let wanted = self.ledger.iter().filter(|(_, item)| self.is_wanted(item));
        wanted.map(|(sequence, _)| *sequence).collect()
    }

    /// Records may be given up, and nobody be told.
    fn may_drop(&self) -> bool {
        !self.policy.dead_letter && (self.policy.retries_max.is_some() || self.policy.age_max.is_some())
    }

    fn check_totals(&self, totals: &Totals) {
        let (told, records) = (&self.told, self.ledger.len());
        assert_eq!(totals.finished(), records as u64, "{told}: {totals:?}");
        assert_eq!(totals.filtered, (records - self.wanted().len()) as u64, "{told}: {totals:?}");
        assert!(self.may_drop() || totals.dropped == 0, "{told}: {totals:?}");
        assert!(self.policy.dead_letter || totals.dead_lettered == 0, "{told}: {totals:?}");
    }

    fn check_log(&self, log: &[Happened], dropped: u64) {
        let told = &self.told;
        let mut of_item: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        self.ledger.iter().for_each(|(sequence, item)| of_item.entry(item).or_default().push(*sequence));
        let mut done: BTreeSet<u64> = BTreeSet::new();
        let (mut windowed, mut closed): (BTreeSet<u64>, BTreeSet<u64>) = Default::default();
        for happened in log {
            match happened {
                Happened::Windowed(batch) => {
                    done.extend(batch);
                    windowed.extend(batch);
                }
                Happened::Handed(batch) => self.check_order(batch, &of_item, &done),
                // After a crash it may have come again, without a window or to be given up.
                Happened::Accepted(batch) | Happened::Buried(batch) => {
                    done.extend(batch);
                    windowed.retain(|sequence| !batch.contains(sequence));
                }
                Happened::Closed(seen) => closed.extend(seen),
            }
        }
        // What its windows' states had seen when they ended is all that was ever accepted within one.
        let lost: Vec<_> = windowed.difference(&closed).collect();
        assert!(lost.len() as u64 <= dropped, "{told}: {lost:?} are in no state");
        let wanted = self.wanted();
        let missing: Vec<_> = wanted.difference(&done).collect();
        assert!(missing.len() as u64 <= dropped, "{told}: {missing:?} are lost");
    }

    /// All earlier changes of an item are done with, or come before it in the batch.
    fn check_order(&self, batch: &[u64], of_item: &BTreeMap<&str, Vec<u64>>, done: &BTreeSet<u64>) {
        let told = &self.told;
        assert!(batch.is_sorted(), "{told}: {batch:?}");
        for (at, sequence) in batch.iter().enumerate() {
            let item = &self.ledger[sequence];
            assert!(self.is_wanted(item), "{told} was handed {item}");
            let early = of_item[item.as_str()].iter().take_while(|early| *early < sequence);
            let is_known = |early: &u64| done.contains(early) || batch[..at].contains(early);
            let skipped = early.copied().find(|early| !is_known(early));
            assert!(self.may_drop() || skipped.is_none(), "{told} got {sequence} before {skipped:?}");
        }
    }
}
