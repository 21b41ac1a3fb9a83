//! Parameters read: by name, by path, through their history, and secrets under names of parameters.

use super::parameter::{Parameter, Version};
use super::{Parameters, invalid_token, name, no_parameter, no_version, prefix, search, validation};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{integer, object, page, required, text, texts};
use wire::ServiceError;

const PATH_PAGE: i64 = 10;
const HISTORY_PAGE: i64 = 50;

fn decrypts(input: &Value) -> bool {
    input.get("WithDecryption").and_then(Value::as_bool).unwrap_or(false)
}

impl Parameters {
    pub(super) async fn get_parameter(&self, call: &Call, input: &Value) -> Answer {
        let parameter = self.read(call, required(input, "Name"), decrypts(input)).await?;
        Ok(json!({ "Parameter": parameter }))
    }

    pub(super) async fn get_parameters(&self, call: &Call, input: &Value) -> Answer {
        let names = texts(input, "Names");
        let (mut found, mut invalid) = (Vec::new(), Vec::new());
        for name in &names {
            match self.read(call, name, decrypts(input)).await {
                Ok(parameter) => found.push(parameter),
                Err(error) if error.name().starts_with("Parameter") => {
                    invalid.push(Value::from(name.as_str()))
                }
                Err(error) => return Err(error),
            }
        }
        Ok(json!({ "Parameters": found, "InvalidParameters": invalid }))
    }

    async fn read(&self, call: &Call, asked: &str, decrypt: bool) -> Answer {
        if let Some(secret) = asked.strip_prefix(name::SECRETS) {
            return self.read_secret(call, secret, decrypt).await;
        }
        if asked.starts_with(name::PUBLIC) {
            let message = format!("{asked} is not here: this server has no public parameters of AWS's");
            return Err(ServiceError::new("ParameterNotFound", message));
        }
        let is_arn = asked.starts_with("arn:");
        let asked = name::asked(asked).ok_or_else(no_parameter)?;
        if !is_arn {
            name::check_form(asked.names[0])?;
        }
        for name in &asked.names {
            let Ok(parameter) = self.found(call, name) else { continue };
            let version = match asked.selector {
                None => parameter.latest(),
                Some(selector) => parameter.version(selector).ok_or_else(|| no_version(name, selector))?,
            };
            let mut shown = self.shown(call, &parameter, version, asked.selector, decrypt)?;
            if !is_arn {
                shown["Name"] = asked.names[0].into();
            }
            return Ok(shown);
        }
        Err(no_parameter())
    }

    fn value(
        &self,
        call: &Call,
        parameter: &Parameter,
        version: &Version,
        decrypt: bool,
    ) -> Result<String, ServiceError> {
        if !(parameter.is_secure() && decrypt) {
            return Ok(version.value.clone());
        }
        let plain = self.vault.unseal(&parameter.place(&call.caller, version.number), &version.value)?;
        Ok(String::from_utf8_lossy(&plain).into_owned())
    }

    fn shown(
        &self,
        call: &Call,
        parameter: &Parameter,
        version: &Version,
        selector: Option<&str>,
        decrypt: bool,
    ) -> Answer {
        Ok(object([
            ("Name", Some(parameter.name.as_str().into())),
            ("Type", Some(parameter.kind.as_str().into())),
            ("Value", Some(self.value(call, parameter, version, decrypt)?.into())),
            ("Version", Some(version.number.into())),
            ("Selector", selector.map(|selector| format!(":{selector}").into())),
            ("LastModifiedDate", Some(version.modified_s.into())),
            ("ARN", Some(name::arn(&call.caller.region, &call.caller.account, &parameter.name).into())),
            ("DataType", Some("text".into())),
        ]))
    }

    /// A secret's value, as a parameter; after a colon may come a version's id or label.
    async fn read_secret(&self, call: &Call, asked: &str, decrypt: bool) -> Answer {
        if !decrypt {
            return Err(validation(
                "WithDecryption flag must be True for retrieving a Secret Manager secret.",
            ));
        }
        let (secret, selector) = match asked.split_once(':') {
            Some((secret, selector)) => (secret, Some(selector)),
            None => (asked, None),
        };
        let mut input = json!({ "SecretId": secret });
        if let Some(selector) = selector {
            let is_id = selector.len() >= 32 && selector.contains('-');
            input[if is_id { "VersionId" } else { "VersionStage" }] = selector.into();
        }
        let found = self.house.ask(&call.caller, "secretsmanager", "GetSecretValue", input).await;
        let found = found.map_err(|error| match error.name() {
            "ResourceNotFoundException" => {
                let message = format!(
                    "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret {}{asked} not found.",
                    name::SECRETS
                );
                ServiceError::new("ParameterNotFound", message)
            }
            _ => error,
        })?;
        let value = text(&found, "SecretString")
            .ok_or_else(|| validation("The secret is binary: a parameter's value is a text."))?;
        Ok(object([
            ("Name", Some(format!("{}{secret}", name::SECRETS).into())),
            ("Type", Some(super::parameter::SECURE.into())),
            ("Value", Some(value.into())),
            ("Version", Some(0.into())),
            ("Selector", selector.map(|selector| format!(":{selector}").into())),
            ("SourceResult", Some(source(&found).into())),
            ("LastModifiedDate", Some(found["CreatedDate"].clone())),
            ("ARN", Some(found["ARN"].clone())),
            ("DataType", Some("text".into())),
        ]))
    }

    pub(super) fn get_parameters_by_path(&self, call: &Call, input: &Value) -> Answer {
        let asked = required(input, "Path");
        if asked.starts_with(name::PUBLIC) || asked.starts_with("/aws/reference") {
            return Err(validation(format!(
                "{asked} cannot be listed: this server has no parameters of AWS's"
            )));
        }
        let path = name::path(asked)?;
        let recursive = input.get("Recursive").and_then(Value::as_bool).unwrap_or(false);
        let filters = search::filters(input, &["Type", "KeyId", "Label"])?;
        let label = filters.iter().find(|filter| filter.key == "Label");
        let mut found = Vec::new();
        for (_, parameter) in self.parameters.list(&prefix(call))? {
            if !name::below(&parameter.name, &path, recursive)
                || !filters.iter().all(|filter| filter.fits(&parameter))
            {
                continue;
            }
            let labelled =
                label.and_then(|label| label.values.iter().find_map(|value| parameter.version(value)));
            let version = labelled.unwrap_or_else(|| parameter.latest());
            let shown = self.shown(call, &parameter, version, None, decrypts(input))?;
            found.push((parameter.name.clone(), shown));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let limit = integer(input, "MaxResults").unwrap_or(PATH_PAGE) as usize;
        let page = page(found, text(input, "NextToken"), limit, invalid_token)?;
        Ok(object([("Parameters", Some(page.items.into())), ("NextToken", page.next.map(Value::from))]))
    }

    pub(super) fn get_history(&self, call: &Call, input: &Value) -> Answer {
        let parameter = self.found(call, required(input, "Name"))?;
        let mut list = Vec::new();
        for version in &parameter.versions {
            let mut told = parameter.told(version, &call.caller);
            told["Value"] = self.value(call, &parameter, version, decrypts(input))?.into();
            told["Labels"] = json!(version.labels);
            list.push((format!("{:020}", version.number), told));
        }
        let limit = integer(input, "MaxResults").unwrap_or(HISTORY_PAGE) as usize;
        let page = page(list, text(input, "NextToken"), limit, invalid_token)?;
        Ok(object([("Parameters", Some(page.items.into())), ("NextToken", page.next.map(Value::from))]))
    }
}

/// A secret's answer as it is told beside its value: the names begin small.
fn source(found: &Value) -> String {
    let mut told = serde_json::Map::new();
    for (name, value) in found.as_object().into_iter().flatten() {
        let small = match name.as_str() {
            "ARN" => "ARN".to_owned(),
            name => name[..1].to_ascii_lowercase() + &name[1..],
        };
        told.insert(small, value.clone());
    }
    Value::Object(told).to_string()
}
