//! The typed requests and how they are read.

use super::attributes::{Attribute, Attributes, Entries, Text};
use model::{Item, Value};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// `#name` placeholders and what they stand for.
pub type Names = Vec<(String, String)>;
/// `:value` placeholders and what they stand for.
pub type Values = Vec<(String, Value)>;

/// Closed choices: their wire words, and reading them.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($variant),+ }

        impl $name {
            pub fn parse(word: &str) -> Option<$name> {
                match word {
                    $($word => Some($name::$variant),)+
                    _ => None,
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let Text(word) = Text::deserialize(deserializer)?;
                $name::parse(&word).ok_or_else(|| D::Error::custom("unknown choice"))
            }
        }

        impl<'de> Part<'de> for $name {
            type Read = $name;
            fn from_read(read: $name) -> $name {
                read
            }
        }
    };
}

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

/// A type that members have, and the reading of it.
trait Part<'de>: Sized {
    type Read: Deserialize<'de>;
    fn from_read(read: Self::Read) -> Self;
    /// What an absent member is; none for one that is required.
    fn absent() -> Option<Self> {
        None
    }
}

macro_rules! parts {
    ($($part:ty = $read:ty, $convert:expr $(, $absent:expr)?;)+) => {
        $(impl<'de> Part<'de> for $part {
            type Read = $read;
            fn from_read(read: $read) -> $part {
                #[allow(clippy::redundant_closure_call, reason = "the macro's arguments are closures")]
                $convert(read)
            }
            $(fn absent() -> Option<$part> {
                Some($absent)
            })?
        })+
    };
}

parts! {
    Cow<'de, str> = Text<'de>, |read: Text<'de>| read.0;
    Item = Attributes, |read: Attributes| read.0;
    u32 = u32, |read| read;
    bool = bool, |read| read, false;
    Names = Entries<'de, String>, |read: Entries<'de, String>| owned(read.0, |name| name);
    Values = Entries<'de, Attribute>, |read: Entries<'de, Attribute>| owned(read.0, |value| value.0);
}

fn owned<V, W>(entries: Vec<(Cow<'_, str>, V)>, convert: impl Fn(V) -> W) -> Vec<(String, W)> {
    entries.into_iter().map(|(name, value)| (name.into_owned(), convert(value))).collect()
}

impl<'de, P: Part<'de>> Part<'de> for Option<P> {
    type Read = Option<P::Read>;
    fn from_read(read: Self::Read) -> Self {
        read.map(P::from_read)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<'de, P: Part<'de>> Part<'de> for Vec<P> {
    type Read = Vec<P::Read>;
    fn from_read(read: Self::Read) -> Self {
        read.into_iter().map(P::from_read).collect()
    }
}

/// The entries of a map by table name.
impl<'de, P: Part<'de>> Part<'de> for Vec<(Cow<'de, str>, P)> {
    type Read = Entries<'de, P::Read>;
    fn from_read(read: Self::Read) -> Self {
        read.0.into_iter().map(|(name, read)| (name, P::from_read(read))).collect()
    }
}

/// Refuses a member that only the other path understands.
struct Absent;

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<IgnoredAny>::deserialize(deserializer)? {
            None => Ok(Absent),
            Some(_) => Err(D::Error::custom("legacy")),
        }
    }
}

macro_rules! request {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $member:literal $field:ident: $type:ty,)+ } refuses [$($refused:literal),*] check $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name<'de> {
            $($(#[$field_doc])* pub $field: $type,)+
            /// Text of the request may be borrowed.
            pub borrows: std::marker::PhantomData<&'de ()>,
        }

        impl<'de> $name<'de> {
            /// Reads a request; none when it is for the other path.
            pub fn read(body: &'de [u8]) -> Option<$name<'de>> {
                // Checked whole and once: members that are skipped must be text too.
                serde_json::from_str(std::str::from_utf8(body).ok()?).ok()
            }
        }

        impl<'de> Deserialize<'de> for $name<'de> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;
                impl<'de> Visitor<'de> for Reader {
                    type Value = $name<'de>;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a structure")
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name<'de>, A::Error> {
                        $(let mut $field: Option<$type> = None;)+
                        while let Some(Text(member)) = map.next_key()? {
                            match &*member {
                                $($member => {
                                    // A null counts as absent.
                                    let read: Option<<$type as Part<'de>>::Read> = map.next_value()?;
                                    if let Some(read) = read && $field.replace(<$type as Part<'de>>::from_read(read)).is_some() {
                                        return Err(A::Error::custom("repeated"));
                                    }
                                })+
                                $($refused => { let Absent = map.next_value()?; })*
                                _ => { let IgnoredAny = map.next_value()?; }
                            }
                        }
                        let request = $name {
                            $($field: match $field.or_else(<$type as Part<'de>>::absent) {
                                Some(field) => field,
                                None => return Err(A::Error::missing_field($member)),
                            },)+
                            borrows: std::marker::PhantomData,
                        };
                        let check: fn(&$name<'de>) -> bool = $check;
                        if check(&request) { Ok(request) } else { Err(A::Error::custom("out of bounds")) }
                    }
                }
                deserializer.deserialize_map(Reader)
            }
        }

        impl<'de> Part<'de> for $name<'de> {
            type Read = $name<'de>;
            fn from_read(read: $name<'de>) -> $name<'de> {
                read
            }
        }
    };
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
