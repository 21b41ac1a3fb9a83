//! New parameters and new versions of them.

use super::parameter::{Parameter, SECURE, VERSIONS_MAX, Version};
use super::{Parameters, key, name, validation};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{required, tags_of, text};
use wire::ServiceError;

const STANDARD_MAX: usize = 4_096;
const ADVANCED_MAX: usize = 8_192;
/// AWS's own key for parameters, where the client names none.
const DEFAULT_KEY: &str = "alias/aws/ssm";

impl Parameters {
    pub(super) async fn put_parameter(&self, call: &Call, input: &Value) -> Answer {
        let name = match required(input, "Name") {
            arn if arn.starts_with("arn:") => {
                let asked = name::asked(arn).filter(|asked| asked.selector.is_none());
                asked.and_then(|asked| asked.names.first().copied()).ok_or_else(super::no_parameter)?
            }
            name => name,
        };
        name::check(name)?;
        let overwrite = input.get("Overwrite").and_then(Value::as_bool).unwrap_or(false);
        let tags = tags_of(input, "Tags");
        if overwrite && !tags.is_empty() {
            return Err(validation(
                "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
            ));
        }
        if text(input, "Policies").is_some_and(|policies| policies != "[]" && policies != "{}") {
            return Err(validation("Policies are not supported: leave them out"));
        }
        check_data_type(text(input, "DataType").unwrap_or("text"))?;
        let pattern = text(input, "AllowedPattern").filter(|pattern| !pattern.is_empty());
        check_value(required(input, "Value"), pattern)?;
        self.parameters
            .edit(&key(call, name), |there| {
                let made = match there {
                    Some(_) if !overwrite => {
                        let message = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.";
                        return Err(ServiceError::new("ParameterAlreadyExists", message));
                    }
                    Some(there) => self.changed(call, input, there)?,
                    None => {
                        let kind = text(input, "Type")
                            .ok_or_else(|| validation("A parameter type is required when you create a parameter."))?;
                        let fresh = Parameter {
                            name: name.to_owned(),
                            kind: kind.to_owned(),
                            tags: tags.clone(),
                            versions: Vec::new(),
                        };
                        self.changed(call, input, fresh)?
                    }
                };
                let latest = made.latest();
                let answer = json!({ "Version": latest.number, "Tier": latest.tier });
                Ok((Edit::Put(made), answer))
            })
            .await
    }

    /// The parameter with one more version.
    fn changed(
        &self,
        call: &Call,
        input: &Value,
        mut parameter: Parameter,
    ) -> Result<Parameter, ServiceError> {
        let (before, value) = (parameter.versions.last(), required(input, "Value"));
        if let Some(kind) = text(input, "Type").filter(|kind| *kind != parameter.kind) {
            let message = format!(
                "Parameter Store doesn't support changing a parameter type in a hierarchy: {} is a {}, not a {kind}.",
                parameter.name, parameter.kind
            );
            return Err(ServiceError::new("HierarchyTypeMismatchException", message));
        }
        let key_id = text(input, "KeyId").map(str::to_owned);
        if key_id.is_some() && !parameter.is_secure() {
            return Err(validation(format!("KeyId is only of use to a parameter of type {SECURE}.")));
        }
        let earlier = |of: fn(&Version) -> &Option<String>| before.and_then(|before| of(before).clone());
        let key_id = match parameter.is_secure() {
            true => Some(
                key_id.or_else(|| earlier(|before| &before.key_id)).unwrap_or_else(|| DEFAULT_KEY.to_owned()),
            ),
            false => None,
        };
        let number = before.map_or(1, |before| before.number + 1);
        let version = Version {
            number,
            value: match parameter.is_secure() {
                true => self.vault.seal(&parameter.place(&call.caller, number), value.as_bytes()),
                false => value.to_owned(),
            },
            labels: Default::default(),
            modified_s: self.world.now().seconds_f64(),
            description: text(input, "Description")
                .map(str::to_owned)
                .or_else(|| earlier(|before| &before.description)),
            pattern: text(input, "AllowedPattern").filter(|pattern| !pattern.is_empty()).map(str::to_owned),
            key_id,
            tier: tier(text(input, "Tier"), before.map(|before| before.tier.as_str()), value)?.to_owned(),
        };
        parameter.versions.push(version);
        if parameter.versions.len() > VERSIONS_MAX {
            let oldest = parameter.versions.remove(0);
            if !oldest.labels.is_empty() {
                let message = format!(
                    "You attempted to create a new version of {} by calling the PutParameter API with the overwrite flag. Version {}, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.",
                    parameter.name, oldest.number
                );
                return Err(ServiceError::new("ParameterMaxVersionLimitExceeded", message));
            }
        }
        Ok(parameter)
    }
}

fn check_data_type(data_type: &str) -> Result<(), ServiceError> {
    match data_type {
        "text" => Ok(()),
        "aws:ec2:image" | "aws:ssm:integration" => {
            Err(validation(format!("DataType {data_type} is not supported: text is")))
        }
        _ => Err(validation(format!(
            "The following data type is not supported: {data_type} (Data type names are all lowercase.)"
        ))),
    }
}

fn check_value(value: &str, pattern: Option<&str>) -> Result<(), ServiceError> {
    if value.is_empty() {
        return Err(validation(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.",
        ));
    }
    if value.contains("{{") {
        return Err(validation(
            "Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.",
        ));
    }
    let Some(pattern) = pattern else { return Ok(()) };
    let known = regex_lite::Regex::new(&format!("^(?:{pattern})$")).map_err(|_| {
        let message = format!("The pattern {pattern} is no regular expression that this server knows.");
        ServiceError::new("InvalidAllowedPatternException", message)
    })?;
    match known.is_match(value) {
        true => Ok(()),
        false => {
            let message = format!("Parameter value, cannot be validated against allowedPattern: {pattern}");
            Err(ServiceError::new("ParameterPatternMismatchException", message))
        }
    }
}

/// The tier that a value gets: never a lower one than before.
fn tier(asked: Option<&str>, before: Option<&str>, value: &str) -> Result<&'static str, ServiceError> {
    const STANDARD: &str = "Standard";
    const ADVANCED: &str = "Advanced";
    let tier = match (asked, before) {
        (Some(STANDARD), Some(ADVANCED)) => {
            return Err(validation(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier.",
            ));
        }
        (Some(ADVANCED), _) | (_, Some(ADVANCED)) => ADVANCED,
        (Some("Intelligent-Tiering"), _) if value.len() > STANDARD_MAX => ADVANCED,
        _ => STANDARD,
    };
    if tier == STANDARD && value.len() > STANDARD_MAX {
        return Err(validation(format!(
            "Standard tier parameters support a maximum parameter value of {STANDARD_MAX} characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )));
    }
    if value.len() > ADVANCED_MAX {
        return Err(validation(format!(
            "Advanced tier parameters support a maximum parameter value of {ADVANCED_MAX} characters."
        )));
    }
    Ok(tier)
}
