//! Which tables there are.

mod description;

pub use description::{
    IndexDescription, IndexStatus, StreamDescription, TableDescription, TableNames, TableStatus,
};
