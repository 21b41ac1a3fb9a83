//! Where a URL leads.

use wire::percent;

#[derive(Debug, PartialEq)]
pub(crate) struct Place<'a> {
    pub secure: bool,
    /// With the port, if the URL has one.
    pub authority: &'a str,
    pub name: &'a str,
    pub port: u16,
    /// The path and the query.
    pub target: String,
}

impl Place<'_> {
    pub fn of(url: &str) -> Option<Place<'_>> {
        let (secure, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://")?),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let default = if secure { 443 } else { 80 };
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()?),
            _ => (authority, default),
        };
        let well = !name.is_empty() && authority.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@');
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let slash = if target.starts_with('/') { "" } else { "/" };
        well.then(|| Place { secure, authority, name, port, target: format!("{slash}{target}") })
    }

    /// Where the URL of an integration might lead: what its variables stand for is only known in a stage.
    pub fn example(uri: &str) -> Option<()> {
        let example = match uri.find("${stageVariables.").zip(uri.find('}')) {
            Some((0, end)) => format!("http://host{}", &uri[end + 1..]),
            _ => uri.replace("${stageVariables.", "").replace(['{', '}'], ""),
        };
        Place::of(&example).map(drop)
    }
}

/// A URL with the variables of its path (`{name}`) filled in, and more queries behind its own.
pub(crate) fn address<'a>(
    uri: &str,
    variables: impl Iterator<Item = (&'a str, &'a str)>,
    queries: &[&str],
) -> String {
    let mut url = uri.to_owned();
    for (name, value) in variables {
        let mut encoded = String::new();
        percent::encode_into(value.as_bytes(), b"/!$&'()*+,;=:@", &mut encoded);
        url = url.replace(&format!("{{{name}}}"), &encoded);
    }
    for query in queries.iter().filter(|query| !query.is_empty()) {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(query);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::{Place, address};

    #[test]
    fn addresses_have_variables_and_queries() {
        let variables = [("proxy", "a b/c"), ("id", "7?")];
        for (uri, queries, expect) in [
            ("http://h/{proxy}", ["", ""], "http://h/a%20b/c"),
            ("http://h/{id}/{none}", ["x=1", ""], "http://h/7%3F/{none}?x=1"),
            ("http://h?y={id}", ["x=1", "x=2"], "http://h?y=7%3F&x=1&x=2"),
        ] {
            assert_eq!(address(uri, variables.into_iter(), &queries), expect);
        }
    }

    #[test]
    fn urls_name_a_host_and_a_target() {
        for (url, secure, authority, name, port, target) in [
            ("http://localhost:9000/a/b", false, "localhost:9000", "localhost", 9000, "/a/b"),
            ("http://issuer", false, "issuer", "issuer", 80, "/"),
            ("https://issuer/x?y=1#z", true, "issuer", "issuer", 443, "/x?y=1"),
            ("https://issuer?y", true, "issuer", "issuer", 443, "/?y"),
            ("http://[::1]:80/", false, "[::1]:80", "::1", 80, "/"),
            ("http://[::1]/", false, "[::1]", "::1", 80, "/"),
        ] {
            let target = target.to_owned();
            assert_eq!(Place::of(url), Some(Place { secure, authority, name, port, target }), "{url}");
        }
        for url in ["http://", "http://a b/", "ftp://issuer", "https://me@issuer", "http://a:b/", "http:///a"]
        {
            assert_eq!(Place::of(url), None, "{url}");
        }
    }
}
