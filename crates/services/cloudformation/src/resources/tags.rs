//! Tags: a resource's own and its stack's, and how each service is told that they are others now.

use super::{Cx, known};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How a service takes tags: its calls, and their members.
struct Tagging {
    tag: &'static str,
    untag: &'static str,
    tags: &'static str,
    keys: &'static str,
    form: Form,
}

enum Form {
    /// `[{"Key", "Value"}]`, the members called so.
    List(&'static str, &'static str),
    Map,
}

fn tagging(service: &str) -> Tagging {
    let (tag, untag) = match service {
        "iam:role" => ("TagRole", "UntagRole"),
        "iam:user" => ("TagUser", "UntagUser"),
        "rds" | "ssm" => ("AddTagsToResource", "RemoveTagsFromResource"),
        "sqs" => ("TagQueue", "UntagQueue"),
        _ => ("TagResource", "UntagResource"),
    };
    let (tags, keys) = match service {
        "apigateway" | "ecr" | "logs" => ("tags", "tagKeys"),
        _ => ("Tags", "TagKeys"),
    };
    let form = match service {
        "apigateway" | "apigatewayv2" | "lambda" | "logs" | "sqs" => Form::Map,
        "kms" => Form::List("TagKey", "TagValue"),
        _ => Form::List("Key", "Value"),
    };
    Tagging { tag, untag, tags, keys, form }
}

impl Form {
    fn write(&self, tags: &BTreeMap<String, String>) -> Value {
        match self {
            Form::Map => json!(tags),
            Form::List(key, value) => {
                tags.iter().map(|(name, text)| json!({ *key: name, *value: text })).collect()
            }
        }
    }
}

/// The properties of a resource in a stack with these tags: they are its own too, where it takes tags and says no others.
pub(crate) fn with_stacks(kind: &str, mut properties: Value, stack: &BTreeMap<String, String>) -> Value {
    if !stack.is_empty() && takes(kind) {
        properties["Tags"] = over(stack, properties.get("Tags"));
    }
    properties
}

/// Whether a type takes tags.
pub(crate) fn takes(kind: &str) -> bool {
    known(kind).is_some_and(|kind| kind.tagged)
}

/// A resource's own tags laid over its stack's, in the form of its own.
pub(crate) fn over(stack: &BTreeMap<String, String>, own: Option<&Value>) -> Value {
    let own = match own {
        Some(Value::Object(own)) => {
            let mut whole = Map::from_iter(stack.iter().map(|(key, value)| (key.clone(), json!(value))));
            whole.extend(own.clone());
            return whole.into();
        }
        own => own.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default(),
    };
    let others = stack.iter().filter(|(key, _)| !own.iter().any(|tag| tag["Key"] == **key));
    others.map(|(key, value)| json!({ "Key": key, "Value": value })).chain(own.iter().cloned()).collect()
}

/// The tags of a resource, which templates write as a list or as a map.
pub(super) fn all(properties: &Value) -> BTreeMap<String, String> {
    let mut tags: BTreeMap<String, String> = match properties.get("Tags") {
        Some(Value::Object(own)) => {
            own.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
        }
        Some(Value::Array(own)) => {
            let pair =
                |tag: &Value| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str()?.to_owned()));
            own.iter().filter_map(pair).collect()
        }
        _ => BTreeMap::new(),
    };
    tags.retain(|key, _| !key.starts_with("aws:"));
    tags
}

/// All tags as `[{"Key", "Value"}]`.
pub(super) fn list(properties: &Value) -> Vec<Value> {
    let tags = all(properties);
    tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// Adds all tags to what makes a resource, in the form of the service. Without tags nothing is added.
pub(super) fn add(service: &str, properties: &Value, input: &mut Map<String, Value>) {
    let (tags, how) = (all(properties), tagging(service));
    if !tags.is_empty() {
        input.insert(how.tags.to_owned(), how.form.write(&tags));
    }
}

impl Cx<'_> {
    /// Tells a service that tags changed; `about` names the resource in its calls.
    pub async fn retag(&self, service: &str, about: Value, old: &Value, new: &Value) -> Result<(), String> {
        let (was, now, how) = (all(old), all(new), tagging(service));
        let called = service.split(':').next().unwrap_or_default();
        let with = |member: &str, value: Value| {
            let mut input = about.clone();
            input[member] = value;
            input
        };
        let gone: Vec<&String> = was.keys().filter(|key| !now.contains_key(*key)).collect();
        if !gone.is_empty() {
            self.ask(called, how.untag, with(how.keys, json!(gone))).await?;
        }
        if !now.is_empty() && was != now {
            self.ask(called, how.tag, with(how.tags, how.form.write(&now))).await?;
        }
        Ok(())
    }
}
