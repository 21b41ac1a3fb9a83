//! Tables, indexes, streams and backups; the keys and attributes that a request touches.

use super::{Asked, Need};
use access::policy::Context;
use model::partiql::{Select, Statement, parse};
use serde_json::Value;
use std::collections::BTreeSet;

/// Words of expressions that are no attributes.
const WORDS: [&str; 18] = [
    "and",
    "or",
    "not",
    "between",
    "in",
    "set",
    "remove",
    "add",
    "delete",
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "size",
    "if_not_exists",
    "list_append",
    "as",
];
const EXPRESSIONS: [&str; 5] = [
    "ProjectionExpression",
    "FilterExpression",
    "ConditionExpression",
    "UpdateExpression",
    "KeyConditionExpression",
];

/// Stands for a hash key that is not known here: no key is empty, so that no condition on keys holds by omission.
const UNKNOWN: &str = "";

pub(super) fn needs(asked: &Asked<'_>, context: &mut Context) -> Vec<Need> {
    let mut touched = Touched::default();
    let action = |name: &str| format!("dynamodb:{name}");
    let operation = asked.operation;
    let needs = match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = asked.input.get("RequestItems").and_then(Value::as_object);
            tables
                .into_iter()
                .flatten()
                .map(|(table, requests)| {
                    touched.batch(asked, table, requests);
                    Need::new(action(operation), table_arn(asked, table))
                })
                .collect()
        }
        "TransactGetItems" | "TransactWriteItems" => {
            context.set("dynamodb:EnclosingOperation", operation);
            transaction(asked, &mut touched)
        }
        "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteTransaction" => {
            if operation != "ExecuteStatement" {
                context.set("dynamodb:EnclosingOperation", operation);
            }
            touched.keys.insert(UNKNOWN.to_owned());
            statements(asked)
        }
        "ListStreams" => {
            let table = asked.text("TableName").unwrap_or("*");
            vec![Need::new(action(operation), format!("{}/stream/*", table_arn(asked, table)))]
        }
        "DescribeStream" | "GetShardIterator" => {
            vec![Need::new(action(operation), asked.text("StreamArn").unwrap_or("*"))]
        }
        "GetRecords" => {
            // An iterator begins with its stream's ARN.
            let stream = asked.text("ShardIterator").and_then(|token| token.split('|').next());
            vec![Need::new(action(operation), stream.unwrap_or("*"))]
        }
        _ => vec![Need::new(action(operation), one(asked, &mut touched))],
    };
    touched.tell(context);
    for (key, default) in [("ReturnValues", "NONE"), ("ReturnConsumedCapacity", "NONE")] {
        context.set(&format!("dynamodb:{key}"), asked.text(key).unwrap_or(default));
    }
    if ["Query", "Scan"].contains(&operation) {
        let projected =
            ["ProjectionExpression", "AttributesToGet"].iter().any(|name| asked.input.get(*name).is_some());
        let default = if projected { "SPECIFIC_ATTRIBUTES" } else { "ALL_ATTRIBUTES" };
        context.set("dynamodb:Select", asked.text("Select").unwrap_or(default));
    }
    needs
}

/// The resource of a call that concerns one.
fn one(asked: &Asked<'_>, touched: &mut Touched) -> String {
    if let Some(table) = asked.text("TableName") {
        touched.request(asked, table, asked.input);
        let arn = table_arn(asked, table);
        return match asked.text("IndexName") {
            Some(index) => format!("{arn}/index/{index}"),
            None => arn,
        };
    }
    for name in ["ResourceArn", "BackupArn", "TableArn", "SourceTableArn", "ExportArn", "ImportArn"] {
        if let Some(arn) = asked.text(name) {
            return arn.to_owned();
        }
    }
    let imported = asked.input.get("TableCreationParameters").and_then(|table| table.get("TableName"));
    match asked.text("TargetTableName").or(imported.and_then(Value::as_str)) {
        Some(table) => table_arn(asked, table),
        None => "*".to_owned(),
    }
}

fn table_arn(asked: &Asked<'_>, given: &str) -> String {
    if given.starts_with("arn:") {
        given.to_owned()
    } else {
        asked.arn("dynamodb", &format!("table/{given}"))
    }
}

/// Each part of a transaction needs what the same call alone would need.
fn transaction(asked: &Asked<'_>, touched: &mut Touched) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    let items = asked.input.get("TransactItems").and_then(Value::as_array);
    for (kind, request) in items.into_iter().flatten().filter_map(Value::as_object).flatten() {
        let action = match kind.as_str() {
            "Get" => "GetItem",
            "Put" => "PutItem",
            "Update" => "UpdateItem",
            "Delete" => "DeleteItem",
            _ => "ConditionCheckItem",
        };
        let table = request.get("TableName").and_then(Value::as_str).unwrap_or("*");
        touched.request(asked, table, request);
        let need = Need::new(format!("dynamodb:{action}"), table_arn(asked, table));
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    needs
}

fn statements(asked: &Asked<'_>) -> Vec<Need> {
    let listed =
        ["Statements", "TransactStatements"].iter().find_map(|name| asked.input.get(*name)?.as_array());
    let listed = listed.into_iter().flatten().filter_map(|one| one.get("Statement")?.as_str());
    let mut needs: Vec<Need> = Vec::new();
    for text in asked.text("Statement").into_iter().chain(listed) {
        // What cannot be read does nothing, and is refused for that.
        let Ok((statement, _)) = parse(text) else { continue };
        let selected = |select: &Select| {
            let arn = table_arn(asked, &select.from.table);
            let resource = match &select.from.index {
                Some(index) => format!("{arn}/index/{index}"),
                None => arn,
            };
            Need::new("dynamodb:PartiQLSelect", resource)
        };
        let need = match &statement {
            Statement::Select(select) | Statement::Exists(select) => selected(select),
            Statement::Insert { table, .. } => Need::new("dynamodb:PartiQLInsert", table_arn(asked, table)),
            Statement::Update { table, .. } => Need::new("dynamodb:PartiQLUpdate", table_arn(asked, table)),
            Statement::Delete { table, .. } => Need::new("dynamodb:PartiQLDelete", table_arn(asked, table)),
        };
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    needs
}

/// Hash keys and top-level attributes that a call names.
#[derive(Default)]
struct Touched {
    keys: BTreeSet<String>,
    attributes: BTreeSet<String>,
}

impl Touched {
    fn tell(self, context: &mut Context) {
        for (key, values) in [("dynamodb:LeadingKeys", self.keys), ("dynamodb:Attributes", self.attributes)] {
            if !values.is_empty() {
                context.set_all(key, values.into_iter().collect());
            }
        }
    }

    fn batch(&mut self, asked: &Asked<'_>, table: &str, requests: &Value) {
        match requests {
            Value::Array(writes) => {
                for write in writes.iter().filter_map(Value::as_object).flat_map(|write| write.values()) {
                    self.request(asked, table, write);
                }
            }
            gets => {
                self.expressions(gets);
                for key in gets.get("Keys").and_then(Value::as_array).into_iter().flatten() {
                    self.item(asked, table, key);
                }
            }
        }
    }

    fn request(&mut self, asked: &Asked<'_>, table: &str, request: &Value) {
        for name in ["Item", "Key"] {
            if let Some(item) = request.get(name) {
                self.item(asked, table, item);
            }
        }
        for name in ["AttributeUpdates", "Expected", "QueryFilter", "ScanFilter", "KeyConditions"] {
            let named = request.get(name).and_then(Value::as_object);
            self.attributes.extend(named.into_iter().flat_map(|members| members.keys().cloned()));
        }
        self.expressions(request);
        let index = request.get("IndexName").and_then(Value::as_str);
        let Some(hash) = (asked.hash_key)(bare(table), index) else { return };
        let condition = request.pointer(&format!(
            "/KeyConditions/{}/AttributeValueList/0",
            hash.replace('~', "~0").replace('/', "~1")
        ));
        let expression = request.get("KeyConditionExpression").and_then(Value::as_str);
        let placeholder = expression.and_then(|text| equal_to(text, &hash, request));
        let value = condition.or_else(|| request.get("ExpressionAttributeValues")?.get(placeholder?));
        match value.and_then(scalar) {
            Some(key) => drop(self.keys.insert(key)),
            None if expression.is_some() => drop(self.keys.insert(UNKNOWN.to_owned())),
            None => {}
        }
    }

    fn item(&mut self, asked: &Asked<'_>, table: &str, item: &Value) {
        let Some(members) = item.as_object() else { return };
        self.attributes.extend(members.keys().cloned());
        let hash = (asked.hash_key)(bare(table), None);
        self.keys.extend(hash.and_then(|hash| members.get(&hash)).and_then(scalar));
    }

    fn expressions(&mut self, request: &Value) {
        let listed = request.get("AttributesToGet").and_then(Value::as_array).into_iter().flatten();
        self.attributes.extend(listed.filter_map(Value::as_str).map(str::to_owned));
        for text in EXPRESSIONS.iter().filter_map(|name| request.get(*name)?.as_str()) {
            let mut before = ' ';
            for word in words(text) {
                if let Some(name) = attribute(word, request).filter(|_| before != '.') {
                    self.attributes.insert(name);
                }
                before = word.chars().next_back().unwrap_or(' ');
            }
        }
    }
}

/// A table's name without what may stand around it in an ARN.
fn bare(table: &str) -> &str {
    table.split_once(":table/").map_or(table, |(_, rest)| rest.split('/').next().unwrap_or(rest))
}

/// The attribute that a word of an expression means, if it means one.
fn attribute(word: &str, request: &Value) -> Option<String> {
    if word.starts_with('#') {
        return request.get("ExpressionAttributeNames")?.get(word)?.as_str().map(str::to_owned);
    }
    let begins = word.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    (begins && !WORDS.contains(&word.to_ascii_lowercase().as_str())).then(|| word.to_owned())
}

/// Names, placeholders, and every other sign by itself.
fn words(text: &str) -> Vec<&str> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_#:".contains(letter);
    let (mut words, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let end = if is_name(first) {
            rest.find(|letter: char| !is_name(letter)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            words.push(&rest[..end]);
        }
        rest = &rest[end..];
    }
    words
}

/// The placeholder of the value that a key condition asks of the hash key.
fn equal_to<'a>(expression: &'a str, hash: &str, request: &Value) -> Option<&'a str> {
    let words = words(expression);
    words.windows(3).find_map(|three| {
        let names_it = attribute(three[0], request).is_some_and(|name| name == hash);
        (names_it && three[1] == "=" && three[2].starts_with(':')).then_some(three[2])
    })
}

/// A key's value as conditions see it.
fn scalar(value: &Value) -> Option<String> {
    let (_, value) = value.as_object()?.iter().next()?;
    value.as_str().map(str::to_owned)
}
