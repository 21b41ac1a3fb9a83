//! What keeps a function's process in its place, said as it is.

mod landlock;
mod namespaces;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod seccomp;
pub(crate) mod sys;
mod view;

use crate::limits::Holding;
use crate::process::Bounds;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

pub(crate) use view::View;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// The best that the kernel allows.
    #[default]
    Auto,
    /// Namespaces, or no server.
    Require,
    /// Landlock, even where namespaces are allowed.
    Landlock,
    /// Plain processes.
    Off,
}

impl std::str::FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Mode, ()> {
        match text {
            "auto" => Ok(Mode::Auto),
            "require" => Ok(Mode::Require),
            "landlock" => Ok(Mode::Landlock),
            "off" => Ok(Mode::Off),
            _ => Err(()),
        }
    }
}

/// What there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sandbox {
    Namespaces,
    /// With the kernel's version of it.
    Landlock(u32),
    Off,
}

/// Why a wanted sandbox is not there.
#[derive(Debug)]
pub struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl Sandbox {
    /// Tries what the kernel allows, with a process that goes through everything a function goes through.
    pub fn detect(mode: Mode) -> Result<Sandbox, Refused> {
        match mode {
            Mode::Off => Ok(Sandbox::Off),
            Mode::Auto if namespaces().is_ok() => Ok(Sandbox::Namespaces),
            Mode::Auto => match landlock::version() {
                0 => Ok(Sandbox::Off),
                version => Ok(Sandbox::Landlock(version)),
            },
            Mode::Require => namespaces().as_ref().map(|()| Sandbox::Namespaces).map_err(|why| {
                Refused(format!(
                    "the kernel refuses the namespaces of the sandbox ({why}): allow them, or set sandbox to auto"
                ))
            }),
            Mode::Landlock => match landlock::version() {
                0 => Err(Refused("this kernel has no Landlock: set sandbox to auto or off".to_owned())),
                version => Ok(Sandbox::Landlock(version)),
            },
        }
    }

    /// What is enforced on every function's process, for people to read.
    pub fn enforced(self, holding: Holding) -> Vec<&'static str> {
        let mut all = match self {
            Sandbox::Namespaces => vec![
                "its code in /var/task, its layers in /opt, a /tmp of its own and its size, the system's \
                 programs read-only, and nothing else of the file system",
                "no process but its own to be seen or signalled, all gone with the server",
            ],
            Sandbox::Landlock(version) => {
                let mut all = vec!["no file but its code, the system's programs and its own TMPDIR"];
                if version >= 6 {
                    all.push("signals only to its own processes");
                }
                all
            }
            Sandbox::Off => vec!["a temporary directory of its own, and code that is not to be written"],
        };
        if self.counts_processes(holding) {
            all.push("at most 742 processes");
        }
        all.push(match holding {
            Holding::Watched => "memory watched: who holds more than MemorySize is killed",
            Holding::Grouped => {
                "memory: no more than MemorySize; where temporary files are in memory the kernel holds both together, \
                 and who has more than MemorySize besides them is killed"
            }
        });
        all.push(match holding {
            Holding::Watched => "a process group of its own, killed whole at a time-out",
            Holding::Grouped => "a control group of its own, killed whole at its end",
        });
        if self != Sandbox::Off {
            all.push("no system call that looks into other processes, mounts, or makes namespaces");
        }
        all.push("no new privileges, at most 1,024 open files, no core dumps");
        all.push("an environment without the server's variables");
        all
    }

    /// What is not, so that nobody relies on it.
    pub fn not_enforced(self, holding: Holding) -> Vec<&'static str> {
        let mut all = match self {
            Sandbox::Namespaces => vec![],
            Sandbox::Landlock(version) => {
                let mut all = vec![
                    "what its temporary files take together",
                    "modes and times of the server's files: it can change them, though neither read nor write",
                ];
                if version < 6 {
                    all.push("signals to other processes of the server's user");
                }
                all
            }
            Sandbox::Off => {
                vec!["file system and process isolation: a function can do what the server's user can"]
            }
        };
        if !self.counts_processes(holding) {
            all.push("the number of its processes");
        }
        if self != Sandbox::Namespaces && holding == Holding::Watched {
            all.push("the end of processes that leave their group: they may outlive the function");
        }
        all.push("the network: a function reaches this machine's ports and the world");
        all
    }

    fn counts_processes(self, holding: Holding) -> bool {
        holding == Holding::Grouped || (self == Sandbox::Namespaces && namespaces::counts_processes())
    }

    pub(crate) fn plan(self, view: &View<'_>) -> io::Result<Confinement> {
        Ok(match self {
            Sandbox::Namespaces => Confinement::Root(namespaces::Root::plan(view)?),
            Sandbox::Landlock(_) => Confinement::Rules(landlock::Rules::plan(view)?),
            Sandbox::Off => Confinement::None,
        })
    }
}

impl std::fmt::Display for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Sandbox::Namespaces => f.write_str("namespaces"),
            Sandbox::Landlock(version) => write!(f, "Landlock {version}"),
            Sandbox::Off => f.write_str("off"),
        }
    }
}

/// A sandbox prepared for one process.
pub(crate) enum Confinement {
    Root(namespaces::Root),
    Rules(landlock::Rules),
    None,
}

impl Confinement {
    /// Called between fork and exec.
    pub fn enter(&self, server: i32, group: Option<i32>) -> io::Result<()> {
        if let Confinement::Root(root) = self {
            return root.enter(server, group);
        }
        group.map_or(Ok(()), sys::enter_group)?;
        match self {
            Confinement::Rules(rules) => rules.enter(),
            Confinement::Root(_) | Confinement::None => Ok(()),
        }
    }

    /// Called between fork and exec as the last, once new privileges are ruled out.
    pub fn filter(&self) -> io::Result<()> {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if !matches!(self, Confinement::None) {
            seccomp::enter()?;
        }
        Ok(())
    }

    /// The user that nobody but this process is to be.
    pub fn user(&self) -> Option<u32> {
        match self {
            Confinement::Root(root) => root.user(),
            Confinement::Rules(_) | Confinement::None => None,
        }
    }

    /// Whether two processes of ours stand before the function's.
    pub fn has_keepers(&self) -> bool {
        matches!(self, Confinement::Root(_))
    }
}

/// Whether namespaces are allowed, asked once.
fn namespaces() -> &'static Result<(), String> {
    static ALLOWED: OnceLock<Result<(), String>> = OnceLock::new();
    ALLOWED.get_or_init(|| {
        let dir = std::env::temp_dir().join(format!("millstream-probe-{}", std::process::id()));
        let mut tried = try_namespaces(&dir);
        if tried.is_err() && namespaces::map_users() {
            tried = try_namespaces(&dir);
        }
        let _ = std::fs::remove_dir_all(&dir);
        tried.map_err(|error| error.to_string())
    })
}

fn try_namespaces(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir.join("code"))?;
    let code = dir.join("code");
    let view = View {
        temporary: dir,
        code: &code,
        layers: None,
        client: &code,
        interpreter: None,
        ephemeral_mb: 1,
        hidden: &[],
    };
    let mut command = Command::new("/bin/true");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let confinement = Sandbox::Namespaces.plan(&view)?;
    crate::process::confine(&mut command, Bounds { confinement, group: None, file_bytes_max: 1 });
    match command.status() {
        // Whoever comes as far as to look for the program is inside.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
