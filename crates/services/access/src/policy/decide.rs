//! The verdict over all policies that concern a request.

use super::Question;
use super::document::{Document, Effect};

/// The policies that concern one request.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// Of the user or the role that asks.
    pub identity: Vec<Document>,
    /// What a user or role may have at most.
    pub boundary: Option<Document>,
    /// What was said when the session was begun.
    pub session: Option<Document>,
    /// Of what is asked for.
    pub resource: Option<Document>,
    /// The account itself, which may do everything that no policy denies.
    pub is_root: bool,
}

impl Policies {
    pub fn ask_of_resource_tags(&self) -> bool {
        let bounds = [&self.boundary, &self.session, &self.resource].into_iter().flatten();
        self.identity.iter().chain(bounds).any(|document| document.asks_of_resource_tags)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    Denied(Why),
}

/// In AWS's words, what stands behind `because no` or `with an explicit deny in`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    DeniedBy(&'static str),
    NotAllowedBy(&'static str),
}

const IDENTITY: &str = "identity-based policy";
const RESOURCE: &str = "resource-based policy";
const BOUNDARY: &str = "permissions boundary";
const SESSION: &str = "session policy";

pub fn decide(policies: &Policies, question: &Question<'_>) -> Verdict {
    let says = |document: &Document, effect: Effect| {
        document.statements.iter().any(|one| one.effect == effect && one.speaks_of(question))
    };
    let of_resource = |effect: Effect, in_person: bool| {
        policies.resource.iter().flat_map(|document| &document.statements).any(|one| {
            let concerns =
                if in_person { one.concerns_in_person(question.who) } else { one.concerns(question.who) };
            one.effect == effect && concerns && one.speaks_of(question)
        })
    };

    // A denial counts wherever it stands.
    let denied = [
        (policies.identity.iter().any(|document| says(document, Effect::Deny)), IDENTITY),
        (of_resource(Effect::Deny, false), RESOURCE),
        (policies.boundary.iter().any(|document| says(document, Effect::Deny)), BOUNDARY),
        (policies.session.iter().any(|document| says(document, Effect::Deny)), SESSION),
    ];
    if let Some((_, kind)) = denied.into_iter().find(|(denied, _)| *denied) {
        return Verdict::Denied(Why::DeniedBy(kind));
    }
    if policies.is_root {
        return Verdict::Allowed;
    }
    // What bounds a permission must give it too, whoever gives it.
    for (bound, kind) in [(&policies.boundary, BOUNDARY), (&policies.session, SESSION)] {
        if bound.as_ref().is_some_and(|document| !says(document, Effect::Allow)) {
            return Verdict::Denied(Why::NotAllowedBy(kind));
        }
    }
    let allowed = policies.identity.iter().any(|document| says(document, Effect::Allow))
        || of_resource(Effect::Allow, true);
    if allowed { Verdict::Allowed } else { Verdict::Denied(Why::NotAllowedBy(IDENTITY)) }
}
