//! Commands, and what they have in common: how they end.

mod args;
mod backup;
mod check;
mod completions;
mod endpoint;
mod explain;
mod export;
mod import;
mod replicate;
mod restore;
mod serve;
mod settings;
mod tail;
mod tour;
mod trigger;

use std::ffi::OsString;
use std::process::ExitCode;

pub const HELP: &str = "\
Millstream: DynamoDB Streams that you run yourself.

USAGE: millstream <command> [flags]

  serve         everything, on one port        --data-dir DIR | --memory, --listen ADDR, --config FILE
  tour          a server in memory and the first walkthrough, live and explained
  tail TABLE    follows a table's changes      --endpoint URL, --from latest|trim-horizon, --event NAME, --json, --once
  trigger list                  mappings, a line each                                   --endpoint URL, --json
  trigger status [UUID]         each mapping's records by fate, and what blocks it      --endpoint URL, --json
  trigger run FN EVENT.json     invokes a function with an event and prints its answer
  trigger replay FN --table T   hands records to a function again    --since SECONDS-AGO|TIME, --from SEQ, --to SEQ, --batch N
  replicate FILE [status|verify|pause|resume|resync|quarantine|retry] [PIPELINE]
                keeps tables in step in PostgreSQL, MySQL, SQLite      --once, --plan, --check, --json
  check         is a data directory sound, and what would functions run on?      --data-dir DIR
  backup DIR    everything a server keeps, of one moment, while it serves     --endpoint URL | --data-dir DIR of a stopped one
  restore DIR   a new data directory from a backup                              --data-dir DIR
  export TABLE DIR   a table's items as files of DynamoDB JSON             --endpoint URL
  import TABLE PATH  items from such files, or CSV, into a table            --endpoint URL, --csv-delimiter C
  explain CODE  what an error means, and what to do
  completions   for bash, zsh or fish
  help, --version

Settings come from flags, then from MILLSTREAM_… variables, then from the file, then from defaults:
docs/configuration.md has them all. Exit codes: 0 done, 1 failed, 2 not understood.
";

/// How a command failed.
pub enum Failure {
    /// What was typed is not understood.
    Usage(String),
    /// It was understood, and did not work.
    Failed(String),
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Failed(error.to_string())
    }
}

/// How a command ends whose output nobody reads any more: as others do, of SIGPIPE.
pub const UNHEARD: i32 = 128 + 13;

pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let Some((command, rest)) = arguments.split_first() else {
        tell!("{}", HELP.trim_end());
        return ExitCode::from(2);
    };
    let rest = rest.to_vec();
    if rest.iter().any(|argument| argument == "--help" || argument == "-h") {
        tell!("{}", HELP.trim_end());
        return ExitCode::SUCCESS;
    }
    let done = match command.to_string_lossy().as_ref() {
        "serve" => serve::run(rest),
        "tour" => tour::run(rest),
        "tail" => tail::run(rest),
        "trigger" => trigger::run(rest),
        "backup" => backup::run(rest),
        "restore" => restore::run(rest),
        "replicate" => replicate::run(rest),
        "export" => export::run(rest),
        "import" => import::run(rest),
        "check" => check::run(rest),
        "explain" => explain::run(rest),
        "completions" => completions::run(rest),
        "help" | "--help" | "-h" => {
            tell!("{}", HELP.trim_end());
            Ok(())
        }
        "--version" | "-V" | "version" => {
            tell!("millstream {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        other => Err(Failure::Usage(format!("there is no command '{other}'; `millstream help` lists them"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            world::say!("millstream: {message}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(message)) => {
            world::say!("millstream: {message}");
            ExitCode::FAILURE
        }
    }
}
