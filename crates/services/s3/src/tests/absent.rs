//! What is asked about a bucket and is not kept here.

use super::Bench;

#[tokio::test]
async fn who_asks_is_told_that_there_is_none() {
    let bench = Bench::with_bucket().await;
    bench.ask("PUT /b-1/k", &[], "text").await;
    for (question, status, element, text) in [
        ("b-1?cors", 404, "Code", "NoSuchCORSConfiguration"),
        ("b-1?website", 404, "Code", "NoSuchWebsiteConfiguration"),
        ("b-1?replication", 404, "Code", "ReplicationConfigurationNotFoundError"),
        ("b-1?object-lock", 404, "Code", "ObjectLockConfigurationNotFoundError"),
        ("b-1?requestPayment", 200, "Payer", "BucketOwner"),
        ("b-1?accelerate", 200, "Status", ""),
        ("b-1?logging", 200, "LoggingEnabled", ""),
        ("b-1?notification", 200, "QueueConfiguration", ""),
        ("b-1?acl", 200, "Permission", "FULL_CONTROL"),
        ("b-1/k?acl", 200, "Permission", "FULL_CONTROL"),
        ("b-1/none?acl", 404, "Code", "NoSuchKey"),
        ("none?cors", 404, "Code", "NoSuchBucket"),
        ("none?acl", 404, "Code", "NoSuchBucket"),
    ] {
        let told = bench.ask(&format!("GET /{question}"), &[], "").await;
        assert_eq!(
            (told.status, told.element(element).as_str()),
            (status, text),
            "{question}: {}",
            told.body
        );
    }
    // Clients read a grantee's kind from an attribute.
    let list = bench.ask("GET /b-1?acl", &[], "").await;
    let kind =
        r#"<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>"#;
    assert!(list.body.contains(kind), "{}", list.body);
    assert_eq!(bench.ask("PUT /b-1?acl", &[("x-amz-acl", "private")], "").await.status, 501);
}
