//! Fields of the Data API: values on their way in, with hints of their types, and on their way out.

use super::bad_request;
use serde_json::{Map, Value, json};
use servicekit::fields::{required, text};
use sql::{ColumnShape, Dialect};
use wire::ServiceError;

/// How a caller wants numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    /// Decimals as doubles or longs instead of strings.
    pub decimals_as_numbers: bool,
    pub longs_as_strings: bool,
}

impl Wishes {
    pub fn of(input: &Value) -> Wishes {
        let options = &input["resultSetOptions"];
        Wishes {
            decimals_as_numbers: text(options, "decimalReturnType") == Some("DOUBLE_OR_LONG"),
            longs_as_strings: text(options, "longReturnType") == Some("STRING"),
        }
    }
}

/// A parameter's value, and the type that PostgreSQL is told it has.
pub(super) fn given(parameter: &Value) -> Result<(sql::Value, Option<&'static str>), ServiceError> {
    let name = required(parameter, "name");
    let no_field = || bad_request(format!("Parameter \"{name}\" has value with no field set"));
    let field = parameter.get("value").and_then(Value::as_object).ok_or_else(no_field)?;
    let (member, value) = field.iter().find(|(_, value)| !value.is_null()).ok_or_else(no_field)?;
    let hint = text(parameter, "typeHint");
    let of_hint = hint.map(|hint| match hint {
        "JSON" => "jsonb",
        "UUID" => "uuid",
        "TIMESTAMP" => "timestamp",
        "DATE" => "date",
        "TIME" => "time",
        _ => "numeric",
    });
    Ok(match (member.as_str(), value) {
        ("isNull", Value::Bool(true)) => (sql::Value::Null, of_hint),
        ("booleanValue", Value::Bool(yes)) => (sql::Value::Boolean(*yes), Some("boolean")),
        ("longValue", value) => (value.as_i64().map(sql::Value::Integer).ok_or_else(no_field)?, Some("int8")),
        ("doubleValue", value) => {
            (value.as_f64().map(sql::Value::Real).ok_or_else(no_field)?, Some("float8"))
        }
        ("stringValue", Value::String(text)) => (sql::Value::Text(text.clone()), of_hint),
        ("blobValue", Value::String(text)) => {
            let bytes = wire::base64::decode(text);
            (sql::Value::Bytes(bytes.map_err(|_| bad_request("blobValue is not base64"))?), Some("bytea"))
        }
        _ => return Err(no_field()),
    })
}

/// A column's value as exactly one member of a field.
pub(super) fn field(value: &sql::Value, column: &ColumnShape, wishes: Wishes) -> Result<Value, ServiceError> {
    Ok(match value {
        sql::Value::Null => json!({"isNull": true}),
        sql::Value::Boolean(yes) => json!({"booleanValue": yes}),
        sql::Value::Integer(number) if wishes.longs_as_strings => json!({"stringValue": number.to_string()}),
        sql::Value::Integer(number) => json!({"longValue": number}),
        sql::Value::Real(number) => json!({"doubleValue": number}),
        sql::Value::Numeric(text) => match number(text, wishes) {
            Some(number) if number.is_i64() => json!({"longValue": number}),
            Some(number) => json!({"doubleValue": number}),
            None => json!({"stringValue": text}),
        },
        sql::Value::Text(text) => json!({"stringValue": plain(text, column)}),
        sql::Value::Json(text) => json!({"stringValue": text}),
        sql::Value::Bytes(bytes) if is_bytes(column) => json!({"blobValue": wire::base64::encode(bytes)}),
        sql::Value::Bytes(_) => return Err(unsupported(column)),
        sql::Value::List(values) => json!({"arrayValue": array(values, column)?}),
    })
}

/// A column's value in a formatted record.
pub(super) fn formatted(
    value: &sql::Value,
    column: &ColumnShape,
    wishes: Wishes,
) -> Result<Value, ServiceError> {
    if let sql::Value::List(values) = value {
        return values.iter().map(|value| formatted(value, column, wishes)).collect();
    }
    let field = field(value, column, wishes)?;
    let only = field.as_object().and_then(|field| field.iter().next());
    Ok(match only {
        Some((member, value)) if member != "isNull" => value.clone(),
        _ => Value::Null,
    })
}

fn number(text: &str, wishes: Wishes) -> Option<Value> {
    if !wishes.decimals_as_numbers {
        return None;
    }
    match text.parse::<i64>() {
        Ok(whole) => Some(whole.into()),
        Err(_) => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
    }
}

/// Times with a zone are told in UTC, without saying so.
fn plain<'a>(text: &'a str, column: &ColumnShape) -> &'a str {
    if column.type_name == "timestamptz" { text.strip_suffix("+00").unwrap_or(text) } else { text }
}

fn is_bytes(column: &ColumnShape) -> bool {
    ["bytea", "_bytea", "blob", "binary", "varbinary", "bit"].contains(&column.type_name.as_str())
}

fn unsupported(column: &ColumnShape) -> ServiceError {
    let name = column.type_name.to_ascii_uppercase();
    ServiceError::new(
        "UnsupportedResultException",
        format!("The result contains the unsupported data type \"{name}\"."),
    )
}

/// One member, by the first element that is not null.
fn array(values: &[sql::Value], column: &ColumnShape) -> Result<Value, ServiceError> {
    let wishes = Wishes::default();
    let first = values.iter().find(|value| !value.is_null());
    let member = match first {
        Some(sql::Value::List(_)) => {
            let inner = values.iter().map(|value| match value {
                sql::Value::List(inner) => array(inner, column),
                _ => Ok(json!({})),
            });
            return Ok(json!({"arrayValues": inner.collect::<Result<Vec<_>, _>>()?}));
        }
        Some(sql::Value::Boolean(_)) => "booleanValues",
        Some(sql::Value::Integer(_)) => "longValues",
        Some(sql::Value::Real(_)) => "doubleValues",
        _ => "stringValues",
    };
    let plain = values.iter().map(|value| formatted(value, column, wishes));
    Ok(json!({member: plain.collect::<Result<Vec<_>, _>>()?}))
}

/// What a column is, in JDBC's terms.
pub(super) fn metadata(column: &ColumnShape, dialect: Dialect) -> Value {
    let name = column.type_name.trim_end_matches(" unsigned");
    let (code, told, precision, scale) = match (dialect, name) {
        (_, "bool") => (-7, "bool", 1, 0),
        (_, "tinyint(1)") => (-7, "BIT", 1, 0),
        (_, "bit") => (-7, "BIT", 1, 0),
        (_, "tinyint") => (-6, "TINYINT", 4, 0),
        (_, "int2") => (5, "int2", 5, 0),
        (_, "smallint" | "year") => (5, "SMALLINT", 6, 0),
        (_, "int4") => (4, "int4", 10, 0),
        (_, "mediumint") => (4, "MEDIUMINT", 9, 0),
        (_, "int") => (4, "INT", 11, 0),
        (_, "int8") => (-5, "int8", 19, 0),
        (_, "bigint") => (-5, "BIGINT", 20, 0),
        (_, "float4") => (7, "float4", 8, 8),
        (_, "float") => (7, "FLOAT", 12, 31),
        (_, "float8") => (8, "float8", 17, 17),
        (_, "double") => (8, "DOUBLE", 22, 31),
        (_, "numeric") => (2, "numeric", 0, 0),
        (_, "decimal") => (3, "DECIMAL", 65, 30),
        (Dialect::Postgres, "date") => (91, "date", 13, 0),
        (_, "date") => (91, "DATE", 10, 0),
        (Dialect::Postgres, "time" | "timetz") => (92, name, 15, 6),
        (_, "time") => (92, "TIME", 10, 0),
        (Dialect::Postgres, "timestamp" | "timestamptz") => (93, name, 29, 6),
        (_, "datetime") => (93, "DATETIME", 19, 0),
        (_, "timestamp") => (93, "TIMESTAMP", 19, 0),
        (_, "bytea") => (-2, "bytea", 2_147_483_647, 0),
        (_, "binary") => (-2, "BINARY", 255, 0),
        (_, "varbinary") => (-3, "VARBINARY", 65_535, 0),
        (_, "blob") => (-4, "BLOB", 65_535, 0),
        (Dialect::Postgres, "bpchar") => (1, "bpchar", 2_147_483_647, 0),
        (_, "char" | "enum" | "set") => (1, "CHAR", 255, 0),
        (Dialect::Postgres, "varchar" | "text" | "name") => (12, name, 2_147_483_647, 0),
        (_, "varchar") => (12, "VARCHAR", 255, 0),
        (_, "text") => (-1, "TEXT", 65_535, 0),
        (Dialect::Mysql, "json") => (-1, "JSON", 1_073_741_824, 0),
        (_, array) if array.starts_with('_') => (2003, array, 0, 0),
        (_, other) => (1111, other, 2_147_483_647, 0),
    };
    let is_signed = matches!(code, -6..=-5 | 2..=8) && !column.type_name.ends_with("unsigned");
    let is_text = matches!(code, -1 | 1 | 12 | 1111);
    json!({
        "name": column.name,
        "label": column.name,
        "type": code,
        "typeName": told,
        "schemaName": "",
        "tableName": "",
        "isAutoIncrement": false,
        "isSigned": is_signed,
        "isCurrency": false,
        "isCaseSensitive": is_text && dialect == Dialect::Postgres,
        "nullable": i64::from(column.nullable),
        "precision": precision,
        "scale": scale,
        "arrayBaseColumnType": 0,
    })
}

/// Rows as the text of a JSON array of objects.
pub(super) fn text_of(rows: &sql::Rows, wishes: Wishes) -> Result<String, ServiceError> {
    let mut records = Vec::with_capacity(rows.rows.len());
    for row in &rows.rows {
        let mut record = Map::new();
        for (value, column) in row.iter().zip(&rows.columns) {
            record.insert(column.name.clone(), formatted(value, column, wishes)?);
        }
        records.push(Value::Object(record));
    }
    Ok(Value::Array(records).to_string())
}
