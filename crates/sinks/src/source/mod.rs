//! The source: a table of any endpoint that speaks DynamoDB's API, read by ordinary signed calls.

mod ahead;
mod answer;
mod http;
mod login;
mod secrets;
mod stream;
mod table;

pub use ahead::Ahead;
pub use answer::{Record, RecordsPage, ScanPage};
pub use http::{Fault, Http, Login};
pub use login::Service;
pub use secrets::Secrets;
pub use table::{Begin, Description, Table};
