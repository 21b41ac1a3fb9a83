//! Java: where it is found, and its client, which the function's own JDK compiles once.

use crate::runtime::Interpreter;
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) const MAIN: &str = "millstream.runtime.Main";

/// The client, and the interfaces of handlers for packages that do not bring them.
const SOURCES: [(&str, &str); 14] = [
    ("Main.java", include_str!("client/java/Main.java")),
    ("Handler.java", include_str!("client/java/Handler.java")),
    ("Invocation.java", include_str!("client/java/Invocation.java")),
    ("Json.java", include_str!("client/java/Json.java")),
    ("Binder.java", include_str!("client/java/Binder.java")),
    ("Plain.java", include_str!("client/java/Plain.java")),
    ("Types.java", include_str!("client/java/Types.java")),
    ("Client.java", include_str!("client/java/interfaces/Client.java")),
    ("ClientContext.java", include_str!("client/java/interfaces/ClientContext.java")),
    ("CognitoIdentity.java", include_str!("client/java/interfaces/CognitoIdentity.java")),
    ("Context.java", include_str!("client/java/interfaces/Context.java")),
    ("LambdaLogger.java", include_str!("client/java/interfaces/LambdaLogger.java")),
    ("RequestHandler.java", include_str!("client/java/interfaces/RequestHandler.java")),
    ("RequestStreamHandler.java", include_str!("client/java/interfaces/RequestStreamHandler.java")),
];

/// The `java` of a runtime: its version, else the next later one, which runs older classes, else the latest there is.
pub(crate) fn find(runtime: &str) -> Option<Interpreter> {
    let digits = runtime.trim_start_matches("java").split('.').next()?;
    let wanted: u32 = digits.parse().ok()?;
    let named = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&path).map(|dir| dir.join("java")).collect();
    let installed = fs::read_dir("/usr/lib/jvm").into_iter().flatten();
    let installed = installed.filter_map(|entry| Some(entry.ok()?.path().join("bin/java")));
    let all = named.into_iter().chain(on_path).chain(installed);
    let known = all.filter_map(|program| Some((version(&program)?, program.canonicalize().ok()?)));
    let (version, program) =
        known.min_by_key(|(version, _)| (*version < wanted, version.abs_diff(wanted)))?;
    Some(Interpreter { program, version: version.to_string(), exact: version == wanted })
}

/// The version of the language, as the file beside it says.
fn version(program: &Path) -> Option<u32> {
    let real = program.canonicalize().ok()?;
    // Java 8 keeps a runtime inside of its kit.
    let release =
        real.ancestors().skip(2).take(2).find_map(|home| fs::read_to_string(home.join("release")).ok())?;
    let line = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?.trim_matches('"');
    let mut numbers = line.split(['.', '_', '-', '+']).map_while(|part| part.parse::<u32>().ok());
    match numbers.next()? {
        1 => numbers.next(),
        version => Some(version),
    }
}

/// The directory of the compiled client among the clients: another for every version and every text.
fn directory(found: &Interpreter) -> String {
    let mut hash = Sha256::new();
    for (_, text) in SOURCES {
        hash.update(text);
    }
    let hash = hash.finalize();
    format!("java-{}-{:02x}{:02x}{:02x}{:02x}", found.version, hash[0], hash[1], hash[2], hash[3])
}

/// Compiles the client unless that is done. Takes seconds the first time.
pub(crate) fn compile(clients: &Path, found: &Interpreter) -> io::Result<()> {
    let target = clients.join(directory(found));
    if target.exists() {
        return Ok(());
    }
    let compiler = found.program.ancestors().skip(2).take(2).map(|home| home.join("bin/javac"));
    let Some(compiler) = compiler.into_iter().find(|compiler| compiler.is_file()) else {
        let program = found.program.display();
        return Err(io::Error::other(format!(
            "{program} has no compiler beside it: install a JDK (for example `apt-get install default-jdk-headless`), which compiles the client of Java functions once"
        )));
    };
    let partial = clients.join(format!(".java.{}", std::process::id()));
    let _ = fs::remove_dir_all(&partial);
    let classes = partial.join("classes");
    fs::create_dir_all(&classes)?;
    let mut command = Command::new(compiler);
    command.args(["-nowarn", "-proc:none", "-encoding", "UTF-8", "-d"]).arg(&classes);
    for (name, text) in SOURCES {
        let source = partial.join(name);
        fs::write(&source, text)?;
        command.arg(source);
    }
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(format!("the client of Java functions does not compile: {told}")));
    }
    fs::rename(&classes, &target)?;
    fs::remove_dir_all(&partial)
}

/// A small heap and a quick start; what a function's own `JAVA_TOOL_OPTIONS` say counts less.
pub(crate) fn arguments(memory_mb: u32, temporary: &Path) -> [OsString; 6] {
    // What is not heap takes its share: classes, threads, compiled code.
    let heap_mb = (memory_mb * 85 / 100).min(memory_mb.saturating_sub(64)).max(48);
    let mut directory = OsString::from("-Djava.io.tmpdir=");
    directory.push(temporary);
    [
        format!("-Xmx{heap_mb}m").into(),
        "-XX:+UseSerialGC".into(),
        "-XX:TieredStopAtLevel=1".into(),
        "-XX:-UsePerfData".into(),
        "-Dfile.encoding=UTF-8".into(),
        directory,
    ]
}

/// The function's classes and libraries, its layers' libraries, the client.
pub(crate) fn class_path(
    code: &Path,
    layers: Option<&Path>,
    clients: &Path,
    found: &Interpreter,
) -> OsString {
    let mut all = vec![code.to_owned(), code.join("lib/*")];
    all.extend(layers.map(|layers| layers.join("java/lib/*")));
    all.push(clients.join(directory(found)));
    let mut path = OsString::new();
    for (index, part) in all.iter().enumerate() {
        if index > 0 {
            path.push(":");
        }
        path.push(part);
    }
    path
}
