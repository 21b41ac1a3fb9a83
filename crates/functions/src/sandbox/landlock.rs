//! Landlock: the kernel's own list of what a process may open, where namespaces are refused.

use super::sys::{self, check};
use super::view::View;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_BLOCK: u64 = 1 << 11;
const TRUNCATE: u64 = 1 << 14;
const IOCTL: u64 = 1 << 15;
/// What a rule of a file may allow.
const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL;
const READ: u64 = EXECUTE | READ_FILE | READ_DIR;

/// Of `/proc` what concerns the machine and no process.
const PROC: [&str; 8] = ["cpuinfo", "meminfo", "stat", "loadavg", "version", "filesystems", "uptime", "sys"];
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];

/// The kernel's version of Landlock; zero where there is none.
pub(super) fn version() -> u32 {
    const ASK_VERSION: u32 = 1;
    // SAFETY: no attributes, as the question for the version demands.
    #[expect(unsafe_code, reason = "std has no Landlock")]
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, ASK_VERSION)
    };
    u32::try_from(version).unwrap_or(0)
}

#[repr(C)]
struct Attributes {
    files: u64,
    network: u64,
    scoped: u64,
}

#[repr(C, packed)]
struct Beneath {
    allowed: u64,
    parent: i32,
}

/// The rules of one environment, ready to be put on.
pub(crate) struct Rules {
    rules: OwnedFd,
    root: bool,
}

impl Rules {
    pub fn plan(view: &View<'_>) -> io::Result<Rules> {
        let version = version();
        // Each version knows more rights.
        let files = match version {
            0 => return Err(io::Error::from(io::ErrorKind::Unsupported)),
            1 => (1 << 13) - 1,
            2 => (1 << 14) - 1,
            3 | 4 => (1 << 15) - 1,
            _ => (1 << 16) - 1,
        };
        // Signals and abstract sockets only among the function's own processes.
        let attributes = Attributes { files, network: 0, scoped: 0b11 };
        let size = if version >= 6 { size_of::<Attributes>() } else { size_of::<u64>() };
        // SAFETY: the structure is at least as long as said; the answer is a file that nobody else has.
        #[expect(unsafe_code, reason = "std has no Landlock")]
        let rules = unsafe {
            let file = libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attributes, size, 0_u32);
            check(file)?;
            OwnedFd::from_raw_fd(file as RawFd)
        };
        let rules = Rules { rules, root: sys::is_root() };
        let read = READ & files;
        for (path, _) in view.shared() {
            rules.allow(&path, read)?;
        }
        for path in [Some(view.code), Some(view.client), view.layers].into_iter().flatten() {
            rules.allow(path, read)?;
        }
        for name in PROC {
            rules.allow(&Path::new("/proc").join(name), read)?;
        }
        for name in DEVICES {
            rules.allow(&Path::new("/dev").join(name), (READ_FILE | WRITE_FILE | IOCTL) & files)?;
        }
        rules.allow(view.temporary, files & !(MAKE_CHAR | MAKE_BLOCK))?;
        Ok(rules)
    }

    /// Allows what is there; what is not needs no rule.
    fn allow(&self, path: &Path, allowed: u64) -> io::Result<()> {
        let open = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(path);
        let Ok(file) = open else { return Ok(()) };
        let is_dir = file.metadata().is_ok_and(|metadata| metadata.is_dir());
        add(self.rules.as_raw_fd(), if is_dir { allowed } else { allowed & OF_FILES }, file.as_raw_fd())
    }

    /// Called between fork and exec.
    pub fn enter(&self) -> io::Result<()> {
        // SAFETY: the path ends with NUL; numbers otherwise. The process's own directory, which is nobody else's.
        #[expect(unsafe_code, reason = "std has no Landlock")]
        unsafe {
            let own = libc::open(c"/proc/self".as_ptr(), libc::O_PATH | libc::O_CLOEXEC);
            if own >= 0 {
                add(self.rules.as_raw_fd(), READ_FILE | READ_DIR, own)?;
                libc::close(own);
            }
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            if self.root {
                sys::drop_capabilities()?;
            }
            check(libc::syscall(libc::SYS_landlock_restrict_self, self.rules.as_raw_fd(), 0_u32))
        }
    }
}

fn add(rules: RawFd, allowed: u64, parent: RawFd) -> io::Result<()> {
    const BENEATH: u32 = 1;
    let rule = Beneath { allowed, parent };
    // SAFETY: the structure lives until the call returns.
    #[expect(unsafe_code, reason = "std has no Landlock")]
    check(unsafe { libc::syscall(libc::SYS_landlock_add_rule, rules, BENEATH, &raw const rule, 0_u32) })
}
