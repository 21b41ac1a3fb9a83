//! `docs/compatibility.md`: written by the test that otherwise compares it, which stands where the tables are.

use std::error::Error;
use std::process::Command;

pub fn run() -> Result<(), Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut test = Command::new(cargo);
    test.args(["test", "--quiet", "-p", "dynamodb", "--lib", "tests::compatibility"]);
    match test.env("WRITE_COMPATIBILITY", "1").status()?.success() {
        true => Ok(()),
        false => Err("the page's tests failed: see above".into()),
    }
}
