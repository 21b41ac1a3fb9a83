//! `AWS::S3::Bucket` and `BucketPolicy`.

use super::{Change, Cx, only, tags};
use crate::template::evaluate::Made;
use serde_json::{Map, Value, json};
use servicekit::fields::text;

const BUCKET: &[&str] = &[
    "BucketName",
    "AccessControl",
    "BucketEncryption",
    "VersioningConfiguration",
    "PublicAccessBlockConfiguration",
    "CorsConfiguration",
    "LifecycleConfiguration",
    "OwnershipControls",
    "Tags",
];

pub(super) async fn create_bucket(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    check(properties)?;
    // Names of buckets are in small letters.
    let name = match properties.get("BucketName") {
        Some(_) => name.to_owned(),
        None => name.to_ascii_lowercase(),
    };
    // To make one's own bucket again succeeds in some regions: a stack must not take over what it did not make.
    if cx.ask("s3", "HeadBucket", json!({ "Bucket": name })).await.is_ok() {
        return Err(format!(
            "Resource handler returned message: \"{name} already exists\" (RequestToken: {}, HandlerErrorCode: AlreadyExists)",
            cx.world.uuid()
        ));
    }
    let mut input = json!({ "Bucket": name });
    if &*cx.caller.region != "us-east-1" {
        input["CreateBucketConfiguration"] = json!({ "LocationConstraint": &*cx.caller.region });
    }
    cx.ask("s3", "CreateBucket", input).await?;
    let made = Made { id: name.clone(), attributes: attributes(cx, &name) };
    match update_bucket(cx, Change { made: &made, old: &Value::Null, new: properties }).await {
        Ok(made) => Ok(made),
        Err(words) => {
            let _removed = delete_bucket(cx, &made).await;
            Err(words)
        }
    }
}

fn attributes(cx: &Cx<'_>, name: &str) -> std::collections::BTreeMap<String, Value> {
    let region = &cx.caller.region;
    [
        ("Arn", format!("arn:aws:s3:::{name}")),
        ("DomainName", format!("{name}.s3.amazonaws.com")),
        ("RegionalDomainName", format!("{name}.s3.{region}.amazonaws.com")),
        ("DualStackDomainName", format!("{name}.s3.dualstack.{region}.amazonaws.com")),
        ("WebsiteURL", format!("http://{name}.s3-website-{region}.amazonaws.com")),
    ]
    .map(|(attribute, value)| (attribute.to_owned(), value.into()))
    .into()
}

fn check(properties: &Value) -> Result<(), String> {
    only(properties, BUCKET)?;
    match text(properties, "AccessControl") {
        None | Some("Private" | "BucketOwnerFullControl") => Ok(()),
        Some(other) => Err(format!("AccessControl {other} is not supported: the bucket does not allow ACLs")),
    }
}

/// Puts what is new or different, and removes what the template says no more.
pub(super) async fn update_bucket(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    check(new)?;
    let changed = |name: &str| old.get(name) != new.get(name);
    if changed("VersioningConfiguration") {
        // What was once switched on can only be suspended.
        let configuration =
            new.get("VersioningConfiguration").cloned().unwrap_or(json!({ "Status": "Suspended" }));
        let input = json!({ "Bucket": made.id, "VersioningConfiguration": configuration });
        cx.ask("s3", "PutBucketVersioning", input).await?;
    }
    for (property, noun, remove, member) in [
        (
            "BucketEncryption",
            "BucketEncryption",
            "DeleteBucketEncryption",
            "ServerSideEncryptionConfiguration",
        ),
        (
            "PublicAccessBlockConfiguration",
            "PublicAccessBlock",
            "DeletePublicAccessBlock",
            "PublicAccessBlockConfiguration",
        ),
        ("CorsConfiguration", "BucketCors", "DeleteBucketCors", "CORSConfiguration"),
        (
            "LifecycleConfiguration",
            "BucketLifecycleConfiguration",
            "DeleteBucketLifecycle",
            "LifecycleConfiguration",
        ),
        (
            "OwnershipControls",
            "BucketOwnershipControls",
            "DeleteBucketOwnershipControls",
            "OwnershipControls",
        ),
    ] {
        if !changed(property) {
            continue;
        }
        let Some(value) = new.get(property) else {
            cx.ask("s3", remove, json!({ "Bucket": made.id })).await?;
            continue;
        };
        let value = match property {
            "BucketEncryption" => encryption(value),
            "CorsConfiguration" => cors(value),
            "LifecycleConfiguration" => lifecycle(value)?,
            _ => value.clone(),
        };
        let mut input = json!({ "Bucket": made.id });
        input[member] = value;
        cx.ask("s3", &format!("Put{noun}"), input).await?;
    }
    if changed("Tags") || old.is_null() {
        let tags = tags::list(new);
        if tags.is_empty() {
            cx.ask("s3", "DeleteBucketTagging", json!({ "Bucket": made.id })).await?;
        } else {
            let input = json!({ "Bucket": made.id, "Tagging": { "TagSet": tags } });
            cx.ask("s3", "PutBucketTagging", input).await?;
        }
    }
    Ok(made.clone())
}

/// The template's names for an encryption, in the call's.
fn encryption(value: &Value) -> Value {
    let rules = value.get("ServerSideEncryptionConfiguration").and_then(Value::as_array);
    let rules = rules.into_iter().flatten().map(|rule| {
        let mut told = rule.clone();
        if let Some(members) = told.as_object_mut()
            && let Some(default) = members.remove("ServerSideEncryptionByDefault")
        {
            members.insert("ApplyServerSideEncryptionByDefault".to_owned(), default);
        }
        told
    });
    json!({ "Rules": rules.collect::<Value>() })
}

/// The template's names for the rules of pages, in the call's.
fn cors(value: &Value) -> Value {
    let called = |name: &str| match name {
        "Id" => "ID".to_owned(),
        "ExposedHeaders" => "ExposeHeaders".to_owned(),
        "MaxAge" => "MaxAgeSeconds".to_owned(),
        name => name.to_owned(),
    };
    let rules = value.get("CorsRules").and_then(Value::as_array).into_iter().flatten();
    let rules = rules.map(|rule| {
        let members = rule.as_object().into_iter().flatten();
        Value::Object(members.map(|(name, value)| (called(name), value.clone())).collect())
    });
    json!({ "CORSRules": rules.collect::<Value>() })
}

/// The template's names for lifecycle rules, in the call's.
fn lifecycle(value: &Value) -> Result<Value, String> {
    let rules = value.get("Rules").and_then(Value::as_array).cloned().unwrap_or_default();
    let rules: Result<Value, String> = rules.iter().map(rule).collect();
    Ok(json!({ "Rules": rules? }))
}

fn rule(rule: &Value) -> Result<Value, String> {
    let mut told = Map::new();
    let (mut filter, mut expiration) = (Map::new(), Map::new());
    for (name, value) in rule.as_object().into_iter().flatten() {
        match name.as_str() {
            "Id" => drop(told.insert("ID".to_owned(), value.clone())),
            "Status" | "NoncurrentVersionExpiration" | "AbortIncompleteMultipartUpload" => {
                told.insert(name.clone(), value.clone());
            }
            "Prefix" | "ObjectSizeGreaterThan" | "ObjectSizeLessThan" => {
                filter.insert(name.clone(), value.clone());
            }
            "TagFilters" => drop(filter.insert("Tags".to_owned(), value.clone())),
            "ExpirationInDays" => drop(expiration.insert("Days".to_owned(), value.clone())),
            "ExpiredObjectDeleteMarker" => drop(expiration.insert(name.clone(), value.clone())),
            other => {
                return Err(format!(
                    "Model validation failed (#/LifecycleConfiguration/Rules: extraneous key [{other}] is not permitted)"
                ));
            }
        }
    }
    if !expiration.is_empty() {
        told.insert("Expiration".to_owned(), expiration.into());
    }
    let filter = match filter.len() {
        0 => json!({ "Prefix": "" }),
        1 if !filter.contains_key("Tags") => filter.into(),
        _ => json!({ "And": filter }),
    };
    told.insert("Filter".to_owned(), filter);
    Ok(told.into())
}

pub(super) async fn delete_bucket(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("s3", "DeleteBucket", json!({ "Bucket": made.id })).await
}

pub(super) async fn put_policy(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    only(properties, &["Bucket", "PolicyDocument"])?;
    let bucket = text(properties, "Bucket").unwrap_or_default();
    let policy = match &properties["PolicyDocument"] {
        Value::String(text) => text.clone(),
        document => document.to_string(),
    };
    cx.ask("s3", "PutBucketPolicy", json!({ "Bucket": bucket, "Policy": policy })).await?;
    Ok(Made { id: bucket.to_owned(), ..Made::default() })
}

pub(super) async fn delete_policy(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("s3", "DeleteBucketPolicy", json!({ "Bucket": made.id })).await
}
