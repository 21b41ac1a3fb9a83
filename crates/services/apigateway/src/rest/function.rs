//! Functions behind methods.

use super::fault::Fault;
use super::respond;
use super::serve::Run;
use super::template::at_path;
use crate::reply;
use crate::target::{function_of, with_variables};
use crate::visit::Visit;
use lambda::{Ask, ServiceCalls, Told};
use serde_json::{Value, json};
use wire::Response;

impl Run<'_> {
    /// The function is given the whole request, and its answer is the whole response.
    pub(super) async fn proxy(&self, targets: &ServiceCalls) -> Result<Response, Fault> {
        let mut event = json!({
            "resource": self.method.path,
            "path": self.behind,
            "httpMethod": self.visit.request.method.as_str(),
        });
        let is_text = |visit: &Visit<'_>| {
            !self.stage.is_binary(visit.request.header("content-type").unwrap_or_default())
        };
        if let (Value::Object(event), Value::Object(rest)) =
            (&mut event, self.visit.event_1(true, is_text, self.context.clone()))
        {
            event.extend(rest);
        }
        match self.call(targets, event).await {
            Told::Answer(payload) => {
                let wants = self.visit.request.header("accept").unwrap_or("*/*");
                reply::rest(&payload, self.stage.is_binary(wants)).ok_or(Fault::BadAnswer)
            }
            Told::Failed(_) => Err(Fault::BadAnswer),
            other => Err(fault_of(&other)),
        }
    }

    /// The function is given what the request's template makes, and its answer goes through the response's.
    pub(super) async fn function(&self, targets: &ServiceCalls) -> Result<Response, Fault> {
        let sent = self.request_body()?;
        let event = match sent.body.trim_ascii().is_empty() {
            true => json!({}),
            false => serde_json::from_slice(&sent.body).map_err(|_| Fault::Configuration)?,
        };
        match self.call(targets, event).await {
            Told::Answer(body) => self.respond(&respond::Told { body, ..Default::default() }, &sent.context),
            Told::Failed(body) => {
                let message = at_path(&body, "$.errorMessage");
                let selects = Some(message.as_ref().and_then(Value::as_str).unwrap_or_default());
                self.respond(&respond::Told { body, selects, headers: None }, &sent.context)
            }
            other => Err(fault_of(&other)),
        }
    }

    async fn call(&self, targets: &ServiceCalls, payload: Value) -> Told {
        // [reference: REST API, control plane] Functions are called by POST, whatever method is served.
        if self.member("httpMethod") != Some("POST") {
            return Told::Refused;
        }
        let Visit { account, region, api, stage, .. } = self.visit;
        let verb = self.visit.request.method.as_str();
        let arn = format!("arn:aws:execute-api:{region}:{account}:{api}/{stage}");
        let uri = with_variables(self.member("uri").unwrap_or_default(), self.stage.variables.as_ref());
        let ask = Ask {
            account,
            function: function_of(&uri).unwrap_or_default(),
            sources: &[
                format!("{arn}/{verb}{}", self.method.path),
                format!("{arn}/{verb}{}", self.behind),
                format!("{arn}/{}{}", self.method.method, self.method.path),
            ],
            by_role: self.member("credentials").is_some_and(|role| !role.is_empty()),
            payload,
            timeout: self.timeout(),
        };
        targets.call(ask).await
    }
}

fn fault_of(told: &Told) -> Fault {
    match told {
        Told::Throttled => Fault::Throttled,
        Told::TimedOut => Fault::Timeout,
        Told::TooLarge => Fault::TooLarge,
        Told::Refused | Told::Failed(_) | Told::Answer(_) => Fault::Configuration,
    }
}
