//! The same promises, kept by every database.

mod contract;
mod mysql;
mod postgres;
mod servers;
mod sqlite;
mod tls;
