//! A database as the target: rows and what is remembered in tables, one transaction over both.

mod apply;
mod fold;
mod given;
mod gone;
mod keeper;
mod lane;
mod look;
mod marks;
mod schema;
mod state;
mod sweep;

pub use lane::Connected;
pub use look::Seen;
pub use state::State;
