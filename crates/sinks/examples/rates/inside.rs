//! The same pipelines in the server whose tables they follow: `millstream serve --replicate`.

use super::cpu::Cpu;
use super::runner::Pipeline;
use super::source::Source;
use super::{Bench, Result, Taken, rest};
use std::path::{Path, PathBuf};
use testkit::Node;

const SETTLE_MS: u64 = 2000;

/// A server's data directory, with all rows in it.
pub struct Inside(PathBuf);

impl Inside {
    pub fn new(bench: &Bench, dir: &Path) -> Result<Inside> {
        let dir = dir.join("inside");
        Source::start(bench, &dir)?.node.stop();
        Ok(Inside(dir.join("source")))
    }

    /// A snapshot, and then a change of every row.
    pub fn measure(&self, bench: &Bench, pipeline: &Pipeline, version: usize) -> Result<[Taken; 2]> {
        let flags = ["--replicate", pipeline.file.to_str().ok_or("a path is a text")?];
        self.settle(bench);
        let snapshot = self.run(bench, &flags, "snapshot_rows")?;
        let source = Source { node: Node::start(&bench.binary, &self.0, &[]) };
        source.change_all(bench, version)?;
        source.node.stop();
        self.settle(bench);
        let stream = self.run(bench, &flags, "changes")?;
        Ok([snapshot, stream])
    }

    /// Lets the store do what it does of itself after so many writes.
    fn settle(&self, bench: &Bench) {
        let node = Node::start(&bench.binary, &self.0, &[]);
        rest(SETTLE_MS);
        node.stop();
    }

    /// From when the server listens, which it does as its pipelines begin, until so many are told.
    fn run(&self, bench: &Bench, flags: &[&str], counter: &str) -> Result<Taken> {
        let node = Node::start(&bench.binary, &self.0, flags);
        let (begun, before) = (bench.world.elapsed(), Cpu::now(Some(node.pid()))?);
        let mut client = node.client();
        loop {
            let told = client.send("GET", "/_millstream/replication", "", b"")?.json();
            let one = &told["pipelines"][0];
            if one["error"].is_string() {
                return Err(one["error"].to_string().into());
            }
            if one[counter].as_u64().is_some_and(|count| count >= bench.rows as u64) {
                break;
            }
            rest(5);
        }
        let seconds = (bench.world.elapsed() - begun).as_secs_f64();
        let cpu = Cpu::now(Some(node.pid()))? - before;
        node.stop();
        Ok(Taken { seconds, cpu })
    }
}
