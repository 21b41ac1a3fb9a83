//! Changes as lists of operations on paths: `replace /description`, `add /variables/name`, `remove /binaryMediaTypes/a~1b`.

use crate::fault::bad;
use crate::members::Members;
use serde_json::{Map, Value, json};
use servicekit::fields::{required, text};
use wire::ServiceError;

pub(super) struct Patch {
    op: String,
    /// As it was written, for refusals.
    whole: String,
    /// Its segments, unescaped.
    pub path: Vec<String>,
    pub value: Option<String>,
}

/// What may be changed of one kind of thing, by the name of its member.
pub(super) struct Rules {
    pub texts: &'static [&'static str],
    pub truths: &'static [&'static str],
    pub numbers: &'static [&'static str],
    /// Lists of texts, to which values are added by their own name or as a value.
    pub lists: &'static [&'static str],
    pub maps: &'static [&'static str],
    /// The same of truths.
    pub truth_maps: &'static [&'static str],
}

impl Rules {
    pub const NONE: Rules =
        Rules { texts: &[], truths: &[], numbers: &[], lists: &[], maps: &[], truth_maps: &[] };
}

pub(super) fn all(input: &Value) -> Vec<Patch> {
    let list = input.get("patchOperations").and_then(Value::as_array).into_iter().flatten();
    list.map(|one| Patch {
        op: required(one, "op").to_owned(),
        whole: required(one, "path").to_owned(),
        path: segments(required(one, "path")),
        value: text(one, "value").map(str::to_owned),
    })
    .collect()
}

/// `~1` stands for a slash, `~0` for a tilde.
fn segments(path: &str) -> Vec<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
}

impl Patch {
    pub fn removes(&self) -> bool {
        self.op == "remove"
    }

    pub fn replaces(&self) -> bool {
        self.op == "replace"
    }

    /// What may be changed, but not like this.
    pub fn unsupported(&self) -> ServiceError {
        let Patch { op, whole, .. } = self;
        bad(format!(
            "Invalid patch path  '{whole}' specified for op '{op}'. Please choose supported operations"
        ))
    }

    pub fn refused(&self, allowed: &[&str]) -> ServiceError {
        let allowed: Vec<String> = allowed.iter().map(|name| format!("/{name}")).collect();
        bad(format!(
            "Invalid patch path  '{}' specified for op '{}'. Must be one of: [{}]",
            self.whole,
            self.op,
            allowed.join(", ")
        ))
    }

    pub fn number(&self) -> Result<Value, ServiceError> {
        let text = self.value.as_deref().unwrap_or_default();
        let whole = text.parse::<i64>().map(Value::from);
        whole.or_else(|_| text.parse::<f64>().map(Value::from)).map_err(|_| self.wrong())
    }

    fn truth(&self) -> Result<Value, ServiceError> {
        match self.value.as_deref() {
            Some("true") => Ok(true.into()),
            Some("false") => Ok(false.into()),
            _ => Err(self.wrong()),
        }
    }

    fn wrong(&self) -> ServiceError {
        bad(format!(
            "Invalid value '{}' for path '{}'",
            self.value.as_deref().unwrap_or_default(),
            self.whole
        ))
    }
}

/// Applies operations to the members that rules allow; any other is refused.
pub(super) fn apply(told: &mut Members, patches: &[Patch], rules: &Rules) -> Result<(), ServiceError> {
    patches.iter().try_for_each(|patch| one(told, patch, rules))
}

/// Applies operations to things of which whole members are replaced and nothing else. A truth without a value is none.
pub(super) fn replace(
    told: &mut Members,
    patches: &[Patch],
    texts: &[&str],
    truths: &[&str],
) -> Result<(), ServiceError> {
    for patch in patches {
        if !patch.replaces() {
            return Err(patch.unsupported());
        }
        let name = match patch.path.as_slice() {
            [name] => name.as_str(),
            _ => "",
        };
        let value = match (texts.contains(&name), truths.contains(&name), &patch.value) {
            (true, _, value) => value.clone().unwrap_or_default().into(),
            (_, true, None) => false.into(),
            (_, true, Some(_)) => patch.truth()?,
            _ => return Err(patch.refused(&[texts, truths].concat())),
        };
        told.insert(name.to_owned(), value);
    }
    Ok(())
}

fn one(told: &mut Members, patch: &Patch, rules: &Rules) -> Result<(), ServiceError> {
    let refused = || {
        let all = [rules.texts, rules.truths, rules.numbers, rules.lists, rules.maps, rules.truth_maps];
        patch.refused(&all.concat())
    };
    if !["add", "replace", "remove"].contains(&patch.op.as_str()) {
        return Err(refused());
    }
    let path: Vec<&str> = patch.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        [name] if patch.removes() && (rules.texts.contains(name) || rules.maps.contains(name)) => {
            told.shift_remove(*name);
        }
        [name] if rules.texts.contains(name) && !patch.removes() => {
            told.insert((*name).to_owned(), patch.value.clone().unwrap_or_default().into());
        }
        [name] if rules.truths.contains(name) => drop(told.insert((*name).to_owned(), patch.truth()?)),
        [name] if rules.numbers.contains(name) => drop(told.insert((*name).to_owned(), patch.number()?)),
        [name] if rules.lists.contains(name) && !patch.removes() => {
            change_list(told, name, patch.value.as_deref().unwrap_or_default(), false);
        }
        [name, entry] if rules.lists.contains(name) => change_list(told, name, entry, patch.removes()),
        [name, entry] if rules.maps.contains(name) || rules.truth_maps.contains(name) => {
            let map = told.entry(*name).or_insert_with(|| json!({}));
            let map = map.as_object_mut().ok_or_else(refused)?;
            change_map(map, entry, patch, rules.truth_maps.contains(name))?;
        }
        _ => return Err(refused()),
    }
    Ok(())
}

fn change_list(told: &mut Members, name: &str, entry: &str, remove: bool) {
    if let Some(list) = told.entry(name).or_insert_with(|| json!([])).as_array_mut() {
        list.retain(|own| own != entry);
        if !remove {
            list.push(entry.into());
        }
    }
}

fn change_map(
    map: &mut Map<String, Value>,
    entry: &str,
    patch: &Patch,
    truths: bool,
) -> Result<(), ServiceError> {
    if patch.removes() {
        map.shift_remove(entry);
        return Ok(());
    }
    let value = match truths {
        true => patch.truth()?,
        false => patch.value.clone().unwrap_or_default().into(),
    };
    map.insert(entry.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Rules, all, apply};
    use serde_json::{Value, json};

    fn patched(told: Value, patches: Value) -> Result<Value, String> {
        let rules = Rules {
            texts: &["description"],
            truths: &["on"],
            numbers: &["size"],
            lists: &["types"],
            maps: &["variables"],
            truth_maps: &["parameters"],
        };
        let mut told = told.as_object().cloned().unwrap_or_default();
        let patches = all(&json!({ "patchOperations": patches }));
        apply(&mut told, &patches, &rules).map_err(|error| error.message.unwrap_or_default())?;
        Ok(Value::Object(told))
    }

    #[test]
    fn paths_name_members_entries_and_list_items() {
        for (told, op, path, value, expect) in [
            (json!({}), "replace", "/description", "d", json!({"description": "d"})),
            (json!({"description": "d"}), "remove", "/description", "", json!({})),
            (json!({"on": false}), "replace", "/on", "true", json!({"on": true})),
            (json!({}), "replace", "/size", "5", json!({"size": 5})),
            (json!({"types": ["a"]}), "add", "/types/image~1png", "", json!({"types": ["a", "image/png"]})),
            (json!({"types": ["a", "b~"]}), "remove", "/types/b~0", "", json!({"types": ["a"]})),
            (json!({}), "add", "/variables/k", "v", json!({"variables": {"k": "v"}})),
            (json!({"variables": {"k": "v"}}), "remove", "/variables/k", "", json!({"variables": {}})),
            (json!({}), "add", "/parameters/p", "true", json!({"parameters": {"p": true}})),
        ] {
            let patches = json!([{"op": op, "path": path, "value": value}]);
            assert_eq!(patched(told, patches), Ok(expect), "{op} {path}");
        }
    }

    #[test]
    fn other_paths_are_refused() {
        let refused = patched(json!({}), json!([{"op": "replace", "path": "/nothing", "value": "x"}]));
        assert_eq!(
            refused,
            Err("Invalid patch path  '/nothing' specified for op 'replace'. Must be one of: [/description, /on, /size, /types, /variables, /parameters]".to_owned())
        );
        for (op, path) in [("move", "/description"), ("remove", "/on"), ("replace", "/on"), ("add", "/size")]
        {
            assert!(
                patched(json!({}), json!([{"op": op, "path": path, "value": "x"}])).is_err(),
                "{op} {path}"
            );
        }
    }
}
