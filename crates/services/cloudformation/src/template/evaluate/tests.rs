use super::{Foresight, Made, Scope};
use serde_json::{Value, json};

fn scope() -> Scope {
    let made = Made {
        id: "the-table".into(),
        attributes: [("Arn".to_owned(), json!("arn:table")), ("Endpoint.Port".to_owned(), json!("3306"))]
            .into(),
    };
    Scope {
        pseudo: [("AWS::Region", json!("eu-west-1")), ("AWS::AccountId", json!("123456789012"))].into(),
        parameters: [("Stage".to_owned(), json!("prod")), ("List".to_owned(), json!(["a", "b"]))].into(),
        mappings: json!({"Sizes": {"prod": {"n": 3}}}).as_object().cloned().unwrap_or_default(),
        conditions: json!({
            "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "Not": {"Fn::Not": [{"Condition": "IsProd"}]},
            "Either": {"Fn::Or": [{"Condition": "Not"}, {"Fn::And": [{"Condition": "IsProd"}, {"Fn::Equals": [1, "1"]}]}]},
        }).as_object().cloned().unwrap_or_default(),
        resources: [("Table".to_owned(), made)].into(),
        exports: [("out".to_owned(), "there".to_owned())].into(),
        ..Scope::default()
    }
}

#[test]
fn functions() {
    for (template, expected) in [
        (json!({"Ref": "Stage"}), json!("prod")),
        (json!({"Ref": "Table"}), json!("the-table")),
        (json!({"Fn::GetAtt": ["Table", "Arn"]}), json!("arn:table")),
        (json!({"Fn::GetAtt": "Table.Endpoint.Port"}), json!("3306")),
        (
            json!({"Fn::Sub": "${AWS::Region}-${Table}-${Table.Arn}-${!x}"}),
            json!("eu-west-1-the-table-arn:table-${x}"),
        ),
        (json!({"Fn::Sub": ["${a}/${Stage}", {"a": {"Ref": "Table"}}]}), json!("the-table/prod")),
        (json!({"Fn::Join": ["-", ["a", 1, {"Ref": "Stage"}]]}), json!("a-1-prod")),
        (json!({"Fn::Select": ["1", {"Fn::Split": [",", "x,y"]}]}), json!("y")),
        (json!({"Fn::Select": [0, {"Fn::GetAZs": ""}]}), json!("eu-west-1a")),
        (json!({"Fn::If": ["Either", {"a": 1, "b": {"Ref": "AWS::NoValue"}}, 2]}), json!({"a": 1})),
        (json!([1, {"Fn::If": ["Not", 2, {"Ref": "AWS::NoValue"}]}, 3]), json!([1, 3])),
        (json!({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "n"]}), json!(3)),
        (json!({"Fn::ImportValue": "out"}), json!("there")),
        (json!({"Fn::Base64": "hi"}), json!("aGk=")),
        (json!({"Fn::Contains": [["a", "b"], "b"]}), json!(true)),
        (json!({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}), json!(["10.0.0.0/24", "10.0.1.0/24"])),
        (json!({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}), json!("{\"a\":\"prod\"}")),
        (json!({"Fn::Length": {"Ref": "List"}}), json!(2)),
    ] {
        assert_eq!(scope().evaluate(&template), Ok(expected), "{template}");
    }
}

#[test]
fn what_cannot_be_answered_is_told() {
    for (template, words) in [
        (json!({"Ref": "Nobody"}), "Unresolved resource dependencies [Nobody]"),
        (json!({"Fn::GetAtt": ["Table", "Nothing"]}), "Requested attribute Nothing does not exist"),
        (json!({"Fn::ImportValue": "nothing"}), "No export named nothing found."),
        (json!({"Fn::Select": [5, ["a"]]}), "Fn::Select requires a list argument with two elements"),
        (json!({"Fn::Nonsense": 1}), "Fn::Nonsense is not a function"),
        (json!({"Fn::If": ["Nowhere", 1, 2]}), "unresolved condition dependency Nowhere in Fn::If"),
    ] {
        let error = scope().evaluate(&template).expect_err(words);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn before_anything_is_made_a_value_is_as_certain_as_it_can_be() {
    let later = ["Queue".to_owned()].into();
    let scope = Scope { foresight: Some(Foresight { later, ..Foresight::default() }), ..scope() };
    for (template, expected, mentioned) in [
        (json!({"Fn::Sub": "${Queue.Arn}/${Stage}"}), json!("{{changeSet:KNOWN_AFTER_APPLY}}/prod"), 2),
        (json!({"Fn::Join": ["", ["a", {"Ref": "Queue"}]]}), json!("a{{changeSet:KNOWN_AFTER_APPLY}}"), 1),
        (
            json!({"Fn::Select": [9, {"Fn::Split": [",", {"Ref": "Queue"}]}]}),
            json!("{{changeSet:KNOWN_AFTER_APPLY}}"),
            1,
        ),
        (json!({"Fn::If": ["IsProd", {"Ref": "Table"}, {"Ref": "Nobody"}]}), json!("the-table"), 2),
        (json!({"Fn::ImportValue": "nothing yet"}), json!("{{changeSet:KNOWN_AFTER_APPLY}}"), 0),
    ] {
        let (value, mentions) = scope.foresee(&template).expect("foreseen");
        assert_eq!((value, mentions.len()), (Some(expected), mentioned), "{template}");
    }
    assert_eq!(scope.foresee(&json!({"Ref": "AWS::NoValue"})).map(|(value, _)| value), Ok(None));
    assert!(scope.foresee(&json!({"Fn::FindInMap": ["Sizes", "dev", "n"]})).is_err());
    scope.foresee(&json!([{"Ref": "Nobody"}, {"Fn::GetAtt": ["None", "Arn"]}])).expect("told as missing");
    let missing = scope.foresight.expect("foresight").missing.into_inner().expect("unpoisoned");
    assert_eq!(missing, ["Nobody".to_owned(), "None".to_owned()].into());
}

#[test]
fn what_has_no_condition_is_wanted() {
    let scope = scope();
    assert_eq!(scope.wanted(&json!({"Condition": "Not"})), Ok(false));
    assert_eq!(scope.wanted(&Value::Null), Ok(true));
}
