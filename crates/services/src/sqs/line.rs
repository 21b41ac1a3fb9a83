//! The messages of one queue in the order they wait in: who is ready, who is hidden and until when. Knows no bodies,
//! no clock and no store.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What is kept of a message beside its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub message_id: String,
    pub sent_ms: u64,
    /// Hidden before this: a delay, or a visibility timeout.
    pub visible_ms: u64,
    #[serde(default)]
    pub receives: u32,
    #[serde(default)]
    pub first_received_ms: Option<u64>,
    /// What the latest receipt handle ends in.
    #[serde(default)]
    pub receipt: Option<String>,
    #[serde(default)]
    pub group: Option<String>,
}

/// One queue's messages, by number in the order they were sent.
#[derive(Debug, Default)]
pub(crate) struct Line {
    entries: BTreeMap<u64, Entry>,
    /// Not yet durable: counted by nobody, received by nobody, but holding their place in their group.
    pending: BTreeSet<u64>,
    ready: BTreeSet<u64>,
    hidden: BTreeSet<(u64, u64)>,
    ages: BTreeSet<(u64, u64)>,
    groups: HashMap<String, BTreeSet<u64>>,
    next: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub ready: usize,
    pub in_flight: usize,
    pub delayed: usize,
}

impl Line {
    /// A message of an earlier run.
    pub fn restore(&mut self, number: u64, entry: Entry) {
        self.next = self.next.max(number + 1);
        self.place(number, entry);
        self.admit(number);
    }

    /// Later messages have greater numbers than this one.
    pub fn skip_past(&mut self, number: u64) {
        self.next = self.next.max(number + 1);
    }

    /// The message takes its place; nobody receives it before `admit`.
    pub fn push(&mut self, entry: Entry) -> u64 {
        let number = self.next;
        self.next += 1;
        self.place(number, entry);
        number
    }

    fn place(&mut self, number: u64, entry: Entry) {
        if let Some(group) = &entry.group {
            self.groups.entry(group.clone()).or_default().insert(number);
        }
        self.ages.insert((entry.sent_ms, number));
        self.entries.insert(number, entry);
        self.pending.insert(number);
    }

    /// The message is durable.
    pub fn admit(&mut self, number: u64) {
        if self.pending.remove(&number)
            && let Some(entry) = self.entries.get(&number)
        {
            self.hidden.insert((entry.visible_ms, number));
        }
    }

    pub fn get(&self, number: u64) -> Option<&Entry> {
        self.entries.get(&number)
    }

    pub fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.entries.remove(&number)?;
        self.pending.remove(&number);
        self.ready.remove(&number);
        self.hidden.remove(&(entry.visible_ms, number));
        self.ages.remove(&(entry.sent_ms, number));
        if let Some(group) = &entry.group
            && let Some(numbers) = self.groups.get_mut(group)
        {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.groups.remove(group);
            }
        }
        Some(entry)
    }

    /// Those sent before this time leave.
    pub fn expire(&mut self, before_ms: u64) -> Vec<u64> {
        let old: Vec<u64> =
            self.ages.iter().take_while(|(sent, _)| *sent < before_ms).map(|(_, at)| *at).collect();
        let old: Vec<u64> = old.into_iter().filter(|number| !self.pending.contains(number)).collect();
        for number in &old {
            self.remove(*number);
        }
        old
    }

    /// So many messages, at most, that may be received now: in order, and of a group only what nothing earlier waits for.
    pub fn receivable(&mut self, now_ms: u64, most: usize) -> Vec<u64> {
        while let Some(&(visible_ms, number)) = self.hidden.first()
            && visible_ms <= now_ms
        {
            self.hidden.remove(&(visible_ms, number));
            self.ready.insert(number);
        }
        let mut taken: Vec<u64> = Vec::new();
        let mut groups: HashSet<&str> = HashSet::new();
        for number in &self.ready {
            if taken.len() == most {
                break;
            }
            match self.entries.get(number).and_then(|entry| entry.group.as_deref()) {
                None => taken.push(*number),
                // As much of one group as there is comes before anything of the next. [suite: recorded answers]
                Some(group) if groups.insert(group) => {
                    let waiting = self.groups[group].iter().take_while(|number| self.ready.contains(number));
                    taken.extend(waiting.take(most - taken.len()));
                }
                Some(_) => {}
            }
        }
        taken
    }

    /// Rewrites a message that is not pending: its new times and receipt.
    pub fn change(&mut self, number: u64, change: impl FnOnce(&mut Entry)) -> Option<&Entry> {
        let entry = self.entries.get_mut(&number)?;
        self.ready.remove(&number);
        self.hidden.remove(&(entry.visible_ms, number));
        change(entry);
        self.hidden.insert((entry.visible_ms, number));
        Some(entry)
    }

    pub fn counts(&self, now_ms: u64) -> Counts {
        let mut counts = Counts { ready: self.ready.len(), ..Counts::default() };
        for (visible_ms, number) in &self.hidden {
            let received = self.entries.get(number).is_some_and(|entry| entry.receipt.is_some());
            match (*visible_ms <= now_ms, received) {
                (true, _) => counts.ready += 1,
                (false, true) => counts.in_flight += 1,
                (false, false) => counts.delayed += 1,
            }
        }
        counts
    }

    pub fn hidden(&self) -> usize {
        self.hidden.len()
    }

    /// When the next hidden message comes to light.
    pub fn next_visible_ms(&self) -> Option<u64> {
        self.hidden.first().map(|(visible_ms, _)| *visible_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(group: Option<&str>, sent_ms: u64, visible_ms: u64) -> Entry {
        Entry {
            message_id: "id".into(),
            sent_ms,
            visible_ms,
            receives: 0,
            first_received_ms: None,
            receipt: None,
            group: group.map(Into::into),
        }
    }

    fn line(entries: &[Entry]) -> Line {
        let mut line = Line::default();
        for entry in entries {
            let number = line.push(entry.clone());
            line.admit(number);
        }
        line
    }

    #[test]
    fn a_message_in_flight_holds_its_group_and_no_other() {
        let mut line = line(&[entry(Some("a"), 1, 1), entry(Some("a"), 2, 2), entry(Some("b"), 3, 3)]);
        assert_eq!(line.receivable(5, 1), [0]);
        line.change(0, |entry| entry.visible_ms = 100);
        assert_eq!(line.receivable(5, 10), [2]);
        assert_eq!(line.receivable(100, 10), [0, 1, 2], "the timeout has run out");
        line.remove(0);
        assert_eq!(line.receivable(100, 10), [1, 2]);
    }

    #[test]
    fn what_is_not_durable_is_not_received_and_not_overtaken() {
        let mut line = Line::default();
        let first = line.push(entry(Some("a"), 1, 1));
        let second = line.push(entry(Some("a"), 1, 1));
        line.admit(second);
        assert!(line.receivable(9, 10).is_empty());
        line.admit(first);
        assert_eq!(line.receivable(9, 10), [first, second]);
    }

    #[test]
    fn delays_and_ages_count() {
        let mut line = line(&[entry(None, 1, 50), entry(None, 2, 2), entry(None, 3, 3)]);
        line.change(1, |entry| (entry.visible_ms, entry.receipt) = (40, Some("r".into())));
        assert_eq!(line.counts(10), Counts { ready: 1, in_flight: 1, delayed: 1 });
        assert_eq!(line.receivable(10, 10), [2]);
        assert_eq!(line.next_visible_ms(), Some(40));
        assert_eq!(line.expire(3), [0, 1]);
        assert_eq!(line.counts(99), Counts { ready: 1, in_flight: 0, delayed: 0 });
    }
}
