//! What the explaining readers of the busiest requests have in common.

use super::expressions::{names, values};
use super::fault::{Fault, detected, validation};
use super::tree::Tree;
use super::value::item;
use api::dynamodb::{
    Names, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnOnConditionFailure, ReturnValues,
    Values,
};
use model::Item;
use std::borrow::Cow;

/// The largest item, its attributes' names included.
pub(super) const ITEM_BYTES_MAX: usize = 400 * 1024;

/// Members of requests, read from a tree that has passed the model's constraints.
pub(super) trait Members<'a> {
    fn borrowed(self, member: &str) -> Option<Cow<'a, str>>;
    fn attributes(self, member: &str) -> Result<Item, Fault>;
    fn placeholder_names(self) -> Option<Names>;
    fn placeholder_values(self) -> Result<Option<Values>, Fault>;
    /// The same, of an operation that tells faults in its constraints' envelope.
    fn detected_values(self) -> Result<Option<Values>, Fault>;
    fn return_values(self) -> Option<ReturnValues>;
    fn return_consumed_capacity(self) -> Option<ReturnConsumedCapacity>;
    fn return_item_collection_metrics(self) -> Option<ReturnItemCollectionMetrics>;
    fn return_on_condition_failure(self) -> Option<ReturnOnConditionFailure>;
}

impl<'a> Members<'a> for Tree<'a> {
    fn borrowed(self, member: &str) -> Option<Cow<'a, str>> {
        self.text(member).map(Cow::Borrowed)
    }

    fn attributes(self, member: &str) -> Result<Item, Fault> {
        self.map(member).map_or_else(|| Ok(Item::new()), item)
    }

    fn placeholder_names(self) -> Option<Names> {
        names(self)
    }

    fn placeholder_values(self) -> Result<Option<Values>, Fault> {
        values(self, |key, fault| {
            validation(format!(
                "ExpressionAttributeValues contains invalid value: {} for key {key}",
                fault.message.unwrap_or_default()
            ))
        })
    }

    fn detected_values(self) -> Result<Option<Values>, Fault> {
        values(self, |_, fault| detected(fault))
    }

    fn return_values(self) -> Option<ReturnValues> {
        self.text("ReturnValues").and_then(ReturnValues::parse)
    }

    fn return_consumed_capacity(self) -> Option<ReturnConsumedCapacity> {
        self.text("ReturnConsumedCapacity").and_then(ReturnConsumedCapacity::parse)
    }

    fn return_item_collection_metrics(self) -> Option<ReturnItemCollectionMetrics> {
        self.text("ReturnItemCollectionMetrics").and_then(ReturnItemCollectionMetrics::parse)
    }

    fn return_on_condition_failure(self) -> Option<ReturnOnConditionFailure> {
        self.text("ReturnValuesOnConditionCheckFailure").and_then(ReturnOnConditionFailure::parse)
    }
}
