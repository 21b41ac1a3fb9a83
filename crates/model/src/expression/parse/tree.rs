//! What is read: a tree in an arena, in which children come before their parents.

/// A place in [`Parser::nodes`].
pub(in crate::expression) type NodeId = u32;

#[derive(Debug)]
pub(in crate::expression) enum Node {
    Path(u32),
    Value(u32),
    Call { function: Box<str>, arguments: Box<[NodeId]> },
    Arithmetic { operator: Arithmetic, operands: [NodeId; 2] },
    Compare { operator: Comparator, operands: [NodeId; 2] },
    Between { operands: [NodeId; 3] },
    In { operand: NodeId, candidates: Box<[NodeId]> },
    Not(NodeId),
    And(NodeId, NodeId),
    Or(NodeId, NodeId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::expression) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::expression) enum Arithmetic {
    Plus,
    Minus,
}

impl Comparator {
    pub fn as_str(self) -> &'static str {
        match self {
            Comparator::Equal => "=",
            Comparator::NotEqual => "<>",
            Comparator::Less => "<",
            Comparator::LessOrEqual => "<=",
            Comparator::Greater => ">",
            Comparator::GreaterOrEqual => ">=",
        }
    }

    /// The comparator that says the same with its operands swapped.
    pub fn swapped(self) -> Comparator {
        match self {
            Comparator::Less => Comparator::Greater,
            Comparator::LessOrEqual => Comparator::GreaterOrEqual,
            Comparator::Greater => Comparator::Less,
            Comparator::GreaterOrEqual => Comparator::LessOrEqual,
            same => same,
        }
    }
}

impl Arithmetic {
    pub fn as_str(self) -> &'static str {
        match self {
            Arithmetic::Plus => "+",
            Arithmetic::Minus => "-",
        }
    }
}
