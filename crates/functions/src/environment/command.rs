//! What is run: the interpreter with its client, or the package's own program, perhaps inside of a wrapper.

use super::{InitError, Inside, Place};
use crate::Runtime;
use crate::config::FunctionConfig;
use crate::java;
use crate::process::Ending;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The script that managed runtimes are started by, if there is one.
const WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";

/// The program and its arguments.
pub(super) fn of(config: &FunctionConfig, place: &Place<'_>, inside: &Inside) -> Result<Command, InitError> {
    let missing = |language: &str, package: &str| InitError::Unavailable {
        kind: "Runtime.Unavailable",
        message: format!(
            "{language} was not found on the PATH: install it (for example `apt-get install {package}`) to run {}",
            config.runtime
        ),
    };
    let command = match config.runtime {
        Runtime::Python(_) => {
            let found = place.interpreter.as_ref().ok_or_else(|| missing("python3", "python3"))?;
            let mut command = Command::new(&found.program);
            command.arg(inside.client.join("python.py"));
            command
        }
        Runtime::Node(_) => {
            let found = place.interpreter.as_ref().ok_or_else(|| missing("node", "nodejs"))?;
            let mut command = Command::new(&found.program);
            command.arg(format!("--max-old-space-size={}", (config.memory_mb * 9 / 10).max(64)));
            command.arg(inside.client.join("node.mjs"));
            command
        }
        Runtime::Ruby(_) => {
            let found = place.interpreter.as_ref().ok_or_else(|| missing("ruby", "ruby"))?;
            let mut command = Command::new(&found.program);
            command.arg(inside.client.join("ruby.rb"));
            command
        }
        Runtime::Java(_) => {
            let found = place.interpreter.as_ref().ok_or_else(|| missing("java", "default-jdk-headless"))?;
            let mut command = Command::new(&found.program);
            let layers = inside.layers.as_deref();
            command.args(java::arguments(config.memory_mb, &inside.temporary));
            command.arg("-cp").arg(java::class_path(&inside.code, layers, &inside.client, found));
            command.arg(java::MAIN);
            command
        }
        Runtime::Provided(_) => {
            let own = executable(&place.code, &inside.code, "bootstrap");
            return own.or_else(|error| match (&place.layers, &inside.layers) {
                (Some(layers), Some(opt)) => executable(layers, opt, "bootstrap"),
                _ => Err(error),
            });
        }
        Runtime::Go => return executable(&place.code, &inside.code, &config.handler),
    };
    match config.environment.get(WRAPPER).filter(|path| !path.is_empty()) {
        Some(path) => wrapped(&command, Path::new(path), place, inside),
        None => Ok(command),
    }
}

/// The command as the arguments of a script.
fn wrapped(command: &Command, path: &Path, place: &Place<'_>, inside: &Inside) -> Result<Command, InitError> {
    // Where the directories of AWS cannot be shown, their names still lead to what would lie in them.
    let moved = |code: &Path, layers: Option<&PathBuf>| -> PathBuf {
        let under = |root: &str, to: Option<&Path>| Some(to?.join(path.strip_prefix(root).ok()?));
        let found = under("/opt", layers.map(PathBuf::as_path)).or_else(|| under("/var/task", Some(code)));
        found.unwrap_or_else(|| path.to_owned())
    };
    let host = moved(&place.code, place.layers.as_ref());
    if !host.is_file() {
        return Err(InitError::Exited(Ending::of_code(127)));
    }
    if !is_program(&host) {
        return Err(InitError::Exited(Ending::of_code(126)));
    }
    let mut wrapped = Command::new(moved(&inside.code, inside.layers.as_ref()));
    wrapped.arg(command.get_program()).args(command.get_args());
    Ok(wrapped)
}

pub(super) fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn executable(code: &Path, inside: &Path, name: &str) -> Result<Command, InitError> {
    if is_program(&code.join(name)) {
        return Ok(Command::new(inside.join(name)));
    }
    let message = format!("Couldn't find valid bootstrap(s): [/var/task/{name} /opt/{name}]");
    Err(InitError::Unavailable { kind: "Runtime.InvalidEntrypoint", message })
}
