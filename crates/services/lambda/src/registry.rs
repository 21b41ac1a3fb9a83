//! The functions there are, as they are kept, and how each of them runs.

use super::name::{FunctionName, not_found};
use ::functions::{Credentials, FunctionConfig, JsonLog, Level, LogPlace, Runtime};
use access::Keys;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use servicekit::Mode;
use servicekit::call::Caller;
use servicekit::documents::Documents;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use store::Store;
use tokio::sync::{Mutex, Notify};
use wire::ServiceError;

/// In the order in which they were made.
pub type Statements = serde_json::Map<String, Value>;

/// A function as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
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
    pub policy: Statements,
    /// The same of versions and aliases, by qualifier.
    #[serde(default)]
    pub policies: BTreeMap<String, Statements>,
    /// Another one whenever code or configuration changes, and processes must be others.
    #[serde(default)]
    pub generation: String,
    /// A published version's number. None is `$LATEST`.
    #[serde(default)]
    pub version: Option<u64>,
    /// The highest number that was given out, and the generation it was given to.
    #[serde(default)]
    pub last_version: u64,
    /// None is the least there is.
    #[serde(default)]
    pub ephemeral_mb: Option<u32>,
    /// In the order in which they are laid.
    #[serde(default)]
    pub layers: Vec<LayerUse>,
    /// The queue or topic that takes events that failed.
    #[serde(default)]
    pub dead_letter: Option<String>,
    #[serde(default)]
    pub vpc: Option<Vpc>,
    /// The levels of a JSON log: the application's and the system's. None for text.
    #[serde(default)]
    pub json_log: Option<(String, String)>,
    #[serde(default)]
    pub published: Option<String>,
}

/// The network that a function is said to be in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Vpc {
    pub id: String,
    pub subnets: Vec<String>,
    pub groups: Vec<String>,
}

/// A layer as a function has it: it stays when the layer's version is removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerUse {
    pub arn: String,
    pub code_sha256: String,
    pub code_bytes: u64,
}

/// One version of a layer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Layer {
    pub name: String,
    pub version: u64,
    pub description: String,
    pub code_sha256: String,
    /// In base64.
    pub code_digest: String,
    pub code_bytes: u64,
    pub runtimes: Vec<String>,
    pub architectures: Vec<String>,
    pub license: Option<String>,
    pub created: String,
    /// Statements of its policy, by id.
    pub policy: Statements,
    pub revision: String,
}

/// A name for a version, or for two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    pub name: String,
    pub description: String,
    /// `$LATEST` or a number.
    pub version: String,
    /// The part of calls that goes to another version.
    pub weights: BTreeMap<String, f64>,
    pub revision: String,
}

/// All functions. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    /// Each as `$LATEST`.
    pub functions: Documents<Function>,
    /// Published versions, by function and number.
    pub versions: Documents<Function>,
    /// By function and name.
    pub aliases: Documents<Alias>,
    /// By name and number, and the highest number each name has had.
    pub layers: Documents<Layer>,
    pub layer_numbers: Documents<u64>,
    /// Held by what changes several documents of a function.
    pub structure: Arc<Mutex<()>>,
    /// Told whenever a function appears or changes.
    pub changed: Arc<Notify>,
    /// Who gives functions their credentials; handed over once the services stand.
    pub keys: Arc<OnceLock<(Keys, Mode)>>,
}

impl Registry {
    pub fn new(store: &Store) -> Registry {
        Registry {
            functions: Documents::new(store, "lambda/function"),
            versions: Documents::new(store, "lambda/version"),
            aliases: Documents::new(store, "lambda/alias"),
            layers: Documents::new(store, "lambda/layer"),
            layer_numbers: Documents::new(store, "lambda/layer-number"),
            structure: Arc::default(),
            changed: Arc::new(Notify::new()),
            keys: Arc::default(),
        }
    }

    /// How a function runs, with credentials of its role. None when its runtime is one that this version
    /// does not know, or the server is only just starting.
    pub fn config(&self, function: &Function, caller: &Caller) -> Option<FunctionConfig> {
        let (keys, mode) = self.keys.get()?;
        let mut config = function.config(caller)?;
        config.credentials = keys.of_function(&function.arn, &function.role);
        if *mode != Mode::Lenient {
            // Processes must not outlive their credentials.
            config.revision.push_str(&format!("/{}", keys.epoch()));
        }
        Some(config)
    }

    /// The function in the version that is asked for; of an alias the version it names first.
    pub fn find(&self, caller: &Caller, name: &FunctionName) -> Result<Function, ServiceError> {
        self.resolve(caller, name, |alias| &alias.version)
    }

    /// The version that takes a call; `draw` decides where an alias names two.
    pub fn pick(&self, caller: &Caller, name: &FunctionName, draw: u64) -> Result<Function, ServiceError> {
        self.resolve(caller, name, |alias| alias.pick(draw))
    }

    fn resolve(
        &self,
        caller: &Caller,
        name: &FunctionName,
        choose: impl Fn(&Alias) -> &String,
    ) -> Result<Function, ServiceError> {
        let missing = || not_found(&name.arn(caller));
        let latest = self.functions.get(&key(caller, &name.name))?.ok_or_else(missing)?;
        let version = match name.qualifier.as_deref() {
            None => return Ok(latest),
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => number.to_owned(),
            Some("$LATEST") => return Ok(latest),
            Some(alias) => {
                let alias = self.aliases.get(&alias_key(caller, &name.name, alias))?.ok_or_else(missing)?;
                choose(&alias).clone()
            }
        };
        if version == "$LATEST" {
            return Ok(latest);
        }
        let number = version.parse().map_err(|_| missing())?;
        let found = self.versions.get(&version_key(caller, &name.name, number))?.ok_or_else(missing)?;
        // What belongs to the function as a whole lies with `$LATEST`.
        Ok(Function {
            reserved_concurrency: latest.reserved_concurrency,
            policy: latest.policy,
            policies: latest.policies,
            tags: latest.tags,
            ..found
        })
    }
}

impl Alias {
    fn pick(&self, draw: u64) -> &String {
        // The upper 53 bits make a number from zero up to one.
        let mut point = (draw >> 11) as f64 / (1_u64 << 53) as f64;
        for (version, weight) in &self.weights {
            if point < *weight {
                return version;
            }
            point -= weight;
        }
        &self.version
    }
}

pub fn version_key(caller: &Caller, name: &str, number: u64) -> String {
    format!("{}/{number:020}", key(caller, name))
}

pub fn alias_key(caller: &Caller, name: &str, alias: &str) -> String {
    format!("{}/{alias}", key(caller, name))
}

pub fn key(caller: &Caller, name: &str) -> String {
    format!("{}/{}/{name}", caller.account, caller.region)
}

impl Function {
    /// Whether processes of the other may go on as this one's.
    pub fn runs_as(&self, other: &Function) -> bool {
        let bare = |function: &Function| Function {
            tags: BTreeMap::new(),
            policy: Statements::new(),
            policies: BTreeMap::new(),
            reserved_concurrency: None,
            modified_ms: 0,
            vpc: None,
            ..function.clone()
        };
        bare(self) == bare(other)
    }

    /// `$LATEST` or a number.
    pub fn version(&self) -> String {
        self.version.map_or_else(|| "$LATEST".to_owned(), |number| number.to_string())
    }

    /// The ARN of this version.
    pub fn version_arn(&self) -> String {
        format!("{}:{}", self.arn, self.version())
    }

    /// Its own, and what its runtime is told of its log.
    fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.environment.clone().unwrap_or_default();
        if let Some((application, _)) = &self.json_log {
            variables.insert("AWS_LAMBDA_LOG_FORMAT".to_owned(), "JSON".to_owned());
            variables.insert("AWS_LAMBDA_LOG_LEVEL".to_owned(), application.clone());
        }
        variables
    }

    fn config(&self, caller: &Caller) -> Option<FunctionConfig> {
        Some(FunctionConfig {
            arn: if self.version.is_some() { self.version_arn() } else { self.arn.clone() },
            name: self.name.clone(),
            version: self.version(),
            revision: if self.generation.is_empty() {
                self.revision.clone()
            } else {
                self.generation.clone()
            },
            runtime: Runtime::parse(&self.runtime)?,
            handler: self.handler.clone(),
            code_sha256: self.code_sha256.clone(),
            layers: self.layers.iter().map(|layer| layer.code_sha256.clone()).collect(),
            timeout: Duration::from_secs(self.timeout_s),
            memory_mb: self.memory_mb,
            environment: self.variables(),
            json_log: self.json_log.as_ref().map(|(application, system)| JsonLog {
                application: Level::parse(application).unwrap_or(Level::Info),
                system: Level::parse(system).unwrap_or(Level::Info),
            }),
            ephemeral_mb: self.ephemeral_mb.unwrap_or(512),
            region: caller.region.to_string(),
            credentials: Credentials::default(),
            log: LogPlace {
                owner: format!("{}/{}", caller.account, caller.region),
                group: self.log_group.clone(),
            },
            reserved_concurrency: self.reserved_concurrency,
        })
    }
}
