//! What a template comes to before anything is made of it, and what can be seen to be wrong with it.

use super::template::Template;
use super::template::evaluate::{Foresight, Scope};
use std::collections::BTreeSet;

/// What a stack's functions may ask for before anything is made: what is made of it is known later.
pub(crate) fn before_making(template: &Template, scope: Scope) -> Result<Scope, String> {
    let mut later = BTreeSet::new();
    for (name, resource) in template.resources() {
        if scope.wanted(resource)? {
            later.insert(name.clone());
        }
    }
    Ok(Scope { foresight: Some(Foresight { later, ..Foresight::default() }), ..scope })
}

/// Refuses what can be seen to be wrong before anything is made.
pub(crate) fn check(template: &Template, scope: Scope) -> Result<(), String> {
    let scope = before_making(template, scope)?;
    let missing = |scope: &Scope| {
        let taken =
            scope.foresight.as_ref().map(|own| own.missing.lock().map(|mut own| std::mem::take(&mut *own)));
        let names: Vec<_> = taken.and_then(Result::ok).unwrap_or_default().into_iter().collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    for resource in template.resources().values() {
        if scope.wanted(resource)? {
            resource.get("Properties").map_or(Ok(()), |own| scope.foresee(own).map(|_| ()))?;
        }
    }
    if let Some(names) = missing(&scope) {
        return Err(format!(
            "Template format error: Unresolved resource dependencies [{names}] in the Resources block of the template"
        ));
    }
    for output in template.section("Outputs").values() {
        if scope.wanted(output)? {
            scope.foresee(&output["Value"])?;
            output.get("Export").map_or(Ok(()), |own| scope.foresee(own).map(|_| ()))?;
        }
    }
    missing(&scope).map_or(Ok(()), |names| {
        Err(format!("Unresolved resource dependencies [{names}] in the Outputs block of the template"))
    })
}

#[cfg(test)]
mod tests {
    use crate::template::Template;
    use crate::template::evaluate::Scope;

    #[test]
    fn what_can_be_seen_before_anything_is_made_is_refused_before() {
        let template = |properties: &str, output: &str| {
            format!(
                r#"{{"Conditions":{{"No":{{"Fn::Equals":["a","b"]}}}},"Mappings":{{"M":{{"A":{{"B":"c"}}}}}},
                "Resources":{{"Gone":{{"Type":"T","Condition":"No"}},"A":{{"Type":"T","Properties":{properties}}}}},
                "Outputs":{{"O":{{"Value":{output}}}}}}}"#
            )
        };
        for (properties, output, words) in [
            (
                r#"{"P":{"Fn::GetAtt":["A2","Arn"]}}"#,
                r#""v""#,
                "Template format error: Unresolved resource dependencies [A2]",
            ),
            (
                r#"{"P":{"Ref":"Gone"}}"#,
                r#""v""#,
                "Template format error: Unresolved resource dependencies [Gone] in the Resources block of the template",
            ),
            (
                r#"{"P":{"Fn::Sub":"${Gone.Arn}"}}"#,
                r#""v""#,
                "Template format error: Unresolved resource dependencies [Gone] in the Resources block of the template",
            ),
            (
                "{}",
                r#"{"Ref":"Gone"}"#,
                "Unresolved resource dependencies [Gone] in the Outputs block of the template",
            ),
            (
                r#"{"P":{"Fn::FindInMap":["M","A","C"]}}"#,
                r#""v""#,
                "Template error: Unable to get mapping for M::A::C",
            ),
            (
                r#"{"P":{"Fn::If":["Nobody","a","b"]}}"#,
                r#""v""#,
                "Template error: unresolved condition dependency Nobody in Fn::If",
            ),
            (
                r#"{"P":{"Fn::Select":[3,["a"]]}}"#,
                r#""v""#,
                "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
            ),
            (r#"{"P":{"Fn::If":["No",{"Ref":"Gone"},"b"]}}"#, r#"{"Ref":"A"}"#, ""),
        ] {
            let told = Template::parse(&template(properties, output)).and_then(|template| {
                let section = |name: &str| template.section(name).clone();
                let scope = Scope {
                    mappings: section("Mappings"),
                    conditions: section("Conditions"),
                    ..Scope::default()
                };
                super::check(&template, scope)
            });
            assert!(told.clone().err().unwrap_or_default().starts_with(words), "{told:?}");
            assert_eq!(told.is_ok(), words.is_empty(), "{properties}");
        }
    }
}
