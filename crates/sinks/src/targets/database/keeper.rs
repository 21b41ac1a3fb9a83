//! Claims in tables of the database.

use super::fold::{Final, Group};
use super::lane::Connected;
use super::look::name_of;
use super::schema::{CLAIMS, PLACES, SEEN};
use crate::join::Origin;
use crate::mapping::{ItemName, Mapping, typed};
use crate::targets::ItemChange;
use crate::targets::claims::{Claim, Keeper};
use crate::{Error, Kind};
use api::dynamodb::Attributes;
use model::Item;
use sql::{OnConflict, Upsert, Value};
use std::borrow::Cow;

/// A lane inside its transaction.
pub struct Inside<'l> {
    pub lane: &'l mut Connected,
    pub mapping: &'l Mapping,
    /// Rows are told apart from those of an earlier copy.
    pub recopy: bool,
}

impl Inside<'_> {
    fn select(&mut self, sql: &str, values: &[&str]) -> Result<Vec<Vec<Value>>, Error> {
        let dialect = self.lane.connection.dialect();
        let mut text = String::new();
        for (at, part) in sql.split('?').enumerate() {
            if at > 0 {
                text.push_str(&dialect.parameter(at));
            }
            text.push_str(part);
        }
        let pipeline = self.lane.shared.pipeline.as_str();
        let values: Vec<Value> =
            std::iter::once(pipeline).chain(values.iter().copied()).map(Value::from).collect();
        Ok(self.lane.connection.query(&text, &values)?.rows)
    }

    fn put(&mut self, table: &str, key: &[&str], others: &[&str], row: Vec<Value>) -> Result<(), Error> {
        let names = |names: &mut dyn Iterator<Item = &&str>| {
            names.map(|name| (*name).to_owned()).collect::<Vec<String>>()
        };
        let own: Value = self.lane.shared.pipeline.as_str().into();
        self.lane.connection.upsert(&Upsert {
            table,
            columns: &names(&mut ["pipeline"].iter().chain(key).chain(others)),
            key: &names(&mut ["pipeline"].iter().chain(key)),
            rows: &[std::iter::once(own).chain(row).collect::<Vec<Value>>()],
            on_conflict: OnConflict::Replace,
        })?;
        Ok(())
    }
}

impl Keeper for Inside<'_> {
    type Row = Vec<Value>;
    type Key = Vec<Value>;

    fn is_gone(&mut self, item: &str) -> Result<bool, Error> {
        self.lane.is_gone(item)
    }

    fn forget_not(&mut self, item: &str) -> Result<(), Error> {
        let name =
            ItemName::parse(item).ok_or_else(|| Error::new(Kind::Target, "an item's name cannot be read"))?;
        self.lane.note_gone(&[name])
    }

    fn held(&mut self, item: &str) -> Result<Option<String>, Error> {
        let sql = format!("SELECT place FROM {PLACES} WHERE pipeline = ? AND item = ?");
        let found = self.select(&sql, &[item])?;
        Ok(found.first().and_then(|row| row[0].as_text().map(str::to_owned)))
    }

    fn claims(&mut self, place: &str) -> Result<Vec<(i64, String)>, Error> {
        let rank = self.lane.connection.dialect().quoted("rank");
        let sql =
            format!("SELECT {rank}, item FROM {CLAIMS} WHERE pipeline = ? AND place = ? ORDER BY {rank}");
        let claim = |row: &Vec<Value>| Some((row[0].as_integer()?, row[1].as_text()?.to_owned()));
        Ok(self.select(&sql, &[place])?.iter().filter_map(claim).collect())
    }

    fn claimed(&mut self, place: &str, item: &str) -> Result<Option<Item>, Error> {
        let sql = format!("SELECT image FROM {CLAIMS} WHERE pipeline = ? AND place = ? AND item = ?");
        let found = self.select(&sql, &[place, item])?;
        let image = found.first().and_then(|row| row[0].as_text());
        Ok(image.and_then(|text| serde_json::from_str::<Attributes>(text).ok()).map(|image| image.0))
    }

    fn claim(&mut self, claim: &Claim<'_>, rank: i64) -> Result<(), Error> {
        let image = typed(claim.image);
        let row = vec![claim.place.into(), claim.item.into(), rank.into(), image.as_str().into()];
        self.put(CLAIMS, &["place", "item"], &["rank", "image"], row)?;
        if claim.renewed {
            return Ok(());
        }
        self.put(PLACES, &["item"], &["place"], vec![claim.item.into(), claim.place.into()])
    }

    fn unclaim(&mut self, place: &str, item: &str) -> Result<(), Error> {
        let pipeline = self.lane.shared.pipeline.clone();
        let key = |parts: &[&str]| parts.iter().map(|part| Value::from(*part)).collect::<Vec<_>>();
        let columns = ["pipeline", "place", "item"].map(str::to_owned);
        self.lane.connection.delete(CLAIMS, &columns, &[key(&[&pipeline, place, item])])?;
        let columns = ["pipeline", "item"].map(str::to_owned);
        self.lane.connection.delete(PLACES, &columns, &[key(&[&pipeline, item])])?;
        Ok(())
    }

    fn write(&mut self, row: Vec<Value>) -> Result<(), Error> {
        if self.recopy {
            let place = name_of(self.mapping, &self.mapping.key_of(&row));
            self.lane.list(SEEN, "place", &[place])?;
        }
        self.lane.connection.upsert(&Upsert {
            table: &self.mapping.table,
            columns: &self.mapping.names(),
            key: &self.mapping.key,
            rows: &[row],
            on_conflict: OnConflict::Replace,
        })?;
        Ok(())
    }

    fn remove(&mut self, key: Vec<Value>) -> Result<(), Error> {
        self.lane.connection.delete(&self.mapping.table, &self.mapping.key, &[key])?;
        Ok(())
    }

    fn judge(&mut self, change: &ItemChange, origin: Origin, reason: Option<String>) -> Result<(), Error> {
        let image = change.new.as_ref().map(Cow::Borrowed);
        let item = Final { image, quarantine: reason, ..Final::of(&change.key) };
        self.lane.quarantine(&Group { origin, remember: false, items: vec![item], changes: 1 })
    }
}
