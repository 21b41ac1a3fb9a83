//! A copy of everything a server keeps, as pieces: the rows of one snapshot, then the files that they tell of.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use store::{Dump, Hold, Store};

/// Kinds of records besides the store's rows: a file begins, with its mode; and goes on; a link.
pub const FILE: u8 = 8;
pub const DATA: u8 = 9;
pub const LINK: u8 = 10;

const PIECE_BYTES: usize = 4 << 20;

pub struct Backup {
    /// No row is newer than this.
    pub sequence: u64,
    rows: Dump,
    root: PathBuf,
    /// What is still to be listed or read.
    paths: Vec<PathBuf>,
    file: Option<(PathBuf, File)>,
    _hold: Hold,
}

impl Backup {
    /// Of this moment; `home` is the data directory, of which everything beside the store is read that the rows tell of.
    pub fn begin(store: &Store, home: &Path) -> Backup {
        // First the hold: whatever is removed from here on stays until the copy is done.
        let hold = store.hold_trims();
        let snapshot = store.snapshot();
        Backup {
            sequence: snapshot.sequence(),
            rows: Dump::new(snapshot),
            root: home.to_owned(),
            // A package lies under its hash, and stays; whoever begins holds the objects' files.
            paths: vec![home.join("functions").join("code"), home.join("objects"), home.join("secrets.key")],
            file: None,
            _hold: hold,
        }
    }

    /// The next piece; `None` when that was all.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, String> {
        match self.rows.next_piece(PIECE_BYTES) {
            Ok(Some(piece)) => Ok(Some(piece)),
            Ok(None) => self.files().map_err(|error| format!("a file cannot be read: {error}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn files(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut piece = Vec::new();
        while piece.len() < PIECE_BYTES {
            if let Some((path, file)) = &mut self.file {
                let mut bytes = Vec::new();
                file.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut bytes)?;
                let name = name(&self.root, path);
                store::push_record(&mut piece, DATA, name.as_bytes(), &bytes);
                if bytes.len() < PIECE_BYTES {
                    self.file = None;
                }
                continue;
            }
            let Some(path) = self.paths.pop() else { break };
            // A package that is being unpacked is nobody's yet.
            if is_hidden(&path) && path.parent().is_some_and(|parent| parent.ends_with("functions/code")) {
                continue;
            }
            // What a function left behind may be gone by now.
            let Ok(about) = fs::symlink_metadata(&path) else { continue };
            let name = name(&self.root, &path);
            if about.is_dir() {
                let inside = fs::read_dir(&path)?.collect::<Result<Vec<_>, _>>()?;
                self.paths.extend(inside.into_iter().map(|entry| entry.path()));
            } else if about.is_symlink() {
                let target = fs::read_link(&path)?;
                store::push_record(&mut piece, LINK, name.as_bytes(), target.as_os_str().as_encoded_bytes());
            } else {
                let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions());
                store::push_record(&mut piece, FILE, name.as_bytes(), &mode.to_be_bytes());
                self.file = Some((path.clone(), File::open(&path)?));
            }
        }
        Ok((!piece.is_empty()).then_some(piece))
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn name(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}
