//! What a SELECT lists, of an item. Each path becomes an attribute with the path's last name.

use crate::answer::corrupt;
use crate::fault::Fault;
use model::partiql::{Path, Step};
use model::{Item, ValueView, View};

pub(super) fn project(paths: Option<&[Path]>, view: View<'_>) -> Result<Item, Fault> {
    let Some(paths) = paths else {
        return view.to_item().map_err(corrupt);
    };
    let mut item = Item::with_capacity(paths.len());
    for (at, path) in paths.iter().enumerate() {
        let Some(value) = find(path, view)? else {
            continue;
        };
        let name = match path.steps.last() {
            None => path.root.clone(),
            Some(Step::Field(field)) => field.clone(),
            // An element has no name: its place in the list gives it one.
            Some(Step::Element(_)) => format!("_{}", at + 1),
        };
        item.insert(name, value.to_value().map_err(corrupt)?);
    }
    Ok(item)
}

fn find<'v>(path: &Path, view: View<'v>) -> Result<Option<ValueView<'v>>, Fault> {
    let mut found = view.get(&path.root).map_err(corrupt)?;
    for step in &path.steps {
        found = match (found, step) {
            (Some(ValueView::M(map)), Step::Field(field)) => map.get(field).map_err(corrupt)?,
            (Some(ValueView::L(list)), Step::Element(index)) => list.get(*index as usize).map_err(corrupt)?,
            _ => return Ok(None),
        };
    }
    Ok(found)
}
