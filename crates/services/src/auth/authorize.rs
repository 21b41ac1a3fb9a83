//! Whether policies let a call pass: what it needs, what its caller may, what the resources say.

use super::needs::{self, Asked, Need};
use super::tags;
use crate::dispatch::Inner;
use access::Identity;
use access::policy::{Context, Document, Policies, Question, Verdict, Who, Why, decide};
use engine::Scope;
use lambda::FunctionName;
use serde_json::{Value, json};
use servicekit::call::{Call, Caller};
use servicekit::house::Household;
use wire::{Protocol, Request, ServiceError};

impl Inner {
    /// Refuses a call that its caller's policies, or those of what it is about, do not allow.
    pub(crate) async fn authorize(&self, call: &Call, identity: &Identity) -> Result<(), ServiceError> {
        self.refusals(call, identity).await?.into_iter().flatten().next().map_or(Ok(()), Err)
    }

    /// The refusal, if any, of each thing that a call needs.
    pub(crate) async fn refusals(
        &self,
        call: &Call,
        identity: &Identity,
    ) -> Result<Vec<Option<ServiceError>>, ServiceError> {
        // What cannot be read is refused for that, by whoever reads it next.
        let Ok(input) = call.unchecked_input() else { return Ok(Vec::new()) };
        let mut refusals = Vec::new();
        let mut context = self.context(&call.request, &call.caller, identity)?;
        tags::of_request(&input, call.operation.name, &mut context);
        let hash_key = |table: &str, index: Option<&str>| self.hash_key(&call.caller, table, index);
        let mut needs = needs::of(
            &Asked {
                service: call.service.name,
                operation: call.operation.name,
                input: &input,
                caller: &call.caller,
                hash_key: &hash_key,
            },
            &mut context,
        );
        if call.service.name == "kms" {
            for need in &mut needs {
                self.settle_key(call, &input, need).await;
            }
        }
        let mut policies = self.iam.policies_of(identity)?;
        let who = who(identity);
        let context = &context;
        for need in &needs {
            policies.resource = self.resource_policy(&call.caller, need).await?;
            let tagged = self.tagged(&policies, &call.caller, &need.resource, context).await;
            let context = tagged.as_ref().unwrap_or(context);
            let question = Question { action: &need.action, resource: &need.resource, who: &who, context };
            let verdict = match need.action.as_str() {
                "sts:AssumeRole" => trusted(&policies, &question),
                _ => decide(&policies, &question),
            };
            refusals.push(match verdict {
                Verdict::Denied(why) => Some(denied(call, identity, need, why)),
                Verdict::Allowed => None,
            });
        }
        Ok(refusals)
    }

    /// Refuses a call to a function's address whose caller may not make it.
    pub(crate) async fn authorize_url(
        &self,
        request: &Request,
        caller: &Caller,
        identity: &Identity,
        function: &str,
    ) -> Result<(), ServiceError> {
        let mut context = self.context(request, caller, identity)?;
        context.set("lambda:FunctionUrlAuthType", "AWS_IAM");
        let need = Need { action: "lambda:InvokeFunctionUrl".to_owned(), resource: function.to_owned() };
        self.authorize_address(caller, identity, &need, &context).await
    }

    /// Refuses a call of an API's method whose caller may not make it.
    pub(crate) async fn authorize_api(
        &self,
        request: &Request,
        caller: &Caller,
        identity: &Identity,
        method: &str,
    ) -> Result<(), ServiceError> {
        let context = self.context(request, caller, identity)?;
        let need = Need { action: "execute-api:Invoke".to_owned(), resource: method.to_owned() };
        self.authorize_address(caller, identity, &need, &context).await
    }

    async fn authorize_address(
        &self,
        caller: &Caller,
        identity: &Identity,
        need: &Need,
        context: &Context,
    ) -> Result<(), ServiceError> {
        let policies = Policies {
            resource: self.resource_policy(caller, need).await?,
            ..self.iam.policies_of(identity)?
        };
        let who = who(identity);
        let question = Question { action: &need.action, resource: &need.resource, who: &who, context };
        match decide(&policies, &question) {
            Verdict::Allowed => Ok(()),
            Verdict::Denied(_) => Err(ServiceError::new("AccessDeniedException", "Forbidden")),
        }
    }

    /// The circumstances with a resource's tags, where a policy asks for them.
    async fn tagged(
        &self,
        policies: &Policies,
        caller: &Caller,
        resource: &str,
        context: &Context,
    ) -> Option<Context> {
        if !policies.ask_of_resource_tags() {
            return None;
        }
        let mut context = context.clone();
        self.add_resource_tags(caller, resource, &mut context).await;
        Some(context)
    }

    /// Circumstances that every call has.
    fn context(
        &self,
        request: &Request,
        caller: &Caller,
        identity: &Identity,
    ) -> Result<Context, ServiceError> {
        let mut context = Context::default();
        if let Some(agent) = request.header("user-agent") {
            context.set("aws:UserAgent", agent);
        }
        if let Some(peer) = request.peer {
            context.set("aws:SourceIp", peer.to_string());
        }
        let now = self.parts.world.now();
        context.set("aws:CurrentTime", format!("{}Z", now.iso_seconds()));
        context.set("aws:EpochTime", now.seconds().to_string());
        context.set("aws:SecureTransport", "false");
        context.set("aws:RequestedRegion", &*caller.region);
        context.set("aws:PrincipalAccount", identity.account());
        context.set("aws:userid", identity.id());
        let (kind, arn) = match identity {
            Identity::Root { .. } => ("Account", identity.arn()),
            Identity::User { name, .. } => {
                context.set("aws:username", name);
                ("User", identity.arn())
            }
            Identity::Role { role, .. } => ("AssumedRole", role.to_string()),
        };
        context.set("aws:PrincipalType", kind);
        context.set("aws:PrincipalArn", arn);
        for (key, value) in self.iam.tags_of(identity)? {
            context.set(&format!("aws:PrincipalTag/{key}"), value);
        }
        Ok(context)
    }

    fn hash_key(&self, caller: &Caller, table: &str, index: Option<&str>) -> Option<String> {
        let scope = Scope::new(&caller.account, &caller.region);
        let table = self.parts.engine.table(&scope, table).ok()?;
        match index {
            None => Some(table.hash_name().to_owned()),
            Some(index) => {
                let index = table.index(index).ok()?;
                Some(index.key_schema().hash.first()?.name.to_string())
            }
        }
    }

    /// The policy of what a permission is about, asked of the service that keeps it.
    async fn resource_policy(&self, caller: &Caller, need: &Need) -> Result<Option<Document>, ServiceError> {
        let resource = need.resource.as_str();
        let inside = Caller { access_key: None, ..caller.clone() };
        let service = need.action.split(':').next().unwrap_or_default();
        let (operation, input, at) = match service {
            "sts" => {
                let role = access::RoleArn::parse(resource);
                return match role {
                    Some(role) => self.iam.trust_of(&role.account, &role.name),
                    None => Ok(None),
                };
            }
            "dynamodb" => {
                // An index has its table's.
                let table = resource.split("/index/").next().unwrap_or(resource);
                ("GetResourcePolicy", json!({ "ResourceArn": table }), "Policy")
            }
            "lambda" => {
                let Ok(name) = FunctionName::parse(resource, caller) else { return Ok(None) };
                let mut input = json!({ "FunctionName": name.name });
                if let Some(qualifier) = name.qualifier {
                    input["Qualifier"] = qualifier.into();
                }
                ("GetPolicy", input, "Policy")
            }
            "sqs" => {
                let mut parts = resource.rsplit(':');
                let (Some(name), Some(account)) = (parts.next(), parts.next()) else { return Ok(None) };
                let url = format!("http://localhost/{account}/{name}");
                (
                    "GetQueueAttributes",
                    json!({ "QueueUrl": url, "AttributeNames": ["Policy"] }),
                    "Attributes/Policy",
                )
            }
            "sns" => ("GetTopicAttributes", json!({ "TopicArn": resource }), "Attributes/Policy"),
            "secretsmanager" => ("GetResourcePolicy", json!({ "SecretId": resource }), "ResourcePolicy"),
            "s3" => {
                let bucket = resource.trim_start_matches("arn:aws:s3:::").split('/').next();
                ("GetBucketPolicy", json!({ "Bucket": bucket }), "Policy")
            }
            _ => return Ok(None),
        };
        if resource == "*" {
            return Ok(None);
        }
        // Most have none, and many are not there yet.
        let Ok(answer) = self.ask(&inside, service, operation, input).await else { return Ok(None) };
        let text = answer.pointer(&format!("/{at}")).and_then(Value::as_str);
        Ok(text.filter(|text| !text.is_empty()).and_then(|text| Document::parse(text).ok()))
    }
}

fn who(identity: &Identity) -> Who {
    let role = match identity {
        Identity::Role { role, .. } => Some(role.to_string()),
        Identity::Root { .. } | Identity::User { .. } => None,
    };
    Who { account: identity.account().to_owned(), arn: identity.arn(), role }
}

/// A role is assumed by whom its trust names in person, or names with the account while their own policies allow it.
fn trusted(policies: &Policies, question: &Question<'_>) -> Verdict {
    let verdict = decide(policies, question);
    match &policies.resource {
        // Root's powers end where a role trusts nobody.
        Some(trust) if verdict == Verdict::Allowed && !trust.lets(question) => {
            Verdict::Denied(Why::NotAllowedBy("resource-based policy"))
        }
        None => Verdict::Denied(Why::NotAllowedBy("resource-based policy")),
        Some(_) => verdict,
    }
}

/// The refusal in the words and the code of the service that is asked.
fn denied(call: &Call, identity: &Identity, need: &Need, why: Why) -> ServiceError {
    let (arn, action) = (identity.arn(), &need.action);
    let mut message = format!("User: {arn} is not authorized to perform: {action}");
    if need.resource != "*" || call.service.name != "iam" {
        message.push_str(&format!(" on resource: {}", need.resource));
    }
    message.push_str(&match why {
        Why::DeniedBy(kind) => {
            let article = if kind.starts_with('i') { "an" } else { "a" };
            format!(" with an explicit deny in {article} {kind}")
        }
        Why::NotAllowedBy(kind) => format!(" because no {kind} allows the {action} action"),
    });
    let (code, status) = match (call.service.name, call.service.protocol) {
        ("ec2", _) => {
            message = format!("You are not authorized to perform this operation. {message}");
            ("UnauthorizedOperation", 403)
        }
        ("sns", _) => ("AuthorizationError", 403),
        (_, Protocol::Json10 | Protocol::Json11) => ("com.amazon.coral.service#AccessDeniedException", 400),
        (_, Protocol::RestJson) => ("AccessDeniedException", 403),
        _ => ("AccessDenied", 403),
    };
    ServiceError::new(code, message).with_status(status)
}
