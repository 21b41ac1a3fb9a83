//! The documents that describe APIs: in the template itself, or an object that it names.

use super::{Cx, only};
use serde_json::{Map, Value};
use servicekit::fields::text;
use servicekit::house::Object;

/// As much as API Gateway takes.
const BODY_BYTES_MAX: u64 = 6 << 20;

/// The document of an API's properties, if it has one.
pub(super) async fn of(cx: &Cx<'_>, properties: &Value) -> Result<Option<String>, String> {
    match (properties.get("Body"), properties.get("BodyS3Location")) {
        (Some(_), Some(_)) => Err("Body and BodyS3Location cannot both be given".to_owned()),
        (Some(Value::String(body)), None) => Ok(Some(body.clone())),
        (Some(tree), None) => Ok(Some(tree.to_string())),
        (None, Some(place)) => {
            only(place, &["Bucket", "ETag", "Key", "Version"])?;
            let name = |name: &str| text(place, name).unwrap_or_default();
            let object = Object { bucket: name("Bucket"), key: name("Key"), version: text(place, "Version") };
            let bytes = cx.house.object(&object, BODY_BYTES_MAX).await.map_err(|error| error.to_string())?;
            String::from_utf8(bytes).map(Some).map_err(|_| "BodyS3Location is no text".to_owned())
        }
        (None, None) => Ok(None),
    }
}

/// What is said beside it: `{"basepath": "prepend"}`.
pub(super) fn parameters(properties: &Value) -> Value {
    let own = properties.get("Parameters").and_then(Value::as_object).cloned();
    Value::Object(own.unwrap_or_else(Map::new))
}
