//! One statement, once or for many sets of parameters.

use super::fields::{Wishes, field, given, metadata, text_of};
use super::{CALL_MAX, Door, RdsData, bad_request, named};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use sql::{Connection, Dialect, Outcome};
use wire::ServiceError;

const RESPONSE_BYTES_MAX: usize = 1 << 20;

/// What runs on the database: the statement in its own spelling, and the values of each run.
struct Work {
    sql: String,
    sets: Vec<Vec<sql::Value>>,
}

impl RdsData {
    pub(super) async fn execute_statement(&self, call: &Call, input: &Value) -> Answer {
        let door = self.door(call, input).await?;
        let set = list(input, "parameters");
        let work = prepare(required(input, "sql"), door.settings.dialect(), &[set])?;
        let outcomes = self.run(&door, input, work).await?;
        let outcome = outcomes.into_iter().next().unwrap_or_default();
        answer(&outcome, input, door.settings.dialect())
    }

    pub(super) async fn batch_execute_statement(&self, call: &Call, input: &Value) -> Answer {
        let door = self.door(call, input).await?;
        let sets = list(input, "parameterSets");
        if sets.is_empty() {
            return Ok(json!({"updateResults": []}));
        }
        let sets: Vec<&[Value]> =
            sets.iter().map(|set| set.as_array().map_or(&[][..], Vec::as_slice)).collect();
        let work = prepare(required(input, "sql"), door.settings.dialect(), &sets)?;
        let outcomes = self.run(&door, input, work).await?;
        let results: Vec<Value> =
            outcomes.iter().map(|outcome| json!({"generatedFields": generated(outcome)})).collect();
        Ok(json!({"updateResults": results}))
    }

    /// Runs it in the transaction that is named, or on a connection of its own: all of the sets or none.
    async fn run(&self, door: &Door, input: &Value, work: Work) -> Result<Vec<Outcome>, ServiceError> {
        let may_go_on = input.get("continueAfterTimeout").and_then(Value::as_bool) == Some(true);
        let Some(id) = text(input, "transactionId") else {
            let mut connection = door.open(may_go_on).await?;
            let running = tokio::task::spawn_blocking(move || in_one_go(&mut connection, &work));
            // Whoever does not wait any longer leaves the statement to itself.
            let done = tokio::time::timeout(CALL_MAX + CALL_MAX / 9, running).await;
            let late = || sql::Error::new(sql::Kind::Timeout, "");
            let done = done.map_err(|_| door.error(&late()))?.map_err(servicekit::documents::unavailable)?;
            return done.map_err(|error| door.error(&error));
        };
        let mut loan = self.transactions.borrow(&door.cluster.resource, id)?;
        let Some(mut connection) = loan.take() else { return Ok(Vec::new()) };
        let running = tokio::task::spawn_blocking(move || {
            let done = each(&mut connection, &work);
            loan.give_back(connection);
            done
        });
        running.await.map_err(servicekit::documents::unavailable)?.map_err(|error| door.error(&error))
    }
}

fn in_one_go(connection: &mut Connection, work: &Work) -> Result<Vec<Outcome>, sql::Error> {
    match work.sets.len() {
        // On its own, for some statements refuse to be part of a transaction.
        1 => each(connection, work),
        _ => connection.transaction(|connection| each(connection, work)),
    }
}

fn each(connection: &mut Connection, work: &Work) -> Result<Vec<Outcome>, sql::Error> {
    work.sets.iter().map(|set| connection.run(&work.sql, set, RESPONSE_BYTES_MAX)).collect()
}

fn list<'a>(input: &'a Value, member: &str) -> &'a [Value] {
    input.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Puts named parameters into the database's spelling. Types come from the first set.
fn prepare(text: &str, dialect: Dialect, sets: &[&[Value]]) -> Result<Work, ServiceError> {
    let mut values = Vec::with_capacity(sets.len());
    for set in sets {
        let mut named = Vec::with_capacity(set.len());
        for parameter in *set {
            named.push((required(parameter, "name"), given(parameter)?));
        }
        values.push(named);
    }
    let first = values.first().map_or(&[][..], Vec::as_slice);
    // An untyped null in the first set takes the type that a later one gives.
    let type_of = |name: &str| {
        let typed = values.iter().flatten().filter(|(known, _)| *known == name);
        typed.filter_map(|(_, (_, type_name))| *type_name).next()
    };
    let spell = |name: &str, place: String| match type_of(name) {
        Some(type_name) if dialect == Dialect::Postgres => format!("{place}::{type_name}"),
        _ => place,
    };
    let is_known = |name: &str| first.iter().any(|(known, _)| *known == name);
    let statement = named::rewrite(text, dialect, is_known, spell)
        .map_err(|named::Fault::Many| bad_request("Multistatements aren't supported"))?;
    let mut sets = Vec::with_capacity(values.len());
    for set in values {
        if let Some((name, _)) = set.iter().find(|(name, _)| !statement.names.iter().any(|used| used == name))
        {
            return Err(bad_request(format!("Cannot find parameter: {name}")));
        }
        let value = |name: &String| {
            let found =
                set.iter().rev().find(|(known, _)| known == name).map(|(_, (value, _))| value.clone());
            found.ok_or_else(|| bad_request(format!("Missing value for parameter: {name}")))
        };
        sets.push(statement.names.iter().map(value).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(Work { sql: statement.sql, sets })
}

fn answer(outcome: &Outcome, input: &Value, dialect: Dialect) -> Answer {
    let wishes = Wishes::of(input);
    let rows = &outcome.rows;
    let updates = if rows.columns.is_empty() || changes_rows(required(input, "sql")) {
        outcome.executed.rows
    } else {
        0
    };
    let mut answer = json!({"numberOfRecordsUpdated": updates, "generatedFields": generated(outcome)});
    if rows.columns.is_empty() {
        return Ok(answer);
    }
    if text(input, "formatRecordsAs") == Some("JSON") {
        answer["formattedRecords"] = text_of(rows, wishes)?.into();
        return Ok(answer);
    }
    let mut records = Vec::with_capacity(rows.rows.len());
    for row in &rows.rows {
        let fields = row.iter().zip(&rows.columns).map(|(value, column)| field(value, column, wishes));
        records.push(Value::Array(fields.collect::<Result<_, _>>()?));
    }
    answer["records"] = records.into();
    if input.get("includeResultMetadata").and_then(Value::as_bool) == Some(true) {
        answer["columnMetadata"] = rows.columns.iter().map(|column| metadata(column, dialect)).collect();
    }
    Ok(answer)
}

/// Whether a statement that gives rows changed them: it has RETURNING.
fn changes_rows(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    ["INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"].contains(&first.as_str())
}

fn generated(outcome: &Outcome) -> Vec<Value> {
    let id = outcome.executed.last_insert_id.filter(|_| outcome.rows.columns.is_empty());
    id.into_iter().map(|id| json!({"longValue": id})).collect()
}
