//! System calls that no function needs: they look into other processes, change the machine, or make namespaces in
//! which it could.

use super::sys::check;
use std::io;

/// Refused as not permitted.
const REFUSED: [i64; 40] = [
    // Other processes' memory and files.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_open_by_handle_at,
    // The kernel's inside.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_syslog,
    // Mounts and namespaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    // The machine.
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_quotactl,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
];

/// What `clone` may not be asked for: namespaces of any kind.
const CLONE_REFUSED: u32 = 0x7E02_0000;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;
/// Calls above it are those of x32, which would pass beside the list.
const CALL_MAX: u32 = 0x4000_0000;

const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const AT_LEAST: u16 = 0x35;
const ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7FFF_0000;
const NOT_PERMITTED: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const NO_SUCH_CALL: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// Where the kernel puts the number, the architecture and the first argument's lower half.
const NUMBER: u32 = 0;
const CALLER: u32 = 4;
const ARGUMENT: u32 = 16;

const HEAD: usize = 10;
const LENGTH: usize = HEAD + REFUSED.len() + 3;

const fn step(code: u16, yes: usize, no: usize, value: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt: yes as u8, jf: no as u8, k: value }
}

const PROGRAM: [libc::sock_filter; LENGTH] = {
    // The three outcomes stand at the end; a jump counts the steps between.
    let (allow, refuse, unknown) = (LENGTH - 3, LENGTH - 2, LENGTH - 1);
    let mut all = [step(RETURN, 0, 0, ALLOW); LENGTH];
    all[0] = step(LOAD, 0, 0, CALLER);
    all[1] = step(EQUAL, 0, unknown - 2, ARCHITECTURE);
    all[2] = step(LOAD, 0, 0, NUMBER);
    all[3] = step(AT_LEAST, unknown - 4, 0, CALL_MAX);
    // Its flags lie in memory that a filter cannot read; libraries fall back to `clone`.
    all[4] = step(EQUAL, unknown - 5, 0, libc::SYS_clone3 as u32);
    all[5] = step(EQUAL, 0, 3, libc::SYS_clone as u32);
    all[6] = step(LOAD, 0, 0, ARGUMENT);
    all[7] = step(ANY_BIT, refuse - 8, allow - 8, CLONE_REFUSED);
    all[8] = step(RETURN, 0, 0, ALLOW);
    all[9] = step(LOAD, 0, 0, NUMBER);
    let mut at = 0;
    while at < REFUSED.len() {
        all[HEAD + at] = step(EQUAL, refuse - HEAD - at - 1, 0, REFUSED[at] as u32);
        at += 1;
    }
    all[refuse] = step(RETURN, 0, 0, NOT_PERMITTED);
    all[unknown] = step(RETURN, 0, 0, NO_SUCH_CALL);
    all
};

/// Called between fork and exec, once new privileges are ruled out. A kernel without filters is no reason to fail:
/// what the rest of the sandbox promises does not rest on them.
pub(super) fn enter() -> io::Result<()> {
    static FILTER: [libc::sock_filter; LENGTH] = PROGRAM;
    let filter = libc::sock_fprog { len: LENGTH as u16, filter: FILTER.as_ptr().cast_mut() };
    // SAFETY: the structure lives until the call returns; the kernel copies the program and does not write to it.
    #[expect(unsafe_code, reason = "std has no seccomp")]
    let entered = unsafe {
        check(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter, 0, 0))
    };
    match entered {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        entered => entered,
    }
}
