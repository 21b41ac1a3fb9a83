//! MariaDB or MySQL: a data directory made once, then mariadbd or mysqld.

use crate::error::{Error, io};
use crate::place::{Home, Owner, Secret, first_of, flag, program};
use crate::process::{Plan, as_owner, run};
use crate::{Durability, Engine, Settings, missing};
use std::path::{Path, PathBuf};
use std::process::Command;

const SERVERS: [&str; 2] = ["mariadbd", "mysqld"];
const SCRIPTS: [&str; 2] = ["mariadb-install-db", "mysql_install_db"];

/// The server's program, in this directory or where it is installed.
pub(crate) fn find(programs: Option<&Path>) -> Option<PathBuf> {
    match programs {
        Some(dir) => first_of(&SERVERS, &[dir.to_path_buf()]),
        None => program(&SERVERS, &["/usr/sbin".into(), "/usr/libexec".into(), "/usr/local/sbin".into()]),
    }
}

fn is_mariadb(server: &Path) -> Result<bool, Error> {
    let told = Command::new(server).arg("--no-defaults").arg("--version").output();
    let told = told.map_err(io(format_args!("{}", server.display())))?;
    Ok(String::from_utf8_lossy(&told.stdout).contains("MariaDB"))
}

pub(crate) fn plan(settings: &Settings, port: u16) -> Result<(Plan, Option<Secret>), Error> {
    let owner = Owner::choose(&["mysql", "nobody"])?;
    let programs = settings.programs.as_deref();
    let server = find(programs).ok_or_else(|| missing(Engine::Mysql, programs))?;
    let home = Home::enter(&settings.dir, owner)?;
    let dir = home.data.clone();
    let is_mariadb = is_mariadb(&server)?;
    let mut secret = None;
    if !home.is_made() {
        match is_mariadb {
            true => make_mariadb(programs, &dir, owner)?,
            false => make_mysql(&server, &dir, owner)?,
        }
        secret = Some(Secret::write(home.secret.clone(), &first_user(settings, is_mariadb)?, owner)?);
    }
    let mut command = Command::new(&server);
    command
        .arg("--no-defaults")
        .current_dir(&dir)
        .arg(flag("--datadir=", &dir))
        // A server that starts removes what others left in a directory that they share.
        .arg(flag("--tmpdir=", &dir))
        .arg(format!("--port={port}"));
    // Paths of sockets are short: this one is relative to the data.
    command.args([
        "--bind-address=127.0.0.1",
        "--socket=server.sock",
        "--pid-file=server.pid",
        "--skip-name-resolve",
    ]);
    command.args(["--character-set-server=utf8mb4", "--skip-log-bin", "--innodb-buffer-pool-size=64M"]);
    command.arg("--performance-schema=OFF");
    if !is_mariadb {
        // Builds name a directory for files of SQL's, which is there only where they are installed.
        command.args(["--mysqlx=OFF", "--secure-file-priv=NULL"]);
    }
    if settings.durability == Durability::Process {
        command.args(["--innodb-flush-log-at-trx-commit=2", "--skip-innodb-doublewrite"]);
    }
    if let Some(secret) = &secret {
        command.arg(flag("--init-file=", secret.path()));
    }
    as_owner(&mut command, owner);
    Ok((Plan { command, ready: "ready for connections", signal: libc::SIGTERM, made: home.made }, secret))
}

fn make_mysql(server: &Path, dir: &Path, owner: Option<Owner>) -> Result<(), Error> {
    let mut command = Command::new(server);
    command
        .args(["--no-defaults", "--initialize-insecure", "--secure-file-priv=NULL"])
        .arg(flag("--datadir=", dir))
        .current_dir(dir);
    run(command, owner)
}

fn make_mariadb(programs: Option<&Path>, dir: &Path, owner: Option<Owner>) -> Result<(), Error> {
    let script = match programs {
        Some(programs) => first_of(&SCRIPTS, &[programs.to_path_buf()]),
        None => program(&SCRIPTS, &["/usr/bin".into(), "/usr/share/mysql".into()]),
    };
    let script = script.ok_or_else(|| Error("MariaDB's mariadb-install-db is not installed".to_owned()))?;
    let mut command = Command::new(script);
    command.arg("--no-defaults").arg(flag("--datadir=", dir)).current_dir(dir).env("TMPDIR", dir);
    command.args(["--skip-test-db", "--skip-name-resolve", "--auth-root-authentication-method=socket"]);
    run(command, owner)
}

/// The master user, from everywhere, and nobody else over the network. One statement a line, as the server wants it.
fn first_user(settings: &Settings, is_mariadb: bool) -> Result<String, Error> {
    let literal = |text: &str| {
        if text.contains(['\n', '\0']) {
            return Err(Error("a database's user and password are one line each".to_owned()));
        }
        Ok(format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")))
    };
    let (user, password) = (literal(&settings.user)?, literal(&settings.password)?);
    let mut lines = vec![
        format!("CREATE USER IF NOT EXISTS {user}@'%' IDENTIFIED BY {password};"),
        format!("GRANT ALL PRIVILEGES ON *.* TO {user}@'%' WITH GRANT OPTION;"),
    ];
    if !is_mariadb && settings.user != "root" {
        lines.push("ALTER USER 'root'@'localhost' ACCOUNT LOCK;".to_owned());
    }
    Ok(lines.join("\n") + "\n")
}
