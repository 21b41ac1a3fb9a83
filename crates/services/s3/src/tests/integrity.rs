//! Bodies in every form, and sums that do not fit.

use super::{Bench, Pieces, run};
use bytes::Bytes;
use servicekit::body::BodyBroken;

const TRAILED: &str = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";

#[test]
fn every_form_of_a_body_becomes_the_same_object() {
    run(async {
        let bench = Bench::with_bucket().await;
        let streaming = ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        let signed = ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
        let decoded = ("x-amz-decoded-content-length", "5");
        for (headers, body) in [
            (&[][..], "hello"),
            (&[("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")], "hello"),
            (&[("x-amz-checksum-crc32", "NhCmhg==")], "hello"),
            (&[("x-amz-checksum-crc32c", "mnG7TA==")], "hello"),
            (&[("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=")], "hello"),
            (
                &[(
                    "x-amz-content-sha256",
                    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
                )],
                "hello",
            ),
            (&[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")], "hello"),
            (&[streaming, decoded, ("x-amz-trailer", "x-amz-checksum-crc32")], TRAILED),
            (&[signed, decoded], "5;chunk-signature=a\r\nhello\r\n0;chunk-signature=b\r\n\r\n"),
        ] {
            let put = bench.ask("PUT /b-1/k", headers, body).await;
            assert_eq!(
                (put.status, put.header("etag")),
                (200, "\"5d41402abc4b2a76b9719d911017c592\""),
                "{headers:?}: {}",
                put.body
            );
        }
        let got = bench.ask("GET /b-1/k", &[("x-amz-checksum-mode", "ENABLED")], "").await;
        assert_eq!((got.body.as_str(), got.header("x-amz-checksum-type")), ("hello", "FULL_OBJECT"));
    });
}

#[test]
fn what_does_not_fit_its_sums_is_no_object() {
    run(async {
        let bench = Bench::with_bucket().await;
        let streaming = ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        let trailer = ("x-amz-trailer", "x-amz-checksum-crc32");
        let decoded = |bytes| ("x-amz-decoded-content-length", bytes);
        for (headers, body, code) in [
            (&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")][..], "hello", "BadDigest"),
            (&[("content-md5", "AAAA")], "hello", "InvalidDigest"),
            (&[("x-amz-checksum-crc32", "AAAAAA==")], "hello", "BadDigest"),
            (&[("x-amz-checksum-crc32", "AA==")], "hello", "InvalidRequest"),
            (&[("x-amz-checksum-xxhash64", "AA==")], "hello", "NotImplemented"),
            (&[("x-amz-content-sha256", &"0".repeat(64))], "hello", "XAmzContentSHA256Mismatch"),
            (&[("content-length", "9")], "hello", "IncompleteBody"),
            (&[streaming, decoded("6"), trailer], TRAILED, "IncompleteBody"),
            (&[streaming, decoded("5"), trailer], &TRAILED.replace("hello", "hallo"), "BadDigest"),
            (&[streaming, decoded("5"), trailer], "5\r\nhello\r\n0\r\n\r\n", "MalformedTrailerError"),
            (&[streaming, decoded("5"), trailer], "5\r\nhel", "IncompleteBody"),
            (&[streaming, trailer], TRAILED, "MissingContentLength"),
        ] {
            assert_eq!(bench.ask("PUT /b-1/k", headers, body).await.element("Code"), code, "{headers:?}");
        }
        let broken = Pieces(vec![Ok(Bytes::from_static(b"he")), Err(BodyBroken)]);
        let told = bench.send("PUT /b-1/k", &[("content-length", "5")], Box::new(broken)).await;
        assert_eq!(told.element("Code"), "IncompleteBody");
        assert_eq!(bench.files(), 0);
        assert_eq!(bench.ask("GET /b-1/k", &[], "").await.status, 404);
        // Nor is a document taken that does not fit.
        let list = "<Delete><Object><Key>a</Key></Object></Delete>";
        let told = bench.ask("POST /b-1?delete", &[("x-amz-checksum-crc32", "AAAAAA==")], list).await;
        assert_eq!(told.element("Code"), "BadDigest");
    });
}

#[test]
fn writes_and_reads_wait_for_their_conditions() {
    run(async {
        let bench = Bench::with_bucket().await;
        let only_new = [("if-none-match", "*")];
        assert_eq!(bench.ask("PUT /b-1/k", &only_new, "a").await.status, 200);
        assert_eq!(bench.ask("PUT /b-1/k", &only_new, "b").await.status, 412);
        let etag = bench.ask("HEAD /b-1/k", &[], "").await.header("etag").to_owned();
        assert_eq!(bench.ask("GET /b-1/k", &[("if-none-match", &etag)], "").await.status, 304);
        assert_eq!(bench.ask("PUT /b-1/k", &[("if-match", &etag)], "c").await.status, 200);
        assert_eq!(bench.ask("PUT /b-1/k", &[("if-match", &etag)], "d").await.status, 412);
        assert_eq!(bench.ask("DELETE /b-1/k", &[("if-match", &etag)], "").await.status, 412);
        assert_eq!(bench.ask("GET /b-1/k", &[], "").await.body, "c");
        assert_eq!(bench.files(), 1);
    });
}

#[test]
fn readers_keep_what_is_replaced_under_them() {
    run(async {
        let bench = Bench::with_bucket().await;
        bench.ask("PUT /b-1/k", &[], "old").await;
        let s3 = bench.s3.as_ref().expect("a server");
        let bucket = s3.buckets.get("b-1").expect("a store").expect("a bucket");
        let (version, lease) = s3.find(&bucket, "k", None).expect("an object");
        let mut tail = s3.tail(&version, std::sync::Arc::new(lease), 0, version.bytes).expect("a body");
        bench.ask("PUT /b-1/k", &[], "new").await;
        assert_eq!(tail.read().expect("a piece").expect("a file"), "old");
        assert_eq!(bench.files(), 2);
        let hold = s3.hold_files();
        drop(tail);
        bench.ask("DELETE /b-1/k", &[], "").await;
        assert_eq!(bench.files(), 2, "a copy of all is being made");
        drop(hold);
        assert_eq!(bench.files(), 0);
    });
}
