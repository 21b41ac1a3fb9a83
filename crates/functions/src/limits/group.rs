//! The control group of one environment.

use super::groups::{self, Groups, control};
use super::{PROCESSES_MAX, Peak, Shares};
use crate::sandbox::sys;
use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Its processes and its directory go when this does.
#[derive(Debug)]
pub(crate) struct Group {
    groups: Arc<Groups>,
    path: PathBuf,
    directory: File,
    memory_bytes_max: u64,
    /// Whether the kernel holds the very limit: none of it is for files in memory.
    is_exact: bool,
    peak: Peak,
}

impl Group {
    pub(super) fn make(groups: &Arc<Groups>, shares: &Shares) -> io::Result<Group> {
        let path = groups.add()?;
        match limit(&path, shares).and_then(|()| File::open(&path)) {
            Ok(directory) => Ok(Group {
                groups: groups.clone(),
                path,
                directory,
                memory_bytes_max: shares.memory_bytes,
                is_exact: shares.files_bytes == 0,
                peak: Peak::default(),
            }),
            Err(error) => {
                groups.remove(path);
                Err(error)
            }
        }
    }

    /// Its directory, by which a process enters it.
    pub fn directory(&self) -> i32 {
        self.directory.as_raw_fd()
    }

    /// Whether nobody needs to look at what its processes hold.
    pub fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// What its processes hold now that is no file.
    pub fn memory_bytes(&self) -> u64 {
        let bytes = held(&self.path);
        self.peak.saw(bytes);
        bytes
    }

    /// The most it has held at once, without what files took of it, as far as can be told.
    pub fn memory_bytes_max(&self, now: Duration) -> u64 {
        // Files that were there at the peak and are gone by now would be counted: the limit is above all.
        self.peak.at(now, || most_held(&self.path)).min(self.memory_bytes_max)
    }

    /// Whether the kernel killed it for its memory.
    pub fn is_over_memory(&self) -> bool {
        let events = fs::read_to_string(self.path.join("memory.events")).unwrap_or_default();
        field(&events, "oom_kill") > 0
    }

    pub fn kill(&self) {
        groups::kill(&self.path);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        self.groups.remove(std::mem::take(&mut self.path));
    }
}

/// Whether what is written to a directory is charged to who writes it.
pub(crate) fn is_in_memory(directory: &Path) -> bool {
    CString::new(directory.as_os_str().as_bytes()).is_ok_and(|path| sys::is_in_memory(&path))
}

fn limit(group: &Path, shares: &Shares) -> io::Result<()> {
    control(group, "memory.max", &(shares.memory_bytes + shares.files_bytes).to_string())?;
    control(group, "memory.oom.group", "1")?;
    control(group, "pids.max", &PROCESSES_MAX.to_string())?;
    match control(group, "memory.swap.max", "0") {
        // A kernel without swap.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn held(group: &Path) -> u64 {
    field(&fs::read_to_string(group.join("memory.stat")).unwrap_or_default(), "anon")
}

fn most_held(group: &Path) -> u64 {
    let stat = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    // Kernels before 5.19 do not know the peak.
    let most = ["memory.peak", "memory.current"].iter().find_map(|name| {
        let text = fs::read_to_string(group.join(name)).ok()?;
        text.trim().parse::<u64>().ok()
    });
    // Both are the kernel's to take back, and so no use of the function's.
    let files = field(&stat, "file") + field(&stat, "slab_reclaimable");
    most.unwrap_or(0).saturating_sub(files).max(field(&stat, "anon"))
}

/// A number of a file of names and numbers.
fn field(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(found, _)| *found == name).and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{field, held, most_held};
    use std::fs;

    #[test]
    fn numbers_are_found_by_their_whole_names() {
        let text = "oom 3\noom_kill 1\noom_group_kill 2\n";
        assert_eq!(["oom_kill", "oom", "kill", "missing"].map(|name| field(text, name)), [1, 3, 0, 0]);
    }

    #[test]
    fn files_do_not_count_as_held() {
        let group = std::env::temp_dir().join(format!("millstream-group-{}", std::process::id()));
        fs::create_dir_all(&group).expect("made");
        let write = |name: &str, text: &str| fs::write(group.join(name), text).expect("written");
        write("memory.stat", "anon 40\nfile 500\nshmem 480\nslab_reclaimable 5\n");
        write("memory.current", "600\n");
        assert_eq!((held(&group), most_held(&group)), (40, 95));
        write("memory.peak", "700\n");
        assert_eq!(most_held(&group), 195);
        // What is held now was held.
        write("memory.peak", "510\n");
        assert_eq!(most_held(&group), 40);
        fs::remove_dir_all(&group).expect("removed");
    }
}
