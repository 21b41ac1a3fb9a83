//! Policy documents, read once and kept in our own words.

use super::condition::Condition;
use super::pattern;
use super::{Question, Who};
use serde_json::Value;

/// Why a document is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// These, or all but these.
#[derive(Clone, Debug)]
enum Set {
    Of(Vec<String>),
    AllBut(Vec<String>),
}

impl Set {
    fn has(&self, holds: impl Fn(&String) -> bool) -> bool {
        match self {
            Set::Of(all) => all.iter().any(holds),
            Set::AllBut(all) => !all.iter().any(holds),
        }
    }
}

/// `"*"`, or kinds of somebody with their names.
#[derive(Clone, Debug)]
enum Principals {
    Everybody,
    Named(Vec<(String, String)>),
}

impl Principals {
    fn has(&self, who: &Who) -> bool {
        let Principals::Named(all) = self else { return true };
        let account = [who.account.clone(), format!("arn:aws:iam::{}:root", who.account)];
        self.has_in_person(who) || all.iter().any(|(kind, name)| kind == "AWS" && account.contains(name))
    }

    /// Whether it names somebody in person, and not the account as a whole, which only lets the account's own
    /// policies decide.
    fn has_in_person(&self, who: &Who) -> bool {
        let Principals::Named(all) = self else { return true };
        all.iter().any(|(kind, name)| {
            kind == "AWS" && (name == "*" || *name == who.arn || who.role.as_ref() == Some(name))
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub effect: Effect,
    principals: Option<(bool, Principals)>,
    actions: Set,
    resources: Option<Set>,
    conditions: Vec<Condition>,
}

impl Statement {
    /// Whether it speaks of the question, whoever asks.
    pub fn speaks_of(&self, question: &Question<'_>) -> bool {
        self.actions.has(|pattern| pattern::matches_action(pattern, question.action))
            && self.resources.as_ref().is_none_or(|resources| {
                resources.has(|pattern| pattern::matches(pattern, question.resource, question.context))
            })
            && self.conditions.iter().all(|condition| condition.holds(question.context))
    }

    /// Whether a resource's statement concerns who asks.
    pub fn concerns(&self, who: &Who) -> bool {
        match &self.principals {
            Some((true, principals)) => principals.has(who),
            Some((false, principals)) => !principals.has(who),
            None => false,
        }
    }

    /// Whether it gives the permission to who asks by itself.
    pub fn concerns_in_person(&self, who: &Who) -> bool {
        match &self.principals {
            Some((true, principals)) => principals.has_in_person(who),
            _ => false,
        }
    }
}

/// A policy.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub(super) statements: Vec<Statement>,
    /// Whether it looks at the tags of what is asked for.
    pub(super) asks_of_resource_tags: bool,
}

impl Document {
    pub fn parse(text: &str) -> Result<Document, Malformed> {
        let value = serde_json::from_str(text)
            .map_err(|_| Malformed("This policy contains invalid Json".to_owned()))?;
        Document::read(&value)
    }

    pub fn read(value: &Value) -> Result<Document, Malformed> {
        let syntax = || Malformed("Syntax errors in policy.".to_owned());
        let version = value.get("Version").map_or(Some("2012-10-17"), Value::as_str).ok_or_else(syntax)?;
        if !["2012-10-17", "2008-10-17"].contains(&version) {
            return Err(syntax());
        }
        let statements = match value.get("Statement") {
            Some(Value::Array(all)) => all.iter().map(statement).collect::<Result<Vec<_>, _>>()?,
            Some(one @ Value::Object(_)) => vec![statement(one)?],
            _ => return Err(syntax()),
        };
        let text = value.to_string().to_ascii_lowercase();
        let asks_of_resource_tags =
            ["resourcetag/", "existingobjecttag/"].iter().any(|key| text.contains(key));
        Ok(Document { statements, asks_of_resource_tags })
    }
}

impl Document {
    /// Whether it names who asks, in person or with the account, for what is asked.
    pub fn lets(&self, question: &Question<'_>) -> bool {
        self.statements
            .iter()
            .any(|one| one.effect == Effect::Allow && one.concerns(question.who) && one.speaks_of(question))
    }
}

fn statement(value: &Value) -> Result<Statement, Malformed> {
    let syntax = || Malformed("Syntax errors in policy.".to_owned());
    let members = value.as_object().ok_or_else(syntax)?;
    const KNOWN: [&str; 9] = [
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    if members.keys().any(|name| !KNOWN.contains(&name.as_str())) {
        return Err(syntax());
    }
    let effect = match members.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err(syntax()),
    };
    let set = |of: &str, all_but: &str| match (members.get(of), members.get(all_but)) {
        (Some(_), Some(_)) => Err(syntax()),
        (Some(value), None) => texts(value).map(Set::Of).map(Some).ok_or_else(syntax),
        (None, Some(value)) => texts(value).map(Set::AllBut).map(Some).ok_or_else(syntax),
        (None, None) => Ok(None),
    };
    let principals = match (members.get("Principal"), members.get("NotPrincipal")) {
        (Some(_), Some(_)) => return Err(syntax()),
        (Some(value), None) => Some((true, principals(value).ok_or_else(syntax)?)),
        (None, Some(value)) => Some((false, principals(value).ok_or_else(syntax)?)),
        (None, None) => None,
    };
    let conditions = match members.get("Condition") {
        None => Vec::new(),
        Some(value) => Condition::read_all(value)?,
    };
    let actions = set("Action", "NotAction")?
        .ok_or_else(|| Malformed("Policy statement must contain actions.".to_owned()))?;
    Ok(Statement { effect, principals, actions, resources: set("Resource", "NotResource")?, conditions })
}

fn principals(value: &Value) -> Option<Principals> {
    match value {
        Value::String(text) if text == "*" => Some(Principals::Everybody),
        Value::Object(kinds) => {
            let mut all = Vec::new();
            for (kind, names) in kinds {
                all.extend(texts(names)?.into_iter().map(|name| (kind.clone(), name)));
            }
            Some(Principals::Named(all))
        }
        _ => None,
    }
}

/// One text or several.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(all) => all.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}
