//! Documents that describe APIs: OpenAPI 3 and Swagger 2, with API Gateway's own members.

use serde_json::{Map, Value};
use servicekit::yaml;

/// The verbs of a path, as documents and methods have them.
const VERBS: &[(&str, &str)] = &[
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("x-amazon-apigateway-any-method", "ANY"),
];

/// How documents call a method's verb.
pub(crate) fn verb_name(verb: &str) -> &'static str {
    VERBS.iter().find(|(_, own)| *own == verb).map_or("x-amazon-apigateway-any-method", |(name, _)| name)
}

/// How references are followed at most.
const HOPS_MAX: usize = 16;

pub(crate) struct Document {
    tree: Value,
}

/// One verb of one path.
pub(crate) struct Operation<'a> {
    pub path: &'a str,
    pub verb: &'static str,
    pub told: &'a Value,
    /// Of the path and of the operation.
    pub parameters: Vec<&'a Value>,
}

impl Document {
    pub fn read(body: &[u8]) -> Option<Document> {
        let tree = yaml::parse(std::str::from_utf8(body).ok()?).ok()?;
        let known = tree.get("openapi").or_else(|| tree.get("swagger")).is_some();
        (known && tree["info"].is_object()).then_some(Document { tree })
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.tree.get(name)
    }

    pub fn text(&self, place: &str) -> Option<&str> {
        self.tree.pointer(place)?.as_str()
    }

    /// The one of these members that a version of the language has.
    fn either(&self, three: &str, two: &str) -> Option<&Map<String, Value>> {
        self.tree.pointer(three).or_else(|| self.tree.pointer(two))?.as_object()
    }

    pub fn schemas(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.either("/components/schemas", "/definitions").into_iter().flatten()
    }

    pub fn guards(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.either("/components/securitySchemes", "/securityDefinitions").into_iter().flatten()
    }

    /// What a value stands for: another part of the document where it only refers to that.
    pub fn followed<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut at = value;
        for _ in 0..HOPS_MAX {
            let place = at.get("$ref").and_then(Value::as_str).and_then(|place| place.strip_prefix('#'));
            let Some(found) = place.and_then(|place| self.tree.pointer(place)) else { return at };
            at = found;
        }
        at
    }

    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.tree.get("paths").and_then(Value::as_object).into_iter().flatten();
        paths.filter(|(path, _)| path.starts_with('/')).flat_map(|(path, item)| {
            VERBS.iter().filter_map(|(name, verb)| {
                let told = item.get(*name)?;
                let all = parameters(item).iter().chain(parameters(told));
                Some(Operation { path, verb, told, parameters: all.map(|one| self.followed(one)).collect() })
            })
        })
    }

    /// What stands before every path, as the call wants it: `ignore`, `prepend` or `split`.
    pub fn base(&self, how: &str) -> String {
        let variable = self.text("/servers/0/variables/basePath/default");
        let url = self.text("/servers/0/url").map(|url| match url.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
            None => url,
        });
        let own = self.text("/basePath").or(variable).or(url).unwrap_or_default();
        let own = format!("/{}", own.trim_matches('/'));
        match how {
            "prepend" if own != "/" => own,
            // The first part is what a domain name's mapping would say.
            "split" => own[1..].find('/').map_or(String::new(), |at| own[at + 1..].to_owned()),
            _ => String::new(),
        }
    }
}

fn parameters(owner: &Value) -> &[Value] {
    owner.get("parameters").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::Document;

    /// [recorded: base paths]
    #[test]
    fn base_paths_are_left_out_prepended_or_split() {
        for (rest, prepended, split) in [
            (r#""basePath": "/base""#, "/base", ""),
            (r#""servers": [{"url": "https://a.example/base-url/part"}]"#, "/base-url/part", "/part"),
            (
                r#""servers": [{"url": "https://a.example", "variables": {"basePath": {"default": "/v"}}}]"#,
                "/v",
                "",
            ),
            (r#""servers": [{"url": "/"}]"#, "", ""),
            (r#""paths": {}"#, "", ""),
        ] {
            let text = format!(r#"{{"openapi": "3.0.1", "info": {{}}, {rest}}}"#);
            let document = Document::read(text.as_bytes()).expect("a document");
            let told = ["ignore", "prepend", "split"].map(|how| document.base(how));
            assert_eq!(told, [String::new(), prepended.to_owned(), split.to_owned()], "{rest}");
        }
        for text in ["{", "a: [", "{}", r#"{"openapi": "3.0.1"}"#, "- a"] {
            assert!(Document::read(text.as_bytes()).is_none(), "{text}");
        }
    }
}
