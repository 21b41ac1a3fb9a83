//! An input as a tree of modelled members, read by name. A member that is null counts as absent.

use serde_json::{Map, Value as Json};

/// One structure of an input.
#[derive(Clone, Copy)]
pub(super) struct Tree<'a>(Option<&'a Map<String, Json>>);

impl<'a> Tree<'a> {
    pub fn of(tree: &'a Json) -> Tree<'a> {
        Tree(tree.as_object())
    }

    pub fn get(self, member: &str) -> Option<&'a Json> {
        self.0?.get(member).filter(|tree| !tree.is_null())
    }

    pub fn has(self, member: &str) -> bool {
        self.get(member).is_some()
    }

    pub fn text(self, member: &str) -> Option<&'a str> {
        self.get(member)?.as_str()
    }

    pub fn flag(self, member: &str) -> Option<bool> {
        self.get(member)?.as_bool()
    }

    pub fn number(self, member: &str) -> Option<i64> {
        self.get(member)?.as_i64()
    }

    pub fn map(self, member: &str) -> Option<&'a Map<String, Json>> {
        self.get(member)?.as_object()
    }

    pub fn list(self, member: &str) -> Option<&'a [Json]> {
        self.get(member)?.as_array().map(Vec::as_slice)
    }

    /// The texts of a list; none when it is absent.
    pub fn texts(self, member: &str) -> impl Iterator<Item = &'a str> {
        self.list(member).unwrap_or_default().iter().filter_map(Json::as_str)
    }

    /// The structures of a list; none when it is absent.
    pub fn structures(self, member: &str) -> impl Iterator<Item = Tree<'a>> {
        self.list(member).unwrap_or_default().iter().map(Tree::of)
    }

    pub fn structure(self, member: &str) -> Option<Tree<'a>> {
        self.get(member).map(Tree::of)
    }
}
