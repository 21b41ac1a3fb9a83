//! What a pipeline would do, does, and rests from.

use crate::cmd::Failure;
use serde_json::json;
use sinks::join::{Mark, Track};
use sinks::mapping::{Keying, Mapping};
use sinks::runner::Pipeline;
use world::Timestamp;

pub fn plan(pipelines: &[Pipeline]) -> Result<(), Failure> {
    for pipeline in pipelines {
        let kept = pipeline.kept()?;
        let planned = pipeline.plan(kept.as_ref())?;
        let mapping = &planned.mapping;
        tell!("# pipeline '{}': {} → {}", pipeline.name(), pipeline.source_table, mapping.table);
        tell!("# {}", keying(mapping));
        planned.notes().iter().for_each(|note| tell!("# {note}"));
        tell!("{}", mapping.spelt());
        if let Some(statement) = pipeline.target.statement(mapping)? {
            tell!("{statement};\n");
        }
    }
    Ok(())
}

fn keying(mapping: &Mapping) -> &'static str {
    match mapping.keying {
        Keying::Fixed => "a row's key is its item's: rows never move",
        Keying::Moving => "a row moves when its item's attributes say so",
        Keying::Shared(_) => {
            "several items may claim one row: `conflicts` decides, and the next claim takes over"
        }
    }
}

pub fn check(pipelines: &[Pipeline]) -> Result<(), Failure> {
    for pipeline in pipelines {
        let planned = pipeline.check()?;
        tell!(
            "{}: good; {} columns, about {} items, stream with {}",
            pipeline.name(),
            planned.mapping.columns.len(),
            planned.description.items,
            planned.description.view
        );
        planned.notes().iter().for_each(|note| tell!("  {note}"));
    }
    Ok(())
}

pub fn verify(pipelines: &[Pipeline], as_json: bool) -> Result<(), Failure> {
    let mut differing = 0;
    for pipeline in pipelines {
        let verified = sinks::verify(pipeline)?;
        differing += verified.differences.len();
        if as_json {
            let differences: Vec<String> = verified.differences.iter().map(sinks::told).collect();
            let told = json!({
                "pipeline": pipeline.name(), "items": verified.items, "rows": verified.rows,
                "quarantined": verified.quarantined, "rows_without_item": verified.outlived,
                "differences": differences,
            });
            tell!("{told}");
            continue;
        }
        tell!(
            "{}: {} items, {} rows, {} items without a row by quarantine, {} differences",
            pipeline.name(),
            verified.items,
            verified.rows,
            verified.quarantined,
            verified.differences.len()
        );
        if verified.outlived > 0 {
            tell!("  {} rows have no item any more: deletes are ignored", verified.outlived);
        }
        for difference in verified.differences.iter().take(20) {
            tell!("  {}", sinks::told(difference));
        }
    }
    match differing {
        0 => Ok(()),
        count => Err(Failure::Failed(format!("{count} rows differ"))),
    }
}

pub fn resync(pipelines: &[Pipeline]) -> Result<(), Failure> {
    for pipeline in pipelines {
        pipeline.begin_again()?;
        tell!("{}: the next run copies anew; until then its rows stay", pipeline.name());
    }
    Ok(())
}

/// What is asked of a pipeline that remembers nothing would find no tables either.
pub fn begun(pipeline: &Pipeline) -> Result<(), Failure> {
    match pipeline.kept()? {
        Some(_) => Ok(()),
        None => Err(Failure::Failed(format!("{} has not begun", pipeline.name()))),
    }
}

pub fn pause(pipelines: &[Pipeline], paused: bool) -> Result<(), Failure> {
    for pipeline in pipelines {
        begun(pipeline)?;
        pipeline.ledger()?.pause(paused)?;
        tell!("{}: {}", pipeline.name(), if paused { "paused" } else { "resumed" });
    }
    Ok(())
}

pub fn status(pipelines: &[Pipeline], as_json: bool) -> Result<(), Failure> {
    for pipeline in pipelines {
        let Some(kept) = pipeline.kept()? else {
            match as_json {
                true => tell!("{}", json!({ "pipeline": pipeline.name(), "phase": "not begun" })),
                false => tell!("{}: has not begun", pipeline.name()),
            }
            continue;
        };
        if kept.again {
            match as_json {
                true => tell!("{}", json!({ "pipeline": pipeline.name(), "phase": "begins again" })),
                false => tell!("{}: begins again with the next run", pipeline.name()),
            }
            continue;
        }
        let quarantined = pipeline.ledger()?.quarantined()?.len();
        let phase = match (kept.paused, kept.stored.scanned) {
            (true, _) => "paused",
            (_, false) => "snapshot",
            (_, true) => "stream",
        };
        let at = |ms: u64| Timestamp::from_millis(ms).iso_seconds();
        let left_s = pipeline.until_loss(&kept).as_secs();
        let marks = pipeline.marks(&kept)?;
        let mut shards = Vec::new();
        for ((track, lane), (mark, ended)) in &marks {
            if let (Track::Shard(shard), Some(Mark::Record(sequence))) = (track, mark) {
                shards.push((shard, lane, sequence, ended));
            }
        }
        if as_json {
            let shards: Vec<_> = shards
                .iter()
                .map(|(shard, lane, sequence, ended)| {
                    json!({ "shard": shard, "lane": lane, "sequence": sequence.to_string(), "ended": ended })
                })
                .collect();
            let told = json!({
                "pipeline": pipeline.name(), "phase": phase, "stream": kept.stream, "epoch": kept.epoch,
                "begun": at(kept.begun_ms), "confirmed": at(kept.confirmed_ms), "seconds_until_loss": left_s,
                "consistent": kept.consistent_ms > 0, "quarantined": quarantined, "positions": shards,
            });
            tell!("{told}");
            continue;
        }
        tell!("{}: {phase}, {} → {}", pipeline.name(), kept.source, pipeline.target);
        tell!("  stream      {}", kept.stream);
        tell!("  begun       {}", at(kept.begun_ms));
        tell!("  confirmed   {} (all that the source had then is applied)", at(kept.confirmed_ms));
        tell!("  until loss  {left_s} s (should nothing more be read)");
        tell!("  quarantine  {quarantined}");
        for (shard, lane, sequence, ended) in shards {
            let end = if *ended { ", ended" } else { "" };
            tell!("  {shard} lane {lane}: {sequence}{end}");
        }
    }
    Ok(())
}
