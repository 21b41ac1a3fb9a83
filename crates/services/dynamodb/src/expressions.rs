//! The expressions of one request: which may stand together, compiled, and bound to the request's names and values.

use super::fault::{Fault, data, validation};
use super::legacy::Rewritten;
use super::tree::Tree;
use super::value::value;
use engine::{Error, Programs};
use model::Value;
use model::expression::{Binder, Bound, Condition, KeyCondition, Program, Projection, Update};
use std::sync::Arc;

/// The expressions of a request as texts, with its placeholders.
#[derive(Debug, Default)]
pub(super) struct Expressions<'a> {
    pub update: Option<&'a str>,
    pub condition: Option<&'a str>,
    pub key_condition: Option<&'a str>,
    pub filter: Option<&'a str>,
    pub projection: Option<&'a str>,
    pub names: Option<Vec<(String, String)>>,
    pub values: Option<Vec<(String, Value)>>,
}

/// The expressions of a request, ready to run.
#[derive(Debug, Default)]
pub(super) struct Ready {
    pub update: Option<Bound<Update>>,
    pub condition: Option<Bound<Condition>>,
    pub key_condition: Option<Bound<KeyCondition>>,
    pub filter: Option<Bound<Condition>>,
    pub projection: Option<Bound<Projection>>,
}

impl Expressions<'_> {
    /// Compiles and binds them all, and checks that every placeholder is used.
    pub fn ready(self, programs: &Programs) -> Result<Ready, Fault> {
        self.bind(programs).map_err(data)
    }

    fn bind(self, programs: &Programs) -> Result<Ready, Error> {
        let mut ready = Ready::default();
        let texts = [self.update, self.condition, self.key_condition, self.filter, self.projection];
        if texts.iter().all(Option::is_none) && self.names.is_none() && self.values.is_none() {
            return Ok(ready);
        }
        let mut binder = Binder::new(self.names, self.values)?;
        if let Some(text) = self.update {
            ready.update = Some(binder.bind(&programs.update(text)?)?);
        }
        if let Some(text) = self.condition {
            ready.condition = Some(binder.bind(&programs.condition(text)?)?);
        }
        if let Some(text) = self.key_condition {
            ready.key_condition = Some(binder.bind(&programs.key_condition(text)?)?);
        }
        if let Some(text) = self.filter {
            ready.filter = Some(binder.bind(&programs.filter(text)?)?);
        }
        if let Some(text) = self.projection {
            ready.projection = Some(binder.bind(&programs.projection(text)?)?);
        }
        // What is not used is told before what keys cannot be asked. [suite: moto, test_query_unused_attribute_name]
        binder.finish()?;
        if let Some(key_condition) = &ready.key_condition {
            key_condition.check()?;
        }
        Ok(ready)
    }
}

/// Compiles and binds one legacy parameter's rewriting.
pub(super) fn rewritten<P: Program>(
    rewritten: Rewritten,
    compile: impl FnOnce(&str) -> Result<Arc<P>, Error>,
) -> Result<Bound<P>, Fault> {
    let bind = || -> Result<Bound<P>, Error> {
        let values = (!rewritten.values.is_empty()).then_some(rewritten.values);
        let mut binder = Binder::new(Some(rewritten.names), values)?;
        Ok(binder.bind(&compile(&rewritten.text)?)?)
    };
    bind().map_err(data)
}

/// Which placeholders a request has, and what they could stand in.
struct Standing {
    names: bool,
    values: bool,
    projection: bool,
    other: bool,
}

/// The parameters of an operation that come in two languages, which may not be mixed in one request.
pub(super) struct Languages<'a> {
    pub expressions: &'a [&'static str],
    pub legacy: &'a [&'static str],
}

impl Languages<'_> {
    /// Refuses mixtures, and placeholders without an expression to stand in.
    pub fn check(&self, input: Tree<'_>) -> Result<(), Fault> {
        let given = |names: &[&'static str]| -> Vec<&'static str> {
            names.iter().copied().filter(|name| input.has(name)).collect()
        };
        let expressions = given(self.expressions);
        let mut legacy = given(self.legacy);
        // With KeyConditions the other parameters may still be of either language.
        if !input.has("KeyConditionExpression") {
            legacy.retain(|name| *name != "KeyConditions");
        }
        if !expressions.is_empty() && !legacy.is_empty() {
            return Err(validation(format!(
                "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
                legacy.join(", "),
                expressions.join(", ")
            )));
        }
        self.check_stand(Standing {
            names: input.has("ExpressionAttributeNames"),
            values: input.has("ExpressionAttributeValues"),
            projection: input.has("ProjectionExpression"),
            other: expressions.iter().any(|name| *name != "ProjectionExpression"),
        })
    }

    /// Refuses placeholders without an expression to stand in.
    pub fn check_placeholders(&self, given: &Expressions<'_>) -> Result<(), Fault> {
        let others = [given.update, given.condition, given.key_condition, given.filter];
        self.check_stand(Standing {
            names: given.names.is_some(),
            values: given.values.is_some(),
            projection: given.projection.is_some(),
            other: others.iter().any(Option::is_some),
        })
    }

    fn check_stand(&self, given: Standing) -> Result<(), Fault> {
        if given.names && !given.other && !given.projection {
            // A read by key does not say which. [suite: moto, test_empty_expressionattributenames]
            let which = match self.expressions {
                [only] if *only != "ProjectionExpression" => format!(": {only} is null"),
                _ => String::new(),
            };
            return Err(validation(format!(
                "ExpressionAttributeNames can only be specified when using expressions{which}"
            )));
        }
        if given.values && !given.other {
            // Projections have no values.
            let takers = self.expressions.iter().copied().filter(|name| *name != "ProjectionExpression");
            let takers: Vec<&str> = takers.collect();
            let are = if takers.len() > 1 { "are" } else { "is" };
            return Err(validation(format!(
                "ExpressionAttributeValues can only be specified when using expressions: {} {are} null",
                takers.join(" and ")
            )));
        }
        Ok(())
    }
}

/// ExpressionAttributeNames.
pub(super) fn names(input: Tree<'_>) -> Option<Vec<(String, String)>> {
    let names = input.map("ExpressionAttributeNames")?.iter();
    Some(names.map(|(key, name)| (key.clone(), name.as_str().unwrap_or_default().to_owned())).collect())
}

/// ExpressionAttributeValues. `told` says of which key a fault is.
pub(super) fn values(
    input: Tree<'_>,
    told: impl Fn(&str, Fault) -> Fault,
) -> Result<Option<Vec<(String, Value)>>, Fault> {
    let Some(values) = input.map("ExpressionAttributeValues") else {
        return Ok(None);
    };
    let read = |(key, tree): (&String, _)| match value(tree) {
        Ok(value) => Ok((key.clone(), value)),
        Err(fault) => Err(told(key, fault)),
    };
    values.iter().map(read).collect::<Result<_, _>>().map(Some)
}
