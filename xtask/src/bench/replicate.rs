//! `cargo xtask bench replicate [--rows N] [--python PATH] [--only sqlite|postgres|mysql] [--quick] [--apart]`: builds what is
//! measured and what measures, and runs it; `--quick` for rates alone, `--apart` for a database with a core of its own.

use super::{Result, flag, release, word};
use std::process::Command;

pub fn run(arguments: &[String]) -> Result<()> {
    let rows = flag(arguments, "--rows")?.unwrap_or(100_000).to_string();
    let binary = release()?;
    let ran = Command::new("cargo")
        .args(["run", "--release", "--quiet", "-p", "sinks", "--example", "rates", "--"])
        .args([binary, &rows, word(arguments, "--python").unwrap_or("python3")])
        .args(word(arguments, "--only"))
        .args(["quick", "apart"].into_iter().filter(|word| arguments.contains(&format!("--{word}"))))
        .status()?;
    if ran.success() { Ok(()) } else { Err("the measurement failed".into()) }
}
