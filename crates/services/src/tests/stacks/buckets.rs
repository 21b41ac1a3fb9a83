//! Buckets of stacks.

use super::Bench;
use serde_json::{Value, json};

fn bucket(rules: Option<Value>) -> Value {
    let mut properties = json!({ "BucketName": "assets" });
    if let Some(rules) = rules {
        properties["CorsConfiguration"] = json!({ "CorsRules": rules });
    }
    json!({ "Bucket": { "Type": "AWS::S3::Bucket", "Properties": properties } })
}

#[tokio::test]
async fn rules_for_pages_are_put_changed_and_removed() {
    let bench = Bench::new();
    let rule = |age: Value| {
        json!([{
            "Id": "own", "AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"],
            "AllowedHeaders": ["*"], "ExposedHeaders": ["ETag"], "MaxAge": age,
        }])
    };
    for (operation, age) in [("CreateStack", json!(7)), ("UpdateStack", json!("8"))] {
        let (state, why) = bench.deploy(operation, bucket(Some(rule(age.clone()))), json!({})).await;
        assert!(state.ends_with("E_COMPLETE") && !state.contains("ROLLBACK"), "{state}: {why}");
        let told = bench.good("s3", "GetBucketCors", json!({ "Bucket": "assets" })).await;
        let expect = json!({
            "ID": "own", "AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"],
            "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": age.as_str().map_or(age.clone(), |text| text.parse::<i64>().expect("a number").into()),
        });
        assert_eq!(told["CORSRules"], json!([expect]));
    }
    bench.deploy("UpdateStack", bucket(None), json!({})).await;
    let none = bench.ask("s3", "GetBucketCors", json!({ "Bucket": "assets" })).await;
    assert!(none.expect_err("no rules").contains("NoSuchCORSConfiguration"));
    let (state, why) = bench.deploy("UpdateStack", bucket(Some(json!([]))), json!({})).await;
    assert_eq!(state, "UPDATE_ROLLBACK_COMPLETE", "{why}");
}
