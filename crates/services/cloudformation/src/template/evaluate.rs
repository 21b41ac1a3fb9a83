//! The functions of templates, evaluated over what is known so far. Pure: values from elsewhere are looked up before.

use super::blocks::cidr;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Stands for `AWS::NoValue`: whatever has it is left out.
const NO_VALUE: &str = "\u{0}AWS::NoValue";

/// Stands for what is known once a resource is made, in the service's own word for it.
const LATER: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// A name that a value asked for: of a parameter or a resource, or of an attribute of a resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mention {
    pub name: String,
    pub attribute: Option<String>,
}

/// What a scope does not know yet.
#[derive(Debug, Default)]
pub(crate) struct Foresight {
    /// Resources that will be there: what is asked of them is known later.
    pub later: BTreeSet<String>,
    /// Names that were asked for and will not be there.
    pub missing: Mutex<BTreeSet<String>>,
    /// What was asked for since it was last taken.
    pub mentions: Mutex<Vec<Mention>>,
}

/// What a made resource answers to: its own name, and its attributes.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Made {
    pub id: String,
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
}

impl Made {
    /// With its plain properties, which it answers to as well; not with those that are secrets.
    pub fn answering(&self, properties: &Value) -> Made {
        let own = properties.as_object().into_iter().flatten();
        let told = own.filter(|(name, value)| {
            let plain = !value.is_object() && !value.is_array();
            plain && !name.contains("Password") && !name.contains("Secret")
        });
        let mut attributes: BTreeMap<_, _> =
            told.map(|(name, value)| (name.clone(), value.clone())).collect();
        attributes.extend(self.attributes.clone());
        Made { id: self.id.clone(), attributes }
    }
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
    /// Of a scope that is asked before anything is made.
    pub foresight: Option<Foresight>,
}

const SELECT: &str = "Fn::Select requires a list argument with two elements: an integer index and a list";
const SPLIT: &str = "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.";

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

    /// What becomes of a resource that goes: a policy may have functions of parameters and conditions.
    pub fn policy(&self, resource: &Value, name: &str) -> Option<String> {
        self.evaluate(resource.get(name)?).ok().as_ref().and_then(text)
    }

    /// What a value comes to, or None for no value, with all that it asked for.
    pub fn foresee(&self, value: &Value) -> Result<(Option<Value>, Vec<Mention>), String> {
        let taken = || self.foresight.as_ref().map(|own| std::mem::take(&mut *locked(&own.mentions)));
        taken();
        let value = self.evaluate(value)?;
        Ok((Some(value).filter(is_value), taken().unwrap_or_default()))
    }

    fn mention(&self, name: &str, attribute: Option<&str>) {
        if let Some(own) = &self.foresight {
            let mention = Mention { name: name.to_owned(), attribute: attribute.map(str::to_owned) };
            locked(&own.mentions).push(mention);
        }
    }

    /// What stands for a resource that is not made yet, if this scope is asked before.
    fn later(&self, name: &str) -> Option<Value> {
        let own = self.foresight.as_ref()?;
        if !own.later.contains(name) {
            locked(&own.missing).insert(name.to_owned());
        }
        Some(LATER.into())
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
                    let name = condition.as_str().unwrap_or_default();
                    if !self.conditions.contains_key(name) {
                        return invalid(&format!("unresolved condition dependency {name} in Fn::If"));
                    }
                    let holds = self.condition(name)?;
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
                let known = self.plain(name, &argument);
                let joins = matches!(name, "Fn::Join" | "Fn::ToJsonString") && known.is_ok();
                match !joins && self.foresight.is_some() && is_later(&argument) {
                    true => Ok(LATER.into()),
                    false => known,
                }
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
                    None => invalid(SELECT),
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
                locked(&self.imported).insert(export.clone());
                let value = self.exports.get(&export).map(|value| value.as_str().into());
                // The service looks for exports when it makes what needs them.
                value
                    .or_else(|| self.foresight.as_ref().map(|_| LATER.into()))
                    .ok_or_else(|| format!("No export named {export} found."))
            }
            ("Fn::Length", Some(items)) => Ok(items.len().into()),
            ("Fn::ToJsonString", _) => Ok(argument.to_string().into()),
            ("Fn::Cidr", Some([Value::String(block), count, rest @ ..])) => cidr(block, count, rest.first()),
            ("Fn::Transform", _) => invalid("Fn::Transform is not supported here"),
            ("Fn::Select", _) => invalid(SELECT),
            ("Fn::Equals", _) => invalid("every Fn::Equals object requires a list of 2 string parameters."),
            ("Fn::Split", _) => invalid(SPLIT),
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
        if pseudo.is_none() {
            self.mention(name, None);
        }
        let later = || self.later(name);
        pseudo.or_else(parameter).or_else(resource).or_else(later).ok_or_else(|| {
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
        self.mention(&resource, Some(&attribute));
        let Some(made) = self.resources.get(&resource) else {
            return self.later(&resource).ok_or_else(|| {
                format!("Template error: instance of Fn::GetAtt references undefined resource {resource}")
            });
        };
        let foreseen = self.foresight.as_ref().map(|_| LATER.into());
        made.attributes.get(&attribute).cloned().or(foreseen).ok_or_else(|| {
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

/// Whether some of a value is known later only.
pub(crate) fn is_later(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(LATER),
        Value::Array(items) => items.iter().any(is_later),
        Value::Object(members) => members.values().any(is_later),
        _ => false,
    }
}

fn locked<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests;
