//! ExecuteTransaction: all statements of one moment, or none.

use super::lookup::Lookup;
use super::prepare::Prepared;
use super::write::{self, DUPLICATE, Planned};
use crate::answer::{array, cancelled, corrupt, transacted_capacities};
use crate::fault::{Fault, data, failed, validation};
use crate::request::Members;
use crate::transact_write_items::digest;
use crate::tree::Tree;
use crate::{Body, Dynamodb};
use api::dynamodb::{Object, ReturnConsumedCapacity};
use engine::{Consistency, Consumed, ErrorKind, Refused, Table, Token, Transacted};
use model::Image;
use serde_json::json;
use servicekit::call::Call;
use std::sync::Arc;

/// The items of one transaction, together.
const BYTES_MAX: usize = 4 << 20;

pub(crate) async fn execute_transaction(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let prepared =
        input.structures("TransactStatements").map(Prepared::read).collect::<Result<Vec<_>, _>>()?;
    let wanted = input.return_consumed_capacity();
    let reads = prepared.iter().filter(|one| one.is_read()).count();
    if reads == prepared.len() {
        return read(dynamodb, call, &prepared, wanted);
    }
    if reads > 0 {
        return Err(validation(
            "A transaction can not have both read and write statements: all must read, or all must write",
        ));
    }
    let token = input.text("ClientRequestToken").map(|token| Token {
        name: [&*call.caller.account, &*call.caller.region, token].join("\0").into_bytes(),
        digest: digest(&call.request.body),
    });
    write(dynamodb, call, &prepared, token, wanted).await
}

fn read(
    dynamodb: &Dynamodb,
    call: &Call,
    prepared: &[Prepared],
    wanted: Option<ReturnConsumedCapacity>,
) -> Body {
    let lookups = prepared.iter().map(|one| Lookup::plan(dynamodb, &call.caller, one, "ExecuteTransaction"));
    let lookups = lookups.collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<_> = lookups.iter().map(|one| (one.table.clone(), one.key.clone())).collect();
    let image = |key: &engine::Key| Image::of(key.item()).into_bytes();
    let mut seen: Vec<_> = keys.iter().map(|(table, key)| (table.id(), image(key))).collect();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(validation("Transaction request cannot include multiple operations on one item"));
    }
    let got = dynamodb.engine.get_many(&keys, Consistency::Transactional).map_err(data)?;
    let mut items = Vec::with_capacity(got.len());
    for (lookup, got) in lookups.iter().zip(&got) {
        items.push(lookup.selected(got)?);
    }
    let mut body = Vec::with_capacity(256);
    let mut object = Object::new(&mut body);
    let mut result = Ok(());
    array(object.member("Responses"), items.iter(), |item, out| {
        let mut one = Object::new(out);
        if let Some(item) = item {
            result = result.and(one.item("Item", item.view()));
        }
        one.end();
    });
    result.map_err(corrupt)?;
    let consumed = keys.iter().zip(&got).map(|((table, _), got)| (&**table.name(), &got.consumed));
    transacted_capacities(&mut object, consumed, "ReadCapacityUnits", wanted);
    object.end();
    Ok(body)
}

async fn write(
    dynamodb: &Dynamodb,
    call: &Call,
    prepared: &[Prepared],
    token: Option<Token>,
    wanted: Option<ReturnConsumedCapacity>,
) -> Body {
    let planned = prepared.iter().map(|one| write::plan(dynamodb, &call.caller, one));
    let planned = planned.collect::<Result<Vec<Planned>, _>>()?;
    if planned.iter().any(|one| one.returned.is_some()) {
        return Err(validation("RETURNING is not supported in transactions"));
    }
    let size = |one: &Planned| match &one.write.action {
        engine::Action::Put(image) => image.size_bytes(),
        _ => 0,
    };
    if planned.iter().map(size).sum::<usize>() > BYTES_MAX {
        return Err(validation("Transaction request exceeds the maximum size of 4194304 bytes"));
    }
    let inserts: Vec<bool> = planned.iter().map(|one| one.inserts).collect();
    let mut tables: Vec<Arc<Table>> = Vec::with_capacity(planned.len());
    let mut keys = Vec::with_capacity(planned.len());
    for one in &planned {
        let key = match &one.write.action {
            engine::Action::Put(image) => one.table.key_of(image.view()).map_err(data)?,
            engine::Action::Update { key, .. } | engine::Action::Delete(key) | engine::Action::Check(key) => {
                key.clone()
            }
        };
        keys.push((one.table.clone(), key));
        tables.push(one.table.clone());
    }
    let writes = planned.into_iter().map(|one| (one.table, one.write)).collect();
    let done = match dynamodb.engine.transact_write(writes, token.as_ref()) {
        Ok(done) => done,
        Err(reason) => return Err(refusal(reason, prepared, &inserts).await),
    };
    let (consumed, member): (Vec<Consumed>, &str) = match done {
        Transacted::Now(done) => {
            done.commit.await.map_err(failed)?;
            (done.writes.into_iter().map(|written| written.consumed).collect(), "WriteCapacityUnits")
        }
        // Doing it once more costs what it costs to see that it was done.
        Transacted::Before(commit) => {
            commit.await.map_err(failed)?;
            let got = dynamodb.engine.get_many(&keys, Consistency::Transactional).map_err(data)?;
            (got.into_iter().map(|got| got.consumed).collect(), "ReadCapacityUnits")
        }
    };
    let mut body = Vec::with_capacity(64);
    let mut object = Object::new(&mut body);
    // Writes answer nothing, not even nothing for each. [suite: recorded answers]
    object.member("Responses").extend_from_slice(b"[]");
    let named = tables.iter().map(|table| &**table.name()).zip(&consumed);
    transacted_capacities(&mut object, named, member, wanted);
    object.end();
    Ok(body)
}

async fn refusal(refused: Refused, prepared: &[Prepared], inserts: &[bool]) -> Fault {
    if let Err(error) = refused.after.await {
        return failed(error);
    }
    match refused.error.kind {
        ErrorKind::TransactionCancelled => {}
        ErrorKind::TokenReused => {
            return Fault::new(
                "IdempotentParameterMismatchException",
                "Request has the same ClientRequestToken with different parameters",
            );
        }
        _ => return data(refused.error),
    }
    let shown = prepared.iter().map(|one| one.shown);
    let mut fault = cancelled(refused.reasons.into_iter().zip(shown));
    let Some(reasons) = fault.members.get_mut("CancellationReasons").and_then(|told| told.as_array_mut())
    else {
        return fault;
    };
    // What an insertion finds in its place has a name of its own.
    for (reason, _) in reasons.iter_mut().zip(inserts).filter(|(_, inserts)| **inserts) {
        if reason["Code"] == "ConditionalCheckFailed" {
            reason["Code"] = json!("DuplicateItem");
            reason["Message"] = json!(DUPLICATE);
        }
    }
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    fault.message = Some(format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    ));
    fault
}
