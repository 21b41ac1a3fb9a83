//! The source: a table of any endpoint that speaks DynamoDB's API, read by ordinary signed calls.

mod ahead;
mod answer;
mod http;
mod login;
mod rows;
mod secrets;
mod stream;
mod table;

pub use ahead::{Ahead, Page};
pub use answer::{Record, RecordsPage, ScanPage};
pub use http::{Fault, Http, Login};
pub use login::Service;
pub use rows::{RecordRows, ScanRows};
pub use secrets::Secrets;
pub use table::{Begin, Description, Part, Table};
