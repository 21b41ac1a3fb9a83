//! Updates: what to change in an item.

use super::bind::{Bound, Placeholders, Scope, roots, sealed::Compiled};
use super::error::{
    ExpressionError, Parameter, REDUNDANT_PARENTHESES, misused_function, operand_count, operand_type,
    path_required, undefined_name, undefined_value, unknown_function,
};
use super::parse::{Arithmetic, Node, NodeId, Parser};
use super::path::{self, Path, Place, Resolved};
use super::projection::check_collisions;
use super::token::Kind;
use crate::{DEPTH_MAX, Item, NumberError, Type, Value, View};

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
    fn targets<'a>(&'a self, scope: Scope<'a>) -> impl Iterator<Item = Resolved<'a>> + Clone {
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

    /// The item after the update. Every right-hand side reads the old item, which need not exist.
    pub fn apply(&self, old: Option<&Item>, key: &Item) -> Result<Updated, ExpressionError> {
        self.apply_to(old.cloned(), key)
    }

    /// Like [`Bound::apply`], for a caller that needs the old item no longer.
    pub fn apply_to(&self, old: Option<Item>, key: &Item) -> Result<Updated, ExpressionError> {
        let existed = old.is_some();
        // Of an item that is made by the update, the key is there to be read. [suite: dynalite]
        let mut item = old.unwrap_or_else(|| key.clone());
        // First everything that reads, then everything that writes: actions see the item as it was.
        let mut writes = Vec::with_capacity(self.ready.len());
        let mut removals = Vec::new();
        for at in &self.ready {
            let action = &self.program.actions[*at as usize];
            let target = self.scope().path(&self.program.paths[action.path as usize]);
            match self.effect(action, target, &item, existed)? {
                Effect::Write(value) => writes.push((target, value)),
                Effect::Remove => removals.push(target),
                Effect::Nothing => {}
            }
        }
        let exists = existed || !writes.is_empty();
        // In the order of their paths, so that elements beyond a list's end are appended in order.
        for (target, value) in writes {
            write(&mut item, target, value)?;
        }
        // Against the order, so that a removed element does not move those that are yet to be removed.
        for target in removals.into_iter().rev() {
            remove(&mut item, target);
        }
        Ok(Updated { item, exists })
    }

    /// What an action does to the item as it was.
    fn effect(
        &self,
        action: &Action,
        target: Resolved<'_>,
        item: &Item,
        existed: bool,
    ) -> Result<Effect, ExpressionError> {
        let (Change::Remove | Change::Add(_) | Change::Delete(_)) = action.change else {
            let Change::Set(operand) = action.change else { return Ok(Effect::Nothing) };
            return self.operand(operand, item).map(|value| Effect::Write(value.into_owned()));
        };
        let found = target.find(item.view())?;
        if found.is_none() && (existed || action.change != Change::Remove) {
            check_parent(item, target)?;
        }
        let slot = match action.change {
            Change::Add(slot) | Change::Delete(slot) => slot,
            Change::Set(_) | Change::Remove => {
                return Ok(if found.is_some() { Effect::Remove } else { Effect::Nothing });
            }
        };
        let operand = self.scope().value(slot).unwrap_or(&Value::Null);
        let adds = matches!(action.change, Change::Add(_));
        match found {
            None if adds => Ok(Effect::Write(operand.clone())),
            None => Ok(Effect::Nothing),
            Some(found) if adds => add(found.to_value()?, operand).map(Effect::Write),
            Some(found) => subtract(found.to_value()?, operand),
        }
    }

    /// The value of an operand of SET. Calls are nested less deeply than an expression is long.
    fn operand<'a>(&'a self, operand: NodeId, item: &'a Item) -> Result<Owned<'a>, ExpressionError> {
        match &self.program.operands[operand as usize] {
            Operand::Value(slot) => Ok(Owned::Borrowed(self.scope().value(*slot).unwrap_or(&Value::Null))),
            Operand::Path(path) => self.lookup(*path, item).ok_or_else(|| {
                ExpressionError::invalid(
                    "The provided expression refers to an attribute that does not exist in the item",
                )
            }),
            Operand::Arithmetic { operator, operands: [left, right] } => {
                let (left, right) = (self.operand(*left, item)?, self.operand(*right, item)?);
                let (Value::N(left), Value::N(right)) = (left.get(), right.get()) else {
                    return Err(wrong_type());
                };
                let result = match operator {
                    Arithmetic::Plus => left.checked_add(*right),
                    Arithmetic::Minus => left.checked_sub(*right),
                };
                result.map(|number| Owned::Owned(Value::N(number))).map_err(arithmetic)
            }
            Operand::Call { function: Function::IfNotExists, operands } => {
                match &self.program.operands[operands[0] as usize] {
                    Operand::Path(path) => match self.lookup(*path, item) {
                        Some(found) => Ok(found),
                        None => self.operand(operands[1], item),
                    },
                    _ => self.operand(operands[1], item),
                }
            }
            Operand::Call { function: Function::ListAppend, operands } => {
                let front = self.operand(operands[0], item)?;
                let back = self.operand(operands[1], item)?;
                let (Value::L(front), Value::L(back)) = (front.into_owned(), back.get()) else {
                    return Err(wrong_type());
                };
                let mut list = front;
                list.extend_from_slice(back);
                Ok(Owned::Owned(Value::L(list)))
            }
        }
    }

    fn lookup<'a>(&'a self, path: u32, item: &'a Item) -> Option<Owned<'a>> {
        let mut places = self.scope().path(&self.program.paths[path as usize]).places();
        let Some(Place::Name(root)) = places.next() else { return None };
        places.try_fold(item.get(root)?, step).map(Owned::Borrowed)
    }
}

enum Effect {
    Write(Value),
    Remove,
    Nothing,
}

/// A value that is copied only when it has to be.
enum Owned<'a> {
    Borrowed(&'a Value),
    Owned(Value),
}

impl Owned<'_> {
    fn get(&self) -> &Value {
        match self {
            Owned::Borrowed(value) => value,
            Owned::Owned(value) => value,
        }
    }

    fn into_owned(self) -> Value {
        match self {
            Owned::Borrowed(value) => value.clone(),
            Owned::Owned(value) => value,
        }
    }
}

fn add(found: Value, operand: &Value) -> Result<Value, ExpressionError> {
    match (found, operand) {
        (Value::N(number), Value::N(addend)) => number.checked_add(*addend).map(Value::N).map_err(arithmetic),
        (Value::Ss(set), Value::Ss(more)) => Ok(Value::Ss(union(set, more))),
        (Value::Ns(set), Value::Ns(more)) => Ok(Value::Ns(union(set, more))),
        (Value::Bs(set), Value::Bs(more)) => Ok(Value::Bs(union(set, more))),
        _ => Err(wrong_type()),
    }
}

/// An attribute goes with the last element of its set.
fn subtract(found: Value, operand: &Value) -> Result<Effect, ExpressionError> {
    let left = match (found, operand) {
        (Value::Ss(set), Value::Ss(less)) => Value::Ss(difference(set, less)),
        (Value::Ns(set), Value::Ns(less)) => Value::Ns(difference(set, less)),
        (Value::Bs(set), Value::Bs(less)) => Value::Bs(difference(set, less)),
        _ => return Err(wrong_type()),
    };
    Ok(match &left {
        Value::Ss(set) if set.is_empty() => Effect::Remove,
        Value::Ns(set) if set.is_empty() => Effect::Remove,
        Value::Bs(set) if set.is_empty() => Effect::Remove,
        _ => Effect::Write(left),
    })
}

fn union<T: Ord + Clone>(mut set: Vec<T>, more: &[T]) -> Vec<T> {
    set.extend_from_slice(more);
    set.sort();
    set.dedup();
    set
}

fn difference<T: Ord>(mut set: Vec<T>, less: &[T]) -> Vec<T> {
    set.retain(|element| less.binary_search(element).is_err());
    set
}

/// What a path leads to must have something to be in.
fn check_parent(item: &Item, target: Resolved<'_>) -> Result<(), ExpressionError> {
    let mut places = target.places();
    let (Some(Place::Name(root)), true) = (places.next(), places.len() > 0) else {
        return Ok(());
    };
    let depth = places.len() - 1;
    let parent = item.get(root).and_then(|root| places.clone().take(depth).try_fold(root, step));
    match (parent, places.last()) {
        (Some(Value::M(_)), Some(Place::Name(_))) | (Some(Value::L(_)), Some(Place::Index(_))) => Ok(()),
        _ => Err(invalid_path()),
    }
}

fn step<'a>(value: &'a Value, place: Place<'_>) -> Option<&'a Value> {
    match (value, place) {
        (Value::M(map), Place::Name(name)) => map.get(name),
        (Value::L(list), Place::Index(index)) => list.get(index as usize),
        _ => None,
    }
}

fn write(item: &mut Item, target: Resolved<'_>, value: Value) -> Result<(), ExpressionError> {
    if target.is_nested() && target.places().len() - 1 + value.depth() > DEPTH_MAX {
        return Err(ExpressionError::invalid(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
        ));
    }
    match parent_mut(item, target).ok_or_else(invalid_path)? {
        (Parent::Map(map), Place::Name(name)) => match map.get_mut(name) {
            Some(place) => *place = value,
            None => drop(map.insert(name, value)),
        },
        (Parent::List(list), Place::Index(index)) => match list.get_mut(index as usize) {
            Some(place) => *place = value,
            None => list.push(value),
        },
        _ => return Err(invalid_path()),
    }
    Ok(())
}

fn remove(item: &mut Item, target: Resolved<'_>) {
    match parent_mut(item, target) {
        Some((Parent::Map(map), Place::Name(name))) => drop(map.remove(name)),
        Some((Parent::List(list), Place::Index(index))) if (index as usize) < list.len() => {
            list.remove(index as usize);
        }
        _ => {}
    }
}

enum Parent<'a> {
    Map(&'a mut Item),
    List(&'a mut Vec<Value>),
}

/// What the last step of a path is to be taken in, and that step.
fn parent_mut<'a, 'p>(item: &'a mut Item, target: Resolved<'p>) -> Option<(Parent<'a>, Place<'p>)> {
    let mut places = target.places();
    let mut parent = Parent::Map(item);
    let mut place = places.next()?;
    for next in places {
        let value = match (parent, place) {
            (Parent::Map(map), Place::Name(name)) => map.get_mut(name)?,
            (Parent::List(list), Place::Index(index)) => list.get_mut(index as usize)?,
            _ => return None,
        };
        parent = match value {
            Value::M(map) => Parent::Map(map),
            Value::L(list) => Parent::List(list),
            _ => return None,
        };
        place = next;
    }
    Some((parent, place))
}

fn wrong_type() -> ExpressionError {
    ExpressionError::invalid("An operand in the update expression has an incorrect data type")
}

fn invalid_path() -> ExpressionError {
    ExpressionError::invalid("The document path provided in the update expression is invalid for update")
}

fn arithmetic(error: NumberError) -> ExpressionError {
    ExpressionError::invalid(error.to_string())
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
