//! Which pages in browsers may read what a bucket answers: the rules that its owner put (CORS).

use super::fault::{self, Fault};
use super::{S3, address};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName, HeaderValue,
    ORIGIN, VARY,
};
use serde_json::Value;
use servicekit::fields::{integer, texts};
use std::borrow::Cow;
use wire::Request;

const RULES_MAX: usize = 100;
const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];

/// What the answers to pages depend on.
const VARIES: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

pub(super) fn check(document: &Value) -> Result<(), Fault> {
    let rules = rules(document);
    if rules.is_empty() {
        return Err(fault::malformed());
    }
    if rules.len() > RULES_MAX {
        let message =
            format!("The number of CORS rules should not exceed allowed limit of {RULES_MAX} rules.");
        return Err(fault::request(message));
    }
    rules.iter().try_for_each(check_rule)
}

fn check_rule(rule: &Value) -> Result<(), Fault> {
    let (origins, methods) = (texts(rule, "AllowedOrigins"), texts(rule, "AllowedMethods"));
    if origins.is_empty() || methods.is_empty() {
        return Err(fault::malformed());
    }
    if let Some(other) = methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
        let message = format!("Found unsupported HTTP method in CORS config. Unsupported method is {other}");
        return Err(fault::request(message));
    }
    for (name, patterns) in [("AllowedOrigin", origins), ("AllowedHeader", texts(rule, "AllowedHeaders"))] {
        if let Some(odd) = patterns.iter().find(|pattern| pattern.matches('*').count() > 1) {
            let message = format!("{name} \"{odd}\" can not have more than one wildcard.");
            return Err(fault::request(message));
        }
    }
    if let Some(odd) = texts(rule, "ExposeHeaders").iter().find(|name| name.contains('*')) {
        let message = format!(
            "ExposeHeader \"{odd}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
        );
        return Err(fault::request(message));
    }
    Ok(())
}

fn rules(document: &Value) -> &[Value] {
    document.get("CORSRules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

impl S3 {
    /// The answer to a browser that asks what a page may do with a bucket; None of what is no bucket's.
    pub fn preflight(&self, request: &Request) -> Option<Result<HeaderMap, Fault>> {
        let (rules, has_key) = self.rules_of(request)?;
        Some(allowed(&rules, has_key, request))
    }

    /// What lets the page that asked read the answer of a bucket; None where no rule does.
    pub fn grant(&self, request: &Request) -> Option<HeaderMap> {
        let asked = Asked { origin: header(request, ORIGIN)?, method: request.method.as_str(), headers: "" };
        let (rules, _) = self.rules_of(request)?;
        rules.iter().find(|rule| asked.fits(rule)).map(|rule| asked.granted(rule))
    }

    /// The rules of the bucket that a request is to, and whether it is to an object in it.
    fn rules_of(&self, request: &Request) -> Option<(Vec<Value>, bool)> {
        let path = address::led(request);
        let (name, key) = path.strip_prefix('/')?.split_once('/').unwrap_or((&path[1..], ""));
        let bucket = self.buckets.get(name).ok()??;
        let rules = bucket.settings.get("cors").map(rules).unwrap_or_default().to_vec();
        Some((rules, !key.is_empty()))
    }
}

fn header(request: &Request, name: HeaderName) -> Option<&str> {
    request.headers.get(name)?.to_str().ok()
}

fn allowed(rules: &[Value], has_key: bool, request: &Request) -> Result<HeaderMap, Fault> {
    let Some(origin) = header(request, ORIGIN) else {
        let message = "Insufficient information. Origin request header needed.";
        return Err(fault::new(400, "BadRequest", message));
    };
    let method = header(request, ACCESS_CONTROL_REQUEST_METHOD).unwrap_or("null");
    if !METHODS.contains(&method) {
        let message = format!("Invalid Access-Control-Request-Method: {method}");
        return Err(fault::new(400, "BadRequest", message));
    }
    let headers = header(request, ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let asked = Asked { origin, method, headers };
    let refusal = match rules.iter().find(|rule| asked.fits(rule)) {
        Some(rule) => return Ok(asked.granted(rule)),
        None if rules.is_empty() => "CORSResponse: CORS is not enabled for this bucket.",
        // AWS's words, as it spells them.
        None => {
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
        }
    };
    let kind = if has_key { "OBJECT" } else { "BUCKET" };
    Err(fault::new(403, "AccessForbidden", refusal).with("Method", method).with("ResourceType", kind))
}

/// What a page asks for.
struct Asked<'a> {
    origin: &'a str,
    method: &'a str,
    /// The headers it is going to send, with commas between.
    headers: &'a str,
}

impl Asked<'_> {
    fn fits(&self, rule: &Value) -> bool {
        let headers = texts(rule, "AllowedHeaders");
        let lets = |name: &str| headers.iter().any(|own| fits(&own.to_ascii_lowercase(), name));
        texts(rule, "AllowedOrigins").iter().any(|own| fits(own, self.origin))
            && texts(rule, "AllowedMethods").iter().any(|own| own == self.method)
            && self.header_names().iter().all(|name| lets(name))
    }

    fn header_names(&self) -> Vec<String> {
        let names = self.headers.split(',').map(|name| name.trim().to_ascii_lowercase());
        names.filter(|name| !name.is_empty()).collect()
    }

    fn granted(&self, rule: &Value) -> HeaderMap {
        let anybody = texts(rule, "AllowedOrigins").iter().any(|own| own == "*");
        let mut granted = HeaderMap::new();
        let told: [(HeaderName, Cow<'_, str>); 7] = [
            (ACCESS_CONTROL_ALLOW_ORIGIN, if anybody { "*" } else { self.origin }.into()),
            (ACCESS_CONTROL_ALLOW_METHODS, texts(rule, "AllowedMethods").join(", ").into()),
            (ACCESS_CONTROL_ALLOW_HEADERS, self.header_names().join(", ").into()),
            (ACCESS_CONTROL_EXPOSE_HEADERS, texts(rule, "ExposeHeaders").join(", ").into()),
            (
                ACCESS_CONTROL_MAX_AGE,
                integer(rule, "MaxAgeSeconds").map(|age| age.to_string()).unwrap_or_default().into(),
            ),
            (ACCESS_CONTROL_ALLOW_CREDENTIALS, if anybody { "" } else { "true" }.into()),
            (VARY, VARIES.into()),
        ];
        for (name, value) in told.into_iter().filter(|(_, value)| !value.is_empty()) {
            granted.extend(HeaderValue::from_str(&value).ok().map(|value| (name, value)));
        }
        granted
    }
}

/// Whether a text is a pattern's, in which one star stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_star_stands_for_anything() {
        for (pattern, text, expect) in [
            ("*", "https://a.example", true),
            ("https://*.example", "https://a.example", true),
            ("https://*.example", "https://example", false),
            ("https://a.example", "https://a.example", true),
            ("https://a.example", "https://b.example", false),
            ("ab*ba", "aba", false),
            ("x-amz-*", "x-amz-date", true),
        ] {
            assert_eq!(fits(pattern, text), expect, "{pattern} {text}");
        }
    }

    #[test]
    fn rules_that_are_none_are_refused() {
        let with = |rule: Value| {
            check(&json!({ "CORSRules": [rule] })).map_err(|fault| fault.message.unwrap_or_default())
        };
        let get = json!({ "AllowedOrigins": ["*"], "AllowedMethods": ["GET"] });
        let and = |name: &str, value: Value| {
            let mut rule = get.clone();
            rule[name] = value;
            with(rule).unwrap_err()
        };
        assert_eq!(with(get.clone()), Ok(()));
        assert!(and("AllowedMethods", json!(["OPTIONS"])).ends_with("Unsupported method is OPTIONS"));
        assert!(and("AllowedOrigins", json!(["*.*"])).starts_with("AllowedOrigin \"*.*\" can not"));
        assert!(and("AllowedHeaders", json!(["**"])).starts_with("AllowedHeader \"**\" can not"));
        assert!(and("ExposeHeaders", json!(["x-*"])).starts_with("ExposeHeader \"x-*\" contains wildcard."));
        assert!(and("AllowedOrigins", json!([])).contains("not well-formed"));
        assert!(check(&json!({})).is_err());
        assert!(check(&json!({ "CORSRules": vec![get; 101] })).is_err());
    }
}
