//! What every type of resource asks of its surroundings: other services, names, references that are looked up.

use super::{Cx, fit};
use crate::template::evaluate;
use serde_json::{Map, Value};

impl Cx<'_> {
    /// Asks a service; its refusal is told as the stack's events tell it.
    pub async fn ask(&self, service: &str, operation: &str, input: Value) -> Result<Value, String> {
        let input = fit::fit(service, operation, input)?;
        let answer = self.house.ask(self.caller, service, operation, input).await;
        answer.map_err(|error| {
            let code = match error.name() {
                name if name.contains("NotFound") || name.contains("NoSuch") || name.ends_with("DoesNotExist") => "NotFound",
                name if name.contains("Exist") || name == "ResourceConflictException" || name == "ResourceInUseException" => "AlreadyExists",
                name if name.contains("Limit") => "ServiceLimitExceeded",
                name if name.contains("Validation") || name.contains("Invalid") || name.contains("Malformed") => "InvalidRequest",
                _ => "GeneralServiceException",
            };
            let message = error.message.as_deref().unwrap_or_default();
            format!("Resource handler returned message: \"{message}\" (RequestToken: {}, HandlerErrorCode: {code})", self.world.uuid())
        })
    }

    /// Asks for a removal, for which it is as well that there is nothing to remove.
    pub async fn ask_gone(&self, service: &str, operation: &str, input: Value) -> Result<(), String> {
        match self.ask(service, operation, input).await {
            Err(words) if words.ends_with("HandlerErrorCode: NotFound)") => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// `<stack>-<logical name>-<random>`, in which the stack's part is shortened first.
    pub fn made_up_name(&self, length: usize) -> String {
        let suffix = servicekit::ids::token(self.world, 12);
        let room = length.saturating_sub(suffix.len() + 2);
        let logical: String = self
            .logical
            .chars()
            .take(
                room.saturating_sub(1)
                    .min(room * 2 / 3 + room.saturating_sub(room * 2 / 3 + self.stack.name.len())),
            )
            .collect();
        let stack: String = self.stack.name.chars().take(room - logical.len()).collect();
        format!("{stack}-{logical}-{suffix}")
    }

    /// Values with their dynamic references looked up: `{{resolve:ssm:…}}` and `{{resolve:secretsmanager:…}}`.
    pub async fn resolve(&self, value: &Value) -> Result<Value, String> {
        let text = value.to_string();
        if !text.contains("{{resolve:") {
            return Ok(value.clone());
        }
        match value {
            Value::String(text) => self.resolve_text(text).await.map(Value::from),
            Value::Array(items) => {
                let mut resolved = Vec::new();
                for item in items {
                    resolved.push(Box::pin(self.resolve(item)).await?);
                }
                Ok(resolved.into())
            }
            Value::Object(members) => {
                let mut resolved = Map::new();
                for (name, value) in members {
                    resolved.insert(name.clone(), Box::pin(self.resolve(value)).await?);
                }
                Ok(resolved.into())
            }
            plain => Ok(plain.clone()),
        }
    }

    async fn resolve_text(&self, text: &str) -> Result<String, String> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("{{resolve:") {
            let Some((reference, left)) = after.split_once("}}") else { break };
            out.push_str(before);
            out.push_str(&self.look_up(reference).await?);
            rest = left;
        }
        out.push_str(rest);
        Ok(out)
    }

    async fn look_up(&self, reference: &str) -> Result<String, String> {
        let invalid = || format!("Invalid dynamic reference {{{{resolve:{reference}}}}}");
        let (service, name) = reference.split_once(':').ok_or_else(invalid)?;
        if service == "ssm" || service == "ssm-secure" {
            let answer = self
                .ask("ssm", "GetParameter", serde_json::json!({"Name": name, "WithDecryption": true}))
                .await?;
            return answer["Parameter"]["Value"].as_str().map(str::to_owned).ok_or_else(invalid);
        }
        if service != "secretsmanager" {
            return Err(invalid());
        }
        // An ARN has colons of its own, six of them.
        let parts: Vec<&str> = name.split(':').collect();
        let own = if name.starts_with("arn:") { 7 } else { 1 };
        let secret = parts.get(..own).ok_or_else(invalid)?.join(":");
        let part = |index: usize| parts.get(own + index).copied().filter(|part| !part.is_empty());
        let mut input = serde_json::json!({"SecretId": secret});
        if let Some(stage) = part(2) {
            input["VersionStage"] = stage.into();
        }
        if let Some(version) = part(3) {
            input["VersionId"] = version.into();
        }
        let answer = self.ask("secretsmanager", "GetSecretValue", input).await?;
        let whole = answer["SecretString"].as_str().ok_or_else(invalid)?;
        let Some(key) = part(1) else { return Ok(whole.to_owned()) };
        let tree: Value = serde_json::from_str(whole).map_err(|_| invalid())?;
        let found = tree.get(key).and_then(evaluate::text);
        found.ok_or_else(|| format!("Could not find a value associated with JSONKey in SecretString: {key}"))
    }
}
