//! Parameters listed by what is known of them; never their values.

use super::parameter::Parameter;
use super::{Parameters, invalid_token, name, prefix, validation};
use serde_json::Value;
use servicekit::call::{Answer, Call};
use servicekit::fields::{integer, object, page, required, text, texts};
use wire::ServiceError;

const PAGE: i64 = 50;

/// One condition on a parameter; every value is an alternative.
pub(super) struct Filter {
    pub key: String,
    option: How,
    pub values: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Equals,
    BeginsWith,
    Contains,
    OneLevel,
    Recursive,
}

impl Filter {
    pub fn fits(&self, parameter: &Parameter) -> bool {
        let version = parameter.latest();
        match self.key.as_str() {
            "Name" => self.matches(&parameter.name),
            "Type" => self.matches(&parameter.kind),
            "KeyId" => version.key_id.as_deref().is_some_and(|key| self.matches(key)),
            "Tier" => self.matches(&version.tier),
            "DataType" => self.matches("text"),
            "Label" => self.values.iter().any(|label| parameter.version(label).is_some()),
            "Path" => {
                let recursive = self.option == How::Recursive;
                self.values.iter().any(|path| name::below(&parameter.name, path, recursive))
            }
            key => {
                let tag = key.strip_prefix("tag:").and_then(|tag| parameter.tags.get(tag));
                tag.is_some_and(|value| self.values.is_empty() || self.matches(value))
            }
        }
    }

    fn matches(&self, text: &str) -> bool {
        self.values.iter().any(|value| match self.option {
            How::BeginsWith => text.starts_with(value),
            How::Contains => text.contains(value),
            _ => text == value,
        })
    }
}

/// The filters of an input, which may have these keys.
pub(super) fn filters(input: &Value, keys: &[&str]) -> Result<Vec<Filter>, ServiceError> {
    let list = input.get("ParameterFilters").and_then(Value::as_array);
    let mut filters: Vec<Filter> = Vec::new();
    for filter in list.into_iter().flatten() {
        let (key, mut values) = (required(filter, "Key"), texts(filter, "Values"));
        if !keys.iter().any(|known| key == *known || *known == "tag:" && key.starts_with("tag:")) {
            let message = format!(
                "The following filter key is not valid: {key}. Valid filter keys include: [{}].",
                keys.join(", ")
            );
            return Err(ServiceError::new("InvalidFilterKey", message));
        }
        if filters.iter().any(|filter| filter.key == key) {
            return Err(validation(
                "The following filters are duplicated in the request: each key may be given once.",
            ));
        }
        let option = match (key, text(filter, "Option")) {
            ("Path", None | Some("OneLevel")) => How::OneLevel,
            ("Path", Some("Recursive")) => How::Recursive,
            (_, None | Some("Equals")) if key != "Path" => How::Equals,
            (_, Some("BeginsWith")) if key != "Path" => How::BeginsWith,
            ("Name", Some("Contains")) => How::Contains,
            (_, option) => {
                let option = option.unwrap_or_default();
                let message =
                    format!("The following filter option is not valid: {option}, for the key {key}.");
                return Err(ServiceError::new("InvalidFilterOption", message));
            }
        };
        if key == "Path" {
            values = values.iter().map(|path| name::path(path)).collect::<Result<_, _>>()?;
        }
        if values.is_empty() && !key.starts_with("tag:") {
            let message = format!("The following filter values are missing : null for filter key {key}.");
            return Err(ServiceError::new("InvalidFilterValue", message));
        }
        filters.push(Filter { key: key.to_owned(), option, values });
    }
    Ok(filters)
}

impl Parameters {
    pub(super) fn describe_parameters(&self, call: &Call, input: &Value) -> Answer {
        if input.get("Filters").is_some() {
            return Err(validation("Filters is not supported: use ParameterFilters"));
        }
        if input.get("Shared").and_then(Value::as_bool) == Some(true) {
            return Err(validation("Shared is not supported: no parameters are shared here"));
        }
        let filters = filters(input, &["Name", "Type", "KeyId", "Path", "Tier", "DataType", "tag:"])?;
        let found = self.parameters.list(&prefix(call))?.into_iter().map(|(_, parameter)| parameter);
        let fitting = found.filter(|parameter| filters.iter().all(|filter| filter.fits(parameter)));
        let mut list: Vec<(String, Value)> = fitting
            .map(|parameter| {
                let mut told = parameter.told(parameter.latest(), &call.caller);
                told["ARN"] = name::arn(&call.caller.region, &call.caller.account, &parameter.name).into();
                (parameter.name, told)
            })
            .collect();
        list.sort_by(|a, b| a.0.cmp(&b.0));
        let limit = integer(input, "MaxResults").unwrap_or(PAGE) as usize;
        let page = page(list, text(input, "NextToken"), limit, invalid_token)?;
        Ok(object([("Parameters", Some(page.items.into())), ("NextToken", page.next.map(Value::from))]))
    }
}
