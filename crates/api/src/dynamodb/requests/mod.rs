//! The typed requests.

mod read;

use super::attributes::Text;
use model::Item;
use read::{Absent, Part, choice, request};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

pub use read::{Names, Values};

choice! {
    ReturnValues {
        None = "NONE", AllOld = "ALL_OLD", UpdatedOld = "UPDATED_OLD", AllNew = "ALL_NEW", UpdatedNew = "UPDATED_NEW",
    }
}
choice! { ReturnConsumedCapacity { None = "NONE", Total = "TOTAL", Indexes = "INDEXES" } }
choice! { ReturnItemCollectionMetrics { None = "NONE", Size = "SIZE" } }
choice! {
    /// What a failed condition shows of the item it failed on.
    ReturnOnConditionFailure { None = "NONE", AllOld = "ALL_OLD" }
}
choice! {
    Select {
        AllAttributes = "ALL_ATTRIBUTES", AllProjectedAttributes = "ALL_PROJECTED_ATTRIBUTES",
        SpecificAttributes = "SPECIFIC_ATTRIBUTES", Count = "COUNT",
    }
}

request! {
    PutItem {
        "TableName" table_name: Cow<'de, str>,
        "Item" item: Item,
        "ConditionExpression" condition_expression: Option<Cow<'de, str>>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
        "ExpressionAttributeValues" expression_attribute_values: Option<Values>,
        "ReturnValues" return_values: Option<ReturnValues>,
        "ReturnConsumedCapacity" return_consumed_capacity: Option<ReturnConsumedCapacity>,
        "ReturnItemCollectionMetrics" return_item_collection_metrics: Option<ReturnItemCollectionMetrics>,
        "ReturnValuesOnConditionCheckFailure" return_on_condition_failure: Option<ReturnOnConditionFailure>,
    }
    refuses ["Expected", "ConditionalOperator"]
    check |request| is_name(&request.table_name)
}

request! {
    GetItem {
        "TableName" table_name: Cow<'de, str>,
        "Key" key: Item,
        "ConsistentRead" consistent_read: bool,
        "ProjectionExpression" projection_expression: Option<Cow<'de, str>>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
        "ReturnConsumedCapacity" return_consumed_capacity: Option<ReturnConsumedCapacity>,
    }
    refuses ["AttributesToGet"]
    check |request| is_name(&request.table_name)
}

request! {
    UpdateItem {
        "TableName" table_name: Cow<'de, str>,
        "Key" key: Item,
        "UpdateExpression" update_expression: Option<Cow<'de, str>>,
        "ConditionExpression" condition_expression: Option<Cow<'de, str>>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
        "ExpressionAttributeValues" expression_attribute_values: Option<Values>,
        "ReturnValues" return_values: Option<ReturnValues>,
        "ReturnConsumedCapacity" return_consumed_capacity: Option<ReturnConsumedCapacity>,
        "ReturnItemCollectionMetrics" return_item_collection_metrics: Option<ReturnItemCollectionMetrics>,
        "ReturnValuesOnConditionCheckFailure" return_on_condition_failure: Option<ReturnOnConditionFailure>,
    }
    refuses ["AttributeUpdates", "Expected", "ConditionalOperator"]
    check |request| is_name(&request.table_name)
}

request! {
    DeleteItem {
        "TableName" table_name: Cow<'de, str>,
        "Key" key: Item,
        "ConditionExpression" condition_expression: Option<Cow<'de, str>>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
        "ExpressionAttributeValues" expression_attribute_values: Option<Values>,
        "ReturnValues" return_values: Option<ReturnValues>,
        "ReturnConsumedCapacity" return_consumed_capacity: Option<ReturnConsumedCapacity>,
        "ReturnItemCollectionMetrics" return_item_collection_metrics: Option<ReturnItemCollectionMetrics>,
        "ReturnValuesOnConditionCheckFailure" return_on_condition_failure: Option<ReturnOnConditionFailure>,
    }
    refuses ["Expected", "ConditionalOperator"]
    check |request| is_name(&request.table_name)
}

request! {
    Query {
        "TableName" table_name: Cow<'de, str>,
        "IndexName" index_name: Option<Cow<'de, str>>,
        "Select" select: Option<Select>,
        "Limit" limit: Option<u32>,
        "ConsistentRead" consistent_read: bool,
        "ScanIndexForward" scan_index_forward: Option<bool>,
        "ExclusiveStartKey" exclusive_start_key: Option<Item>,
        "KeyConditionExpression" key_condition_expression: Option<Cow<'de, str>>,
        "FilterExpression" filter_expression: Option<Cow<'de, str>>,
        "ProjectionExpression" projection_expression: Option<Cow<'de, str>>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
        "ExpressionAttributeValues" expression_attribute_values: Option<Values>,
        "ReturnConsumedCapacity" return_consumed_capacity: Option<ReturnConsumedCapacity>,
    }
    refuses ["KeyConditions", "QueryFilter", "ConditionalOperator", "AttributesToGet"]
    check |request| is_name(&request.table_name) && is_index(&request.index_name) && is_limit(request.limit)
}

request! {
    Scan {
        "TableName" table_name: Cow<'de, str>,
        "IndexName" index_name: Option<Cow<'de, str>>,
        "Select" select: Option<Select>,
        "Limit" limit: Option<u32>,
        "ConsistentRead" consistent_read: bool,
        "ExclusiveStartKey" exclusive_start_key: Option<Item>,
        "Segment" segment: Option<u32>,
        "TotalSegments" total_segments: Option<u32>,
        "FilterExpression" filter_expression: Option<Cow<'de, str>>,
        "ProjectionExpression" projection_expression: Option<Cow<'de, str>>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
        "ExpressionAttributeValues" expression_attribute_values: Option<Values>,
        "ReturnConsumedCapacity" return_consumed_capacity: Option<ReturnConsumedCapacity>,
    }
    refuses ["ScanFilter", "ConditionalOperator", "AttributesToGet"]
    check |request| {
        is_name(&request.table_name)
            && is_index(&request.index_name)
            && is_limit(request.limit)
            && request.total_segments.is_none_or(|total| (1..=1_000_000).contains(&total))
            && request.segment.is_none_or(|segment| segment < 1_000_000)
    }
}

request! {
    BatchGetItem {
        "RequestItems" request_items: Vec<(Cow<'de, str>, KeysAndAttributes<'de>)>,
        "ReturnConsumedCapacity" return_consumed_capacity: Option<ReturnConsumedCapacity>,
    }
    refuses []
    check |request| are_tables(&request.request_items)
}

request! {
    KeysAndAttributes {
        "Keys" keys: Vec<Item>,
        "ConsistentRead" consistent_read: bool,
        "ProjectionExpression" projection_expression: Option<Cow<'de, str>>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
    }
    refuses ["AttributesToGet"]
    check |request| (1..=100).contains(&request.keys.len())
}

request! {
    BatchWriteItem {
        "RequestItems" request_items: Vec<(Cow<'de, str>, Vec<WriteRequest<'de>>)>,
        "ReturnConsumedCapacity" return_consumed_capacity: Option<ReturnConsumedCapacity>,
        "ReturnItemCollectionMetrics" return_item_collection_metrics: Option<ReturnItemCollectionMetrics>,
    }
    refuses []
    check |request| {
        are_tables(&request.request_items)
            && request.request_items.iter().all(|(_, writes)| (1..=25).contains(&writes.len()))
    }
}

request! {
    /// Exactly one of the two.
    WriteRequest {
        "PutRequest" put: Option<PutRequest<'de>>,
        "DeleteRequest" delete: Option<DeleteRequest<'de>>,
    }
    refuses []
    check |request| request.put.is_some() != request.delete.is_some()
}

request! {
    PutRequest {
        "Item" item: Item,
    }
    refuses []
    check |_| true
}

request! {
    DeleteRequest {
        "Key" key: Item,
    }
    refuses []
    check |_| true
}

request! {
    TransactGetItems {
        "TransactItems" transact_items: Vec<TransactGetItem<'de>>,
        "ReturnConsumedCapacity" return_consumed_capacity: Option<ReturnConsumedCapacity>,
    }
    refuses []
    check |request| (1..=100).contains(&request.transact_items.len())
}

request! {
    TransactGetItem {
        "Get" get: Get<'de>,
    }
    refuses []
    check |_| true
}

request! {
    Get {
        "TableName" table_name: Cow<'de, str>,
        "Key" key: Item,
        "ProjectionExpression" projection_expression: Option<Cow<'de, str>>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
    }
    refuses []
    check |request| is_name(&request.table_name)
}

request! {
    TransactWriteItems {
        "TransactItems" transact_items: Vec<TransactWriteItem<'de>>,
        "ReturnConsumedCapacity" return_consumed_capacity: Option<ReturnConsumedCapacity>,
        "ReturnItemCollectionMetrics" return_item_collection_metrics: Option<ReturnItemCollectionMetrics>,
        "ClientRequestToken" client_request_token: Option<Cow<'de, str>>,
    }
    refuses []
    check |request| {
        (1..=100).contains(&request.transact_items.len())
            && request.client_request_token.as_ref().is_none_or(|token| (1..=36).contains(&token.len()))
    }
}

request! {
    /// Exactly one of the four.
    TransactWriteItem {
        "ConditionCheck" condition_check: Option<ConditionCheck<'de>>,
        "Put" put: Option<Put<'de>>,
        "Delete" delete: Option<Delete<'de>>,
        "Update" update: Option<Update<'de>>,
    }
    refuses []
    check |request| {
        let given = [
            request.condition_check.is_some(),
            request.put.is_some(),
            request.delete.is_some(),
            request.update.is_some(),
        ];
        given.into_iter().filter(|given| *given).count() == 1
    }
}

request! {
    ConditionCheck {
        "TableName" table_name: Cow<'de, str>,
        "Key" key: Item,
        "ConditionExpression" condition_expression: Cow<'de, str>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
        "ExpressionAttributeValues" expression_attribute_values: Option<Values>,
        "ReturnValuesOnConditionCheckFailure" return_on_condition_failure: Option<ReturnOnConditionFailure>,
    }
    refuses []
    check |request| is_name(&request.table_name)
}

request! {
    Put {
        "TableName" table_name: Cow<'de, str>,
        "Item" item: Item,
        "ConditionExpression" condition_expression: Option<Cow<'de, str>>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
        "ExpressionAttributeValues" expression_attribute_values: Option<Values>,
        "ReturnValuesOnConditionCheckFailure" return_on_condition_failure: Option<ReturnOnConditionFailure>,
    }
    refuses []
    check |request| is_name(&request.table_name)
}

request! {
    Delete {
        "TableName" table_name: Cow<'de, str>,
        "Key" key: Item,
        "ConditionExpression" condition_expression: Option<Cow<'de, str>>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
        "ExpressionAttributeValues" expression_attribute_values: Option<Values>,
        "ReturnValuesOnConditionCheckFailure" return_on_condition_failure: Option<ReturnOnConditionFailure>,
    }
    refuses []
    check |request| is_name(&request.table_name)
}

request! {
    Update {
        "TableName" table_name: Cow<'de, str>,
        "Key" key: Item,
        "UpdateExpression" update_expression: Cow<'de, str>,
        "ConditionExpression" condition_expression: Option<Cow<'de, str>>,
        "ExpressionAttributeNames" expression_attribute_names: Option<Names>,
        "ExpressionAttributeValues" expression_attribute_values: Option<Values>,
        "ReturnValuesOnConditionCheckFailure" return_on_condition_failure: Option<ReturnOnConditionFailure>,
    }
    refuses []
    check |request| is_name(&request.table_name)
}

/// A plain table or index name. An ARN is one too for AWS, and goes the other path.
fn is_name(name: &str) -> bool {
    (3..=255).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

fn is_index(name: &Option<Cow<'_, str>>) -> bool {
    name.as_ref().is_none_or(|name| is_name(name))
}

fn is_limit(limit: Option<u32>) -> bool {
    limit.is_none_or(|limit| (1..=i32::MAX as u32).contains(&limit))
}

fn are_tables<V>(tables: &[(Cow<'_, str>, V)]) -> bool {
    (1..=100).contains(&tables.len()) && tables.iter().all(|(name, _)| is_name(name))
}
