//! A target that is away: what the source has is kept on disk, and applied from there.

use super::faults::{Faulty, Weather};
use super::setting::{Setting, database};
use serde_json::json;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;
use testkit::{TempDir, TestDatabase};
use world::World;

const STEP: Duration = Duration::from_millis(50);

struct Away {
    server: TestDatabase,
    setting: Setting,
    source: Faulty,
    spool: PathBuf,
}

impl Away {
    /// One item is applied, the runner has ended.
    fn new(name: &str, more: &str) -> Away {
        let server = testkit::postgres();
        let (url, settings) = database(&server, name);
        let dir = TempDir::new("spool");
        let spool = dir.path().join("spool");
        let line = format!("postgres = \"{url}\"");
        let mut setting = Setting::with(dir, line, settings, &["--shard-rollover-s", "2"]);
        setting.table = "t".to_owned();
        let source = Faulty::before(setting.node.address().to_owned(), 1);
        source.set(Weather::Calm);
        setting.source = Some(source.url());
        setting.file(&format!(
            "spool = \"{}\"\nspool_after_seconds = 0\n{more}\n[pipeline.columns]\nid = {{}}\nv = {{}}\n",
            spool.display()
        ));
        setting.put(json!({ "id": { "S": "first" } }));
        setting.good(&["--once"]);
        Away { server, setting, source, spool }
    }

    fn put(&mut self, ids: std::ops::Range<usize>, text: &str) {
        for id in ids {
            self.setting.put(json!({ "id": { "S": format!("i{id}") }, "v": { "S": text } }));
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let shards = std::fs::read_dir(self.spool.join("p")).into_iter().flatten().flatten();
        let files = shards.flat_map(|shard| std::fs::read_dir(shard.path()).into_iter().flatten().flatten());
        files.map(|file| file.path()).collect()
    }

    fn bytes(&self) -> u64 {
        self.files().iter().filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum()
    }

    /// Until so many records are on disk.
    fn keeps(&self, runner: &mut Child, count: usize) {
        let told = b"\"SequenceNumber\"";
        let in_file = |file: PathBuf| {
            let bytes = std::fs::read(file).unwrap_or_default();
            bytes.windows(told.len()).filter(|window| window == told).count()
        };
        while self.files().into_iter().map(in_file).sum::<usize>() < count {
            assert!(runner.try_wait().expect("its state").is_none(), "the runner has ended");
            std::thread::sleep(STEP);
        }
    }

    /// Until the runner has noted that all that is there now is safe.
    fn secures(&self, runner: &mut Child) {
        let now_ms = World::real().now().millis();
        let noted_ms = || -> Option<u64> {
            let manifest = std::fs::read(self.spool.join("p/manifest.json")).ok()?;
            let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
            manifest["secured_ms"].as_u64()
        };
        while noted_ms().is_none_or(|noted_ms| noted_ms < now_ms) {
            assert!(runner.try_wait().expect("its state").is_none(), "the runner has ended");
            std::thread::sleep(STEP);
        }
    }

    fn applies(&self, runner: &mut Child, count: usize) {
        while self.setting.rows("SELECT id FROM t").len() < count {
            assert!(runner.try_wait().expect("its state").is_none(), "the runner has ended");
            std::thread::sleep(STEP);
        }
    }
}

fn kill(mut runner: Child) {
    runner.kill().expect("killed");
    runner.wait().expect("its end");
}

/// Killed while the target is away, torn, and started before the target is there: in the end all of it is applied, though
/// the stream has been forgotten by then.
#[test]
fn what_the_stream_forgets_is_applied() {
    let mut away = Away::new("away", "");
    let mut runner = away.setting.spawn();
    away.put(0..1, "x");
    away.applies(&mut runner, 2);
    away.server.kill();
    away.put(1..20, &"x".repeat(100));
    away.secures(&mut runner);
    kill(runner);
    // What a crash tears.
    for path in away.files() {
        let file = std::fs::OpenOptions::new().write(true).open(path).expect("a file");
        let size = file.metadata().expect("its size").len();
        file.set_len(size - size.min(5)).expect("cut");
    }
    let mut runner = away.setting.spawn();
    away.put(20..40, &"x".repeat(100));
    away.secures(&mut runner);
    away.source.set(Weather::Streamless);
    away.server.restart();
    away.applies(&mut runner, 41);
    away.source.set(Weather::Calm);
    // Nothing is kept that is applied, and what comes is followed as before.
    while away.bytes() > 0 {
        std::thread::sleep(STEP);
    }
    away.put(40..41, "x");
    away.applies(&mut runner, 42);
    kill(runner);
    away.setting.settle();
}

/// The bound holds; what does not fit waits in the stream, and nothing is lost.
#[test]
fn a_full_spool_stops_and_goes_on() {
    let mut away = Away::new("brim", "spool_max_mb = 1");
    let mut runner = away.setting.spawn();
    away.put(0..1, "x");
    away.applies(&mut runner, 2);
    away.server.kill();
    away.put(1..8, &"x".repeat(200_000));
    away.keeps(&mut runner, 2);
    let mut before = 0;
    while away.bytes() > before {
        before = away.bytes();
        std::thread::sleep(STEP * 10);
    }
    assert!(before <= 1 << 20, "{before}");
    away.server.restart();
    away.applies(&mut runner, 9);
    kill(runner);
    away.setting.settle();
}
