//! Parameter mappings: what is changed of requests on their way to integrations, and of answers on their way back.

use crate::visit::Visit;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use std::collections::BTreeMap;
use wire::{Request, Response, percent};

/// Changes in the order in which they are written.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Mapping(Vec<Change>);

#[derive(Debug, PartialEq)]
struct Change {
    action: Action,
    place: Place,
    value: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Append,
    Overwrite,
    Remove,
}

#[derive(Debug, PartialEq)]
enum Place {
    Header(HeaderName),
    Query(String),
    Path,
    Status,
}

/// A piece of a value.
#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    /// `request.header.name`, `context.stage`, …
    Source(String),
}

/// What values are taken from.
pub(super) struct Given<'a> {
    pub request: &'a Request,
    /// The path without the stage.
    pub behind: &'a str,
    pub visit: &'a Visit<'a>,
    pub context: &'a Value,
    /// None while there is none.
    pub answer: Option<&'a Response>,
}

/// A request that is changed.
pub(super) struct Mapped {
    pub request: Request,
    /// None of the request's own.
    pub path: Option<String>,
}

/// Headers that no mapping may touch.
const RESERVED: &[&str] = &[
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "forwarded",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

const RESERVED_FAMILIES: &[&str] = &["access-control-", "apigw-", "x-amz-", "x-amzn-"];

impl Change {
    fn parse(key: &str, value: &str, of_answers: bool) -> Result<Change, String> {
        let wrong = || format!("Invalid parameter mapping '{key}'");
        let (action, place) = key.split_once(':').ok_or_else(wrong)?;
        let action = match action {
            "append" => Action::Append,
            "overwrite" => Action::Overwrite,
            "remove" => Action::Remove,
            _ => return Err(wrong()),
        };
        let (kind, name) = place.split_once('.').unwrap_or((place, ""));
        let place = match (kind, of_answers) {
            ("header", _) if !name.is_empty() => {
                let name = name.to_ascii_lowercase();
                let reserved = RESERVED.contains(&name.as_str())
                    || RESERVED_FAMILIES.iter().any(|family| name.starts_with(family));
                if reserved {
                    return Err(format!("Operations on header {name} are restricted"));
                }
                Place::Header(HeaderName::try_from(name).map_err(|_| wrong())?)
            }
            ("querystring", false) if !name.is_empty() => Place::Query(name.to_owned()),
            ("path", false) if name.is_empty() && action == Action::Overwrite => Place::Path,
            ("statuscode", true) if name.is_empty() && action == Action::Overwrite => Place::Status,
            _ => return Err(wrong()),
        };
        let value = parts(value);
        let sources = match of_answers {
            true => ["response.", "context.", "stageVariables."],
            false => ["request.", "context.", "stageVariables."],
        };
        let known = |part: &Part| match part {
            Part::Text(_) => true,
            Part::Source(source) => sources.iter().any(|own| source.starts_with(own)),
        };
        if !value.iter().all(known) {
            return Err(wrong());
        }
        Ok(Change { action, place, value })
    }
}

/// `$source`, `${source}` and texts between them.
fn parts(value: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        let (before, behind) = rest.split_at(at);
        let named = match behind.strip_prefix("${") {
            Some(inner) => inner.split_once('}'),
            None => {
                let inner = &behind[1..];
                let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._-[]".contains(letter);
                Some(inner.split_at(inner.find(|letter| !allowed(letter)).unwrap_or(inner.len())))
            }
        };
        let Some((source, after)) = named.filter(|(source, _)| !source.is_empty()) else {
            parts.push(Part::Text(rest[..=at].to_owned()));
            rest = &rest[at + 1..];
            continue;
        };
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(Part::Source(source.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    parts
}

impl Mapping {
    /// `{"append:header.x": "$context.stage"}`
    pub fn of_requests(told: &Value) -> Result<Mapping, String> {
        Mapping::of(told, false)
    }

    fn of(told: &Value, of_answers: bool) -> Result<Mapping, String> {
        let all = told.as_object().into_iter().flatten();
        let each = all.map(|(key, value)| Change::parse(key, value.as_str().unwrap_or_default(), of_answers));
        each.collect::<Result<_, _>>().map(Mapping)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn request(&self, given: &Given<'_>) -> Mapped {
        let mut mapped = Mapped { request: given.request.clone(), path: None };
        for Change { action, place, value } in &self.0 {
            let Some(value) = given.filled(value, *action) else { continue };
            match place {
                Place::Header(name) => change(&mut mapped.request.headers, *action, name, &value),
                Place::Query(name) => {
                    mapped.request.query = with_pair(&mapped.request.query, *action, name, &value)
                }
                _ => mapped.path = Some(value),
            }
        }
        mapped
    }

    pub fn answer(&self, given: &Given<'_>, response: &mut Response) {
        for Change { action, place, value } in &self.0 {
            let Some(value) = given.filled(value, *action) else { continue };
            match place {
                Place::Header(name) => change(&mut response.headers, *action, name, &value),
                _ => {
                    let status = value.parse().ok().and_then(|status| StatusCode::from_u16(status).ok());
                    response.status = status.unwrap_or(response.status);
                }
            }
        }
    }
}

/// Mappings of answers by their status.
pub(super) fn of_answers(told: &Value) -> Result<BTreeMap<u16, Mapping>, String> {
    let each = told.as_object().into_iter().flatten().map(|(status, told)| {
        let number = status.parse().ok().filter(|number| (200..600).contains(number));
        let number = number.ok_or_else(|| format!("Invalid status code '{status}' in ResponseParameters"))?;
        Ok((number, Mapping::of(told, true)?))
    });
    each.collect()
}

fn change(headers: &mut HeaderMap, action: Action, name: &HeaderName, value: &str) {
    match (action, HeaderValue::try_from(value)) {
        (Action::Remove, _) => drop(headers.remove(name)),
        (Action::Append, Ok(value)) => drop(headers.append(name, value)),
        (Action::Overwrite, Ok(value)) => drop(headers.insert(name, value)),
        (_, Err(_)) => {}
    }
}

fn with_pair(query: &str, action: Action, name: &str, value: &str) -> String {
    let own =
        |pair: &&str| percent::decode_form(pair.split('=').next().unwrap_or_default()) == name.as_bytes();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<String> =
        pairs.filter(|pair| action == Action::Append || !own(pair)).map(str::to_owned).collect();
    if action != Action::Remove {
        pairs.push(format!("{}={}", percent::encode(name), percent::encode(value)));
    }
    pairs.join("&")
}

impl Given<'_> {
    /// None when something that it is made of is not there.
    fn filled(&self, parts: &[Part], action: Action) -> Option<String> {
        if action == Action::Remove {
            return Some(String::new());
        }
        let each = parts.iter().map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Source(source) => self.source(source),
        });
        each.collect()
    }

    fn source(&self, source: &str) -> Option<String> {
        let (place, name) = source.split_once('.')?;
        match place {
            "stageVariables" => self.visit.stage_variables?.get(name)?.as_str().map(str::to_owned),
            "context" => word(at(self.context, name)?),
            "request" => {
                let (place, name) = name.split_once('.').unwrap_or((name, ""));
                match place {
                    "header" => joined(&self.request.headers, name),
                    "querystring" => {
                        let found = self.visit.query().into_iter().find(|(own, _)| own == name);
                        found.map(|(_, values)| values.join(","))
                    }
                    "path" if name.is_empty() => Some(self.behind.to_owned()),
                    "path" => {
                        let found = self.visit.variables.iter().find(|(own, _)| own == name);
                        found.map(|(_, value)| value.clone())
                    }
                    _ => from_body(&self.request.body, place, name),
                }
            }
            _ => {
                let answer = self.answer?;
                let (place, name) = name.split_once('.').unwrap_or((name, ""));
                match place {
                    "header" => joined(&answer.headers, name),
                    _ => from_body(&answer.body, place, name),
                }
            }
        }
    }
}

fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<_> =
        headers.get_all(name.to_ascii_lowercase()).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn from_body(body: &[u8], place: &str, path: &str) -> Option<String> {
    let tree: Value = serde_json::from_slice(body).ok().filter(|_| place == "body")?;
    word(at(&tree, path)?)
}

/// `a.b[0]` in a tree.
fn at<'a>(tree: &'a Value, path: &str) -> Option<&'a Value> {
    let parts = path.split(['.', '[']).map(|part| part.trim_end_matches(']')).filter(|part| !part.is_empty());
    parts.into_iter().try_fold(tree, |at, part| match at {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
