//! Database servers that somebody else runs: clusters are users and databases there, made and removed by one who may.

use super::hosts::{Family, Host, blocking};
use super::invalid;
use sql::{Connection, Dialect, Error, Place, Server, Settings, Tls, Value};
use wire::ServiceError;

/// Where clusters go instead of a server of their own, by kind.
#[derive(Clone, Debug, Default)]
pub struct DatabaseServers {
    postgres: Option<Settings>,
    mysql: Option<Settings>,
}

/// What a cluster is on such a server.
pub(super) struct Tenant {
    pub user: String,
    pub password: String,
    pub database: Option<String>,
}

impl DatabaseServers {
    /// From `postgres://…` and `mysql://…`, each with the login of one who may make users and databases.
    pub fn parse(postgres: Option<&str>, mysql: Option<&str>) -> Result<DatabaseServers, String> {
        let server = |url: Option<&str>, dialect: Dialect, kind: &str| match url.map(Settings::parse) {
            None => Ok(None),
            Some(Ok(settings)) if settings.dialect() == dialect => Ok(Some(settings)),
            Some(Ok(_)) => Err(format!("a {kind} server is given as {kind}://USER:PASSWORD@HOST:PORT")),
            Some(Err(error)) => Err(error.message),
        };
        Ok(DatabaseServers {
            postgres: server(postgres, Dialect::Postgres, "postgres")?,
            mysql: server(mysql, Dialect::Mysql, "mysql")?,
        })
    }

    fn of(&self, family: Family) -> Option<&Settings> {
        match family {
            Family::Postgres => self.postgres.as_ref(),
            Family::Mysql => self.mysql.as_ref(),
        }
    }

    /// Where a new cluster goes: a host's name and a port.
    pub(super) fn address(&self, family: Family) -> Option<(&str, u16)> {
        self.of(family).and_then(server).map(|server| (server.host.as_str(), server.port))
    }

    /// As the settings say; without them, as for a server that is named without saying so.
    pub(super) fn tls(&self, host: &Host) -> Tls {
        let known = self.named(host).and_then(server);
        known.map_or_else(|| Tls::usual(host.address()), |server| server.tls.clone())
    }

    /// The settings of a host's server, if they still name it.
    fn named(&self, host: &Host) -> Option<&Settings> {
        let there = |server: &Server| (server.host.as_str(), server.port) == (host.address(), host.port);
        self.of(host.family).filter(|settings| server(settings).is_some_and(there))
    }

    /// The login of one who may make and remove users there.
    pub(super) fn admin(&self, host: &Host) -> Result<Settings, ServiceError> {
        let mut settings = self.named(host).cloned().ok_or_else(|| {
            let (address, port, kind) = (host.address(), host.port, host.family.word());
            failed(format_args!("{address}:{port} is not the server that --database-{kind} names"))
        })?;
        if let Place::Server(server) = &mut settings.place
            && server.database.is_none()
        {
            server.database = host.family.first_database().map(str::to_owned);
        }
        Ok(settings)
    }
}

fn server(settings: &Settings) -> Option<&Server> {
    match &settings.place {
        Place::Server(server) => Some(server),
        Place::Sqlite(_) => None,
    }
}

/// Makes a user and its database, or nothing.
pub(super) async fn move_in(admin: Settings, tenant: Tenant) -> Result<(), ServiceError> {
    blocking(move || {
        let mut connection = Connection::open(&admin).map_err(failed)?;
        if let Some(why) = taken(&mut connection, &tenant).map_err(failed)? {
            return Err(invalid(why));
        }
        let made = making(admin.dialect(), &tenant);
        for (at, statement) in made.iter().enumerate() {
            let Err(error) = connection.batch(statement) else { continue };
            if at > 0 {
                let _ = remove(&mut connection, &tenant.user, tenant.database.as_deref());
            }
            return Err(failed(error));
        }
        Ok(())
    })
    .await?
}

/// Removes a user and its databases. Those that are gone are gone.
pub(super) async fn move_out(
    admin: Settings,
    user: &str,
    database: Option<&str>,
) -> Result<(), ServiceError> {
    let (user, database) = (user.to_owned(), database.map(str::to_owned));
    blocking(move || remove(&mut Connection::open(&admin)?, &user, database.as_deref()))
        .await?
        .map_err(failed)
}

/// The statement that gives a user another password.
pub(super) fn new_password(dialect: Dialect, user: &str, password: &str) -> String {
    let password = dialect.literal(password);
    match dialect {
        Dialect::Postgres => format!("ALTER USER {} PASSWORD {password}", dialect.quoted(user)),
        _ => format!("ALTER USER {}@'%' IDENTIFIED BY {password}", dialect.literal(user)),
    }
}

/// What stands against a tenant: names that somebody has there.
fn taken(connection: &mut Connection, tenant: &Tenant) -> Result<Option<String>, Error> {
    let dialect = connection.dialect();
    let (users, databases) = match dialect {
        Dialect::Postgres => ("pg_roles WHERE rolname", "pg_database WHERE datname"),
        _ => ("mysql.user WHERE user", "information_schema.schemata WHERE schema_name"),
    };
    let user = ("user", "MasterUsername", users, Some(&tenant.user));
    let database = ("database", "DatabaseName", databases, tenant.database.as_ref());
    for (what, member, place, name) in [user, database] {
        let Some(name) = name else { continue };
        let found = format!("SELECT 1 FROM {place} = {} LIMIT 1", dialect.literal(name));
        if !connection.query(&found, &[])?.rows.is_empty() {
            return Ok(Some(format!("there is a {what} {name} on that server: choose another {member}")));
        }
    }
    let nameless = dialect == Dialect::Mysql && tenant.database.is_none();
    Ok(nameless.then(|| {
        "on a MySQL server that others use, a user has one database: give DatabaseName (DBName)".to_owned()
    }))
}

/// The first statement fails when somebody has the name now; what follows is of what it made.
fn making(dialect: Dialect, tenant: &Tenant) -> Vec<String> {
    let password = dialect.literal(&tenant.password);
    let database = tenant.database.as_ref().map(|name| dialect.quoted(name));
    let mut statements = Vec::new();
    match (dialect, database) {
        (Dialect::Postgres, database) => {
            let role = dialect.quoted(&tenant.user);
            statements.push(format!("CREATE ROLE {role} LOGIN CREATEDB PASSWORD {password}"));
            // Whoever is no superuser gives a database away as a member of the new owner only.
            statements.push(format!("GRANT {role} TO CURRENT_USER"));
            if let Some(name) = database {
                statements.push(format!("CREATE DATABASE {name} OWNER {role}"));
                statements.push(format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC"));
            }
        }
        (_, Some(name)) => {
            let account = format!("{}@'%'", dialect.literal(&tenant.user));
            statements.push(format!("CREATE DATABASE {name}"));
            statements.push(format!("CREATE USER {account} IDENTIFIED BY {password}"));
            // In a grant `_` stands for any letter.
            let name = name.replace('_', "\\_");
            statements.push(format!("GRANT ALL ON {name}.* TO {account}"));
        }
        (_, None) => {}
    }
    statements
}

fn remove(connection: &mut Connection, user: &str, database: Option<&str>) -> Result<(), Error> {
    let dialect = connection.dialect();
    let literal = dialect.literal(user);
    if dialect != Dialect::Postgres {
        if let Some(name) = database {
            connection.batch(&format!("DROP DATABASE IF EXISTS {}", dialect.quoted(name)))?;
        }
        return connection.batch(&format!("DROP USER IF EXISTS {literal}@'%'"));
    }
    let owned = "SELECT datname::text FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba WHERE rolname";
    for row in connection.query(&format!("{owned} = {literal}"), &[])?.rows {
        if let Some(name) = row.first().and_then(Value::as_text) {
            connection.batch(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", dialect.quoted(name)))?;
        }
    }
    let there = format!("SELECT 1 FROM pg_roles WHERE rolname = {literal}");
    if !connection.query(&there, &[])?.rows.is_empty() {
        let role = dialect.quoted(user);
        connection.batch(&format!("DROP OWNED BY {role}"))?;
        connection.batch(&format!("DROP ROLE {role}"))?;
    }
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> ServiceError {
    let message = format!("The database server did not serve: {error}");
    ServiceError::new("InsufficientDBClusterCapacityFault", message)
}
