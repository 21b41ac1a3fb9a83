//! What PutItem and DeleteItem have in common: a whole item is exchanged for another, or for none.

use super::answer::{Wanted, refused, view, written};
use super::expressions::{Expressions, Languages, rewritten};
use super::fault::{Fault, detected, failed, validation};
use super::legacy::Rewritten;
use super::{Body, Dynamodb, names};
use api::dynamodb::{
    Names, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnOnConditionFailure, ReturnValues,
    Values,
};
use engine::{Action, Table, Write};
use model::Item;
use servicekit::call::Call;
use std::borrow::Cow;

pub(super) const LANGUAGES: Languages<'_> =
    Languages { expressions: &["ConditionExpression"], legacy: &["Expected", "ConditionalOperator"] };

/// A request, but for the item or the key.
pub(super) struct Exchange<'a> {
    pub table_name: Cow<'a, str>,
    pub condition: Option<Cow<'a, str>>,
    pub names: Option<Names>,
    pub values: Option<Values>,
    pub return_values: Option<ReturnValues>,
    pub capacity: Option<ReturnConsumedCapacity>,
    pub metrics: Option<ReturnItemCollectionMetrics>,
    pub shown: Option<ReturnOnConditionFailure>,
}

pub(super) fn check(return_values: Option<ReturnValues>) -> Result<(), Fault> {
    match return_values {
        None | Some(ReturnValues::None | ReturnValues::AllOld) => Ok(()),
        Some(_) => Err(validation("ReturnValues can only be ALL_OLD or NONE")),
    }
}

impl Exchange<'_> {
    /// `item` is put, or has the key of the one that goes.
    pub async fn run(
        self,
        dynamodb: &Dynamodb,
        call: &Call,
        expected: Option<Rewritten>,
        item: &Item,
        action: impl FnOnce(&Table) -> Result<Action, Fault>,
    ) -> Body {
        let programs = dynamodb.engine.programs();
        let expressions = Expressions {
            condition: self.condition.as_deref(),
            names: self.names,
            values: self.values,
            ..Expressions::default()
        };
        LANGUAGES.check_placeholders(&expressions)?;
        let mut condition = expressions.ready(programs).map_err(detected)?.condition;
        if let Some(expected) = expected {
            condition = Some(rewritten(expected, |text| programs.condition(text))?);
        }
        let table = dynamodb.table(&call.caller, names::table(&self.table_name, &call.caller)?)?;
        let write = Write { action: action(&table)?, condition };
        let done = match dynamodb.engine.write(&table, write) {
            Ok(done) => done,
            Err(reason) => return Err(refused(reason, self.shown).await),
        };
        done.commit.await.map_err(failed)?;
        let old = match self.return_values {
            Some(ReturnValues::AllOld) => done.old.as_ref().map(view).transpose()?,
            _ => None,
        };
        let wanted = Wanted { capacity: self.capacity, metrics: self.metrics };
        written(&table, item, old, &done.consumed, wanted)
    }
}
