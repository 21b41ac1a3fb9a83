//! Pipelines inside a server: they wait for their tables, begin again after what a person may mend, and tell how they are.

use super::own::Own;
use crate::cmd::Failure;
use serde_json::{Value as Json, json};
use services::TablesInProcess;
use sinks::config::Endpoint;
use sinks::runner::{Phase, Pipeline, Progress, Report, Stop};
use sinks::source::{Login, Service};
use sinks::{Config, Kind};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use world::World;

const PAUSE_FIRST: Duration = Duration::from_millis(250);
const PAUSE_MOST: Duration = Duration::from_secs(15);
const STOP_LOOK: Duration = Duration::from_millis(50);

pub struct Inside {
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
    told: Told,
}

/// The last of each pipeline.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<BTreeMap<String, Latest>>>);

#[derive(Default)]
struct Latest {
    progress: Option<Progress>,
    consistent: bool,
    /// Why it is not running.
    error: Option<String>,
}

impl Inside {
    /// `tables`: this server's of a region, whose endpoint is `home`.
    pub fn start(
        file: &Path,
        home: &Endpoint,
        tables: impl Fn(&str) -> TablesInProcess,
    ) -> Result<Inside, Failure> {
        let world = World::real();
        let config = Config::load(file, home, &world).map_err(|error| Failure::Usage(error.to_string()))?;
        let pipelines = super::chosen(&config, None, &world)?;
        if config.metrics.is_some() {
            let message = "metrics is for `millstream replicate`: a server tells /_millstream/replication";
            return Err(Failure::Usage(message.to_owned()));
        }
        let own = Login::of(home, Service::DynamoDb).map_err(|error| Failure::Usage(error.to_string()))?;
        let mut inside = Inside { stop: Stop::default(), threads: Vec::new(), told: Told::default() };
        for pipeline in pipelines {
            // Whoever asks with a key of another sees what that one may.
            let pipeline = match pipeline.login.is_of(&own) {
                true => {
                    let tables = Own(tables(&pipeline.login.region));
                    pipeline.with_tables(Arc::new(tables))
                }
                false => pipeline,
            };
            let (stop, told) = (inside.stop.clone(), inside.told.clone());
            told.with(pipeline.name(), |_| {});
            inside.threads.push(std::thread::spawn(move || follow(&pipeline, &stop, &told)));
        }
        Ok(inside)
    }

    pub fn told(&self) -> Told {
        self.told.clone()
    }

    /// What is on its way is finished first.
    pub fn stop(self) {
        self.stop.stop();
        for thread in self.threads {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn follow(pipeline: &Pipeline, stop: &Stop, told: &Told) {
    let name = pipeline.name();
    let mut pause = PAUSE_FIRST;
    while !stop.is_set() {
        let ended = pipeline.follow(false, stop, &mut |report| told.hear(name, report));
        let Err(error) = ended else { return };
        // The first thing a fresh server lacks is the table.
        if told.with(name, |latest| latest.error.replace(error.to_string()).as_ref() != latest.error.as_ref())
        {
            world::say!("replication: {name}: {error}");
        }
        if error.kind == Kind::Fenced {
            return;
        }
        let until = pipeline.world.elapsed() + pause;
        while pipeline.world.elapsed() < until && !stop.is_set() {
            std::thread::sleep(STOP_LOOK);
        }
        pause = (pause * 2).min(PAUSE_MOST);
    }
}

impl Told {
    fn with<T>(&self, name: &str, change: impl FnOnce(&mut Latest) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(name.to_owned()).or_default())
    }

    fn hear(&self, name: &str, report: Report) {
        self.with(name, |latest| match report {
            Report::Began { .. } => (latest.error, latest.consistent) = (None, false),
            Report::Progress(progress) | Report::AtRest(progress) => latest.progress = Some(progress),
            Report::Consistent => latest.consistent = true,
            Report::Note(note) => world::say!("replication: {name}: {note}"),
        });
    }

    /// As JSON, a pipeline each.
    pub fn page(&self) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pipelines: Vec<Json> = all.iter().map(|(name, latest)| latest.told(name)).collect();
        format!("{}\n", json!({ "pipelines": pipelines }))
    }
}

impl Latest {
    fn told(&self, name: &str) -> Json {
        let mut told = json!({ "pipeline": name, "consistent": self.consistent, "error": self.error });
        let phase = match (&self.error, &self.progress) {
            (Some(_), _) => "waiting",
            (None, None) => "beginning",
            (None, Some(progress)) => match progress.phase {
                Phase::Snapshot => "snapshot",
                Phase::Stream => "stream",
                Phase::Paused => "paused",
            },
        };
        told["phase"] = json!(phase);
        if let Some(progress) = &self.progress {
            told["snapshot_rows"] = json!(progress.applied.snapshot_rows);
            told["changes"] = json!(progress.applied.changes);
            told["quarantined"] = json!(progress.applied.quarantined);
            told["rows_waiting"] = json!(progress.waiting);
            told["lag_seconds"] = json!(progress.lag.unwrap_or_default().as_secs_f64());
            told["seconds_until_loss"] = json!(progress.until_loss.as_secs());
            told["trouble"] = json!(progress.trouble);
        }
        told
    }
}
