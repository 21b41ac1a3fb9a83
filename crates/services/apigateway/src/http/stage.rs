//! Stages: what is served, under which name, with which variables and how often.

use super::book::HttpApi;
use super::{Http, found, page, take_over};
use crate::fault::{bad, conflict, refuse, too_many};
use crate::members::Members;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};
use wire::ServiceError;

const STAGES_MAX: usize = 10;

const REFUSED: &[&str] = &["AccessLogSettings", "ClientCertificateId"];

const OWN: &[&str] =
    &["AutoDeploy", "DefaultRouteSettings", "Description", "RouteSettings", "StageName", "StageVariables"];

impl Http {
    /// A new stage as it is kept, without a deployment.
    pub(super) fn stage_made(&self, input: &Value) -> Result<Members, ServiceError> {
        check(input)?;
        let mut told = Members::new();
        told.insert("AutoDeploy".to_owned(), false.into());
        told.insert("CreatedDate".to_owned(), self.book.now());
        told.insert("DefaultRouteSettings".to_owned(), json!({"DetailedMetricsEnabled": false}));
        told.insert("LastUpdatedDate".to_owned(), self.book.now());
        told.insert("RouteSettings".to_owned(), json!({}));
        told.insert("StageVariables".to_owned(), json!({}));
        told.insert("Tags".to_owned(), input.get("Tags").cloned().unwrap_or_else(|| json!({})));
        take_over(&mut told, input, OWN);
        Ok(told)
    }

    pub(super) async fn create_stage(&self, call: &Call, input: &Value) -> Answer {
        let mut told = self.stage_made(input)?;
        let name = required(input, "StageName");
        let made = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            if api.stages.contains_key(name) {
                return Err(conflict("Stage already exists"));
            }
            if api.stages.len() >= STAGES_MAX {
                return Err(too_many(format!("An API has at most {STAGES_MAX} stages.")));
            }
            self.move_to(&mut told, input, api)?;
            api.stages.insert(name.to_owned(), told);
            Ok(())
        });
        made.await?;
        self.get_stage(call, input)
    }

    pub(super) fn get_stage(&self, call: &Call, input: &Value) -> Answer {
        let mut api = self.book.find(&call.caller, required(input, "ApiId"))?;
        Ok(Value::Object(found(&mut api.stages, "stage", required(input, "StageName"))?.clone()))
    }

    pub(super) fn get_stages(&self, call: &Call, input: &Value) -> Answer {
        page(input, self.book.find(&call.caller, required(input, "ApiId"))?.stages)
    }

    pub(super) async fn update_stage(&self, call: &Call, input: &Value) -> Answer {
        check(input)?;
        let changed = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            let mut told = found(&mut api.stages, "stage", required(input, "StageName"))?.clone();
            let settings = told.get("RouteSettings").cloned();
            take_over(&mut told, input, OWN);
            // Settings of single routes are laid over those there are.
            if let (Some(Value::Object(mut old)), Some(Value::Object(new))) =
                (settings, input.get("RouteSettings"))
            {
                old.extend(new.clone());
                told.insert("RouteSettings".to_owned(), Value::Object(old));
            }
            // A variable without a value is taken away.
            if let Some(Value::Object(variables)) = told.get_mut("StageVariables") {
                variables.retain(|_, value| value != "");
            }
            told.insert("LastUpdatedDate".to_owned(), self.book.now());
            self.move_to(&mut told, input, api)?;
            api.stages.insert(required(input, "StageName").to_owned(), told);
            Ok(())
        });
        changed.await?;
        self.get_stage(call, input)
    }

    /// Points a stage at the deployment that the input names.
    fn move_to(&self, told: &mut Members, input: &Value, api: &HttpApi) -> Result<(), ServiceError> {
        let Some(deployment) = text(input, "DeploymentId") else { return Ok(()) };
        if told.get("AutoDeploy") == Some(&Value::Bool(true)) {
            return Err(bad("DeploymentId cannot be set for a stage with AutoDeploy."));
        }
        if !api.deployments.contains_key(deployment) {
            return Err(bad(format!("Invalid Deployment identifier specified {deployment}")));
        }
        self.book.point(told, deployment);
        Ok(())
    }

    pub(super) async fn delete_stage(&self, call: &Call, input: &Value) -> Answer {
        let gone = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            let name = required(input, "StageName");
            found(&mut api.stages, "stage", name)?;
            api.stages.remove(name);
            Ok(())
        });
        gone.await?;
        Ok(json!({}))
    }

    pub(super) async fn delete_route_settings(&self, call: &Call, input: &Value) -> Answer {
        let gone = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            let told = found(&mut api.stages, "stage", required(input, "StageName"))?;
            if let Some(Value::Object(settings)) = told.get_mut("RouteSettings") {
                settings.shift_remove(required(input, "RouteKey"));
            }
            Ok(())
        });
        gone.await?;
        Ok(json!({}))
    }
}

fn check(input: &Value) -> Result<(), ServiceError> {
    refuse(input, REFUSED)?;
    let name = required(input, "StageName");
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if name != "$default" && !name.bytes().all(allowed) {
        return Err(bad("Stage name only allows a-zA-Z0-9_- and $default"));
    }
    let variables = input.get("StageVariables").and_then(Value::as_object).into_iter().flatten();
    for (name, value) in variables {
        let (name_ok, value) =
            (name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), value.as_str());
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&byte);
        if !name_ok || !value.unwrap_or_default().bytes().all(fits) {
            return Err(bad(format!(
                "Stage variable {name} has a name or a value with characters that are not allowed."
            )));
        }
    }
    let all = input.get("RouteSettings").and_then(Value::as_object).into_iter().flatten();
    for settings in all.map(|(_, settings)| settings).chain(input.get("DefaultRouteSettings")) {
        refuse(settings, &["DataTraceEnabled"])?;
        if text(settings, "LoggingLevel").is_some_and(|level| level != "OFF") {
            return Err(bad("LoggingLevel is not supported."));
        }
    }
    Ok(())
}
