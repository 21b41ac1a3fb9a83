//! The server's part of the hierarchy: taken at its start, given back at its end, with what a killed one left behind.

use super::place::{LEAF, Place, Stand};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A server's group is called this and its process's number. It is locked while the server lives.
const NAME: &str = "millstream-";
const CONTROL: &str = "+memory +pids";
const NO_CONTROL: &str = "-memory -pids";
/// Killed processes need a moment to be gone.
const REMOVALS_MAX: u32 = 50;
const REMOVAL_PAUSE: Duration = Duration::from_millis(10);

/// Groups of environments lie in one of the server's.
#[derive(Debug)]
pub(super) struct Groups {
    place: Place,
    path: PathBuf,
    /// Held for its lock, by which another server knows that this one lives.
    _lock: File,
    next: AtomicU64,
    /// Groups that still had processes when they were to be removed.
    dying: Mutex<Vec<PathBuf>>,
}

impl Groups {
    /// Divides a place: moves the server to its leaf, if it stands in the way.
    pub fn take(place: Place) -> Result<Groups, String> {
        let begun = begin(&place).and_then(|()| {
            remove_leftovers(&place.base);
            make(&place.base)
        });
        match begun {
            Ok((path, lock)) => {
                Ok(Groups { place, path, _lock: lock, next: AtomicU64::default(), dying: Mutex::default() })
            }
            Err(error) => {
                give_back(&place);
                Err(format!("{} could not be divided ({error})", place.base.display()))
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A directory for one more environment.
    pub fn add(&self) -> io::Result<PathBuf> {
        self.sweep();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(format!("environment-{number}"));
        fs::create_dir(&path)?;
        Ok(path)
    }

    /// Removes a group whose processes are killed, now or when they are gone.
    pub fn remove(&self, path: PathBuf) {
        if !is_removed(&path) {
            self.dying.lock().unwrap_or_else(PoisonError::into_inner).push(path);
        }
    }

    pub fn sweep(&self) {
        self.dying.lock().unwrap_or_else(PoisonError::into_inner).retain(|path| !is_removed(path));
    }

    /// Gives the place back; false as long as environments are there.
    pub fn close(&self) -> bool {
        self.sweep();
        let closed = is_removed(&self.path);
        if closed {
            give_back(&self.place);
        }
        closed
    }
}

/// Writes to a control file.
pub(super) fn control(group: &Path, file: &str, value: &str) -> io::Result<()> {
    let path = group.join(file);
    let told = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new().write(true).open(&path).map_err(told)?;
    file.write_all(value.as_bytes()).map_err(told)
}

fn begin(place: &Place) -> io::Result<()> {
    if place.stand == Stand::Inside {
        let leaf = place.base.join(LEAF);
        match fs::create_dir(&leaf) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => control(&leaf, "cgroup.procs", "0")?,
        }
    }
    control(&place.base, "cgroup.subtree_control", CONTROL)
}

/// The server's own group.
fn make(base: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = base.join(format!("{NAME}{}-{number}", std::process::id()));
    fs::create_dir(&path)?;
    let lock = File::open(&path)?;
    lock.try_lock()?;
    if let Err(error) = control(&path, "cgroup.subtree_control", CONTROL) {
        let _ = fs::remove_dir(&path);
        return Err(error);
    }
    Ok((path, lock))
}

/// As it was before. What others may have done in the root of all groups is left to them.
fn give_back(place: &Place) {
    if place.stand == Stand::Inside && control(&place.base, "cgroup.subtree_control", NO_CONTROL).is_ok() {
        let _ = control(&place.base, "cgroup.procs", "0");
        let _ = fs::remove_dir(place.base.join(LEAF));
    }
}

/// Ends what servers left behind that were killed.
fn remove_leftovers(base: &Path) {
    for path in children(base) {
        let is_ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(NAME));
        if is_ours && File::open(&path).is_ok_and(|group| group.try_lock().is_ok()) {
            for environment in children(&path) {
                kill(&environment);
                remove_soon(&environment);
            }
            remove_soon(&path);
        }
    }
}

/// Kills all of a group's processes.
pub(super) fn kill(group: &Path) {
    if control(group, "cgroup.kill", "1").is_err() {
        // Kernels before 5.14.
        let processes = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        processes.lines().filter_map(|id| id.parse().ok()).for_each(crate::sandbox::sys::kill);
    }
}

fn remove_soon(group: &Path) {
    for _ in 0..REMOVALS_MAX {
        if is_removed(group) {
            return;
        }
        std::thread::sleep(REMOVAL_PAUSE);
    }
}

fn is_removed(group: &Path) -> bool {
    match fs::remove_dir(group) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn children(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

#[cfg(test)]
mod tests {
    use super::{children, remove_leftovers};
    use std::fs::{self, File};

    #[test]
    fn what_a_dead_server_left_goes_and_what_lives_stays() {
        let base = std::env::temp_dir().join(format!("millstream-groups-{}", std::process::id()));
        for path in ["millstream-1-0/environment-4", "millstream-2-0/environment-0", "server", "other"] {
            fs::create_dir_all(base.join(path)).expect("made");
        }
        let alive = File::open(base.join("millstream-2-0")).expect("opened");
        alive.try_lock().expect("locked");
        remove_leftovers(&base);
        let mut left: Vec<_> = children(&base)
            .iter()
            .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
            .collect();
        left.sort();
        assert_eq!(left, ["millstream-2-0", "other", "server"]);
        assert!(base.join("millstream-2-0/environment-0").is_dir());
        fs::remove_dir_all(&base).expect("removed");
    }
}
