//! Conditions and filters: compiled to tests and jumps between them.

mod check;
mod compile;
mod evaluate;

use super::bind::Placeholders;
use super::error::{ExpressionError, Parameter};
use super::parse::{Comparator, Mention};
use super::path::Path;

pub(super) use compile::compile;

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

const SIZE: &str = "size";

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
