//! What stands on what: the references among a template's resources, and the order they are made in.

use super::Template;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The names that a value refers to: of resources and parameters, without pseudo parameters.
pub(crate) fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(members) => {
            if let (1, Some((function, argument))) = (members.len(), members.iter().next()) {
                match (function.as_str(), argument) {
                    ("Ref", Value::String(name)) => {
                        note(name, found);
                        return;
                    }
                    ("Fn::GetAtt", argument) => {
                        let resource = match argument {
                            Value::String(path) => path.split('.').next(),
                            Value::Array(path) => path.first().and_then(Value::as_str),
                            _ => None,
                        };
                        resource.into_iter().for_each(|name| note(name, found));
                        return;
                    }
                    ("Fn::Sub", Value::String(text)) => {
                        substitutions(text).for_each(|name| note(root(name), found));
                        return;
                    }
                    ("Fn::Sub", Value::Array(parts)) => {
                        let own = parts.get(1).and_then(Value::as_object);
                        let text = parts.first().and_then(Value::as_str).unwrap_or_default();
                        for name in substitutions(text) {
                            if !own.is_some_and(|own| own.contains_key(name)) {
                                note(root(name), found);
                            }
                        }
                        own.into_iter().flatten().for_each(|(_, value)| references(value, found));
                        return;
                    }
                    _ => {}
                }
            }
            members.values().for_each(|value| references(value, found));
        }
        _ => {}
    }
}

fn root(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

fn note(name: &str, found: &mut BTreeSet<String>) {
    if !name.starts_with("AWS::") {
        found.insert(name.to_owned());
    }
}

/// The names between `${` and `}`, without those that stand for themselves (`${!name}`).
pub(crate) fn substitutions(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| {
        let name = rest.split_once('}')?.0;
        (!name.starts_with('!')).then(|| name.trim())
    })
}

/// Which other resources each one needs first.
pub(crate) fn dependencies(template: &Template) -> BTreeMap<String, BTreeSet<String>> {
    let resources = template.resources();
    let of = |resource: &Value| {
        let mut found = BTreeSet::new();
        if let Some(properties) = resource.get("Properties") {
            references(properties, &mut found);
        }
        match resource.get("DependsOn") {
            Some(Value::String(name)) => note(name, &mut found),
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).for_each(|name| note(name, &mut found));
            }
            _ => {}
        }
        found
    };
    let own = |(name, resource): (&String, &Value)| {
        let needed = of(resource).into_iter().filter(|other| resources.contains_key(other));
        (name.clone(), needed.collect())
    };
    resources.iter().map(own).collect()
}

/// The resources in an order in which each comes after what it needs, otherwise as the template has them.
pub(crate) fn order(template: &Template) -> Result<Vec<String>, String> {
    let needs = dependencies(template);
    let mut waiting: Vec<&String> = template.resources().keys().collect();
    let (mut order, mut made) = (Vec::new(), BTreeSet::new());
    while !waiting.is_empty() {
        let (ready, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|name| needs[*name].is_subset(&made));
        if ready.is_empty() {
            let mut names: Vec<_> = rest.into_iter().map(String::as_str).collect();
            names.sort_unstable();
            return Err(format!("Circular dependency between resources: [{}]", names.join(", ")));
        }
        made.extend(ready.iter().map(|name| (*name).clone()));
        order.extend(ready.into_iter().cloned());
        waiting = rest;
    }
    Ok(order)
}

/// Refuses references to what the template does not have, and circles.
pub(crate) fn check(template: &Template) -> Result<(), String> {
    let known = |name: &String| {
        template.resources().contains_key(name) || template.section("Parameters").contains_key(name)
    };
    for (section, block) in [("Resources", "Resources"), ("Outputs", "Outputs")] {
        let mut found = BTreeSet::new();
        for (_, member) in template.section(section) {
            for part in ["Properties", "Value", "Export"] {
                member.get(part).into_iter().for_each(|value| references(value, &mut found));
            }
        }
        let missing: Vec<_> = found.iter().filter(|name| !known(name)).map(String::as_str).collect();
        if !missing.is_empty() {
            return Err(format!(
                "Template format error: Unresolved resource dependencies [{}] in the {block} block of the template",
                missing.join(", ")
            ));
        }
    }
    check_conditions(template)?;
    order(template).map(|_| ())
}

/// Conditions may use one another, but not in a circle: they are evaluated by descending into them.
fn check_conditions(template: &Template) -> Result<(), String> {
    fn uses(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| uses(item, found)),
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), value) {
                        ("Condition", Value::String(name)) => drop(found.insert(name.clone())),
                        ("Fn::If", Value::Array(parts)) => {
                            parts.first().and_then(Value::as_str).map(|name| found.insert(name.to_owned()));
                            uses(value, found);
                        }
                        _ => uses(value, found),
                    }
                }
            }
            _ => {}
        }
    }
    let mut waiting: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
    for (name, condition) in template.section("Conditions") {
        let mut found = BTreeSet::new();
        uses(condition, &mut found);
        waiting.insert(name, found);
    }
    while let Some(ready) = waiting
        .iter()
        .find(|(_, needs)| !needs.iter().any(|need| waiting.contains_key(need)))
        .map(|(name, _)| *name)
    {
        waiting.remove(ready);
    }
    match waiting.keys().next() {
        None => Ok(()),
        Some(name) => Err(format!("Template validation error: Circular dependency in condition {name}")),
    }
}
