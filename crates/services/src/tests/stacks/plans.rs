//! API keys and usage plans.

use super::Bench;
use serde_json::{Value, json};

fn resources(rate: u64, quota: Value) -> Value {
    json!({
        "Api": { "Type": "AWS::ApiGateway::RestApi", "Properties": { "Name": "a" } },
        "Get": { "Type": "AWS::ApiGateway::Method", "Properties": {
            "RestApiId": { "Ref": "Api" }, "ResourceId": { "Fn::GetAtt": ["Api", "RootResourceId"] }, "HttpMethod": "GET",
            "AuthorizationType": "NONE", "ApiKeyRequired": true, "Integration": { "Type": "MOCK" },
        }},
        "Deployed": { "Type": "AWS::ApiGateway::Deployment", "DependsOn": "Get", "Properties": { "RestApiId": { "Ref": "Api" } } },
        "Stage": { "Type": "AWS::ApiGateway::Stage", "Properties": {
            "RestApiId": { "Ref": "Api" }, "DeploymentId": { "Ref": "Deployed" }, "StageName": "prod",
        }},
        "Key": { "Type": "AWS::ApiGateway::ApiKey", "Properties": { "Enabled": true, "Description": format!("{rate}") } },
        "Plan": { "Type": "AWS::ApiGateway::UsagePlan", "Properties": {
            "UsagePlanName": format!("plan-{rate}"), "Quota": quota, "Throttle": { "RateLimit": rate, "BurstLimit": 2 },
            "ApiStages": [{ "ApiId": { "Ref": "Api" }, "Stage": { "Ref": "Stage" }, "Throttle": { "//GET": { "RateLimit": rate } } }],
            "Tags": [{ "Key": "rate", "Value": format!("{rate}") }],
        }},
        "Both": { "Type": "AWS::ApiGateway::UsagePlanKey", "Properties": {
            "KeyId": { "Ref": "Key" }, "KeyType": "API_KEY", "UsagePlanId": { "Ref": "Plan" },
        }},
    })
}

#[tokio::test]
async fn keys_and_plans_are_made_changed_and_removed() {
    let bench = Bench::new();
    let names = ["Api", "Key", "Plan", "Both"];
    let outputs: Value =
        names.iter().map(|name| ((*name).to_owned(), json!({ "Value": { "Ref": name } }))).collect();
    let weekly = json!({ "Limit": 9, "Period": "WEEK" });
    let (status, made) = bench.deploy("CreateStack", resources(5, weekly), outputs.clone()).await;
    assert_eq!(status, "CREATE_COMPLETE", "{made}");
    assert_eq!(
        made["Both"],
        format!("{}:{}", made["Key"].as_str().expect("a key"), made["Plan"].as_str().expect("a plan"))
    );
    let told = async || {
        let plan = bench.good("apigateway", "GetUsagePlan", json!({ "usagePlanId": made["Plan"] })).await;
        let stage = &plan["apiStages"][0];
        assert_eq!((&stage["apiId"], &stage["stage"]), (&made["Api"], &json!("prod")));
        let key = bench.good("apigateway", "GetApiKey", json!({ "apiKey": made["Key"] })).await;
        let limits = [&plan["throttle"]["rateLimit"], &stage["throttle"]["//GET"]["rateLimit"]];
        let rates: Vec<i64> =
            limits.iter().filter_map(|limit| limit.as_f64()).map(|rate| rate as i64).collect();
        (
            rates,
            plan["name"].clone(),
            plan.get("quota").cloned(),
            plan["tags"]["rate"].clone(),
            key["description"].clone(),
        )
    };
    let quota = json!({ "limit": 9, "period": "WEEK" });
    assert_eq!(told().await, (vec![5, 5], json!("plan-5"), Some(quota), json!("5"), json!("5")));
    let mut without = resources(7, Value::Null);
    without["Plan"]["Properties"].as_object_mut().expect("properties").remove("Quota");
    let (status, same) = bench.deploy("UpdateStack", without, outputs).await;
    assert_eq!((status.as_str(), &same), ("UPDATE_COMPLETE", &made));
    assert_eq!(told().await, (vec![7, 7], json!("plan-7"), None, json!("7"), json!("7")));
    bench.good("cloudformation", "DeleteStack", json!({ "StackName": "s" })).await;
    for operation in ["GetApiKeys", "GetUsagePlans", "GetRestApis"] {
        assert_eq!(bench.good("apigateway", operation, json!({})).await["items"], json!([]), "{operation}");
    }
}
