//! Flags: `--name value`, `--name=value`, and `--name` alone.

use super::Failure;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// What was typed after a command.
pub struct Args {
    pub values: BTreeMap<String, String>,
    pub switches: Vec<String>,
    pub words: Vec<String>,
}

impl Args {
    /// Reads flags of these names; any other one is an error that names those there are.
    pub fn read(typed: Vec<OsString>, values: &[&str], switches: &[&str]) -> Result<Args, Failure> {
        let mut args = Args { values: BTreeMap::new(), switches: Vec::new(), words: Vec::new() };
        let mut typed = typed.into_iter().map(|word| word.to_string_lossy().into_owned());
        while let Some(word) = typed.next() {
            let Some(flag) = word.strip_prefix("--") else {
                args.words.push(word);
                continue;
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            if switches.contains(&name) && value.is_none() {
                args.switches.push(name.to_owned());
            } else if values.contains(&name) {
                let value = value.or_else(|| typed.next());
                let value = value.ok_or_else(|| Failure::Usage(format!("--{name} needs a value")))?;
                args.values.insert(name.to_owned(), value);
            } else {
                let all: Vec<_> = values.iter().chain(switches).map(|name| format!("--{name}")).collect();
                return Err(Failure::Usage(format!(
                    "--{name} is not known here; there are {}",
                    all.join(", ")
                )));
            }
        }
        Ok(args)
    }

    pub fn has(&self, switch: &str) -> bool {
        self.switches.iter().any(|given| given == switch)
    }
}
