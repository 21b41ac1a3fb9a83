//! Whatever comes in, the answer is AWS's error, and the server is as it was.

use crate::support::{create_table, start};
use serde_json::json;
use testkit::{Client, TempDir};

#[test]
fn bad_input_is_refused_and_changes_nothing() {
    let dir = TempDir::new("bad-input");
    let node = start(&dir);
    let mut client = node.client();
    create_table(&mut client, "Tab");
    let authorization = "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00\r\n";
    let deep = format!(
        r#"{{"TableName":"Tab","Item":{{"id":{{"S":"a"}},"d":{}{{"S":"x"}}{}}}}}"#,
        r#"{"L":["#.repeat(400),
        "]}".repeat(400)
    );
    let large =
        format!(r#"{{"TableName":"Tab","Item":{{"id":{{"S":"a"}},"d":{{"S":"{}"}}}}}}"#, "x".repeat(410_000));
    let cases: [(&str, &str, &[u8], u16, &str); 9] = [
        ("PutItem", authorization, br#"{"TableName":"Tab","Item":"#, 400, "SerializationException"),
        ("PutItem", authorization, b"\xff\xfe", 400, "SerializationException"),
        ("PutItem", authorization, br#"{"TableName":7,"Item":{}}"#, 400, "SerializationException"),
        ("PutItem", authorization, deep.as_bytes(), 400, "Exception"),
        ("PutItem", authorization, large.as_bytes(), 400, "ValidationException"),
        ("NoSuchThing", authorization, b"{}", 400, "UnknownOperationException"),
        ("PutItem", "", b"{}", 400, "MissingAuthenticationTokenException"),
        (
            "PutItem",
            "Authorization: AWS4-HMAC-SHA256 garbage\r\n",
            b"{}",
            400,
            "IncompleteSignatureException",
        ),
        ("PutItem", authorization, b"{}", 400, "ValidationException"),
    ];
    for (operation, authorization, body, status, word) in cases {
        let headers = format!(
            "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\n{authorization}"
        );
        let mut client = Client::connect(node.address()).expect("a connection");
        let answer = client.send("POST", "/", &headers, body).expect("an answer");
        assert_eq!(answer.status, status, "{operation}: {}", answer.text());
        assert!(answer.text().contains(word), "{operation}: {word} expected in {}", answer.text());
    }

    let oversized = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: 99999999\r\n\r\n";
    let answer = Client::connect(node.address()).and_then(|mut client| client.raw(oversized.as_bytes()));
    assert_eq!(answer.expect("an answer").status, 413);
    for garbage in [&b"\0\0\0\0\r\n\r\n"[..], b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n"] {
        // Refused or cut off: either will do, as long as the server lives.
        let _ = Client::connect(node.address()).and_then(|mut client| client.raw(garbage));
    }

    let scanned = client.dynamodb("Scan", &json!({ "TableName": "Tab" })).expect("an answer");
    assert_eq!(scanned.json()["Count"], 0, "{}", scanned.text());
    assert!(node.stop().success());
}

/// A client that is refused before it has sent its body never sends it; what it sends next must not be taken for it.
#[test]
fn a_refused_upload_ends_its_connection_and_says_so() {
    let dir = TempDir::new("refused-upload");
    let node = start(&dir);
    let head = |method: &str, path: &str, more: &str| {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nX-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature={}\r\n{more}\r\n",
            node.address(),
            "0".repeat(64),
        )
    };
    let upload = head("PUT", "/none/k", "Content-Length: 5\r\nExpect: 100-continue\r\n");
    let closes = |answer: &testkit::Answer| answer.head.to_ascii_lowercase().contains("connection: close");
    let mut client = Client::connect(node.address()).expect("a connection");
    let answer = client.raw(upload.as_bytes()).expect("an answer");
    assert!(answer.status == 404 && closes(&answer), "{}", answer.head);
    assert!(client.raw(upload.as_bytes()).is_err(), "nobody listens there any more");

    let mut client = Client::connect(node.address()).expect("a connection");
    for _ in 0..2 {
        let answer = client.raw(head("GET", "/none/k", "").as_bytes()).expect("an answer");
        assert!(answer.status == 404 && !closes(&answer), "{}", answer.head);
    }
}
