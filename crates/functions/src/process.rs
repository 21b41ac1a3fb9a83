//! A function's process: started in a group of its own, and gone when the server is.

use crate::limits::{Group, PROCESSES_MAX, Peak};
use crate::runtime_api::Guest;
use crate::sandbox::Confinement;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

const OPEN_FILES_MAX: u64 = 1_024;
/// How many processes of a function are looked at for what they hold.
const WATCHED_MAX: usize = 1_024;

/// A process that runs, or has run.
#[derive(Debug)]
pub(crate) struct Process {
    pid: i32,
    ended: watch::Receiver<Option<Ending>>,
    /// How many of our own processes stand before the function's.
    keepers: u32,
    /// Who the function's are, where that is nobody else.
    user: Option<u32>,
    memory: Peak,
}

/// What a process is held in.
pub(crate) struct Bounds {
    pub confinement: Confinement,
    pub group: Option<Arc<Group>>,
    pub file_bytes_max: u64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    status: ExitStatus,
}

impl Ending {
    /// As a shell ends that cannot run what it is told to.
    pub fn of_code(code: u8) -> Ending {
        Ending { status: ExitStatus::from_raw(i32::from(code) << 8) }
    }
}

impl std::fmt::Display for Ending {
    /// What AWS says after `Runtime exited`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.status.code(), self.status.signal()) {
            (Some(0), _) => f.write_str("Runtime exited without providing a reason"),
            (Some(code), _) => write!(f, "Runtime exited with error: exit status {code}"),
            (None, signal) => match signal_name(signal.unwrap_or_default()) {
                Ok(name) => write!(f, "Runtime exited with error: signal: {name}"),
                Err(number) => write!(f, "Runtime exited with error: signal: {number}"),
            },
        }
    }
}

fn signal_name(number: i32) -> Result<&'static str, i32> {
    Ok(match number {
        libc::SIGABRT => "aborted",
        libc::SIGBUS => "bus error",
        libc::SIGFPE => "floating point exception",
        libc::SIGHUP => "hangup",
        libc::SIGILL => "illegal instruction",
        libc::SIGINT => "interrupt",
        libc::SIGKILL => "killed",
        libc::SIGQUIT => "quit",
        libc::SIGSEGV => "segmentation fault",
        libc::SIGTERM => "terminated",
        other => return Err(other),
    })
}

impl Process {
    /// Starts a command. The thread that starts it waits for it, because the signal that a dying parent sends
    /// is sent when that thread dies.
    pub async fn start(mut command: Command, bounds: Bounds) -> io::Result<Process> {
        let keepers = if bounds.confinement.has_keepers() { 2 } else { 0 };
        let user = bounds.confinement.user();
        confine(&mut command, bounds);
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
        Ok(Process { pid, ended, keepers, user, memory: Peak::default() })
    }

    /// As the Runtime API knows it.
    pub fn guest(&self) -> Guest {
        Guest { pid: self.pid, user: self.user, keepers: self.keepers }
    }

    /// Ready once the process is gone.
    pub async fn ended(&self) -> Option<Ending> {
        self.ending().await
    }

    /// The same, for who outlives this.
    pub fn ending(&self) -> impl Future<Output = Option<Ending>> + use<> {
        let mut ended = self.ended.clone();
        async move { ended.wait_for(Option::is_some).await.ok().and_then(|ending| *ending) }
    }

    pub fn has_ended(&self) -> bool {
        self.ended.borrow().is_some() || self.ended.has_changed().is_err()
    }

    /// What the function's processes hold now, without what they share with files. Reads `/proc`.
    pub fn memory_bytes(&self) -> u64 {
        let mut bytes = 0;
        let mut watched = self.first().map_or_else(Vec::new, |first| vec![first]);
        let mut next = 0;
        while let Some(pid) = watched.get(next).copied() {
            let status = status(pid);
            bytes += kilobytes(&status, "RssAnon:") + kilobytes(&status, "RssShmem:");
            let room = WATCHED_MAX - watched.len();
            watched.extend(children(pid).into_iter().take(room));
            next += 1;
        }
        self.memory.saw(bytes * 1024);
        bytes * 1024
    }

    /// The most memory it has held at once, as far as was seen. Reads `/proc`, unless that was just done.
    pub fn memory_bytes_max(&self, now: Duration) -> u64 {
        self.memory.at(now, || self.first().map_or(0, |pid| kilobytes(&status(pid), "VmHWM:") * 1024))
    }

    /// The function's first process.
    fn first(&self) -> Option<i32> {
        (0..self.keepers).try_fold(self.pid, |pid, _| children(pid).first().copied())
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

fn kilobytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

/// What the kernel tells of a process, in one read.
fn status(pid: i32) -> String {
    let mut text = [0; 4_096];
    let read = std::fs::File::open(format!("/proc/{pid}/status")).and_then(|mut file| file.read(&mut text));
    String::from_utf8_lossy(&text[..read.unwrap_or(0)]).into_owned()
}

fn children(pid: i32) -> Vec<i32> {
    let all = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    all.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Says what happens between fork and exec.
#[expect(unsafe_code, reason = "what happens between fork and exec is not in std's reach")]
pub(crate) fn confine(command: &mut Command, bounds: Bounds) {
    let Bounds { confinement, group, file_bytes_max } = bounds;
    let parent = std::process::id() as i32;
    // SAFETY: only async-signal-safe calls: setsid, prctl, setrlimit, getppid, _exit, and those of the sandbox.
    unsafe {
        command.pre_exec(move || {
            libc::setsid();
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() != parent {
                libc::_exit(1); // The server died before the line above.
            }
            limit(libc::RLIMIT_CORE, 0);
            confinement.enter(parent, group.as_ref().map(|group| group.directory()))?;
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            limit(libc::RLIMIT_NOFILE, OPEN_FILES_MAX);
            limit(libc::RLIMIT_FSIZE, file_bytes_max);
            if confinement.has_keepers() && group.is_none() {
                // Elsewhere the server's user, and all it runs, would be counted.
                limit(libc::RLIMIT_NPROC, PROCESSES_MAX);
            }
            confinement.filter()
        });
    }
}

#[expect(unsafe_code, reason = "std has no limits of processes")]
fn limit(resource: libc::__rlimit_resource_t, most: u64) {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: the structure lives until the call returns.
    unsafe { libc::setrlimit(resource, &limit) };
}
