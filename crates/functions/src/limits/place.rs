//! Where groups may be made: in the server's own control group, if that is its to divide.
//!
//! A group whose children are to be limited may hold no processes itself, except the root of all. So the server is to be
//! alone in its group, or to stand in the leaf already that it would move to.

use crate::sandbox::sys;
use std::ffi::CString;
use std::fs::{self, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where the server stands, below what it divides.
pub(super) const LEAF: &str = "server";

/// What of the machine is looked at.
pub(super) struct System {
    /// The server's directory of `/proc`.
    process: PathBuf,
    id: u32,
    /// There if systemd rules the hierarchy.
    systemd: PathBuf,
    /// Whether systemd has left a group to who runs in it.
    delegated: fn(&Path) -> bool,
}

impl Default for System {
    fn default() -> System {
        System {
            process: "/proc/self".into(),
            id: std::process::id(),
            systemd: "/run/systemd/system".into(),
            delegated: is_delegated,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// In the root of all groups, where processes may stay.
    Root,
    /// In what it is to divide, alone.
    Inside,
    /// In the leaf.
    Leaf,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub base: PathBuf,
    pub stand: Stand,
}

impl Place {
    /// The place, or why there is none. Changes nothing.
    pub fn find(system: &System) -> Result<Place, String> {
        let own = own_group(system)?;
        let in_leaf = own.file_name().is_some_and(|name| name == LEAF);
        let base = match own.parent() {
            Some(parent) if in_leaf => parent.to_owned(),
            _ => own,
        };
        let shown = base.display();
        let controllers = read(&base.join("cgroup.controllers"))?;
        if !["memory", "pids"].iter().all(|name| controllers.split_whitespace().any(|one| one == *name)) {
            return Err(format!("cgroup v2 does not control memory and processes in {shown}"));
        }
        if system.systemd.exists() && !is_left_by_systemd(&base, system.delegated) {
            return Err(format!(
                "systemd has not delegated {shown}: give the service Delegate=yes, or start the server by \
                 `systemd-run --user --scope -p Delegate=yes`"
            ));
        }
        for name in ["cgroup.procs", "cgroup.subtree_control"] {
            // Opened and not written to: that says whether it could be.
            if let Err(error) = OpenOptions::new().write(true).open(base.join(name)) {
                return Err(format!("{shown} is not the server's to divide ({error})"));
            }
        }
        // Only the root has no type.
        let stand = match fs::read_to_string(base.join("cgroup.type")) {
            Err(_) => return Ok(Place { base, stand: Stand::Root }),
            Ok(kind) if kind.trim() != "domain" => {
                return Err(format!("{shown} is a group of threads ({})", kind.trim()));
            }
            Ok(_) if in_leaf => Stand::Leaf,
            Ok(_) => Stand::Inside,
        };
        let processes = read(&base.join("cgroup.procs"))?;
        let id = system.id.to_string();
        if processes.lines().any(|process| stand == Stand::Leaf || process != id) {
            return Err(format!(
                "other processes run in {shown}: give the server a control group of its own"
            ));
        }
        Ok(Place { base, stand })
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The directory of the group that the server is in.
fn own_group(system: &System) -> Result<PathBuf, String> {
    let groups = read(&system.process.join("cgroup"))?;
    let mounts = read(&system.process.join("mountinfo"))?;
    let mut mounted = mounts.lines().filter_map(mount).peekable();
    if mounted.peek().is_none() {
        return Err("cgroup v2 is not mounted".to_owned());
    }
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"));
    let own = Path::new(own.ok_or("the server is in no group of cgroup v2")?);
    let mut seen = mounted.filter_map(|(root, at)| {
        let below = own.strip_prefix(root).ok()?;
        Some(Path::new(at).components().chain(below.components()).collect())
    });
    seen.next().ok_or_else(|| format!("the server's control group {} cannot be seen", own.display()))
}

/// What is mounted by a line of `mountinfo`, and where, if it is of cgroup v2.
fn mount(line: &str) -> Option<(&str, &str)> {
    let (mount, kind) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    (kind.split(' ').next() == Some("cgroup2")).then(|| Some((fields.next()?, fields.next()?)))?
}

/// Whether a group, or one above it within the same unit, is marked.
fn is_left_by_systemd(base: &Path, delegated: fn(&Path) -> bool) -> bool {
    for group in base.ancestors() {
        if delegated(group) {
            return true;
        }
        let kind = group.extension().and_then(|kind| kind.to_str());
        if matches!(kind, Some("service" | "scope" | "slice")) {
            return false;
        }
    }
    false
}

/// systemd marks what it delegates.
fn is_delegated(group: &Path) -> bool {
    let Ok(group) = CString::new(group.as_os_str().as_bytes()) else { return false };
    [c"user.delegate", c"trusted.delegate"].iter().any(|name| sys::is_marked(&group, name))
}

#[cfg(test)]
mod tests {
    use super::{LEAF, Place, Stand, System};
    use std::fs;
    use std::path::{Path, PathBuf};

    /// A machine of files.
    struct Machine(PathBuf);

    impl Machine {
        fn new(name: &str, own: &str, files: &[(&str, &str)]) -> Machine {
            let dir = std::env::temp_dir().join(format!("millstream-place-{name}-{}", std::process::id()));
            let machine = Machine(dir);
            let mounts = format!(
                "22 1 0:20 / /proc rw - proc proc rw\n30 23 0:26 / {} rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
                machine.at("tree").display()
            );
            machine.write("proc/mountinfo", &mounts);
            machine.write("proc/cgroup", &format!("1:name=systemd:/x\n0::{own}\n"));
            for (path, text) in files {
                machine.write(path, text);
            }
            machine
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.join(path)
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.at(path);
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            fs::write(path, text).expect("written");
        }

        fn system(&self) -> System {
            System {
                process: self.at("proc"),
                id: 7,
                systemd: self.at("systemd"),
                delegated: |group: &Path| group.join("delegated").exists(),
            }
        }

        /// Where the place is, or why there is none, without the machine's own path.
        fn find(&self) -> Result<(String, Stand), String> {
            let tree = self.at("tree").display().to_string();
            let place = Place::find(&self.system()).map_err(|why| why.replace(&tree, ""))?;
            Ok((place.base.display().to_string().replace(&tree, ""), place.stand))
        }
    }

    impl Drop for Machine {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// The files of one group.
    fn group(path: &str, processes: &str) -> Vec<(String, String)> {
        let file = |name: &str, text: &str| (format!("tree{path}/{name}"), text.to_owned());
        vec![
            file("cgroup.controllers", "cpu memory pids\n"),
            file("cgroup.procs", processes),
            file("cgroup.subtree_control", ""),
            file("cgroup.type", "domain\n"),
        ]
    }

    fn with(own: &str, name: &str, files: &[(String, String)]) -> Machine {
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        Machine::new(name, own, &files)
    }

    #[test]
    fn a_group_of_its_own_is_divided() {
        let machine = with("/box", "own", &group("/box", "7\n"));
        assert_eq!(machine.find(), Ok(("/box".into(), Stand::Inside)));
    }

    #[test]
    fn the_root_may_keep_its_processes() {
        let machine = with("/", "root", &group("", "1\n7\n"));
        fs::remove_file(machine.at("tree/cgroup.type")).expect("removed");
        assert_eq!(machine.find(), Ok((String::new(), Stand::Root)));
    }

    #[test]
    fn who_stands_in_the_leaf_divides_what_is_above() {
        let mut files = group("/box", "");
        files.extend(group(&format!("/box/{LEAF}"), "7\n8\n"));
        let machine = with("/box/server", "leaf", &files);
        assert_eq!(machine.find(), Ok(("/box".into(), Stand::Leaf)));
        machine.write("tree/box/cgroup.procs", "7\n");
        assert!(machine.find().expect_err("not empty").starts_with("other processes run in /box"));
    }

    #[test]
    fn what_is_mounted_may_be_a_part() {
        let machine = with("/docker/abc/box", "part", &group("/box", "7\n"));
        let mounts =
            format!("30 23 0:26 /docker/abc {} rw - cgroup2 none rw\n", machine.at("tree").display());
        machine.write("proc/mountinfo", &mounts);
        assert_eq!(machine.find(), Ok(("/box".into(), Stand::Inside)));
        machine.write("proc/cgroup", "0::/elsewhere\n");
        assert_eq!(
            machine.find().expect_err("not seen"),
            "the server's control group /elsewhere cannot be seen"
        );
    }

    #[test]
    fn what_is_in_the_way_is_told() {
        let machine = with("/box", "way", &group("/box", "7\n12\n"));
        let why = || machine.find().expect_err("refused");
        assert!(why().starts_with("other processes run in /box"), "{}", why());
        // Of another namespace: a process without a number.
        machine.write("tree/box/cgroup.procs", "0\n7\n");
        assert!(why().starts_with("other processes run in /box"), "{}", why());
        machine.write("tree/box/cgroup.type", "threaded\n");
        assert_eq!(why(), "/box is a group of threads (threaded)");
        fs::remove_file(machine.at("tree/box/cgroup.subtree_control")).expect("removed");
        assert!(why().starts_with("/box is not the server's to divide (No such file"), "{}", why());
        machine.write("tree/box/cgroup.controllers", "cpu pids\n");
        assert_eq!(why(), "cgroup v2 does not control memory and processes in /box");
        machine.write("proc/cgroup", "4:memory:/box\n");
        assert_eq!(why(), "the server is in no group of cgroup v2");
        machine.write("proc/mountinfo", "30 23 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
        assert_eq!(why(), "cgroup v2 is not mounted");
    }

    #[test]
    fn systemd_is_asked_for_its_leave() {
        let unit = "/system.slice/m.service";
        let machine = with(&format!("{unit}/box"), "systemd", &group(&format!("{unit}/box"), "7\n"));
        machine.write("systemd/notify", "");
        assert!(machine.find().expect_err("refused").starts_with("systemd has not delegated /system.slice/"));
        // What a slice is marked with says nothing of the units in it.
        machine.write("tree/system.slice/delegated", "");
        assert!(machine.find().is_err());
        machine.write(&format!("tree{unit}/delegated"), "");
        assert_eq!(machine.find(), Ok((format!("{unit}/box"), Stand::Inside)));
    }
}
