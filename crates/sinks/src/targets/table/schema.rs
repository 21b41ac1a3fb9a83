//! Tables: the pipelines' own, the targets, and what a target must have in common with its mapping.

use super::calls::{OWN, Tables, told};
use crate::mapping::{Kind as ColumnKind, Mapping};
use crate::{Error, Kind};
use serde_json::{Value as Json, json};
use std::time::Duration;
use world::World;

/// A table is there soon after it was made.
const ACTIVE_MAX: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Names and types of a key.
type Key = Vec<(String, String)>;

pub fn make_own(tables: &mut Tables, world: &World) -> Result<(), Error> {
    let key = ["owner", "entry"].map(|name| (name.to_owned(), "S".to_owned()));
    make(tables, world, OWN, &key)
}

pub fn make_table(tables: &mut Tables, world: &World, mapping: &Mapping, create: bool) -> Result<(), Error> {
    if check_table(tables, mapping)? {
        return Ok(());
    }
    if !create {
        return Err(Error::config(format!("there is no table {} and create = false", mapping.table)));
    }
    make(tables, world, &mapping.table, &key_of(mapping))
}

/// Whether the table is there; one that cannot be written as the mapping says is refused.
pub fn check_table(tables: &mut Tables, mapping: &Mapping) -> Result<bool, Error> {
    if mapping.table == OWN {
        return Err(Error::config(format!("{OWN} is the table of what pipelines remember: name another")));
    }
    let Some(described) = describe(tables, &mapping.table)? else { return Ok(false) };
    let (given, wanted) = (given_key(&described), key_of(mapping));
    if given != wanted {
        let told = |key: &Key| {
            key.iter().map(|(name, kind)| format!("{name} {kind}")).collect::<Vec<_>>().join(", ")
        };
        return Err(Error::config(format!(
            "table {} has the key ({}), the pipeline ({}): give key = […], a type, or another table",
            mapping.table,
            told(&given),
            told(&wanted)
        )));
    }
    Ok(true)
}

fn key_of(mapping: &Mapping) -> Key {
    let kind = |name: &String| match mapping.columns.iter().find(|column| column.name == *name) {
        Some(column) if column.kind == ColumnKind::Numeric => "N",
        Some(column) if column.kind == ColumnKind::Bytes => "B",
        _ => "S",
    };
    mapping.key.iter().map(|name| (name.clone(), kind(name).to_owned())).collect()
}

fn given_key(described: &Json) -> Key {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let definitions = described["AttributeDefinitions"].as_array();
    let kind = |name: &Json| {
        let mut all = definitions.into_iter().flatten();
        all.find(|one| one["AttributeName"] == *name).map(|one| text(&one["AttributeType"]))
    };
    let elements = described["KeySchema"].as_array().into_iter().flatten();
    elements
        .map(|one| (text(&one["AttributeName"]), kind(&one["AttributeName"]).unwrap_or_default()))
        .collect()
}

/// None: there is no such table.
fn describe(tables: &mut Tables, table: &str) -> Result<Option<Json>, Error> {
    match tables.call("DescribeTable", &json!({ "TableName": table })) {
        Ok(mut told) => Ok(Some(told["Table"].take())),
        Err(fault) if fault.is("ResourceNotFoundException") => Ok(None),
        Err(fault) => Err(told(fault)),
    }
}

fn make(tables: &mut Tables, world: &World, table: &str, key: &[(String, String)]) -> Result<(), Error> {
    let types = key.iter().map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind }));
    let roles = ["HASH", "RANGE"];
    let schema =
        key.iter().zip(roles).map(|((name, _), role)| json!({ "AttributeName": name, "KeyType": role }));
    let asked = json!({
        "TableName": table, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": types.collect::<Vec<_>>(), "KeySchema": schema.collect::<Vec<_>>(),
    });
    let until = world.elapsed() + ACTIVE_MAX;
    loop {
        match describe(tables, table)? {
            Some(described) if described["TableStatus"] == "ACTIVE" => return Ok(()),
            Some(_) => {}
            None => match tables.call("CreateTable", &asked) {
                // Another runner makes it, too.
                Err(fault) if fault.is("ResourceInUseException") => {}
                made => drop(made.map_err(told)?),
            },
        }
        if world.elapsed() > until {
            return Err(Error::new(
                Kind::Unreachable,
                format!("target: table {table} does not become active"),
            ));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
