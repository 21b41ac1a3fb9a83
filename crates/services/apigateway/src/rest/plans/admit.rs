//! Whether a key opens a stage's method now.

use super::{Plan, Plans, Used};
use crate::rest::fault::Fault;
use crate::throttle::Limit;
use serde_json::Value;
use servicekit::documents::Edit;
use std::collections::HashMap;
use store::{Commit, UpdateError};
use wire::ServiceError;

/// Every key that is enabled, by region and value, and every plan.
pub(super) struct Subscribers {
    keys: HashMap<(String, String), String>,
    plans: Vec<(String, Plan)>,
}

/// What is called.
pub(in crate::rest) struct Place<'a> {
    pub region: &'a str,
    pub api: &'a str,
    pub stage: &'a str,
    /// `<resource path>/<method>`.
    pub method: &'a str,
}

impl Plans {
    fn subscribers(&self) -> Result<Option<Subscribers>, ServiceError> {
        let all = self.keys.list("")?.into_iter();
        let enabled = all.filter(|(_, key)| key.told.get("enabled") == Some(&Value::Bool(true)));
        let keys = enabled.map(|(id, key)| {
            let value = key.told.get("value").and_then(Value::as_str).unwrap_or_default();
            ((key.region, value.to_owned()), id)
        });
        Ok(Some(Subscribers { keys: keys.collect(), plans: self.plans.list("")? }))
    }

    /// Counts a call with a key: the key's id, or why it may not be made.
    pub fn admit(&self, place: &Place<'_>, value: &str) -> Result<String, Fault> {
        let live = self.live.get("", || self.subscribers()).map_err(|_| Fault::Configuration)?;
        let live = live.ok_or(Fault::Configuration)?;
        let key = live.keys.get(&(place.region.to_owned(), value.to_owned())).ok_or(Fault::Key)?;
        let plan = live.plans.iter().find_map(|(id, plan)| {
            let is = plan.region == place.region && plan.keys.contains(key);
            Some((id, plan, plan.stage(place.api, place.stage).filter(|_| is)?))
        });
        let (id, plan, stage) = plan.ok_or(Fault::Key)?;
        let own = stage.get("throttle").and_then(|all| all.get(place.method));
        let limit = Limit::of(own, plan.told.get("throttle"), "rateLimit", "burstLimit");
        // A method with limits of its own has permits of its own.
        let bucket = match own {
            Some(_) => format!("{id}/{key}/{}/{}/{}", place.api, place.stage, place.method),
            None => format!("{id}/{key}"),
        };
        if !self.throttle.lets(&bucket, limit, self.world.elapsed()) {
            return Err(Fault::Throttled);
        }
        match self.count(&format!("{id}/{key}"), plan) {
            Ok(true) => Ok(key.clone()),
            Ok(false) => Err(Fault::Quota),
            Err(_) => Err(Fault::Configuration),
        }
    }

    /// Counts a call unless the quota is used up. Nobody waits until the count is on disk: a crash forgets the last few.
    fn count(&self, name: &str, plan: &Plan) -> Result<bool, ServiceError> {
        let (quota, now) = (plan.quota(), self.world.now());
        let counted = self.used.begin(name, |used| {
            let mut used = used.unwrap_or_default();
            if quota.is_some_and(|quota| used.left(quota, now) <= 0) {
                return Ok((Edit::Keep, false));
            }
            used.count(now);
            Ok((Edit::Put(used), true))
        });
        begun(counted)
    }

    /// What was counted so far, on disk or not yet.
    pub(super) fn counted(&self, name: &str) -> Result<Used, ServiceError> {
        begun(self.used.begin(name, |used| Ok((Edit::Keep, used.unwrap_or_default()))))
    }
}

fn begun<T>(done: Result<(T, Commit), UpdateError<ServiceError>>) -> Result<T, ServiceError> {
    match done {
        Ok((done, _)) => Ok(done),
        Err(UpdateError::Plan { error, .. }) => Err(error),
        Err(UpdateError::Store(error)) => Err(servicekit::documents::unavailable(error)),
    }
}
