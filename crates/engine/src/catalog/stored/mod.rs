//! The catalog's records as they lie in the store: a version byte, then JSON.

mod keys;
mod settings;
mod stream;
mod table;

pub(crate) use keys::read_parts;
pub(crate) use stream::{StreamRecord, read_view, stream};
pub(crate) use table::{TableRecord, table, table_record};

use crate::Error;
use crate::catalog::trims::Range;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::Space;

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct TrimRecord {
    log: bool,
    from: Vec<u8>,
    to: Vec<u8>,
}

pub(crate) fn next_id(id: u64) -> Vec<u8> {
    encode(&id)
}

pub(crate) fn trim((space, from, to): &Range) -> Vec<u8> {
    encode(&TrimRecord { log: *space == Space::Log, from: from.clone(), to: to.clone() })
}

pub(crate) fn read_trim(bytes: &[u8]) -> Result<Range, Error> {
    let TrimRecord { log, from, to } = decode(bytes)?;
    Ok((if log { Space::Log } else { Space::Items }, from, to))
}

pub(crate) fn encode(record: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, record).expect("records of names and numbers have a JSON form");
    bytes
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    match bytes.split_first() {
        Some((&VERSION, json)) => {
            serde_json::from_slice(json).map_err(|error| damaged(&format!("a catalog record ({error})")))
        }
        Some((version, _)) => Err(Error::internal(format!(
            "the catalog has a record of format {version}, which this version does not know"
        ))),
        None => Err(damaged("a catalog record")),
    }
}

pub(crate) fn damaged(what: &str) -> Error {
    Error::internal(format!("the catalog is damaged: {what} cannot be read"))
}
