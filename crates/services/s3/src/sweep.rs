//! After a crash: files that no object has, because the server ended between a file and its row, or a row and its file.

use super::S3;
use super::fault::Fault;
use super::shelf::{Part, Piece, Version};
use servicekit::documents::unavailable;
use std::collections::BTreeSet;

impl S3 {
    /// Removes what no row names. Only before the first request.
    pub(super) fn sweep(&self) -> Result<(), Fault> {
        let mut files: BTreeSet<String> = self.vault.names().map_err(unavailable)?;
        if files.is_empty() {
            return Ok(());
        }
        for (_, version) in self.shelf.all::<Version>(b"s3/object\0")? {
            files.remove(&version.file);
        }
        for (_, pieces) in self.shelf.all::<Vec<Piece>>(b"s3/pieces\0")? {
            for piece in pieces {
                files.remove(&piece.file);
            }
        }
        for (_, part) in self.shelf.all::<Part>(b"s3/part\0")? {
            files.remove(&part.file);
        }
        for file in files {
            self.vault.remove(&file.clone(), vec![file]);
        }
        Ok(())
    }
}
