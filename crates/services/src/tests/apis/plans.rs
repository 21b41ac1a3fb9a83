//! Methods that ask for a key: who has one, how fast they may call, and how often.

use crate::tests::bench::Bench;
use serde_json::{Value, json};

const FORBIDDEN: &str = "403 ForbiddenException {\"message\":\"Forbidden\"}";
const FAST: &str = "429 TooManyRequestsException {\"message\":\"Too Many Requests\"}";
const OFTEN: &str = "429 LimitExceededException {\"message\":\"Limit Exceeded\"}";
/// Long before there were any counts, so that all of them are told.
const YESTERDAY: &str = "2020-01-01";

struct Api {
    bench: Bench,
    id: String,
}

impl Api {
    /// An API whose method `GET /pets` asks for a key, and `GET /` for none, in the stages `prod` and `test`.
    fn new() -> Api {
        let bench = Bench::new();
        let made = bench.good("POST", "/restapis", json!({"name": "a"}));
        let (id, root) = (text(&made, "id"), text(&made, "rootResourceId"));
        let api = format!("/restapis/{id}");
        let pets = bench.good("POST", &format!("{api}/resources/{root}"), json!({"pathPart": "pets"}));
        for (resource, asks) in [(text(&pets, "id"), true), (root, false)] {
            let method = format!("{api}/resources/{resource}/methods/GET");
            let told =
                bench.good("PUT", &method, json!({"authorizationType": "NONE", "apiKeyRequired": asks}));
            assert_eq!(told["apiKeyRequired"], asks);
            let mock =
                json!({"type": "MOCK", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}});
            bench.good("PUT", &format!("{method}/integration"), mock);
            bench.good("PUT", &format!("{method}/responses/200"), json!({}));
            let template = json!({"responseTemplates": {"application/json": "$context.identity.apiKeyId"}});
            bench.good("PUT", &format!("{method}/integration/responses/200"), template);
        }
        for stage in ["prod", "test"] {
            bench.good("POST", &format!("{api}/deployments"), json!({"stageName": stage}));
        }
        Api { bench, id }
    }

    fn key(&self, name: &str) -> (String, String) {
        let made = self.bench.good("POST", "/apikeys", json!({"name": name, "enabled": true}));
        (text(&made, "id"), text(&made, "value"))
    }

    fn plan(&self, stage: &str, more: Value) -> String {
        let mut input = json!({"name": "p", "apiStages": [{"apiId": self.id, "stage": stage}]});
        for (member, value) in more.as_object().into_iter().flatten() {
            input[member] = value.clone();
        }
        text(&self.bench.good("POST", "/usageplans", input), "id")
    }

    fn join(&self, plan: &str, key: &str) -> Value {
        let input = json!({"keyId": key, "keyType": "API_KEY"});
        self.bench.good("POST", &format!("/usageplans/{plan}/keys"), input)
    }

    /// Status, kind of error and body.
    fn get(&self, path: &str, key: &str) -> String {
        let target = format!("/_millstream/api/{}{path}", self.id);
        let reply = self.bench.url("GET", &target, &[("x-api-key", key)], b"");
        let body = String::from_utf8_lossy(&reply.body).into_owned();
        format!("{} {} {body}", reply.status, reply.header("x-amzn-errortype"))
    }

    fn patch(&self, path: &str, changes: &[(&str, &str, &str)]) -> Value {
        let all: Vec<Value> =
            changes.iter().map(|(op, path, value)| json!({"op": op, "path": path, "value": value})).collect();
        self.bench.good("PATCH", path, json!({"patchOperations": all}))
    }
}

fn text(told: &Value, member: &str) -> String {
    told[member].as_str().unwrap_or_else(|| panic!("{member} of {told}")).to_owned()
}

#[test]
fn keys_of_plans_open_methods() {
    let api = Api::new();
    let (key, value) = api.key("k");
    let passes = format!("200  {key}");
    assert_eq!(api.get("/prod", ""), "200  ", "no key is asked for there");
    for wrong in ["", "nobody", &value] {
        assert_eq!(api.get("/prod/pets", wrong), FORBIDDEN, "{wrong}");
    }
    let plan = api.plan("prod", json!({}));
    let joined = api.join(&plan, &key);
    assert_eq!(joined, json!({"id": key, "value": value, "name": "k", "type": "API_KEY"}));
    assert_eq!(api.get("/prod/pets", &value), passes);
    assert_eq!(api.get("/test/pets", &value), FORBIDDEN, "the plan has the other stage");
    let one = format!("/apikeys/{key}");
    api.patch(&one, &[("replace", "/enabled", "false")]);
    assert_eq!(api.get("/prod/pets", &value), FORBIDDEN);
    api.patch(&one, &[("replace", "/enabled", "true")]);
    assert_eq!(api.get("/prod/pets", &value), passes);

    // No two plans of a key have the same stage.
    let second = api.plan("test", json!({}));
    api.join(&second, &key);
    assert_eq!(api.get("/test/pets", &value), passes);
    let stage = json!({"patchOperations": [{"op": "add", "path": "/apiStages", "value": format!("{}:prod", api.id)}]});
    let both = api.bench.bad("PATCH", &format!("/usageplans/{second}"), stage);
    assert!(both.contains("cannot reference multiple Usage Plans with the same API stage"), "{both}");
    let found = api.bench.good("GET", &format!("/usageplans?keyId={key}"), Value::Null);
    assert_eq!(found["item"].as_array().map(Vec::len), Some(2));

    let used = api.bench.bad("DELETE", &format!("/usageplans/{plan}"), Value::Null);
    let words = format!(
        "Cannot delete Usage Plan {plan} because there are API Stages associated with it, including {}:prod",
        api.id
    );
    assert_eq!(used, format!("400 BadRequestException: {words}"));
    // A stage that goes leaves its plans; a key that goes, too.
    api.bench.good("DELETE", &format!("/restapis/{}/stages/prod", api.id), Value::Null);
    api.bench.good("DELETE", &format!("/usageplans/{plan}"), Value::Null);
    api.bench.good("DELETE", &one, Value::Null);
    assert_eq!(api.get("/test/pets", &value), FORBIDDEN);
    let keys = api.bench.good("GET", &format!("/usageplans/{second}/keys"), Value::Null);
    assert_eq!(keys["item"], json!([]));
}

#[test]
fn plans_say_how_fast_and_how_often() {
    let api = Api::new();
    let (key, value) = api.key("k");
    let plan = api.plan("prod", json!({"quota": {"limit": 2, "period": "DAY"}}));
    api.join(&plan, &key);
    let passes = format!("200  {key}");
    let asked: Vec<String> = (0..3).map(|_| api.get("/prod/pets", &value)).collect();
    assert_eq!(asked, [passes.as_str(), &passes, OFTEN]);
    let usage = format!("/usageplans/{plan}/keys/{key}/usage");
    let told = api.patch(&usage, &[("replace", "/remaining", "1")]);
    assert_eq!(told["values"][&key], json!([[2, 1]]));
    let asked: Vec<String> = (0..2).map(|_| api.get("/prod/pets", &value)).collect();
    assert_eq!(asked, [passes.as_str(), OFTEN]);
    let today = text(&told, "startDate");
    let told = api.bench.good(
        "GET",
        &format!("/usageplans/{plan}/usage?startDate={today}&endDate={today}"),
        Value::Null,
    );
    assert_eq!(told["values"], json!({ key.as_str(): [[3, 0]] }));
    let long = format!("/usageplans/{plan}/usage?startDate={YESTERDAY}&endDate={today}");
    assert_eq!(
        api.bench.bad("GET", &long, Value::Null),
        "400 BadRequestException: Usage is told of 90 days at most"
    );

    // A method's own limits go before those of the plan; neither is ever full again here.
    let at = format!("/usageplans/{plan}");
    api.patch(
        &at,
        &[
            ("remove", "/quota", ""),
            ("replace", "/throttle/rateLimit", "0"),
            ("replace", "/throttle/burstLimit", "1"),
        ],
    );
    let asked: Vec<String> = (0..2).map(|_| api.get("/prod/pets", &value)).collect();
    assert_eq!(asked, [passes.as_str(), FAST]);
    let own = format!("/apiStages/{}:prod/throttle/~1pets/GET", api.id);
    let changed = api.patch(
        &at,
        &[("replace", &format!("{own}/rateLimit"), "0"), ("replace", &format!("{own}/burstLimit"), "2")],
    );
    assert_eq!(changed["apiStages"][0]["throttle"], json!({"/pets/GET": {"rateLimit": 0, "burstLimit": 2}}));
    let asked: Vec<String> = (0..3).map(|_| api.get("/prod/pets", &value)).collect();
    assert_eq!(asked, [passes.as_str(), &passes, FAST]);
}

#[test]
fn keys_and_plans_are_told_and_checked() {
    let api = Api::new();
    let given = json!({"name": "mine", "value": "abcdefghij0123456789", "generateDistinctId": false, "customerId": "c",
        "stageKeys": [{"restApiId": api.id, "stageName": "prod"}], "tags": {"a": "b"}});
    let made = api.bench.good("POST", "/apikeys", given.clone());
    assert_eq!((&made["id"], &made["enabled"]), (&given["value"], &json!(false)));
    assert_eq!(made["stageKeys"], json!([format!("{}/prod", api.id)]));
    assert_eq!(api.bench.bad("POST", "/apikeys", given), "409 ConflictException: API Key already exists");
    let (other, value) = api.key("other");
    assert_eq!(value.len(), 40);
    let told = api.bench.good("GET", &format!("/apikeys/{other}?includeValue=true"), Value::Null);
    assert_eq!(told["value"], value);
    let told = api.bench.good("GET", "/apikeys?name=mi", Value::Null);
    assert_eq!((&told["item"][0]["name"], told["item"][0].get("value")), (&json!("mine"), None));
    assert_eq!(told["item"].as_array().map(Vec::len), Some(1));
    let arn = "arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Fapikeys%2Fabcdefghij0123456789";
    api.bench.good("PUT", &format!("/tags/{arn}"), json!({"tags": {"c": "d"}}));
    let tags = api.bench.good("GET", &format!("/tags/{arn}"), Value::Null);
    assert_eq!(tags["tags"], json!({"a": "b", "c": "d"}));

    let quota = |limit: i64, period: &str| json!({"name": "p", "quota": {"limit": limit, "period": period}});
    let stage = |stage: &str| json!({"name": "p", "apiStages": [{"apiId": api.id, "stage": stage}]});
    for (path, input, expected) in [
        ("/apikeys", json!({"value": "short"}), "400 BadRequestException: API Key value should be at least 20 characters".to_owned()),
        ("/usageplans", stage("none"), format!("404 NotFoundException: API Stage not found: {}:none", api.id)),
        ("/usageplans", quota(0, "DAY"), "400 BadRequestException: Usage Plan quota needs a limit above 0 and a period: DAY, WEEK or MONTH".to_owned()),
    ] {
        assert_eq!(api.bench.bad("POST", path, input), expected);
    }
    assert!(api.bench.bad("POST", "/usageplans", quota(1, "YEAR")).starts_with("400 ValidationException"));
    let missing = api.bench.bad("GET", "/apikeys/none", Value::Null);
    assert_eq!(missing, "404 NotFoundException: Invalid API Key identifier specified");
}
