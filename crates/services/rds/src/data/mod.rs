//! RDS Data API: SQL over HTTP, against the real databases of the clusters. A call has a connection of its own; a
//! transaction keeps its one.

mod errors;
mod fields;
mod named;
mod statement;
mod transactions;

use crate::{Cluster, Rds};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Pending};
use servicekit::fields::{required, text};
use servicekit::house::House;
use sql::{Connection, Settings};
use std::time::Duration;
use transactions::Transactions;
use wire::{Response, ServiceError};

/// How long a call waits for its statement.
const CALL_MAX: Duration = Duration::from_secs(45);

pub struct RdsData {
    house: House,
    rds: Rds,
    transactions: Transactions,
}

/// Whom a call is about: its cluster, and the user that its secret holds.
struct Door {
    cluster: Cluster,
    settings: Settings,
    /// Of the first serverless kind, whose words are others.
    old: bool,
}

impl RdsData {
    pub fn new(rds: Rds) -> RdsData {
        RdsData { house: rds.house.clone(), transactions: Transactions::new(&rds.world), rds }
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
            "ExecuteStatement" => self.execute_statement(call, input).await,
            "BatchExecuteStatement" => self.batch_execute_statement(call, input).await,
            "BeginTransaction" => self.begin_transaction(call, input).await,
            "CommitTransaction" => {
                self.end_transaction(call, input, true).await?;
                Ok(json!({"transactionStatus": "Transaction Committed"}))
            }
            "RollbackTransaction" => {
                self.end_transaction(call, input, false).await?;
                Ok(json!({"transactionStatus": "Rollback Complete"}))
            }
            _ => Err(call.unknown()),
        }
    }

    /// Finds the cluster, sees that its Data API is on and its server runs, and reads the secret.
    async fn door(&self, call: &Call, input: &Value) -> Result<Door, ServiceError> {
        let arn = required(input, "resourceArn");
        let found = self.rds.cluster(&call.caller, arn)?.filter(|_| arn.starts_with("arn:"));
        let cluster = found.ok_or_else(|| {
            ServiceError::new("DatabaseNotFoundException", format!("DB cluster {arn} was not found."))
                .with_status(404)
        })?;
        if !cluster.http {
            let message = format!(
                "HttpEndpoint is not enabled for cluster {}. Please refer to https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html#data-api.troubleshooting",
                cluster.id
            );
            return Err(ServiceError::new("HttpEndpointNotEnabledException", message));
        }
        let (user, password) = self.secret(call, required(input, "secretArn")).await?;
        let old = cluster.told.get("EngineMode").and_then(Value::as_str) == Some("serverless");
        let id = cluster.id.clone();
        let cluster = self.rds.awake(&call.caller, cluster).await.map_err(|error| {
            // Why it does not start is the operator's to know.
            world::say!("rds-data: {id}: {}", error.message.unwrap_or_default());
            errors::unavailable(old)
        })?;
        let database = text(input, "database").or(cluster.database.as_deref());
        let mut settings = self.rds.login(&cluster, &user, &password, database);
        if let sql::Place::Server(server) = &mut settings.place {
            server.schema =
                text(input, "schema").filter(|_| server.dialect == sql::Dialect::Postgres).map(str::to_owned);
        }
        Ok(Door { cluster, settings, old })
    }

    async fn secret(&self, call: &Call, id: &str) -> Result<(String, String), ServiceError> {
        let answer =
            self.house.ask(&call.caller, "secretsmanager", "GetSecretValue", json!({"SecretId": id})).await;
        let answer = answer
            .map_err(|error| ServiceError::new("SecretsErrorException", error.message.unwrap_or_default()))?;
        let wrong = || {
            ServiceError::new(
                "InvalidSecretException",
                "The secret is not JSON with a username and a password",
            )
        };
        let tree: Value = answer["SecretString"]
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(wrong)?;
        let member = |name: &str| tree.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(wrong);
        Ok((member("username")?, member("password")?))
    }
}

impl Door {
    fn error(&self, error: &sql::Error) -> ServiceError {
        errors::told(error, self.settings.dialect(), self.old)
    }

    /// A new connection; statements on it end when the call does, unless they may go on.
    async fn open(&self, may_go_on: bool) -> Result<Connection, ServiceError> {
        let mut settings = self.settings.clone();
        settings.statement_timeout = (!may_go_on).then_some(CALL_MAX);
        let opened = crate::blocking(move || Connection::open(&settings)).await?;
        opened.map_err(|error| self.error(&error))
    }
}

fn bad_request(message: impl Into<String>) -> ServiceError {
    ServiceError::new("BadRequestException", message)
}
