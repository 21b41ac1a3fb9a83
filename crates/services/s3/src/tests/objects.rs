//! Buckets, objects, versions, lists.

use super::{Bench, read, run};

#[test]
fn objects_are_written_read_and_removed() {
    run(async {
        let mut bench = Bench::with_bucket().await;
        let put = bench
            .ask(
                "PUT /b-1/a%20dir/%C3%BC",
                &[
                    ("x-amz-meta-who", "me"),
                    ("content-type", "text/plain"),
                    ("content-encoding", "aws-chunked,gzip"),
                ],
                "hello",
            )
            .await;
        assert_eq!((put.status, put.header("etag")), (200, "\"5d41402abc4b2a76b9719d911017c592\""));
        bench.restart();
        let got = bench.ask("GET /b-1/a%20dir/%C3%BC", &[], "").await;
        assert_eq!((got.status, got.body.as_str()), (200, "hello"));
        let headers =
            ["x-amz-meta-who", "content-type", "content-encoding", "content-length", "accept-ranges"];
        assert_eq!(
            headers.map(|name| got.header(name).to_owned()),
            ["me", "text/plain", "gzip", "5", "bytes"]
        );
        let part = bench.ask("GET /b-1/a%20dir/%C3%BC", &[("range", "bytes=1-3")], "").await;
        assert_eq!(
            (part.status, part.body.as_str(), part.header("content-range")),
            (206, "ell", "bytes 1-3/5")
        );
        let beyond = bench.ask("GET /b-1/a%20dir/%C3%BC", &[("range", "bytes=9-")], "").await;
        assert_eq!((beyond.status, beyond.element("Code").as_str()), (416, "InvalidRange"));
        assert_eq!(bench.files(), 1);
        bench.ask("PUT /b-1/a%20dir/%C3%BC", &[], "again").await;
        assert_eq!(bench.files(), 1, "what was replaced is gone");
        assert_eq!(bench.ask("DELETE /b-1/a%20dir/%C3%BC", &[], "").await.status, 204);
        assert_eq!(bench.files(), 0);
        let gone = bench.ask("GET /b-1/a%20dir/%C3%BC", &[], "").await;
        assert_eq!((gone.status, gone.element("Code").as_str()), (404, "NoSuchKey"));
        let head = bench.ask("HEAD /b-1/a%20dir/%C3%BC", &[], "").await;
        assert_eq!((head.status, head.body.as_str()), (404, ""));
        assert_eq!(bench.ask("DELETE /b-1", &[], "").await.status, 204);
        assert_eq!(bench.ask("GET /b-1/x", &[], "").await.element("Code"), "NoSuchBucket");
    });
}

#[test]
fn files_that_a_crash_left_behind_go() {
    run(async {
        let mut bench = Bench::with_bucket().await;
        bench.ask("PUT /b-1/k", &[], "kept").await;
        let stray = bench.dir.join("ab").join("ab00");
        std::fs::create_dir_all(stray.parent().expect("a directory")).expect("a directory");
        std::fs::write(&stray, "stray").expect("a file");
        assert_eq!(bench.files(), 2);
        bench.restart();
        assert_eq!(bench.files(), 1);
        assert_eq!(bench.ask("GET /b-1/k", &[], "").await.body, "kept");
    });
}

#[test]
fn versions_stay_until_they_are_named() {
    run(async {
        let bench = Bench::with_bucket().await;
        bench.ask("PUT /b-1/k", &[], "zero").await;
        let empty = "<VersioningConfiguration></VersioningConfiguration>";
        let refused = bench.ask("PUT /b-1?versioning", &[], empty).await;
        assert_eq!(refused.element("Code"), "IllegalVersioningConfigurationException");
        let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        assert_eq!(bench.ask("PUT /b-1?versioning", &[], enabled).await.status, 200);
        let one = bench.ask("PUT /b-1/k", &[], "one").await.header("x-amz-version-id").to_owned();
        let two = bench.ask("PUT /b-1/k", &[], "two").await.header("x-amz-version-id").to_owned();
        assert_ne!(one, two);
        let marker = bench.ask("DELETE /b-1/k", &[], "").await;
        assert_eq!(marker.header("x-amz-delete-marker"), "true");
        assert_eq!(bench.ask("GET /b-1/k", &[], "").await.status, 404);
        assert!(bench.ask("GET /b-1?list-type=2", &[], "").await.elements("Key").is_empty());
        for (id, body) in [("null", "zero"), (&one, "one"), (&two, "two")] {
            assert_eq!(bench.ask(&format!("GET /b-1/k?versionId={id}"), &[], "").await.body, body);
        }
        let listed = bench.ask("GET /b-1?versions", &[], "").await;
        let markers = marker.header("x-amz-version-id").to_owned();
        // Versions and markers are told in two lists, each the newest first.
        assert_eq!(listed.elements("VersionId"), [two.clone(), one.clone(), "null".into(), markers.clone()]);
        assert_eq!(listed.elements("IsLatest"), ["false", "false", "false", "true"]);
        let page = bench.ask("GET /b-1?versions&max-keys=2", &[], "").await;
        assert_eq!(
            (page.element("NextKeyMarker").as_str(), page.element("NextVersionIdMarker")),
            ("k", two.clone())
        );
        let rest = format!("GET /b-1?versions&key-marker=k&version-id-marker={two}");
        assert_eq!(bench.ask(&rest, &[], "").await.elements("VersionId"), [one.as_str(), "null"]);
        assert_eq!(bench.ask("DELETE /b-1", &[], "").await.element("Code"), "BucketNotEmpty");
        // Without its marker the object is there again.
        assert_eq!(bench.ask(&format!("DELETE /b-1/k?versionId={markers}"), &[], "").await.status, 204);
        assert_eq!(bench.ask("GET /b-1/k", &[], "").await.body, "two");
        bench.ask(&format!("DELETE /b-1/k?versionId={two}"), &[], "").await;
        assert_eq!(bench.ask("GET /b-1/k", &[], "").await.body, "one");
        // Suspended: a write takes the place of the version without an id, and of that alone.
        let suspended = enabled.replace("Enabled", "Suspended");
        bench.ask("PUT /b-1?versioning", &[], &suspended).await;
        bench.ask("PUT /b-1/k", &[], "three").await;
        assert_eq!(
            bench.ask("GET /b-1?versions", &[], "").await.elements("VersionId"),
            ["null".to_owned(), one]
        );
        assert_eq!(bench.files(), 2);
    });
}

#[test]
fn lists_fold_and_page() {
    run(async {
        let bench = Bench::with_bucket().await;
        for key in ["a", "b/1", "b/2", "b/c/3", "b%210", "%C3%A9", "z"] {
            assert_eq!(bench.ask(&format!("PUT /b-1/{key}"), &[], "").await.status, 200);
        }
        for (query, keys, prefixes, more) in [
            ("list-type=2", "a b!0 b/1 b/2 b/c/3 z é", "", "false"),
            ("list-type=2&delimiter=/", "a b!0 z é", "b/", "false"),
            ("list-type=2&delimiter=/&prefix=b/", "b/1 b/2", "b/c/", "false"),
            ("list-type=2&prefix=b", "b!0 b/1 b/2 b/c/3", "", "false"),
            ("list-type=2&start-after=b/1", "b/2 b/c/3 z é", "", "false"),
            ("list-type=2&max-keys=2&delimiter=/", "a b!0", "", "true"),
            ("list-type=2&max-keys=0", "", "", "false"),
            ("list-type=2&prefix=nothing", "", "", "false"),
            ("marker=b/&delimiter=/", "z é", "", "false"),
            ("marker=b/2", "b/c/3 z é", "", "false"),
        ] {
            let list = bench.ask(&format!("GET /b-1?{query}"), &[], "").await;
            assert_eq!(list.elements("Key").join(" "), keys, "{query}");
            let told = list.elements("Prefix")[1..].join(" ");
            assert_eq!((told.as_str(), list.element("IsTruncated").as_str()), (prefixes, more), "{query}");
        }
        let mut found = Vec::new();
        let mut token = String::new();
        loop {
            let query = if token.is_empty() {
                String::new()
            } else {
                format!("&continuation-token={}", wire::percent::encode(&token))
            };
            let page =
                bench.ask(&format!("GET /b-1?list-type=2&delimiter=/&max-keys=1{query}"), &[], "").await;
            found.extend(page.elements("Key").into_iter().chain(page.elements("Prefix").into_iter().skip(1)));
            token = page.element("NextContinuationToken");
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(found, ["a", "b!0", "b/", "z", "é"]);
        let encoded = bench.ask("GET /b-1?list-type=2&encoding-type=url", &[], "").await;
        assert_eq!(encoded.elements("Key")[6], "%C3%A9");
    });
}

#[test]
fn many_are_deleted_at_once() {
    run(async {
        let bench = Bench::with_bucket().await;
        bench.ask("PUT /b-1/a", &[], "").await;
        let list = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a</Key></Object><Object><Key>none</Key></Object></Delete>";
        let done = bench.ask("POST /b-1?delete", &[], list).await;
        assert_eq!((done.status, done.elements("Key").join(" ").as_str()), (200, "a none"));
        assert_eq!(bench.ask("POST /b-1?delete", &[], "<Delete/>").await.element("Code"), "MalformedXML");
        assert_eq!(bench.files(), 0);
    });
}

#[test]
fn what_is_refused_stays_and_the_others_go() {
    run(async {
        let bench = Bench::with_bucket().await;
        for key in ["mine", "theirs"] {
            assert_eq!(bench.ask(&format!("PUT /b-1/{key}"), &[], "x").await.status, 200);
        }
        let document = "<Delete><Object><Key>mine</Key></Object><Object><Key>theirs</Key></Object></Delete>";
        let mut call = bench.call("POST /b-1?delete", &[]).unwrap_or_else(|_| panic!("a call"));
        call.request.body = document.into();
        let refusal = wire::ServiceError::new("AccessDenied", "not yours").with_status(403);
        let s3 = bench.s3.as_ref().expect("a server");
        let told = read(s3.delete_but(call, vec![None, Some(refusal)]).await);
        assert_eq!((told.status, told.elements("Key")), (200, vec!["mine".to_owned(), "theirs".to_owned()]));
        assert_eq!(
            (told.element("Code"), told.element("Message")),
            ("AccessDenied".into(), "not yours".into())
        );
        assert_eq!(bench.ask("HEAD /b-1/mine", &[], "").await.status, 404);
        assert_eq!(bench.ask("HEAD /b-1/theirs", &[], "").await.status, 200);
    });
}

#[test]
fn what_is_wrong_or_not_built_is_told() {
    run(async {
        let mut bench = Bench::with_bucket().await;
        for (line, headers, code) in [
            ("PUT /B", &[][..], "InvalidBucketName"),
            ("PUT /10.0.0.1", &[], "InvalidBucketName"),
            ("GET /b-1?intelligent-tiering", &[], "NotImplemented"),
            ("PUT /b-1/k", &[("x-amz-acl", "public-read")], "AccessControlListNotSupported"),
            ("PUT /b-1/k", &[("x-amz-storage-class", "GLACIER")], "InvalidStorageClass"),
            ("PUT /b-1/k", &[("x-amz-object-lock-mode", "GOVERNANCE")], "NotImplemented"),
            ("PUT /b-1/k", &[("x-amz-tagging", "a=1&a=2")], "InvalidTag"),
            ("GET /b-1/k?partNumber=x", &[], "InvalidArgument"),
            ("GET /b-1?list-type=2", &[("x-amz-expected-bucket-owner", "210987654321")], "AccessDenied"),
            ("GET /b-1/k?versionId=nope", &[], "InvalidArgument"),
            ("DELETE /b-1/k?versionId=nope", &[], "InvalidArgument"),
            ("GET /?bucket-region=eu-east-1", &[], "InvalidArgument"),
            ("PUT /b-1/k", &[("if-match", "*")], "NotImplemented"),
            ("PUT /b-1/k", &[("if-match", "x"), ("if-none-match", "*")], "NotImplemented"),
            ("GET /b-1?policy", &[], "NoSuchBucketPolicy"),
            ("PUT /b-1?policy", &[], "MalformedPolicy"),
            ("POST /b-1/k", &[], "MethodNotAllowed"),
        ] {
            assert_eq!(bench.ask(line, headers, "").await.element("Code"), code, "{line} {headers:?}");
        }
        bench.region = "eu-west-1";
        assert_eq!(
            bench.ask("PUT /other", &[], "").await.element("Code"),
            "IllegalLocationConstraintException"
        );
        let here = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
        assert_eq!(bench.ask("PUT /other", &[], here).await.status, 200);
        assert_eq!(bench.ask("PUT /other", &[], here).await.element("Code"), "BucketAlreadyOwnedByYou");
        assert_eq!(
            bench.ask("GET /other?location", &[], "").await.element("LocationConstraint"),
            "eu-west-1"
        );
    });
}

/// Answers recorded from the service itself.
#[test]
fn the_oldest_region_makes_buckets_for_all() {
    run(async {
        let bench = Bench::with_bucket().await;
        let place = |place: &str| {
            format!(
                "<CreateBucketConfiguration><LocationConstraint>{place}</LocationConstraint></CreateBucketConfiguration>"
            )
        };
        for (name, constraint, told) in [("far", "eu-central-1", "eu-central-1"), ("old", "EU", "EU")] {
            assert_eq!(bench.ask(&format!("PUT /{name}"), &[], &place(constraint)).await.status, 200);
            let location = bench.ask(&format!("GET /{name}?location"), &[], "").await;
            assert_eq!(location.element("LocationConstraint"), told);
        }
        assert_eq!(bench.ask("HEAD /old", &[], "").await.header("x-amz-bucket-region"), "eu-west-1");
        for constraint in ["us-east-1", "nowhere"] {
            let refused = bench.ask("PUT /never", &[], &place(constraint)).await;
            assert_eq!(refused.element("Code"), "InvalidLocationConstraint", "{constraint}");
            assert_eq!(refused.element("LocationConstraint"), constraint);
        }
    });
}

#[test]
fn keys_versions_and_digests_are_told_as_recorded() {
    run(async {
        let bench = Bench::with_bucket().await;
        let owner = bench.ask("GET /b-1?policy", &[("x-amz-expected-bucket-owner", "0000")], "").await;
        assert_eq!((owner.status, owner.element("Code").as_str()), (400, "InvalidBucketOwnerAWSAccountID"));
        let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
        assert_eq!(bench.ask("PUT /b-1?policy", &[], policy).await.status, 204);
        let kms = [
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
        ];
        let put = bench.ask("PUT /b-1/k", &kms, "text").await;
        assert_eq!(put.header("x-amz-server-side-encryption-bucket-key-enabled"), "true");
        let own = servicekit::ids::managed_key("123456789012", "us-east-1", "s3");
        let arn = format!("arn:aws:kms:us-east-1:123456789012:key/{own}");
        assert_eq!(put.header("x-amz-server-side-encryption-aws-kms-key-id"), arn);
        assert_eq!(
            bench.ask("HEAD /b-1/k", &[], "").await.header("x-amz-server-side-encryption-aws-kms-key-id"),
            arn
        );

        let digest = wire::base64::encode(&[7; 16]);
        let wrong = bench.ask("PUT /b-1/k", &[("content-md5", &digest)], "text").await;
        assert_eq!(wrong.element("ExpectedDigest"), "07".repeat(16));
        assert_eq!(wrong.element("CalculatedDigest"), "HLJR7A1WjeapKbUgxK7Y0Q==");
        assert_eq!(
            bench.ask("PUT /b-1/k", &[("content-md5", "123")], "").await.element("Content-MD5"),
            "123"
        );

        let future = [("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")];
        assert_eq!(bench.ask("GET /b-1/k", &future, "").await.status, 200);
        let expires = "GET /b-1/k?response-expires=Wed%2C%2021%20Oct%202015%2007%3A28%3A00%20GMT";
        assert_eq!(bench.ask(expires, &[], "").await.header("expires"), "Wed, 21 Oct 2015 07:28:00 GMT");

        let suspended = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
        assert_eq!(bench.ask("PUT /b-1?versioning", &[], suspended).await.status, 200);
        assert_eq!(bench.ask("PUT /b-1/k", &[], "more").await.header("x-amz-version-id"), "");
        assert_eq!(bench.ask("GET /b-1/k", &[], "").await.header("x-amz-version-id"), "null");
    });
}

#[test]
fn conditions_markers_and_pages_are_told_as_recorded() {
    run(async {
        let bench = Bench::with_bucket().await;
        bench.ask("PUT /b-1/k", &[], "text").await;
        let copy = [("x-amz-copy-source", "b-1/k"), ("x-amz-copy-source-if-match", "other")];
        assert_eq!(
            bench.ask("PUT /b-1/c", &copy, "").await.element("Condition"),
            "x-amz-copy-source-If-Match"
        );
        let whole = [("range", "bytes=-15"), ("x-amz-checksum-mode", "ENABLED")];
        let got = bench.ask("GET /b-1/k", &whole, "").await;
        assert_eq!((got.status, got.header("x-amz-checksum-type")), (206, "FULL_OBJECT"));
        let body = "<Delete><Object><Key>k</Key><VersionId>nope</VersionId></Object></Delete>";
        assert_eq!(bench.ask("POST /b-1?delete", &[], body).await.element("Code"), "NoSuchVersion");

        let block = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
        assert_eq!(bench.ask("PUT /b-1?publicAccessBlock", &[], block).await.status, 200);
        let told = bench.ask("GET /b-1?publicAccessBlock", &[], "").await;
        assert_eq!(told.element("RestrictPublicBuckets"), "false");
        assert_eq!(bench.ask("PUT /b-2", &[], "").await.status, 200);
        let first = bench.ask("GET /?max-buckets=1", &[], "").await;
        let next = format!(
            "GET /?continuation-token={}",
            wire::percent::encode(&first.element("ContinuationToken"))
        );
        assert_eq!(bench.ask(&next, &[], "").await.elements("Name"), ["b-2"]);

        let empty = "<VersioningConfiguration></VersioningConfiguration>";
        let refused = bench.ask("PUT /b-1?versioning", &[], empty).await;
        assert_eq!(refused.element("Code"), "IllegalVersioningConfigurationException");
        let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        bench.ask("PUT /b-1?versioning", &[], enabled).await;
        let refused = bench.ask("DELETE /b-1", &[], "").await.element("Message");
        assert!(refused.ends_with("You must delete all versions in the bucket."), "{refused}");
    });
}
