//! Whether a pipeline's file, its source and what is at its target go together: told before anything is written.

use super::begin::{Pipeline, Planned};
use crate::mapping::{Keying, Mapping};
use crate::targets::{Kept, Ledger, Place};
use crate::{Error, Kind};

impl Pipeline {
    pub(super) fn stream<'p>(&self, planned: &'p Planned) -> Result<&'p str, Error> {
        planned.description.stream.as_deref().ok_or_else(|| {
            Error::config(format!(
                "table {0} has no stream: aws dynamodb update-table --table-name {0} --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES",
                self.source_table
            ))
        })
    }

    /// Whether the stream says what the mapping needs.
    pub(super) fn fits(&self, planned: &Planned) -> Result<(), Error> {
        self.stream(planned)?;
        let view = planned.description.view.as_str();
        let enough = match planned.mapping.keying {
            Keying::Moving => view == "NEW_AND_OLD_IMAGES",
            Keying::Fixed | Keying::Shared(_) => view == "NEW_AND_OLD_IMAGES" || view == "NEW_IMAGE",
        };
        match enough {
            true => Ok(()),
            false => Err(Error::config(format!(
                "the stream of {} has the view {view}, and this mapping needs NEW_AND_OLD_IMAGES",
                self.source_table
            ))),
        }
    }

    /// Whether this run goes on where another was, and whether it copies over rows that are there. What does not go
    /// together with either is refused.
    pub(super) fn goes_together(
        &self,
        ledger: &mut dyn Ledger,
        kept: Option<&Kept>,
        planned: &Planned,
    ) -> Result<(bool, bool), Error> {
        let lacks = ledger.check(&planned.mapping)?;
        match kept {
            Some(kept) if !kept.again => {
                self.same(kept, planned)?;
                self.is_whole(&planned.mapping, lacks.as_deref())?;
            }
            _ => self.may_make(&planned.mapping, lacks.as_deref())?,
        }
        match kept {
            Some(kept) if !kept.again => Ok((true, false)),
            Some(kept) if kept.fingerprint.starts_with(&self.places()) => Ok((false, true)),
            // Another table than the one that was filled.
            _ => must_be_empty(ledger, &planned.mapping).map(|()| (false, kept.is_some())),
        }
    }

    /// Whether what an earlier run wrote goes together with what this one would.
    pub(super) fn same(&self, kept: &Kept, planned: &Planned) -> Result<(), Error> {
        let again =
            format!("`millstream replicate FILE resync {}` begins again with a snapshot", self.config.name);
        if planned.description.stream.as_ref() != Some(&kept.stream) {
            return Err(Error::new(
                Kind::Gap,
                format!(
                    "table {} has another stream than the one that was followed ({}): it was made anew; {again}",
                    self.source_table, kept.stream
                ),
            ));
        }
        if kept.fingerprint != self.fingerprint() {
            return Err(Error::config(format!(
                "pipeline '{}': the mapping has changed since its rows were written; {again}",
                self.config.name
            )));
        }
        Ok(())
    }

    /// What a target refuses may have a reason that a look at its table tells: it is gone, or is another.
    pub fn explained(&self, error: Error) -> Error {
        match error.kind {
            Kind::Target => match self.check() {
                Err(Error { kind: Kind::Config, message, .. }) => Error { message, ..error },
                _ => error,
            },
            _ => error,
        }
    }

    /// What the table lacks is made, unless the file says otherwise.
    pub(super) fn may_make(&self, mapping: &Mapping, lacks: Option<&[String]>) -> Result<(), Error> {
        let table = &mapping.table;
        match lacks {
            _ if self.config.create => Ok(()),
            None => Err(Error::config(format!("there is no table {table} and create = false"))),
            Some([]) => Ok(()),
            Some([column, ..]) => {
                Err(Error::config(format!("table {table} has no column {column} and create = false")))
            }
        }
    }

    /// What somebody took away from a table that is filled would come back empty.
    fn is_whole(&self, mapping: &Mapping, lacks: Option<&[String]>) -> Result<(), Error> {
        let of_items = |name: &&String| !mapping.soft() || **name != mapping.deleted_at;
        let lost = match lacks {
            None => format!("the table {}, which this pipeline has filled, is not there", mapping.table),
            Some(lacks) => match lacks.iter().find(of_items) {
                Some(column) => format!(
                    "table {} has lost the column {column}, which this pipeline has filled",
                    mapping.table
                ),
                None => return Ok(()),
            },
        };
        Err(Error::config(format!(
            "{lost}: put it back as it was, or `millstream replicate FILE resync {}` begins again with a snapshot",
            self.config.name
        )))
    }

    /// A table that is its own target would never come to rest.
    pub(super) fn is_another(&self, mapping: &Mapping) -> Result<(), Error> {
        let Place::Tables(login) = &self.target else { return Ok(()) };
        let is_same = login.endpoint == self.login.endpoint
            && login.region == self.login.region
            && login.credentials.access_key == self.login.credentials.access_key;
        match is_same && mapping.table == self.source_table {
            false => Ok(()),
            true => Err(Error::config(format!(
                "pipeline '{}': table {} is the source: give table = \"another\"",
                self.config.name, mapping.table
            ))),
        }
    }

    /// Settings that decide what a row is.
    pub(super) fn fingerprint(&self) -> String {
        let config = &self.config;
        format!(
            "{}{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            self.places(),
            config.key,
            config.columns,
            config.rest,
            config.drop,
            config.filter,
            config.filter_names,
            config.filter_values,
            config.conflicts
        )
    }

    /// Where rows come from and go: how a fingerprint begins.
    fn places(&self) -> String {
        format!("1 {:?} {:?} ", self.source_table, self.config.table)
    }
}

/// A first snapshot fills what is missing: rows that are there already would stay, right or wrong.
fn must_be_empty(ledger: &mut dyn Ledger, mapping: &Mapping) -> Result<(), Error> {
    match ledger.has_rows(mapping)? {
        false => Ok(()),
        true => Err(Error::config(format!(
            "table {} has rows, and this pipeline has not begun: empty it, or give table = \"another\"",
            mapping.table
        ))),
    }
}
