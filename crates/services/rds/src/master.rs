//! The first user of a database: its name, its password, the secret that holds them.

use super::hosts::Guest;
use super::servers::{self, Tenant};
use super::{Family, Host, Rds, combination, hosts, invalid};
use serde_json::{Value, json};
use servicekit::call::Caller;
use servicekit::documents::unavailable;
use servicekit::fields::text;
use wire::ServiceError;

pub(super) struct Master {
    pub user: String,
    pub password: String,
    /// The secret that was made for it.
    pub secret: Option<String>,
}

impl Rds {
    /// The user that a request names, with the password that it gives or that is made for it.
    pub(super) async fn master(
        &self,
        caller: &Caller,
        input: &Value,
        owner: &str,
    ) -> Result<Master, ServiceError> {
        let user = text(input, "MasterUsername").unwrap_or_default().to_owned();
        let managed = input.get("ManageMasterUserPassword").and_then(Value::as_bool) == Some(true);
        check_user(&user, text(input, "Engine").unwrap_or_default())?;
        let password = match (text(input, "MasterUserPassword"), managed) {
            (Some(_), true) => {
                return Err(combination(
                    "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.",
                ));
            }
            (Some(password), false) => {
                check_password(password)?;
                password.to_owned()
            }
            (None, true) => self.world.hex(28),
            (None, false) => {
                return Err(invalid(
                    "The parameter MasterUserPassword must be provided and must not be blank.",
                ));
            }
        };
        let secret = if managed { Some(self.keep(caller, &user, &password, owner).await?) } else { None };
        Ok(Master { user, password, secret })
    }

    /// Makes the secret of a managed password.
    async fn keep(
        &self,
        caller: &Caller,
        user: &str,
        password: &str,
        owner: &str,
    ) -> Result<String, ServiceError> {
        let input = json!({
            "Name": format!("rds!{owner}-{}", self.world.uuid()),
            "Description": "The master user's password, managed by RDS",
            "SecretString": json!({"username": user, "password": password}).to_string(),
            "ClientRequestToken": self.world.uuid(),
        });
        let made = self.house.ask(caller, "secretsmanager", "CreateSecret", input).await?;
        Ok(made["ARN"].as_str().unwrap_or_default().to_owned())
    }

    /// Removes the secret of a managed password; one that is gone is gone.
    pub(super) async fn forget_secret(&self, caller: &Caller, secret: Option<&str>) {
        if let Some(arn) = secret {
            let input = json!({"SecretId": arn, "ForceDeleteWithoutRecovery": true});
            let _ = self.house.ask(caller, "secretsmanager", "DeleteSecret", input).await;
        }
    }

    /// Starts a new server, with its first user and database; or makes those on the server that the settings name.
    pub(super) async fn found(
        &self,
        family: Family,
        master: &Master,
        port: Option<u16>,
        database: Option<&str>,
    ) -> Result<Host, ServiceError> {
        let id = self.world.hex(16);
        let password = self.vault.seal(&place(&id), master.password.as_bytes());
        let user = master.user.clone();
        let mut host = Host { id, family, port: port.unwrap_or(0), user, password, guest: None };
        let database = database.filter(|name| Some(*name) != family.first_database());
        if let Some((address, at)) = self.hosts.servers().address(family) {
            if port.is_some_and(|port| port != at) {
                return Err(combination(format!(
                    "Databases are made on the server at {address}:{at}, which the settings name: leave Port out"
                )));
            }
            host.port = at;
            host.guest = Some(Guest { address: address.to_owned(), database: database.map(str::to_owned) });
            let tenant = Tenant {
                user: master.user.clone(),
                password: master.password.clone(),
                database: database.map(str::to_owned),
            };
            servers::move_in(self.hosts.servers().admin(&host)?, tenant).await?;
            return Ok(host);
        }
        host.port = self.hosts.make(&host, &master.password).await?;
        if let Some(name) = database {
            let create = format!("CREATE DATABASE {}", family.dialect().quoted(name));
            let login = self.hosts.login(&host, &host.user, &master.password, None);
            if let Err(error) = hosts::run(login, vec![create]).await {
                self.hosts.remove(&host).await?;
                return Err(error);
            }
        }
        Ok(host)
    }

    pub(super) fn password(&self, host: &Host) -> Result<String, ServiceError> {
        let bytes = self.vault.unseal(&place(&host.id), &host.password)?;
        String::from_utf8(bytes).map_err(unavailable)
    }

    /// Gives the first user another password.
    pub(super) async fn change_password(&self, host: &mut Host, password: &str) -> Result<(), ServiceError> {
        check_password(password)?;
        let statement = servers::new_password(host.family.dialect(), &host.user, password);
        let login = if host.guest.is_some() {
            self.hosts.servers().admin(host)?
        } else {
            let before = self.password(host)?;
            host.port = self.hosts.ensure(host, &before).await?;
            self.hosts.login(host, &host.user, &before, None)
        };
        hosts::run(login, vec![statement]).await?;
        host.password = self.vault.seal(&place(&host.id), password.as_bytes());
        Ok(())
    }
}

/// What binds a sealed password to its host.
fn place(id: &str) -> String {
    format!("rds/{id}")
}

fn check_user(user: &str, engine: &str) -> Result<(), ServiceError> {
    let mut letters = user.chars();
    let begins_well = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
    if user.is_empty() {
        return Err(invalid("The parameter MasterUsername must be provided and must not be blank."));
    }
    if !begins_well
        || user.len() > 63
        || !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    {
        return Err(invalid(format!(
            "MasterUsername {user} must begin with a letter and contain only alphanumeric characters and underscores"
        )));
    }
    // Of root the servers of MySQL's kind have one of their own.
    let is_own = user == "root" && !engine.contains("postgres");
    if is_own || ["rdsadmin", "mysql"].contains(&user) || user.starts_with("pg_") {
        return Err(invalid(format!(
            "MasterUsername {user} cannot be used as it is a reserved word used by the engine"
        )));
    }
    Ok(())
}

fn check_password(password: &str) -> Result<(), ServiceError> {
    let not_valid = "The parameter MasterUserPassword is not a valid password";
    if password.len() < 8 {
        return Err(invalid(format!("{not_valid} because it is shorter than 8 characters.")));
    }
    if password.len() > 128 {
        return Err(invalid(format!("{not_valid} because it is longer than 128 characters.")));
    }
    if !password.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && !b"/@\"".contains(&byte)) {
        return Err(invalid(format!(
            "{not_valid}. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used."
        )));
    }
    Ok(())
}

/// The name of a first database.
pub(super) fn check_database(name: Option<&str>) -> Result<Option<String>, ServiceError> {
    let Some(name) = name else { return Ok(None) };
    let mut letters = name.chars();
    let begins_well = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if !begins_well
        || name.len() > 63
        || !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    {
        return Err(invalid(format!(
            "DatabaseName {name} must begin with a letter and contain only alphanumeric characters."
        )));
    }
    Ok(Some(name.to_owned()))
}
