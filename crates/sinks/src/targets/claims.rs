//! Keys of the target that several items may claim: every claim is kept, so that a row is there as long as one item
//! wants it, and goes with the last.

use super::lane::Applied;
use super::{Change, ItemChange};
use crate::config::Conflicts;
use crate::join::{Origin, Work};
use crate::mapping::{Made, Shape, hex};
use crate::{Error, Kind};
use model::Item;
use sha2::{Digest, Sha256};
use std::fmt::Debug;

/// What a target keeps of claims, beside its rows and in the same transaction.
pub trait Keeper {
    type Row;
    type Key;

    /// The stream has taken the item's row away: the snapshot must not bring it back.
    fn is_gone(&mut self, item: &str) -> Result<bool, Error>;
    fn forget_not(&mut self, item: &str) -> Result<(), Error>;
    /// The place that an item has claimed.
    fn held(&mut self, item: &str) -> Result<Option<String>, Error>;
    /// Claims of a place, lowest rank first, with the items' names.
    fn claims(&mut self, place: &str) -> Result<Vec<(i64, String)>, Error>;
    fn claimed(&mut self, place: &str, item: &str) -> Result<Option<Item>, Error>;
    fn claim(&mut self, claim: &Claim<'_>, rank: i64) -> Result<(), Error>;
    fn unclaim(&mut self, place: &str, item: &str) -> Result<(), Error>;
    fn write(&mut self, row: Self::Row) -> Result<(), Error>;
    fn remove(&mut self, key: Self::Key) -> Result<(), Error>;
    /// Writes down why an item has no row; none: it has one, or wants none.
    fn judge(&mut self, change: &ItemChange, origin: Origin, reason: Option<String>) -> Result<(), Error>;
}

/// An item that wants a row.
pub struct Claim<'a> {
    pub place: &'a str,
    pub item: &'a str,
    pub image: &'a Item,
    /// It holds this place already.
    pub renewed: bool,
}

/// How claims are settled.
pub struct Claims<S> {
    pub shape: S,
    pub rule: Conflicts,
}

impl<S: Shape> Claims<S> {
    /// One change after the other: each may depend on the one before.
    pub fn work<K>(&self, keeper: &mut K, work: &Work<Change>) -> Result<Applied, Error>
    where
        K: Keeper<Row = S::Row, Key = S::Key>,
    {
        let mut applied = Applied::default();
        for change in &work.rows {
            applied.add(self.one(keeper, change.item_change(), work.track.origin(), work.remember)?);
        }
        Ok(applied)
    }

    pub fn one<K>(
        &self,
        keeper: &mut K,
        change: &ItemChange,
        origin: Origin,
        remember: bool,
    ) -> Result<Applied, Error>
    where
        K: Keeper<Row = S::Row, Key = S::Key>,
    {
        let mut applied = Applied::of(origin, 1, 0);
        let name = change.name().to_string();
        let held = keeper.held(&name)?;
        if origin == Origin::Snapshot && (held.is_some() || keeper.is_gone(&name)?) {
            return Ok(applied);
        }
        let mut reason = None;
        let row = match change.new.as_ref().map_or(Ok(Made::Nothing), |item| self.shape.make(item)) {
            Ok(Made::Row(row)) => Some(row),
            Ok(Made::Nothing) => None,
            Err(fault) if fault.stop => return Err(Error::new(Kind::Record, fault.reason)),
            Err(fault) => {
                reason = Some(fault.reason);
                None
            }
        };
        let place = row.as_ref().map(|row| place_of(&self.shape.key(row)));
        if let Some(held) = &held
            && Some(held) != place.as_ref()
        {
            self.release(keeper, held, &name)?;
        }
        if let (Some(row), Some(place), Some(image)) = (row, &place, &change.new) {
            let renewed = held.as_ref() == Some(place);
            self.take(keeper, row, origin, &Claim { place, item: &name, image, renewed })?;
        }
        applied.quarantined = usize::from(reason.is_some());
        keeper.judge(change, origin, reason)?;
        if origin == Origin::Stream && remember {
            keeper.forget_not(&name)?;
        }
        Ok(applied)
    }

    /// Claims a row's place, and writes the row if the rule gives it to this item.
    fn take<K>(&self, keeper: &mut K, row: S::Row, origin: Origin, claim: &Claim<'_>) -> Result<(), Error>
    where
        K: Keeper<Row = S::Row, Key = S::Key>,
    {
        let claims = keeper.claims(claim.place)?;
        let others = claims.iter().filter(|(_, item)| item != claim.item).count();
        if self.rule == Conflicts::Stop && others > 0 {
            return Err(Error::new(
                Kind::Claimed,
                format!(
                    "two items claim the row {} of table {}: conflicts = \"stop\"",
                    self.shape.shown(&self.shape.key(&row)),
                    self.shape.mapping().table
                ),
            ));
        }
        let lowest = claims.first().map_or(0, |(rank, _)| *rank);
        let highest = claims.last().map_or(0, |(rank, _)| *rank);
        let own = claims.iter().find(|(_, item)| item == claim.item).map(|(rank, _)| *rank);
        // The highest rank has the row.
        let rank = match (self.rule, origin) {
            (Conflicts::NewestWins, Origin::Stream) => highest + 1,
            _ => own.unwrap_or(lowest - 1),
        };
        let wins = claims.iter().all(|(other, item)| item == claim.item || *other < rank);
        keeper.claim(claim, rank)?;
        if wins { keeper.write(row) } else { Ok(()) }
    }

    /// Gives a place up: the row goes to the next claim, or away.
    fn release<K>(&self, keeper: &mut K, place: &str, name: &str) -> Result<(), Error>
    where
        K: Keeper<Row = S::Row, Key = S::Key>,
    {
        let claims = keeper.claims(place)?;
        let had_it = claims.last().is_some_and(|(_, item)| item == name);
        let next = claims.iter().rev().map(|(_, item)| item).find(|item| *item != name);
        if had_it {
            let image = keeper.claimed(place, next.map_or(name, String::as_str))?;
            if let Some(Ok(Made::Row(row))) = image.map(|image| self.shape.make(&image)) {
                match next {
                    Some(_) => keeper.write(row)?,
                    None => keeper.remove(self.shape.key(&row))?,
                }
            }
        }
        keeper.unclaim(place, name)
    }
}

/// The name of a row: a hash of its key.
fn place_of(key: &impl Debug) -> String {
    hex(&Sha256::digest(format!("{key:?}"))[..20])
}
