//! What a request's names and values show to be wrong, before any item is seen.

use super::{Change, Function, Operand, Update};
use crate::expression::bind::{Placeholders, Scope, sealed::Compiled};
use crate::expression::error::{
    ExpressionError, Parameter, operand_count, operand_type, path_required, undefined_name, undefined_value,
};
use crate::expression::parse::NodeId;
use crate::expression::path::{self, Resolved};
use crate::expression::projection::check_collisions;
use crate::{Type, Value};

impl Compiled for Update {
    /// The actions in the order of their paths.
    type Ready = Box<[u32]>;

    fn placeholders(&self) -> &Placeholders {
        &self.placeholders
    }

    fn check(&self, scope: Scope<'_>) -> Result<Box<[u32]>, ExpressionError> {
        let error = |message: String| Parameter::Update.error(message);
        if let Some(section) = self.repeated {
            return Err(error(format!(
                "The \"{section}\" section can only be used once in an update expression;"
            )));
        }
        if let Some(name) = scope.undefined_name() {
            return Err(error(undefined_name(name)));
        }
        if let Some(value) = scope.undefined_value() {
            return Err(error(undefined_value(value)));
        }
        let paths: Vec<Resolved<'_>> = self.targets(scope).collect();
        let order = path::sorted(paths.iter().copied());
        check_collisions(Parameter::Update, &paths, &order)?;
        for action in &self.actions {
            check_operand(action.change, scope).map_err(error)?;
        }
        for operand in &self.operands {
            self.check_types(operand, scope).map_err(error)?;
        }
        Ok(order)
    }
}

impl Update {
    pub(super) fn targets<'a>(&'a self, scope: Scope<'a>) -> impl Iterator<Item = Resolved<'a>> + Clone {
        self.actions.iter().map(move |action| scope.path(&self.paths[action.path as usize]))
    }

    /// What functions and sums are given must be of their types, as far as the request tells.
    fn check_types(&self, operand: &Operand, scope: Scope<'_>) -> Result<(), String> {
        let given = |operands: &[NodeId], name: &str, wanted: Type| {
            let known = operands.iter().filter_map(|operand| match &self.operands[*operand as usize] {
                Operand::Value(slot) => scope.value(*slot).map(Value::kind),
                _ => None,
            });
            known
                .filter(|kind| *kind != wanted)
                .map(|kind| operand_type(name, kind))
                .next()
                .map_or(Ok(()), Err)
        };
        match operand {
            Operand::Path(_) | Operand::Value(_) => Ok(()),
            Operand::Arithmetic { operator, operands } => given(operands, operator.as_str(), Type::N),
            Operand::Call { function, operands } => {
                let name = function.as_str();
                if operands.len() != 2 {
                    return Err(operand_count(name, operands.len()));
                }
                match (function, &self.operands[operands[0] as usize]) {
                    (Function::ListAppend, _) => given(operands, name, Type::L),
                    (Function::IfNotExists, Operand::Path(_)) => Ok(()),
                    (Function::IfNotExists, _) => Err(path_required(name)),
                }
            }
        }
    }
}

/// ADD takes numbers and sets, DELETE takes sets.
fn check_operand(change: Change, scope: Scope<'_>) -> Result<(), String> {
    let (section, slot) = match change {
        Change::Add(slot) => ("ADD", slot),
        Change::Delete(slot) => ("DELETE", slot),
        Change::Set(_) | Change::Remove => return Ok(()),
    };
    let kind = match scope.value(slot).map(Value::kind) {
        None | Some(Type::Ss | Type::Ns | Type::Bs) => return Ok(()),
        Some(Type::N) if section == "ADD" => return Ok(()),
        Some(Type::S) => "STRING",
        Some(Type::N) => "NUMBER",
        Some(Type::B) => "BINARY",
        Some(Type::Null) => "NULL",
        Some(Type::Bool) => "BOOLEAN",
        Some(Type::L) => "LIST",
        Some(Type::M) => "MAP",
    };
    Err(format!("Incorrect operand type for operator or function; operator: {section}, operand type: {kind}"))
}
