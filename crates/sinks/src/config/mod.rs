//! The file: sources, targets, pipelines. What is not known in it is refused by name.

mod fill;
mod read;

pub(crate) use read::unknown;

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub source: BTreeMap<String, Source>,
    pub target: BTreeMap<String, Target>,
    pub pipeline: Vec<Pipeline>,
    /// Where Prometheus may ask: `127.0.0.1:9464`.
    pub metrics: Option<String>,
    /// As it was written, before secrets were put in.
    #[serde(skip)]
    text: String,
    /// What tables and secrets without an endpoint belong to, beside what variables say.
    #[serde(skip)]
    home: Endpoint,
}

/// One table of any endpoint that speaks DynamoDB's API.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub table: String,
    /// How long its stream keeps records: a day, unless the endpoint was told otherwise.
    #[serde(default = "retention_seconds")]
    pub retention_seconds: u64,
    /// What is missing from here on is taken from the variables that AWS's clients read.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<String>,
    pub session_token: Option<String>,
}

/// Where tables are and who asks.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<String>,
    pub session_token: Option<String>,
}

/// One of its members.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Tables of any endpoint that speaks DynamoDB's API.
    pub dynamodb: Option<Endpoint>,
    /// A file's path.
    pub sqlite: Option<String>,
    /// A URL.
    pub postgres: Option<String>,
    pub mysql: Option<String>,
    /// `disable`, `require`, `verify-full`.
    pub tls: Option<String>,
    /// A PEM file of authorities.
    pub tls_ca: Option<String>,
}

impl Source {
    /// Where it names no endpoint, it belongs here.
    fn settle(&mut self, home: &Endpoint) {
        let mut place = self.place();
        place.settle(home);
        let Endpoint { endpoint, region, access_key_id, secret_access_key, session_token } = place;
        (self.endpoint, self.region, self.session_token) = (endpoint, region, session_token);
        (self.access_key_id, self.secret_access_key) = (access_key_id, secret_access_key);
    }

    pub fn place(&self) -> Endpoint {
        Endpoint {
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
            session_token: self.session_token.clone(),
        }
    }
}

impl Endpoint {
    fn settle(&mut self, home: &Endpoint) {
        if self.endpoint.is_some() {
            return;
        }
        self.endpoint.clone_from(&home.endpoint);
        self.region = self.region.take().or_else(|| home.region.clone());
        if self.access_key_id.is_none() {
            self.access_key_id.clone_from(&home.access_key_id);
            self.secret_access_key.clone_from(&home.secret_access_key);
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    pub name: String,
    pub from: String,
    pub to: String,
    /// None: the source table's name.
    pub table: Option<String>,
    /// Columns of the target's key; none: those of the source's key.
    pub key: Option<Vec<String>>,
    /// None: derived from the key schema and a sample of the items.
    pub columns: Option<BTreeMap<String, Column>>,
    /// What becomes of attributes without a column.
    pub rest: Option<Rest>,
    /// Attributes that are left out of the rest.
    #[serde(default)]
    pub drop: Vec<String>,
    #[serde(default)]
    pub deletes: Deletes,
    /// Deletes by time to live; none: as other deletes.
    pub ttl_deletes: Option<Deletes>,
    /// The column of soft deletes.
    #[serde(default = "deleted_at")]
    pub deleted_at: String,
    /// A DynamoDB condition; items that do not meet it have no row.
    pub filter: Option<String>,
    #[serde(default)]
    pub filter_names: BTreeMap<String, String>,
    #[serde(default)]
    pub filter_values: BTreeMap<String, toml::Value>,
    /// When several items claim one key of the target.
    pub conflicts: Option<Conflicts>,
    /// Items that lack an attribute of the target's key.
    #[serde(default)]
    pub missing_key: MissingKey,
    /// Whether the table is made when it is not there.
    #[serde(default = "yes")]
    pub create: bool,
    #[serde(default)]
    pub on_gap: OnGap,
    /// Connections that write at once.
    pub lanes: Option<usize>,
    /// Most rows of one transaction.
    #[serde(default = "batch_rows")]
    pub batch_rows: usize,
    /// How long a statement that writes rows may take before its connection is given up.
    #[serde(default = "patience_seconds")]
    pub patience_seconds: u64,
    /// Segments of the snapshot's scan, read at once.
    #[serde(default = "scan_segments")]
    pub scan_segments: u32,
    /// Read units that the scan may use in a second; none: all it can get.
    pub scan_units_per_second: Option<f64>,
    /// A directory for records that the target is too slow for, or away; none: they wait in the stream alone.
    pub spool: Option<std::path::PathBuf>,
    /// The most that it holds.
    pub spool_max_mb: Option<u64>,
    /// The age of the oldest record that is not applied, from which on records are kept there.
    pub spool_after_seconds: Option<u64>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, expecting = "a column as { type = \"text\" } or {}")]
pub struct Column {
    /// The attribute, with `.name` and `[0]` into maps and lists; none: the column's name.
    pub from: Option<String>,
    /// The same value in every row.
    pub constant: Option<toml::Value>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// For items that lack the attribute.
    pub default: Option<toml::Value>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(
    untagged,
    expecting = "rest is \"ignore\", \"columns\" or { column = \"name\" }, with form = \"typed\" or form = \"plain\""
)]
pub enum Rest {
    Word(String),
    Column(RestColumn),
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RestColumn {
    pub column: String,
    #[serde(default)]
    pub form: Form,
}

/// How a document is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// DynamoDB JSON: nothing is lost.
    #[default]
    Typed,
    /// JSON as people write it: sets become arrays, binaries base64.
    Plain,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Deletes {
    #[default]
    Hard,
    Soft,
    Ignore,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Conflicts {
    Stop,
    NewestWins,
    KeepFirst,
    AppendSourceKey,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum MissingKey {
    #[default]
    Skip,
    Quarantine,
    Stop,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnGap {
    #[default]
    Stop,
    Resnapshot,
}

fn retention_seconds() -> u64 {
    24 * 3600
}

fn yes() -> bool {
    true
}

fn deleted_at() -> String {
    "deleted_at".to_owned()
}

fn batch_rows() -> usize {
    1000
}

fn patience_seconds() -> u64 {
    60
}

fn scan_segments() -> u32 {
    4
}
