//! What stacks tell of themselves.

use super::stack::{Event, Output, Resource, Stack, Wish, no_stack};
use super::template::Template;
use super::template::evaluate::text as scalar;
use super::{CloudFormation, scope, validation};
use serde_json::{Value, json};
use servicekit::address::reachable;
use servicekit::call::{Answer, Call};
use servicekit::fields::{object, page, required, tag_list, text, texts};
use wire::ServiceError;

const PAGE: usize = 100;

fn seconds(ms: u64) -> Value {
    (ms as f64 / 1e3).into()
}

fn bad_token() -> ServiceError {
    validation("NextToken is invalid")
}

impl CloudFormation {
    pub(super) fn describe_stacks(&self, call: &Call, input: &Value) -> Answer {
        let stacks = match text(input, "StackName") {
            Some(name) => {
                let stack = self.stacks.find(&call.caller.region, name)?;
                vec![stack.ok_or_else(|| validation(format!("Stack with id {name} does not exist")))?]
            }
            None => {
                let all = self.stacks.all(&call.caller.region)?.into_iter();
                all.filter(|stack| stack.status != "DELETE_COMPLETE").collect()
            }
        };
        let host = call.request.header("host").map(|host| format!("http://{host}"));
        let shown = |stack| shown(stack, host.as_deref());
        let entries = stacks.into_iter().map(|stack: Stack| (stack.id.clone(), shown(stack))).collect();
        let page = page(entries, text(input, "NextToken"), PAGE, bad_token)?;
        Ok(object([("Stacks", Some(page.items.into())), ("NextToken", page.next.map(Value::from))]))
    }

    pub(super) fn list_stacks(&self, call: &Call, input: &Value) -> Answer {
        let wanted = texts(input, "StackStatusFilter");
        let all = self.stacks.all(&call.caller.region)?.into_iter();
        let entries = all.filter(|stack| wanted.is_empty() || wanted.contains(&stack.status)).map(|stack| {
            let summary = object([
                ("StackId", Some(stack.id.as_str().into())),
                ("StackName", Some(stack.name.into())),
                ("TemplateDescription", stack.description.map(Value::from)),
                ("CreationTime", Some(seconds(stack.created_ms))),
                ("LastUpdatedTime", stack.updated_ms.map(seconds)),
                ("DeletionTime", stack.deleted_ms.map(seconds)),
                ("StackStatus", Some(stack.status.into())),
                ("StackStatusReason", stack.reason.map(Value::from)),
                ("DriftInformation", Some(json!({"StackDriftStatus": "NOT_CHECKED"}))),
            ]);
            (stack.id, summary)
        });
        let page = page(entries.collect(), text(input, "NextToken"), PAGE, bad_token)?;
        Ok(object([("StackSummaries", Some(page.items.into())), ("NextToken", page.next.map(Value::from))]))
    }

    fn existing(&self, call: &Call, name: &str) -> Result<Stack, ServiceError> {
        self.stacks.find(&call.caller.region, name)?.ok_or_else(|| no_stack(name))
    }

    pub(super) fn describe_stack_events(&self, call: &Call, input: &Value) -> Answer {
        let stack = self.existing(call, text(input, "StackName").unwrap_or_default())?;
        let events = self.stacks.events(&stack.id)?;
        // Newest first; a page's marker is how many newer ones there were.
        let shown = |event: Event| {
            object([
                ("StackId", Some(stack.id.as_str().into())),
                ("EventId", Some(event.id.into())),
                ("StackName", Some(stack.name.as_str().into())),
                ("LogicalResourceId", Some(event.logical.into())),
                ("PhysicalResourceId", Some(event.physical.into())),
                ("ResourceType", Some(event.kind.into())),
                ("Timestamp", Some(seconds(event.at_ms))),
                ("ResourceStatus", Some(event.status.into())),
                ("ResourceStatusReason", event.reason.map(Value::from)),
                ("ResourceProperties", event.properties.map(Value::from)),
            ])
        };
        let entries =
            events.into_iter().rev().enumerate().map(|(at, event)| (format!("{at:012}"), shown(event)));
        let page = page(entries.collect(), text(input, "NextToken"), PAGE, bad_token)?;
        Ok(object([("StackEvents", Some(page.items.into())), ("NextToken", page.next.map(Value::from))]))
    }

    fn shown_resource(&self, stack: &Stack, logical: &str, resource: &Resource, time: &str) -> Value {
        object([
            ("StackName", Some(stack.name.as_str().into())),
            ("StackId", Some(stack.id.as_str().into())),
            ("LogicalResourceId", Some(logical.into())),
            ("PhysicalResourceId", Some(resource.made.id.as_str().into())),
            ("ResourceType", Some(resource.kind.as_str().into())),
            (time, Some(seconds(resource.updated_ms))),
            ("ResourceStatus", Some(resource.status.as_str().into())),
            ("ResourceStatusReason", resource.reason.as_deref().map(Value::from)),
            ("DriftInformation", Some(json!({"StackResourceDriftStatus": "NOT_CHECKED"}))),
        ])
    }

    pub(super) fn describe_stack_resource(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "StackName");
        let stack = self.stacks.find(&call.caller.region, name)?;
        let stack = stack.ok_or_else(|| validation(format!("Stack '{name}' does not exist")))?;
        let logical = required(input, "LogicalResourceId");
        let resource = self.stacks.resources(&stack.id)?.remove(logical);
        let resource = resource
            .ok_or_else(|| validation(format!("Resource {logical} does not exist for stack {name}")))?;
        Ok(
            json!({"StackResourceDetail": self.shown_resource(&stack, logical, &resource, "LastUpdatedTimestamp")}),
        )
    }

    pub(super) fn describe_stack_resources(&self, call: &Call, input: &Value) -> Answer {
        let Some(name) = text(input, "StackName") else {
            return Err(validation("PhysicalResourceId alone is not implemented: name the stack"));
        };
        let stack = self.existing(call, name)?;
        let wanted = text(input, "LogicalResourceId");
        let resources = self.stacks.resources(&stack.id)?;
        let resources =
            resources.iter().filter(|(logical, _)| wanted.is_none_or(|wanted| wanted == *logical));
        let shown: Vec<_> =
            resources.map(|(logical, one)| self.shown_resource(&stack, logical, one, "Timestamp")).collect();
        Ok(json!({"StackResources": shown}))
    }

    pub(super) fn list_stack_resources(&self, call: &Call, input: &Value) -> Answer {
        let stack = self.existing(call, required(input, "StackName"))?;
        let entries = self.stacks.resources(&stack.id)?.into_iter().map(|(logical, resource)| {
            let mut shown = self.shown_resource(&stack, &logical, &resource, "LastUpdatedTimestamp");
            if let Some(members) = shown.as_object_mut() {
                members.retain(|name, _| name != "StackName" && name != "StackId");
            }
            (logical, shown)
        });
        let page = page(entries.collect(), text(input, "NextToken"), PAGE, bad_token)?;
        Ok(object([
            ("StackResourceSummaries", Some(page.items.into())),
            ("NextToken", page.next.map(Value::from)),
        ]))
    }

    pub(super) fn get_template(&self, call: &Call, input: &Value) -> Answer {
        let stages = json!(["Original", "Processed"]);
        if let Some(name) = text(input, "ChangeSetName") {
            if text(input, "StackName").is_none() && !name.starts_with("arn:") {
                return Err(validation("StackName is a required parameter."));
            }
            let (_, set) = self.found_change_set(call, input)?;
            return Ok(json!({"TemplateBody": at_stage(input, set.wish), "StagesAvailable": stages}));
        }
        let Some(name) = text(input, "StackName") else {
            return Err(validation("StackName is required if ChangeSetName is not specified."));
        };
        let missing = || validation(format!("Stack with id {name} does not exist"));
        let stack = self.stacks.find(&call.caller.region, name)?.ok_or_else(missing)?;
        // A stack in review has no template yet.
        let wish = self.stacks.wish(&stack.id)?;
        let body = wish.map_or_else(|| "{}".to_owned(), |wish| at_stage(input, wish));
        Ok(json!({"TemplateBody": body, "StagesAvailable": stages}))
    }

    /// The template that a call names in one of three ways.
    async fn named_template(&self, call: &Call, input: &Value) -> Result<Template, ServiceError> {
        let body = match (text(input, "TemplateBody"), text(input, "TemplateURL"), text(input, "StackName")) {
            (Some(body), ..) => body.to_owned(),
            (None, Some(url), _) => self.template_at(url).await?,
            (None, None, Some(name)) => {
                let stack = self.existing(call, name)?;
                if stack.status == "REVIEW_IN_PROGRESS" {
                    let words = "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.";
                    return Err(validation(words));
                }
                let wish = self.stacks.wish(&stack.id)?.unwrap_or_default();
                return wish.parsed().map_err(validation);
            }
            _ => return Err(validation("Either Template URL or Template Body must be specified.")),
        };
        Template::parse(&body).map_err(validation)
    }

    pub(super) async fn validate_template(&self, call: &Call, input: &Value) -> Answer {
        let template = self.named_template(call, input).await?;
        let parameters = template.section("Parameters").iter().map(|(key, parameter)| {
            object([
                ("ParameterKey", Some(key.as_str().into())),
                ("DefaultValue", parameter.get("Default").and_then(scalar).map(Value::from)),
                (
                    "NoEcho",
                    Some((parameter.get("NoEcho").and_then(scalar).as_deref() == Some("true")).into()),
                ),
                ("Description", parameter.get("Description").cloned()),
            ])
        });
        let needed = template.capabilities();
        Ok(object([
            ("Parameters", Some(parameters.collect())),
            ("Description", template.description().map(Value::from)),
            ("Capabilities", needed.as_ref().map(|(name, _)| json!([name]))),
            ("CapabilitiesReason", needed.as_ref().map(|(_, reason)| reason.as_str().into())),
            ("DeclaredTransforms", Some(template.transforms().into_iter().map(Value::from).collect())),
        ]))
    }

    pub(super) async fn get_template_summary(&self, call: &Call, input: &Value) -> Answer {
        let template = self.named_template(call, input).await?;
        let parameters = template.section("Parameters").iter().map(|(key, parameter)| {
            object([
                ("ParameterKey", Some(key.as_str().into())),
                ("DefaultValue", parameter.get("Default").and_then(scalar).map(Value::from)),
                ("ParameterType", Some(parameter["Type"].clone())),
                (
                    "NoEcho",
                    Some((parameter.get("NoEcho").and_then(scalar).as_deref() == Some("true")).into()),
                ),
                ("Description", parameter.get("Description").cloned()),
                (
                    "ParameterConstraints",
                    Some(object([("AllowedValues", parameter.get("AllowedValues").cloned())])),
                ),
            ])
        });
        let mut kinds: Vec<&str> =
            template.resources().keys().map(|name| template.resource_type(name)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let needed = template.capabilities();
        let declared: Vec<Value> = template.transforms().into_iter().map(Value::from).collect();
        Ok(object([
            ("Parameters", Some(parameters.collect())),
            ("Description", template.description().map(Value::from)),
            ("Capabilities", needed.as_ref().map(|(name, _)| json!([name]))),
            ("CapabilitiesReason", needed.as_ref().map(|(_, reason)| reason.as_str().into())),
            (
                "ResourceIdentifierSummaries",
                Some(kinds.iter().map(|kind| identified(&template, kind)).collect()),
            ),
            ("ResourceTypes", Some(kinds.into_iter().map(Value::from).collect())),
            ("DeclaredTransforms", (!declared.is_empty()).then(|| declared.into())),
            ("Version", template.version().map(Value::from)),
            ("Metadata", template.metadata().map(Value::from)),
        ]))
    }

    pub(super) fn list_exports(&self, call: &Call) -> Answer {
        let exports = scope::exports(&self.stacks, &call.caller.region)?.into_iter();
        let shown: Vec<_> = exports
            .map(|(name, value, stack)| json!({"ExportingStackId": stack, "Name": name, "Value": value}))
            .collect();
        Ok(json!({"Exports": shown}))
    }

    pub(super) fn list_imports(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "ExportName").to_owned();
        let all = self.stacks.all(&call.caller.region)?.into_iter();
        let users: Vec<_> = all
            .filter(|stack| stack.status != "DELETE_COMPLETE" && stack.imports.contains(&name))
            .map(|stack| stack.name)
            .collect();
        match users.is_empty() {
            true => Err(validation(format!("Export '{name}' is not imported by any stack."))),
            false => Ok(json!({"Imports": users})),
        }
    }
}

/// The resources of a type, and the property that names one.
fn identified(template: &Template, kind: &str) -> Value {
    let names = template.resources().keys().filter(|name| template.resource_type(name) == kind);
    let named_by = super::resources::known(kind).and_then(|kind| kind.named_by);
    object([
        ("ResourceType", Some(kind.into())),
        ("LogicalResourceIds", Some(names.map(|name| Value::from(name.as_str())).collect())),
        ("ResourceIdentifiers", named_by.map(|(property, _)| json!([property]))),
    ])
}

/// A template as it was given, or, if it has short forms and nothing else is asked for, with them written out.
fn at_stage(input: &Value, wish: Wish) -> String {
    match wish.parsed() {
        Ok(template)
            if text(input, "TemplateStage") != Some("Original") && !template.transforms().is_empty() =>
        {
            template.written_out()
        }
        _ => wish.template,
    }
}

/// `origin`: where the caller has reached this server. Addresses of APIs in outputs are told as they are reached there.
fn shown(stack: Stack, origin: Option<&str>) -> Value {
    let reached = |value: String| origin.map_or(value.clone(), |origin| reachable(&value, origin));
    let output = |output: Output| {
        object([
            ("OutputKey", Some(output.key.into())),
            ("OutputValue", Some(reached(output.value).into())),
            ("Description", output.description.map(Value::from)),
            ("ExportName", output.export.map(Value::from)),
        ])
    };
    let outputs: Vec<_> = stack.outputs.into_iter().map(output).collect();
    let parameters: Vec<_> = stack.parameters.iter().map(|one| one.shown()).collect();
    let gone = stack.status == "DELETE_COMPLETE";
    object([
        ("StackId", Some(stack.id.into())),
        ("StackName", Some(stack.name.into())),
        ("ChangeSetId", stack.change_set.filter(|_| !gone).map(Value::from)),
        ("Description", stack.description.map(Value::from)),
        ("Parameters", (!parameters.is_empty()).then(|| parameters.into())),
        ("CreationTime", Some(seconds(stack.created_ms))),
        ("LastUpdatedTime", stack.updated_ms.map(seconds)),
        ("DeletionTime", stack.deleted_ms.map(seconds)),
        ("RollbackConfiguration", Some(json!({}))),
        ("StackStatus", Some(stack.status.into())),
        ("StackStatusReason", stack.reason.map(Value::from)),
        ("DisableRollback", Some(stack.disable_rollback.into())),
        ("NotificationARNs", Some(stack.notifications.into())),
        ("Capabilities", (!stack.capabilities.is_empty()).then(|| stack.capabilities.into())),
        ("Outputs", (!outputs.is_empty()).then(|| outputs.into())),
        ("RoleARN", stack.role.map(Value::from)),
        ("Tags", Some(tag_list(&stack.tags))),
        ("EnableTerminationProtection", (!gone).then(|| stack.protected.into())),
        ("ParentId", stack.parent.map(Value::from)),
        ("RootId", stack.root.map(Value::from)),
        ("DriftInformation", Some(json!({"StackDriftStatus": "NOT_CHECKED"}))),
    ])
}
