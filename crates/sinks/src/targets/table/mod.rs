//! Tables of an endpoint as the target: items, and what is remembered in a table beside them, one transaction over both.

mod calls;
mod draft;
mod keeper;
mod lane;
mod look;
mod marks;
mod schema;
mod state;
mod sweep;

pub use calls::Tables;
pub use lane::Transacting;
pub use look::Seen;
pub use state::State;
