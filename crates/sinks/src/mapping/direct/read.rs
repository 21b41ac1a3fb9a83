//! One item after the other, read in place.

use super::{Direct, Key, Wanted};
use crate::config::Form;
use crate::json::{Quoted, Scanner};
use crate::mapping::convert::{convert, fits};
use crate::mapping::document::{plain, typed};
use crate::mapping::sheet::{Head, Memory, Place, Sheet, SheetRow, Span};
use crate::mapping::{Kind, lane_hash};
use api::dynamodb::Attribute;
use model::{Item, Number, Value as Found};
use sql::Value;
use std::sync::Arc;

/// A number of so few digits is spelt in one way only.
const DIGITS_SHORT: usize = 18;

/// A page that is being read.
pub struct Draft<'d, 't> {
    pub(super) direct: &'d Direct,
    pub(super) answer: &'t str,
    pub(super) memory: Memory,
    pub(super) blank: Vec<Place>,
}

/// What a record says besides keys and images.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    pub created_s: u64,
    pub expired: bool,
    /// Its length in the answer.
    pub size: usize,
}

/// A page that was read, without the answer that it lies in.
pub struct Drafted(Memory);

impl Direct {
    pub fn draft<'d, 't>(&'d self, answer: &'t str) -> Option<Draft<'d, 't>> {
        u32::try_from(answer.len()).ok()?;
        let mut memory = self.pool.memory();
        let blank = self.blank.iter().map(|value| memory.keep(value)).collect::<Option<_>>()?;
        Some(Draft { direct: self, answer, memory, blank })
    }

    /// Goes behind an item of which nothing is wanted.
    pub fn pass_over(&self, scanner: &mut Scanner<'_>) -> Option<()> {
        let mut is_first = true;
        scanner.expect(b'{')?;
        for wanted in &self.wanted {
            wanted.usually(scanner, &mut is_first)?;
        }
        while scanner.member(&mut is_first)?.is_some() {
            scanner.raw()?;
        }
        Some(())
    }

    /// The rows of a page and the answer that they lie in, for those who had read it.
    pub fn rows(&self, drafted: Drafted, answer: String) -> Vec<SheetRow> {
        let (pool, width) = (Arc::clone(&self.pool), self.blank.len());
        Sheet { memory: drafted.0, answer, width, pool }.rows()
    }
}

impl Wanted {
    /// Its value, if it comes next and is spelt as usual; the outer none: it is not whole.
    fn usually<'t>(
        &self,
        scanner: &mut Scanner<'t>,
        is_first: &mut bool,
    ) -> Option<Option<(&'static str, Quoted<'t>)>> {
        let Some(usual) = &self.usual else { return Some(None) };
        if !scanner.opens(&usual.opening, is_first) {
            return Some(None);
        }
        let value = scanner.unquoted()?;
        scanner.expect(b'}')?;
        Some(Some((usual.descriptor, value)))
    }
}

impl<'d, 't> Draft<'d, 't> {
    pub fn direct(&self) -> &'d Direct {
        self.direct
    }

    pub fn end(self) -> Drafted {
        Drafted(self.memory)
    }

    /// A row, or a deletion. None: it wants to be read as an item.
    pub fn add(&mut self, key: &Key<'_>, cells: Option<usize>, told: Told) -> Option<()> {
        let key = self.direct.keep(key, &mut self.memory)?;
        self.head(key, cells, told)
    }

    pub(super) fn head(&mut self, key: Span, cells: Option<usize>, told: Told) -> Option<()> {
        let hash = lane_hash(self.memory.bytes(key), self.direct.by_keys);
        let cells = cells.map(u32::try_from).transpose().ok()?;
        let Told { created_s, expired, size } = told;
        self.memory.add_head(Head { hash, key, cells, created_s, expired, size: size as u32 });
        Some(())
    }

    /// The first of the cells of an item; none: it wants to be read as an item. `key`: the item's, where it is wanted.
    pub fn item(&mut self, scanner: &mut Scanner<'t>, mut key: Option<&mut Key<'t>>) -> Option<usize> {
        let direct = self.direct;
        let first = self.memory.add_cells(&self.blank);
        let mut others = Item::new();
        let (mut next, mut is_first) = (0, true);
        scanner.expect(b'{')?;
        loop {
            if let Some((wanted, (at, kind))) =
                direct.wanted.get(next).and_then(|one| Some((one, one.scalar?)))
                && let Some((descriptor, value)) = wanted.usually(scanner, &mut is_first)?
            {
                if let Some((part, key)) = wanted.key.zip(key.as_deref_mut()) {
                    key.set(part, descriptor, value)?;
                }
                self.memory.cells_mut(first)[at] = self.quoted(descriptor, &value, kind)?;
                next += 1;
                continue;
            }
            let Some(name) = scanner.member(&mut is_first)? else { break };
            // Both are sorted by name, mostly.
            let is_next = direct.wanted.get(next).is_some_and(|wanted| name.is(&wanted.name));
            let found = if is_next { Some(next) } else { self.find(&name)? };
            next = found.map_or(0, |found| found + 1);
            let wanted = found.map(|found| &direct.wanted[found]);
            let key = key.as_deref_mut();
            match wanted.and_then(|wanted| wanted.scalar) {
                Some((at, kind)) => {
                    let part = wanted.and_then(|wanted| wanted.key).zip(key);
                    self.memory.cells_mut(first)[at] = self.scalar(kind, scanner, part)?;
                }
                None => self.attribute(wanted, &name, scanner, (first, key, &mut others))?,
            }
        }
        self.rest(first, &others)?;
        self.whole(first)
    }

    /// A row, if it has its key.
    pub(super) fn whole(&mut self, first: usize) -> Option<usize> {
        let has_key = |at: &usize| self.memory.cells_mut(first)[*at] != Place::Null;
        self.direct.mapping.key_at.iter().all(has_key).then_some(first)
    }

    /// The number of a wanted attribute; the outer none: the name cannot be read.
    fn find(&self, name: &Quoted<'_>) -> Option<Option<usize>> {
        let find = |name: &str| self.direct.wanted.binary_search_by(|one| one.name.as_str().cmp(name)).ok();
        Some(if name.is_escaped { find(&name.unescaped()?) } else { find(name.raw) })
    }

    /// One that is no scalar of one column, or of none.
    fn attribute(
        &mut self,
        wanted: Option<&Wanted>,
        name: &Quoted<'_>,
        scanner: &mut Scanner<'t>,
        (first, key, others): (usize, Option<&mut Key<'t>>, &mut Item),
    ) -> Option<()> {
        let (direct, begun) = (self.direct, scanner.at());
        let raw = scanner.raw()?;
        let name = name.unescaped()?;
        let is_other = direct.rest.is_some() && !direct.mapping.is_taken(&name);
        if wanted.is_none() && !is_other {
            return Some(());
        }
        if let Some((at, key)) = wanted.and_then(|wanted| wanted.key).zip(key) {
            key.part(at, &mut Scanner::starting(self.answer, begun))?;
        }
        let Attribute(value) = serde_json::from_str(raw).ok()?;
        self.columns(wanted, &value, first)?;
        if is_other {
            others.insert(name, value);
        }
        Some(())
    }

    /// An attribute into its columns.
    pub(super) fn columns(&mut self, wanted: Option<&Wanted>, value: &Found, first: usize) -> Option<()> {
        let direct = self.direct;
        for (at, path) in wanted.map_or(&[][..], |wanted| &wanted.columns) {
            let kind = direct.mapping.columns[*at].kind;
            let made = match path.find_below(value) {
                None => continue,
                Some(Found::Null) if kind != Kind::TypedJson => Value::Null,
                Some(found) => convert(found, kind).ok()?,
            };
            direct.mapping.is_within(*at, made.cell()).ok()?;
            self.put(first + *at, &made)?;
        }
        Some(())
    }

    /// What has no column.
    pub(super) fn rest(&mut self, first: usize, others: &Item) -> Option<()> {
        let Some((at, form)) = self.direct.rest.filter(|_| !others.is_empty()) else { return Some(()) };
        let text = match form {
            Form::Typed => typed(others),
            Form::Plain => plain(others).to_string(),
        };
        self.put(first + at, &Value::Json(text))
    }

    fn put(&mut self, cell: usize, value: &Value) -> Option<()> {
        fits(value.cell(), self.direct.dialect).ok()?;
        let place = self.memory.keep(value)?;
        self.memory.cells_mut(cell)[0] = place;
        Some(())
    }

    /// One attribute value as what its column holds; none: it does not fit.
    fn scalar(
        &mut self,
        kind: Kind,
        scanner: &mut Scanner<'t>,
        key: Option<(usize, &mut Key<'t>)>,
    ) -> Option<Place> {
        scanner.expect(b'{')?;
        let descriptor = scanner.quoted()?.raw;
        scanner.expect(b':')?;
        let place = match (descriptor, kind) {
            ("BOOL", Kind::Boolean) => Place::Boolean(scanner.word()?.parse().ok()?),
            ("NULL", _) => (scanner.word()? == "true").then_some(Place::Null)?,
            ("S" | "N" | "B", _) => {
                let value = scanner.quoted()?;
                if let Some((at, key)) = key {
                    key.set(at, descriptor, value)?;
                }
                self.quoted(descriptor, &value, kind)?
            }
            _ => return None,
        };
        scanner.expect(b'}')?;
        Some(place)
    }

    pub(super) fn number(&mut self, number: Number, kind: Kind) -> Option<Place> {
        let mut buffer = [0; Number::TEXT_MAX];
        let text = number.text(&mut buffer);
        Some(match kind {
            Kind::Numeric => Place::Numeric(self.memory.spell(text)),
            Kind::Text => Place::Text(self.memory.spell(text)),
            Kind::Bigint => Place::Integer(text.parse().ok()?),
            Kind::Double => Place::Real(text.parse().ok()?),
            _ => return None,
        })
    }

    fn quoted(&mut self, descriptor: &str, value: &Quoted<'_>, kind: Kind) -> Option<Place> {
        let place = match (descriptor, kind) {
            ("S", Kind::Text) => Place::Text(self.memory.text(value)?),
            ("S", Kind::Varchar(letters)) => {
                let span = self.memory.text(value)?;
                let text = self.memory.cell(Place::Text(span), self.answer).as_text()?;
                is_short(text, letters).then_some(Place::Text(span))?
            }
            ("N", Kind::Numeric | Kind::Text) if is_plain(value) => match kind {
                Kind::Numeric => Place::Numeric(self.memory.text(value)?),
                _ => Place::Text(self.memory.text(value)?),
            },
            ("N", _) => self.number(Number::parse(&value.unescaped()?).ok()?, kind)?,
            ("B", Kind::Bytes) => {
                let bytes = wire::base64::decode(&value.unescaped()?).ok()?;
                Place::Bytes(self.memory.put_bytes(|out| out.extend_from_slice(&bytes)))
            }
            _ => return None,
        };
        // Without an escape there is no character that any database refuses.
        if value.is_escaped || !matches!(place, Place::Text(_)) {
            fits(self.memory.cell(place, self.answer), self.direct.dialect).ok()?;
        }
        Some(place)
    }
}

/// No text has more letters than bytes.
pub(super) fn is_short(text: &str, letters: u32) -> bool {
    text.len() <= letters as usize || text.chars().count() <= letters as usize
}

/// Whether a number is spelt as it is everywhere.
fn is_plain(value: &Quoted<'_>) -> bool {
    let digits = value.raw.strip_prefix('-').unwrap_or(value.raw).as_bytes();
    (1..=DIGITS_SHORT).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && (digits[0] != b'0' || value.raw == "0")
}
