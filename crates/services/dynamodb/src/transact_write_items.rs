//! TransactWriteItems.

use super::answer::{array, cancelled, collection, corrupt, measures, transacted_capacities};
use super::expressions::{Expressions, Languages};
use super::fault::{Fault, data, failed, validation};
use super::request::{ITEM_BYTES_MAX, Members};
use super::tree::Tree;
use super::{Body, Dynamodb, names};
use api::dynamodb::{
    ConditionCheck, Delete, Names, Object, Put, ReturnOnConditionFailure, TransactWriteItem,
    TransactWriteItems, Update, Values,
};
use engine::{
    Action, Consistency, Consumed, Error, ErrorKind, Key, Refused, Table, Token, Transacted, Write,
};
use model::{Image, Item};
use servicekit::call::Call;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

const LANGUAGES: Languages<'_> =
    Languages { expressions: &["UpdateExpression", "ConditionExpression"], legacy: &[] };

/// The items of one transaction, together.
const BYTES_MAX: usize = 4 << 20;

pub(super) async fn transact_write_items(dynamodb: &Dynamodb, call: &Call) -> Body {
    match TransactWriteItems::read(&call.request.body) {
        Some(request) => write(dynamodb, call, request).await,
        None => {
            let input = call.input()?;
            let request = explained(Tree::of(&input), call)?;
            write(dynamodb, call, request).await
        }
    }
}

/// Reads what the fast way does not, and says what is wrong.
fn explained<'a>(input: Tree<'a>, call: &Call) -> Result<TransactWriteItems<'a>, Fault> {
    let mut transact_items = Vec::new();
    for one in input.structures("TransactItems") {
        let kinds = ["ConditionCheck", "Put", "Delete", "Update"];
        let given: Vec<_> = kinds.iter().filter_map(|kind| Some((*kind, one.structure(kind)?))).collect();
        let [(kind, tree)] = given[..] else {
            return Err(validation("TransactItems can only contain one of Check, Put, Update or Delete"));
        };
        names::table(&tree.borrowed("TableName").unwrap_or_default(), &call.caller)?;
        let mut item = TransactWriteItem {
            condition_check: None,
            put: None,
            delete: None,
            update: None,
            borrows: PhantomData,
        };
        let table_name = tree.borrowed("TableName").unwrap_or_default();
        let condition_expression = tree.borrowed("ConditionExpression");
        let expression_attribute_names = tree.placeholder_names();
        let expression_attribute_values = tree.placeholder_values()?;
        let return_on_condition_failure = tree.return_on_condition_failure();
        match kind {
            "Put" => {
                let put = tree.attributes("Item")?;
                item.put = Some(Put {
                    table_name,
                    item: put,
                    condition_expression,
                    expression_attribute_names,
                    expression_attribute_values,
                    return_on_condition_failure,
                    borrows: PhantomData,
                });
            }
            "Delete" => {
                item.delete = Some(Delete {
                    table_name,
                    key: tree.attributes("Key")?,
                    condition_expression,
                    expression_attribute_names,
                    expression_attribute_values,
                    return_on_condition_failure,
                    borrows: PhantomData,
                });
            }
            "Update" => {
                item.update = Some(Update {
                    table_name,
                    key: tree.attributes("Key")?,
                    update_expression: tree.borrowed("UpdateExpression").unwrap_or_default(),
                    condition_expression,
                    expression_attribute_names,
                    expression_attribute_values,
                    return_on_condition_failure,
                    borrows: PhantomData,
                });
            }
            _ => {
                item.condition_check = Some(ConditionCheck {
                    table_name,
                    key: tree.attributes("Key")?,
                    condition_expression: condition_expression.unwrap_or_default(),
                    expression_attribute_names,
                    expression_attribute_values,
                    return_on_condition_failure,
                    borrows: PhantomData,
                });
            }
        }
        transact_items.push(item);
    }
    Ok(TransactWriteItems {
        transact_items,
        return_consumed_capacity: input.return_consumed_capacity(),
        return_item_collection_metrics: input.return_item_collection_metrics(),
        client_request_token: input.borrowed("ClientRequestToken"),
        borrows: PhantomData,
    })
}

/// One of the four, in one form.
struct Asked<'a> {
    table_name: Cow<'a, str>,
    /// The item of a put, the key of the others.
    item: Item,
    kind: Kind,
    update: Option<Cow<'a, str>>,
    condition: Option<Cow<'a, str>>,
    names: Option<Names>,
    values: Option<Values>,
    shown: Option<ReturnOnConditionFailure>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Check,
    Put,
    Delete,
    Update,
}

impl<'a> Asked<'a> {
    fn of(one: TransactWriteItem<'a>) -> Option<Asked<'a>> {
        macro_rules! asked {
            ($one:expr, $kind:expr, $item:ident, $update:expr, $condition:expr) => {{
                let one = $one;
                Asked {
                    kind: $kind,
                    update: $update(&one),
                    condition: $condition(&one),
                    table_name: one.table_name,
                    item: one.$item,
                    names: one.expression_attribute_names,
                    values: one.expression_attribute_values,
                    shown: one.return_on_condition_failure,
                }
            }};
        }
        Some(if let Some(put) = one.put {
            asked!(put, Kind::Put, item, |_: &Put<'a>| None, |put: &Put<'a>| put.condition_expression.clone())
        } else if let Some(update) = one.update {
            let text = |update: &Update<'a>| Some(update.update_expression.clone());
            asked!(update, Kind::Update, key, text, |one: &Update<'a>| one.condition_expression.clone())
        } else if let Some(delete) = one.delete {
            asked!(delete, Kind::Delete, key, |_: &Delete<'a>| None, |one: &Delete<'a>| one
                .condition_expression
                .clone())
        } else {
            let text = |check: &ConditionCheck<'a>| Some(check.condition_expression.clone());
            asked!(one.condition_check?, Kind::Check, key, |_: &ConditionCheck<'a>| None, text)
        })
    }
}

async fn write(dynamodb: &Dynamodb, call: &Call, request: TransactWriteItems<'_>) -> Body {
    let token = request.client_request_token.as_ref().map(|token| Token {
        name: [&*call.caller.account, &*call.caller.region, token].join("\0").into_bytes(),
        digest: digest(&call.request.body),
    });
    let asked: Vec<Asked<'_>> = request.transact_items.into_iter().filter_map(Asked::of).collect();
    if asked.iter().any(|one| one.kind == Kind::Put && one.item.size_bytes() > ITEM_BYTES_MAX) {
        return Err(validation("Item size has exceeded the maximum allowed size"));
    }
    if asked.iter().map(|one| one.item.size_bytes()).sum::<usize>() > BYTES_MAX {
        return Err(validation(format!("Transaction payload size cannot exceed {BYTES_MAX} bytes")));
    }
    let mut ready = Vec::with_capacity(asked.len());
    for one in &asked {
        let expressions = Expressions {
            update: one.update.as_deref(),
            condition: one.condition.as_deref(),
            names: one.names.clone(),
            values: one.values.clone(),
            ..Expressions::default()
        };
        LANGUAGES.check_placeholders(&expressions)?;
        ready.push(expressions.ready(dynamodb.engine.programs())?);
    }
    let mut tables = Vec::with_capacity(asked.len());
    for one in &asked {
        tables.push(dynamodb.table(&call.caller, names::table(&one.table_name, &call.caller)?)?);
    }
    let keys: Vec<Result<Key, Error>> =
        asked.iter().zip(&tables).map(|(one, table)| key(one, table)).collect();
    // An empty key is wrong whatever the other parts are. [suite: moto, test_transaction_with_empty_key]
    if let Some(Err(error)) = keys.iter().find(|key| matches!(key, Err(error) if is_empty_key(error))) {
        return Err(data(error.clone()));
    }
    // The first that is wrong is told, and nothing of those behind it. [suite: alternator]
    if let Some(wrong) = keys.iter().position(Result::is_err) {
        let reasons = keys.into_iter().enumerate().map(|(at, key)| key.err().filter(|_| at == wrong));
        return Err(cancelled(reasons.map(|reason| (reason, None))));
    }
    let keys: Vec<Key> = keys.into_iter().flatten().collect();
    let parts = asked.iter().zip(ready).zip(&keys).zip(&tables);
    let writes = parts.map(|(((one, ready), key), table)| {
        let action = match one.kind {
            Kind::Put => Action::Put(Image::of(&one.item)),
            Kind::Delete => Action::Delete(key.clone()),
            Kind::Update => Action::Update { key: key.clone(), update: ready.update },
            Kind::Check => Action::Check(key.clone()),
        };
        (table.clone(), Write { action, condition: ready.condition })
    });
    let done = match dynamodb.engine.transact_write(writes.collect(), token.as_ref()) {
        Ok(done) => done,
        Err(refused) => return Err(refusal(refused, &asked).await),
    };
    let (consumed, member): (Vec<Consumed>, &str) = match done {
        Transacted::Now(done) => {
            done.commit.await.map_err(failed)?;
            (done.writes.into_iter().map(|written| written.consumed).collect(), "WriteCapacityUnits")
        }
        // Doing it once more costs what it costs to see that it was done.
        Transacted::Before(commit) => {
            commit.await.map_err(failed)?;
            let wanted: Vec<_> = tables.iter().cloned().zip(keys.iter().cloned()).collect();
            let got = dynamodb.engine.get_many(&wanted, Consistency::Transactional).map_err(data)?;
            (got.into_iter().map(|got| got.consumed).collect(), "ReadCapacityUnits")
        }
    };
    let mut body = Vec::with_capacity(64);
    let mut object = Object::new(&mut body);
    let measured: Vec<_> = tables
        .iter()
        .zip(&keys)
        .zip(&asked)
        .filter(|((table, _), one)| {
            one.kind != Kind::Check && measures(table, request.return_item_collection_metrics)
        })
        .map(|(part, _)| part)
        .collect();
    if !measured.is_empty() {
        metrics(&measured, object.member("ItemCollectionMetrics"))?;
    }
    let named = tables.iter().map(|table| &**table.name()).zip(&consumed);
    transacted_capacities(&mut object, named, member, request.return_consumed_capacity);
    object.end();
    Ok(body)
}

fn key(one: &Asked<'_>, table: &Table) -> Result<Key, Error> {
    match one.kind {
        Kind::Put => table.key_of(one.item.view()),
        _ => table.key(one.item.view()),
    }
}

fn is_empty_key(error: &Error) -> bool {
    error.message.starts_with("One or more parameter values are not valid.")
}

/// The request without its spelling: two texts of the same tree are the same request.
pub(super) fn digest(body: &[u8]) -> [u8; 32] {
    fn feed(tree: &serde_json::Value, hash: &mut Sha256) {
        match tree {
            serde_json::Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by_key(|(name, _)| *name);
                hash.update([b'{']);
                for (name, value) in members {
                    hash.update((name.len() as u64).to_be_bytes());
                    hash.update(name);
                    feed(value, hash);
                }
                hash.update([b'}']);
            }
            serde_json::Value::Array(items) => {
                hash.update([b'[']);
                items.iter().for_each(|item| feed(item, hash));
                hash.update([b']']);
            }
            plain => {
                let text = plain.to_string();
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text);
            }
        }
    }
    let mut hash = Sha256::new();
    match serde_json::from_slice(body) {
        Ok(tree) => feed(&tree, &mut hash),
        Err(_) => hash.update(body),
    }
    hash.finalize().into()
}

async fn refusal(refused: Refused, asked: &[Asked<'_>]) -> Fault {
    if let Err(error) = refused.after.await {
        return failed(error);
    }
    match refused.error.kind {
        ErrorKind::TransactionCancelled => {
            let shown = asked.iter().map(|one| one.shown);
            cancelled(refused.reasons.into_iter().zip(shown))
        }
        ErrorKind::TokenReused => Fault::new(
            "IdempotentParameterMismatchException",
            "Request has the same ClientRequestToken with different parameters",
        ),
        _ => data(refused.error),
    }
}

fn metrics(measured: &[(&Arc<Table>, &Key)], out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut tables = Object::new(out);
    let mut told: Vec<&str> = Vec::new();
    for (table, _) in measured {
        if told.contains(&&**table.name()) {
            continue;
        }
        told.push(table.name());
        let keys = measured.iter().filter(|(other, _)| other.id() == table.id()).map(|(_, key)| key.item());
        let mut result = Ok(());
        array(tables.member(table.name()), keys, |key, out| {
            result = result.and(collection(table, key, out));
        });
        result.map_err(corrupt)?;
    }
    tables.end();
    Ok(())
}
