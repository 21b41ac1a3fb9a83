//! One shard's records on disk, in files that are appended to, read in order, and taken away when they are applied.

use super::frame::Frame;
use crate::join::{Sequence, ShardId};
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

/// Covers the records after `after`, up to `last`, without a hole.
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    pub shard: ShardId,
    pub parent: Option<ShardId>,
    pub after: Option<Sequence>,
    pub last: Option<Sequence>,
    /// The shard's own end follows the last record.
    pub ended: bool,
    pub bytes: u64,
    /// Something of it was not whole when it was opened.
    pub was_torn: bool,
    pieces: VecDeque<Piece>,
    writer: Option<File>,
    reader: Option<Place>,
    /// Written and not yet synced.
    dirty: bool,
}

/// A file.
#[derive(Debug)]
struct Piece {
    number: u64,
    /// Of the last record in it, or before it where it has none.
    last: Option<Sequence>,
    bytes: u64,
}

/// Where reading stands.
#[derive(Debug)]
struct Place {
    number: u64,
    at: Option<Sequence>,
    file: BufReader<File>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    Page(Vec<u8>),
    /// Nothing more is here; the shard goes on elsewhere.
    Nothing,
    End,
}

impl Log {
    pub fn new(dir: &Path, shard: ShardId, parent: Option<ShardId>, after: Option<Sequence>) -> Log {
        Log {
            dir: dir.to_owned(),
            shard,
            parent,
            last: after.clone(),
            after,
            ended: false,
            bytes: 0,
            was_torn: false,
            pieces: VecDeque::new(),
            writer: None,
            reader: None,
            dirty: false,
        }
    }

    /// What is whole of a directory's files; the rest is removed. None: nothing is.
    pub fn open(dir: &Path) -> io::Result<Option<Log>> {
        let mut numbers: Vec<u64> = Vec::new();
        for entry in fs::read_dir(dir)? {
            numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        let mut log: Option<Log> = None;
        let mut torn = false;
        for number in numbers {
            let path = path_of(dir, number);
            if torn || log.as_ref().is_some_and(|log| log.ended) {
                fs::remove_file(&path)?;
                continue;
            }
            torn = !take_in(&mut log, dir, number)?;
        }
        match log {
            Some(log) if !log.pieces.is_empty() => Ok(Some(Log { was_torn: torn, ..log })),
            _ => fs::remove_dir_all(dir).map(|()| None),
        }
    }

    pub fn append(&mut self, last: Sequence, body: Vec<u8>, piece_bytes: u64) -> io::Result<()> {
        self.write(&Frame::Page { last: last.clone(), body }, piece_bytes)?;
        if let Some(piece) = self.pieces.back_mut() {
            piece.last = Some(last.clone());
        }
        self.last = Some(last);
        Ok(())
    }

    pub fn end(&mut self) -> io::Result<()> {
        self.write(&Frame::End, u64::MAX)?;
        self.ended = true;
        Ok(())
    }

    /// A frame that was not written whole is cut off again.
    fn write(&mut self, frame: &Frame, piece_bytes: u64) -> io::Result<()> {
        let bytes = frame.bytes();
        let full = self.pieces.back().is_none_or(|piece| piece.bytes >= piece_bytes);
        if full {
            self.begin_piece()?;
        }
        let Some(piece) = self.pieces.back_mut() else { return Ok(()) };
        if self.writer.is_none() {
            let file = OpenOptions::new().append(true).open(path_of(&self.dir, piece.number))?;
            file.set_len(piece.bytes)?;
            self.writer = Some(file);
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if let Err(error) = writer.write_all(&bytes) {
            self.writer = None;
            return Err(error);
        }
        self.dirty = true;
        piece.bytes += bytes.len() as u64;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn begin_piece(&mut self) -> io::Result<()> {
        self.sync()?;
        let head =
            Frame::Head { shard: self.shard.clone(), parent: self.parent.clone(), after: self.last.clone() };
        let number = self.pieces.back().map_or(1, |piece| piece.number + 1);
        fs::create_dir_all(&self.dir)?;
        let mut file = File::create(path_of(&self.dir, number))?;
        let bytes = head.bytes();
        file.write_all(&bytes)?;
        self.writer = None;
        self.dirty = true;
        self.bytes += bytes.len() as u64;
        self.pieces.push_back(Piece { number, last: self.last.clone(), bytes: bytes.len() as u64 });
        Ok(())
    }

    pub fn sync(&mut self) -> io::Result<()> {
        if let Some(piece) = self.pieces.back()
            && self.dirty
        {
            File::open(path_of(&self.dir, piece.number))?.sync_data()?;
            File::open(&self.dir)?.sync_all()?;
            self.dirty = false;
        }
        Ok(())
    }

    /// The first page with a record behind this one. The caller knows that the log covers it.
    pub fn read(&mut self, after: Option<&Sequence>) -> io::Result<Next> {
        let nothing = if self.ended { Next::End } else { Next::Nothing };
        if self.last.as_ref() <= after {
            return Ok(nothing);
        }
        let mut place = match self.reader.take() {
            Some(place) if place.at.as_ref() == after => place,
            _ => match self.pieces.iter().find(|piece| piece.last.as_ref() > after) {
                Some(piece) => self.open_piece(piece.number)?,
                None => return Ok(nothing),
            },
        };
        loop {
            match Frame::read(&mut place.file)? {
                Some((Frame::Page { last, body }, _)) => {
                    place.at = Some(last);
                    if place.at.as_ref() > after {
                        self.reader = Some(place);
                        return Ok(Next::Page(body));
                    }
                }
                Some(_) => {}
                None => match self.pieces.iter().find(|piece| piece.number > place.number) {
                    Some(piece) => place = self.open_piece(piece.number)?,
                    None => return Err(io::Error::other("a frame that was written is damaged")),
                },
            }
        }
    }

    fn open_piece(&self, number: u64) -> io::Result<Place> {
        let file = File::open(path_of(&self.dir, number))?;
        Ok(Place { number, at: None, file: BufReader::new(file) })
    }

    /// Takes away files whose records are all applied, but not the one that is written.
    pub fn trim(&mut self, applied: &Sequence) -> io::Result<()> {
        while self.pieces.len() > 1
            && let Some(piece) = self.pieces.front()
            && piece.last.as_ref() <= Some(applied)
        {
            fs::remove_file(path_of(&self.dir, piece.number))?;
            self.bytes -= piece.bytes;
            self.after.clone_from(&piece.last);
            self.pieces.pop_front();
        }
        Ok(())
    }

    /// Forgets all records; what comes is appended behind the last of them.
    pub fn empty(&mut self) -> io::Result<()> {
        (self.writer, self.reader, self.bytes, self.dirty) = (None, None, 0, false);
        self.after.clone_from(&self.last);
        self.pieces.clear();
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// False: the file, or its tail, was torn and is cut off.
fn take_in(log: &mut Option<Log>, dir: &Path, number: u64) -> io::Result<bool> {
    let path = path_of(dir, number);
    let size = fs::metadata(&path)?.len();
    let mut file = BufReader::new(File::open(&path)?);
    let head = Frame::read(&mut file)?;
    let Some((Frame::Head { shard, parent, after }, mut whole)) = head else {
        fs::remove_file(&path)?;
        return Ok(false);
    };
    let log = log.get_or_insert_with(|| Log::new(dir, shard.clone(), parent.clone(), after.clone()));
    if log.shard != shard || log.last != after {
        fs::remove_file(&path)?;
        return Ok(false);
    }
    while let Some((frame, bytes)) = Frame::read(&mut file)? {
        match frame {
            Frame::Page { last, .. } => log.last = Some(last),
            Frame::End => log.ended = true,
            Frame::Head { .. } => break,
        }
        whole += bytes;
    }
    if whole < size {
        OpenOptions::new().write(true).open(&path)?.set_len(whole)?;
    }
    log.bytes += whole;
    log.pieces.push_back(Piece { number, last: log.last.clone(), bytes: whole });
    Ok(whole == size)
}

fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:010}"))
}
