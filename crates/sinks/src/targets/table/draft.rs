//! A transaction that is being written: one operation per item, the last that was asked for.

use super::calls::{OWN, own, tree};
use crate::mapping::typed;
use model::{Item, Value};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashSet};

/// A transaction has at most 100 operations and 4 MiB; a change adds up to nine, and three items.
const OPERATIONS_FULL: usize = 85;
const BYTES_FULL: usize = 5 << 19;

#[derive(Clone, Debug)]
pub enum Write {
    /// `fill`: only where there is no item yet.
    Put {
        item: Item,
        fill: bool,
    },
    Delete,
    /// Marks an item that is there as deleted.
    Soften {
        key: Item,
        name: String,
        at: String,
    },
}

#[derive(Default)]
pub struct Draft {
    /// By the key, as JSON.
    rows: BTreeMap<String, Write>,
    /// What is remembered, by owner and entry; none: forgotten.
    own: BTreeMap<(String, String), Option<Item>>,
    bytes: usize,
    /// Items that go to quarantine, and that leave it.
    pub entered: HashSet<String>,
    pub left: HashSet<String>,
}

impl Draft {
    pub fn is_full(&self) -> bool {
        self.rows.len() + self.own.len() >= OPERATIONS_FULL || self.bytes >= BYTES_FULL
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.own.is_empty()
    }

    pub fn put(&mut self, key: &Item, item: Item) {
        self.bytes += item.size_bytes();
        self.rows.insert(typed(key), Write::Put { item, fill: false });
    }

    /// What a stream's record has decided in the same transaction stays. `fill`: so does an item that is there.
    pub fn copy(&mut self, key: &Item, item: Item, fill: bool) {
        self.bytes += item.size_bytes();
        self.rows.entry(typed(key)).or_insert(Write::Put { item, fill });
    }

    pub fn delete(&mut self, key: &Item) {
        self.rows.insert(typed(key), Write::Delete);
    }

    pub fn soften(&mut self, key: Item, name: &str, at: &str) {
        match self.rows.get_mut(&typed(&key)) {
            Some(Write::Put { item, fill }) => {
                item.insert(name, Value::S(at.to_owned()));
                *fill = false;
            }
            Some(_) => {}
            None => {
                let soften = Write::Soften { key: key.clone(), name: name.to_owned(), at: at.to_owned() };
                self.rows.insert(typed(&key), soften);
            }
        }
    }

    pub fn remember(&mut self, owner: &str, entry: &str, fields: Item) {
        let mut item = own(owner, entry);
        for (name, value) in fields.iter() {
            item.insert(name, value.clone());
        }
        self.bytes += item.size_bytes();
        self.own.insert((owner.to_owned(), entry.to_owned()), Some(item));
    }

    pub fn forget(&mut self, owner: &str, entry: &str) {
        self.own.insert((owner.to_owned(), entry.to_owned()), None);
    }

    /// What this transaction says of an entry; the outer none: nothing.
    pub fn remembered(&self, owner: &str, entry: &str) -> Option<Option<&Item>> {
        self.own.get(&(owner.to_owned(), entry.to_owned())).map(Option::as_ref)
    }

    /// What it says of entries that begin so.
    pub fn remembered_all<'d>(
        &'d self,
        owner: &'d str,
        prefix: &'d str,
    ) -> impl Iterator<Item = (&'d str, Option<&'d Item>)> {
        self.own
            .range((owner.to_owned(), prefix.to_owned())..)
            .take_while(move |((of, entry), _)| of == owner && entry.starts_with(prefix))
            .map(|((_, entry), item)| (entry.as_str(), item.as_ref()))
    }

    /// The operations as JSON, those on rows first.
    pub fn operations(&self, table: &str, key: &str) -> Vec<String> {
        let table = Json::from(table);
        let rows = self.rows.iter().map(|(whole, write)| match write {
            Write::Put { item, fill: false } => {
                format!(r#"{{"Put":{{"TableName":{table},"Item":{}}}}}"#, typed(item))
            }
            Write::Put { item, fill: true } => format!(
                r##"{{"Put":{{"TableName":{table},"Item":{},"ConditionExpression":"attribute_not_exists(#k)","ExpressionAttributeNames":{{"#k":{}}}}}}}"##,
                typed(item),
                Json::from(key)
            ),
            Write::Delete => format!(r#"{{"Delete":{{"TableName":{table},"Key":{whole}}}}}"#),
            Write::Soften { key: whole, name, at } => json!({ "Update": {
                "TableName": table, "Key": tree(whole), "UpdateExpression": "SET #d = :d",
                "ConditionExpression": "attribute_exists(#k)",
                "ExpressionAttributeNames": { "#k": key, "#d": name },
                "ExpressionAttributeValues": { ":d": { "S": at } },
            } })
            .to_string(),
        });
        let own = self.own.iter().map(|((owner, entry), item)| match item {
            Some(item) => format!(r#"{{"Put":{{"TableName":"{OWN}","Item":{}}}}}"#, typed(item)),
            None => {
                format!(r#"{{"Delete":{{"TableName":"{OWN}","Key":{}}}}}"#, typed(&own(owner, entry)))
            }
        });
        rows.chain(own).collect()
    }

    /// Drops the operations on rows with these numbers: their conditions do not hold, and nothing is to be done.
    pub fn drop_rows(&mut self, numbers: &[usize]) {
        let mut at = 0;
        self.rows.retain(|_, _| {
            at += 1;
            !numbers.contains(&(at - 1))
        });
    }
}
