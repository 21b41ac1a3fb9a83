//! Authorizers: who may call a route or a method, as a function or the issuer of a token says.

mod function;
mod identity;
mod issuer;
mod jwt;
mod said;

pub(super) use function::{Asked, Form, FunctionAuthorizer, Outcome};
pub(super) use identity::Source;
pub(super) use issuer::Issuer;
pub(super) use jwt::{Bearer, JwtAuthorizer, Refused};
pub(super) use said::Said;
