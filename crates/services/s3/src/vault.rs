//! The files that hold objects' bytes. A file is written under `incoming`, made durable, and then renamed to its place,
//! which nothing changes any more. What a crash leaves without a record goes when the server starts again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Vault(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    /// A vault in memory's stead goes with its owner, and need not survive a power cut.
    temporary: bool,
    leases: Mutex<Leases>,
}

/// Files that are being read, and which of them are to go once they are not.
#[derive(Default)]
struct Leases {
    readers: BTreeMap<String, usize>,
    doomed: BTreeMap<String, Vec<String>>,
    /// Copies of all that are being made: while there is one, what is doomed stays.
    holds: usize,
}

/// While it lives, every file stays.
pub struct Hold(Vault);

/// While it lives, the files of one object stay.
pub(super) struct Lease {
    vault: Vault,
    name: String,
}

/// A file in the making; gone unless it is kept.
pub(super) struct Incoming {
    vault: Vault,
    name: String,
    file: Option<File>,
}

impl Vault {
    /// The directories are made with the first file.
    pub fn new(dir: PathBuf, temporary: bool) -> Vault {
        Vault(Arc::new(Inner { dir, temporary, leases: Mutex::default() }))
    }

    fn incoming(&self) -> PathBuf {
        self.0.dir.join("incoming")
    }

    /// Where a file lies: spread over 256 directories by its name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.dir.join(name.get(..2).unwrap_or("00")).join(name)
    }

    /// A new file. `name`: of hexadecimal digits, and of no other file.
    pub fn create(&self, name: &str) -> io::Result<Incoming> {
        let dir = self.incoming();
        let file = match File::create_new(dir.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&dir)?;
                File::create_new(dir.join(name))?
            }
            other => other?,
        };
        Ok(Incoming { vault: self.clone(), name: name.to_owned(), file: Some(file) })
    }

    /// Holds the files of one object. `name`: its first, under which `remove` will know it.
    pub fn lease(&self, name: &str) -> Lease {
        let mut leases = self.0.leases.lock().unwrap_or_else(PoisonError::into_inner);
        *leases.readers.entry(name.to_owned()).or_default() += 1;
        Lease { vault: self.clone(), name: name.to_owned() }
    }

    pub fn hold(&self) -> Hold {
        self.0.leases.lock().unwrap_or_else(PoisonError::into_inner).holds += 1;
        Hold(self.clone())
    }

    /// Removes an object's files, now or when nobody reads them any more.
    pub fn remove(&self, name: &str, files: Vec<String>) {
        let mut leases = self.0.leases.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.holds > 0 || leases.readers.contains_key(name) {
            leases.doomed.insert(name.to_owned(), files);
            return;
        }
        drop(leases);
        self.unlink(&files);
    }

    fn unlink(&self, files: &[String]) {
        for file in files {
            // One that stays is found when the server starts again.
            let _ = fs::remove_file(self.path(file));
        }
    }

    /// The names of all files; and no unfinished ones any more.
    pub fn names(&self) -> io::Result<BTreeSet<String>> {
        let _ = fs::remove_dir_all(self.incoming());
        let mut names = BTreeSet::new();
        for dir in list(&self.0.dir)? {
            if dir.is_dir() {
                names.extend(
                    list(&dir)?.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())),
                );
            }
        }
        Ok(names)
    }
}

fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(dir) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut leases = self.vault.0.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(readers) = leases.readers.get_mut(&self.name) else { return };
        *readers -= 1;
        if *readers > 0 {
            return;
        }
        leases.readers.remove(&self.name);
        let doomed = if leases.holds == 0 { leases.doomed.remove(&self.name) } else { None };
        drop(leases);
        self.vault.unlink(&doomed.unwrap_or_default());
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut leases = self.0.0.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.holds -= 1;
        if leases.holds > 0 {
            return;
        }
        let doomed = std::mem::take(&mut leases.doomed);
        let (kept, gone) = doomed.into_iter().partition(|(name, _)| leases.readers.contains_key(name));
        leases.doomed = kept;
        drop(leases);
        let gone: BTreeMap<String, Vec<String>> = gone;
        gone.values().for_each(|files| self.0.unlink(files));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

impl Incoming {
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Ok(()),
        }
    }

    /// Makes the file durable and puts it into its place.
    pub fn keep(mut self) -> io::Result<String> {
        let vault = &self.vault;
        if let Some(file) = self.file.take() {
            if !vault.0.temporary {
                file.sync_all()?;
            }
            let to = vault.path(&self.name);
            let dir = to.parent().unwrap_or(&vault.0.dir);
            let is_new = !dir.exists();
            if is_new {
                fs::create_dir_all(dir)?;
            }
            fs::rename(vault.incoming().join(&self.name), &to)?;
            if !vault.0.temporary {
                File::open(dir)?.sync_all()?;
                if is_new {
                    File::open(&vault.0.dir)?.sync_all()?;
                }
            }
        }
        Ok(self.name.clone())
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = fs::remove_file(self.vault.incoming().join(&self.name));
        }
    }
}
