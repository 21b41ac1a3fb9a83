//! A new table from another one's items and history.

use super::{Former, first_after, whole};
use crate::backup::{chunk, moved};
use crate::layout;
use crate::{Engine, Error, ErrorKind, Table};
use std::collections::BTreeMap;
use store::{Order, Space};
use world::Timestamp;

/// Puts the items under the new table's id that `source` had at that moment; their index entries are left to whoever
/// counts them. True if it came to the end. What a crash interrupts begins again, with the source as it is then: changes
/// that were made meanwhile are undone, too.
pub(crate) fn undo(
    engine: &Engine,
    source: u64,
    into: &Table,
    until: Timestamp,
    go_on: &impl Fn() -> bool,
) -> Result<bool, Error> {
    let gone = || Error::new(ErrorKind::TableNotFound, "the table whose past is restored is gone");
    let table = engine.all_tables().into_iter().find(|table| table.id == source).ok_or_else(gone)?;
    let history = table.load().history.ok_or_else(gone)?;
    // Nothing that the snapshot has is removed beneath it.
    let _hold = engine.store().hold_trims();
    let snapshot = engine.store().snapshot();

    let (from, to) = layout::whole(source);
    let mut rows = snapshot.range(Space::Items, &from, &to, Order::Forward);
    loop {
        let chunk = chunk(&mut rows)?;
        if chunk.is_empty() {
            break;
        }
        let commit = engine.change(|batch| {
            for (key, image) in &chunk {
                batch.put(Space::Items, moved(key, into.id), image.clone());
            }
        })?;
        commit.wait()?;
        if !go_on() {
            return Ok(false);
        }
    }

    let Some(first) = first_after(&snapshot, &history, until)? else { return Ok(true) };
    let (_, _, to) = whole(&history);
    // From the latest change back to the first: what is put last at a key is what was there first.
    let mut changes = snapshot.range(Space::Log, &first, &to, Order::Backward);
    loop {
        let chunk = chunk(&mut changes)?;
        if chunk.is_empty() {
            return Ok(true);
        }
        let mut formers = BTreeMap::new();
        for (_, value) in &chunk {
            let former = Former::decode(value)?;
            formers.insert(moved(former.key, into.id), former.image);
        }
        let commit = engine.change(|batch| {
            for (key, image) in &formers {
                match image {
                    Some(image) => batch.put(Space::Items, key, *image),
                    None => batch.remove(Space::Items, key),
                }
            }
        })?;
        commit.wait()?;
        if !go_on() {
            return Ok(false);
        }
    }
}
