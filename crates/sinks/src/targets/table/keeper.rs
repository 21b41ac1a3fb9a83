//! Claims and quarantine as entries of the pipelines' own table.

use super::calls::{OWN, number, number_of, own, text_of, told};
use super::draft::Draft;
use super::lane::{GONE, Transacting};
use super::state::{QUARANTINE, pipeline_owner};
use crate::Error;
use crate::join::Origin;
use crate::mapping::{Mapping, typed};
use crate::targets::ItemChange;
use crate::targets::claims::{Claim, Keeper};
use model::{Item, Value};
use std::collections::BTreeMap;

pub const CLAIM: &str = "claim:";
pub const PLACE: &str = "place:";
/// A longer image of what is in quarantine is not kept: an entry is an item, too.
const IMAGE_BYTES_MAX: usize = 300 << 10;

/// A lane and the transaction that it is writing.
pub struct Inside<'l> {
    pub lane: &'l mut Transacting,
    pub draft: &'l mut Draft,
    pub mapping: &'l Mapping,
    /// Rows are told apart from those of an earlier copy.
    pub recopy: bool,
}

impl Inside<'_> {
    /// An entry as this transaction leaves it.
    fn entry(&mut self, entry: &str) -> Result<Option<Item>, Error> {
        match self.draft.remembered(&self.lane.owner, entry) {
            Some(known) => Ok(known.cloned()),
            None => self.lane.tables.get(OWN, &own(&self.lane.owner, entry)).map_err(told),
        }
    }
}

impl Keeper for Inside<'_> {
    type Row = Item;
    type Key = Item;

    fn is_gone(&mut self, item: &str) -> Result<bool, Error> {
        Ok(self.lane.gone.contains(item))
    }

    fn forget_not(&mut self, item: &str) -> Result<(), Error> {
        self.draft.remember(&self.lane.owner, &format!("{GONE}{item}"), Item::new());
        self.lane.forgets(item);
        Ok(())
    }

    fn held(&mut self, item: &str) -> Result<Option<String>, Error> {
        let entry = self.entry(&format!("{PLACE}{item}"))?;
        Ok(entry.as_ref().and_then(|entry| text_of(entry, "place")).map(str::to_owned))
    }

    fn claims(&mut self, place: &str) -> Result<Vec<(i64, String)>, Error> {
        let prefix = format!("{CLAIM}{place}:");
        let kept = self.lane.tables.entries(&self.lane.owner, &prefix, None).map_err(told)?;
        let mut all: BTreeMap<String, Item> = BTreeMap::new();
        for item in kept {
            if let Some(entry) = text_of(&item, "entry") {
                all.insert(entry.to_owned(), item);
            }
        }
        for (entry, item) in self.draft.remembered_all(&self.lane.owner, &prefix) {
            match item {
                Some(item) => drop(all.insert(entry.to_owned(), item.clone())),
                None => drop(all.remove(entry)),
            }
        }
        let claim = |(entry, item): (&String, &Item)| {
            Some((number_of(item, "rank")?, entry.strip_prefix(&prefix)?.to_owned()))
        };
        let mut claims: Vec<(i64, String)> = all.iter().filter_map(claim).collect();
        claims.sort();
        Ok(claims)
    }

    fn claimed(&mut self, place: &str, item: &str) -> Result<Option<Item>, Error> {
        let entry = self.entry(&format!("{CLAIM}{place}:{item}"))?;
        Ok(entry.and_then(|entry| match entry.get("image") {
            Some(Value::M(image)) => Some(image.clone()),
            _ => None,
        }))
    }

    fn claim(&mut self, claim: &Claim<'_>, rank: i64) -> Result<(), Error> {
        let fields: Item =
            [("rank", number(rank)), ("image", Value::M(claim.image.clone()))].into_iter().collect();
        let entry = format!("{CLAIM}{}:{}", claim.place, claim.item);
        self.draft.remember(&self.lane.owner, &entry, fields);
        if !claim.renewed {
            let place = [("place", Value::S(claim.place.to_owned()))].into_iter().collect();
            self.draft.remember(&self.lane.owner, &format!("{PLACE}{}", claim.item), place);
        }
        Ok(())
    }

    fn unclaim(&mut self, place: &str, item: &str) -> Result<(), Error> {
        self.draft.forget(&self.lane.owner, &format!("{CLAIM}{place}:{item}"));
        self.draft.forget(&self.lane.owner, &format!("{PLACE}{item}"));
        Ok(())
    }

    fn write(&mut self, row: Item) -> Result<(), Error> {
        let key = self.mapping.key_of_item(&row);
        if self.recopy {
            self.lane.sees(&key, self.draft);
        }
        self.draft.put(&key, row);
        Ok(())
    }

    fn remove(&mut self, key: Item) -> Result<(), Error> {
        self.draft.delete(&key);
        Ok(())
    }

    fn judge(&mut self, change: &ItemChange, origin: Origin, reason: Option<String>) -> Result<(), Error> {
        let (name, draft) = (&change.name().to_string(), &mut *self.draft);
        let owner = pipeline_owner(&self.lane.shared.pipeline);
        let entry = format!("{QUARANTINE}{name}");
        let is_in = match draft.remembered(&owner, &entry) {
            Some(entry) => entry.is_some(),
            None => self.lane.quarantined.contains(name),
        };
        match reason {
            Some(_) if is_in && origin == Origin::Snapshot => {}
            Some(reason) => {
                let mut fields = Item::new();
                fields.insert("item_key", Value::S(typed(&self.lane.shared.schema.key_of(&change.keys))));
                let image = change.new.as_ref().map(typed).filter(|image| image.len() <= IMAGE_BYTES_MAX);
                if let Some(image) = image {
                    fields.insert("image", Value::S(image));
                }
                fields.insert("reason", Value::S(reason));
                fields.insert("at_ms", number((self.lane.shared.now_ms)() as i64));
                draft.remember(&owner, &entry, fields);
                draft.left.remove(name);
                draft.entered.insert(name.clone());
            }
            None if origin == Origin::Stream && is_in => {
                draft.forget(&owner, &entry);
                draft.entered.remove(name);
                draft.left.insert(name.clone());
            }
            None => {}
        }
        Ok(())
    }
}
