//! `cargo xtask codegen [--models DIR]`: AWS's service models → committed facts → static tables.
//! See `crates/api/models/README.md`.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Services in the order in which requests are matched against them.
const SERVICES: &[&str] = &[
    "dynamodb",
    "dynamodbstreams",
    "lambda",
    "logs",
    "iam",
    "sts",
    "sqs",
    "cloudformation",
    "sns",
    "secretsmanager",
    "ssm",
    "apigatewayv2",
    "apigateway",
    "kms",
    "rds",
    "rds-data",
    "s3",
    "ecr",
    "ec2",
];

type Error = Box<dyn std::error::Error>;

pub fn run(args: &[String]) -> Result<(), Error> {
    let mut models = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--models" => models = Some(PathBuf::from(args.next().ok_or("--models needs a directory")?)),
            other => return Err(format!("codegen: unknown argument {other}").into()),
        }
    }
    let api = api_dir();
    if let Some(models) = models {
        for service in SERVICES {
            let trimmed = trim(&public_model(&models, service)?, &operations(&api, service)?)?;
            std::fs::write(api.join(format!("models/{service}.json")), print_model(&trimmed))?;
        }
    }
    for (path, text) in tables(&api)? {
        if std::fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            std::fs::write(&path, text)?;
            println!("wrote {}", path.display());
        }
    }
    Ok(())
}

fn api_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/api")
}

fn read_json(path: &Path) -> Result<Value, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// The newest version of a service's public model.
fn public_model(models: &Path, service: &str) -> Result<Value, Error> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir(models.join(service))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    versions.sort();
    let newest = versions.pop().ok_or_else(|| format!("no versions of {service}"))?;
    let plain = newest.join("service-2.json");
    if plain.exists() {
        return read_json(&plain);
    }
    let unzipped = Command::new("gzip").arg("-dc").arg(newest.join("service-2.json.gz")).output()?;
    Ok(serde_json::from_slice(&unzipped.stdout)?)
}

/// The names in `<service>.operations`; none stands for all.
fn operations(api: &Path, service: &str) -> Result<Option<BTreeSet<String>>, Error> {
    let text = std::fs::read_to_string(api.join(format!("models/{service}.operations")))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let names: BTreeSet<String> = lines.map(str::to_string).collect();
    Ok((!names.contains("*")).then_some(names))
}

// ---- From the public model to the facts we keep.

fn trim(model: &Value, wanted: &Option<BTreeSet<String>>) -> Result<Value, Error> {
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
    ];
    let mut fact = Map::new();
    for key in KEPT {
        if let Some(value) = shape.get(*key) {
            fact.insert((*key).into(), value.clone());
        }
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
fn print_model(model: &Value) -> String {
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

// ---- From the facts to Rust.

/// Every generated file and its text.
pub fn tables(api: &Path) -> Result<Vec<(PathBuf, String)>, Error> {
    let mut files = Vec::new();
    let mut index = String::from(
        "//! Generated by `cargo xtask codegen`; see `models/README.md`.\n\nuse wire::Service;\n\n",
    );
    for service in SERVICES {
        let _ = writeln!(index, "pub mod {};", module(service));
    }
    let _ = writeln!(
        index,
        "\n/// In the order in which requests are matched.\npub static SERVICES: &[&Service] = &["
    );
    for service in SERVICES {
        let model = read_json(&api.join(format!("models/{service}.json")))?;
        let observed = read_json(&api.join(format!("models/{service}.observed.json")))?;
        let text = Table { service, model: &model, observed: &observed }.print()?;
        files.push((api.join(format!("src/tables/{}.rs", module(service))), text));
        let _ = writeln!(index, "    &{}::SERVICE,", module(service));
    }
    index.push_str("];\n");
    files.push((api.join("src/tables/mod.rs"), index));
    Ok(files)
}

/// A service's name as Rust can say it.
fn module(service: &str) -> String {
    service.replace('-', "_")
}

struct Table<'a> {
    service: &'a str,
    model: &'a Value,
    observed: &'a Value,
}

impl Table<'_> {
    fn print(&self) -> Result<String, Error> {
        let mut out = String::from(concat!(
            "//! Generated by `cargo xtask codegen`; see `models/README.md`.\n",
            "#![allow(non_upper_case_globals, reason = \"statics bear the model's names\")]\n\n",
            "use wire::build as b;\n",
            "#[allow(unused_imports, reason = \"not every service has each of them\")]\n",
            "use wire::shape::{ErrorShape, Location as L, Operation, Protocol, Refused, Service, Shape, TimeFormat as T};\n\n",
        ));
        self.print_service(&mut out)?;
        self.print_operations(&mut out);
        let shapes = self.model["shapes"].as_object().ok_or("no shapes")?;
        for (name, shape) in shapes {
            let _ = writeln!(out, "pub static {}: Shape = {};", ident(name), self.shape(name, shape)?);
        }
        Ok(out)
    }

    fn print_service(&self, out: &mut String) -> Result<(), Error> {
        let facts = &self.model["service"];
        let protocol = match (facts["protocol"].as_str(), facts["json_version"].as_str()) {
            (Some("json"), Some("1.0")) => "Json10",
            (Some("json"), _) => "Json11",
            (Some("query"), _) => "Query",
            (Some("ec2"), _) => "Ec2",
            (Some("rest-json"), _) => "RestJson",
            (Some("rest-xml"), _) => "RestXml",
            other => return Err(format!("{}: protocol {other:?} is not known yet", self.service).into()),
        };
        let version = facts["version"].as_str().ok_or("no version")?;
        let target_prefix = facts["target_prefix"].as_str().unwrap_or_default();
        let namespace = match self.observed["namespace"].as_str().or(facts["xml_namespace"].as_str()) {
            Some(namespace) => namespace.to_string(),
            None => String::new(),
        };
        let violation_code = self.observed["violation_code"].as_str().ok_or("no violation code")?;
        let _ = writeln!(
            out,
            "pub static SERVICE: Service = Service {{\n    name: {:?},\n    signing_name: {},\n    protocol: Protocol::{protocol},\n    \
             version: {version:?},\n    target_prefix: {target_prefix:?},\n    namespace: {namespace:?},\n    \
             violation_code: {violation_code:?},\n    operations: OPERATIONS,\n    refused: REFUSED,\n    errors: ERRORS,\n}};\n",
            self.service, facts["signing_name"],
        );
        Ok(())
    }

    fn print_operations(&self, out: &mut String) {
        let side = |operation: &Value, side: &str| match operation[side].as_str() {
            Some(shape) => format!("Some(&{})", ident(shape)),
            None => "None".to_string(),
        };
        let all = || self.model["operations"].as_object().into_iter().flatten();
        let _ = writeln!(out, "static OPERATIONS: &[Operation] = &[");
        for (name, operation) in all().filter(|(_, operation)| operation.get("status").is_some()) {
            let _ = writeln!(
                out,
                "    Operation {{ service: &SERVICE, name: {name:?}, method: {}, uri: {}, status: {}, input: {}, output: {} }},",
                operation["method"],
                operation["uri"],
                operation["status"],
                side(operation, "input"),
                side(operation, "output"),
            );
        }
        let _ = writeln!(out, "];\n\nstatic REFUSED: &[Refused] = &[");
        for (name, operation) in all().filter(|(_, operation)| operation.get("status").is_none()) {
            let (method, uri) = (&operation["method"], &operation["uri"]);
            let _ = writeln!(out, "    Refused {{ name: {name:?}, method: {method}, uri: {uri} }},");
        }
        let _ = writeln!(out, "];\n\nstatic ERRORS: &[ErrorShape] = &[");
        for (name, error) in self.model["errors"].as_object().into_iter().flatten() {
            let code = error["code"].as_str().unwrap_or(name);
            let (status, sender) = (&error["status"], &error["sender"]);
            let _ = writeln!(
                out,
                "    ErrorShape {{ name: {name:?}, code: {code:?}, status: {status}, sender: {sender} }},"
            );
        }
        let _ = writeln!(out, "];\n");
    }

    fn shape(&self, name: &str, shape: &Value) -> Result<String, Error> {
        let observed = &self.observed["shapes"][name];
        let fact = |key: &str| observed.get(key).or_else(|| shape.get(key)).filter(|fact| !fact.is_null());
        let length = || (bound(fact("min"), "0"), bound(fact("max"), "b::NONE"));
        let range = || (bound(fact("min"), "i64::MIN"), bound(fact("max"), "i64::MAX"));
        let target = |side: &str| ident(shape[side]["shape"].as_str().unwrap_or_default());
        let kind = shape["type"].as_str().ok_or_else(|| format!("{name} has no type"))?;
        Ok(match kind {
            "structure" if fact("document").is_some() => format!("b::document({name:?})"),
            "structure" => self.structure(name, shape, observed),
            "list" => {
                let (min, max) = length();
                let form = if shape["flattened"] == json!(true) { "flat_list" } else { "list" };
                let member_name = shape["member"]["locationName"].as_str().unwrap_or("member");
                format!("b::{form}({name:?}, &{}, {member_name:?}, {min}, {max})", target("member"))
            }
            "map" => {
                let (min, max) = length();
                let entry = |side: &str| shape[side]["locationName"].as_str().unwrap_or(side).to_string();
                format!(
                    "b::map({name:?}, &{}, &{}, ({:?}, {:?}), {}, ({min}, {max}))",
                    target("key"),
                    target("value"),
                    entry("key"),
                    entry("value"),
                    shape["flattened"] == json!(true),
                )
            }
            "string" => {
                let (min, max) = length();
                // What is observed comes first; null is a list that the service does not keep to.
                let values = self.observed["enums"].get(name).or_else(|| shape.get("enum"));
                if let Some(values) = values.filter(|values| !values.is_null()) {
                    let values: Vec<String> =
                        values.as_array().into_iter().flatten().map(Value::to_string).collect();
                    format!("b::one_of({name:?}, &[{}])", values.join(", "))
                } else if let Some(pattern) = fact("pattern").and_then(Value::as_str) {
                    format!("b::pattern({name:?}, {min}, {max}, {pattern:?}, {:?})", our_regex(pattern))
                } else {
                    format!("b::text({name:?}, {min}, {max})")
                }
            }
            "integer" | "long" | "float" | "double" => {
                let (min, max) = range();
                format!("b::{kind}({name:?}, {min}, {max})")
            }
            "boolean" => format!("b::boolean({name:?})"),
            "blob" => {
                let (min, max) = length();
                format!("b::blob({name:?}, {min}, {max})")
            }
            "timestamp" => format!("b::timestamp({name:?}, {})", time_format(shape)),
            other => return Err(format!("{name}: type {other} is not known").into()),
        })
    }

    fn structure(&self, name: &str, shape: &Value, observed: &Value) -> String {
        let required: BTreeSet<&str> = observed
            .get("required")
            .unwrap_or(&shape["required"])
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut members = String::new();
        for (member, target) in shape["members"].as_object().into_iter().flatten() {
            let form = if required.contains(member.as_str()) { "must" } else { "may" };
            let _ = write!(
                members,
                "b::{form}({member:?}, &{})",
                ident(target["shape"].as_str().unwrap_or_default())
            );
            let location = match target["location"].as_str() {
                Some("uri") => "Uri",
                Some("querystring") => "QueryString",
                Some("header") => "Header",
                Some("headers") => "Headers",
                Some("statusCode") => "StatusCode",
                _ => "Body",
            };
            let wire_name = target["locationName"].as_str().unwrap_or(member);
            if location != "Body" || wire_name != member {
                let _ = write!(members, ".at(L::{location}, {wire_name:?})");
            }
            if target.get("timestampFormat").is_some() {
                let _ = write!(members, ".timed({})", time_format(target));
            }
            members.push_str(", ");
        }
        let members = members.trim_end_matches(", ");
        match shape["payload"].as_str() {
            Some(payload) => format!("b::with_payload({name:?}, {payload:?}, &[{members}])"),
            None => format!("b::structure({name:?}, &[{members}])"),
        }
    }
}

fn bound(fact: Option<&Value>, absent: &str) -> String {
    match fact {
        // Fractional bounds of doubles are rare and round towards allowing more.
        Some(value) => value.as_i64().map_or_else(|| absent.to_string(), |value| value.to_string()),
        None => absent.to_string(),
    }
}

fn time_format(facts: &Value) -> &'static str {
    match facts["timestampFormat"].as_str() {
        Some("iso8601") => "T::Iso8601",
        Some("rfc822") => "T::Rfc822",
        Some("unixTimestamp") => "T::Epoch",
        _ => "T::Default",
    }
}

/// A shape's name as a Rust name.
fn ident(name: &str) -> String {
    match name {
        "SERVICE" | "OPERATIONS" | "REFUSED" | "ERRORS" | "Self" | "Some" | "None" | "Ok" | "Err" => {
            format!("{name}_")
        }
        name => name.to_string(),
    }
}

/// AWS's (Java) regular expression as our engine reads it. Look-around is dropped, which allows more; what still does not
/// compile is not enforced.
fn our_regex(pattern: &str) -> String {
    let mut text = without_lookaround(pattern);
    // Java's two spellings of the code points beyond the basic plane.
    for beyond in ["\\u10000-\\u10FFFF", "\\uD800\\uDC00-\\uDBFF\\uDFFF"] {
        text = text.replace(beyond, "\\x{10000}-\\x{10FFFF}");
    }
    text = text.replace("\\p{Print}", "[ -~]");
    while let Some(at) = text.find("\\u") {
        let Some(digits) = text.get(at + 2..at + 6) else { return String::new() };
        let scalar = format!("\\x{{{digits}}}");
        text.replace_range(at..at + 6, &scalar);
    }
    // Letters, spaces and digits of every script: the engine has no Unicode tables, so all beyond ASCII counts as letters.
    for (class, ranges) in [
        ("\\p{IsAlphabetic}", "a-zA-Z\\x{80}-\\x{10FFFF}"),
        ("\\p{L}", "a-zA-Z\\x{80}-\\x{10FFFF}"),
        ("\\p{Z}", " "),
        ("\\p{N}", "0-9"),
    ] {
        text = text.replace(class, ranges);
    }
    match regex_lite::Regex::new(&format!("^(?:{text})$")) {
        Ok(_) => text,
        Err(_) => String::new(),
    }
}

fn without_lookaround(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = ["(?!", "(?=", "(?<!", "(?<="].iter().filter_map(|open| rest.find(open)).min() {
        out.push_str(&rest[..at]);
        let mut depth = 0usize;
        let mut escaped = false;
        let end = rest[at..].char_indices().find_map(|(offset, c)| {
            match c {
                _ if escaped => {
                    escaped = false;
                    return None;
                }
                '\\' => escaped = true,
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            (depth == 0 && c == ')').then_some(at + offset + 1)
        });
        rest = end.map_or("", |end| &rest[end..]);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_tables_are_what_the_models_say() {
        for (path, text) in tables(&api_dir()).expect("models") {
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == text, "{} is stale: run `cargo xtask codegen`", path.display());
        }
    }

    #[test]
    fn reads_javas_expressions() {
        for (java, ours) in [
            ("[a-zA-Z0-9_.-]+", "[a-zA-Z0-9_.-]+"),
            ("[\\u0009\\u0020-\\u00FF]+", "[\\x{0009}\\x{0020}-\\x{00FF}]+"),
            ("(?!^[0-9]+$)([a-z]+)", "([a-z]+)"),
            ("a(b(?<!\\))c)", "a(bc)"),
            ("[\\p{L}\\p{Z}]*", "[a-zA-Z\\x{80}-\\x{10FFFF} ]*"),
            ("(", ""),
        ] {
            assert_eq!(our_regex(java), ours);
        }
    }
}
