//! A page's rows in one piece: the answer that they came in, what of it had to be spelt otherwise, and for each value where
//! it lies. A row is a place in it, which costs nothing to pass on; the memory goes to the next page when the last row is
//! written.

use super::ItemName;
use crate::json::Quoted;
use sql::{Cell, Cells, Value};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Pages whose memory is kept for others, and the largest answer that is.
const KEPT_MAX: usize = 8;
const KEPT_BYTES_MAX: usize = 4 << 20;

/// The memory of pages that are written.
#[derive(Debug, Default)]
pub struct Pool {
    answers: Mutex<Vec<Vec<u8>>>,
    others: Mutex<Vec<Memory>>,
}

/// What is made of an answer.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Texts that the answer does not have as they are.
    spelt: String,
    bytes: Vec<u8>,
    cells: Vec<Place>,
    heads: Vec<Head>,
}

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Numeric(Span),
    Text(Span),
    Json(Span),
    Bytes(Span),
}

/// A part of the answer, or of what was made of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    from: u32,
    to: u32,
    is_made: bool,
}

/// What is known of a row besides its values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// To choose a lane by.
    pub hash: u64,
    /// The item's key, as `Item::encode` writes it.
    pub key: Span,
    /// The first of its cells; none: the item was deleted.
    pub cells: Option<u32>,
    pub created_s: u64,
    pub expired: bool,
    /// What it has of the answer.
    pub size: u32,
}

impl Pool {
    /// Memory for an answer.
    pub fn answer(&self) -> Vec<u8> {
        held(&self.answers).pop().unwrap_or_default()
    }

    pub(super) fn memory(&self) -> Memory {
        held(&self.others).pop().unwrap_or_default()
    }

    /// An answer of which nothing is wanted any more.
    pub fn give(&self, answer: Vec<u8>) {
        let mut answers = held(&self.answers);
        if answers.len() < KEPT_MAX && answer.capacity() <= KEPT_BYTES_MAX {
            answers.push(answer);
        }
    }

    pub(super) fn give_memory(&self, mut memory: Memory) {
        memory.spelt.clear();
        memory.bytes.clear();
        memory.cells.clear();
        memory.heads.clear();
        let mut others = held(&self.others);
        if others.len() < KEPT_MAX && memory.spelt.capacity() + memory.bytes.capacity() <= KEPT_BYTES_MAX {
            others.push(memory);
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// A text of the answer.
    pub fn text(&mut self, quoted: &Quoted<'_>) -> Option<Span> {
        match quoted.is_escaped {
            true => Some(self.spell(&quoted.unescaped()?)),
            false => {
                let from = u32::try_from(quoted.at).ok()?;
                Some(Span { from, to: from + quoted.raw.len() as u32, is_made: false })
            }
        }
    }

    pub fn spell(&mut self, text: &str) -> Span {
        let from = self.spelt.len() as u32;
        self.spelt.push_str(text);
        Span { from, to: self.spelt.len() as u32, is_made: true }
    }

    pub fn put_bytes(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let from = self.bytes.len() as u32;
        write(&mut self.bytes);
        Span { from, to: self.bytes.len() as u32, is_made: true }
    }

    /// None: no column holds it.
    pub fn keep(&mut self, value: &Value) -> Option<Place> {
        Some(match value {
            Value::Null => Place::Null,
            Value::Boolean(yes) => Place::Boolean(*yes),
            Value::Integer(number) => Place::Integer(*number),
            Value::Real(number) => Place::Real(*number),
            Value::Numeric(text) => Place::Numeric(self.spell(text)),
            Value::Text(text) => Place::Text(self.spell(text)),
            Value::Json(text) => Place::Json(self.spell(text)),
            Value::Bytes(bytes) => Place::Bytes(self.put_bytes(|out| out.extend_from_slice(bytes))),
            Value::List(_) => return None,
        })
    }

    /// Another row's cells, to be changed one by one, and the first one's number.
    pub fn add_cells(&mut self, blank: &[Place]) -> usize {
        self.cells.extend_from_slice(blank);
        self.cells.len() - blank.len()
    }

    pub fn cells_mut(&mut self, first: usize) -> &mut [Place] {
        &mut self.cells[first..]
    }

    pub fn add_head(&mut self, head: Head) {
        self.heads.push(head);
    }

    pub fn bytes(&self, span: Span) -> &[u8] {
        &self.bytes[span.from as usize..span.to as usize]
    }

    fn str<'m>(&'m self, span: Span, answer: &'m str) -> &'m str {
        let text = if span.is_made { &self.spelt } else { answer };
        &text[span.from as usize..span.to as usize]
    }

    pub fn cell<'m>(&'m self, place: Place, answer: &'m str) -> Cell<'m> {
        match place {
            Place::Null => Cell::Null,
            Place::Boolean(yes) => Cell::Boolean(yes),
            Place::Integer(number) => Cell::Integer(number),
            Place::Real(number) => Cell::Real(number),
            Place::Numeric(span) => Cell::Numeric(self.str(span, answer)),
            Place::Text(span) => Cell::Text(self.str(span, answer)),
            Place::Json(span) => Cell::Json(self.str(span, answer)),
            Place::Bytes(span) => Cell::Bytes(self.bytes(span)),
        }
    }
}

/// A page whose rows are made.
pub(super) struct Sheet {
    pub memory: Memory,
    pub answer: String,
    pub width: usize,
    pub pool: Arc<Pool>,
}

impl Sheet {
    pub fn rows(self) -> Vec<SheetRow> {
        let sheet = Arc::new(self);
        let heads = sheet.memory.heads.iter().zip(0..);
        heads.map(|(head, at)| SheetRow { sheet: sheet.clone(), at, cells: head.cells }).collect()
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.answer).into_bytes());
        self.pool.give_memory(std::mem::take(&mut self.memory));
    }
}

/// One row of a page, or an item's deletion.
#[derive(Clone)]
pub struct SheetRow {
    sheet: Arc<Sheet>,
    at: u32,
    /// The head's.
    cells: Option<u32>,
}

impl SheetRow {
    fn head(&self) -> &Head {
        &self.sheet.memory.heads[self.at as usize]
    }

    /// A number to choose lanes by.
    pub fn hash(&self) -> u64 {
        self.head().hash
    }

    /// The item's key, as `Item::encode` writes it.
    pub fn key(&self) -> &[u8] {
        self.sheet.memory.bytes(self.head().key)
    }

    /// The item has no row any more.
    pub fn is_deletion(&self) -> bool {
        self.cells.is_none()
    }

    pub fn created_s(&self) -> u64 {
        self.head().created_s
    }

    pub fn expired(&self) -> bool {
        self.head().expired
    }

    /// What it weighs in memory, about.
    pub fn size_bytes(&self) -> usize {
        self.head().size as usize + self.sheet.width * size_of::<Place>() + size_of::<Head>()
    }
}

impl Cells for SheetRow {
    fn width(&self) -> usize {
        if self.is_deletion() { 0 } else { self.sheet.width }
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        let Sheet { memory, answer, .. } = &*self.sheet;
        match self.cells {
            Some(first) => memory.cell(memory.cells[first as usize + at], answer),
            None => Cell::Null,
        }
    }
}

impl fmt::Debug for SheetRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} of a page ({:?})", self.at, ItemName::of(self.key()))
    }
}
