//! What is kept of stacks: the stacks, their resources, their events, and change sets that wait.

use super::template::Template;
use super::template::evaluate::Made;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::documents::{Documents, Edit};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::Store;
use wire::ServiceError;
use world::World;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stack {
    pub id: String,
    pub name: String,
    pub status: String,
    pub reason: Option<String>,
    pub description: Option<String>,
    pub parameters: Vec<Parameter>,
    pub outputs: Vec<Output>,
    pub capabilities: Vec<String>,
    pub tags: BTreeMap<String, String>,
    pub notifications: Vec<String>,
    pub role: Option<String>,
    pub change_set: Option<String>,
    pub parent: Option<String>,
    pub root: Option<String>,
    pub disable_rollback: bool,
    pub protected: bool,
    pub created_ms: u64,
    pub updated_ms: Option<u64>,
    pub deleted_ms: Option<u64>,
    /// The names of exports of other stacks that this one uses.
    #[serde(default)]
    pub imports: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parameter {
    pub key: String,
    pub value: String,
    /// What a name in the parameter store stood for.
    pub resolved: Option<String>,
    /// A secret, which is shown as asterisks.
    pub no_echo: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Output {
    pub key: String,
    pub value: String,
    pub description: Option<String>,
    pub export: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Resource {
    pub kind: String,
    pub made: Made,
    /// The properties it was made from, with their functions carried out.
    pub properties: Value,
    pub status: String,
    pub reason: Option<String>,
    pub updated_ms: u64,
    /// Later ones were made later, and go earlier.
    pub ordinal: u64,
    pub deletion_policy: Option<String>,
    /// The stack's tags that it has; None of one that was made before they were written down.
    #[serde(default)]
    pub tags: Option<BTreeMap<String, String>>,
}

impl Resource {
    /// What it answers in templates.
    pub fn answering(&self) -> Made {
        self.made.answering(&self.properties)
    }

    /// The stack's tags that it has.
    pub fn tags<'a>(&'a self, stack: &'a BTreeMap<String, String>) -> &'a BTreeMap<String, String> {
        self.tags.as_ref().unwrap_or(stack)
    }

    /// Whether it stays when the stack has it no more.
    pub fn retained(&self) -> bool {
        matches!(self.deletion_policy.as_deref(), Some("Retain" | "RetainExceptOnCreate"))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub id: String,
    pub logical: String,
    pub physical: String,
    pub kind: String,
    pub status: String,
    pub reason: Option<String>,
    pub properties: Option<String>,
    pub at_ms: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ChangeSet {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub status: String,
    pub execution: String,
    pub reason: Option<String>,
    pub description: Option<String>,
    pub created_ms: u64,
    pub changes: Vec<Value>,
    /// The changes as they are told with values.
    #[serde(default)]
    pub valued: Vec<Value>,
    pub wish: Wish,
}

/// What a stack shall become.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub template: String,
    pub parameters: Vec<Parameter>,
    pub tags: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    pub notifications: Vec<String>,
    pub role: Option<String>,
    pub disable_rollback: bool,
    pub on_failure: Option<String>,
}

impl Wish {
    /// The template as it is meant with these parameters.
    pub fn parsed(&self) -> Result<Template, String> {
        let value = |one: &Parameter| (one.key.clone(), one.resolved.as_ref().unwrap_or(&one.value).clone());
        Template::read(&self.template, &self.parameters.iter().map(value).collect())
    }
}

/// All of it, durable.
#[derive(Clone)]
pub(crate) struct Stacks {
    pub world: World,
    stacks: Documents<Stack>,
    resources: Documents<Resource>,
    events: Documents<Event>,
    change_sets: Documents<ChangeSet>,
    /// The templates and wishes that stacks were last made from, by stack.
    wishes: Documents<Wish>,
    /// When the last event was told.
    told_ms: Arc<AtomicU64>,
}

impl Stacks {
    pub fn over(store: &Store, world: &World) -> Stacks {
        Stacks {
            world: world.clone(),
            stacks: Documents::new(store, "cloudformation/stack"),
            resources: Documents::new(store, "cloudformation/resource"),
            events: Documents::new(store, "cloudformation/event"),
            change_sets: Documents::new(store, "cloudformation/change-set"),
            wishes: Documents::new(store, "cloudformation/wish"),
            told_ms: Arc::default(),
        }
    }

    /// A stack by its ARN, deleted ones too, or the live one of a name.
    pub fn find(&self, region: &str, name_or_id: &str) -> Result<Option<Stack>, ServiceError> {
        if name_or_id.starts_with("arn:") {
            return self.stacks.get(name_or_id);
        }
        let live = self.all(region)?.into_iter();
        Ok(live.filter(|stack| stack.status != "DELETE_COMPLETE").find(|stack| stack.name == name_or_id))
    }

    /// Every stack of a region, deleted ones too.
    pub fn all(&self, region: &str) -> Result<Vec<Stack>, ServiceError> {
        let prefix = format!("arn:aws:cloudformation:{region}:");
        Ok(self.stacks.list(&prefix)?.into_iter().map(|(_, stack)| stack).collect())
    }

    /// Stacks of every region that are in the middle of something.
    pub fn unfinished(&self) -> Result<Vec<Stack>, ServiceError> {
        let all = self.stacks.list("")?.into_iter().map(|(_, stack)| stack);
        Ok(all
            .filter(|stack| stack.status.ends_with("_IN_PROGRESS") && stack.status != "REVIEW_IN_PROGRESS")
            .collect())
    }

    pub async fn put(&self, stack: &Stack) -> Result<(), ServiceError> {
        self.stacks.put(&stack.id, stack.clone()).await
    }

    /// Removes all traces of a stack.
    pub async fn forget(&self, id: &str) -> Result<(), ServiceError> {
        self.stacks.remove(id).await?;
        for (rest, _) in self.events.list(&format!("{id} "))? {
            self.events.remove(&format!("{id} {rest}")).await?;
        }
        self.wishes.remove(id).await.map(|_| ())
    }

    pub async fn change<R>(
        &self,
        id: &str,
        mut change: impl FnMut(&mut Stack) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        self.stacks
            .edit(id, |stack| {
                let mut stack = stack.ok_or_else(|| no_stack(id))?;
                let answer = change(&mut stack)?;
                Ok((Edit::Put(stack), answer))
            })
            .await
    }

    /// A stack's resources by their logical names.
    pub fn resources(&self, id: &str) -> Result<BTreeMap<String, Resource>, ServiceError> {
        Ok(self.resources.list(&format!("{id} "))?.into_iter().collect())
    }

    pub async fn put_resource(
        &self,
        id: &str,
        logical: &str,
        resource: Resource,
    ) -> Result<(), ServiceError> {
        self.resources.put(&format!("{id} {logical}"), resource).await
    }

    pub async fn remove_resource(&self, id: &str, logical: &str) -> Result<(), ServiceError> {
        self.resources.remove(&format!("{id} {logical}")).await.map(|_| ())
    }

    /// A stack's events, oldest first.
    pub fn events(&self, id: &str) -> Result<Vec<Event>, ServiceError> {
        Ok(self.events.list(&format!("{id} "))?.into_iter().map(|(_, event)| event).collect())
    }

    /// The time of an event: later than the one before, for readers sort events by their times.
    fn tick(&self) -> u64 {
        let now_ms = self.world.now().millis();
        let later = |last: u64| Some(now_ms.max(last + 1));
        let last = self.told_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
        now_ms.max(last.map_or(0, |last| last + 1))
    }

    pub async fn tell(&self, stack: &str, mut event: Event) -> Result<(), ServiceError> {
        event.at_ms = self.tick();
        if event.id.is_empty() {
            event.id = format!("{}-{}-{}Z", event.logical, event.status, self.world.now().iso_millis());
        }
        let key = format!("{stack} {:020}-{:020}", event.at_ms, self.world.elapsed().as_nanos());
        self.events.put(&key, event).await
    }

    /// A step of the stack as a whole.
    pub async fn advance(&self, id: &str, status: &str, reason: Option<&str>) -> Result<(), ServiceError> {
        let now_ms = self.world.now().millis();
        let name = self
            .change(id, |stack| {
                stack.status = status.to_owned();
                stack.reason = reason.map(str::to_owned);
                if status == "DELETE_COMPLETE" {
                    stack.deleted_ms = Some(now_ms);
                }
                Ok(stack.name.clone())
            })
            .await?;
        let event = Event {
            id: self.world.uuid(),
            logical: name,
            physical: id.to_owned(),
            kind: "AWS::CloudFormation::Stack".to_owned(),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            properties: None,
            at_ms: 0,
        };
        self.tell(id, event).await
    }

    pub fn wish(&self, stack: &str) -> Result<Option<Wish>, ServiceError> {
        self.wishes.get(stack)
    }

    pub async fn put_wish(&self, stack: &str, wish: Wish) -> Result<(), ServiceError> {
        self.wishes.put(stack, wish).await
    }

    pub fn change_sets(&self, stack: &str) -> Result<Vec<ChangeSet>, ServiceError> {
        Ok(self.change_sets.list(&format!("{stack} "))?.into_iter().map(|(_, set)| set).collect())
    }

    /// A change set by name and stack, or by its ARN alone.
    pub fn change_set(
        &self,
        stack: Option<&str>,
        name: &str,
    ) -> Result<Option<(String, ChangeSet)>, ServiceError> {
        let prefix = stack.map_or_else(String::new, |stack| format!("{stack} "));
        let sets = self.change_sets.list(&prefix)?.into_iter();
        let found = sets.map(|(rest, set)| (format!("{prefix}{rest}"), set));
        let mut found = found.filter(|(_, set)| set.name == name || set.id == name);
        Ok(found.next().map(|(key, set)| (key.split(' ').next().unwrap_or_default().to_owned(), set)))
    }

    pub async fn put_change_set(&self, stack: &str, set: ChangeSet) -> Result<(), ServiceError> {
        self.change_sets.put(&format!("{stack} {}", set.name), set).await
    }

    pub async fn remove_change_set(&self, stack: &str, name: &str) -> Result<(), ServiceError> {
        self.change_sets.remove(&format!("{stack} {name}")).await.map(|_| ())
    }
}

pub(crate) fn no_stack(name: &str) -> ServiceError {
    ServiceError::new("ValidationError", format!("Stack [{name}] does not exist"))
}

impl Parameter {
    pub fn shown(&self) -> Value {
        let value = if self.no_echo { "****" } else { &self.value };
        let mut shown = json!({ "ParameterKey": self.key, "ParameterValue": value });
        if let Some(resolved) = &self.resolved {
            shown["ResolvedValue"] = resolved.as_str().into();
        }
        shown
    }
}
