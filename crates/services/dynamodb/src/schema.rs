//! Keys and indexes as CreateTable and UpdateTable define them, with the rules that bind them to one another.

use super::fault::{Fault, constraint, parameter, validation};
use super::tree::Tree;
use engine::{IndexSpec, KeyPart, KeySchema, ProjectionKind, Reserve, Throughput};
use model::key::KeyType;

pub(super) const LOCAL_INDEXES_MAX: usize = 5;
pub(super) const GLOBAL_INDEXES_MAX: usize = 20;
/// How many attributes make up the partition of a global index's key, and how many sort.
const KEY_ATTRIBUTES_MAX: usize = 4;
/// How many attributes the indexes of a table may project by name, all together.
const PROJECTED_NAMES_MAX: usize = 100;

/// AttributeDefinitions.
pub(super) fn attributes(input: Tree<'_>) -> Vec<KeyPart> {
    let read = |tree: Tree<'_>| {
        let kind = match tree.text("AttributeType") {
            Some("N") => KeyType::N,
            Some("B") => KeyType::B,
            _ => KeyType::S,
        };
        KeyPart::new(tree.text("AttributeName").unwrap_or_default(), kind)
    };
    input.structures("AttributeDefinitions").map(read).collect()
}

/// An attribute is defined once.
pub(super) fn check_distinct(attributes: &[KeyPart]) -> Result<(), Fault> {
    let twice = |at: usize| attributes[..at].iter().any(|earlier| earlier.name == attributes[at].name);
    match (0..attributes.len()).find(|at| twice(*at)) {
        Some(at) => Err(validation(format!("Attribute Name is duplicated: {}", attributes[at].name))),
        None => Ok(()),
    }
}

/// ProvisionedThroughput.
pub(super) fn throughput(tree: Tree<'_>) -> Option<Throughput> {
    throughput_of(tree, "ProvisionedThroughput")
}

/// The same under another name.
pub(super) fn throughput_of(tree: Tree<'_>, member: &str) -> Option<Throughput> {
    let tree = tree.structure(member)?;
    let units = |member| tree.number(member).and_then(|units| u64::try_from(units).ok()).unwrap_or_default();
    Some(Throughput { read_units: units("ReadCapacityUnits"), write_units: units("WriteCapacityUnits") })
}

/// The table's own KeySchema.
pub(super) fn table_keys(input: Tree<'_>, attributes: &[KeyPart]) -> Result<KeySchema, Fault> {
    let schema = elements(input);
    if schema.len() > 2 {
        let shown = |(name, kind): &(String, String)| {
            format!("KeySchemaElement(attributeName={name}, keyType={kind})")
        };
        let value = format!("[{}]", schema.iter().map(shown).collect::<Vec<_>>().join(", "));
        return Err(constraint(&value, "keySchema", "Member must have length less than or equal to 2"));
    }
    let undefined =
        schema.iter().any(|(name, _)| !attributes.iter().any(|attribute| *attribute.name == **name));
    if attributes.len() < schema.len() {
        return Err(validation("Invalid KeySchema: Some index key attribute have no definition"));
    }
    if undefined {
        return Err(undefined_keys(&schema, attributes));
    }
    pair(schema, attributes)
}

/// One index, checked by itself and against the table.
pub(super) fn index(tree: Tree<'_>, attributes: &[KeyPart]) -> Result<IndexSpec, Fault> {
    let (name, key) = index_key(tree, attributes)?;
    let (projection, throughput) = (projection(tree)?, throughput(tree));
    Ok(IndexSpec { name: name.into(), key, projection, throughput, reserve: Reserve::default() })
}

fn index_key<'a>(tree: Tree<'a>, attributes: &[KeyPart]) -> Result<(&'a str, KeySchema), Fault> {
    let name = tree.text("IndexName").unwrap_or_default();
    let schema = elements(tree);
    if schema.iter().any(|(name, _)| !attributes.iter().any(|attribute| *attribute.name == **name)) {
        return Err(undefined_keys(&schema, attributes));
    }
    let several_hashes = matches!(&*schema, [(first, one), (second, other)] if one == "HASH" && other == "HASH" && first != second);
    let key = match schema.len() > 2 || several_hashes {
        true => several(schema, attributes, name)?,
        false => pair(schema, attributes)?,
    };
    Ok((name, key))
}

fn undefined_keys(schema: &[(String, String)], attributes: &[KeyPart]) -> Fault {
    parameter(format!(
        "Some index key attributes are not defined in AttributeDefinitions. Keys: {}, AttributeDefinitions: {}",
        listed(schema.iter().map(|(name, _)| name.as_str())),
        listed(attributes.iter().map(|attribute| &*attribute.name)),
    ))
}

/// LocalSecondaryIndexes, which share the table's partition key.
pub(super) fn local_indexes(
    input: Tree<'_>,
    attributes: &[KeyPart],
    table: &KeySchema,
) -> Result<Vec<IndexSpec>, Fault> {
    let Some(list) = input.list("LocalSecondaryIndexes") else {
        return Ok(Vec::new());
    };
    if list.is_empty() {
        return Err(parameter("List of LocalSecondaryIndexes is empty"));
    }
    if table.range.is_empty() {
        return Err(parameter(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
        ));
    }
    let mut indexes = Vec::with_capacity(list.len());
    for tree in list {
        let tree = Tree::of(tree);
        let (name, key) = index_key(tree, attributes)?;
        if key.range.is_empty() && key.hash.len() > 1 {
            return Err(second_is_no_range());
        }
        if key.range.is_empty() {
            return Err(parameter(format!("Index KeySchema does not have a range key for index: {name}")));
        }
        if key.parts().count() > 2 {
            return Err(parameter(format!(
                "The key of a local secondary index has at most 2 attributes. IndexName: {name}"
            )));
        }
        if key.hash != table.hash {
            return Err(parameter(format!(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index: {name}. index hash key: {}, table hash key: {}",
                first(&key),
                first(table)
            )));
        }
        indexes.push(index(tree, attributes)?);
    }
    if indexes.len() > LOCAL_INDEXES_MAX {
        return Err(parameter(format!(
            "Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_INDEXES_MAX}"
        )));
    }
    Ok(indexes)
}

/// GlobalSecondaryIndexes.
pub(super) fn global_indexes(input: Tree<'_>, attributes: &[KeyPart]) -> Result<Vec<IndexSpec>, Fault> {
    let Some(list) = input.list("GlobalSecondaryIndexes") else {
        return Ok(Vec::new());
    };
    if list.is_empty() {
        return Err(parameter("List of GlobalSecondaryIndexes is empty"));
    }
    let indexes = list.iter().map(|tree| index(Tree::of(tree), attributes)).collect::<Result<Vec<_>, _>>()?;
    if indexes.len() > GLOBAL_INDEXES_MAX {
        return Err(parameter(format!(
            "GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_INDEXES_MAX}"
        )));
    }
    Ok(indexes)
}

/// What holds for all indexes of a table together.
pub(super) fn check_indexes<'a>(indexes: impl Iterator<Item = &'a IndexSpec> + Clone) -> Result<(), Fault> {
    for (at, index) in indexes.clone().enumerate() {
        if indexes.clone().take(at).any(|earlier| earlier.name == index.name) {
            return Err(parameter(format!("Duplicate index name: {}", index.name)));
        }
    }
    let projected: usize = indexes
        .map(|index| match &index.projection {
            ProjectionKind::Include(names) => names.len(),
            _ => 0,
        })
        .sum();
    if projected > PROJECTED_NAMES_MAX {
        return Err(parameter(format!(
            "The total number of non-key attributes projected by the indexes exceeds the limit of {PROJECTED_NAMES_MAX}"
        )));
    }
    Ok(())
}

/// Every attribute that is defined must be a key of something.
pub(super) fn check_used<'a>(
    attributes: &[KeyPart],
    table: &'a KeySchema,
    indexes: impl Iterator<Item = &'a IndexSpec>,
) -> Result<(), Fault> {
    let mut used: Vec<&str> = table.parts().map(|part| &*part.name).collect();
    let mut indexed = false;
    for part in indexes.flat_map(|index| index.key.parts()) {
        indexed = true;
        if !used.contains(&&*part.name) {
            used.push(&part.name);
        }
    }
    if attributes.iter().all(|attribute| used.contains(&&*attribute.name)) {
        return Ok(());
    }
    if !indexed {
        return Err(parameter(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
        ));
    }
    Err(parameter(format!(
        "Some AttributeDefinitions are not used. AttributeDefinitions: {}, keys used: {}",
        listed(attributes.iter().map(|attribute| &*attribute.name)),
        listed(used.into_iter()),
    )))
}

fn elements(tree: Tree<'_>) -> Vec<(String, String)> {
    let read = |tree: Tree<'_>| {
        let text = |member| tree.text(member).unwrap_or_default().to_owned();
        (text("AttributeName"), text("KeyType"))
    };
    tree.structures("KeySchema").map(read).collect()
}

fn pair(schema: Vec<(String, String)>, attributes: &[KeyPart]) -> Result<KeySchema, Fault> {
    let mut schema = schema.into_iter();
    let Some((hash, kind)) = schema.next() else {
        return Err(constraint("[]", "keySchema", "Member must have length greater than or equal to 1"));
    };
    let range = schema.next();
    if range.as_ref().is_some_and(|(range, _)| *range == hash) {
        return Err(same_name());
    }
    if kind != "HASH" {
        return Err(validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
    }
    let range = match range {
        Some((_, kind)) if kind != "RANGE" => {
            return Err(second_is_no_range());
        }
        range => range.map(|(range, _)| range),
    };
    let part = |name: String| {
        let defined = attributes.iter().find(|attribute| *attribute.name == *name);
        defined.cloned().unwrap_or_else(|| KeyPart::new(&name, KeyType::S))
    };
    Ok(KeySchema::simple(part(hash), range.map(part)))
}

/// The key of a global index of several attributes: those of its partitions, then those that sort.
fn several(schema: Vec<(String, String)>, attributes: &[KeyPart], name: &str) -> Result<KeySchema, Fault> {
    for (at, (attribute, _)) in schema.iter().enumerate() {
        if schema[..at].iter().any(|(earlier, _)| earlier == attribute) {
            return Err(same_name());
        }
    }
    let hashes = schema.iter().take_while(|(_, kind)| kind == "HASH").count();
    if hashes == 0 {
        return Err(validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
    }
    if schema[hashes..].iter().any(|(_, kind)| kind != "RANGE") {
        return Err(validation(
            "Invalid KeySchema: HASH KeySchemaElements must precede RANGE KeySchemaElements",
        ));
    }
    if hashes > KEY_ATTRIBUTES_MAX || schema.len() - hashes > KEY_ATTRIBUTES_MAX {
        return Err(parameter(format!(
            "Number of HASH or RANGE key attributes exceeds the limit of {KEY_ATTRIBUTES_MAX}. IndexName: {name}"
        )));
    }
    let part = |(name, _): &(String, String)| attributes.iter().find(|known| *known.name == **name).cloned();
    let (hash, range) = schema.split_at(hashes);
    Ok(KeySchema {
        hash: hash.iter().filter_map(part).collect(),
        range: range.iter().filter_map(part).collect(),
    })
}

fn second_is_no_range() -> Fault {
    validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
}

fn same_name() -> Fault {
    validation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
}

fn first(schema: &KeySchema) -> &str {
    schema.hash.first().map_or("", |part| &*part.name)
}

fn projection(tree: Tree<'_>) -> Result<ProjectionKind, Fault> {
    let projection = tree.structure("Projection");
    let names = projection.and_then(|projection| projection.list("NonKeyAttributes"));
    match (projection.and_then(|projection| projection.text("ProjectionType")), names) {
        (None, _) => Err(parameter("Unknown ProjectionType: null")),
        (Some("INCLUDE"), None) => {
            Err(parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified"))
        }
        (Some("INCLUDE"), Some(names)) => {
            let names: Vec<&str> = names.iter().filter_map(|name| name.as_str()).collect();
            let mut twice = names.iter().enumerate().filter(|(at, name)| names[..*at].contains(name));
            match twice.next() {
                Some((_, name)) => Err(parameter(format!("Duplicate value in NonKeyAttributes: {name}"))),
                None => Ok(ProjectionKind::Include(names.into_iter().map(Into::into).collect())),
            }
        }
        (Some(kind), Some(_)) => {
            Err(parameter(format!("ProjectionType is {kind}, but NonKeyAttributes is specified")))
        }
        (Some("ALL"), None) => Ok(ProjectionKind::All),
        (Some(_), None) => Ok(ProjectionKind::KeysOnly),
    }
}

pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", names.collect::<Vec<_>>().join(", "))
}
