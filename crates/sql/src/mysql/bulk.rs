//! Many rows in one statement. A statement's text depends on how many, so that a few sizes are prepared and kept.

use super::{Mysql, value};
use crate::bulk::Bulk;
use crate::driver::{Driver, chosen};
use crate::{Cell, Cells, ColumnShape, Dialect, Error, Kind, OnConflict, Value};
use mysql::Params;
use mysql::prelude::Queryable;

/// Places for rows in one statement.
const CLASSES: [usize; 11] = [1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1];
/// Of a statement's places one in so many may be filled with the last row once more, which changes nothing.
const SPARE: usize = 4;

/// Whether it may be.
#[derive(Clone, Copy, PartialEq)]
enum Spare {
    Yes,
    No,
}

/// MySQL counts parameters in two bytes.
const PARAMETERS_MAX: usize = 65_535;

impl Mysql {
    pub(super) fn upsert_rows(&mut self, upsert: &Bulk<'_>) -> Result<u64, Error> {
        let shape = self.shape(upsert.table)?;
        let columns = chosen(&shape, upsert.table, upsert.columns)?;
        let bounded: Vec<(usize, i64)> =
            columns.iter().enumerate().filter_map(|(at, column)| Some((at, scale(column)?))).collect();
        for row in upsert.rows {
            for (at, scale) in &bounded {
                exact(row.cell(*at), *scale, columns[*at])?;
            }
        }
        let (head, tail) = self.around(upsert);
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        if self.flavour.takes_arrays && upsert.rows.len() > 1 && are_alike(upsert.rows) {
            return self.in_one_go(upsert.rows.len(), |mysql| {
                mysql.in_arrays(&format!("{head}{row}{tail}"), upsert.rows)
            });
        }
        let spare = if upsert.on_conflict == OnConflict::Refuse { Spare::No } else { Spare::Yes };
        self.in_classes(upsert.rows, spare, &|rows| {
            format!("{head}{}{tail}", vec![row.as_str(); rows].join(", "))
        })
    }

    /// What stands before and after an upsert's rows.
    pub(super) fn around(&self, upsert: &Bulk<'_>) -> (String, String) {
        let quoted = |name: &String| Dialect::Mysql.quoted(name);
        let updates: Vec<String> = match upsert.on_conflict {
            OnConflict::Replace => {
                let anew = |name: &String| match self.flavour.names_rows {
                    true => format!("{0} = anew.{0}", quoted(name)),
                    false => format!("{0} = VALUES({0})", quoted(name)),
                };
                upsert.updated().map(anew).collect()
            }
            OnConflict::Keep | OnConflict::Refuse => Vec::new(),
        };
        let (table, first) = (Dialect::Mysql.quoted(upsert.table), quoted(&upsert.key[0]));
        let updates = match updates.is_empty() {
            // To itself: nothing changes, and what is wrong with the data is still an error.
            true => format!("{first} = {table}.{first}"),
            false => updates.join(", "),
        };
        let name = if self.flavour.names_rows { " AS anew" } else { "" };
        let head = format!("INSERT INTO {table} ({}) VALUES ", Dialect::Mysql.list(upsert.columns));
        if upsert.on_conflict == OnConflict::Refuse {
            return (head, String::new());
        }
        (head, format!("{name} ON DUPLICATE KEY UPDATE {updates}"))
    }

    pub(super) fn delete_keys(
        &mut self,
        table: &str,
        columns: &[String],
        keys: &[Vec<Value>],
    ) -> Result<u64, Error> {
        let shape = self.shape(table)?;
        let chosen = chosen(&shape, table, columns)?;
        // One key of several columns is a term of its own: MariaDB finds no index for rows in a list.
        let tests: Vec<String> = chosen
            .iter()
            .map(|column| format!("{} = {}", Dialect::Mysql.quoted(&column.name), parameter(column)))
            .collect();
        let term = format!("({})", tests.join(" AND "));
        let head = format!("DELETE FROM {} WHERE ", Dialect::Mysql.quoted(table));
        let single = (chosen.len() == 1).then(|| (Dialect::Mysql.quoted(&columns[0]), parameter(chosen[0])));
        // A number that is not whole is in no column of whole numbers; MySQL would round it first.
        let whole = |(value, column): (&Value, &&ColumnShape)| match value {
            Value::Numeric(_) if is_integer(&column.type_name) => value.as_integer().into(),
            value => value.clone(),
        };
        let keys: Vec<Vec<Value>> =
            keys.iter().map(|key| key.iter().zip(&chosen).map(whole).collect()).collect();
        self.in_classes(&keys, Spare::Yes, &|rows| match &single {
            Some((name, parameter)) => {
                format!("{head}{name} IN ({})", vec![parameter.as_str(); rows].join(", "))
            }
            None => format!("{head}{}", vec![term.as_str(); rows].join(" OR ")),
        })
    }

    /// Runs a statement over all rows, in as few pieces as the classes, the parameters and the packets allow.
    fn in_classes<R: Cells>(
        &mut self,
        rows: &[R],
        spare: Spare,
        statement: &dyn Fn(usize) -> String,
    ) -> Result<u64, Error> {
        self.in_one_go(rows.len(), |mysql| mysql.in_pieces(rows, spare, statement))
    }

    /// All of the rows or none.
    fn in_one_go(
        &mut self,
        rows: usize,
        work: impl FnOnce(&mut Mysql) -> Result<u64, Error>,
    ) -> Result<u64, Error> {
        if self.in_transaction || rows == 1 {
            return work(self);
        }
        self.begin()?;
        let done = work(self).and_then(|changed| self.commit().map(|()| changed));
        if done.is_err() {
            let _ = self.rollback();
        }
        done
    }

    /// One statement for one row, and arrays of what is to be written: MariaDB's own way, without a parameter for each
    /// value of each row.
    fn in_arrays(&mut self, statement: &str, rows: &[&dyn Cells]) -> Result<u64, Error> {
        self.usable()?;
        let mut rest = rows;
        let mut changed = 0;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.fitting(rest, usize::MAX).0);
            let given = now.iter().map(|row| Params::Positional(cells(row)));
            let done = self.conn.exec_batch(statement, given);
            self.noted(done)?;
            changed += self.conn.affected_rows();
            rest = later;
        }
        Ok(changed)
    }

    fn in_pieces<R: Cells>(
        &mut self,
        rows: &[R],
        spare: Spare,
        statement: &dyn Fn(usize) -> String,
    ) -> Result<u64, Error> {
        self.usable()?;
        let mut rest = rows;
        let mut changed = 0;
        while !rest.is_empty() {
            let (fit, most) = self.fitting(rest, (PARAMETERS_MAX / rest[0].width().max(1)).max(1));
            let has_spare = spare == Spare::Yes && fit == rest.len();
            let (count, places) = piece(fit, if has_spare { most } else { fit });
            let (now, later) = rest.split_at(count);
            let again = std::iter::repeat_n(&now[count - 1], places - count);
            let mut given = Vec::with_capacity(places * now[0].width());
            for row in now.iter().chain(again) {
                given.extend((0..row.width()).map(|at| value::given(row.cell(at))));
            }
            let done = self.conn.exec_drop(statement(places), Params::Positional(given));
            self.noted(done)?;
            changed += self.conn.affected_rows();
            rest = later;
        }
        Ok(changed)
    }

    /// How many of the rows fit one statement, at least one, about which the server may then complain, and `most`; and
    /// how many would, were there more like the last.
    fn fitting<R: Cells>(&self, rows: &[R], most: usize) -> (usize, usize) {
        let (mut bytes, mut count, mut last) = (1024, 0, 1);
        for row in rows.iter().take(most) {
            last = (0..row.width()).map(|at| row.cell(at).size() + 12).sum::<usize>().max(1);
            if bytes + last > self.packet_bytes_max && count > 0 {
                break;
            }
            bytes += last;
            count += 1;
        }
        (count, most.min(count.saturating_add(self.packet_bytes_max.saturating_sub(bytes) / last)))
    }
}

fn cells(row: &(impl Cells + ?Sized)) -> Vec<mysql::Value> {
    (0..row.width()).map(|at| value::given(row.cell(at))).collect()
}

/// Whether each column's values travel as one type: an array has one.
fn are_alike(rows: &[&dyn Cells]) -> bool {
    let mut types = vec![None; rows.first().map_or(0, |row| row.width())];
    rows.iter().all(|row| {
        types.iter_mut().enumerate().all(|(at, known)| match value::travels(row.cell(at)) {
            None => true,
            own => *known.get_or_insert(own) == own,
        })
    })
}

/// Rows of the next statement, and its places. `fit`: the rows that there are and that fit; `most`: the places that do.
fn piece(fit: usize, most: usize) -> (usize, usize) {
    let larger = CLASSES.into_iter().rev().find(|class| *class >= fit && *class <= most);
    match larger.filter(|class| class - fit <= class / SPARE) {
        Some(class) => (fit, class),
        None => {
            let class = CLASSES.into_iter().find(|class| *class <= fit).unwrap_or(1);
            (class, class)
        }
    }
}

/// A number given as text is compared as a decimal with a decimal column; MySQL would compare both as floats.
fn parameter(column: &ColumnShape) -> String {
    match decimal(&column.type_name) {
        Some((digits, scale)) => format!("CAST(? AS DECIMAL({digits},{scale}))"),
        None => "?".to_owned(),
    }
}

fn is_integer(type_name: &str) -> bool {
    ["tinyint", "smallint", "mediumint", "int", "bigint"].iter().any(|name| {
        type_name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', ' ']))
            && !type_name.ends_with("unsigned")
    })
}

/// Digits and scale of a decimal type.
fn decimal(type_name: &str) -> Option<(u32, u32)> {
    let inner = type_name.strip_prefix("decimal(")?.split(')').next()?;
    let (digits, scale) = inner.split_once(',').unwrap_or((inner, "0"));
    Some((digits.trim().parse().ok()?, scale.trim().parse().ok()?))
}

/// Digits after the point of a column that has a bound of them.
fn scale(column: &ColumnShape) -> Option<i64> {
    match decimal(&column.type_name) {
        Some((_, scale)) => Some(i64::from(scale)),
        None => is_integer(&column.type_name).then_some(0),
    }
}

/// MySQL rounds what has too many digits after the point and says nothing; here that is an error.
fn exact(cell: Cell<'_>, scale: i64, column: &ColumnShape) -> Result<(), Error> {
    let Cell::Numeric(text) = cell else { return Ok(()) };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let part = mantissa.split_once('.').map_or("", |(_, part)| part).trim_end_matches('0');
    let whole = mantissa.split('.').next().unwrap_or_default();
    // A whole number's own zeros take up what a negative power asks for.
    let zeros = if part.is_empty() { (whole.len() - whole.trim_end_matches('0').len()) as i64 } else { 0 };
    let is_zero = mantissa.bytes().all(|byte| !byte.is_ascii_digit() || byte == b'0');
    let after = part.len() as i64 - zeros - exponent.parse::<i64>().unwrap_or(0);
    if after <= scale || is_zero {
        return Ok(());
    }
    let message =
        format!("{text} has more digits after the point than column {} ({})", column.name, column.type_name);
    Err(Error::with_code(Kind::Data, "22003", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::Flavour;

    #[test]
    fn a_batch_is_few_statements() {
        let pieces = |mut rows: usize, most: usize| {
            let mut pieces = Vec::new();
            while rows > 0 {
                let fit = rows.min(most);
                let (count, places) = piece(fit, if fit == rows { most } else { fit });
                assert!(count <= places && places <= most);
                pieces.push((count, places));
                rows -= count;
            }
            pieces
        };
        assert_eq!(pieces(1000, 6553), [(1000, 1024)]);
        assert_eq!(pieces(250, 6553), [(250, 256)]);
        assert_eq!(pieces(3, 6553), [(3, 4)]);
        assert_eq!(pieces(600, 6553), [(512, 512), (64, 64), (24, 32)]);
        // Not more than a packet, or the parameters, allow.
        assert_eq!(pieces(1000, 900), [(512, 512), (488, 512)]);
        assert_eq!(pieces(3, 3), [(2, 2), (1, 1)]);
        assert_eq!(pieces(2, 1), [(1, 1), (1, 1)]);
    }

    #[test]
    fn what_would_be_rounded_is_refused() {
        let fits = |text: &str, type_name: &str| {
            let column = ColumnShape {
                name: "n".to_owned(),
                type_name: type_name.to_owned(),
                nullable: true,
                collation: None,
            };
            let value = Value::Numeric(text.to_owned());
            scale(&column).is_none_or(|scale| exact(value.cell(), scale, &column).is_ok())
        };
        assert!(fits("1.50", "decimal(5,1)") && !fits("1.55", "decimal(5,1)"));
        assert!(fits("1.5e1", "bigint(20)") && !fits("1.5", "bigint"));
        assert!(fits("100E-2", "int") && !fits("101E-2", "int"));
        assert!(
            fits("0E-100", "decimal(65,30)")
                && !fits("1E-31", "decimal(65,30)")
                && fits("1E-30", "decimal(65,30)")
        );
        assert!(fits("1.55", "double") && fits("1.55", "longtext"));
    }

    #[test]
    fn a_version_says_how_to_write() {
        let of = |version: &str| {
            let flavour = Flavour::of(version);
            (flavour.names_rows, flavour.takes_arrays, flavour.keeps_spaces, flavour.key_collation())
        };
        assert_eq!(of("8.0.36-0ubuntu0.22.04.1"), (true, false, true, "utf8mb4_0900_bin"));
        assert_eq!(of("8.0.19"), (false, false, true, "utf8mb4_0900_bin"));
        assert_eq!(of("8.0.16"), (false, false, false, "utf8mb4_bin"));
        assert_eq!(of("5.5.5-10.11.6-MariaDB-1"), (false, true, true, "utf8mb4_nopad_bin"));
        assert_eq!(of("5.5.5-10.1.48-MariaDB"), (false, false, false, "utf8mb4_bin"));
        assert_eq!(of("10.11.14-MariaDB-0+deb12u2"), (false, true, true, "utf8mb4_nopad_bin"));
    }
}
