//! JSON schemas (draft 4), as models have them: what in a document does not fit, in the words of AWS's validator.

use regex_lite::Regex;
use serde_json::{Map, Value};
use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};

/// How deep documents and references are followed.
const DEPTH_MAX: usize = 64;
/// How many schemas are looked at for one document: alternatives that lead back to themselves double with each level.
const STEPS_MAX: u32 = 1_000_000;

/// Schemas of an API by their models' names.
pub(super) type Schemas = BTreeMap<String, Value>;

/// What of a document does not fit a model's schema; nothing when it fits.
pub(super) fn faults(schemas: &Schemas, model: &str, document: &Value) -> Vec<String> {
    let Some(root) = schemas.get(model) else { return vec![format!("there is no model {model}")] };
    let steps = Cell::new(STEPS_MAX);
    Judge { schemas, root, depth: 0, steps: &steps }.faults(root, document)
}

/// What is wrong with a schema itself.
pub(super) fn check(schema: &Value, depth: usize) -> Result<(), String> {
    let unusable = "Invalid model schema specified".to_owned();
    let Some(members) = schema.as_object().filter(|_| depth < DEPTH_MAX) else { return Err(unusable) };
    for (name, value) in members {
        match name.as_str() {
            "properties" | "patternProperties" | "definitions" => {
                for (name, each) in value.as_object().ok_or_else(|| unusable.clone())? {
                    if members.contains_key("patternProperties") && value == &members["patternProperties"] {
                        pattern(name)?;
                    }
                    check(each, depth + 1)?;
                }
            }
            "allOf" | "anyOf" | "oneOf" => {
                let all = value.as_array().filter(|all| !all.is_empty()).ok_or_else(|| unusable.clone())?;
                all.iter().try_for_each(|each| check(each, depth + 1))?;
            }
            "items" if value.is_array() => {
                value.as_array().into_iter().flatten().try_for_each(|each| check(each, depth + 1))?;
            }
            "items" | "not" => check(value, depth + 1)?,
            "additionalProperties" | "additionalItems" if !value.is_boolean() => check(value, depth + 1)?,
            "pattern" => drop(pattern(value.as_str().ok_or_else(|| unusable.clone())?)?),
            "required" if !value.is_array() => return Err(unusable),
            "type" if !value.is_string() && !value.is_array() => return Err(unusable),
            _ => {}
        }
    }
    Ok(())
}

fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|_| format!("The pattern {text} is not supported"))
}

struct Judge<'a> {
    schemas: &'a Schemas,
    /// What references beginning with `#` look into.
    root: &'a Value,
    depth: usize,
    /// How many more schemas may be looked at.
    steps: &'a Cell<u32>,
}

impl<'a> Judge<'a> {
    fn deeper(&self) -> Judge<'a> {
        Judge { depth: self.depth + 1, ..*self }
    }

    fn fits(&self, schema: &'a Value, value: &Value) -> bool {
        self.deeper().faults(schema, value).is_empty()
    }

    fn faults(&self, schema: &'a Value, value: &Value) -> Vec<String> {
        let Some(members) = schema.as_object() else { return Vec::new() };
        let Some(left) = self.steps.get().checked_sub(1).filter(|_| self.depth <= DEPTH_MAX) else {
            return vec!["the document or its schema is too deep".to_owned()];
        };
        self.steps.set(left);
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            return self.referred(reference, value);
        }
        let mut found = Vec::new();
        found.extend(of_kind(members, value));
        found.extend(of_choice(members, value));
        match value {
            Value::Number(_) => of_number(members, value, &mut found),
            Value::String(text) => of_text(members, text, &mut found),
            Value::Array(items) => self.of_list(members, items, &mut found),
            Value::Object(own) => self.of_object(members, own, &mut found),
            _ => {}
        }
        self.of_several(members, value, &mut found);
        found
    }

    /// `#/definitions/a`, or another model by its URL.
    fn referred(&self, reference: &str, value: &Value) -> Vec<String> {
        let lost = || vec![format!("the reference {reference} leads nowhere")];
        if let Some(pointer) = reference.strip_prefix('#') {
            return self
                .root
                .pointer(pointer)
                .map_or_else(lost, |schema| self.deeper().faults(schema, value));
        }
        let Some((_, name)) = reference.split_once("/models/") else { return lost() };
        let (name, pointer) = name.split_once('#').unwrap_or((name, ""));
        let Some(root) = self.schemas.get(name) else { return lost() };
        let judge = Judge { root, ..self.deeper() };
        root.pointer(pointer).map_or_else(lost, |schema| judge.faults(schema, value))
    }

    fn of_list(&self, members: &'a Map<String, Value>, items: &[Value], found: &mut Vec<String>) {
        let count = items.len() as u64;
        if let Some(least) = number(members, "minItems").filter(|least| count < *least) {
            found.push(format!(
                "array is too short: must have at least {least} elements but instance has {count} elements"
            ));
        }
        if let Some(most) = number(members, "maxItems").filter(|most| count > *most) {
            found.push(format!(
                "array is too long: must have at most {most} elements but instance has {count} elements"
            ));
        }
        let unique = members.get("uniqueItems") == Some(&Value::Bool(true));
        let mut seen = HashSet::new();
        if unique && !items.iter().all(|one| seen.insert(one)) {
            found.push("array must not contain duplicate elements".to_owned());
        }
        let (each, first) = match members.get("items") {
            Some(Value::Array(first)) => (members.get("additionalItems"), first.as_slice()),
            each => (each, [].as_slice()),
        };
        for (at, item) in items.iter().enumerate() {
            match first.get(at).or(each) {
                Some(Value::Bool(false)) => {
                    let allowed = first.len();
                    found.push(format!("array is too long: must have at most {allowed} elements but instance has {count} elements"));
                    break;
                }
                Some(schema) => found.extend(self.deeper().faults(schema, item)),
                None => {}
            }
        }
    }

    fn of_object(&self, members: &'a Map<String, Value>, own: &Map<String, Value>, found: &mut Vec<String>) {
        let required = members.get("required").and_then(Value::as_array).into_iter().flatten();
        let missing = required.filter_map(Value::as_str).filter(|name| !own.contains_key(*name));
        let missing: Vec<&str> = missing.collect();
        if !missing.is_empty() {
            found.push(format!("object has missing required properties ({})", listed(missing)));
        }
        let count = own.len() as u64;
        if let Some(least) = number(members, "minProperties").filter(|least| count < *least) {
            found.push(format!(
                "object has too few properties (found {count} but schema requires at least {least})"
            ));
        }
        if let Some(most) = number(members, "maxProperties").filter(|most| count > *most) {
            found.push(format!(
                "object has too many properties (found {count} but schema requires at most {most})"
            ));
        }
        let properties = members.get("properties").and_then(Value::as_object);
        let patterns: Vec<(Regex, &Value)> = {
            let all = members.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
            all.filter_map(|(text, schema)| Some((Regex::new(text).ok()?, schema))).collect()
        };
        let mut strangers = Vec::new();
        for (name, value) in own {
            let declared = properties.and_then(|all| all.get(name)).into_iter();
            let fitting =
                patterns.iter().filter(|(regex, _)| regex.is_match(name)).map(|(_, schema)| *schema);
            let schemas: Vec<&Value> = declared.chain(fitting).collect();
            match members.get("additionalProperties").filter(|_| schemas.is_empty()) {
                Some(Value::Bool(false)) => strangers.push(name.as_str()),
                Some(schema) => found.extend(self.deeper().faults(schema, value)),
                None => {}
            }
            schemas.into_iter().for_each(|schema| found.extend(self.deeper().faults(schema, value)));
        }
        if !strangers.is_empty() {
            let names = listed(strangers);
            found
                .push(format!("object instance has properties which are not allowed by the schema: {names}"));
        }
        for (name, needs) in members.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
            if !own.contains_key(name) {
                continue;
            }
            match needs.as_array() {
                Some(names) if names.iter().filter_map(Value::as_str).all(|name| own.contains_key(name)) => {}
                Some(_) => found.push(format!("property {name} of object has missing property dependencies")),
                None => found.extend(self.deeper().faults(needs, &Value::Object(own.clone()))),
            }
        }
    }

    /// `allOf`, `anyOf`, `oneOf`, `not`.
    fn of_several(&self, members: &'a Map<String, Value>, value: &Value, found: &mut Vec<String>) {
        let fitting = |name: &str| {
            let all = members.get(name)?.as_array()?;
            Some((all.iter().filter(|schema| self.fits(schema, value)).count(), all.len()))
        };
        if let Some((fit, all)) = fitting("allOf").filter(|(fit, all)| fit < all) {
            found.push(format!(
                "instance failed to match all required schemas (matched only {fit} out of {all})"
            ));
        }
        if let Some((_, all)) = fitting("anyOf").filter(|(fit, _)| *fit == 0) {
            found.push(format!("instance failed to match at least one required schema among {all}"));
        }
        if let Some((fit, all)) = fitting("oneOf").filter(|(fit, _)| *fit != 1) {
            found.push(format!("instance failed to match exactly one schema (matched {fit} out of {all})"));
        }
        if members.get("not").is_some_and(|schema| self.fits(schema, value)) {
            found.push("instance matched a schema which it should not have".to_owned());
        }
    }
}

fn of_kind(members: &Map<String, Value>, value: &Value) -> Option<String> {
    let mut allowed: Vec<&str> = match members.get("type")? {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => vec![kind.as_str()?],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = allowed.contains(&kind) || kind == "integer" && allowed.contains(&"number");
    if allowed.contains(&"number") && !allowed.contains(&"integer") {
        allowed.push("integer");
    }
    allowed.sort_unstable();
    let names = listed(allowed);
    (!fits).then(|| {
        format!("instance type ({kind}) does not match any allowed primitive type (allowed: {names})")
    })
}

fn of_choice(members: &Map<String, Value>, value: &Value) -> Option<String> {
    let choice = members.get("enum")?.as_array()?;
    let told: Vec<String> = choice.iter().map(Value::to_string).collect();
    let known = choice.contains(value);
    (!known).then(|| {
        format!("instance value ({value}) not found in enum (possible values: [{}])", told.join(","))
    })
}

fn of_number(members: &Map<String, Value>, value: &Value, found: &mut Vec<String>) {
    let own = value.as_f64().unwrap_or_default();
    let strictly = |name: &str| members.get(name) == Some(&Value::Bool(true));
    if let Some(bound) =
        members.get("minimum").filter(|bound| bound.as_f64().is_some_and(|bound| own < bound))
    {
        found.push(format!(
            "numeric instance is lower than the required minimum (minimum: {bound}, found: {value})"
        ));
    }
    if let Some(bound) =
        members.get("maximum").filter(|bound| bound.as_f64().is_some_and(|bound| own > bound))
    {
        found.push(format!(
            "numeric instance is greater than the required maximum (maximum: {bound}, found: {value})"
        ));
    }
    let equals = |name: &str| members.get(name).and_then(Value::as_f64) == Some(own);
    if strictly("exclusiveMinimum") && equals("minimum") {
        found.push(format!("numeric instance is not strictly greater than the required minimum {value}"));
    }
    if strictly("exclusiveMaximum") && equals("maximum") {
        found.push(format!("numeric instance is not strictly lower than the required maximum {value}"));
    }
    let step = members.get("multipleOf").and_then(Value::as_f64).filter(|step| *step > 0.0);
    if let Some(step) = step.filter(|step| (own / step - (own / step).round()).abs() > 1e-9) {
        found.push(format!("remainder of division is not zero ({value} / {step})"));
    }
}

fn of_text(members: &Map<String, Value>, text: &str, found: &mut Vec<String>) {
    let length = text.chars().count() as u64;
    let quoted = Value::from(text);
    if let Some(least) = number(members, "minLength").filter(|least| length < *least) {
        found.push(format!("string {quoted} is too short (length: {length}, required minimum: {least})"));
    }
    if let Some(most) = number(members, "maxLength").filter(|most| length > *most) {
        found.push(format!("string {quoted} is too long (length: {length}, maximum allowed: {most})"));
    }
    if let Some(own) = members.get("pattern").and_then(Value::as_str)
        && !Regex::new(own).is_ok_and(|regex| regex.is_match(text))
    {
        found.push(format!("ECMA 262 regex {} does not match input string {quoted}", Value::from(own)));
    }
}

fn number(members: &Map<String, Value>, name: &str) -> Option<u64> {
    members.get(name)?.as_u64()
}

/// `["a","b"]`
fn listed(mut names: Vec<&str>) -> String {
    names.sort_unstable();
    let quoted: Vec<String> = names.into_iter().map(|name| Value::from(name).to_string()).collect();
    format!("[{}]", quoted.join(","))
}

#[cfg(test)]
mod tests;
