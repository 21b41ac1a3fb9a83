//! Layers, alone and under functions.

use crate::tests::bench::Bench;
use ::functions::zip_of;
use serde_json::{Value, json};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:layer:";

fn layer(bench: &Bench, name: &str, files: &[(&str, &str)]) -> Value {
    let content = json!({ "ZipFile": wire::base64::encode(&zip_of(files)) });
    let input = json!({ "Content": content, "CompatibleRuntimes": ["python3.12"], "LicenseInfo": "MIT" });
    bench.good("POST", &format!("/2018-10-31/layers/{name}/versions"), input)
}

#[test]
fn a_layer_is_numbered_found_and_removed() {
    let bench = Bench::new();
    for number in 1..=2 {
        let made = layer(&bench, "l", &[("python/x.py", &format!("x = {number}"))]);
        assert_eq!(
            (&made["Version"], &made["LayerVersionArn"]),
            (&json!(number), &json!(format!("{ARN}l:{number}")))
        );
    }
    let got = bench.good("GET", "/2018-10-31/layers/l/versions/1", Value::Null);
    assert!(got["Content"]["Location"].as_str().unwrap().contains("/_millstream/code/"), "{got}");
    let by_arn =
        bench.good("GET", &format!("/2018-10-31/layers?find=LayerVersion&Arn={ARN}l:1"), Value::Null);
    assert_eq!(by_arn["Content"]["CodeSha256"], got["Content"]["CodeSha256"]);
    let versions = bench.good("GET", "/2018-10-31/layers/l/versions", Value::Null);
    assert_eq!(
        (&versions["LayerVersions"][0]["Version"], &versions["LayerVersions"][1]["Version"]),
        (&json!(2), &json!(1))
    );
    bench.good("DELETE", "/2018-10-31/layers/l/versions/2", Value::Null);
    // A number is never given out twice.
    assert_eq!(layer(&bench, "l", &[("a", "b")])["Version"], 3);
    let layers = bench.good("GET", "/2018-10-31/layers?CompatibleRuntime=python3.12", Value::Null);
    assert_eq!(layers["Layers"][0]["LatestMatchingVersion"]["Version"], 3);
    assert_eq!(
        bench.good("GET", "/2018-10-31/layers?CompatibleRuntime=nodejs20.x", Value::Null)["Layers"],
        json!([])
    );
    assert!(
        bench
            .bad("GET", "/2018-10-31/layers/l/versions/2", Value::Null)
            .starts_with("404 ResourceNotFoundException")
    );

    let policy = "/2018-10-31/layers/l/versions/1/policy";
    let grant = json!({ "StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "*" });
    assert!(bench.bad("GET", policy, Value::Null).starts_with("404"));
    bench.good("POST", policy, grant.clone());
    assert!(bench.bad("POST", policy, grant).starts_with("409"));
    assert!(bench.good("GET", policy, Value::Null)["Policy"].as_str().unwrap().contains("layer:l:1"));
    bench.good("DELETE", &format!("{policy}/s"), Value::Null);
    assert!(bench.bad("GET", policy, Value::Null).starts_with("404"));
}

#[test]
fn functions_stand_on_layers() {
    let bench = Bench::new();
    layer(&bench, "a", &[("python/x.py", "x = 'a'"), ("python/only.py", "y = 'a'")]);
    layer(&bench, "b", &[("python/x.py", "x = 'b'")]);
    layer(&bench, "b", &[("python/x.py", "x = 'b2'")]);
    let text = "import x, only\ndef handler(event, context):\n    return [x.x, only.y]";
    let made = bench.function("f", text, json!({ "Layers": [format!("{ARN}a:1"), format!("{ARN}b:1")] }));
    assert_eq!(made["Layers"][1]["Arn"], format!("{ARN}b:1"));
    assert_eq!(bench.invoke("f", Value::Null).json(), json!(["b", "a"]));
    // The last one lies on top; a removed version goes on under its functions.
    bench.good("DELETE", "/2018-10-31/layers/b/versions/1", Value::Null);
    assert_eq!(bench.invoke("f", Value::Null).json(), json!(["b", "a"]));
    let configuration = "/2015-03-31/functions/f/configuration";
    bench.good("PUT", configuration, json!({ "Layers": [format!("{ARN}b:2"), format!("{ARN}a:1")] }));
    assert_eq!(bench.invoke("f", Value::Null).json(), json!(["a", "a"]));
    for (layers, words) in [
        (json!([format!("{ARN}b:1")]), format!("Layer version {ARN}b:1 does not exist.")),
        (json!([format!("{ARN}b:2"), format!("{ARN}b:2")]), "are versions of the same layer.".to_owned()),
        (json!(vec![format!("{ARN}a:1"); 6]), "Cannot reference more than 5 layers.".to_owned()),
    ] {
        let refused = bench.bad("PUT", configuration, json!({ "Layers": layers }));
        assert!(
            refused.starts_with("400 InvalidParameterValueException") && refused.ends_with(&words),
            "{refused}"
        );
    }
    let bare = bench.good("PUT", configuration, json!({ "Layers": [] }));
    assert_eq!(bare.get("Layers"), None);
    assert!(
        bench.invoke("f", Value::Null).json()["errorType"].as_str().unwrap().contains("ImportModuleError")
    );
}
