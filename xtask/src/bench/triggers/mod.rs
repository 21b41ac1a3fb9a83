//! `cargo xtask bench triggers [--records N] [--mappings N] [--only PART] [--binary PATH]`: functions and mappings against
//! their goals.

mod delivery;
mod direct;
mod idle;
mod starts;

use super::{Result, flag, release, word};
use std::time::Duration;
use testkit::Client;

/// What a part is given.
struct Bench<'a> {
    binary: &'a str,
    records: usize,
    mappings: usize,
}

/// A line of the table.
struct Row {
    what: String,
    measured: String,
    wanted: &'static str,
    reached: bool,
}

type Part = fn(&Bench<'_>) -> Result<Vec<Row>>;

const PARTS: [(&str, Part); 5] = [
    ("starts", starts::run),
    ("idle", idle::run),
    ("filter", delivery::filter),
    ("batches", delivery::batches),
    ("backlog", delivery::backlog),
];

pub fn run(arguments: &[String]) -> Result<()> {
    let only = word(arguments, "--only");
    if let Some(unknown) = only.filter(|only| PARTS.iter().all(|(name, _)| name != only)) {
        let names = PARTS.map(|(name, _)| name).join(", ");
        return Err(format!("no part is called {unknown}; there are {names}").into());
    }
    let bench = Bench {
        binary: match word(arguments, "--binary") {
            Some(path) => path,
            None => release()?,
        },
        records: flag(arguments, "--records")?.unwrap_or(50_000) as usize,
        mappings: flag(arguments, "--mappings")?.unwrap_or(100) as usize,
    };
    println!("{} cores; items of 1 KB; Python handlers", std::thread::available_parallelism()?);
    println!("| what | measured | wanted | |\n|---|---|---|---|");
    for (_, part) in PARTS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        for Row { what, measured, wanted, reached } in part(&bench)? {
            println!("| {what} | {measured} | {wanted} | {} |", if reached { "" } else { "not reached" });
        }
    }
    Ok(())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Of a sorted list.
fn at<T: Copy>(list: &[T], percent: usize) -> T {
    list[(list.len() * percent / 100).min(list.len() - 1)]
}

/// Fills a table by batches, over several connections.
fn fill(
    address: &str,
    table: &str,
    records: usize,
    item: impl Fn(usize) -> serde_json::Value + Sync,
) -> Result<()> {
    const CONNECTIONS: usize = 8;
    const BATCH: usize = 25;
    let worker = |connection: usize| -> std::io::Result<()> {
        let mut client = Client::connect(address)?;
        for from in (0..records).step_by(BATCH).skip(connection).step_by(CONNECTIONS) {
            let puts: Vec<_> = (from..records.min(from + BATCH))
                .map(|number| serde_json::json!({ "PutRequest": { "Item": item(number) } }))
                .collect();
            let answer =
                client.dynamodb("BatchWriteItem", &serde_json::json!({ "RequestItems": { table: puts } }))?;
            if answer.status != 200 {
                return Err(std::io::Error::other(answer.text()));
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let worker = &worker;
        let all: Vec<_> =
            (0..CONNECTIONS).map(|connection| scope.spawn(move || worker(connection))).collect();
        for one in all {
            one.join().map_err(|_| "a connection's thread panicked")??;
        }
        Ok(())
    })
}
