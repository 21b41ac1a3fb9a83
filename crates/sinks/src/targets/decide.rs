//! What one change asks for: the row that is to be, the row that is to go.

use super::ItemChange;
use crate::config::Deletes;
use crate::join::Origin;
use crate::mapping::{Fault, KeySchema, Keying, Made, Shape, typed};
use crate::{Error, Kind};

#[derive(Clone, Debug)]
pub struct Decided<R, K> {
    pub row: Option<R>,
    /// Where the item's row was, if it is not there any more.
    pub remove: Option<K>,
    /// That row stays, with this time in it.
    pub softly: Option<u64>,
    /// Why there is no row.
    pub quarantine: Option<String>,
    /// An older version of the item must not come back.
    pub gone: bool,
    /// The rule is to leave the row of a deleted item as it is.
    pub ignored: bool,
}

pub fn decide<S: Shape>(
    shape: &S,
    schema: &KeySchema,
    origin: Origin,
    change: &ItemChange,
) -> Result<Decided<S::Row, S::Key>, Error> {
    let mapping = shape.mapping();
    let (mut row, mut quarantine) = (None, None);
    match change.new.as_ref().map_or(Ok(Made::Nothing), |item| shape.make(item)) {
        Ok(Made::Row(made)) => row = Some(made),
        Ok(Made::Nothing) => {}
        Err(Fault { reason, stop: true }) => {
            let key = typed(&schema.key_of(&change.keys));
            return Err(Error::new(Kind::Record, format!("item {key}: {reason}")));
        }
        Err(Fault { reason, .. }) => quarantine = Some(reason),
    }
    let rule = if change.expired { mapping.ttl_deletes } else { mapping.deletes };
    let ignored = change.new.is_none() && rule == Deletes::Ignore;
    // Only a stream's record says where the row was before.
    let before = match (origin, mapping.keying) {
        (Origin::Snapshot, _) | (_, Keying::Shared(_)) => None,
        (_, Keying::Fixed) => shape.key_before(&change.keys),
        (_, Keying::Moving) => change.old.as_ref().and_then(|old| shape.key_before(old)),
    };
    let remove =
        before.filter(|before| !ignored && row.as_ref().map(|row| shape.key(row)).as_ref() != Some(before));
    let softly = row.is_none() && quarantine.is_none() && rule == Deletes::Soft && remove.is_some();
    Ok(Decided {
        gone: !ignored && (remove.is_some() || row.is_none() && origin == Origin::Stream),
        softly: softly.then_some(change.created_s),
        row,
        remove,
        quarantine,
        ignored,
    })
}
