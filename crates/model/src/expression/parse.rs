//! From tokens to a tree: the grammar that conditions, updates and projections share.
//!
//! The parser keeps its own stack, so no nesting of parentheses, NOTs or calls can exhaust the thread's. The tree is
//! an arena in which children come before their parents.

use super::bind::Placeholders;
use super::error::{ExpressionError, Parameter, reserved_word};
use super::path::{Path, STEPS_MAX, Step};
use super::reserved::is_reserved;
use super::token::{Kind, Token, tokens};

/// A place in [`Parser::nodes`].
pub(super) type NodeId = u32;

#[derive(Debug)]
pub(super) enum Node {
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
pub(super) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Plus,
    Minus,
}

/// A placeholder, where it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mention {
    Name(u32),
    Value(u32),
}

/// The kind of expression that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grammar {
    /// Comparisons, functions and AND, OR, NOT.
    Condition,
    /// What SET assigns: an operand, or the sum or difference of two.
    SetValue,
}

pub(super) struct Parser<'t> {
    pub parameter: Parameter,
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    operators: usize,
    pub nodes: Vec<Node>,
    pub paths: Vec<Path>,
    pub placeholders: Placeholders,
    pub mentions: Vec<Mention>,
    /// How many mentions there were when each node was complete.
    pub mentions_at: Vec<u32>,
    pub redundant_parentheses: bool,
    /// The first reserved word used as a name.
    pub reserved: Option<String>,
}

/// What has just been read.
struct Item {
    node: NodeId,
    class: Class,
    /// Whether parentheses enclose exactly this.
    wrapped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Path,
    Value,
    Arithmetic,
    /// An operand, or by itself a condition: which of the two, the function decides later.
    Call,
    Condition,
}

/// What is waiting for the item to come.
enum Frame<'t> {
    Parenthesis { operand_only: bool },
    Call { function: &'t str, arguments: Vec<NodeId> },
    Arithmetic(Arithmetic, NodeId),
    Compare(Comparator, NodeId),
    BetweenLow(NodeId),
    BetweenHigh(NodeId, NodeId),
    In { operand: NodeId, candidates: Vec<NodeId> },
    Not,
    And(NodeId),
    Or(NodeId),
}

const OPERATORS_MAX: usize = 300;

impl<'t> Parser<'t> {
    pub fn new(parameter: Parameter, text: &'t str) -> Result<Parser<'t>, ExpressionError> {
        super::bind::check_text(parameter, text)?;
        Ok(Parser {
            parameter,
            text,
            tokens: tokens(text),
            at: 0,
            operators: 0,
            nodes: Vec::new(),
            paths: Vec::new(),
            placeholders: Placeholders::default(),
            mentions: Vec::new(),
            mentions_at: Vec::new(),
            redundant_parentheses: false,
            reserved: None,
        })
    }

    pub fn error(&self, message: impl std::fmt::Display) -> ExpressionError {
        self.parameter.error(message)
    }

    /// The next token fits nowhere: shown with its neighbours.
    pub fn syntax_error(&self) -> ExpressionError {
        let token = self.peek();
        let before = self.at.checked_sub(1).map_or(token.start, |at| self.tokens[at].start);
        let after = self.tokens.get(self.at + 1).map_or(token.end, |next| next.end);
        let shown = if token.kind == Kind::End { "<EOF>" } else { self.slice(token) };
        self.error(format_args!("Syntax error; token: \"{shown}\", near: \"{}\"", &self.text[before..after]))
    }

    pub fn peek(&self) -> Token {
        self.tokens[self.at]
    }

    pub fn slice(&self, token: Token) -> &'t str {
        &self.text[token.start..token.end]
    }

    pub fn advance(&mut self) -> Token {
        let token = self.tokens[self.at];
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Takes the next token if it is that symbol.
    pub fn accept(&mut self, symbol: char) -> bool {
        let accepted = self.peek().is(symbol);
        if accepted {
            self.advance();
        }
        accepted
    }

    pub fn expect(&mut self, kind: Kind) -> Result<Token, ExpressionError> {
        if self.peek().kind != kind {
            return Err(self.syntax_error());
        }
        Ok(self.advance())
    }

    /// Takes the next token if it is that word, in whatever case.
    pub fn accept_word(&mut self, word: &str) -> bool {
        let accepted = self.is_word(word);
        if accepted {
            self.advance();
        }
        accepted
    }

    fn is_word(&self, word: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Word && self.slice(token).eq_ignore_ascii_case(word)
    }

    /// Whether the next token is a word that this kind of expression has a use for.
    fn is_keyword(&self) -> bool {
        let keywords: &[&str] = match self.parameter {
            Parameter::Projection => &[],
            Parameter::Update => &["SET", "REMOVE", "ADD", "DELETE"],
            _ => &["AND", "OR", "NOT", "BETWEEN", "IN"],
        };
        keywords.iter().any(|keyword| self.is_word(keyword))
    }

    /// The first of the faults that are looked for in every expression before anything else.
    pub fn check_names(&self) -> Result<(), ExpressionError> {
        match &self.reserved {
            Some(word) => Err(self.error(reserved_word(word))),
            None => Ok(()),
        }
    }

    /// Reads a document path.
    pub fn path(&mut self) -> Result<u32, ExpressionError> {
        let mut steps = vec![self.name()?];
        self.path_rest(&mut steps)?;
        self.paths.push(Path { steps: steps.into() });
        Ok(self.paths.len() as u32 - 1)
    }

    fn path_rest(&mut self, steps: &mut Vec<Step>) -> Result<(), ExpressionError> {
        loop {
            if self.accept('.') {
                steps.push(self.name()?);
            } else if self.accept('[') {
                let token = self.expect(Kind::Index)?;
                let index = self.slice(token).parse::<i32>().map_err(|_| {
                    let index = self.slice(token);
                    self.error(format_args!("List index is not within the allowable range; index: [{index}]"))
                })?;
                self.expect(Kind::Symbol(']'))?;
                steps.push(Step::Index(index as u32));
            } else {
                break;
            }
        }
        match steps.len() {
            ..=STEPS_MAX => Ok(()),
            levels => Err(self.error(format_args!(
                "The document path has too many nesting levels; nesting levels: {levels}"
            ))),
        }
    }

    fn name(&mut self) -> Result<Step, ExpressionError> {
        match self.peek().kind {
            Kind::Word if !self.is_keyword() => {
                let token = self.advance();
                let name = self.slice(token);
                if self.reserved.is_none() && is_reserved(name) {
                    self.reserved = Some(name.to_owned());
                }
                Ok(Step::Name(name.into()))
            }
            Kind::Name => {
                let token = self.advance();
                let slot = self.placeholders.name(self.slice(token));
                self.mentions.push(Mention::Name(slot));
                Ok(Step::Slot(slot))
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// Reads a `:value`.
    pub fn value(&mut self) -> Result<u32, ExpressionError> {
        let token = self.expect(Kind::Value)?;
        let slot = self.placeholders.value(self.slice(token));
        self.mentions.push(Mention::Value(slot));
        Ok(slot)
    }

    /// Reads a whole condition, to the end of the text.
    pub fn condition(&mut self) -> Result<NodeId, ExpressionError> {
        let node = self.expression(Grammar::Condition)?;
        match self.peek().kind {
            Kind::End => Ok(node),
            _ => Err(self.syntax_error()),
        }
    }

    /// Reads what SET assigns.
    pub fn set_value(&mut self) -> Result<NodeId, ExpressionError> {
        self.expression(Grammar::SetValue)
    }

    fn expression(&mut self, grammar: Grammar) -> Result<NodeId, ExpressionError> {
        let mut stack: Vec<Frame<'t>> = Vec::new();
        'next: loop {
            let Some(mut item) = self.start(grammar, &mut stack)? else {
                continue 'next;
            };
            loop {
                item = match self.step(grammar, &mut stack, item)? {
                    Next::Complete(item) => item,
                    Next::Wait => continue 'next,
                    Next::Done(node) => return Ok(node),
                };
            }
        }
    }

    /// Reads the beginning of an operand or condition: an item, or something to put on the stack before one.
    fn start(
        &mut self,
        grammar: Grammar,
        stack: &mut Vec<Frame<'t>>,
    ) -> Result<Option<Item>, ExpressionError> {
        let token = self.peek();
        match token.kind {
            Kind::Symbol('(') => {
                self.advance();
                stack.push(Frame::Parenthesis { operand_only: operand_only(grammar, stack) });
                Ok(None)
            }
            Kind::Value => {
                let slot = self.value()?;
                Ok(Some(self.item(Node::Value(slot), Class::Value)))
            }
            Kind::Word if self.is_keyword() => {
                if operand_only(grammar, stack) || !self.accept_word("NOT") {
                    return Err(self.syntax_error());
                }
                self.count_operator()?;
                stack.push(Frame::Not);
                Ok(None)
            }
            Kind::Word if self.tokens[self.at + 1].is('(') => {
                self.advance();
                self.advance();
                stack.push(Frame::Call { function: self.slice(token), arguments: Vec::new() });
                Ok(None)
            }
            _ => {
                let path = self.path()?;
                Ok(Some(self.item(Node::Path(path), Class::Path)))
            }
        }
    }

    /// Gives the item to what waits for it, or finds what it is the beginning of.
    fn step(
        &mut self,
        grammar: Grammar,
        stack: &mut Vec<Frame<'t>>,
        item: Item,
    ) -> Result<Next, ExpressionError> {
        let is_operand = item.class != Class::Condition;
        match stack.pop() {
            Some(Frame::Compare(operator, left)) if is_operand => {
                let node = Node::Compare { operator, operands: [left, item.node] };
                Ok(Next::Complete(self.item(node, Class::Condition)))
            }
            Some(Frame::Arithmetic(operator, left)) if is_operand => {
                let node = Node::Arithmetic { operator, operands: [left, item.node] };
                Ok(Next::Complete(self.item(node, Class::Arithmetic)))
            }
            Some(Frame::BetweenLow(operand)) if is_operand => {
                if !self.accept_word("AND") {
                    return Err(self.syntax_error());
                }
                stack.push(Frame::BetweenHigh(operand, item.node));
                Ok(Next::Wait)
            }
            Some(Frame::BetweenHigh(operand, low)) if is_operand => {
                let node = Node::Between { operands: [operand, low, item.node] };
                Ok(Next::Complete(self.item(node, Class::Condition)))
            }
            Some(Frame::In { operand, mut candidates }) if is_operand => {
                candidates.push(item.node);
                if self.accept(',') {
                    stack.push(Frame::In { operand, candidates });
                    return Ok(Next::Wait);
                }
                self.expect(Kind::Symbol(')'))?;
                let node = Node::In { operand, candidates: candidates.into() };
                Ok(Next::Complete(self.item(node, Class::Condition)))
            }
            Some(Frame::Call { function, mut arguments }) if is_operand => {
                arguments.push(item.node);
                if self.accept(',') {
                    stack.push(Frame::Call { function, arguments });
                    return Ok(Next::Wait);
                }
                self.expect(Kind::Symbol(')'))?;
                let node = Node::Call { function: function.into(), arguments: arguments.into() };
                Ok(Next::Complete(self.item(node, Class::Call)))
            }
            Some(frame @ (Frame::Parenthesis { .. } | Frame::Not | Frame::And(_) | Frame::Or(_))) => {
                stack.push(frame);
                self.follow(grammar, stack, item)
            }
            // A condition stands where only an operand can.
            Some(_) => Err(self.syntax_error()),
            None => self.follow(grammar, stack, item),
        }
    }

    /// Decides by the next token what an item is that nothing claims as its operand.
    fn follow(
        &mut self,
        grammar: Grammar,
        stack: &mut Vec<Frame<'t>>,
        item: Item,
    ) -> Result<Next, ExpressionError> {
        if item.class != Class::Condition
            && let Some(frame) = self.operator(grammar, stack, &item)?
        {
            stack.push(frame);
            return Ok(Next::Wait);
        }
        if let Some(Frame::Parenthesis { .. }) = stack.last()
            && self.accept(')')
        {
            stack.pop();
            return self.wrap(item).map(Next::Complete);
        }
        if grammar == Grammar::SetValue {
            return match stack.is_empty() {
                true => Ok(Next::Done(item.node)),
                false => Err(self.syntax_error()),
            };
        }
        if !matches!(item.class, Class::Condition | Class::Call) || operand_only(grammar, stack) {
            return Err(self.syntax_error());
        }
        self.connect(stack, item)
    }

    /// Takes an operator that the item is the left operand of.
    fn operator(
        &mut self,
        grammar: Grammar,
        stack: &[Frame<'t>],
        item: &Item,
    ) -> Result<Option<Frame<'t>>, ExpressionError> {
        let left = item.node;
        let frame = match (grammar, self.peek().kind) {
            (Grammar::SetValue, Kind::Symbol(sign @ ('+' | '-'))) => {
                // The language has sums of two operands, which are not sums themselves.
                if item.class == Class::Arithmetic || !matches!(stack, [] | [Frame::Parenthesis { .. }]) {
                    return Err(self.syntax_error());
                }
                Frame::Arithmetic(if sign == '+' { Arithmetic::Plus } else { Arithmetic::Minus }, left)
            }
            (Grammar::SetValue, _) => return Ok(None),
            _ if operand_only(grammar, stack) => return Ok(None),
            (_, Kind::Equal) => Frame::Compare(Comparator::Equal, left),
            (_, Kind::NotEqual) => Frame::Compare(Comparator::NotEqual, left),
            (_, Kind::Less) => Frame::Compare(Comparator::Less, left),
            (_, Kind::LessOrEqual) => Frame::Compare(Comparator::LessOrEqual, left),
            (_, Kind::Greater) => Frame::Compare(Comparator::Greater, left),
            (_, Kind::GreaterOrEqual) => Frame::Compare(Comparator::GreaterOrEqual, left),
            _ if self.is_word("BETWEEN") => Frame::BetweenLow(left),
            _ if self.is_word("IN") => Frame::In { operand: left, candidates: Vec::new() },
            _ => return Ok(None),
        };
        self.advance();
        self.count_operator()?;
        if let Frame::In { .. } = frame {
            self.expect(Kind::Symbol('('))?;
        }
        Ok(Some(frame))
    }

    /// Joins conditions: NOT before AND before OR.
    fn connect(&mut self, stack: &mut Vec<Frame<'t>>, item: Item) -> Result<Next, ExpressionError> {
        let node = item.node;
        let joined = match stack.last() {
            Some(Frame::Not) => Some(Node::Not(node)),
            Some(Frame::And(left)) => Some(Node::And(*left, node)),
            Some(Frame::Or(left)) if !self.is_word("AND") => Some(Node::Or(*left, node)),
            _ => None,
        };
        if let Some(joined) = joined {
            stack.pop();
            return Ok(Next::Complete(self.item(joined, Class::Condition)));
        }
        if self.accept_word("AND") {
            stack.push(Frame::And(node));
        } else if self.accept_word("OR") {
            stack.push(Frame::Or(node));
        } else if stack.is_empty() {
            return Ok(Next::Done(node));
        } else {
            return Err(self.syntax_error());
        }
        self.count_operator()?;
        Ok(Next::Wait)
    }

    /// Marks an item as enclosed in parentheses. A path may go on behind them.
    fn wrap(&mut self, item: Item) -> Result<Item, ExpressionError> {
        self.redundant_parentheses |= item.wrapped;
        let goes_on = self.peek().is('.') || self.peek().is('[');
        let Node::Path(path) = self.nodes[item.node as usize] else {
            return Ok(Item { wrapped: true, ..item });
        };
        if !goes_on {
            return Ok(Item { wrapped: true, ..item });
        }
        let mut steps = std::mem::take(&mut self.paths[path as usize].steps).into_vec();
        self.path_rest(&mut steps)?;
        self.paths[path as usize].steps = steps.into();
        Ok(Item { wrapped: false, ..item })
    }

    fn item(&mut self, node: Node, class: Class) -> Item {
        self.nodes.push(node);
        self.mentions_at.push(self.mentions.len() as u32);
        Item { node: self.nodes.len() as NodeId - 1, class, wrapped: false }
    }

    fn count_operator(&mut self) -> Result<(), ExpressionError> {
        self.operators += 1;
        match self.operators {
            ..=OPERATORS_MAX => Ok(()),
            count => Err(self
                .error(format_args!("The expression contains too many operators; operator count: {count}"))),
        }
    }
}

enum Next {
    /// Something larger is complete.
    Complete(Item),
    /// Something else must be read first.
    Wait,
    Done(NodeId),
}

/// Whether the next thing to come can be an operand only.
fn operand_only(grammar: Grammar, stack: &[Frame<'_>]) -> bool {
    match stack.last() {
        None => grammar == Grammar::SetValue,
        Some(Frame::Parenthesis { operand_only }) => *operand_only,
        Some(Frame::Not | Frame::And(_) | Frame::Or(_)) => false,
        Some(_) => true,
    }
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
