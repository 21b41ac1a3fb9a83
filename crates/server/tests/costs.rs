//! What the busiest requests cost, counted, not timed: allocations of all threads, and instructions of the thread that
//! answers. A rise over `costs.txt` fails; a fall asks for the file to be written anew:
//!
//!     MILLSTREAM_COSTS=write cargo test -p server --test costs
//!
//! Both are counted in the test profile: less than a release does, and the same on every run.

#![allow(unsafe_code)] // A counting allocator is one by an unsafe trait.

use bytes::Bytes;
use server::{Node, Settings};
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use wire::{Request, Response};

/// Requests of one kind between two looks at the counter.
const ROUND: u64 = 50;
/// Compilers and libraries differ a little in how many instructions they make of the same code.
const INSTRUCTIONS_SLACK: f64 = 0.10;
/// The operation that a child under callgrind is to run.
const CHILD: &str = "MILLSTREAM_COSTS_OF";

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

// Safety: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A server in memory with one table that has a stream, and ten items under one key.
struct Bench {
    runtime: tokio::runtime::Runtime,
    node: Node,
}

impl Bench {
    fn new() -> Bench {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let settings = Settings { data_dir: None, listen: ([127, 0, 0, 1], 0).into(), ..Settings::default() };
        let node = runtime.block_on(Node::start(settings)).expect("a node starts");
        let bench = Bench { runtime, node };
        bench.prepare(request(
            "CreateTable",
            r#"{"TableName":"Events","BillingMode":"PAY_PER_REQUEST",
                "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],
                "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
                "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#,
        ));
        for sk in 0..10 {
            bench.prepare(request(
                "PutItem",
                &body("PutItem").replace(r#""N":"1""#, &format!(r#""N":"{sk}""#)),
            ));
        }
        bench
    }

    /// Not counted.
    fn prepare(&self, request: Request) {
        check(&self.runtime.block_on(self.node.services().call(request)));
    }

    fn ask(&self, request: Request) {
        check(&measured(self, request));
    }
}

fn check(answer: &Response) {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

/// What callgrind counts: one request, from its bytes to its answer's.
#[inline(never)]
fn measured(bench: &Bench, request: Request) -> Response {
    bench.runtime.block_on(bench.node.services().call(request))
}

const OPERATIONS: [&str; 4] = ["GetItem", "PutItem", "Query", "UpdateItem"];

fn body(operation: &str) -> String {
    let data = "x".repeat(900);
    match operation {
        "GetItem" => r#"{"TableName":"Events","Key":{"pk":{"S":"user-1"},"sk":{"N":"1"}}}"#.to_owned(),
        "PutItem" => format!(
            r#"{{"TableName":"Events","Item":{{"pk":{{"S":"user-1"}},"sk":{{"N":"1"}},"data":{{"S":"{data}"}},"tags":{{"L":[{{"S":"a"}},{{"BOOL":true}}]}}}}}}"#
        ),
        "Query" => r#"{"TableName":"Events","KeyConditionExpression":"pk = :pk AND sk >= :low","ExpressionAttributeValues":{":pk":{"S":"user-1"},":low":{"N":"0"}}}"#.to_owned(),
        "UpdateItem" => r##"{"TableName":"Events","Key":{"pk":{"S":"user-1"},"sk":{"N":"1"}},"UpdateExpression":"SET #n = if_not_exists(#n, :zero) + :one","ConditionExpression":"attribute_exists(pk)","ExpressionAttributeNames":{"#n":"n"},"ExpressionAttributeValues":{":zero":{"N":"0"},":one":{"N":"1"}}}"##.to_owned(),
        other => unreachable!("{other} is not measured"),
    }
}

fn request(operation: &str, body: &str) -> Request {
    Request::post(Bytes::from(body.to_owned()))
        .with_header("x-amz-target", &format!("DynamoDB_20120810.{operation}"))
        .with_header("content-type", "application/x-amz-json-1.0")
        .with_header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000",
        )
        .with_header("x-amz-date", "20261121T000000Z")
        .with_header("host", "localhost")
}

fn allocations(bench: &Bench, operation: &str) -> u64 {
    let body = body(operation);
    // The least of several rounds: what grows by doubling, or is done once, is not the request's.
    let round = || {
        let requests: Vec<Request> = (0..ROUND).map(|_| request(operation, &body)).collect();
        let before = ALLOCATIONS.load(Ordering::SeqCst);
        requests.into_iter().for_each(|request| bench.ask(request));
        (ALLOCATIONS.load(Ordering::SeqCst) - before) / ROUND
    };
    (0..6).map(|_| round()).min().unwrap_or_default()
}

/// Runs this program under callgrind, one operation a child, so that the counter counts nothing else.
fn instructions(operation: &str) -> u64 {
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=costs::measured*"])
        .arg(std::env::current_exe().expect("a program has a path"))
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD, operation)
        .output()
        .unwrap_or_else(|error| panic!("valgrind: {error}; install it, as ./test does"));
    let said = String::from_utf8_lossy(&ran.stderr);
    // Processes that the node forks, to see what the kernel allows, are told of too, and counted nothing.
    let collected = said.lines().filter_map(|line| line.split_once("Collected : "));
    let count = collected.filter_map(|(_, count)| count.trim().parse::<u64>().ok()).max();
    let count = count.filter(|count| *count > 0);
    count.unwrap_or_else(|| panic!("callgrind says no count: {said}")) / ROUND
}

fn recorded() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/costs.txt")
}

/// `operation what = count`, a line each.
fn read() -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(recorded()).expect("costs.txt lies beside this file");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(" = "))
        .map(|(what, count)| (what.to_owned(), count.parse().expect("a count")))
        .collect()
}

fn write(found: &BTreeMap<String, u64>) {
    let mut text = String::from("# Of one request, in the test profile; see costs.rs.\n");
    found.iter().for_each(|(what, count)| text.push_str(&format!("{what} = {count}\n")));
    std::fs::write(recorded(), text).expect("costs.txt can be written");
}

/// Not a test of its own: what runs under callgrind, and nothing otherwise.
#[test]
fn child() {
    let Ok(operation) = std::env::var(CHILD) else { return };
    let bench = Bench::new();
    let body = body(&operation);
    (0..ROUND).for_each(|_| bench.ask(request(&operation, &body)));
}

#[test]
fn requests_cost_what_they_did() {
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    let mut found = BTreeMap::new();
    let bench = Bench::new();
    for operation in OPERATIONS {
        found.insert(format!("{operation} allocations"), allocations(&bench, operation));
    }
    for operation in OPERATIONS {
        found.insert(format!("{operation} instructions"), instructions(operation));
    }
    if std::env::var("MILLSTREAM_COSTS").is_ok_and(|word| word == "write") {
        return write(&found);
    }
    let before = read();
    for (what, now) in &found {
        let before = *before.get(what).unwrap_or_else(|| panic!("costs.txt lacks {what}"));
        let slack = if what.ends_with("instructions") { INSTRUCTIONS_SLACK } else { 0.0 };
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let most = (before as f64 * (1.0 + slack)) as u64;
        assert!(*now <= most, "{what}: {now}, and it was {before}: see this test's first lines");
    }
}
