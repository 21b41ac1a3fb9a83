//! Primary keys: checked once, then bytes.

use crate::{Error, KeyPart, KeySchema, layout};
use model::image::Writer;
use model::{CorruptImage, Item, ValueView, View};

/// What AWS counts of a key attribute at most.
const HASH_BYTES_MAX: usize = 2048;
pub(crate) const RANGE_BYTES_MAX: usize = 1024;

/// The primary key of an item: checked against its table's schema, and encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key attributes, no others.
    pub(crate) item: Item,
    pub(crate) place: Place,
}

/// Where an item lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its key in [`store::Space::Items`].
    pub stored: Vec<u8>,
    pub partition: u32,
}

impl Key {
    pub fn item(&self) -> &Item {
        &self.item
    }

    /// The key that a request names: the key attributes and nothing else.
    pub(crate) fn of_request(id: u64, schema: &KeySchema, key: View<'_>) -> Result<Key, Error> {
        Ok(Key { place: Place::of_request(id, schema, key)?, item: key.to_item()? })
    }

    /// The same, without a copy.
    pub(crate) fn of_own(id: u64, schema: &KeySchema, item: Item) -> Result<Key, Error> {
        Ok(Key { place: Place::of_request(id, schema, item.view())?, item })
    }

    /// The key that is part of an item.
    pub(crate) fn of_item(id: u64, schema: &KeySchema, item: View<'_>) -> Result<Key, Error> {
        let place = Place::of_item(id, schema, item)?;
        let parts = schema.parts().map(|part| {
            let value = item.get(&part.name)?.ok_or_else(|| Error::validation(MISMATCH))?;
            Ok((part.name.to_string(), value.to_value()?))
        });
        Ok(Key { item: parts.collect::<Result<Item, Error>>()?, place })
    }
}

pub(crate) const MISMATCH: &str = "The provided key element does not match the schema";

impl Place {
    fn of_request(id: u64, schema: &KeySchema, key: View<'_>) -> Result<Place, Error> {
        if key.len() != schema.parts().count() {
            return Err(Error::validation(MISMATCH));
        }
        Place::find(id, schema, key, |_, _| Error::validation(MISMATCH))
    }

    /// Where an item to be put lies.
    pub fn of_item(id: u64, schema: &KeySchema, item: View<'_>) -> Result<Place, Error> {
        Place::find(id, schema, item, |part, found| match found {
            None => Error::parameter(format_args!("Missing the key {} in the item", part.name)),
            Some(found) => Error::parameter(format_args!(
                "Type mismatch for key {} expected: {} actual: {}",
                part.name,
                part.kind,
                found.kind()
            )),
        })
    }

    fn find(
        id: u64,
        schema: &KeySchema,
        item: View<'_>,
        misfit: impl Fn(&KeyPart, Option<ValueView<'_>>) -> Error,
    ) -> Result<Place, Error> {
        let fetch = |part: &KeyPart, out: &mut Vec<u8>| -> Result<(), Error> {
            let value = item.get(&part.name)?;
            let Some(value) = value else { return Err(misfit(part, None)) };
            if layout::part(part.kind, value, out).is_err() {
                return Err(misfit(part, Some(value)));
            }
            check_empty(part, value)
        };
        let [hash] = &*schema.hash else { return Err(Error::internal("a table has one hash key")) };
        let mut bytes = Vec::with_capacity(64);
        fetch(hash, &mut bytes)?;
        let mut stored = Vec::with_capacity(layout::HEAD_LEN + bytes.len() + 32);
        let partition = layout::head(id, &bytes, item.get(&hash.name)?.into_iter(), &mut stored);
        if let Some(range) = schema.range.first() {
            fetch(range, &mut stored)?;
        }
        // Encoded, a key is no shorter: most need no measuring.
        if stored.len() > RANGE_BYTES_MAX {
            check_lengths(schema, item)?;
        }
        Ok(Place { stored, partition })
    }
}

pub(crate) fn check_empty(part: &KeyPart, value: ValueView<'_>) -> Result<(), Error> {
    let kind = match value {
        ValueView::S("") => "string",
        ValueView::B([]) => "binary",
        _ => return Ok(()),
    };
    Err(Error::validation(format!(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {}",
        part.name
    )))
}

/// Refuses key values that are longer than keys may be.
pub(crate) fn check_lengths(schema: &KeySchema, item: View<'_>) -> Result<(), Error> {
    let sum = |parts: &[KeyPart]| -> Result<usize, Error> {
        let mut sum = 0;
        for part in parts {
            sum += match item.get(&part.name)? {
                Some(value) => value.size_bytes()?,
                None => 0,
            };
        }
        Ok(sum)
    };
    if sum(&schema.hash)? > HASH_BYTES_MAX {
        // The missing space is the service's.
        return Err(Error::parameter(format_args!(
            "Size of hashkey has exceeded the maximum size limit of{HASH_BYTES_MAX} bytes"
        )));
    }
    if sum(&schema.range)? > RANGE_BYTES_MAX {
        return Err(Error::parameter(format_args!(
            "Aggregated size of all range keys has exceeded the size limit of {RANGE_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}

/// The image of some attributes of an item; `names` are sorted and distinct.
pub(crate) fn subset<'n>(
    item: View<'_>,
    names: impl Iterator<Item = &'n str>,
    out: &mut Vec<u8>,
) -> Result<(), CorruptImage> {
    let mut names = names.peekable();
    let mut writer = Writer::new(out);
    for attribute in item.iter() {
        let (name, value) = attribute?;
        while names.next_if(|wanted| *wanted < name).is_some() {}
        if names.next_if(|wanted| *wanted == name).is_some() {
            writer.attribute(name, value)?;
        }
        if names.peek().is_none() {
            break;
        }
    }
    writer.finish();
    Ok(())
}
