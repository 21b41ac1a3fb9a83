//! Runtimes: what runs a handler, and where on this machine it is found.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// A runtime identifier that this house can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// `python3.<minor>`
    Python(u32),
    /// `nodejs<major>.x`
    Node(u32),
    /// `ruby3.<minor>`
    Ruby(u32),
    /// `java21`, `java8.al2`
    Java(&'static str),
    /// `provided`, `provided.al2`, `provided.al2023`: an executable named `bootstrap`.
    Provided(&'static str),
    /// `go1.x`: an executable named by the handler.
    Go,
}

/// Runtimes of Java. The number names the version of the language.
const JAVA: [&str; 6] = ["java8", "java8.al2", "java11", "java17", "java21", "java25"];

impl Runtime {
    pub fn parse(text: &str) -> Option<Runtime> {
        match text {
            "provided" => return Some(Runtime::Provided("provided")),
            "provided.al2" => return Some(Runtime::Provided("provided.al2")),
            "provided.al2023" => return Some(Runtime::Provided("provided.al2023")),
            "go1.x" => return Some(Runtime::Go),
            _ => {}
        }
        if let Some(name) = JAVA.iter().find(|name| **name == text) {
            return Some(Runtime::Java(name));
        }
        if let Some(minor) = text.strip_prefix("python3.") {
            let minor = minor.parse().ok()?;
            return (8..=14).contains(&minor).then_some(Runtime::Python(minor));
        }
        if let Some(minor) = text.strip_prefix("ruby3.") {
            let minor = minor.parse().ok()?;
            return (2..=5).contains(&minor).then_some(Runtime::Ruby(minor));
        }
        let major: u32 = text.strip_prefix("nodejs")?.strip_suffix(".x")?.parse().ok()?;
        (12..=24).contains(&major).then_some(Runtime::Node(major))
    }

    /// The value of `AWS_EXECUTION_ENV`, which `provided` runtimes lack.
    pub(crate) fn execution_env(self) -> Option<String> {
        match self {
            Runtime::Provided(_) => None,
            _ => Some(format!("AWS_Lambda_{self}")),
        }
    }

    /// `python:3.12.v1`, as the first line of a log says it.
    pub(crate) fn version_line(self, found: Option<&Interpreter>) -> String {
        match (self, found) {
            (Runtime::Python(_), Some(found)) => format!("python:{}", found.version),
            (Runtime::Node(_), Some(found)) => format!("nodejs:{}", found.version),
            (Runtime::Ruby(_), Some(found)) => format!("ruby:{}", found.version),
            (Runtime::Java(_), Some(found)) => format!("java:{}", found.version),
            _ => self.to_string(),
        }
    }
}

impl std::fmt::Display for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Runtime::Python(minor) => write!(f, "python3.{minor}"),
            Runtime::Node(major) => write!(f, "nodejs{major}.x"),
            Runtime::Ruby(minor) => write!(f, "ruby3.{minor}"),
            Runtime::Provided(name) | Runtime::Java(name) => f.write_str(name),
            Runtime::Go => f.write_str("go1.x"),
        }
    }
}

/// A program that runs handlers of one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    pub program: PathBuf,
    /// `3.12` or `20`
    pub version: String,
    /// Whether it is the very version that was asked for.
    pub exact: bool,
}

/// Finds interpreters on the PATH, and remembers what it found.
#[derive(Debug, Default)]
pub(crate) struct Interpreters(Mutex<HashMap<Runtime, Option<Arc<Interpreter>>>>);

impl Interpreters {
    /// The interpreter of a runtime: its own version or the nearest; none when the language is not installed.
    /// Asks programs for their versions: slow the first time.
    pub fn find(&self, runtime: Runtime) -> Option<Arc<Interpreter>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&runtime) {
            return found.clone();
        }
        let found = match runtime {
            Runtime::Python(minor) => python(minor),
            Runtime::Node(major) => node(major),
            Runtime::Ruby(minor) => ruby(minor),
            Runtime::Java(name) => crate::java::find(name),
            Runtime::Provided(_) | Runtime::Go => None,
        };
        let found = found.map(Arc::new);
        known.insert(runtime, found.clone());
        found
    }
}

fn python(wanted: u32) -> Option<Interpreter> {
    const ASK: &str = "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2])";
    let mut minors: Vec<u32> = (8..=15).collect();
    // The nearest version first; of two equally near the newer one.
    minors.sort_by_key(|minor| (minor.abs_diff(wanted), std::cmp::Reverse(*minor)));
    let named = minors.iter().map(|minor| format!("python3.{minor}"));
    let names = named
        .take(1)
        .chain(["python3".to_owned()])
        .chain(minors.iter().map(|minor| format!("python3.{minor}")));
    let mut fallback: Option<(u32, Interpreter)> = None;
    for name in names {
        let Some(answer) = ask(Path::new(&name), &["-c", ASK]) else { continue };
        let Some((program, version)) = answer.trim().rsplit_once(' ') else { continue };
        let Some(minor) = version.strip_prefix("3.").and_then(|minor| minor.parse::<u32>().ok()) else {
            continue;
        };
        let found =
            Interpreter { program: program.into(), version: version.to_owned(), exact: minor == wanted };
        if found.exact {
            return Some(found);
        }
        let distance = minor.abs_diff(wanted);
        if fallback.as_ref().is_none_or(|(best, _)| distance < *best) {
            fallback = Some((distance, found));
        }
        if fallback.as_ref().is_some_and(|(best, _)| *best <= 1) {
            break;
        }
    }
    fallback.map(|(_, found)| found)
}

fn node(wanted: u32) -> Option<Interpreter> {
    const ASK: &str = "console.log(process.execPath + ' ' + process.versions.node)";
    let names = [format!("node{wanted}"), "node".to_owned(), "nodejs".to_owned()];
    names.iter().find_map(|name| {
        let answer = ask(Path::new(name), &["-e", ASK])?;
        let (program, version) = answer.trim().rsplit_once(' ')?;
        let major = version.split('.').next()?.to_owned();
        let exact = major == wanted.to_string();
        Some(Interpreter { program: program.into(), version: major, exact })
    })
}

fn ruby(wanted: u32) -> Option<Interpreter> {
    const ASK: &str = "print RbConfig.ruby, ' ', RUBY_VERSION";
    let names = [format!("ruby3.{wanted}"), "ruby".to_owned()];
    names.iter().find_map(|name| {
        let answer = ask(Path::new(name), &["--disable-gems", "-rrbconfig", "-e", ASK])?;
        let (program, version) = answer.trim().rsplit_once(' ')?;
        let version = version.rsplit_once('.')?.0.to_owned();
        let exact = version == format!("3.{wanted}");
        // What a handler of today is written in has come with 3.0.
        version.starts_with("3.").then(|| Interpreter { program: program.into(), version, exact })
    })
}

/// What a program prints, when it is there and ends well.
fn ask(program: &Path, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::Runtime;

    #[test]
    fn runtimes_are_spelled_as_aws_spells_them() {
        for name in [
            "python3.8",
            "python3.12",
            "nodejs20.x",
            "provided",
            "ruby3.3",
            "java8.al2",
            "java21",
            "provided.al2023",
            "go1.x",
        ] {
            assert_eq!(Runtime::parse(name).map(|runtime| runtime.to_string()).as_deref(), Some(name));
        }
        for name in ["python3.7", "python3", "PYTHON3.12", "nodejs20", "ruby2.7", "java7", ""] {
            assert_eq!(Runtime::parse(name), None, "{name}");
        }
    }
}
