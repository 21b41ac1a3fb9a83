//! Functions that tell a measurement what they saw, by a file that they append to.

use super::Result;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use testkit::Client;

/// Writes down when it was entered, for every record.
pub(super) const ENTERED: &str = "import os, time\nfd = os.open(os.environ['OUT'], os.O_CREAT | os.O_APPEND | os.O_WRONLY)\ndef handler(event, context):\n    now = time.time_ns()\n    for record in event.get('Records', [None]):\n        os.write(fd, b'%d\\n' % now)\n";

/// What one entry takes: nineteen digits and a line end.
const ENTRY_BYTES: u64 = 20;

/// How long anything may take to be handled.
const HANDLED_WITHIN: Duration = Duration::from_secs(180);

/// A Python function of one file, `app.handler`.
pub(super) fn create(client: &mut Client, name: &str, zip: &str, variables: Value) -> Result<()> {
    let made = client.lambda(
        "POST",
        "/2015-03-31/functions",
        &json!({
            "FunctionName": name, "Runtime": "python3.12", "Handler": "app.handler", "Timeout": 60, "MemorySize": 256,
            "Role": "arn:aws:iam::123456789012:role/r", "Code": { "ZipFile": zip },
            "Environment": { "Variables": variables },
        }),
    )?;
    if made.status == 201 { Ok(()) } else { Err(made.text().into()) }
}

/// A mapping with these parameters; its id.
pub(super) fn map(client: &mut Client, mapping: &Value) -> Result<String> {
    let made = client.lambda("POST", "/2015-03-31/event-source-mappings", mapping)?;
    match made.json()["UUID"].as_str() {
        Some(id) if made.status == 202 => Ok(id.to_owned()),
        _ => Err(made.text().into()),
    }
}

pub(super) fn invoke(client: &mut Client, name: &str, event: &Value) -> Result<()> {
    let answer = client.lambda("POST", &format!("/2015-03-31/functions/{name}/invocations"), event)?;
    let failed = answer.head.to_ascii_lowercase().contains("x-amz-function-error");
    if answer.status == 200 && !failed { Ok(()) } else { Err(answer.text().into()) }
}

pub(super) fn now() -> u64 {
    // Compared with the handler's clock.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Every entry so far.
pub(super) fn entered(out: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(out).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Waits until there are so many entries.
pub(super) fn wait(out: &Path, count: usize) -> Result<()> {
    let until = now() + HANDLED_WITHIN.as_nanos() as u64;
    while std::fs::metadata(out).map_or(0, |metadata| metadata.len()) < count as u64 * ENTRY_BYTES {
        if now() > until {
            let seen = entered(out).len();
            return Err(format!("only {seen} of {count} records were handled in time").into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// A package of one file, in base64.
pub(super) fn zip(dir: &Path, source: &str) -> Result<String> {
    std::fs::write(dir.join("app.py"), source)?;
    let made = Command::new("python3")
        .args(["-c", "import base64, io, zipfile; b = io.BytesIO(); z = zipfile.ZipFile(b, 'w'); z.write('app.py'); z.close(); print(base64.b64encode(b.getvalue()).decode())"])
        .current_dir(dir)
        .output()?;
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}
