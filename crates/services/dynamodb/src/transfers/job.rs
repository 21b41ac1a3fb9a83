//! What is kept of an export or import: what was asked for, and how far it is.

use super::{Transfers, name_of, prefix_of};
use crate::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use servicekit::call::Caller;
use servicekit::fields::text;
use world::Timestamp;

/// How long a client's token stands for its job.
const TOKEN_MS: u64 = 8 * 3_600_000;
/// How long what is over can be looked at.
const KEPT_MS: u64 = 90 * 24 * 3_600_000;
/// Jobs of one kind that run at the same time, in one region.
const RUNNING_MAX: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Export,
    Import,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    InProgress,
    Completed,
    Failed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub arn: String,
    pub table_arn: String,
    /// A UUID.
    pub table_id: String,
    /// The request.
    pub asked: Value,
    /// Who asked: what it may not do, the job may not do.
    pub access_key: Option<String>,
    pub status: Status,
    pub started_ms: u64,
    pub ended_ms: Option<u64>,
    /// Of an export: its moment, or the end of its period.
    #[serde(default)]
    pub to_ms: u64,
    /// The begin of its period.
    #[serde(default)]
    pub from_ms: Option<u64>,
    /// Code and message.
    pub failure: Option<(String, String)>,
    #[serde(default)]
    pub tally: Tally,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    pub items: u64,
    pub bytes: u64,
    pub imported: u64,
    pub errors: u64,
}

impl Kind {
    pub fn documents(self) -> &'static str {
        match self {
            Kind::Export => "dynamodb/export",
            Kind::Import => "dynamodb/import",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Kind::Export => "Export",
            Kind::Import => "Import",
        }
    }
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Status::InProgress => "IN_PROGRESS",
            Status::Completed => "COMPLETED",
            Status::Failed => "FAILED",
        }
    }
}

impl Job {
    /// What follows the table in the ARN, which is also the name of what an export writes.
    pub fn id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    pub fn started(&self) -> Timestamp {
        Timestamp::from_millis(self.started_ms)
    }

    pub fn seconds(ms: u64) -> Value {
        Timestamp::from_millis(ms).seconds_f64().into()
    }

    pub fn caller(&self, account: &str, region: &str) -> Caller {
        let access_key = self.access_key.as_deref().map(Into::into);
        Caller { account: account.into(), region: region.into(), access_key }
    }
}

impl Transfers {
    /// The caller's job of this ARN.
    pub(super) fn find(&self, kind: Kind, caller: &Caller, arn: &str) -> Result<Job, Fault> {
        let id = arn.rsplit('/').next().unwrap_or_default();
        let found = self.of(kind).get(&name_of(caller, id))?.filter(|job| job.arn == arn);
        let word = kind.word();
        found
            .ok_or_else(|| Fault::new(format!("{word}NotFoundException"), format!("{word} not found: {arn}")))
    }

    /// The caller's jobs, the latest first; those that have been over for long are forgotten.
    pub(super) fn jobs(&self, kind: Kind, caller: &Caller) -> Result<Vec<Job>, Fault> {
        let mut jobs: Vec<Job> =
            self.of(kind).list(&prefix_of(caller))?.into_iter().map(|(_, job)| job).collect();
        let now = self.world.now().millis();
        jobs.retain(|job| job.ended_ms.is_none_or(|ended| ended + KEPT_MS > now));
        jobs.reverse();
        Ok(jobs)
    }

    /// The job that this request already stands for, by its client's token. Refuses where there are too many, and where the
    /// token was another request's.
    pub(super) fn repeated(&self, kind: Kind, caller: &Caller, asked: &Value) -> Result<Option<Job>, Fault> {
        let jobs = self.jobs(kind, caller)?;
        let now = self.world.now().millis();
        let word = kind.word();
        if let Some(token) = text(asked, "ClientToken") {
            let same = |job: &&Job| {
                text(&job.asked, "ClientToken") == Some(token) && now < job.started_ms + TOKEN_MS
            };
            if let Some(job) = jobs.iter().find(same) {
                return match job.asked == *asked {
                    true => Ok(Some(job.clone())),
                    false => Err(Fault::new(
                        format!("{word}ConflictException"),
                        format!("The client token was used for another {} request.", word.to_lowercase()),
                    )),
                };
            }
        }
        let running = jobs.iter().filter(|job| job.status == Status::InProgress).count();
        match running >= RUNNING_MAX {
            true => Err(Fault::new(
                "LimitExceededException",
                format!("Too many {}s are in progress: at most {RUNNING_MAX}", word.to_lowercase()),
            )),
            false => Ok(None),
        }
    }

    /// An id that sorts behind those given before.
    pub(super) fn new_id(&self) -> String {
        format!("{:014}-{}", self.world.now().millis(), self.world.hex(8))
    }

    /// Notes a new job, and forgets what nobody can look at any more.
    pub(super) async fn note(&self, kind: Kind, caller: &Caller, job: &Job) -> Result<(), Fault> {
        let now = self.world.now().millis();
        for (id, old) in self.of(kind).list(&prefix_of(caller))? {
            if old.ended_ms.is_some_and(|ended| ended + KEPT_MS <= now) {
                self.of(kind).remove(&name_of(caller, &id)).await?;
            }
        }
        self.of(kind).put(&name_of(caller, job.id()), job.clone()).await
    }
}
