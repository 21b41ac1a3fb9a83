//! One statement of a request: read, parsed, and what of it names keys.

use crate::fault::{Fault, validation};
use crate::request::Members;
use crate::tree::Tree;
use crate::value::value;
use crate::{Dynamodb, names};
use api::dynamodb::ReturnOnConditionFailure;
use engine::{Key, Table};
use model::partiql::{Comparison, Condition, Statement, Term, parse};
use model::{Item, Value};
use servicekit::call::Caller;
use std::sync::Arc;

pub(super) struct Prepared {
    pub statement: Statement,
    pub parameters: Vec<Value>,
    pub consistent: bool,
    pub shown: Option<ReturnOnConditionFailure>,
}

impl Prepared {
    pub fn read(tree: Tree<'_>) -> Result<Prepared, Fault> {
        let text = tree.text("Statement").unwrap_or_default();
        let (statement, wanted) = parse(text).map_err(|error| validation(error.message))?;
        let given = tree.list("Parameters").unwrap_or_default();
        let parameters = given.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        if parameters.len() != wanted {
            return Err(validation("Number of parameters in request and statement don't match."));
        }
        Ok(Prepared {
            statement,
            parameters,
            consistent: tree.flag("ConsistentRead").unwrap_or_default(),
            shown: tree.return_on_condition_failure(),
        })
    }

    pub fn is_read(&self) -> bool {
        matches!(self.statement, Statement::Select(_))
    }

    pub fn table_name(&self) -> &str {
        match &self.statement {
            Statement::Select(select) | Statement::Exists(select) => &select.from.table,
            Statement::Insert { table, .. }
            | Statement::Update { table, .. }
            | Statement::Delete { table, .. } => table,
        }
    }

    pub fn table(&self, dynamodb: &Dynamodb, caller: &Caller) -> Result<Arc<Table>, Fault> {
        dynamodb.table(caller, names::table(self.table_name(), caller)?)
    }

    /// The value that a condition holds an attribute equal to.
    pub fn equal(&self, condition: &Condition, attribute: &str) -> Result<Option<Value>, Fault> {
        match condition {
            Condition::Compare(Comparison::Equal, Term::Path(path), Term::Literal(literal))
            | Condition::Compare(Comparison::Equal, Term::Literal(literal), Term::Path(path))
                if path.is(attribute) =>
            {
                literal.value(&self.parameters).map(Some).map_err(validation)
            }
            _ => Ok(None),
        }
    }

    /// The one item that a condition is about, and what else it asks of the item.
    pub fn pinned<'c>(
        &self,
        table: &Table,
        condition: Option<&'c Condition>,
    ) -> Result<(Key, Vec<&'c Condition>), Fault> {
        let mut rest = condition.map(conjuncts).unwrap_or_default();
        let mut key = Item::new();
        for part in table.key_schema().parts() {
            let mut found = None;
            for (at, condition) in rest.iter().enumerate() {
                if let Some(value) = self.equal(condition, &part.name)? {
                    found = Some((at, value));
                    break;
                }
            }
            let Some((at, value)) = found else {
                return Err(validation(
                    "Where clause does not contain a mandatory equality on all key attributes",
                ));
            };
            rest.remove(at);
            key.insert(&*part.name, value);
        }
        Ok((table.key(key.view()).map_err(crate::fault::data)?, rest))
    }
}

/// What all must hold for the condition to hold.
pub(super) fn conjuncts(condition: &Condition) -> Vec<&Condition> {
    match condition {
        Condition::And(all) => all.iter().flat_map(conjuncts).collect(),
        one => vec![one],
    }
}
