//! Reading a target back: for those who compare.

use crate::Error;
use crate::mapping::{From, Mapping, Path, Shape};
use model::Item;
use std::collections::HashMap;

pub type RowOf<L> = <<L as Look>::Shape as Shape>::Row;
pub type KeyOf<L> = <<L as Look>::Shape as Shape>::Key;

pub trait Look {
    type Shape: Shape;

    fn shape(&self) -> &Self::Shape;
    /// A key's name, the same for what was written and for what the target gives back.
    fn name(&self, key: &KeyOf<Self>) -> String;
    /// The rows with these keys, by name.
    fn rows(&mut self, keys: &[&KeyOf<Self>]) -> Result<HashMap<String, RowOf<Self>>, Error>;
    /// Every key of the target's table, with its name; how many there are.
    fn every_key(&mut self, each: &mut dyn FnMut(String, KeyOf<Self>)) -> Result<u64, Error>;
    fn equal(&self, wanted: &RowOf<Self>, found: &RowOf<Self>) -> bool;
    /// A row that a soft delete has marked.
    fn is_deleted(&self, row: &RowOf<Self>) -> bool;
    /// The source's key, where the target's says it.
    fn source_key(&self, key: &KeyOf<Self>, names: &[&str]) -> Option<Item>;
}

/// Which part of the target's key is this attribute of the source.
pub fn source_key_at(mapping: &Mapping, name: &str) -> Option<usize> {
    let path = From::Attribute(Path::name(name));
    let is_it =
        |key: &String| mapping.columns.iter().any(|column| column.name == *key && column.from == path);
    mapping.key.iter().position(is_it)
}
