//! What a statement says, as a tree.

use crate::{Item, Number, Value};

#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    Select(Select),
    /// Of transactions: whether a selection finds its item.
    Exists(Select),
    Insert {
        table: String,
        item: Literal,
    },
    Update {
        table: String,
        changes: Vec<Change>,
        condition: Condition,
        returned: Option<Returned>,
    },
    Delete {
        table: String,
        condition: Condition,
        returned: Option<Returned>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// None for `*`.
    pub paths: Option<Vec<Path>>,
    pub from: Target,
    pub condition: Option<Condition>,
    /// From the first that decides on; empty where nothing is asked.
    pub order: Vec<Order>,
}

/// A table, or an index of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub table: String,
    pub index: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub by: String,
    pub descending: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub root: String,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Field(String),
    Element(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    AttributeType,
    BeginsWith,
    Contains,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Two or more.
    And(Vec<Condition>),
    /// Two or more.
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Comparison, Term, Term),
    Between(Term, Term, Term),
    In(Term, Vec<Term>),
    Missing(Path),
    Null(Path),
    Call(Function, Path, Term),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    Path(Path),
    Literal(Literal),
    Size(Path),
}

/// A value as written: parameters stand in it by their number, from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Text(String),
    Number(Number),
    Bool(bool),
    Null,
    List(Vec<Literal>),
    Set(Vec<Literal>),
    Map(Vec<(String, Literal)>),
    Parameter(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Set(Path, Assigned),
    Remove(Path),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Assigned {
    Term(Term),
    Plus(Term, Term),
    Minus(Term, Term),
    ListAppend(Term, Term),
    /// To the set that is assigned to.
    SetAdd(Literal),
    SetDelete(Literal),
}

/// `RETURNING ALL|MODIFIED OLD|NEW *`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    pub all: bool,
    pub new: bool,
}

impl Path {
    /// Whether it is an attribute of the item itself.
    pub fn is(&self, attribute: &str) -> bool {
        self.steps.is_empty() && self.root == attribute
    }
}

impl Literal {
    /// The value, with the parameters' values in their places.
    pub fn value(&self, parameters: &[Value]) -> Result<Value, String> {
        Ok(match self {
            Literal::Text(text) => Value::S(text.clone()),
            Literal::Number(number) => Value::N(*number),
            Literal::Bool(is) => Value::Bool(*is),
            Literal::Null => Value::Null,
            Literal::List(elements) => Value::L(values(elements, parameters)?),
            Literal::Set(elements) => set(values(elements, parameters)?)?,
            Literal::Map(members) => {
                let mut map = Item::with_capacity(members.len());
                for (name, literal) in members {
                    if map.insert(name.as_str(), literal.value(parameters)?).is_some() {
                        return Err(format!("Item contains duplicate keys: {name}"));
                    }
                }
                Value::M(map)
            }
            Literal::Parameter(number) => parameters
                .get(*number)
                .cloned()
                .ok_or("Number of parameters in request and statement don't match.")?,
        })
    }
}

fn values(literals: &[Literal], parameters: &[Value]) -> Result<Vec<Value>, String> {
    literals.iter().map(|literal| literal.value(parameters)).collect()
}

/// A set has one type of elements, which its first one tells.
fn set(elements: Vec<Value>) -> Result<Value, String> {
    let (mut texts, mut numbers, mut binaries) = (Vec::new(), Vec::new(), Vec::new());
    let count = elements.len();
    for element in elements {
        match element {
            Value::S(text) => texts.push(text),
            Value::N(number) => numbers.push(number),
            Value::B(bytes) => binaries.push(bytes),
            _ => return Err("Only strings, numbers and binaries can be elements of a set".to_owned()),
        }
    }
    let built = if texts.len() == count {
        Value::string_set(texts)
    } else if numbers.len() == count {
        Value::number_set(numbers)
    } else if binaries.len() == count {
        Value::binary_set(binaries)
    } else {
        return Err("All elements of a set must have the same type".to_owned());
    };
    built.map_err(|_| "A set may not be empty or contain duplicates".to_owned())
}
