//! What a template's functions may ask for: parameters, pseudo parameters, other stacks' exports.

use super::stack::{Output, Parameter, Stack, Stacks, Wish};
use super::template::Template;
use super::template::evaluate::{Scope, text};
use serde_json::{Map, Value};
use servicekit::call::Caller;
use std::collections::BTreeMap;
use wire::ServiceError;

pub(crate) fn of(
    stacks: &Stacks,
    stack: &Stack,
    caller: &Caller,
    wish: &Wish,
    template: &Template,
) -> Result<Scope, ServiceError> {
    let section = |name: &str| template.section(name).clone();
    let values = wish.parameters.iter().map(|parameter| {
        let kind = template.section("Parameters").get(&parameter.key).and_then(|own| own["Type"].as_str());
        (parameter.key.clone(), typed(parameter, kind.unwrap_or("String")))
    });
    Ok(Scope {
        pseudo: BTreeMap::from([
            ("AWS::AccountId", Value::from(&*caller.account)),
            ("AWS::Region", Value::from(&*caller.region)),
            ("AWS::Partition", Value::from("aws")),
            ("AWS::URLSuffix", Value::from("amazonaws.com")),
            ("AWS::StackName", Value::from(stack.name.as_str())),
            ("AWS::StackId", Value::from(stack.id.as_str())),
            ("AWS::NotificationARNs", Value::from(wish.notifications.clone())),
        ]),
        parameters: values.collect(),
        mappings: section("Mappings"),
        conditions: section("Conditions"),
        resources: BTreeMap::new(),
        exports: exports(stacks, &caller.region)?.into_iter().map(|(name, value, _)| (name, value)).collect(),
        imported: Default::default(),
        foresight: None,
    })
}

/// Names, values and the stacks of everything that is exported in a region.
pub(crate) fn exports(stacks: &Stacks, region: &str) -> Result<Vec<(String, String, String)>, ServiceError> {
    let mut found = Vec::new();
    for stack in stacks.all(region)?.into_iter().filter(|stack| stack.status != "DELETE_COMPLETE") {
        for output in stack.outputs {
            found.extend(output.export.map(|name| (name, output.value, stack.id.clone())));
        }
    }
    found.sort();
    Ok(found)
}

/// A parameter's value as functions see it: lists are lists.
fn typed(parameter: &Parameter, kind: &str) -> Value {
    let value = parameter.resolved.as_ref().unwrap_or(&parameter.value);
    let is_list = kind == "CommaDelimitedList" || kind.contains("List<");
    if !is_list {
        return value.as_str().into();
    }
    // An empty text is a list of one empty text, which is what conditions of published templates compare with.
    value.split(',').map(|item| Value::from(item.trim())).collect()
}

pub(crate) fn outputs(template: &Template, scope: &Scope) -> Result<Vec<Output>, String> {
    let mut outputs = Vec::new();
    for (key, output) in template.section("Outputs") {
        if !scope.wanted(output)? {
            continue;
        }
        let value = |value: &Value| {
            let value = scope.evaluate(value)?;
            text(&value).ok_or_else(|| format!("Template format error: Output {key} is malformed. The Value field of every Outputs member must evaluate to a String."))
        };
        outputs.push(Output {
            key: key.clone(),
            value: value(&output["Value"])?,
            description: output.get("Description").and_then(Value::as_str).map(str::to_owned),
            export: output.get("Export").and_then(|export| export.get("Name")).map(value).transpose()?,
        });
    }
    Ok(outputs)
}

/// The values of a template's parameters: given ones, those of before where asked for, or defaults; checked.
pub(crate) fn parameters(
    template: &Template,
    given: &Value,
    before: &[Parameter],
) -> Result<Vec<Parameter>, String> {
    let declared = template.section("Parameters");
    let given: Vec<&Map<String, Value>> =
        given.as_array().into_iter().flatten().filter_map(Value::as_object).collect();
    let named = |one: &Map<String, Value>| one.get("ParameterKey").and_then(Value::as_str).map(str::to_owned);
    let unknown: Vec<String> =
        given.iter().filter_map(|one| named(one)).filter(|key| !declared.contains_key(key)).collect();
    if !unknown.is_empty() {
        return Err(format!("Parameters: [{}] do not exist in the template", unknown.join(", ")));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (key, declaration) in declared {
        let asked = given.iter().find(|one| named(one).as_deref() == Some(key));
        let previous =
            asked.is_some_and(|one| one.get("UsePreviousValue").and_then(Value::as_bool) == Some(true));
        let own = asked.and_then(|one| one.get("ParameterValue")).and_then(Value::as_str).map(str::to_owned);
        if previous && own.as_deref().is_some_and(|own| !own.is_empty()) {
            return Err(format!(
                "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value for a parameter"
            ));
        }
        let earlier = || before.iter().find(|one| one.key == *key).map(|one| one.value.clone());
        let default = || declaration.get("Default").and_then(text);
        let value = if previous { earlier() } else { own.or_else(default) };
        let Some(value) = value else {
            missing.push(key.as_str());
            continue;
        };
        check(key, declaration, &value)?;
        let no_echo = declaration.get("NoEcho").and_then(text).as_deref() == Some("true");
        found.push(Parameter { key: key.clone(), value, resolved: None, no_echo });
    }
    match missing.is_empty() {
        true => Ok(found),
        false => Err(format!("Parameters: [{}] must have values", missing.join(", "))),
    }
}

fn check(key: &str, declaration: &Value, value: &str) -> Result<(), String> {
    let limit = |name: &str| declaration.get(name).and_then(text).and_then(|text| text.parse::<f64>().ok());
    let failed = |words: String| {
        let own = declaration.get("ConstraintDescription").and_then(Value::as_str);
        Err(format!(
            "Parameter '{key}' {}",
            own.map_or(words, |own| format!("failed to satisfy constraint: {own}"))
        ))
    };
    if let Some(allowed) = declaration.get("AllowedValues").and_then(Value::as_array) {
        let allowed: Vec<_> = allowed.iter().filter_map(text).collect();
        if !allowed.iter().any(|one| one == value) {
            return failed(format!("must be one of AllowedValues [{}]", allowed.join(", ")));
        }
    }
    if declaration["Type"] == "Number" {
        let Ok(number) = value.parse::<f64>() else { return failed("must be a number.".to_owned()) };
        if limit("MinValue").is_some_and(|least| number < least) {
            return failed(format!("must be a number not less than {}", declaration["MinValue"]));
        }
        if limit("MaxValue").is_some_and(|most| number > most) {
            return failed(format!("must be a number not greater than {}", declaration["MaxValue"]));
        }
        return Ok(());
    }
    let length = value.chars().count() as f64;
    if limit("MinLength").is_some_and(|least| length < least) {
        return failed(format!("must contain at least {} characters", declaration["MinLength"]));
    }
    if limit("MaxLength").is_some_and(|most| length > most) {
        return failed(format!("must contain at most {} characters", declaration["MaxLength"]));
    }
    if let Some(pattern) = declaration.get("AllowedPattern").and_then(Value::as_str) {
        let whole = regex_lite::Regex::new(&format!("^(?:{pattern})$"));
        if whole.is_ok_and(|whole| !whole.is_match(value)) {
            return failed(format!("must match pattern {pattern}"));
        }
    }
    Ok(())
}

/// Refuses what the template's rules say.
pub(crate) fn check_rules(template: &Template, scope: &Scope) -> Result<(), String> {
    for (name, rule) in template.section("Rules") {
        if let Some(condition) = rule.get("RuleCondition")
            && scope.evaluate(condition)? != Value::Bool(true)
        {
            continue;
        }
        for assertion in rule.get("Assertions").and_then(Value::as_array).into_iter().flatten() {
            if scope.evaluate(&assertion["Assert"])? != Value::Bool(true) {
                let words = assertion.get("AssertDescription").and_then(Value::as_str).unwrap_or_default();
                return Err(format!("Template error: Rule {name} failed: {words}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_parameter_is_given_or_stays_as_it_was() {
        let body = json!({ "Parameters": { "P": { "Type": "String" } }, "Resources": { "R": { "Type": "AWS::SNS::Topic" } } });
        let template = Template::read(&body.to_string(), &BTreeMap::new()).expect("a template");
        let before = [Parameter { key: "P".into(), value: "old".into(), resolved: None, no_echo: false }];
        let value = |given: Value| {
            let given = json!([given]);
            parameters(&template, &given, &before).map(|all| all[0].value.clone())
        };
        let key = json!("P");
        assert_eq!(value(json!({ "ParameterKey": key, "ParameterValue": "new" })), Ok("new".to_owned()));
        let previous = json!({ "ParameterKey": key, "UsePreviousValue": true, "ParameterValue": "" });
        assert_eq!(value(previous), Ok("old".to_owned()));
        let both = json!({ "ParameterKey": key, "UsePreviousValue": true, "ParameterValue": "new" });
        assert!(
            value(both).unwrap_err().contains("Cannot specify usePreviousValue as true and non empty value")
        );
        assert!(value(json!({ "ParameterKey": "Q", "ParameterValue": "v" })).is_err());
    }
}
