//! The grammar of mapping templates: text, references, directives.

use super::expression::Expression;
use super::{Node, methods};

/// How deep directives and parentheses may stand in one another.
const DEPTH_MAX: usize = 32;

/// `$name.member[index].method(…)`
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    pub name: String,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Member(String),
    Index(Expression),
    Call(String, Vec<Expression>),
}

pub(super) type Parsed<T> = Result<T, String>;

pub(super) struct Parser<'a> {
    pub rest: &'a str,
    pub depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    pub(super) fn take(&mut self, start: &str) -> bool {
        let found = self.rest.strip_prefix(start);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    pub(super) fn expect(&mut self, start: &str) -> Parsed<()> {
        self.space();
        match self.take(start) {
            true => Ok(()),
            false => Err(format!("{start} is missing before {}", near(self.rest))),
        }
    }

    pub(super) fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err("the template is nested too deep".to_owned()) } else { Ok(()) }
    }

    /// Text and directives up to one of these words, which is taken; the end of the text is the word of nothing.
    pub fn nodes(&mut self, ends: &[&'static str]) -> Parsed<(Vec<Node>, &'static str)> {
        self.deeper()?;
        let (mut nodes, mut plain) = (Vec::new(), String::new());
        let mut flush = |plain: &mut String, node: Option<Node>| {
            if !plain.is_empty() {
                nodes.push(Node::Text(std::mem::take(plain)));
            }
            nodes.extend(node);
        };
        loop {
            let at = self.rest.find(['$', '#']).unwrap_or(self.rest.len());
            plain.push_str(&self.rest[..at]);
            self.rest = &self.rest[at..];
            if self.rest.is_empty() {
                flush(&mut plain, None);
                break match ends.contains(&"") {
                    true => Ok((nodes, "")),
                    false => Err("#end is missing".to_owned()),
                };
            }
            if self.rest.starts_with('$') {
                match self.reference()? {
                    Some(reference) => flush(&mut plain, Some(Node::Reference(reference))),
                    None => {
                        plain.push('$');
                        self.rest = &self.rest[1..];
                    }
                }
                continue;
            }
            if self.comment(&mut plain) {
                continue;
            }
            let Some(word) = self.directive() else {
                plain.push('#');
                self.rest = &self.rest[1..];
                continue;
            };
            match word {
                "set" => flush(&mut plain, Some(self.set()?)),
                "if" => flush(&mut plain, Some(self.condition()?)),
                "foreach" => flush(&mut plain, Some(self.foreach()?)),
                "break" => flush(&mut plain, Some(Node::Break)),
                "stop" => flush(&mut plain, Some(Node::Stop)),
                "end" | "else" | "elseif" => {
                    let Some(end) = ends.iter().find(|end| **end == word) else {
                        return Err(format!("#{word} stands alone"));
                    };
                    flush(&mut plain, None);
                    if word != "elseif" {
                        self.line_end();
                    }
                    break Ok((nodes, *end));
                }
                other => return Err(format!("#{other} is not supported")),
            }
            self.line_end();
        }
        .inspect(|_| self.depth -= 1)
    }

    /// A comment, or text that is taken as it is.
    fn comment(&mut self, plain: &mut String) -> bool {
        if let Some(rest) = self.rest.strip_prefix("##") {
            self.rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(rest) = self.rest.strip_prefix("#*") {
            self.rest = rest.split_once("*#").map_or("", |(_, rest)| rest);
        } else if let Some((text, rest)) =
            self.rest.strip_prefix("#[[").and_then(|rest| rest.split_once("]]#"))
        {
            plain.push_str(text);
            self.rest = rest;
        } else {
            return false;
        }
        true
    }

    /// A directive's word, `#if` or `#{if}`, taken.
    fn directive(&mut self) -> Option<&'a str> {
        let rest = &self.rest[1..];
        let braced = rest.strip_prefix('{');
        let word = braced.unwrap_or(rest);
        let word = &word[..word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len())];
        let known = [
            "set", "if", "elseif", "else", "end", "foreach", "break", "stop", "macro", "define", "parse",
            "include", "evaluate",
        ];
        let after = known.contains(&word).then(|| &rest[word.len() + usize::from(braced.is_some())..])?;
        self.rest = if braced.is_some() { after.strip_prefix('}')? } else { after };
        Some(word)
    }

    /// A directive at the end of its line takes the line's end with it.
    fn line_end(&mut self) {
        let after = self.rest.trim_start_matches([' ', '\t']).trim_start_matches('\r');
        if let Some(rest) = after.strip_prefix('\n') {
            self.rest = rest;
        }
    }

    fn set(&mut self) -> Parsed<Node> {
        self.expect("(")?;
        self.space();
        let Some(place) = self.reference()? else { return Err("#set needs a reference".to_owned()) };
        if place.steps.iter().any(|step| matches!(step, Step::Call(..))) {
            return Err("#set cannot set what a method answers".to_owned());
        }
        self.expect("=")?;
        let value = self.expression()?;
        self.expect(")")?;
        Ok(Node::Set(place, value))
    }

    fn condition(&mut self) -> Parsed<Node> {
        let (mut cases, mut otherwise) = (Vec::new(), Vec::new());
        loop {
            self.expect("(")?;
            let condition = self.expression()?;
            self.expect(")")?;
            self.line_end();
            let (nodes, end) = self.nodes(&["elseif", "else", "end"])?;
            cases.push((condition, nodes));
            match end {
                "elseif" => continue,
                "else" => otherwise = self.nodes(&["end"])?.0,
                _ => {}
            }
            return Ok(Node::If(cases, otherwise));
        }
    }

    fn foreach(&mut self) -> Parsed<Node> {
        self.expect("(")?;
        self.space();
        let Some(Reference { name, steps }) = self.reference()? else {
            return Err("#foreach needs a reference".to_owned());
        };
        if !steps.is_empty() {
            return Err("#foreach needs a plain name".to_owned());
        }
        self.expect("in")?;
        let items = self.expression()?;
        self.expect(")")?;
        self.line_end();
        Ok(Node::Foreach(name, items, self.nodes(&["end"])?.0))
    }

    /// A reference at the beginning, taken; None for a dollar that is one.
    pub(super) fn reference(&mut self) -> Parsed<Option<Reference>> {
        let text = self.rest.strip_prefix('$').unwrap_or(self.rest);
        let text = text.strip_prefix('!').unwrap_or(text);
        let braced = text.strip_prefix('{');
        let inner = braced.unwrap_or(text);
        let Some((name, rest)) = identifier(inner) else { return Ok(None) };
        self.rest = rest;
        let steps = self.steps()?;
        methods::check(name, &steps)?;
        if braced.is_some() {
            self.expect("}")?;
        }
        Ok(Some(Reference { name: name.to_owned(), steps }))
    }

    fn steps(&mut self) -> Parsed<Vec<Step>> {
        self.deeper()?;
        let mut steps = Vec::new();
        loop {
            if let Some((name, rest)) = self.rest.strip_prefix('.').and_then(identifier) {
                self.rest = rest;
                steps.push(match self.take("(") {
                    true => Step::Call(name.to_owned(), self.list(")")?),
                    false => Step::Member(name.to_owned()),
                });
            } else if self.rest.starts_with('[') && !self.rest.starts_with("[]") {
                self.rest = &self.rest[1..];
                let index = self.expression()?;
                self.expect("]")?;
                steps.push(Step::Index(index));
            } else {
                self.depth -= 1;
                return Ok(steps);
            }
        }
    }
}

/// A name at the beginning, and what follows it.
fn identifier(text: &str) -> Option<(&str, &str)> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let length = text.find(|c| !fits(c)).unwrap_or(text.len());
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_').then(|| text.split_at(length))
}

/// A few letters of what cannot be read.
pub(super) fn near(text: &str) -> String {
    text.chars().take(20).collect()
}
