//! A template: its sections, what is wrong with its form, and the text it came from. Pure.

mod blocks;
pub(crate) mod evaluate;
mod form;
pub(crate) mod graph;
pub(crate) mod loops;
mod sam;

use loops::Values;
use serde_json::{Map, Value};
use servicekit::yaml;

/// The most bytes of a template given in the call.
pub(crate) const BODY_BYTES_MAX: usize = 51_200;

/// The transforms there are, carried out where a template is read.
pub(crate) const TRANSFORMS: [&str; 2] = [loops::NAME, sam::NAME];

#[derive(Clone, Debug)]
pub(crate) struct Template {
    tree: Value,
}

impl Template {
    /// Reads a template whose parameters have their defaults.
    pub fn parse(text: &str) -> Result<Template, String> {
        Template::read(text, &Values::new())
    }

    /// Reads a template and checks its form; what its functions say is found out when they are evaluated. Loops go over
    /// the values of parameters.
    pub fn read(text: &str, values: &Values) -> Result<Template, String> {
        let mut template = Template { tree: yaml::parse(text)? };
        form::check_sections(&template.tree)?;
        let asked: Vec<String> = template.transforms().into_iter().map(str::to_owned).collect();
        if asked.iter().any(|name| name == loops::NAME) {
            loops::expand(&mut template.tree, values)?;
        }
        if asked.iter().any(|name| name == sam::NAME) {
            sam::expand(&mut template.tree)?;
        }
        form::check_members(&template)?;
        graph::check(&template)?;
        Ok(template)
    }

    /// A section's members, in the template's order; nothing where it has no such section.
    pub fn section(&self, name: &str) -> &Map<String, Value> {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.tree.get(name).and_then(Value::as_object).unwrap_or(&NONE)
    }

    pub fn resources(&self) -> &Map<String, Value> {
        self.section("Resources")
    }

    pub fn resource_type(&self, name: &str) -> &str {
        self.resources().get(name).and_then(|resource| resource["Type"].as_str()).unwrap_or_default()
    }

    /// The template as it is meant, its short forms written out.
    pub fn written_out(&self) -> String {
        let mut tree = self.tree.clone();
        if let Some(members) = tree.as_object_mut() {
            members.shift_remove("Transform");
        }
        tree.to_string()
    }

    pub fn description(&self) -> Option<&str> {
        self.tree.get("Description")?.as_str()
    }

    pub fn version(&self) -> Option<&str> {
        self.tree.get("AWSTemplateFormatVersion")?.as_str()
    }

    /// What the template says of itself, as text.
    pub fn metadata(&self) -> Option<String> {
        self.tree.get("Metadata").map(Value::to_string)
    }

    /// The names of macros the template asks for.
    pub fn transforms(&self) -> Vec<&str> {
        match self.tree.get("Transform") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// What has to be acknowledged before it is deployed.
    pub fn capabilities(&self) -> Option<(&'static str, String)> {
        let named = |name: &String, resource: &Value| {
            let kind = resource["Type"].as_str().unwrap_or_default();
            let name_member = match kind {
                "AWS::IAM::Role" => "RoleName",
                "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
                "AWS::IAM::User" => "UserName",
                "AWS::IAM::Group" => "GroupName",
                "AWS::IAM::AccessKey"
                | "AWS::IAM::InstanceProfile"
                | "AWS::IAM::Policy"
                | "AWS::IAM::UserToGroupAddition" => "",
                _ => return None,
            };
            let has_name = resource.get("Properties").is_some_and(|own| own.get(name_member).is_some());
            Some((has_name, name.clone()))
        };
        let found: Vec<_> =
            self.resources().iter().filter_map(|(name, resource)| named(name, resource)).collect();
        let names: Vec<_> = found.iter().map(|(_, name)| name.as_str()).collect();
        let reason = format!("The following resource(s) require capabilities: [{}]", names.join(", "));
        match found.iter().any(|(has_name, _)| *has_name) {
            true => Some(("CAPABILITY_NAMED_IAM", reason)),
            false if !found.is_empty() => Some(("CAPABILITY_IAM", reason)),
            false => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn forms_are_refused_in_the_service_s_words() {
        for (text, words) in [
            ("[]", "Template format error: unsupported structure."),
            ("{}", "Template format error: At least one Resources member must be defined."),
            (
                r#"{"Resources":{"A":{}}}"#,
                "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
            ),
            (
                r#"{"Resources":{"A":{"Type":"T","Invalid":10}}}"#,
                "Invalid template resource property 'Invalid'",
            ),
            (r#"{"Resources":{"A":"T"}}"#, "Template format error: Any Resources member must be an object."),
            (
                r#"{"Resources":{"A":{"Type":"T"}},"Outputs":{"O":{"Value":null}}}"#,
                "[/Outputs/O/Value] 'null' values are not allowed in templates",
            ),
            (
                r#"{"Resources":{"A":{"Type":"T"}},"Parameters":{"AWS::NoValue":{"Type":"String"}}}"#,
                "Template format error: Parameter name AWS::NoValue is non alphanumeric.",
            ),
            (
                r#"{"Resources":{"A":{"Type":"T"}},"Mappings":{"M":{"A":"b"}}}"#,
                "Template format error: Every Mappings member A must be a map",
            ),
            (
                r#"{"Resources":{"A":{"Type":"T"}},"Mappings":{"M":{"A":{"B":{"C":"d"}}}}}"#,
                "Template format error: Every Mappings attribute must be a String or a List.",
            ),
            (
                r#"{"Resources":{"A":{"Type":"T"}},"Outputs":{"O":{}}}"#,
                "Template format error: Every Outputs member must contain a Value object",
            ),
            (
                r#"{"Resources":{"A":{"Type":"T","Properties":{"X":{"Ref":"B"}}}}}"#,
                "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
            ),
            (
                r#"{"Resources":{"A":{"Type":"T","DependsOn":"B"},"B":{"Type":"T","DependsOn":["A"]}}}"#,
                "Circular dependency between resources: [A, B]",
            ),
        ] {
            assert_eq!(Template::parse(text).expect_err(words), words);
        }
    }
}
