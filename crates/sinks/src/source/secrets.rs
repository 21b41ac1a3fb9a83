//! Secrets of Secrets Manager, each asked for once.

use super::http::{Http, Login};
use super::login::Service;
use crate::Error;
use crate::config::Endpoint;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use world::World;

/// What was asked for while one file is read.
pub struct Secrets<'w> {
    home: &'w Endpoint,
    world: &'w World,
    known: BTreeMap<String, String>,
}

impl<'w> Secrets<'w> {
    pub fn new(home: &'w Endpoint, world: &'w World) -> Secrets<'w> {
        Secrets { home, world, known: BTreeMap::new() }
    }

    /// What `NAME` or `NAME:json_key` stands for; a name may be an ARN, with colons of its own.
    pub fn find(&mut self, reference: &str) -> Result<String, Error> {
        let (name, key) = taken_apart(reference);
        if !self.known.contains_key(name) {
            self.known.insert(name.to_owned(), self.ask(name)?);
        }
        let text = &self.known[name];
        let Some(key) = key else { return Ok(text.clone()) };
        let tree: Value = serde_json::from_str(text)
            .map_err(|_| Error::config(format!("secret {name} is no JSON, and {key} is asked of it")))?;
        match &tree[key] {
            Value::String(text) => Ok(text.clone()),
            value @ (Value::Number(_) | Value::Bool(_)) => Ok(value.to_string()),
            _ => {
                Err(Error::config(format!("secret {name} has no {key} that is text, a number or a boolean")))
            }
        }
    }

    fn ask(&self, name: &str) -> Result<String, Error> {
        let login = Login::of(self.home, Service::SecretsManager)?;
        let mut http = Http::new(&login.endpoint, &login, self.world)?.of("secretsmanager");
        let told = |message: String| Error::config(format!("secret {name}: {message}"));
        let body = json!({ "SecretId": name }).to_string();
        let answer = http
            .call("secretsmanager.GetSecretValue", body.as_bytes())
            .map_err(|fault| told(Error::from(fault).message))?;
        let tree: Value = serde_json::from_slice(&answer).map_err(|error| told(error.to_string()))?;
        match tree["SecretString"].as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(told("it holds bytes, and text is wanted".to_owned())),
        }
    }
}

fn taken_apart(reference: &str) -> (&str, Option<&str>) {
    // arn:aws:secretsmanager:region:account:secret:name
    let colons = if reference.starts_with("arn:") { 6 } else { 0 };
    match reference.match_indices(':').nth(colons) {
        Some((at, _)) => (&reference[..at], Some(&reference[at + 1..])),
        None => (reference, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_keys_are_told_apart() {
        assert_eq!(taken_apart("db"), ("db", None));
        assert_eq!(taken_apart("prod/db:password"), ("prod/db", Some("password")));
        let arn = "arn:aws:secretsmanager:us-east-1:1:secret:db-Ab12";
        assert_eq!(taken_apart(arn), (arn, None));
        assert_eq!(taken_apart(&format!("{arn}:url")), (arn, Some("url")));
    }
}
