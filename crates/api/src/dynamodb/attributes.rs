//! Attribute values from JSON tokens, without a tree between.

use model::{DEPTH_MAX, Item, Number, Value};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The longest name of an attribute.
const NAME_BYTES_MAX: usize = 65_535;

/// A string that borrows where it has no escapes.
pub struct Text<'a>(pub Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// An item, a key, or a map of values by placeholder.
pub struct Attributes(pub Item);

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        MapSeed { depth: 0 }.deserialize(deserializer).map(Attributes)
    }
}

/// One value.
pub struct Attribute(pub Value);

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueSeed { depth: 0 }.deserialize(deserializer).map(Attribute)
    }
}

/// The entries of a map in the order they came.
pub(super) struct Entries<'a, V>(pub Vec<(Cow<'a, str>, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<'de, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Reader<V> {
            type Value = Entries<'de, V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries: Vec<(Cow<'de, str>, V)> = Vec::new();
                while let Some(Text(name)) = map.next_key()? {
                    // The last of two equal names would win: rare enough for the other path.
                    if entries.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("repeated"));
                    }
                    entries.push((name, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reader(std::marker::PhantomData))
    }
}

struct MapSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for MapSeed {
    type Value = Item;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MapSeed {
    type Value = Item;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of attribute values")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let mut item = Item::new();
        while let Some(name) = map.next_key::<String>()? {
            if name.len() > NAME_BYTES_MAX || (name.is_empty() && self.depth == 0) {
                return Err(A::Error::custom("no name for an attribute"));
            }
            item.insert(name, map.next_value_seed(ValueSeed { depth: self.depth })?);
        }
        Ok(item)
    }
}

struct ValueSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        if self.depth > DEPTH_MAX {
            return Err(A::Error::custom("nested too deeply"));
        }
        let Some(Text(descriptor)) = map.next_key()? else {
            return Err(A::Error::custom("empty"));
        };
        let value = match &*descriptor {
            "S" => Value::S(map.next_value()?),
            "N" => Value::N(map.next_value::<Decimal>()?.0),
            "B" => Value::B(map.next_value::<Binary>()?.0),
            "BOOL" => Value::Bool(map.next_value()?),
            "NULL" => match map.next_value()? {
                true => Value::Null,
                false => return Err(A::Error::custom("NULL is not true")),
            },
            "L" => Value::L(map.next_value_seed(ListSeed { depth: self.depth + 1 })?),
            "M" => Value::M(map.next_value_seed(MapSeed { depth: self.depth + 1 })?),
            "SS" => set(Value::string_set(map.next_value()?))?,
            "NS" => {
                let numbers: Vec<Decimal> = map.next_value()?;
                set(Value::number_set(numbers.into_iter().map(|number| number.0).collect()))?
            }
            "BS" => {
                let binaries: Vec<Binary> = map.next_value()?;
                set(Value::binary_set(binaries.into_iter().map(|binary| binary.0).collect()))?
            }
            _ => return Err(A::Error::custom("unknown type")),
        };
        // Whatever else is there (a second type, a null, an unknown member) is for the other path to judge.
        match map.next_key::<Text<'de>>()? {
            None => Ok(value),
            Some(_) => Err(A::Error::custom("more than one type")),
        }
    }
}

fn set<E: Error>(result: Result<Value, model::SetFault>) -> Result<Value, E> {
    result.map_err(|_| E::custom("not a set"))
}

struct ListSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ListSeed {
    type Value = Vec<Value>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Value>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListSeed {
    type Value = Vec<Value>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of attribute values")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Value>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(ValueSeed { depth: self.depth })? {
            values.push(value);
        }
        Ok(values)
    }
}

struct Decimal(Number);

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        Number::parse(&text).map(Decimal).map_err(D::Error::custom)
    }
}

struct Binary(Vec<u8>);

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        wire::base64::decode(&text).map(Binary).map_err(|_| D::Error::custom("not base64"))
    }
}
