//! The services, as one of them asks another.

use crate::body::{Body, Stored};
use crate::call::{Answer, Caller, Pending};
use crate::documents::unavailable;
use serde_json::Value;
use std::sync::{Arc, Weak};
use wire::shape::{Kind, Location};
use wire::{Operation, Request, Response, ServiceError};

/// Whoever answers for all services.
pub trait Household: Send + Sync {
    /// Asks as a client would: the same checks, the same answer, no form on the wire.
    fn ask<'a>(
        &'a self,
        caller: &'a Caller,
        service: &'a str,
        operation: &'a str,
        input: Value,
    ) -> Pending<'a, Answer>;

    /// Puts an object whose bytes come as they are made.
    fn put_object<'a>(&'a self, caller: &'a Caller, input: Value, body: Body) -> Pending<'a, Answer>;

    /// The bytes of an object, to be read as they are needed.
    fn get_object<'a>(
        &'a self,
        caller: &'a Caller,
        input: Value,
    ) -> Pending<'a, Result<Stored, ServiceError>>;

    /// The bytes of an object that a resource is made from; at most so many.
    fn object<'a>(
        &'a self,
        place: &'a Object<'a>,
        bytes_max: u64,
    ) -> Pending<'a, Result<Vec<u8>, ServiceError>>;

    /// Answers a request that one of our own services makes: nobody's signature is checked.
    fn take(self: Arc<Self>, request: Request) -> Pending<'static, Response>;
}

/// The way to them. Does not keep them alive.
#[derive(Clone)]
pub struct House(Option<Weak<dyn Household>>);

/// An object by its names.
pub struct Object<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub version: Option<&'a str>,
}

impl House {
    pub fn of(household: Weak<dyn Household>) -> House {
        House(Some(household))
    }

    /// A house in which nobody answers.
    pub fn empty() -> House {
        House(None)
    }

    fn open(&self) -> Result<Arc<dyn Household>, ServiceError> {
        let there = self.0.as_ref().and_then(Weak::upgrade);
        there.ok_or_else(|| unavailable("the server is being stopped"))
    }

    pub async fn ask(&self, caller: &Caller, service: &str, operation: &str, input: Value) -> Answer {
        self.open()?.ask(caller, service, operation, input).await
    }

    pub async fn put_object(&self, caller: &Caller, input: Value, body: Body) -> Answer {
        self.open()?.put_object(caller, input, body).await
    }

    pub async fn get_object(&self, caller: &Caller, input: Value) -> Result<Stored, ServiceError> {
        self.open()?.get_object(caller, input).await
    }

    pub async fn object(&self, place: &Object<'_>, bytes_max: u64) -> Result<Vec<u8>, ServiceError> {
        self.open()?.object(place, bytes_max).await
    }
}

/// The path a client would use, its labels filled in.
pub fn path_of(operation: &Operation, input: &Value) -> String {
    let mut path = operation.uri.to_owned();
    let members = match operation.input.map(|shape| &shape.kind) {
        Some(Kind::Structure(structure)) => structure.members,
        _ => &[],
    };
    for member in members.iter().filter(|member| member.location == Location::Uri) {
        let value = input.get(member.name).and_then(Value::as_str).unwrap_or_default();
        for label in [format!("{{{}}}", member.wire_name), format!("{{{}+}}", member.wire_name)] {
            path = path.replace(&label, &wire::percent::encode(value));
        }
    }
    path
}
