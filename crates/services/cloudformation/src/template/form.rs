//! What is wrong with a template's form, before its functions are looked at.

use super::Template;
use serde_json::Value;

/// The members a resource may have.
const RESOURCE_MEMBERS: &[&str] = &[
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Description",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

const SECTIONS: [&str; 6] = ["Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Rules"];

fn error(words: &str) -> Result<(), String> {
    Err(format!("Template format error: {words}"))
}

/// The template is an object of sections, and nothing in it is null.
pub(super) fn check_sections(tree: &Value) -> Result<(), String> {
    if !tree.is_object() {
        return error("unsupported structure.");
    }
    for section in SECTIONS {
        let Some(members) = tree.get(section) else { continue };
        if !members.is_object() {
            return error(&format!("[/{section}] must be an object"));
        }
        if section != "Rules" {
            refuse_null(members, &mut format!("/{section}"))?;
        }
    }
    Ok(())
}

fn refuse_null(value: &Value, path: &mut String) -> Result<(), String> {
    let mut within = |name: &str, value: &Value| {
        let length = path.len();
        path.push('/');
        path.push_str(name);
        let found = refuse_null(value, path);
        path.truncate(length);
        found
    };
    match value {
        Value::Null => return Err(format!("[{path}] 'null' values are not allowed in templates")),
        Value::Object(members) => members.iter().try_for_each(|(name, value)| within(name, value))?,
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(at, value)| within(&at.to_string(), value))?;
        }
        _ => {}
    }
    Ok(())
}

pub(super) fn check_members(template: &Template) -> Result<(), String> {
    if template.resources().is_empty() {
        return error("At least one Resources member must be defined.");
    }
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    for (name, parameter) in template.section("Parameters") {
        if !plain(name) {
            return error(&format!("Parameter name {name} is non alphanumeric."));
        }
        if !parameter.get("Type").is_some_and(Value::is_string) {
            return error(&format!("Every Parameters object must contain a Type member. ({name})"));
        }
    }
    for (name, resource) in template.resources() {
        if !plain(name) {
            return error(&format!("Resource name {name} is non alphanumeric."));
        }
        let Some(members) = resource.as_object() else {
            return error("Any Resources member must be an object.");
        };
        if !resource.get("Type").is_some_and(Value::is_string) {
            return error(&format!("[/Resources/{name}] Every Resources object must contain a Type member."));
        }
        if let Some(other) = members.keys().find(|name| !RESOURCE_MEMBERS.contains(&name.as_str())) {
            return Err(format!("Invalid template resource property '{other}'"));
        }
    }
    for (name, map) in template.section("Mappings") {
        let Some(map) = map.as_object() else {
            return error(&format!("Every Mappings member {name} must be a map"));
        };
        for (name, row) in map {
            let Some(row) = row.as_object() else {
                return error(&format!("Every Mappings member {name} must be a map"));
            };
            if row.values().any(Value::is_object) {
                return error("Every Mappings attribute must be a String or a List.");
            }
        }
    }
    if template.section("Outputs").values().any(|output| output.get("Value").is_none()) {
        return error("Every Outputs member must contain a Value object");
    }
    Ok(())
}
