//! What holds for databases that are elsewhere.

use sql::{Connection, Kind, Settings, Value};
use testkit::TestDatabase;

pub fn open(url: &str) -> Connection {
    Connection::open(&Settings::parse(url).unwrap()).unwrap_or_else(|error| panic!("{error}"))
}

fn kind(url: &str) -> Kind {
    match Connection::open(&Settings::parse(url).unwrap()) {
        Ok(_) => panic!("{url} opens"),
        Err(error) => error.kind,
    }
}

/// Wrong papers, wrong names, nobody there.
pub fn doors(server: &TestDatabase, database: &str) {
    let url = server.url(database);
    assert_eq!(kind(&url.replace(server.user(), "nobody")), Kind::Refused);
    assert_eq!(kind(&url.replace("://tester:", "://tester:x")), Kind::Refused);
    assert_eq!(kind(&server.url("nowhere")), Kind::Missing);
    assert_eq!(kind(&url.replace(&server.port().to_string(), "1")), Kind::Unreachable);
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
    assert_eq!(kind(&server.url(database)), Kind::Unreachable);
    server.restart();
    let found = open(&server.url(database)).query("SELECT k FROM kept", &[]).unwrap();
    assert_eq!(found.rows, [[Value::Integer(1)]]);
}
