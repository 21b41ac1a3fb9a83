//! Tags of REST APIs and of their stages.

use super::book::{Book, RestApi};
use crate::fault::missing;
use crate::members::Members;
use crate::tags::{Tagged, Words};
use servicekit::call::Caller;
use wire::ServiceError;

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
