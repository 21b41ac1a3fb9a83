//! A function's first invocation, and those after it, in the sandbox that the machine allows.

use super::super::handlers;
use super::direct::Direct;
use super::{Bench, Result, Row, at, ms};
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::{Node, TempDir};

const COLD: usize = 20;
const WARM: usize = 2_000;

const HANDLER: &str = "import sys\ndef handler(event, context):\n    return sys.executable\n";

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let dir = TempDir::new("bench-starts");
    let node = Node::start(bench.binary, dir.path(), &["--sandbox", "auto"]);
    let mut client = node.client();
    let zip = handlers::zip(dir.path(), HANDLER)?;
    let mut turn = |name: &str| -> Result<Duration> {
        let begun = Instant::now();
        handlers::invoke(&mut client, name, &json!({}))?;
        Ok(begun.elapsed())
    };
    let mut cold = Vec::new();
    for number in 0..=COLD {
        let name = format!("cold{number}");
        handlers::create(&mut node.client(), &name, &zip, json!({}))?;
        cold.push(turn(&name)?);
    }
    // The first writes the runtime's client and looks for the interpreter.
    let first = cold.remove(0);
    cold.sort();
    let mut warm = (0..WARM).map(|_| turn("cold0")).collect::<Result<Vec<_>>>()?;
    warm.sort();

    let answer = client.lambda("POST", "/2015-03-31/functions/cold0/invocations", &json!({}))?.json();
    let python = answer.as_str().unwrap_or("python3");
    let out = dir.path().join("unused");
    let mut bare = Direct { python, data: dir.path(), code: dir.path(), out: &out }.feed(b"{}", WARM)?;
    bare.sort();
    let overhead = ms(at(&warm, 50)) - ms(at(&bare, 50));
    Ok(vec![
        Row {
            what: "cold start, Python: Invoke to answer".to_owned(),
            measured: format!(
                "p50 {:.0} ms, max {:.0} ms; the server's first {:.0} ms",
                ms(at(&cold, 50)),
                ms(at(&cold, 100)),
                ms(first)
            ),
            wanted: "120 ms",
            reached: ms(at(&cold, 50)) < 120.0,
        },
        Row {
            what: "warm Invoke, Python: more than its runtime client alone takes".to_owned(),
            measured: format!(
                "{overhead:.2} ms (p50 {:.2} ms, p99 {:.2} ms; alone {:.2} ms)",
                ms(at(&warm, 50)),
                ms(at(&warm, 99)),
                ms(at(&bare, 50))
            ),
            wanted: "1 ms",
            reached: overhead < 1.0,
        },
    ])
}
