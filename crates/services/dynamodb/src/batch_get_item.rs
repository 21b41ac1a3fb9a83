//! BatchGetItem.

use super::answer::{array, capacities_member, corrupt, view};
use super::expressions::{Expressions, Languages, Ready, rewritten};
use super::fault::{Fault, data, validation};
use super::legacy::{self, Rewritten};
use super::request::Members;
use super::tree::Tree;
use super::value::item;
use super::{Body, Dynamodb, names};
use api::dynamodb::{BatchGetItem, KeysAndAttributes, Object, string};
use engine::{Consistency, Consumed, ErrorKind, Got, Key, Table};
use model::expression::{Bound, Projection};
use model::{CorruptImage, Image};
use serde_json::Value as Json;
use servicekit::call::Call;
use std::borrow::Cow;
use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::Arc;

const LANGUAGES: Languages<'_> =
    Languages { expressions: &["ProjectionExpression"], legacy: &["AttributesToGet"] };

/// The keys of one request, over all tables.
const KEYS_MAX: usize = 100;
/// Where an answer is full; the keys that are left come back unprocessed.
const ANSWER_BYTES_MAX: usize = 16 << 20;

pub(super) fn batch_get_item(dynamodb: &Dynamodb, call: &Call) -> Body {
    match BatchGetItem::read(&call.request.body) {
        Some(request) => get(dynamodb, call, request, Vec::new()),
        None => {
            let input = call.unchecked_input()?;
            check_items(Tree::of(&input))?;
            call.check(&input)?;
            let (request, attributes) = explained(Tree::of(&input), call)?;
            get(dynamodb, call, request, attributes)
        }
    }
}

/// What the service checks of the map of tables in words of its own. [suite: batchGetItem]
fn check_items(input: Tree<'_>) -> Result<(), Fault> {
    let Some(tables) = input.map("RequestItems") else {
        return Ok(());
    };
    if tables.is_empty() {
        return Err(validation("The requestItems parameter is required for BatchGetItem"));
    }
    for (name, tree) in tables {
        if Tree::of(tree).list("Keys").is_some_and(|keys| keys.len() > KEYS_MAX) {
            return Err(validation(format!(
                "1 validation error detected: Value at 'RequestItems.{name}.member.Keys' failed to satisfy constraint: Member must have length less than or equal to {KEYS_MAX}"
            )));
        }
    }
    Ok(())
}

type Attributes = Vec<Option<Rewritten>>;

/// Reads what the fast way does not, and says what is wrong.
fn explained<'a>(input: Tree<'a>, call: &Call) -> Result<(BatchGetItem<'a>, Attributes), Fault> {
    let mut request_items = Vec::new();
    let mut attributes = Vec::new();
    for (name, tree) in input.map("RequestItems").into_iter().flatten() {
        names::table(name, &call.caller)?;
        let tree = Tree::of(tree);
        LANGUAGES.check(tree)?;
        let keys = tree.list("Keys").unwrap_or_default().iter().filter_map(Json::as_object);
        attributes.push(legacy::attributes(tree)?);
        request_items.push((
            Cow::Borrowed(name.as_str()),
            KeysAndAttributes {
                keys: keys.map(item).collect::<Result<_, _>>()?,
                consistent_read: tree.flag("ConsistentRead").unwrap_or_default(),
                projection_expression: tree.borrowed("ProjectionExpression"),
                expression_attribute_names: tree.placeholder_names(),
                borrows: PhantomData,
            },
        ));
    }
    let return_consumed_capacity = input.return_consumed_capacity();
    Ok((BatchGetItem { request_items, return_consumed_capacity, borrows: PhantomData }, attributes))
}

/// What is asked of one table.
struct Part<'a> {
    /// As the client wrote it: answers are told under it.
    name: &'a str,
    table: Arc<Table>,
    keys: Vec<Key>,
    projection: Option<Bound<Projection>>,
    asked: &'a KeysAndAttributes<'a>,
}

fn get(dynamodb: &Dynamodb, call: &Call, request: BatchGetItem<'_>, attributes: Attributes) -> Body {
    let asked: usize = request.request_items.iter().map(|(_, asked)| asked.keys.len()).sum();
    if asked > KEYS_MAX {
        return Err(validation("Too many items requested for the BatchGetItem call"));
    }
    let mut attributes = attributes.into_iter();
    let mut projections = Vec::with_capacity(request.request_items.len());
    for (_, asked) in &request.request_items {
        projections.push(projection(dynamodb, asked, attributes.next().flatten())?);
    }
    let mut parts = Vec::with_capacity(request.request_items.len());
    for ((name, asked), projection) in request.request_items.iter().zip(projections) {
        let table = dynamodb.table(&call.caller, names::table(name, &call.caller)?);
        let table = table.map_err(|fault| if repeats(asked) { duplicates() } else { fault })?;
        let keys = keys(&table, asked)?;
        parts.push(Part { name, table, keys, projection, asked });
    }

    let mut body = Vec::with_capacity(1024);
    let mut answer = Answer::default();
    let mut object = Object::new(&mut body);
    let mut responses = Object::new(object.member("Responses"));
    for part in &parts {
        answer.part(dynamodb, part, responses.member(part.name))?;
    }
    responses.end();
    // Some that were read are an answer; none are an error.
    if answer.read == 0
        && let Some(throttled) = answer.throttled
    {
        return Err(throttled);
    }
    answer.unprocessed(&parts, object.member("UnprocessedKeys")).map_err(corrupt)?;
    let consumed =
        parts.iter().zip(&answer.consumed).map(|(part, consumed)| (&**part.table.name(), consumed));
    capacities_member(&mut object, consumed, request.return_consumed_capacity);
    object.end();
    Ok(body)
}

fn projection(
    dynamodb: &Dynamodb,
    asked: &KeysAndAttributes<'_>,
    attributes: Option<Rewritten>,
) -> Result<Option<Bound<Projection>>, Fault> {
    let programs = dynamodb.engine.programs();
    if let Some(attributes) = attributes {
        return rewritten(attributes, |text| programs.projection(text)).map(Some);
    }
    let expressions = Expressions {
        projection: asked.projection_expression.as_deref(),
        names: asked.expression_attribute_names.clone(),
        ..Expressions::default()
    };
    LANGUAGES.check_placeholders(&expressions)?;
    let Ready { projection, .. } = expressions.ready(programs)?;
    Ok(projection)
}

fn keys(table: &Table, asked: &KeysAndAttributes<'_>) -> Result<Vec<Key>, Fault> {
    let mut seen = HashSet::with_capacity(asked.keys.len());
    let mut keys = Vec::with_capacity(asked.keys.len());
    for item in &asked.keys {
        let key = table.key(item.view()).map_err(data)?;
        if !seen.insert(Image::of(key.item()).into_bytes()) {
            return Err(duplicates());
        }
        keys.push(key);
    }
    Ok(keys)
}

/// Keys that are asked for twice are wrong whether the table exists or not. [suite: dynalite]
fn repeats(asked: &KeysAndAttributes<'_>) -> bool {
    let mut seen = HashSet::new();
    asked.keys.iter().any(|key| !seen.insert(Image::of(key).into_bytes()))
}

fn duplicates() -> Fault {
    validation("Provided list of item keys contains duplicates")
}

/// What has been answered so far.
#[derive(Default)]
struct Answer {
    bytes: usize,
    full: bool,
    /// Keys that were read, and why others were not.
    read: usize,
    throttled: Option<Fault>,
    /// By part: what was consumed, and the keys that found no room.
    consumed: Vec<Consumed>,
    left: Vec<Vec<usize>>,
}

impl Answer {
    /// Reads and writes the items of one table, as many as fit.
    fn part(&mut self, dynamodb: &Dynamodb, part: &Part<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let consistency =
            if part.asked.consistent_read { Consistency::Strong } else { Consistency::Eventual };
        let mut consumed = Consumed::default();
        let mut left = Vec::new();
        out.push(b'[');
        let mut first = true;
        for (at, key) in part.keys.iter().enumerate() {
            if self.full {
                left.push(at);
                continue;
            }
            let got = match dynamodb.engine.get(&part.table, key, consistency) {
                Err(error) if matches!(error.kind, ErrorKind::Throttled(_)) => {
                    self.throttled.get_or_insert_with(|| data(error));
                    left.push(at);
                    continue;
                }
                got => got.map_err(data)?,
            };
            self.read += 1;
            let Got { image, consumed: units } = got;
            if let Some(image) = image {
                let image = view(&image)?;
                self.bytes += image.size_bytes();
                if self.bytes > ANSWER_BYTES_MAX {
                    self.full = true;
                    left.push(at);
                    continue;
                }
                if !first {
                    out.push(b',');
                }
                first = false;
                match &part.projection {
                    None => api::dynamodb::item(image, out).map_err(corrupt)?,
                    Some(projection) => {
                        let item = projection.project(image).map_err(|error| data(error.into()))?;
                        api::dynamodb::item(item.view(), out).map_err(corrupt)?;
                    }
                }
            }
            consumed.table += units.table;
        }
        out.push(b']');
        self.consumed.push(consumed);
        self.left.push(left);
        Ok(())
    }

    /// The keys that are left, in the form of a request for them.
    fn unprocessed(&self, parts: &[Part<'_>], out: &mut Vec<u8>) -> Result<(), CorruptImage> {
        let mut object = Object::new(out);
        for (part, left) in parts.iter().zip(&self.left).filter(|(_, left)| !left.is_empty()) {
            let mut again = Object::new(object.member(part.name));
            let mut result = Ok(());
            array(again.member("Keys"), left.iter(), |at, out| {
                result = result.and(api::dynamodb::item(part.keys[*at].item().view(), out));
            });
            result?;
            if part.asked.consistent_read {
                again.json("ConsistentRead", &Json::Bool(true));
            }
            if let Some(text) = &part.asked.projection_expression {
                again.string("ProjectionExpression", text);
            }
            if let Some(names) = &part.asked.expression_attribute_names {
                let mut placeholders = Object::new(again.member("ExpressionAttributeNames"));
                for (placeholder, name) in names {
                    string(name, placeholders.member(placeholder));
                }
                placeholders.end();
            }
            again.end();
        }
        object.end();
        Ok(())
    }
}
