//! Where APIs are reached: by path on the server's own port, or by host as on AWS.

use crate::call::Call;
use wire::Request;

/// `<PATH><id>` stands for `https://<id>.execute-api.<region>.amazonaws.com`.
pub(crate) const PATH: &str = "/_millstream/api/";

/// The id of an API and the path behind it, which begins with a slash.
pub(super) fn of(request: &Request) -> Option<(String, String)> {
    if let Some(rest) = request.path.strip_prefix(PATH) {
        let (id, path) = rest.split_once('/').unwrap_or((rest, ""));
        return Some((id.to_owned(), format!("/{path}")));
    }
    let (id, rest) = request.header("host")?.split_once('.')?;
    rest.starts_with("execute-api.").then(|| (id.to_ascii_lowercase(), request.path.clone()))
}

/// `http://host:port` of this server, as the caller knows it.
pub(crate) fn origin(call: &Call, own: &str) -> String {
    match call.request.header("host") {
        Some(host) => format!("http://{host}"),
        None => own.to_owned(),
    }
}

/// An API's address without a slash at its end.
pub(crate) fn endpoint(origin: &str, id: &str) -> String {
    format!("{origin}{PATH}{id}")
}

#[cfg(test)]
mod tests {
    use super::of;
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
}
