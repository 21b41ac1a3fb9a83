//! Mapped parameters: what a request for what is behind takes from the client's.

use super::fault::constant;
use super::serve::Run;
use super::template::at_path;
use serde_json::Value;

/// The places of a request that parameters are in.
pub(super) const PLACES: &[&str] = &["header.", "path.", "querystring."];

/// The same with all values of one name.
const SEVERAL: &[&str] = &["multivalueheader.", "multivaluequerystring."];

/// `integration.request.<place>.<name>`, filled in.
#[derive(Default)]
pub(super) struct Parameters {
    pub path: Vec<(String, String)>,
    pub query: Vec<(String, Vec<String>)>,
    pub headers: Vec<(String, String)>,
}

impl Run<'_> {
    /// What the integration's parameters say, and then the template.
    pub(super) fn parameters(&self, context: &Value) -> Parameters {
        let mut all = Parameters::default();
        let declared = self.method.integration.get("requestParameters").and_then(Value::as_object);
        for (name, value) in declared.into_iter().flatten() {
            let Some(place) = name.strip_prefix("integration.request.") else { continue };
            let values = self.values(value.as_str().unwrap_or_default(), context);
            if !values.is_empty() {
                all.set(place, values);
            }
        }
        for place in ["header", "path", "querystring"] {
            let told = context["requestOverride"][place].as_object();
            for (name, value) in told.into_iter().flatten() {
                let values = match value {
                    Value::Array(values) => values.iter().map(word).collect(),
                    one => vec![word(one)],
                };
                all.set(&format!("{place}.{name}"), values);
            }
        }
        all
    }

    /// None of what the request does not have.
    fn values(&self, source: &str, context: &Value) -> Vec<String> {
        let Some(place) = source.strip_prefix("method.request.") else {
            return constant(source, context, self.stage.variables.as_ref()).into_iter().collect();
        };
        if let Some(path) = place.strip_prefix("body") {
            let body = &self.visit.request.body;
            return match path.is_empty() {
                true if body.is_empty() => Vec::new(),
                true => vec![String::from_utf8_lossy(body).into_owned()],
                false => at_path(body, path).iter().map(word).collect(),
            };
        }
        let Some((place, name)) = place.split_once('.') else { return Vec::new() };
        let of = |all: Vec<(String, Vec<String>)>| {
            let found = all.into_iter().find(|(own, _)| own == name);
            found.map(|(_, values)| values).unwrap_or_default()
        };
        let mut values = match place {
            "path" => {
                let own = self.visit.variables.iter().filter(|(own, _)| own == name);
                own.map(|(_, value)| value.clone()).collect()
            }
            "querystring" | "multivaluequerystring" => of(self.visit.query()),
            _ => {
                let all = self.visit.request.headers.get_all(name).iter();
                all.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
            }
        };
        if !place.starts_with("multivalue") {
            values = values.pop().into_iter().collect();
        }
        values
    }
}

impl Parameters {
    fn set(&mut self, place: &str, mut values: Vec<String>) {
        let Some((place, name)) = place.split_once('.') else { return };
        let name = name.to_owned();
        match place {
            "querystring" => {
                self.query.retain(|(own, _)| *own != name);
                self.query.push((name, values));
            }
            "header" => {
                self.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
                self.headers.push((name, values.join(",")));
            }
            _ => {
                self.path.retain(|(own, _)| *own != name);
                self.path.extend(values.pop().map(|value| (name, value)));
            }
        }
    }
}

/// A text as it is, all else as JSON.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a parameter may be mapped onto this one.
pub(super) fn is_target(name: &str) -> bool {
    name.strip_prefix("integration.request.").is_some_and(|rest| of_one(rest, PLACES))
}

/// Whether a request's parameter may be taken from there.
pub(super) fn is_source(value: &str) -> bool {
    let from_request = value
        .strip_prefix("method.request.")
        .is_some_and(|rest| of_one(rest, PLACES) || of_one(rest, SEVERAL) || rest.starts_with("body"));
    from_request || is_constant(value)
}

/// Whether a response's parameter may be taken from there.
pub(super) fn is_response_source(value: &str) -> bool {
    let from_answer = value
        .strip_prefix("integration.response.")
        .is_some_and(|rest| of_one(rest, &["header.", "multivalueheader."]) || rest.starts_with("body"));
    from_answer || is_constant(value)
}

fn is_constant(value: &str) -> bool {
    let fixed = value.len() >= 2 && value.starts_with('\'') && value.ends_with('\'');
    fixed || of_one(value, &["context.", "stageVariables."])
}

/// Whether something is named behind one of these.
fn of_one(text: &str, places: &[&str]) -> bool {
    places.iter().any(|place| text.strip_prefix(place).is_some_and(|name| !name.is_empty()))
}
