//! Removing: what a failed update did, what a change replaced or has no more, and whole stacks.

use super::{Deployer, Done};
use crate::resources::{self, Change, Changed};
use crate::scope;
use crate::stack::{Resource, Wish};
use std::collections::{BTreeMap, BTreeSet};
use wire::ServiceError;

impl Deployer<'_> {
    /// Takes back what an update did, latest first; the names of what could not be taken back.
    pub(super) async fn undo(&self, done: Vec<(String, Done)>) -> Result<Vec<String>, ServiceError> {
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
                    let (was, wanted) = (self.meant(&cx, &now).await, self.meant(&cx, &old).await);
                    let change = Change { made: &now.made, old: &was, new: &wanted };
                    match resources::update(&now.kind, &cx, change).await {
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
    pub(super) async fn clean_up(
        &self,
        wish: &Wish,
        known: BTreeMap<String, Resource>,
        done: Vec<(String, Done)>,
    ) -> Result<(), ServiceError> {
        let template = wish.parsed().map_err(|words| ServiceError::new("ValidationError", words))?;
        let scope = scope::of(self.stacks, self.stack, self.caller, wish, &template)?;
        let mut gone: Vec<(String, Resource, bool)> = Vec::new();
        for (logical, done) in done {
            if let Done::Replaced(mut old) = done {
                // Another policy decides about what is replaced.
                let wanted = template.resources().get(&logical);
                old.deletion_policy = wanted.and_then(|wanted| scope.policy(wanted, "UpdateReplacePolicy"));
                gone.push((logical, old, false));
            }
        }
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

    pub(super) async fn remove_all(
        &self,
        end: &str,
        failed: &str,
        rolling_back: bool,
    ) -> Result<(), ServiceError> {
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
        if resource.retained() {
            self.step(logical, resource, "DELETE_SKIPPED", None, &resource.properties).await?;
            return Ok(true);
        }
        self.step(logical, resource, "DELETE_IN_PROGRESS", None, &resource.properties).await?;
        let cx = self.cx(logical);
        let properties = self.meant(&cx, resource).await;
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
}
