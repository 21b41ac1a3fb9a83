//! CloudFormation: templates become tables, functions, mappings and roles, by asking our own services as a client would.
//! Never touches what it makes but through calls.

mod answers;
mod change_sets;
mod compare;
mod deploy;
mod describe;
mod foresee;
mod resources;
mod scope;
mod stack;
mod template;
mod template_url;

use answers::Answers;
use deploy::Deployer;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller, Pending};
use servicekit::fields::{required, text};
use servicekit::house::House;
use stack::{ChangeSet, Stack, Stacks, Wish, no_stack};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use wire::Request;
use wire::{Response, ServiceError};
use world::World;

pub struct CloudFormation {
    stacks: Stacks,
    house: House,
    /// What custom resources answer.
    answers: Arc<Answers>,
}

/// What a stack that is worked on must not be asked for.
const BUSY: &[&str] = &[
    "CREATE_IN_PROGRESS",
    "ROLLBACK_IN_PROGRESS",
    "DELETE_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
];

/// How long an answer waits for the work it began. Clients look first at once and then in steps of many seconds: most
/// stacks are done by their first look.
const SOON: Duration = Duration::from_secs(8);

/// What is to be done to a stack.
enum Deed {
    Create(Wish),
    Update(Wish),
    Delete,
}

fn validation(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ValidationError", message)
}

impl CloudFormation {
    /// `own`: `http://host:port` of this server.
    pub fn new(store: &Store, world: &World, own: &str, house: House) -> CloudFormation {
        CloudFormation { stacks: Stacks::over(store, world), house, answers: Answers::under(own) }
    }

    /// Takes a custom resource's answer in. None when the request is to another address.
    pub fn take_answer(&self, request: &Request) -> Option<Response> {
        self.answers.take(request)
    }

    pub fn call(&self, call: Call) -> Pending<'_, Response> {
        Box::pin(async move {
            let answer = match call.input() {
                Ok(input) => self.answer(&call, &input).await,
                Err(error) => Err(error),
            };
            call.settle(answer)
        })
    }

    async fn answer(&self, call: &Call, input: &Value) -> Answer {
        match call.operation.name {
            "CreateStack" => self.create_stack(call, input).await,
            "UpdateStack" => self.update_stack(call, input).await,
            "DeleteStack" => self.delete_stack(call, input).await,
            "CreateChangeSet" => self.create_change_set(call, input).await,
            "DescribeChangeSet" => self.describe_change_set(call, input),
            "ListChangeSets" => self.list_change_sets(call, input),
            "DeleteChangeSet" => self.delete_change_set(call, input).await,
            "ExecuteChangeSet" => self.execute_change_set(call, input).await,
            "DescribeStacks" => self.describe_stacks(call, input),
            "ListStacks" => self.list_stacks(call, input),
            "DescribeStackEvents" => self.describe_stack_events(call, input),
            "DescribeStackResource" => self.describe_stack_resource(call, input),
            "DescribeStackResources" => self.describe_stack_resources(call, input),
            "ListStackResources" => self.list_stack_resources(call, input),
            "GetTemplate" => self.get_template(call, input),
            "GetTemplateSummary" => self.get_template_summary(call, input).await,
            "ValidateTemplate" => self.validate_template(call, input).await,
            "ListExports" => self.list_exports(call),
            "ListImports" => self.list_imports(call, input),
            "UpdateTerminationProtection" => self.update_termination_protection(call, input).await,
            _ => Err(call.unknown()),
        }
    }

    /// Brings stacks to an end that a stopped server left in the middle of something.
    pub async fn recover(&self, account: &std::sync::Arc<str>) -> Result<(), ServiceError> {
        for stack in self.stacks.unfinished()? {
            let region = stack.id.split(':').nth(3).unwrap_or_default();
            let caller = Caller { account: account.clone(), region: region.into(), access_key: None };
            self.deployer(&caller, &stack).recover().await?;
        }
        Ok(())
    }

    fn deployer<'a>(&'a self, caller: &'a Caller, stack: &'a Stack) -> Deployer<'a> {
        Deployer { stacks: &self.stacks, house: &self.house, answers: &self.answers, caller, stack }
    }

    fn new_stack(&self, call: &Call, name: &str) -> Stack {
        let (account, region) = (&call.caller.account, &call.caller.region);
        Stack {
            id: format!(
                "arn:aws:cloudformation:{region}:{account}:stack/{name}/{}",
                self.stacks.world.uuid()
            ),
            name: name.to_owned(),
            created_ms: self.stacks.world.now().millis(),
            ..Stack::default()
        }
    }

    async fn create_stack(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "StackName");
        let mut stack = match self.stacks.find(&call.caller.region, name)? {
            None => self.new_stack(call, name),
            Some(stack) if stack.status == "REVIEW_IN_PROGRESS" => stack,
            Some(_) => {
                let words = format!("Stack [{name}] already exists");
                return Err(ServiceError::new("AlreadyExistsException", words));
            }
        };
        stack.protected = input.get("EnableTerminationProtection").and_then(Value::as_bool) == Some(true);
        let (wish, _) = self.wish(call, input, &stack).await?;
        stack.status = "CREATE_IN_PROGRESS".to_owned();
        let id = stack.id.clone();
        // What was only reviewed is about a stack that is there now.
        for set in self.stacks.change_sets(&id)? {
            self.stacks.put_change_set(&id, ChangeSet { execution: "OBSOLETE".into(), ..set }).await?;
        }
        self.start(call, stack, wish, true).await?;
        Ok(json!({"StackId": id}))
    }

    async fn update_stack(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "StackName");
        let stack = self.stacks.find(&call.caller.region, name)?;
        let stack = stack.ok_or_else(|| validation(format!("Stack [{name}] does not exist")))?;
        self.refuse_busy(&stack)?;
        if matches!(stack.status.as_str(), "ROLLBACK_COMPLETE" | "DELETE_COMPLETE" | "REVIEW_IN_PROGRESS") {
            return Err(validation(format!(
                "Stack:{} is in {} state and can not be updated.",
                stack.id, stack.status
            )));
        }
        let (wish, template) = self.wish(call, input, &stack).await?;
        let same = self
            .stacks
            .wish(&stack.id)?
            .is_some_and(|old| old.template == wish.template && old.tags == wish.tags);
        if self.changes(call, &stack, &wish, &template)?.plain.is_empty() && same {
            return Err(validation("No updates are to be performed."));
        }
        let id = stack.id.clone();
        self.start(call, stack, wish, false).await?;
        Ok(json!({"StackId": id}))
    }

    fn refuse_busy(&self, stack: &Stack) -> Result<(), ServiceError> {
        if BUSY.contains(&stack.status.as_str()) {
            return Err(validation(format!(
                "Stack:{} is in {} state and can not be updated.",
                stack.id, stack.status
            )));
        }
        Ok(())
    }

    /// Begins to make a stack what is wished, and goes on after the answer.
    async fn start(
        &self,
        call: &Call,
        mut stack: Stack,
        wish: Wish,
        create: bool,
    ) -> Result<(), ServiceError> {
        self.refuse_busy(&stack).or_else(|error| {
            if create && stack.status == "CREATE_IN_PROGRESS" { Ok(()) } else { Err(error) }
        })?;
        let known = self.stacks.find(&call.caller.region, &stack.id)?;
        if known.is_some_and(|known| BUSY.contains(&known.status.as_str())) {
            return Err(validation(format!("Stack:{} is being worked on and can not be updated.", stack.id)));
        }
        stack.status = if create { "CREATE_IN_PROGRESS" } else { "UPDATE_IN_PROGRESS" }.to_owned();
        stack.updated_ms = Some(self.stacks.world.now().millis());
        stack.disable_rollback = wish.disable_rollback;
        stack.role = wish.role.clone();
        stack.notifications = wish.notifications.clone();
        let mut capabilities = wish.capabilities.clone();
        capabilities.sort();
        stack.capabilities = capabilities;
        if create {
            stack.parameters = wish.parameters.clone();
            stack.tags = wish.tags.clone();
            stack.description = wish.parsed().ok().and_then(|one| one.description().map(str::to_owned));
            self.stacks.put_wish(&stack.id, wish.clone()).await?;
        }
        self.stacks.put(&stack).await?;
        self.work(call, stack, if create { Deed::Create(wish) } else { Deed::Update(wish) }).await;
        Ok(())
    }

    /// Works on a stack, and waits for the end of it for a while: it goes on either way.
    async fn work(&self, call: &Call, stack: Stack, deed: Deed) {
        let (stacks, house, answers) = (self.stacks.clone(), self.house.clone(), self.answers.clone());
        let caller = call.caller.clone();
        let work = tokio::spawn(async move {
            let deployer = Deployer {
                stacks: &stacks,
                house: &house,
                answers: &answers,
                caller: &caller,
                stack: &stack,
            };
            let done = match &deed {
                Deed::Create(wish) => deployer.create(wish).await,
                Deed::Update(wish) => deployer.update(wish).await,
                Deed::Delete => deployer.delete().await,
            };
            if let Err(error) = done {
                world::say!("cloudformation: {}: {}", stack.name, error.message.unwrap_or_default());
            }
        });
        let _ended = tokio::time::timeout(SOON, work).await;
    }

    async fn delete_stack(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "StackName");
        // What is not there is as good as deleted.
        let Some(stack) = self.stacks.find(&call.caller.region, name)? else { return Ok(json!({})) };
        if stack.status == "DELETE_COMPLETE" || stack.status == "DELETE_IN_PROGRESS" {
            return Ok(json!({}));
        }
        if text(input, "DeletionMode").is_some_and(|mode| mode != "STANDARD")
            || input.get("RetainResources").and_then(Value::as_array).is_some_and(|list| !list.is_empty())
        {
            return Err(validation("RetainResources and DeletionMode are not implemented"));
        }
        if stack.protected {
            return Err(validation(format!(
                "Stack [{}] cannot be deleted while TerminationProtection is enabled",
                stack.name
            )));
        }
        self.refuse_busy(&stack)?;
        let exports: Vec<&String> =
            stack.outputs.iter().filter_map(|output| output.export.as_ref()).collect();
        for other in self
            .stacks
            .all(&call.caller.region)?
            .iter()
            .filter(|other| other.status != "DELETE_COMPLETE" && other.id != stack.id)
        {
            if let Some(used) = exports.iter().find(|export| other.imports.contains(export)) {
                return Err(validation(format!(
                    "Export {used} cannot be deleted as it is in use by {}",
                    other.name
                )));
            }
        }
        for set in self.stacks.change_sets(&stack.id)? {
            self.stacks.remove_change_set(&stack.id, &set.name).await?;
        }
        if stack.status == "REVIEW_IN_PROGRESS" {
            self.stacks.forget(&stack.id).await?;
            return Ok(json!({}));
        }
        self.stacks
            .change(&stack.id, |stack| {
                stack.status = "DELETE_IN_PROGRESS".to_owned();
                Ok(())
            })
            .await?;
        self.work(call, stack, Deed::Delete).await;
        Ok(json!({}))
    }

    async fn update_termination_protection(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "StackName");
        let stack = self.stacks.find(&call.caller.region, name)?.ok_or_else(|| no_stack(name))?;
        let protected = input.get("EnableTerminationProtection").and_then(Value::as_bool) == Some(true);
        self.stacks
            .change(&stack.id, |stack| {
                stack.protected = protected;
                Ok(())
            })
            .await?;
        Ok(json!({"StackId": stack.id}))
    }
}
