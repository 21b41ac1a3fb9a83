//! Route keys, and the route that a request takes among them.

/// `$default`, or a method and a path of segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RouteKey {
    Default,
    Path {
        /// None for `ANY`.
        method: Option<String>,
        segments: Vec<Segment>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Segment {
    Fixed(String),
    Variable(String),
    /// The rest of a path, at least one segment of it.
    Greedy(String),
}

const METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

impl RouteKey {
    /// None of what is no route key of an HTTP API.
    pub fn parse(text: &str) -> Option<RouteKey> {
        if text == "$default" {
            return Some(RouteKey::Default);
        }
        let (method, path) = text.split_once(' ')?;
        let method = match method {
            "ANY" => None,
            method if METHODS.contains(&method) => Some(method.to_owned()),
            _ => return None,
        };
        let parts: Vec<&str> = split(path.strip_prefix('/')?);
        let mut segments = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            let segment = Segment::parse(part)?;
            let ends = at + 1 == parts.len();
            if !ends && (part.is_empty() || matches!(segment, Segment::Greedy(_))) {
                return None;
            }
            segments.push(segment);
        }
        let names: Vec<_> = segments.iter().filter_map(Segment::variable).collect();
        let twice = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
        (!twice).then_some(RouteKey::Path { method, segments })
    }

    /// The variables of a path that fits, decoded.
    fn fits(&self, method: &str, parts: &[&str]) -> Option<Vec<(String, String)>> {
        let RouteKey::Path { method: own, segments } = self else { return Some(Vec::new()) };
        if own.as_deref().is_some_and(|own| own != method) {
            return None;
        }
        let greedy = matches!(segments.last(), Some(Segment::Greedy(_)));
        if parts.len() < segments.len() || (parts.len() > segments.len() && !greedy) {
            return None;
        }
        let mut variables = Vec::new();
        for (at, segment) in segments.iter().enumerate() {
            match segment {
                Segment::Fixed(fixed) if *fixed == decoded(parts[at]) => {}
                Segment::Variable(name) if !parts[at].is_empty() => {
                    variables.push((name.clone(), decoded(parts[at])));
                }
                Segment::Greedy(name) if parts.len() > at + 1 || !parts[at].is_empty() => {
                    variables.push((name.clone(), decoded(&parts[at..].join("/"))));
                }
                _ => return None,
            }
        }
        Some(variables)
    }

    /// The least comes first: whole matches, then greedy ones, then `$default`; among each the more fixed path; then
    /// the method that is named.
    fn rank(&self) -> (u8, Vec<u8>, bool) {
        let RouteKey::Path { method, segments } = self else { return (2, Vec::new(), true) };
        let kind = |segment: &Segment| match segment {
            Segment::Fixed(_) => 0,
            Segment::Variable(_) => 1,
            Segment::Greedy(_) => 2,
        };
        let kinds: Vec<u8> = segments.iter().map(kind).collect();
        (u8::from(kinds.last() == Some(&2)), kinds, method.is_none())
    }
}

impl Segment {
    pub fn parse(part: &str) -> Option<Segment> {
        let Some(inner) = part.strip_prefix('{') else {
            return (!part.contains(['{', '}'])).then(|| Segment::Fixed(part.to_owned()));
        };
        let inner = inner.strip_suffix('}')?;
        let (name, greedy) = inner.strip_suffix('+').map_or((inner, false), |name| (name, true));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-$:".contains(&byte);
        if name.is_empty() || !name.bytes().all(allowed) {
            return None;
        }
        Some(if greedy { Segment::Greedy(name.to_owned()) } else { Segment::Variable(name.to_owned()) })
    }

    fn variable(&self) -> Option<&str> {
        match self {
            Segment::Fixed(_) => None,
            Segment::Variable(name) | Segment::Greedy(name) => Some(name),
        }
    }
}

fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&wire::percent::decode(text)).into_owned()
}

fn split(path: &str) -> Vec<&str> {
    if path.is_empty() { Vec::new() } else { path.split('/').collect() }
}

/// The route among `keys` that a request takes, and its path's variables.
pub(super) fn select<'k>(
    keys: impl Iterator<Item = &'k RouteKey>,
    method: &str,
    path: &str,
) -> Option<(usize, Vec<(String, String)>)> {
    let parts = split(path.strip_prefix('/').unwrap_or(path));
    let fitting = keys.enumerate().filter_map(|(at, key)| Some((key.rank(), at, key.fits(method, &parts)?)));
    let (_, at, variables) = fitting.min_by(|a, b| a.0.cmp(&b.0))?;
    Some((at, variables))
}

#[cfg(test)]
mod tests {
    use super::{RouteKey, select};

    /// The route a request takes, and its variables as `name=value`.
    fn taken(keys: &[&str], request: &str) -> String {
        let parsed: Vec<RouteKey> =
            keys.iter().map(|key| RouteKey::parse(key).unwrap_or_else(|| panic!("{key}"))).collect();
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let Some((at, variables)) = select(parsed.iter(), method, path) else { return "404".to_owned() };
        let variables: Vec<String> =
            variables.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        format!("{}{}", keys[at], variables.concat())
    }

    #[test]
    fn the_most_specific_route_is_taken() {
        let keys = [
            "$default",
            "ANY /{proxy+}",
            "GET /pets/{proxy+}",
            "GET /pets/dog/{id}",
            "GET /pets/dog/1",
            "ANY /pets/dog/1",
            "GET /",
            "ANY /{shop}/cat/{name+}",
        ];
        for (request, expect) in [
            ("GET /pets/dog/1", "GET /pets/dog/1"),
            ("POST /pets/dog/1", "ANY /pets/dog/1"),
            ("GET /pets/dog/2", "GET /pets/dog/{id} id=2"),
            ("GET /pets/dog/a%20b", "GET /pets/dog/{id} id=a b"),
            ("GET /pets/cat/1", "GET /pets/{proxy+} proxy=cat/1"),
            ("GET /zoo/cat/1/2", "ANY /{shop}/cat/{name+} shop=zoo name=1/2"),
            ("POST /test/5", "ANY /{proxy+} proxy=test/5"),
            ("GET /", "GET /"),
            ("POST /", "$default"),
        ] {
            assert_eq!(taken(&keys, request), expect, "{request}");
        }
    }

    #[test]
    fn what_no_route_fits_is_not_found() {
        for (keys, request, expect) in [
            (&["GET /a"][..], "GET /a/", "404"),
            (&["GET /a"], "POST /a", "404"),
            (&["GET /a/{b}"], "GET /a/", "404"),
            (&["GET /a/{b}"], "GET /a/b/c", "404"),
            (&["ANY /{proxy+}"], "GET /", "404"),
            (&["ANY /a/{proxy+}"], "GET /a", "404"),
            (&["ANY /a/{proxy+}"], "GET /a/b/", "ANY /a/{proxy+} proxy=b/"),
            (&[], "GET /", "404"),
        ] {
            assert_eq!(taken(keys, request), expect, "{keys:?} {request}");
        }
    }

    #[test]
    fn keys_have_one_form() {
        for bad in [
            "",
            "GET",
            "get /",
            "GET x",
            "TRACE /",
            "GET /{a+}/b",
            "GET /{a}/{a}",
            "GET /{}",
            "GET /a{b}",
            "$connect",
            "GET //a",
        ] {
            assert_eq!(RouteKey::parse(bad), None, "{bad}");
        }
    }
}
