//! TLS: whom a connection believes. The certificates are made for the occasion, with the openssl that comes along with
//! PostgreSQL.

use sql::{Connection, Error, Kind, Settings};
use std::path::Path;
use std::process::Command;
use testkit::{TempDir, TestDatabase};

fn openssl(dir: &Path, arguments: &[&str]) {
    let done = Command::new("openssl").args(arguments).current_dir(dir).output().expect("openssl runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// An authority, and a server's certificate for `localhost` that it signs.
fn certificates(dir: &Path) {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let authority =
        ["req", "-x509", "-days", "9", "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem"];
    openssl(dir, &[&authority[..], &key[..]].concat());
    let request = ["req", "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr"];
    openssl(dir, &[&request[..], &key[..]].concat());
    std::fs::write(dir.join("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
    let sign = ["x509", "-req", "-days", "9", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key"];
    openssl(dir, &[&sign[..], &["-CAcreateserial", "-extfile", "names", "-out", "server.crt"]].concat());
}

fn connect(url: &str) -> Result<Connection, Error> {
    Connection::open(&Settings::parse(url)?)
}

/// The server writes its own files, since it may be another user's.
pub fn postgres_believes_whom_it_should(server: &TestDatabase) {
    let dir = TempDir::new("tls");
    certificates(dir.path());
    let plain = server.url("postgres");
    let mut database = connect(&plain).unwrap();
    for name in ["server.crt", "server.key"] {
        let text = std::fs::read_to_string(dir.path().join(name)).unwrap();
        let lines =
            format!("SELECT unnest(string_to_array({}, E'\\n'))", database.dialect().literal(text.trim()));
        database.batch(&format!("COPY ({lines}) TO PROGRAM 'umask 077; cat > {name}'")).unwrap();
    }
    database.batch("ALTER SYSTEM SET ssl = on").unwrap();
    database.batch("SELECT pg_reload_conf()").unwrap();
    // The server reads its settings when it gets round to it.
    while database.query("SHOW ssl", &[]).unwrap().rows[0][0].as_text() != Some("on") {
        std::thread::yield_now();
    }
    let mut encrypted = loop {
        if let Ok(encrypted) = connect(&format!("{plain}?sslmode=require")) {
            break encrypted;
        }
    };
    let told = encrypted.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]).unwrap();
    assert_eq!(told.rows[0][0], sql::Value::Boolean(true));

    let named = plain.replace("127.0.0.1", "localhost");
    let ca = dir.path().join("ca.pem").display().to_string();
    let verified = format!("sslmode=verify-full&sslrootcert={ca}");
    connect(&format!("{named}?{verified}")).unwrap_or_else(|error| panic!("{error}"));
    let refused = |url: String| connect(&url).err().map(|error| error.kind);
    assert_eq!(
        refused(format!("{plain}?{verified}")),
        Some(Kind::Refused),
        "another name than the certificate's"
    );
    openssl(
        dir.path(),
        &[
            "req",
            "-x509",
            "-days",
            "9",
            "-subj",
            "/CN=Other",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            "other.key",
            "-out",
            "other.pem",
        ],
    );
    let other = dir.path().join("other.pem").display().to_string();
    let stranger = format!("{named}?sslmode=verify-full&sslrootcert={other}");
    assert_eq!(refused(stranger), Some(Kind::Refused), "an authority that did not sign it");
    let nothing = format!("{named}?sslmode=verify-full&sslrootcert={}", dir.path().join("names").display());
    assert_eq!(refused(nothing), Some(Kind::Refused), "no certificate at all");
}
