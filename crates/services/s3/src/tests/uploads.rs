//! Uploads in parts, and copies.

use super::{Bench, run};

const PART: usize = 5 << 20;

async fn begin(bench: &Bench, headers: &[(&str, &str)]) -> String {
    let begun = bench.ask("POST /b-1/big?uploads", headers, "").await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    begun.element("UploadId")
}

async fn send(bench: &Bench, upload: &str, number: usize, body: &str) -> String {
    let put = bench.ask(&format!("PUT /b-1/big?partNumber={number}&uploadId={upload}"), &[], body).await;
    assert_eq!(put.status, 200, "{}", put.body);
    put.header("etag").to_owned()
}

fn list(parts: &[(usize, &str)]) -> String {
    let parts = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.collect::<String>())
}

#[test]
fn parts_become_one_object() {
    run(async {
        let mut bench = Bench::with_bucket().await;
        let upload = begin(&bench, &[("x-amz-meta-a", "b")]).await;
        let (one, three) = ("1".repeat(PART), "3".repeat(10));
        let third = send(&bench, &upload, 3, &three).await;
        let _replaced = send(&bench, &upload, 1, "other").await;
        let first = send(&bench, &upload, 1, &one).await;
        let _unused = send(&bench, &upload, 7, "unused").await;
        assert_eq!(bench.ask("GET /b-1?uploads", &[], "").await.element("UploadId"), upload);
        let listed = bench.ask(&format!("GET /b-1/big?uploadId={upload}"), &[], "").await;
        assert_eq!(listed.elements("PartNumber"), ["1", "3", "7"]);
        assert_eq!(bench.ask("GET /b-1/big", &[], "").await.status, 404);
        bench.restart();
        let end = format!("POST /b-1/big?uploadId={upload}");
        for (body, code) in [
            (list(&[]), "MalformedXML"),
            (list(&[(3, &third), (1, &first)]), "InvalidPartOrder"),
            (list(&[(1, &third), (3, &third)]), "InvalidPart"),
            (list(&[(3, &third), (7, "\"1\"")]), "EntityTooSmall"),
        ] {
            assert_eq!(bench.ask(&end, &[], &body).await.element("Code"), code);
        }
        let done = bench.ask(&end, &[], &list(&[(1, &first), (3, &third)])).await;
        assert_eq!(done.status, 200, "{}", done.body);
        let again = bench.ask(&end, &[("if-none-match", "*")], &list(&[(1, &first), (3, &third)])).await;
        assert_eq!((again.status, again.body.as_str()), (200, done.body.as_str()));
        assert!(done.element("ETag").ends_with("-2\""), "{}", done.body);
        assert_eq!(bench.files(), 2, "what no part became is gone");
        let got = bench.ask("GET /b-1/big", &[("range", "bytes=5242878-5242882")], "").await;
        assert_eq!((got.body.as_str(), got.header("x-amz-meta-a")), ("11333", "b"));
        let part = bench.ask("HEAD /b-1/big?partNumber=2", &[], "").await;
        assert_eq!(
            (part.header("content-range"), part.header("x-amz-mp-parts-count")),
            ("bytes 5242880-5242889/5242890", "2")
        );
        assert_eq!(bench.ask(&end, &[], &list(&[(1, &first)])).await.element("Code"), "NoSuchUpload");
        bench.restart();
        assert_eq!(bench.ask("GET /b-1/big", &[], "").await.body.len(), PART + 10);
        bench.ask("DELETE /b-1/big", &[], "").await;
        assert_eq!(bench.files(), 0);
    });
}

#[test]
fn an_upload_that_is_given_up_leaves_nothing() {
    run(async {
        let bench = Bench::with_bucket().await;
        let upload = begin(&bench, &[]).await;
        send(&bench, &upload, 1, "part").await;
        assert_eq!(bench.ask(&format!("DELETE /b-1/big?uploadId={upload}"), &[], "").await.status, 204);
        assert_eq!(bench.files(), 0);
        let late = bench.ask(&format!("PUT /b-1/big?partNumber=1&uploadId={upload}"), &[], "late").await;
        assert_eq!((late.element("Code").as_str(), bench.files()), ("NoSuchUpload", 0));
        let other = begin(&bench, &[]).await;
        send(&bench, &other, 1, "part").await;
        assert_eq!(bench.ask("DELETE /b-1", &[], "").await.status, 204);
        assert_eq!(bench.files(), 0, "a bucket's uploads go with it");
    });
}

#[test]
fn checksums_of_parts_become_the_whole_ones() {
    run(async {
        let bench = Bench::with_bucket().await;
        let whole = "7".repeat(PART) + "tail";
        bench.ask("PUT /b-1/whole", &[("x-amz-sdk-checksum-algorithm", "CRC32")], &whole).await;
        let asked = [("x-amz-checksum-mode", "ENABLED")];
        let sum = bench.ask("HEAD /b-1/whole", &asked, "").await.header("x-amz-checksum-crc32").to_owned();
        for (kind, composite) in [("FULL_OBJECT", false), ("COMPOSITE", true)] {
            let upload =
                begin(&bench, &[("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", kind)]).await;
            let first = send(&bench, &upload, 1, &whole[..PART]).await;
            let second = send(&bench, &upload, 2, &whole[PART..]).await;
            let end = format!("POST /b-1/big?uploadId={upload}");
            let body = list(&[(1, &first), (2, &second)]);
            let wrong = bench.ask(&end, &[("x-amz-checksum-crc32", "AAAAAA==")], &body).await;
            assert_eq!(wrong.element("Code"), "BadDigest");
            assert_eq!(bench.ask(&end, &[], &body).await.element("ChecksumType"), kind);
            let told = bench.ask("HEAD /b-1/big", &asked, "").await.header("x-amz-checksum-crc32").to_owned();
            assert_eq!((told.ends_with("-2"), told == sum), (composite, !composite), "{kind}");
        }
    });
}

#[test]
fn copies_have_their_own_bytes() {
    run(async {
        let bench = Bench::with_bucket().await;
        let meta = [("x-amz-meta-a", "b"), ("x-amz-tagging", "t=1"), ("content-type", "text/plain")];
        bench.ask("PUT /b-1/a%2Bb", &meta, "body").await;
        let from = ("x-amz-copy-source", "b-1/a%2Bb");
        assert_eq!(
            bench.ask("PUT /b-1/copy", &[from], "").await.element("ETag"),
            "\"841a2d689ad86bd1611447453c22c6fc\""
        );
        let replaced = [from, ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-c", "d")];
        bench.ask("PUT /b-1/fresh", &replaced, "").await;
        bench.ask("DELETE /b-1/a%2Bb", &[], "").await;
        let copy = bench.ask("GET /b-1/copy", &[], "").await;
        assert_eq!(
            (copy.body.as_str(), copy.header("x-amz-meta-a"), copy.header("x-amz-tagging-count")),
            ("body", "b", "1")
        );
        let fresh = bench.ask("GET /b-1/fresh", &[], "").await;
        assert_eq!(
            [fresh.header("x-amz-meta-a"), fresh.header("x-amz-meta-c"), fresh.header("content-type")],
            ["", "d", "binary/octet-stream"]
        );
        let itself = ("x-amz-copy-source", "/b-1/copy");
        assert_eq!(bench.ask("PUT /b-1/copy", &[itself], "").await.element("Code"), "InvalidRequest");
        let unless = [itself, ("x-amz-copy-source-if-match", "other")];
        assert_eq!(bench.ask("PUT /b-1/x", &unless, "").await.element("Code"), "PreconditionFailed");
        let upload = begin(&bench, &[]).await;
        let part = format!("PUT /b-1/big?partNumber=1&uploadId={upload}");
        let copied = bench.ask(&part, &[itself, ("x-amz-copy-source-range", "bytes=1-2")], "").await;
        let done = bench
            .ask(&format!("POST /b-1/big?uploadId={upload}"), &[], &list(&[(1, &copied.element("ETag"))]))
            .await;
        assert_eq!(done.status, 200, "{}", done.body);
        assert_eq!(bench.ask("GET /b-1/big", &[], "").await.body, "od");
    });
}

/// Answers recorded from the service itself.
#[test]
fn an_upload_without_a_checksum_gets_one() {
    run(async {
        let bench = Bench::with_bucket().await;
        let upload = begin(&bench, &[]).await;
        let (end, parts) =
            (format!("POST /b-1/big?uploadId={upload}"), format!("GET /b-1/big?uploadId={upload}"));
        assert_eq!(bench.ask("POST /b-1/big?uploadId=none", &[], "").await.element("Code"), "NoSuchUpload");
        assert_eq!(bench.ask(&end, &[], "").await.element("Message"), "You must specify at least one part");
        assert_eq!(bench.ask(&parts, &[], "").await.element("NextPartNumberMarker"), "0");
        let sums = [("x-amz-checksum-crc32", "y/Q5Jg==")];
        let sent =
            bench.ask(&format!("PUT /b-1/big?partNumber=1&uploadId={upload}"), &sums, "123456789").await;
        assert_eq!(sent.header("x-amz-checksum-crc32"), "y/Q5Jg==");
        assert!(!bench.ask(&parts, &[], "").await.body.contains("Checksum"));
        let listed = bench.ask("GET /b-1?uploads", &[], "").await;
        assert_eq!(listed.element("NextUploadIdMarker"), upload);

        let wrong = bench.ask(&end, &[], &list(&[(1, "\"0\"")])).await;
        assert_eq!((wrong.element("Code").as_str(), wrong.element("ETag").as_str()), ("InvalidPart", "0"));
        let etag = sent.header("etag").to_owned();
        let with_sum =
            list(&[(1, &etag)]).replace("</Part>", "<ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></Part>");
        let done = bench.ask(&end, &[], &with_sum).await;
        assert_eq!(done.element("ChecksumCRC64NVME"), "rosUhgp5mIg=");
        assert_eq!(done.element("ChecksumType"), "FULL_OBJECT");
    });
}
