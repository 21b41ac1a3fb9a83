//! Operands, conditions and what joins them. The parser keeps a stack of its own, so no nesting of parentheses, NOTs or calls can
//! exhaust the thread's.

use super::{Arithmetic, Comparator, Node, NodeId, Parser};
use crate::expression::error::ExpressionError;
use crate::expression::token::Kind;

/// The kind of expression that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grammar {
    /// Comparisons, functions and AND, OR, NOT.
    Condition,
    /// What SET assigns: an operand, or the sum or difference of two.
    SetValue,
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
