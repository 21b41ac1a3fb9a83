//! Rows that nobody has written, by COPY: the server writes pages of them at once, where a statement inserts one by one.

use super::Postgres;
use super::write::Class;
use crate::bulk::Bulk;
use crate::{Cells, ColumnShape, Dialect, Error, Kind};
use bytes::Bytes;

/// How a stream of rows begins: the format, no flags, no more to say. And how it ends, where a row's length would be.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const END: [u8; 2] = (-1i16).to_be_bytes();
/// A table that takes rows from statements alone: row-level security, a view.
const STATEMENTS_ONLY: [&str; 2] = ["0A000", "42809"];

/// How a column of COPY travels: the server casts nothing.
#[derive(Clone, Copy)]
pub(super) enum Travel {
    As(Class),
    /// A version before the text.
    Jsonb,
}

/// None: some column wants a cast.
pub(super) fn travels(columns: &[&ColumnShape]) -> Option<Vec<Travel>> {
    let of = |column: &&ColumnShape| {
        Some(match (Class::of(column), column.type_name.as_str()) {
            (Class::Other, "jsonb") => Travel::Jsonb,
            (Class::Other, "json") => Travel::As(Class::Other),
            (Class::Bigint, name) if name != "bigint" => return None,
            (Class::Double, name) if name != "double precision" => return None,
            (Class::Other, _) => return None,
            (class, _) => Travel::As(class),
        })
    };
    columns.iter().map(of).collect()
}

impl Postgres {
    /// All of the rows or none: one that is there already is an error.
    pub(super) fn copy(&mut self, upsert: &Bulk<'_>, travels: &[Travel]) -> Result<u64, Error> {
        let (table, columns) =
            (Dialect::Postgres.quoted(upsert.table), Dialect::Postgres.list(upsert.columns));
        let statement = self.prepare(&format!("COPY {table} ({columns}) FROM STDIN WITH (FORMAT binary)"))?;
        let rows = &mut self.rows;
        rows.clear();
        rows.extend_from_slice(HEAD);
        for row in upsert.rows {
            rows.extend_from_slice(&(travels.len() as i16).to_be_bytes());
            for (at, travel) in travels.iter().enumerate() {
                put(row, at, *travel, rows)?;
            }
        }
        rows.extend_from_slice(&END);
        let done = self.client.copy_in(&statement, Bytes::copy_from_slice(rows));
        self.rows.clear();
        self.rows.shrink_to(super::write::KEPT_BYTES_MAX);
        self.noted(done).map_err(|error| match &error.code {
            Some(code) if STATEMENTS_ONLY.contains(&code.as_str()) => {
                Error { kind: Kind::Constraint, ..error }
            }
            _ => error,
        })
    }
}

fn put(row: &dyn Cells, at: usize, travel: Travel, out: &mut Vec<u8>) -> Result<(), Error> {
    let cell = row.cell(at);
    if cell.is_null() {
        out.extend_from_slice(&(-1i32).to_be_bytes());
        return Ok(());
    }
    let begun = out.len();
    out.extend_from_slice(&[0; 4]);
    match travel {
        Travel::As(class) => class.encode(cell, out)?,
        Travel::Jsonb => {
            out.push(1);
            Class::Other.encode(cell, out)?;
        }
    }
    let length = (out.len() - begun - 4) as u32;
    out[begun..begun + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}
