//! From items to rows: which attribute becomes which column, of what type, under which key.

mod columns;
mod compile;
mod convert;
pub mod derive;
mod direct;
mod document;
mod items;
mod name;
mod path;
mod shape;
mod sheet;
mod spelt;

pub use compile::columns as file_columns;
pub use convert::{Fault, Made};
pub use direct::{Direct, Draft, Drafted, Key, Told};
pub use document::{plain, typed, typed_value};
pub use items::{KEY_BYTES_MAX, attribute_of};
pub use name::{ByKey, ItemName, Names, lane_hash};
pub use shape::{Items, Rows, Shape};
pub use sheet::SheetRow;

use crate::config::{Conflicts, Deletes, Form, MissingKey};
use model::Item;
use model::expression::{Bound, Condition};
use model::key::KeyType;
pub use path::Path;
use sql::{Cell, Cells, ColumnKind, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The key of the source's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySchema {
    pub attributes: Vec<(String, KeyType)>,
}

impl KeySchema {
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name.as_str())
    }

    /// The key of an item, alone.
    pub fn key_of(&self, item: &Item) -> Item {
        self.names().filter_map(|name| item.get(name).map(|value| (name.to_owned(), value.clone()))).collect()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from(b"0123456789abcdef"[usize::from(four & 15)]);
    let mut text = String::with_capacity(bytes.len() * 2);
    bytes.iter().for_each(|byte| text.extend([digit(byte >> 4), digit(*byte)]));
    text
}

/// How the target's keys follow from the source's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keying {
    /// By the source's key alone: an item's row never moves.
    Fixed,
    /// By the source's key and more: a row may move, but belongs to one item.
    Moving,
    /// By other attributes: several items may claim one row.
    Shared(Conflicts),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    pub from: From,
    /// For items that lack the attribute.
    pub default: Option<Value>,
}

/// What a mapping makes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    /// A row of a database.
    Rows,
    /// An item of another table: its columns are attributes.
    Items,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An attribute as it is: of items only.
    Same,
    Text,
    Varchar(u32),
    Numeric,
    Bigint,
    Double,
    Boolean,
    Bytes,
    /// JSON as people write it.
    Json,
    /// DynamoDB JSON.
    TypedJson,
}

#[derive(Clone, Debug, PartialEq)]
pub enum From {
    Attribute(Path),
    Constant(Value),
    /// All attributes without a column.
    Rest(Form),
    /// Set when an item is deleted, softly.
    DeletedAt,
}

/// What becomes of an attribute without a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    Ignored,
    /// In a document column.
    Document,
    /// They get columns as they come.
    Columns,
}

#[derive(Clone, Debug)]
pub struct Mapping {
    pub makes: Makes,
    pub table: String,
    pub columns: Vec<Column>,
    /// Names of the columns of the key.
    pub key: Vec<String>,
    pub keying: Keying,
    pub others: Others,
    pub drop: Vec<String>,
    pub deletes: Deletes,
    pub ttl_deletes: Deletes,
    pub deleted_at: String,
    pub missing_key: MissingKey,
    /// Whether the table is made, and given the columns that it lacks.
    pub create: bool,
    filter: Option<Bound<Condition>>,
    /// Attributes that have a column, or are dropped.
    taken: Vec<String>,
    key_at: Vec<usize>,
    /// Columns that the table did not take, and why.
    refused: BTreeMap<String, String>,
    /// By column: what the table's own holds, where that is less than the mapping says.
    bounds: BTreeMap<String, sql::Bound>,
}

impl Mapping {
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The key's values of a row.
    pub fn key_of(&self, row: &impl Cells) -> Vec<Value> {
        self.key_at.iter().map(|at| row.cell(*at).to_value()).collect()
    }

    /// An order of rows by key, which is near the order that databases keep them in.
    pub fn compare_keys(&self, one: &impl Cells, two: &impl Cells) -> Ordering {
        let of = |at: &usize| compare_cells(one.cell(*at), two.cell(*at));
        self.key_at.iter().map(of).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// What that order begins with.
    pub fn first_key<'r>(&self, row: &'r impl Cells) -> Cell<'r> {
        self.key_at.first().map_or(Cell::Null, |at| row.cell(*at))
    }

    pub fn soft(&self) -> bool {
        self.deletes == Deletes::Soft || self.ttl_deletes == Deletes::Soft
    }

    /// Whether rows may outlive their items as they are.
    pub fn ignores_deletes(&self) -> bool {
        self.deletes == Deletes::Ignore || self.ttl_deletes == Deletes::Ignore
    }
}

/// Of one column.
pub fn compare_cells(one: Cell<'_>, two: Cell<'_>) -> Ordering {
    match (one, two) {
        (Cell::Integer(one), Cell::Integer(two)) => one.cmp(&two),
        (Cell::Bytes(one), Cell::Bytes(two)) => one.cmp(two),
        // Longer numbers are greater, mostly; nothing depends on it.
        (Cell::Numeric(one), Cell::Numeric(two)) => (one.len(), one).cmp(&(two.len(), two)),
        (one, two) => one.as_text().cmp(&two.as_text()),
    }
}

impl Kind {
    pub fn column(self) -> ColumnKind {
        match self {
            Kind::Same | Kind::Text => ColumnKind::Text,
            Kind::Varchar(letters) => ColumnKind::Varchar(letters),
            Kind::Numeric => ColumnKind::Numeric,
            Kind::Bigint => ColumnKind::Bigint,
            Kind::Double => ColumnKind::Double,
            Kind::Boolean => ColumnKind::Boolean,
            Kind::Bytes => ColumnKind::Bytes,
            Kind::Json | Kind::TypedJson => ColumnKind::Json,
        }
    }

    pub fn parse(text: &str) -> Option<Kind> {
        if let Some(letters) = text.strip_prefix("varchar(").and_then(|rest| rest.strip_suffix(')')) {
            return letters.trim().parse().ok().filter(|letters| *letters > 0).map(Kind::Varchar);
        }
        Some(match text {
            "text" => Kind::Text,
            "numeric" => Kind::Numeric,
            "bigint" => Kind::Bigint,
            "double" => Kind::Double,
            "boolean" => Kind::Boolean,
            "bytes" => Kind::Bytes,
            "json" => Kind::Json,
            "typed_json" => Kind::TypedJson,
            _ => return None,
        })
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Kind::Varchar(letters) => write!(f, "varchar({letters})"),
            Kind::Same => f.write_str("as it is"),
            Kind::Text => f.write_str("text"),
            Kind::Numeric => f.write_str("numeric"),
            Kind::Bigint => f.write_str("bigint"),
            Kind::Double => f.write_str("double"),
            Kind::Boolean => f.write_str("boolean"),
            Kind::Bytes => f.write_str("bytes"),
            Kind::Json => f.write_str("json"),
            Kind::TypedJson => f.write_str("typed_json"),
        }
    }
}
