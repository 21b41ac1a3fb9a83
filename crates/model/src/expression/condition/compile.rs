//! From the text's nodes to terms and the program over them.

use super::{Code, Condition, Fault, Function, Operand, SIZE, Shape, Term, Test};
use crate::Type;
use crate::expression::error::{
    ExpressionError, Parameter, REDUNDANT_PARENTHESES, misused_function, operand_count, operand_type,
    unknown_function,
};
use crate::expression::parse::{Node, NodeId, Parser};

const CANDIDATES_MAX: usize = 100;
const UPDATE_FUNCTIONS: [&str; 2] = ["if_not_exists", "list_append"];

/// Compiles a condition that came as that parameter, and tells its shape.
pub(in crate::expression) fn compile(
    parameter: Parameter,
    text: &str,
) -> Result<(Condition, Vec<Shape>), ExpressionError> {
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
