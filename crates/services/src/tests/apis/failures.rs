//! A function that crashes, or may not run, behind both kinds of API: AWS's words, and nothing of what happened inside.

use crate::tests::bench::Bench;
use serde_json::{Value, json};

const TEXT: &str = "
import os, sys
def handler(event, context):
    how = (event.get('queryStringParameters') or {}).get('how')
    if how == 'raise':
        raise ValueError('a secret in ' + __file__)
    if how == 'exit':
        sys.exit(3)
    if how == 'die':
        os._exit(3)
    return {'statusCode': 200, 'body': 'well'}
";

#[test]
fn what_happened_inside_is_not_told_outside() {
    let bench = Bench::new();
    bench.function("f", TEXT, json!({}));
    let statement = json!({
        "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:*/*/*",
    });
    bench.good("POST", "/2015-03-31/functions/f/policy", statement);
    let text = |told: &Value, member: &str| told[member].as_str().expect(member).to_owned();
    let function = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let made =
        bench.good("POST", "/v2/apis", json!({"name": "h", "protocolType": "HTTP", "target": function}));
    let http = text(&made, "apiId");
    let made = bench.good("POST", "/restapis", json!({"name": "r"}));
    let (rest, root) = (text(&made, "id"), text(&made, "rootResourceId"));
    let method = format!("/restapis/{rest}/resources/{root}/methods/GET");
    bench.good("PUT", &method, json!({"authorizationType": "NONE"}));
    let uri = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations");
    let proxy = json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": uri});
    bench.good("PUT", &format!("{method}/integration"), proxy);
    bench.good("POST", &format!("/restapis/{rest}/deployments"), json!({"stageName": "prod"}));

    let get = |api: &str, how: &str| {
        let reply = bench.url("GET", &format!("/_millstream/api/{api}?how={how}"), &[], b"");
        format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body))
    };
    let (http, rest) = (format!("{http}/"), format!("{rest}/prod"));
    for how in ["raise", "exit", "die"] {
        assert_eq!(get(&http, how), "500 {\"message\":\"Internal Server Error\"}", "{how}");
        assert_eq!(get(&rest, how), "502 {\"message\": \"Internal server error\"}", "{how}");
    }
    assert_eq!([get(&http, ""), get(&rest, "")], ["200 well", "200 well"], "the next ones find it well");
    let none = json!({"ReservedConcurrentExecutions": 0});
    bench.good("PUT", "/2017-10-31/functions/f/concurrency", none);
    assert_eq!(get(&http, ""), "503 {\"message\":\"Service Unavailable\"}");
    assert_eq!(get(&rest, ""), "429 {\"message\":\"Too Many Requests\"}");
}
