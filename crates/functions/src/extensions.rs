//! The extensions of an environment: who has registered, who still works, who is to be told what.
//!
//! A machine without a clock or a socket: the Runtime API's listener asks it, an environment tells it.

use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// As many as a function may have.
pub(crate) const EXTENSIONS_MAX: usize = 10;

/// What an extension is told in an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub status: &'static str,
    pub kind: &'static str,
    pub message: String,
}

/// An extension that cannot go on, in its own words or in ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub kind: String,
    pub message: String,
}

#[derive(Debug)]
struct Member {
    id: String,
    name: String,
    /// A process of its own, rather than a part of the runtime's.
    is_external: bool,
    invoke: bool,
    shutdown: bool,
    /// It waits for its next event.
    is_waiting: bool,
    event: Option<Bytes>,
}

#[derive(Debug, Default)]
struct State {
    /// Those that were started and have not registered.
    expected: Vec<String>,
    members: Vec<Member>,
    /// Nobody registers any more.
    is_closed: bool,
    failure: Option<Failure>,
}

/// The extensions of one environment.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    state: Mutex<State>,
    changed: Notify,
}

/// A registration that was taken.
#[derive(Debug)]
pub(crate) struct Registered {
    pub id: String,
}

fn refused(status: &'static str, kind: &'static str, message: impl Into<String>) -> Refused {
    Refused { status, kind, message: message.into() }
}

const FORBIDDEN: &str = "403 Forbidden";

impl Extensions {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that are started; the runtime is, once they have registered.
    pub fn expect(&self, names: &[String]) {
        self.state().expected = names.to_vec();
    }

    /// An extension says which events it wants; `id` names it from then on.
    pub fn register(&self, name: Option<&str>, body: &[u8], id: String) -> Result<Registered, Refused> {
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| {
            refused(FORBIDDEN, "Extension.InvalidExtensionName", "Missing Lambda-Extension-Name header")
        })?;
        let input: Value = serde_json::from_slice(body)
            .map_err(|error| refused("400 Bad Request", "InvalidRequestFormat", error.to_string()))?;
        let events: Vec<&str> =
            input["events"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut state = self.state();
        if state.is_closed {
            let message = "Extension registration closed already";
            return Err(refused(FORBIDDEN, "Extension.RegistrationClosed", message));
        }
        if state.members.iter().any(|member| member.name == name) {
            let message = format!("Extension with this name already registered: {name}");
            return Err(refused(FORBIDDEN, "Extension.AlreadyRegistered", message));
        }
        if state.members.len() >= EXTENSIONS_MAX {
            let message = format!("Extension limit ({EXTENSIONS_MAX}) reached");
            return Err(refused(FORBIDDEN, "Extension.TooManyExtensions", message));
        }
        let expected = state.expected.iter().position(|expected| expected == name);
        let is_external = expected.is_some();
        if let Some(other) = events.iter().find(|event| !matches!(**event, "INVOKE" | "SHUTDOWN")) {
            let message = format!("{other}: Invalid event type");
            return Err(refused(FORBIDDEN, "Extension.InvalidEventType", message));
        }
        if !is_external && events.contains(&"SHUTDOWN") {
            let message = "SHUTDOWN: Invalid event type for an internal extension";
            return Err(refused(FORBIDDEN, "ShutdownEventNotSupportedForInternalExtension", message));
        }
        if let Some(at) = expected {
            state.expected.remove(at);
        }
        state.members.push(Member {
            id: id.clone(),
            name: name.to_owned(),
            is_external,
            invoke: events.contains(&"INVOKE"),
            shutdown: events.contains(&"SHUTDOWN"),
            is_waiting: false,
            event: None,
        });
        drop(state);
        self.changed.notify_waiters();
        Ok(Registered { id })
    }

    /// Waits for an extension's next event, as long as it takes.
    pub async fn next(&self, id: Option<&str>) -> Result<Bytes, Refused> {
        loop {
            let changed = self.changed.notified();
            let is_news = {
                let mut state = self.state();
                let member = member(&mut state, id)?;
                if let Some(event) = member.event.take() {
                    member.is_waiting = false;
                    return Ok(event);
                }
                !std::mem::replace(&mut member.is_waiting, true)
            };
            if is_news {
                self.changed.notify_waiters();
            }
            changed.await;
        }
    }

    /// An extension says that it cannot go on.
    pub fn fail(&self, id: Option<&str>, kind: Option<&str>, body: &[u8]) -> Result<(), Refused> {
        let mut state = self.state();
        let name = member(&mut state, id)?.name.clone();
        let kind = kind.unwrap_or("Extension.Unknown").to_owned();
        let told: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let message = told["errorMessage"].as_str().unwrap_or(&kind);
        let message = format!("{name}: {message}");
        state.failure.get_or_insert(Failure { kind, message });
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Its process has ended though nobody asked it to.
    pub fn crashed(&self, name: &str, how: &str) {
        let message = format!("{name}: {how}");
        self.state().failure.get_or_insert(Failure { kind: "Extension.Crash".to_owned(), message });
        self.changed.notify_waiters();
    }

    /// Ready when every one that was started has registered.
    pub async fn registered(&self) -> Result<(), Failure> {
        self.wait(|state| state.expected.is_empty()).await
    }

    /// Ready when all wait for their next event: the environment may be used, or used again.
    pub async fn rested(&self) -> Result<(), Failure> {
        let resting = |member: &Member| member.is_waiting && member.event.is_none();
        self.wait(|state| state.members.iter().all(resting)).await
    }

    /// Ready only when one of them fails.
    pub async fn failed(&self) -> Failure {
        match self.wait(|_| false).await {
            Err(failure) => failure,
            Ok(()) => unreachable!("nothing else ends the wait"),
        }
    }

    async fn wait(&self, done: impl Fn(&State) -> bool) -> Result<(), Failure> {
        loop {
            let changed = self.changed.notified();
            {
                let state = self.state();
                if let Some(failure) = &state.failure {
                    return Err(failure.clone());
                }
                if done(&state) {
                    return Ok(());
                }
            }
            changed.await;
        }
    }

    /// From the first invocation on nobody registers.
    pub fn close(&self) {
        self.state().is_closed = true;
    }

    /// Nobody has registered: nothing is to be waited for.
    pub fn is_empty(&self) -> bool {
        self.state().members.is_empty()
    }

    /// Each with the events that it asked for, for the log.
    pub fn lines(&self) -> Vec<String> {
        let state = self.state();
        let told = state.members.iter().map(|member| {
            let events = [("INVOKE", member.invoke), ("SHUTDOWN", member.shutdown)];
            let events: Vec<_> = events.iter().filter(|(_, wanted)| *wanted).map(|(name, _)| *name).collect();
            format!("EXTENSION\tName: {}\tState: Ready\tEvents: [{}]", member.name, events.join(","))
        });
        told.collect()
    }

    /// Tells who wants it of an invocation.
    pub fn invoke(&self, event: &Value) {
        self.tell(event, |member| member.invoke);
    }

    /// Tells who wants it that it is over; whether there is anybody to wait for.
    pub fn shut_down(&self, reason: &str, deadline_ms: u64) -> bool {
        let event = json!({ "eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline_ms });
        self.tell(&event, |member| member.is_external && member.shutdown)
    }

    fn tell(&self, event: &Value, to: impl Fn(&Member) -> bool) -> bool {
        let mut state = self.state();
        let event = Bytes::from(event.to_string());
        let mut is_told = false;
        for member in state.members.iter_mut().filter(|member| to(member)) {
            member.event = Some(event.clone());
            is_told = true;
        }
        drop(state);
        self.changed.notify_waiters();
        is_told
    }
}

fn member<'s>(state: &'s mut State, id: Option<&str>) -> Result<&'s mut Member, Refused> {
    let id = id.ok_or_else(|| {
        let message = "Missing Lambda-Extension-Identifier header";
        refused(FORBIDDEN, "Extension.MissingExtensionIdentifier", message)
    })?;
    state.members.iter_mut().find(|member| member.id == id).ok_or_else(|| {
        refused(FORBIDDEN, "Extension.InvalidExtensionIdentifier", format!("Unknown extension {id}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registrations_are_taken_or_refused_by_name() {
        let extensions = Extensions::default();
        extensions.expect(&["outer".to_owned()]);
        let told = |name: Option<&str>, body: &str| match extensions.register(
            name,
            body.as_bytes(),
            format!("id of {}", name.unwrap_or_default()),
        ) {
            Ok(registered) => registered.id,
            Err(why) => format!("{} {}", why.status, why.kind),
        };
        let both = r#"{"events":["INVOKE","SHUTDOWN"]}"#;
        for (name, body, expect) in [
            (None, both, "403 Forbidden Extension.InvalidExtensionName"),
            (Some("outer"), "{", "400 Bad Request InvalidRequestFormat"),
            (Some("outer"), r#"{"events":["SLEEP"]}"#, "403 Forbidden Extension.InvalidEventType"),
            (Some("outer"), both, "id of outer"),
            (Some("outer"), both, "403 Forbidden Extension.AlreadyRegistered"),
            (Some("inner"), both, "403 Forbidden ShutdownEventNotSupportedForInternalExtension"),
            (Some("inner"), r#"{"events":["INVOKE"]}"#, "id of inner"),
            (Some("idle"), "{}", "id of idle"),
        ] {
            assert_eq!(told(name, body), expect, "{name:?} {body}");
        }
        for number in 3..EXTENSIONS_MAX {
            told(Some(&number.to_string()), "{}");
        }
        assert_eq!(told(Some("more"), "{}"), "403 Forbidden Extension.TooManyExtensions");
        extensions.close();
        assert_eq!(told(Some("late"), "{}"), "403 Forbidden Extension.RegistrationClosed");
        assert_eq!(extensions.lines()[0], "EXTENSION\tName: outer\tState: Ready\tEvents: [INVOKE,SHUTDOWN]");
        let strangers = [(None, "MissingExtensionIdentifier"), (Some("x"), "InvalidExtensionIdentifier")];
        for (id, expect) in strangers {
            let kind = extensions.fail(id, None, b"").expect_err("a stranger").kind;
            assert_eq!(kind, format!("Extension.{expect}"));
        }
    }
}
