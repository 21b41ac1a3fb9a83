//! What holds for databases that are elsewhere.

use sql::{Connection, Kind, Settings, Value};
use std::io::Write;
use std::net::TcpListener;
use testkit::TestDatabase;

pub fn open(url: &str) -> Connection {
    Connection::open(&Settings::parse(url).unwrap()).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn stays_shut(url: &str, expected: Kind) {
    match Connection::open(&Settings::parse(url).unwrap()) {
        Ok(_) => panic!("{url} opens"),
        Err(error) => assert_eq!(error.kind, expected, "{error}"),
    }
}

/// Wrong papers, wrong names, nobody there.
pub fn doors(server: &TestDatabase, database: &str) {
    let url = server.url(database);
    stays_shut(&url.replace(server.user(), "nobody"), Kind::Refused);
    stays_shut(&url.replace("://tester:", "://tester:x"), Kind::Refused);
    stays_shut(&server.url("nowhere"), Kind::Missing);
    stays_shut(&url.replace(&server.port().to_string(), "1"), Kind::Unreachable);
}

/// A server that is killed is told from one that refuses, and found again.
pub fn deaths(server: &mut TestDatabase, database: &str) {
    let mut before = open(&server.url(database));
    before.batch("CREATE TABLE kept (k int PRIMARY KEY)").unwrap();
    before.begin().unwrap();
    before.execute("INSERT INTO kept VALUES (1)", &[]).unwrap();
    before.commit().unwrap();
    before.begin().unwrap();
    before.execute("INSERT INTO kept VALUES (2)", &[]).unwrap();
    server.kill();
    assert_eq!(before.commit().unwrap_err().kind, Kind::Unreachable);
    assert!(!before.is_open());
    stays_shut(&server.url(database), Kind::Unreachable);
    server.restart();
    let found = open(&server.url(database)).query("SELECT k FROM kept", &[]).unwrap();
    assert_eq!(found.rows, [[Value::Integer(1)]]);
}

/// A server that stands still amid a statement holds nobody for ever, and what it says later is no answer to anything.
pub fn silences(server: &TestDatabase, database: &str) {
    let plain = server.url(database);
    open(&plain).batch("CREATE TABLE moments (k int PRIMARY KEY)").unwrap();
    let mut before = open(&format!("{plain}?statement_timeout=3"));
    before.begin().unwrap();
    before.execute("INSERT INTO moments VALUES (1)", &[]).unwrap();
    server.freeze();
    let late = before.execute("INSERT INTO moments VALUES (2)", &[]).unwrap_err();
    assert_eq!(late.kind, Kind::Timeout, "{late}");
    assert!(!before.is_open());
    server.thaw();
    assert_eq!(before.commit().unwrap_err().kind, Kind::Unreachable);
    drop(before);
    // What was not committed is gone, once the server knows that nobody is there any more.
    open(&plain).batch("INSERT INTO moments VALUES (1)").unwrap();
}

/// What listens is no database of this kind: it says nothing, or something else.
pub fn strangers(scheme: &str, other: &TestDatabase, told: &str) {
    let said = |port: u16| {
        let url = format!("{scheme}://me:x@127.0.0.1:{port}/d?sslmode=disable&connect_timeout=1");
        let opened = Connection::open(&Settings::parse(&url).unwrap());
        let error = opened.err().unwrap_or_else(|| panic!("{url} opens"));
        assert_eq!(error.kind, Kind::Unreachable, "{error}");
        error.message
    };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let heard = said(silent.local_addr().unwrap().port());
    assert!(heard.contains("takes connections and says nothing for 1 s; is it "), "{heard}");
    let heard = said(other.port());
    assert!(heard.contains(told) && heard.contains("that listens there?"), "{heard}");
    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = web.local_addr().unwrap().port();
    let page = std::thread::spawn(move || {
        web.accept().unwrap().0.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let heard = said(port);
    assert!(heard.contains("that listens there?"), "{heard}");
    page.join().unwrap();
}
