//! Requests held against what their method asks of them, before anything is called.

use super::fault::Fault;
use super::schema::{self, Schemas};
use super::serve::Run;
use crate::members::Members;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is asked of the requests to one method.
pub(super) struct Validation {
    /// `header.name`, `path.name`, `querystring.name`; none where they are not checked.
    parameters: Vec<String>,
    body: Option<BodyModels>,
}

struct BodyModels {
    schemas: Arc<Schemas>,
    /// By content type.
    models: BTreeMap<String, String>,
}

impl Validation {
    pub fn of(
        method: &Members,
        validators: &BTreeMap<String, Members>,
        schemas: &Arc<Schemas>,
    ) -> Option<Validation> {
        let validator = validators.get(method.get("requestValidatorId")?.as_str()?)?;
        let checks = |name: &str| validator.get(name) == Some(&Value::Bool(true));
        let mut parameters = Vec::new();
        if checks("validateRequestParameters") {
            let declared = method.get("requestParameters").and_then(Value::as_object).into_iter().flatten();
            let needed = declared.filter(|(_, needed)| **needed == true);
            parameters.extend(
                needed.filter_map(|(name, _)| Some(name.strip_prefix("method.request.")?.to_owned())),
            );
            parameters.sort();
        }
        let body = checks("validateRequestBody").then(|| {
            let models = method.get("requestModels").and_then(Value::as_object).into_iter().flatten();
            let models = models.filter_map(|(kind, model)| Some((kind.clone(), model.as_str()?.to_owned())));
            BodyModels { schemas: schemas.clone(), models: models.collect() }
        });
        Some(Validation { parameters, body })
    }
}

impl Run<'_> {
    pub(super) fn validate(&self) -> Result<(), Fault> {
        let Some(validation) = &self.method.validation else { return Ok(()) };
        let absent = validation.parameters.iter().filter(|name| !self.has(name));
        let absent: Vec<&str> = absent.filter_map(|name| Some(name.split_once('.')?.1)).collect();
        if !absent.is_empty() {
            return Err(Fault::Parameters(absent.join(", ")));
        }
        validation.body.as_ref().map_or(Ok(()), |body| self.validate_body(body))
    }

    /// Whether a parameter is there and says something.
    fn has(&self, name: &str) -> bool {
        let (place, name) = name.split_once('.').unwrap_or_default();
        match place {
            "header" => {
                self.visit.request.header(name.to_ascii_lowercase()).is_some_and(|value| !value.is_empty())
            }
            "path" => self.visit.variables.iter().any(|(own, value)| own == name && !value.is_empty()),
            _ => self
                .visit
                .query()
                .iter()
                .any(|(own, values)| own == name && values.iter().any(|one| !one.is_empty())),
        }
    }

    /// A body of a type that no model is for passes.
    fn validate_body(&self, asked: &BodyModels) -> Result<(), Fault> {
        let request = self.visit.request;
        let kind = request.header("content-type").unwrap_or("application/json");
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let Some(model) = asked.models.get(kind).or_else(|| asked.models.get("$default")) else {
            return Ok(());
        };
        if !asked.schemas.contains_key(model) {
            return Ok(());
        }
        let document = match request.body.is_empty() {
            true => json!({}),
            false => {
                serde_json::from_slice(&request.body).map_err(|_| Fault::Body("[Invalid JSON]".to_owned()))?
            }
        };
        let faults = schema::faults(&asked.schemas, model, &document);
        if faults.is_empty() { Ok(()) } else { Err(Fault::Body(format!("[{}]", faults.join(", ")))) }
    }
}
