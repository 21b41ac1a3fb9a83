//! Filling a template in: variables, and what references come to.

use super::expression::{Expression, Operator};
use super::methods::{self, truth};
use super::parse::{Reference, Step};
use super::{Facts, Node, plain};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// [reference: quotas of REST APIs] The most rounds of one `#foreach`.
const ROUNDS_MAX: usize = 1000;

/// The most that a template does and writes.
const STEPS_MAX: usize = 200_000;
pub(super) const TEXT_BYTES_MAX: usize = 10 << 20;

pub(super) struct Run<'a> {
    pub facts: &'a Facts<'a>,
    pub variables: BTreeMap<String, Value>,
    pub out: String,
    steps: usize,
}

/// What ends a list of nodes early.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Flow {
    On,
    Break,
    Stop,
}

impl<'a> Run<'a> {
    pub fn new(facts: &'a Facts<'a>) -> Run<'a> {
        let mut context = facts.context.clone();
        if let Some(members) = context.as_object_mut() {
            let none = json!({"header": {}, "path": {}, "querystring": {}});
            members.entry("requestOverride").or_insert(none);
            members.entry("responseOverride").or_insert_with(|| json!({"header": {}}));
        }
        let stage_variables = facts.stage_variables.cloned().unwrap_or_else(|| json!({}));
        let variables =
            [("context".to_owned(), context), ("stageVariables".to_owned(), stage_variables)].into();
        Run { facts, variables, out: String::new(), steps: 0 }
    }

    pub fn nodes(&mut self, nodes: &[Node]) -> Flow {
        for node in nodes {
            self.steps += 1;
            if self.steps > STEPS_MAX || self.out.len() > TEXT_BYTES_MAX {
                return Flow::Stop;
            }
            match node {
                Node::Text(text) => self.out.push_str(text),
                Node::Reference(reference) => {
                    let value = self.reference(reference);
                    self.out.push_str(&plain(&value));
                }
                Node::Set(place, value) => {
                    let value = self.expression(value);
                    self.set(place, value);
                }
                Node::If(cases, otherwise) => {
                    let holds = cases.iter().find(|(condition, _)| truth(&self.expression(condition)));
                    let chosen = holds.map_or(otherwise, |(_, nodes)| nodes);
                    match self.nodes(chosen) {
                        Flow::On => {}
                        flow => return flow,
                    }
                }
                Node::Foreach(name, items, nodes) => {
                    if self.foreach(name, items, nodes) == Flow::Stop {
                        return Flow::Stop;
                    }
                }
                Node::Break => return Flow::Break,
                Node::Stop => return Flow::Stop,
            }
        }
        Flow::On
    }

    fn foreach(&mut self, name: &str, items: &Expression, nodes: &[Node]) -> Flow {
        let items = match self.expression(items) {
            Value::Array(items) => items,
            Value::Object(members) => members.into_iter().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        };
        let (own, outer) = (self.variables.remove(name), self.variables.remove("foreach"));
        let length = items.len().min(ROUNDS_MAX);
        let mut flow = Flow::On;
        for (index, item) in items.into_iter().take(length).enumerate() {
            self.variables.insert(name.to_owned(), item);
            let (count, has_next) = (index + 1, index + 1 < length);
            let round = json!({"index": index, "count": count, "hasNext": has_next, "first": index == 0, "last": !has_next});
            self.variables.insert("foreach".to_owned(), round);
            self.variables.insert("velocityCount".to_owned(), count.into());
            flow = self.nodes(nodes);
            if flow != Flow::On {
                break;
            }
        }
        for (name, value) in [(name, own), ("foreach", outer)] {
            match value {
                Some(value) => self.variables.insert(name.to_owned(), value),
                None => self.variables.remove(name),
            };
        }
        flow
    }

    pub fn expression(&mut self, expression: &Expression) -> Value {
        match expression {
            Expression::Constant(value) => value.clone(),
            Expression::Text(nodes) => {
                let outside = std::mem::take(&mut self.out);
                self.nodes(nodes);
                std::mem::replace(&mut self.out, outside).into()
            }
            Expression::List(items) => items.iter().map(|item| self.expression(item)).collect(),
            Expression::Range(first, last) => {
                let bounds = (self.expression(first).as_i64(), self.expression(last).as_i64());
                let (Some(first), Some(last)) = bounds else { return Value::Null };
                let rising = first <= last;
                let numbers = |from: i64, to: i64| (from..=to).take(ROUNDS_MAX).map(Value::from);
                match rising {
                    true => numbers(first, last).collect(),
                    false => (last..=first).rev().take(ROUNDS_MAX).map(Value::from).collect(),
                }
            }
            Expression::Map(entries) => {
                let entries =
                    entries.iter().map(|(key, value)| (plain(&self.expression(key)), self.expression(value)));
                Value::Object(entries.collect())
            }
            Expression::Reference(reference) => self.reference(reference),
            Expression::Not(of) => (!truth(&self.expression(of))).into(),
            Expression::Two(left, operator, right) => self.two(left, *operator, right),
        }
    }

    fn two(&mut self, left: &Expression, operator: Operator, right: &Expression) -> Value {
        let left = self.expression(left);
        match operator {
            Operator::Or => return (truth(&left) || truth(&self.expression(right))).into(),
            Operator::And => return (truth(&left) && truth(&self.expression(right))).into(),
            _ => {}
        }
        let right = self.expression(right);
        methods::two(&left, operator, &right)
    }

    fn reference(&mut self, reference: &Reference) -> Value {
        let mut steps = reference.steps.iter();
        let mut at = match (reference.name.as_str(), steps.as_slice().first()) {
            ("input" | "util", Some(first)) => {
                steps.next();
                self.outside(&reference.name, first)
            }
            (name, _) => self.variables.get(name).cloned().unwrap_or(Value::Null),
        };
        // Where the value lies, as far as it lies in a variable: methods change it there.
        let mut place = Some(Vec::new()).filter(|_| self.variables.contains_key(&reference.name));
        for step in steps {
            at = match step {
                Step::Call(name, arguments) => {
                    let arguments: Vec<Value> = arguments.iter().map(|one| self.expression(one)).collect();
                    let kept = place.take().and_then(|keys| self.place(&reference.name, &keys));
                    match kept {
                        Some(kept) => methods::call(kept, name, &arguments),
                        None => methods::call(&mut at, name, &arguments),
                    }
                }
                step => {
                    let key = self.key(step);
                    let found = member(&at, &key).cloned().unwrap_or(Value::Null);
                    place.iter_mut().for_each(|keys| keys.push(key.clone()));
                    found
                }
            };
        }
        // Whatever grows, grows by what references give: that is counted.
        self.steps += weight(&at);
        at
    }

    fn key(&mut self, step: &Step) -> String {
        match step {
            Step::Member(name) => name.clone(),
            Step::Index(index) => plain(&self.expression(index)),
            Step::Call(name, _) => name.clone(),
        }
    }

    /// What is behind `$input` and `$util`.
    fn outside(&mut self, name: &str, step: &Step) -> Value {
        let Step::Call(method, arguments) = step else { return self.facts.body_text().into() };
        let arguments: Vec<Value> = arguments.iter().map(|one| self.expression(one)).collect();
        match name {
            "input" => self.facts.ask(method, &arguments),
            _ => methods::util(method, &plain(arguments.first().unwrap_or(&Value::Null))),
        }
    }

    fn place(&mut self, name: &str, keys: &[String]) -> Option<&mut Value> {
        let mut at = self.variables.get_mut(name)?;
        for key in keys {
            at = match at {
                Value::Object(members) => members.get_mut(key)?,
                Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(at)
    }

    /// A variable, or a member of one; maps on the way are made.
    fn set(&mut self, place: &Reference, value: Value) {
        let keys: Vec<String> = place.steps.iter().map(|step| self.key(step)).collect();
        let mut at = self.variables.entry(place.name.clone()).or_insert(Value::Null);
        for key in keys {
            if at.is_null() {
                *at = Value::Object(Map::new());
            }
            at = match at {
                Value::Object(members) => members.entry(key).or_insert(Value::Null),
                Value::Array(items) => match key.parse::<usize>().ok().and_then(|index| items.get_mut(index))
                {
                    Some(item) => item,
                    None => return,
                },
                _ => return,
            };
        }
        *at = value;
    }
}

fn member<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(key),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    }
}

/// How much there is of a value, roughly.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 1 + text.len() / 64,
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(weight).sum::<usize>(),
        _ => 1,
    }
}
