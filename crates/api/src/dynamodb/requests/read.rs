//! How typed requests are read: members become what they are for without a tree between.

use crate::dynamodb::attributes::{Attribute, Attributes, Entries, Text};
use model::{Item, Value};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny};
use std::borrow::Cow;

/// `#name` placeholders and what they stand for.
pub type Names = Vec<(String, String)>;
/// `:value` placeholders and what they stand for.
pub type Values = Vec<(String, Value)>;

/// Closed choices: their wire words, and reading them.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($variant),+ }

        impl $name {
            pub fn parse(word: &str) -> Option<$name> {
                match word {
                    $($word => Some($name::$variant),)+
                    _ => None,
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let Text(word) = Text::deserialize(deserializer)?;
                $name::parse(&word).ok_or_else(|| D::Error::custom("unknown choice"))
            }
        }

        impl<'de> Part<'de> for $name {
            type Read = $name;
            fn from_read(read: $name) -> $name {
                read
            }
        }
    };
}

/// A type that members have, and the reading of it.
pub(super) trait Part<'de>: Sized {
    type Read: Deserialize<'de>;
    fn from_read(read: Self::Read) -> Self;
    /// What an absent member is; none for one that is required.
    fn absent() -> Option<Self> {
        None
    }
}

macro_rules! parts {
    ($($part:ty = $read:ty, $convert:expr $(, $absent:expr)?;)+) => {
        $(impl<'de> Part<'de> for $part {
            type Read = $read;
            fn from_read(read: $read) -> $part {
                #[allow(clippy::redundant_closure_call, reason = "the macro's arguments are closures")]
                $convert(read)
            }
            $(fn absent() -> Option<$part> {
                Some($absent)
            })?
        })+
    };
}

parts! {
    Cow<'de, str> = Text<'de>, |read: Text<'de>| read.0;
    Item = Attributes, |read: Attributes| read.0;
    u32 = u32, |read| read;
    bool = bool, |read| read, false;
    Names = Entries<'de, String>, |read: Entries<'de, String>| owned(read.0, |name| name);
    Values = Entries<'de, Attribute>, |read: Entries<'de, Attribute>| owned(read.0, |value| value.0);
}

fn owned<V, W>(entries: Vec<(Cow<'_, str>, V)>, convert: impl Fn(V) -> W) -> Vec<(String, W)> {
    entries.into_iter().map(|(name, value)| (name.into_owned(), convert(value))).collect()
}

impl<'de, P: Part<'de>> Part<'de> for Option<P> {
    type Read = Option<P::Read>;
    fn from_read(read: Self::Read) -> Self {
        read.map(P::from_read)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<'de, P: Part<'de>> Part<'de> for Vec<P> {
    type Read = Vec<P::Read>;
    fn from_read(read: Self::Read) -> Self {
        read.into_iter().map(P::from_read).collect()
    }
}

/// The entries of a map by table name.
impl<'de, P: Part<'de>> Part<'de> for Vec<(Cow<'de, str>, P)> {
    type Read = Entries<'de, P::Read>;
    fn from_read(read: Self::Read) -> Self {
        read.0.into_iter().map(|(name, read)| (name, P::from_read(read))).collect()
    }
}

/// Refuses a member that only the other path understands.
pub(super) struct Absent;

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<IgnoredAny>::deserialize(deserializer)? {
            None => Ok(Absent),
            Some(_) => Err(D::Error::custom("legacy")),
        }
    }
}

macro_rules! request {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $member:literal $field:ident: $type:ty,)+ } refuses [$($refused:literal),*] check $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name<'de> {
            $($(#[$field_doc])* pub $field: $type,)+
            /// Text of the request may be borrowed.
            pub borrows: std::marker::PhantomData<&'de ()>,
        }

        impl<'de> $name<'de> {
            /// Reads a request; none when it is for the other path.
            pub fn read(body: &'de [u8]) -> Option<$name<'de>> {
                // Checked whole and once: members that are skipped must be text too.
                serde_json::from_str(std::str::from_utf8(body).ok()?).ok()
            }
        }

        impl<'de> Deserialize<'de> for $name<'de> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;
                impl<'de> Visitor<'de> for Reader {
                    type Value = $name<'de>;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a structure")
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name<'de>, A::Error> {
                        $(let mut $field: Option<$type> = None;)+
                        while let Some(Text(member)) = map.next_key()? {
                            match &*member {
                                $($member => {
                                    // A null counts as absent.
                                    let read: Option<<$type as Part<'de>>::Read> = map.next_value()?;
                                    if let Some(read) = read && $field.replace(<$type as Part<'de>>::from_read(read)).is_some() {
                                        return Err(A::Error::custom("repeated"));
                                    }
                                })+
                                $($refused => { let Absent = map.next_value()?; })*
                                _ => { let IgnoredAny = map.next_value()?; }
                            }
                        }
                        let request = $name {
                            $($field: match $field.or_else(<$type as Part<'de>>::absent) {
                                Some(field) => field,
                                None => return Err(A::Error::missing_field($member)),
                            },)+
                            borrows: std::marker::PhantomData,
                        };
                        let check: fn(&$name<'de>) -> bool = $check;
                        if check(&request) { Ok(request) } else { Err(A::Error::custom("out of bounds")) }
                    }
                }
                deserializer.deserialize_map(Reader)
            }
        }

        impl<'de> Part<'de> for $name<'de> {
            type Read = $name<'de>;
            fn from_read(read: $name<'de>) -> $name<'de> {
                read
            }
        }
    };
}

pub(super) use {choice, request};
