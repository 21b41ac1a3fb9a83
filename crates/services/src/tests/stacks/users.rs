//! Users with keys, groups, policies, and streams of logs.

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
        "Group": { "Type": "AWS::Logs::LogGroup", "Properties": { "Tags": [{ "Key": "status", "Value": status }] } },
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
        let group = made["Group"].as_str().expect("a name");
        let arn = format!("arn:aws:logs:us-east-1:123456789012:log-group:{group}");
        let tags = bench.good("logs", "ListTagsForResource", json!({ "resourceArn": arn })).await;
        assert_eq!(tags["tags"], json!({ "status": key["Status"] }));
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

fn statement(action: &str) -> Value {
    let statement = json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

/// Readers with a policy of their own, one that is managed, and one more that a resource gives to all kinds of principals.
fn readers(path: &str, action: &str, members: Value, tag: &str) -> Value {
    json!({
        "Group": { "Type": "AWS::IAM::Group", "Properties": {
            "GroupName": "readers", "Path": path,
            "Policies": [{ "PolicyName": "own", "PolicyDocument": statement(action) }],
        }},
        "User": { "Type": "AWS::IAM::User", "Properties": {
            "UserName": "ana", "Path": path, "Tags": [{ "Key": "team", "Value": tag }],
        }},
        "Role": { "Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": statement("sts:AssumeRole"), "Tags": [{ "Key": "team", "Value": tag }],
        }},
        "Members": { "Type": "AWS::IAM::UserToGroupAddition", "DependsOn": "User", "Properties": {
            "GroupName": { "Ref": "Group" }, "Users": members,
        }},
        "Managed": { "Type": "AWS::IAM::ManagedPolicy", "Properties": {
            "ManagedPolicyName": "managed", "PolicyDocument": statement(action),
            "Groups": [{ "Ref": "Group" }], "Users": [{ "Ref": "User" }],
        }},
        "Given": { "Type": "AWS::IAM::Policy", "Properties": {
            "PolicyName": "given", "PolicyDocument": statement(action),
            "Groups": [{ "Ref": "Group" }], "Users": [{ "Ref": "User" }], "Roles": [{ "Ref": "Role" }],
        }},
    })
}

#[tokio::test]
async fn groups_and_policies_change_in_place() {
    let bench = Bench::new();
    let outputs = json!({
        "Group": { "Value": { "Fn::GetAtt": ["Group", "Arn"] } },
        "Role": { "Value": { "Ref": "Role" } }, "Managed": { "Value": { "Ref": "Managed" } },
    });
    let (state, made) =
        bench.deploy("CreateStack", readers("/a/", "s3:Get0", json!(["ana"]), "0"), outputs.clone()).await;
    assert_eq!(state, "CREATE_COMPLETE", "{made}");
    assert_eq!(made["Group"], "arn:aws:iam::123456789012:group/a/readers");
    let ask = async |operation: &str, more: Value| bench.good("iam", operation, more).await;
    let members = async || {
        let group = ask("GetGroup", json!({ "GroupName": "readers" })).await;
        group["Users"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(members().await, 1);
    // More changes than a managed policy has versions.
    for round in 1..=6 {
        let action = format!("s3:Get{round}");
        let new = readers("/b/", &action, json!([]), &round.to_string());
        let (state, made) = bench.deploy("UpdateStack", new, outputs.clone()).await;
        assert_eq!(state, "UPDATE_COMPLETE", "{made}");
        assert_eq!(made["Group"], "arn:aws:iam::123456789012:group/b/readers");
    }
    assert_eq!(members().await, 0);
    let arn = &made["Managed"];
    let policy = ask("GetPolicy", json!({ "PolicyArn": arn })).await;
    assert_eq!(policy["Policy"]["AttachmentCount"], 2);
    let version = json!({ "PolicyArn": arn, "VersionId": policy["Policy"]["DefaultVersionId"] });
    let version = ask("GetPolicyVersion", version).await.to_string();
    assert!(version.contains("Get6"), "{version}");
    for (operation, member, name) in [
        ("GetGroupPolicy", "GroupName", json!("readers")),
        ("GetUserPolicy", "UserName", json!("ana")),
        ("GetRolePolicy", "RoleName", made["Role"].clone()),
    ] {
        let policy = ask(operation, json!({ member: name, "PolicyName": "given" })).await.to_string();
        assert!(policy.contains("Get6"), "{operation}: {policy}");
    }
    let user = ask("GetUser", json!({ "UserName": "ana" })).await;
    assert_eq!(user["User"]["Tags"], json!([{ "Key": "team", "Value": "6" }]));
    assert_eq!(user["User"]["Path"], "/b/");
    let tags = ask("ListRoleTags", json!({ "RoleName": made["Role"] })).await;
    assert_eq!(tags["Tags"], json!([{ "Key": "team", "Value": "6" }]));
    bench.good("cloudformation", "DeleteStack", json!({ "StackName": "s" })).await;
    let left = [ask("ListGroups", json!({})).await, ask("ListUsers", json!({})).await];
    assert_eq!((&left[0]["Groups"], &left[1]["Users"]), (&json!([]), &json!([])));
    let policies = ask("ListPolicies", json!({ "Scope": "Local" })).await;
    assert_eq!(policies["Policies"], json!([]));
}
