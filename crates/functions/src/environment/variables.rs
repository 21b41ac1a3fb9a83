//! The environment variables of a function.

use super::{Inside, Place};
use crate::Runtime;
use crate::config::FunctionConfig;
use crate::layers::search_paths;
use std::process::Command;

/// Gives a command what AWS gives a function, and nothing of the server.
pub(super) fn set(
    command: &mut Command,
    config: &FunctionConfig,
    place: &Place<'_>,
    inside: &Inside,
    api: &str,
    stream: &str,
) {
    command.env_clear();
    let host_path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned());
    let code = inside.code.display().to_string();
    let temporary = inside.temporary.display().to_string();
    let set = [
        ("PATH", host_path.as_str()),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("HOME", &temporary),
        ("TMPDIR", &temporary),
        ("LAMBDA_TASK_ROOT", &code),
        ("LAMBDA_RUNTIME_DIR", &inside.client.display().to_string()),
        ("_HANDLER", &config.handler),
        ("AWS_LAMBDA_RUNTIME_API", api),
        ("AWS_LAMBDA_FUNCTION_NAME", &config.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", &config.version),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &config.memory_mb.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &config.log.group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_REGION", &config.region),
        ("AWS_DEFAULT_REGION", &config.region),
        ("AWS_ACCESS_KEY_ID", &config.credentials.access_key),
        ("AWS_SECRET_ACCESS_KEY", &config.credentials.secret_key),
        ("AWS_SESSION_TOKEN", &config.credentials.session_token),
        ("AWS_ENDPOINT_URL", place.endpoint),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
    ];
    command.envs(set);
    match config.runtime {
        Runtime::Python(_) => {
            command.env("LC_CTYPE", "C.UTF-8").env("PYTHONDONTWRITEBYTECODE", "1");
        }
        Runtime::Node(_) | Runtime::Ruby(_) | Runtime::Java(_) | Runtime::Provided(_) | Runtime::Go => {}
    }
    let layers = inside.layers.as_ref().map(|layers| layers.display().to_string());
    search_paths(command, config.runtime, place.interpreter.as_deref(), &code, layers.as_deref(), &host_path);
    if let Some(name) = config.runtime.execution_env() {
        command.env("AWS_EXECUTION_ENV", name);
    }
    command.envs(&config.environment);
}
