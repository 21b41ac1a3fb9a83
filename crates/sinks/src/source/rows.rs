//! Pages read straight into rows. What cannot be read so is given back, to be read as items, which says why.

use super::answer::{Identity, in_order};
use super::in_process::InProcess;
use super::table::Part;
use crate::join::Sequence;
use crate::json::Scanner;
use crate::mapping::{Direct, Draft, Drafted, Key, SheetRow, Told, typed};
use api::dynamodb::Attributes;

/// A page of records. `next`: the iterator of the next.
#[derive(Debug)]
pub struct RecordRows {
    /// In order, each with its number.
    pub records: Vec<(Sequence, SheetRow)>,
    pub next: Option<String>,
}

/// A page of the scan.
#[derive(Debug)]
pub struct ScanRows {
    pub rows: Vec<SheetRow>,
    pub next: Option<Box<str>>,
    pub read_units: f64,
}

impl RecordRows {
    pub fn read(answer: Vec<u8>, direct: &Direct) -> Result<RecordRows, Vec<u8>> {
        let (rows, (numbers, next)) = read(answer, direct, records)?;
        let mut records: Vec<(Sequence, SheetRow)> = numbers.into_iter().zip(rows).collect();
        in_order(&mut records, |(number, _)| number);
        Ok(RecordRows { records, next })
    }

    /// Of tables in this process.
    pub fn own(tables: &dyn InProcess, iterator: &str, limit: usize, direct: &Direct) -> Option<RecordRows> {
        let (mut draft, mut numbers, mut is_whole) = (direct.draft("")?, Vec::new(), true);
        let next = tables.records(iterator, limit, &mut |change| {
            let size = change.new.map_or(0, |new| new.size_bytes());
            let told = Told { created_s: change.created_s, expired: change.expired, size };
            is_whole = is_whole && draft.add_images(change.keys, change.new, told).is_some();
            numbers.push(change.sequence);
        })?;
        let rows = |drafted| direct.rows(drafted, String::new());
        is_whole.then(|| RecordRows { records: numbers.into_iter().zip(rows(draft.end())).collect(), next })
    }
}

impl ScanRows {
    pub fn read(answer: Vec<u8>, direct: &Direct) -> Result<ScanRows, Vec<u8>> {
        let (rows, (next, read_units)) = read(answer, direct, items)?;
        Ok(ScanRows { rows, next, read_units })
    }

    /// Of tables in this process.
    pub fn own(tables: &dyn InProcess, table: &str, part: &Part<'_>, direct: &Direct) -> Option<ScanRows> {
        let (mut draft, mut is_whole) = (direct.draft("")?, true);
        let scanned =
            tables.scan(table, part, &mut |item| is_whole = is_whole && draft.add_item(item).is_some())?;
        let next = scanned.last.map(|key| typed(&key).into());
        is_whole.then(|| ScanRows {
            rows: direct.rows(draft.end(), String::new()),
            next,
            read_units: scanned.read_units,
        })
    }
}

/// What a page says besides its rows, as `each` finds it.
fn read<T>(
    answer: Vec<u8>,
    direct: &Direct,
    each: impl for<'t> FnOnce(&mut Scanner<'t>, &mut Draft<'_, 't>) -> Option<T>,
) -> Result<(Vec<SheetRow>, T), Vec<u8>> {
    let answer = String::from_utf8(answer).map_err(std::string::FromUtf8Error::into_bytes)?;
    let drafted = || -> Option<(Drafted, T)> {
        let (mut scanner, mut draft) = (Scanner::new(&answer), direct.draft(&answer)?);
        let told = each(&mut scanner, &mut draft)?;
        scanner.is_at_end().then(|| (draft.end(), told))
    };
    match drafted() {
        Some((drafted, told)) => Ok((direct.rows(drafted, answer), told)),
        None => Err(answer.into_bytes()),
    }
}

type Numbers = Vec<Sequence>;

fn records<'t>(scanner: &mut Scanner<'t>, draft: &mut Draft<'_, 't>) -> Option<(Numbers, Option<String>)> {
    let (mut numbers, mut next, mut is_first) = (Vec::new(), None, true);
    scanner.expect(b'{')?;
    while let Some(name) = scanner.member(&mut is_first)? {
        match name.raw {
            "Records" => {
                scanner.expect(b'[')?;
                let mut is_first = true;
                while scanner.element(&mut is_first)? {
                    numbers.push(record(scanner, draft)?);
                }
            }
            "NextShardIterator" => next = serde_json::from_str(scanner.raw()?).ok()?,
            _ => drop(scanner.raw()?),
        }
    }
    Some((numbers, next))
}

/// A record, and the change in it: no two of them have members of one name.
#[derive(Default)]
struct Record<'t> {
    sequence: Option<Sequence>,
    key: Option<Key<'t>>,
    cells: Option<usize>,
    told: Told,
}

fn record<'t>(scanner: &mut Scanner<'t>, draft: &mut Draft<'_, 't>) -> Option<Sequence> {
    let (mut record, begun, mut is_first) = (Record::default(), scanner.at(), true);
    scanner.expect(b'{')?;
    while let Some(name) = scanner.member(&mut is_first)? {
        match name.raw {
            "dynamodb" => record.change(scanner, draft)?,
            "userIdentity" => {
                let identity: Option<Identity> = serde_json::from_str(scanner.raw()?).ok()?;
                record.told.expired = identity.is_some_and(|identity| identity.is_expiry());
            }
            _ => drop(scanner.raw()?),
        }
    }
    record.told.size = scanner.at() - begun;
    draft.add(&record.key?, record.cells, record.told)?;
    record.sequence
}

impl<'t> Record<'t> {
    fn change(&mut self, scanner: &mut Scanner<'t>, draft: &mut Draft<'_, 't>) -> Option<()> {
        let mut is_first = true;
        scanner.expect(b'{')?;
        while let Some(name) = scanner.member(&mut is_first)? {
            match name.raw {
                "Keys" => self.key = Some(draft.direct().key(scanner)?),
                "NewImage" => self.cells = Some(draft.item(scanner, None)?),
                "OldImage" => draft.direct().pass_over(scanner)?,
                "SequenceNumber" => self.sequence = Some(Sequence::parse(scanner.quoted()?.raw)?),
                "ApproximateCreationDateTime" => {
                    self.told.created_s = scanner.word()?.parse::<f64>().ok()? as u64;
                }
                _ => drop(scanner.raw()?),
            }
        }
        Some(())
    }
}

fn items<'t>(scanner: &mut Scanner<'t>, draft: &mut Draft<'_, 't>) -> Option<(Option<Box<str>>, f64)> {
    let (mut next, mut read_units, mut is_first) = (None, 0.0, true);
    scanner.expect(b'{')?;
    while let Some(name) = scanner.member(&mut is_first)? {
        match name.raw {
            "Items" => {
                scanner.expect(b'[')?;
                let mut is_first = true;
                while scanner.element(&mut is_first)? {
                    let (mut key, begun) = (Key::default(), scanner.at());
                    let cells = draft.item(scanner, Some(&mut key))?;
                    let size = scanner.at() - begun;
                    draft.add(&key, Some(cells), Told { size, ..Told::default() })?;
                }
            }
            "LastEvaluatedKey" => {
                let last: Option<Attributes> = serde_json::from_str(scanner.raw()?).ok()?;
                next = last.map(|key| typed(&key.0).into());
            }
            "ConsumedCapacity" => {
                let consumed: Option<Consumed> = serde_json::from_str(scanner.raw()?).ok()?;
                read_units = consumed.map_or(0.0, |consumed| consumed.units);
            }
            _ => drop(scanner.raw()?),
        }
    }
    Some((next, read_units))
}

#[derive(serde::Deserialize)]
struct Consumed {
    #[serde(rename = "CapacityUnits", default)]
    units: f64,
}
