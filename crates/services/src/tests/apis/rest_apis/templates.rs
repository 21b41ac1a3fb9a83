//! Mapping templates: what a function is given, and what becomes of its answer.

use super::{Api, URI};
use serde_json::json;

#[test]
fn answers_without_a_function_and_through_templates() {
    let api = Api::new(json!({}));
    // What CDK makes for other sites' pages.
    let mock = json!({"type": "MOCK", "requestTemplates": {"application/json": "{ statusCode: 204 }"}});
    api.method(&api.root, "OPTIONS", mock);
    let path = api.path(&format!("/resources/{}/methods/OPTIONS", api.root));
    let name = "method.response.header.Access-Control-Allow-Origin";
    api.bench.good("PUT", &format!("{path}/responses/204"), json!({"responseParameters": {name: true}}));
    let undeclared = json!({"responseParameters": {"method.response.header.X": "'*'"}});
    let refused = api.bench.bad("PUT", &format!("{path}/integration/responses/204"), undeclared);
    assert!(
        refused.starts_with("400 BadRequestException: Invalid mapping expression specified"),
        "{refused}"
    );
    let response = json!({"responseParameters": {name: "'https://a.example'"}});
    api.bench.good("PUT", &format!("{path}/integration/responses/204"), response);
    // A function that is given less than everything, and whose errors are told apart by their words.
    let template =
        r#"{"plain": $input.json('$.name'), "id": "$input.params('id')", "fail": $input.json('$.fail')}"#;
    let custom = json!({"type": "AWS", "httpMethod": "POST", "uri": URI, "requestTemplates": {"application/json": template}});
    let item = api.resource(&api.root, "{id}");
    api.method(&item, "POST", custom);
    let path = api.path(&format!("/resources/{item}/methods/POST"));
    for (status, response) in [
        (
            "200",
            json!({"responseTemplates": {"application/json": "hello $input.path('$.got.plain') $input.path('$.got.id')"}}),
        ),
        (
            "400",
            json!({"selectionPattern": "Bad: .*", "responseTemplates": {"application/json": "$input.path('$.errorMessage')"}}),
        ),
    ] {
        api.bench.good("PUT", &format!("{path}/responses/{status}"), json!({}));
        api.bench.good("PUT", &format!("{path}/integration/responses/{status}"), response);
    }
    api.deploy("p");
    let base = format!("/_millstream/api/{}/p", api.id);
    let reply = api.bench.url("OPTIONS", &base, &[], b"");
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, "https://a.example"));
    let post = |body: &str| {
        let reply = api.bench.url("POST", &format!("{base}/7"), &[], body.as_bytes());
        format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body))
    };
    assert_eq!(post(r#"{"name": "me"}"#), "200 hello me 7");
    assert_eq!(post(r#"{"fail": "x"}"#), "400 Bad: x");
    for (own, words) in [
        (
            json!({"requestTemplates": {"application/json": "#parse('a')"}}),
            "Template for application/json: #parse is not supported",
        ),
        (
            json!({"requestParameters": {"integration.request.header.X-Amz-Invocation-Type": "'Event'"}}),
            "integration.request.header.X-Amz-Invocation-Type is not supported: functions are waited for.",
        ),
        (
            json!({"requestParameters": {"integration.request.header.A": "method.nowhere"}}),
            "errors : [Invalid mapping expression specified: method.nowhere]",
        ),
    ] {
        let mut integration = json!({"type": "AWS", "httpMethod": "POST", "uri": URI});
        integration.as_object_mut().expect("members").extend(own.as_object().cloned().unwrap_or_default());
        let refused = api.bench.bad("PUT", &format!("{path}/integration"), integration);
        assert!(refused.ends_with(words), "{refused}");
    }
}

#[test]
fn what_a_request_s_template_sets_reaches_the_response() {
    let api = Api::new(json!({}));
    let asks = r##"#set($all = $input.params())
        #set($context.responseOverride.status = 203)#set($context.responseOverride.header.X-Kind = "b")
        #set($context.requestOverride.querystring[$all.querystring.k] = $input.path("$.list").size())
        {"statusCode": 200}"##;
    let answers = r##"#foreach($name in $context.requestOverride.querystring.keySet())$name=$context.requestOverride.querystring.get($name)#if($foreach.hasNext),#end#end"##;
    api.method(
        &api.root,
        "POST",
        json!({"type": "MOCK", "requestParameters": {}, "requestTemplates": {"application/json": asks}}),
    );
    let path = api.path(&format!("/resources/{}/methods/POST", api.root));
    api.bench.good("PUT", &format!("{path}/responses/200"), json!({}));
    let response = json!({"responseTemplates": {"text/plain": answers}});
    api.bench.good("PUT", &format!("{path}/integration/responses/200"), response);
    api.deploy("p");
    let reply =
        api.bench.url("POST", &format!("/_millstream/api/{}/p?k=many", api.id), &[], br#"{"list": [1, 2]}"#);
    assert_eq!((reply.status, reply.header("x-kind")), (203, "b"));
    assert_eq!(String::from_utf8_lossy(&reply.body), "many=2");
}
