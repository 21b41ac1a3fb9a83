//! What a REST API says when a request comes to nothing, in its own words or in those it was given.

use super::live::LiveStage;
use super::template::{Facts, Template};
use crate::visit::Visit;
use serde_json::{Value, json};
use std::borrow::Cow;
use wire::Response;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No such resource or method, or no signature where one is needed.
    Token,
    /// Nobody says who asks, or the authorizer does not know them.
    Unauthorized,
    /// The authorizer's policy does not let them.
    Denied {
        explicit: bool,
    },
    AuthorizerFailed,
    /// No key where one is needed, or none that opens this stage.
    Key,
    /// The key's quota is used up.
    Quota,
    /// It is not there, or may not be called.
    Authorizer,
    TooLarge,
    /// These are not there, or empty.
    Parameters(String),
    /// The body does not fit its model: why.
    Body(String),
    Throttled,
    MediaType,
    /// The function may not be called, does not exist, or the API is set up wrongly.
    Configuration,
    /// The function failed, or its answer makes no response.
    BadAnswer,
    /// The server behind does not answer, or not as HTTP and TLS have it.
    Network,
    Timeout,
}

struct Words {
    /// The gateway response that may say it otherwise.
    kind: &'static str,
    status: u16,
    error: &'static str,
    message: Cow<'static, str>,
}

impl Fault {
    fn words(&self) -> Words {
        let of =
            |kind, status, error, message| Words { kind, status, error, message: Cow::Borrowed(message) };
        let internal = "InternalServerErrorException";
        match self {
            Fault::Token => of(
                "MISSING_AUTHENTICATION_TOKEN",
                403,
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            ),
            Fault::Unauthorized => of("UNAUTHORIZED", 401, "UnauthorizedException", "Unauthorized"),
            Fault::Denied { explicit } => {
                let message = match explicit {
                    true => "User is not authorized to access this resource with an explicit deny",
                    false => "User is not authorized to access this resource",
                };
                of("ACCESS_DENIED", 403, "AccessDeniedException", message)
            }
            Fault::AuthorizerFailed => of("AUTHORIZER_FAILURE", 500, "AuthorizerFailureException", ""),
            Fault::Authorizer => {
                of("AUTHORIZER_CONFIGURATION_ERROR", 500, "AuthorizerConfigurationException", "")
            }
            Fault::Key => of("INVALID_API_KEY", 403, "ForbiddenException", "Forbidden"),
            Fault::Quota => of("QUOTA_EXCEEDED", 429, "LimitExceededException", "Limit Exceeded"),
            Fault::TooLarge => of(
                "REQUEST_TOO_LARGE",
                413,
                "RequestTooLargeException",
                "HTTP content length exceeded 10485760 bytes.",
            ),
            Fault::Parameters(names) => Words {
                message: format!("Missing required request parameters: [{names}]").into(),
                ..of("BAD_REQUEST_PARAMETERS", 400, "BadRequestException", "")
            },
            Fault::Body(_) => of("BAD_REQUEST_BODY", 400, "BadRequestException", "Invalid request body"),
            Fault::Throttled => of("THROTTLED", 429, "TooManyRequestsException", "Too Many Requests"),
            Fault::MediaType => {
                of("UNSUPPORTED_MEDIA_TYPE", 415, "UnsupportedMediaTypeException", "Unsupported Media Type")
            }
            Fault::Configuration => of("API_CONFIGURATION_ERROR", 500, internal, "Internal server error"),
            Fault::BadAnswer => of("DEFAULT_5XX", 502, internal, "Internal server error"),
            Fault::Network => {
                of("INTEGRATION_FAILURE", 504, internal, "Network error communicating with endpoint")
            }
            Fault::Timeout => of("INTEGRATION_TIMEOUT", 504, internal, "Endpoint request timed out"),
        }
    }

    /// The answer, as the stage's gateway responses say it.
    pub fn response(&self, stage: &LiveStage, visit: &Visit<'_>, context: &Value) -> Response {
        let words = self.words();
        let common = if words.status < 500 { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
        let own = stage.responses.get(words.kind).or_else(|| stage.responses.get(common));
        let Some(own) = own else { return plain(&words) };
        let status = own.get("statusCode").and_then(Value::as_str).and_then(|status| status.parse().ok());
        let mut context = context.clone();
        context["error"] = json!({
            "message": words.message,
            "messageString": Value::from(&*words.message).to_string(),
            "responseType": words.kind,
        });
        if let Fault::Body(why) = self {
            context["error"]["validationErrorString"] = why.as_str().into();
        }
        let template = own.get("responseTemplates").and_then(|all| all.get("application/json"));
        let template = template.and_then(Value::as_str).and_then(|text| Template::parse(text).ok());
        let facts = Facts {
            body: &visit.request.body,
            params: &Value::Null,
            context: &context,
            stage_variables: stage.variables.as_ref(),
        };
        let mut response = plain(&words);
        if let Some(template) = template {
            response.body = template.fill(&facts).text.into();
        }
        if let Some(status) = status.and_then(|status| http::StatusCode::from_u16(status).ok()) {
            response.status = status;
        }
        for (name, value) in own.get("responseParameters").and_then(Value::as_object).into_iter().flatten() {
            let Some(name) = name.strip_prefix("gatewayresponse.header.") else { continue };
            let value = value.as_str().unwrap_or_default();
            let value = match value.strip_prefix("method.request.header.") {
                Some(header) => visit.request.header(header.to_ascii_lowercase()).map(str::to_owned),
                None => constant(value, &context, stage.variables.as_ref()),
            };
            if let Some(value) = value {
                response.set_header(&name.to_ascii_lowercase(), &value);
            }
        }
        response
    }
}

/// [reference: REST APIs' errors] Faults of the service itself are written with a space, and so is what a validator finds.
fn plain(words: &Words) -> Response {
    let space = if words.status >= 500 || words.status == 400 { " " } else { "" };
    let member = if words.kind == "ACCESS_DENIED" { "Message" } else { "message" };
    let message = if words.message.is_empty() { Value::Null } else { Value::from(&*words.message) };
    let body = format!("{{\"{member}\":{space}{message}}}");
    Response::new(words.status, body)
        .with_header("content-type", "application/json")
        .with_header("x-amzn-errortype", words.error)
}

/// What a mapping says without looking into an answer: `'text'`, `context.name`, `stageVariables.name`.
pub(super) fn constant(value: &str, context: &Value, variables: Option<&Value>) -> Option<String> {
    if value.len() >= 2 && value.starts_with('\'') && value.ends_with('\'') {
        return Some(value[1..value.len() - 1].to_owned());
    }
    let found = match (value.strip_prefix("context."), value.strip_prefix("stageVariables.")) {
        (Some(name), _) => name.split('.').try_fold(context, |at, part| at.get(part))?,
        (None, Some(name)) => variables?.get(name)?,
        _ => return None,
    };
    Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
}
