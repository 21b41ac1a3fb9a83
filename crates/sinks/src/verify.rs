//! Whether the target's rows are what the source's items make: key by key, while changes flow.

use crate::Error;
use crate::mapping::{From, Kind, Made, Mapping, Path, hex};
use crate::runner::Pipeline;
use crate::source::Table;
use crate::target::State;
use model::{Item, Number};
use sha2::{Digest, Sha256};
use sql::{Connection, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// Keys of one statement.
const KEYS: usize = 100;
/// How often a difference is looked at again: what is on its way arrives meanwhile.
const LOOKS: usize = 10;
const PAUSE: Duration = Duration::from_millis(300);

#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The target's key.
    pub key: Vec<Value>,
    /// None: no item makes this row.
    pub wanted: Option<Vec<Value>>,
    /// None: there is no row.
    pub found: Option<Vec<Value>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verified {
    pub items: u64,
    pub rows: u64,
    /// Items that are in quarantine and have no row.
    pub quarantined: u64,
    pub differences: Vec<Difference>,
}

/// The rows that the source's items want, by the name of the target's key.
type Wanted = HashMap<String, Vec<Vec<Value>>>;

pub fn verify(pipeline: &Pipeline) -> Result<Verified, Error> {
    let mut state = pipeline.state()?;
    let Some(kept) = state.load()? else {
        return Err(Error::config(format!("pipeline '{}' has not begun", pipeline.name())));
    };
    let mapping = pipeline.plan(Some(&kept))?.mapping;
    let mut source = pipeline.source()?;
    let mut verified = Verified::default();
    let mut suspects: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut known: HashSet<String> = HashSet::new();
    let mut from: Option<Box<str>> = None;
    loop {
        let page = source.scan(0, 1, from.as_deref(), None)?;
        verified.items += page.items.len() as u64;
        let mut wanted = Wanted::new();
        let mut keys = BTreeMap::new();
        for item in &page.items {
            match mapping.row(item, pipeline.dialect()) {
                Ok(Made::Row(row)) => {
                    let key = mapping.key_of(&row);
                    let name = name_of(&mapping, &key);
                    known.insert(name.clone());
                    wanted.entry(name.clone()).or_default().push(row);
                    keys.insert(name, key);
                }
                Ok(Made::Nothing) => {}
                Err(_) => verified.quarantined += 1,
            }
        }
        let found = rows(&mut state.connection, &mapping, keys.values())?;
        for (name, key) in keys {
            let fits = found
                .get(&name)
                .is_some_and(|row| wanted[&name].iter().any(|wanted| equal(&mapping, wanted, row)));
            if !fits {
                suspects.insert(name, key);
            }
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let mut extra = Vec::new();
    verified.rows = every_key(&mut state.connection, &mapping, |key| {
        let name = name_of(&mapping, &key);
        if !known.contains(&name) {
            extra.push((name, key));
        }
    })?;
    suspects.extend(extra);
    verified.differences = settle(pipeline, &mapping, &mut source, &mut state, suspects)?;
    Ok(verified)
}

/// What still differs after some looks.
fn settle(
    pipeline: &Pipeline,
    mapping: &Mapping,
    source: &mut Table,
    state: &mut State,
    mut suspects: BTreeMap<String, Vec<Value>>,
) -> Result<Vec<Difference>, Error> {
    let mut differences = Vec::new();
    for look in 0..LOOKS {
        if suspects.is_empty() {
            return Ok(Vec::new());
        }
        if look > 0 {
            std::thread::sleep(PAUSE);
        }
        let quarantined: HashSet<String> = state.quarantined()?.into_iter().map(|entry| entry.key).collect();
        let before = rows(&mut state.connection, mapping, suspects.values())?;
        let mut wanted = Wanted::new();
        let schema = source.describe()?.schema;
        for_items(source, mapping, &suspects, |item| {
            if quarantined.contains(&crate::mapping::typed(&schema.key_of(item))) {
                return;
            }
            if let Ok(Made::Row(row)) = mapping.row(item, pipeline.dialect()) {
                let name = name_of(mapping, &mapping.key_of(&row));
                if suspects.contains_key(&name) {
                    wanted.entry(name).or_default().push(row);
                }
            }
        })?;
        let after = rows(&mut state.connection, mapping, suspects.values())?;
        differences.clear();
        suspects.retain(|name, key| {
            let fits = |found: Option<&Vec<Value>>| match (found, wanted.get(name)) {
                (None, None) => true,
                (Some(row), Some(wanted)) => wanted.iter().any(|wanted| equal(mapping, wanted, row)),
                // A row that is kept as deleted has no item.
                (Some(row), None) => is_deleted(mapping, row),
                (None, Some(_)) => false,
            };
            if fits(before.get(name)) || fits(after.get(name)) {
                return false;
            }
            differences.push(Difference {
                key: key.clone(),
                wanted: wanted.get(name).and_then(|rows| rows.first().cloned()),
                found: after.get(name).cloned(),
            });
            true
        });
    }
    Ok(differences)
}

/// The items that may make these rows: read by key where the target's key says it, else all.
fn for_items(
    source: &mut Table,
    mapping: &Mapping,
    suspects: &BTreeMap<String, Vec<Value>>,
    mut each: impl FnMut(&Item),
) -> Result<(), Error> {
    let schema = source.describe()?.schema;
    let at: Option<Vec<(usize, String)>> = schema
        .names()
        .map(|name| {
            let of = |key: &String| {
                mapping
                    .columns
                    .iter()
                    .any(|column| column.name == *key && column.from == From::Attribute(Path::name(name)))
            };
            mapping.key.iter().position(of).map(|at| (at, name.to_owned()))
        })
        .collect();
    if let Some(at) = at
        && suspects.len() < 1000
    {
        for key in suspects.values() {
            let item: Option<Item> =
                at.iter().map(|(at, name)| attribute(&key[*at]).map(|value| (name.clone(), value))).collect();
            let Some(item) = item else { continue };
            if let Some(item) = source.get(&item)? {
                each(&item);
            }
        }
        return Ok(());
    }
    let mut from: Option<Box<str>> = None;
    loop {
        let page = source.scan(0, 1, from.as_deref(), None)?;
        page.items.iter().for_each(&mut each);
        from = page.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

fn attribute(value: &Value) -> Option<model::Value> {
    Some(match value {
        Value::Text(text) => model::Value::S(text.clone()),
        Value::Numeric(text) => model::Value::N(Number::parse(text).ok()?),
        Value::Integer(number) => model::Value::N(Number::from(*number)),
        Value::Bytes(bytes) => model::Value::B(bytes.clone()),
        _ => return None,
    })
}

/// A row that a soft delete has marked.
fn is_deleted(mapping: &Mapping, row: &[Value]) -> bool {
    let at = mapping.columns.iter().position(|column| column.from == From::DeletedAt);
    at.is_some_and(|at| row[at] != Value::Null)
}

/// The rows with these keys, by name.
fn rows<'k>(
    connection: &mut Connection,
    mapping: &Mapping,
    keys: impl Iterator<Item = &'k Vec<Value>>,
) -> Result<HashMap<String, Vec<Value>>, Error> {
    let dialect = connection.dialect();
    let keys: Vec<&Vec<Value>> = keys.collect();
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

/// Every key of the target's table, page by page; how many there are.
fn every_key(
    connection: &mut Connection,
    mapping: &Mapping,
    mut each: impl FnMut(Vec<Value>),
) -> Result<u64, Error> {
    const PAGE: usize = 5000;
    let dialect = connection.dialect();
    let list = dialect.list(&mapping.key);
    let (mut last, mut count): (Option<Vec<Value>>, u64) = (None, 0);
    loop {
        let (mut after, mut values) = (String::new(), Vec::new());
        if let Some(last) = &last {
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
        count += found.len() as u64;
        let ended = found.len() < PAGE;
        last = found.last().cloned();
        found.into_iter().for_each(&mut each);
        if ended {
            return Ok(count);
        }
    }
}

/// A key's name, the same for the value that was written and for the one that the database gives back.
pub(crate) fn name_of(mapping: &Mapping, key: &[Value]) -> String {
    let mut digest = Sha256::new();
    for (name, value) in mapping.key.iter().zip(key) {
        let kind = mapping.columns.iter().find(|column| column.name == *name).map(|column| column.kind);
        digest.update(format!("{:?}\u{1}", canonical(kind.unwrap_or(Kind::Text), value)));
    }
    hex(&digest.finalize()[..16])
}

fn equal(mapping: &Mapping, wanted: &[Value], found: &[Value]) -> bool {
    mapping
        .columns
        .iter()
        .zip(wanted.iter().zip(found))
        .all(|(column, (wanted, found))| canonical(column.kind, wanted) == canonical(column.kind, found))
}

/// A value as its column means it, however a database spells it.
fn canonical(kind: Kind, value: &Value) -> Value {
    match (kind, value) {
        (Kind::Numeric, Value::Numeric(text) | Value::Text(text)) => decimal(text),
        (Kind::Numeric, Value::Real(number)) => decimal(&number.to_string()),
        (Kind::Numeric, Value::Integer(number)) => decimal(&number.to_string()),
        (Kind::Boolean, Value::Integer(number)) => Value::Boolean(*number != 0),
        (Kind::Double, Value::Integer(number)) => Value::Real(*number as f64),
        (Kind::Bigint, Value::Numeric(text)) => text.parse().map_or(value.clone(), Value::Integer),
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

/// What a difference says to a person.
pub fn told(difference: &Difference) -> String {
    let what = match (&difference.wanted, &difference.found) {
        (Some(_), None) => "is missing",
        (None, Some(_)) => "has no item",
        _ => "differs",
    };
    format!("the row with the key {:?} {what}", difference.key)
}
