//! Who may call a function: the statements of its resource policy.

use super::Functions;
use super::aliases::no_alias;
use super::update::stale_of;
use crate::name::{FunctionName, arn, conflict, invalid, missing};
use crate::registry::{Alias, Function, Statements, alias_key, key};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{required, text};
use wire::ServiceError;

impl Functions {
    /// The name whose policy it is: `$LATEST`'s is the function's own.
    fn granted(&self, call: &Call, input: &Value) -> Result<FunctionName, ServiceError> {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?
            .qualified(text(input, "Qualifier"))?;
        if name.qualifier.as_deref() == Some("$LATEST") {
            return Err(invalid("We currently do not support adding policies for $LATEST."));
        }
        let is_alias = |qualifier: &str| {
            qualifier.bytes().any(|byte| !byte.is_ascii_digit()) && !qualifier.contains('$')
        };
        self.registry.find(&call.caller, &name).map_err(|error| match name.qualifier.as_deref() {
            Some(alias) if is_alias(alias) => no_alias(&arn(&call.caller, &name.name), alias),
            _ => error,
        })?;
        Ok(name)
    }

    /// The alias that is named, whose revision stands for its policy's.
    fn alias_of(&self, call: &Call, name: &FunctionName) -> Result<Option<(String, Alias)>, ServiceError> {
        let Some(alias) = name.qualifier.as_deref() else { return Ok(None) };
        let key = alias_key(&call.caller, &name.name, alias);
        Ok(self.registry.aliases.get(&key)?.map(|alias| (key, alias)))
    }

    /// Changes a policy: of the function, or of a version or an alias of it.
    async fn change_policy(
        &self,
        call: &Call,
        input: &Value,
        name: &FunctionName,
        change: impl Fn(&mut Statements) -> Result<(), ServiceError>,
    ) -> Result<(), ServiceError> {
        let (revision, alias) = (text(input, "RevisionId"), self.alias_of(call, name)?);
        let is_stale = |alias: &Alias| revision.is_some_and(|revision| revision != alias.revision);
        if alias.as_ref().is_some_and(|(_, alias)| is_stale(alias)) {
            return Err(stale_of("GetPolicy"));
        }
        let of_function = revision.filter(|_| alias.is_none());
        self.change(call, &name.name, of_function, |function| change(policy(function, name))).await?;
        if let Some((key, _)) = alias {
            let next = self.world.uuid();
            let renew = |old: Option<Alias>| {
                let put = |old| Edit::Put(Alias { revision: next.clone(), ..old });
                Ok((old.map_or(Edit::Keep, put), ()))
            };
            self.registry.aliases.edit(&key, renew).await?;
        }
        Ok(())
    }

    pub(super) async fn add_permission(&self, call: &Call, input: &Value) -> Answer {
        let name = self.granted(call, input)?;
        let statement = statement(input, &name.arn(&call.caller))?;
        let id = required(input, "StatementId");
        self.change_policy(call, input, &name, |statements| {
            if statements.contains_key(id) {
                return Err(conflict(format!(
                    "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing statement."
                )));
            }
            statements.insert(id.to_owned(), statement.clone());
            Ok(())
        })
        .await?;
        Ok(json!({ "Statement": statement.to_string() }))
    }

    pub(super) fn get_policy(&self, call: &Call, input: &Value) -> Answer {
        let nothing = || missing("The resource you requested does not exist.");
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?
            .qualified(text(input, "Qualifier"))?;
        let name = FunctionName { qualifier: name.qualifier.filter(|one| one != "$LATEST"), ..name };
        let mut function = self.whole(call, input).map_err(|_| nothing())?;
        let alias = self.alias_of(call, &name)?;
        let policy = policy(&mut function, &name);
        if policy.is_empty() {
            return Err(nothing());
        }
        let statements: Vec<_> = policy.values().collect();
        let policy = json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
        Ok(
            json!({ "Policy": policy.to_string(), "RevisionId": alias.map_or(function.revision, |(_, alias)| alias.revision) }),
        )
    }

    pub(super) async fn remove_permission(&self, call: &Call, input: &Value) -> Answer {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?;
        if self.registry.functions.get(&key(&call.caller, &name.name))?.is_none() {
            return Err(missing(format!("No policy found for: {}", arn(&call.caller, &name.name))));
        }
        let name = self.granted(call, input)?;
        let id = required(input, "StatementId");
        self.change_policy(call, input, &name, |statements| {
            if statements.is_empty() {
                return Err(missing("No policy is associated with the given resource."));
            }
            match statements.shift_remove(id) {
                Some(_) => Ok(()),
                None => Err(missing(format!("Statement {id} is not found in resource policy."))),
            }
        })
        .await?;
        Ok(json!({}))
    }
}

fn policy<'a>(function: &'a mut Function, name: &FunctionName) -> &'a mut Statements {
    match &name.qualifier {
        Some(qualifier) => function.policies.entry(qualifier.clone()).or_default(),
        None => &mut function.policy,
    }
}

fn statement(input: &Value, resource: &str) -> Result<Value, ServiceError> {
    if let Some(name) = ["InvokedViaFunctionUrl"].iter().find(|name| input.get(**name).is_some()) {
        return Err(invalid(format!("{name} is not supported.")));
    }
    let principal = required(input, "Principal");
    let told = if principal.contains(".amazonaws.com") {
        json!({ "Service": principal })
    } else if principal == "*" {
        json!("*")
    } else if principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit()) {
        json!({ "AWS": format!("arn:aws:iam::{principal}:root") })
    } else if principal.starts_with("arn:") {
        json!({ "AWS": principal })
    } else {
        return Err(invalid("The provided principal was invalid. Please check the principal and try again."));
    };
    let mut statement = json!({
        "Sid": required(input, "StatementId"),
        "Effect": "Allow",
        "Principal": told,
        "Action": required(input, "Action"),
        "Resource": resource,
    });
    let mut condition = serde_json::Map::new();
    if let Some(account) = text(input, "SourceAccount") {
        condition.insert("StringEquals".to_owned(), json!({ "AWS:SourceAccount": account }));
    }
    if let Some(source) = text(input, "SourceArn") {
        condition.insert("ArnLike".to_owned(), json!({ "AWS:SourceArn": source }));
    }
    let mut equals = condition.remove("StringEquals").unwrap_or_else(|| json!({}));
    let conditions = [
        ("EventSourceToken", "lambda:EventSourceToken"),
        ("FunctionUrlAuthType", "lambda:FunctionUrlAuthType"),
        ("PrincipalOrgID", "aws:PrincipalOrgID"),
    ];
    for (member, key) in conditions {
        if let Some(value) = text(input, member) {
            equals[key] = value.into();
        }
    }
    if equals.as_object().is_some_and(|equals| !equals.is_empty()) {
        condition.insert("StringEquals".to_owned(), equals);
    }
    if !condition.is_empty() {
        statement["Condition"] = Value::Object(condition);
    }
    Ok(statement)
}
