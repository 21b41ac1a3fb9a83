//! The real command, and what it holds in memory while its target is away.

use super::rounds::ROUNDS;
use super::source::{Source, TABLE};
use super::{BATCH, Bench, Result, bare, rest};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub struct Pipeline {
    binary: String,
    pub file: PathBuf,
    target: String,
    /// None: of the server that runs it.
    endpoint: Option<String>,
    /// Where the rows go.
    pub table: String,
}

impl Pipeline {
    pub fn new(bench: &Bench, source: &Source, dir: &Path, kind: &str, url: &str) -> Result<Pipeline> {
        let place = url.strip_prefix("sqlite:").unwrap_or(url);
        Ok(Pipeline {
            binary: bench.binary.clone(),
            file: dir.join("rates.toml"),
            target: format!("{kind} = \"{place}\""),
            endpoint: Some(source.node.url()),
            table: String::new(),
        })
    }

    /// One more of the same rows, into a table of its own.
    pub fn again(&self, number: usize) -> Result<Pipeline> {
        self.made(TABLE, &format!("{TABLE}{number}"), &bare::columns())
    }

    /// The same in the server whose tables they are, into one more table.
    pub fn inside(&self, number: usize) -> Result<Pipeline> {
        let own = Pipeline { endpoint: None, ..self.again(number)? };
        own.made(TABLE, &format!("Inside{number}"), &bare::columns())
    }

    /// Between another table and one of the same name.
    pub fn of_table(&self, table: &str, columns: &str) -> Result<Pipeline> {
        self.made(table, table, columns)
    }

    fn made(&self, from: &str, name: &str, columns: &str) -> Result<Pipeline> {
        let (target, table) = (&self.target, name.to_lowercase());
        let endpoint =
            self.endpoint.as_ref().map(|url| format!("endpoint = \"{url}\"\n")).unwrap_or_default();
        let file = self.file.with_file_name(format!("{name}.toml"));
        let text = format!(
            "[source.s]\ntable = \"{from}\"\n{endpoint}[target.t]\n{target}\n[[pipeline]]\nname = \"{name}\"\nfrom = \"s\"\nto = \"t\"\ntable = \"{table}\"\nbatch_rows = {BATCH}\n{columns}",
        );
        std::fs::write(&file, text)?;
        let (binary, target, endpoint) = (self.binary.clone(), target.clone(), self.endpoint.clone());
        Ok(Pipeline { binary, file, target, endpoint, table })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("replicate").arg(&self.file).stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// To the tip.
    pub fn once(&self) -> Result<()> {
        let ran = self.command().arg("--once").stderr(Stdio::piped()).output()?;
        match ran.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&ran.stderr).into()),
        }
    }

    pub fn follow(&self) -> Result<Running> {
        Ok(Running(self.command().spawn()?))
    }
}

pub struct Running(Child);

impl Running {
    fn megabytes(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A target that goes away under a runner while all rows are changed, and comes back.
pub fn memory(
    bench: &Bench,
    source: &Source,
    pipeline: &Pipeline,
    server: database::Database,
    settings: &database::Settings,
) -> Result<database::Database> {
    let running = pipeline.follow()?;
    rest(2000);
    let before = running.megabytes()?;
    server.kill();
    source.change_all(bench, ROUNDS + 1)?;
    rest(3000);
    let away = running.megabytes()?;
    println!(
        "  memory                      {before:>10.1} MB, {away:.1} MB with the target away and {} changes",
        bench.rows
    );
    drop(running);
    let server = database::Database::start(settings).map_err(|error| error.to_string())?;
    pipeline.once()?;
    Ok(server)
}
