//! Authorizers as both services keep them: made, told, changed, and deleted once nothing names them. What one may be, each
//! service says.

use crate::fault::{bad, conflict, too_many};
use crate::members::Members;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::required;
use servicekit::ids;
use std::collections::BTreeMap;
use wire::ServiceError;
use world::World;

const AUTHORIZERS_MAX: usize = 10;
const TTL_S_MAX: i64 = 3_600;

/// How one service spells what is said of authorizers.
pub(super) struct Words {
    /// The members of a call that name the API and the authorizer.
    pub api: &'static str,
    pub authorizer: &'static str,
    /// The member of an authorizer that is its id.
    pub id: &'static str,
    /// What names authorizers.
    pub users: &'static str,
}

/// APIs of one kind, as far as their authorizers go.
pub(super) trait Guarded: Sync {
    type Api: Send;
    const WORDS: Words;

    fn world(&self) -> &World;
    fn all(api: &mut Self::Api) -> &mut BTreeMap<String, Members>;
    fn missing(id: &str) -> ServiceError;
    /// Whether a route or a method names it.
    fn uses(api: &Self::Api, id: &Value) -> bool;
    /// What is said in a call, to make one or to change it.
    fn take(told: &mut Members, input: &Value, is_new: bool) -> Result<(), ServiceError>;
    fn check(told: &Members, api: &Self::Api) -> Result<(), ServiceError>;
    fn page(input: &Value, all: BTreeMap<String, Members>) -> Answer;
    fn find(&self, caller: &Caller, id: &str) -> Result<Self::Api, ServiceError>;

    fn change<R: Send>(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut Self::Api) -> Result<R, ServiceError> + Send,
    ) -> impl Future<Output = Result<R, ServiceError>> + Send;
}

pub(super) async fn answer<T: Guarded>(apis: &T, call: &Call, input: &Value) -> Answer {
    match call.operation.name {
        "CreateAuthorizer" => create(apis, call, input).await,
        "GetAuthorizer" => get(apis, call, input),
        "GetAuthorizers" => {
            let mut api = apis.find(&call.caller, required(input, T::WORDS.api))?;
            T::page(input, std::mem::take(T::all(&mut api)))
        }
        "UpdateAuthorizer" => update(apis, call, input).await,
        "DeleteAuthorizer" => delete(apis, call, input).await,
        _ => Err(call.unknown()),
    }
}

async fn create<T: Guarded>(apis: &T, call: &Call, input: &Value) -> Answer {
    let id = ids::small(apis.world(), 6);
    let told = apis.change(&call.caller, required(input, T::WORDS.api), |api| {
        if T::all(api).len() >= AUTHORIZERS_MAX {
            return Err(too_many(format!("An API has at most {AUTHORIZERS_MAX} authorizers.")));
        }
        let mut told = Members::new();
        told.insert(T::WORDS.id.to_owned(), id.as_str().into());
        T::take(&mut told, input, true)?;
        T::check(&told, api)?;
        T::all(api).insert(id.clone(), told.clone());
        Ok(told)
    });
    Ok(Value::Object(told.await?))
}

fn get<T: Guarded>(apis: &T, call: &Call, input: &Value) -> Answer {
    let mut api = apis.find(&call.caller, required(input, T::WORDS.api))?;
    let id = required(input, T::WORDS.authorizer);
    T::all(&mut api).remove(id).map(Value::Object).ok_or_else(|| T::missing(id))
}

async fn update<T: Guarded>(apis: &T, call: &Call, input: &Value) -> Answer {
    let id = required(input, T::WORDS.authorizer);
    let told = apis.change(&call.caller, required(input, T::WORDS.api), |api| {
        let mut told = T::all(api).get(id).cloned().ok_or_else(|| T::missing(id))?;
        T::take(&mut told, input, false)?;
        T::check(&told, api)?;
        T::all(api).insert(id.to_owned(), told.clone());
        Ok(told)
    });
    Ok(Value::Object(told.await?))
}

async fn delete<T: Guarded>(apis: &T, call: &Call, input: &Value) -> Answer {
    let id = required(input, T::WORDS.authorizer);
    let gone = apis.change(&call.caller, required(input, T::WORDS.api), |api| {
        if !T::all(api).contains_key(id) {
            return Err(T::missing(id));
        }
        if T::uses(api, &json!(id)) {
            let users = T::WORDS.users;
            return Err(conflict(format!("Cannot delete authorizer '{id}', is referenced {users}")));
        }
        T::all(api).remove(id);
        Ok(())
    });
    gone.await?;
    Ok(json!({}))
}

/// Whether another authorizer has the same name.
pub(super) fn has_namesake(all: &BTreeMap<String, Members>, told: &Members, name: &str, id: &str) -> bool {
    all.values().any(|other| other.get(name) == told.get(name) && other.get(id) != told.get(id))
}

/// For how long answers are kept.
pub(super) fn check_ttl(ttl_s: Option<i64>, words: &str) -> Result<(), ServiceError> {
    match (0..=TTL_S_MAX).contains(&ttl_s.unwrap_or(0)) {
        true => Ok(()),
        false => Err(bad(words)),
    }
}
