//! The target's own limit: the same rows in the same batches by the same driver, and nothing else.

use super::{BATCH, Bench, Result, Taken};
use sql::{Column, ColumnKind, Connection, NewTable, OnConflict, Settings, Upsert, Value};

const TEXTS: std::ops::Range<usize> = 3..10;

/// Into an empty table, and over rows that are there.
pub fn rates(bench: &Bench, settings: &Settings, connections: usize) -> Result<[Taken; 2]> {
    let mut columns: Vec<String> = ["id", "n", "yes"].map(str::to_owned).to_vec();
    columns.extend(TEXTS.map(|at| format!("t{at}")));
    let kind = |name: &str| match name {
        "n" => ColumnKind::Numeric,
        "yes" => ColumnKind::Boolean,
        _ => ColumnKind::Text,
    };
    let shaped = columns.iter().map(|name| Column::new(name, kind(name))).collect();
    let key = vec!["id".to_owned()];
    let table = NewTable { name: "bare".to_owned(), columns: shaped, key };
    Connection::open(settings)?.create_table(&table)?;
    let measured = |on_conflict: OnConflict| {
        let mut order: Vec<usize> = (0..bench.rows).collect();
        if on_conflict == OnConflict::Refuse {
            // A scan gives items in no order of their keys; changes come here in the order in which they were written.
            order.sort_by_key(|at| scattered(*at as u64));
        }
        let parts: Vec<Vec<Vec<Value>>> = (0..connections)
            .map(|part| {
                let mut own: Vec<usize> = order.iter().copied().skip(part).step_by(connections).collect();
                // Ours sorts the rows of a batch as well.
                own.chunks_mut(BATCH).for_each(<[usize]>::sort_unstable);
                own.into_iter().map(|at| values(at, on_conflict)).collect()
            })
            .collect();
        bench.taken(None, || {
            std::thread::scope(|scope| {
                let writers: Vec<_> = parts
                    .iter()
                    .map(|rows| scope.spawn(|| write(settings, &columns, rows, on_conflict)))
                    .collect();
                writers.into_iter().try_for_each(|writer| writer.join().unwrap_or(Ok(())))
            })?;
            Ok(())
        })
    };
    let taken = [measured(OnConflict::Refuse)?, measured(OnConflict::Replace)?];
    Connection::open(settings)?.batch("DROP TABLE bare")?;
    Ok(taken)
}

fn write(
    settings: &Settings,
    columns: &[String],
    rows: &[Vec<Value>],
    on_conflict: OnConflict,
) -> std::result::Result<(), sql::Error> {
    let mut connection = Connection::open(settings)?;
    for rows in rows.chunks(BATCH) {
        let upsert = Upsert { table: "bare", columns, key: &columns[..1], rows, on_conflict };
        connection.transaction(|connection| connection.upsert(&upsert))?;
    }
    Ok(())
}

fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn values(at: usize, on_conflict: OnConflict) -> Vec<Value> {
    let version = usize::from(on_conflict == OnConflict::Replace);
    let head =
        [Value::Text(name(at)), Value::Numeric((at + version).to_string()), Value::Boolean(version == 1)];
    head.into_iter().chain(TEXTS.map(|column| Value::Text(text(column, at)))).collect()
}

pub fn name(at: usize) -> String {
    format!("item-{at:08}")
}

fn text(column: usize, at: usize) -> String {
    format!("{column}:{at:036}")
}

/// The same row as an item.
pub fn item(at: usize, version: usize) -> serde_json::Value {
    let mut item = serde_json::json!({
        "id": { "S": name(at) }, "n": { "N": (at + version).to_string() }, "yes": { "BOOL": version == 1 },
    });
    for column in TEXTS {
        item[format!("t{column}")] = serde_json::json!({ "S": text(column, at) });
    }
    item
}

/// The mapping that makes the same columns.
pub fn columns() -> String {
    let mut columns =
        "[pipeline.columns]\nid = {}\nn = { type = \"numeric\" }\nyes = { type = \"boolean\" }\n".to_owned();
    TEXTS.for_each(|at| columns.push_str(&format!("t{at} = {{}}\n")));
    columns
}
