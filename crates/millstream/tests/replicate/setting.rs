//! A server with a table, a target, and the command between them.

use crate::support::{BINARY, create_table};
use serde_json::{Value as Json, json};
use sql::{Connection, Settings, Value};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use testkit::{Client, Node, TempDir, TestDatabase};

/// Of a server whose streams forget after two seconds.
pub const FORGETFUL: [&str; 4] = ["--stream-retention-s", "2", "--shard-rollover-s", "1"];

pub struct Setting {
    pub node: Node,
    pub client: Client,
    pub dir: TempDir,
    /// The target's line in the file.
    pub target: String,
    pub settings: Settings,
    /// The target's table.
    pub table: String,
    /// The source's endpoint, where it is another than the server itself.
    pub source: Option<String>,
    /// More lines of the source, and of the file's beginning.
    pub more: &'static str,
    pub top: &'static str,
}

impl Setting {
    /// A table `T` with the key `id`, and a SQLite file.
    pub fn sqlite() -> Setting {
        let dir = TempDir::new("replicate");
        let path = dir.path().join("target.db");
        let line = format!("sqlite = \"{}\"", path.display());
        Setting::of(dir, line, Settings::sqlite(path))
    }

    pub fn of(dir: TempDir, target: String, settings: Settings) -> Setting {
        Setting::with(dir, target, settings, &[])
    }

    /// With flags for the server.
    pub fn with(dir: TempDir, target: String, settings: Settings, flags: &[&str]) -> Setting {
        let node = Node::start(BINARY, dir.path(), flags);
        let mut client = node.client();
        create_table(&mut client, "Things");
        let table = "T".to_owned();
        Setting { node, client, dir, target, settings, table, source: None, more: "", top: "" }
    }

    /// A server whose streams forget after two seconds, and a SQLite file.
    pub fn forgetful() -> Setting {
        let dir = TempDir::new("replicate");
        let path = dir.path().join("target.db");
        let line = format!("sqlite = \"{}\"", path.display());
        let mut setting = Setting::with(dir, line, Settings::sqlite(path), &FORGETFUL);
        setting.more = "retention_seconds = 2";
        setting
    }

    /// A table of the same server as the target.
    pub fn table(flags: &[&str]) -> Setting {
        let dir = TempDir::new("replicate");
        let unused = Settings::sqlite(dir.path().join("unused.db"));
        let mut setting = Setting::with(dir, String::new(), unused, flags);
        setting.table = "Target".to_owned();
        setting.target = format!("dynamodb = {{ endpoint = \"{}\" }}", setting.node.url());
        setting
    }

    /// Writes the file; `pipeline` is what stands in it beyond names.
    pub fn file(&self, pipeline: &str) -> PathBuf {
        let path = self.dir.path().join("pipelines.toml");
        let text = format!(
            "{}\n[source.s]\ntable = \"Things\"\nendpoint = \"{}\"\n{}\n[target.t]\n{}\n[[pipeline]]\nname = \"p\"\nfrom = \"s\"\nto = \"t\"\ntable = \"{}\"\n{pipeline}\n",
            self.top,
            self.source.clone().unwrap_or_else(|| self.node.url()),
            self.more,
            self.target,
            self.table
        );
        std::fs::write(&path, text).expect("a file");
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("replicate").arg(self.dir.path().join("pipelines.toml")).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the command runs")
    }

    pub fn spawn(&self) -> Child {
        self.command(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts")
    }

    /// Until the target's table has this item.
    pub fn wait_for(&mut self, id: &str) {
        let asked = json!({ "TableName": self.table, "Key": { "id": { "S": id } } });
        for _ in 0..600 {
            let answer = self.client.dynamodb("GetItem", &asked).expect("an answer");
            if answer.json()["Item"].is_object() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{id} never comes");
    }

    /// Follows to the tip, and compares everything.
    pub fn settle(&self) {
        self.good(&["--once"]);
        self.good(&["verify"]);
    }

    /// What the command says, which must succeed.
    pub fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {told}");
        told
    }

    /// What the command says, which must fail.
    pub fn bad(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} succeeds");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub fn put(&mut self, item: Json) {
        let answer = self.client.dynamodb("PutItem", &json!({ "TableName": "Things", "Item": item }));
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    pub fn delete(&mut self, id: &str) {
        let asked = json!({ "TableName": "Things", "Key": { "id": { "S": id } } });
        assert_eq!(self.client.dynamodb("DeleteItem", &asked).expect("an answer").status, 200);
    }

    pub fn rows(&self, query: &str) -> Vec<Vec<Value>> {
        let mut connection = Connection::open(&self.settings).expect("the target");
        connection.query(query, &[]).expect("rows").rows
    }
}

/// A new database on the server: its URL, and how it is opened.
pub fn database(server: &TestDatabase, name: &str) -> (String, Settings) {
    let url = server.url(name);
    let admin = if url.starts_with("postgres") { "postgres" } else { "" };
    let admin = Settings::parse(&server.url(admin)).expect("a URL");
    let mut connection = Connection::open(&admin).expect("the server");
    connection.batch(&format!("CREATE DATABASE {name}")).expect("a database");
    let settings = Settings::parse(&url).expect("a URL");
    (url, settings)
}

/// The collation of MariaDB, or of MySQL, that keeps keys apart.
pub fn keeps_apart(setting: &Setting) -> &'static str {
    let version = setting.rows("SELECT VERSION()")[0][0].as_text().unwrap_or_default().to_owned();
    if version.contains("MariaDB") { "utf8mb4_nopad_bin" } else { "utf8mb4_0900_bin" }
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
