//! Knows databases: SQLite, PostgreSQL, MySQL and MariaDB behind one door; statements, transactions, tables, bulk writes.
//! Never knows what a table means, nor DynamoDB, nor AWS. The only crate that names the databases' drivers.
//!
//! Everything here blocks the thread that calls it: call it from a thread that may wait.

mod bulk;
mod cell;
mod connection;
mod dialect;
mod driver;
mod error;
mod holds;
mod inline;
mod keys;
mod mysql;
mod names;
mod postgres;
mod settings;
mod sqlite;
mod table;
mod tls;
mod value;
mod words;

pub use bulk::{OnConflict, Upsert};
pub use cell::{Cell, Cells};
pub use connection::Connection;
pub use dialect::Dialect;
pub use driver::{Executed, Outcome, Rows};
pub use error::{Error, Kind};
pub use holds::{Bound, Holds};
pub use settings::{File, Place, Server, Settings, Tls};
pub use table::{Column, ColumnKind, ColumnShape, NewTable, TableShape};
pub use value::Value;
pub use words::Words;
