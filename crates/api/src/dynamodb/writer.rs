//! Items as DynamoDB JSON, appended to bytes without a tree between.

use super::quoted::{self, string};
use model::{CorruptImage, Number, Scalar, Type, ValueView, View, Visitor};
use std::io::Write as _;

/// Appends `{"name":{"S":"…"}, …}`.
pub fn item(item: View<'_>, out: &mut Vec<u8>) -> Result<(), CorruptImage> {
    out.push(b'{');
    item.visit(&mut Json(out))?;
    out.push(b'}');
    Ok(())
}

/// Appends one attribute value: `{"S":"…"}`.
pub fn value(value: ValueView<'_>, out: &mut Vec<u8>) -> Result<(), CorruptImage> {
    value.visit(&mut Json(out))
}

struct Json<'a>(&'a mut Vec<u8>);

impl Json<'_> {
    fn put<const N: usize>(&mut self, words: &[u8; N]) {
        self.0.extend_from_slice(words);
    }

    /// `descriptor`: with the brace and the colon.
    fn quoted<const N: usize>(
        &mut self,
        descriptor: &[u8; N],
        in_set: bool,
        content: impl FnOnce(&mut Vec<u8>) -> Result<(), CorruptImage>,
    ) -> Result<(), CorruptImage> {
        if in_set {
            return content(self.0);
        }
        self.put(descriptor);
        content(self.0)?;
        self.0.push(b'}');
        Ok(())
    }
}

impl Visitor for Json<'_> {
    fn name(&mut self, name: &[u8], is_first: bool) -> Result<(), CorruptImage> {
        self.element(is_first);
        quoted::bytes(name, self.0)?;
        self.0.push(b':');
        Ok(())
    }

    fn element(&mut self, is_first: bool) {
        if !is_first {
            self.0.push(b',');
        }
    }

    fn scalar(&mut self, scalar: Scalar<'_>, in_set: bool) -> Result<(), CorruptImage> {
        match scalar {
            Scalar::S(text) => self.quoted(b"{\"S\":", in_set, |out| quoted::bytes(text, out)),
            Scalar::N(number) => self.quoted(b"{\"N\":", in_set, |out| {
                out.push(b'"');
                out.extend_from_slice(number.text(&mut [0; Number::TEXT_MAX]).as_bytes());
                out.push(b'"');
                Ok(())
            }),
            Scalar::B(bytes) => self.quoted(b"{\"B\":", in_set, |out| {
                out.push(b'"');
                wire::base64::encode_into(bytes, out);
                out.push(b'"');
                Ok(())
            }),
            Scalar::Bool(true) => {
                self.put(b"{\"BOOL\":true}");
                Ok(())
            }
            Scalar::Bool(false) => {
                self.put(b"{\"BOOL\":false}");
                Ok(())
            }
            Scalar::Null => {
                self.put(b"{\"NULL\":true}");
                Ok(())
            }
        }
    }

    fn open(&mut self, kind: Type) {
        match kind {
            Type::L => self.put(b"{\"L\":["),
            Type::M => self.put(b"{\"M\":{"),
            Type::Ss => self.put(b"{\"SS\":["),
            Type::Ns => self.put(b"{\"NS\":["),
            _ => self.put(b"{\"BS\":["),
        }
    }

    fn close(&mut self, kind: Type) {
        self.put(if kind == Type::M { b"}}" } else { b"]}" });
    }
}

/// A JSON object being appended member by member.
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object { out, first: true }
    }

    /// Starts a member; its value is for the caller to append.
    pub fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        string(name, self.out);
        self.out.push(b':');
        self.out
    }

    pub fn item(&mut self, name: &str, view: View<'_>) -> Result<(), CorruptImage> {
        item(view, self.member(name))
    }

    pub fn string(&mut self, name: &str, text: &str) {
        string(text, self.member(name));
    }

    pub fn number(&mut self, name: &str, number: impl std::fmt::Display) {
        // Writing to a Vec cannot fail.
        let _ = write!(self.member(name), "{number}");
    }

    pub fn json(&mut self, name: &str, tree: &serde_json::Value) {
        let _ = serde_json::to_writer(self.member(name), tree);
    }

    pub fn end(self) {
        self.out.push(b'}');
    }
}
