//! Tables as files: what an export is laid out as, and what an import takes.

pub mod csv;
mod pack;

pub use pack::{DataFile, Packed, Summary, data_name, sum_of};
