//! Function URLs: an address for a function or for one of its aliases.

use super::Functions;
use crate::name::{FunctionName, conflict, invalid, missing};
use crate::registry::key;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::{Documents, Edit};
use servicekit::fields::{self, integer, object, required, text, texts};
use store::Store;
use wire::ServiceError;

/// Where addresses lead, on this server: `<PATH><id>/…`.
pub(super) const PATH: &str = "/_millstream/url/";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Url {
    pub id: String,
    pub account: String,
    pub region: String,
    /// With the alias, if it is one's.
    pub function_arn: String,
    /// Whether calls must be signed.
    pub signed: bool,
    pub cors: Option<Cors>,
    /// Whether an answer is passed on as it is, with the head that the function gave it.
    #[serde(default)]
    pub streaming: bool,
    /// Whether anybody ever said how.
    #[serde(default)]
    pub mode_named: bool,
    pub created: String,
    pub modified: String,
}

/// What browsers are told about other sites' pages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Cors {
    pub credentials: Option<bool>,
    pub headers: Vec<String>,
    pub methods: Vec<String>,
    pub origins: Vec<String>,
    pub expose: Vec<String>,
    pub max_age_s: Option<i64>,
}

/// Addresses by function and qualifier, and the keys of those by id.
#[derive(Clone)]
pub(super) struct Urls {
    pub by_function: Documents<Url>,
    pub by_id: Documents<String>,
}

impl Urls {
    pub fn new(store: &Store) -> Urls {
        Urls {
            by_function: Documents::new(store, "lambda/url"),
            by_id: Documents::new(store, "lambda/url-id"),
        }
    }

    pub async fn remove(&self, key: &str) -> Result<(), ServiceError> {
        if let Some(url) = self.by_function.remove(key).await? {
            self.by_id.remove(&url.id).await?;
        }
        Ok(())
    }

    /// Removes every address whose key begins so.
    pub async fn remove_all(&self, prefix: &str) -> Result<(), ServiceError> {
        for (rest, _) in self.by_function.list(prefix)? {
            self.remove(&format!("{prefix}{rest}")).await?;
        }
        Ok(())
    }
}

impl Functions {
    /// The function that is named, which must exist, and the key of its address.
    fn url_name(&self, call: &Call, input: &Value) -> Result<(FunctionName, String), ServiceError> {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?
            .qualified(text(input, "Qualifier"))?;
        if name.qualifier.as_deref().is_some_and(|one| one.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(invalid("A function URL belongs to a function or to an alias, not to a version."));
        }
        // Who makes or changes an address hears of the function, who looks for one of the address. [suite: recorded answers]
        let changes = ["CreateFunctionUrlConfig", "UpdateFunctionUrlConfig"].contains(&call.operation.name);
        let unknown = || if changes { no_function() } else { nothing() };
        self.registry.find(&call.caller, &name).map_err(|_| unknown())?;
        let name = FunctionName { qualifier: name.qualifier.filter(|one| one != "$LATEST"), ..name };
        let own = name.qualifier.as_deref().unwrap_or("$LATEST");
        let key = format!("{}/{own}", key(&call.caller, &name.name));
        Ok((name, key))
    }

    pub(super) async fn create_url(&self, call: &Call, input: &Value) -> Answer {
        let (name, key) = self.url_name(call, input)?;
        let arn = name.arn(&call.caller);
        let now = format!("{}Z", self.world.now().iso_millis());
        let url = Url {
            id: self.world.hex(32),
            account: call.caller.account.to_string(),
            region: call.caller.region.to_string(),
            function_arn: arn.clone(),
            signed: text(input, "AuthType") == Some("AWS_IAM"),
            cors: cors(input),
            streaming: text(input, "InvokeMode") == Some("RESPONSE_STREAM"),
            mode_named: text(input, "InvokeMode").is_some(),
            created: now.clone(),
            modified: now,
        };
        self.urls.by_id.put(&url.id, key.clone()).await?;
        let made = self.urls.by_function.edit(&key, |old| match old {
            Some(_) => Err(conflict(format!(
                "Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for this Lambda function"
            ))),
            None => Ok((Edit::Put(url.clone()), ())),
        });
        if let Err(error) = made.await {
            self.urls.by_id.remove(&url.id).await?;
            return Err(error);
        }
        let mut shown = self.url_changed(call, &url);
        if let Some(members) = shown.as_object_mut() {
            members.shift_remove("LastModifiedTime");
        }
        Ok(shown)
    }

    pub(super) async fn update_url(&self, call: &Call, input: &Value) -> Answer {
        let (_, key) = self.url_name(call, input)?;
        let now = format!("{}Z", self.world.now().iso_millis());
        let changed = self.urls.by_function.edit(&key, |old| {
            let mut url = old.ok_or_else(nothing)?;
            if let Some(auth) = text(input, "AuthType") {
                url.signed = auth == "AWS_IAM";
            }
            if input.get("Cors").is_some() {
                url.cors = cors(input);
            }
            if let Some(mode) = text(input, "InvokeMode") {
                url.streaming = mode == "RESPONSE_STREAM";
                url.mode_named = true;
            }
            url.modified.clone_from(&now);
            Ok((Edit::Put(url.clone()), url))
        });
        Ok(self.url_changed(call, &changed.await?))
    }

    /// What a call that changes it answers: the mode only once it was named. [suite: recorded answers]
    fn url_changed(&self, call: &Call, url: &Url) -> Value {
        let mut shown = self.url_shown(call, url);
        if let Some(members) = shown.as_object_mut().filter(|_| !url.mode_named) {
            members.shift_remove("InvokeMode");
        }
        shown
    }

    pub(super) fn get_url(&self, call: &Call, input: &Value) -> Answer {
        let (_, key) = self.url_name(call, input)?;
        let found = self.urls.by_function.get(&key)?.ok_or_else(nothing)?;
        Ok(self.url_shown(call, &found))
    }

    pub(super) async fn delete_url(&self, call: &Call, input: &Value) -> Answer {
        let (_, key) = self.url_name(call, input)?;
        let gone = self.urls.by_function.remove(&key).await?.ok_or_else(nothing)?;
        self.urls.by_id.remove(&gone.id).await?;
        Ok(json!({}))
    }

    pub(super) fn list_urls(&self, call: &Call, input: &Value) -> Answer {
        let function = self.whole(call, input).map_err(|_| no_function())?;
        let all = self.urls.by_function.list(&format!("{}/", key(&call.caller, &function.name)))?;
        let entries = all.into_iter().map(|(own, url)| (own, self.url_shown(call, &url))).collect();
        let limit = integer(input, "MaxItems").unwrap_or(50).clamp(1, 50) as usize;
        let page = fields::page(entries, text(input, "Marker"), limit, || {
            invalid("The specified marker is invalid.")
        })?;
        Ok(object([
            ("FunctionUrlConfigs", Some(page.items.into())),
            ("NextMarker", page.next.map(Value::from)),
        ]))
    }

    fn url_shown(&self, call: &Call, url: &Url) -> Value {
        object([
            ("FunctionUrl", Some(format!("{}{PATH}{}/", self.origin(call), url.id).into())),
            ("FunctionArn", Some(url.function_arn.clone().into())),
            ("AuthType", Some(if url.signed { "AWS_IAM" } else { "NONE" }.into())),
            ("Cors", url.cors.as_ref().map(cors_shown)),
            ("CreationTime", Some(url.created.clone().into())),
            ("LastModifiedTime", Some(url.modified.clone().into())),
            ("InvokeMode", Some(if url.streaming { "RESPONSE_STREAM" } else { "BUFFERED" }.into())),
        ])
    }
}

fn no_function() -> ServiceError {
    missing("Function does not exist")
}

fn nothing() -> ServiceError {
    missing("The resource you requested does not exist.")
}

fn cors(input: &Value) -> Option<Cors> {
    let given = input.get("Cors")?;
    let cors = Cors {
        credentials: given.get("AllowCredentials").and_then(Value::as_bool),
        headers: texts(given, "AllowHeaders"),
        methods: texts(given, "AllowMethods"),
        origins: texts(given, "AllowOrigins"),
        expose: texts(given, "ExposeHeaders"),
        max_age_s: integer(given, "MaxAge"),
    };
    (cors != Cors::default()).then_some(cors)
}

fn cors_shown(cors: &Cors) -> Value {
    let list = |values: &[String]| (!values.is_empty()).then(|| json!(values));
    object([
        ("AllowCredentials", cors.credentials.map(Value::from)),
        ("AllowHeaders", list(&cors.headers)),
        ("AllowMethods", list(&cors.methods)),
        ("AllowOrigins", list(&cors.origins)),
        ("ExposeHeaders", list(&cors.expose)),
        ("MaxAge", cors.max_age_s.map(Value::from)),
    ])
}
