//! What every description has in common: ids, filters and pages, over things as they are shown.

use super::{fault, invalid};
use serde_json::{Map, Value};
use servicekit::call::Answer;
use servicekit::fields::{integer, page, required, text, texts};
use wire::ServiceError;

/// How one kind of thing is asked for.
pub(super) struct Listing {
    /// The answer's member.
    pub list: &'static str,
    /// The request's member with ids, and the member that is one in what is shown.
    pub ids: &'static str,
    pub id: &'static str,
    pub missing: fn(&str) -> ServiceError,
    /// Names of filters and the members they look at, through lists: `Associations.SubnetId`.
    pub filters: &'static [(&'static str, &'static str)],
}

/// Those that are asked for among all of them.
pub(super) fn describe(input: &Value, listing: &Listing, all: Vec<Value>) -> Answer {
    let ids = texts(input, listing.ids);
    let is = |thing: &Value, id: &str| thing[listing.id] == *id;
    if let Some(id) = ids.iter().find(|id| !all.iter().any(|thing| is(thing, id))) {
        return Err((listing.missing)(id));
    }
    let filters = filters(input, listing.filters)?;
    let wanted = all.into_iter().filter(|thing| {
        (ids.is_empty() || ids.iter().any(|id| is(thing, id)))
            && filters.iter().all(|filter| filter.takes(thing))
    });
    let mut entries: Vec<(String, Value)> =
        wanted.map(|thing| (required(&thing, listing.id).to_owned(), thing)).collect();
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    let limit = integer(input, "MaxResults").map_or(1_000, |limit| limit.clamp(1, 1_000) as usize);
    let bad = || fault("InvalidNextToken", "The token provided is not valid.");
    let page = page(entries, text(input, "NextToken"), limit, bad)?;
    let mut answer = Map::new();
    answer.insert(listing.list.to_owned(), page.items.into());
    if let Some(next) = page.next {
        answer.insert("NextToken".to_owned(), next.into());
    }
    Ok(answer.into())
}

/// One filter: a thing must have one of the values, in which `*` and `?` stand for others.
struct Filter<'a> {
    looks_at: Looks<'a>,
    values: Vec<String>,
}

enum Looks<'a> {
    Member(&'static str),
    Tag(&'a str),
    TagKeys,
}

fn filters<'a>(
    input: &'a Value,
    known: &'static [(&'static str, &'static str)],
) -> Result<Vec<Filter<'a>>, ServiceError> {
    // NAT gateways' member is in the singular.
    let given = input.get("Filters").or_else(|| input.get("Filter")).and_then(Value::as_array);
    let read = |filter: &'a Value| {
        let name = required(filter, "Name");
        let looks_at = match name.strip_prefix("tag:") {
            Some(key) => Looks::Tag(key),
            None if name == "tag-key" => Looks::TagKeys,
            None => match known.iter().find(|(known, _)| *known == name) {
                Some((_, member)) => Looks::Member(member),
                None => return Err(invalid(format!("The filter '{name}' is invalid"))),
            },
        };
        Ok(Filter { looks_at, values: texts(filter, "Values") })
    };
    given.into_iter().flatten().map(read).collect()
}

impl Filter<'_> {
    fn takes(&self, thing: &Value) -> bool {
        let mut found = Vec::new();
        match self.looks_at {
            Looks::Member(path) => collect(thing, path, &mut found),
            Looks::Tag(key) => {
                let tags = thing.get("Tags").and_then(Value::as_array).into_iter().flatten();
                let named = tags.filter(|tag| tag["Key"] == *key);
                found.extend(named.map(|tag| required(tag, "Value").to_owned()));
            }
            Looks::TagKeys => collect(thing, "Tags.Key", &mut found),
        }
        found.iter().any(|value| self.values.iter().any(|pattern| like(pattern, value)))
    }
}

/// Every value at the end of a path, as a text.
fn collect(thing: &Value, path: &str, found: &mut Vec<String>) {
    match thing {
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, found)),
        Value::Object(members) if !path.is_empty() => {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(inner) = members.get(first) {
                collect(inner, rest, found);
            }
        }
        Value::String(text) => found.push(text.clone()),
        Value::Bool(_) | Value::Number(_) => found.push(thing.to_string()),
        Value::Null | Value::Object(_) => {}
    }
}

/// Whether a text is what a pattern describes; a backslash takes a wildcard at its word.
fn like(pattern: &str, text: &str) -> bool {
    let letters = pattern.chars().collect::<Vec<_>>();
    let text = text.chars().collect::<Vec<_>>();
    // Where the last star stood, and what it has taken so far: going back to it is enough.
    let (mut at, mut seen, mut star) = (0, 0, None);
    while seen < text.len() {
        match letters.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
                continue;
            }
            Some('\\') if letters.get(at + 1) == Some(&text[seen]) => {
                (at, seen) = (at + 2, seen + 1);
                continue;
            }
            Some(letter) if *letter == '?' || *letter == text[seen] => {
                (at, seen) = (at + 1, seen + 1);
                continue;
            }
            _ => {}
        }
        let Some((star_at, taken)) = star else { return false };
        star = Some((star_at, taken + 1));
        (at, seen) = (star_at + 1, taken + 1);
    }
    letters[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn values_of_filters_are_patterns() {
        for (pattern, text, is) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("*b*d", "abcbd", true),
            ("a?c", "abc", true),
            ("?", "", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
        ] {
            assert_eq!(like(pattern, text), is, "{pattern} {text}");
        }
    }
}
