//! Answers of operations on items, written straight to bytes.

use super::Body;
use super::fault::{Fault, data, failed, internal};
use api::dynamodb::{
    Object, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnOnConditionFailure, item,
};
use engine::{Consumed, Error, ErrorKind, IndexKind, Refused, Table};
use model::{CorruptImage, Item, View};
use serde_json::json;
use store::Slice;

/// What a client wants to know of a write besides its success.
#[derive(Clone, Copy, Default)]
pub(super) struct Wanted {
    pub capacity: Option<ReturnConsumedCapacity>,
    pub metrics: Option<ReturnItemCollectionMetrics>,
}

/// The answer to one write: the attributes asked for, if there are any.
pub(super) fn written(
    table: &Table,
    key: &Item,
    attributes: Option<View<'_>>,
    consumed: &Consumed,
    wanted: Wanted,
) -> Body {
    let mut body = Vec::with_capacity(64);
    let mut object = Object::new(&mut body);
    if let Some(attributes) = attributes.filter(|attributes| !attributes.is_empty()) {
        object.item("Attributes", attributes).map_err(corrupt)?;
    }
    capacity_member(&mut object, table.name(), consumed, wanted.capacity);
    if measures(table, wanted.metrics) {
        collection(table, key, object.member("ItemCollectionMetrics")).map_err(corrupt)?;
    }
    object.end();
    Ok(body)
}

/// Why a write did not happen, told when it may be told.
pub(super) async fn refused(refused: Refused, wanted: Option<ReturnOnConditionFailure>) -> Fault {
    if let Err(error) = refused.after.await {
        return failed(error);
    }
    let shown = match (&refused.error.kind, wanted) {
        (ErrorKind::ConditionFailed { item: Some(image) }, Some(ReturnOnConditionFailure::AllOld)) => {
            Some(image.clone())
        }
        _ => None,
    };
    let fault = data(refused.error);
    match shown.map(|image| tree(&image)) {
        Some(Ok(item)) => fault.with("Item", item),
        Some(Err(fault)) => fault,
        None => fault,
    }
}

pub(super) fn view(image: &Slice) -> Result<View<'_>, Fault> {
    View::new(image).map_err(corrupt)
}

pub(super) fn corrupt(error: CorruptImage) -> Fault {
    failed(error)
}

/// An item as a tree: for errors, which are told rarely.
fn tree(image: &Slice) -> Result<serde_json::Value, Fault> {
    let mut bytes = Vec::new();
    item(view(image)?, &mut bytes).map_err(corrupt)?;
    serde_json::from_slice(&bytes).map_err(|_| internal())
}

/// `"ConsumedCapacity":{…}`, if it is asked for.
pub(super) fn capacity_member(
    object: &mut Object<'_>,
    table: &str,
    consumed: &Consumed,
    wanted: Option<ReturnConsumedCapacity>,
) {
    if matches!(wanted, Some(ReturnConsumedCapacity::Total | ReturnConsumedCapacity::Indexes)) {
        capacity(table, consumed, wanted, object.member("ConsumedCapacity"));
    }
}

/// `"ConsumedCapacity":[{…}, …]`, if it is asked for: of operations on several tables.
pub(super) fn capacities_member<'a>(
    object: &mut Object<'_>,
    tables: impl Iterator<Item = (&'a str, &'a Consumed)>,
    wanted: Option<ReturnConsumedCapacity>,
) {
    if matches!(wanted, Some(ReturnConsumedCapacity::Total | ReturnConsumedCapacity::Indexes)) {
        array(object.member("ConsumedCapacity"), tables, |(table, consumed), out| {
            capacity(table, consumed, wanted, out);
        });
    }
}

/// The capacities of a transaction: by table, and said twice.
pub(super) fn transacted_capacities<'a>(
    object: &mut Object<'_>,
    parts: impl Iterator<Item = (&'a str, &'a Consumed)>,
    member: &str,
    wanted: Option<ReturnConsumedCapacity>,
) {
    if !matches!(wanted, Some(ReturnConsumedCapacity::Total | ReturnConsumedCapacity::Indexes)) {
        return;
    }
    let mut tables: Vec<(&str, Consumed)> = Vec::new();
    for (table, consumed) in parts {
        match tables.iter_mut().find(|(known, _)| *known == table) {
            Some((_, sum)) => sum.add(consumed),
            None => tables.push((table, consumed.clone())),
        }
    }
    let all = wanted == Some(ReturnConsumedCapacity::Indexes);
    array(object.member("ConsumedCapacity"), tables.iter(), |(table, consumed), out| {
        let mut object = Object::new(out);
        let twice = |object: &mut Object<'_>, sum: f64| {
            units(object, sum);
            object.number(member, format_args!("{sum:?}"));
        };
        object.string("TableName", table);
        twice(&mut object, consumed.total());
        if all {
            let mut own = Object::new(object.member("Table"));
            twice(&mut own, consumed.table);
            own.end();
            for (kind, member) in
                [(IndexKind::Local, "LocalSecondaryIndexes"), (IndexKind::Global, "GlobalSecondaryIndexes")]
            {
                let of_kind: Vec<_> = consumed.indexes.iter().filter(|index| index.kind == kind).collect();
                if of_kind.is_empty() {
                    continue;
                }
                let mut indexes = Object::new(object.member(member));
                for index in of_kind {
                    let mut one = Object::new(indexes.member(&index.name));
                    twice(&mut one, index.units);
                    one.end();
                }
                indexes.end();
            }
        }
        object.end();
    });
}

/// A transaction that did not happen: each part's reason in its place, with the item where it is asked for.
pub(super) fn cancelled(
    reasons: impl Iterator<Item = (Option<Error>, Option<ReturnOnConditionFailure>)>,
) -> Fault {
    let mut codes = Vec::new();
    let mut told = Vec::new();
    for (reason, wanted) in reasons {
        let Some(reason) = reason else {
            codes.push("None");
            told.push(json!({ "Code": "None" }));
            continue;
        };
        let code = match &reason.kind {
            ErrorKind::ConditionFailed { .. } => "ConditionalCheckFailed",
            ErrorKind::Validation | ErrorKind::ItemTooLarge => "ValidationError",
            ErrorKind::Throttled(throttled) if throttled.on_demand => "ThrottlingError",
            ErrorKind::Throttled(_) => "ProvisionedThroughputExceeded",
            _ => return data(reason),
        };
        codes.push(code);
        let image = match &reason.kind {
            ErrorKind::ConditionFailed { item } if wanted == Some(ReturnOnConditionFailure::AllOld) => {
                item.clone()
            }
            _ => None,
        };
        let mut one = json!({ "Code": code, "Message": data(reason).message });
        match image.map(|image| tree(&image)) {
            Some(Ok(item)) => one["Item"] = item,
            Some(Err(fault)) => return fault,
            None => {}
        }
        told.push(one);
    }
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    Fault::new("TransactionCanceledException", message).with("CancellationReasons", told)
}

fn capacity(table: &str, consumed: &Consumed, wanted: Option<ReturnConsumedCapacity>, out: &mut Vec<u8>) {
    let mut object = Object::new(out);
    object.string("TableName", table);
    units(&mut object, consumed.total());
    if wanted == Some(ReturnConsumedCapacity::Indexes) {
        let mut own = Object::new(object.member("Table"));
        units(&mut own, consumed.table);
        own.end();
        for (kind, member) in
            [(IndexKind::Local, "LocalSecondaryIndexes"), (IndexKind::Global, "GlobalSecondaryIndexes")]
        {
            let mut of_kind = consumed.indexes.iter().filter(|index| index.kind == kind).peekable();
            if of_kind.peek().is_none() {
                continue;
            }
            let mut indexes = Object::new(object.member(member));
            for index in of_kind {
                let mut one = Object::new(indexes.member(&index.name));
                units(&mut one, index.units);
                one.end();
            }
            indexes.end();
        }
    }
    object.end();
}

fn units(object: &mut Object<'_>, units: f64) {
    // A whole number of units has its decimal point too.
    object.number("CapacityUnits", format_args!("{units:?}"));
}

/// Whether a write's item collection is to be told of: only tables with local indexes have them.
pub(super) fn measures(table: &Table, wanted: Option<ReturnItemCollectionMetrics>) -> bool {
    wanted == Some(ReturnItemCollectionMetrics::Size)
        && table.state().indexes().iter().any(|index| index.kind() == IndexKind::Local)
}

/// `{"ItemCollectionKey":{…},"SizeEstimateRangeGB":[0.0,1.0]}`
pub(super) fn collection(table: &Table, key: &Item, out: &mut Vec<u8>) -> Result<(), CorruptImage> {
    let hash = table.hash_name();
    let key: Item = key.get(hash).map(|value| (hash, value.clone())).into_iter().collect();
    let mut object = Object::new(out);
    object.item("ItemCollectionKey", key.view())?;
    object.member("SizeEstimateRangeGB").extend_from_slice(b"[0.0,1.0]");
    object.end();
    Ok(())
}

/// A JSON array, element by element.
pub(super) fn array<T>(
    out: &mut Vec<u8>,
    elements: impl Iterator<Item = T>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(b'[');
    for (at, element) in elements.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(element, out);
    }
    out.push(b']');
}
