//! What is wrong with an expression, in the service's words.

use super::path::Resolved;
use crate::CorruptImage;
use std::fmt;

/// What is wrong, in the service's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    pub kind: ErrorKind,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong: a ValidationException.
    Invalid,
    /// The stored item is damaged: nothing the client could do about it.
    Corrupt,
}

/// Which parameter an expression came in. Most errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Condition,
    Filter,
    KeyCondition,
    Projection,
    Update,
}

impl ExpressionError {
    pub(super) fn invalid(message: impl Into<String>) -> ExpressionError {
        ExpressionError { kind: ErrorKind::Invalid, message: message.into() }
    }
}

impl Parameter {
    pub fn error(self, message: impl fmt::Display) -> ExpressionError {
        let name = match self {
            Parameter::Condition => "ConditionExpression",
            Parameter::Filter => "FilterExpression",
            Parameter::KeyCondition => "KeyConditionExpression",
            Parameter::Projection => "ProjectionExpression",
            Parameter::Update => "UpdateExpression",
        };
        ExpressionError::invalid(format!("Invalid {name}: {message}"))
    }
}

impl From<CorruptImage> for ExpressionError {
    fn from(corrupt: CorruptImage) -> ExpressionError {
        ExpressionError { kind: ErrorKind::Corrupt, message: corrupt.to_string() }
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExpressionError {}

// The messages that more than one kind of expression has.

pub(super) fn undefined_name(placeholder: &str) -> String {
    format!(
        "An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
    )
}

pub(super) fn undefined_value(placeholder: &str) -> String {
    format!("An expression attribute value used in expression is not defined; attribute value: {placeholder}")
}

pub(super) fn operand_count(operator: &str, count: usize) -> String {
    format!(
        "Incorrect number of operands for operator or function; operator or function: {operator}, number of operands: {count}"
    )
}

pub(super) fn operand_type(operator: &str, kind: impl fmt::Display) -> String {
    format!(
        "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {kind}"
    )
}

pub(super) fn path_required(function: &str) -> String {
    format!("Operator or function requires a document path; operator or function: {function}")
}

pub(super) fn unknown_function(function: &str) -> String {
    format!("Invalid function name; function: {function}")
}

pub(super) fn misused_function(function: &str) -> String {
    format!("The function is not allowed to be used this way in an expression; function: {function}")
}

pub(super) fn reserved_word(word: &str) -> String {
    format!("Attribute name is a reserved keyword; reserved keyword: {word}")
}

pub(super) fn collision(what: &str, one: Resolved<'_>, two: Resolved<'_>) -> String {
    format!(
        "Two document paths {what} with each other; must remove or rewrite one of these paths; path one: {one}, path two: {two}"
    )
}

pub(super) const REDUNDANT_PARENTHESES: &str = "The expression has redundant parentheses;";
