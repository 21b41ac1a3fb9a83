//! The tables: the pipeline's own, the target's, and what the two must have in common.

use crate::Error;
use crate::mapping::{Column, Mapping};
use crate::targets::Shared;
use sql::{ColumnKind, Connection, NewTable};

pub const PIPELINES: &str = "millstream_pipelines";
pub const LANES: &str = "millstream_lanes";
pub const MARKS: &str = "millstream_marks";
pub const GONE: &str = "millstream_gone";
pub const SEEN: &str = "millstream_seen";
pub const CLAIMS: &str = "millstream_claims";
pub const PLACES: &str = "millstream_places";
pub const QUARANTINE: &str = "millstream_quarantine";

/// Names of texts are followed by `*` in a key; whole numbers by `#`.
const TABLES: [(&str, &[&str], &[&str]); 8] = [
    (
        PIPELINES,
        &["pipeline"],
        &[
            "source",
            "stream",
            "plan",
            "fingerprint",
            "derived",
            "epoch#",
            "begun_ms#",
            "scanned#",
            "confirmed_ms#",
            "consistent_ms#",
            "paused#",
            "version#",
        ],
    ),
    (LANES, &["pipeline", "lane#"], &["epoch#", "commits#"]),
    (MARKS, &["pipeline", "track", "lane#"], &["mark", "pages#", "ended#"]),
    (GONE, &["pipeline", "item"], &[]),
    (SEEN, &["pipeline", "place"], &[]),
    (CLAIMS, &["pipeline", "place", "item"], &["rank#", "image"]),
    (PLACES, &["pipeline", "item"], &["place"]),
    (QUARANTINE, &["pipeline", "item"], &["item_key", "image", "reason", "at_ms#"]),
];

fn column(spelt: &str) -> sql::Column {
    match spelt.strip_suffix('#') {
        Some(name) => sql::Column::new(name, ColumnKind::Bigint),
        None => sql::Column::new(spelt, ColumnKind::Text),
    }
}

/// Makes the pipeline's own tables where they are missing.
pub fn make_own(connection: &mut Connection) -> Result<(), Error> {
    connection.locked("millstream", |connection| {
        for (name, key, others) in TABLES {
            let columns: Vec<sql::Column> = key.iter().chain(others).map(|spelt| column(spelt)).collect();
            let key = key.iter().map(|spelt| spelt.trim_end_matches('#').to_owned()).collect();
            connection.create_table(&NewTable { name: name.to_owned(), columns, key })?;
        }
        Ok(())
    })
}

/// Makes the target's table, or adds the columns that it lacks.
pub fn make_table(connection: &mut Connection, mapping: &Mapping, create: bool) -> Result<(), Error> {
    let wanted = mapping.table();
    let longest = connection.dialect().name_max();
    if let Some(name) = wanted
        .columns
        .iter()
        .map(|column| &column.name)
        .chain([&wanted.name])
        .find(|name| name.len() > longest)
    {
        return Err(Error::config(format!("the name {name} is longer than this database's {longest}")));
    }
    connection.locked("millstream", |connection| {
        let Some(shape) = connection.table(&wanted.name)? else {
            if !create {
                let message = format!("there is no table {} and create = false", wanted.name);
                return Err(Error::config(message));
            }
            return Ok(connection.create_table(&wanted)?);
        };
        for column in &wanted.columns {
            if shape.column(&column.name).is_none() {
                if !create {
                    let message = format!("table {} has no column {}", wanted.name, column.name);
                    return Err(Error::config(message));
                }
                connection.add_column(&wanted.name, column)?;
            }
        }
        Ok(())
    })?;
    check_table(connection, mapping)?;
    Ok(())
}

/// Whether the table is there; one that cannot be written as the mapping says is refused.
pub fn check_table(connection: &mut Connection, mapping: &Mapping) -> Result<bool, Error> {
    let Some(shape) = connection.table(&mapping.table)? else { return Ok(false) };
    let mut given = shape.key.clone();
    let mut wanted = mapping.key.clone();
    given.sort();
    wanted.sort();
    if given != wanted {
        return Err(Error::config(format!(
            "table {} has the primary key ({}), the pipeline ({}): give key = […] or another table",
            mapping.table,
            shape.key.join(", "),
            mapping.key.join(", ")
        )));
    }
    for column in &shape.columns {
        let is_mapped = mapping.columns.iter().any(|mapped| mapped.name == column.name);
        if !is_mapped && !column.nullable {
            return Err(Error::config(format!(
                "table {} has a column {} that must not be null and has no mapping",
                mapping.table, column.name
            )));
        }
    }
    Ok(true)
}

/// Gives new attributes columns: in the table, in what is remembered, in the mapping that all lanes share.
pub fn grow(connection: &mut Connection, shared: &Shared, more: Vec<Column>) -> Result<(), Error> {
    let mut mapping = shared.mapping.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    let known: Vec<String> = mapping.columns.iter().map(|column| column.name.to_lowercase()).collect();
    let more: Vec<Column> =
        more.into_iter().filter(|column| !known.contains(&column.name.to_lowercase())).collect();
    if more.is_empty() {
        return Ok(());
    }
    let grown = mapping.with(more.clone());
    make_table(connection, &grown, true)?;
    let dialect = connection.dialect();
    let sql = format!("SELECT derived FROM {PIPELINES} WHERE pipeline = {}", dialect.parameter(1));
    let found = connection.query(&sql, &[shared.pipeline.as_str().into()])?;
    let derived = found.rows.first().and_then(|row| row[0].as_text()).unwrap_or("[]");
    let mut columns = super::state::read_columns(derived);
    columns.extend(more);
    let sql = format!(
        "UPDATE {PIPELINES} SET derived = {} WHERE pipeline = {} AND epoch = {}",
        dialect.parameter(1),
        dialect.parameter(2),
        dialect.parameter(3)
    );
    let values = [
        super::state::write_columns(&columns).as_str().into(),
        shared.pipeline.as_str().into(),
        shared.epoch.into(),
    ];
    if connection.execute(&sql, &values)?.rows == 0 {
        return Err(crate::targets::ledger::fenced());
    }
    *mapping = std::sync::Arc::new(grown);
    Ok(())
}
