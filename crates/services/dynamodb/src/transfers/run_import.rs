//! An import at work.

use super::job::{Job, Kind, Tally};
use super::read::{LOG_GROUP, Reader};
use super::{Failure, Outcome, Transfers, name_of};
use crate::fault::Fault;
use engine::Table;
use serde_json::Value;
use servicekit::call::Caller;
use servicekit::fields::{object, text};
use std::sync::Arc;

/// Objects of one import.
const OBJECTS_MAX: usize = 50_000;

impl Transfers {
    pub(super) fn start_import(self: &Arc<Self>, caller: Caller, job: Job, table: Arc<Table>) {
        let transfers = self.clone();
        tokio::spawn(async move {
            let name = name_of(&caller, job.id());
            let mut job = job;
            let mut outcome = transfers.import(&caller, &mut job, &table).await;
            if let Err(error) = transfers.open(&mut job, &table, &outcome).await {
                outcome = Outcome::Failed(Failure::internal(error));
            }
            if let Err(error) = transfers.settle(Kind::Import, &name, job, outcome).await {
                world::say!("dynamodb: the end of an import was not noted: {error}");
            }
        });
    }

    /// Begins again: what was put is put once more.
    pub(super) async fn resume_import(self: &Arc<Self>, name: &str, job: Job) -> Result<(), Fault> {
        let table = self.engine.importing().into_iter().find(|table| *table.uuid() == *job.table_id);
        let mut parts = name.splitn(3, '/');
        let caller = job.caller(parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match table {
            Some(table) => self.start_import(caller, job, table),
            None => {
                let words = "The import was interrupted and cannot go on: its table is gone.";
                let outcome = Outcome::Failed(Failure::new("UNKNOWN", words));
                self.settle(Kind::Import, name, job, outcome).await?;
            }
        }
        Ok(())
    }

    /// Takes back the table of an import that has not begun to fill it.
    pub(super) async fn discard(&self, table: &Arc<Table>) -> Result<(), Fault> {
        let (engine, table) = (self.engine.clone(), table.clone());
        let done = tokio::task::spawn_blocking(move || engine.discard_import(&table)).await;
        done.map_err(servicekit::documents::unavailable)?.map_err(servicekit::documents::unavailable)
    }

    async fn import(self: &Arc<Self>, caller: &Caller, job: &mut Job, table: &Arc<Table>) -> Outcome {
        let keys = match self.keys(caller, job).await {
            Ok(keys) => keys,
            Err(_) if self.is_stopping() => return Outcome::Stopped,
            Err(failure) => {
                let done = self.discard(table).await;
                return Outcome::Failed(done.map_or_else(Failure::internal, |()| failure));
            }
        };
        job.tally = Tally::default();
        for key in keys {
            match self.object(caller, job, table, &key).await {
                Ok(true) => {}
                Ok(false) => return Outcome::Stopped,
                Err(_) if self.is_stopping() => return Outcome::Stopped,
                Err(failure) => return Outcome::Failed(failure),
            }
        }
        match job.tally.errors {
            0 => Outcome::Done,
            _ => Outcome::Failed(Failure::new(
                "ItemValidationError",
                "Some of the items failed validation checks and were not imported. Please check CloudWatch error logs for more details.",
            )),
        }
    }

    /// Opens the table to everybody, if there is one, and counts what is in it.
    async fn open(&self, job: &mut Job, table: &Arc<Table>, outcome: &Outcome) -> Result<(), Fault> {
        if matches!(outcome, Outcome::Stopped) || table.state().is_deleted() {
            return Ok(());
        }
        let (engine, table) = (self.engine.clone(), table.clone());
        let done = tokio::task::spawn_blocking(move || {
            engine.finish_import(&table)?;
            engine.describe_table(&table)
        });
        let described = done.await.map_err(servicekit::documents::unavailable)?;
        job.tally.imported = described.map_err(servicekit::documents::unavailable)?.items;
        Ok(())
    }

    /// The objects' names, in their order.
    async fn keys(&self, caller: &Caller, job: &Job) -> Result<Vec<String>, Failure> {
        let source = &job.asked["S3BucketSource"];
        let given = |member: &str| source.get(member).filter(|value| !value.is_null()).cloned();
        let (mut keys, mut token) = (Vec::new(), None);
        loop {
            let input = object([
                ("Bucket", given("S3Bucket")),
                ("Prefix", given("S3KeyPrefix")),
                ("ExpectedBucketOwner", given("S3BucketOwner")),
                ("ContinuationToken", token.take()),
            ]);
            let page = self.house.ask(caller, "s3", "ListObjectsV2", input).await;
            let mut page = page.map_err(|error| Failure::of_storage(&error))?;
            for found in page["Contents"].as_array().into_iter().flatten() {
                let key = text(found, "Key").unwrap_or_default();
                // Consoles make objects for folders, which have nothing in them.
                if !key.ends_with('/') {
                    keys.push(key.to_owned());
                }
            }
            if keys.len() > OBJECTS_MAX {
                let words = format!("An import reads at most {OBJECTS_MAX} objects.");
                return Err(Failure::new("S3TooManyObjects", words));
            }
            token = match page["NextContinuationToken"].take() {
                Value::Null => return Ok(keys),
                token => Some(token),
            };
        }
    }

    /// Reads one object. False: the server is being stopped.
    async fn object(
        self: &Arc<Self>,
        caller: &Caller,
        job: &mut Job,
        table: &Arc<Table>,
        key: &str,
    ) -> Result<bool, Failure> {
        let source = &job.asked["S3BucketSource"];
        let input = object([
            ("Bucket", source.get("S3Bucket").cloned()),
            ("Key", Some(key.into())),
            ("ExpectedBucketOwner", source.get("S3BucketOwner").filter(|owner| !owner.is_null()).cloned()),
        ]);
        let tail = self.house.get_object(caller, input).await;
        let tail = tail.map_err(|error| Failure::of_storage(&error))?;
        let group = format!("{}/{}/{LOG_GROUP}", caller.account, caller.region);
        let log = (group, format!("{}/error", job.id()));
        let (transfers, asked, table, key) = (self.clone(), job.clone(), table.clone(), key.to_owned());
        let read = tokio::task::spawn_blocking(move || {
            let mut reader = Reader::new(&transfers, &asked, &table, log);
            let goes_on = reader.object(&key, tail)?;
            Ok((goes_on, reader.tally))
        });
        let (goes_on, tally) = read.await.map_err(Failure::internal)??;
        job.tally.items += tally.items;
        job.tally.bytes += tally.bytes;
        job.tally.errors += tally.errors;
        Ok(goes_on)
    }
}
