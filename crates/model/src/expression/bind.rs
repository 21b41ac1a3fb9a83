//! Placeholders: what a program leaves open, what a request fills in.

use super::error::{ExpressionError, Parameter};
use super::path::{Path, Place, Resolved, Step};
use crate::Value;
use std::fmt;
use std::sync::Arc;

/// The names and values of one request, and which of them its expressions have used.
#[derive(Debug)]
pub struct Binder {
    request: Arc<Request>,
    names_used: Box<[bool]>,
    values_used: Box<[bool]>,
}

/// A program together with the names and values of one request. Cheap to clone.
pub struct Bound<P: Program> {
    pub(super) program: Arc<P>,
    pub(super) ready: P::Ready,
    request: Arc<Request>,
    /// Where in the request each placeholder of the program is: names first, then values.
    slots: Box<[u32]>,
}

/// A compiled expression that a [`Binder`] can bind.
pub trait Program: sealed::Compiled + fmt::Debug {}

pub(super) mod sealed {
    use super::*;

    pub trait Compiled: Sized {
        /// What binding works out beyond the placeholders.
        type Ready: Clone + fmt::Debug;

        fn placeholders(&self) -> &Placeholders;

        /// Checks what depends on the request. Placeholders may be undefined still.
        fn check(&self, scope: Scope<'_>) -> Result<Self::Ready, ExpressionError>;
    }
}

impl<P: sealed::Compiled + fmt::Debug> Program for P {}

/// The placeholders of a program, each once, in the order of their first appearance.
#[derive(Debug, Default)]
pub struct Placeholders {
    pub(super) names: Vec<Box<str>>,
    pub(super) values: Vec<Box<str>>,
}

/// Names and values by placeholder, sorted.
#[derive(Debug, Default)]
struct Request {
    names: Vec<(String, String)>,
    values: Vec<(String, Value)>,
}

/// What a program's slots stand for in one request.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    placeholders: &'a Placeholders,
    request: &'a Request,
    slots: &'a [u32],
}

/// A slot whose placeholder the request does not define.
const UNDEFINED: u32 = u32::MAX;
const PLACEHOLDER_BYTES_MAX: usize = 255;
const NAME_BYTES_MAX: usize = 65_535;

impl Binder {
    /// `None` where the request has no such member: an empty map is an error of its own.
    pub fn new(
        names: Option<Vec<(String, String)>>,
        values: Option<Vec<(String, Value)>>,
    ) -> Result<Binder, ExpressionError> {
        let names = sorted("ExpressionAttributeNames", b'#', names)?;
        let values = sorted("ExpressionAttributeValues", b':', values)?;
        for (placeholder, name) in &names {
            let fault = match name.len() {
                0 => "Empty attribute name",
                1..=NAME_BYTES_MAX => continue,
                _ => "Attribute name is too large, must be less than 65536 bytes",
            };
            return Err(ExpressionError::invalid(format!(
                "ExpressionAttributeNames contains invalid value: {fault} for key {placeholder}"
            )));
        }
        Ok(Binder {
            names_used: vec![false; names.len()].into(),
            values_used: vec![false; values.len()].into(),
            request: Arc::new(Request { names, values }),
        })
    }

    /// Resolves a program's placeholders and checks what their values must be.
    pub fn bind<P: Program>(&mut self, program: &Arc<P>) -> Result<Bound<P>, ExpressionError> {
        let placeholders = program.placeholders();
        let mut slots = Vec::with_capacity(placeholders.names.len() + placeholders.values.len());
        for placeholder in &placeholders.names {
            slots.push(find(&self.request.names, placeholder, &mut self.names_used));
        }
        for placeholder in &placeholders.values {
            slots.push(find(&self.request.values, placeholder, &mut self.values_used));
        }
        let ready = program.check(Scope { placeholders, request: &self.request, slots: &slots })?;
        Ok(Bound { program: program.clone(), ready, request: self.request.clone(), slots: slots.into() })
    }

    /// Every name and value given must have been used.
    pub fn finish(self) -> Result<(), ExpressionError> {
        let names = self.request.names.iter().map(|(placeholder, _)| placeholder);
        let values = self.request.values.iter().map(|(placeholder, _)| placeholder);
        unused("ExpressionAttributeNames", names, &self.names_used)?;
        unused("ExpressionAttributeValues", values, &self.values_used)
    }
}

impl<P: Program> Bound<P> {
    pub(super) fn scope(&self) -> Scope<'_> {
        Scope { placeholders: self.program.placeholders(), request: &self.request, slots: &self.slots }
    }
}

impl<P: Program> Clone for Bound<P> {
    fn clone(&self) -> Bound<P> {
        Bound {
            program: self.program.clone(),
            ready: self.ready.clone(),
            request: self.request.clone(),
            slots: self.slots.clone(),
        }
    }
}

impl<P: Program> fmt::Debug for Bound<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("program", &self.program).finish_non_exhaustive()
    }
}

impl<'a> Scope<'a> {
    pub(super) fn name(self, slot: u32) -> Option<&'a str> {
        let at = self.slots[slot as usize];
        self.request.names.get(at as usize).map(|(_, name)| name.as_str())
    }

    pub(super) fn value(self, slot: u32) -> Option<&'a Value> {
        let at = self.slots[self.placeholders.names.len() + slot as usize];
        self.request.values.get(at as usize).map(|(_, value)| value)
    }

    pub(super) fn place(self, step: &'a Step) -> Place<'a> {
        match step {
            Step::Name(name) => Place::Name(name),
            Step::Slot(slot) => Place::Name(self.name(*slot).unwrap_or_default()),
            Step::Index(index) => Place::Index(*index),
        }
    }

    pub(super) fn path(self, path: &'a Path) -> Resolved<'a> {
        Resolved { path, scope: self }
    }

    /// The first name that is not defined.
    pub(super) fn undefined_name(self) -> Option<&'a str> {
        let slots = &self.slots[..self.placeholders.names.len()];
        slots.iter().position(|slot| *slot == UNDEFINED).map(|at| &*self.placeholders.names[at])
    }

    /// The first value that is not defined.
    pub(super) fn undefined_value(self) -> Option<&'a str> {
        let slots = &self.slots[self.placeholders.names.len()..];
        slots.iter().position(|slot| *slot == UNDEFINED).map(|at| &*self.placeholders.values[at])
    }
}

impl Placeholders {
    pub(super) fn name(&mut self, placeholder: &str) -> u32 {
        intern(&mut self.names, placeholder)
    }

    pub(super) fn value(&mut self, placeholder: &str) -> u32 {
        intern(&mut self.values, placeholder)
    }
}

/// Every condition, filter, projection and update on an attribute can be asked where it looks.
pub(super) fn roots<'a>(paths: impl Iterator<Item = Resolved<'a>>) -> impl Iterator<Item = (&'a str, bool)> {
    paths.map(|path| (path.root(), path.is_nested()))
}

/// The text limits that all expressions share.
pub(super) fn check_text(parameter: Parameter, text: &str) -> Result<(), ExpressionError> {
    const TEXT_BYTES_MAX: usize = 4096;
    match text.len() {
        0 => Err(parameter.error("The expression can not be empty;")),
        1..=TEXT_BYTES_MAX => Ok(()),
        len => Err(parameter.error(format_args!(
            "Expression size has exceeded the maximum allowed size; expression size: {len}"
        ))),
    }
}

fn intern(known: &mut Vec<Box<str>>, placeholder: &str) -> u32 {
    let at = known.iter().position(|name| **name == *placeholder).unwrap_or_else(|| {
        known.push(placeholder.into());
        known.len() - 1
    });
    at as u32
}

fn find<T>(request: &[(String, T)], placeholder: &str, used: &mut [bool]) -> u32 {
    match request.binary_search_by(|(candidate, _)| candidate.as_str().cmp(placeholder)) {
        Ok(at) => {
            used[at] = true;
            at as u32
        }
        Err(_) => UNDEFINED,
    }
}

fn sorted<T>(
    member: &str,
    mark: u8,
    given: Option<Vec<(String, T)>>,
) -> Result<Vec<(String, T)>, ExpressionError> {
    let Some(mut given) = given else {
        return Ok(Vec::new());
    };
    if given.is_empty() {
        return Err(ExpressionError::invalid(format!("{member} must not be empty")));
    }
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let fits = |placeholder: &str| match placeholder.as_bytes() {
        [first, rest @ ..] => {
            *first == mark && !rest.is_empty() && rest.len() < PLACEHOLDER_BYTES_MAX && rest.iter().all(part)
        }
        [] => false,
    };
    if let Some((placeholder, _)) = given.iter().find(|(placeholder, _)| !fits(placeholder)) {
        return Err(ExpressionError::invalid(format!(
            "{member} contains invalid key: Syntax error; key: \"{placeholder}\""
        )));
    }
    // Sorted, even a hundred values for IN are found fast; and errors list them in a settled order.
    given.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(given)
}

fn unused<'a>(
    member: &str,
    placeholders: impl Iterator<Item = &'a String>,
    used: &[bool],
) -> Result<(), ExpressionError> {
    if used.iter().all(|used| *used) {
        return Ok(());
    }
    let left: Vec<&str> = placeholders
        .zip(used)
        .filter(|(_, used)| !**used)
        .map(|(placeholder, _)| placeholder.as_str())
        .collect();
    Err(ExpressionError::invalid(format!(
        "Value provided in {member} unused in expressions: keys: {{{}}}",
        left.join(", ")
    )))
}
