//! Updates: what to change in an item.

mod apply;
mod check;
mod place;

use super::bind::{Bound, Placeholders, roots};
use super::error::{ExpressionError, Parameter, REDUNDANT_PARENTHESES, misused_function, unknown_function};
use super::parse::{Arithmetic, Node, NodeId, Parser};
use super::path::{self, Path, Resolved};
use super::token::Kind;
use crate::{Item, Type, Value, View};

/// Changes to an item.
#[derive(Debug)]
pub struct Update {
    placeholders: Placeholders,
    paths: Box<[Path]>,
    /// In the order of the text.
    actions: Box<[Action]>,
    /// The operands of SET, children before parents.
    operands: Box<[Operand]>,
    /// A section that stands twice.
    repeated: Option<&'static str>,
}

#[derive(Debug)]
struct Action {
    path: u32,
    change: Change,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// To that operand.
    Set(NodeId),
    Remove,
    /// The value in that slot.
    Add(u32),
    Delete(u32),
}

#[derive(Debug)]
enum Operand {
    Path(u32),
    Value(u32),
    Arithmetic { operator: Arithmetic, operands: [NodeId; 2] },
    Call { function: Function, operands: Box<[NodeId]> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    IfNotExists,
    ListAppend,
}

/// What an update did.
#[derive(Clone, Debug, PartialEq)]
pub struct Updated {
    pub item: Item,
    /// False when there was no item and the update makes none: it only takes away.
    pub exists: bool,
}

const CONDITION_FUNCTIONS: [&str; 6] =
    ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"];

impl Update {
    pub fn compile(text: &str) -> Result<Update, ExpressionError> {
        let mut parser = Parser::new(Parameter::Update, text)?;
        let (mut actions, mut sections, mut repeated) = (Vec::new(), Vec::new(), None);
        while parser.peek().kind != Kind::End || sections.is_empty() {
            let section = section(&mut parser)?;
            if sections.contains(&section) {
                repeated = repeated.or(Some(section));
            }
            sections.push(section);
            loop {
                actions.push(action(&mut parser, section)?);
                if !parser.accept(',') {
                    break;
                }
            }
        }
        if parser.redundant_parentheses {
            return Err(parser.error(REDUNDANT_PARENTHESES));
        }
        parser.check_names()?;
        check_functions(&parser).map_err(|message| parser.error(message))?;
        let operands = parser.nodes.iter().map(operand).collect();
        Ok(Update {
            placeholders: parser.placeholders,
            paths: parser.paths.into(),
            actions: actions.into(),
            operands,
            repeated,
        })
    }
}

fn section(parser: &mut Parser<'_>) -> Result<&'static str, ExpressionError> {
    let found = ["SET", "REMOVE", "ADD", "DELETE"].into_iter().find(|section| parser.accept_word(section));
    found.ok_or_else(|| parser.syntax_error())
}

fn action(parser: &mut Parser<'_>, section: &str) -> Result<Action, ExpressionError> {
    let path = parser.path()?;
    let change = match section {
        "SET" => {
            parser.expect(Kind::Equal)?;
            Change::Set(parser.set_value()?)
        }
        "REMOVE" => Change::Remove,
        "ADD" => Change::Add(parser.value()?),
        _ => Change::Delete(parser.value()?),
    };
    Ok(Action { path, change })
}

fn check_functions(parser: &Parser<'_>) -> Result<(), String> {
    let calls = || {
        parser.nodes.iter().filter_map(|node| match node {
            Node::Call { function, arguments } => Some((&**function, arguments)),
            _ => None,
        })
    };
    let known = |name: &str| Function::parse(name).is_some() || CONDITION_FUNCTIONS.contains(&name);
    if let Some((unknown, _)) = calls().find(|(name, _)| !known(name)) {
        return Err(unknown_function(unknown));
    }
    for (name, arguments) in calls() {
        if Function::parse(name).is_none() {
            return Err(misused_function(name));
        }
        // `list_append` gives a list, but no function takes its word for it.
        for argument in arguments {
            if let Node::Call { function, .. } = &parser.nodes[*argument as usize]
                && Function::parse(function) == Some(Function::ListAppend)
            {
                return Err(misused_function(function));
            }
        }
    }
    Ok(())
}

fn operand(node: &Node) -> Operand {
    match node {
        Node::Path(path) => Operand::Path(*path),
        Node::Arithmetic { operator, operands } => {
            Operand::Arithmetic { operator: *operator, operands: *operands }
        }
        Node::Call { function, arguments } => Operand::Call {
            function: Function::parse(function).unwrap_or(Function::IfNotExists),
            operands: arguments.clone(),
        },
        Node::Value(slot) => Operand::Value(*slot),
        other => unreachable!("{other:?} is nothing that SET assigns"),
    }
}

impl Bound<Update> {
    /// Refuses an update of a key attribute.
    pub fn check_keys(&self, keys: &[&str]) -> Result<(), ExpressionError> {
        let roots = self.program.targets(self.scope()).map(Resolved::root);
        match roots.into_iter().find(|root| keys.contains(root)) {
            Some(root) => Err(ExpressionError::invalid(format!(
                "One or more parameter values were invalid: Cannot update attribute {root}. This attribute is part of the key"
            ))),
            None => Ok(()),
        }
    }

    /// The attributes that the update changes, and whether it changes parts of them.
    pub fn roots(&self) -> impl Iterator<Item = (&str, bool)> {
        roots(self.program.targets(self.scope()))
    }

    /// The attributes that all its paths start at, those it reads too, and whether they go on from there.
    pub fn all_roots(&self) -> impl Iterator<Item = (&str, bool)> {
        roots(self.program.paths.iter().map(|path| self.scope().path(path)))
    }

    /// The type that the update gives an attribute, as far as the request alone tells.
    pub fn given_type(&self, attribute: &str) -> Option<Type> {
        let value = |slot: u32| self.scope().value(slot).map(Value::kind);
        let action = self.program.actions.iter().find(|action| {
            let target = self.scope().path(&self.program.paths[action.path as usize]);
            target.root() == attribute && !target.is_nested()
        })?;
        match action.change {
            Change::Set(operand) => match &self.program.operands[operand as usize] {
                Operand::Value(slot) => value(*slot),
                Operand::Arithmetic { .. } => Some(Type::N),
                Operand::Call { function: Function::ListAppend, .. } => Some(Type::L),
                Operand::Path(_) | Operand::Call { .. } => None,
            },
            Change::Add(slot) | Change::Delete(slot) => value(slot),
            Change::Remove => None,
        }
    }

    /// The parts of an item that the update changes, in their parents' shape: what UPDATED_OLD returns of the item
    /// before, and UPDATED_NEW of the item after.
    pub fn touched(&self, item: View<'_>) -> Result<Item, ExpressionError> {
        let paths: Vec<Resolved<'_>> = self.program.targets(self.scope()).collect();
        Ok(path::project(&paths, &self.ready, item)?)
    }
}

impl Function {
    fn parse(name: &str) -> Option<Function> {
        match name {
            "if_not_exists" => Some(Function::IfNotExists),
            "list_append" => Some(Function::ListAppend),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Function::IfNotExists => "if_not_exists",
            Function::ListAppend => "list_append",
        }
    }
}
