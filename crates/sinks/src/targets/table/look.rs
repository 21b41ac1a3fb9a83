//! Reading items back.

use super::calls::{Tables, told};
use crate::Error;
use crate::mapping::{Items, hex};
use crate::targets::look::{Look, source_key_at};
use model::Item;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

pub struct Seen<'a> {
    pub tables: Tables,
    pub shape: Items<'a>,
}

impl<'a> Look for Seen<'a> {
    type Shape = Items<'a>;

    fn shape(&self) -> &Items<'a> {
        &self.shape
    }

    fn name(&self, key: &Item) -> String {
        name_of(key)
    }

    fn rows(&mut self, keys: &[&Item]) -> Result<HashMap<String, Item>, Error> {
        let keys: Vec<Item> = keys.iter().map(|key| (*key).clone()).collect();
        let found = self.tables.get_all(&self.shape.0.table, &keys).map_err(told)?;
        Ok(found.into_iter().map(|row| (self.name(&self.shape.0.key_of_item(&row)), row)).collect())
    }

    fn every_key(&mut self, each: &mut dyn FnMut(String, Item)) -> Result<u64, Error> {
        let mapping = self.shape.0;
        let mut count = 0;
        self.tables.scan(&mapping.table, Some(&mapping.key), None, |_, keys| {
            count += keys.len() as u64;
            keys.into_iter().for_each(|key| each(name_of(&key), key));
            Ok(true)
        })?;
        Ok(count)
    }

    fn equal(&self, wanted: &Item, found: &Item) -> bool {
        wanted == found
    }

    fn is_deleted(&self, row: &Item) -> bool {
        self.shape.0.soft() && row.contains(&self.shape.0.deleted_at)
    }

    fn source_key(&self, key: &Item, names: &[&str]) -> Option<Item> {
        let mapping = self.shape.0;
        let of = |name: &&str| {
            let at = source_key_at(mapping, name)?;
            Some(((*name).to_owned(), key.get(&mapping.key[at])?.clone()))
        };
        names.iter().map(of).collect()
    }
}

pub(super) fn name_of(key: &Item) -> String {
    let mut bytes = Vec::new();
    key.encode(&mut bytes);
    hex(&Sha256::digest(&bytes)[..16])
}
