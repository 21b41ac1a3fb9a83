//! ImportTable.

use super::describe;
use super::job::{Job, Kind, Status, Tally};
use crate::compatibility::refuse;
use crate::fault::{control, parameter};
use crate::tree::Tree;
use crate::{Body, Dynamodb, create_table, names, scope};
use serde_json::json;
use servicekit::call::Call;

pub(crate) async fn import_table(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let tree = Tree::of(&input);
    refuse(call, tree)?;
    for (member, value) in [("InputFormat", "ION"), ("InputCompressionType", "ZSTD")] {
        if tree.text(member) == Some(value) {
            return Err(parameter(format!("{member} {value} is not supported by this server")));
        }
    }
    let is_csv = tree.text("InputFormat") == Some("CSV");
    if !is_csv && tree.has("InputFormatOptions") {
        return Err(parameter("InputFormatOptions can only be specified when InputFormat is CSV"));
    }
    let table = tree.structure("TableCreationParameters").unwrap_or(tree);
    if table.has("VectorIndexes") {
        return Err(parameter("VectorIndexes is not supported by this server"));
    }
    let name = names::new_table(table.text("TableName").unwrap_or_default(), &call.caller)?.to_owned();
    let transfers = &dynamodb.transfers;
    if let Some(job) = transfers.repeated(Kind::Import, &call.caller, &input)? {
        return answer(&job);
    }
    let spec = create_table::spec(table, &name, &call.caller)?;
    let scope = scope(&call.caller);
    let made = dynamodb.blocking(move |engine| engine.create_for_import(&scope, spec)).await?;
    let made = made.map_err(|error| control(error, &name))?;
    let job = Job {
        arn: format!("{}/import/{}", made.arn, transfers.new_id()),
        table_arn: made.arn,
        table_id: made.id,
        asked: input.clone(),
        access_key: call.caller.access_key.as_deref().map(str::to_owned),
        status: Status::InProgress,
        started_ms: dynamodb.world.now().millis(),
        ended_ms: None,
        to_ms: 0,
        from_ms: None,
        failure: None,
        tally: Tally::default(),
    };
    transfers.note(Kind::Import, &call.caller, &job).await?;
    let table = dynamodb.table(&call.caller, &name)?;
    transfers.start_import(call.caller.clone(), job.clone(), table);
    answer(&job)
}

fn answer(job: &Job) -> Body {
    Ok(json!({ "ImportTableDescription": describe::import(job) }).to_string().into_bytes())
}
