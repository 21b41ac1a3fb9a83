//! Who calls, and what they may: access keys and their secrets, signatures, policies.

mod authorize;
mod gate;
mod keys;
mod needs;
pub(crate) mod policy;
mod trigger;

#[cfg(test)]
mod tests;

pub(crate) use gate::Gate;
pub use gate::Mode;
pub(crate) use keys::{AccessKey, Identity, Keys, Session};
