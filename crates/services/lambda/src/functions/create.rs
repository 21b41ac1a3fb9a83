//! CreateFunction and DeleteFunction.

use super::Functions;
use super::shown::{Shown, configuration, configuration_as};
use super::versions::Publication;
use crate::name::{self, FunctionName, conflict, invalid, not_found};
use crate::registry::{Function, Statements, key};
use ::functions::Runtime;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{integer, required, text};
use std::collections::BTreeMap;
use wire::ServiceError;

/// Runtimes as AWS lists them. [suite: recorded answers]
pub(super) const RUNTIMES: [&str; 25] = [
    "nodejs20.x",
    "python3.14",
    "provided.al2023",
    "python3.12",
    "python3.13",
    "nodejs24.x",
    "nodejs22.x",
    "java25",
    "python3.10",
    "python3.11",
    "java21",
    "ruby3.3",
    "ruby3.4",
    "ruby3.2",
    "python3.8",
    "python3.9",
    "java17",
    "nodejs16.x",
    "dotnet10",
    "dotnet8",
    "java11",
    "dotnet6",
    "nodejs18.x",
    "provided.al2",
    "java8.al2",
];

/// What AWS has taken before, and this server never has.
pub(super) const RETIRED: [&str; 17] = [
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "python2.7",
    "python3.6",
    "python3.7",
    "ruby2.5",
    "ruby2.7",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "dotnet5.0",
    "dotnet7",
];

const NAME_BYTES_MAX: usize = 64;

/// What a function's variables may come to.
const ENVIRONMENT_BYTES_MAX: usize = 4_096;

impl Functions {
    pub(super) async fn create(&self, call: &Call, input: &Value) -> Answer {
        refuse_unsupported(input)?;
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?.name;
        if name.len() > NAME_BYTES_MAX {
            return Err(invalid(format!(
                "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to {NAME_BYTES_MAX}"
            )));
        }
        let runtime = runtime(text(input, "Runtime").ok_or_else(|| {
            invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
        })?)?;
        let handler = match text(input, "Handler") {
            Some(handler) => handler,
            None if runtime.starts_with("provided") => "bootstrap",
            None => {
                return Err(invalid(
                    "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
                ));
            }
        };
        let environment = environment(input)?;
        let tags = tags(input);
        if tags.len() > TAGS_MAX {
            return Err(too_many_tags());
        }
        let layers = self.layers_of(call, input)?.unwrap_or_default();
        let dead_letter = self.dead_letter(call, input).await?.filter(|arn| !arn.is_empty());
        let vpc = self.vpc(call, input).await?.filter(|vpc| !vpc.id.is_empty());
        let code = self.put_code(&input["Code"]).await?;
        self.check_size(&code.sha256, &layers).await?;
        let function = Function {
            arn: name::arn(&call.caller, &name),
            runtime,
            role: required(input, "Role").to_owned(),
            handler: handler.to_owned(),
            description: text(input, "Description").unwrap_or_default().to_owned(),
            timeout_s: integer(input, "Timeout").unwrap_or(3).max(1) as u64,
            memory_mb: integer(input, "MemorySize").unwrap_or(128).max(1) as u32,
            environment,
            architecture: architecture(input).unwrap_or_else(|| "x86_64".to_owned()),
            code_sha256: code.sha256.clone(),
            code_digest: wire::base64::encode(&code.digest),
            code_bytes: code.bytes,
            modified_ms: self.world.now().millis(),
            revision: self.world.uuid(),
            log_group: log_group(input).unwrap_or_else(|| format!("/aws/lambda/{name}")),
            tags,
            reserved_concurrency: None,
            policy: Statements::new(),
            policies: BTreeMap::new(),
            generation: self.world.uuid(),
            version: None,
            last_version: 0,
            ephemeral_mb: ephemeral_mb(input),
            layers,
            dead_letter,
            vpc,
            json_log: json_log(input, None)?,
            published: None,
            name,
        };
        let alone = self.registry.structure.lock().await;
        self.registry
            .functions
            .edit(&key(&call.caller, &function.name), |old| match old {
                Some(_) => Err(conflict(format!("Function already exist: {}", function.name))),
                None => Ok((Edit::Put(function.clone()), ())),
            })
            .await?;
        drop(alone);
        self.registry.changed.notify_waiters();
        if let Some(runtime) = Runtime::parse(&function.runtime) {
            // It takes a while: before the first invocation, not during it.
            self.functions.prepare(runtime);
        }
        if publishes(input) {
            let name = FunctionName { name: function.name.clone(), qualifier: None };
            let published = self.publish(call, &name, Publication::default()).await?;
            let told = Function { revision: self.world.uuid(), ..published };
            return Ok(configuration_as(&told, Shown::Creating, told.arn.clone()));
        }
        // By the time it is ready it has another revision. [suite: recorded answers]
        let told = Function { revision: self.world.uuid(), ..function };
        Ok(configuration(&told, Shown::Creating))
    }

    pub(super) async fn delete(&self, call: &Call, input: &Value) -> Answer {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?
            .qualified(text(input, "Qualifier"))?;
        match name.qualifier.as_deref() {
            None => {}
            Some("$LATEST") => {
                return Err(invalid("$LATEST version cannot be deleted without deleting the function."));
            }
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                let number = number.parse().map_err(|_| not_found(&name.arn(&call.caller)))?;
                return self.delete_version(call, &name, number).await;
            }
            Some(odd) if odd.contains('$') => return Err(not_found(&name::arn(&call.caller, &name.name))),
            Some(_) => return Err(invalid("Deletion of aliases is not currently supported.")),
        }
        let _alone = self.registry.structure.lock().await;
        let key = key(&call.caller, &name.name);
        self.urls.remove_all(&format!("{key}/")).await?;
        for (qualifier, _) in self.events.configs.list(&format!("{key}/"))? {
            self.events.configs.remove(&format!("{key}/{qualifier}")).await?;
        }
        // The function goes last: while something of it is left it can be deleted again.
        for (alias, _) in self.registry.aliases.list(&format!("{key}/"))? {
            self.registry.aliases.remove(&format!("{key}/{alias}")).await?;
        }
        for (number, version) in self.registry.versions.list(&format!("{key}/"))? {
            self.registry.versions.remove(&format!("{key}/{number}")).await?;
            self.functions.retire(&version.version_arn());
        }
        let gone = self.registry.functions.remove(&key).await?;
        let gone = gone.ok_or_else(|| not_found(&name.arn(&call.caller)))?;
        self.functions.retire(&gone.arn);
        Ok(json!({ "StatusCode": 204 }))
    }
}

/// A parameter that would be stored and not honoured is refused by its name.
pub(super) fn refuse_unsupported(input: &Value) -> Result<(), ServiceError> {
    const UNSUPPORTED: [&str; 10] = [
        "FileSystemConfigs",
        "ImageConfig",
        "KMSKeyArn",
        "CodeSigningConfigArn",
        "TenancyConfig",
        "CapacityProviderConfig",
        "DurableConfig",
        "RuntimeConfig",
        "AcceleratorConfig",
        "PublishTo",
    ];
    let is_given = |value: &Value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    let unsupported = |name: &str| Err(invalid(format!("{name} is not supported.")));
    if let Some(name) = UNSUPPORTED.iter().find(|name| input.get(**name).is_some_and(is_given)) {
        return unsupported(name);
    }
    if text(input, "PackageType") == Some("Image") {
        return unsupported("PackageType Image");
    }
    let snap_start = input.get("SnapStart").and_then(|snap| text(snap, "ApplyOn"));
    if snap_start.is_some_and(|on| on != "None") {
        return unsupported("SnapStart");
    }
    let tracing = input.get("TracingConfig").and_then(|tracing| text(tracing, "Mode"));
    if tracing.is_some_and(|mode| mode != "PassThrough") {
        return unsupported("TracingConfig Mode Active");
    }
    Ok(())
}

pub(super) fn ephemeral_mb(input: &Value) -> Option<u32> {
    Some(integer(input.get("EphemeralStorage")?, "Size")? as u32)
}

pub(super) fn publishes(input: &Value) -> bool {
    input.get("Publish").and_then(Value::as_bool) == Some(true)
}

/// The levels of a JSON log, as they become: what a call does not name stays.
pub(super) fn json_log(
    input: &Value,
    old: Option<&(String, String)>,
) -> Result<Option<(String, String)>, ServiceError> {
    let Some(logging) = input.get("LoggingConfig") else { return Ok(old.cloned()) };
    let format = text(logging, "LogFormat").unwrap_or(if old.is_some() { "JSON" } else { "Text" });
    let (application, system) = (text(logging, "ApplicationLogLevel"), text(logging, "SystemLogLevel"));
    if format == "Text" {
        if application.or(system).is_some() {
            return Err(invalid("ApplicationLogLevel and SystemLogLevel need LogFormat JSON."));
        }
        return Ok(None);
    }
    let (old_application, old_system) =
        old.map_or(("INFO", "INFO"), |(application, system)| (application.as_str(), system.as_str()));
    Ok(Some((application.unwrap_or(old_application).to_owned(), system.unwrap_or(old_system).to_owned())))
}

pub(super) fn log_group(input: &Value) -> Option<String> {
    Some(text(input.get("LoggingConfig")?, "LogGroup")?.to_owned())
}

pub(super) fn architecture(input: &Value) -> Option<String> {
    Some(input.get("Architectures")?.as_array()?.first()?.as_str()?.to_owned())
}

pub(super) fn runtime(name: &str) -> Result<String, ServiceError> {
    if Runtime::parse(name).is_some() {
        return Ok(name.to_owned());
    }
    Err(invalid(if RETIRED.contains(&name) {
        format!(
            "The runtime parameter of {name} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions."
        )
    } else if RUNTIMES.contains(&name) {
        format!("The runtime {name} is not run by this server.")
    } else {
        format!(
            "Value {name} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a valid ARN",
            RUNTIMES.join(", ")
        )
    }))
}

pub(super) fn environment(input: &Value) -> Result<Option<BTreeMap<String, String>>, ServiceError> {
    const RESERVED: [&str; 20] = [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_METADATA_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
        "AWS_XRAY_CONTEXT_MISSING",
    ];
    const SORRY: &str = "Lambda was unable to configure your environment variables because the environment variables you have provided";
    let Some(given) = input.get("Environment") else { return Ok(None) };
    let variables: BTreeMap<String, String> = given
        .get("Variables")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let reserved: Vec<&str> =
        variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(invalid(format!(
            "{SORRY} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    let measured = given.get("Variables").map(Value::to_string).unwrap_or_default();
    if measured.len() > ENVIRONMENT_BYTES_MAX {
        return Err(invalid(format!("{SORRY} exceeded the 4KB limit. String measured: {measured}")));
    }
    Ok(Some(variables))
}

pub(super) const TAGS_MAX: usize = 50;

pub(super) fn tags(input: &Value) -> BTreeMap<String, String> {
    let tags = input.get("Tags").and_then(Value::as_object);
    let pairs = tags.into_iter().flatten();
    pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

pub(super) fn too_many_tags() -> ServiceError {
    invalid("Number of tags exceeds resource tag limit.")
}
