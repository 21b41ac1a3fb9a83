//! Conditions of a statement: an operator, a key, and the values it is compared with.

use super::document::{Malformed, texts};
use super::{Context, pattern};
use serde_json::Value;
use std::net::IpAddr;
use world::Timestamp;

/// What is compared, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equals,
    EqualsIgnoreCase,
    Like,
    Number(Order),
    Date(Order),
    Bool,
    Address,
    Arn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Order::Equal => left == right,
            Order::Less => left < right,
            Order::LessOrEqual => left <= right,
            Order::Greater => left > right,
            Order::GreaterOrEqual => left >= right,
        }
    }
}

/// Of a key with several values: how many of them the test must hold for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantity {
    Plain,
    All,
    Any,
}

#[derive(Clone, Debug)]
enum Operator {
    /// Whether the key is missing.
    Null,
    Compare {
        test: Test,
        negated: bool,
        quantity: Quantity,
        if_exists: bool,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Condition {
    operator: Operator,
    key: String,
    values: Vec<String>,
}

impl Condition {
    pub fn read_all(value: &Value) -> Result<Vec<Condition>, Malformed> {
        let syntax = || Malformed("Syntax errors in policy.".to_owned());
        let mut all = Vec::new();
        for (name, keys) in value.as_object().ok_or_else(syntax)? {
            let operator =
                operator(name).ok_or_else(|| Malformed(format!("Invalid Condition type : {name}.")))?;
            for (key, values) in keys.as_object().ok_or_else(syntax)? {
                let values = scalars(values).ok_or_else(syntax)?;
                all.push(Condition { operator: operator.clone(), key: key.clone(), values });
            }
        }
        Ok(all)
    }

    pub fn holds(&self, context: &Context) -> bool {
        let found = context.values(&self.key).filter(|values| !values.is_empty());
        let (test, negated, quantity, if_exists) = match self.operator {
            Operator::Null => {
                return self.values.iter().any(|value| value.eq_ignore_ascii_case("true") == found.is_none());
            }
            Operator::Compare { test, negated, quantity, if_exists } => (test, negated, quantity, if_exists),
        };
        let Some(found) = found else {
            return match quantity {
                Quantity::All => true,
                Quantity::Any => if_exists,
                Quantity::Plain => if_exists || negated,
            };
        };
        let is_one_of =
            |value: &String| self.values.iter().any(|wanted| compare(test, value, wanted, context));
        match (quantity, negated) {
            (Quantity::All, false) => found.iter().all(is_one_of),
            (Quantity::Plain, true) | (Quantity::All, true) => !found.iter().any(is_one_of),
            (Quantity::Plain, false) | (Quantity::Any, false) => found.iter().any(is_one_of),
            (Quantity::Any, true) => found.iter().any(|value| !is_one_of(value)),
        }
    }
}

fn operator(name: &str) -> Option<Operator> {
    let (quantity, rest) = match name.split_once(':') {
        Some(("ForAllValues", rest)) => (Quantity::All, rest),
        Some(("ForAnyValue", rest)) => (Quantity::Any, rest),
        Some(_) => return None,
        None => (Quantity::Plain, name),
    };
    let (rest, if_exists) = match rest.strip_suffix("IfExists") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let (test, negated) = match rest {
        "Null" if !if_exists && quantity == Quantity::Plain => return Some(Operator::Null),
        "StringEquals" | "BinaryEquals" => (Test::Equals, false),
        "StringNotEquals" => (Test::Equals, true),
        "StringEqualsIgnoreCase" => (Test::EqualsIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Test::EqualsIgnoreCase, true),
        "StringLike" => (Test::Like, false),
        "StringNotLike" => (Test::Like, true),
        "NumericEquals" => (Test::Number(Order::Equal), false),
        "NumericNotEquals" => (Test::Number(Order::Equal), true),
        "NumericLessThan" => (Test::Number(Order::Less), false),
        "NumericLessThanEquals" => (Test::Number(Order::LessOrEqual), false),
        "NumericGreaterThan" => (Test::Number(Order::Greater), false),
        "NumericGreaterThanEquals" => (Test::Number(Order::GreaterOrEqual), false),
        "DateEquals" => (Test::Date(Order::Equal), false),
        "DateNotEquals" => (Test::Date(Order::Equal), true),
        "DateLessThan" => (Test::Date(Order::Less), false),
        "DateLessThanEquals" => (Test::Date(Order::LessOrEqual), false),
        "DateGreaterThan" => (Test::Date(Order::Greater), false),
        "DateGreaterThanEquals" => (Test::Date(Order::GreaterOrEqual), false),
        "Bool" => (Test::Bool, false),
        "IpAddress" => (Test::Address, false),
        "NotIpAddress" => (Test::Address, true),
        "ArnEquals" | "ArnLike" => (Test::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
        _ => return None,
    };
    Some(Operator::Compare { test, negated, quantity, if_exists })
}

fn compare(test: Test, value: &str, wanted: &str, context: &Context) -> bool {
    match test {
        Test::Equals => pattern::filled(wanted, context).is_some_and(|wanted| wanted == value),
        Test::EqualsIgnoreCase => pattern::filled(wanted, context)
            .is_some_and(|wanted| wanted.to_lowercase() == value.to_lowercase()),
        Test::Like => pattern::matches(wanted, value, context),
        Test::Number(order) => match (value.parse::<f64>(), wanted.parse::<f64>()) {
            (Ok(value), Ok(wanted)) => order.holds(&value, &wanted),
            _ => false,
        },
        Test::Date(order) => match (moment(value), moment(wanted)) {
            (Some(value), Some(wanted)) => order.holds(&value, &wanted),
            _ => false,
        },
        Test::Bool => value.eq_ignore_ascii_case(wanted),
        Test::Address => is_within(value, wanted),
        Test::Arn => pattern::matches_arn(wanted, value, context),
    }
}

/// Milliseconds of a date, or of seconds since 1970.
fn moment(text: &str) -> Option<u64> {
    match text.parse::<u64>() {
        Ok(seconds) => seconds.checked_mul(1_000),
        Err(_) => Timestamp::parse_iso(text).map(Timestamp::millis),
    }
}

/// Whether an address lies in a block such as `10.0.0.0/8`.
fn is_within(address: &str, block: &str) -> bool {
    let (network, bits) = match block.split_once('/') {
        Some((network, bits)) => (network, bits.parse::<u32>().ok()),
        None => (block, Some(u32::MAX)),
    };
    let (Ok(address), Ok(network), Some(bits)) = (address.parse(), network.parse(), bits) else {
        return false;
    };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let kept = 32_u32.saturating_sub(bits);
            u32::from(address).checked_shr(kept) == u32::from(network).checked_shr(kept)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let kept = 128_u32.saturating_sub(bits);
            u128::from(address).checked_shr(kept) == u128::from(network).checked_shr(kept)
        }
        _ => false,
    }
}

/// Values may be written as texts, numbers or truths.
fn scalars(value: &Value) -> Option<Vec<String>> {
    let one = |value: &Value| match value {
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    match value {
        Value::Array(all) => all.iter().map(one).collect(),
        value => one(value).map(|text| vec![text]).or_else(|| texts(value)),
    }
}
