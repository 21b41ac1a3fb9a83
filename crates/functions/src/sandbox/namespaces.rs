//! A root of a function's own: namespaces in which only what it may see is mounted.
//!
//! Three processes: the first stays outside and ends as the function ends, the second is process 1 of the new
//! namespace and waits for everybody in it, the third becomes the function. When the first or second dies, the kernel
//! kills the namespace.

use super::sys::{self, check};
use super::view::View;
use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The user a function is, seen from inside; AWS's number.
const USER_INSIDE: u32 = 993;
/// Users that no machine has given away: each environment of a server that is root gets one, so that limits and
/// signals of one user concern one environment.
const USERS_FIRST: u32 = 1_800_000_000;
const USERS: u32 = 100_000_000;

/// Root in a container may lack the power to make namespaces without one of users.
static WITHOUT_USERS: AtomicBool = AtomicBool::new(true);

/// From here on a root without that power does as other users do. Gives whether that makes a difference.
pub(super) fn map_users() -> bool {
    sys::is_root() && WITHOUT_USERS.swap(false, Ordering::Relaxed)
}

/// Whether the kernel counts a function's processes: those of root itself it does not, whatever that is called inside.
pub(super) fn counts_processes() -> bool {
    !sys::is_root() || WITHOUT_USERS.load(Ordering::Relaxed)
}

const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];

/// One thing to do in the new mount namespace. Paths of `at` are relative to the new root.
enum Step {
    Directory(CString),
    File(CString),
    Link {
        target: CString,
        at: CString,
    },
    Bind {
        source: CString,
        at: CString,
    },
    Tmpfs {
        at: CString,
        options: CString,
    },
    /// An empty directory over what must not be seen, if it can be seen at all.
    Hide(CString),
    /// Everything mounted so far can only be read from here on.
    ReadOnly,
    Proc(CString),
}

/// Who the function is to be.
enum Identity {
    /// The server is root: a user of the environment's own.
    Own(u32),
    /// A user namespace that maps the server's user.
    Mapped { users: Vec<u8>, groups: Vec<u8> },
}

/// Everything prepared: between fork and exec nothing may allocate.
pub(crate) struct Root {
    base: CString,
    steps: Vec<Step>,
    identity: Identity,
    directory: CString,
}

impl Root {
    /// Plans the root, and writes what it needs into the environment's directory.
    pub fn plan(view: &View<'_>) -> io::Result<Root> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let base = view.temporary.join("root");
        std::fs::create_dir_all(&base)?;
        let (identity, user) = if sys::is_root() && WITHOUT_USERS.load(Ordering::Relaxed) {
            // Servers beside each other begin at different places.
            let first = std::process::id().wrapping_mul(1_000);
            let user = USERS_FIRST + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % USERS;
            (Identity::Own(user), user)
        } else {
            let (user, group) = sys::identity();
            let users = format!("{USER_INSIDE} {user} 1\n").into_bytes();
            let groups = format!("{USER_INSIDE} {group} 1\n").into_bytes();
            (Identity::Mapped { users, groups }, USER_INSIDE)
        };
        let passwd = view.temporary.join("passwd");
        std::fs::write(
            &passwd,
            format!("root:x:0:0:root:/:/sbin/nologin\nsbx_user1051:x:{user}:{user}::/tmp:/sbin/nologin\n"),
        )?;
        let group = view.temporary.join("group");
        std::fs::write(&group, format!("root:x:0:\nsbx_user1051:x:{user}:\n"))?;

        let mut plan = Plan::default();
        for (path, found) in view.shared() {
            match found.link {
                Some(target) => plan.link(&target, &path)?,
                None => plan.bind(&path, &path, found.is_dir)?,
            }
        }
        plan.bind(&passwd, Path::new("/etc/passwd"), false)?;
        plan.bind(&group, Path::new("/etc/group"), false)?;
        plan.bind(view.code, Path::new("/var/task"), true)?;
        plan.bind(view.client, Path::new("/var/runtime"), true)?;
        match view.layers {
            Some(layers) => plan.bind(layers, Path::new("/opt"), true)?,
            None => plan.directory(Path::new("/opt"))?,
        }
        for name in DEVICES {
            let device = Path::new("/dev").join(name);
            plan.bind(&device, &device, false)?;
        }
        for (target, at) in [
            ("/proc/self/fd", "/dev/fd"),
            ("/proc/self/fd/0", "/dev/stdin"),
            ("/proc/self/fd/1", "/dev/stdout"),
            ("/proc/self/fd/2", "/dev/stderr"),
        ] {
            plan.link(Path::new(target), Path::new(at))?;
        }
        for path in view.hidden {
            plan.steps.push(Step::Hide(relative(path)?));
        }
        plan.directory(Path::new("/tmp"))?;
        plan.directory(Path::new("/proc"))?;
        plan.steps.push(Step::ReadOnly);
        plan.steps.push(Step::Proc(relative(Path::new("/proc"))?));
        let options = c_string(format!("size={}m,mode=1777", view.ephemeral_mb).as_bytes())?;
        plan.steps.push(Step::Tmpfs { at: relative(Path::new("/tmp"))?, options });
        Ok(Root {
            base: c_string(base.as_os_str().as_bytes())?,
            steps: plan.steps,
            identity,
            directory: c"/var/task".to_owned(),
        })
    }

    pub fn user(&self) -> Option<u32> {
        match self.identity {
            Identity::Own(user) => Some(user),
            Identity::Mapped { .. } => None,
        }
    }

    /// Called between fork and exec: returns in the process that is to become the function. That one alone is of the
    /// group: the others are copies of the server.
    pub fn enter(&self, server: i32, group: Option<i32>) -> io::Result<()> {
        sys::default_signals();
        let (read, write) = sys::pipe()?;
        sys::unshare(matches!(self.identity, Identity::Mapped { .. }))?;
        if let Identity::Mapped { users, groups } = &self.identity {
            sys::write(c"/proc/self/setgroups", b"deny")?;
            sys::write(c"/proc/self/gid_map", groups)?;
            sys::write(c"/proc/self/uid_map", users)?;
            // A change of powers forgets whose death is to be told.
            sys::die_with(server);
        }
        if let Some(first) = sys::fork()? {
            sys::stay_outside(first, read);
        }
        sys::die_with_parent();
        self.mount()?;
        // Process 1 and what becomes the function are copies of the server until then: not to be looked into.
        sys::hide_memory();
        if let Some(function) = sys::fork_into(group)? {
            sys::wait_inside(function, write);
        }
        if let Identity::Own(user) = self.identity {
            sys::become_user(user)?;
        }
        sys::die_with_parent();
        sys::heed_signals();
        sys::change_directory(&self.directory)
    }

    fn mount(&self) -> io::Result<()> {
        sys::mount_private()?;
        sys::mount_tmpfs(&self.base, c"mode=755")?;
        sys::change_directory(&self.base)?;
        for step in &self.steps {
            match step {
                Step::Directory(at) => sys::make_directory(at)?,
                Step::File(at) => sys::make_file(at)?,
                Step::Link { target, at } => sys::make_link(target, at)?,
                Step::Bind { source, at } => sys::mount_bind(source, at)?,
                Step::Tmpfs { at, options } => sys::mount_tmpfs(at, options)?,
                Step::Hide(at) => match sys::mount_tmpfs(at, c"mode=000,size=4k") {
                    Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) => {}
                    done => done?,
                },
                Step::ReadOnly => sys::read_only(c".")?,
                Step::Proc(at) => sys::mount_proc(at)?,
            }
        }
        check(sys::pivot_here())
    }
}

#[derive(Default)]
struct Plan {
    steps: Vec<Step>,
    made: Vec<PathBuf>,
}

impl Plan {
    fn directory(&mut self, path: &Path) -> io::Result<()> {
        let mut missing: Vec<&Path> =
            path.ancestors().filter(|path| path.parent().is_some() && !self.covers(path)).collect();
        missing.reverse();
        for path in missing {
            self.steps.push(Step::Directory(relative(path)?));
            self.made.push(path.to_owned());
        }
        Ok(())
    }

    /// Whether a path was made here, or lies in something bound.
    fn covers(&self, path: &Path) -> bool {
        self.made.iter().any(|made| made == path)
    }

    fn parent(&mut self, path: &Path) -> io::Result<()> {
        path.parent().map_or(Ok(()), |parent| self.directory(parent))
    }

    fn bind(&mut self, source: &Path, at: &Path, is_dir: bool) -> io::Result<()> {
        if is_dir {
            self.directory(at)?;
        } else {
            self.parent(at)?;
            self.steps.push(Step::File(relative(at)?));
        }
        self.steps.push(Step::Bind { source: c_string(source.as_os_str().as_bytes())?, at: relative(at)? });
        Ok(())
    }

    fn link(&mut self, target: &Path, at: &Path) -> io::Result<()> {
        self.parent(at)?;
        self.steps.push(Step::Link { target: c_string(target.as_os_str().as_bytes())?, at: relative(at)? });
        Ok(())
    }
}

fn relative(path: &Path) -> io::Result<CString> {
    c_string(path.strip_prefix("/").unwrap_or(path).as_os_str().as_bytes())
}

fn c_string(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
}
