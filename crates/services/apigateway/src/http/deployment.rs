//! Deployments: the API as it was, for stages that do not deploy by themselves.

use super::{Http, found, page};
use crate::fault::bad;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};

impl Http {
    pub(super) async fn create_deployment(&self, call: &Call, input: &Value) -> Answer {
        let told = self.book.deploy_by_hand(
            &call.caller,
            required(input, "ApiId"),
            text(input, "Description"),
            text(input, "StageName"),
        );
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_deployment(&self, call: &Call, input: &Value) -> Answer {
        let mut api = self.book.find(&call.caller, required(input, "ApiId"))?;
        let told = found(&mut api.deployments, "Deployment", required(input, "DeploymentId"))?;
        Ok(Value::Object(told.clone()))
    }

    pub(super) fn get_deployments(&self, call: &Call, input: &Value) -> Answer {
        page(input, self.book.find(&call.caller, required(input, "ApiId"))?.deployments)
    }

    pub(super) async fn update_deployment(&self, call: &Call, input: &Value) -> Answer {
        let told = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            let told = found(&mut api.deployments, "Deployment", required(input, "DeploymentId"))?;
            super::take_over(told, input, &["Description"]);
            Ok(told.clone())
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) async fn delete_deployment(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "DeploymentId");
        let gone = self.book.change(&call.caller, required(input, "ApiId"), |api| {
            found(&mut api.deployments, "Deployment", id)?;
            if api.uses(id) {
                return Err(bad("Active stages pointing to this deployment must be moved or deleted"));
            }
            api.deployments.remove(id);
            Ok(())
        });
        gone.await?;
        Ok(json!({}))
    }
}
