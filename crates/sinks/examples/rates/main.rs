//! How near `millstream replicate` comes to the limits of its source and its target, in one run: `cargo xtask bench
//! replicate [--rows N]`. Its ratios say more than its rates.

mod article;
mod bare;
mod lag;
mod runner;
mod source;

use runner::Pipeline;
use source::Source;
use sql::{Connection, Settings};
use std::time::Duration;
use testkit::TempDir;
use world::World;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Rows of a transaction, of the bare side and of ours.
const BATCH: usize = 1000;
const LANES: usize = 4;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "rates BINARY ROWS [PYTHON with psycopg2] [TARGET]";
    let binary = arguments.next().ok_or(usage)?;
    let rows: usize = arguments.next().ok_or(usage)?.parse()?;
    let python = arguments.next().unwrap_or_else(|| "python3".to_owned());
    let only = arguments.next();
    let dir = TempDir::new("rates");
    println!(
        "{rows} rows of ten columns, batches of {BATCH}, {} cores",
        std::thread::available_parallelism()?
    );
    let mut bench = Bench { binary, rows, python, world: World::real(), dir };
    for kind in ["sqlite", "postgres", "mysql"] {
        if only.as_deref().is_none_or(|only| only == kind) {
            bench.target(kind)?;
        }
    }
    Ok(())
}

struct Bench {
    binary: String,
    rows: usize,
    python: String,
    world: World,
    dir: TempDir,
}

impl Bench {
    fn seconds(&self, work: impl FnOnce() -> Result<()>) -> Result<f64> {
        let begun = self.world.elapsed();
        work()?;
        Ok((self.world.elapsed() - begun).as_secs_f64())
    }

    fn target(&mut self, kind: &str) -> Result<()> {
        let dir = self.dir.path().join(kind);
        std::fs::create_dir_all(&dir)?;
        let (mut server, url) = match kind {
            "sqlite" => (None, format!("sqlite:{}", dir.join("target.db").display())),
            _ => {
                let engine = match kind {
                    "postgres" => database::Engine::Postgres,
                    _ => database::Engine::Mysql,
                };
                let settings = database::Settings {
                    engine,
                    dir: dir.join("server"),
                    port: 0,
                    user: "bench".to_owned(),
                    password: "benchmark".to_owned(),
                    durability: database::Durability::Machine,
                };
                let server = database::Database::start(&settings).map_err(|error| error.to_string())?;
                let settings = database::Settings { port: server.port(), ..settings };
                let url = format!("{kind}://bench:benchmark@127.0.0.1:{}/", server.port());
                let admin = if kind == "postgres" { "postgres" } else { "" };
                Connection::open(&Settings::parse(&format!("{url}{admin}"))?)?
                    .batch("CREATE DATABASE rates")?;
                (Some((server, settings)), format!("{url}rates"))
            }
        };
        let settings = Settings::parse(&url)?;
        println!("\n{settings}");
        let lanes = if kind == "sqlite" { 1 } else { LANES };
        let [bare_fill, bare_change] = bare::rates(self, &settings, lanes)?;
        let source = Source::start(self, &dir)?;
        let scan = source.scan_rate(self)?;
        let pipeline = Pipeline::new(self, &source, &dir, kind, &url)?;
        // The first pipeline of a database makes what all of them remember in: no row's either.
        source.table("Empty")?;
        let empty = pipeline.of_table("Empty", "[pipeline.columns]\nid = {}\n")?;
        let first_s = self.seconds(|| empty.once())?;
        let snapshot_s = self.seconds(|| pipeline.once())?;
        let heads = source.heads()?;
        source.change_all(self, 1)?;
        let records = source.records_rate(self, heads)?;
        let stream_s = self.seconds(|| pipeline.once())?;
        // A process that starts, asks, and ends is no row's.
        let nothing_s = self.seconds(|| pipeline.once())?;
        let rate = |taken_s: f64| self.rows as f64 / (taken_s - nothing_s).max(0.001);
        let (snapshot, stream) = (rate(snapshot_s), rate(stream_s));
        println!("  a database's first run, without a row, takes {first_s:.2} s");
        println!("  a run with nothing to do takes {nothing_s:.2} s, which is not counted below");
        row("bulk insert, bare", bare_fill, &[]);
        row("bulk upsert, bare", bare_change, &[]);
        row("scan, bare", scan, &[]);
        row("records, bare", records, &[]);
        // Source and target share the cores here: what one of them uses the other has not.
        let shared = |one: f64, two: f64| 1.0 / (1.0 / one + 1.0 / two);
        let ratios = [
            (snapshot / scan.min(bare_fill), "of the lower of scan and insert"),
            (snapshot / shared(scan, bare_fill), "of both, one after the other"),
        ];
        row("snapshot", snapshot, &ratios);
        let ratios = [
            (stream / bare_change, "of the bare upsert"),
            (stream / shared(records, bare_change), "of records and upsert, one after the other"),
        ];
        row("stream", stream, &ratios);
        lag::measure(self, &source, &pipeline, &settings)?;
        if let Some((server, settings)) = server.take() {
            let server = runner::memory(self, &source, &pipeline, server, &settings)?;
            if kind == "postgres" {
                article::rates(self, &server, stream)?;
            }
            server.stop();
        }
        Ok(())
    }
}

fn row(name: &str, per_second: f64, ratios: &[(f64, &str)]) {
    let told: Vec<String> = ratios.iter().map(|(ratio, of)| format!("{:.0} % {of}", ratio * 100.0)).collect();
    println!("  {name:<28}{per_second:>10.0} /s  {}", told.join(", "));
}

fn rest(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}
