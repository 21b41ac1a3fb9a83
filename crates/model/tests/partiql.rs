//! Statements: printed and parsed again they are the same, and no text harms the parser.

use crate::random::Random;
use model::Number;
use model::partiql::{
    Assigned, Change, Comparison, Condition, Function, Literal, Order, Path, Returned, Select, Statement,
    Step, Target, Term, parse,
};

struct Made {
    random: Random,
    parameters: usize,
}

impl Made {
    fn name(&mut self) -> String {
        self.random.pick(&["a", "b c", "select", "it's", "q\"q", "ü", "_1"]).to_owned()
    }

    fn path(&mut self) -> Path {
        let steps = (0..self.random.below(3)).map(|_| match self.random.below(2) {
            0 => Step::Element(self.random.below(9) as u32),
            _ => Step::Field(["x", "y z", "'"][self.random.below(3)].to_owned()),
        });
        let steps = steps.collect();
        Path { root: self.name(), steps }
    }

    fn literal(&mut self, depth: usize) -> Literal {
        match self.random.below(if depth == 0 { 6 } else { 9 }) {
            0 => Literal::Text(self.name()),
            1 | 2 => Literal::Number(
                Number::parse(self.random.pick(&["0", "-7", "1.25", "1E30", "-2e-9"])).unwrap(),
            ),
            3 => Literal::Bool(self.random.below(2) == 0),
            4 => Literal::Null,
            5 => {
                self.parameters += 1;
                Literal::Parameter(self.parameters - 1)
            }
            6 => Literal::List((0..self.random.below(3)).map(|_| self.literal(depth - 1)).collect()),
            7 => Literal::Set((0..self.random.below(3)).map(|_| self.literal(0)).collect()),
            _ => Literal::Map(
                (0..self.random.below(3)).map(|_| (self.name(), self.literal(depth - 1))).collect(),
            ),
        }
    }

    fn term(&mut self) -> Term {
        match self.random.below(5) {
            0 => Term::Size(self.path()),
            1 | 2 => Term::Path(self.path()),
            _ => Term::Literal(self.literal(2)),
        }
    }

    fn condition(&mut self, depth: usize) -> Condition {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Unequal};
        match self.random.below(if depth == 0 { 6 } else { 9 }) {
            0 | 1 => {
                let comparison =
                    self.random.pick(&[Equal, Unequal, Less, LessOrEqual, Greater, GreaterOrEqual]);
                Condition::Compare(comparison, self.term(), self.term())
            }
            2 => Condition::Between(self.term(), self.term(), self.term()),
            3 => Condition::In(self.term(), (0..1 + self.random.below(3)).map(|_| self.term()).collect()),
            4 if self.random.below(2) == 0 => Condition::Missing(self.path()),
            4 => Condition::Null(self.path()),
            5 => {
                use Function::{AttributeType, BeginsWith, Contains};
                let function = self.random.pick(&[AttributeType, BeginsWith, Contains]);
                Condition::Call(function, self.path(), self.term())
            }
            6 => Condition::Not(Box::new(self.condition(depth - 1))),
            7 => Condition::And(vec![self.condition(depth - 1), self.condition(depth - 1)]),
            _ => Condition::Or(vec![self.condition(depth - 1), self.condition(depth - 1)]),
        }
    }

    fn change(&mut self) -> Change {
        let path = self.path();
        let assigned = match self.random.below(7) {
            0 => return Change::Remove(path),
            1 => Assigned::Plus(self.term(), self.term()),
            2 => Assigned::Minus(self.term(), self.term()),
            3 => Assigned::ListAppend(self.term(), self.term()),
            4 => Assigned::SetAdd(self.literal(1)),
            5 => Assigned::SetDelete(self.literal(1)),
            _ => Assigned::Term(self.term()),
        };
        Change::Set(path, assigned)
    }

    fn returned(&mut self) -> Option<Returned> {
        (self.random.below(2) == 0)
            .then(|| Returned { all: self.random.below(2) == 0, new: self.random.below(2) == 0 })
    }

    fn select(&mut self) -> Select {
        let listed = self.random.below(2) == 0;
        Select {
            paths: listed.then(|| (0..1 + self.random.below(3)).map(|_| self.path()).collect()),
            from: Target { table: self.name(), index: (self.random.below(3) == 0).then(|| self.name()) },
            condition: (self.random.below(4) > 0).then(|| self.condition(3)),
            order: (0..self.random.below(3))
                .map(|_| Order { by: self.name(), descending: self.random.below(2) == 0 })
                .collect(),
        }
    }

    fn statement(&mut self) -> Statement {
        match self.random.below(5) {
            0 => Statement::Select(self.select()),
            1 => Statement::Exists(self.select()),
            2 => Statement::Insert { table: self.name(), item: self.literal(3) },
            3 => Statement::Update {
                table: self.name(),
                changes: (0..1 + self.random.below(3)).map(|_| self.change()).collect(),
                condition: self.condition(2),
                returned: self.returned(),
            },
            _ => Statement::Delete {
                table: self.name(),
                condition: self.condition(2),
                returned: self.returned(),
            },
        }
    }
}

#[test]
fn what_is_printed_parses_to_the_same() {
    for seed in 0..5_000 {
        let mut made = Made { random: Random::new(seed), parameters: 0 };
        let statement = made.statement();
        let text = statement.to_string();
        assert_eq!(parse(&text), Ok((statement, made.parameters)), "seed {seed}: {text}");
    }
}

#[test]
fn broken_texts_are_refused_and_nothing_worse() {
    for seed in 0..5_000 {
        let mut made = Made { random: Random::new(seed), parameters: 0 };
        let mut text: Vec<char> = made.statement().to_string().chars().collect();
        for _ in 0..1 + made.random.below(4) {
            let at = made.random.below(text.len());
            match made.random.below(3) {
                0 => text.truncate(at + 1),
                1 => drop(text.remove(at)),
                _ => text.insert(at, made.random.pick(&['(', '\'', '"', '<', '[', '9', '.', 'é', ' ', '?'])),
            }
            if text.is_empty() {
                break;
            }
        }
        if let Ok((statement, _)) = parse(&text.iter().collect::<String>()) {
            let again = parse(&statement.to_string());
            assert_eq!(again.map(|(again, _)| again), Ok(statement), "seed {seed}");
        }
    }
}

#[test]
fn deep_texts_are_refused() {
    for (start, unit) in [
        ("SELECT * FROM t WHERE ", "("),
        ("SELECT * FROM t WHERE ", "NOT "),
        ("INSERT INTO t VALUE ", "["),
        ("INSERT INTO t VALUE ", "{'a':"),
        ("SELECT a", ".a"),
        ("SELECT a", "[0]"),
    ] {
        let error = parse(&format!("{start}{}", unit.repeat(8_192))).expect_err(unit);
        assert!(
            error.message.contains("nest") || error.message.contains("Nest"),
            "{unit}: {}",
            error.message
        );
    }
}
