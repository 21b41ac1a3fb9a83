//! Layers: packages of their own, by name and number, that functions are laid over.

use super::Functions;
use super::code::UNPACKED_BYTES_MAX;
use super::create::{RETIRED, RUNTIMES};
use crate::name::{invalid, missing};
use crate::registry::{Layer, LayerUse, Statements};
use ::functions::Runtime;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::documents::Edit;
use servicekit::fields::{self, integer, object, required, text, texts};
use std::collections::BTreeMap;
use wire::ServiceError;

const LAYERS_MAX: usize = 5;

/// A layer's name in each of its spellings; the last part of a version's ARN is its number.
struct LayerName {
    name: String,
    version: Option<u64>,
}

/// None when it lies elsewhere, or is no layer's name.
fn parse(given: &str, caller: &Caller) -> Option<LayerName> {
    let parts: Vec<&str> = given.split(':').collect();
    match parts.as_slice() {
        [name] => Some(LayerName { name: (*name).to_owned(), version: None }),
        ["arn", _, "lambda", region, account, "layer", name, version @ ..]
            if **region == *caller.region && **account == *caller.account =>
        {
            let version = match version {
                [] => None,
                [number] => Some(number.parse().ok()?),
                _ => return None,
            };
            Some(LayerName { name: (*name).to_owned(), version })
        }
        _ => None,
    }
}

fn prefix(caller: &Caller, name: &str) -> String {
    format!("{}/{}/{name}", caller.account, caller.region)
}

/// The newest sorts first.
fn layer_key(caller: &Caller, name: &str, version: u64) -> String {
    format!("{}/{:020}", prefix(caller, name), u64::MAX - version)
}

fn arn(caller: &Caller, name: &str) -> String {
    format!("arn:aws:lambda:{}:{}:layer:{name}", caller.region, caller.account)
}

impl Functions {
    pub(super) async fn publish_layer(&self, call: &Call, input: &Value) -> Answer {
        let named = parse(required(input, "LayerName"), &call.caller).filter(|named| named.version.is_none());
        let name =
            named.ok_or_else(|| invalid("The layer name is not one of this account and region."))?.name;
        for runtime in texts(input, "CompatibleRuntimes") {
            if !is_runtime(&runtime) {
                let given = texts(input, "CompatibleRuntimes").join(", ");
                return Err(no_runtime(&format!("[{given}]"), "compatibleRuntimes"));
            }
        }
        let code = self.put_code(&input["Content"]).await?;
        let number = self
            .registry
            .layer_numbers
            .edit(&prefix(&call.caller, &name), |last| {
                let next: u64 = last.unwrap_or(0) + 1;
                Ok((Edit::Put(next), next))
            })
            .await?;
        let layer = Layer {
            name,
            version: number,
            description: text(input, "Description").unwrap_or_default().to_owned(),
            code_sha256: code.sha256,
            code_digest: wire::base64::encode(&code.digest),
            code_bytes: code.bytes,
            runtimes: texts(input, "CompatibleRuntimes"),
            architectures: texts(input, "CompatibleArchitectures"),
            license: text(input, "LicenseInfo").map(str::to_owned),
            created: format!("{}+0000", self.world.now().iso_millis()),
            policy: Statements::new(),
            revision: self.world.uuid(),
        };
        self.registry.layers.put(&layer_key(&call.caller, &layer.name, number), layer.clone()).await?;
        // This answer alone tells empty lists. [suite: recorded answers]
        let mut shown = self.layer_shown(call, &layer);
        for member in ["CompatibleRuntimes", "CompatibleArchitectures"] {
            if input.get(member).is_some() {
                shown[member] = json!(texts(input, member));
            }
        }
        Ok(shown)
    }

    pub(super) fn get_layer(&self, call: &Call, input: &Value) -> Answer {
        Ok(self.layer_shown(call, &self.layer_named(call, input)?))
    }

    pub(super) fn get_layer_by_arn(&self, call: &Call, input: &Value) -> Answer {
        let given = required(input, "Arn");
        let named = parse(given, &call.caller).ok_or_else(nothing)?;
        let version = named.version.ok_or_else(nothing)?;
        let found = self.registry.layers.get(&layer_key(&call.caller, &named.name, version))?;
        Ok(self.layer_shown(call, &found.ok_or_else(nothing)?))
    }

    /// Functions that were given the version keep it; removing what is not there is a success.
    pub(super) async fn delete_layer(&self, call: &Call, input: &Value) -> Answer {
        let version = version(input)?;
        if let Some(named) = parse(required(input, "LayerName"), &call.caller) {
            self.registry.layers.remove(&layer_key(&call.caller, &named.name, version)).await?;
        }
        Ok(json!({}))
    }

    pub(super) fn list_layer_versions(&self, call: &Call, input: &Value) -> Answer {
        let named = parse(required(input, "LayerName"), &call.caller).ok_or_else(nothing)?;
        let all = self.registry.layers.list(&format!("{}/", prefix(&call.caller, &named.name)))?;
        let fitting = all.into_iter().filter(|(_, layer)| fits(layer, input));
        let entries = fitting.map(|(key, layer)| (key, listed(&call.caller, &layer))).collect();
        paged(input, entries, "LayerVersions")
    }

    pub(super) fn list_layers(&self, call: &Call, input: &Value) -> Answer {
        if let Some(runtime) = text(input, "CompatibleRuntime").filter(|runtime| !is_runtime(runtime)) {
            return Err(no_runtime(runtime, "compatibleRuntime"));
        }
        let all = self.registry.layers.list(&prefix(&call.caller, ""))?;
        let mut latest: BTreeMap<String, Value> = BTreeMap::new();
        // The newest of a name comes first.
        for (_, layer) in all.into_iter().filter(|(_, layer)| fits(layer, input)) {
            latest.entry(layer.name.clone()).or_insert_with(|| {
                json!({
                    "LayerName": layer.name,
                    "LayerArn": arn(&call.caller, &layer.name),
                    "LatestMatchingVersion": listed(&call.caller, &layer),
                })
            });
        }
        paged(input, latest.into_iter().collect(), "Layers")
    }

    pub(super) fn layer_named(&self, call: &Call, input: &Value) -> Result<Layer, ServiceError> {
        let version = version(input)?;
        let named = parse(required(input, "LayerName"), &call.caller).ok_or_else(nothing)?;
        let found = self.registry.layers.get(&layer_key(&call.caller, &named.name, version))?;
        found.ok_or_else(nothing)
    }

    /// The same where its policy is the matter: a layer that is not there is named.
    pub(super) fn layer_governed(&self, call: &Call, input: &Value) -> Result<Layer, ServiceError> {
        let version = version(input)?;
        let given = required(input, "LayerName");
        let name = parse(given, &call.caller).map_or_else(|| given.to_owned(), |named| named.name);
        let found = self.registry.layers.get(&layer_key(&call.caller, &name, version))?;
        let layer = format!("{}:{version}", arn(&call.caller, &name));
        found.ok_or_else(|| missing(format!("Layer version {layer} does not exist.")))
    }

    /// The layers that a function is to be laid over; None when the call does not say.
    pub(super) fn layers_of(
        &self,
        call: &Call,
        input: &Value,
    ) -> Result<Option<Vec<LayerUse>>, ServiceError> {
        if input.get("Layers").is_none() {
            return Ok(None);
        }
        let given = texts(input, "Layers");
        if given.len() > LAYERS_MAX {
            return Err(invalid(format!("Cannot reference more than {LAYERS_MAX} layers.")));
        }
        let mut used: Vec<(String, LayerUse)> = Vec::new();
        for text in given {
            let region = text.split(':').nth(3).unwrap_or_default();
            if region != &*call.caller.region {
                return Err(invalid(format!(
                    "Layers are not in the same region as the function. Layers are expected to be in region {}.",
                    call.caller.region
                )));
            }
            let unknown = || invalid(format!("Layer version {text} does not exist."));
            let named = parse(&text, &call.caller).ok_or_else(unknown)?;
            let key = layer_key(&call.caller, &named.name, named.version.ok_or_else(unknown)?);
            let layer = self.registry.layers.get(&key)?.ok_or_else(unknown)?;
            if let Some((_, other)) = used.iter().find(|(name, _)| *name == named.name) {
                return Err(invalid(format!(
                    "Two different versions of the same layer are not allowed to be referenced in the same function. {} and {text} are versions of the same layer.",
                    other.arn
                )));
            }
            used.push((
                named.name,
                LayerUse { arn: text, code_sha256: layer.code_sha256, code_bytes: layer.code_bytes },
            ));
        }
        Ok(Some(used.into_iter().map(|(_, layer)| layer).collect()))
    }

    /// What a function comes to with its layers has a limit.
    pub(super) async fn check_size(
        &self,
        code_sha256: &str,
        layers: &[LayerUse],
    ) -> Result<(), ServiceError> {
        if layers.is_empty() {
            return Ok(());
        }
        let functions = self.functions.clone();
        let all: Vec<String> =
            layers.iter().map(|layer| layer.code_sha256.clone()).chain([code_sha256.to_owned()]).collect();
        let sizes = tokio::task::spawn_blocking(move || {
            all.iter().map(|sha256| functions.unpacked_bytes(sha256)).sum::<Result<u64, _>>()
        });
        let bytes = sizes
            .await
            .map_err(servicekit::documents::unavailable)?
            .map_err(servicekit::documents::unavailable)?;
        if bytes > UNPACKED_BYTES_MAX {
            return Err(invalid(format!(
                "Function code combined with layers exceeds the maximum allowed size of {UNPACKED_BYTES_MAX} bytes. The actual size is {bytes} bytes."
            )));
        }
        Ok(())
    }

    fn layer_shown(&self, call: &Call, layer: &Layer) -> Value {
        let mut shown = listed(&call.caller, layer);
        shown["LayerArn"] = arn(&call.caller, &layer.name).into();
        shown["Content"] = json!({
            "Location": self.link(call, &layer.code_sha256),
            "CodeSha256": layer.code_digest,
            "CodeSize": layer.code_bytes,
        });
        shown
    }

    pub(super) async fn change_layer<R>(
        &self,
        call: &Call,
        input: &Value,
        change: impl Fn(&mut Layer) -> Result<R, ServiceError>,
    ) -> Result<(R, String), ServiceError> {
        let found = self.layer_governed(call, input)?;
        let next = self.world.uuid();
        let key = layer_key(&call.caller, &found.name, found.version);
        self.registry
            .layers
            .edit(&key, |old| {
                let mut layer = old.ok_or_else(nothing)?;
                if text(input, "RevisionId").is_some_and(|revision| revision != layer.revision) {
                    return Err(super::update::stale_of("GetLayerPolicy"));
                }
                let answer = change(&mut layer)?;
                layer.revision.clone_from(&next);
                Ok((Edit::Put(layer), (answer, next.clone())))
            })
            .await
    }

    /// The ARN of a layer's version.
    pub(super) fn layer_arn(&self, call: &Call, layer: &Layer) -> String {
        format!("{}:{}", arn(&call.caller, &layer.name), layer.version)
    }
}

fn is_runtime(name: &str) -> bool {
    RUNTIMES.contains(&name) || RETIRED.contains(&name) || Runtime::parse(name).is_some()
}

fn no_runtime(value: &str, member: &str) -> ServiceError {
    let list = RUNTIMES.join(", ");
    let message = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [{list}]"
    );
    ServiceError::new("ValidationException", message).with_status(400)
}

fn version(input: &Value) -> Result<u64, ServiceError> {
    match integer(input, "VersionNumber") {
        Some(number) if number >= 1 => Ok(number as u64),
        _ => Err(invalid("Layer Version Cannot be less than 1")),
    }
}

fn nothing() -> ServiceError {
    missing("The resource you requested does not exist.")
}

fn fits(layer: &Layer, input: &Value) -> bool {
    let fits = |wanted: Option<&str>, has: &[String]| {
        wanted.is_none_or(|wanted| has.iter().any(|one| one == wanted))
    };
    fits(text(input, "CompatibleRuntime"), &layer.runtimes)
        && fits(text(input, "CompatibleArchitecture"), &layer.architectures)
}

fn listed(caller: &Caller, layer: &Layer) -> Value {
    let list = |values: &[String]| (!values.is_empty()).then(|| json!(values));
    object([
        ("LayerVersionArn", Some(format!("{}:{}", arn(caller, &layer.name), layer.version).into())),
        ("Version", Some(layer.version.into())),
        ("Description", Some(layer.description.clone().into())),
        ("CreatedDate", Some(layer.created.clone().into())),
        ("CompatibleRuntimes", list(&layer.runtimes)),
        ("CompatibleArchitectures", list(&layer.architectures)),
        ("LicenseInfo", layer.license.clone().map(Value::from)),
    ])
}

fn paged(input: &Value, entries: Vec<(String, Value)>, member: &str) -> Answer {
    let limit = integer(input, "MaxItems").unwrap_or(50).clamp(1, 50) as usize;
    let page =
        fields::page(entries, text(input, "Marker"), limit, || invalid("The specified marker is invalid."))?;
    Ok(object([(member, Some(page.items.into())), ("NextMarker", page.next.map(Value::from))]))
}
