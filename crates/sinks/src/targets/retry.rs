//! Another try for what is in quarantine: the item as it is now, unless a record has settled it meanwhile.

use super::Ledger;
use crate::mapping::{KeySchema, Keying, Makes, Mapping};
use crate::source::Table;
use crate::{Error, Kind};
use api::dynamodb::Attributes;

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    pub written: usize,
    pub left: usize,
}

pub fn retry(
    ledger: &mut dyn Ledger,
    source: &mut Table,
    mapping: &Mapping,
    schema: &KeySchema,
) -> Result<Retried, Error> {
    if matches!(mapping.keying, Keying::Shared(_)) {
        return Err(Error::config("items that share keys are retried by the next change of each"));
    }
    let mut retried = Retried::default();
    for entry in ledger.quarantined()? {
        let key: Attributes = serde_json::from_str(&entry.key)
            .map_err(|_| Error::new(Kind::Target, "a key in quarantine cannot be read"))?;
        // One that is gone is settled by the record of its end.
        let written = match source.get(&schema.key_of(&key.0))? {
            // What the runner could not give a column would be lost.
            Some(item) if mapping.makes == Makes::Rows && mapping.lacks_columns(&item) => None,
            Some(item) => ledger.rewrite(mapping, &entry, &item)?,
            None => None,
        };
        match written {
            Some(written) => retried.written += usize::from(written),
            None => retried.left += 1,
        }
    }
    Ok(retried)
}
