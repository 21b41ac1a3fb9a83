//! Tags of REST APIs, of their stages, and of what opens them.

use super::Rest;
use super::book::{Book, RestApi};
use super::plans::Keys;
use crate::fault::missing;
use crate::members::Members;
use crate::tags::{Tagged, Words, answer};
use serde_json::Value;
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::required;
use wire::ServiceError;

impl Rest {
    pub(super) async fn tags(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "resourceArn");
        if arn.contains("::/apikeys/") {
            return answer(&Keys(&self.plans), call, input).await;
        }
        if arn.contains("::/usageplans/") {
            return answer(&self.plans, call, input).await;
        }
        answer(&self.book, call, input).await
    }
}

impl Tagged for Book {
    type Api = RestApi;
    const WORDS: Words = Words { apis: "restapis", arn: "resourceArn", tags: "tags", keys: "tagKeys" };

    fn told<'a>(api: &'a mut RestApi, stage: Option<&str>) -> Result<&'a mut Members, ServiceError> {
        match stage {
            None => Ok(&mut api.told),
            Some(stage) => {
                api.stages.get_mut(stage).ok_or_else(|| missing("Invalid stage identifier specified"))
            }
        }
    }

    fn find(&self, caller: &Caller, id: &str) -> Result<RestApi, ServiceError> {
        self.find(caller, id)
    }

    async fn change(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut RestApi) -> Result<(), ServiceError> + Send,
    ) -> Result<(), ServiceError> {
        self.change(caller, id, change).await
    }
}
