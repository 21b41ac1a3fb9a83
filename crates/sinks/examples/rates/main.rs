//! How near `millstream replicate` comes to the limits of its source and its target, in one run: `cargo xtask bench
//! replicate [--rows N]`. Its ratios say more than its rates.

mod article;
mod bare;
mod cpu;
mod inside;
mod lag;
mod rounds;
mod runner;
mod source;

use cpu::Cpu;
use runner::Pipeline;
use source::Source;
use sql::{Connection, Settings};
use std::process::Command;
use std::time::Duration;
use testkit::TempDir;
use world::World;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Rows of a transaction, of the bare side and of ours.
const BATCH: usize = 1000;
const LANES: usize = 4;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "rates BINARY ROWS [PYTHON with psycopg2 and aws-lambda-powertools] [TARGET] [quick] [apart]";
    let binary = arguments.next().ok_or(usage)?;
    let rows: usize = arguments.next().ok_or(usage)?.parse()?;
    let python = arguments.next().unwrap_or_else(|| "python3".to_owned());
    let words: Vec<String> = arguments.collect();
    let quick = words.iter().any(|word| word == "quick");
    let apart = words.iter().any(|word| word == "apart");
    let only = words.into_iter().find(|word| !["quick", "apart"].contains(&word.as_str()));
    let dir = TempDir::new("rates");
    println!(
        "{rows} rows of ten columns, batches of {BATCH}, {} cores{}",
        std::thread::available_parallelism()?,
        if apart { ", one of them the database's" } else { "" }
    );
    if apart {
        // Whatever is started from here on stays there, but for databases.
        pin(std::process::id(), 1)?;
    }
    let mut bench = Bench { binary, rows, python, quick, apart, world: World::real(), dir };
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
    /// Rates alone.
    quick: bool,
    /// The database has a core of its own, as if it were another machine's; all else shares one.
    apart: bool,
    world: World,
    dir: TempDir,
}

impl Bench {
    /// `source`: its server, where there is one already.
    fn taken(&self, source: Option<&Source>, work: impl FnOnce() -> Result<()>) -> Result<Taken> {
        let source = source.map(|source| source.node.pid());
        let (begun, before) = (self.world.elapsed(), Cpu::now(source)?);
        work()?;
        let seconds = (self.world.elapsed() - begun).as_secs_f64();
        Ok(Taken { seconds, cpu: Cpu::now(source)? - before })
    }

    /// Rows a second.
    fn rate(&self, taken: &Taken) -> f64 {
        self.rows as f64 / taken.seconds
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
                    programs: None,
                    dir: dir.join("server"),
                    port: 0,
                    user: "bench".to_owned(),
                    password: "benchmark".to_owned(),
                    durability: database::Durability::Machine,
                };
                let server = database::Database::start(&settings).map_err(|error| error.to_string())?;
                if self.apart {
                    pin(server.pid().ok_or("the database runs")? as u32, 0)?;
                }
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
        let source = Source::start(self, &dir)?;
        let pipeline = Pipeline::new(self, &source, &dir, kind, &url)?;
        // The first pipeline of a database makes what all of them remember in: no row's either.
        source.table("Empty")?;
        let empty = pipeline.of_table("Empty", "[pipeline.columns]\nid = {}\n")?;
        let first = self.taken(None, || empty.once())?;
        println!(
            "  a database's first run, without a row, takes {:.2} s, which is not counted below",
            first.seconds
        );
        let inside = inside::Inside::new(self, &dir)?;
        let (applies, pipeline) = rounds::measure(self, (&source, &inside), &pipeline, &settings)?;
        if self.quick {
            server.take().into_iter().for_each(|(server, _)| server.stop());
            return Ok(());
        }
        lag::measure(self, &source, &pipeline, &settings)?;
        if let Some((server, settings)) = server.take() {
            let server = runner::memory(self, &source, &pipeline, server, &settings)?;
            if kind == "postgres" {
                article::rates(self, &server, applies)?;
            }
            server.stop();
        }
        Ok(())
    }
}

/// What work took.
#[derive(Clone, Copy)]
struct Taken {
    seconds: f64,
    cpu: Cpu,
}

impl std::ops::Sub for Taken {
    type Output = Taken;
    fn sub(self, other: Taken) -> Taken {
        Taken { seconds: (self.seconds - other.seconds).max(0.001), cpu: self.cpu - other.cpu }
    }
}

/// A process and its threads, and what they start, run on this core alone.
fn pin(pid: u32, core: usize) -> Result<()> {
    let pinned =
        Command::new("taskset").args(["-a", "-c", "-p", &core.to_string(), &pid.to_string()]).output()?;
    if pinned.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&pinned.stderr).into()) }
}

fn rest(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}
