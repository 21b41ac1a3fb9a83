//! The same promises, kept by every database.

mod contract;
mod sqlite;
