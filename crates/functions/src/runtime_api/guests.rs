//! Who may speak to an environment's Runtime API: its own processes. Every process of the machine reaches the port, another
//! function's too, which would take invocations away and answer for it.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A process speaks a moment before it is known here, if it is quick.
const KNOWN_WITHIN: Duration = Duration::from_secs(1);
/// How many processes of an environment are looked at.
const PROCESSES_MAX: usize = 1_024;

/// One of an environment's first processes; all below it belong to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest {
    pub pid: i32,
    /// The user that it alone is.
    pub user: Option<u32>,
    /// How many of our own processes stand before it.
    pub keepers: u32,
}

#[derive(Debug, Default)]
pub(super) struct Guests {
    known: Mutex<Vec<Guest>>,
    changed: Notify,
}

impl Guests {
    pub fn admit(&self, guest: Guest) {
        self.known().push(guest);
        self.changed.notify_waiters();
    }

    /// Whether it is one of them who called. Where this system does not say who that is, everybody may.
    pub async fn has(&self, caller: SocketAddr, listener: SocketAddr) -> bool {
        let known = async {
            loop {
                let changed = self.changed.notified();
                let guests = self.known().clone();
                let asked = move || is_one_of(&guests, caller, listener);
                // Files of the kernel's, which may be long.
                if tokio::task::spawn_blocking(asked).await.unwrap_or_default() {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(KNOWN_WITHIN, known).await.is_ok()
    }

    fn known(&self) -> MutexGuard<'_, Vec<Guest>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_one_of(guests: &[Guest], caller: SocketAddr, listener: SocketAddr) -> bool {
    let tables: Vec<String> = ["tcp", "tcp6"]
        .iter()
        .filter_map(|name| fs::read_to_string(format!("/proc/net/{name}")).ok())
        .collect();
    if tables.is_empty() {
        return true;
    }
    let mut sockets = tables.iter().flat_map(|table| table.lines());
    let Some(socket) = sockets.find_map(|line| Socket::of(line, caller.port(), listener.port())) else {
        return false;
    };
    guests.iter().any(|guest| match guest.user {
        Some(user) => user == socket.user,
        None => holds(guest, &format!("socket:[{}]", socket.inode)),
    })
}

/// The caller's end of a connection.
#[derive(Debug, PartialEq)]
struct Socket {
    user: u32,
    inode: u64,
}

impl Socket {
    /// A line of the kernel's table: number, own address, the other's, state, queues, timer, retransmissions, user,
    /// time-out, inode. Addresses are 127.0.0.1 in hexadecimal, perhaps as one of IPv6.
    fn of(line: &str, own: u16, others: u16) -> Option<Socket> {
        let mut words = line.split_ascii_whitespace().skip(1);
        let at = |word: &str, port: u16| word.ends_with(&format!("0100007F:{port:04X}"));
        if !at(words.next()?, own) || !at(words.next()?, others) {
            return None;
        }
        let user = words.nth(4)?.parse().ok()?;
        Some(Socket { user, inode: words.nth(1)?.parse().ok()? })
    }
}

/// Whether one of its processes has it open. Those that may not be looked into are believed.
fn holds(guest: &Guest, socket: &str) -> bool {
    let mut processes = vec![(guest.pid, 0)];
    let mut next = 0;
    while let Some((pid, depth)) = processes.get(next).copied() {
        if depth >= guest.keepers && has_open(pid, socket).unwrap_or_else(is_secret) {
            return true;
        }
        let room = PROCESSES_MAX - processes.len();
        processes.extend(children(pid).into_iter().map(|child| (child, depth + 1)).take(room));
        next += 1;
    }
    false
}

fn is_secret(error: io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

fn has_open(pid: i32, socket: &str) -> io::Result<bool> {
    for file in fs::read_dir(format!("/proc/{pid}/fd"))? {
        if fs::read_link(file?.path()).is_ok_and(|target| target.as_os_str() == socket) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Those that any of its threads has started.
fn children(pid: i32) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok);
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_found_by_both_its_ports() {
        let line = "   5: 0100007F:A1B2 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1800012001        0 424242 1 0 20 4 30 10 -1";
        let socket = Some(Socket { user: 1_800_012_001, inode: 424_242 });
        assert_eq!(Socket::of(line, 0xa1b2, 8080), socket);
        let mapped = line.replace("0100007F", "0000000000000000FFFF00000100007F");
        assert_eq!(Socket::of(&mapped, 0xa1b2, 8080), socket);
        for (own, others) in [(8080, 0xa1b2), (0xa1b2, 8081), (0xa1b3, 8080)] {
            assert_eq!(Socket::of(line, own, others), None);
        }
        assert_eq!(Socket::of("  sl  local_address rem_address   st", 1, 2), None);
    }

    #[test]
    fn a_connection_is_whose_process_has_it_open() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = listener.local_addr().expect("an address");
        let caller = std::net::TcpStream::connect(at).expect("a connection");
        let caller = caller.local_addr().map(|local| (local, caller)).expect("an address");
        let own = Guest { pid: std::process::id() as i32, user: None, keepers: 0 };
        assert!(is_one_of(&[own], caller.0, at));
        assert!(!is_one_of(&[Guest { user: Some(u32::MAX - 1), ..own }], caller.0, at));
        assert!(!is_one_of(&[], caller.0, at));
    }
}
