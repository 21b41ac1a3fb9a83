//! The examples, each as its reader runs it, against a server of its own.

use crate::support::{BINARY, start};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use testkit::TempDir;

/// Runs an example's `run.sh`; what it printed, when it ended well and left nothing.
fn run(example: &str) -> String {
    let dir = TempDir::new(example);
    let node = start(&dir);
    let script: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "..", "examples", example, "run.sh"].iter().collect();
    let output = Command::new(&script)
        .env("AWS_ENDPOINT_URL", node.url())
        .env("PATH", path_with_aws())
        .env("MILLSTREAM", BINARY)
        .env_remove("AWS_PROFILE")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    let Output { status, stdout, stderr } = output;
    let (said, complained) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{said}\n{complained}");
    assert!(said.contains("\"TableNames\": []"), "{said}");
    said.into_owned()
}

/// The path on which the AWS CLI of `./test` comes first.
fn path_with_aws() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let aws = std::env::var_os("MILLSTREAM_TEST_AWS").unwrap_or_default();
    let first = Path::new(&aws).parent().map(Path::to_owned).unwrap_or_default();
    let all = std::iter::once(first).chain(std::env::split_paths(&path));
    std::env::join_paths(all).expect("a path of directories")
}

#[test]
fn stream_logger() {
    let said = run("stream-logger");
    for word in ["INSERT", "USER#1001"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn clerk_job() {
    let said = run("clerk-job");
    let changed = r#""NewImage":{"id":{"S":"id-1"},"name":{"S":"name-2"}},"OldImage":{"id":{"S":"id-1"},"name":{"S":"name-1"}}"#;
    assert!(said.contains(changed), "{said}");
}

#[test]
fn employees() {
    let said = run("employees");
    let log = r#""change":"INSERT","employee":"2003","rows":1"#;
    for word in ["2001 | Akua | ExDept", "2002 | Mateo | Sales\n2003 | Wang | NA", log, "no difference"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}
