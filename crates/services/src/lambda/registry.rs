//! The functions there are, as they are kept, and how each of them runs.

use super::name::{FunctionName, not_found};
use crate::call::Caller;
use crate::documents::Documents;
use ::functions::{Credentials, FunctionConfig, LogPlace, Runtime};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::Notify;
use wire::ServiceError;

/// A function as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Function {
    pub name: String,
    pub arn: String,
    pub runtime: String,
    pub role: String,
    pub handler: String,
    pub description: String,
    pub timeout_s: u64,
    pub memory_mb: u32,
    pub environment: Option<BTreeMap<String, String>>,
    pub architecture: String,
    pub code_sha256: String,
    /// In base64, as clients compare it.
    pub code_digest: String,
    pub code_bytes: u64,
    pub modified_ms: u64,
    pub revision: String,
    pub log_group: String,
    pub tags: BTreeMap<String, String>,
    pub reserved_concurrency: Option<u32>,
    /// Statements of the resource policy, by id.
    pub policy: BTreeMap<String, Value>,
}

/// All functions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Registry {
    pub functions: Documents<Function>,
    /// Told whenever a function appears or changes.
    pub changed: Arc<Notify>,
}

impl Registry {
    pub fn new(store: &Store) -> Registry {
        Registry { functions: Documents::new(store, "lambda/function"), changed: Arc::new(Notify::new()) }
    }

    /// The function, which must exist in the version that is asked for: `$LATEST` is the only one.
    pub fn find(&self, caller: &Caller, name: &FunctionName) -> Result<Function, ServiceError> {
        let found = self.functions.get(&key(caller, &name.name))?;
        match (found, name.qualifier.as_deref()) {
            (Some(function), None | Some("$LATEST")) => Ok(function),
            _ => Err(not_found(&name.arn(caller))),
        }
    }
}

pub(crate) fn key(caller: &Caller, name: &str) -> String {
    format!("{}/{}/{name}", caller.account, caller.region)
}

impl Function {
    /// How it runs. None when its runtime is one that this version does not know.
    pub fn config(&self, caller: &Caller) -> Option<FunctionConfig> {
        Some(FunctionConfig {
            arn: self.arn.clone(),
            name: self.name.clone(),
            version: "$LATEST".to_owned(),
            revision: self.revision.clone(),
            runtime: Runtime::parse(&self.runtime)?,
            handler: self.handler.clone(),
            code_sha256: self.code_sha256.clone(),
            timeout: Duration::from_secs(self.timeout_s),
            memory_mb: self.memory_mb,
            environment: self.environment.clone().unwrap_or_default(),
            region: caller.region.to_string(),
            credentials: Credentials {
                access_key: "ASIAMILLSTREAMLOCAL1".to_owned(),
                secret_key: "millstream".to_owned(),
                session_token: "millstream".to_owned(),
            },
            log: LogPlace {
                owner: format!("{}/{}", caller.account, caller.region),
                group: self.log_group.clone(),
            },
            reserved_concurrency: self.reserved_concurrency,
        })
    }
}
