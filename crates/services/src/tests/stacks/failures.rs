//! A change whose package is no package.

use super::Bench;
use serde_json::{Value, json};
use servicekit::body::Whole;
use servicekit::call::Caller;

fn resources(code: Value, word: &str) -> Value {
    json!({
        "Word": { "Type": "AWS::SSM::Parameter", "Properties": { "Name": "word", "Type": "String", "Value": word } },
        "Works": { "Type": "AWS::Lambda::Function", "DependsOn": "Word", "Properties": {
            "FunctionName": "works", "Runtime": "python3.12", "Handler": "index.handler", "Role": "arn:aws:iam::123456789012:role/r",
            "Code": code, "Environment": { "Variables": { "WORD": word } },
        }},
    })
}

#[tokio::test]
async fn a_broken_package_leaves_the_stack_as_it_was() {
    let bench = Bench::new();
    let caller = Caller { account: "123456789012".into(), region: "us-east-1".into(), access_key: None };
    bench.good("s3", "CreateBucket", json!({ "Bucket": "packages" })).await;
    let object = json!({ "Bucket": "packages", "Key": "broken.zip" });
    let put = bench.services.house();
    put.put_object(&caller, object, Box::new(Whole(Some("no archive".into())))).await.expect("an object");
    let works = json!({ "ZipFile": "def handler(event, context):\n    return 1\n" });
    let (status, told) = bench.deploy("CreateStack", resources(works, "first"), json!({})).await;
    assert_eq!(status, "CREATE_COMPLETE", "{told}");
    let kept = async || {
        let asked = json!({ "FunctionName": "works" });
        let function = bench.good("lambda", "GetFunctionConfiguration", asked).await;
        let word = bench.good("ssm", "GetParameter", json!({ "Name": "word" })).await;
        let word = word["Parameter"]["Value"].clone();
        [function["CodeSha256"].clone(), function["Environment"]["Variables"]["WORD"].clone(), word]
    };
    let before = kept().await;
    let broken = json!({ "S3Bucket": "packages", "S3Key": "broken.zip" });
    let (status, told) = bench.deploy("UpdateStack", resources(broken, "second"), json!({})).await;
    assert_eq!(status, "UPDATE_ROLLBACK_COMPLETE", "{told}");
    let reason = told["reasons"].to_string();
    assert!(reason.contains("Could not unzip uploaded file"), "{reason}");
    assert!(!reason.contains("/tmp") && !reason.contains(".rs"), "{reason}");
    assert_eq!(kept().await, before);
}
