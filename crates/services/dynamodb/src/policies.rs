//! PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy: policies are kept and told, and not evaluated.

use super::fault::{Fault, data, no_stream, no_table, parameter, validation};
use super::names::{Arn, not_yours};
use super::tree::Tree;
use super::{Body, Dynamodb, scope};
use engine::{ErrorKind, Table};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use servicekit::call::{Call, Caller};
use servicekit::documents::{Documents, Edit};
use std::sync::Arc;
use store::Store;
use world::Timestamp;

/// What a policy may have, white space included.
const POLICY_BYTES_MAX: usize = 20 * 1024;
/// Expects that there is no policy yet.
const NO_POLICY: &str = "NO_POLICY";

/// The policies of tables and streams, by the table's incarnation.
pub(super) struct Policies(Documents<Policy>);

#[derive(Clone, Serialize, Deserialize)]
struct Policy {
    document: String,
    revision: String,
}

impl Policies {
    pub fn new(store: &Store) -> Policies {
        Policies(Documents::new(store, "dynamodb/policy"))
    }

    /// The policy a table is made with.
    pub async fn begin(&self, table: &Table, document: String, now: Timestamp) -> Result<(), Fault> {
        let revision = revision(None, now);
        self.0.put(&name(table, ""), Policy { document, revision }).await
    }

    /// Drops what belonged to a table that is gone.
    pub async fn forget(&self, table: &Table) -> Result<(), Fault> {
        let of_table = name(table, "");
        for (rest, _) in self.0.list(&of_table)? {
            self.0.remove(&format!("{of_table}{rest}")).await?;
        }
        Ok(())
    }
}

pub(super) async fn put_resource_policy(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let given = input.text("ResourceArn").unwrap_or_default();
    let name = resource(dynamodb, &call.caller, given)?;
    let document = check(input.text("Policy").unwrap_or_default())?;
    let now = dynamodb.world.now();
    let told = dynamodb.policies.0.edit(&name, |known| {
        expect(input, given, known.as_ref())?;
        match known {
            // The same policy again changes nothing.
            Some(known) if known.document == document => Ok((Edit::Keep, known.revision)),
            known => {
                let revision = revision(known.as_ref(), now);
                let policy = Policy { document: document.to_owned(), revision: revision.clone() };
                Ok((Edit::Put(policy), revision))
            }
        }
    });
    Ok(json!({ "RevisionId": told.await? }).to_string().into_bytes())
}

pub(super) fn get_resource_policy(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let given = Tree::of(&input).text("ResourceArn").unwrap_or_default();
    let name = resource(dynamodb, &call.caller, given)?;
    let Policy { document, revision } = dynamodb.policies.0.get(&name)?.ok_or_else(|| no_policy(given))?;
    Ok(json!({ "Policy": document, "RevisionId": revision }).to_string().into_bytes())
}

pub(super) async fn delete_resource_policy(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let given = input.text("ResourceArn").unwrap_or_default();
    let name = resource(dynamodb, &call.caller, given)?;
    let gone = dynamodb.policies.0.edit(&name, |known| {
        expect(input, given, known.as_ref())?;
        Ok((Edit::Remove, known))
    });
    let told = match gone.await? {
        Some(Policy { revision, .. }) => json!({ "RevisionId": revision }),
        None => json!({}),
    };
    Ok(told.to_string().into_bytes())
}

/// A policy's text, if it may be one.
pub(super) fn check(document: &str) -> Result<&str, Fault> {
    if document.len() > POLICY_BYTES_MAX {
        return Err(parameter(format!(
            "The resource-based policy exceeds the size limit of {POLICY_BYTES_MAX} bytes"
        )));
    }
    let parsed: Result<Json, _> = serde_json::from_str(document);
    match parsed {
        Ok(Json::Object(policy)) if policy.contains_key("Statement") => Ok(document),
        Ok(Json::Object(_)) => Err(validation("Invalid policy document: it has no Statement")),
        Ok(_) => Err(validation("Invalid policy document: it must be a JSON object")),
        Err(error) => Err(validation(format!("Invalid policy document: {error}"))),
    }
}

/// Refuses a policy other than the one that the request expects.
fn expect(input: Tree<'_>, arn: &str, known: Option<&Policy>) -> Result<(), Fault> {
    let table = || Arn::parse(arn).map_or(arn, |arn| arn.stream().map_or(arn.rest, |(table, _)| table));
    match (input.text("ExpectedRevisionId"), known) {
        (None, _) | (Some(NO_POLICY), None) => Ok(()),
        (Some(expected), Some(known)) if known.revision == expected => Ok(()),
        (Some(_), None) => Err(no_policy(arn)),
        (Some(NO_POLICY), Some(known)) => Err(no_policy(&format!(
            "Requested policy update expecting none to be present for table {}, but a policy exists with revision id {}.",
            table(),
            known.revision
        ))),
        (Some(expected), Some(known)) => Err(no_policy(&format!(
            "Requested update for policy with revision id {expected}, but the policy associated to target table {} has revision id {}.",
            table(),
            known.revision
        ))),
    }
}

fn no_policy(arn: &str) -> Fault {
    Fault::new(
        "PolicyNotFoundException",
        format!("Resource-based policy not found for the provided ResourceArn: {arn}"),
    )
}

/// Later than the one before, even within a millisecond.
fn revision(before: Option<&Policy>, now: Timestamp) -> String {
    let before = before.and_then(|policy| policy.revision.parse::<u64>().ok());
    now.millis().max(before.map_or(0, |before| before + 1)).to_string()
}

/// The name under which a table's or stream's policy is kept.
fn resource(dynamodb: &Dynamodb, caller: &Caller, given: &str) -> Result<String, Fault> {
    let Some(arn) = Arn::parse(given) else {
        return Err(parameter("Invalid ResourceArn"));
    };
    if arn.account != &*caller.account {
        return Err(not_yours(caller, given));
    }
    let (table, label) = arn.stream().unwrap_or((arn.rest, ""));
    let no_resource = || if label.is_empty() { no_table(table) } else { no_stream(given) };
    if table.contains('/') {
        return Err(parameter("Invalid ResourceArn"));
    }
    if arn.region != &*caller.region {
        return Err(no_resource());
    }
    let scope = scope(caller);
    if !label.is_empty() && dynamodb.engine.stream(&scope, table, label).is_err() {
        return Err(no_resource());
    }
    let table: Arc<Table> = dynamodb.engine.table(&scope, table).map_err(|error| match error.kind {
        ErrorKind::TableNotFound => no_resource(),
        _ => data(error),
    })?;
    Ok(name(&table, label))
}

fn name(table: &Table, label: &str) -> String {
    format!("{:016x}/{label}", table.id())
}
