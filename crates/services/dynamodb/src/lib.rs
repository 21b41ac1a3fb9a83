//! DynamoDB and DynamoDB Streams. Never opens a socket, and keeps nothing but through the engine and its documents.
//!
//! One operation, one file. The busiest have two readers for their input: `api`'s typed one, which gives up at the first
//! oddity, and the tree of `wire`, which finds the service's words for it. What follows is the same for both.

mod fault;
mod names;
mod tree;
mod value;

mod exchange;
mod expressions;
mod legacy;
mod schema;

mod answer;
mod request;

mod delete_item;
mod get_item;
mod put_item;
mod update_item;

mod paths;
mod query;
mod scan;
mod search;

mod batch_get_item;
mod batch_write_item;

mod transact_get_items;
mod transact_write_items;

mod partiql;

mod absent;
mod backups;
mod capacity;
mod compatibility;
mod continuous_backups;
mod create_table;
mod delete_table;
mod describe_endpoints;
mod describe_limits;
mod describe_table;
mod description;
mod list_tables;
mod policies;
mod tags;
mod time_to_live;
mod update_table;

mod streams;

mod in_process;

pub mod files;
mod transfers;

pub use in_process::{InProcess, RecordsPage};

use engine::{Engine, Scope, Table};
use fault::Fault;
use logs::LogBook;
use servicekit::call::{Call, Caller, Pending};
use servicekit::house::House;
use std::future::ready;
use std::sync::Arc;
use store::Store;
use wire::Response;
use world::World;

pub struct Dynamodb {
    engine: Arc<Engine>,
    world: World,
    seal: streams::Seal,
    policies: policies::Policies,
    transfers: Arc<transfers::Transfers>,
}

/// The body of a success.
type Body = Result<Vec<u8>, Fault>;

impl Dynamodb {
    pub fn new(store: &Store, world: &World, engine: &Arc<Engine>, logs: &LogBook, house: House) -> Dynamodb {
        Dynamodb {
            engine: engine.clone(),
            world: world.clone(),
            seal: streams::Seal::durable(store, world),
            policies: policies::Policies::new(store),
            transfers: Arc::new(transfers::Transfers::new(store, engine, world, logs.clone(), house)),
        }
    }

    /// Goes on with exports and imports that a stopped server left unfinished.
    pub async fn recover(&self) -> Result<(), Fault> {
        self.transfers.recover().await
    }

    /// These tables, for whoever is in this process.
    pub fn in_process(&self, scope: Scope) -> InProcess {
        InProcess::new(self.engine.clone(), self.world.clone(), self.seal.clone(), scope)
    }

    /// Leaves exports and imports to the server's next start.
    pub fn stop(&self) {
        self.transfers.stop();
    }

    pub fn call(&self, call: Call) -> Pending<'_, Response> {
        if let Some(read) = self.read(&call) {
            return Box::pin(ready(settled(&call, read)));
        }
        Box::pin(async move { settled(&call, self.answer(&call).await) })
    }

    /// The busiest reads, which wait for nothing.
    fn read(&self, call: &Call) -> Option<Body> {
        Some(match call.operation.name {
            "GetItem" => get_item::get_item(self, call),
            "Query" => query::query(self, call),
            "Scan" => scan::scan(self, call),
            "BatchGetItem" => batch_get_item::batch_get_item(self, call),
            "TransactGetItems" => transact_get_items::transact_get_items(self, call),
            _ => return None,
        })
    }

    /// Each operation in a box of its own size: one for all would be as large as the largest.
    fn answer<'a>(&'a self, call: &'a Call) -> Pending<'a, Body> {
        if let Some(read) = self.read(call) {
            return at_once(read);
        }
        match call.operation.name {
            "PutItem" => Box::pin(put_item::put_item(self, call)),
            "UpdateItem" => Box::pin(update_item::update_item(self, call)),
            "DeleteItem" => Box::pin(delete_item::delete_item(self, call)),
            "BatchWriteItem" => Box::pin(batch_write_item::batch_write_item(self, call)),
            "TransactWriteItems" => Box::pin(transact_write_items::transact_write_items(self, call)),
            "ExecuteStatement" => Box::pin(partiql::execute_statement(self, call)),
            "BatchExecuteStatement" => Box::pin(partiql::batch_execute_statement(self, call)),
            "ExecuteTransaction" => Box::pin(partiql::execute_transaction(self, call)),
            "CreateTable" => Box::pin(create_table::create_table(self, call)),
            "DescribeTable" => at_once(describe_table::describe_table(self, call)),
            "UpdateTable" => Box::pin(update_table::update_table(self, call)),
            "DeleteTable" => Box::pin(delete_table::delete_table(self, call)),
            "ListTables" => at_once(list_tables::list_tables(self, call)),
            "DescribeTimeToLive" => at_once(time_to_live::describe_time_to_live(self, call)),
            "UpdateTimeToLive" => Box::pin(time_to_live::update_time_to_live(self, call)),
            "DescribeContinuousBackups" => {
                at_once(continuous_backups::describe_continuous_backups(self, call))
            }
            "UpdateContinuousBackups" => Box::pin(continuous_backups::update_continuous_backups(self, call)),
            "RestoreTableToPointInTime" => Box::pin(backups::restore_table_to_point_in_time(self, call)),
            "DescribeLimits" => at_once(describe_limits::describe_limits(call)),
            "DescribeEndpoints" => at_once(describe_endpoints::describe_endpoints(call)),
            "TagResource" => Box::pin(tags::tag_resource(self, call)),
            "UntagResource" => Box::pin(tags::untag_resource(self, call)),
            "ListTagsOfResource" => at_once(tags::list_tags_of_resource(self, call)),
            "CreateBackup" => Box::pin(backups::create_backup(self, call)),
            "DescribeBackup" => at_once(backups::describe_backup(self, call)),
            "ListBackups" => at_once(backups::list_backups(self, call)),
            "DeleteBackup" => Box::pin(backups::delete_backup(self, call)),
            "RestoreTableFromBackup" => Box::pin(backups::restore_table_from_backup(self, call)),
            "PutResourcePolicy" => Box::pin(policies::put_resource_policy(self, call)),
            "GetResourcePolicy" => at_once(policies::get_resource_policy(self, call)),
            "DeleteResourcePolicy" => Box::pin(policies::delete_resource_policy(self, call)),
            "ExportTableToPointInTime" => Box::pin(transfers::export_table_to_point_in_time(self, call)),
            "DescribeExport" => at_once(transfers::describe_export(self, call)),
            "ListExports" => at_once(transfers::list_exports(self, call)),
            "ImportTable" => Box::pin(transfers::import_table(self, call)),
            "DescribeImport" => at_once(transfers::describe_import(self, call)),
            "ListImports" => at_once(transfers::list_imports(self, call)),
            "ListStreams" => at_once(streams::list_streams(self, call)),
            "DescribeStream" => at_once(streams::describe_stream(self, call)),
            "GetShardIterator" => at_once(streams::get_shard_iterator(self, call)),
            "GetRecords" => at_once(streams::get_records(self, call)),
            "DescribeContributorInsights" => at_once(absent::describe_contributor_insights(self, call)),
            "ListContributorInsights" => at_once(absent::list_contributor_insights(call)),
            "DescribeKinesisStreamingDestination" => {
                at_once(absent::describe_kinesis_streaming_destination(self, call))
            }
            "ListGlobalTables" => at_once(absent::list_global_tables(call)),
            "DescribeGlobalTable" | "DescribeGlobalTableSettings" => {
                at_once(absent::describe_global_table(call))
            }
            "DescribeTableReplicaAutoScaling" => {
                at_once(absent::describe_table_replica_auto_scaling(self, call))
            }
            name => at_once(Err(absent::refused(name))),
        }
    }

    /// The table of an operation on items.
    fn table(&self, caller: &Caller, name: &str) -> Result<Arc<Table>, Fault> {
        self.engine.table(&scope(caller), name).map_err(fault::data)
    }

    /// Runs what waits for the disk where waiting is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let engine = self.engine.clone();
        tokio::task::spawn_blocking(move || work(&engine)).await.map_err(fault::failed)
    }
}

fn at_once<'a>(body: Body) -> Pending<'a, Body> {
    Box::pin(ready(body))
}

fn settled(call: &Call, body: Body) -> Response {
    match body {
        Ok(body) => call.settle_json(body),
        Err(fault) => call.refuse(fault),
    }
}

fn scope(caller: &Caller) -> Scope {
    Scope { account: caller.account.clone(), region: caller.region.clone() }
}

#[cfg(test)]
mod tests;
