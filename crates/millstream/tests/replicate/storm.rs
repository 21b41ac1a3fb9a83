//! Everything at once: writers go on, shards roll over every other second, runners are killed, databases restarted,
//! connections cut on both sides, answers repeated. At rest nothing differs.

use super::chaos::{rounds, write};
use super::faults::{Cuts, Faulty, Weather};
use super::setting::{Setting, database};
use sql::Settings;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::{TempDir, TestDatabase};
use world::Random;

const COLUMNS: &str = "batch_rows = 50\n[pipeline.columns]\nid = {}\ncity = {}\nn = { type = \"numeric\" }\n";
/// Rows move with their items; without it they stay, and are made by those who read.
const MOVING: &str = "key = [\"city\", \"id\"]\n";
/// A database is restarted in every one of these.
const RESTART_EVERY: u64 = 3;
/// Of a round.
const RUNNERS_MAX: u64 = 30;

struct Storm {
    setting: Setting,
    source: Faulty,
    /// In front of a database; a file has none.
    target: Option<(TestDatabase, Cuts)>,
}

impl Storm {
    fn over_a_file() -> Storm {
        let dir = TempDir::new("storm");
        let path = dir.path().join("target.db");
        let line = format!("sqlite = \"{}\"", path.display());
        Storm::over(dir, line, Settings::sqlite(path), None)
    }

    fn over_a_server(server: TestDatabase, kind: &str) -> Storm {
        let (url, settings) = database(&server, "storm");
        let cuts = Cuts::before(format!("127.0.0.1:{}", server.port()), 11);
        let own = format!("127.0.0.1:{}", server.port());
        let line = format!("{kind} = \"{}\"", url.replace(&own, cuts.address()));
        Storm::over(TempDir::new("storm"), line, settings, Some((server, cuts)))
    }

    fn over(dir: TempDir, line: String, settings: Settings, target: Option<(TestDatabase, Cuts)>) -> Storm {
        let flags = ["--shard-rollover-s", "2", "--stream-retention-s", "300"];
        let mut setting = Setting::with(dir, line, settings, &flags);
        setting.more = "retention_seconds = 300";
        setting.table = "t".to_owned();
        let source = Faulty::before(setting.node.address().to_owned(), 13);
        setting.source = Some(source.url());
        Storm { setting, source, target }
    }

    /// In every other round all goes through the spool.
    fn write_file(&self, round: u64, keys: &str) {
        let spool = self.setting.dir.path().join("spool");
        let spool = match round % 2 {
            0 => String::new(),
            _ => format!("spool = \"{}\"\nspool_after_seconds = 0\n", spool.display()),
        };
        self.setting.file(&format!("{spool}{keys}{COLUMNS}"));
    }

    fn weather(&self, weather: Weather) {
        self.source.set(weather);
        if let Some((_, cuts)) = &self.target {
            cuts.be_calm(weather == Weather::Calm);
        }
    }

    fn blow(&mut self, keys: &str) {
        let mut random = Random::from_seed(17);
        for round in 0..rounds() {
            self.weather(Weather::Stormy);
            self.write_file(round, keys);
            let stop = AtomicBool::new(false);
            let (setting, source, target) = (&self.setting, &self.source, &mut self.target);
            std::thread::scope(|scope| {
                for at in 0..2 {
                    let stop = &stop;
                    scope.spawn(move || write(setting, 1000 + round * 2 + at, stop));
                }
                let _end = End(&stop);
                let begun = faults(source, target.as_ref());
                for runners in 0.. {
                    // On a busy machine a runner may be killed before it meets any.
                    let [answers, cuts] = faults(source, target.as_ref());
                    let enough = answers >= begun[0] + 2 && (cuts > begun[1] || target.is_none());
                    if runners >= 3 && enough {
                        break;
                    }
                    assert!(runners < RUNNERS_MAX, "{:?}", source.told());
                    let mut runner = setting.spawn();
                    std::thread::sleep(Duration::from_millis(100 + random.below(600) + 200 * runners));
                    if round % RESTART_EVERY == 1
                        && let Some((server, _)) = target
                        && random.below(2) == 0
                    {
                        server.kill();
                        server.restart();
                    }
                    runner.kill().expect("killed");
                    runner.wait().expect("its end");
                }
            });
            self.weather(Weather::Calm);
            self.setting.settle();
        }
    }
}

/// Writers stop, however the round ends.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Answers that went wrong, and connections to the target that were cut.
fn faults(source: &Faulty, target: Option<&(TestDatabase, Cuts)>) -> [u64; 2] {
    [source.told().values().sum(), target.map_or(0, |(_, cuts)| cuts.count())]
}

#[test]
fn sqlite_in_a_storm() {
    Storm::over_a_file().blow("");
}

#[test]
fn postgres_in_a_storm() {
    Storm::over_a_server(testkit::postgres(), "postgres").blow(MOVING);
}

#[test]
fn mariadb_in_a_storm() {
    Storm::over_a_server(testkit::mariadb(), "mysql").blow("");
}
