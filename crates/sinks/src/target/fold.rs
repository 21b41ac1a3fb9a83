//! Many changes of one item become the last of them; what is left is what a transaction writes.

use super::Change;
use crate::config::Deletes;
use crate::join::{Origin, Work};
use crate::mapping::{Fault, ItemName, KeySchema, Keying, Made, Mapping};
use crate::{Error, Kind};
use model::Item;
use sql::{Dialect, Value};
use std::collections::BTreeMap;

/// What is written of one item.
#[derive(Clone, Debug)]
pub struct Final<'w> {
    pub keys: &'w Item,
    /// The item as it is now.
    pub image: Option<&'w Item>,
    pub row: Option<Vec<Value>>,
    /// Keys under which the item had a row.
    pub deleted: Vec<Vec<Value>>,
    /// The delete keeps the row, with this time in it.
    pub softly: Option<u64>,
    /// Why it has no row.
    pub quarantine: Option<String>,
    /// Its row was taken away or moved at some time: an older version must not come back.
    pub gone: bool,
}

/// Consecutive work of one origin.
#[derive(Debug)]
pub struct Group<'w> {
    pub origin: Origin,
    pub remember: bool,
    pub items: BTreeMap<ItemName, Final<'w>>,
    /// Changes that came in.
    pub changes: usize,
}

/// What mapping needs to know.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    pub mapping: &'a Mapping,
    pub schema: &'a KeySchema,
    pub dialect: Dialect,
}

pub fn fold<'w>(works: &'w [Work<Change>], rules: Rules<'_>) -> Result<Vec<Group<'w>>, Error> {
    let mut groups: Vec<Group<'w>> = Vec::new();
    for work in works {
        let origin = work.track.origin();
        if groups.last().is_none_or(|group| group.origin != origin) {
            groups.push(Group { origin, remember: false, items: BTreeMap::new(), changes: 0 });
        }
        let Some(group) = groups.last_mut() else { continue };
        group.remember |= work.remember;
        for change in &work.rows {
            group.changes += 1;
            rules.add(group, change)?;
        }
    }
    Ok(groups)
}

impl Rules<'_> {
    fn add<'w>(self, group: &mut Group<'w>, change: &'w Change) -> Result<(), Error> {
        let entry = group.items.entry(change.name.clone()).or_insert_with(|| Final {
            keys: &change.keys,
            image: None,
            row: None,
            deleted: Vec::new(),
            softly: None,
            quarantine: None,
            gone: false,
        });
        let made = match &change.new {
            Some(item) => self.mapping.row(item, self.dialect),
            None => Ok(Made::Nothing),
        };
        // Only a stream's record says where the row was before.
        let before = match (group.origin, self.mapping.keying) {
            (Origin::Snapshot, _) | (_, Keying::Shared(_)) => None,
            (_, Keying::Fixed) => self.mapping.key_values(&change.keys),
            (_, Keying::Moving) => change.old.as_ref().and_then(|old| self.mapping.key_values(old)),
        };
        let (mut row, mut quarantine) = (None, None);
        match made {
            Ok(Made::Row(values)) => row = Some(values),
            Ok(Made::Nothing) => {}
            Err(Fault { reason, stop: true }) => {
                let key = crate::mapping::typed(&self.schema.key_of(&change.keys));
                return Err(Error::new(Kind::Record, format!("item {key}: {reason}")));
            }
            Err(Fault { reason, .. }) => quarantine = Some(reason),
        }
        let is_quarantined = quarantine.is_some();
        entry.image = change.new.as_ref();
        entry.quarantine = quarantine;
        entry.softly = None;
        let after = row.as_ref().map(|row| self.mapping.key_of(row));
        let by_delete = change.new.is_none();
        let rule = if change.expired { self.mapping.ttl_deletes } else { self.mapping.deletes };
        if by_delete && rule == Deletes::Ignore {
            // The last row of the batch, if there is one, is what stays.
            return Ok(());
        }
        if let Some(before) = before
            && after.as_ref() != Some(&before)
        {
            entry.gone = true;
            if row.is_none() && !is_quarantined && rule == Deletes::Soft {
                entry.softly = Some(change.created_s);
            }
            if !entry.deleted.contains(&before) {
                entry.deleted.push(before);
            }
        } else if row.is_none() && group.origin == Origin::Stream {
            entry.gone = true;
        }
        // A soft delete keeps what an earlier change of the batch wrote.
        if entry.softly.is_none() {
            entry.row = row;
        }
        if let Some(after) = after {
            entry.deleted.retain(|deleted| *deleted != after);
        }
        Ok(())
    }
}
