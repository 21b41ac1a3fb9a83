//! An item: attributes by name.

use crate::{Value, View};

/// Attributes, sorted by name and distinct. Also the shape of a map value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    attributes: Vec<(String, Value)>,
}

impl Item {
    pub const fn new() -> Item {
        Item { attributes: Vec::new() }
    }

    pub fn with_capacity(attributes: usize) -> Item {
        Item { attributes: Vec::with_capacity(attributes) }
    }

    pub fn len(&self) -> usize {
        self.attributes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).ok().map(|at| &self.attributes[at].1)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.position(name).ok().map(|at| &mut self.attributes[at].1)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_ok()
    }

    /// Sets an attribute and gives back the value it had.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        // Clients often send, and images always hold, names in order: appending is the common case.
        if self.attributes.last().is_none_or(|(last, _)| last.as_str() < name.as_str()) {
            self.attributes.push((name, value));
            return None;
        }
        match self.position(&name) {
            Ok(at) => Some(std::mem::replace(&mut self.attributes[at].1, value)),
            Err(at) => {
                self.attributes.insert(at, (name, value));
                None
            }
        }
    }

    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.position(name).ok().map(|at| self.attributes.remove(at).1)
    }

    /// Attributes in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + DoubleEndedIterator {
        self.attributes.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name.as_str())
    }

    /// The size that limits, capacity and stream records count: names and values.
    pub fn size_bytes(&self) -> usize {
        self.attributes.iter().map(|(name, value)| name.len() + value.size_bytes()).sum()
    }

    /// The levels of the deepest attribute; see [`Value::depth`].
    pub fn depth(&self) -> usize {
        self.attributes.iter().map(|(_, value)| value.depth()).max().unwrap_or(0)
    }

    /// The item by reference, in the form that trees and images share.
    pub fn view(&self) -> View<'_> {
        View::from(self)
    }

    pub(crate) fn attributes(&self) -> &[(String, Value)] {
        &self.attributes
    }

    /// Adds an attribute that must come after all there are; refuses it otherwise.
    pub(crate) fn push(&mut self, name: String, value: Value) -> Result<(), (String, Value)> {
        match self.attributes.last() {
            Some((last, _)) if *last >= name => Err((name, value)),
            _ => {
                self.attributes.push((name, value));
                Ok(())
            }
        }
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.attributes.binary_search_by(|(candidate, _)| candidate.as_str().cmp(name))
    }
}

/// The last of attributes with the same name stays.
impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Item {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(attributes: I) -> Item {
        let attributes = attributes.into_iter();
        let mut item = Item::with_capacity(attributes.size_hint().0);
        for (name, value) in attributes {
            item.insert(name, value);
        }
        item
    }
}

impl IntoIterator for Item {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.attributes.into_iter()
    }
}
