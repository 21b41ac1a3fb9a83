//! What the house knows of its mappings beyond AWS's words: every record's fate, and what stands in the way.

use engine::stream::Sequence;
use feed::{Described, Feed, Flow, ShardFlow, Stuck};
use serde_json::{Value, json};
use std::time::Duration;
use world::World;

/// All mappings, or the one of that id.
pub fn status(feed: &Feed, world: &World, id: Option<&str>) -> Value {
    let found = feed.list().into_iter().filter(|found| id.is_none_or(|id| found.mapping.id.as_str() == id));
    let elapsed = feed.elapsed();
    found.map(|found| mapping(&found, world, elapsed)).collect::<Vec<_>>().into()
}

fn mapping(found: &Described, world: &World, elapsed: Duration) -> Value {
    let shards = found.shards.iter().map(|(name, shard)| one_shard(name, shard, world, elapsed));
    json!({
        "uuid": found.mapping.id.as_str(),
        "function": found.mapping.target,
        "stream": found.mapping.stream,
        "state": format!("{:?}", found.state),
        "lastProcessingResult": found.result,
        "records": records(&found.flow, world),
        "destinationFailures": found.burial_failures,
        "shards": shards.collect::<Vec<_>>(),
    })
}

fn one_shard(name: &str, shard: &ShardFlow, world: &World, elapsed: Duration) -> Value {
    json!({
        "shardId": name,
        "records": records(&shard.flow, world),
        "blocked": shard.stuck.iter().map(|stuck| blocked(stuck, elapsed)).collect::<Vec<_>>(),
    })
}

fn records(flow: &Flow, world: &World) -> Value {
    let totals = flow.totals;
    let age_ms = flow.oldest.map(|oldest| world.now().millis().saturating_sub(oldest.millis()));
    json!({
        "read": flow.read(),
        "delivered": totals.delivered,
        "filtered": totals.filtered,
        "deadLettered": totals.dead_lettered,
        "dropped": totals.dropped,
        "pending": flow.pending,
        "iteratorAgeMs": age_ms.unwrap_or(0),
    })
}

fn blocked(stuck: &Stuck, elapsed: Duration) -> Value {
    let blockage = &stuck.blockage;
    let until = blockage.until.map(|until| until.saturating_sub(elapsed).as_millis() as u64);
    json!({
        "sequenceNumber": Sequence(blockage.sequence).to_string(),
        "batchSize": blockage.records,
        "invocations": blockage.invocations,
        "unreachable": blockage.stalls,
        "at": if blockage.is_burial { "destination" } else { "function" },
        "error": stuck.error,
        // Absent while it is being tried.
        "nextTryMs": until,
    })
}
