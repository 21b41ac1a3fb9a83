//! What mappings cost that have nothing to do.

use super::super::{create_table, handlers};
use super::{Bench, Result, Row};
use serde_json::json;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;
use testkit::{Node, TempDir};

const FUNCTIONS: usize = 10;
const WATCHED: Duration = Duration::from_secs(10);

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let dir = TempDir::new("bench-idle");
    let node = Node::start(bench.binary, dir.path(), &[]);
    let mut client = node.client();
    let without = cost(&node)?;
    let zip = handlers::zip(dir.path(), handlers::ENTERED)?;
    for number in 0..FUNCTIONS {
        handlers::create(
            &mut client,
            &format!("f{number}"),
            &zip,
            json!({ "OUT": dir.path().join("entered") }),
        )?;
    }
    let mut stream = String::new();
    for number in 0..bench.mappings {
        if number % FUNCTIONS == 0 {
            stream = create_table(&mut client, &format!("Bench{}", number / FUNCTIONS))?;
        }
        let function = format!("f{}", number % FUNCTIONS);
        let mapping =
            json!({ "FunctionName": function, "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON" });
        handlers::map(&mut client, &mapping)?;
    }
    let with = cost(&node)?;
    let seconds = WATCHED.as_secs_f64();
    Ok(vec![Row {
        what: format!("{} idle mappings over {seconds:.0} s: the server's CPU time", bench.mappings),
        measured: format!(
            "{:.1} ms, {} wake-ups (without them {:.1} ms, {})",
            with.cpu_ms, with.wakes, without.cpu_ms, without.wakes
        ),
        wanted: "as without",
        // A thousandth of one core is noise.
        reached: with.cpu_ms < without.cpu_ms + seconds,
    }])
}

#[derive(Clone, Copy, Default)]
struct Cost {
    cpu_ms: f64,
    wakes: u64,
}

/// What the server takes while nobody asks it anything.
fn cost(node: &Node) -> Result<Cost> {
    // What was asked before is settled.
    std::thread::sleep(Duration::from_secs(1));
    let before = spent(node)?;
    std::thread::sleep(WATCHED);
    let after = spent(node)?;
    // A thread that has ended in between is not there any more to be asked.
    Ok(after.iter().fold(Cost::default(), |sum, (task, (ns, wakes))| {
        let (ns_before, wakes_before) = before.get(task).copied().unwrap_or_default();
        Cost { cpu_ms: sum.cpu_ms + (ns - ns_before) as f64 / 1e6, wakes: sum.wakes + wakes - wakes_before }
    }))
}

/// Of each thread, since its start: nanoseconds on a processor (ticks would be hundredths of a second), and wake-ups.
fn spent(node: &Node) -> Result<BTreeMap<OsString, (u64, u64)>> {
    let mut spent = BTreeMap::new();
    for task in std::fs::read_dir(format!("/proc/{}/task", node.pid()))? {
        let task = task?;
        let read = |file: &str| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let ns = read("schedstat").split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
        let status = read("status");
        let wakes = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        let wakes = wakes.and_then(|wakes| wakes.trim().parse().ok()).unwrap_or(0);
        spent.insert(task.file_name(), (ns, wakes));
    }
    Ok(spent)
}
