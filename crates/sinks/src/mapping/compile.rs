//! From the file's words to a mapping, with what does not fit refused by name.

use super::{Column, From, KeySchema, Keying, Kind, Makes, Mapping, Others, Path};
use crate::config::{self, Conflicts, Form, Pipeline, Rest};
use crate::{Error, config::unknown};
use model::Number;
use model::expression::{Binder, Bound, Condition};
use sql::{NewTable, Value};
use std::sync::Arc;

impl Mapping {
    /// `columns` are the file's, or those that were derived.
    pub fn compile(
        pipeline: &Pipeline,
        source_table: &str,
        schema: &KeySchema,
        makes: Makes,
        mut columns: Vec<Column>,
    ) -> Result<Mapping, Error> {
        let refuse = |message: String| Err(Error::config(format!("pipeline '{}': {message}", pipeline.name)));
        let mut key = match &pipeline.key {
            Some(key) => {
                named_key_columns(key, schema, &mut columns);
                key.clone()
            }
            None => source_key_columns(schema, &mut columns),
        };
        let (most, unit) = if makes == Makes::Items { (2, "attributes") } else { (16, "columns") };
        if key.is_empty() || key.len() > most {
            return refuse(format!("key names 1 to {most} {unit}"));
        }
        if let Some((_, twice)) = key.iter().enumerate().find(|(at, name)| key[..*at].contains(name)) {
            return refuse(format!("key names {twice} twice"));
        }
        if pipeline.conflicts == Some(Conflicts::AppendSourceKey) {
            for name in source_key_columns(schema, &mut columns) {
                if !key.contains(&name) {
                    key.push(name);
                }
            }
            if key.len() > most {
                return refuse(format!(
                    "conflicts = \"append_source_key\" makes a key of {}: a table's key has at most {most} {unit}",
                    key.join(", ")
                ));
            }
        }
        if let Some(Rest::Column(rest)) = &pipeline.rest
            && columns.iter().any(|column| column.name == rest.column)
        {
            return refuse(format!(
                "rest: there is a column {} already: give rest = {{ column = \"another\" }}",
                rest.column
            ));
        }
        let others = match &pipeline.rest {
            None => Others::Ignored,
            Some(Rest::Word(word)) if word == "columns" => Others::Columns,
            Some(Rest::Word(_)) => Others::Ignored,
            Some(Rest::Column(rest)) => {
                let kind = match (makes, rest.form) {
                    (Makes::Items, Form::Typed) => Kind::Same,
                    (Makes::Items, Form::Plain) => {
                        return refuse("rest: form = \"plain\" is for databases".to_owned());
                    }
                    (Makes::Rows, Form::Typed) => Kind::TypedJson,
                    (Makes::Rows, Form::Plain) => Kind::Json,
                };
                let (name, from) = (rest.column.clone(), From::Rest(rest.form));
                columns.push(Column { name, kind, from, default: None });
                Others::Document
            }
        };
        let mut key_at = Vec::new();
        for name in &key {
            let names = columns.iter().map(|column| column.name.as_str());
            let Some(at) = columns.iter().position(|column| column.name == *name) else {
                return refuse(format!("key: {}", unknown(name, names)));
            };
            if !matches!(columns[at].from, From::Attribute(_) | From::Constant(_)) {
                return refuse(format!("key: {name} is no column of an attribute"));
            }
            if makes == Makes::Items && columns[at].kind == Kind::Same {
                columns[at].kind = key_kind(&columns[at], schema);
            }
            if matches!(columns[at].kind, Kind::Json | Kind::TypedJson | Kind::Double)
                || makes == Makes::Items && columns[at].kind == Kind::Boolean
            {
                return refuse(format!("key: {name} is of type {}, which no key has", columns[at].kind));
            }
            key_at.push(at);
        }
        let mut mapping = Mapping {
            makes,
            table: pipeline.table.clone().unwrap_or_else(|| source_table.to_owned()),
            taken: taken(&columns, &pipeline.drop),
            columns,
            key,
            keying: Keying::Fixed,
            others,
            drop: pipeline.drop.clone(),
            deletes: pipeline.deletes,
            ttl_deletes: pipeline.ttl_deletes.unwrap_or(pipeline.deletes),
            deleted_at: pipeline.deleted_at.clone(),
            missing_key: pipeline.missing_key,
            create: pipeline.create,
            filter: filter(pipeline)?,
            key_at,
            refused: Default::default(),
            bounds: Default::default(),
        };
        if mapping.soft() {
            if mapping.columns.iter().any(|column| column.name == mapping.deleted_at) {
                return refuse(format!(
                    "there is a column {} already: give deleted_at = \"another\"",
                    mapping.deleted_at
                ));
            }
            let (name, from) = (mapping.deleted_at.clone(), From::DeletedAt);
            mapping.columns.push(Column { name, kind: Kind::Text, from, default: None });
        }
        mapping.keying = mapping.keying_of(schema, pipeline)?;
        if matches!(mapping.keying, Keying::Shared(_)) && mapping.soft() {
            return refuse("soft deletes need a key that holds the source's key".to_owned());
        }
        Ok(mapping)
    }

    fn keying_of(&self, schema: &KeySchema, pipeline: &Pipeline) -> Result<Keying, Error> {
        let roots: Vec<&str> = self
            .key_at
            .iter()
            .filter_map(|at| match &self.columns[*at].from {
                From::Attribute(path) if !path.is_nested() => Some(path.root()),
                From::Attribute(_) => Some(""),
                _ => None,
            })
            .collect();
        let holds_source_key = schema.names().all(|name| roots.contains(&name));
        if holds_source_key {
            let only = roots.iter().all(|root| schema.names().any(|name| name == *root));
            return Ok(if only { Keying::Fixed } else { Keying::Moving });
        }
        match pipeline.conflicts {
            Some(conflicts) => Ok(Keying::Shared(conflicts)),
            None => Err(Error::config(format!(
                "pipeline '{}': several items may have the same {}: choose conflicts = \"stop\", \"newest_wins\", \"keep_first\" or \"append_source_key\"",
                pipeline.name,
                self.key.join(", ")
            ))),
        }
    }

    /// The table that the mapping fills.
    pub fn table(&self) -> NewTable {
        let columns = self.columns.iter().map(|column| sql::Column::new(&column.name, column.kind.column()));
        NewTable { name: self.table.clone(), columns: columns.collect(), key: self.key.clone() }
    }

    /// The mapping with more columns.
    pub fn with(&self, more: Vec<Column>) -> Mapping {
        let mut mapping = self.clone();
        mapping.columns.extend(more);
        mapping.taken = taken(&mapping.columns, &mapping.drop);
        mapping
    }
}

/// The columns that hold the source's key; made where they are missing.
fn source_key_columns(schema: &KeySchema, columns: &mut Vec<Column>) -> Vec<String> {
    let mut names = Vec::new();
    for (attribute, kind) in &schema.attributes {
        let path = Path::name(attribute);
        let of_it = |column: &&Column| matches!(&column.from, From::Attribute(from) if *from == path);
        match columns.iter().find(of_it) {
            Some(column) => names.push(column.name.clone()),
            None => {
                let kind = super::derive::of_key(*kind);
                let column =
                    Column { name: attribute.clone(), kind, from: From::Attribute(path), default: None };
                columns.insert(names.len(), column);
                names.push(attribute.clone());
            }
        }
    }
    names
}

/// Columns for attributes of the source's key that the target's key names and the file does not.
fn named_key_columns(key: &[String], schema: &KeySchema, columns: &mut Vec<Column>) {
    for (attribute, kind) in &schema.attributes {
        if key.contains(attribute) && !columns.iter().any(|column| column.name == *attribute) {
            columns.push(super::derive::column(attribute, super::derive::of_key(*kind)));
        }
    }
}

fn taken(columns: &[Column], drop: &[String]) -> Vec<String> {
    let of = |column: &Column| match &column.from {
        From::Attribute(path) if !path.is_nested() => Some(path.root().to_owned()),
        _ => None,
    };
    let mut taken: Vec<String> = columns.iter().filter_map(of).chain(drop.iter().cloned()).collect();
    taken.sort();
    taken
}

/// The type of a table's key, where the file does not say it: the source's, or text.
fn key_kind(column: &Column, schema: &KeySchema) -> Kind {
    if let From::Constant(Value::Numeric(_)) = column.from {
        return Kind::Numeric;
    }
    let of = |(name, _): &&(String, model::key::KeyType)| column.from == From::Attribute(Path::name(name));
    schema.attributes.iter().find(of).map_or(Kind::Text, |(_, kind)| super::derive::of_key(*kind))
}

/// The file's columns.
pub fn columns(pipeline: &Pipeline, makes: Makes) -> Result<Option<Vec<Column>>, Error> {
    let Some(columns) = &pipeline.columns else { return Ok(None) };
    let mut all = Vec::new();
    for (name, column) in columns {
        let of = |message| Error::config(format!("pipeline '{}': column {name}: {message}", pipeline.name));
        all.push(column_of(name, column, makes).map_err(of)?);
    }
    Ok(Some(all))
}

fn column_of(name: &str, column: &config::Column, makes: Makes) -> Result<Column, String> {
    let kind = match (column.kind.as_deref(), makes) {
        (None, Makes::Rows) => Kind::Text,
        (None, Makes::Items) => Kind::Same,
        (Some(text), Makes::Rows) => Kind::parse(text).ok_or_else(|| {
            format!(
                "type = \"{text}\": text, varchar(N), numeric, bigint, double, boolean, bytes, json or typed_json"
            )
        })?,
        (Some(text), Makes::Items) => Kind::parse(text)
            .filter(|kind| matches!(kind, Kind::Text | Kind::Numeric | Kind::Boolean | Kind::Bytes))
            .ok_or_else(|| {
                format!("type = \"{text}\": text, numeric, boolean or bytes; without a type it stays as it is")
            })?,
    };
    let from = match (&column.from, &column.constant) {
        (Some(_), Some(_)) => return Err("from or constant, not both".to_owned()),
        (None, Some(constant)) => From::Constant(literal(constant, kind)?),
        (from, None) => {
            let from = from.as_deref().unwrap_or(name);
            From::Attribute(Path::parse(from).ok_or_else(|| format!("from = '{from}' is no path: a.b[0]"))?)
        }
    };
    let default = column.default.as_ref().map(|default| literal(default, kind)).transpose()?;
    Ok(Column { name: name.to_owned(), kind, from, default })
}

/// A value of the file for a column.
fn literal(value: &toml::Value, kind: Kind) -> Result<Value, String> {
    let wrong = || format!("{} is no {kind}", shown(value));
    Ok(match (kind, value) {
        (Kind::Same | Kind::Text | Kind::Varchar(_), toml::Value::String(text)) => {
            if let Kind::Varchar(letters) = kind
                && text.chars().count() > letters as usize
            {
                return Err(format!("\"{text}\" is longer than {kind}"));
            }
            Value::Text(text.clone())
        }
        (Kind::Same | Kind::Numeric, toml::Value::Integer(number)) => Value::Numeric(number.to_string()),
        (Kind::Same | Kind::Numeric, toml::Value::Float(number)) => {
            Value::Numeric(Number::parse(&number.to_string()).map_err(|_| wrong())?.to_string())
        }
        (Kind::Numeric, toml::Value::String(text)) => {
            Value::Numeric(Number::parse(text).map_err(|_| wrong())?.to_string())
        }
        (Kind::Bigint, toml::Value::Integer(number)) => Value::Integer(*number),
        (Kind::Double, toml::Value::Float(number)) if number.is_finite() => Value::Real(*number),
        (Kind::Double, toml::Value::Integer(number)) => Value::Real(*number as f64),
        (Kind::Same | Kind::Boolean, toml::Value::Boolean(yes)) => Value::Boolean(*yes),
        (Kind::Json | Kind::TypedJson, toml::Value::String(text)) => {
            serde_json::from_str::<serde_json::Value>(text).map_err(|_| wrong())?;
            Value::Json(text.clone())
        }
        _ => return Err(wrong()),
    })
}

fn filter(pipeline: &Pipeline) -> Result<Option<Bound<Condition>>, Error> {
    let told = |message: String| Error::config(format!("pipeline '{}': filter: {message}", pipeline.name));
    let Some(text) = &pipeline.filter else {
        if pipeline.filter_names.is_empty() && pipeline.filter_values.is_empty() {
            return Ok(None);
        }
        return Err(told("filter_names and filter_values need a filter".to_owned()));
    };
    let mut values = Vec::new();
    for (name, value) in &pipeline.filter_values {
        values.push((name.clone(), attribute(value).map_err(told)?));
    }
    let names: Vec<_> = pipeline.filter_names.clone().into_iter().collect();
    let compiled = Condition::compile_filter(text).map_err(|error| told(error.to_string()))?;
    let mut binder =
        Binder::new((!names.is_empty()).then_some(names), (!values.is_empty()).then_some(values))
            .map_err(|error| told(error.to_string()))?;
    let bound = binder.bind(&Arc::new(compiled)).map_err(|error| told(error.to_string()))?;
    binder.finish().map_err(|error| told(error.to_string()))?;
    Ok(Some(bound))
}

fn attribute(value: &toml::Value) -> Result<model::Value, String> {
    Ok(match value {
        toml::Value::String(text) => model::Value::S(text.clone()),
        toml::Value::Integer(number) => model::Value::N(Number::from(*number)),
        toml::Value::Float(number) => {
            model::Value::N(Number::parse(&number.to_string()).map_err(|error| error.to_string())?)
        }
        toml::Value::Boolean(yes) => model::Value::Bool(*yes),
        other => return Err(format!("{} is no string, number or boolean", shown(other))),
    })
}

fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("\"{text}\""),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(yes) => yes.to_string(),
        other => format!("this {}", other.type_str()),
    }
}
