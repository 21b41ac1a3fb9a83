//! The source: a table of any endpoint that speaks DynamoDB's API, read by ordinary signed calls. Where the endpoint is this
//! process, the calls that move the bulk are made without them.

mod ahead;
mod answer;
mod http;
mod in_process;
mod login;
mod rows;
mod secrets;
mod stream;
mod table;

pub use ahead::{Ahead, Page};
pub use answer::{Record, RecordsPage, ScanPage};
pub use http::{Fault, Http, Login};
pub use in_process::{Changed, InProcess, Scanned};
pub use login::Service;
pub use rows::{RecordRows, ScanRows};
pub use secrets::Secrets;
pub use table::{Begin, Description, Part, Table};
