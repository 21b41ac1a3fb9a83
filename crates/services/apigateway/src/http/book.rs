//! HTTP APIs as they are kept, and their deployments.

use crate::fault::{bad, missing, too_many};
use crate::members::Members;
use crate::route_key::RouteKey;
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
pub(super) struct HttpApi {
    pub account: String,
    pub region: String,
    /// All but the endpoint, which depends on who asks.
    pub told: Members,
    pub integrations: BTreeMap<String, Members>,
    pub routes: BTreeMap<String, Members>,
    pub stages: BTreeMap<String, Members>,
    pub deployments: BTreeMap<String, Members>,
    #[serde(default)]
    pub authorizers: BTreeMap<String, Members>,
}

/// What a deployment serves: the API as it was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub cors: Option<Value>,
    pub routes: Vec<Served>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Served {
    pub route: Members,
    pub integration: Option<Members>,
    #[serde(default)]
    pub authorizer: Option<Members>,
}

const DEPLOYMENTS_MAX: usize = 300;

pub(super) struct Book {
    pub world: World,
    pub apis: Documents<HttpApi>,
    /// By API and deployment.
    pub snapshots: Documents<Snapshot>,
    /// Held by what changes an API.
    structure: Mutex<()>,
}

impl HttpApi {
    pub fn cors(&self) -> Option<&Value> {
        self.told.get("CorsConfiguration")
    }

    /// The API as it is now.
    pub fn snapshot(&self) -> Snapshot {
        let served = self.routes.values().map(|route| {
            let target =
                route.get("Target").and_then(Value::as_str).and_then(|target| target.split_once('/'));
            let integration = target.and_then(|(_, id)| self.integrations.get(id)).cloned();
            let authorizer = route.get("AuthorizerId").and_then(Value::as_str);
            let authorizer = authorizer.and_then(|id| self.authorizers.get(id)).cloned();
            Served { route: route.clone(), integration, authorizer }
        });
        Snapshot { cors: self.cors().cloned(), routes: served.collect() }
    }

    pub fn uses(&self, deployment: &str) -> bool {
        self.stages.values().any(|stage| stage.get("DeploymentId") == Some(&json!(deployment)))
    }
}

impl Served {
    pub fn key(&self) -> Option<RouteKey> {
        RouteKey::parse(self.route.get("RouteKey")?.as_str()?)
    }
}

impl Book {
    pub fn new(store: &Store, world: &World) -> Book {
        Book {
            world: world.clone(),
            apis: Documents::new(store, "apigateway/http"),
            snapshots: Documents::new(store, "apigateway/http-snapshot"),
            structure: Mutex::default(),
        }
    }

    pub fn find(&self, caller: &Caller, id: &str) -> Result<HttpApi, ServiceError> {
        let found = self.apis.get(id)?.filter(|api| api.region == *caller.region);
        found.ok_or_else(|| missing(format!("Invalid API identifier specified {id}")))
    }

    /// Changes an API as one step; stages that deploy by themselves then serve it as it is.
    pub async fn change<R>(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut HttpApi) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        let _alone = self.structure.lock().await;
        let mut api = self.find(caller, id)?;
        let before = api.snapshot();
        let answer = change(&mut api)?;
        self.deploy_changes(id, &mut api, &before).await?;
        self.apis.put(id, api.clone()).await?;
        self.forget_unused(id, &api).await?;
        Ok(answer)
    }

    pub async fn create(&self, id: &str, mut api: HttpApi) -> Result<HttpApi, ServiceError> {
        let _alone = self.structure.lock().await;
        self.deploy_changes(id, &mut api, &Snapshot::default()).await?;
        self.apis.put(id, api.clone()).await?;
        Ok(api)
    }

    pub async fn delete(&self, caller: &Caller, id: &str) -> Result<(), ServiceError> {
        let _alone = self.structure.lock().await;
        self.find(caller, id)?;
        self.apis.remove(id).await?;
        for (deployment, _) in self.snapshots.list(&format!("{id}/"))? {
            self.snapshots.remove(&format!("{id}/{deployment}")).await?;
        }
        Ok(())
    }

    /// Makes a deployment that was asked for, and has a stage serve it.
    pub async fn deploy_by_hand(
        &self,
        caller: &Caller,
        id: &str,
        description: Option<&str>,
        stage: Option<&str>,
    ) -> Result<Members, ServiceError> {
        let _alone = self.structure.lock().await;
        let mut api = self.find(caller, id)?;
        if let Some(stage) = stage {
            let told = super::found(&mut api.stages, "stage", stage)?;
            if told.get("AutoDeploy") == Some(&Value::Bool(true)) {
                return Err(bad("Deployments cannot be made by hand for a stage with AutoDeploy."));
            }
        }
        let deployment = self.deploy(id, &mut api, description, false).await?;
        if let Some(told) = stage.and_then(|stage| api.stages.get_mut(stage)) {
            self.point(told, &deployment);
        }
        let told = api.deployments.get(&deployment).cloned().unwrap_or_default();
        self.apis.put(id, api).await?;
        Ok(told)
    }

    /// Makes a deployment of the API as it is. Its snapshot is durable before anything names it.
    async fn deploy(
        &self,
        id: &str,
        api: &mut HttpApi,
        description: Option<&str>,
        by_itself: bool,
    ) -> Result<String, ServiceError> {
        if api.deployments.len() >= DEPLOYMENTS_MAX {
            return Err(too_many(format!("This API has {DEPLOYMENTS_MAX} deployments: delete some first.")));
        }
        let deployment = ids::small(&self.world, 6);
        self.snapshots.put(&format!("{id}/{deployment}"), api.snapshot()).await?;
        let mut told = Members::new();
        told.insert("AutoDeployed".to_owned(), by_itself.into());
        told.insert("CreatedDate".to_owned(), self.now());
        told.insert("DeploymentId".to_owned(), deployment.as_str().into());
        told.insert("DeploymentStatus".to_owned(), "DEPLOYED".into());
        if let Some(description) = description {
            told.insert("Description".to_owned(), description.into());
        }
        api.deployments.insert(deployment.clone(), told);
        Ok(deployment)
    }

    /// Epoch seconds, as dates are held.
    pub fn now(&self) -> Value {
        self.world.now().seconds().into()
    }

    pub fn point(&self, stage: &mut Members, deployment: &str) {
        stage.insert("DeploymentId".to_owned(), deployment.into());
        let status = format!("Successfully deployed stage with deployment ID '{deployment}'");
        stage.insert("LastDeploymentStatusMessage".to_owned(), status.into());
        stage.insert("LastUpdatedDate".to_owned(), self.now());
    }

    /// Deploys what has changed to the stages that want it.
    async fn deploy_changes(
        &self,
        id: &str,
        api: &mut HttpApi,
        before: &Snapshot,
    ) -> Result<(), ServiceError> {
        let automatic = |stage: &Members| stage.get("AutoDeploy") == Some(&Value::Bool(true));
        let now = serde_json::to_value(api.snapshot()).unwrap_or_default();
        let same = now == serde_json::to_value(before).unwrap_or_default();
        let stale = |stage: &Members| automatic(stage) && (!same || stage.get("DeploymentId").is_none());
        if !api.stages.values().any(stale) {
            return Ok(());
        }
        let deployment = self
            .deploy(id, api, Some("Automatic deployment triggered by changes to the Api configuration"), true)
            .await?;
        for stage in api.stages.values_mut().filter(|stage| stale(stage)) {
            self.point(stage, &deployment);
        }
        // Those that were made the same way before and serve nothing now would only pile up.
        let unused: Vec<String> = api
            .deployments
            .iter()
            .filter(|(own, told)| told.get("AutoDeployed") == Some(&Value::Bool(true)) && !api.uses(own))
            .map(|(own, _)| own.clone())
            .collect();
        api.deployments.retain(|own, _| !unused.contains(own));
        Ok(())
    }

    async fn forget_unused(&self, id: &str, api: &HttpApi) -> Result<(), ServiceError> {
        for (deployment, _) in self.snapshots.list(&format!("{id}/"))? {
            if !api.deployments.contains_key(&deployment) {
                self.snapshots.remove(&format!("{id}/{deployment}")).await?;
            }
        }
        Ok(())
    }
}
