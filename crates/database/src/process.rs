//! A server as a child process. One thread starts it and waits for it, because the signal that a parent's death sends
//! follows the thread that is the parent.

use crate::error::{Error, io};
use crate::place::Owner;
use crate::{Settings, mysql, postgres};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const LINES_KEPT: usize = 40;
const STOP_MAX: Duration = Duration::from_secs(30);
const TRIES_MAX: usize = 20;
const BREATH: Duration = Duration::from_millis(100);

/// A running server: it ends when this goes, or when the process does.
pub struct Database {
    port: u16,
    running: Arc<Running>,
    ended: Receiver<()>,
    /// What asks it to end: clients are cut, data is kept.
    signal: i32,
}

#[derive(Default)]
struct Running {
    /// The process, as long as its number is its own.
    pid: Mutex<Option<i32>>,
    lines: Mutex<VecDeque<String>>,
}

/// How to run a server once its data is there.
pub(crate) struct Plan {
    pub command: Command,
    /// What it says on its error output when it takes connections.
    pub ready: &'static str,
    pub signal: i32,
    /// A file that says, from the first ready on, that the data is whole.
    pub made: PathBuf,
}

impl Database {
    /// Makes the data unless it is there, starts the server, and waits until it takes connections.
    pub fn start(settings: &Settings) -> Result<Database, Error> {
        let mut tried = 0;
        loop {
            let port = if settings.port == 0 { free_port()? } else { settings.port };
            let (plan, _secret) = match settings.engine {
                crate::Engine::Postgres => postgres::plan(settings, port)?,
                crate::Engine::Mysql => mysql::plan(settings, port)?,
            };
            tried += 1;
            match launch(plan, port) {
                // Somebody else was faster to that port.
                Err(error) if settings.port == 0 && tried < TRIES_MAX && error.0.contains("in use") => {}
                // Of the PostgreSQL that was killed here, a last process is still going.
                Err(error) if tried < TRIES_MAX && error.0.contains("pre-existing shared memory") => {
                    std::thread::sleep(BREATH);
                }
                done => return done,
            }
        }
    }

    /// Whether a directory holds the whole data of a server that has been ready once.
    pub fn is_made(dir: &Path) -> bool {
        dir.join(crate::place::MADE).exists()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's first process.
    pub fn pid(&self) -> Option<i32> {
        *self.running.pid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_running(&self) -> bool {
        self.pid().is_some()
    }

    /// The last of what the server said.
    pub fn log(&self) -> String {
        self.running.log()
    }

    /// Ends it properly: what is committed is there at the next start.
    pub fn stop(self) {
        self.end(self.signal);
    }

    /// SIGKILL: as a crash does.
    pub fn kill(self) {
        self.end(libc::SIGKILL);
    }

    fn end(&self, signal: i32) {
        self.running.signal(signal);
        if self.ended.recv_timeout(STOP_MAX) == Err(RecvTimeoutError::Timeout) {
            self.running.signal(libc::SIGKILL);
            let _ = self.ended.recv_timeout(STOP_MAX);
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.is_running() {
            self.end(self.signal);
        }
    }
}

impl Running {
    #[expect(unsafe_code, reason = "std sends no signal but SIGKILL")]
    fn signal(&self, signal: i32) {
        let pid = self.pid.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = *pid {
            // SAFETY: the process has not been waited for while the lock is held: the number is still its own.
            unsafe { libc::kill(pid, signal) };
        }
    }

    fn log(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    fn say(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

fn launch(plan: Plan, port: u16) -> Result<Database, Error> {
    let running = Arc::new(Running::default());
    let (say_ready, ready) = channel();
    let (say_ended, ended) = channel();
    let (signal, made) = (plan.signal, plan.made.clone());
    let keeper = running.clone();
    std::thread::spawn(move || keep(plan, &keeper, say_ready, &say_ended));
    let database = Database { port, running, ended, signal };
    match ready.recv_timeout(crate::START_MAX) {
        Ok(Ok(())) => {
            std::fs::write(&made, "").map_err(io(format_args!("{}", made.display())))?;
            Ok(database)
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error(format!("the database did not get ready in time:\n{}", database.log()))),
    }
}

/// Starts the server, tells when it is ready, and waits for its end.
fn keep(
    mut plan: Plan,
    running: &Arc<Running>,
    say_ready: Sender<Result<(), Error>>,
    say_ended: &Sender<()>,
) {
    plan.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    die_with_us(&mut plan.command, plan.signal);
    let mut child = match plan.command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let _ = say_ready.send(Err(Error(format!("{:?}: {error}", plan.command.get_program()))));
            return;
        }
    };
    *running.pid.lock().unwrap_or_else(PoisonError::into_inner) = i32::try_from(child.id()).ok();
    if let Some(output) = child.stderr.take() {
        let (running, word) = (running.clone(), plan.ready);
        std::thread::spawn(move || listen(output, &running, word, &say_ready));
    }
    wait(&mut child, running);
    let _ = say_ended.send(());
}

/// Reads what the server says until it ends.
fn listen(output: impl Read, running: &Running, word: &str, say_ready: &Sender<Result<(), Error>>) {
    let mut lines = BufReader::new(output);
    let mut line = Vec::new();
    let mut is_ready = false;
    while matches!(lines.read_until(b'\n', &mut line), Ok(count) if count > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        if text.contains(word) && !is_ready {
            is_ready = true;
            let _ = say_ready.send(Ok(()));
        }
        running.say(text);
    }
    if !is_ready {
        let _ =
            say_ready.send(Err(Error(format!("the database ended before it was ready:\n{}", running.log()))));
    }
}

#[expect(unsafe_code, reason = "std cannot wait without giving up the process's number")]
fn wait(child: &mut Child, running: &Running) {
    // SAFETY: a zeroed siginfo is a valid one; WNOWAIT leaves the process to be waited for below.
    unsafe {
        let mut told: libc::siginfo_t = std::mem::zeroed();
        while libc::waitid(libc::P_PID, child.id(), &raw mut told, libc::WEXITED | libc::WNOWAIT) == -1
            && std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted
        {}
    }
    let mut pid = running.pid.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = child.wait();
    *pid = None;
}

#[expect(unsafe_code, reason = "the signal of a parent's death is asked for between fork and exec")]
fn die_with_us(command: &mut Command, signal: i32) {
    let parent = std::process::id();
    // SAFETY: prctl and getppid are safe between fork and exec.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_PDEATHSIG, signal as libc::c_ulong);
            // It may have died before it was asked for.
            if libc::getppid() as u32 == parent {
                Ok(())
            } else {
                Err(std::io::Error::from_raw_os_error(libc::ESRCH))
            }
        });
    }
    command.process_group(0);
}

/// Runs a program that makes a data directory, to its end.
pub(crate) fn run(mut command: Command, owner: Option<Owner>) -> Result<(), Error> {
    as_owner(&mut command, owner);
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command.stdin(Stdio::null()).output().map_err(|error| Error(format!("{program}: {error}")))?;
    if done.status.success() {
        return Ok(());
    }
    let told = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let last: Vec<&str> = told.lines().rev().take(LINES_KEPT).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    Err(Error(format!("{program} ended with {}:\n{}", done.status, last.join("\n"))))
}

pub(crate) fn as_owner(command: &mut Command, owner: Option<Owner>) {
    if let Some(owner) = owner {
        command.uid(owner.uid).gid(owner.gid);
    }
}

fn free_port() -> Result<u16, Error> {
    let bound = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|error| Error(format!("no free port: {error}")))
}
