//! Making the resources what a wish says, one after the other.

use super::{Deployer, Done, Stop};
use crate::resources::tags::with_stacks;
use crate::resources::{self, Change, Changed, Cx};
use crate::scope;
use crate::stack::{Resource, Wish};
use crate::template::evaluate::{Made, Scope};
use crate::template::{Template, graph};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::PoisonError;
use wire::ServiceError;

/// A wish on its way.
struct Run<'a> {
    deployer: &'a Deployer<'a>,
    wish: &'a Wish,
    template: &'a Template,
    /// The resources as they were before.
    known: BTreeMap<String, Resource>,
    /// Of the next resource that is new.
    ordinal: u64,
    scope: Scope,
}

/// A resource as the template wants it.
struct Wanted<'a> {
    logical: &'a str,
    kind: &'a str,
    properties: Value,
    /// The properties with their dynamic references looked up, and with the stack's tags.
    resolved: Value,
    deletion_policy: Option<String>,
}

impl Deployer<'_> {
    /// Makes the resources what the wish says; `done` is what has been done of it, whatever comes of the rest.
    pub(super) async fn apply(&self, wish: &Wish, done: &mut Vec<(String, Done)>) -> Result<(), Stop> {
        let id = &self.stack.id;
        let template = wish.parsed().map_err(Stop::Failed)?;
        let scope = scope::of(self.stacks, self.stack, self.caller, wish, &template)?;
        let known = self.stacks.resources(id)?;
        let ordinal = known.values().map(|resource| resource.ordinal + 1).max().unwrap_or(0);
        let order = graph::order(&template).map_err(Stop::Failed)?;
        let mut run = Run { deployer: self, wish, template: &template, known, ordinal, scope };
        for logical in &order {
            if let Some(made) = run.apply_one(logical, done).await? {
                run.scope.resources.insert(logical.clone(), made);
            }
        }
        let ordinal = run.ordinal;
        run.conclude().await?;
        self.stacks.put_wish(id, wish.clone()).await?;
        Ok(self.put_in_order(&order, ordinal).await?)
    }

    /// Resources are removed in the opposite order: one that has come to stand on a newer one has to go before it.
    async fn put_in_order(&self, order: &[String], from: u64) -> Result<(), ServiceError> {
        let mut now = self.stacks.resources(&self.stack.id)?;
        let present: Vec<&String> = order.iter().filter(|logical| now.contains_key(*logical)).collect();
        if present.is_sorted_by_key(|logical| now[*logical].ordinal) {
            return Ok(());
        }
        for (logical, ordinal) in present.into_iter().zip(from..) {
            if let Some(resource) = now.remove(logical) {
                self.stacks.put_resource(&self.stack.id, logical, Resource { ordinal, ..resource }).await?;
            }
        }
        Ok(())
    }

    /// The properties that a resource was made from, with their dynamic references looked up, and with the stack's tags.
    pub(super) async fn meant(&self, cx: &Cx<'_>, resource: &Resource) -> Value {
        let properties =
            cx.resolve(&resource.properties).await.unwrap_or_else(|_| resource.properties.clone());
        with_stacks(&resource.kind, properties, resource.tags(&self.stack.tags))
    }

    /// Tells that a resource failed.
    async fn failed(&self, verb: &str, wanted: &Failing<'_>, words: &str) -> Stop {
        let Failing { logical, physical, kind, properties } = *wanted;
        let told =
            self.tell(logical, physical, kind, &format!("{verb}_FAILED"), Some(words), properties).await;
        let past = if verb == "CREATE" { "create" } else { "update" };
        match told {
            Ok(()) => Stop::Failed(format!("The following resource(s) failed to {past}: [{logical}]. ")),
            Err(error) => Stop::Broken(error),
        }
    }
}

/// What is known of a resource that fails.
struct Failing<'a> {
    logical: &'a str,
    physical: &'a str,
    kind: &'a str,
    properties: Option<&'a Value>,
}

impl Run<'_> {
    /// Makes or changes one resource; None of one that is not wanted.
    async fn apply_one(
        &mut self,
        logical: &str,
        done: &mut Vec<(String, Done)>,
    ) -> Result<Option<Made>, Stop> {
        let deployer = self.deployer;
        let resource = &self.template.resources()[logical];
        let kind = self.template.resource_type(logical);
        let deletion_policy = self.scope.policy(resource, "DeletionPolicy");
        let condition = self.scope.wanted(resource);
        if condition == Ok(false) {
            return Ok(None);
        }
        let old = self.known.get(logical).cloned();
        let verb = if old.is_some() { "UPDATE" } else { "CREATE" };
        let nothing = Failing { logical, physical: "", kind, properties: None };
        let none = Value::Object(Map::new());
        let evaluated = resource.get("Properties").unwrap_or(&none);
        let properties = match condition.and_then(|_| self.scope.evaluate(evaluated)) {
            Ok(properties) => properties,
            Err(words) => return Err(deployer.failed(verb, &nothing, &words).await),
        };
        if let Some(old) = old.as_ref().filter(|old| self.is_so(old, kind, &properties)) {
            if old.deletion_policy != deletion_policy {
                let kept = Resource { deletion_policy, ..old.clone() };
                deployer.stacks.put_resource(&deployer.stack.id, logical, kept).await?;
            }
            return Ok(Some(old.answering()));
        }
        let cx = deployer.cx(logical);
        let resolved = match cx.resolve(&properties).await {
            Ok(resolved) => with_stacks(kind, resolved, &self.wish.tags),
            Err(words) => return Err(deployer.failed(verb, &nothing, &words).await),
        };
        let wanted = Wanted { logical, kind, properties, resolved, deletion_policy };
        let changed = match &old {
            Some(old) if old.kind == kind => self.change(&cx, &wanted, old, done).await?,
            _ => None,
        };
        let (made, verb) = match changed {
            Some(made) => (made, "UPDATE"),
            None => (self.make(&cx, &wanted, old.is_none(), verb).await?, verb),
        };
        let answering = made.answering(&wanted.properties);
        self.settle(wanted, old, made, verb, done).await?;
        Ok(Some(answering))
    }

    /// Whether a resource is what the template wants, with the tags that the stack shall have.
    fn is_so(&self, old: &Resource, kind: &str, properties: &Value) -> bool {
        let tags = old.tags(&self.deployer.stack.tags);
        old.kind == kind
            && old.properties == *properties
            && with_stacks(kind, properties.clone(), tags)
                == with_stacks(kind, properties.clone(), &self.wish.tags)
    }

    /// Changes a resource in its place; None where a new one has to take it.
    async fn change(
        &self,
        cx: &Cx<'_>,
        wanted: &Wanted<'_>,
        old: &Resource,
        done: &mut Vec<(String, Done)>,
    ) -> Result<Option<Made>, Stop> {
        let Wanted { logical, kind, properties, resolved, .. } = wanted;
        self.deployer.step(logical, old, "UPDATE_IN_PROGRESS", None, properties).await?;
        let before = self.deployer.meant(cx, old).await;
        match resources::update(kind, cx, Change { made: &old.made, old: &before, new: resolved }).await {
            Ok(Changed::InPlace(now)) => Ok(Some(now)),
            Ok(Changed::Replace) => {
                let reason =
                    "Requested update requires the creation of a new physical resource; hence creating one.";
                self.deployer.step(logical, old, "UPDATE_IN_PROGRESS", Some(reason), properties).await?;
                Ok(None)
            }
            Err(words) => {
                done.push(((*logical).to_owned(), Done::Updated(old.clone())));
                let failing = Failing { logical, physical: &old.made.id, kind, properties: Some(properties) };
                Err(self.deployer.failed("UPDATE", &failing, &words).await)
            }
        }
    }

    async fn make(&self, cx: &Cx<'_>, wanted: &Wanted<'_>, is_new: bool, verb: &str) -> Result<Made, Stop> {
        let (deployer, id) = (self.deployer, &self.deployer.stack.id);
        let Wanted { logical, kind, properties, resolved, .. } = wanted;
        if is_new {
            deployer.tell(logical, "", kind, "CREATE_IN_PROGRESS", None, Some(properties)).await?;
        }
        let name = resources::name(kind, cx, resolved);
        let promised = resources::promised(kind, &name, resolved).filter(|_| is_new);
        if let Some(made) = promised.clone() {
            let promise = self.resource(wanted, made, "CREATE_IN_PROGRESS", self.ordinal);
            deployer.stacks.put_resource(id, logical, promise).await?;
        }
        match resources::create(kind, cx, &name, resolved).await {
            Ok(made) => Ok(made),
            Err(words) => {
                if promised.is_some() {
                    deployer.stacks.remove_resource(id, logical).await?;
                }
                let failing = Failing { logical, physical: "", kind, properties: Some(properties) };
                Err(deployer.failed(verb, &failing, &words).await)
            }
        }
    }

    /// Writes down what was made or changed, and tells it.
    async fn settle(
        &mut self,
        wanted: Wanted<'_>,
        old: Option<Resource>,
        made: Made,
        verb: &str,
        done: &mut Vec<(String, Done)>,
    ) -> Result<(), ServiceError> {
        let (deployer, logical) = (self.deployer, wanted.logical);
        let replaced = old.as_ref().is_some_and(|old| old.made.id != made.id || old.kind != wanted.kind);
        let place = old.as_ref().filter(|_| !replaced).map_or(self.ordinal, |old| old.ordinal);
        done.push((
            logical.to_owned(),
            match old {
                None => Done::Created,
                Some(old) if replaced => Done::Replaced(old),
                Some(old) => Done::Updated(old),
            },
        ));
        let status = format!("{verb}_COMPLETE");
        let now = self.resource(&wanted, made, &status, place);
        self.ordinal += 1;
        deployer.stacks.put_resource(&deployer.stack.id, logical, now.clone()).await?;
        if verb == "CREATE" || replaced {
            let reason = Some("Resource creation Initiated");
            deployer.step(logical, &now, &format!("{verb}_IN_PROGRESS"), reason, &now.properties).await?;
        }
        deployer.step(logical, &now, &status, None, &now.properties).await
    }

    fn resource(&self, wanted: &Wanted<'_>, made: Made, status: &str, ordinal: u64) -> Resource {
        Resource {
            kind: wanted.kind.to_owned(),
            made,
            properties: wanted.properties.clone(),
            status: status.to_owned(),
            reason: None,
            updated_ms: self.deployer.stacks.world.now().millis(),
            ordinal,
            deletion_policy: wanted.deletion_policy.clone(),
            tags: Some(self.wish.tags.clone()),
        }
    }

    /// The stack's outputs, once all its resources are there.
    async fn conclude(self) -> Result<(), Stop> {
        let (deployer, wish, scope) = (self.deployer, self.wish, self.scope);
        let outputs = scope::outputs(self.template, &scope).map_err(Stop::Failed)?;
        for output in outputs.iter().filter_map(|output| output.export.as_ref()) {
            let is_own = deployer.stack.outputs.iter().any(|own| own.export.as_ref() == Some(output));
            if scope.exports.contains_key(output) && !is_own {
                return Err(Stop::Failed(format!(
                    "Export with name {output} is already exported by another stack. "
                )));
            }
        }
        let imported = scope.imported.into_inner().unwrap_or_else(PoisonError::into_inner);
        let imports: Vec<String> = imported.into_iter().collect();
        let description = self.template.description().map(str::to_owned);
        let change = deployer.stacks.change(&deployer.stack.id, |stack| {
            stack.outputs = outputs.clone();
            stack.imports = imports.clone();
            stack.parameters = wish.parameters.clone();
            stack.tags = wish.tags.clone();
            stack.description = description.clone();
            Ok(())
        });
        Ok(change.await?)
    }
}
