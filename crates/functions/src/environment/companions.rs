//! External extensions: programs of the layers that are started beside the function.

use super::{InitError, Inside, Place};
use crate::extensions::{EXTENSIONS_MAX, Extensions, Failure};
use crate::limits::Group;
use crate::process::{Bounds, Process};
use crate::runtime_api::RuntimeApi;
use crate::sandbox::View;
use std::io::{self, PipeWriter};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// What the runtime is told and extensions are not.
const RUNTIMES_OWN: [&str; 7] = [
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_XRAY_CONTEXT_MISSING",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
];

/// Where they are started, besides their environment's place.
pub(super) struct Start<'a> {
    pub place: &'a Place<'a>,
    pub inside: &'a Inside,
    pub api: &'a RuntimeApi,
    pub view: &'a View<'a>,
    pub writer: &'a PipeWriter,
    pub group: Option<&'a Arc<Group>>,
    pub file_bytes_max: u64,
}

/// Starts every program of `/opt/extensions`; `set` gives a command the function's variables.
pub(super) async fn start(
    start: Start<'_>,
    extensions: &Arc<Extensions>,
    set: impl Fn(&mut Command),
) -> Result<Vec<Process>, InitError> {
    let (Some(layers), Some(opt)) = (&start.place.layers, &start.inside.layers) else {
        return Ok(Vec::new());
    };
    let names = programs(&layers.join("extensions"));
    if names.len() > EXTENSIONS_MAX {
        let message = format!("{} extensions in /opt/extensions; {EXTENSIONS_MAX} are allowed", names.len());
        return Err(InitError::Extension(Failure {
            kind: "Extension.TooManyExtensions".to_owned(),
            message,
        }));
    }
    extensions.expect(&names);
    let mut processes = Vec::new();
    for name in names {
        let mut command = Command::new(opt.join("extensions").join(&name));
        set(&mut command);
        for hidden in RUNTIMES_OWN {
            command.env_remove(hidden);
        }
        let (out, errors) = start.writer.try_clone().and_then(|out| Ok((out, start.writer.try_clone()?)))?;
        command.stdin(Stdio::null()).stdout(out).stderr(errors).current_dir(&start.place.code);
        let bounds = Bounds {
            confinement: start.place.sandbox.plan(start.view)?,
            group: start.group.cloned(),
            file_bytes_max: start.file_bytes_max,
        };
        let process = match Process::start(command, bounds).await {
            Ok(process) => process,
            Err(error) => {
                let message = format!("{name}: {error}");
                return Err(InitError::Extension(Failure {
                    kind: "Extension.LaunchError".to_owned(),
                    message,
                }));
            }
        };
        start.api.admit(process.guest());
        let (ending, extensions) = (process.ending(), extensions.clone());
        tokio::spawn(async move {
            if let Some(ending) = ending.await {
                extensions.crashed(&name, &ending.to_string());
            }
        });
        processes.push(process);
    }
    Ok(processes)
}

/// How many there are to be started.
pub(super) fn count(place: &Place<'_>) -> usize {
    place.layers.as_ref().map_or(0, |layers| programs(&layers.join("extensions")).len())
}

/// The names of a directory's programs, in order.
fn programs(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(io::Result::ok);
    let programs = entries.filter(|entry| super::command::is_program(&entry.path()));
    let mut names: Vec<String> = programs.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}
