//! The system calls of the sandbox. All are safe between fork and exec: none allocates, locks or unwinds.
#![expect(unsafe_code, reason = "namespaces, mounts and Landlock are system calls that std does not have")]

use std::ffi::CStr;
use std::io;
use std::ptr::null;

/// The outcome of a call that says -1 and leaves the reason in `errno`.
pub fn check<T: Into<i64>>(result: T) -> io::Result<()> {
    if result.into() < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

pub fn is_root() -> bool {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// The effective user and group.
pub fn identity() -> (u32, u32) {
    // SAFETY: take nothing, cannot fail.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// What the server does on a signal must not happen in its children: they share its wake-up pipes.
pub fn default_signals() {
    for signal in 1..32 {
        // SAFETY: sets a disposition; refused for the two signals that have none.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: as above. Who waits for a function goes after it, not before.
    unsafe {
        libc::signal(libc::SIGTERM, libc::SIG_IGN);
        libc::signal(libc::SIGINT, libc::SIG_IGN);
    }
}

/// The function itself hears what it is sent.
pub fn heed_signals() {
    // SAFETY: sets dispositions.
    unsafe {
        libc::signal(libc::SIGTERM, libc::SIG_DFL);
        libc::signal(libc::SIGINT, libc::SIG_DFL);
    }
}

pub fn pipe() -> io::Result<(i32, i32)> {
    let mut ends = [0; 2];
    // SAFETY: writes two numbers into the array.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    Ok((ends[0], ends[1]))
}

pub fn unshare(user: bool) -> io::Result<()> {
    let mut flags = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    if user {
        flags |= libc::CLONE_NEWUSER;
    }
    // SAFETY: takes a number; this process has one thread.
    check(unsafe { libc::unshare(flags) })
}

pub fn write(path: &CStr, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: the path ends with NUL and the bytes are as many as said.
    unsafe {
        let file = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        check(file)?;
        let written = libc::write(file, bytes.as_ptr().cast(), bytes.len());
        let done = check(written as i64);
        libc::close(file);
        done
    }
}

/// The child's number in the parent, none in the child.
pub fn fork() -> io::Result<Option<i32>> {
    // SAFETY: this process has one thread.
    let child = unsafe { libc::fork() };
    check(child)?;
    Ok((child > 0).then_some(child))
}

/// The same, with the child born into a control group; none of this is asked where there is no group.
pub fn fork_into(group: Option<i32>) -> io::Result<Option<i32>> {
    /// The library's own constant is cut to 32 bits, and so nothing.
    const INTO_GROUP: u64 = 0x2_0000_0000;
    let Some(directory) = group else { return fork() };
    // SAFETY: all zeros are a request for nothing.
    let mut wanted: libc::clone_args = unsafe { std::mem::zeroed() };
    wanted.flags = INTO_GROUP;
    wanted.exit_signal = libc::SIGCHLD as u64;
    wanted.cgroup = directory as u64;
    // SAFETY: the structure is as long as said; this process has one thread, and the child is a copy of it.
    let child = unsafe { libc::syscall(libc::SYS_clone3, &raw const wanted, size_of::<libc::clone_args>()) };
    match child {
        0 => Ok(None),
        1.. => Ok(Some(child as i32)),
        // Kernels before 5.7, and containers whose filters do not know the call.
        _ => match fork()? {
            Some(child) => Ok(Some(child)),
            None => enter_group(directory).map(|()| None),
        },
    }
}

/// Enters a control group with all that is started from here on. Slower than to be born into it: the kernel waits for
/// all its processors.
pub fn enter_group(directory: i32) -> io::Result<()> {
    // SAFETY: the path ends with NUL, and one byte is written.
    unsafe {
        let file = libc::openat(directory, c"cgroup.procs".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        check(file)?;
        let done = check(libc::write(file, c"0".as_ptr().cast(), 1) as i64);
        libc::close(file);
        done
    }
}

/// Whether files of a directory take memory that the kernel cannot take back.
pub fn is_in_memory(directory: &CStr) -> bool {
    // SAFETY: all zeros are a structure to be written, and the path ends with NUL.
    let mut found: libc::statfs = unsafe { std::mem::zeroed() };
    let done = unsafe { libc::statfs(directory.as_ptr(), &raw mut found) };
    // The second is ramfs.
    done == 0 && (found.f_type == libc::TMPFS_MAGIC || found.f_type == 0x8584_58f6)
}

pub fn kill(process: i32) {
    // SAFETY: takes numbers.
    unsafe { libc::kill(process, libc::SIGKILL) };
}

/// Whether a file has an attribute that says yes.
pub fn is_marked(path: &CStr, name: &CStr) -> bool {
    let mut value = [0_u8; 8];
    // SAFETY: both texts end with NUL, and as many bytes are there as are said.
    let length =
        unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    length > 0 && value[0] == b'1'
}

pub fn die_with_parent() {
    // SAFETY: takes numbers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// The same, for who knows its parent's number: it may be gone already.
pub fn die_with(parent: i32) {
    die_with_parent();
    // SAFETY: takes nothing; `_exit` runs nothing of the server's.
    unsafe {
        if libc::getppid() != parent {
            libc::_exit(1);
        }
    }
}

/// Nobody may look into this process; a program that it becomes is another matter.
pub fn hide_memory() {
    // SAFETY: takes numbers.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
}

/// Keeps one file as number 0 and nothing else: whoever reads the function's log or the outcome of exec must see
/// their ends.
fn keep_only(file: i32) {
    // SAFETY: numbers; this process uses no other file from here on.
    unsafe {
        libc::dup2(file, 0);
        if libc::syscall(libc::SYS_close_range, 1_u32, u32::MAX, 0_u32) < 0 {
            for file in 1..4_096 {
                libc::close(file);
            }
        }
    }
}

/// The process outside: ends as the function ended, once everybody inside is gone.
pub fn stay_outside(first: i32, read: i32) -> ! {
    keep_only(read);
    let mut told = [0_u8; 4];
    // SAFETY: reads at most four bytes into four; the rest are numbers; `_exit` runs nothing of the server's.
    unsafe {
        let length = loop {
            let length = libc::read(0, told.as_mut_ptr().cast(), 4);
            if length >= 0 || *libc::__errno_location() != libc::EINTR {
                break length;
            }
        };
        let mut ignored = 0;
        while libc::waitpid(first, &mut ignored, 0) < 0 && *libc::__errno_location() == libc::EINTR {}
        let status = i32::from_ne_bytes(told);
        if length == 4 && libc::WIFEXITED(status) {
            libc::_exit(libc::WEXITSTATUS(status));
        }
        let signal = if length == 4 { libc::WTERMSIG(status) } else { libc::SIGKILL };
        libc::signal(signal, libc::SIG_DFL);
        libc::kill(libc::getpid(), signal);
        libc::_exit(128 + signal)
    }
}

/// Process 1 inside: buries everybody, and tells how the function ended.
pub fn wait_inside(function: i32, write: i32) -> ! {
    keep_only(write);
    // SAFETY: numbers, and four bytes that are there.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        loop {
            let mut status = 0;
            let ended = libc::waitpid(-1, &mut status, 0);
            if ended == function {
                libc::write(0, status.to_ne_bytes().as_ptr().cast(), 4);
                libc::_exit(0);
            }
            if ended < 0 && *libc::__errno_location() != libc::EINTR {
                libc::_exit(1);
            }
        }
    }
}

pub fn become_user(user: u32) -> io::Result<()> {
    // SAFETY: numbers. System calls, for the library's functions would signal threads that are not here.
    unsafe {
        check(libc::syscall(libc::SYS_setgroups, 0, null::<u32>()))?;
        check(libc::syscall(libc::SYS_setresgid, user, user, user))?;
        check(libc::syscall(libc::SYS_setresuid, user, user, user))
    }
}

/// Root without its powers: what Landlock leaves it is what any user has.
pub fn drop_capabilities() -> io::Result<()> {
    /// Root is nobody special, and that is locked.
    const NO_ROOT: i32 = 0b11;
    // SAFETY: numbers.
    check(unsafe { libc::prctl(libc::PR_SET_SECUREBITS, NO_ROOT, 0, 0, 0) })
}

pub fn change_directory(path: &CStr) -> io::Result<()> {
    // SAFETY: the path ends with NUL.
    check(unsafe { libc::chdir(path.as_ptr()) })
}

pub fn make_directory(path: &CStr) -> io::Result<()> {
    // SAFETY: the path ends with NUL.
    existing(check(unsafe { libc::mkdir(path.as_ptr(), 0o755) }))
}

pub fn make_file(path: &CStr) -> io::Result<()> {
    // SAFETY: the path ends with NUL.
    existing(check(unsafe { libc::mknod(path.as_ptr(), libc::S_IFREG | 0o444, 0) }))
}

pub fn make_link(target: &CStr, path: &CStr) -> io::Result<()> {
    // SAFETY: both end with NUL.
    existing(check(unsafe { libc::symlink(target.as_ptr(), path.as_ptr()) }))
}

fn existing(made: io::Result<()>) -> io::Result<()> {
    match made {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EEXIST | libc::EROFS)) => Ok(()),
        made => made,
    }
}

fn mount(kind: &CStr, source: &CStr, at: &CStr, flags: u64, options: Option<&CStr>) -> io::Result<()> {
    let options = options.map_or(null(), CStr::as_ptr);
    // SAFETY: all texts end with NUL.
    check(unsafe { libc::mount(source.as_ptr(), at.as_ptr(), kind.as_ptr(), flags, options.cast()) })
}

/// What is mounted from here on stays in this namespace.
pub fn mount_private() -> io::Result<()> {
    mount(c"none", c"none", c"/", libc::MS_REC | libc::MS_PRIVATE, None)
}

pub fn mount_tmpfs(at: &CStr, options: &CStr) -> io::Result<()> {
    mount(c"tmpfs", c"tmpfs", at, libc::MS_NOSUID | libc::MS_NODEV, Some(options))
}

pub fn mount_bind(source: &CStr, at: &CStr) -> io::Result<()> {
    mount(c"none", source, at, libc::MS_BIND | libc::MS_REC, None)
}

pub fn mount_proc(at: &CStr) -> io::Result<()> {
    mount(c"proc", c"proc", at, libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC, None)
}

/// Everything mounted at and below a path can only be read.
pub fn read_only(at: &CStr) -> io::Result<()> {
    #[repr(C)]
    struct Attributes {
        set: u64,
        clear: u64,
        propagation: u64,
        user_namespace: u64,
    }
    const READ_ONLY: u64 = 1;
    const NO_SET_USER_ID: u64 = 2;
    const RECURSIVE: u32 = 0x8000;
    let attributes =
        Attributes { set: READ_ONLY | NO_SET_USER_ID, clear: 0, propagation: 0, user_namespace: 0 };
    // SAFETY: the path ends with NUL, and the structure is as long as said.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            at.as_ptr(),
            RECURSIVE,
            &raw const attributes,
            size_of::<Attributes>(),
        )
    })
}

/// Makes the working directory the root, and lets go of the old one.
pub fn pivot_here() -> i64 {
    // SAFETY: the texts end with NUL.
    unsafe {
        let pivoted = libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr());
        if pivoted < 0 {
            return pivoted;
        }
        i64::from(libc::umount2(c".".as_ptr(), libc::MNT_DETACH))
    }
}
