//! Reading rows back, and what makes two of them the same, however a database spells its values.

use crate::Error;
use crate::mapping::{From, Kind, Mapping, Rows, attribute_of, hex};
use crate::targets::look::{Look, source_key_at};
use model::{Item, Number};
use sha2::{Digest, Sha256};
use sql::{Connection, Value};
use std::collections::{BTreeMap, HashMap};

/// Keys of one statement.
const KEYS: usize = 100;

pub struct Seen<'a> {
    pub connection: Connection,
    pub shape: Rows<'a>,
}

impl<'a> Look for Seen<'a> {
    type Shape = Rows<'a>;

    fn shape(&self) -> &Rows<'a> {
        &self.shape
    }

    fn name(&self, key: &Vec<Value>) -> String {
        name_of(self.shape.mapping, key)
    }

    fn rows(&mut self, keys: &[&Vec<Value>]) -> Result<HashMap<String, Vec<Value>>, Error> {
        rows(&mut self.connection, self.shape.mapping, keys)
    }

    fn every_key(&mut self, each: &mut dyn FnMut(String, Vec<Value>)) -> Result<u64, Error> {
        let mapping = self.shape.mapping;
        let (mut last, mut count): (Option<Vec<Value>>, u64) = (None, 0);
        loop {
            let (keys, more) = keys_after(&mut self.connection, mapping, last.as_ref())?;
            count += keys.len() as u64;
            last = keys.last().cloned();
            keys.into_iter().for_each(|key| each(name_of(mapping, &key), key));
            if !more {
                return Ok(count);
            }
        }
    }

    fn equal(&self, wanted: &Vec<Value>, found: &Vec<Value>) -> bool {
        let columns = &self.shape.mapping.columns;
        columns
            .iter()
            .zip(wanted.iter().zip(found))
            .all(|(column, (wanted, found))| canonical(column.kind, wanted) == canonical(column.kind, found))
    }

    fn is_deleted(&self, row: &Vec<Value>) -> bool {
        let columns = &self.shape.mapping.columns;
        let at = columns.iter().position(|column| column.from == From::DeletedAt);
        at.is_some_and(|at| row[at] != Value::Null)
    }

    fn source_key(&self, key: &Vec<Value>, names: &[&str]) -> Option<Item> {
        let of = |name: &&str| {
            let at = source_key_at(self.shape.mapping, name)?;
            Some(((*name).to_owned(), attribute_of(&key[at])?))
        };
        names.iter().map(of).collect()
    }
}

/// The rows with these keys, by name.
fn rows(
    connection: &mut Connection,
    mapping: &Mapping,
    keys: &[&Vec<Value>],
) -> Result<HashMap<String, Vec<Value>>, Error> {
    let dialect = connection.dialect();
    let mut all = HashMap::new();
    for keys in keys.chunks(KEYS) {
        let (mut tests, mut values) = (Vec::new(), Vec::new());
        for key in keys {
            let mut test = Vec::new();
            for (name, value) in mapping.key.iter().zip(key.iter()) {
                values.push(value.clone());
                test.push(format!("{} = {}", dialect.quoted(name), dialect.parameter(values.len())));
            }
            tests.push(format!("({})", test.join(" AND ")));
        }
        let sql = format!(
            "SELECT {} FROM {} WHERE {}",
            dialect.list(&mapping.names()),
            dialect.quoted(&mapping.table),
            tests.join(" OR ")
        );
        for row in connection.query(&sql, &values)?.rows {
            all.insert(name_of(mapping, &mapping.key_of(&row)), row);
        }
    }
    Ok(all)
}

/// Most keys of one page.
const PAGE: usize = 5000;

/// The keys that come after this one, up to a page; fewer: there are no more.
pub(super) fn keys_after(
    connection: &mut Connection,
    mapping: &Mapping,
    last: Option<&Vec<Value>>,
) -> Result<(Vec<Vec<Value>>, bool), Error> {
    let dialect = connection.dialect();
    let list = dialect.list(&mapping.key);
    let (mut after, mut values) = (String::new(), Vec::new());
    if let Some(last) = last {
        // (a > 1) OR (a = 1 AND b > 2) …: the order of the key, in every dialect.
        let mut choices = Vec::new();
        for upto in 0..mapping.key.len() {
            let mut test = Vec::new();
            for (at, value) in last.iter().enumerate().take(upto + 1) {
                values.push(value.clone());
                let sign = if at == upto { ">" } else { "=" };
                let name = dialect.quoted(&mapping.key[at]);
                test.push(format!("{name} {sign} {}", dialect.parameter(values.len())));
            }
            choices.push(format!("({})", test.join(" AND ")));
        }
        after = format!(" WHERE {}", choices.join(" OR "));
    }
    let table = dialect.quoted(&mapping.table);
    let sql = format!("SELECT {list} FROM {table}{after} ORDER BY {list} LIMIT {PAGE}");
    let found = connection.query(&sql, &values)?.rows;
    let more = found.len() == PAGE;
    Ok((found, more))
}

/// A key's name, the same for the value that was written and for the one that the database gives back.
pub(super) fn name_of(mapping: &Mapping, key: &[Value]) -> String {
    let mut digest = Sha256::new();
    for (name, value) in mapping.key.iter().zip(key) {
        let kind = mapping.columns.iter().find(|column| column.name == *name).map(|column| column.kind);
        digest.update(format!("{:?}\u{1}", canonical(kind.unwrap_or(Kind::Text), value)));
    }
    hex(&digest.finalize()[..16])
}

/// A value as its column means it, however a database spells it.
fn canonical(kind: Kind, value: &Value) -> Value {
    match (kind, value) {
        (Kind::Numeric, Value::Numeric(text) | Value::Text(text)) => decimal(text),
        (Kind::Numeric, Value::Real(number)) => decimal(&number.to_string()),
        (Kind::Numeric, Value::Integer(number)) => decimal(&number.to_string()),
        (Kind::Boolean, Value::Integer(number)) => Value::Boolean(*number != 0),
        (Kind::Double, Value::Integer(number)) => Value::Real(*number as f64),
        (Kind::Double, Value::Numeric(text)) => text.parse().map_or(value.clone(), Value::Real),
        (Kind::Text | Kind::Varchar(_), Value::Bytes(bytes)) => {
            String::from_utf8(bytes.clone()).map_or_else(|_| value.clone(), Value::Text)
        }
        (Kind::Json, Value::Integer(number)) => Value::Json((*number as f64).to_string()),
        (Kind::Json, Value::Real(number)) => Value::Json(number.to_string()),
        (Kind::Bigint, Value::Numeric(text) | Value::Text(text)) => {
            text.parse().map_or(value.clone(), Value::Integer)
        }
        (Kind::Json | Kind::TypedJson, Value::Json(text) | Value::Text(text)) => {
            let tree: Result<serde_json::Value, _> = serde_json::from_str(text);
            tree.map_or_else(|_| value.clone(), |tree| Value::Json(sorted(&tree)))
        }
        _ => value.clone(),
    }
}

fn decimal(text: &str) -> Value {
    Value::Numeric(Number::parse(text).map_or_else(|_| text.to_owned(), |number| number.to_string()))
}

/// JSON with members in order and numbers as doubles print.
fn sorted(tree: &serde_json::Value) -> String {
    match tree {
        serde_json::Value::Object(members) => {
            let members: BTreeMap<&String, &serde_json::Value> = members.iter().collect();
            let parts: Vec<String> =
                members.iter().map(|(name, value)| format!("{name:?}:{}", sorted(value))).collect();
            format!("{{{}}}", parts.join(","))
        }
        serde_json::Value::Array(list) => {
            format!("[{}]", list.iter().map(sorted).collect::<Vec<_>>().join(","))
        }
        serde_json::Value::Number(number) => match number.as_f64() {
            Some(number) => number.to_string(),
            None => number.to_string(),
        },
        other => other.to_string(),
    }
}
