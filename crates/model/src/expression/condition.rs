//! Conditions and filters: compiled to tests and jumps between them.

use super::bind::{Bound, Placeholders, Scope, roots, sealed::Compiled};
use super::error::{
    ExpressionError, Parameter, REDUNDANT_PARENTHESES, misused_function, operand_count, operand_type,
    path_required, undefined_name, undefined_value, unknown_function,
};
use super::parse::{Comparator, Mention, Node, NodeId, Parser};
use super::path::{Path, Resolved};
use crate::{CorruptImage, Number, Type, Value, ValueView, View};
use std::cmp::Ordering;

/// A condition or a filter.
#[derive(Debug)]
pub struct Condition {
    parameter: Parameter,
    pub(super) placeholders: Placeholders,
    mentions: Box<[Mention]>,
    pub(super) paths: Box<[Path]>,
    /// In the order of the text, which is the order in which their faults are told.
    pub(super) terms: Box<[Term]>,
    code: Box<[Code]>,
}

/// A comparison or function: what is true or false of an item by itself.
#[derive(Debug)]
pub(super) struct Term {
    pub test: Test,
    /// Where the term's placeholders end in `mentions`; they begin where the term before has its end.
    mentions_end: u32,
    /// What is wrong with it whatever the request says.
    fault: Option<Fault>,
}

#[derive(Debug)]
pub(super) enum Test {
    Compare { operator: Comparator, operands: [Operand; 2] },
    Between { operands: [Operand; 3] },
    In { operand: Operand, candidates: Box<[Operand]> },
    Function { function: Function, operands: Box<[Operand]> },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    Path(u32),
    Value(u32),
    SizeOfPath(u32),
    SizeOfValue(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    BeginsWith,
    Contains,
}

/// One step of the program, which has one flag: what the last test said.
#[derive(Clone, Copy, Debug)]
enum Code {
    Test(u32),
    Not,
    JumpIfFalse(u32),
    JumpIfTrue(u32),
}

#[derive(Debug)]
enum Fault {
    Count(String),
    Type(String),
}

/// A condition's connectives and terms, each before what it connects.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    And,
    Or,
    Not,
    Term(u32),
}

const CANDIDATES_MAX: usize = 100;
const SIZE: &str = "size";
const UPDATE_FUNCTIONS: [&str; 2] = ["if_not_exists", "list_append"];

impl Condition {
    /// Compiles a ConditionExpression.
    pub fn compile(text: &str) -> Result<Condition, ExpressionError> {
        compile(Parameter::Condition, text).map(|(condition, _)| condition)
    }

    /// Compiles a FilterExpression: the same language, told of by its own name.
    pub fn compile_filter(text: &str) -> Result<Condition, ExpressionError> {
        compile(Parameter::Filter, text).map(|(condition, _)| condition)
    }
}

/// Compiles a condition that came as that parameter, and tells its shape.
pub(super) fn compile(parameter: Parameter, text: &str) -> Result<(Condition, Vec<Shape>), ExpressionError> {
    let mut parser = Parser::new(parameter, text)?;
    let root = parser.condition()?;
    if parser.redundant_parentheses {
        return Err(parser.error(REDUNDANT_PARENTHESES));
    }
    check_functions(&parser, root).map_err(|message| parser.error(message))?;
    parser.check_names()?;

    let mut program = Compiler { parser: &parser, terms: Vec::new(), code: Vec::new(), shape: Vec::new() };
    program.compile(root);
    let Compiler { terms, code, shape, .. } = program;
    let condition = Condition {
        parameter,
        terms: terms.into(),
        code: code.into(),
        placeholders: parser.placeholders,
        mentions: parser.mentions.into(),
        paths: parser.paths.into(),
    };
    Ok((condition, shape))
}

/// Every function must be known, and stand where it may: `size` as an operand, the others as conditions.
fn check_functions(parser: &Parser<'_>, root: NodeId) -> Result<(), String> {
    let name = |node: NodeId| match &parser.nodes[node as usize] {
        Node::Call { function, .. } => Some(&**function),
        _ => None,
    };
    let known =
        |name: &str| name == SIZE || Function::parse(name).is_some() || UPDATE_FUNCTIONS.contains(&name);
    let mut names = (0..parser.nodes.len() as NodeId).filter_map(name);
    if let Some(unknown) = names.find(|name| !known(name)) {
        return Err(unknown_function(unknown));
    }
    let as_operand = |nodes: &[NodeId]| {
        nodes.iter().filter_map(|node| name(*node)).find(|name| *name != SIZE).map(misused_function)
    };
    let as_condition = |nodes: &[NodeId]| {
        nodes
            .iter()
            .filter_map(|node| name(*node))
            .find(|name| Function::parse(name).is_none())
            .map(misused_function)
    };
    for node in &parser.nodes {
        let misused = match node {
            Node::Path(_) | Node::Value(_) => None,
            Node::Call { arguments, .. } => as_operand(arguments),
            Node::Arithmetic { operands, .. } | Node::Compare { operands, .. } => as_operand(operands),
            Node::Between { operands } => as_operand(operands),
            Node::In { operand, candidates } => as_operand(&[*operand]).or_else(|| as_operand(candidates)),
            Node::Not(node) => as_condition(&[*node]),
            Node::And(left, right) | Node::Or(left, right) => as_condition(&[*left, *right]),
        };
        misused.map_or(Ok(()), Err)?;
    }
    as_condition(&[root]).map_or(Ok(()), Err)
}

struct Compiler<'p, 't> {
    parser: &'p Parser<'t>,
    terms: Vec<Term>,
    code: Vec<Code>,
    shape: Vec<Shape>,
}

impl Compiler<'_, '_> {
    /// The depth of connectives is bounded by how many operators an expression may have.
    fn compile(&mut self, node: NodeId) {
        match &self.parser.nodes[node as usize] {
            Node::And(left, right) => self.connect(Shape::And, Code::JumpIfFalse, *left, *right),
            Node::Or(left, right) => self.connect(Shape::Or, Code::JumpIfTrue, *left, *right),
            Node::Not(inner) => {
                self.shape.push(Shape::Not);
                self.compile(*inner);
                self.code.push(Code::Not);
            }
            _ => {
                let term = self.terms.len() as u32;
                self.shape.push(Shape::Term(term));
                self.code.push(Code::Test(term));
                let term = self.term(node);
                self.terms.push(term);
            }
        }
    }

    fn connect(&mut self, shape: Shape, jump: fn(u32) -> Code, left: NodeId, right: NodeId) {
        self.shape.push(shape);
        self.compile(left);
        let at = self.code.len();
        self.code.push(jump(0));
        self.compile(right);
        self.code[at] = jump(self.code.len() as u32);
    }

    fn term(&self, node: NodeId) -> Term {
        let mut fault = None;
        let test = match &self.parser.nodes[node as usize] {
            Node::Compare { operator, operands } => Test::Compare {
                operator: *operator,
                operands: operands.map(|operand| self.operand(operand, &mut fault)),
            },
            Node::Between { operands } => {
                Test::Between { operands: operands.map(|operand| self.operand(operand, &mut fault)) }
            }
            Node::In { operand, candidates } => {
                let operand = self.operand(*operand, &mut fault);
                let candidates: Box<[Operand]> =
                    candidates.iter().map(|candidate| self.operand(*candidate, &mut fault)).collect();
                if candidates.len() > CANDIDATES_MAX {
                    fault.get_or_insert(Fault::Count(format!(
                        "The IN operator is provided with too many operands; number of operands: {}",
                        candidates.len()
                    )));
                }
                Test::In { operand, candidates }
            }
            Node::Call { function: name, arguments } => {
                let operands: Box<[Operand]> =
                    arguments.iter().map(|argument| self.operand(*argument, &mut fault)).collect();
                let function = Function::parse(name).unwrap_or(Function::AttributeExists);
                if operands.len() != function.arity() {
                    fault = Some(Fault::Count(operand_count(name, operands.len())));
                }
                Test::Function { function, operands }
            }
            Node::Path(_) | Node::Value(_) | Node::Arithmetic { .. } => unreachable!("operands are no terms"),
            Node::Not(_) | Node::And(..) | Node::Or(..) => unreachable!("connectives are no terms"),
        };
        Term { test, mentions_end: self.parser.mentions_at[node as usize], fault }
    }

    fn operand(&self, node: NodeId, fault: &mut Option<Fault>) -> Operand {
        let arguments = match &self.parser.nodes[node as usize] {
            Node::Path(path) => return Operand::Path(*path),
            Node::Value(slot) => return Operand::Value(*slot),
            Node::Call { arguments, .. } => arguments,
            other => unreachable!("{other:?} is no operand"),
        };
        if arguments.len() != 1 {
            fault.get_or_insert(Fault::Count(operand_count(SIZE, arguments.len())));
        }
        // The size of a size could only be asked of a number, which has none.
        match &self.parser.nodes[arguments[0] as usize] {
            Node::Path(path) => Operand::SizeOfPath(*path),
            Node::Value(slot) => Operand::SizeOfValue(*slot),
            _ => {
                fault.get_or_insert(Fault::Type(operand_type(SIZE, Type::N)));
                Operand::Value(0)
            }
        }
    }
}

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

    fn resolved<'a>(&'a self, path: u32, scope: Scope<'a>) -> Resolved<'a> {
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
        "The BETWEEN operator requires {rule}; lower bound operand: AttributeValue: {}, upper bound operand: AttributeValue: {}",
        shown(low),
        shown(high)
    ))
}

/// A scalar as errors show it: `{N:1}`.
fn shown(value: &Value) -> String {
    match value {
        Value::S(text) => format!("{{S:{text}}}"),
        Value::N(number) => format!("{{N:{number}}}"),
        Value::B(bytes) => format!("{{B:{}}}", bytes.escape_ascii()),
        other => format!("{{{}}}", other.kind()),
    }
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

impl Bound<Condition> {
    /// Whether the item satisfies the condition; `None` is an item that does not exist.
    pub fn evaluate(&self, item: Option<View<'_>>) -> Result<bool, ExpressionError> {
        let condition = &*self.program;
        let facts = Facts { condition, scope: self.scope(), item: item.unwrap_or_default() };
        let (mut at, mut truth) = (0, true);
        while let Some(code) = condition.code.get(at) {
            at += 1;
            match *code {
                Code::Test(term) => truth = facts.test(&condition.terms[term as usize].test)?,
                Code::Not => truth = !truth,
                Code::JumpIfFalse(to) if !truth => at = to as usize,
                Code::JumpIfTrue(to) if truth => at = to as usize,
                Code::JumpIfFalse(_) | Code::JumpIfTrue(_) => {}
            }
        }
        Ok(truth)
    }

    /// The attributes that the condition looks at, and whether it looks inside them.
    pub fn roots(&self) -> impl Iterator<Item = (&str, bool)> {
        roots(self.program.paths.iter().map(|path| self.scope().path(path)))
    }
}

/// A bound condition and the item it is asked about.
struct Facts<'c, 'i> {
    condition: &'c Condition,
    scope: Scope<'c>,
    item: View<'i>,
}

impl<'c: 'i, 'i> Facts<'c, 'i> {
    fn test(&self, test: &Test) -> Result<bool, CorruptImage> {
        match test {
            Test::Compare { operator, operands: [left, right] } => {
                let (Some(left), Some(right)) = (self.operand(left)?, self.operand(right)?) else {
                    // What is not there differs from everything, and has no order.
                    return Ok(*operator == Comparator::NotEqual);
                };
                compare(*operator, &left, &right)
            }
            Test::Between { operands: [operand, low, high] } => {
                let (Some(value), Some(low), Some(high)) =
                    (self.operand(operand)?, self.operand(low)?, self.operand(high)?)
                else {
                    return Ok(false);
                };
                Ok(compare(Comparator::GreaterOrEqual, &value, &low)?
                    && compare(Comparator::LessOrEqual, &value, &high)?)
            }
            Test::In { operand, candidates } => {
                let Some(value) = self.operand(operand)? else {
                    return Ok(false);
                };
                for candidate in candidates {
                    if let Some(candidate) = self.operand(candidate)?
                        && value.same(&candidate)?
                    {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::Function { function, operands } => self.call(*function, operands),
        }
    }

    fn call(&self, function: Function, operands: &[Operand]) -> Result<bool, CorruptImage> {
        let first = self.operand(&operands[0])?;
        match function {
            Function::AttributeExists => return Ok(first.is_some()),
            Function::AttributeNotExists => return Ok(first.is_none()),
            _ => {}
        }
        let (Some(first), Some(second)) = (first, self.operand(&operands[1])?) else {
            return Ok(false);
        };
        match (function, first, second) {
            (Function::AttributeType, value, ValueView::S(descriptor)) => {
                Ok(value.kind().as_str() == descriptor)
            }
            (Function::BeginsWith, ValueView::S(text), ValueView::S(prefix)) => Ok(text.starts_with(prefix)),
            (Function::BeginsWith, ValueView::B(bytes), ValueView::B(prefix)) => {
                Ok(bytes.starts_with(prefix))
            }
            (Function::Contains, whole, part) => contains(whole, part),
            _ => Ok(false),
        }
    }

    fn operand(&self, operand: &Operand) -> Result<Option<ValueView<'i>>, CorruptImage> {
        let path = |path: u32| self.condition.resolved(path, self.scope).find(self.item);
        let value = |slot: u32| self.scope.value(slot).map(ValueView::from);
        Ok(match *operand {
            Operand::Path(at) => path(at)?,
            Operand::Value(slot) => value(slot),
            Operand::SizeOfPath(at) => path(at)?.as_ref().and_then(size),
            Operand::SizeOfValue(slot) => value(slot).as_ref().and_then(size),
        })
    }
}

fn compare(operator: Comparator, left: &ValueView<'_>, right: &ValueView<'_>) -> Result<bool, CorruptImage> {
    let ordered = |fits: fn(Ordering) -> bool| Ok(left.compare(right).is_some_and(fits));
    match operator {
        Comparator::Equal => left.same(right),
        Comparator::NotEqual => left.same(right).map(|same| !same),
        Comparator::Less => ordered(Ordering::is_lt),
        Comparator::LessOrEqual => ordered(Ordering::is_le),
        Comparator::Greater => ordered(Ordering::is_gt),
        Comparator::GreaterOrEqual => ordered(Ordering::is_ge),
    }
}

/// Whether a text has a part, a binary has bytes, or a set or list has an element.
fn contains(whole: ValueView<'_>, part: ValueView<'_>) -> Result<bool, CorruptImage> {
    let among = |elements: &mut dyn Iterator<Item = Result<ValueView<'_>, CorruptImage>>| {
        for element in elements {
            if element?.same(&part)? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    match (whole, part) {
        (ValueView::S(text), ValueView::S(part)) => Ok(text.contains(part)),
        (ValueView::B(bytes), ValueView::B(part)) => {
            Ok(part.is_empty() || bytes.windows(part.len()).any(|window| window == part))
        }
        (ValueView::L(list), _) => among(&mut list.iter()),
        (ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set), _) => among(&mut set.iter()),
        _ => Ok(false),
    }
}

/// The size of what has one: the length of a text, the bytes of a binary, the elements of the rest.
fn size<'a>(value: &ValueView<'_>) -> Option<ValueView<'a>> {
    let size = match value {
        // In the units of the service's own strings.
        ValueView::S(text) => text.encode_utf16().count(),
        ValueView::B(bytes) => bytes.len(),
        ValueView::L(list) => list.len(),
        ValueView::M(map) => map.len(),
        ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set) => set.len(),
        ValueView::N(_) | ValueView::Bool(_) | ValueView::Null => return None,
    };
    Some(ValueView::N(Number::from(size as u64)))
}

impl Test {
    fn each_operand(&self, mut check: impl FnMut(&Operand) -> Result<(), String>) -> Result<(), String> {
        match self {
            Test::Compare { operands, .. } => operands.iter().try_for_each(check),
            Test::Between { operands } => operands.iter().try_for_each(check),
            Test::In { operand, candidates } => {
                check(operand)?;
                candidates.iter().try_for_each(check)
            }
            Test::Function { operands, .. } => operands.iter().try_for_each(check),
        }
    }
}

impl Function {
    fn parse(name: &str) -> Option<Function> {
        Some(match name {
            "attribute_exists" => Function::AttributeExists,
            "attribute_not_exists" => Function::AttributeNotExists,
            "attribute_type" => Function::AttributeType,
            "begins_with" => Function::BeginsWith,
            "contains" => Function::Contains,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Function::AttributeExists => "attribute_exists",
            Function::AttributeNotExists => "attribute_not_exists",
            Function::AttributeType => "attribute_type",
            Function::BeginsWith => "begins_with",
            Function::Contains => "contains",
        }
    }

    fn arity(self) -> usize {
        match self {
            Function::AttributeExists | Function::AttributeNotExists => 1,
            Function::AttributeType | Function::BeginsWith | Function::Contains => 2,
        }
    }
}
