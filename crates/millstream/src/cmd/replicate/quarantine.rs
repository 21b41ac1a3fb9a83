//! What could not be written, and why.

use super::plan::begun;
use crate::cmd::Failure;
use serde_json::json;
use sinks::runner::Pipeline;
use world::Timestamp;

pub fn retry(pipelines: &[Pipeline]) -> Result<(), Failure> {
    for pipeline in pipelines {
        let retried = pipeline.retry()?;
        tell!("{}: {} written, {} left", pipeline.name(), retried.written, retried.left);
    }
    Ok(())
}

pub fn list(pipelines: &[Pipeline], as_json: bool) -> Result<(), Failure> {
    for pipeline in pipelines {
        begun(pipeline)?;
        for entry in pipeline.ledger()?.quarantined()? {
            let at = Timestamp::from_millis(entry.at_ms).iso_seconds();
            // An entry a line, however many lines the database said.
            let reason = entry.reason.lines().map(str::trim).collect::<Vec<_>>().join("; ");
            match as_json {
                true => tell!(
                    "{}",
                    json!({
                        "pipeline": pipeline.name(), "key": entry.key, "reason": entry.reason, "at": at,
                        "image": entry.image,
                    })
                ),
                false => tell!("{}  {}  {}  {}", pipeline.name(), at, entry.key, reason),
            }
        }
    }
    Ok(())
}
