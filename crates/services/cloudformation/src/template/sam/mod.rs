//! `AWS::Serverless-2016-10-31`: short forms of functions, APIs and tables, written out as the resources they stand for. Pure.

mod event;
mod function;
mod http_api;
mod policy;
mod rest_api;

use http_api::HttpApis;
use rest_api::RestApis;
use serde_json::{Map, Value, json};

pub(super) const NAME: &str = "AWS::Serverless-2016-10-31";

type Members = Map<String, Value>;

/// A template while it is written out.
#[derive(Default)]
struct Expansion {
    globals: Members,
    resources: Members,
    rest: RestApis,
    http: HttpApis,
}

/// Writes a template's short forms out.
pub(super) fn expand(tree: &mut Value) -> Result<(), String> {
    let Some(members) = tree.as_object_mut() else { return Ok(()) };
    let globals = members.shift_remove("Globals").unwrap_or_else(|| json!({}));
    let globals =
        globals.as_object().cloned().ok_or_else(|| fault("'Globals' section must be an object."))?;
    if let Some(name) =
        globals.keys().find(|name| !["Function", "Api", "HttpApi", "SimpleTable"].contains(&&***name))
    {
        return Err(fault(&format!("'Globals' section is invalid. '{name}' is not a supported property.")));
    }
    let Some(Value::Object(resources)) = members.get("Resources").cloned() else { return Ok(()) };
    let mut out = Expansion { globals, ..Expansion::default() };
    for (id, resource) in resources {
        out.resource(&id, resource)
            .map_err(|words| fault(&format!("Resource with id [{id}] is invalid. {words}")))?;
    }
    out.finish().map_err(|words| fault(&words))?;
    members.insert("Resources".to_owned(), out.resources.into());
    Ok(())
}

fn fault(words: &str) -> String {
    format!(
        "Transform {NAME} failed with: Invalid Serverless Application Specification document. Number of errors found: 1. {words}"
    )
}

impl Expansion {
    fn resource(&mut self, id: &str, resource: Value) -> Result<(), String> {
        let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        let Some(short) = kind.strip_prefix("AWS::Serverless::") else {
            self.resources.insert(id.to_owned(), resource);
            return Ok(());
        };
        let properties = resource.get("Properties").and_then(Value::as_object).cloned().unwrap_or_default();
        let whole = match self.globals.get(short) {
            Some(globals) => merged(globals.clone(), Value::Object(properties)),
            None => Value::Object(properties),
        };
        let properties = whole.as_object().cloned().unwrap_or_default();
        match short {
            "Function" => self.function(id, &resource, properties),
            "SimpleTable" => {
                let table = table(properties)?;
                self.put(id, "AWS::DynamoDB::Table", table, &resource);
                Ok(())
            }
            "Api" => self.rest.declare(id, properties, &resource),
            "HttpApi" => self.http.declare(id, properties, &resource),
            _ => Err(format!("Type AWS::Serverless::{short} is not supported.")),
        }
    }

    /// A resource that takes the place of a short form, with what belongs to every resource.
    fn put(&mut self, id: &str, kind: &str, properties: Members, from: &Value) {
        let mut resource = json!({"Type": kind, "Properties": properties});
        for member in
            ["Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata", "UpdatePolicy"]
        {
            if let Some(value) = from.get(member) {
                resource[member] = value.clone();
            }
        }
        self.resources.insert(id.to_owned(), resource);
    }

    /// A resource that a short form needs beside itself: it is there under the same condition.
    fn add(&mut self, id: &str, kind: &str, properties: Value, from: &Value) {
        let mut resource = json!({"Type": kind, "Properties": properties});
        if let Some(condition) = from.get("Condition") {
            resource["Condition"] = condition.clone();
        }
        self.resources.insert(id.to_owned(), resource);
    }

    fn finish(&mut self) -> Result<(), String> {
        let rest = std::mem::take(&mut self.rest);
        let http = std::mem::take(&mut self.http);
        let globals =
            |name: &str| self.globals.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let written = [rest.written(globals("Api"))?, http.written(globals("HttpApi"))?];
        for (id, resource) in written.into_iter().flatten() {
            self.resources.insert(id, resource);
        }
        Ok(())
    }
}

/// A resource's own properties over those of all: maps member by member, lists one after the other.
fn merged(globals: Value, own: Value) -> Value {
    match (globals, own) {
        (Value::Object(mut all), Value::Object(own)) if !is_function(&all) && !is_function(&own) => {
            for (name, value) in own {
                let value = match all.shift_remove(&name) {
                    Some(before) => merged(before, value),
                    None => value,
                };
                all.insert(name, value);
            }
            all.into()
        }
        (Value::Array(mut all), Value::Array(own)) => {
            all.extend(own);
            all.into()
        }
        (_, own) => own,
    }
}

/// Whether a map is a call of a function of templates, such as `{"Ref": …}`.
fn is_function(members: &Members) -> bool {
    members.len() == 1 && members.keys().all(|name| name == "Ref" || name.starts_with("Fn::"))
}

/// Refuses members that are not built, by name.
fn only(properties: &Members, names: &[&str]) -> Result<(), String> {
    match properties.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("property {name} is not supported.")),
        None => Ok(()),
    }
}

/// `{"a": "1"}` as `[{"Key": "a", "Value": "1"}]`.
fn tag_list(tags: &Value) -> Value {
    let pairs = tags.as_object().into_iter().flatten();
    pairs.map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// The letters and digits of a text, its words beginning with capitals.
fn identifier(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    words.map(capital).collect()
}

/// So many digits that are other ones for another value.
fn digest(value: &Value, digits: usize) -> String {
    use sha2::{Digest, Sha256};
    let sum = Sha256::digest(value.to_string().as_bytes());
    let all: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    all[..digits.min(all.len())].to_owned()
}

fn table(properties: Members) -> Result<Members, String> {
    let own = [
        "TableName",
        "PrimaryKey",
        "ProvisionedThroughput",
        "Tags",
        "SSESpecification",
        "PointInTimeRecoverySpecification",
    ];
    only(&properties, &own)?;
    let key =
        properties.get("PrimaryKey").cloned().unwrap_or_else(|| json!({"Name": "id", "Type": "String"}));
    let kind = match key["Type"].as_str() {
        Some("String") => "S",
        Some("Number") => "N",
        Some("Binary") => "B",
        _ => return Err("'PrimaryKey.Type' must be one of String, Number, Binary.".to_owned()),
    };
    let mut table = Members::new();
    table.insert(
        "AttributeDefinitions".to_owned(),
        json!([{"AttributeName": key["Name"], "AttributeType": kind}]),
    );
    table.insert("KeySchema".to_owned(), json!([{"AttributeName": key["Name"], "KeyType": "HASH"}]));
    if !properties.contains_key("ProvisionedThroughput") {
        table.insert("BillingMode".to_owned(), "PAY_PER_REQUEST".into());
    }
    for (name, value) in properties.into_iter().filter(|(name, _)| name != "PrimaryKey") {
        let value = if name == "Tags" { tag_list(&value) } else { value };
        table.insert(name, value);
    }
    Ok(table)
}

#[cfg(test)]
mod tests;
