//! Real databases: child processes that end with the test, their data in a temporary directory.

use crate::TempDir;
use database::{Database, Durability, Engine, Settings};

pub struct TestDatabase {
    settings: Settings,
    running: Option<Database>,
    _dir: TempDir,
}

/// A PostgreSQL of its own. Panics when none is installed: a database that is missing is a failure, nothing is skipped.
pub fn postgres() -> TestDatabase {
    TestDatabase::start(Engine::Postgres)
}

/// A MariaDB of its own, or a MySQL where that is what is installed.
pub fn mariadb() -> TestDatabase {
    TestDatabase::start(Engine::Mysql)
}

impl TestDatabase {
    fn start(engine: Engine) -> TestDatabase {
        let dir = TempDir::new("database");
        let mut settings = Settings {
            engine,
            dir: dir.path().to_path_buf(),
            port: 0,
            user: "tester".to_owned(),
            password: "it's \\ a: secret/%".to_owned(),
            durability: Durability::Process,
        };
        let running = Database::start(&settings).unwrap_or_else(|error| panic!("{error}"));
        // It keeps its port when it is started again.
        settings.port = running.port();
        TestDatabase { settings, running: Some(running), _dir: dir }
    }

    pub fn port(&self) -> u16 {
        self.settings.port
    }

    pub fn user(&self) -> &str {
        &self.settings.user
    }

    pub fn password(&self) -> &str {
        &self.settings.password
    }

    /// `postgres://…` or `mysql://…`; an empty name is no database.
    pub fn url(&self, database: &str) -> String {
        let scheme = if self.settings.engine == Engine::Postgres { "postgres" } else { "mysql" };
        let password: String = self.settings.password.bytes().map(|byte| format!("%{byte:02x}")).collect();
        format!("{scheme}://{}:{password}@127.0.0.1:{}/{database}", self.settings.user, self.port())
    }

    /// SIGKILL, and nobody answers until `restart`.
    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }

    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }

    /// On the same port, with the same data.
    pub fn restart(&mut self) {
        self.stop();
        self.running = Some(Database::start(&self.settings).unwrap_or_else(|error| panic!("{error}")));
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Nobody needs what it would write down.
        self.kill();
    }
}
