//! Code packages: a zip archive, checked, unpacked under its hash, and kept.

use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What a package may unpack to.
const UNPACKED_BYTES_MAX: u64 = 262_144_000;
/// What a package may be, when it is uploaded directly.
pub const ZIP_BYTES_MAX: usize = 52_428_800;
const ENTRIES_MAX: usize = 100_000;

/// A package that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The hash of the archive in hexadecimal: where it lies.
    pub sha256: String,
    /// The raw hash.
    pub digest: [u8; 32],
    /// The archive's size.
    pub bytes: u64,
}

#[derive(Debug)]
pub enum PackageError {
    /// Not a zip archive, or one that does harm.
    Unreadable(String),
    /// Larger than [`UNPACKED_BYTES_MAX`] once unpacked.
    TooLarge,
    Io(io::Error),
}

impl std::fmt::Display for PackageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PackageError::Unreadable(why) => write!(f, "the package cannot be unzipped: {why}"),
            PackageError::TooLarge => {
                write!(f, "the package unpacks to more than {UNPACKED_BYTES_MAX} bytes")
            }
            PackageError::Io(error) => write!(f, "the package cannot be written: {error}"),
        }
    }
}

impl std::error::Error for PackageError {}

impl From<io::Error> for PackageError {
    fn from(error: io::Error) -> PackageError {
        PackageError::Io(error)
    }
}

/// A package of these files, all executable: for what the house itself brings.
pub fn zip_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    for (name, text) in files {
        archive.start_file(*name, options).expect("memory takes every file");
        io::Write::write_all(&mut archive, text.as_bytes()).expect("memory takes every byte");
    }
    archive.finish().expect("memory takes every archive").into_inner()
}

/// Where packages lie: `<dir>/<sha256>/` unpacked, `<dir>/<sha256>.zip` as they came.
#[derive(Clone, Debug)]
pub(crate) struct Packages {
    dir: PathBuf,
}

impl Packages {
    pub fn new(dir: PathBuf) -> Packages {
        Packages { dir }
    }

    pub fn code_dir(&self, sha256: &str) -> PathBuf {
        self.dir.join(sha256)
    }

    pub fn zip(&self, sha256: &str) -> io::Result<Vec<u8>> {
        fs::read(self.dir.join(format!("{sha256}.zip")))
    }

    /// Unpacks an archive, unless it is there already.
    pub fn put(&self, zip: &[u8]) -> Result<Code, PackageError> {
        let digest: [u8; 32] = Sha256::digest(zip).into();
        let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let code = Code { sha256, digest, bytes: zip.len() as u64 };
        let kept = self.dir.join(format!("{}.zip", code.sha256));
        if kept.exists() && self.code_dir(&code.sha256).exists() {
            return Ok(code);
        }
        fs::create_dir_all(&self.dir)?;
        let scratch = self.dir.join(format!(".{}.{}", code.sha256, std::process::id()));
        remove(&scratch)?;
        let unpacked = unpack(zip, &scratch);
        if let Err(error) = unpacked {
            remove(&scratch)?;
            return Err(error);
        }
        // The archive is written last: where it lies, its directory is whole.
        match fs::rename(&scratch, self.code_dir(&code.sha256)) {
            Ok(()) => {}
            Err(_) if self.code_dir(&code.sha256).exists() => remove(&scratch)?,
            Err(error) => return Err(error.into()),
        }
        let partial = self.dir.join(format!(".{}.zip", code.sha256));
        fs::write(&partial, zip)?;
        fs::File::open(&partial)?.sync_all()?;
        fs::rename(&partial, &kept)?;
        Ok(code)
    }
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn unpack(zip: &[u8], into: &Path) -> Result<(), PackageError> {
    let unreadable = |why: zip::result::ZipError| PackageError::Unreadable(why.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).map_err(unreadable)?;
    if archive.len() > ENTRIES_MAX {
        return Err(PackageError::Unreadable(format!("more than {ENTRIES_MAX} entries")));
    }
    fs::create_dir_all(into)?;
    let mut left = UNPACKED_BYTES_MAX;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(unreadable)?;
        let Some(name) = entry.enclosed_name() else {
            return Err(PackageError::Unreadable(format!("entry {index} leads outside")));
        };
        let path = into.join(name);
        if entry.is_dir() {
            fs::create_dir_all(&path)?;
            continue;
        }
        if entry.is_symlink() {
            // A link could lead anywhere; the few that packages hold are links beside themselves.
            let mut target = String::new();
            entry.by_ref().take(4_096).read_to_string(&mut target)?;
            if target.starts_with('/') || target.split('/').any(|part| part == "..") {
                return Err(PackageError::Unreadable(format!("link {} leads outside", path.display())));
            }
            fs::create_dir_all(path.parent().unwrap_or(into))?;
            std::os::unix::fs::symlink(target, &path)?;
            continue;
        }
        fs::create_dir_all(path.parent().unwrap_or(into))?;
        let mode = entry.unix_mode();
        // An entry never writes through a link that an earlier entry made.
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
        let written = io::copy(&mut entry.by_ref().take(left + 1), &mut file)
            .map_err(|error| PackageError::Unreadable(error.to_string()))?;
        left = left.checked_sub(written).ok_or(PackageError::TooLarge)?;
        let executable = mode.is_some_and(|mode| mode & 0o111 != 0);
        file.set_permissions(fs::Permissions::from_mode(if executable { 0o555 } else { 0o444 }))?;
    }
    Ok(())
}
