//! `millstream restore BACKUP --data-dir DIR`: a data directory from a backup. Nothing is written before all of the
//! backup has been found sound.

use super::Failure;
use super::args::Args;
use super::backup::FORMAT;
use serde_json::Value;
use server::{DATA, FILE, LINK};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{BufReader, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use store::Loader;

/// Larger than any piece: one of 4 MB, its last row or file included.
const PIECE_BYTES_MAX: usize = 64 << 20;

/// The numbers in a manifest.
struct Manifest {
    sequence: u64,
    pieces: u64,
    bytes: u64,
}

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &["data-dir"], &[])?;
    let ([from], Some(dir)) = (args.words.as_slice(), args.values.get("data-dir")) else {
        return Err(Failure::Usage("millstream restore BACKUP --data-dir DIR".to_owned()));
    };
    let (from, dir) = (Path::new(from), Path::new(dir));
    if dir.exists() && fs::read_dir(dir)?.next().is_some() {
        return Err(Failure::Failed(format!("{} is not empty: give a new directory", dir.display())));
    }
    let manifest = manifest(from)?;
    each_piece(from, &manifest, |_| Ok(()))?;
    tell!("{}: {} bytes, sound", from.display(), manifest.bytes);

    fs::create_dir_all(dir)?;
    // Removed at the end: a directory that has it is not whole.
    let mark = dir.join("RESTORING");
    File::create_new(&mark)?.sync_all()?;
    File::open(dir)?.sync_all()?;
    let mut loader = Loader::begin(&store::Settings::new(dir.join("store")), manifest.sequence)?;
    each_piece(from, &manifest, |piece| {
        let mut rows = Vec::new();
        for record in store::records(piece) {
            match record? {
                (kind, name, value) if kind < FILE => rows.push((kind, name, value)),
                (kind, name, value) => file(dir, kind, name, value)?,
            }
        }
        if rows.is_empty() { Ok(()) } else { Ok(loader.load(rows)?) }
    })?;
    loader.finish()?;
    sync(dir)?;
    fs::remove_file(&mark)?;
    File::open(dir)?.sync_all()?;
    tell!("{}: restored; millstream serve --data-dir {}", dir.display(), dir.display());
    Ok(())
}

fn manifest(from: &Path) -> Result<Manifest, Failure> {
    let path = from.join("MANIFEST.json");
    let text = fs::read_to_string(&path).map_err(|error| {
        Failure::Failed(format!("{} is no whole backup: {}: {error}", from.display(), path.display()))
    })?;
    let told: Value = serde_json::from_str(&text)?;
    let number = |member: &str| {
        told[member].as_u64().ok_or_else(|| Failure::Failed(format!("{} tells no {member}", path.display())))
    };
    let format = number("format")?;
    if !(1..=FORMAT).contains(&format) {
        return Err(Failure::Failed(format!(
            "{} is of format {format}, and this version reads {FORMAT} and older: use the version that made it",
            from.display()
        )));
    }
    Ok(Manifest { sequence: number("sequence")?, pieces: number("pieces")?, bytes: number("bytes")? })
}

/// Reads all pieces, and fails at the first that is not as it was written.
fn each_piece(
    from: &Path,
    manifest: &Manifest,
    mut visit: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let damaged =
        |at: u64| Failure::Failed(format!("{}: piece {at} of the backup is damaged", from.display()));
    let mut data = BufReader::new(File::open(from.join("data"))?);
    let (mut bytes, mut piece) = (0, Vec::new());
    for at in 1..=manifest.pieces {
        let (mut length, mut sum) = ([0; 4], [0; 8]);
        data.read_exact(&mut length).and_then(|()| data.read_exact(&mut sum)).map_err(|_| damaged(at))?;
        let length = u32::from_be_bytes(length) as usize;
        if length > PIECE_BYTES_MAX {
            return Err(damaged(at));
        }
        piece.resize(length, 0);
        data.read_exact(&mut piece).map_err(|_| damaged(at))?;
        if store::checksum(&piece) != u64::from_be_bytes(sum) {
            return Err(damaged(at));
        }
        bytes += length as u64;
        visit(&piece)?;
    }
    match data.read(&mut [0])? {
        0 if bytes == manifest.bytes => Ok(()),
        _ => Err(Failure::Failed(format!("{}: the backup is not what its manifest says", from.display()))),
    }
}

/// Makes everything below a directory durable.
fn sync(path: &Path) -> Result<(), Failure> {
    let Ok(about) = fs::symlink_metadata(path) else { return Ok(()) };
    if about.is_symlink() {
        return Ok(());
    }
    if about.is_dir() {
        for entry in fs::read_dir(path)? {
            sync(&entry?.path())?;
        }
    }
    Ok(File::open(path)?.sync_all()?)
}

fn file(root: &Path, kind: u8, name: &[u8], value: &[u8]) -> Result<(), Failure> {
    let name = PathBuf::from(String::from_utf8_lossy(name).into_owned());
    if !name.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(Failure::Failed(format!(
            "the backup has a file outside of its place: {}",
            name.display()
        )));
    }
    let path = root.join(name);
    match kind {
        FILE => {
            fs::create_dir_all(path.parent().unwrap_or(root))?;
            let mode = value.try_into().map_or(0o600, u32::from_be_bytes) & 0o777;
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.set_permissions(Permissions::from_mode(mode | 0o200))?;
        }
        DATA => OpenOptions::new().append(true).open(&path)?.write_all(value)?,
        LINK => {
            fs::create_dir_all(path.parent().unwrap_or(root))?;
            symlink(String::from_utf8_lossy(value).as_ref(), &path)?;
        }
        other => {
            return Err(Failure::Failed(format!(
                "the backup has records of a kind {other} that is not known"
            )));
        }
    }
    Ok(())
}
