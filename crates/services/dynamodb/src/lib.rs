//! DynamoDB and DynamoDB Streams. Never opens a socket, and keeps nothing but through the engine and its documents.
//!
//! One operation, one file. The busiest have two readers for their input: `api`'s typed one, which gives up at the first
//! oddity, and the tree of `wire`, which finds the service's words for it. What follows is the same for both.

mod fault;
mod names;
mod tree;
mod value;

mod expressions;
mod legacy;
mod schema;

mod answer;
mod request;

mod delete_item;
mod get_item;
mod put_item;
mod update_item;

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

pub mod files;
mod transfers;

use engine::{Engine, Scope, Table};
use fault::Fault;
use logs::LogBook;
use servicekit::call::{Call, Caller, Pending};
use servicekit::house::House;
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

    /// Leaves exports and imports to the server's next start.
    pub fn stop(&self) {
        self.transfers.stop();
    }

    pub fn call(&self, call: Call) -> Pending<'_, Response> {
        Box::pin(async move {
            match self.answer(&call).await {
                Ok(body) => call.settle_json(body),
                Err(fault) => call.refuse(fault),
            }
        })
    }

    async fn answer(&self, call: &Call) -> Body {
        match call.operation.name {
            "PutItem" => put_item::put_item(self, call).await,
            "GetItem" => get_item::get_item(self, call),
            "UpdateItem" => update_item::update_item(self, call).await,
            "DeleteItem" => delete_item::delete_item(self, call).await,
            "Query" => query::query(self, call),
            "Scan" => scan::scan(self, call),
            "BatchGetItem" => batch_get_item::batch_get_item(self, call),
            "BatchWriteItem" => batch_write_item::batch_write_item(self, call).await,
            "TransactGetItems" => transact_get_items::transact_get_items(self, call),
            "TransactWriteItems" => transact_write_items::transact_write_items(self, call).await,
            "ExecuteStatement" => partiql::execute_statement(self, call).await,
            "BatchExecuteStatement" => partiql::batch_execute_statement(self, call).await,
            "ExecuteTransaction" => partiql::execute_transaction(self, call).await,
            "CreateTable" => create_table::create_table(self, call).await,
            "DescribeTable" => describe_table::describe_table(self, call),
            "UpdateTable" => update_table::update_table(self, call).await,
            "DeleteTable" => delete_table::delete_table(self, call).await,
            "ListTables" => list_tables::list_tables(self, call),
            "DescribeTimeToLive" => time_to_live::describe_time_to_live(self, call),
            "UpdateTimeToLive" => time_to_live::update_time_to_live(self, call).await,
            "DescribeContinuousBackups" => continuous_backups::describe_continuous_backups(self, call),
            "UpdateContinuousBackups" => continuous_backups::update_continuous_backups(self, call).await,
            "RestoreTableToPointInTime" => backups::restore_table_to_point_in_time(self, call).await,
            "DescribeLimits" => describe_limits::describe_limits(call),
            "DescribeEndpoints" => describe_endpoints::describe_endpoints(call),
            "TagResource" => tags::tag_resource(self, call).await,
            "UntagResource" => tags::untag_resource(self, call).await,
            "ListTagsOfResource" => tags::list_tags_of_resource(self, call),
            "CreateBackup" => backups::create_backup(self, call).await,
            "DescribeBackup" => backups::describe_backup(self, call),
            "ListBackups" => backups::list_backups(self, call),
            "DeleteBackup" => backups::delete_backup(self, call).await,
            "RestoreTableFromBackup" => backups::restore_table_from_backup(self, call).await,
            "PutResourcePolicy" => policies::put_resource_policy(self, call).await,
            "GetResourcePolicy" => policies::get_resource_policy(self, call),
            "DeleteResourcePolicy" => policies::delete_resource_policy(self, call).await,
            "ExportTableToPointInTime" => transfers::export_table_to_point_in_time(self, call).await,
            "DescribeExport" => transfers::describe_export(self, call),
            "ListExports" => transfers::list_exports(self, call),
            "ImportTable" => transfers::import_table(self, call).await,
            "DescribeImport" => transfers::describe_import(self, call),
            "ListImports" => transfers::list_imports(self, call),
            "ListStreams" => streams::list_streams(self, call),
            "DescribeStream" => streams::describe_stream(self, call),
            "GetShardIterator" => streams::get_shard_iterator(self, call),
            "GetRecords" => streams::get_records(self, call),
            "DescribeContributorInsights" => absent::describe_contributor_insights(self, call),
            "ListContributorInsights" => absent::list_contributor_insights(call),
            "DescribeKinesisStreamingDestination" => {
                absent::describe_kinesis_streaming_destination(self, call)
            }
            "ListGlobalTables" => absent::list_global_tables(call),
            "DescribeGlobalTable" | "DescribeGlobalTableSettings" => absent::describe_global_table(call),
            "DescribeTableReplicaAutoScaling" => absent::describe_table_replica_auto_scaling(self, call),
            name => Err(absent::refused(name)),
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

fn scope(caller: &Caller) -> Scope {
    Scope { account: caller.account.clone(), region: caller.region.clone() }
}

#[cfg(test)]
mod tests;
