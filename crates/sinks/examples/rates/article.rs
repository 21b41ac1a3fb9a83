//! What a published walkthrough's function does, by the driver and the logger it uses: a connection for each invocation, a
//! statement and two lines of log for each record, and, as published, a SELECT of the whole table at the end, into the log;
//! of rows like the others here.

use super::{Bench, Result};
use std::process::{Command, Stdio};

/// Of an invocation.
const RECORDS: usize = 100;
const INVOCATIONS: usize = 20;
/// Each reads the whole table.
const INVOCATIONS_SELECT: usize = 5;

/// Its log goes to its standard output, which nobody reads here; what it came to is the last line of the other.
const FUNCTION: &str = r#"
import sys, time, psycopg2
from aws_lambda_powertools import Logger
logger = Logger()
port, rows, records, invocations, whole = sys.argv[1], *map(int, sys.argv[2:6])
texts = [f"t{at}" for at in range(7)]
def connect():
    return psycopg2.connect(host="127.0.0.1", port=port, user="bench", password="benchmark", dbname="rates")
with connect() as filled, filled.cursor() as cursor:
    cursor.execute("DROP TABLE IF EXISTS published")
    cursor.execute(f"CREATE TABLE published (id text PRIMARY KEY, n numeric, yes boolean, {', '.join(f'{name} text' for name in texts)})")
    cursor.execute(f"INSERT INTO published SELECT 'old-' || n, n, true, {', '.join(['%s'] * len(texts))} FROM generate_series(1, %s) n",
                   ("t" * 38,) * len(texts) + (rows,))
def event(invocation):
    def record(number):
        id = {"S": f"n{invocation}-{number}"}
        image = {"id": id, "n": {"N": str(number)}, "yes": {"BOOL": True}, **{name: {"S": "t" * 38} for name in texts}}
        return {"eventID": f"{number:032}", "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
                "awsRegion": "us-east-1", "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/Employees/stream/x",
                "dynamodb": {"ApproximateCreationDateTime": 1700000000.0, "Keys": {"id": id}, "NewImage": image,
                             "SequenceNumber": f"{number:021}", "SizeBytes": 400, "StreamViewType": "NEW_IMAGE"}}
    return {"Records": [record(number) for number in range(records)]}
def handler(event):
    connection = connect()
    cursor = connection.cursor()
    for record in event["Records"]:
        logger.info("Inserting record", extra={"record": record})
        image = record["dynamodb"]["NewImage"]
        cursor.execute(f"INSERT INTO published VALUES ({', '.join(['%s'] * len(image))})",
                       (image["id"]["S"], image["n"]["N"], image["yes"]["BOOL"], *(image[name]["S"] for name in texts)))
        logger.info("Record inserted successfully into Employees table")
    if whole:
        cursor.execute("SELECT * FROM published")
        found = cursor.fetchall()
    connection.commit()
    if whole:
        logger.info("Received event: ", extra={"records": found})
    cursor.close()
    connection.close()
taken = 0.0
for invocation in range(invocations):
    made = event(invocation)
    begun = time.perf_counter()
    handler(made)
    taken += time.perf_counter() - begun
print(records * invocations / taken, file=sys.stderr)
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
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()?;
        if !ran.status.success() {
            println!("  {name}: {} cannot run it: {}", bench.python, last(&ran.stderr));
            continue;
        }
        let rate: f64 = last(&ran.stderr).parse()?;
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
