//! The MD5 sums that clients compare with their own.

use super::message::Attribute;
use md5::{Digest, Md5};
use std::collections::BTreeMap;

pub(crate) fn of_body(body: &str) -> String {
    hex(Md5::digest(body.as_bytes()).as_slice())
}

/// The sum of attributes, in the order of their names; nothing where there are none.
pub(crate) fn of_attributes(attributes: &BTreeMap<String, Attribute>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut summed = Vec::new();
    for (name, attribute) in attributes {
        part(&mut summed, name.as_bytes());
        part(&mut summed, attribute.data_type.as_bytes());
        match &attribute.binary {
            Some(bytes) => {
                summed.push(2);
                part(&mut summed, bytes);
            }
            None => {
                summed.push(1);
                part(&mut summed, attribute.text.as_deref().unwrap_or_default().as_bytes());
            }
        }
    }
    Some(hex(Md5::digest(&summed).as_slice()))
}

fn part(summed: &mut Vec<u8>, bytes: &[u8]) {
    summed.extend((bytes.len() as u32).to_be_bytes());
    summed.extend(bytes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The sum by which FIFO queues know a body again.
pub(crate) fn content(body: &str) -> String {
    hex(sha2::Sha256::digest(body.as_bytes()).as_slice())
}
