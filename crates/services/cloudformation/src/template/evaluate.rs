//! The functions of templates, evaluated over what is known so far. Pure: values from elsewhere are looked up before.

use super::graph::references;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Stands for `AWS::NoValue`: whatever has it is left out.
const NO_VALUE: &str = "\u{0}AWS::NoValue";

/// What a made resource answers to: its own name, and its attributes.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Made {
    pub id: String,
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
}

/// Everything that a template's functions may ask for.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// `AWS::Region` and its like.
    pub pseudo: BTreeMap<&'static str, Value>,
    pub parameters: BTreeMap<String, Value>,
    pub mappings: Map<String, Value>,
    pub conditions: Map<String, Value>,
    pub resources: BTreeMap<String, Made>,
    /// Exports of other stacks.
    pub exports: BTreeMap<String, String>,
    /// Names of exports that were used.
    pub imported: Mutex<BTreeSet<String>>,
}

type Evaluated = Result<Value, String>;

impl Scope {
    /// A value with its functions carried out. Members and items without a value are left out.
    pub fn evaluate(&self, value: &Value) -> Evaluated {
        match value {
            Value::Array(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.evaluate(item)).collect();
                Ok(Value::Array(items?.into_iter().filter(is_value).collect()))
            }
            Value::Object(members) => {
                if let (1, Some((name, argument))) = (members.len(), members.iter().next())
                    && (name == "Ref" || name == "Condition" || name.starts_with("Fn::"))
                {
                    return self.function(name, argument);
                }
                let mut kept = Map::new();
                for (name, value) in members {
                    let value = self.evaluate(value)?;
                    if is_value(&value) {
                        kept.insert(name.clone(), value);
                    }
                }
                Ok(Value::Object(kept))
            }
            plain => Ok(plain.clone()),
        }
    }

    /// A named condition.
    pub fn condition(&self, name: &str) -> Result<bool, String> {
        let condition = self.conditions.get(name);
        let condition = condition.ok_or_else(|| {
            format!("Template validation error: Unresolved dependencies [{name}]. Cannot reference resources in the Conditions block of the template")
        })?;
        self.truth(condition)
    }

    /// Whether the condition of a resource or an output, if it has one, holds.
    pub fn wanted(&self, member: &Value) -> Result<bool, String> {
        member.get("Condition").and_then(Value::as_str).map_or(Ok(true), |name| self.condition(name))
    }

    /// Whether every reference of a value can be answered.
    pub fn is_known(&self, value: &Value) -> bool {
        let mut found = BTreeSet::new();
        references(value, &mut found);
        found.iter().all(|name| self.parameters.contains_key(name) || self.resources.contains_key(name))
    }

    fn truth(&self, value: &Value) -> Result<bool, String> {
        match self.evaluate(value)? {
            Value::Bool(truth) => Ok(truth),
            Value::String(text) if text == "true" => Ok(true),
            Value::String(text) if text == "false" => Ok(false),
            _ => Err("Template error: every condition must be true or false".to_owned()),
        }
    }

    fn function(&self, name: &str, argument: &Value) -> Evaluated {
        let invalid = |words: &str| Err(format!("Template error: {words}"));
        match name {
            "Ref" => self.reference(argument.as_str().unwrap_or_default()),
            "Condition" => Ok(self.condition(argument.as_str().unwrap_or_default())?.into()),
            "Fn::GetAtt" => self.attribute(argument),
            "Fn::If" => match argument.as_array().map(Vec::as_slice) {
                Some([condition, yes, no]) => {
                    let holds = self.condition(condition.as_str().unwrap_or_default())?;
                    self.evaluate(if holds { yes } else { no })
                }
                _ => invalid("Fn::If requires a list argument with three elements"),
            },
            "Fn::And" | "Fn::Or" => {
                let conditions = argument.as_array().filter(|list| (1..=10).contains(&list.len()));
                let Some(conditions) = conditions else {
                    return invalid(&format!(
                        "every {name} object requires a list of at least 2 and at most 10 boolean parameters."
                    ));
                };
                let truths: Result<Vec<_>, _> = conditions.iter().map(|one| self.truth(one)).collect();
                let (truths, all) = (truths?, name == "Fn::And");
                Ok((if all { truths.into_iter().all(|t| t) } else { truths.into_iter().any(|t| t) }).into())
            }
            "Fn::Not" => match argument.as_array().map(Vec::as_slice) {
                Some([condition]) => Ok((!self.truth(condition)?).into()),
                _ => invalid("Fn::Not requires a list with one condition"),
            },
            "Fn::Sub" => self.substitute(argument),
            _ => {
                let argument = self.evaluate(argument)?;
                self.plain(name, &argument)
            }
        }
    }

    /// The functions whose arguments are evaluated first.
    fn plain(&self, name: &str, argument: &Value) -> Evaluated {
        let invalid = |words: &str| Err(format!("Template error: {words}"));
        let list = argument.as_array().map(Vec::as_slice);
        match (name, list) {
            ("Fn::Equals", Some([a, b])) => Ok((same(a, b)).into()),
            ("Fn::Contains", Some([Value::Array(list), wanted])) => {
                Ok(list.iter().any(|item| same(item, wanted)).into())
            }
            ("Fn::Join", Some([Value::String(between), Value::Array(items)])) => {
                let texts: Option<Vec<String>> = items.iter().map(text).collect();
                match texts {
                    Some(texts) => Ok(texts.join(between).into()),
                    None => invalid("every value of the list of Fn::Join must be a string"),
                }
            }
            ("Fn::Split", Some([Value::String(at), Value::String(whole)])) if !at.is_empty() => {
                Ok(whole.split(at.as_str()).map(Value::from).collect())
            }
            ("Fn::Select", Some([index, Value::Array(items)])) => {
                let index = text(index).and_then(|index| index.parse::<usize>().ok());
                match index.and_then(|index| items.get(index)) {
                    Some(item) => Ok(item.clone()),
                    None => invalid("Fn::Select cannot select nonexistent value at index"),
                }
            }
            ("Fn::Base64", None) => {
                Ok(wire::base64::encode(text(argument).unwrap_or_default().as_bytes()).into())
            }
            ("Fn::GetAZs", None) => {
                let named = argument.as_str().filter(|region| !region.is_empty());
                let region = named.or_else(|| self.pseudo.get("AWS::Region")?.as_str()).unwrap_or_default();
                Ok(ec2::zones(region).into_iter().map(Value::from).collect())
            }
            ("Fn::FindInMap", Some([Value::String(map), first, second, rest @ ..])) => {
                let names = (text(first).unwrap_or_default(), text(second).unwrap_or_default());
                let found = self.mappings.get(map).and_then(|map| map.get(&names.0)?.get(&names.1));
                let default = rest.first().and_then(|options| options.get("DefaultValue"));
                match found.or(default) {
                    Some(value) => Ok(value.clone()),
                    None => invalid(&format!("Unable to get mapping for {map}::{}::{}", names.0, names.1)),
                }
            }
            ("Fn::ImportValue", None) => {
                let export = text(argument).unwrap_or_default();
                self.imported.lock().unwrap_or_else(PoisonError::into_inner).insert(export.clone());
                let value = self.exports.get(&export);
                value
                    .map(|value| value.as_str().into())
                    .ok_or_else(|| format!("No export named {export} found."))
            }
            ("Fn::Length", Some(items)) => Ok(items.len().into()),
            ("Fn::ToJsonString", _) => Ok(argument.to_string().into()),
            ("Fn::Cidr", Some([Value::String(block), count, rest @ ..])) => cidr(block, count, rest.first()),
            ("Fn::Transform", _) => invalid("Fn::Transform is not supported here"),
            _ => invalid(&format!("{name} is not a function, or its argument has another form")),
        }
    }

    fn reference(&self, name: &str) -> Evaluated {
        if name == "AWS::NoValue" {
            return Ok(NO_VALUE.into());
        }
        let pseudo = self.pseudo.get(name).cloned();
        let parameter = || self.parameters.get(name).cloned();
        let resource = || self.resources.get(name).map(|made| Value::from(made.id.as_str()));
        pseudo.or_else(parameter).or_else(resource).ok_or_else(|| {
            format!("Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template")
        })
    }

    fn attribute(&self, argument: &Value) -> Evaluated {
        let (resource, attribute) = match argument {
            Value::String(path) => path.split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())),
            Value::Array(path) => match path.as_slice() {
                [Value::String(resource), attribute] => {
                    text(&self.evaluate(attribute)?).map(|attribute| (resource.clone(), attribute))
                }
                _ => None,
            },
            _ => None,
        }
        .ok_or("Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute")?;
        let made = self.resources.get(&resource);
        let made = made.ok_or_else(|| {
            format!("Template error: instance of Fn::GetAtt references undefined resource {resource}")
        })?;
        made.attributes.get(&attribute).cloned().ok_or_else(|| {
            format!("Requested attribute {attribute} does not exist in schema for resource {resource}")
        })
    }

    fn substitute(&self, argument: &Value) -> Evaluated {
        let invalid = "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string";
        let (pattern, own) = match argument {
            Value::String(pattern) => (pattern, None),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(pattern), Value::Object(own)] => (pattern, Some(own)),
                [Value::String(pattern)] => (pattern, None),
                _ => return Err(invalid.to_owned()),
            },
            _ => return Err(invalid.to_owned()),
        };
        let mut out = String::new();
        let mut rest = pattern.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, left)) = after.split_once('}') else {
                out.push_str("${");
                rest = after;
                continue;
            };
            rest = left;
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let name = name.trim();
            let value = match own.and_then(|own| own.get(name)) {
                Some(value) => self.evaluate(value)?,
                None => match name.split_once('.') {
                    Some((resource, attribute)) => self.attribute(&Value::from(vec![resource, attribute]))?,
                    None => self.reference(name)?,
                },
            };
            let value = text(&value);
            out.push_str(&value.ok_or_else(|| format!("Template error: {name} in Fn::Sub is not a string"))?);
        }
        out.push_str(rest);
        Ok(out.into())
    }
}

fn is_value(value: &Value) -> bool {
    value.as_str() != Some(NO_VALUE)
}

/// A scalar as the text that templates make of it.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Equal as templates see it: scalars as texts.
fn same(a: &Value, b: &Value) -> bool {
    match (text(a), text(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// So many blocks of a size out of a larger one.
fn cidr(block: &str, count: &Value, bits: Option<&Value>) -> Evaluated {
    let invalid = || {
        "Template error: Fn::Cidr needs an IPv4 block, a count from 1 to 256 and the bits of a block"
            .to_owned()
    };
    let (address, prefix) = block.split_once('/').ok_or_else(invalid)?;
    let address: std::net::Ipv4Addr = address.parse().map_err(|_| invalid())?;
    let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= 32).ok_or_else(invalid)?;
    let number = |value: &Value| text(value).and_then(|text| text.parse::<u32>().ok());
    let count = number(count).filter(|count| (1..=256).contains(count)).ok_or_else(invalid)?;
    let bits =
        bits.map_or(Some(8), number).filter(|bits| (1..=32 - prefix).contains(bits)).ok_or_else(invalid)?;
    let size = 1u64 << bits;
    if u64::from(count) * size > 1u64 << (32 - prefix) {
        return Err(invalid());
    }
    let blocks = (0..u64::from(count)).map(|index| {
        let base = std::net::Ipv4Addr::from((u64::from(u32::from(address)) + index * size) as u32);
        Value::from(format!("{base}/{}", 32 - bits))
    });
    Ok(blocks.collect())
}

#[cfg(test)]
mod tests {
    use super::{Made, Scope};
    use serde_json::{Value, json};

    fn scope() -> Scope {
        let made = Made {
            id: "the-table".into(),
            attributes: [("Arn".to_owned(), json!("arn:table")), ("Endpoint.Port".to_owned(), json!("3306"))]
                .into(),
        };
        Scope {
            pseudo: [("AWS::Region", json!("eu-west-1")), ("AWS::AccountId", json!("123456789012"))].into(),
            parameters: [("Stage".to_owned(), json!("prod")), ("List".to_owned(), json!(["a", "b"]))].into(),
            mappings: json!({"Sizes": {"prod": {"n": 3}}}).as_object().cloned().unwrap_or_default(),
            conditions: json!({
                "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
                "Not": {"Fn::Not": [{"Condition": "IsProd"}]},
                "Either": {"Fn::Or": [{"Condition": "Not"}, {"Fn::And": [{"Condition": "IsProd"}, {"Fn::Equals": [1, "1"]}]}]},
            }).as_object().cloned().unwrap_or_default(),
            resources: [("Table".to_owned(), made)].into(),
            exports: [("out".to_owned(), "there".to_owned())].into(),
            ..Scope::default()
        }
    }

    #[test]
    fn functions() {
        for (template, expected) in [
            (json!({"Ref": "Stage"}), json!("prod")),
            (json!({"Ref": "Table"}), json!("the-table")),
            (json!({"Fn::GetAtt": ["Table", "Arn"]}), json!("arn:table")),
            (json!({"Fn::GetAtt": "Table.Endpoint.Port"}), json!("3306")),
            (
                json!({"Fn::Sub": "${AWS::Region}-${Table}-${Table.Arn}-${!x}"}),
                json!("eu-west-1-the-table-arn:table-${x}"),
            ),
            (json!({"Fn::Sub": ["${a}/${Stage}", {"a": {"Ref": "Table"}}]}), json!("the-table/prod")),
            (json!({"Fn::Join": ["-", ["a", 1, {"Ref": "Stage"}]]}), json!("a-1-prod")),
            (json!({"Fn::Select": ["1", {"Fn::Split": [",", "x,y"]}]}), json!("y")),
            (json!({"Fn::Select": [0, {"Fn::GetAZs": ""}]}), json!("eu-west-1a")),
            (json!({"Fn::If": ["Either", {"a": 1, "b": {"Ref": "AWS::NoValue"}}, 2]}), json!({"a": 1})),
            (json!([1, {"Fn::If": ["Not", 2, {"Ref": "AWS::NoValue"}]}, 3]), json!([1, 3])),
            (json!({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "n"]}), json!(3)),
            (json!({"Fn::ImportValue": "out"}), json!("there")),
            (json!({"Fn::Base64": "hi"}), json!("aGk=")),
            (json!({"Fn::Contains": [["a", "b"], "b"]}), json!(true)),
            (json!({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}), json!(["10.0.0.0/24", "10.0.1.0/24"])),
            (json!({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}), json!("{\"a\":\"prod\"}")),
            (json!({"Fn::Length": {"Ref": "List"}}), json!(2)),
        ] {
            assert_eq!(scope().evaluate(&template), Ok(expected), "{template}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_told() {
        for (template, words) in [
            (json!({"Ref": "Nobody"}), "Unresolved resource dependencies [Nobody]"),
            (json!({"Fn::GetAtt": ["Table", "Nothing"]}), "Requested attribute Nothing does not exist"),
            (json!({"Fn::ImportValue": "nothing"}), "No export named nothing found."),
            (json!({"Fn::Select": [5, ["a"]]}), "Fn::Select cannot select nonexistent value"),
            (json!({"Fn::Nonsense": 1}), "Fn::Nonsense is not a function"),
            (json!({"Fn::If": ["Nowhere", 1, 2]}), "Unresolved dependencies [Nowhere]"),
        ] {
            let error = scope().evaluate(&template).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_circle_of_conditions_is_refused_elsewhere_and_known_is_known() {
        let scope = scope();
        assert!(scope.is_known(&json!({"Fn::Sub": "${Table} ${AWS::Region}"})));
        assert!(!scope.is_known(&json!([{"Ref": "Other"}])));
        assert_eq!(scope.wanted(&json!({"Condition": "Not"})), Ok(false));
        assert_eq!(scope.wanted(&Value::Null), Ok(true));
    }
}
