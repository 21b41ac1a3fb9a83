//! Paths that step into keys, which have nothing inside.

use super::fault::{Fault, validation};
use engine::Table;

/// Refuses them; `roots` are the attributes that paths start at, and whether they go on from there. [suite: dynalite]
pub(super) fn check_paths<'a>(
    table: &Table,
    roots: impl Iterator<Item = (&'a str, bool)>,
) -> Result<(), Fault> {
    let nested: Vec<&str> = roots.filter(|(_, nested)| *nested).map(|(name, _)| name).collect();
    if nested.is_empty() {
        return Ok(());
    }
    let refuse = |kind: &str, name: &str| {
        Err(validation(format!(
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {kind}: {name}"
        )))
    };
    let is_key = |name: &&&str| table.key_schema().contains(name);
    if let Some(name) = nested.iter().find(is_key) {
        return refuse("Key", name);
    }
    let state = table.state();
    let of_index = |name: &&&str| state.indexes().iter().any(|index| index.key_schema().contains(name));
    match nested.iter().find(of_index) {
        Some(name) => refuse("IndexKey", name),
        None => Ok(()),
    }
}
