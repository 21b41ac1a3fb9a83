//! Temporary credentials: whom they stand for, and how long.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub user_id: String,
    pub arn: String,
    /// The assumed role's ARN; none for a session of the account itself.
    pub role: Option<String>,
    pub expires_s: u64,
}
