//! Keys and the attributes they are made of.

use super::damaged;
use crate::{Error, KeyPart, KeySchema};
use model::key::KeyType;
use serde::{Deserialize, Serialize};

/// Name and type.
pub(super) type Part = (String, String);

#[derive(Serialize, Deserialize)]
pub(crate) struct Keys {
    hash: Vec<Part>,
    range: Vec<Part>,
}

impl Keys {
    pub fn of(schema: &KeySchema) -> Keys {
        Keys { hash: parts(&schema.hash), range: parts(&schema.range) }
    }

    pub fn read(self) -> Result<KeySchema, Error> {
        Ok(KeySchema { hash: read_parts(self.hash)?, range: read_parts(self.range)? })
    }
}

pub(super) fn parts(parts: &[KeyPart]) -> Vec<Part> {
    parts.iter().map(|part| (part.name.to_string(), part.kind.as_str().to_owned())).collect()
}

pub(crate) fn read_parts(parts: Vec<Part>) -> Result<Vec<KeyPart>, Error> {
    let read = |(name, kind): Part| {
        let kind = KeyType::parse(&kind).ok_or_else(|| damaged("a key attribute's type"))?;
        Ok(KeyPart { name: name.into(), kind })
    };
    parts.into_iter().map(read).collect()
}
