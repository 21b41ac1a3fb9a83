//! Carries a wish out: makes, changes, replaces and removes resources in order, and takes it back when one fails.

use super::resources::{self, Changed, Cx};
use super::scope;
use super::stack::{Event, Resource, Stack, Stacks, Wish};
use super::template::evaluate::Made;
use super::template::{Template, graph};
use crate::answers::Answers;
use serde_json::{Map, Value};
use servicekit::call::Caller;
use servicekit::house::House;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::PoisonError;
use wire::ServiceError;

/// What was done to a resource in this run, to be undone in reverse.
enum Done {
    Created,
    Updated(Resource),
    /// Holds the one before, which is still there.
    Replaced(Resource),
}

pub(crate) struct Deployer<'a> {
    pub stacks: &'a Stacks,
    pub house: &'a House,
    pub answers: &'a Arc<Answers>,
    pub caller: &'a Caller,
    pub stack: &'a Stack,
}

impl Deployer<'_> {
    pub async fn create(&self, wish: &Wish) -> Result<(), ServiceError> {
        let id = &self.stack.id;
        self.stacks.advance(id, "CREATE_IN_PROGRESS", Some("User Initiated")).await?;
        let mut done = Vec::new();
        match self.apply(wish, &mut done).await? {
            Ok(()) => self.stacks.advance(id, "CREATE_COMPLETE", None).await,
            Err(failed) if wish.disable_rollback || wish.on_failure.as_deref() == Some("DO_NOTHING") => {
                self.stacks.advance(id, "CREATE_FAILED", Some(&failed)).await
            }
            Err(failed) => {
                let reason = format!("{failed}Rollback requested by user.");
                let (running, end) = match wish.on_failure.as_deref() {
                    Some("DELETE") => ("DELETE_IN_PROGRESS", "DELETE_COMPLETE"),
                    _ => ("ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"),
                };
                self.stacks.advance(id, running, Some(&reason)).await?;
                self.remove_all(end, "ROLLBACK_FAILED", true).await
            }
        }
    }

    pub async fn update(&self, wish: &Wish) -> Result<(), ServiceError> {
        let id = &self.stack.id;
        let before = (self.stack.clone(), self.stacks.wish(id)?);
        self.stacks.advance(id, "UPDATE_IN_PROGRESS", Some("User Initiated")).await?;
        let known = self.stacks.resources(id)?;
        let mut done = Vec::new();
        if let Err(failed) = self.apply(wish, &mut done).await? {
            if wish.disable_rollback {
                return self.stacks.advance(id, "UPDATE_FAILED", Some(&failed)).await;
            }
            self.stacks.advance(id, "UPDATE_ROLLBACK_IN_PROGRESS", Some(&failed)).await?;
            let left = self.undo(done).await?;
            if let Some(wish) = before.1 {
                self.stacks.put_wish(id, wish).await?;
            }
            let old = before.0;
            self.stacks
                .change(id, |stack| {
                    stack.parameters = old.parameters.clone();
                    stack.outputs = old.outputs.clone();
                    stack.tags = old.tags.clone();
                    stack.description = old.description.clone();
                    Ok(())
                })
                .await?;
            if !left.is_empty() {
                let reason = format!("The following resource(s) failed to update: [{}]. ", left.join(", "));
                return self.stacks.advance(id, "UPDATE_ROLLBACK_FAILED", Some(&reason)).await;
            }
            self.stacks.advance(id, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", None).await?;
            return self.stacks.advance(id, "UPDATE_ROLLBACK_COMPLETE", None).await;
        }
        self.stacks.advance(id, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None).await?;
        self.clean_up(wish, known, done).await?;
        self.stacks.advance(id, "UPDATE_COMPLETE", None).await
    }

    pub async fn delete(&self) -> Result<(), ServiceError> {
        self.stacks.advance(&self.stack.id, "DELETE_IN_PROGRESS", Some("User Initiated")).await?;
        self.remove_all("DELETE_COMPLETE", "DELETE_FAILED", false).await
    }

    /// Brings a stack that a stopped server left in the middle of something to an end that can be gone on from.
    pub async fn recover(&self) -> Result<(), ServiceError> {
        let (id, status) = (&self.stack.id, self.stack.status.as_str());
        let stopped = "The server was stopped in the middle of it";
        match status {
            "CREATE_IN_PROGRESS" | "ROLLBACK_IN_PROGRESS" => {
                self.stacks.advance(id, "ROLLBACK_IN_PROGRESS", Some(stopped)).await?;
                self.remove_all("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", true).await
            }
            "DELETE_IN_PROGRESS" => self.remove_all("DELETE_COMPLETE", "DELETE_FAILED", false).await,
            _ => self.stacks.advance(id, "UPDATE_FAILED", Some(stopped)).await,
        }
    }

    /// Makes the resources what the wish says. The inner error is a failed resource's, told as the stack tells it.
    async fn apply(
        &self,
        wish: &Wish,
        done: &mut Vec<(String, Done)>,
    ) -> Result<Result<(), String>, ServiceError> {
        let id = &self.stack.id;
        let template = match Template::parse(&wish.template) {
            Ok(template) => template,
            Err(words) => return Ok(Err(words)),
        };
        let mut scope = scope::of(self.stacks, self.stack, self.caller, wish, &template)?;
        let known = self.stacks.resources(id)?;
        let mut ordinal = known.values().map(|resource| resource.ordinal + 1).max().unwrap_or(0);
        let order = match graph::order(&template) {
            Ok(order) => order,
            Err(words) => return Ok(Err(words)),
        };
        for logical in order.clone() {
            let resource = &template.resources()[&logical];
            let kind = template.resource_type(&logical).to_owned();
            let policy = resource.get("DeletionPolicy").and_then(Value::as_str).map(str::to_owned);
            let wanted = scope.wanted(resource);
            if wanted == Ok(false) {
                continue;
            }
            let none = Value::Object(Map::new());
            let properties = wanted.and_then(|_| scope.evaluate(resource.get("Properties").unwrap_or(&none)));
            let old = known.get(&logical);
            let verb = if old.is_some() { "UPDATE" } else { "CREATE" };
            let properties = match properties {
                Ok(properties) => properties,
                Err(words) => return self.failed(verb, &logical, &kind, "", None, &words).await.map(Err),
            };
            if let Some(old) = old.filter(|old| old.kind == kind && old.properties == properties) {
                if old.deletion_policy != policy {
                    let kept = Resource { deletion_policy: policy, ..old.clone() };
                    self.stacks.put_resource(id, &logical, kept).await?;
                }
                scope.resources.insert(logical, old.made.clone());
                continue;
            }
            let cx = Cx {
                house: self.house,
                answers: self.answers,
                caller: self.caller,
                world: &self.stacks.world,
                stack: self.stack,
                logical: &logical,
                tags: &wish.tags,
            };
            let resolved = match cx.resolve(&properties).await {
                Ok(resolved) => resolved,
                Err(words) => return self.failed(verb, &logical, &kind, "", None, &words).await.map(Err),
            };
            let mut made = None;
            if let Some(old) = old.filter(|old| old.kind == kind) {
                self.step(&logical, old, "UPDATE_IN_PROGRESS", None, &properties).await?;
                let before = cx.resolve(&old.properties).await.unwrap_or_else(|_| old.properties.clone());
                match resources::update(&kind, &cx, &old.made, &before, &resolved).await {
                    Ok(Changed::InPlace(now)) => made = Some((now, "UPDATE")),
                    Ok(Changed::Replace) => {
                        let reason = "Requested update requires the creation of a new physical resource; hence creating one.";
                        self.step(&logical, old, "UPDATE_IN_PROGRESS", Some(reason), &properties).await?;
                    }
                    Err(words) => {
                        done.push((logical.clone(), Done::Updated(old.clone())));
                        return self
                            .failed("UPDATE", &logical, &kind, &old.made.id, Some(&properties), &words)
                            .await
                            .map(Err);
                    }
                }
            }
            let (made, verb) = match made {
                Some(made) => made,
                None => {
                    if old.is_none() {
                        self.tell(&logical, "", &kind, "CREATE_IN_PROGRESS", None, Some(&properties)).await?;
                    }
                    let name = resources::name(&kind, &cx, &resolved);
                    let promised = resources::promised(&kind, &name, &resolved).filter(|_| old.is_none());
                    if let Some(made) = promised.clone() {
                        let status = "CREATE_IN_PROGRESS".to_owned();
                        let promise =
                            self.resource(&kind, made, &properties, status, ordinal, policy.clone());
                        self.stacks.put_resource(id, &logical, promise).await?;
                    }
                    match resources::create(&kind, &cx, &name, &resolved).await {
                        Ok(made) => (made, verb),
                        Err(words) => {
                            if promised.is_some() {
                                self.stacks.remove_resource(id, &logical).await?;
                            }
                            return self
                                .failed(verb, &logical, &kind, "", Some(&properties), &words)
                                .await
                                .map(Err);
                        }
                    }
                }
            };
            let replaced = old.is_some_and(|old| old.made.id != made.id || old.kind != kind);
            done.push((
                logical.clone(),
                match old {
                    None => Done::Created,
                    Some(old) if replaced => Done::Replaced(old.clone()),
                    Some(old) => Done::Updated(old.clone()),
                },
            ));
            let place = old.filter(|_| !replaced).map_or(ordinal, |old| old.ordinal);
            let status = format!("{verb}_COMPLETE");
            let now = self.resource(&kind, made.clone(), &properties, status, place, policy);
            ordinal += 1;
            self.stacks.put_resource(id, &logical, now.clone()).await?;
            if verb == "CREATE" || replaced {
                let reason = Some("Resource creation Initiated");
                self.step(&logical, &now, &format!("{verb}_IN_PROGRESS"), reason, &properties).await?;
            }
            self.step(&logical, &now, &format!("{verb}_COMPLETE"), None, &properties).await?;
            scope.resources.insert(logical, made);
        }
        let outputs = match scope::outputs(&template, &scope) {
            Ok(outputs) => outputs,
            Err(words) => return Ok(Err(words)),
        };
        for output in outputs.iter().filter_map(|output| output.export.as_ref()) {
            if scope.exports.contains_key(output)
                && !self.stack.outputs.iter().any(|own| own.export.as_ref() == Some(output))
            {
                return Ok(Err(format!("Export with name {output} is already exported by another stack. ")));
            }
        }
        let imports: Vec<String> =
            scope.imported.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect();
        let description = template.description().map(str::to_owned);
        self.stacks
            .change(id, |stack| {
                stack.outputs = outputs.clone();
                stack.imports = imports.clone();
                stack.parameters = wish.parameters.clone();
                stack.tags = wish.tags.clone();
                stack.description = description.clone();
                Ok(())
            })
            .await?;
        self.stacks.put_wish(id, wish.clone()).await?;
        self.put_in_order(&order, ordinal).await?;
        Ok(Ok(()))
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

    fn resource(
        &self,
        kind: &str,
        made: Made,
        properties: &Value,
        status: String,
        ordinal: u64,
        deletion_policy: Option<String>,
    ) -> Resource {
        Resource {
            kind: kind.to_owned(),
            made,
            properties: properties.clone(),
            status,
            reason: None,
            updated_ms: self.stacks.world.now().millis(),
            ordinal,
            deletion_policy,
        }
    }

    async fn failed(
        &self,
        verb: &str,
        logical: &str,
        kind: &str,
        physical: &str,
        properties: Option<&Value>,
        words: &str,
    ) -> Result<String, ServiceError> {
        self.tell(logical, physical, kind, &format!("{verb}_FAILED"), Some(words), properties).await?;
        let past = if verb == "CREATE" { "create" } else { "update" };
        Ok(format!("The following resource(s) failed to {past}: [{logical}]. "))
    }

    /// Takes back what an update did, latest first; the names of what could not be taken back.
    async fn undo(&self, done: Vec<(String, Done)>) -> Result<Vec<String>, ServiceError> {
        let id = &self.stack.id;
        let mut left = Vec::new();
        for (logical, done) in done.into_iter().rev() {
            let Some(now) = self.stacks.resources(id)?.remove(&logical) else { continue };
            let cx = self.cx(&logical);
            match done {
                Done::Created => {
                    if self.remove(&logical, &now).await? {
                        self.stacks.remove_resource(id, &logical).await?;
                    } else {
                        left.push(logical);
                    }
                }
                Done::Replaced(old) => {
                    self.remove(&logical, &now).await?;
                    self.stacks.put_resource(id, &logical, old.clone()).await?;
                    self.step(&logical, &old, "UPDATE_COMPLETE", None, &old.properties).await?;
                }
                Done::Updated(old) => {
                    self.step(&logical, &old, "UPDATE_IN_PROGRESS", None, &old.properties).await?;
                    let wanted = cx.resolve(&old.properties).await.unwrap_or_else(|_| old.properties.clone());
                    match resources::update(&now.kind, &cx, &now.made, &now.properties, &wanted).await {
                        Ok(Changed::InPlace(made)) => {
                            let back = Resource { made, ..old };
                            self.stacks.put_resource(id, &logical, back.clone()).await?;
                            self.step(&logical, &back, "UPDATE_COMPLETE", None, &back.properties).await?;
                        }
                        Ok(Changed::Replace) => left.push(logical),
                        Err(words) => {
                            self.tell(&logical, &now.made.id, &now.kind, "UPDATE_FAILED", Some(&words), None)
                                .await?;
                            left.push(logical);
                        }
                    }
                }
            }
        }
        Ok(left)
    }

    /// After an update: what was replaced goes, and what the template has no more.
    async fn clean_up(
        &self,
        wish: &Wish,
        known: BTreeMap<String, Resource>,
        done: Vec<(String, Done)>,
    ) -> Result<(), ServiceError> {
        let template =
            Template::parse(&wish.template).map_err(|words| ServiceError::new("ValidationError", words))?;
        let mut gone: Vec<(String, Resource, bool)> = Vec::new();
        for (logical, done) in done {
            if let Done::Replaced(mut old) = done {
                // Another policy decides about what is replaced.
                let policy =
                    template.resources().get(&logical).and_then(|one| one.get("UpdateReplacePolicy"));
                old.deletion_policy = policy.and_then(Value::as_str).map(str::to_owned);
                gone.push((logical, old, false));
            }
        }
        let scope = scope::of(self.stacks, self.stack, self.caller, wish, &template)?;
        let wanted: BTreeSet<_> = template
            .resources()
            .iter()
            .filter(|(_, one)| scope.wanted(one) == Ok(true))
            .map(|(name, _)| name)
            .collect();
        for (logical, resource) in known {
            if !wanted.contains(&logical) {
                gone.push((logical, resource, true));
            }
        }
        gone.sort_by_key(|(_, resource, _)| std::cmp::Reverse(resource.ordinal));
        for (logical, resource, whole) in gone {
            // What cannot be removed is left behind and told in the events, as the service does.
            let _removed = self.remove(&logical, &resource).await?;
            if whole {
                self.stacks.remove_resource(&self.stack.id, &logical).await?;
            }
        }
        Ok(())
    }

    async fn remove_all(&self, end: &str, failed: &str, rolling_back: bool) -> Result<(), ServiceError> {
        let id = &self.stack.id;
        let mut resources: Vec<_> = self.stacks.resources(id)?.into_iter().collect();
        resources.sort_by_key(|(_, resource)| std::cmp::Reverse(resource.ordinal));
        let mut left = Vec::new();
        for (logical, mut resource) in resources {
            if rolling_back && resource.deletion_policy.as_deref() == Some("RetainExceptOnCreate") {
                resource.deletion_policy = None;
            }
            match self.remove(&logical, &resource).await? {
                true => self.stacks.remove_resource(id, &logical).await?,
                false => left.push(logical),
            }
        }
        if left.is_empty() {
            return self.stacks.advance(id, end, None).await;
        }
        left.sort_unstable();
        let reason = format!("The following resource(s) failed to delete: [{}]. ", left.join(", "));
        self.stacks.advance(id, failed, Some(&reason)).await
    }

    /// Removes one resource, or leaves it where its policy says so. Whether the stack is rid of it.
    async fn remove(&self, logical: &str, resource: &Resource) -> Result<bool, ServiceError> {
        let policy = resource.deletion_policy.as_deref();
        if matches!(policy, Some("Retain" | "RetainExceptOnCreate")) {
            self.step(logical, resource, "DELETE_SKIPPED", None, &resource.properties).await?;
            return Ok(true);
        }
        self.step(logical, resource, "DELETE_IN_PROGRESS", None, &resource.properties).await?;
        let cx = self.cx(logical);
        let properties =
            cx.resolve(&resource.properties).await.unwrap_or_else(|_| resource.properties.clone());
        match resources::delete(&resource.kind, &cx, &resource.made, &properties).await {
            Ok(()) => {
                self.step(logical, resource, "DELETE_COMPLETE", None, &resource.properties).await?;
                Ok(true)
            }
            Err(words) => {
                self.step(logical, resource, "DELETE_FAILED", Some(&words), &resource.properties).await?;
                Ok(false)
            }
        }
    }

    fn cx<'b>(&'b self, logical: &'b str) -> Cx<'b> {
        Cx {
            house: self.house,
            answers: self.answers,
            caller: self.caller,
            world: &self.stacks.world,
            stack: self.stack,
            logical,
            tags: &self.stack.tags,
        }
    }

    async fn step(
        &self,
        logical: &str,
        resource: &Resource,
        status: &str,
        reason: Option<&str>,
        properties: &Value,
    ) -> Result<(), ServiceError> {
        self.tell(logical, &resource.made.id, &resource.kind, status, reason, Some(properties)).await
    }

    async fn tell(
        &self,
        logical: &str,
        physical: &str,
        kind: &str,
        status: &str,
        reason: Option<&str>,
        properties: Option<&Value>,
    ) -> Result<(), ServiceError> {
        let event = Event {
            id: String::new(),
            logical: logical.to_owned(),
            physical: physical.to_owned(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            properties: properties.map(Value::to_string),
            at_ms: 0,
        };
        self.stacks.tell(&self.stack.id, event).await
    }
}
