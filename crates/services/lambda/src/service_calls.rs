//! Functions that other services call: API Gateway, Secrets Manager.

use super::name::FunctionName;
use super::permission::Asker;
use super::registry::{Function, Registry};
use crate::target::LambdaTargets;
use ::functions::{Functions, Invocation, InvokeError};
use bytes::Bytes;
use serde_json::Value;
use servicekit::call::Caller;
use std::sync::Arc;
use std::time::Duration;
use world::World;

/// What may be sent to a function.
const PAYLOAD_BYTES_MAX: usize = 6_291_456;

/// One call.
pub struct Ask<'a> {
    pub account: &'a str,
    /// The function's ARN, of a version or an alias perhaps.
    pub function: &'a str,
    /// The ARNs under which its policy may know who calls.
    pub sources: &'a [String],
    /// Whether the caller has a role of its own, for which no policy of the function's is asked.
    pub by_role: bool,
    pub payload: Value,
    pub timeout: Duration,
}

pub enum Told {
    Answer(Bytes),
    /// The function failed; its account of the error.
    Failed(Bytes),
    /// There is no such function, or it may not be called.
    Refused,
    Throttled,
    TimedOut,
    TooLarge,
}

/// How one of AWS's services calls functions. Cheap to clone.
#[derive(Clone)]
pub struct ServiceCalls {
    /// `apigateway.amazonaws.com`
    service: &'static str,
    registry: Registry,
    functions: Functions,
    pub world: World,
}

impl ServiceCalls {
    pub fn new(service: &'static str, targets: &LambdaTargets) -> ServiceCalls {
        let (registry, functions) = (targets.registry.clone(), targets.functions.clone());
        ServiceCalls { service, registry, functions, world: targets.world.clone() }
    }

    /// The function of this ARN, when there is one and its policy lets the service call it.
    fn find(&self, ask: &Ask<'_>) -> Option<(Caller, FunctionName, Function)> {
        let region = ask.function.split(':').nth(3)?;
        let caller = Caller { account: ask.account.into(), region: region.into(), access_key: None };
        let name = FunctionName::parse(ask.function, &caller).ok()?;
        let function = self.registry.pick(&caller, &name, self.world.random_u64()).ok()?;
        let asker = Asker { service: self.service, account: ask.account, sources: ask.sources };
        let lets = ask.by_role || function.lets(name.qualifier.as_deref(), &asker);
        lets.then_some((caller, name, function))
    }

    pub fn may(&self, ask: &Ask<'_>) -> bool {
        self.find(ask).is_some()
    }

    pub async fn call(&self, ask: Ask<'_>) -> Told {
        let Some((caller, name, function)) = self.find(&ask) else { return Told::Refused };
        let Some(config) = self.registry.config(&function, &caller) else { return Told::Refused };
        let payload = Bytes::from(ask.payload.to_string());
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Told::TooLarge;
        }
        let invocation = Invocation {
            request_id: self.world.uuid(),
            payload,
            client_context: None,
            function_arn: name.arn(&caller),
        };
        // The function goes on when nobody waits for it any more.
        let functions = self.functions.clone();
        let running = tokio::spawn(async move { functions.invoke(Arc::new(config), invocation).await });
        match tokio::time::timeout(ask.timeout, running).await {
            Err(_) => Told::TimedOut,
            Ok(Ok(Ok(done))) if done.failed => Told::Failed(done.payload),
            Ok(Ok(Ok(done))) => Told::Answer(done.payload),
            Ok(Ok(Err(InvokeError::Throttled { .. }))) => Told::Throttled,
            Ok(Ok(Err(InvokeError::Closed)) | Err(_)) => Told::TimedOut,
        }
    }
}
