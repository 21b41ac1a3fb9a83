//! Where programs are, whom they run as, and directories that are theirs.

use crate::error::{Error, io};
use std::ffi::CString;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

/// Says that the data is whole.
pub(crate) const MADE: &str = "made";

/// A user's name, home, shell, and what else is told.
const ENTRY_BYTES_MAX: usize = 16 << 10;

/// Whom a server runs as: databases refuse to be root.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Owner {
    pub uid: u32,
    pub gid: u32,
}

impl Owner {
    /// Ourselves; as root, the first of these users that there is.
    #[expect(unsafe_code, reason = "std does not tell who runs it")]
    pub fn choose(users: &[&str]) -> Result<Option<Owner>, Error> {
        // SAFETY: it only asks.
        if unsafe { libc::geteuid() } != 0 {
            return Ok(None);
        }
        for user in users {
            if let Some(owner) = Owner::named(user)? {
                return Ok(Some(owner));
            }
        }
        Err(Error(format!("a database does not run as root, and there is no user {}", users.join(" or "))))
    }
}

impl Owner {
    /// Servers of two kinds may start at once: each asks with memory of its own.
    #[expect(unsafe_code, reason = "std does not tell who else there is")]
    fn named(user: &str) -> Result<Option<Owner>, Error> {
        let name = CString::new(user).map_err(|error| Error(error.to_string()))?;
        let mut texts = vec![0; ENTRY_BYTES_MAX];
        let mut found = std::ptr::null_mut();
        // SAFETY: a zeroed entry is a valid one; the name ends with a NUL, and the texts' length is theirs.
        let entry = unsafe {
            let mut entry: libc::passwd = std::mem::zeroed();
            libc::getpwnam_r(name.as_ptr(), &raw mut entry, texts.as_mut_ptr(), texts.len(), &raw mut found);
            entry
        };
        Ok((!found.is_null()).then_some(Owner { uid: entry.pw_uid, gid: entry.pw_gid }))
    }
}

/// The first of these programs, on PATH or in one of the further directories.
pub(crate) fn program(names: &[&str], further: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).chain(further.iter().cloned()).collect();
    first_of(names, &dirs)
}

pub(crate) fn first_of(names: &[&str], dirs: &[PathBuf]) -> Option<PathBuf> {
    names.iter().find_map(|name| dirs.iter().map(|dir| dir.join(name)).find(|path| path.is_file()))
}

/// Makes a directory that is the owner's alone, and sees that the owner can get there.
fn directory(dir: &Path, owner: Option<Owner>) -> Result<PathBuf, Error> {
    if !dir.exists() {
        // Those above it stay open to be passed through.
        let above = dir.parent().map_or(Ok(()), fs::create_dir_all);
        let made = above.and_then(|()| fs::DirBuilder::new().mode(0o700).create(dir));
        made.map_err(io(format_args!("{}", dir.display())))?;
    }
    let dir = dir.canonicalize().map_err(io(format_args!("{}", dir.display())))?;
    let Some(owner) = owner else { return Ok(dir) };
    chown(&dir, Some(owner.uid), Some(owner.gid)).map_err(io(format_args!("{}", dir.display())))?;
    for above in dir.ancestors().skip(1) {
        let found = fs::metadata(above).map_err(io(format_args!("{}", above.display())))?;
        let (mode, is_owner, is_group) = (found.mode(), found.uid() == owner.uid, found.gid() == owner.gid);
        let passes = if is_owner {
            mode & 0o100
        } else if is_group {
            mode & 0o010
        } else {
            mode & 0o001
        };
        if passes == 0 {
            return Err(Error(format!(
                "a database does not run as root, and the user that it runs as (number {}) cannot enter {}: \
                 chmod o+x it, choose another data directory, or do not run as root",
                owner.uid,
                above.display()
            )));
        }
    }
    Ok(dir)
}

/// A database's own directory: its data, and beside it what says that the data is whole.
pub(crate) struct Home {
    pub data: PathBuf,
    pub made: PathBuf,
    /// Where secrets wait for their reader.
    pub secret: PathBuf,
}

impl Home {
    /// Data of a making that was cut short is removed.
    pub fn enter(dir: &Path, owner: Option<Owner>) -> Result<Home, Error> {
        let dir = directory(dir, owner)?;
        let home = Home { data: dir.join("data"), made: dir.join(MADE), secret: dir.join("first") };
        if !home.is_made() && home.data.exists() {
            fs::remove_dir_all(&home.data).map_err(io(format_args!("{}", home.data.display())))?;
        }
        directory(&home.data, owner)?;
        Ok(home)
    }

    pub fn is_made(&self) -> bool {
        self.made.exists()
    }
}

/// A file that only the owner reads, gone when this is.
pub(crate) struct Secret(PathBuf);

impl Secret {
    pub fn write(path: PathBuf, text: &str, owner: Option<Owner>) -> Result<Secret, Error> {
        let _ = fs::remove_file(&path);
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut file = file.map_err(io(format_args!("{}", path.display())))?;
        let secret = Secret(path);
        file.write_all(text.as_bytes()).map_err(io(format_args!("{}", secret.0.display())))?;
        if let Some(owner) = owner {
            chown(&secret.0, Some(owner.uid), Some(owner.gid))
                .map_err(io(format_args!("{}", secret.0.display())))?;
        }
        Ok(secret)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A path as an argument `--name=PATH`.
pub(crate) fn flag(name: &str, path: &Path) -> std::ffi::OsString {
    let mut flag = std::ffi::OsString::from(name);
    flag.push(std::ffi::OsStr::from_bytes(path.as_os_str().as_bytes()));
    flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked_for_at_once_is_told_apart() {
        let told = |user: &str| Owner::named(user).unwrap();
        let (root, nobody) = (told("root"), told("nobody"));
        std::thread::scope(|scope| {
            for (user, known) in [("root", root), ("nobody", nobody)] {
                scope.spawn(move || {
                    for _ in 0..50_000 {
                        assert_eq!(told(user), known, "{user}");
                    }
                });
            }
        });
        assert_eq!(told("no such user"), None);
    }
}
