//! What is told of small changes, as a line for each resource and each detail.

use super::{After, Before, Changes, changes};
use crate::foresee;
use crate::stack::Resource;
use crate::template::Template;
use crate::template::evaluate::{Made, Scope};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NAMED: &str = r#"{"TopicName":{"Ref":"Name"}}"#;

/// Topics by their names and properties, with a parameter `Name`.
fn topics(topics: &[(&str, &str)]) -> Template {
    let resources: Vec<_> = topics
        .iter()
        .map(|(name, properties)| {
            format!(r#""{name}":{{"Type":"AWS::SNS::Topic","Properties":{properties}}}"#)
        })
        .collect();
    let text =
        format!(r#"{{"Parameters":{{"Name":{{"Type":"String"}}}},"Resources":{{{}}}}}"#, resources.join(","));
    Template::parse(&text).expect("a template")
}

fn scope(template: &Template, name: &str) -> Scope {
    let parameters = [("Name".to_owned(), json!(name))].into();
    Scope { parameters, conditions: template.section("Conditions").clone(), ..Scope::default() }
}

fn stack(template: &Template, name: &str) -> BTreeMap<String, Resource> {
    let mut scope = scope(template, name);
    for logical in crate::template::graph::order(template).expect("an order") {
        let attributes = [("TopicName".to_owned(), json!(format!("{logical}-name")))].into();
        scope.resources.insert(logical.clone(), Made { id: format!("arn:{logical}"), attributes });
    }
    let made = |(logical, resource): (&String, &Value)| Resource {
        kind: "AWS::SNS::Topic".to_owned(),
        made: scope.resources[logical].clone(),
        properties: scope.evaluate(&resource["Properties"]).expect("values"),
        status: String::new(),
        reason: None,
        updated_ms: 0,
        ordinal: 0,
        deletion_policy: None,
        tags: None,
    };
    template
        .resources()
        .iter()
        .map(|(logical, resource)| (logical.clone(), made((logical, resource))))
        .collect()
}

fn lines(told: &[Value]) -> Vec<String> {
    let line = |entry: &Value| {
        let change = &entry["ResourceChange"];
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let detail = |detail: &Value| {
            let target = &detail["Target"];
            let value =
                target.get("AfterValue").map_or_else(String::new, |value| format!("={}", text(value)));
            let by =
                [&target["Name"], &detail["ChangeSource"], &detail["CausingEntity"], &detail["Evaluation"]];
            format!(" [{}{value}]", by.map(text).join(" "))
        };
        let head =
            [&change["Action"], &change["LogicalResourceId"], &change["Replacement"]].map(text).join(" ");
        change["Details"].as_array().into_iter().flatten().fold(head, |line, one| line + &detail(one))
    };
    told.iter().map(line).collect()
}

type Tags<'a> = &'a [(&'a str, &'a str)];

fn told(before: (&Template, &str, Tags<'_>), after: (&Template, &str, Tags<'_>)) -> Changes {
    let map = |tags: Tags<'_>| tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let (tags_before, tags_after) = (map(before.2), map(after.2));
    let resources = stack(before.0, before.1);
    let own = scope(before.0, before.1);
    let changed = (before.1 != after.1).then(|| "Name".to_owned()).into_iter().collect();
    let before = Before {
        template: Some(before.0),
        resources: &resources,
        scope: Some(&own),
        changed: &changed,
        tags: &tags_before,
    };
    let scope = foresee::before_making(after.0, scope(after.0, after.1)).expect("a scope");
    changes(&before, After { template: after.0, tags: &tags_after }, scope).expect("changes")
}

fn check(before: (&Template, &str), after: (&Template, &str), plain: &[&str], valued: &[&str]) {
    let told = told((before.0, before.1, &[]), (after.0, after.1, &[]));
    assert_eq!(lines(&told.plain), plain);
    assert_eq!(lines(&told.valued), valued);
}

#[test]
fn a_text_that_says_something_else() {
    let old = topics(&[("A", r#"{"TopicName":"a","DisplayName":"one"}"#)]);
    let new = topics(&[("A", r#"{"TopicName":"a","DisplayName":"two"}"#), ("B", "{}")]);
    check(
        (&old, "n"),
        (&new, "n"),
        &["Modify A False [DisplayName DirectModification - Static]", "Add B -"],
        &["Modify A False [DisplayName DirectModification - Static=two]", "Add B -"],
    );
    check((&new, "n"), (&new, "n"), &[], &[]);
    check((&new, "n"), (&topics(&[("B", "{}")]), "n"), &["Remove A -"], &["Remove A -"]);
}

#[test]
fn a_parameter_is_named_as_the_cause() {
    let template = topics(&[("A", NAMED)]);
    check(
        (&template, "one"),
        (&template, "two"),
        &[
            "Modify A True [TopicName ParameterReference Name Static] [TopicName DirectModification - Dynamic]",
        ],
        &[
            "Modify A True [TopicName DirectModification - Dynamic=two] [TopicName ParameterReference Name Static=two]",
        ],
    );
}

#[test]
fn what_stands_on_a_resource_that_is_made_anew_is_known_later() {
    let users = [
        ("B", r#"{"DisplayName":{"Ref":"A"}}"#),
        ("C", r#"{"DisplayName":{"Fn::GetAtt":["A","TopicName"]}}"#),
    ];
    let with = |name: &'static str| topics(&[("A", name), users[0], users[1]]);
    check(
        (&with(r#"{"TopicName":"a"}"#), "n"),
        (&with(r#"{"TopicName":"b"}"#), "n"),
        &[
            "Modify A True [TopicName DirectModification - Static]",
            "Modify B False [DisplayName ResourceReference A Static]",
            "Modify C False [DisplayName ResourceAttribute A.TopicName Static]",
        ],
        &[
            "Modify A True [TopicName DirectModification - Static=b]",
            "Modify B False [DisplayName DirectModification - Dynamic={{changeSet:KNOWN_AFTER_APPLY}}] [DisplayName ResourceReference A Static={{changeSet:KNOWN_AFTER_APPLY}}]",
            "Modify C False [DisplayName DirectModification - Dynamic={{changeSet:KNOWN_AFTER_APPLY}}] [DisplayName ResourceAttribute A.TopicName Static={{changeSet:KNOWN_AFTER_APPLY}}]",
        ],
    );
    // In its place: the reference stays, the attribute may not.
    check(
        (&with(r#"{"DisplayName":"a"}"#), "n"),
        (&with(r#"{"DisplayName":"b"}"#), "n"),
        &[
            "Modify A False [DisplayName DirectModification - Static]",
            "Modify C False [DisplayName ResourceAttribute A.TopicName Dynamic]",
        ],
        &["Modify A False [DisplayName DirectModification - Static=b]"],
    );
}

#[test]
fn metadata_alone_is_a_change_too() {
    let with = |note: &str| {
        let text =
            format!(r#"{{"Resources":{{"A":{{"Type":"AWS::SNS::Topic","Metadata":{{"note":"{note}"}}}}}}}}"#);
        Template::parse(&text).expect("a template")
    };
    check(
        (&with("one"), "n"),
        (&with("two"), "n"),
        &["Modify A False [- DirectModification - Static]"],
        &[r#"Modify A False [- DirectModification - Static={"note":"two"}]"#],
    );
}

#[test]
fn tags_are_told_apart_from_properties() {
    let own = |value: &str| format!(r#"{{"Tags":[{{"Key":"own","Value":"{value}"}}]}}"#);
    let kept = topics(&[("A", &own("1")), ("B", "{}")]);
    let lines_of = |before: (&Template, Tags<'_>), after: (&Template, Tags<'_>)| {
        let told = told((before.0, "n", before.1), (after.0, "n", after.1));
        (lines(&told.plain), lines(&told.valued), told.valued)
    };
    // Only the stack's: each resource has them, and none is told where they are as before.
    let (plain, valued, told) = lines_of((&kept, &[("a", "1")]), (&kept, &[("a", "2")]));
    assert_eq!(
        plain,
        ["Modify A False [- DirectModification - Static]", "Modify B False [- DirectModification - Static]"]
    );
    assert_eq!(valued[1], r#"Modify B False [- DirectModification - Static=[{"Key":"a","Value":"2"}]]"#);
    let change = &told[0]["ResourceChange"];
    assert_eq!(change["Scope"], json!(["Tags"]));
    let target = json!({
        "Attribute": "Tags", "RequiresRecreation": "Never", "Path": "/Properties/Tags",
        "BeforeValue": r#"[{"Key":"a","Value":"1"},{"Key":"own","Value":"1"}]"#,
        "AfterValue": r#"[{"Key":"a","Value":"2"},{"Key":"own","Value":"1"}]"#,
        "AttributeChangeType": "Modify",
    });
    assert_eq!(change["Details"][0]["Target"], target);
    let (plain, valued, _) = lines_of((&kept, &[("a", "1")]), (&kept, &[("a", "1")]));
    assert_eq!((plain, valued), (vec![], vec![]));
    // A resource's own tag stands before the stack's of that name.
    let (plain, ..) = lines_of((&kept, &[("own", "x")]), (&kept, &[("own", "y")]));
    assert_eq!(plain, ["Modify B False [- DirectModification - Static]"]);
    // All of them gone.
    let (_, valued, told) = lines_of((&kept, &[("a", "1")]), (&kept, &[]));
    assert_eq!(valued[1], "Modify B False [- DirectModification - Static]");
    let target = &told[1]["ResourceChange"]["Details"][0]["Target"];
    assert_eq!(target["AttributeChangeType"], "Remove");
    // The template's.
    let more = topics(&[("A", &own("2")), ("B", "{}")]);
    let (plain, ..) = lines_of((&kept, &[]), (&more, &[]));
    assert_eq!(plain, ["Modify A False [- DirectModification - Static]"]);
}
