//! PostgreSQL: initdb once, then postgres.

use crate::error::Error;
use crate::place::{Home, Owner, Secret, flag, program};
use crate::process::{Plan, as_owner, run};
use crate::{Durability, Engine, Settings, missing};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The directory of the programs: of this major version, or the latest.
pub(crate) fn find(version: Option<&str>) -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(number, bin)| {
            bin.join("initdb").is_file() && version.is_none_or(|version| version == number.to_string())
        })
        .collect();
    versions.sort();
    if let Some((_, bin)) = versions.pop() {
        return Some(bin);
    }
    // As other systems and other people install it. Which version that is, the server says itself.
    let initdb = program(&["initdb"], &["/usr/local/pgsql/bin".into(), "/usr/pgsql/bin".into()])?;
    let bin = initdb.canonicalize().ok()?.parent()?.to_path_buf();
    bin.join("postgres").is_file().then_some(bin)
}

pub(crate) fn plan(settings: &Settings, port: u16) -> Result<(Plan, Option<Secret>), Error> {
    let given = settings.programs.as_deref();
    let found =
        given.map_or_else(|| find(None), |dir| dir.join("initdb").is_file().then(|| dir.to_path_buf()));
    let mut bin = found.ok_or_else(|| missing(Engine::Postgres, given))?;
    let owner = Owner::choose(&["postgres", "nobody"])?;
    let home = Home::enter(&settings.dir, owner)?;
    if !home.is_made() {
        make(settings, &bin, &home, owner)?;
    } else if given.is_none() {
        let version = fs::read_to_string(home.data.join("PG_VERSION")).unwrap_or_default();
        let version = version.trim();
        bin = find(Some(version)).ok_or_else(|| {
            let dir = settings.dir.display();
            Error(format!("{dir} was made by PostgreSQL {version}: apt-get install postgresql-{version}"))
        })?;
    }
    let mut command = Command::new(bin.join("postgres"));
    command.arg("-D").arg(&home.data).current_dir(&home.data).arg("-p").arg(port.to_string());
    for option in
        ["listen_addresses=127.0.0.1", "unix_socket_directories=", "lc_messages=C", "logging_collector=off"]
    {
        command.arg("-c").arg(option);
    }
    if settings.durability == Durability::Process {
        command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
    }
    as_owner(&mut command, owner);
    // SIGINT cuts clients and writes everything down; SIGTERM would wait for them.
    let ready = "database system is ready to accept connections";
    Ok((Plan { command, ready, signal: libc::SIGINT, made: home.made }, None))
}

fn make(settings: &Settings, bin: &Path, home: &Home, owner: Option<Owner>) -> Result<(), Error> {
    let password = Secret::write(home.secret.clone(), &settings.password, owner)?;
    let initdb = |locale: &str| {
        let mut command = Command::new(bin.join("initdb"));
        command.arg("-D").arg(&home.data).current_dir(&home.data);
        command.arg(format!("--username={}", settings.user)).arg(flag("--pwfile=", password.path()));
        command.args(["--auth=scram-sha-256", "--encoding=UTF8"]).arg(format!("--locale={locale}"));
        if settings.durability == Durability::Process {
            command.arg("--no-sync");
        }
        command
    };
    // Not every system has the locale that knows letters beyond ASCII and sorts by code point.
    run(initdb("C.UTF-8"), owner).or_else(|_| run(initdb("C"), owner))
}
