//! Tags of keys and of usage plans.

use super::{Key, Plan, Plans};
use crate::fault::bad;
use crate::members::Members;
use crate::tags::{Tagged, Words};
use servicekit::call::Caller;
use wire::ServiceError;

/// Plans, as far as tags of their keys go.
pub(in crate::rest) struct Keys<'a>(pub &'a Plans);

impl Tagged for Keys<'_> {
    type Api = Key;
    const WORDS: Words = Words { apis: "apikeys", arn: "resourceArn", tags: "tags", keys: "tagKeys" };

    fn told<'a>(key: &'a mut Key, stage: Option<&str>) -> Result<&'a mut Members, ServiceError> {
        whole(&mut key.told, stage)
    }

    fn find(&self, caller: &Caller, id: &str) -> Result<Key, ServiceError> {
        self.0.key(caller, id)
    }

    async fn change(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut Key) -> Result<(), ServiceError> + Send,
    ) -> Result<(), ServiceError> {
        let _alone = self.0.structure.lock().await;
        let mut key = self.0.key(caller, id)?;
        change(&mut key)?;
        self.0.keys.put(id, key).await
    }
}

impl Tagged for Plans {
    type Api = Plan;
    const WORDS: Words = Words { apis: "usageplans", arn: "resourceArn", tags: "tags", keys: "tagKeys" };

    fn told<'a>(plan: &'a mut Plan, stage: Option<&str>) -> Result<&'a mut Members, ServiceError> {
        whole(&mut plan.told, stage)
    }

    fn find(&self, caller: &Caller, id: &str) -> Result<Plan, ServiceError> {
        self.plan(caller, id)
    }

    async fn change(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut Plan) -> Result<(), ServiceError> + Send,
    ) -> Result<(), ServiceError> {
        let _alone = self.structure.lock().await;
        let mut plan = self.plan(caller, id)?;
        change(&mut plan)?;
        self.plans.put(id, plan).await
    }
}

fn whole<'a>(told: &'a mut Members, stage: Option<&str>) -> Result<&'a mut Members, ServiceError> {
    match stage {
        None => Ok(told),
        Some(_) => Err(bad("Invalid resource ARN")),
    }
}
