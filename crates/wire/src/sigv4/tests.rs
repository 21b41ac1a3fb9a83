use super::*;
use crate::Protocol;
use world::{Random, Timestamp};

static DYNAMODB: Service = service("dynamodb", Protocol::Json10);
static IAM: Service = service("iam", Protocol::Query);
static EC2: Service = service("ec2", Protocol::Ec2);
static LAMBDA: Service = service("lambda", Protocol::RestJson);

const fn service(name: &'static str, protocol: Protocol) -> Service {
    Service {
        name,
        signing_name: name,
        protocol,
        version: "",
        target_prefix: "",
        namespace: "",
        violation_code: "ValidationException",
        operations: &[],
        refused: &[],
        errors: &[],
    }
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn secrets(access_key: &str, _token: Option<&str>) -> Option<String> {
    (access_key == "AKIDEXAMPLE").then(|| SECRET.to_string())
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_iso(text).expect("a time")
}

fn signer(service: &str) -> Signer {
    Signer {
        credentials: Credentials {
            access_key: "AKIDEXAMPLE".into(),
            secret: SECRET.into(),
            session_token: None,
        },
        region: "us-east-1".into(),
        service: service.into(),
    }
}

fn code(result: Result<Scope, ServiceError>) -> String {
    match result {
        Ok(_) => "ok".to_string(),
        Err(error) => format!("{} {}", error.name(), error.status.unwrap_or_default()),
    }
}

/// The example of AWS's documentation of signatures.
#[test]
fn the_documented_example_verifies() {
    let request = Request { method: http::Method::GET, ..Request::default() }
        .with_target("/?Action=ListUsers&Version=2010-05-08")
        .with_header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .with_header("host", "iam.amazonaws.com")
        .with_header("x-amz-date", "20150830T123600Z")
        .with_header("authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
    let scope = verify(&request, &IAM, &secrets, at("20150830T123700Z")).expect("a good signature");
    assert_eq!((&*scope.access_key, &*scope.region), ("AKIDEXAMPLE", "us-east-1"));

    let at_edge = |time| code(verify(&request, &IAM, &secrets, at(time)));
    assert_eq!(at_edge("20150830T125100Z"), "ok");
    assert_eq!(at_edge("20150830T125101Z"), "SignatureDoesNotMatch 403");
    assert_eq!(at_edge("20150830T122100Z"), "ok");
    assert_eq!(at_edge("20150830T122059Z"), "SignatureDoesNotMatch 403");
}

#[test]
fn what_is_signed_verifies_and_what_is_changed_does_not() {
    let now = at("20261121T010203Z");
    let request = Request::post(&b"{\"TableName\":\"t\"}"[..])
        .with_header("host", "127.0.0.1:4566")
        .with_header("content-type", "application/x-amz-json-1.0")
        .with_header("x-amz-target", "DynamoDB_20120810.DescribeTable");
    let signed = signer("dynamodb").sign(request, now);
    let check = |request: &Request| code(verify(request, &DYNAMODB, &secrets, now));
    assert_eq!(check(&signed), "ok");

    let changes: [fn(&mut Request); 5] = [
        |request| request.body = "{\"TableName\":\"u\"}".into(),
        |request| request.query = "a=b".into(),
        |request| request.path = "/x".into(),
        |request| request.method = http::Method::PUT,
        |request| {
            *request = std::mem::take(request).with_header("x-amz-target", "DynamoDB_20120810.DeleteTable")
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut changed = signed.clone();
        change(&mut changed);
        assert_eq!(check(&changed), "InvalidSignatureException 400", "change {at}");
    }
    let mut bare = signed.clone();
    bare.headers.remove("x-amz-target");
    assert_eq!(check(&bare), "IncompleteSignatureException 400");
    let other = signed.clone().with_header("x-amz-content-sha256", &"0".repeat(64));
    assert_eq!(check(&other), "InvalidSignatureException 400");
}

#[test]
fn paths_and_queries_are_canonical_on_both_sides() {
    let now = at("20261121T010203Z");
    for target in [
        "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af",
        "/2015-03-31/functions/?MaxItems=5&Marker=a%2Fb+c",
        "/a/../b//c/./d?x&y=&x=1",
        "",
    ] {
        let request = Request::post("").with_target(target).with_header("host", "h");
        let signed = signer("lambda").sign(request, now);
        assert_eq!(code(verify(&signed, &LAMBDA, &secrets, now)), "ok", "{target}");
        let request = Request::post("").with_target(target).with_header("host", "h");
        let signed = signer("lambda").presign(request, now, 60);
        assert_eq!(code(verify(&signed, &LAMBDA, &secrets, now)), "ok", "presigned {target}");
        let later = at("20261121T010304Z");
        assert_eq!(code(verify(&signed, &LAMBDA, &secrets, later)), "InvalidSignatureException 403");
    }
}

#[test]
fn faults_are_told_in_the_words_of_the_protocol() {
    let good =
        "Credential=AKIDEXAMPLE/20261121/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00";
    let dated = |header: &str| {
        Request::post("").with_header("authorization", header).with_header("x-amz-date", "20261121T010203Z")
    };
    let cases = [
        (Request::post(""), "MissingAuthenticationTokenException: Request is missing Authentication Token"),
        (dated("Basic abc"), "MissingAuthenticationTokenException: Request is missing Authentication Token"),
        (
            dated("AWS4-HMAC-SHA256 "),
            "IncompleteSignatureException: Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=",
        ),
        (
            Request::post("").with_header("authorization", &format!("AWS4-HMAC-SHA256 {good}")),
            "IncompleteSignatureException: Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed",
        ),
        (
            dated(
                "AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/aws4_request, SignedHeaders=host, Signature=00",
            ),
            "IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements",
        ),
        (
            dated(
                "AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00",
            ),
            "IncompleteSignatureException: Date in Credential scope does not match",
        ),
        (
            dated(
                "AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/dynamodb/aws4_request SignedHeaders=host Signature=00",
            ),
            "IncompleteSignatureException: Date in Credential scope does not match",
        ),
        (dated("AWS4-HMAC-SHA256 what"), "IncompleteSignatureException: 'what' not a valid key=value pair"),
        (
            dated(&format!("AWS4-HMAC-SHA256 {good}")).with_target("/?X-Amz-Algorithm=AWS4-HMAC-SHA256"),
            "InvalidSignatureException: Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
        ),
        (
            Request::post("").with_target("/?X-Amz-Algorithm=AWS4-HMAC-SHA256"),
            "IncompleteSignatureException: AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.",
        ),
    ];
    for (request, expect) in cases {
        let error = lenient(&request, &DYNAMODB).expect_err(expect);
        assert!(error.to_string().starts_with(expect), "{error}\n{expect}");
        assert_eq!(error.status, Some(400));
    }
    let request = dated(&format!("AWS4-HMAC-SHA256 {good}"));
    assert_eq!(code(lenient(&request, &DYNAMODB)), "ok");
    let now = at("20261121T010203Z");
    let unknown = |_: &str, _: Option<&str>| None;
    assert_eq!(code(verify(&request, &DYNAMODB, &unknown, now)), "UnrecognizedClientException 400");
    assert_eq!(code(verify(&request, &IAM, &unknown, now)), "SignatureDoesNotMatch 403");
    assert_eq!(code(verify(&request, &EC2, &unknown, now)), "AuthFailure 401");
    let later = at("20261121T020203Z");
    assert_eq!(
        verify(&request, &DYNAMODB, &secrets, later).expect_err("expired").message.as_deref(),
        Some(
            "Signature expired: 20261121T010203Z is now earlier than 20261121T014703Z (20261121T020203Z - 15 min.)"
        )
    );
}

/// Whatever stands in the headers and the query, there is an answer and no panic; and what still verifies is the same signer.
#[test]
fn mutated_signatures_never_panic_nor_change_who_signed() {
    let mut random = Random::from_seed(0x5167);
    let now = at("20261121T010203Z");
    let request = Request::post("{}").with_target("/p?q=1").with_header("host", "h");
    let by_header = signer("dynamodb").sign(request.clone(), now);
    let by_query = signer("dynamodb").presign(request, now, 60);
    let alphabet: Vec<char> = "abcXYZ019-_=/,;:%+ \u{e9}".chars().collect();
    for round in 0..20_000u32 {
        let mut text: Vec<char> = if round % 2 == 0 {
            by_header.header("authorization").expect("signed").chars().collect()
        } else {
            by_query.query.chars().collect()
        };
        for _ in 0..=random.below(3) {
            let place = random.below(text.len() as u64) as usize;
            let c = alphabet[random.below(alphabet.len() as u64) as usize];
            match random.below(3) {
                0 => text[place] = c,
                1 => text.insert(place, c),
                _ => drop(text.remove(place)),
            }
        }
        let text: String = text.into_iter().collect();
        let mutated = match round % 2 {
            0 => by_header.clone().with_header("authorization", &text),
            _ => Request { query: text, ..by_query.clone() },
        };
        let _ = scope(&mutated);
        let _ = lenient(&mutated, &DYNAMODB);
        if let Ok(scope) = verify(&mutated, &DYNAMODB, &secrets, now) {
            // A space, a repeated separator or a change undone by the next one leaves what was signed as it was.
            assert_eq!(scope.access_key, "AKIDEXAMPLE");
            assert_eq!(scope.date, "20261121");
        }
    }
}
