//! Comma-separated values, as RFC 4180 has them: the first row names the attributes.

use serde_json::{Map, Value, json};
use std::io::{BufRead, Read};

const ROW_BYTES_MAX: usize = 8 << 20;

/// Rows of fields.
pub struct Rows<R> {
    input: R,
    delimiter: u8,
    number: u64,
}

impl<R: BufRead> Rows<R> {
    pub fn new(input: R, delimiter: u8) -> Rows<R> {
        Rows { input, delimiter, number: 0 }
    }

    fn row(&mut self) -> Result<Option<Vec<String>>, String> {
        let mut row = Vec::new();
        self.number += 1;
        // A quoted field may go on in the next line.
        loop {
            let before = row.len();
            let line = self.input.by_ref().take(ROW_BYTES_MAX as u64 + 1).read_until(b'\n', &mut row);
            let read = line.map_err(|error| self.wrong(&error.to_string()))?;
            if read == 0 && before == 0 {
                return Ok(None);
            }
            if row.len() > ROW_BYTES_MAX {
                return Err(self.wrong("too long"));
            }
            let quotes = row.iter().filter(|byte| **byte == b'"').count();
            if quotes.is_multiple_of(2) {
                break;
            }
            if read == 0 {
                return Err(self.wrong("a quote is not closed"));
            }
        }
        let text = std::str::from_utf8(&row).map_err(|_| self.wrong("not UTF-8"))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        self.fields(text.strip_suffix('\r').unwrap_or(text)).map(Some)
    }

    fn fields(&self, text: &str) -> Result<Vec<String>, String> {
        let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
                '"' if quoted => quoted = false,
                '"' if field.is_empty() => quoted = true,
                '"' => return Err(self.wrong("a quote within a field that does not begin with one")),
                letter if !quoted && letter == char::from(self.delimiter) => {
                    fields.push(std::mem::take(&mut field));
                }
                letter => field.push(letter),
            }
        }
        fields.push(field);
        Ok(fields)
    }

    fn wrong(&self, why: &str) -> String {
        format!("row {}: {why}", self.number)
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Vec<String>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.row().transpose()
    }
}

/// An item: all attributes are strings, but for keys of tables and indexes, which have their types. An empty field is no
/// attribute.
/// `table`: its `AttributeDefinitions`.
pub fn item(header: &[String], row: Vec<String>, table: &Value) -> Result<Value, String> {
    if row.len() > header.len() {
        let (has, named) = (row.len(), header.len());
        return Err(format!("a row of {has} fields, of which {named} have names: {row:?}"));
    }
    let defined = |name: &str| {
        let mut all = table["AttributeDefinitions"].as_array().into_iter().flatten();
        all.find(|one| one["AttributeName"] == name).and_then(|one| one["AttributeType"].as_str())
    };
    let fields = header.iter().zip(row).filter(|(_, field)| !field.is_empty());
    let members: Map<String, Value> =
        fields.map(|(name, field)| (name.clone(), json!({ defined(name).unwrap_or("S"): field }))).collect();
    Ok(members.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        Rows::new(text.as_bytes(), b',').map(|row| row.expect("a row")).collect()
    }

    #[test]
    fn fields_may_be_quoted() {
        assert_eq!(
            rows("a,b\r\n1,\"x,\"\"y\"\"\nz\"\n,\n"),
            [vec!["a", "b"], vec!["1", "x,\"y\"\nz"], vec!["", ""]]
        );
        assert_eq!(
            Rows::new(&b"a;b"[..], b';').next().and_then(Result::ok),
            Some(vec!["a".into(), "b".into()])
        );
        for wrong in ["\"a", "a\"b\"", "a\"b\nc\"d"] {
            assert!(Rows::new(wrong.as_bytes(), b',').any(|row| row.is_err()), "{wrong}");
        }
    }

    #[test]
    fn keys_have_their_types_and_empty_fields_are_none() {
        let table = json!({ "AttributeDefinitions": [{ "AttributeName": "n", "AttributeType": "N" }] });
        let header: Vec<String> = ["n", "a", "b"].map(str::to_owned).into();
        let item =
            |row: &[&str]| item(&header, row.iter().map(|field| (*field).to_owned()).collect(), &table);
        assert_eq!(item(&["1", "2", ""]).ok(), Some(json!({ "n": { "N": "1" }, "a": { "S": "2" } })));
        assert!(item(&["1", "2", "3", "4"]).is_err());
    }
}
