//! Servers elsewhere behind APIs: what they are asked, and what becomes of their answers.

use crate::tests::bench::{Bench, Reply};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// A server that tells what it was asked; a header `x-status` says the status, `x-silent` that it is not to answer.
struct Echo {
    place: String,
}

impl Echo {
    fn new() -> Echo {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let place = format!("127.0.0.1:{}", listener.local_addr().expect("an address").port());
        std::thread::spawn(move || {
            listener.incoming().flatten().for_each(|stream| drop(std::thread::spawn(|| answer(stream))))
        });
        Echo { place }
    }

    fn url(&self, rest: &str) -> String {
        format!("http://{}{rest}", self.place)
    }
}

fn answer(mut stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().map(|_| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = serde_json::Map::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.insert(name.to_owned(), value.into());
    }
    let length = headers.get("content-length").and_then(|length| length.as_str()?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    if headers.contains_key("x-silent") {
        // Until the caller gives up.
        let _ = stream.read(&mut [0]);
        return None;
    }
    let status = headers.get("x-status").and_then(Value::as_str).unwrap_or("200").to_owned();
    let told = json!({
        "method": first.split(' ').next(), "target": first.split(' ').nth(1), "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    let told = told.to_string();
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: text/plain\r\nx-own: o\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\
         server: echo\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        told.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(told.as_bytes()).ok()
}

struct Api {
    bench: Bench,
    id: String,
}

/// An address that nobody listens at.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://127.0.0.1:{}/", listener.local_addr().expect("an address").port())
}

impl Api {
    /// A REST API with a method at `/{id}`, in front of this integration.
    fn rest(parameters: Value, integration: Value, responses: &[Value]) -> Api {
        let bench = Bench::new();
        let made = bench.good("POST", "/restapis", json!({"name": "a"}));
        let (id, root) =
            (made["id"].as_str().expect("an id"), made["rootResourceId"].as_str().expect("a root"));
        let made =
            bench.good("POST", &format!("/restapis/{id}/resources/{root}"), json!({"pathPart": "{id}"}));
        let resource = made["id"].as_str().expect("an id");
        let method = format!("/restapis/{id}/resources/{resource}/methods/ANY");
        bench.good("PUT", &method, json!({"authorizationType": "NONE", "requestParameters": parameters}));
        let status = json!({"responseParameters": {"method.response.header.x-got": true}});
        bench.good("PUT", &format!("{method}/integration"), integration);
        for response in responses {
            let code = response["statusCode"].as_str().expect("a status");
            bench.good("PUT", &format!("{method}/responses/{code}"), status.clone());
            bench.good("PUT", &format!("{method}/integration/responses/{code}"), response.clone());
        }
        let stage = json!({"stageName": "s", "variables": {"host": "x"}});
        bench.good("POST", &format!("/restapis/{id}/deployments"), stage);
        Api { id: id.to_owned(), bench }
    }

    /// An HTTP API with a route to this integration.
    fn http(key: &str, integration: Value) -> Api {
        let bench = Bench::new();
        let made = bench.good("POST", "/v2/apis", json!({"name": "a", "protocolType": "HTTP"}));
        let id = made["apiId"].as_str().expect("an id");
        let made = bench.good("POST", &format!("/v2/apis/{id}/integrations"), integration);
        let target = format!("integrations/{}", made["integrationId"].as_str().expect("an id"));
        bench.good("POST", &format!("/v2/apis/{id}/routes"), json!({"routeKey": key, "target": target}));
        let stage = json!({"stageName": "s", "autoDeploy": true, "stageVariables": {"k": "v"}});
        bench.good("POST", &format!("/v2/apis/{id}/stages"), stage);
        Api { id: id.to_owned(), bench }
    }

    fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.bench.url(method, &format!("/_millstream/api/{}/s{target}", self.id), headers, body.as_bytes())
    }
}

fn text(reply: &Reply) -> String {
    format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body))
}

/// [recorded: HTTP_PROXY, request data mappings]
#[test]
fn a_proxy_passes_on_what_it_is_given_and_what_is_mapped() {
    let echo = Echo::new();
    let parameters = json!({
        "method.request.path.id": true, "method.request.header.foobar": false,
        "method.request.header.none": false, "method.request.querystring.var": false,
    });
    let mapped = json!({
        "integration.request.header.headerVar": "method.request.header.foobar",
        "integration.request.path.one": "method.request.querystring.var",
        "integration.request.path.two": "method.request.path.id",
        "integration.request.querystring.more": "method.request.querystring.var",
        "integration.request.querystring.empty": "method.request.header.none",
        "integration.request.header.x-stage": "context.stage",
        "integration.request.header.x-fixed": "'f'",
        "integration.request.header.x-host": "stageVariables.host",
    });
    let uri = echo.url("/p/{two}?more={one}");
    let integration =
        json!({"type": "HTTP_PROXY", "httpMethod": "ANY", "uri": uri, "requestParameters": mapped});
    let api = Api::rest(parameters, integration, &[]);
    let headers = [
        ("foobar", "mapped"),
        ("headervar", "client's"),
        ("user-agent", "me"),
        ("accept", "a/b"),
        ("x-status", "404"),
    ];
    let reply = api.ask("POST", "/a%20b?var=v%26&var=w", &headers, "body");
    let told = reply.json();
    assert_eq!((reply.status, &told["method"]), (404, &json!("POST")));
    assert_eq!(told["target"], "/p/a%20b?more=w&var=v%26&var=w&more=w");
    assert_eq!(told["body"], "body");
    for (name, value) in [
        ("headervar", "mapped"),
        ("foobar", "mapped"),
        ("x-stage", "s"),
        ("x-fixed", "f"),
        ("x-host", "x"),
        ("user-agent", "me"),
        ("accept", "a/b"),
        ("host", &echo.place),
        ("x-amzn-apigateway-api-id", &api.id),
        ("x-forwarded-proto", "https"),
    ] {
        assert_eq!(told["headers"][name], value, "{name}");
    }
    for (name, value) in [("content-type", "text/plain"), ("x-own", "o"), ("x-amzn-remapped-server", "echo")]
    {
        assert_eq!(reply.header(name), value, "{name}");
    }
    assert_eq!(reply.headers.get_all("set-cookie").iter().count(), 2);
    assert!(
        reply.headers.contains_key("x-amzn-remapped-content-length") && !reply.headers.contains_key("server")
    );
}

#[test]
fn what_is_no_proxy_sends_and_answers_what_templates_say() {
    let echo = Echo::new();
    let template = r##"#set($context.requestOverride.header.x-status = "$input.params('want')")#set($context.requestOverride.querystring.q = "o")sent $input.path('$.a')"##;
    let integration = json!({
        "type": "HTTP", "httpMethod": "PUT", "uri": echo.url("/fixed"),
        "requestParameters": {
            "integration.request.querystring.q": "'lost'", "integration.request.header.x-part": "method.request.body.a",
        },
        "requestTemplates": {"application/json": template},
    });
    let found = json!({
        "statusCode": "200",
        "responseParameters": {"method.response.header.x-got": "integration.response.header.x-own"},
        "responseTemplates": {"application/json": "$input.path('$.body') $input.path('$.method') $input.path('$.target')"},
    });
    let missing = json!({
        "statusCode": "410", "selectionPattern": "4\\d\\d",
        "responseParameters": {"method.response.header.x-got": "integration.response.multivalueheader.set-cookie"},
    });
    let api = Api::rest(json!({}), integration, &[found, missing]);
    let reply = api.ask("GET", "/a?want=201&lost=1", &[("x-lost", "l")], r#"{"a": "b"}"#);
    assert_eq!(text(&reply), "200 sent b PUT /fixed?q=o");
    assert_eq!(reply.header("x-got"), "o");
    assert_eq!(reply.header("set-cookie"), "");
    let reply = api.ask("GET", "/a?want=404", &[("x-lost", "l")], r#"{"a": "b"}"#);
    assert_eq!((reply.status, reply.header("x-got")), (410, "a=1,b=2"));
    let headers = &reply.json()["headers"];
    assert_eq!(headers["accept"], "application/json");
    assert_eq!(headers["user-agent"], format!("AmazonAPIGateway_{}", api.id));
    assert_eq!((&headers["x-part"], &headers["x-lost"]), (&json!("b"), &Value::Null));
}

#[test]
fn servers_that_do_not_answer() {
    let echo = Echo::new();
    let rest = |uri: &str, timeout: u32| {
        let integration =
            json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": uri, "timeoutInMillis": timeout});
        Api::rest(json!({}), integration, &[])
    };
    let silent = [("x-silent", "1")];
    let reply = rest(&echo.url("/"), 50).ask("GET", "/a", &silent, "");
    assert_eq!(text(&reply), r#"504 {"message": "Endpoint request timed out"}"#);
    let reply = rest(&nobody(), 29_000).ask("GET", "/a", &[], "");
    assert_eq!(text(&reply), r#"504 {"message": "Network error communicating with endpoint"}"#);
    let reply = rest("http://name.invalid/", 29_000).ask("GET", "/a", &[], "");
    assert_eq!(text(&reply), r#"500 {"message": "Internal server error"}"#);
    let http = |uri: &str| {
        let integration = json!({
            "integrationType": "HTTP_PROXY", "integrationUri": uri, "payloadFormatVersion": "1.0", "timeoutInMillis": 50,
        });
        Api::http("$default", integration)
    };
    for uri in [echo.url("/"), nobody()] {
        let reply = http(&uri).ask("GET", "/a", &silent, "");
        assert_eq!(text(&reply), r#"503 {"message":"Service Unavailable"}"#);
    }
}

#[test]
fn an_http_api_passes_requests_on_and_changes_them() {
    let echo = Echo::new();
    let api = Api::http(
        "ANY /x/{proxy+}",
        json!({
            "integrationType": "HTTP_PROXY", "integrationUri": echo.url("/up/{proxy}"), "integrationMethod": "ANY",
            "requestParameters": {
                "overwrite:header.x-who": "${request.header.x-name} of $context.stage/$stageVariables.k",
                "append:querystring.more": "$request.querystring.a",
                "remove:querystring.gone": "''",
                "append:header.x-none": "$request.header.nothing",
                "overwrite:header.x-body": "$request.body.b[1].c",
            },
            "responseParameters": {
                "201": {"overwrite:statuscode": "418", "append:header.x-more": "$response.header.x-own $response.body.method"},
            },
        }),
    );
    let headers = [("x-name", "n"), ("x-status", "201"), ("x-who", "w")];
    let reply = api.ask("PATCH", "/x/a/b%20c?a=1&gone=2", &headers, r#"{"b": [0, {"c": 7}]}"#);
    let told = reply.json();
    assert_eq!((reply.status, reply.header("x-more")), (418, "o PATCH"));
    assert_eq!((&told["method"], &told["target"]), (&json!("PATCH"), &json!("/up/a/b%20c?a=1&more=1")));
    for (name, value) in [("x-who", "n of s/v"), ("x-body", "7"), ("via", "HTTP/1.1 AmazonAPIGateway")] {
        assert_eq!(told["headers"][name], value, "{name}");
    }
    assert_eq!(told["headers"].get("x-none"), None);
    assert_eq!(api.ask("GET", "/x/a", &[], "").status, 200);
    // Another path, and the part of it that a route names.
    let integrations = format!("/v2/apis/{}/integrations", api.id);
    let made = api.bench.good("GET", &integrations, Value::Null);
    let integration =
        format!("{integrations}/{}", made["items"][0]["integrationId"].as_str().expect("an id"));
    let changed = json!({
        "requestParameters": {"overwrite:path": "/own$request.path", "overwrite:header.x-body": ""},
        "responseParameters": {"201": {}},
    });
    let told = api.bench.good("PATCH", &integration, changed);
    assert_eq!(told["requestParameters"]["overwrite:header.x-body"], Value::Null);
    assert_eq!(told.get("responseParameters"), None);
    let reply = api.ask("GET", "/x/a", &[("x-status", "201")], "");
    assert_eq!((reply.status, &reply.json()["target"]), (201, &json!("/own/x/a")));
}

#[test]
fn integrations_that_are_refused() {
    let api = Api::rest(json!({}), json!({"type": "MOCK"}), &[]);
    let root = api.bench.good("GET", &format!("/restapis/{}", api.id), Value::Null)["rootResourceId"].clone();
    let method = format!("/restapis/{}/resources/{}/methods/GET", api.id, root.as_str().expect("a root"));
    api.bench.good("PUT", &method, json!({"authorizationType": "NONE"}));
    for (integration, expect) in [
        (json!({"uri": "nothing"}), "Invalid HTTP endpoint specified for URI"),
        (json!({"uri": "http://h/", "httpMethod": ""}), "Enumeration value for HttpMethod must be non-empty"),
        (
            json!({"uri": "http://h/", "requestParameters": {"integration.request.path.a": "method.request.path.a"}}),
            "errors : [Invalid mapping expression parameter specified: method.request.path.a]",
        ),
        (
            json!({"uri": "http://h/", "requestParameters": {"integration.request.path.a": "nothing"}}),
            "errors : [Invalid mapping expression specified: nothing]",
        ),
    ] {
        let mut input = json!({"type": "HTTP_PROXY", "httpMethod": "GET"});
        input.as_object_mut().expect("an object").extend(integration.as_object().expect("an object").clone());
        let told = api.bench.bad("PUT", &format!("{method}/integration"), input);
        assert!(told.contains(expect), "{told}");
    }
    let made = api.bench.good("POST", "/v2/apis", json!({"name": "b", "protocolType": "HTTP"}));
    let integrations = format!("/v2/apis/{}/integrations", made["apiId"].as_str().expect("an id"));
    for (more, expect) in [
        (json!({"integrationUri": "ftp://h"}), "Invalid HTTP endpoint"),
        (json!({"payloadFormatVersion": "2.0"}), "must be 1.0"),
        (
            json!({"requestParameters": {"append:header.authorization": "x"}}),
            "Operations on header authorization are restricted",
        ),
        (json!({"requestParameters": {"append:path": "x"}}), "Invalid parameter mapping 'append:path'"),
        (
            json!({"requestParameters": {"append:header.x": "$response.header.x"}}),
            "Invalid parameter mapping",
        ),
        (json!({"responseParameters": {"20x": {"append:header.x": "y"}}}), "Invalid status code"),
    ] {
        let mut input = json!({
            "integrationType": "HTTP_PROXY", "integrationUri": "http://${stageVariables.h}/", "payloadFormatVersion": "1.0",
        });
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let told = api.bench.bad("POST", &integrations, input);
        assert!(told.contains(expect), "{told}");
    }
}
