//! Real databases: child processes that end with the test, their data in a temporary directory.

use crate::TempDir;
use database::{Database, Durability, Engine, Settings};
use std::path::PathBuf;

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

/// Of the server that is to be tested, where it is another than the installed one.
fn programs(engine: Engine) -> Option<PathBuf> {
    let name = match engine {
        Engine::Postgres => "MILLSTREAM_TEST_POSTGRES",
        Engine::Mysql => "MILLSTREAM_TEST_MYSQL",
    };
    std::env::var_os(name).map(PathBuf::from)
}

impl TestDatabase {
    fn start(engine: Engine) -> TestDatabase {
        let dir = TempDir::new("database");
        let mut settings = Settings {
            engine,
            programs: programs(engine),
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

    /// All of its processes stand still: it takes connections, and says nothing.
    pub fn freeze(&self) {
        self.signal(libc::SIGSTOP);
    }

    pub fn thaw(&self) {
        self.signal(libc::SIGCONT);
    }

    #[expect(unsafe_code, reason = "std sends no such signals")]
    fn signal(&self, signal: i32) {
        let first = self.running.as_ref().and_then(Database::pid).expect("it runs");
        for pid in std::iter::once(first).chain(children(first)) {
            // SAFETY: the server is our child and has not been waited for, and its children are its own.
            unsafe { libc::kill(pid, signal) };
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

/// The processes that this one has started.
fn children(parent: i32) -> Vec<i32> {
    let listed = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    listed.unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Nobody needs what it would write down.
        self.kill();
    }
}
