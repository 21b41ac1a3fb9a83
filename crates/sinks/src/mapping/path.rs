//! Paths into items: `name`, `address.city`, `tags[0]`, `"a name with . in it".part`.

use model::{Item, Value};
use std::fmt;

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
                (name, rest) = quoted.split_once('"')?;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                (name, rest) = rest.split_at(end);
                if name.contains([']', '"']) {
                    return None;
                }
            }
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
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
        let mut found = item.get(self.root())?;
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

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            let dot = if at > 0 { "." } else { "" };
            match step {
                Step::Name(name) if name.contains(['.', '[', ']', '"']) => write!(f, "{dot}\"{name}\"")?,
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
        for text in ["a", "a.b", "a[0]", "a[0][1].b", "\"a.b\".c"] {
            assert_eq!(Path::parse(text).expect(text).to_string(), text);
        }
        for text in ["", ".", "a.", "a[", "a[x]", "a]", "a[0]b", "\"a"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }
}
