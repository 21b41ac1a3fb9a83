//! Chores of the project: `cargo xtask <command>`.

mod bench;
mod codegen;
mod compatibility;
mod conformance;
mod suite;
mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.first().map(String::as_str) {
        Some("codegen") => codegen::run(&args[1..]),
        Some("tidy") => {
            tidy::run(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).map_err(Into::into)
        }
        Some("compatibility") => compatibility::run(),
        Some("conformance") => conformance::run(&args[1..]),
        Some("suite") => suite::run(&args[1..]),
        Some("bench") => bench::run(&args[1..]),
        _ => Err(
            "commands: bench [--records N] [--only ready|reads|writes|latency], bench triggers [--records N] [--mappings N] [--only starts|idle|filter|batches|backlog] [--binary PATH], bench items [--count N] [--dir DIR], bench replicate [--rows N] [--only sqlite|postgres|mysql] [--python PATH], codegen [--models DIR], compatibility, conformance parity|moto|sdk [CHECKOUT], suite cdk [PART…] | cgroup | consumers | kcl, tidy"
                .into(),
        ),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
