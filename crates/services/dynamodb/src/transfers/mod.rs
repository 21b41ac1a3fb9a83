//! Exports of tables to buckets and imports from them: one operation, one file; the work goes on behind the answers.

mod describe;
mod export;
mod import;
mod job;
mod list;
mod read;
mod run_export;
mod run_import;
mod upload;

pub(super) use describe::{describe_export, describe_import};
pub(super) use export::export_table_to_point_in_time;
pub(super) use import::import_table;
pub(super) use list::{list_exports, list_imports};

use super::fault::Fault;
use engine::Engine;
use job::{Job, Kind, Status};
use logs::LogBook;
use servicekit::call::Caller;
use servicekit::documents::Documents;
use servicekit::house::House;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::Store;
use wire::ServiceError;
use world::World;

/// All that jobs need. Shared with those that run.
pub(crate) struct Transfers {
    engine: Arc<Engine>,
    world: World,
    house: House,
    logs: LogBook,
    exports: Documents<Job>,
    imports: Documents<Job>,
    /// The server is being stopped: what runs is left as it is, and begins again when the server starts.
    stopping: AtomicBool,
}

/// Why a job ended without having done what it should: a code, and what happened.
struct Failure {
    code: String,
    message: String,
}

/// How a job ended.
enum Outcome {
    Done,
    Failed(Failure),
    /// It goes on when the server starts again.
    Stopped,
}

impl Failure {
    fn new(code: &str, message: impl Into<String>) -> Failure {
        Failure { code: code.to_owned(), message: message.into() }
    }

    /// Of the bucket.
    fn of_storage(error: &ServiceError) -> Failure {
        let message = error.message.clone().unwrap_or_default();
        let (status, name) = (error.status.unwrap_or(400), error.name());
        Failure::new(
            &format!("S3{name}"),
            format!("{message} (Service: Amazon S3; Status Code: {status}; Error Code: {name})"),
        )
    }

    /// Ours: the operator is told more.
    fn internal(error: impl std::fmt::Display) -> Failure {
        world::say!("dynamodb: a transfer failed: {error}");
        Failure::new("UNKNOWN", "The transfer has failed because of an unknown error.")
    }
}

impl Transfers {
    pub fn new(store: &Store, engine: &Arc<Engine>, world: &World, logs: LogBook, house: House) -> Transfers {
        Transfers {
            engine: engine.clone(),
            world: world.clone(),
            house,
            logs,
            exports: Documents::new(store, Kind::Export.documents()),
            imports: Documents::new(store, Kind::Import.documents()),
            stopping: AtomicBool::new(false),
        }
    }

    fn of(&self, kind: Kind) -> &Documents<Job> {
        match kind {
            Kind::Export => &self.exports,
            Kind::Import => &self.imports,
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Goes on with what a stopped server left unfinished.
    pub async fn recover(self: &Arc<Self>) -> Result<(), Fault> {
        for (name, job) in self.exports.list("")? {
            if job.status == Status::InProgress {
                self.resume_export(&name, job).await?;
            }
        }
        let mut known = Vec::new();
        for (name, job) in self.imports.list("")? {
            if job.status == Status::InProgress {
                known.push(job.table_id.clone());
                self.resume_import(&name, job).await?;
            }
        }
        // Made, and never noted: nobody was told of them.
        for table in self.engine.importing() {
            if !known.iter().any(|id| **id == *table.uuid()) {
                self.discard(&table).await?;
            }
        }
        Ok(())
    }

    /// Notes how a job ended.
    async fn settle(&self, kind: Kind, name: &str, mut job: Job, outcome: Outcome) -> Result<(), Fault> {
        match outcome {
            Outcome::Stopped => return Ok(()),
            Outcome::Done => job.status = Status::Completed,
            Outcome::Failed(Failure { code, message }) => {
                job.status = Status::Failed;
                job.failure = Some((code, message));
            }
        }
        job.ended_ms = Some(self.world.now().millis());
        self.of(kind).put(name, job).await
    }
}

/// The document of the caller's job of this id; ids rise with time.
fn name_of(caller: &Caller, id: &str) -> String {
    format!("{}{id}", prefix_of(caller))
}

fn prefix_of(caller: &Caller) -> String {
    format!("{}/{}/", caller.account, caller.region)
}
