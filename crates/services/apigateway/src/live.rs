//! An API of either kind made ready to serve.

use std::collections::HashMap;

pub(crate) struct Live<Stage> {
    pub account: String,
    pub region: String,
    pub disabled: bool,
    pub stages: HashMap<String, Stage>,
}

impl<Stage> Live<Stage> {
    /// What policies call a request: its method and path, at a stage.
    pub fn arn(&self, id: &str, stage: &str, method: &str, path: &str) -> String {
        format!("arn:aws:execute-api:{}:{}:{id}/{stage}/{method}{path}", self.region, self.account)
    }
}
