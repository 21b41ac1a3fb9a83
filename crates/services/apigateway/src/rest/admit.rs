//! Whether a request may call a method: signatures, functions.

use super::fault::Fault;
use super::plans::{Place, Plans};
use super::serve::Run;
use crate::authorizer::{Asked, Form, FunctionAuthorizer, Outcome};
use crate::visit::Visit;
use lambda::ServiceCalls;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a method asks of who calls it.
pub(super) enum Door {
    Open,
    /// A signature.
    Signed,
    Function(Arc<FunctionAuthorizer>),
    /// Of an authorizer that is not there.
    Broken,
}

impl Run<'_> {
    /// Lets a request in; what the function behind is told of who calls.
    pub async fn admit(&self, calls: &ServiceCalls) -> Result<Option<Value>, Fault> {
        match &self.method.door {
            Door::Open => Ok(None),
            Door::Signed if wire::sigv4::scope(self.visit.request).is_some() => Ok(None),
            Door::Signed => Err(Fault::Token),
            Door::Broken => Err(Fault::Authorizer),
            Door::Function(authorizer) => self.by_function(authorizer, calls).await,
        }
    }

    /// Lets a request with a key in where one is needed; functions are told which.
    pub fn admit_key(&mut self, plans: &Plans) -> Result<(), Fault> {
        if !self.method.needs_key {
            return Ok(());
        }
        let value = self.visit.request.header("x-api-key").unwrap_or_default();
        let method = format!("{}/{}", self.method.path, self.method.method);
        let Visit { region, api, stage, .. } = self.visit;
        let id = plans.admit(&Place { region, api, stage, method: &method }, value)?;
        self.context["identity"]["apiKey"] = value.into();
        self.context["identity"]["apiKeyId"] = id.into();
        Ok(())
    }

    async fn by_function(
        &self,
        authorizer: &FunctionAuthorizer,
        calls: &ServiceCalls,
    ) -> Result<Option<Value>, Fault> {
        let (visit, context) = (&self.visit, &self.context);
        let verb = visit.request.method.as_str();
        let place = format!("{}:{}:{}/{}", visit.region, visit.account, visit.api, visit.stage);
        let method = format!("arn:aws:execute-api:{place}/{verb}{}", self.behind);
        let asked = Asked { visit, method: &method, context };
        let outcome = authorizer.ask(calls, asked, |identity| match authorizer.form {
            Form::Token(_) => {
                json!({ "type": "TOKEN", "methodArn": method, "authorizationToken": identity.first() })
            }
            Form::Request { .. } => self.request(&method),
        });
        match outcome.await {
            Outcome::Allowed(said) => Ok(Some(said.as_texts())),
            Outcome::Unauthorized => Err(Fault::Unauthorized),
            Outcome::Denied { explicit } => Err(Fault::Denied { explicit }),
            Outcome::Failed => Err(Fault::AuthorizerFailed),
            Outcome::Misconfigured => Err(Fault::Authorizer),
        }
    }

    /// The whole request, without its body.
    fn request(&self, method: &str) -> Value {
        let mut event = json!({
            "type": "REQUEST",
            "methodArn": method,
            "resource": self.method.path,
            "path": self.behind,
            "httpMethod": self.visit.request.method.as_str(),
        });
        let rest = self.visit.event_1(true, |_| true, self.context.clone());
        if let (Value::Object(event), Value::Object(mut rest)) = (&mut event, rest) {
            rest.shift_remove("body");
            rest.shift_remove("isBase64Encoded");
            event.extend(rest);
        }
        event
    }
}
