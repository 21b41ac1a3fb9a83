//! Models and request validators, as they are kept and as they serve.

use super::Api;
use serde_json::{Value, json};

fn schema(api: &Api, name: &str, schema: &Value) {
    let input = json!({"name": name, "contentType": "application/json", "schema": schema.to_string()});
    api.bench.good("POST", &api.path("/models"), input);
}

fn validator(api: &Api, parameters: bool, body: bool) -> String {
    let input = json!({"name": "v", "validateRequestParameters": parameters, "validateRequestBody": body});
    let made = api.bench.good("POST", &api.path("/requestvalidators"), input);
    made["id"].as_str().expect("an id").to_owned()
}

/// [recorded: request validators, models that refer to models]
#[test]
fn requests_are_held_against_what_their_method_asks() {
    let api = Api::new(json!({}));
    schema(
        &api,
        "pair",
        &json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}}}),
    );
    let url = format!("https://apigateway.amazonaws.com/restapis/{}/models/pair", api.id);
    schema(&api, "pairs", &json!({"type": "array", "items": {"$ref": url}}));
    let validator = validator(&api, true, true);
    let resource = api.resource(&api.root, "{id}");
    let method = api.path(&format!("/resources/{resource}/methods/POST"));
    let needed = json!({
        "method.request.querystring.qs1": true, "method.request.header.x-one": true, "method.request.path.other": true,
        "method.request.path.id": true, "method.request.header.x-two": false,
    });
    let asked = json!({
        "authorizationType": "NONE", "requestValidatorId": validator, "requestParameters": needed,
        "requestModels": {"application/json": "pair", "application/list": "pairs"},
    });
    api.bench.good("PUT", &method, asked);
    let mock = json!({"type": "MOCK", "requestTemplates": {"application/json": r#"{"statusCode": 200}"#}});
    api.bench.good("PUT", &format!("{method}/integration"), mock);
    api.bench.good("PUT", &format!("{method}/responses/200"), json!({}));
    api.bench.good("PUT", &format!("{method}/integration/responses/200"), json!({}));
    api.deploy("s");
    let ask = |query: &str, headers: &[(&str, &str)], body: &str| {
        let path = format!("/_millstream/api/{}/s/1{query}", api.id);
        let reply = api.bench.url("POST", &path, headers, body.as_bytes());
        (reply.status, String::from_utf8_lossy(&reply.body).into_owned())
    };
    let missing =
        |names: &str| (400, format!(r#"{{"message": "Missing required request parameters: [{names}]"}}"#));
    assert_eq!(ask("?qs1=", &[], r#"{"a": 1}"#), missing("x-one, other, qs1"));
    let removed = json!([{"op": "remove", "path": "/requestParameters/method.request.path.other"}]);
    api.bench.good("PATCH", &method, json!({"patchOperations": removed}));
    assert_eq!(ask("?qs1=1", &[], r#"{"a": 1}"#), missing("x-one, other"), "what is deployed serves");
    api.deploy("s");
    let one = ("x-one", "1");
    let invalid = (400, r#"{"message": "Invalid request body"}"#.to_owned());
    for (body, kind, expect) in [
        (r#"{"a": 1}"#, "application/json; charset=utf-8", 200),
        (r#"{"a": "1"}"#, "application/json", 400),
        ("{", "application/json", 400),
        ("", "application/json", 400),
        (r#"[{"a": 1}]"#, "application/list", 200),
        (r#"[{"a": 1}, {}]"#, "application/list", 400),
    ] {
        let (status, told) = ask("?qs1=1", &[one, ("content-type", kind)], body);
        let passed = status != 400;
        assert_eq!(passed, expect == 200, "{body}: {told}");
        assert!(passed || told == invalid.1, "{body}: {told}");
    }
    assert_eq!(ask("?qs1=1", &[one], "{}"), invalid, "what names no type is JSON");
    // A gateway response may say why.
    let words = json!({"responseTemplates": {"application/json": "$context.error.validationErrorString"}});
    api.bench.good("PUT", &api.path("/gatewayresponses/BAD_REQUEST_BODY"), words);
    api.deploy("s");
    let why = r#"[object has missing required properties (["a"])]"#;
    assert_eq!(ask("?qs1=1", &[one], "{}"), (400, why.to_owned()));
    let off = json!([
        {"op": "replace", "path": "/validateRequestBody", "value": "false"},
        {"op": "replace", "path": "/validateRequestParameters"},
    ]);
    let told = api.bench.good(
        "PATCH",
        &api.path(&format!("/requestvalidators/{validator}")),
        json!({"patchOperations": off}),
    );
    assert_eq!(
        (&told["validateRequestBody"], &told["validateRequestParameters"]),
        (&json!(false), &json!(false))
    );
    api.deploy("s");
    assert_eq!(ask("", &[], "").0, 200);
}

/// [recorded: model validation, request validators]
#[test]
fn models_and_validators_are_checked() {
    let api = Api::new(json!({}));
    let object = json!({"type": "object"});
    schema(&api, "one", &object);
    let url = format!("https://apigateway.amazonaws.com/restapis/{}/models/one", api.id);
    schema(&api, "two", &json!({"items": {"$ref": url}}));
    let told = api.bench.good("GET", &api.path("/models"), Value::Null);
    let names: Vec<_> =
        told["item"].as_array().into_iter().flatten().map(|one| one["name"].as_str()).collect();
    assert_eq!(names, [Some("Empty"), Some("Error"), Some("one"), Some("two")]);
    let validator = validator(&api, false, false);
    let method = api.path(&format!("/resources/{}/methods/GET", api.root));
    let uses = json!({"authorizationType": "NONE", "requestModels": {"application/json": "two"}, "requestValidatorId": validator});
    api.bench.good("PUT", &method, uses);
    let own = |path: &str| format!("/restapis/{}{path}", api.id);
    let model =
        |name: &str, schema: &str| json!({"name": name, "contentType": "application/json", "schema": schema});
    let patch = |op: &str, path: &str, value: &str| json!({"patchOperations": [{"op": op, "path": path, "value": value}]});
    let empty = "400 BadRequestException: Model schema must have at least 1 property or array items defined";
    let lost = "404 NotFoundException: Invalid Request Validator identifier specified";
    for (verb, path, input, expect) in [
        ("POST", own("/models"), model("", "{}"), "400 BadRequestException: Model name must be non-empty"),
        (
            "POST",
            own("/models"),
            model("a-b", "{}"),
            "400 BadRequestException: Model name must be alphanumeric: a-b",
        ),
        ("POST", own("/models"), model("a", ""), empty),
        ("POST", own("/models"), json!({"name": "a", "contentType": "application/xml"}), empty),
        (
            "POST",
            own("/models"),
            model("a", "{"),
            "400 BadRequestException: Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]",
        ),
        (
            "POST",
            own("/models"),
            model("one", "{}"),
            "409 ConflictException: Model name already exists for this REST API",
        ),
        (
            "GET",
            own("/models/none"),
            Value::Null,
            "404 NotFoundException: Invalid model name specified: none",
        ),
        (
            "GET",
            "/restapis/none/models/m".to_owned(),
            Value::Null,
            "404 NotFoundException: Invalid model name specified: m",
        ),
        (
            "DELETE",
            "/restapis/none/models/m".to_owned(),
            Value::Null,
            "404 NotFoundException: Invalid model name specified: m",
        ),
        (
            "GET",
            "/restapis/none/models".to_owned(),
            Value::Null,
            "404 NotFoundException: Invalid API identifier specified 123456789012:none",
        ),
        (
            "DELETE",
            own("/models/two"),
            Value::Null,
            "409 ConflictException: Cannot delete model 'two', is referenced in method request: //GET",
        ),
        (
            "DELETE",
            own("/models/one"),
            Value::Null,
            "409 ConflictException: Cannot delete model 'one', is referenced in model: two",
        ),
        (
            "PATCH",
            own("/models/one"),
            patch("add", "/wrong-path", ""),
            "400 BadRequestException: Invalid patch path  '/wrong-path' specified for op 'add'. Please choose supported operations",
        ),
        (
            "PATCH",
            own("/models/one"),
            patch("replace", "/name", "x"),
            "400 BadRequestException: Invalid patch path  '/name' specified for op 'replace'. Must be one of: [/description, /schema]",
        ),
        ("PATCH", own("/models/one"), patch("replace", "/schema", ""), empty),
        (
            "PUT",
            own(&format!("/resources/{}/methods/PUT", api.root)),
            json!({"authorizationType": "NONE", "requestValidatorId": "none"}),
            "400 BadRequestException: Invalid Request Validator identifier specified",
        ),
        (
            "PUT",
            own(&format!("/resources/{}/methods/PUT", api.root)),
            json!({"authorizationType": "NONE", "requestModels": {"a/b": "none"}}),
            "400 BadRequestException: Invalid model identifier specified: none",
        ),
        (
            "POST",
            "/restapis/none/requestvalidators".to_owned(),
            json!({"name": "v"}),
            "400 BadRequestException: Invalid REST API identifier specified",
        ),
        ("GET", "/restapis/none/requestvalidators/v".to_owned(), Value::Null, lost),
        ("DELETE", own("/requestvalidators/v"), Value::Null, lost),
        (
            "DELETE",
            own(&format!("/requestvalidators/{validator}")),
            Value::Null,
            "409 ConflictException: Cannot delete request validator",
        ),
        (
            "PATCH",
            own(&format!("/requestvalidators/{validator}")),
            patch("remove", "/validateRequestBody", "true"),
            "400 BadRequestException: Invalid patch path  '/validateRequestBody' specified for op 'remove'. Please choose supported operations",
        ),
        (
            "PATCH",
            own(&format!("/requestvalidators/{validator}")),
            patch("replace", "/name", " "),
            "400 BadRequestException: Request Validator name cannot be blank",
        ),
        (
            "PATCH",
            own(&format!("/requestvalidators/{validator}")),
            patch("replace", "/x", ""),
            "400 BadRequestException: Invalid patch path  '/x' specified for op 'replace'. Must be one of: [/name, /validateRequestParameters, /validateRequestBody]",
        ),
    ] {
        let refused = api.bench.bad(verb, &path, input);
        assert!(refused.starts_with(expect), "{verb} {path}: {refused}");
    }
    let freed = json!({"patchOperations": [
        {"op": "remove", "path": "/requestModels/application~1json"}, {"op": "replace", "path": "/requestValidatorId", "value": ""},
    ]});
    let told = api.bench.good("PATCH", &method, freed);
    assert_eq!((told.get("requestModels"), told.get("requestValidatorId")), (None, None));
    for path in ["/models/two", "/models/one", &format!("/requestvalidators/{validator}")] {
        api.bench.good("DELETE", &api.path(path), Value::Null);
    }
    let wrong = patch("wrong", "/name", "x");
    assert_eq!(
        api.bench.bad("PATCH", &api.path(""), wrong),
        "400 ValidationException: 1 validation error detected: Value 'wrong' at 'updateRestApiInput.patchOperations.1.member.op' failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]"
    );
    let both = json!({"patchOperations": [{"op": "wrong", "path": "/x"}]});
    let told = api.bench.bad("PATCH", &format!("{method}/responses/wrong"), both);
    assert!(told.ends_with(r"[add, remove, move, test, replace, copy]; Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\d\d"), "{told}");
}
