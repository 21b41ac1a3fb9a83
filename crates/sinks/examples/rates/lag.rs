//! From a write's answer to its row, at 1,000 writes a second.

use super::runner::Pipeline;
use super::source::Source;
use super::{Bench, Result, rest};
use serde_json::json;
use sql::{Connection, Settings};
use std::collections::HashMap;
use std::time::Duration;
use testkit::Client;

const TABLE: &str = "Lag";
const WRITES: usize = 10_000;
const EVERY: Duration = Duration::from_millis(1);
/// Few, so that a look at all of them is quick.
const ITEMS: usize = 200;
const LOOK_MS: u64 = 2;
const SILENCE_MAX: Duration = Duration::from_secs(20);

pub fn measure(bench: &Bench, source: &Source, pipeline: &Pipeline, settings: &Settings) -> Result<()> {
    source.table(TABLE)?;
    let pipeline = pipeline.of_table(TABLE, "[pipeline.columns]\nid = {}\nn = { type = \"bigint\" }\n")?;
    pipeline.once()?;
    let _running = pipeline.follow()?;
    rest(1000);
    let (answered, mut lags) = (std::sync::Mutex::new(Vec::with_capacity(WRITES)), Vec::new());
    let written = std::thread::scope(|scope| -> Result<Duration> {
        let writer = scope.spawn(|| write(bench, source, &answered));
        let mut connection = Connection::open(settings)?;
        let mut seen = 0;
        let mut last = bench.world.elapsed();
        while seen < WRITES && bench.world.elapsed() - last < SILENCE_MAX {
            let rows = connection.query("SELECT id, n FROM lag", &[])?.rows;
            let now = bench.world.elapsed();
            let at: HashMap<String, i64> = rows
                .iter()
                .filter_map(|row| Some((row[0].as_text()?.to_owned(), row[1].as_integer()?)))
                .collect();
            let answered = answered.lock().map_err(|_| "a writer failed")?;
            while let Some(told) = answered.get(seen)
                && at.get(&(seen % ITEMS).to_string()).is_some_and(|n| *n >= seen as i64)
            {
                lags.push(now.saturating_sub(*told));
                (seen, last) = (seen + 1, now);
            }
            drop(answered);
            rest(LOOK_MS);
        }
        writer.join().map_err(|_| "the writer panicked")?.map_err(Into::into)
    })?;
    lags.sort();
    let ms = |part: usize| lags.get(lags.len() * part / 100).map_or(f64::NAN, |lag| lag.as_secs_f64() * 1e3);
    println!(
        "  lag at {:>5.0} changes/s        p50 {:.0} ms, p99 {:.0} ms, {} of {WRITES} seen",
        WRITES as f64 / written.as_secs_f64(),
        ms(50),
        ms(99),
        lags.len()
    );
    Ok(())
}

/// One after another, paced; notes when each was answered.
fn write(
    bench: &Bench,
    source: &Source,
    answered: &std::sync::Mutex<Vec<Duration>>,
) -> std::io::Result<Duration> {
    let mut client = Client::connect(source.node.address())?;
    let begun = bench.world.elapsed();
    for n in 0..WRITES {
        let due = begun + EVERY * n as u32;
        std::thread::sleep(due.saturating_sub(bench.world.elapsed()));
        let item = json!({ "id": { "S": (n % ITEMS).to_string() }, "n": { "N": n.to_string() } });
        let answer = client.dynamodb("PutItem", &json!({ "TableName": TABLE, "Item": item }))?;
        if answer.status != 200 {
            return Err(std::io::Error::other(answer.text()));
        }
        let mut answered = answered.lock().map_err(|_| std::io::Error::other("the reader failed"))?;
        answered.push(bench.world.elapsed());
    }
    Ok(bench.world.elapsed() - begun)
}
