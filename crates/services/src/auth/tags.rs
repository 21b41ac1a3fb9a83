//! Tags as conditions see them: those that a request names, and those of what it is about.

use crate::dispatch::Inner;
use access::policy::Context;
use serde_json::{Value, json};
use servicekit::call::Caller;
use servicekit::house::Household;
use wire::percent;

/// Pages of tags that are read of one resource: of DynamoDB they hold ten, and a table has fifty.
const PAGES_MAX: usize = 5;

/// `aws:RequestTag/…` and `aws:TagKeys`; of objects the same under S3's own names.
pub(super) fn of_request(input: &Value, operation: &str, context: &mut Context) {
    let listed = ["Tags", "tags", "tagSet", "TagSet"].iter().filter_map(|member| input.get(member));
    // Of a bucket or an object; of networks, whose tags are told for each kind of what is made.
    let named =
        ["/Tagging/TagSet", "/CreateBucketConfiguration/Tags"].iter().filter_map(|at| input.pointer(at));
    let made = input.get("TagSpecifications").and_then(Value::as_array).into_iter().flatten();
    let given = listed.chain(named).chain(made.filter_map(|one| one.get("Tags")));
    let mut tags: Vec<_> = given.flat_map(pairs).collect();
    // An object's come in a header.
    let header = input.get("Tagging").and_then(Value::as_str).unwrap_or_default();
    let plain = |text: &str| String::from_utf8_lossy(&percent::decode_form(text)).into_owned();
    let told = percent::pairs(header).map(|(key, value)| (plain(key), plain(value)));
    tags.extend(told);
    let is_of_object = operation == "PutObjectTagging" || !header.is_empty();
    let (one, all) = match is_of_object {
        true => ("s3:RequestObjectTag", "s3:RequestObjectTagKeys"),
        false => ("aws:RequestTag", "aws:TagKeys"),
    };
    let mut keys = Vec::new();
    for (key, value) in tags {
        context.set(&format!("{one}/{key}"), value);
        keys.push(key);
    }
    for given in ["TagKeys", "tagKeys"].iter().filter_map(|member| input.get(member)?.as_array()) {
        keys.extend(given.iter().filter_map(Value::as_str).map(str::to_owned));
    }
    if !keys.is_empty() {
        context.set_all(all, keys);
    }
}

/// Services write tags as lists of keys and values, or as maps.
fn pairs(tags: &Value) -> Vec<(String, String)> {
    let text = |tree: &Value, names: [&str; 3]| {
        names.iter().find_map(|name| tree.get(name)?.as_str()).map(str::to_owned)
    };
    match tags {
        Value::Array(list) => list
            .iter()
            .filter_map(|tag| {
                let key = text(tag, ["Key", "TagKey", "key"])?;
                Some((key, text(tag, ["Value", "TagValue", "value"]).unwrap_or_default()))
            })
            .collect(),
        Value::Object(map) => {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            map.iter().map(|(key, value)| (key.clone(), text(value))).collect()
        }
        _ => Vec::new(),
    }
}

impl Inner {
    /// `aws:ResourceTag/…`, and the same by the service's own name. What has no tags, or is not there, adds none.
    pub(super) async fn add_resource_tags(&self, caller: &Caller, resource: &str, context: &mut Context) {
        let inside = Caller { access_key: None, ..caller.clone() };
        let service = resource.split(':').nth(2).unwrap_or_default();
        let is_object = service == "s3" && resource.contains('/');
        let Some((operation, mut input, at)) = question(service, resource) else { return };
        for _ in 0..PAGES_MAX {
            let Ok(answer) = self.ask(&inside, service, operation, input.clone()).await else { return };
            for (key, value) in answer.pointer(at).map(pairs).unwrap_or_default() {
                if is_object {
                    context.set(&format!("s3:ExistingObjectTag/{key}"), value);
                    continue;
                }
                context.set(&format!("aws:ResourceTag/{key}"), value.as_str());
                context.set(&format!("{service}:ResourceTag/{key}"), value);
            }
            let next = ["NextToken", "NextMarker"].iter().find_map(|name| answer.get(name));
            match next {
                Some(token) if operation == "ListResourceTags" => input["Marker"] = token.clone(),
                Some(token) => input["NextToken"] = token.clone(),
                None => return,
            }
        }
    }
}

/// The operation that tells a resource's tags, and where in its answer they are.
fn question(service: &str, resource: &str) -> Option<(&'static str, Value, &'static str)> {
    let last = resource.splitn(6, ':').nth(5)?;
    Some(match service {
        "dynamodb" => {
            let table = resource.split("/index/").next()?.split("/stream/").next()?;
            ("ListTagsOfResource", json!({ "ResourceArn": table }), "/Tags")
        }
        "lambda" => {
            // Versions and aliases have their function's.
            let function = resource.split(':').take(7).collect::<Vec<_>>().join(":");
            ("ListTags", json!({ "Resource": function }), "/Tags")
        }
        "sqs" => {
            let account = resource.split(':').nth(4)?;
            ("ListQueueTags", json!({ "QueueUrl": format!("http://localhost/{account}/{last}") }), "/Tags")
        }
        "sns" => ("ListTagsForResource", json!({ "ResourceArn": resource }), "/Tags"),
        "secretsmanager" => ("DescribeSecret", json!({ "SecretId": resource }), "/Tags"),
        "ssm" => {
            let name = last.strip_prefix("parameter")?;
            // A name without a hierarchy has no slash of its own.
            let name = if name.matches('/').count() > 1 { name } else { name.trim_start_matches('/') };
            ("ListTagsForResource", json!({ "ResourceType": "Parameter", "ResourceId": name }), "/TagList")
        }
        "s3" => match last.split_once('/') {
            Some((bucket, key)) => ("GetObjectTagging", json!({ "Bucket": bucket, "Key": key }), "/TagSet"),
            None => ("GetBucketTagging", json!({ "Bucket": last }), "/TagSet"),
        },
        "kms" => ("ListResourceTags", json!({ "KeyId": resource }), "/Tags"),
        "rds" => ("ListTagsForResource", json!({ "ResourceName": resource }), "/TagList"),
        "ecr" => ("ListTagsForResource", json!({ "resourceArn": resource }), "/tags"),
        "cloudformation" => {
            // Its id may not be known yet.
            let stack = if resource.ends_with("/*") { last.split('/').nth(1)? } else { resource };
            ("DescribeStacks", json!({ "StackName": stack }), "/Stacks/0/Tags")
        }
        "ec2" => {
            let id = last.split_once('/')?.1;
            let filter = json!([{ "Name": "resource-id", "Values": [id] }]);
            ("DescribeTags", json!({ "Filters": filter }), "/Tags")
        }
        "iam" => {
            let name = last.rsplit('/').next()?;
            match last.split('/').next()? {
                "role" => ("ListRoleTags", json!({ "RoleName": name }), "/Tags"),
                "user" => ("ListUserTags", json!({ "UserName": name }), "/Tags"),
                _ => return None,
            }
        }
        "logs" => {
            let group = resource.split(":log-stream:").next()?.trim_end_matches(":*");
            ("ListTagsForResource", json!({ "resourceArn": group }), "/tags")
        }
        _ => return None,
    })
}
