//! Keys of the target that several items may claim: every claim is kept, so that a row is there as long as one item
//! wants it, and goes with the last.

use super::Change;
use super::apply::gone;
use super::fold::{Final, Group, Rules};
use super::lane::{Applied, Lane};
use super::schema::{CLAIMS, PLACES};
use crate::config::Conflicts;
use crate::join::{Origin, Work};
use crate::mapping::{Made, hex, typed};
use crate::{Error, Kind};
use api::dynamodb::Attributes;
use sha2::{Digest, Sha256};
use sql::{OnConflict, Upsert, Value};
use std::collections::BTreeMap;

impl Lane {
    /// One change after the other: each may depend on the one before.
    pub(super) fn claim(
        &mut self,
        rules: Rules<'_>,
        rule: Conflicts,
        work: &Work<Change>,
    ) -> Result<Applied, Error> {
        let origin = work.track.origin();
        let mut applied = Applied::default();
        for change in &work.rows {
            match origin {
                Origin::Snapshot => applied.snapshot_rows += 1,
                Origin::Stream => applied.changes += 1,
            }
            let held = self.held(&change.name)?;
            if origin == Origin::Snapshot {
                let known = gone(&mut self.connection, &self.shared.pipeline, &[&change.name])?;
                if held.is_some() || !known.is_empty() {
                    continue;
                }
            }
            applied.quarantined += usize::from(self.one(rules, rule, change, origin, held)?);
            if origin == Origin::Stream && work.remember {
                self.forget_not(&change.name)?;
            }
        }
        Ok(applied)
    }

    /// Whether the item went to quarantine.
    fn one(
        &mut self,
        rules: Rules<'_>,
        rule: Conflicts,
        change: &Change,
        origin: Origin,
        held: Option<String>,
    ) -> Result<bool, Error> {
        let made = match &change.new {
            Some(item) => rules.mapping.row(item, rules.dialect),
            None => Ok(Made::Nothing),
        };
        let mut reason = None;
        let row = match made {
            Ok(Made::Row(row)) => Some(row),
            Ok(Made::Nothing) => None,
            Err(fault) if fault.stop => return Err(Error::new(Kind::Record, fault.reason)),
            Err(fault) => {
                reason = Some(fault.reason);
                None
            }
        };
        let place = row.as_ref().map(|row| place_of(&rules.mapping.key_of(row)));
        if let Some(held) = &held
            && Some(held) != place.as_ref()
        {
            self.release(rules, held, &change.name)?;
        }
        if let (Some(row), Some(place), Some(image)) = (row, place, &change.new) {
            let renewed = held.as_ref() == Some(&place);
            self.take(rules, rule, Claim { place, name: &change.name, image, row, origin, renewed })?;
        }
        let quarantined = reason.is_some();
        let item = Final {
            keys: &change.keys,
            image: change.new.as_ref(),
            row: None,
            deleted: Vec::new(),
            softly: None,
            quarantine: reason,
            gone: false,
        };
        let items = BTreeMap::from([(change.name.clone(), item)]);
        self.quarantine(&Group { origin, remember: false, items, changes: 1 })?;
        Ok(quarantined)
    }

    /// Claims a row's place, and writes the row if the rule gives it to this item.
    fn take(&mut self, rules: Rules<'_>, rule: Conflicts, claim: Claim<'_>) -> Result<(), Error> {
        let claims = self.claims(&claim.place)?;
        let others = claims.iter().filter(|(_, item)| item != claim.name).count();
        if rule == Conflicts::Stop && others > 0 {
            return Err(Error::new(
                Kind::Claimed,
                format!(
                    "two items claim the row with the key {:?} of table {}: conflicts = \"stop\"",
                    rules.mapping.key_of(&claim.row),
                    rules.mapping.table
                ),
            ));
        }
        let lowest = claims.first().map_or(0, |(rank, _)| *rank);
        let highest = claims.last().map_or(0, |(rank, _)| *rank);
        let own = claims.iter().find(|(_, item)| item == claim.name).map(|(rank, _)| *rank);
        // The highest rank has the row.
        let rank = match (rule, claim.origin) {
            (Conflicts::NewestWins, Origin::Stream) => highest + 1,
            _ => own.unwrap_or(lowest - 1),
        };
        let wins = claims.iter().all(|(other, item)| item == claim.name || *other < rank);
        let pipeline = self.shared.pipeline.as_str();
        self.connection.upsert(&Upsert {
            table: CLAIMS,
            columns: &["pipeline", "place", "item", "rank", "image"].map(str::to_owned),
            key: &["pipeline", "place", "item"].map(str::to_owned),
            rows: &[vec![
                pipeline.into(),
                claim.place.as_str().into(),
                claim.name.into(),
                rank.into(),
                typed(claim.image).as_str().into(),
            ]],
            on_conflict: OnConflict::Replace,
        })?;
        if !claim.renewed {
            self.connection.upsert(&Upsert {
                table: PLACES,
                columns: &["pipeline", "item", "place"].map(str::to_owned),
                key: &["pipeline", "item"].map(str::to_owned),
                rows: &[vec![pipeline.into(), claim.name.into(), claim.place.as_str().into()]],
                on_conflict: OnConflict::Replace,
            })?;
        }
        if wins { self.write(rules, claim.row) } else { Ok(()) }
    }

    /// Gives a place up: the row goes to the next claim, or away.
    fn release(&mut self, rules: Rules<'_>, place: &str, name: &str) -> Result<(), Error> {
        let claims = self.claims(place)?;
        let (pipeline, dialect) = (self.shared.pipeline.clone(), self.connection.dialect());
        let had_it = claims.last().is_some_and(|(_, item)| item == name);
        let next = claims.iter().rev().map(|(_, item)| item).find(|item| *item != name);
        if had_it {
            let wanted = next.map_or(name, String::as_str);
            let sql = format!(
                "SELECT image FROM {CLAIMS} WHERE pipeline = {} AND place = {} AND item = {}",
                dialect.parameter(1),
                dialect.parameter(2),
                dialect.parameter(3)
            );
            let found =
                self.connection.query(&sql, &[pipeline.as_str().into(), place.into(), wanted.into()])?;
            let image = found.rows.first().and_then(|row| row[0].as_text());
            let image = image.and_then(|text| serde_json::from_str::<Attributes>(text).ok());
            let made = image.map(|image| rules.mapping.row(&image.0, rules.dialect));
            if let Some(Ok(Made::Row(row))) = made {
                match next {
                    Some(_) => self.write(rules, row)?,
                    None => {
                        let key = rules.mapping.key_of(&row);
                        self.connection.delete(&rules.mapping.table, &rules.mapping.key, &[key])?;
                    }
                }
            }
        }
        let key = |parts: &[&str]| parts.iter().map(|part| Value::from(*part)).collect::<Vec<_>>();
        let columns = ["pipeline", "place", "item"].map(str::to_owned);
        self.connection.delete(CLAIMS, &columns, &[key(&[&pipeline, place, name])])?;
        let columns = ["pipeline", "item"].map(str::to_owned);
        self.connection.delete(PLACES, &columns, &[key(&[&pipeline, name])])?;
        Ok(())
    }

    fn write(&mut self, rules: Rules<'_>, row: Vec<Value>) -> Result<(), Error> {
        self.connection.upsert(&Upsert {
            table: &rules.mapping.table,
            columns: &rules.mapping.names(),
            key: &rules.mapping.key,
            rows: &[row],
            on_conflict: OnConflict::Replace,
        })?;
        Ok(())
    }

    /// The place that an item has claimed.
    fn held(&mut self, name: &str) -> Result<Option<String>, Error> {
        let dialect = self.connection.dialect();
        let sql = format!(
            "SELECT place FROM {PLACES} WHERE pipeline = {} AND item = {}",
            dialect.parameter(1),
            dialect.parameter(2)
        );
        let found = self.connection.query(&sql, &[self.shared.pipeline.as_str().into(), name.into()])?;
        Ok(found.rows.first().and_then(|row| row[0].as_text().map(str::to_owned)))
    }

    /// Claims of a place, lowest rank first.
    fn claims(&mut self, place: &str) -> Result<Vec<(i64, String)>, Error> {
        let dialect = self.connection.dialect();
        let rank = dialect.quoted("rank");
        let sql = format!(
            "SELECT {rank}, item FROM {CLAIMS} WHERE pipeline = {} AND place = {} ORDER BY {rank}",
            dialect.parameter(1),
            dialect.parameter(2)
        );
        let found = self.connection.query(&sql, &[self.shared.pipeline.as_str().into(), place.into()])?;
        let claim = |row: &Vec<Value>| Some((row[0].as_integer()?, row[1].as_text()?.to_owned()));
        Ok(found.rows.iter().filter_map(claim).collect())
    }

    fn forget_not(&mut self, name: &str) -> Result<(), Error> {
        self.connection.upsert(&Upsert {
            table: super::schema::GONE,
            columns: &["pipeline", "item"].map(str::to_owned),
            key: &["pipeline", "item"].map(str::to_owned),
            rows: &[vec![self.shared.pipeline.as_str().into(), name.into()]],
            on_conflict: OnConflict::Keep,
        })?;
        Ok(())
    }
}

/// An item that wants a row.
struct Claim<'a> {
    place: String,
    name: &'a str,
    image: &'a model::Item,
    row: Vec<Value>,
    origin: Origin,
    /// It holds this place already.
    renewed: bool,
}

/// The name of a row: a hash of its key.
fn place_of(key: &[Value]) -> String {
    hex(&Sha256::digest(format!("{key:?}"))[..20])
}
