//! `cargo xtask bench replicate [--rows N] [--python PATH] [--only sqlite|postgres|mysql]`: builds what is measured and what
//! measures, and runs it.

use super::{Result, flag};
use std::process::Command;

pub fn run(arguments: &[String]) -> Result<()> {
    let rows = flag(arguments, "--rows")?.unwrap_or(100_000).to_string();
    let word = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let built = Command::new("cargo").args(["build", "--release", "--quiet", "-p", "millstream"]).status()?;
    if !built.success() {
        return Err("the release build failed".into());
    }
    let binary = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/millstream");
    let ran = Command::new("cargo")
        .args(["run", "--release", "--quiet", "-p", "sinks", "--example", "rates", "--"])
        .args([binary, &rows, word("--python").unwrap_or("python3")])
        .args(word("--only"))
        .status()?;
    if ran.success() { Ok(()) } else { Err("the measurement failed".into()) }
}
