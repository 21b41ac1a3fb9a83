//! Values on their way from PostgreSQL, which sends them in binary.

use super::numeric;
use super::time;
use crate::Value;
use postgres::types::{FromSql, Kind, Type};
use std::error::Error as AnyError;

/// One value of a row, or none.
pub(super) struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Raw<'a>, Box<dyn AnyError + Sync + Send>> {
        Ok(Raw(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Raw<'a>, Box<dyn AnyError + Sync + Send>> {
        Ok(Raw(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Raw<'_> {
    pub fn value(&self, ty: &Type) -> Value {
        match self.0 {
            None => Value::Null,
            Some(bytes) => decode(ty, bytes).unwrap_or_else(|| Value::Bytes(bytes.to_vec())),
        }
    }
}

/// None: the type has no meaning here, and its bytes stay bytes.
fn decode(ty: &Type, bytes: &[u8]) -> Option<Value> {
    match ty.kind() {
        Kind::Array(element) => return array(element, bytes),
        Kind::Domain(base) => return decode(base, bytes),
        Kind::Enum(_) => return text(bytes),
        _ => {}
    }
    Some(match *ty {
        Type::BOOL => Value::Boolean(*bytes.first()? != 0),
        Type::INT2 => Value::Integer(i64::from(i16::from_be_bytes(bytes.try_into().ok()?))),
        Type::INT4 => Value::Integer(i64::from(i32::from_be_bytes(bytes.try_into().ok()?))),
        Type::OID => Value::Integer(i64::from(u32::from_be_bytes(bytes.try_into().ok()?))),
        Type::INT8 => Value::Integer(i64::from_be_bytes(bytes.try_into().ok()?)),
        // By its shortest spelling, so that 0.1 stays 0.1.
        Type::FLOAT4 => Value::Real(f32::from_be_bytes(bytes.try_into().ok()?).to_string().parse().ok()?),
        Type::FLOAT8 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        Type::NUMERIC => Value::Numeric(numeric::decode(bytes)?),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::CHAR | Type::XML => {
            return text(bytes);
        }
        Type::BYTEA => Value::Bytes(bytes.to_vec()),
        Type::JSON => Value::Json(std::str::from_utf8(bytes).ok()?.to_owned()),
        // A version stands before the text.
        Type::JSONB => Value::Json(std::str::from_utf8(bytes.get(1..)?).ok()?.to_owned()),
        Type::DATE => Value::Text(time::date(i32::from_be_bytes(bytes.try_into().ok()?))),
        Type::TIME => Value::Text(time::time(i64::from_be_bytes(bytes.try_into().ok()?))),
        Type::TIMETZ => Value::Text(time::time_with_zone(bytes)?),
        Type::TIMESTAMP => Value::Text(time::timestamp(i64::from_be_bytes(bytes.try_into().ok()?), "")),
        Type::TIMESTAMPTZ => Value::Text(time::timestamp(i64::from_be_bytes(bytes.try_into().ok()?), "+00")),
        Type::INTERVAL => Value::Text(time::interval(bytes)?),
        Type::UUID => Value::Text(uuid(bytes)?),
        Type::INET | Type::CIDR => Value::Text(address(bytes, *ty == Type::CIDR)?),
        Type::VOID => Value::Text(String::new()),
        // Types of extensions that are text: citext and the like.
        _ if matches!(ty.name(), "citext" | "ltree") => return text(bytes),
        _ => return None,
    })
}

fn text(bytes: &[u8]) -> Option<Value> {
    Some(Value::Text(std::str::from_utf8(bytes).ok()?.to_owned()))
}

fn uuid(bytes: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| &digits[from..to];
    Some([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}

fn address(bytes: &[u8], is_network: bool) -> Option<String> {
    let (bits, parts) = (*bytes.get(1)?, bytes.get(4..)?);
    let (text, all) = match parts.len() {
        4 => (std::net::Ipv4Addr::from(<[u8; 4]>::try_from(parts).ok()?).to_string(), 32),
        _ => (std::net::Ipv6Addr::from(<[u8; 16]>::try_from(parts).ok()?).to_string(), 128),
    };
    Some(if bits == all && !is_network { text } else { format!("{text}/{bits}") })
}

/// Dimensions, a flag, the element's type; each dimension's length and start; then the elements.
fn array(element: &Type, bytes: &[u8]) -> Option<Value> {
    let word = |at: usize| Some(i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let dimensions = usize::try_from(word(0)?).ok().filter(|count| *count <= 6)?;
    let mut lengths = Vec::with_capacity(dimensions);
    for dimension in 0..dimensions {
        lengths.push(usize::try_from(word(12 + dimension * 8)?).ok()?);
    }
    if dimensions == 0 {
        return Some(Value::List(Vec::new()));
    }
    let mut rest = bytes.get(12 + dimensions * 8..)?;
    nested(element, &lengths, &mut rest)
}

fn nested(element: &Type, lengths: &[usize], rest: &mut &[u8]) -> Option<Value> {
    let Some((length, inner)) = lengths.split_first() else {
        let (size, after) = rest.split_first_chunk::<4>()?;
        *rest = after;
        let Ok(size) = usize::try_from(i32::from_be_bytes(*size)) else { return Some(Value::Null) };
        let (bytes, after) = rest.split_at_checked(size)?;
        *rest = after;
        return decode(element, bytes);
    };
    let mut values = Vec::new();
    for _ in 0..*length {
        values.push(nested(element, inner, rest)?);
    }
    Some(Value::List(values))
}
