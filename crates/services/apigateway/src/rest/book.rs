//! REST APIs as they are kept, and their deployments.

use crate::fault::{bad, missing, too_many};
use crate::members::Members;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::Caller;
use servicekit::documents::Documents;
use servicekit::ids;
use std::collections::BTreeMap;
use store::Store;
use tokio::sync::Mutex;
use wire::ServiceError;
use world::World;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct RestApi {
    pub account: String,
    pub region: String,
    pub told: Members,
    /// The resource `/`.
    pub root: String,
    pub resources: BTreeMap<String, Resource>,
    /// Gateway responses by type.
    pub responses: BTreeMap<String, Members>,
    pub stages: BTreeMap<String, Members>,
    pub deployments: BTreeMap<String, Members>,
    #[serde(default)]
    pub authorizers: BTreeMap<String, Members>,
    /// Models by name.
    #[serde(default)]
    pub models: BTreeMap<String, Members>,
    #[serde(default)]
    pub validators: BTreeMap<String, Members>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Resource {
    /// None of the root.
    pub parent: Option<String>,
    pub part: String,
    /// Methods with their integration and responses, as they are told.
    pub methods: BTreeMap<String, Members>,
}

/// What a deployment serves: the API as it was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Snapshot {
    /// With each one's path.
    pub resources: BTreeMap<String, (String, Resource)>,
    pub responses: BTreeMap<String, Members>,
    pub binary: Vec<String>,
    #[serde(default)]
    pub authorizers: BTreeMap<String, Members>,
    /// Models by name.
    #[serde(default)]
    pub models: BTreeMap<String, Members>,
    #[serde(default)]
    pub validators: BTreeMap<String, Members>,
}

const DEPLOYMENTS_MAX: usize = 300;

pub(super) struct Book {
    pub world: World,
    pub apis: Documents<RestApi>,
    /// By API and deployment.
    pub snapshots: Documents<Snapshot>,
    /// Held by what changes an API.
    structure: Mutex<()>,
}

impl RestApi {
    /// A resource's path; the root's is `/`.
    pub fn path(&self, id: &str) -> String {
        let mut parts = Vec::new();
        let mut at = self.resources.get(id);
        while let Some(resource) = at.filter(|resource| resource.parent.is_some() && parts.len() < 64) {
            parts.push(resource.part.as_str());
            at = resource.parent.as_ref().and_then(|parent| self.resources.get(parent));
        }
        parts.reverse();
        format!("/{}", parts.join("/"))
    }

    /// The API as it is now.
    pub fn snapshot(&self) -> Snapshot {
        let resources = self.resources.iter();
        Snapshot {
            resources: resources.map(|(id, one)| (id.clone(), (self.path(id), one.clone()))).collect(),
            responses: self.responses.clone(),
            binary: servicekit::fields::texts(&Value::Object(self.told.clone()), "binaryMediaTypes"),
            authorizers: self.authorizers.clone(),
            models: self.models.clone(),
            validators: self.validators.clone(),
        }
    }

    pub fn resource(&mut self, id: &str) -> Result<&mut Resource, ServiceError> {
        self.resources.get_mut(id).ok_or_else(|| missing("Invalid Resource identifier specified"))
    }

    pub fn method(&mut self, resource: &str, method: &str) -> Result<&mut Members, ServiceError> {
        let methods = &mut self.resource(resource)?.methods;
        methods.get_mut(method).ok_or_else(|| missing("Invalid Method identifier specified"))
    }

    pub fn integration(&mut self, resource: &str, method: &str) -> Result<&mut Members, ServiceError> {
        let own = self.method(resource, method)?.get_mut("methodIntegration");
        own.and_then(Value::as_object_mut).ok_or_else(|| missing("Invalid Integration identifier specified"))
    }

    pub fn uses(&self, deployment: &str) -> bool {
        self.stages.values().any(|stage| stage.get("deploymentId") == Some(&json!(deployment)))
    }
}

impl Book {
    pub fn new(store: &Store, world: &World) -> Book {
        Book {
            world: world.clone(),
            apis: Documents::new(store, "apigateway/rest"),
            snapshots: Documents::new(store, "apigateway/rest-snapshot"),
            structure: Mutex::default(),
        }
    }

    pub fn find(&self, caller: &Caller, id: &str) -> Result<RestApi, ServiceError> {
        let found = self.apis.get(id)?.filter(|api| api.region == *caller.region);
        let account = &caller.account;
        found.ok_or_else(|| missing(format!("Invalid API identifier specified {account}:{id}")))
    }

    /// Changes an API as one step. What it serves changes with its deployments and stages only.
    pub async fn change<R>(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut RestApi) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        let _alone = self.structure.lock().await;
        let mut api = self.find(caller, id)?;
        let answer = change(&mut api)?;
        self.apis.put(id, api).await?;
        Ok(answer)
    }

    /// Makes a deployment of the API as it is, and what goes with it. Its snapshot is durable before anything names it.
    pub async fn deploy(
        &self,
        caller: &Caller,
        id: &str,
        description: Option<&str>,
        then: impl FnOnce(&mut RestApi, &str) -> Result<(), ServiceError>,
    ) -> Result<Members, ServiceError> {
        let _alone = self.structure.lock().await;
        let mut api = self.find(caller, id)?;
        let methods: Vec<&Members> =
            api.resources.values().flat_map(|resource| resource.methods.values()).collect();
        if methods.is_empty() {
            return Err(bad("The REST API doesn't contain any methods"));
        }
        if methods.iter().any(|method| !method.contains_key("methodIntegration")) {
            return Err(bad("No integration defined for method"));
        }
        if api.deployments.len() >= DEPLOYMENTS_MAX {
            return Err(too_many(format!("This API has {DEPLOYMENTS_MAX} deployments: delete some first.")));
        }
        let deployment = ids::small(&self.world, 6);
        let mut told = Members::new();
        told.insert("id".to_owned(), deployment.as_str().into());
        if let Some(description) = description {
            told.insert("description".to_owned(), description.into());
        }
        told.insert("createdDate".to_owned(), self.now());
        api.deployments.insert(deployment.clone(), told.clone());
        then(&mut api, &deployment)?;
        self.snapshots.put(&format!("{id}/{deployment}"), api.snapshot()).await?;
        self.apis.put(id, api).await?;
        Ok(told)
    }

    pub async fn forget_deployment(&self, id: &str, deployment: &str) -> Result<(), ServiceError> {
        self.snapshots.remove(&format!("{id}/{deployment}")).await.map(drop)
    }

    pub async fn delete(&self, caller: &Caller, id: &str) -> Result<(), ServiceError> {
        let _alone = self.structure.lock().await;
        self.find(caller, id)?;
        self.apis.remove(id).await?;
        for (deployment, _) in self.snapshots.list(&format!("{id}/"))? {
            self.forget_deployment(id, &deployment).await?;
        }
        Ok(())
    }

    /// Epoch seconds, as dates are held.
    pub fn now(&self) -> Value {
        self.world.now().seconds().into()
    }
}
