//! What a change set tells of resources: what is added, changed and removed, and what causes it.

use super::resources::tags::{over, takes, with_stacks};
use super::resources::{self, Kind};
use super::stack::Resource;
use super::template::evaluate::{Mention, Scope, is_later};
use super::template::{Template, graph};
use serde_json::{Map, Value, json};
use servicekit::fields::object;
use std::collections::{BTreeMap, BTreeSet};

/// What of a resource can change beside its properties.
const ATTRIBUTES: [&str; 5] =
    ["CreationPolicy", "DeletionPolicy", "Metadata", "UpdatePolicy", "UpdateReplacePolicy"];

const PROPERTIES: &str = "Properties";

/// The property that is told as an attribute of the resource: its tags are its stack's, too.
const TAGS: &str = "Tags";

/// A stack as it is.
pub(crate) struct Before<'a> {
    /// None before there was one.
    pub template: Option<&'a Template>,
    pub resources: &'a BTreeMap<String, Resource>,
    /// What its functions asked for, without the resources. None before there was one.
    pub scope: Option<&'a Scope>,
    /// The parameters that have another value now.
    pub changed: &'a BTreeSet<String>,
    pub tags: &'a BTreeMap<String, String>,
}

/// What a stack shall be.
#[derive(Clone, Copy)]
pub(crate) struct After<'a> {
    pub template: &'a Template,
    pub tags: &'a BTreeMap<String, String>,
}

/// The changes twice: by what may change, and with values, by what does as far as it is known.
#[derive(Default)]
pub(crate) struct Changes {
    pub plain: Vec<Value>,
    pub valued: Vec<Value>,
}

/// What became of the resources so far.
#[derive(Default)]
struct Progress {
    changed: BTreeSet<String>,
    replaced: BTreeSet<String>,
}

/// `scope` foresees: whatever is not replaced answers as it was made.
pub(crate) fn changes(before: &Before<'_>, after: After<'_>, mut scope: Scope) -> Result<Changes, String> {
    let template = after.template;
    let (mut changes, mut progress) = (Changes::default(), Progress::default());
    let mut kept = BTreeSet::new();
    for logical in graph::order(template)? {
        let resource = &template.resources()[&logical];
        if !scope.wanted(resource)? {
            continue;
        }
        kept.insert(logical.clone());
        let kind = template.resource_type(&logical);
        let Some(old) = before.resources.get(&logical) else {
            let entry = json!({"Action": "Add", "LogicalResourceId": logical, "ResourceType": kind, "Scope": [], "Details": []});
            changes.plain.push(wrapped(entry.clone(), None));
            let properties = foreseen(&scope, resource.get("Properties"))?.0;
            let made = context(with_stacks(kind, properties, after.tags), resource).to_string();
            changes.valued.push(wrapped(entry, Some(json!({ "AfterContext": made }))));
            continue;
        };
        let was = before.template.and_then(|template| template.resources().get(&logical));
        let now = Now { kind, resource, tags: after.tags };
        let difference = difference(before, &scope, &progress, (old, was), &now)?;
        match difference.replacement {
            "True" => drop(progress.replaced.insert(logical.clone())),
            _ => drop(scope.resources.insert(logical.clone(), old.answering())),
        }
        difference.tell(&logical, (old, was), (kind, resource), &mut changes);
        let of_properties = |detail: &Value| detail["Target"]["Attribute"] == PROPERTIES;
        if difference.plain.iter().any(of_properties) || difference.replacement == "True" {
            progress.changed.insert(logical);
        }
    }
    for (logical, old) in before.resources.iter().filter(|(logical, _)| !kept.contains(*logical)) {
        let policy = if old.retained() { "Retain" } else { "Delete" };
        let entry = json!({
            "PolicyAction": policy, "Action": "Remove", "LogicalResourceId": logical,
            "PhysicalResourceId": old.made.id, "ResourceType": old.kind, "Scope": [], "Details": [],
        });
        changes.plain.push(wrapped(entry.clone(), None));
        let was = before.template.and_then(|template| template.resources().get(logical));
        let properties = with_stacks(&old.kind, old.properties.clone(), old.tags(before.tags));
        let context = context(properties, was.unwrap_or(&Value::Null)).to_string();
        changes.valued.push(wrapped(entry, Some(json!({ "BeforeContext": context }))));
    }
    Ok(changes)
}

/// How one resource differs.
struct Difference {
    plain: Vec<Value>,
    valued: Vec<Value>,
    replacement: &'static str,
    /// Its properties as they were, and as they are foreseen.
    before: Value,
    after: Value,
}

/// A resource as the template says it now, and the stack's tags.
struct Now<'a> {
    kind: &'a str,
    resource: &'a Value,
    tags: &'a BTreeMap<String, String>,
}

/// One member of a resource: of its properties, or an attribute of the resource itself.
struct Member<'a> {
    /// Empty for an attribute of the resource itself.
    property: &'a str,
    attribute: &'static str,
    recreation: &'static str,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
    mentions: &'a [Mention],
    /// Whether the template says it in other words.
    rewritten: bool,
}

fn difference(
    before: &Before<'_>,
    scope: &Scope,
    progress: &Progress,
    (old, was): (&Resource, Option<&Value>),
    &Now { kind, resource, tags }: &Now<'_>,
) -> Result<Difference, String> {
    let empty = Map::new();
    let written = |resource: Option<&Value>, name: &str| resource.and_then(|one| one.get(name)).cloned();
    let now = resource.get("Properties").and_then(Value::as_object).unwrap_or(&empty);
    let whole = with_stacks(&old.kind, old.properties.clone(), old.tags(before.tags));
    let then = whole.as_object().unwrap_or(&empty);
    let of_stack = |name: &str| name == TAGS && takes(kind) && !tags.is_empty();
    let known = resources::known(kind);
    let (mut plain, mut valued, mut after) = (Vec::new(), Vec::new(), Map::new());
    let mut replacement = if old.kind == kind { "False" } else { "True" };
    let names = now.keys().chain(then.keys()).map(String::as_str);
    let names: BTreeSet<&str> = names.chain(Some(TAGS).filter(|name| of_stack(name))).collect();
    let old_texts = written(was, "Properties");
    for name in names {
        let (value, mentions) = match now.get(name) {
            Some(text) => scope.foresee(text)?,
            None => (None, Vec::new()),
        };
        let value = if of_stack(name) { Some(over(tags, value.as_ref())) } else { value };
        let retagged = name == TAGS && old.tags(before.tags) != tags;
        let fixed = known.is_some_and(|kind: &Kind| kind.is_fixed(name));
        let member = Member {
            property: name,
            attribute: if name == TAGS && takes(kind) { TAGS } else { PROPERTIES },
            recreation: if fixed { "Always" } else { "Never" },
            before: then.get(name),
            after: value.as_ref(),
            mentions: &mentions,
            rewritten: retagged
                || was.is_some() && written(old_texts.as_ref(), name).as_ref() != now.get(name),
        };
        let causes = member.causes(before, scope, progress);
        plain.extend(causes.iter().flat_map(|cause| cause.plain(&member)));
        valued.extend(member.valued(&causes));
        if fixed && !causes.is_empty() {
            let certain = causes.iter().any(|cause| cause.is_certain(&member));
            replacement = if certain || replacement == "True" { "True" } else { "Conditional" };
        }
        after.extend(value.map(|value| (name.to_owned(), value)));
    }
    for attribute in ATTRIBUTES {
        let (old_text, new_text) = (written(was, attribute), written(Some(resource), attribute));
        let (value, mentions) = foreseen(scope, new_text.as_ref())?;
        let unresolved = old_text.as_ref() == new_text.as_ref() && mentions.is_empty();
        let earlier = if unresolved { value.clone() } else { before.evaluated(old_text.as_ref()) };
        let member = Member {
            property: "",
            attribute,
            recreation: "Never",
            before: Some(&earlier),
            after: Some(&value),
            mentions: &mentions,
            rewritten: was.is_some() && old_text != new_text,
        };
        let causes = if was.is_some() { member.causes(before, scope, progress) } else { Vec::new() };
        plain.extend(causes.iter().flat_map(|cause| cause.plain(&member)));
        valued.extend(member.valued(&causes));
    }
    Ok(Difference { plain, valued, replacement, before: whole, after: after.into() })
}

impl Difference {
    fn tell(
        &self,
        logical: &str,
        (old, was): (&Resource, Option<&Value>),
        (kind, resource): (&str, &Value),
        changes: &mut Changes,
    ) {
        let replaces = self.replacement != "False";
        let retained = resource.get("UpdateReplacePolicy").and_then(Value::as_str) == Some("Retain");
        let entry = |details: &[Value]| {
            let scope: BTreeSet<_> =
                details.iter().filter_map(|one| one["Target"]["Attribute"].as_str()).collect();
            let policy = if retained { "ReplaceAndRetain" } else { "ReplaceAndDelete" };
            object([
                ("PolicyAction", replaces.then(|| policy.into())),
                ("Action", Some("Modify".into())),
                ("LogicalResourceId", Some(logical.into())),
                ("PhysicalResourceId", Some(old.made.id.as_str().into())),
                ("ResourceType", Some(kind.into())),
                ("Replacement", Some(self.replacement.into())),
                ("Scope", Some(scope.into_iter().map(Value::from).collect())),
                ("Details", Some(details.into())),
            ])
        };
        if !self.plain.is_empty() || self.replacement == "True" {
            changes.plain.push(wrapped(entry(&self.plain), None));
        }
        if !self.valued.is_empty() || self.replacement == "True" {
            let contexts = json!({
                "BeforeContext": context(self.before.clone(), was.unwrap_or(&Value::Null)).to_string(),
                "AfterContext": context(self.after.clone(), resource).to_string(),
            });
            changes.valued.push(wrapped(entry(&self.valued), Some(contexts)));
        }
    }
}

/// Why a member changes.
enum Cause {
    /// The template says something else.
    Text,
    Parameter(String),
    /// A resource that is made anew, or one of its attributes.
    Replaced(Mention),
    /// An attribute of a resource that is changed in its place: perhaps it stays.
    Attribute(Mention),
}

impl Member<'_> {
    fn causes(&self, before: &Before<'_>, scope: &Scope, progress: &Progress) -> Vec<Cause> {
        let differs = self.before != self.after;
        let mut causes = Vec::new();
        if differs && self.rewritten {
            return vec![Cause::Text];
        }
        let mut seen = BTreeSet::new();
        for mention in self.mentions.iter().filter(|one| seen.insert((&one.name, &one.attribute))) {
            if scope.parameters.contains_key(&mention.name) {
                if differs && before.changed.contains(&mention.name) {
                    causes.push(Cause::Parameter(mention.name.clone()));
                }
            } else if progress.replaced.contains(&mention.name) {
                causes.push(Cause::Replaced(mention.clone()));
            } else if mention.attribute.is_some() && progress.changed.contains(&mention.name) {
                causes.push(Cause::Attribute(mention.clone()));
            }
        }
        if differs && causes.is_empty() {
            causes.push(Cause::Text);
        }
        causes
    }

    fn target(&self) -> Value {
        object([
            ("Attribute", Some(self.attribute.into())),
            ("Name", (self.attribute == PROPERTIES).then(|| self.property.into())),
            ("RequiresRecreation", Some(self.recreation.into())),
        ])
    }

    /// The details with values, of a member whose value differs.
    fn valued(&self, causes: &[Cause]) -> Vec<Value> {
        if self.before == self.after {
            return Vec::new();
        }
        let how = match (self.before, self.after) {
            (None | Some(Value::Null), _) => "Add",
            (_, None | Some(Value::Null)) => "Remove",
            _ => "Modify",
        };
        let path = match self.property {
            "" => format!("/{}", self.attribute),
            name => format!("/{PROPERTIES}/{name}"),
        };
        let told = |value: Option<&Value>| {
            let value = value.filter(|value| !value.is_null())?;
            Some(Value::from(value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        };
        let mut target = self.target();
        for (name, value) in [
            ("Path", Some(path.into())),
            ("BeforeValue", told(self.before)),
            ("AfterValue", told(self.after)),
            ("AttributeChangeType", Some(how.into())),
        ] {
            value.into_iter().for_each(|value| target[name] = value);
        }
        let by_text = causes.iter().all(|cause| matches!(cause, Cause::Text));
        let direct = detail(&target, if by_text { "Static" } else { "Dynamic" }, "DirectModification", None);
        let others = causes.iter().filter_map(|cause| {
            let (source, entity) = cause.entity()?;
            Some(detail(&target, "Static", source, Some(entity)))
        });
        std::iter::once(direct).chain(others).collect()
    }
}

impl Cause {
    fn entity(&self) -> Option<(&'static str, String)> {
        match self {
            Cause::Text => None,
            Cause::Parameter(name) => Some(("ParameterReference", name.clone())),
            Cause::Replaced(Mention { name, attribute }) | Cause::Attribute(Mention { name, attribute }) => {
                Some(match attribute {
                    Some(attribute) => ("ResourceAttribute", format!("{name}.{attribute}")),
                    None => ("ResourceReference", name.clone()),
                })
            }
        }
    }

    /// Whether it is known that the value changes: not of one that is known later.
    fn is_certain(&self, member: &Member<'_>) -> bool {
        matches!(self, Cause::Text | Cause::Parameter(_)) && !member.after.is_some_and(is_later)
    }

    fn plain(&self, member: &Member<'_>) -> Vec<Value> {
        let target = member.target();
        let Some((source, entity)) = self.entity() else {
            return vec![detail(&target, "Static", "DirectModification", None)];
        };
        let evaluation = if matches!(self, Cause::Attribute(_)) { "Dynamic" } else { "Static" };
        let mut details = vec![detail(&target, evaluation, source, Some(entity))];
        if matches!(self, Cause::Parameter(_)) {
            details.push(detail(&target, "Dynamic", "DirectModification", None));
        }
        details
    }
}

impl Before<'_> {
    /// An attribute as it was: with the parameters of before.
    fn evaluated(&self, text: Option<&Value>) -> Value {
        let Some(own) = self.scope else { return Value::Null };
        let then = Scope {
            pseudo: own.pseudo.clone(),
            parameters: own.parameters.clone(),
            mappings: own.mappings.clone(),
            conditions: own.conditions.clone(),
            resources: self.resources.iter().map(|(name, one)| (name.clone(), one.answering())).collect(),
            ..Scope::default()
        };
        text.and_then(|text| then.evaluate(text).ok()).unwrap_or(Value::Null)
    }
}

fn detail(target: &Value, evaluation: &str, source: &str, entity: Option<String>) -> Value {
    object([
        ("Target", Some(target.clone())),
        ("Evaluation", Some(evaluation.into())),
        ("ChangeSource", Some(source.into())),
        ("CausingEntity", entity.map(Value::from)),
    ])
}

fn foreseen(scope: &Scope, text: Option<&Value>) -> Result<(Value, Vec<Mention>), String> {
    let Some(text) = text else { return Ok((Value::Null, Vec::new())) };
    let (value, mentions) = scope.foresee(text)?;
    Ok((value.unwrap_or(Value::Null), mentions))
}

/// A resource as a change set with values tells it.
fn context(properties: Value, resource: &Value) -> Value {
    let properties = if properties.is_null() { json!({}) } else { properties };
    object([("Properties", Some(properties)), ("Metadata", resource.get("Metadata").cloned())])
}

fn wrapped(mut change: Value, values: Option<Value>) -> Value {
    for (name, value) in values.as_ref().and_then(Value::as_object).into_iter().flatten() {
        change[name] = value.clone();
    }
    json!({"Type": "Resource", "ResourceChange": change})
}

#[cfg(test)]
mod tests;
