//! A function's process: started in a group of its own, and gone when the server is.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::thread;
use tokio::sync::{oneshot, watch};

const OPEN_FILES_MAX: u64 = 1_024;

/// A process that runs, or has run.
#[derive(Debug)]
pub(crate) struct Process {
    pid: i32,
    ended: watch::Receiver<Option<Ending>>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    status: ExitStatus,
}

impl std::fmt::Display for Ending {
    /// What AWS says after `Runtime exited`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.status.code(), self.status.signal()) {
            (Some(0), _) => f.write_str("Runtime exited without providing a reason"),
            (Some(code), _) => write!(f, "Runtime exited with error: exit status {code}"),
            (None, Some(libc::SIGKILL)) => f.write_str("Runtime exited with error: signal: killed"),
            (None, Some(libc::SIGSEGV)) => {
                f.write_str("Runtime exited with error: signal: segmentation fault")
            }
            (None, Some(libc::SIGTERM)) => f.write_str("Runtime exited with error: signal: terminated"),
            (None, signal) => write!(f, "Runtime exited with error: signal: {}", signal.unwrap_or_default()),
        }
    }
}

impl Process {
    /// Starts a command. The thread that starts it waits for it, because the signal that a dying parent sends
    /// is sent when that thread dies.
    pub async fn start(mut command: Command) -> io::Result<Process> {
        prepare(&mut command);
        let (started, on_start) = oneshot::channel();
        let (ending, ended) = watch::channel(None);
        thread::Builder::new().name("function".to_owned()).stack_size(128 * 1024).spawn(move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => {
                    let _ = started.send(Err(error));
                    return;
                }
            };
            // The command holds the log's write end; the reader must see its end when the child goes.
            drop(command);
            let _ = started.send(Ok(child.id() as i32));
            if let Ok(status) = child.wait() {
                let _ = ending.send(Some(Ending { status }));
            }
        })?;
        let pid = on_start.await.map_err(|_| io::Error::other("the process could not be started"))??;
        Ok(Process { pid, ended })
    }

    /// Ready once the process is gone.
    pub async fn ended(&self) -> Option<Ending> {
        let mut ended = self.ended.clone();
        ended.wait_for(Option::is_some).await.ok().and_then(|ending| *ending)
    }

    pub fn has_ended(&self) -> bool {
        self.ended.borrow().is_some() || self.ended.has_changed().is_err()
    }

    /// The most memory it has held at once so far.
    pub fn memory_bytes_max(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: Option<u64> =
            line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
        kilobytes.unwrap_or(0) * 1024
    }

    pub fn terminate(&self) {
        self.signal(libc::SIGTERM);
    }

    pub fn kill(&self) {
        self.signal(libc::SIGKILL);
    }

    /// Signals the whole group.
    #[expect(unsafe_code, reason = "std cannot signal a process group")]
    fn signal(&self, signal: i32) {
        // A group outlives its first process while grandchildren run, so it is signalled whatever that one did.
        // SAFETY: `kill` takes two numbers; the group is this process's own, made by `setsid`.
        unsafe { libc::kill(-self.pid, signal) };
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[expect(unsafe_code, reason = "what happens between fork and exec is not in std's reach")]
fn prepare(command: &mut Command) {
    let parent = std::process::id() as i32;
    // SAFETY: only async-signal-safe calls: setsid, prctl, setrlimit, getppid, _exit.
    unsafe {
        command.pre_exec(move || {
            libc::setsid();
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() != parent {
                libc::_exit(1); // The server died before the line above.
            }
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            let files = libc::rlimit { rlim_cur: OPEN_FILES_MAX, rlim_max: OPEN_FILES_MAX };
            libc::setrlimit(libc::RLIMIT_NOFILE, &files);
            let cores = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &cores);
            Ok(())
        });
    }
}
