//! Carries a wish out: makes, changes, replaces and removes resources in order, and takes it back when one fails.

mod apply;
mod remove;

use super::resources::Cx;
use super::stack::{Event, Resource, Stack, Stacks, Wish};
use crate::answers::Answers;
use serde_json::Value;
use servicekit::call::Caller;
use servicekit::house::House;
use std::sync::Arc;
use wire::ServiceError;

/// What was done to a resource in this run, to be undone in reverse.
enum Done {
    Created,
    Updated(Resource),
    /// Holds the one before, which is still there.
    Replaced(Resource),
}

/// Why a wish is not carried out.
enum Stop {
    /// A resource failed: as the stack tells it.
    Failed(String),
    /// The events or the resources could not be written down.
    Broken(ServiceError),
}

impl From<ServiceError> for Stop {
    fn from(error: ServiceError) -> Stop {
        Stop::Broken(error)
    }
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
        match self.apply(wish, &mut done).await {
            Ok(()) => self.stacks.advance(id, "CREATE_COMPLETE", None).await,
            Err(Stop::Broken(error)) => Err(error),
            Err(Stop::Failed(failed))
                if wish.disable_rollback || wish.on_failure.as_deref() == Some("DO_NOTHING") =>
            {
                self.stacks.advance(id, "CREATE_FAILED", Some(&failed)).await
            }
            Err(Stop::Failed(failed)) => {
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
        let wish_before = self.stacks.wish(id)?;
        self.stacks.advance(id, "UPDATE_IN_PROGRESS", Some("User Initiated")).await?;
        let known = self.stacks.resources(id)?;
        let mut done = Vec::new();
        match self.apply(wish, &mut done).await {
            Ok(()) => {
                self.stacks.advance(id, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None).await?;
                self.clean_up(wish, known, done).await?;
                self.stacks.advance(id, "UPDATE_COMPLETE", None).await
            }
            Err(Stop::Broken(error)) => Err(error),
            Err(Stop::Failed(failed)) if wish.disable_rollback => {
                self.stacks.advance(id, "UPDATE_FAILED", Some(&failed)).await
            }
            Err(Stop::Failed(failed)) => {
                self.stacks.advance(id, "UPDATE_ROLLBACK_IN_PROGRESS", Some(&failed)).await?;
                self.take_back(wish_before, done).await
            }
        }
    }

    /// The stack becomes what it was before the update that did this.
    async fn take_back(&self, wish: Option<Wish>, done: Vec<(String, Done)>) -> Result<(), ServiceError> {
        let (id, old) = (&self.stack.id, self.stack);
        let left = self.undo(done).await?;
        if let Some(wish) = wish {
            self.stacks.put_wish(id, wish).await?;
        }
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
        self.stacks.advance(id, "UPDATE_ROLLBACK_COMPLETE", None).await
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

    fn cx<'b>(&'b self, logical: &'b str) -> Cx<'b> {
        Cx {
            house: self.house,
            answers: self.answers,
            caller: self.caller,
            world: &self.stacks.world,
            stack: self.stack,
            logical,
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
