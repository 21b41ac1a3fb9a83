//! BatchExecuteStatement: each statement for itself, and each with its own answer.

use super::lookup::Lookup;
use super::prepare::Prepared;
use super::write;
use crate::answer::{capacities_member, corrupt};
use crate::fault::{Fault, data, validation};
use crate::request::Members;
use crate::search::consistency;
use crate::tree::Tree;
use crate::{Body, Dynamodb};
use api::dynamodb::Object;
use engine::{Consumed, Table};
use model::Item;
use servicekit::call::{Call, Caller};
use std::sync::Arc;

type Done = (Arc<Table>, Option<Item>, Consumed);

pub(crate) async fn batch_execute_statement(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let prepared: Vec<Result<Prepared, Fault>> = input.structures("Statements").map(Prepared::read).collect();
    let reads = prepared.iter().flatten().filter(|one| one.is_read()).count();
    if reads > 0 && reads < prepared.iter().flatten().count() {
        return Err(validation(
            "A batch can not have both read and write statements: all must read, or all must write",
        ));
    }
    let mut done = Vec::with_capacity(prepared.len());
    for one in &prepared {
        done.push(match one {
            Ok(one) => statement(dynamodb, &call.caller, one).await,
            Err(fault) => Err(fault.clone()),
        });
    }
    let mut body = Vec::with_capacity(256);
    let mut object = Object::new(&mut body);
    let out = object.member("Responses");
    out.push(b'[');
    for (at, (done, prepared)) in done.iter().zip(&prepared).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let mut one = Object::new(out);
        match done {
            Ok((table, item, _)) => {
                one.string("TableName", table.name());
                if let Some(item) = item {
                    one.item("Item", item.view()).map_err(corrupt)?;
                }
            }
            Err(fault) => {
                if let Ok(prepared) = prepared {
                    one.string("TableName", prepared.table_name());
                }
                error(fault, one.member("Error"));
            }
        }
        one.end();
    }
    out.push(b']');
    let mut consumed: Vec<(Arc<Table>, Consumed)> = Vec::new();
    for (table, _, units) in done.into_iter().flatten() {
        match consumed.iter_mut().find(|(known, _)| known.id() == table.id()) {
            Some((_, sum)) => sum.add(&units),
            None => consumed.push((table, units)),
        }
    }
    let consumed = consumed.iter().map(|(table, units)| (&**table.name(), units));
    capacities_member(&mut object, consumed, input.return_consumed_capacity());
    object.end();
    Ok(body)
}

async fn statement(dynamodb: &Dynamodb, caller: &Caller, prepared: &Prepared) -> Result<Done, Fault> {
    if !prepared.is_read() {
        return write::run(dynamodb, caller, prepared).await;
    }
    let lookup = Lookup::plan(dynamodb, caller, prepared, "BatchExecuteStatement")?;
    let got =
        dynamodb.engine.get(&lookup.table, &lookup.key, consistency(prepared.consistent)).map_err(data)?;
    let item = lookup.selected(&got)?;
    Ok((lookup.table, item, got.consumed))
}

fn error(fault: &Fault, out: &mut Vec<u8>) {
    let name = fault.name();
    let code = match name {
        "ValidationException" => "ValidationError",
        "ThrottlingException" => "ThrottlingError",
        "InternalServerError" => name,
        name => name.strip_suffix("Exception").unwrap_or(name),
    };
    let mut error = Object::new(out);
    error.string("Code", code);
    error.string("Message", fault.message.as_deref().unwrap_or_default());
    if let Some(item) = fault.members.get("Item") {
        error.json("Item", item);
    }
    error.end();
}
