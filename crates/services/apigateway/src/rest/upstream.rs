//! Servers elsewhere behind methods: asked as the integration says it (`HTTP`), or as the client did (`HTTP_PROXY`).

use super::fault::Fault;
use super::mapping::Parameters;
use super::respond::Told;
use super::serve::Run;
use crate::outside::{Answer, Errand, Trouble, address};
use crate::reply;
use crate::target::with_variables;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use wire::{Response, percent};

/// What an answer may carry.
const ANSWER_BYTES_MAX: usize = 10 << 20;

impl Run<'_> {
    /// The client's headers, query and body are passed on, and the answer is the response.
    pub(super) async fn upstream_as_it_is(&self) -> Result<Response, Fault> {
        let parameters = self.parameters(&self.context);
        let request = self.visit.request;
        let mut headers = HeaderMap::new();
        for (name, values) in self.visit.headers() {
            if !["host", "content-length"].contains(&name.as_str()) {
                values.iter().for_each(|value| put(&mut headers, &name, value, HeaderMap::append));
            }
        }
        self.finish(&mut headers, &parameters);
        let url = self.url(&parameters, &request.query)?;
        let answer = self.ask(&url, headers, request.body.clone()).await?;
        Ok(reply::passed_on(answer))
    }

    /// What is sent is what templates and mappings say, and the response is made of the answer by those, too.
    pub(super) async fn upstream(&self) -> Result<Response, Fault> {
        let sent = self.request_body()?;
        let parameters = self.parameters(&sent.context);
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
        if !sent.body.is_empty() {
            let kind = self.visit.request.header("content-type").unwrap_or("application/json");
            put(&mut headers, "content-type", kind, HeaderMap::insert);
        }
        self.finish(&mut headers, &parameters);
        let Answer { status, headers, body } =
            self.ask(&self.url(&parameters, "")?, headers, sent.body.clone()).await?;
        let told = Told { body, selects: Some(status.as_str()), headers: Some(&headers) };
        self.respond(&told, &sent.context)
    }

    /// What every request has, and what is mapped.
    fn finish(&self, headers: &mut HeaderMap, parameters: &Parameters) {
        if !headers.contains_key("user-agent") {
            put(headers, "user-agent", &format!("AmazonAPIGateway_{}", self.visit.api), HeaderMap::insert);
        }
        put(headers, "x-amzn-apigateway-api-id", self.visit.api, HeaderMap::insert);
        put(headers, "x-amzn-trace-id", self.visit.trace_id, HeaderMap::insert);
        for (name, value) in &parameters.headers {
            put(headers, name, value, HeaderMap::insert);
        }
    }

    /// The integration's URL with its variables, the client's query, and the parameters that are mapped.
    fn url(&self, parameters: &Parameters, query: &str) -> Result<String, Fault> {
        let uri = with_variables(self.member("uri").unwrap_or_default(), self.stage.variables.as_ref());
        let path = parameters.path.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut mapped = Vec::new();
        for (name, values) in &parameters.query {
            mapped.extend(
                values.iter().map(|value| format!("{}={}", percent::encode(name), percent::encode(value))),
            );
        }
        Ok(address(&uri, path, &[query, &mapped.join("&")]))
    }

    async fn ask(&self, url: &str, headers: HeaderMap, body: Bytes) -> Result<Answer, Fault> {
        let verb = self.member("httpMethod").filter(|verb| *verb != "ANY");
        let method = match verb {
            Some(verb) => verb.parse().map_err(|_| Fault::Configuration)?,
            None => self.visit.request.method.clone(),
        };
        let body = if method == Method::HEAD { Bytes::new() } else { body };
        let (timeout, answer_bytes_max) = (self.timeout(), ANSWER_BYTES_MAX);
        let errand = Errand { method, url, headers, body, timeout, answer_bytes_max };
        self.outside.ask(errand).await.map_err(|trouble| match trouble {
            Trouble::Timeout => Fault::Timeout,
            Trouble::Network(_) => Fault::Network,
            Trouble::Address(_) | Trouble::TooLarge => Fault::Configuration,
        })
    }
}

/// Sets or adds a header; what HTTP does not allow is left out.
fn put<R>(
    headers: &mut HeaderMap,
    name: &str,
    value: &str,
    how: fn(&mut HeaderMap, HeaderName, HeaderValue) -> R,
) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        how(headers, name, value);
    }
}
