//! What Query and Scan have in common: what to give back of each item, and the page as an answer.

use super::Body;
use super::answer::{capacity_member, corrupt};
use super::fault::{Fault, data, validation};
use api::dynamodb::{Object, ReturnConsumedCapacity, Select, item};
use engine::{Attributes, Consistency, Error, Index, IndexKind, KeySchema, Page, Table};
use model::View;
use model::expression::{Bound, Condition, Projection};
use std::sync::Arc;

/// What the client chose to get.
pub(super) struct Choice<'a> {
    pub select: Option<Select>,
    /// The parameter that names attributes, if there is one.
    pub naming: Option<&'static str>,
    pub index: Option<&'a str>,
}

impl Choice<'_> {
    /// Refuses combinations that contradict each other.
    pub fn check(&self) -> Result<(), Fault> {
        match (self.select, self.naming) {
            (Some(Select::SpecificAttributes), None) => Err(validation(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
            )),
            (Some(select), Some(naming)) if select != Select::SpecificAttributes => {
                Err(validation(format!("Cannot specify the {naming} when choosing to get {}", word(select))))
            }
            (Some(Select::AllProjectedAttributes), _) if self.index.is_none() => Err(validation(
                // Scans say so too. [suite: moto, test_all_projected_attributes_rejected_for_table]
                "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
            )),
            _ => Ok(()),
        }
    }

    pub fn counts_only(&self) -> bool {
        self.select == Some(Select::Count)
    }

    /// The attributes that the engine must have at hand.
    pub fn attributes<'n>(&self, named: &'n [&'n str]) -> Attributes<'n> {
        match self.select {
            _ if self.naming.is_some() => Attributes::Named(named),
            Some(Select::AllAttributes) => Attributes::All,
            _ => Attributes::Projected,
        }
    }
}

/// The top-level attributes that a projection names.
pub(super) fn roots(projection: Option<&Bound<Projection>>) -> Vec<&str> {
    projection.into_iter().flat_map(|projection| projection.roots()).map(|(name, _)| name).collect()
}

/// The index a request names, if it names one that can be read so.
pub(super) fn index(
    table: &Table,
    name: Option<&str>,
    consistent: bool,
) -> Result<Option<Arc<Index>>, Fault> {
    let Some(name) = name else { return Ok(None) };
    let index = table.index(name).map_err(data)?;
    if consistent && index.kind() == IndexKind::Global {
        return Err(validation("Consistent reads are not supported on global secondary indexes"));
    }
    Ok(Some(index))
}

/// The keys that a request reads by.
pub(super) fn schema<'a>(table: &'a Table, index: Option<&'a Index>) -> &'a KeySchema {
    index.map_or(table.key_schema(), Index::key_schema)
}

pub(super) fn consistency(consistent: bool) -> Consistency {
    if consistent { Consistency::Strong } else { Consistency::Eventual }
}

/// A query's filter sees what the keys have let through, and may not ask for keys again.
pub(super) fn check_filter(
    filter: Option<&Bound<Condition>>,
    schema: &KeySchema,
    member: &str,
) -> Result<(), Fault> {
    let mut roots = filter.into_iter().flat_map(|filter| filter.roots());
    match roots.find(|(name, _)| schema.contains(name)) {
        Some((name, _)) => Err(validation(format!(
            "{member} can only contain non-primary key attributes: Primary key attribute: {name}"
        ))),
        None => Ok(()),
    }
}

/// How a page is written.
pub(super) struct Output<'a> {
    pub table: &'a Table,
    pub counts_only: bool,
    pub projection: Option<&'a Bound<Projection>>,
    pub capacity: Option<ReturnConsumedCapacity>,
}

impl Output<'_> {
    /// Runs `read` and writes what it visits.
    pub fn page(
        &self,
        read: impl FnOnce(&mut dyn FnMut(View<'_>) -> Result<(), Error>) -> Result<Page, Error>,
    ) -> Body {
        // Room for a few items, so that it is not copied from one size to the next.
        let mut body = Vec::with_capacity(if self.counts_only { 128 } else { 16 << 10 });
        let mut object = Object::new(&mut body);
        let page = if self.counts_only {
            read(&mut |_| Ok(())).map_err(data)?
        } else {
            let out = object.member("Items");
            out.push(b'[');
            let mut first = true;
            let page = read(&mut |view| {
                if !first {
                    out.push(b',');
                }
                first = false;
                match self.projection {
                    None => item(view, out)?,
                    Some(projection) => item(projection.project(view)?.view(), out)?,
                }
                Ok(())
            });
            out.push(b']');
            page.map_err(data)?
        };
        object.number("Count", page.count);
        object.number("ScannedCount", page.scanned);
        if let Some(last) = &page.last {
            object.item("LastEvaluatedKey", last.view()).map_err(corrupt)?;
        }
        capacity_member(&mut object, self.table.name(), &page.consumed, self.capacity);
        object.end();
        Ok(body)
    }
}

fn word(select: Select) -> &'static str {
    match select {
        Select::AllAttributes => "ALL_ATTRIBUTES",
        Select::AllProjectedAttributes => "ALL_PROJECTED_ATTRIBUTES",
        Select::SpecificAttributes => "SPECIFIC_ATTRIBUTES",
        Select::Count => "only the Count",
    }
}
