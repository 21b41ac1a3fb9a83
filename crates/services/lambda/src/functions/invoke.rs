//! Invoke: wait for the answer, or have it run by itself.

use super::Functions;
use crate::name::{FunctionName, invalid, not_found};
use ::functions::{FunctionConfig, Invocation, InvokeError};
use bytes::Bytes;
use serde_json::{Value, json};
use servicekit::call::Call;
use servicekit::fields::{object, required, text};
use std::sync::Arc;
use wire::ServiceError;

/// What may be sent to a function that is waited for, and to one that is not.
const PAYLOAD_BYTES_MAX: usize = 6_291_456;
const EVENT_BYTES_MAX: usize = 1_048_576;

impl Functions {
    pub(super) async fn invoke(&self, call: &Call, input: &Value) -> Result<(Value, Bytes), ServiceError> {
        let Asked { kind, config, invocation } = self.asked(call, input)?;
        match kind {
            "DryRun" => Ok((json!({ "StatusCode": 204 }), Bytes::new())),
            "Event" => {
                let payload = String::from_utf8_lossy(&invocation.payload).into_owned();
                let Invocation { request_id, client_context, function_arn, .. } = invocation;
                self.events.accept(&call.caller, function_arn, request_id, payload, client_context).await?;
                Ok((json!({ "StatusCode": 202 }), Bytes::new()))
            }
            _ => {
                let done = self.functions.invoke(config, invocation).await.map_err(throttled)?;
                let tail = wants_tail(input).then(|| wire::base64::encode(done.log_tail.as_bytes()).into());
                let output = object([
                    ("StatusCode", Some(200.into())),
                    ("ExecutedVersion", Some(done.version.into())),
                    ("FunctionError", done.failed.then(|| "Unhandled".into())),
                    ("LogResult", tail),
                ]);
                Ok((output, done.payload))
            }
        }
    }

    /// What a call asks for, checked.
    pub(super) fn asked<'a>(&self, call: &Call, input: &'a Value) -> Result<Asked<'a>, ServiceError> {
        if text(input, "DurableExecutionName").is_some() || text(input, "TenantId").is_some() {
            return Err(invalid("DurableExecutionName and TenantId are not supported."));
        }
        let kind = text(input, "InvocationType").unwrap_or("RequestResponse");
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?
            .qualified(text(input, "Qualifier"))?;
        let function = self.registry.pick(&call.caller, &name, self.world.random_u64()).map_err(|error| {
            // It is the version that is looked for. [suite: recorded answers]
            let is_missing = error.name() == "ResourceNotFoundException" && name.qualifier.is_none();
            let latest = FunctionName { qualifier: Some("$LATEST".to_owned()), ..name.clone() };
            if is_missing { not_found(&latest.arn(&call.caller)) } else { error }
        })?;
        let payload = match &call.inside {
            Some(inside) => text(&inside.input, "Payload").unwrap_or_default().to_owned().into(),
            None => call.request.body.clone(),
        };
        check(&payload, kind)?;
        let config = self
            .registry
            .config(&function, &call.caller)
            .ok_or_else(|| invalid(format!("The runtime {} is not supported.", function.runtime)))?;
        let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
        let invocation = Invocation {
            request_id: call.request_id.clone(),
            payload,
            client_context: client_context(input)?,
            function_arn: name.arn(&call.caller),
        };
        Ok(Asked { kind, config: Arc::new(config), invocation })
    }
}

/// A call that is in order.
pub(super) struct Asked<'a> {
    pub kind: &'a str,
    pub config: Arc<FunctionConfig>,
    pub invocation: Invocation,
}

pub(super) fn wants_tail(input: &Value) -> bool {
    text(input, "LogType") == Some("Tail")
}

fn client_context(input: &Value) -> Result<Option<String>, ServiceError> {
    let Some(encoded) = text(input, "ClientContext") else { return Ok(None) };
    let decoded = wire::base64::decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let malformed = || {
        ServiceError::new(
            "InvalidRequestContentException",
            "Client context must be a valid Base64-encoded JSON object.",
        )
    };
    decoded.map(Some).ok_or_else(malformed)
}

fn check(payload: &[u8], kind: &str) -> Result<(), ServiceError> {
    let most = if kind == "Event" { EVENT_BYTES_MAX } else { PAYLOAD_BYTES_MAX };
    if payload.len() > most {
        let message = format!(
            "{} byte payload is too large for the {kind} invocation type (limit {most} bytes)",
            payload.len()
        );
        return Err(ServiceError::new("RequestTooLargeException", message)
            .with_status(413)
            .with("Type", "User"));
    }
    if payload.is_empty() {
        return Ok(());
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(payload).map(drop).map_err(|error| {
        let message =
            format!("Could not parse request body into json: Could not parse payload into json: {error}");
        ServiceError::new("InvalidRequestContentException", message).with_status(400).with("Type", "User")
    })
}

pub(super) fn throttled(error: InvokeError) -> ServiceError {
    match error {
        InvokeError::Throttled { reserved } => {
            let reason = match reserved {
                true => "ReservedFunctionConcurrentInvocationLimitExceeded",
                false => "ConcurrentInvocationLimitExceeded",
            };
            ServiceError::new("TooManyRequestsException", "Rate Exceeded.")
                .with_status(429)
                .with("Reason", reason)
                .with("Type", "User")
        }
        InvokeError::Closed => {
            ServiceError::new("ServiceException", "The server is going down.").with_status(500)
        }
    }
}
