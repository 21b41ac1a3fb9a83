//! `millstream backup DIR`: everything a server keeps, of one moment, while it serves or while it is stopped.
//!
//! ```text
//! DIR/data           pieces, each behind its length:4 and its checksum:8
//! DIR/MANIFEST.json  written last: without it, it is no backup
//! ```

use super::Failure;
use super::args::Args;
use super::endpoint::Endpoint;
use serde_json::json;
use server::Backup;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use store::Store;
use world::World;

/// What is in a backup's pieces lies as in a data directory of this format.
pub const FORMAT: u64 = 2;
/// How much lies between two words on how far it is.
const TOLD_BYTES: u64 = 64 << 20;

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &["endpoint", "data-dir"], &[])?;
    let [into] = args.words.as_slice() else {
        return Err(Failure::Usage("backup takes one directory: millstream backup DIR".to_owned()));
    };
    let into = Path::new(into);
    if into.exists() && fs::read_dir(into)?.next().is_some() {
        return Err(Failure::Failed(format!("{} is not empty: give a new directory", into.display())));
    }
    match (args.values.get("data-dir"), args.values.get("endpoint")) {
        (Some(_), Some(_)) => Err(Failure::Usage(
            "--endpoint asks a running server, --data-dir reads a stopped one's: give one".to_owned(),
        )),
        (Some(dir), None) => stopped(Path::new(dir), into),
        (None, url) => {
            let url = url.cloned().or_else(|| std::env::var("AWS_ENDPOINT_URL").ok());
            running(&url.unwrap_or_else(|| "http://127.0.0.1:4566".to_owned()), into)
        }
    }
}

fn running(url: &str, into: &Path) -> Result<(), Failure> {
    let mut endpoint = Endpoint::connect(url)?;
    let begun = endpoint.own("/_millstream/backup")?;
    let begun: serde_json::Value = serde_json::from_slice(&begun)?;
    let (Some(id), Some(sequence)) = (begun["id"].as_str(), begun["sequence"].as_u64()) else {
        return Err(Failure::Failed(format!("{url} began no backup: is it a Millstream server?")));
    };
    let path = format!("/_millstream/backup/{id}");
    write(into, sequence, || Ok(Some(endpoint.own(&path)?).filter(|piece| !piece.is_empty())))
}

fn stopped(dir: &Path, into: &Path) -> Result<(), Failure> {
    if !dir.join("store").exists() {
        return Err(Failure::Failed(format!("{} is no data directory", dir.display())));
    }
    let store = Store::open(store::Settings::new(dir.join("store")))?;
    let mut backup = Backup::begin(&store, dir);
    write(into, backup.sequence, || backup.next_piece().map_err(Failure::Failed))?;
    drop(backup);
    store.close()?;
    Ok(())
}

fn write(
    into: &Path,
    sequence: u64,
    mut next: impl FnMut() -> Result<Option<Vec<u8>>, Failure>,
) -> Result<(), Failure> {
    // It holds whatever the server does, secrets too.
    fs::DirBuilder::new().recursive(true).mode(0o700).create(into)?;
    let file = File::create_new(into.join("data"))?;
    let mut data = BufWriter::new(file);
    let (mut pieces, mut bytes, mut told) = (0_u64, 0_u64, 0_u64);
    while let Some(piece) = next()? {
        data.write_all(&(piece.len() as u32).to_be_bytes())?;
        data.write_all(&store::checksum(&piece).to_be_bytes())?;
        data.write_all(&piece)?;
        pieces += 1;
        bytes += piece.len() as u64;
        if bytes - told >= TOLD_BYTES {
            told = bytes;
            world::say!("  {} MB", bytes >> 20);
        }
    }
    data.into_inner().map_err(|error| error.into_error())?.sync_all()?;
    let manifest = json!({
        "format": FORMAT,
        "made_by": concat!("millstream ", env!("CARGO_PKG_VERSION")),
        "at": World::real().now().iso_seconds(),
        "sequence": sequence,
        "pieces": pieces,
        "bytes": bytes,
    });
    let mut file = File::create_new(into.join("MANIFEST.json.new"))?;
    file.write_all(format!("{manifest:#}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(into.join("MANIFEST.json.new"), into.join("MANIFEST.json"))?;
    File::open(into)?.sync_all()?;
    tell!("{}: {bytes} bytes in {pieces} pieces, everything up to sequence {sequence}", into.display());
    Ok(())
}
