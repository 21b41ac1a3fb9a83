//! What a published walkthrough's function does, by the driver it uses: a connection for each invocation, a statement for
//! each record, and, as published, a SELECT of the whole table at the end.

use super::{Bench, Result};
use std::process::Command;

/// Of an invocation.
const RECORDS: usize = 100;
const INVOCATIONS: usize = 20;
/// Each reads the whole table.
const INVOCATIONS_SELECT: usize = 5;

const FUNCTION: &str = r#"
import sys, time, psycopg2
port, rows, records, invocations, whole = sys.argv[1], *map(int, sys.argv[2:6])
def connect():
    return psycopg2.connect(host="127.0.0.1", port=port, user="bench", password="benchmark", dbname="rates")
with connect() as filled, filled.cursor() as cursor:
    cursor.execute("DROP TABLE IF EXISTS published")
    cursor.execute("CREATE TABLE published (id varchar(20) PRIMARY KEY, name varchar(60), team varchar(60))")
    cursor.execute("INSERT INTO published SELECT 'old-' || n, repeat('n', 40), repeat('t', 40) FROM generate_series(1, %s) n", (rows,))
taken = 0.0
for invocation in range(invocations):
    begun = time.perf_counter()
    connection = connect()
    cursor = connection.cursor()
    for record in range(records):
        cursor.execute("INSERT INTO published (id, name, team) VALUES (%s, %s, %s)",
                       (f"n{invocation}-{record}", "n" * 40, "t" * 40))
    connection.commit()
    if whole:
        cursor.execute("SELECT * FROM published")
        lines = [str(line) for line in cursor.fetchall()]
    cursor.close()
    connection.close()
    taken += time.perf_counter() - begun
print(records * invocations / taken)
"#;

/// Rates, and how often they go into ours. `rows`: what is in the table beforehand.
pub fn rates(bench: &Bench, server: &database::Database, stream: f64) -> Result<()> {
    for (name, whole, invocations) in [
        ("article's, without SELECT", "0", INVOCATIONS),
        ("article's, as published", "1", INVOCATIONS_SELECT),
    ] {
        let ran = Command::new(&bench.python)
            .args(["-c", FUNCTION, &server.port().to_string(), &bench.rows.to_string()])
            .args([&RECORDS.to_string(), &invocations.to_string(), whole])
            .output()?;
        if !ran.status.success() {
            println!("  {name}: {} cannot run it: {}", bench.python, last(&ran.stderr));
            continue;
        }
        let rate: f64 = String::from_utf8_lossy(&ran.stdout).trim().parse()?;
        println!(
            "  {name:<28}{rate:>10.0} /s  {} records measured; ours is {:.0} times that",
            RECORDS * invocations,
            stream / rate
        );
    }
    Ok(())
}

fn last(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().last().unwrap_or_default().to_owned()
}
