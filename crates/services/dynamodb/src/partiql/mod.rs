//! PartiQL: ExecuteStatement, BatchExecuteStatement, ExecuteTransaction.
//!
//! A statement becomes what the other operations are made of: conditions and updates as expressions, a query for each
//! partition that it names or a scan, and single writes or a transaction.

mod batch;
mod execute;
mod transaction;

mod lookup;
mod lower;
mod prepare;
mod projection;
mod select;
mod token;
mod write;

pub(super) use batch::batch_execute_statement;
pub(super) use execute::execute_statement;
pub(super) use transaction::execute_transaction;
