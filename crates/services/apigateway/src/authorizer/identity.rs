//! Where authorizers look for who asks.

use crate::visit::Visit;
use serde_json::Value;

/// A part of a request. HTTP APIs write `$request.header.Authorization`, REST APIs `method.request.header.Authorization`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// In small letters.
    Header(String),
    Query(String),
    Context(String),
    Stage(String),
}

impl Source {
    pub fn parse(text: &str) -> Option<Source> {
        let plain = text.strip_prefix("method.").or_else(|| text.strip_prefix('$'));
        let plain = plain.unwrap_or(text);
        let named = |kind: &str| plain.strip_prefix(kind).filter(|name| !name.is_empty()).map(str::to_owned);
        named("request.header.")
            .map(|name| Source::Header(name.to_ascii_lowercase()))
            .or_else(|| named("request.querystring.").map(Source::Query))
            .or_else(|| named("context.").map(Source::Context))
            .or_else(|| named("stageVariables.").map(Source::Stage))
    }

    /// What the request has there; nothing where it is empty. `context`: of the request, as functions are told.
    pub fn read(&self, visit: &Visit<'_>, context: &Value) -> Option<String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let found = match self {
            Source::Header(name) => visit.request.header(name).map(str::to_owned),
            Source::Query(name) => visit.query().into_iter().find(|(own, _)| own == name)?.1.pop(),
            Source::Context(path) => path.split('.').try_fold(context, |at, part| at.get(part)).map(text),
            Source::Stage(name) => visit.stage_variables?.get(name).map(text),
        };
        found.filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn sources_are_written_in_two_ways() {
        let header = Some(Source::Header("authorization".to_owned()));
        for (text, expected) in [
            ("$request.header.Authorization", header.clone()),
            ("method.request.header.Authorization", header),
            ("$request.querystring.Key", Some(Source::Query("Key".to_owned()))),
            ("$context.routeKey", Some(Source::Context("routeKey".to_owned()))),
            ("context.identity.sourceIp", Some(Source::Context("identity.sourceIp".to_owned()))),
            ("stageVariables.v", Some(Source::Stage("v".to_owned()))),
            ("$request.body", None),
            ("$request.header.", None),
            ("Authorization", None),
        ] {
            assert_eq!(Source::parse(text), expected, "{text}");
        }
    }
}
