//! Parameters as clients see them.

use super::Parameters;
use super::name::{asked, below, check};
use crate::testing::{call, document};
use serde_json::{Value, json};
use servicekit::house::House;
use servicekit::vault::Vault;
use store::Store;
use wire::Request;
use world::World;

struct Bench(Parameters);

impl Bench {
    fn new() -> Bench {
        let (store, world) = (Store::memory(), World::simulated(6));
        Bench(Parameters::over(&store, &world, &Vault::fleeting(&world), House::empty()))
    }

    async fn ask(&self, operation: &str, input: Value) -> Value {
        let service = &api::tables::ssm::SERVICE;
        let call = call(service, operation, Request::post(input.to_string()));
        let response = self.0.call(call).await;
        document(&response)
    }

    /// The code of a refusal.
    async fn refused(&self, operation: &str, input: Value) -> String {
        let answer = self.ask(operation, input).await;
        answer["__type"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    async fn put(&self, name: &str, kind: &str, value: &str) -> Value {
        let input = json!({"Name": name, "Type": kind, "Value": value, "Overwrite": true});
        self.ask("PutParameter", input).await
    }

    async fn get(&self, name: &str) -> Value {
        let answer = self.ask("GetParameter", json!({"Name": name, "WithDecryption": true})).await;
        answer["Parameter"]["Value"].clone()
    }
}

#[test]
fn names_are_checked_and_found_in_arns() {
    for name in ["a", "/a", "/a/b.c-d_e", "/ssmx/../x", "/x/aws"] {
        assert_eq!(check(name).is_ok(), !name.contains("ssm"), "{name}");
    }
    for name in ["aws", "/awsome", "a/b", "/a//b", "/a/", "/", "a b", "/a:b", "/ssm/x"] {
        assert_eq!(
            check(name).map_err(|error| error.name().to_owned()),
            Err("ValidationException".into()),
            "{name}"
        );
    }
    assert_eq!(check("/aws/x").expect_err("reserved").name(), "AccessDeniedException");
    let deep = "/x".repeat(16);
    assert_eq!(check(&deep).expect_err("deep").name(), "HierarchyLevelLimitExceededException");
    assert!(check(&deep[2..]).is_ok());

    let of = |text| asked(text).map(|asked| (asked.names, asked.selector));
    assert_eq!(of("/a/b:3"), Some((vec!["/a/b"], Some("3"))));
    assert_eq!(of("arn:aws:ssm:us-east-1:1:parameter/a/b:live"), Some((vec!["/a/b"], Some("live"))));
    assert_eq!(of("arn:aws:ssm:us-east-1:1:parameter/a"), Some((vec!["a", "/a"], None)));
    assert_eq!(of("arn:aws:ssm:us-east-1:1:document/a"), None);
    assert!(below("/a/b", "/a/", false) && below("/a/b/c", "/a/", true) && below("top", "/", false));
    assert!(!below("/a/b/c", "/a/", false) && !below("/ab", "/a/", true));
}

#[tokio::test]
async fn versions_are_selected_by_number_and_label() {
    let bench = Bench::new();
    assert_eq!(bench.put("/a/b", "String", "one").await, json!({"Version": 1, "Tier": "Standard"}));
    assert_eq!(bench.put("/a/b", "String", "two").await["Version"], 2);
    let label = json!({"Name": "/a/b", "ParameterVersion": 1, "Labels": ["live", "aws-no", "1st"]});
    let labelled = bench.ask("LabelParameterVersion", label).await;
    assert_eq!(labelled, json!({"InvalidLabels": ["aws-no", "1st"], "ParameterVersion": 1}));
    for (name, value) in [("/a/b", "two"), ("/a/b:1", "one"), ("/a/b:live", "one")] {
        assert_eq!(bench.get(name).await, value, "{name}");
        let arn = format!("arn:aws:ssm:us-east-1:123456789012:parameter{name}");
        assert_eq!(bench.get(&arn).await, value, "{arn}");
    }
    let got = bench.ask("GetParameter", json!({"Name": "/a/b:live"})).await;
    assert_eq!((&got["Parameter"]["Name"], &got["Parameter"]["Selector"]), (&json!("/a/b"), &json!(":live")));
    assert_eq!(bench.refused("GetParameter", json!({"Name": "/a/b:3"})).await, "ParameterVersionNotFound");
    assert_eq!(
        bench.ask("GetParameter", json!({"Name": "/a"})).await,
        json!({"__type": "ParameterNotFound"})
    );
    let many =
        bench.ask("GetParameters", json!({"Names": ["/a/b:1", "/a/b:9", "none", "/aws/service/x"]})).await;
    assert_eq!(many["Parameters"][0]["Value"], "one");
    assert_eq!(many["InvalidParameters"], json!(["/a/b:9", "none", "/aws/service/x"]));

    // The label moves, and the version that it held may go.
    bench.ask("LabelParameterVersion", json!({"Name": "/a/b", "Labels": ["live"]})).await;
    assert_eq!(bench.get("/a/b:live").await, "two");
    let history = bench.ask("GetParameterHistory", json!({"Name": "/a/b"})).await;
    let labels: Vec<_> =
        history["Parameters"].as_array().expect("versions").iter().map(|one| &one["Labels"]).collect();
    assert_eq!(labels, [&json!([]), &json!(["live"])]);
    for number in 3..=101 {
        assert_eq!(bench.put("/a/b", "String", "more").await["Version"], number);
    }
    let full = json!({"Name": "/a/b", "Value": "x", "Overwrite": true});
    assert_eq!(bench.refused("PutParameter", full.clone()).await, "ParameterMaxVersionLimitExceeded");
    let unlabel = json!({"Name": "/a/b", "ParameterVersion": 2, "Labels": ["live", "other"]});
    let unlabelled = bench.ask("UnlabelParameterVersion", unlabel).await;
    assert_eq!(unlabelled, json!({"RemovedLabels": ["live"], "InvalidLabels": ["other"]}));
    assert_eq!(bench.ask("PutParameter", full).await["Version"], 102);
}

#[tokio::test]
async fn secure_strings_show_only_what_is_sealed() {
    let bench = Bench::new();
    bench.put("/s", "SecureString", "open sesame").await;
    assert_eq!(bench.get("/s").await, "open sesame");
    let sealed = bench.ask("GetParameter", json!({"Name": "/s"})).await["Parameter"]["Value"].clone();
    assert!(!sealed.as_str().expect("a text").contains("sesame"), "{sealed}");
    bench.put("/s", "SecureString", "second").await;
    assert_eq!((bench.get("/s").await, bench.get("/s:1").await), (json!("second"), json!("open sesame")));
    let told = bench.ask("DescribeParameters", json!({})).await;
    assert_eq!(told["Parameters"][0]["KeyId"], "alias/aws/ssm");
    assert_eq!(told["Parameters"][0].get("Value"), None);
}

#[tokio::test]
async fn what_cannot_be_put_is_refused() {
    let bench = Bench::new();
    bench.put("p", "String", "1").await;
    for (input, code) in [
        (json!({"Name": "p", "Value": "2"}), "ParameterAlreadyExists"),
        (json!({"Name": "q", "Value": "2"}), "ValidationException"),
        (
            json!({"Name": "p", "Value": "2", "Type": "SecureString", "Overwrite": true}),
            "HierarchyTypeMismatchException",
        ),
        (json!({"Name": "q", "Value": "", "Type": "String"}), "ValidationException"),
        (
            json!({"Name": "q", "Value": "x", "Type": "String", "AllowedPattern": "\\d+"}),
            "ParameterPatternMismatchException",
        ),
        (
            json!({"Name": "q", "Value": "x", "Type": "String", "AllowedPattern": "("}),
            "InvalidAllowedPatternException",
        ),
        (
            json!({"Name": "q", "Value": "x", "Type": "String", "DataType": "aws:ec2:image"}),
            "ValidationException",
        ),
        (json!({"Name": "q", "Value": "x", "Type": "String", "Policies": "[{}]"}), "ValidationException"),
        (json!({"Name": "q", "Value": "x", "Type": "String", "KeyId": "k"}), "ValidationException"),
        (json!({"Name": "q", "Value": "x".repeat(4_097), "Type": "String"}), "ValidationException"),
        (
            json!({"Name": "q", "Value": "x".repeat(8_193), "Type": "String", "Tier": "Advanced"}),
            "ValidationException",
        ),
        (
            json!({"Name": "p", "Value": "x", "Overwrite": true, "Tags": [{"Key": "a", "Value": "b"}]}),
            "ValidationException",
        ),
    ] {
        assert_eq!(bench.refused("PutParameter", input.clone()).await, code, "{input}");
    }
    let grown =
        json!({"Name": "q", "Value": "x".repeat(4_097), "Type": "String", "Tier": "Intelligent-Tiering"});
    assert_eq!(bench.ask("PutParameter", grown).await["Tier"], "Advanced");
    assert_eq!(bench.put("q", "String", "small").await["Tier"], "Advanced");
    let back = json!({"Name": "q", "Value": "x", "Overwrite": true, "Tier": "Standard"});
    assert_eq!(bench.refused("PutParameter", back).await, "ValidationException");
}

#[tokio::test]
async fn parameters_are_found_by_path_and_by_what_is_known_of_them() {
    let bench = Bench::new();
    for (name, kind) in [
        ("/a/x", "String"),
        ("/a/b/y", "StringList"),
        ("/a/z", "SecureString"),
        ("/b", "String"),
        ("top", "String"),
    ] {
        bench.put(name, kind, "1").await;
    }
    let names = |answer: &Value| -> Vec<String> {
        let list = answer["Parameters"].as_array().unwrap_or_else(|| panic!("{answer}"));
        list.iter().map(|one| one["Name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let by_path = async |input: Value| names(&bench.ask("GetParametersByPath", input).await);
    assert_eq!(by_path(json!({"Path": "/a"})).await, ["/a/x", "/a/z"]);
    assert_eq!(by_path(json!({"Path": "/a/", "Recursive": true})).await, ["/a/b/y", "/a/x", "/a/z"]);
    assert_eq!(by_path(json!({"Path": "/"})).await, ["/b", "top"]);
    let filter =
        |key: &str, option: &str, value: &str| json!([{"Key": key, "Option": option, "Values": [value]}]);
    let secure = json!({"Path": "/a", "ParameterFilters": filter("Type", "Equals", "SecureString")});
    assert_eq!(by_path(secure).await, ["/a/z"]);
    let first =
        bench.ask("GetParametersByPath", json!({"Path": "/a", "Recursive": true, "MaxResults": 2})).await;
    let rest = json!({"Path": "/a", "Recursive": true, "MaxResults": 2, "NextToken": first["NextToken"]});
    assert_eq!((names(&first).len(), by_path(rest).await), (2, vec!["/a/z".to_owned()]));
    for path in ["a", "/aws/service/x", "//"] {
        assert_eq!(
            bench.refused("GetParametersByPath", json!({"Path": path})).await,
            "ValidationException",
            "{path}"
        );
    }

    let tags =
        json!({"ResourceType": "Parameter", "ResourceId": "top", "Tags": [{"Key": "team", "Value": "red"}]});
    assert_eq!(bench.ask("AddTagsToResource", tags).await, json!({}));
    let told = async |filters: Value| {
        names(&bench.ask("DescribeParameters", json!({"ParameterFilters": filters})).await)
    };
    assert_eq!(told(filter("tag:team", "Equals", "red")).await, ["top"]);
    assert_eq!(told(filter("Name", "BeginsWith", "/a")).await, ["/a/b/y", "/a/x", "/a/z"]);
    assert_eq!(told(filter("Name", "Contains", "b")).await, ["/a/b/y", "/b"]);
    assert_eq!(told(filter("Path", "Recursive", "/a")).await, ["/a/b/y", "/a/x", "/a/z"]);
    let wrong = json!({"ParameterFilters": filter("Label", "Equals", "x")});
    assert_eq!(bench.refused("DescribeParameters", wrong).await, "InvalidFilterKey");
    let wrong = json!({"ParameterFilters": filter("Type", "Contains", "x")});
    assert_eq!(bench.refused("DescribeParameters", wrong).await, "InvalidFilterOption");

    let resource = json!({"ResourceType": "Parameter", "ResourceId": "top", "TagKeys": ["team"]});
    bench.ask("RemoveTagsFromResource", resource.clone()).await;
    let left = json!({"ResourceType": "Parameter", "ResourceId": "top"});
    assert_eq!(bench.ask("ListTagsForResource", left).await, json!({"TagList": []}));
    let slashed = bench.ask("GetParameter", json!({"Name": "/top"})).await;
    assert_eq!(slashed["Parameter"]["Name"], "/top");
    let gone = bench.ask("DeleteParameters", json!({"Names": ["top", "none"]})).await;
    assert_eq!(gone, json!({"DeletedParameters": ["top"], "InvalidParameters": ["none"]}));
    assert_eq!(bench.refused("DeleteParameter", json!({"Name": "top"})).await, "ParameterNotFound");
}
