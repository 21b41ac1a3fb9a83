//! `AWS::LanguageExtensions`: loops (`Fn::ForEach`), written out as what they stand for. Pure. The functions of this
//! transform are there in every template.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(super) const NAME: &str = "AWS::LanguageExtensions";

const LOOP: &str = "Fn::ForEach::";

/// The most members that loops make of one template.
const MEMBERS_MAX: usize = 5_000;

/// Values of parameters by their names, as they were given.
pub(crate) type Values = BTreeMap<String, String>;

/// Writes the loops of every section out.
pub(super) fn expand(tree: &mut Value, values: &Values) -> Result<(), String> {
    let defaults = tree.get("Parameters").and_then(Value::as_object).into_iter().flatten();
    let defaults =
        defaults.filter_map(|(name, own)| Some((name.clone(), super::evaluate::text(own.get("Default")?)?)));
    let mut all: Values = defaults.collect();
    all.extend(values.clone());
    let mut loops = Loops { values: &all, bound: Vec::new(), made: 0 };
    for section in ["Conditions", "Resources", "Outputs"] {
        if let Some(own) = tree.get_mut(section) {
            *own = loops.value(own).map_err(|words| format!("Transform {NAME} failed with: {words}"))?;
        }
    }
    Ok(())
}

struct Loops<'a> {
    values: &'a Values,
    /// The identifiers of the loops around, each with its item.
    bound: Vec<(String, String)>,
    made: usize,
}

impl Loops<'_> {
    fn value(&mut self, value: &Value) -> Result<Value, String> {
        match value {
            Value::String(text) => Ok(self.filled(text).into()),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                if let (1, Some(Value::String(name))) = (members.len(), members.get("Ref"))
                    && let Some(item) = self.item(name)
                {
                    return Ok(item.into());
                }
                let mut out = Map::new();
                self.members(members, &mut out)?;
                Ok(out.into())
            }
            plain => Ok(plain.clone()),
        }
    }

    fn members(&mut self, members: &Map<String, Value>, out: &mut Map<String, Value>) -> Result<(), String> {
        for (name, value) in members {
            if name.starts_with(LOOP) {
                self.each(name, value, out)?;
                continue;
            }
            self.made += 1;
            if self.made > MEMBERS_MAX {
                return Err(format!("loops make more than {MEMBERS_MAX} members"));
            }
            let value = self.value(value)?;
            out.insert(self.filled(name), value);
        }
        Ok(())
    }

    /// `[identifier, items, members]`: the members again for each item.
    fn each(&mut self, name: &str, value: &Value, out: &mut Map<String, Value>) -> Result<(), String> {
        let incorrect = || format!("{name} layout is incorrect");
        let parts = value.as_array().map(Vec::as_slice);
        let Some([Value::String(identifier), items, Value::Object(members)]) = parts else {
            return Err(incorrect());
        };
        if self.item(identifier).is_some() || self.values.contains_key(identifier) {
            return Err(format!("{name}: the identifier {identifier} is used elsewhere"));
        }
        for item in self.items(items).ok_or_else(incorrect)? {
            self.bound.push((identifier.clone(), item));
            let made = self.members(members, out);
            self.bound.pop();
            made?;
        }
        Ok(())
    }

    /// What a loop goes over: texts, and parameters that are lists.
    fn items(&self, items: &Value) -> Option<Vec<String>> {
        let list = |name: &str| -> Option<Vec<String>> {
            Some(self.values.get(name)?.split(',').map(|item| item.trim().to_owned()).collect())
        };
        match items {
            Value::Array(items) => {
                let mut all = Vec::new();
                for item in items {
                    match item.get("Ref").and_then(Value::as_str) {
                        Some(name) => {
                            all.extend(self.item(name).map(|item| vec![item]).or_else(|| list(name))?)
                        }
                        None => all.push(self.filled(&super::evaluate::text(item)?)),
                    }
                }
                Some(all)
            }
            other => list(other.get("Ref")?.as_str()?),
        }
    }

    fn item(&self, identifier: &str) -> Option<String> {
        self.bound.iter().find(|(name, _)| name == identifier).map(|(_, item)| item.clone())
    }

    /// A text with `${identifier}`, and with `&{identifier}`, which has letters and digits only.
    fn filled(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (name, item) in &self.bound {
            out = out.replace(&format!("${{{name}}}"), item);
            if out.contains("&{") {
                let plain: String = item.chars().filter(char::is_ascii_alphanumeric).collect();
                out = out.replace(&format!("&{{{name}}}"), &plain);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::expand;
    use serde_json::{Value, json};

    fn written_out(resources: Value) -> Result<Value, String> {
        let parameters = json!({"Names": {"Type": "CommaDelimitedList", "Default": "x"}});
        let mut tree = json!({"Parameters": parameters, "Resources": resources});
        expand(&mut tree, &[("Names".to_owned(), "a, b-1".to_owned())].into())?;
        Ok(tree["Resources"].clone())
    }

    #[test]
    fn loops_are_written_out() {
        for (template, expected) in [
            (
                json!({"Fn::ForEach::T": ["N", {"Ref": "Names"}, {"Topic&{N}": {"Name": {"Fn::Join": [".", [{"Ref": "N"}, "fifo"]]}}}], "Last": {}}),
                json!({
                    "Topica": {"Name": {"Fn::Join": [".", ["a", "fifo"]]}},
                    "Topicb1": {"Name": {"Fn::Join": [".", ["b-1", "fifo"]]}},
                    "Last": {},
                }),
            ),
            (
                json!({"Fn::ForEach::Outer": ["P", ["X", "Y"], {
                    "My${P}": {"V": {"Fn::Sub": "of ${P} ${AWS::Region}"}},
                    "Fn::ForEach::Inner": ["S", ["1"], {"My${P}${S}": {"V": {"Fn::GetAtt": ["My${P}", "Arn"]}}}],
                }]}),
                json!({
                    "MyX": {"V": {"Fn::Sub": "of X ${AWS::Region}"}},
                    "MyX1": {"V": {"Fn::GetAtt": ["MyX", "Arn"]}},
                    "MyY": {"V": {"Fn::Sub": "of Y ${AWS::Region}"}},
                    "MyY1": {"V": {"Fn::GetAtt": ["MyY", "Arn"]}},
                }),
            ),
            (
                json!({"A": {"Properties": {"Fn::ForEach::Each": ["K", ["p", {"Ref": "Names"}], {"k${K}": 1}]}}}),
                json!({"A": {"Properties": {"kp": 1, "ka": 1, "kb-1": 1}}}),
            ),
        ] {
            assert_eq!(written_out(template), Ok(expected));
        }
    }

    #[test]
    fn loops_that_cannot_be_read_or_do_not_end_are_refused() {
        let many: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        for (resources, words) in [
            (json!({"Fn::ForEach::T": ["N", {"Ref": "Nobody"}, {}]}), "Fn::ForEach::T layout is incorrect"),
            (json!({"Fn::ForEach::T": ["N", ["a"]]}), "Fn::ForEach::T layout is incorrect"),
            (
                json!({"Fn::ForEach::T": ["Names", ["a"], {}]}),
                "Fn::ForEach::T: the identifier Names is used elsewhere",
            ),
            (
                json!({"Fn::ForEach::A": ["A", many, {"Fn::ForEach::B": ["B", many, {"M${A}x${B}": {}}]}]}),
                "loops make more than 5000 members",
            ),
        ] {
            let told = format!("Transform AWS::LanguageExtensions failed with: {words}");
            assert_eq!(written_out(resources), Err(told));
        }
    }
}
