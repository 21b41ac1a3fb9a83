//! The parameters that expressions replaced: Expected, AttributeUpdates, KeyConditions, QueryFilter, ScanFilter,
//! AttributesToGet. Each becomes an expression's text with placeholders of its own, so that only one kind of program runs.

use super::fault::{Fault, parameter, validation};
use super::tree::Tree;
use super::value::{item, value};
use model::expression::{KeyNames, KeyQuery, RangeCondition};
use model::{Item, Type, Value};
use serde_json::{Map, Value as Json};

/// An expression in the current language that says what a legacy parameter said.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    pub text: String,
    pub names: Vec<(String, String)>,
    pub values: Vec<(String, Value)>,
}

impl Rewritten {
    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#n{}", self.names.len());
        self.names.push((placeholder.clone(), name.to_owned()));
        placeholder
    }

    fn value(&mut self, value: Value) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.push((placeholder.clone(), value));
        placeholder
    }
}

/// One attribute's condition: an operator and its operands.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    pub name: &'a str,
    pub operator: &'a str,
    pub operands: Vec<Value>,
}

/// QueryFilter or ScanFilter, which `member` names.
pub(super) fn filter(input: Tree<'_>, member: &str) -> Result<Option<Rewritten>, Fault> {
    let Some(tree) = input.map(member) else {
        return without_conditions(input);
    };
    let operator = input.text("ConditionalOperator");
    let comparisons =
        tree.iter().map(|(name, tree)| comparison(name, tree)).collect::<Result<Vec<_>, _>>()?;
    for comparison in &comparisons {
        check(comparison)?;
    }
    combine(comparisons, operator)
}

/// KeyConditions: checked here, turned into keys where the table's schema is known.
pub(super) fn key_conditions(tree: &Map<String, Json>) -> Result<Vec<Comparison<'_>>, Fault> {
    let comparisons =
        tree.iter().map(|(name, tree)| comparison(name, tree)).collect::<Result<Vec<_>, _>>()?;
    for comparison in &comparisons {
        check(comparison)?;
    }
    if !(1..=KEY_CONDITIONS_MAX).contains(&comparisons.len()) {
        return Err(too_many_conditions());
    }
    Ok(comparisons)
}

/// Expected.
pub(super) fn expected(input: Tree<'_>) -> Result<Option<Rewritten>, Fault> {
    let Some(tree) = input.map("Expected") else {
        return without_conditions(input);
    };
    let operator = input.text("ConditionalOperator");
    let mut comparisons = Vec::with_capacity(tree.len());
    for (name, tree) in tree {
        let found = expectation(name, tree)?;
        check(&found)?;
        comparisons.push(found);
    }
    combine(comparisons, operator)
}

/// AttributeUpdates.
pub(super) fn updates(tree: &Map<String, Json>) -> Result<Rewritten, Fault> {
    let mut rewritten = Rewritten::default();
    let [mut set, mut remove, mut add, mut delete] = [const { Vec::new() }; 4];
    for (attribute, change) in tree {
        let operand = given(change, "Value").map(value).transpose()?;
        let action = given(change, "Action").and_then(Json::as_str).unwrap_or("PUT");
        let kind = operand.as_ref().map(Value::kind);
        match (action, operand) {
            ("DELETE", None) => remove.push(rewritten.name(attribute)),
            (_, None) => {
                return Err(parameter("Only DELETE action is allowed when no attribute value is specified"));
            }
            ("DELETE", Some(operand)) => {
                if !matches!(operand.kind(), Type::Ss | Type::Ns | Type::Bs) {
                    return Err(parameter(format!(
                        "DELETE action with value is not supported for the type {}",
                        operand.kind()
                    )));
                }
                delete.push(format!("{} {}", rewritten.name(attribute), rewritten.value(operand)));
            }
            // A list is added to by appending, which the language's ADD does not do.
            ("ADD", Some(operand @ Value::L(_))) => {
                let (name, operand) = (rewritten.name(attribute), rewritten.value(operand));
                let empty = rewritten.value(Value::L(Vec::new()));
                set.push(format!("{name} = list_append(if_not_exists({name}, {empty}), {operand})"));
            }
            ("ADD", Some(operand)) => {
                if !matches!(kind, Some(Type::N | Type::Ss | Type::Ns | Type::Bs)) {
                    return Err(parameter(format!(
                        "ADD action is not supported for the type {}",
                        operand.kind()
                    )));
                }
                add.push(format!("{} {}", rewritten.name(attribute), rewritten.value(operand)));
            }
            (_, Some(operand)) => {
                set.push(format!("{} = {}", rewritten.name(attribute), rewritten.value(operand)));
            }
        }
    }
    for (clause, actions) in [("SET", set), ("REMOVE", remove), ("ADD", add), ("DELETE", delete)] {
        if !actions.is_empty() {
            let gap = if rewritten.text.is_empty() { "" } else { " " };
            rewritten.text.push_str(&format!("{gap}{clause} {}", actions.join(", ")));
        }
    }
    Ok(rewritten)
}

/// AttributeUpdates know operands by another name than update expressions. [suite: dynalite]
pub(super) fn update_fault(fault: Fault) -> Fault {
    match fault.message.as_deref() {
        Some("An operand in the update expression has an incorrect data type") => {
            validation("Type mismatch for attribute to update")
        }
        _ => fault,
    }
}

/// AttributesToGet.
pub(super) fn attributes(input: Tree<'_>) -> Result<Option<Rewritten>, Fault> {
    if !input.has("AttributesToGet") {
        return Ok(None);
    }
    let mut rewritten = Rewritten::default();
    let mut placeholders = Vec::new();
    for name in input.texts("AttributesToGet") {
        if rewritten.names.iter().any(|(_, known)| known == name) {
            return Err(parameter(format!("Duplicate value in attribute name: {name}")));
        }
        placeholders.push(rewritten.name(name));
    }
    rewritten.text = placeholders.join(", ");
    Ok(Some(rewritten))
}

/// An index's key has up to four hash attributes and four range attributes.
const KEY_CONDITIONS_MAX: usize = 8;

/// The keys that KeyConditions ask for, given the names of the key attributes.
pub(super) fn keys(mut comparisons: Vec<Comparison<'_>>, names: KeyNames<'_>) -> Result<KeyQuery, Fault> {
    if names.hash.len() == 1 && names.range.len() <= 1 && comparisons.len() > 2 {
        return Err(too_many_conditions());
    }
    let missed = |name: &str| validation(format!("Query condition missed key schema element: {name}"));
    let unsupported = || validation("Query key condition not supported");
    let mut take = |name: &str| {
        let at = comparisons.iter().position(|comparison| comparison.name == name);
        (at.map(|at| comparisons.remove(at)), comparisons.len())
    };
    let mut query = KeyQuery { hash: Vec::new(), range_equal: Vec::new(), range: None };
    let mut left = 0;
    for name in names.hash {
        let (found, more) = take(name);
        left = more;
        let mut found = found.ok_or_else(|| missed(name))?;
        match (found.operator, found.operands.pop(), found.operands.is_empty()) {
            ("EQ", Some(value), true) => query.hash.push(value),
            _ => return Err(unsupported()),
        }
    }
    // As in a KeyConditionExpression: from the left, and only the last of them may be more than pinned.
    for name in names.range {
        if left == 0 {
            break;
        }
        let (found, more) = take(name);
        left = more;
        match (range_condition(found.ok_or_else(|| missed(name))?)?, more) {
            (range, 0) => query.range = Some(range),
            (RangeCondition::Equal(value), _) => query.range_equal.push(value),
            _ => return Err(unsupported()),
        }
    }
    if left > 0 { Err(unsupported()) } else { Ok(query) }
}

fn too_many_conditions() -> Fault {
    validation("Conditions can be of length 1 or 2 only")
}

fn range_condition(comparison: Comparison<'_>) -> Result<RangeCondition, Fault> {
    let mut operands = comparison.operands.into_iter();
    match (comparison.operator, operands.next(), operands.next()) {
        ("EQ", Some(value), None) => Ok(RangeCondition::Equal(value)),
        ("LT", Some(value), None) => Ok(RangeCondition::Less(value)),
        ("LE", Some(value), None) => Ok(RangeCondition::LessOrEqual(value)),
        ("GT", Some(value), None) => Ok(RangeCondition::Greater(value)),
        ("GE", Some(value), None) => Ok(RangeCondition::GreaterOrEqual(value)),
        ("BEGINS_WITH", Some(prefix), None) => Ok(RangeCondition::BeginsWith(prefix)),
        ("BETWEEN", Some(low), Some(high)) => Ok(RangeCondition::Between(low, high)),
        _ => Err(not_indexable()),
    }
}

pub(super) fn not_indexable() -> Fault {
    validation("Attempted conditional constraint is not an indexable operation")
}

/// ExclusiveStartKey, whose faults are told of by a name of their own.
pub(super) fn start_key(input: Tree<'_>) -> Result<Option<Item>, Fault> {
    let Some(tree) = input.map("ExclusiveStartKey") else {
        return Ok(None);
    };
    item(tree).map(Some).map_err(|fault| {
        let message = fault.message.as_deref().unwrap_or_default();
        // Sets and numbers are told of by themselves. [suite: dynalite]
        let bare =
            ["contains duplicates", "number set", "numeric value", "significant digits", "with magnitude"];
        match bare.iter().any(|part| message.contains(part)) {
            true => fault,
            false => validation(format!("The provided starting key is invalid: {message}")),
        }
    })
}

/// A ConditionalOperator joins conditions: it cannot stand alone.
fn without_conditions(input: Tree<'_>) -> Result<Option<Rewritten>, Fault> {
    match input.has("ConditionalOperator") {
        true => Err(parameter("ConditionalOperator cannot be used without Filter or Expected")),
        false => Ok(None),
    }
}

fn given<'a>(tree: &'a Json, member: &str) -> Option<&'a Json> {
    tree.get(member).filter(|tree| !tree.is_null())
}

fn comparison<'a>(name: &'a str, tree: &'a Json) -> Result<Comparison<'a>, Fault> {
    let operator = given(tree, "ComparisonOperator").and_then(Json::as_str).unwrap_or_default();
    Ok(Comparison { name, operator, operands: operands(tree)?.unwrap_or_default() })
}

fn operands(tree: &Json) -> Result<Option<Vec<Value>>, Fault> {
    let Some(list) = given(tree, "AttributeValueList").and_then(Json::as_array) else {
        return Ok(None);
    };
    list.iter().map(value).collect::<Result<_, _>>().map(Some)
}

fn expectation<'a>(name: &'a str, tree: &'a Json) -> Result<Comparison<'a>, Fault> {
    let operator = given(tree, "ComparisonOperator").and_then(Json::as_str);
    let exists = given(tree, "Exists").and_then(Json::as_bool);
    let single = given(tree, "Value").map(value).transpose()?;
    let list = operands(tree)?;
    let wrong = |what: &str| Err(parameter(format!("{what} for Attribute: {name}")));
    match (operator, exists, single, list) {
        (_, _, Some(_), Some(_)) => wrong("Value and AttributeValueList cannot be used together"),
        (Some(_), Some(_), _, _) => wrong("Exists and ComparisonOperator cannot be used together"),
        (Some(operator), None, None, None) if !matches!(operator, "NULL" | "NOT_NULL") => {
            wrong(&format!("Value or AttributeValueList must be used with ComparisonOperator: {operator}"))
        }
        (Some(operator), None, single, list) => {
            let operands = single.into_iter().chain(list.into_iter().flatten()).collect();
            Ok(Comparison { name, operator, operands })
        }
        (None, _, _, Some(_)) => wrong("AttributeValueList can only be used with a ComparisonOperator"),
        (None, Some(false), Some(_), None) => wrong("Value cannot be used when Exists is false"),
        (None, Some(false), None, None) => Ok(Comparison { name, operator: "NULL", operands: Vec::new() }),
        (None, _, Some(operand), None) => Ok(Comparison { name, operator: "EQ", operands: vec![operand] }),
        (None, exists, None, None) => {
            let exists = exists.map_or("null".to_owned(), |exists| exists.to_string());
            wrong(&format!("Value must be provided when Exists is {exists}"))
        }
    }
}

fn check(comparison: &Comparison<'_>) -> Result<(), Fault> {
    let operator = comparison.operator;
    let operands = &comparison.operands;
    let fits = match operator {
        "NULL" | "NOT_NULL" => operands.is_empty(),
        "IN" => !operands.is_empty(),
        "BETWEEN" => operands.len() == 2,
        _ => operands.len() == 1,
    };
    if !fits {
        return Err(parameter(format!(
            "Invalid number of argument(s) for the {operator} ComparisonOperator"
        )));
    }
    for operand in operands {
        let kind = operand.kind();
        let scalar = matches!(kind, Type::S | Type::N | Type::B);
        let suits = match operator {
            "EQ" | "NE" => true,
            "BEGINS_WITH" => matches!(kind, Type::S | Type::B),
            "CONTAINS" | "NOT_CONTAINS" => scalar || matches!(kind, Type::Bool | Type::Null),
            _ => scalar,
        };
        if !suits {
            return Err(parameter(format!(
                "ComparisonOperator {operator} is not valid for {kind} AttributeValue type"
            )));
        }
    }
    if let Some((first, rest)) = operands.split_first()
        && rest.iter().any(|operand| operand.kind() != first.kind())
    {
        return Err(parameter("AttributeValues inside AttributeValueList must be of same type"));
    }
    if let ("BETWEEN", [low, high]) = (operator, operands.as_slice())
        && low.compare(high) == Some(std::cmp::Ordering::Greater)
    {
        return Err(validation(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
        ));
    }
    Ok(())
}

fn combine(comparisons: Vec<Comparison<'_>>, operator: Option<&str>) -> Result<Option<Rewritten>, Fault> {
    if comparisons.is_empty() {
        return match operator {
            Some(_) => Err(parameter("ConditionalOperator cannot be used without Filter or Expected")),
            None => Ok(None),
        };
    }
    if operator.is_some() && comparisons.len() == 1 {
        return Err(parameter(
            "ConditionalOperator can only be used when Filter or Expected has two or more elements",
        ));
    }
    let mut rewritten = Rewritten::default();
    let mut clauses = Vec::with_capacity(comparisons.len());
    for comparison in comparisons {
        clauses.push(clause(&mut rewritten, comparison));
    }
    let glue = if operator == Some("OR") { " OR " } else { " AND " };
    rewritten.text = clauses.join(glue);
    Ok(Some(rewritten))
}

fn clause(rewritten: &mut Rewritten, comparison: Comparison<'_>) -> String {
    let name = rewritten.name(comparison.name);
    // The language's own IN takes a hundred operands, this one as many as a request has room for. [suite: dynalite]
    if comparison.operator == "IN" {
        return format!("contains({}, {name})", rewritten.value(Value::L(comparison.operands)));
    }
    let operands: Vec<String> =
        comparison.operands.into_iter().map(|operand| rewritten.value(operand)).collect();
    let first = operands.first().map(String::as_str).unwrap_or_default();
    match comparison.operator {
        "NULL" => format!("attribute_not_exists({name})"),
        "NOT_NULL" => format!("attribute_exists({name})"),
        "EQ" => format!("{name} = {first}"),
        "NE" => format!("{name} <> {first}"),
        "LE" => format!("{name} <= {first}"),
        "LT" => format!("{name} < {first}"),
        "GE" => format!("{name} >= {first}"),
        "GT" => format!("{name} > {first}"),
        "BETWEEN" => {
            format!("{name} BETWEEN {first} AND {}", operands.last().map(String::as_str).unwrap_or_default())
        }
        "BEGINS_WITH" => format!("begins_with({name}, {first})"),
        "CONTAINS" => format!("contains({name}, {first})"),
        // An attribute that is missing contains nothing, yet does not satisfy NOT_CONTAINS.
        _ => format!("(attribute_exists({name}) AND NOT contains({name}, {first}))"),
    }
}
