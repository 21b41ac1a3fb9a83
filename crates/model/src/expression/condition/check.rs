//! What a request's names and values show to be wrong, before any item is seen.

use super::{Condition, Fault, Function, Operand, SIZE, Term, Test};
use crate::expression::bind::{Placeholders, Scope, sealed::Compiled};
use crate::expression::error::{
    ExpressionError, operand_type, path_required, undefined_name, undefined_value,
};
use crate::expression::parse::{Comparator, Mention};
use crate::expression::path::Resolved;
use crate::{Type, Value};
use std::cmp::Ordering;

impl Compiled for Condition {
    type Ready = ();

    fn placeholders(&self) -> &Placeholders {
        &self.placeholders
    }

    fn check(&self, scope: Scope<'_>) -> Result<(), ExpressionError> {
        let mut mentions = self.mentions.iter();
        let mut seen = 0;
        for term in &self.terms {
            let count = (term.mentions_end - seen) as usize;
            seen = term.mentions_end;
            for mention in mentions.by_ref().take(count) {
                let undefined = match mention {
                    Mention::Name(slot) if scope.name(*slot).is_none() => {
                        undefined_name(&self.placeholders.names[*slot as usize])
                    }
                    Mention::Value(slot) if scope.value(*slot).is_none() => {
                        undefined_value(&self.placeholders.values[*slot as usize])
                    }
                    _ => continue,
                };
                return Err(self.parameter.error(undefined));
            }
            self.check_term(term, scope).map_err(|message| self.parameter.error(message))?;
        }
        Ok(())
    }
}

impl Condition {
    fn check_term(&self, term: &Term, scope: Scope<'_>) -> Result<(), String> {
        if let Some(Fault::Count(message)) = &term.fault {
            return Err(message.clone());
        }
        match &term.test {
            Test::Compare { operator, operands } => {
                self.check_distinct(operator.as_str(), operands, scope)?
            }
            Test::Function { function, operands } => {
                self.check_distinct(function.as_str(), operands, scope)?
            }
            Test::Between { .. } | Test::In { .. } => {}
        }
        if let Some(Fault::Type(message)) = &term.fault {
            return Err(message.clone());
        }
        term.test.each_operand(|operand| match operand {
            Operand::SizeOfValue(_) => match scope_value(scope, operand).map(Value::kind) {
                Some(kind @ (Type::N | Type::Bool | Type::Null)) => Err(operand_type(SIZE, kind)),
                _ => Ok(()),
            },
            _ => Ok(()),
        })?;
        match &term.test {
            Test::Compare { operator: Comparator::Equal | Comparator::NotEqual, .. } | Test::In { .. } => {
                Ok(())
            }
            Test::Compare { operator, operands } => check_ordered(operator.as_str(), operands, scope),
            Test::Between { operands } => {
                check_ordered("BETWEEN", operands, scope)?;
                check_bounds(operands, scope)
            }
            Test::Function { function, operands } => check_function(*function, operands, scope),
        }
    }

    /// An operator is not given the same attribute twice.
    fn check_distinct(&self, operator: &str, operands: &[Operand], scope: Scope<'_>) -> Result<(), String> {
        let [Operand::Path(one), Operand::Path(two)] = operands else {
            return Ok(());
        };
        let (one, two) = (self.resolved(*one, scope), self.resolved(*two, scope));
        match one.order(two) {
            Ordering::Equal => Err(format!(
                "The first operand must be distinct from the remaining operands for this operator or function; operator: {operator}, first operand: {one}"
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn resolved<'a>(&'a self, path: u32, scope: Scope<'a>) -> Resolved<'a> {
        scope.path(&self.paths[path as usize])
    }
}

/// The type an operand is known to have before any item is seen.
fn known_type(scope: Scope<'_>, operand: &Operand) -> Option<Type> {
    match operand {
        Operand::Path(_) => None,
        Operand::Value(_) => scope_value(scope, operand).map(Value::kind),
        Operand::SizeOfPath(_) | Operand::SizeOfValue(_) => Some(Type::N),
    }
}

fn scope_value<'a>(scope: Scope<'a>, operand: &Operand) -> Option<&'a Value> {
    match operand {
        Operand::Value(slot) | Operand::SizeOfValue(slot) => scope.value(*slot),
        Operand::Path(_) | Operand::SizeOfPath(_) => None,
    }
}

/// Only strings, numbers and binaries have an order.
fn check_ordered(operator: &str, operands: &[Operand], scope: Scope<'_>) -> Result<(), String> {
    let unordered = |kind: &Type| !matches!(kind, Type::S | Type::N | Type::B);
    match operands.iter().filter_map(|operand| known_type(scope, operand)).find(unordered) {
        Some(kind) => Err(operand_type(operator, kind)),
        None => Ok(()),
    }
}

/// Bounds that the request gives must be in order.
fn check_bounds([_, low, high]: &[Operand; 3], scope: Scope<'_>) -> Result<(), String> {
    let (Operand::Value(low), Operand::Value(high)) = (low, high) else {
        return Ok(());
    };
    let (Some(low), Some(high)) = (scope.value(*low), scope.value(*high)) else {
        return Ok(());
    };
    let rule = match low.compare(high) {
        None => "same data type for lower and upper bounds",
        Some(Ordering::Greater) => "upper bound to be greater than or equal to lower bound",
        Some(Ordering::Less | Ordering::Equal) => return Ok(()),
    };
    Err(format!(
        "The BETWEEN operator requires {rule}; lower bound operand: {}, upper bound operand: {}",
        low.shown(),
        high.shown()
    ))
}

fn check_function(function: Function, operands: &[Operand], scope: Scope<'_>) -> Result<(), String> {
    let name = function.as_str();
    match function {
        Function::AttributeExists | Function::AttributeNotExists => match operands {
            [Operand::Path(_)] => Ok(()),
            _ => Err(path_required(name)),
        },
        Function::BeginsWith => {
            let other = |kind: &Type| !matches!(kind, Type::S | Type::B);
            match operands.iter().filter_map(|operand| known_type(scope, operand)).find(other) {
                Some(kind) => Err(operand_type(name, kind)),
                None => Ok(()),
            }
        }
        Function::AttributeType => match (&operands[1], scope_value(scope, &operands[1])) {
            (Operand::Value(_), Some(Value::S(descriptor))) => match Type::parse(descriptor) {
                Some(_) => Ok(()),
                None => Err(format!(
                    "Invalid attribute type name found; type: {descriptor}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
                )),
            },
            (operand, _) => Err(match known_type(scope, operand) {
                Some(kind) => operand_type(name, kind),
                None => operand_type(name, "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"),
            }),
        },
        Function::Contains => Ok(()),
    }
}
