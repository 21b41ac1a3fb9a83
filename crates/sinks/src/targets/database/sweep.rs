//! The end of a copy over rows that were there: what it did not bring goes, as deletes do.

use super::apply::{listed, soften};
use super::lane::fence;
use super::look::{keys_after, name_of};
use super::schema::SEEN;
use crate::Error;
use crate::config::Deletes;
use crate::mapping::Mapping;
use crate::targets::ledger::fenced;
use sql::{Connection, Value};

pub fn sweep(
    connection: &mut Connection,
    pipeline: &str,
    mapping: &Mapping,
    epoch: i64,
    now_ms: u64,
) -> Result<u64, Error> {
    let mark = soften(connection.dialect(), mapping, now_ms / 1000);
    let unmarked = format!("{mark} AND {} IS NULL", connection.dialect().quoted(&mapping.deleted_at));
    let (mut last, mut count): (Option<Vec<Value>>, u64) = (None, 0);
    loop {
        let (keys, more) = keys_after(connection, mapping, last.as_ref())?;
        last = keys.last().cloned();
        let names: Vec<String> = keys.iter().map(|key| name_of(mapping, key)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let seen = listed(connection, SEEN, "place", pipeline, &names)?;
        let old = keys.into_iter().zip(&names).filter(|(_, name)| !seen.contains(**name));
        let old: Vec<Vec<Value>> = old.map(|(key, _)| key).collect();
        if !old.is_empty() && mapping.deletes != Deletes::Ignore {
            count += connection.transaction(|connection| {
                let (sql, values) = fence(connection.dialect(), pipeline, 0, epoch);
                if connection.execute(&sql, &values)?.rows == 0 {
                    return Err(fenced());
                }
                match mapping.deletes {
                    Deletes::Soft => {
                        for key in &old {
                            connection.execute(&unmarked, key)?;
                        }
                    }
                    _ => drop(connection.delete(&mapping.table, &mapping.key, &old)?),
                }
                Ok(old.len() as u64)
            })?;
        }
        if !more {
            return Ok(count);
        }
    }
}
