//! Resources: the tree of an API's paths.

use super::book::{Resource, RestApi};
use super::patch;
use super::{Rest, page};
use crate::fault::{bad, conflict, missing, too_many};
use crate::members::Members;
use crate::route_key::Segment;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, texts};
use servicekit::ids;
use wire::ServiceError;

const RESOURCES_MAX: usize = 300;

impl Rest {
    pub(super) async fn create_resource(&self, call: &Call, input: &Value) -> Answer {
        let (parent, part) = (required(input, "parentId"), required(input, "pathPart"));
        let id = ids::small(&self.book.world, 6);
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            add(api, parent, part, &id)?;
            Ok(shown(api, &id, false))
        });
        Ok(Value::Object(told.await?))
    }

    pub(super) fn get_resource(&self, call: &Call, input: &Value) -> Answer {
        let mut api = self.book.find(&call.caller, required(input, "restApiId"))?;
        let id = required(input, "resourceId");
        api.resource(id)?;
        Ok(Value::Object(shown(&api, id, embeds(input))))
    }

    pub(super) fn get_resources(&self, call: &Call, input: &Value) -> Answer {
        let api = self.book.find(&call.caller, required(input, "restApiId"))?;
        page(input, api.resources.keys().map(|id| (id.clone(), shown(&api, id, embeds(input)))))
    }

    pub(super) async fn update_resource(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "resourceId");
        let told = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            for patch in patch::all(input) {
                let mut new = api.resource(id)?.clone();
                let value = patch.value.clone().unwrap_or_default();
                let member = patch.path.first().map(String::as_str).filter(|_| patch.path.len() == 1);
                match member {
                    Some("pathPart" | "parentId") if !patch.replaces() => return Err(patch.unsupported()),
                    Some(member @ ("pathPart" | "parentId")) if id == api.root => {
                        return Err(bad(format!("Root resource cannot update its {member}.")));
                    }
                    Some("pathPart") => new.part = value,
                    Some("parentId") => new.parent = Some(value),
                    _ => return Err(patch.refused(&["parentId", "pathPart"])),
                }
                let parent = new.parent.clone().unwrap_or_default();
                if below(api, &parent, id) {
                    return Err(bad("Resources cannot be cyclical."));
                }
                fits(api, &parent, &new.part, id)?;
                api.resources.insert(id.to_owned(), new);
            }
            api.resource(id)?;
            Ok(shown(api, id, false))
        });
        Ok(Value::Object(told.await?))
    }

    /// Removes a resource and all that lies under it.
    pub(super) async fn delete_resource(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "resourceId");
        let gone = self.book.change(&call.caller, required(input, "restApiId"), |api| {
            api.resource(id)?;
            if id == api.root {
                return Err(bad("Root resource cannot be deleted."));
            }
            let gone: Vec<String> =
                api.resources.keys().filter(|other| below(api, other, id)).cloned().collect();
            api.resources.retain(|other, _| !gone.contains(other));
            Ok(())
        });
        gone.await?;
        Ok(json!({}))
    }
}

/// One more resource below another one.
pub(super) fn add(api: &mut RestApi, parent: &str, part: &str, id: &str) -> Result<(), ServiceError> {
    if api.resources.len() >= RESOURCES_MAX {
        return Err(too_many(format!("An API has at most {RESOURCES_MAX} resources.")));
    }
    fits(api, parent, part, id)?;
    let resource = Resource { parent: Some(parent.to_owned()), part: part.to_owned(), ..Resource::default() };
    api.resources.insert(id.to_owned(), resource);
    Ok(())
}

fn embeds(input: &Value) -> bool {
    texts(input, "embed").iter().any(|what| what == "methods")
}

fn shown(api: &RestApi, id: &str, whole: bool) -> Members {
    let mut told = Members::new();
    let Some(resource) = api.resources.get(id) else { return told };
    told.insert("id".to_owned(), id.into());
    if let Some(parent) = &resource.parent {
        told.insert("parentId".to_owned(), parent.as_str().into());
        told.insert("pathPart".to_owned(), resource.part.as_str().into());
    }
    told.insert("path".to_owned(), api.path(id).into());
    if !resource.methods.is_empty() {
        let methods = resource.methods.iter().map(|(name, method)| {
            (name.clone(), if whole { Value::Object(method.clone()) } else { json!({}) })
        });
        told.insert("resourceMethods".to_owned(), Value::Object(methods.collect()));
    }
    told
}

/// Whether a resource is another one, or lies under it.
fn below(api: &RestApi, id: &str, other: &str) -> bool {
    let mut at = Some(id);
    for _ in 0..64 {
        if at == Some(other) {
            return true;
        }
        at = at.and_then(|id| api.resources.get(id)?.parent.as_deref());
    }
    false
}

/// Whether a resource of this name may lie there.
fn fits(api: &RestApi, parent: &str, part: &str, own: &str) -> Result<(), ServiceError> {
    let above = api.resources.get(parent);
    let above = above.ok_or_else(|| missing("Invalid Resource identifier specified"))?;
    if matches!(Segment::parse(&above.part), Some(Segment::Greedy(_))) {
        return Err(bad(format!(
            "Cannot create a child of a resource with a greedy path variable: {}",
            above.part
        )));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:~!$&'()*,;=@%".contains(&byte);
    let segment = Segment::parse(part).filter(|segment| match segment {
        Segment::Fixed(fixed) => !fixed.is_empty() && fixed.bytes().all(allowed),
        _ => true,
    });
    let Some(segment) = segment else {
        return Err(bad(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.",
        ));
    };
    let siblings =
        api.resources.iter().filter(|(id, other)| *id != own && other.parent.as_deref() == Some(parent));
    let is_variable = |segment: &Segment| !matches!(segment, Segment::Fixed(_));
    for (_, other) in siblings {
        if other.part == part {
            return Err(conflict(format!(
                "Another resource with the same parent already has this name: {part}"
            )));
        }
        if is_variable(&segment) && Segment::parse(&other.part).is_some_and(|other| is_variable(&other)) {
            return Err(bad(format!(
                "A sibling ({}) of this resource already has a variable path part -- only one is allowed",
                other.part
            )));
        }
    }
    Ok(())
}
