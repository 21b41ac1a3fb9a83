//! What a pattern is compiled to, and how it runs.

use super::address::AddressRange;
use super::wildcard::Wildcard;
use super::{Node, Seen};
use crate::CorruptImage;

/// An object of a pattern: every field, and one of each group of alternatives, must match.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields {
    pub fields: Vec<(String, Field)>,
    pub alternatives: Vec<Vec<Fields>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    Object(Fields),
    /// One of these must match.
    Leaf(Vec<Test>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Present,
    /// No leaf lies at this path of the event.
    Absent(Vec<String>),
    Value(ValueTest),
    /// A value that none of these match.
    AnythingBut(Vec<ValueTest>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ValueTest {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// Texts without case hold what [`fold`] makes of them.
    TextFolded(String),
    Prefix(String),
    PrefixFolded(String),
    Suffix(String),
    SuffixFolded(String),
    Wildcard(Wildcard),
    Range(Range),
    Address(AddressRange),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub low: f64,
    pub high: f64,
    pub includes_low: bool,
    pub includes_high: bool,
}

/// A text, with case taken out of it.
pub(super) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Where a run stands: a part of the event, and the beginning of a member's name that has a dot in it.
#[derive(Clone)]
pub(super) struct Place<N> {
    node: N,
    dotted: Option<String>,
}

impl<N> From<N> for Place<N> {
    fn from(node: N) -> Place<N> {
        Place { node, dotted: None }
    }
}

impl<'a, N: Node<'a>> Place<N> {
    /// The member of that name. `deeper`: where there is none, a name that goes on after a dot is looked for.
    fn member(&self, name: &str, deeper: bool) -> Result<Option<Place<N>>, CorruptImage> {
        let Some(dotted) = &self.dotted else {
            let found = self.node.member(name)?;
            return Ok(match found {
                Some(node) => Some(node.into()),
                None if deeper => Some(Place { node: self.node, dotted: Some(name.to_owned()) }),
                None => None,
            });
        };
        let name = format!("{dotted}.{name}");
        Ok(match self.node.member(&name)? {
            Some(node) => Some(node.into()),
            None if deeper => Some(Place { node: self.node, dotted: Some(name) }),
            None => None,
        })
    }
}

/// Whether all fields match; `place` is absent where the event has no such object.
pub(super) fn fields<'a, N: Node<'a>>(
    pattern: &Fields,
    place: Option<Place<N>>,
    root: N,
) -> Result<bool, CorruptImage> {
    if let Some(list) = place.as_ref().filter(|place| place.dotted.is_none())
        && list.node.seen()? == Seen::List
    {
        // All fields of one element: those of two do not add up.
        let mut has_objects = false;
        let found = list.node.any(&mut |element| {
            let is_object = matches!(element.seen()?, Seen::Object | Seen::List);
            has_objects |= is_object;
            Ok(is_object && fields(pattern, Some(element.into()), root)?)
        })?;
        return if has_objects { Ok(found) } else { fields(pattern, None::<Place<N>>, root) };
    }
    for (name, field) in &pattern.fields {
        let deeper = matches!(field, Field::Object(_));
        let member = match &place {
            Some(place) => place.member(name, deeper)?,
            None => None,
        };
        let is_match = match field {
            Field::Object(inner) => fields(inner, member, root)?,
            Field::Leaf(tests) => leaf(tests, member.map(|member| member.node), root)?,
        };
        if !is_match {
            return Ok(false);
        }
    }
    for group in &pattern.alternatives {
        let mut is_any = false;
        for alternative in group {
            if fields(alternative, place.clone(), root)? {
                is_any = true;
                break;
            }
        }
        if !is_any {
            return Ok(false);
        }
    }
    Ok(true)
}

fn leaf<'a, N: Node<'a>>(tests: &[Test], node: Option<N>, root: N) -> Result<bool, CorruptImage> {
    for test in tests {
        if let Test::Absent(path) = test
            && !is_present(Some(root.into()), path)?
        {
            return Ok(true);
        }
    }
    match node {
        None => Ok(false),
        Some(node) => any_value(node, &mut |seen| tests.iter().any(|test| passes(test, seen))),
    }
}

/// Whether the value, or any value in a list, passes. Objects are no values.
fn any_value<'a, N: Node<'a>>(
    node: N,
    test: &mut dyn FnMut(&Seen<'a>) -> bool,
) -> Result<bool, CorruptImage> {
    match node.seen()? {
        Seen::Object => Ok(false),
        Seen::List => node.any(&mut |element| any_value(element, test)),
        seen => Ok(test(&seen)),
    }
}

/// Whether a leaf lies at the path, in any element of the lists on the way.
fn is_present<'a, N: Node<'a>>(place: Option<Place<N>>, path: &[String]) -> Result<bool, CorruptImage> {
    let Some(place) = place else { return Ok(false) };
    if place.dotted.is_none() && !path.is_empty() && place.node.seen()? == Seen::List {
        return place.node.any(&mut |element| is_present(Some(element.into()), path));
    }
    match path.split_first() {
        None => any_value(place.node, &mut |_| true),
        Some((name, rest)) => is_present(place.member(name, !rest.is_empty())?, rest),
    }
}

fn passes(test: &Test, seen: &Seen<'_>) -> bool {
    match test {
        Test::Present => true,
        Test::Absent(_) => false,
        Test::Value(test) => is_value(test, seen),
        Test::AnythingBut(tests) => !tests.iter().any(|test| is_value(test, seen)),
    }
}

fn is_value(test: &ValueTest, seen: &Seen<'_>) -> bool {
    match (test, seen) {
        (ValueTest::Null, Seen::Null) => true,
        (ValueTest::Bool(wanted), Seen::Bool(truth)) => wanted == truth,
        (ValueTest::Number(wanted), Seen::Number(number)) => wanted == number,
        (ValueTest::Range(range), Seen::Number(number)) => range.holds(*number),
        (test, Seen::Text(text)) => is_text(test, text),
        _ => false,
    }
}

fn is_text(test: &ValueTest, text: &str) -> bool {
    match test {
        ValueTest::Text(wanted) => wanted == text,
        ValueTest::TextFolded(wanted) => *wanted == fold(text),
        ValueTest::Prefix(wanted) => text.starts_with(wanted),
        ValueTest::PrefixFolded(wanted) => fold(text).starts_with(wanted),
        ValueTest::Suffix(wanted) => text.ends_with(wanted),
        ValueTest::SuffixFolded(wanted) => fold(text).ends_with(wanted),
        ValueTest::Wildcard(wildcard) => wildcard.matches(text),
        ValueTest::Address(range) => range.holds(text),
        ValueTest::Null | ValueTest::Bool(_) | ValueTest::Number(_) | ValueTest::Range(_) => false,
    }
}

impl Range {
    fn holds(&self, number: f64) -> bool {
        let above = if self.includes_low { number >= self.low } else { number > self.low };
        let below = if self.includes_high { number <= self.high } else { number < self.high };
        above && below
    }
}
