//! Where a service is and who asks: from the file, else from the variables that AWS's clients read.

use super::http::Login;
use crate::Error;
use crate::config::Endpoint;
use crate::stop::Stop;
use wire::sigv4::Credentials;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A service of AWS: its names in hosts and in variables.
#[derive(Clone, Copy)]
pub enum Service {
    DynamoDb,
    SecretsManager,
}

impl Login {
    pub fn of(place: &Endpoint, service: Service) -> Result<Login, Error> {
        let region = place.region.clone();
        let region = region.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
        let (host, own) = match service {
            Service::DynamoDb => ("dynamodb", "AWS_ENDPOINT_URL_DYNAMODB"),
            Service::SecretsManager => ("secretsmanager", "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
        };
        let endpoint = place.endpoint.clone().or_else(|| variable(own));
        let endpoint = endpoint.or_else(|| variable("AWS_ENDPOINT_URL"));
        let own_streams = variable("AWS_ENDPOINT_URL_DYNAMODB_STREAMS").filter(|_| place.endpoint.is_none());
        let is_aws = endpoint.is_none();
        let (endpoint, streams_endpoint) = match (endpoint, &region) {
            (Some(endpoint), _) => (endpoint.clone(), own_streams.unwrap_or(endpoint)),
            (None, Some(region)) => (
                format!("https://{host}.{region}.amazonaws.com"),
                format!("https://streams.{host}.{region}.amazonaws.com"),
            ),
            (None, None) => {
                return Err(Error::config(
                    "tables and secrets have an endpoint, or a region of AWS (region = …, AWS_REGION)",
                ));
            }
        };
        let given = |own: &Option<String>, name: &str| own.clone().or_else(|| variable(name));
        let (access_key, secret) = match (
            given(&place.access_key_id, "AWS_ACCESS_KEY_ID"),
            given(&place.secret_access_key, "AWS_SECRET_ACCESS_KEY"),
        ) {
            (Some(key), Some(secret)) => (key, secret),
            // A Millstream takes any.
            _ if !is_aws => ("any".to_owned(), "any".to_owned()),
            _ => {
                return Err(Error::config(
                    "AWS needs credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or both in the file",
                ));
            }
        };
        let session_token = given(&place.session_token, "AWS_SESSION_TOKEN");
        let credentials = Credentials { access_key, secret, session_token };
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        Ok(Login { endpoint, streams_endpoint, region, credentials, given_up: Stop::default() })
    }
}
