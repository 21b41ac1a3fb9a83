//! SELECT of many items: a Query for each pinned partition, or a Scan.

use super::lower::Lowering;
use super::prepare::{Prepared, conjuncts};
use super::projection::project;
use super::token::Place;
use crate::Dynamodb;
use crate::fault::{Fault, data, validation};
use crate::search::{self, consistency};
use engine::{Attributes, Consumed, Error, KeyCondition, KeyPart, KeySchema, Page, Table};
use model::expression::RangeCondition;
use model::key::KeyType;
use model::partiql::{Comparison, Condition, Function, Literal, Select, Term};
use model::{Item, Type, Value, View};
use servicekit::call::Caller;
use std::sync::Arc;
use store::Order;

/// The partitions that one statement may name.
const PARTITIONS_MAX: usize = 50;
/// What one answer holds, before the statement goes on in another.
const BYTES_MAX: usize = 1 << 20;

pub(super) struct Selected {
    pub table: Arc<Table>,
    pub items: Vec<Item>,
    pub consumed: Consumed,
    /// Where to go on, if there may be more.
    pub next: Option<Place>,
}

pub(super) fn run(
    dynamodb: &Dynamodb,
    caller: &Caller,
    prepared: &Prepared,
    select: &Select,
    limit: Option<usize>,
    from: Place,
) -> Result<Selected, Fault> {
    let table = prepared.table(dynamodb, caller)?;
    let index = select.from.index.as_deref();
    if index.is_some_and(|name| table.index(name).is_err()) {
        return Err(validation("The table does not have the specified index"));
    }
    let found = search::index(&table, index, prepared.consistent)?;
    let schema = search::schema(&table, found.as_deref());
    let mut rest = select.condition.as_ref().map(conjuncts).unwrap_or_default();
    let mut partitions = partitions(prepared, schema, &mut rest)?;
    let order = ordered(select, schema, partitions.as_deref_mut())?;
    let range = match &partitions {
        Some(_) => ranges(prepared, schema, &mut rest)?,
        None => (Vec::new(), None),
    };
    let mut lowering = Lowering::new(&prepared.parameters);
    let filter = lowering.all(&rest)?;
    let filter = lowering.ready(dynamodb.engine.programs(), None, None, filter.as_deref())?.filter;
    let named: Option<Vec<&str>> =
        select.paths.as_ref().map(|paths| paths.iter().map(|path| path.root.as_str()).collect());
    let attributes = named.as_deref().map_or(Attributes::Projected, Attributes::Named);

    let mut done =
        Selected { table: table.clone(), items: Vec::new(), consumed: Consumed::default(), next: None };
    let (mut scanned, mut bytes) = (0, 0);
    let mut place = from;
    let count = partitions.as_ref().map_or(1, Vec::len);
    while (place.partition as usize) < count {
        let mut fault = None;
        let mut visit = |view: View<'_>| -> Result<(), Error> {
            bytes += view.size_bytes();
            match project(select.paths.as_deref(), view) {
                Ok(item) => done.items.push(item),
                Err(found) => fault = Some(found),
            }
            Ok(())
        };
        let limit = limit.map(|limit| limit - scanned);
        let page: Page = match &partitions {
            None => {
                let scan = engine::Scan {
                    index,
                    filter: filter.as_ref(),
                    attributes,
                    limit,
                    start: place.after.as_ref(),
                    segment: None,
                    consistency: consistency(prepared.consistent),
                };
                dynamodb.engine.scan(&table, &scan, &mut visit).map_err(data)?
            }
            Some(partitions) => {
                let key = KeyCondition {
                    hash: partitions[place.partition as usize].clone(),
                    range_equal: range.0.clone(),
                    range: range.1.clone(),
                };
                let query = engine::Query {
                    index,
                    key: &key,
                    filter: filter.as_ref(),
                    attributes,
                    order,
                    limit,
                    start: place.after.as_ref(),
                    consistency: consistency(prepared.consistent),
                };
                dynamodb.engine.query(&table, &query, &mut visit).map_err(data)?
            }
        };
        if let Some(fault) = fault {
            return Err(fault);
        }
        done.consumed.add(&page.consumed);
        scanned += page.scanned;
        if page.last.is_some() {
            done.next = Some(Place { partition: place.partition, after: page.last });
            return Ok(done);
        }
        place = Place { partition: place.partition + 1, after: None };
        let full = bytes >= BYTES_MAX || limit.is_some_and(|limit| page.scanned >= limit);
        if full && (place.partition as usize) < count {
            done.next = Some(place);
            return Ok(done);
        }
    }
    Ok(done)
}

/// The values of the hash key that the conditions pin, each once. The conditions that do so are taken away.
fn partitions(
    prepared: &Prepared,
    schema: &KeySchema,
    rest: &mut Vec<&Condition>,
) -> Result<Option<Vec<Vec<Value>>>, Fault> {
    let mut hash = Vec::new();
    let mut taken = Vec::new();
    for part in &schema.hash {
        for (at, condition) in rest.iter().enumerate() {
            if let Some(value) = prepared.equal(condition, &part.name)? {
                hash.push(value);
                taken.push(at);
                break;
            }
        }
    }
    if hash.len() == schema.hash.len() {
        take(rest, taken);
        return Ok(Some(vec![hash]));
    }
    let [part] = &schema.hash[..] else {
        return Ok(None);
    };
    for (at, condition) in rest.iter().enumerate() {
        let Condition::In(Term::Path(path), among) = condition else {
            continue;
        };
        let literals: Option<Vec<&Literal>> = among
            .iter()
            .map(|term| if let Term::Literal(literal) = term { Some(literal) } else { None })
            .collect();
        let (true, Some(literals)) = (path.is(&part.name), literals) else {
            continue;
        };
        if literals.len() > PARTITIONS_MAX {
            return Err(validation(format!(
                "IN on a partition key takes at most {PARTITIONS_MAX} values, not {}",
                literals.len()
            )));
        }
        let mut values: Vec<Vec<Value>> = Vec::with_capacity(literals.len());
        for literal in literals {
            let value = vec![literal.value(&prepared.parameters).map_err(validation)?];
            if !values.contains(&value) {
                values.push(value);
            }
        }
        rest.remove(at);
        return Ok(Some(values));
    }
    Ok(None)
}

/// Which way to read. Partitions that are ordered themselves are put in order.
fn ordered(
    select: &Select,
    schema: &KeySchema,
    partitions: Option<&mut [Vec<Value>]>,
) -> Result<Order, Fault> {
    if select.order.is_empty() {
        return Ok(Order::Forward);
    }
    if select.condition.is_none() {
        return Err(validation("Must have WHERE clause in the statement when using ORDER BY clause."));
    }
    let Some(partitions) = partitions else {
        return Err(validation(
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        ));
    };
    let is_hash = |name: &str| schema.hash.iter().any(|part| *part.name == *name);
    let mut direction = None;
    let mut by_partition = false;
    for order in &select.order {
        if !schema.contains(&order.by) {
            return Err(validation(format!(
                "Variable reference {} in ORDER BY clause must be part of the primary key",
                order.by
            )));
        }
        if is_hash(&order.by) {
            by_partition |= direction.is_none();
            partitions.sort_by(|a, b| a[0].compare(&b[0]).unwrap_or(std::cmp::Ordering::Equal));
            if order.descending {
                partitions.reverse();
            }
        } else if direction.is_none() {
            direction = Some(if order.descending { Order::Backward } else { Order::Forward });
        } else if (direction == Some(Order::Backward)) != order.descending {
            return Err(validation("ORDER BY several sort keys takes one direction for all of them"));
        }
    }
    match direction {
        Some(_) if partitions.len() > 1 && !by_partition => Err(validation(
            "ORDER BY a sort key takes one value of the partition key, or the partition key before it: several partitions are not merged by this server",
        )),
        direction => Ok(direction.unwrap_or(Order::Forward)),
    }
}

/// The range of sort keys that the conditions leave; the conditions that say so are taken away.
fn ranges(
    prepared: &Prepared,
    schema: &KeySchema,
    rest: &mut Vec<&Condition>,
) -> Result<(Vec<Value>, Option<RangeCondition>), Fault> {
    let mut equal = Vec::new();
    for (number, part) in schema.range.iter().enumerate() {
        let mut found = None;
        for (at, condition) in rest.iter().enumerate() {
            if let Some(range) = range(prepared, condition, part)? {
                found = Some((at, range));
                break;
            }
        }
        let Some((at, range)) = found else {
            break;
        };
        rest.remove(at);
        match range {
            RangeCondition::Equal(value) if number + 1 < schema.range.len() => equal.push(value),
            range => return Ok((equal, Some(range))),
        }
    }
    Ok((equal, None))
}

/// The range that a condition says, if a key can have it; a filter says the same more slowly.
fn range(
    prepared: &Prepared,
    condition: &Condition,
    part: &KeyPart,
) -> Result<Option<RangeCondition>, Fault> {
    let value = |term: &Term| -> Result<Option<Value>, Fault> {
        let Term::Literal(literal) = term else {
            return Ok(None);
        };
        let value = literal.value(&prepared.parameters).map_err(validation)?;
        Ok(fits(&value, part.kind).then_some(value))
    };
    Ok(match condition {
        Condition::Compare(comparison, Term::Path(path), term) if path.is(&part.name) => value(term)?
            .and_then(|value| match comparison {
                Comparison::Equal => Some(RangeCondition::Equal(value)),
                Comparison::Less => Some(RangeCondition::Less(value)),
                Comparison::LessOrEqual => Some(RangeCondition::LessOrEqual(value)),
                Comparison::Greater => Some(RangeCondition::Greater(value)),
                Comparison::GreaterOrEqual => Some(RangeCondition::GreaterOrEqual(value)),
                Comparison::Unequal => None,
            }),
        Condition::Between(Term::Path(path), low, high) if path.is(&part.name) => {
            match (value(low)?, value(high)?) {
                (Some(low), Some(high)) if low.compare(&high).is_some_and(|order| order.is_le()) => {
                    Some(RangeCondition::Between(low, high))
                }
                _ => None,
            }
        }
        Condition::Call(Function::BeginsWith, path, term)
            if path.is(&part.name) && part.kind != KeyType::N =>
        {
            value(term)?.map(RangeCondition::BeginsWith)
        }
        _ => None,
    })
}

fn fits(value: &Value, kind: KeyType) -> bool {
    match value {
        Value::S(text) => kind == KeyType::S && !text.is_empty(),
        Value::B(bytes) => kind == KeyType::B && !bytes.is_empty(),
        value => kind == KeyType::N && value.kind() == Type::N,
    }
}

fn take(rest: &mut Vec<&Condition>, mut places: Vec<usize>) {
    places.sort_unstable();
    for at in places.into_iter().rev() {
        rest.remove(at);
    }
}
