//! Columns that are there: what they would change without a word never reaches them.

use crate::Error;
use crate::mapping::{Column, From, Kind, Mapping};
use sql::{Bound, ColumnShape, Connection, Dialect, Holds};

/// What a file may say instead.
const KINDS: [Kind; 6] = [Kind::Text, Kind::Numeric, Kind::Bigint, Kind::Double, Kind::Boolean, Kind::Json];

/// The mapping within what the columns of its table hold; one that cannot hold its values is refused.
pub fn within(connection: &mut Connection, mut mapping: Mapping) -> Result<Mapping, Error> {
    let Some(shape) = connection.table(&mapping.table)? else { return Ok(mapping) };
    for column in mapping.columns.clone() {
        let Some(given) = shape.column(&column.name) else { continue };
        let bound = bound(&mapping, &column, given, connection.dialect());
        let bound = bound.map_err(|fault| Error::config(format!("table {}: {fault}", mapping.table)))?;
        if let Some(bound) = bound {
            mapping = mapping.bounded(&column.name, bound);
        }
    }
    Ok(mapping)
}

/// What the column holds of its mapping's values, where that is not all; an error: it holds none of them, or nobody knows
/// which.
pub fn bound(
    mapping: &Mapping,
    column: &Column,
    given: &ColumnShape,
    dialect: Dialect,
) -> Result<Option<Bound>, String> {
    // A time of deletion is one in a column of times, too.
    if column.from == From::DeletedAt {
        return Ok(None);
    }
    let is_key = mapping.key.contains(&column.name);
    match given.holds(column.kind.column(), dialect) {
        // Longer keys are refused by the database.
        Holds::All | Holds::Within(Bound::Letters(_) | Bound::Bytes(_)) if is_key => {
            Ok(given.tells_apart(column.kind.column(), dialect))
        }
        Holds::All => Ok(None),
        Holds::Within(bound) => Ok(Some(bound)),
        // Which is told of keys when the table is looked at as a whole.
        Holds::Not if is_key && given.mixes_keys(column.kind.column(), dialect).is_some() => Ok(None),
        Holds::Not => Err(format!(
            "the column {} is of type {}, which would change values of {}, or takes none: {}",
            column.name,
            given.type_name,
            column.kind,
            way_out(column, given, dialect)
        )),
    }
}

fn way_out(column: &Column, given: &ColumnShape, dialect: Dialect) -> String {
    let fits = |kind: &&Kind| given.holds(kind.column(), dialect) != Holds::Not;
    let kinds: Vec<String> = KINDS.iter().filter(fits).map(|kind| format!("type = \"{kind}\"")).collect();
    let another = "give the table's column another type, or name another table";
    match column.from {
        From::Attribute(_) | From::Constant(_) if !kinds.is_empty() => {
            format!("give {} {} in [pipeline.columns], {another}", column.name, kinds.join(" or "))
        }
        _ => another.to_owned(),
    }
}
