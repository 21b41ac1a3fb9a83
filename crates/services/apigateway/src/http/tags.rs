//! Tags of HTTP APIs and of their stages.

use super::book::{Book, HttpApi};
use crate::members::Members;
use crate::tags::{Tagged, Words};
use servicekit::call::Caller;
use wire::ServiceError;

impl Tagged for Book {
    type Api = HttpApi;
    const WORDS: Words = Words { apis: "apis", arn: "ResourceArn", tags: "Tags", keys: "TagKeys" };

    fn told<'a>(api: &'a mut HttpApi, stage: Option<&str>) -> Result<&'a mut Members, ServiceError> {
        match stage {
            None => Ok(&mut api.told),
            Some(stage) => super::found(&mut api.stages, "stage", stage),
        }
    }

    fn find(&self, caller: &Caller, id: &str) -> Result<HttpApi, ServiceError> {
        self.find(caller, id)
    }

    async fn change(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut HttpApi) -> Result<(), ServiceError> + Send,
    ) -> Result<(), ServiceError> {
        self.change(caller, id, change).await
    }
}
