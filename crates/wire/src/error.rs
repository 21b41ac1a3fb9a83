//! An error as a client reads it.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Code, message and further members; the status is the service model's unless set here.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceError {
    pub status: Option<u16>,
    /// The error's name: `ResourceNotFoundException`. A `#` inside means the namespace is already there.
    pub code: Cow<'static, str>,
    /// Some of AWS's errors have none.
    pub message: Option<String>,
    /// Members of the error's shape besides the message. Boxed: few errors have any, and every result carries the room.
    pub members: Box<Map<String, Value>>,
}

impl ServiceError {
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> ServiceError {
        ServiceError {
            status: None,
            code: code.into(),
            message: Some(message.into()),
            members: Box::default(),
        }
    }

    /// An error that carries a code and nothing to read.
    pub fn silent(code: impl Into<Cow<'static, str>>) -> ServiceError {
        ServiceError { status: None, code: code.into(), message: None, members: Box::default() }
    }

    /// One of the errors that every service has and no model lists.
    pub fn coral(name: &str, message: impl Into<String>) -> ServiceError {
        ServiceError::new(format!("com.amazon.coral.service#{name}"), message)
    }

    pub fn with_status(mut self, status: u16) -> ServiceError {
        self.status = Some(status);
        self
    }

    pub fn with(mut self, member: &str, value: impl Into<Value>) -> ServiceError {
        self.members.insert(member.to_string(), value.into());
        self
    }

    /// The code without its namespace.
    pub fn name(&self) -> &str {
        self.code.rsplit_once('#').map_or(&self.code, |(_, name)| name)
    }
}

impl std::fmt::Display for ServiceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name(), self.message.as_deref().unwrap_or_default())
    }
}

impl std::error::Error for ServiceError {}
