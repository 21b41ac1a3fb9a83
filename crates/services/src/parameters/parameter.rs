//! A parameter and its versions.

use super::name;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use servicekit::call::Caller;
use servicekit::fields::object;
use std::collections::{BTreeMap, BTreeSet};

/// Older versions go when there are more, unless a label holds them.
pub(super) const VERSIONS_MAX: usize = 100;
pub(super) const SECURE: &str = "SecureString";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Parameter {
    pub name: String,
    /// `String`, `StringList` or `SecureString`: for ever.
    pub kind: String,
    pub tags: BTreeMap<String, String>,
    /// The oldest first; never empty.
    pub versions: Vec<Version>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub number: u64,
    /// Sealed, of a secure string.
    pub value: String,
    pub labels: BTreeSet<String>,
    pub modified_s: f64,
    pub description: Option<String>,
    pub pattern: Option<String>,
    pub key_id: Option<String>,
    pub tier: String,
}

impl Parameter {
    pub fn latest(&self) -> &Version {
        self.versions.last().expect("a parameter has a version")
    }

    /// By its number, or by a label.
    pub fn version(&self, selector: &str) -> Option<&Version> {
        match selector.parse::<u64>() {
            Ok(number) => self.versions.iter().find(|version| version.number == number),
            Err(_) => self.versions.iter().find(|version| version.labels.contains(selector)),
        }
    }

    pub fn is_secure(&self) -> bool {
        self.kind == SECURE
    }

    /// The parameter as lists and histories tell it, without its value.
    pub fn told(&self, version: &Version, caller: &Caller) -> Value {
        object([
            ("Name", Some(self.name.as_str().into())),
            ("Type", Some(self.kind.as_str().into())),
            ("KeyId", version.key_id.as_deref().map(Value::from)),
            ("LastModifiedDate", Some(version.modified_s.into())),
            ("LastModifiedUser", Some(format!("arn:aws:iam::{}:root", caller.account).into())),
            ("Description", version.description.as_deref().map(Value::from)),
            ("AllowedPattern", version.pattern.as_deref().map(Value::from)),
            ("Version", Some(version.number.into())),
            ("Tier", Some(version.tier.as_str().into())),
            ("Policies", Some(Value::Array(Vec::new()))),
            ("DataType", Some("text".into())),
        ])
    }

    /// Where a version's value is sealed: it opens nowhere else.
    pub fn place(&self, caller: &Caller, number: u64) -> String {
        format!("{}:{number}", name::arn(&caller.region, &caller.account, &self.name))
    }
}
