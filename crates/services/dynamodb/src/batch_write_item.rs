//! BatchWriteItem.

use super::answer::{Wanted, array, capacities_member, collection, corrupt, measures, refused};
use super::fault::{Fault, constraint, data, failed, validation};
use super::request::{ITEM_BYTES_MAX, Members};
use super::tree::Tree;
use super::{Body, Dynamodb, names};
use api::dynamodb::{
    BatchWriteItem, DeleteRequest, Object, PutRequest, ReturnItemCollectionMetrics, WriteRequest,
};
use engine::{Action, Consumed, Table, Write};
use model::key::KeyType;
use model::{CorruptImage, Image, Item, Value};
use servicekit::call::Call;
use std::borrow::Cow;
use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::Arc;

/// The writes of one request, over all tables.
const WRITES_MAX: usize = 25;

pub(super) async fn batch_write_item(dynamodb: &Dynamodb, call: &Call) -> Body {
    match BatchWriteItem::read(&call.request.body) {
        Some(request) => write(dynamodb, call, request).await,
        None => {
            let input = call.unchecked_input()?;
            check_items(Tree::of(&input))?;
            call.check(&input)?;
            write(dynamodb, call, explained(Tree::of(&input), call)?).await
        }
    }
}

/// What the service checks of the map of tables in words of its own. [suite: batchWriteItem]
fn check_items(input: Tree<'_>) -> Result<(), Fault> {
    match input.map("RequestItems") {
        Some(tables) if tables.is_empty() => {
            Err(validation("The requestItems parameter is required for BatchWriteItem"))
        }
        _ => Ok(()),
    }
}

/// Reads what the fast way does not, and says what is wrong.
fn explained<'a>(input: Tree<'a>, call: &Call) -> Result<BatchWriteItem<'a>, Fault> {
    let mut request_items = Vec::new();
    for (name, tree) in input.map("RequestItems").into_iter().flatten() {
        if tree.is_null() {
            let rule = "Map value must satisfy constraint: [Member must not be null]";
            return Err(constraint(&format!("{{{name}=null}}"), "requestItems", rule));
        }
        names::table(name, &call.caller)?;
        let writes = tree.as_array().map(Vec::as_slice).unwrap_or_default();
        let writes = writes.iter().map(|tree| write_request(Tree::of(tree)));
        request_items.push((Cow::Borrowed(name.as_str()), writes.collect::<Result<_, _>>()?));
    }
    Ok(BatchWriteItem {
        request_items,
        return_consumed_capacity: input.return_consumed_capacity(),
        return_item_collection_metrics: input.return_item_collection_metrics(),
        borrows: PhantomData,
    })
}

fn write_request(tree: Tree<'_>) -> Result<WriteRequest<'_>, Fault> {
    let (put, delete) = (tree.structure("PutRequest"), tree.structure("DeleteRequest"));
    match (&put, &delete) {
        (None, None) => Err(validation(
            "Supplied WriteRequest is empty, must contain exactly one of the supported request types",
        )),
        (Some(_), Some(_)) => Err(validation(
            "Supplied WriteRequest has more than one request type set, must contain exactly one of the supported request types",
        )),
        _ => {
            let put = put.map(|put| put.attributes("Item")).transpose()?;
            let delete = delete.map(|delete| delete.attributes("Key")).transpose()?;
            Ok(WriteRequest {
                put: put.map(|item| PutRequest { item, borrows: PhantomData }),
                delete: delete.map(|key| DeleteRequest { key, borrows: PhantomData }),
                borrows: PhantomData,
            })
        }
    }
}

async fn write(dynamodb: &Dynamodb, call: &Call, request: BatchWriteItem<'_>) -> Body {
    let asked: usize = request.request_items.iter().map(|(_, writes)| writes.len()).sum();
    if asked > WRITES_MAX {
        return Err(validation("Too many items requested for the BatchWriteItem call"));
    }
    let items =
        request.request_items.iter().flat_map(|(_, writes)| writes).filter_map(|write| write.put.as_ref());
    if items.map(|put| put.item.size_bytes()).any(|bytes| bytes > ITEM_BYTES_MAX) {
        return Err(validation("Item size has exceeded the maximum allowed size"));
    }
    let mut parts: Vec<Part<'_>> = Vec::with_capacity(request.request_items.len());
    let mut writes: Vec<(Arc<Table>, Write)> = Vec::with_capacity(asked);
    for (name, asked) in request.request_items {
        let table = dynamodb.table(&call.caller, names::table(&name, &call.caller)?)?;
        let mut keys = Vec::with_capacity(asked.len());
        for write in asked {
            let (key, action) = action(&table, write)?;
            keys.push(key);
            writes.push((table.clone(), Write { action, condition: None }));
        }
        let distinct: HashSet<Vec<u8>> = keys.iter().map(|key| Image::of(key).into_bytes()).collect();
        if distinct.len() < keys.len() {
            return Err(validation("Provided list of item keys contains duplicates"));
        }
        parts.push(Part { name, table, keys });
    }
    // What is left for want of throughput is told as it was asked for.
    let again: Vec<Action> = match dynamodb.engine.settings().throttle {
        true => writes.iter().map(|(_, write)| write.action.clone()).collect(),
        false => Vec::new(),
    };
    let done = match dynamodb.engine.write_batch(writes) {
        Ok(done) => done,
        Err(reason) => return Err(refused(reason, None).await),
    };
    let left = done.left.into_iter().filter_map(|at| Some((at, again.get(at)?))).collect::<Vec<_>>();
    let consumed: Vec<Consumed> = done.writes.into_iter().map(|written| written.consumed).collect();
    done.commit.await.map_err(failed)?;
    let mut body = Vec::with_capacity(64);
    let mut object = Object::new(&mut body);
    unprocessed(&parts, &left, object.member("UnprocessedItems")).map_err(corrupt)?;
    let wanted = Wanted {
        capacity: request.return_consumed_capacity,
        metrics: request.return_item_collection_metrics,
    };
    answer(&parts, consumed, wanted, &mut object)?;
    object.end();
    Ok(body)
}

/// What is asked of one table.
struct Part<'a> {
    name: Cow<'a, str>,
    table: Arc<Table>,
    keys: Vec<Item>,
}

fn action(table: &Table, write: WriteRequest<'_>) -> Result<(Item, Action), Fault> {
    match (write.put, write.delete) {
        (Some(put), _) => {
            let mut key = Item::with_capacity(2);
            for part in table.key_schema().parts() {
                // A single put says more exactly what it misses. [suite: dynalite]
                let value = put.item.get(&part.name).filter(|value| is_of(part.kind, value));
                let value =
                    value.ok_or_else(|| validation("The provided key element does not match the schema"))?;
                key.insert(&*part.name, value.clone());
            }
            Ok((key, Action::Put(Image::of(&put.item))))
        }
        (None, delete) => {
            let key = delete.map(|delete| delete.key).unwrap_or_default();
            let key = table.key(key.view()).map_err(data)?;
            Ok((key.item().clone(), Action::Delete(key)))
        }
    }
}

fn is_of(kind: KeyType, value: &Value) -> bool {
    matches!((kind, value), (KeyType::S, Value::S(_)) | (KeyType::N, Value::N(_)) | (KeyType::B, Value::B(_)))
}

/// The writes that were not done, in the form of a request for them.
fn unprocessed(parts: &[Part<'_>], left: &[(usize, &Action)], out: &mut Vec<u8>) -> Result<(), CorruptImage> {
    let mut tables = Object::new(out);
    let mut first = 0;
    for part in parts {
        let range = first..first + part.keys.len();
        first = range.end;
        let mine: Vec<&Action> =
            left.iter().filter(|(at, _)| range.contains(at)).map(|(_, action)| *action).collect();
        if mine.is_empty() {
            continue;
        }
        let mut result = Ok(());
        array(tables.member(&part.name), mine.into_iter(), |action, out| {
            let (member, inner, image) = match action {
                Action::Put(image) => ("PutRequest", "Item", image.view()),
                Action::Update { key, .. } | Action::Delete(key) | Action::Check(key) => {
                    ("DeleteRequest", "Key", key.item().view())
                }
            };
            let mut one = Object::new(out);
            let mut request = Object::new(one.member(member));
            let done = request.item(inner, image);
            request.end();
            one.end();
            if result.is_ok() {
                result = done;
            }
        });
        result?;
    }
    tables.end();
    Ok(())
}

fn answer(
    parts: &[Part<'_>],
    consumed: Vec<Consumed>,
    Wanted { capacity, metrics }: Wanted,
    object: &mut Object<'_>,
) -> Result<(), Fault> {
    if metrics == Some(ReturnItemCollectionMetrics::Size) {
        let mut tables = Object::new(object.member("ItemCollectionMetrics"));
        for part in parts.iter().filter(|part| measures(&part.table, metrics)) {
            let mut result = Ok(());
            array(tables.member(&part.name), part.keys.iter(), |key, out| {
                result = result.and(collection(&part.table, key, out));
            });
            result.map_err(corrupt)?;
        }
        tables.end();
    }
    let mut consumed = consumed.into_iter();
    let sums: Vec<Consumed> = parts.iter().map(|part| sum(consumed.by_ref().take(part.keys.len()))).collect();
    let tables = parts.iter().zip(&sums).map(|(part, consumed)| (&**part.table.name(), consumed));
    capacities_member(object, tables, capacity);
    Ok(())
}

fn sum(parts: impl Iterator<Item = Consumed>) -> Consumed {
    let mut total = Consumed::default();
    parts.for_each(|part| total.add(&part));
    total
}
