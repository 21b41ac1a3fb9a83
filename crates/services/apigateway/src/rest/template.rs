//! Mapping templates: text with references into the request or the answer. Directives (`#set`, `#if`, …) are not built.

use serde_json::{Map, Value};

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Value(Reference),
}

#[derive(Clone, Debug, PartialEq)]
enum Reference {
    /// `$input.json('$.a')`: as JSON.
    Json(String),
    /// `$input.path('$.a')`: a text as it is.
    Path(String),
    Body,
    Param(String),
    Context(String),
    StageVariable(String),
    Util(Util, Box<Reference>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Util {
    EscapeJavaScript,
    UrlEncode,
    UrlDecode,
    Base64Encode,
    Base64Decode,
}

const UTILS: &[(&str, Util)] = &[
    ("$util.escapeJavaScript(", Util::EscapeJavaScript),
    ("$util.urlEncode(", Util::UrlEncode),
    ("$util.urlDecode(", Util::UrlDecode),
    ("$util.base64Encode(", Util::Base64Encode),
    ("$util.base64Decode(", Util::Base64Decode),
];

/// What references look into.
pub(super) struct Facts<'a> {
    pub body: &'a [u8],
    /// A parameter of the path, the query or the headers.
    pub param: &'a dyn Fn(&str) -> Option<String>,
    pub context: &'a Value,
    pub stage_variables: Option<&'a Value>,
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, String> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['$', '#']) {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(name) = rest.strip_prefix('#') {
                let word: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
                if ["set", "if", "else", "elseif", "end", "foreach", "macro", "define", "stop"]
                    .contains(&&*word)
                    || name.starts_with(['#', '*'])
                {
                    return Err(format!("#{word} is not supported: only references are"));
                }
                plain.push('#');
                rest = name;
                continue;
            }
            match Reference::read(rest)? {
                Some((reference, after)) => {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    pieces.push(Piece::Value(reference));
                    rest = after;
                }
                None => {
                    plain.push('$');
                    rest = &rest[1..];
                }
            }
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Template(pieces))
    }

    pub fn fill(&self, facts: &Facts<'_>) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Value(reference) => reference.find(facts),
        };
        self.0.iter().map(piece).collect()
    }
}

impl Reference {
    /// A reference at the beginning of a text, and what follows it. None for a dollar that is one.
    fn read(text: &str) -> Result<Option<(Reference, &str)>, String> {
        let name_of =
            |text: &str| -> String { text.chars().take_while(|c| !c.is_whitespace()).take(40).collect() };
        if !text[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '{' || c == '!') {
            return Ok(None);
        }
        let unknown = || Err(format!("the reference {} is not supported", name_of(text)));
        // `${…}` and `$!…` are other spellings.
        let braced = text.starts_with("${");
        let inner = text.trim_start_matches("${").trim_start_matches("$!").trim_start_matches('$');
        let read = |rest: &str| -> Option<(Reference, usize)> {
            let quoted = |start: &str| {
                let rest = rest.strip_prefix(start)?;
                let quote = rest.chars().next().filter(|c| ['\'', '"'].contains(c))?;
                let (name, _) = rest[1..].split_once(quote)?;
                rest[1 + name.len() + 1..]
                    .starts_with(')')
                    .then(|| (name.to_owned(), start.len() + name.len() + 3))
            };
            if let Some((path, length)) = quoted("input.json(") {
                return Some((Reference::Json(path), length));
            }
            if let Some((path, length)) = quoted("input.path(") {
                return Some((Reference::Path(path), length));
            }
            if let Some((name, length)) = quoted("input.params(") {
                return Some((Reference::Param(name), length));
            }
            if rest.starts_with("input.body") {
                return Some((Reference::Body, "input.body".len()));
            }
            let word = |start: &str, more: &str| {
                let rest = rest.strip_prefix(start)?;
                let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
                let name = &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())];
                let name = name.trim_end_matches('.');
                (!name.is_empty()).then(|| (name.to_owned(), start.len() + name.len()))
            };
            if let Some((name, length)) = word("context.", "._-") {
                return Some((Reference::Context(name), length));
            }
            let (name, length) = word("stageVariables.", "_")?;
            Some((Reference::StageVariable(name), length))
        };
        for (start, util) in UTILS {
            let Some(argument) = text.strip_prefix(start) else { continue };
            let Some((reference, rest)) = Reference::read(argument)? else { return unknown() };
            let Some(rest) = rest.trim_start().strip_prefix(')') else { return unknown() };
            return Ok(Some((Reference::Util(*util, Box::new(reference)), rest)));
        }
        let Some((reference, length)) = read(inner) else { return unknown() };
        let rest = &inner[length..];
        match (braced, rest.strip_prefix('}')) {
            (true, Some(rest)) => Ok(Some((reference, rest))),
            (true, None) => unknown(),
            (false, _) => Ok(Some((reference, rest))),
        }
    }

    fn find(&self, facts: &Facts<'_>) -> String {
        match self {
            Reference::Body => String::from_utf8_lossy(facts.body).into_owned(),
            Reference::Json(path) => {
                at_path(facts.body, path).map_or_else(|| "\"\"".to_owned(), |found| found.to_string())
            }
            Reference::Path(path) => at_path(facts.body, path).map(plain).unwrap_or_default(),
            Reference::Param(name) => (facts.param)(name).unwrap_or_default(),
            Reference::Context(name) => {
                let found = name.split('.').try_fold(facts.context, |at, part| at.get(part));
                found.cloned().map(plain).unwrap_or_default()
            }
            Reference::StageVariable(name) => {
                facts.stage_variables.and_then(|all| all.get(name)).cloned().map(plain).unwrap_or_default()
            }
            Reference::Util(util, of) => util.apply(&of.find(facts)),
        }
    }
}

impl Util {
    fn apply(self, text: &str) -> String {
        match self {
            Util::EscapeJavaScript => {
                let quoted = Value::from(text).to_string();
                quoted[1..quoted.len() - 1].replace('\'', "\\'").replace('/', "\\/")
            }
            Util::UrlEncode => wire::percent::encode(text),
            Util::UrlDecode => String::from_utf8_lossy(&wire::percent::decode_form(text)).into_owned(),
            Util::Base64Encode => wire::base64::encode(text.as_bytes()),
            Util::Base64Decode => {
                let bytes = wire::base64::decode(text).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            }
        }
    }
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What a simple JSON path (`$.a.b[0]`, `$['a']`) names in a body. A body of nothing is an empty object.
pub(super) fn at_path(body: &[u8], path: &str) -> Option<Value> {
    let tree = match body.is_empty() {
        true => Value::Object(Map::new()),
        false => serde_json::from_slice(body).ok()?,
    };
    let mut at = &tree;
    let path = path.trim().strip_prefix('$').unwrap_or(path);
    for part in path.split(['.', '[']).map(|part| part.trim_end_matches(']').trim_matches(['\'', '"'])) {
        if part.is_empty() {
            continue;
        }
        at = match at {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            other => other.get(part)?,
        };
    }
    Some(at.clone())
}

#[cfg(test)]
mod tests {
    use super::{Facts, Template};
    use serde_json::json;

    #[test]
    fn references_are_filled_in() {
        let context = json!({"requestId": "r", "identity": {"sourceIp": "ip"}});
        let variables = json!({"k": "v"});
        let facts = Facts {
            body: br#"{"a":{"b":["x","it's \"y\""]},"n":1}"#,
            param: &|name| (name == "p").then(|| "par".to_owned()),
            context: &context,
            stage_variables: Some(&variables),
        };
        for (template, expect) in [
            ("{ statusCode: 204 }", "{ statusCode: 204 }"),
            (r#"{"a":$input.json('$.a.b')}"#, r#"{"a":["x","it's \"y\""]}"#),
            ("$input.path('$.a.b[0]')/$input.json('$.n')", "x/1"),
            (r#"$input.params("p")-$input.params('q')."#, "par-."),
            ("$context.requestId ${context.identity.sourceIp}.", "r ip."),
            ("$stageVariables.k${stageVariables.k}", "vv"),
            ("$util.escapeJavaScript($input.path('$.a.b[1]'))", r#"it\'s \"y\""#),
            ("$util.base64Encode($input.params('p'))", "cGFy"),
            ("costs $5 and # 1", "costs $5 and # 1"),
            ("$input.json('$.none')", "\"\""),
        ] {
            let parsed = Template::parse(template).unwrap_or_else(|words| panic!("{template}: {words}"));
            assert_eq!(parsed.fill(&facts), expect, "{template}");
        }
    }

    #[test]
    fn what_is_not_built_is_refused_by_name() {
        for (template, words) in [
            ("#set($a = 1)", "#set is not supported: only references are"),
            ("a #if(true) b", "#if is not supported: only references are"),
            ("$input.size()", "the reference $input.size() is not supported"),
            ("$inputRoot", "the reference $inputRoot is not supported"),
            ("$util.parseJson($input.body)", "the reference $util.parseJson($input.body) is not supported"),
        ] {
            assert_eq!(Template::parse(template), Err(words.to_owned()));
        }
    }
}
