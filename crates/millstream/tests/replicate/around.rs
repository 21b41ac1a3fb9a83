//! What stands around a run: metrics, TLS, secrets, times to live.

use super::setting::{Setting, text};
use serde_json::{Value as Json, json};
use sql::{Connection, Settings};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use testkit::TempDir;

/// An authority, a certificate of `localhost` by it, and a door with TLS before a server; says its port.
const DOOR: &str = r#"
import asyncio, ssl, subprocess, sys
host, port, key = sys.argv[1], sys.argv[2], ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
def openssl(*words): subprocess.run(["openssl", *words], check=True, capture_output=True)
openssl("req", "-x509", "-days", "9", "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem", *key)
openssl("req", "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr", *key)
open("names", "w").write("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
openssl("x509", "-req", "-days", "9", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
    "-CAcreateserial", "-extfile", "names", "-out", "server.crt")
async def pipe(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def serve(reader, writer):
    inner_reader, inner_writer = await asyncio.open_connection(host, port)
    await asyncio.gather(pipe(reader, inner_writer), pipe(inner_reader, writer), return_exceptions=True)
async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("server.crt", "server.key")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"#;

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_endpoint_behind_tls_is_believed_by_its_authority() {
    let mut setting = Setting::table(&[]);
    let dir = TempDir::new("door");
    let (host, port) = setting.node.address().rsplit_once(':').expect("a port");
    let door = Command::new("python3")
        .args(["-c", DOOR, host, port])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python");
    let mut door = Killed(door);
    let mut line = String::new();
    BufReader::new(door.0.stdout.take().expect("its output")).read_line(&mut line).expect("a port");
    let path = setting.file("");
    let url = format!("https://localhost:{}", line.trim());
    let file = std::fs::read_to_string(&path).expect("a file").replace(&setting.node.url(), &url);
    std::fs::write(&path, file).expect("a file");
    setting.put(json!({ "id": { "S": "a" } }));
    let run = |bundle: &str| {
        let mut command = setting.command(&["--check"]);
        command.env("AWS_CA_BUNDLE", dir.path().join(bundle)).output().expect("it runs")
    };
    assert!(run("ca.pem").status.success(), "{:?}", run("ca.pem"));
    // Another authority than the one that signed.
    std::fs::copy(dir.path().join("server.crt"), dir.path().join("other.pem")).expect("a copy");
    let told = run("other.pem");
    assert!(!told.status.success());
    assert!(String::from_utf8_lossy(&told.stderr).contains("certificate"), "{told:?}");
    let output = setting
        .command(&["--once"])
        .env("AWS_CA_BUNDLE", dir.path().join("ca.pem"))
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    setting.wait_for("a");
}

#[test]
fn prometheus_may_ask_a_runner() {
    let mut setting = Setting::sqlite();
    setting.top = "metrics = \"127.0.0.1:0\"";
    setting.file("");
    setting.put(json!({ "id": { "S": "a" } }));
    let mut runner = Killed(setting.command(&[]).spawn().expect("a runner"));
    let mut told = BufReader::new(runner.0.stderr.take().expect("its words"));
    let mut line = String::new();
    told.read_line(&mut line).expect("a line");
    let address =
        line.trim().trim_start_matches("metrics at http://").trim_end_matches("/metrics").to_owned();
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(&address).expect("the listener");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").expect("asked");
        let mut page = String::new();
        stream.read_to_string(&mut page).expect("a page");
        page
    };
    assert!(ask("/").starts_with("HTTP/1.1 404"));
    let mut page = ask("/metrics");
    for _ in 0..400 {
        if page.contains("millstream_replicate_snapshot_rows_total{pipeline=\"p\"} 1\n") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
        page = ask("/metrics");
    }
    assert!(page.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\n"), "{page}");
    assert!(page.contains("# TYPE millstream_replicate_snapshot_rows_total counter\n"), "{page}");
    assert!(page.contains("millstream_replicate_in_trouble{pipeline=\"p\"} 0\n"), "{page}");
    assert!(page.contains("millstream_replicate_seconds_until_loss{pipeline=\"p\"} 8"), "{page}");
}

impl Setting {
    fn secret(&mut self, operation: &str, body: &Json) {
        let target = format!("secretsmanager.{operation}");
        let mut body = body.clone();
        body["ClientRequestToken"] = format!("11111111-1111-4111-8111-{:>012}", operation.len()).into();
        let answer = self.client.json("secretsmanager", &target, &body).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

/// A password that is changed under a runner: in the database first, then in the secret.
#[test]
fn a_rotated_secret_is_read_again() {
    let server = testkit::postgres();
    let admin = Settings::parse(&server.url("postgres")).expect("a URL");
    let mut admin = Connection::open(&admin).expect("the server");
    admin.batch("CREATE ROLE rotated LOGIN PASSWORD 'first'").expect("a role");
    admin.batch("CREATE DATABASE rotated OWNER rotated").expect("a database");
    let url = format!("postgres://rotated:${{secret:db:password}}@127.0.0.1:{}/rotated", server.port());
    let dir = TempDir::new("replicate");
    let settings = Settings::parse(&server.url("rotated")).expect("a URL");
    let mut setting = Setting::of(dir, format!("postgres = \"{url}\""), settings);
    setting.file("[pipeline.columns]\nid = {}\n");
    let secret = |password: &str| json!({ "password": password }).to_string();
    setting.secret("CreateSecret", &json!({ "Name": "db", "SecretString": secret("first") }));
    setting.put(json!({ "id": { "S": "a" } }));
    let mut command = setting.command(&[]);
    command.env("AWS_ENDPOINT_URL", setting.node.url()).stderr(Stdio::null());
    let _runner = Killed(command.spawn().expect("a runner"));
    let wait = |setting: &Setting, id: &str| {
        for _ in 0..400 {
            let mut look = Connection::open(&setting.settings).expect("the server");
            let found = look.query("SELECT id FROM \"T\" ORDER BY id DESC LIMIT 1", &[]);
            if found.is_ok_and(|found| found.rows == [[text(id)]]) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{id} never comes");
    };
    wait(&setting, "a");
    admin.batch("ALTER ROLE rotated PASSWORD 'second'").expect("another password");
    admin
        .batch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotated'")
        .expect("ended");
    setting.put(json!({ "id": { "S": "b" } }));
    setting.secret("PutSecretValue", &json!({ "SecretId": "db", "SecretString": secret("second") }));
    wait(&setting, "b");
}

/// What time to live takes away may be kept while what people delete goes, and the other way round.
#[test]
fn expired_items_have_a_rule_of_their_own() {
    let mut setting = Setting::sqlite();
    setting.file("ttl_deletes = \"soft\"\n[pipeline.columns]\nid = {}\n");
    let specification = json!({ "Enabled": true, "AttributeName": "until" });
    let asked = json!({ "TableName": "Things", "TimeToLiveSpecification": specification });
    assert_eq!(setting.client.dynamodb("UpdateTimeToLive", &asked).expect("an answer").status, 200);
    let later = |seconds: i64| {
        let now = world::World::real().now().seconds() as i64;
        json!({ "N": (now + seconds).to_string() })
    };
    for id in ["deleted", "expired", "kept"] {
        setting.put(json!({ "id": { "S": id }, "until": later(3600) }));
    }
    setting.settle();
    setting.delete("deleted");
    setting.put(json!({ "id": { "S": "expired" }, "until": later(-5) }));
    let key = json!({ "TableName": "Things", "Key": { "id": { "S": "expired" } } });
    while setting.client.dynamodb("GetItem", &key).expect("an answer").json()["Item"].is_object() {
        std::thread::sleep(Duration::from_millis(50));
    }
    setting.settle();
    assert_eq!(
        setting.rows("SELECT id, deleted_at IS NULL FROM T ORDER BY id"),
        [[text("expired"), sql::Value::Integer(0)], [text("kept"), sql::Value::Integer(1)]]
    );
}
