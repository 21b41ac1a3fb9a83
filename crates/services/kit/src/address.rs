//! Where APIs are reached: by path on the server's own port, or by host as on AWS.

use crate::call::Call;
use wire::Request;

/// `<PATH><id>` stands for `https://<id>.execute-api.<region>.amazonaws.com`.
pub const PATH: &str = "/_millstream/api/";

/// The id of an API and the path behind it, which begins with a slash.
pub fn of(request: &Request) -> Option<(String, String)> {
    if let Some(rest) = request.path.strip_prefix(PATH) {
        let (id, path) = rest.split_once('/').unwrap_or((rest, ""));
        return Some((id.to_owned(), format!("/{path}")));
    }
    let (id, rest) = request.header("host")?.split_once('.')?;
    rest.starts_with("execute-api.").then(|| (id.to_ascii_lowercase(), request.path.clone()))
}

/// `http://host:port` of this server, as the caller knows it.
pub fn origin(call: &Call, own: &str) -> String {
    match call.request.header("host") {
        Some(host) => format!("http://{host}"),
        None => own.to_owned(),
    }
}

/// An API's address without a slash at its end.
pub fn endpoint(origin: &str, id: &str) -> String {
    format!("{origin}{PATH}{id}")
}

/// A text in which the addresses that APIs have on AWS are those they have here.
pub fn reachable(text: &str, origin: &str) -> String {
    const START: &str = "https://";
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(START) {
        out.push_str(before);
        let end = after.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-.".contains(letter)));
        let (host, path) = after.split_at(end.unwrap_or(after.len()));
        match api_of(host) {
            Some(id) => out.push_str(&endpoint(origin, id)),
            None => {
                out.push_str(START);
                out.push_str(host);
            }
        }
        rest = path;
    }
    out.push_str(rest);
    out
}

/// The id in `<id>.execute-api.<region>.amazonaws.com`.
fn api_of(host: &str) -> Option<&str> {
    let (id, rest) = host.split_once(".execute-api.")?;
    let (region, suffix) = rest.split_once('.')?;
    let is_id = id.len() == 10 && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (is_id && !region.is_empty() && ["amazonaws.com", "amazonaws.com.cn"].contains(&suffix)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::{of, reachable};
    use wire::Request;

    #[test]
    fn apis_are_found_by_path_and_by_host() {
        for (path, host, expect) in [
            ("/_millstream/api/abc/dev/x", "localhost", Some(("abc", "/dev/x"))),
            ("/_millstream/api/abc", "localhost", Some(("abc", "/"))),
            ("/_millstream/api/abc/", "localhost", Some(("abc", "/"))),
            ("/x/y", "abc.execute-api.us-east-1.amazonaws.com", Some(("abc", "/x/y"))),
            ("/x", "abc.execute-api.localhost:4566", Some(("abc", "/x"))),
            ("/x", "abc.lambda-url.us-east-1.localhost", None),
            ("/x", "localhost:4566", None),
        ] {
            let request = Request::default().with_target(path).with_header("host", host);
            let found = of(&request);
            let found = found.as_ref().map(|(id, path)| (id.as_str(), path.as_str()));
            assert_eq!(found, expect, "{host}{path}");
        }
    }

    #[test]
    fn addresses_in_texts_are_made_reachable() {
        for (text, expect) in [
            (
                "https://a123456789.execute-api.us-east-1.amazonaws.com/prod/",
                "http://h:1/_millstream/api/a123456789/prod/",
            ),
            (
                "https://a123456789.execute-api.us-east-1.amazonaws.com",
                "http://h:1/_millstream/api/a123456789",
            ),
            (
                "a https://b123456789.execute-api.cn-north-1.amazonaws.com.cn?x, https://c.example/",
                "a http://h:1/_millstream/api/b123456789?x, https://c.example/",
            ),
            (
                "https://short.execute-api.us-east-1.amazonaws.com/",
                "https://short.execute-api.us-east-1.amazonaws.com/",
            ),
            (
                "https://a123456789.execute-api.us-east-1.example.com/",
                "https://a123456789.execute-api.us-east-1.example.com/",
            ),
            ("plain", "plain"),
        ] {
            assert_eq!(reachable(text, "http://h:1"), expect);
        }
    }
}
