//! Whether the target's rows are what the source's items make: key by key, while changes flow.

use crate::Error;
use crate::mapping::{Items, Made, Rows, Shape};
use crate::runner::Pipeline;
use crate::source::{Part, Table};
use crate::targets::look::{KeyOf, Look, RowOf};
use crate::targets::{Ledger, Place, database, table};
use model::Item;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// How often a difference is looked at again: what is on its way arrives meanwhile.
const LOOKS: usize = 10;
const PAUSE: Duration = Duration::from_millis(300);

#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The target's key.
    pub key: String,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// There is no row.
    Missing,
    /// No item makes this row.
    Extra,
    Other,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verified {
    pub items: u64,
    pub rows: u64,
    /// Items that are in quarantine and have no row.
    pub quarantined: u64,
    /// Rows without an item, which are kept where deletes are ignored.
    pub outlived: u64,
    pub differences: Vec<Difference>,
}

pub fn verify(pipeline: &Pipeline) -> Result<Verified, Error> {
    compare(pipeline).map_err(|error| pipeline.explained(error))
}

fn compare(pipeline: &Pipeline) -> Result<Verified, Error> {
    let mut ledger = pipeline.ledger()?;
    let Some(kept) = ledger.load()? else {
        return Err(Error::config(format!("pipeline '{}' has not begun", pipeline.name())));
    };
    let mapping = &pipeline.plan(Some(&kept))?.mapping;
    let source = pipeline.source()?;
    match &pipeline.target {
        Place::Database(settings) => {
            let connection = sql::Connection::open(settings)?;
            let look = database::Seen { shape: Rows { mapping, dialect: connection.dialect() }, connection };
            Comparison { look, source, ledger }.run()
        }
        Place::Tables(login) => {
            let tables = table::Tables::open(login, &pipeline.world)?;
            let look = table::Seen { tables, shape: Items(mapping) };
            Comparison { look, source, ledger }.run()
        }
    }
}

struct Comparison<L> {
    look: L,
    source: Table,
    ledger: Box<dyn Ledger>,
}

/// Target keys that are looked at again, by name.
type Suspects<L> = BTreeMap<String, KeyOf<L>>;

impl<L: Look> Comparison<L> {
    fn run(mut self) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        let mut suspects: Suspects<L> = BTreeMap::new();
        let mut known: HashSet<String> = HashSet::new();
        let mut from: Option<Box<str>> = None;
        loop {
            let page = self.source.scan(&Part::from(from.as_deref()))?;
            verified.items += page.items.len() as u64;
            let mut wanted: HashMap<String, Vec<RowOf<L>>> = HashMap::new();
            let mut keys: Suspects<L> = BTreeMap::new();
            for item in &page.items {
                match self.look.shape().make(item) {
                    Ok(Made::Row(row)) => {
                        let key = self.look.shape().key(&row);
                        let name = self.look.name(&key);
                        known.insert(name.clone());
                        wanted.entry(name.clone()).or_default().push(row);
                        keys.insert(name, key);
                    }
                    Ok(Made::Nothing) => {}
                    Err(_) => verified.quarantined += 1,
                }
            }
            let found = self.look.rows(&keys.values().collect::<Vec<_>>())?;
            for (name, key) in keys {
                let fits = found
                    .get(&name)
                    .is_some_and(|row| wanted[&name].iter().any(|wanted| self.look.equal(wanted, row)));
                if !fits {
                    suspects.insert(name, key);
                }
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        verified.rows = self.look.every_key(&mut |name, key| {
            if !known.contains(&name) {
                suspects.insert(name, key);
            }
        })?;
        self.settle(suspects, &mut verified)?;
        Ok(verified)
    }

    /// What still differs after some looks.
    fn settle(&mut self, mut suspects: Suspects<L>, verified: &mut Verified) -> Result<(), Error> {
        let ignores = self.look.shape().mapping().ignores_deletes();
        for look in 0..LOOKS {
            if suspects.is_empty() {
                return Ok(());
            }
            if look > 0 {
                std::thread::sleep(PAUSE);
            }
            let quarantined: HashSet<String> =
                self.ledger.quarantined()?.into_iter().map(|entry| entry.key).collect();
            let before = self.look.rows(&suspects.values().collect::<Vec<_>>())?;
            let schema = self.source.describe()?.schema;
            let mut wanted: HashMap<String, Vec<RowOf<L>>> = HashMap::new();
            let mut there: HashSet<String> = HashSet::new();
            for item in self.items(&suspects, &schema.names().collect::<Vec<_>>())? {
                there.extend(self.look.shape().key_before(&item).map(|key| self.look.name(&key)));
                if quarantined.contains(&crate::mapping::typed(&schema.key_of(&item))) {
                    continue;
                }
                if let Ok(Made::Row(row)) = self.look.shape().make(&item) {
                    let name = self.look.name(&self.look.shape().key(&row));
                    wanted.entry(name).or_default().push(row);
                }
            }
            let after = self.look.rows(&suspects.values().collect::<Vec<_>>())?;
            verified.differences.clear();
            suspects.retain(|name, key| {
                let fits = |found: Option<&RowOf<L>>| match (found, wanted.get(name)) {
                    (None, None) => true,
                    (Some(row), Some(wanted)) => wanted.iter().any(|wanted| self.look.equal(wanted, row)),
                    // A row that is kept as deleted has no item.
                    (Some(row), None) => self.look.is_deleted(row),
                    (None, Some(_)) => false,
                };
                if fits(before.get(name)) || fits(after.get(name)) {
                    return false;
                }
                if ignores && !there.contains(name) {
                    verified.outlived += 1;
                    return false;
                }
                let what = match (wanted.contains_key(name), after.contains_key(name)) {
                    (true, false) => What::Missing,
                    (false, true) => What::Extra,
                    _ => What::Other,
                };
                verified.differences.push(Difference { key: self.look.shape().shown(key), what });
                true
            });
        }
        Ok(())
    }

    /// The items that may make these rows: read by key where the target's key says it, else all that do.
    fn items(&mut self, suspects: &Suspects<L>, names: &[&str]) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        let keys: Option<Vec<Item>> = suspects.values().map(|key| self.look.source_key(key, names)).collect();
        if let Some(keys) = keys.filter(|keys| keys.len() < 1000) {
            for key in keys {
                items.extend(self.source.get(&key)?);
            }
            return Ok(items);
        }
        let mut from: Option<Box<str>> = None;
        loop {
            let page = self.source.scan(&Part::from(from.as_deref()))?;
            let shape = self.look.shape();
            items.extend(page.items.into_iter().filter(|item| {
                let key = shape.key_before(item);
                key.is_some_and(|key| suspects.contains_key(&self.look.name(&key)))
            }));
            from = page.next;
            if from.is_none() {
                return Ok(items);
            }
        }
    }
}

/// What a difference says to a person.
pub fn told(difference: &Difference) -> String {
    let what = match difference.what {
        What::Missing => "is missing",
        What::Extra => "has no item",
        What::Other => "differs",
    };
    format!("the row {} {what}", difference.key)
}
