//! Tags of APIs and of their stages, which both services keep alike and spell differently.

use super::fault::{bad, missing};
use super::members::Members;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::fields::{required, texts};
use wire::ServiceError;

const TAGS_MAX: usize = 50;

/// How one service spells what is said of tags.
pub(super) struct Words {
    /// Of `arn:aws:apigateway:<region>::/<apis>/<id>[/stages/<name>]`.
    pub apis: &'static str,
    pub arn: &'static str,
    pub tags: &'static str,
    pub keys: &'static str,
}

/// APIs of one kind, as far as their tags go.
pub(super) trait Tagged: Sync {
    type Api;
    const WORDS: Words;

    /// What is told of an API, or of one of its stages: the tags are in it.
    fn told<'a>(api: &'a mut Self::Api, stage: Option<&str>) -> Result<&'a mut Members, ServiceError>;

    fn find(&self, caller: &Caller, id: &str) -> Result<Self::Api, ServiceError>;

    fn change(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut Self::Api) -> Result<(), ServiceError> + Send,
    ) -> impl Future<Output = Result<(), ServiceError>> + Send;
}

pub(super) async fn answer<T: Tagged>(apis: &T, call: &Call, input: &Value) -> Answer {
    match call.operation.name {
        "GetTags" => get(apis, call, input),
        "TagResource" => put(apis, call, input).await,
        "UntagResource" => remove(apis, call, input).await,
        _ => Err(call.unknown()),
    }
}

fn get<T: Tagged>(apis: &T, call: &Call, input: &Value) -> Answer {
    let (id, stage) = owner::<T>(input)?;
    let mut api = apis.find(&call.caller, id)?;
    let tags = T::told(&mut api, stage)?.get(T::WORDS.tags).cloned();
    Ok(json!({ T::WORDS.tags: tags.unwrap_or_else(|| json!({})) }))
}

async fn put<T: Tagged>(apis: &T, call: &Call, input: &Value) -> Answer {
    let new = input.get(T::WORDS.tags).and_then(Value::as_object);
    change(apis, call, input, |tags| {
        tags.extend(new.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    })
    .await
}

async fn remove<T: Tagged>(apis: &T, call: &Call, input: &Value) -> Answer {
    let gone = texts(input, T::WORDS.keys);
    change(apis, call, input, |tags| tags.retain(|key, _| !gone.contains(key))).await
}

async fn change<T: Tagged>(
    apis: &T,
    call: &Call,
    input: &Value,
    change: impl FnOnce(&mut Members) + Send,
) -> Answer {
    let (id, stage) = owner::<T>(input)?;
    let changed = apis.change(&call.caller, id, |api| {
        let tags = T::told(api, stage)?.entry(T::WORDS.tags).or_insert_with(|| json!({}));
        let tags = tags.as_object_mut().ok_or_else(|| missing("There are no tags."))?;
        change(tags);
        match tags.len() > TAGS_MAX {
            true => Err(bad(format!("A resource has at most {TAGS_MAX} tags."))),
            false => Ok(()),
        }
    });
    changed.await?;
    Ok(json!({}))
}

/// The API that an ARN names, and the stage.
fn owner<T: Tagged>(input: &Value) -> Result<(&str, Option<&str>), ServiceError> {
    let arn = required(input, T::WORDS.arn);
    let path = arn.split_once(&format!("::/{}/", T::WORDS.apis)).map_or("", |(_, path)| path);
    match path.split('/').collect::<Vec<_>>().as_slice() {
        [id] if !id.is_empty() => Ok((id, None)),
        [id, "stages", stage] => Ok((id, Some(stage))),
        _ => Err(bad(format!("Invalid resource ARN {arn}"))),
    }
}
