//! Paths into items: `name`, `address.city`, `tags[0]`, `"a name with . in it".part`; a quote in such a name is doubled.

use model::{Item, Value};
use std::fmt;
use std::iter::Peekable;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Element(usize),
}

impl Path {
    pub fn name(name: &str) -> Path {
        Path(vec![Step::Name(name.to_owned())])
    }

    pub fn parse(text: &str) -> Option<Path> {
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let name;
            if let Some(quoted) = rest.strip_prefix('"') {
                (name, rest) = unquoted(quoted)?;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                name = rest[..end].to_owned();
                rest = &rest[end..];
                if name.contains([']', '"']) {
                    return None;
                }
            }
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Name(name));
            while let Some(inner) = rest.strip_prefix('[') {
                let (number, after) = inner.split_once(']')?;
                steps.push(Step::Element(number.parse().ok()?));
                rest = after;
            }
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() => return Some(Path(steps)),
                None => return None,
            }
        }
    }

    /// The attribute that the path begins at.
    pub fn root(&self) -> &str {
        match &self.0[0] {
            Step::Name(name) => name,
            Step::Element(_) => "",
        }
    }

    pub fn is_nested(&self) -> bool {
        self.0.len() > 1
    }

    pub fn find<'i>(&self, item: &'i Item) -> Option<&'i Value> {
        self.find_below(item.get(self.root())?)
    }

    /// The same, by a walk over the item, which is cheap for paths in the order of their names.
    pub fn find_on<'i>(
        &self,
        walk: &mut Peekable<impl Iterator<Item = (&'i str, &'i Value)>>,
        item: &'i Item,
    ) -> Option<&'i Value> {
        while walk.next_if(|(name, _)| *name < self.root()).is_some() {}
        match walk.peek() {
            Some((name, value)) if *name == self.root() => self.find_below(value),
            _ => self.find(item),
        }
    }

    /// What it leads to from the attribute that it begins at.
    pub fn find_below<'i>(&self, root: &'i Value) -> Option<&'i Value> {
        let mut found = root;
        for step in &self.0[1..] {
            found = match (step, found) {
                (Step::Name(name), Value::M(map)) => map.get(name)?,
                (Step::Element(at), Value::L(list)) => list.get(*at)?,
                _ => return None,
            };
        }
        Some(found)
    }
}

/// A name up to its closing quote, and what comes after that.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            let dot = if at > 0 { "." } else { "" };
            match step {
                Step::Name(name) if name.contains(['.', '[', ']', '"']) => {
                    write!(f, "{dot}\"{}\"", name.replace('"', "\"\""))?;
                }
                Step::Name(name) => write!(f, "{dot}{name}")?,
                Step::Element(at) => write!(f, "[{at}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_and_write_alike() {
        for text in ["a", "a.b", "a[0]", "a[0][1].b", "\"a.b\".c", "\"a \"\"b\"\"\"[1]"] {
            assert_eq!(Path::parse(text).expect(text).to_string(), text);
        }
        for text in ["", ".", "a.", "a[", "a[x]", "a]", "a[0]b", "\"a", "\"a\"\""] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }
    /// A walk finds what is found one by one, in whatever order paths and names come.
    #[test]
    fn a_walk_finds_the_same() {
        let item: Item =
            ["a", "c", "d", "f"].map(|name| (name, Value::S(name.to_owned()))).into_iter().collect();
        for names in [["a", "c", "d"], ["f", "a", "b"], ["b", "c", "c"], ["d", "e", "f"], ["g", "f", "a"]] {
            let mut walk = item.iter().peekable();
            for name in names {
                let path = Path::name(name);
                assert_eq!(path.find_on(&mut walk, &item), path.find(&item), "{name} of {names:?}");
            }
        }
    }
}
