//! The tables: the pipeline's own, the target's, and what the two must have in common.

use super::given::bound;
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
    connection.locked("millstream", |connection| {
        let Some(lacks) = check_table(connection, mapping)? else {
            if !create {
                let message = format!("there is no table {} and create = false", wanted.name);
                return Err(Error::config(message));
            }
            return Ok(connection.create_table(&wanted)?);
        };
        for column in wanted.columns.iter().filter(|column| lacks.contains(&column.name)) {
            if !create {
                let message = format!("table {} has no column {}", wanted.name, column.name);
                return Err(Error::config(message));
            }
            connection.add_column(&wanted.name, column)?;
        }
        Ok(())
    })
}

/// The columns that the table lacks; none: there is no table. One that cannot be written as the mapping says is refused.
pub fn check_table(connection: &mut Connection, mapping: &Mapping) -> Result<Option<Vec<String>>, Error> {
    let Some(shape) = connection.table(&mapping.table)? else { return Ok(None) };
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
    let wanted = mapping.columns.iter().filter(|column| mapping.key.contains(&column.name));
    for (column, given) in wanted.filter_map(|column| Some((column, shape.column(&column.name)?))) {
        if let Some(fault) = given.mixes_keys(column.kind.column(), connection.dialect()) {
            return Err(Error::config(format!(
                "table {}: the key {} {fault}: give it a type and a collation that keep keys apart, or another table",
                mapping.table, column.name
            )));
        }
    }
    let is_missing = |name: &String| shape.column(name).is_none();
    Ok(Some(mapping.names().into_iter().filter(is_missing).collect()))
}

/// Gives new attributes columns: in the table, in what is remembered, in the mapping that all lanes share.
pub fn grow(connection: &mut Connection, shared: &Shared, more: Vec<Column>) -> Result<(), Error> {
    let mut mapping = shared.mapping.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    let dialect = connection.dialect();
    let mut grown = Mapping::clone(&mapping);
    let may_come = |column: &Column| mapping.refuses(&column.name, dialect).is_none();
    let more: Vec<Column> = more.into_iter().filter(may_come).collect();
    if more.is_empty() {
        return Ok(());
    }
    let shape = connection.table(&mapping.table)?;
    for column in more {
        if grown.refuses(&column.name, dialect).is_some() {
            continue;
        }
        let name = column.name.clone();
        let given = shape.as_ref().and_then(|shape| shape.column(&name));
        let held = given.map_or(Ok(None), |given| bound(&mapping, &column, given, dialect));
        grown = grown.with(vec![column]);
        grown = match held {
            Ok(None) => grown,
            Ok(Some(bound)) => grown.bounded(&name, bound),
            Err(fault) => grown.without(&[&name], &fault),
        };
    }
    if grown.columns.len() == mapping.columns.len() {
        *mapping = std::sync::Arc::new(grown);
        return Ok(());
    }
    if let Err(error) = make_table(connection, &grown, grown.create) {
        // A table has only so many columns, or they are somebody else's: those that are there are used, the others are
        // told where they are missing.
        let is_full = error.data.as_ref().is_some_and(|told| told.kind == sql::Kind::Data);
        if grown.create && !is_full {
            return Err(error);
        }
        let Some(lacks) = check_table(connection, &grown)? else { return Err(error) };
        let lacks: Vec<&str> = lacks.iter().map(String::as_str).collect();
        grown = grown.without(&lacks, &error.message);
    }
    if grown.columns.len() == mapping.columns.len() {
        *mapping = std::sync::Arc::new(grown);
        return Ok(());
    }
    let more = &grown.columns[mapping.columns.len()..];
    let sql = format!("SELECT derived FROM {PIPELINES} WHERE pipeline = {}", dialect.parameter(1));
    let found = connection.query(&sql, &[shared.pipeline.as_str().into()])?;
    let derived = found.rows.first().and_then(|row| row[0].as_text()).unwrap_or("[]");
    let mut columns = super::state::read_columns(derived);
    columns.extend_from_slice(more);
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
