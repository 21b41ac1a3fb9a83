//! Change sets: what a template would change, told before it is done.

use super::compare::{self, After, Before, Changes};
use super::stack::{ChangeSet, Parameter, Stack, Wish, no_stack};
use super::template::loops::Values;
use super::template::{BODY_BYTES_MAX, TRANSFORMS, Template};
use super::{CloudFormation, foresee, resources, scope, validation};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{object, required, tags_of, text, texts};
use std::collections::BTreeSet;
use wire::ServiceError;

/// Of a change set that was carried out: it is told, but not listed.
const EXECUTED: &str = "EXECUTE_COMPLETE";

/// What lets a direct call carry transforms out.
const AUTO_EXPAND: &str = "CAPABILITY_AUTO_EXPAND";

const UNCHANGED: &str =
    "The submitted information didn't contain changes. Submit different information to create a change set.";

impl CloudFormation {
    pub(super) async fn create_change_set(&self, call: &Call, input: &Value) -> Answer {
        let (name, set_name) = (required(input, "StackName"), required(input, "ChangeSetName"));
        let kind = text(input, "ChangeSetType").unwrap_or("UPDATE");
        if kind == "IMPORT" || text(input, "ResourcesToImport").is_some() {
            return Err(validation("Importing resources is not implemented"));
        }
        let found = self.stacks.find(&call.caller.region, name)?;
        let stack = match (kind, found) {
            ("CREATE", Some(stack)) if stack.status == "REVIEW_IN_PROGRESS" => stack,
            ("CREATE", Some(stack)) => {
                let words = format!(
                    "Stack [{}] already exists and cannot be created again with the changeSet [{set_name}].",
                    stack.name
                );
                return Err(validation(words));
            }
            ("CREATE", None) => Stack { status: "REVIEW_IN_PROGRESS".into(), ..self.new_stack(call, name) },
            (_, Some(stack)) if stack.status == "REVIEW_IN_PROGRESS" || stack.status == "DELETE_COMPLETE" => {
                return Err(validation(format!(
                    "Stack:{} is in {} state and can not be updated.",
                    stack.id, stack.status
                )));
            }
            (_, Some(stack)) => stack,
            (_, None) => return Err(no_stack(name)),
        };
        let (wish, template) = self.wish(call, input, &stack).await?;
        // Tools name change sets by the second, and here two fit in one: what cannot be executed any more makes room.
        let before = self.stacks.change_set(Some(&stack.id), set_name)?;
        if before.is_some_and(|(_, set)| set.execution == "AVAILABLE") {
            let words = format!(
                "ChangeSet {set_name} cannot be created due to a mismatch with existing attribute ChangeSetName: it already exists"
            );
            return Err(ServiceError::new("AlreadyExistsException", words));
        }
        let changes = self.changes(call, &stack, &wish, &template)?;
        let outputs_differ = self.stacks.wish(&stack.id)?.is_none_or(|old| differs(&old, &wish));
        let empty = changes.plain.is_empty() && (kind == "UPDATE") && !outputs_differ;
        if kind == "CREATE" && self.stacks.find(&call.caller.region, &stack.id)?.is_none() {
            self.stacks.put(&stack).await?;
            self.stacks.advance(&stack.id, "REVIEW_IN_PROGRESS", Some("User Initiated")).await?;
        }
        let (account, region) = (&call.caller.account, &call.caller.region);
        let set = ChangeSet {
            id: format!(
                "arn:aws:cloudformation:{region}:{account}:changeSet/{set_name}/{}",
                self.stacks.world.uuid()
            ),
            name: set_name.to_owned(),
            kind: kind.to_owned(),
            status: if empty { "FAILED" } else { "CREATE_COMPLETE" }.to_owned(),
            execution: if empty { "UNAVAILABLE" } else { "AVAILABLE" }.to_owned(),
            reason: empty.then(|| UNCHANGED.to_owned()),
            description: text(input, "Description").map(str::to_owned),
            created_ms: self.stacks.world.now().millis(),
            changes: changes.plain,
            valued: changes.valued,
            wish,
        };
        let answer = json!({"Id": set.id, "StackId": stack.id});
        self.stacks.put_change_set(&stack.id, set).await?;
        Ok(answer)
    }

    /// What a call wants a stack to become, its template read and its parameters checked.
    pub(super) async fn wish(
        &self,
        call: &Call,
        input: &Value,
        stack: &Stack,
    ) -> Result<(Wish, Template), ServiceError> {
        let before = self.stacks.wish(&stack.id)?;
        let previous = input.get("UsePreviousTemplate").and_then(Value::as_bool) == Some(true);
        let body = match (text(input, "TemplateBody"), text(input, "TemplateURL"), &before) {
            (Some(_), Some(_), _) => {
                return Err(validation("You must specify only one of Template Body or Template URL."));
            }
            (Some(body), None, _) if body.len() > BODY_BYTES_MAX => {
                let words = "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200";
                return Err(validation(words));
            }
            (Some(body), None, _) => body.to_owned(),
            (None, Some(url), _) => self.template_at(url).await?,
            (None, None, Some(before)) if previous => before.template.clone(),
            _ => return Err(validation("Either Template URL or Template Body must be specified.")),
        };
        let template = Template::read(&body, &given_values(input, &stack.parameters)).map_err(validation)?;
        if let Some(name) = template.transforms().into_iter().find(|name| !TRANSFORMS.contains(name)) {
            return Err(validation(format!("No transform named {name} found.")));
        }
        let unknown: BTreeSet<&str> = template
            .resources()
            .keys()
            .map(|name| template.resource_type(name))
            .filter(|kind| resources::known(kind).is_none())
            .collect();
        if !unknown.is_empty() {
            let names: Vec<_> = unknown.into_iter().collect();
            return Err(validation(format!(
                "Template format error: Unrecognized resource types: [{}]",
                names.join(", ")
            )));
        }
        let capabilities = texts(input, "Capabilities");
        if let Some((needed, _)) = template.capabilities() {
            let granted = capabilities.iter().any(|one| one == needed || one == "CAPABILITY_NAMED_IAM");
            if !granted {
                return Err(ServiceError::new(
                    "InsufficientCapabilitiesException",
                    format!("Requires capabilities : [{needed}]"),
                ));
            }
        }
        // A change set shows what transforms made before anything is done; a direct call does not.
        let direct = call.operation.name != "CreateChangeSet";
        if direct && !template.transforms().is_empty() && !capabilities.iter().any(|one| one == AUTO_EXPAND) {
            let words = format!("Requires capabilities : [{AUTO_EXPAND}]");
            return Err(ServiceError::new("InsufficientCapabilitiesException", words));
        }
        let none = json!([]);
        let given = input.get("Parameters").unwrap_or(&none);
        let mut parameters = scope::parameters(&template, given, &stack.parameters).map_err(validation)?;
        for parameter in &mut parameters {
            let kind = template.section("Parameters")[&parameter.key]["Type"].as_str().unwrap_or_default();
            if kind.starts_with("AWS::SSM::Parameter::Value<") {
                let declared = &template.section("Parameters")[&parameter.key];
                let resolved = self.stored_parameter(call, &parameter.value).await?;
                parameter.resolved = Some(resolved.ok_or_else(|| no_parameter(parameter, declared))?);
            }
        }
        let tags = if input.get("Tags").is_some() { tags_of(input, "Tags") } else { stack.tags.clone() };
        let wish = Wish {
            template: body,
            parameters,
            tags,
            capabilities,
            notifications: texts(input, "NotificationARNs"),
            role: text(input, "RoleARN").map(str::to_owned),
            disable_rollback: input.get("DisableRollback").and_then(Value::as_bool) == Some(true),
            on_failure: text(input, "OnFailure").or_else(|| text(input, "OnStackFailure")).map(str::to_owned),
        };
        let scope = scope::of(&self.stacks, stack, &call.caller, &wish, &template)?;
        scope::check_rules(&template, &scope).map_err(validation)?;
        foresee::check(&template, scope).map_err(validation)?;
        Ok((wish, template))
    }

    async fn stored_parameter(&self, call: &Call, name: &str) -> Result<Option<String>, ServiceError> {
        let answer = self.house.ask(&call.caller, "ssm", "GetParameter", json!({"Name": name})).await;
        if answer.as_ref().is_ok_and(|answer| answer["Parameter"]["Type"] == "SecureString") {
            return Err(validation(format!(
                "Parameters [{name}] referenced by template have types not supported by CloudFormation."
            )));
        }
        Ok(answer.ok().and_then(|answer| answer["Parameter"]["Value"].as_str().map(str::to_owned)))
    }

    /// What would be added, changed and removed.
    pub(super) fn changes(
        &self,
        call: &Call,
        stack: &Stack,
        wish: &Wish,
        template: &Template,
    ) -> Result<Changes, ServiceError> {
        let scope = scope::of(&self.stacks, stack, &call.caller, wish, template)?;
        let resources = self.stacks.resources(&stack.id)?;
        let old = self.stacks.wish(&stack.id)?;
        let old = old.and_then(|old| old.parsed().ok().map(|template| (old, template)));
        let earlier = old.as_ref().map(|(own, text)| scope::of(&self.stacks, stack, &call.caller, own, text));
        let earlier = earlier.transpose()?;
        let was = |key: &str| old.as_ref()?.0.parameters.iter().find(|one| one.key == key);
        let differs = |now: &&Parameter| was(&now.key).is_some_and(|was| was.value != now.value);
        let before = Before {
            template: old.as_ref().map(|(_, template)| template),
            resources: &resources,
            scope: earlier.as_ref(),
            changed: &wish.parameters.iter().filter(differs).map(|one| one.key.clone()).collect(),
            tags: &stack.tags,
        };
        let after = After { template, tags: &wish.tags };
        let scope = foresee::before_making(template, scope).map_err(validation)?;
        compare::changes(&before, after, scope).map_err(validation)
    }

    pub(super) fn found_change_set(
        &self,
        call: &Call,
        input: &Value,
    ) -> Result<(Stack, ChangeSet), ServiceError> {
        let name = required(input, "ChangeSetName");
        let missing = || {
            ServiceError::new("ChangeSetNotFound", format!("ChangeSet [{name}] does not exist"))
                .with_status(404)
        };
        let stack = match text(input, "StackName") {
            Some(stack) => {
                Some(self.stacks.find(&call.caller.region, stack)?.ok_or_else(|| no_stack(stack))?)
            }
            None if name.starts_with("arn:") => None,
            None => {
                return Err(validation(
                    "StackName must be specified if ChangeSetName is not specified as an ARN.",
                ));
            }
        };
        let found = self.stacks.change_set(stack.as_ref().map(|stack| stack.id.as_str()), name)?;
        let (stack_id, set) = found.ok_or_else(missing)?;
        let stack = match stack {
            Some(stack) => stack,
            None => self.stacks.find(&call.caller.region, &stack_id)?.ok_or_else(missing)?,
        };
        Ok((stack, set))
    }

    pub(super) fn describe_change_set(&self, call: &Call, input: &Value) -> Answer {
        let (stack, set) = self.found_change_set(call, input)?;
        let parameters: Vec<_> = set.wish.parameters.iter().map(|one| one.shown()).collect();
        let tags = Some(&set.wish.tags).filter(|tags| !tags.is_empty());
        let with_values = input.get("IncludePropertyValues").and_then(Value::as_bool) == Some(true);
        Ok(object([
            ("ChangeSetName", Some(set.name.into())),
            ("ChangeSetId", Some(set.id.into())),
            ("StackId", Some(stack.id.into())),
            ("StackName", Some(stack.name.into())),
            ("Description", set.description.map(Value::from)),
            ("Parameters", (!parameters.is_empty()).then(|| parameters.into())),
            ("CreationTime", Some((set.created_ms as f64 / 1e3).into())),
            ("ExecutionStatus", Some(set.execution.into())),
            ("Status", Some(set.status.into())),
            ("StatusReason", set.reason.map(Value::from)),
            ("NotificationARNs", Some(set.wish.notifications.into())),
            ("RollbackConfiguration", Some(json!({}))),
            ("Capabilities", Some(set.wish.capabilities.into())),
            ("Tags", tags.map(servicekit::fields::tag_list)),
            ("Changes", Some(if with_values { set.valued } else { set.changes }.into())),
            ("IncludeNestedStacks", Some(false.into())),
            ("OnStackFailure", set.wish.on_failure.map(Value::from)),
        ]))
    }

    pub(super) fn list_change_sets(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "StackName");
        let stack = self.stacks.find(&call.caller.region, name)?.ok_or_else(|| no_stack(name))?;
        let shown = |set: ChangeSet| {
            object([
                ("StackId", Some(stack.id.as_str().into())),
                ("StackName", Some(stack.name.as_str().into())),
                ("ChangeSetId", Some(set.id.into())),
                ("ChangeSetName", Some(set.name.into())),
                ("ExecutionStatus", Some(set.execution.into())),
                ("Status", Some(set.status.into())),
                ("StatusReason", set.reason.map(Value::from)),
                ("CreationTime", Some((set.created_ms as f64 / 1e3).into())),
                ("Description", set.description.map(Value::from)),
                ("IncludeNestedStacks", Some(false.into())),
            ])
        };
        let sets = self.stacks.change_sets(&stack.id)?.into_iter();
        let active = sets.filter(|set| set.execution != EXECUTED);
        Ok(json!({"Summaries": active.map(shown).collect::<Vec<_>>()}))
    }

    pub(super) async fn delete_change_set(&self, call: &Call, input: &Value) -> Answer {
        match self.found_change_set(call, input) {
            Ok((stack, set)) => {
                self.stacks.remove_change_set(&stack.id, &set.name).await?;
                Ok(json!({}))
            }
            // Removing what is not there succeeds, where the stack is.
            Err(error) if error.name() == "ChangeSetNotFound" => Ok(json!({})),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn execute_change_set(&self, call: &Call, input: &Value) -> Answer {
        let (mut stack, set) = self.found_change_set(call, input)?;
        if set.execution != "AVAILABLE" {
            let words = format!(
                "ChangeSet [{}] cannot be executed in its current status of [{}]",
                set.id, set.status
            );
            return Err(ServiceError::new("InvalidChangeSetStatus", words));
        }
        let mut wish = set.wish.clone();
        if let Some(disable) = input.get("DisableRollback").and_then(Value::as_bool) {
            wish.disable_rollback = disable;
        }
        stack.change_set = Some(set.id.clone());
        // One change set is carried out; the others were about what is no more.
        for other in self.stacks.change_sets(&stack.id)? {
            self.stacks.remove_change_set(&stack.id, &other.name).await?;
        }
        let create = set.kind == "CREATE";
        self.stacks.put_change_set(&stack.id, ChangeSet { execution: EXECUTED.into(), ..set }).await?;
        self.start(call, stack, wish, create).await?;
        Ok(json!({}))
    }
}

/// What a call gives its parameters, or leaves them.
fn given_values(input: &Value, before: &[Parameter]) -> Values {
    let given = input.get("Parameters").and_then(Value::as_array).into_iter().flatten();
    let value = |one: &Value| {
        let key = text(one, "ParameterKey")?;
        let previous = one.get("UsePreviousValue").and_then(Value::as_bool) == Some(true);
        let earlier = || before.iter().find(|old| old.key == key).map(|old| old.value.clone());
        let own = || text(one, "ParameterValue").map(str::to_owned);
        Some((key.to_owned(), if previous { earlier() } else { own() }?))
    };
    given.filter_map(value).collect()
}

/// [observed: the name of a parameter that is not there, of a declaration with and without a default]
fn no_parameter(parameter: &Parameter, declared: &Value) -> ServiceError {
    let Parameter { key, value, .. } = parameter;
    validation(match declared.get("Default") {
        None => format!("Parameter {key} should either have input value or default value"),
        Some(_) => format!("Unable to fetch parameters [{value}] from parameter store for this account."),
    })
}

fn differs(old: &Wish, new: &Wish) -> bool {
    let outputs = |wish: &Wish| {
        let template = wish.parsed().ok();
        template.map(|template| Value::Object(template.section("Outputs").clone()))
    };
    old.tags != new.tags || outputs(old) != outputs(new)
}
