//! Users with keys, and streams of logs.

use super::Bench;
use serde_json::{Value, json};

fn resources(managed: bool, action: &str, status: &str) -> Value {
    let statement = json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
    let arns = if managed { json!(["arn:aws:iam::aws:policy/ReadOnlyAccess"]) } else { json!([]) };
    json!({
        "User": { "Type": "AWS::IAM::User", "Properties": {
            "Path": "/p/", "ManagedPolicyArns": arns,
            "Policies": [{ "PolicyName": "own", "PolicyDocument": policy }],
        }},
        "Key": { "Type": "AWS::IAM::AccessKey", "Properties": { "UserName": { "Ref": "User" }, "Status": status } },
        "Group": { "Type": "AWS::Logs::LogGroup", "Properties": {} },
        "Stream": { "Type": "AWS::Logs::LogStream", "Properties": { "LogGroupName": { "Ref": "Group" } } },
    })
}

#[tokio::test]
async fn users_keys_and_streams_are_made_changed_and_removed() {
    let bench = Bench::new();
    let outputs = json!({
        "User": { "Value": { "Ref": "User" } }, "Arn": { "Value": { "Fn::GetAtt": ["User", "Arn"] } },
        "Key": { "Value": { "Ref": "Key" } }, "Secret": { "Value": { "Fn::GetAtt": ["Key", "SecretAccessKey"] } },
        "Group": { "Value": { "Ref": "Group" } }, "Stream": { "Value": { "Ref": "Stream" } },
    });
    let (state, made) =
        bench.deploy("CreateStack", resources(true, "s3:GetObject", "Active"), outputs.clone()).await;
    assert_eq!(state, "CREATE_COMPLETE", "{made}");
    let user = made["User"].as_str().expect("a name");
    assert_eq!(made["Arn"], format!("arn:aws:iam::123456789012:user/p/{user}"));
    assert_eq!(made["Secret"].as_str().map(str::len), Some(40));
    let told = async || {
        let keys = bench.good("iam", "ListAccessKeys", json!({ "UserName": user })).await;
        let key = &keys["AccessKeyMetadata"][0];
        assert_eq!(key["AccessKeyId"], made["Key"]);
        let attached = bench.good("iam", "ListAttachedUserPolicies", json!({ "UserName": user })).await;
        let own = bench.good("iam", "GetUserPolicy", json!({ "UserName": user, "PolicyName": "own" })).await;
        let text = own["PolicyDocument"].as_str().unwrap_or_default().to_owned();
        (
            key["Status"].clone(),
            attached["AttachedPolicies"].as_array().map_or(0, Vec::len),
            text.contains("Put"),
        )
    };
    assert_eq!(told().await, (json!("Active"), 1, false));
    let streams = bench.good("logs", "DescribeLogStreams", json!({ "logGroupName": made["Group"] })).await;
    assert_eq!(streams["logStreams"][0]["logStreamName"], made["Stream"]);
    let (state, same) =
        bench.deploy("UpdateStack", resources(false, "s3:PutObject", "Inactive"), outputs).await;
    assert_eq!((state.as_str(), &same), ("UPDATE_COMPLETE", &made));
    assert_eq!(told().await, (json!("Inactive"), 0, true));
    bench.good("cloudformation", "DeleteStack", json!({ "StackName": "s" })).await;
    assert_eq!(bench.good("iam", "ListUsers", json!({})).await["Users"], json!([]));
}
