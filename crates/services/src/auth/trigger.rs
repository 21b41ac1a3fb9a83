//! Whether a function's role may read the stream that is to trigger it.

use crate::dispatch::Inner;
use access::Identity;
use access::RoleArn;
use access::policy::{Context, Question, Verdict, Who, decide};
use lambda::FunctionName;
use servicekit::call::Call;
use servicekit::fields::text;
use wire::ServiceError;

const ACTIONS: [&str; 4] =
    ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"];

impl Inner {
    /// Refuses a mapping whose function's role may not read the stream. What is wrong otherwise is told elsewhere.
    pub(crate) fn authorize_trigger(&self, call: &Call) -> Result<(), ServiceError> {
        let is_new = match (call.service.name, call.operation.name) {
            ("lambda", "CreateEventSourceMapping") => true,
            ("lambda", "UpdateEventSourceMapping") => false,
            _ => return Ok(()),
        };
        let Ok(input) = call.unchecked_input() else { return Ok(()) };
        let stream = match is_new {
            true => text(&input, "EventSourceArn").map(str::to_owned),
            false => self.stream_of(text(&input, "UUID")),
        };
        let (Some(stream), Some(function)) = (stream, text(&input, "FunctionName")) else { return Ok(()) };
        let registry = &self.parts.targets.registry;
        let found =
            FunctionName::parse(function, &call.caller).and_then(|name| registry.find(&call.caller, &name));
        let Ok(function) = found else { return Ok(()) };
        let Some(role) = RoleArn::parse(&function.role) else { return Ok(()) };
        let arn = format!("arn:aws:sts::{}:assumed-role/{}/{}", role.account, role.name, function.name);
        let who = Who { account: role.account.clone(), arn: arn.clone(), role: Some(role.to_string()) };
        let identity = Identity::Role { role, arn, id: String::new(), policy: None };
        let policies = self.iam.policies_of(&identity)?;
        let context = Context::default();
        let may = |action: &str, resource: &str| {
            let question = Question { action, resource, who: &who, context: &context };
            decide(&policies, &question) == Verdict::Allowed
        };
        // To list streams concerns no stream in particular.
        if ACTIONS
            .iter()
            .all(|action| may(action, &stream) || action.ends_with("ListStreams") && may(action, "*"))
        {
            return Ok(());
        }
        let message = format!(
            "Cannot access stream {stream}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."
        );
        Err(ServiceError::new("InvalidParameterValueException", message)
            .with_status(400)
            .with("Type", "User"))
    }

    /// The stream of a mapping that is there.
    fn stream_of(&self, uuid: Option<&str>) -> Option<String> {
        Some(self.parts.feed.get(&feed::MappingId::new(uuid?))?.mapping.stream.clone())
    }
}
