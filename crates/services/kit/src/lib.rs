//! What every service stands on: a call and its answer, bodies, documents kept, secrets sealed, other services to ask.
//! Never knows which services there are.

pub mod address;
pub mod body;
pub mod call;
pub mod documents;
pub mod fields;
pub mod house;
pub mod ids;
pub mod post;
pub mod reply;
pub mod settings;
pub mod vault;
pub mod yaml;

pub use settings::{Mode, Settings};
