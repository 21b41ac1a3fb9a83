//! Who calls, and what they may: access keys and their secrets, signatures, the language of policies.
//! Never knows what a service does, nor who has which policy.

mod gate;
mod keys;
pub mod policy;
mod role_arn;

#[cfg(test)]
mod tests;

pub use gate::Gate;
pub use keys::{AccessKey, Identity, Keys, Session};
pub use role_arn::RoleArn;
