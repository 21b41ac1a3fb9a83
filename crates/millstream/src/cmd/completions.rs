//! `millstream completions SHELL`: what the shell needs to complete commands and flags.

use super::{Failure, settings};
use std::ffi::OsString;

const COMMANDS: &str =
    "serve tour tail trigger replicate backup restore export import check explain completions help";

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let flags: Vec<_> =
        settings::VALUES.iter().chain(&settings::SWITCHES).map(|name| format!("--{name}")).collect();
    let flags = flags.join(" ");
    match typed.first().map(|shell| shell.to_string_lossy().into_owned()).as_deref() {
        Some("bash") => tell!(
            "_millstream() {{\n  local words=\"{COMMANDS}\"\n  [ \"$COMP_CWORD\" -gt 1 ] && words=\"{flags}\"\n  COMPREPLY=($(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n}}\ncomplete -o default -F _millstream millstream"
        ),
        Some("zsh") => tell!(
            "#compdef millstream\nif (( CURRENT == 2 )); then\n  compadd {COMMANDS}\nelse\n  compadd -- {flags}\n  _files\nfi"
        ),
        Some("fish") => {
            tell!("complete -c millstream -f -n __fish_use_subcommand -a '{COMMANDS}'");
            for flag in flags.split(' ') {
                tell!("complete -c millstream -n '__fish_seen_subcommand_from serve' -l {}", &flag[2..]);
            }
        }
        _ => return Err(Failure::Usage("completions takes bash, zsh or fish".to_owned())),
    }
    Ok(())
}
