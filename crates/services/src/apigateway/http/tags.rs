//! Tags of APIs and of their stages.

use super::Http;
use super::book::HttpApi;
use crate::apigateway::fault::{bad, missing};
use crate::apigateway::members::Members;
use crate::call::{Answer, Call};
use crate::fields::{required, texts};
use serde_json::{Value, json};
use wire::ServiceError;

/// The API of `arn:aws:apigateway:<region>::/apis/<id>[/stages/<name>]`, and the stage.
fn owner(input: &Value) -> Result<(String, Option<String>), ServiceError> {
    let arn = required(input, "ResourceArn");
    let path = arn.split_once("::/apis/").map(|(_, path)| path);
    let parts: Vec<&str> = path.unwrap_or_default().split('/').collect();
    match parts.as_slice() {
        [id] if !id.is_empty() => Ok(((*id).to_owned(), None)),
        [id, "stages", stage] => Ok(((*id).to_owned(), Some((*stage).to_owned()))),
        _ => Err(bad(format!("Invalid resource ARN {arn}"))),
    }
}

fn told<'a>(api: &'a mut HttpApi, stage: Option<&str>) -> Result<&'a mut Members, ServiceError> {
    match stage {
        None => Ok(&mut api.told),
        Some(stage) => super::found(&mut api.stages, "stage", stage),
    }
}

impl Http {
    pub(super) fn get_tags(&self, call: &Call, input: &Value) -> Answer {
        let (id, stage) = owner(input)?;
        let mut api = self.book.find(&call.caller, &id)?;
        let tags = told(&mut api, stage.as_deref())?.get("Tags").cloned();
        Ok(json!({"Tags": tags.unwrap_or_else(|| json!({}))}))
    }

    pub(super) async fn tag(&self, call: &Call, input: &Value) -> Answer {
        self.change_tags(call, input, |tags| {
            let new = input.get("Tags").and_then(Value::as_object).into_iter().flatten();
            tags.extend(new.map(|(key, value)| (key.clone(), value.clone())));
        })
        .await
    }

    pub(super) async fn untag(&self, call: &Call, input: &Value) -> Answer {
        let gone = texts(input, "TagKeys");
        self.change_tags(call, input, |tags| tags.retain(|key, _| !gone.contains(key))).await
    }

    async fn change_tags(&self, call: &Call, input: &Value, change: impl FnOnce(&mut Members)) -> Answer {
        let (id, stage) = owner(input)?;
        let changed = self.book.change(&call.caller, &id, |api| {
            let tags = told(api, stage.as_deref())?.entry("Tags").or_insert_with(|| json!({}));
            let tags = tags.as_object_mut().ok_or_else(|| missing("There are no tags."))?;
            change(tags);
            match tags.len() > 50 {
                true => Err(bad("A resource has at most 50 tags.")),
                false => Ok(()),
            }
        });
        changed.await?;
        Ok(json!({}))
    }
}
