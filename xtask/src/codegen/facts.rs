//! From a public model to the facts that are kept of it.

use super::Error;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

pub fn trim(model: &Value, wanted: &Option<BTreeSet<String>>) -> Result<Value, Error> {
    let mut kept = Map::new();
    let mut pending: Vec<String> = Vec::new();
    let mut shapes = Map::new();
    let named = model["operations"].as_object().ok_or("no operations")?;
    for name in wanted.iter().flatten() {
        if !named.contains_key(name) {
            return Err(format!("the model has no operation {name}").into());
        }
    }
    for (name, operation) in named {
        let mut fact = Map::new();
        fact.insert("method".into(), operation["http"]["method"].clone());
        fact.insert("uri".into(), operation["http"]["requestUri"].clone());
        if wanted.as_ref().is_none_or(|wanted| wanted.contains(name)) {
            fact.insert(
                "status".into(),
                operation["http"].get("responseCode").cloned().unwrap_or(json!(200)),
            );
            for side in ["input", "output"] {
                if let Some(shape) = operation[side]["shape"].as_str() {
                    fact.insert(side.into(), json!(shape));
                    pending.push(shape.to_string());
                }
            }
        }
        kept.insert(name.clone(), Value::Object(fact));
    }
    let all = model["shapes"].as_object().ok_or("no shapes")?;
    let mut errors = Map::new();
    for (name, shape) in all.iter().filter(|(_, shape)| shape["exception"] == json!(true)) {
        let fault = shape["fault"] == json!(true);
        let status = shape["error"]["httpStatusCode"].as_u64().unwrap_or(if fault { 500 } else { 400 });
        let mut fact = json!({"status": status, "sender": !fault && status < 500});
        if let Some(code) = shape["error"]["code"].as_str().filter(|code| code != name) {
            fact["code"] = json!(code);
        }
        errors.insert(name.clone(), fact);
    }
    while let Some(name) = pending.pop() {
        if shapes.contains_key(&name) {
            continue;
        }
        let shape = all.get(&name).ok_or_else(|| format!("no shape {name}"))?;
        pending.extend(references(shape));
        shapes.insert(name, shape_facts(shape));
    }
    shapes.sort_keys();
    kept.sort_keys();
    errors.sort_keys();
    let metadata = &model["metadata"];
    Ok(json!({
        "service": {
            "protocol": metadata["protocol"],
            "json_version": metadata["jsonVersion"],
            "version": metadata["apiVersion"],
            "signing_name": metadata.get("signingName").unwrap_or(&metadata["endpointPrefix"]),
            "target_prefix": metadata["targetPrefix"],
            "xml_namespace": metadata["xmlNamespace"],
        },
        "operations": kept,
        "errors": errors,
        "shapes": shapes,
    }))
}

fn references(shape: &Value) -> Vec<String> {
    let members = shape["members"].as_object().into_iter().flat_map(|members| members.values());
    let single = ["member", "key", "value"].into_iter().map(|side| &shape[side]);
    members.chain(single).filter_map(|target| Some(target["shape"].as_str()?.to_string())).collect()
}

fn shape_facts(shape: &Value) -> Value {
    const KEPT: &[&str] = &[
        "type",
        "required",
        "payload",
        "min",
        "max",
        "pattern",
        "enum",
        "flattened",
        "timestampFormat",
        "document",
        "streaming",
        "eventstream",
        "sensitive",
    ];
    let mut fact = Map::new();
    for key in KEPT {
        if let Some(value) = shape.get(*key) {
            fact.insert((*key).into(), value.clone());
        }
    }
    // Of other shapes those who refer to them have the name.
    if let Some(name) = shape.get("locationName").filter(|_| shape["flattened"] == true) {
        fact.insert("locationName".into(), name.clone());
    }
    for side in ["member", "key", "value"] {
        if let Some(target) = shape.get(side) {
            fact.insert(side.into(), reference_facts(target));
        }
    }
    if let Some(members) = shape["members"].as_object() {
        let members = members.iter().map(|(name, member)| (name.clone(), reference_facts(member)));
        fact.insert("members".into(), Value::Object(members.collect()));
    }
    Value::Object(fact)
}

fn reference_facts(target: &Value) -> Value {
    let mut fact = Map::new();
    for key in ["shape", "location", "locationName", "queryName", "timestampFormat", "flattened"] {
        if let Some(value) = target.get(key) {
            fact.insert(key.into(), value.clone());
        }
    }
    Value::Object(fact)
}

/// One line for each operation, error and shape, so that a change reads as one.
pub fn print(model: &Value) -> String {
    let mut out = String::from("{\n");
    let _ = writeln!(out, "\"service\": {},", model["service"]);
    for section in ["operations", "errors", "shapes"] {
        let _ = writeln!(out, "\"{section}\": {{");
        let entries = model[section].as_object().map(Map::len).unwrap_or_default();
        for (at, (name, fact)) in model[section].as_object().into_iter().flatten().enumerate() {
            let comma = if at + 1 < entries { "," } else { "" };
            let _ = writeln!(out, "{}: {fact}{comma}", json!(name));
        }
        out.push_str(if section == "shapes" { "}\n" } else { "},\n" });
    }
    out.push_str("}\n");
    out
}
