//! Messages out: taken, hidden for a while, moved away when they were taken too often; or waited for.

use super::digest;
use super::fault::{self, Fault};
use super::handle::Handle;
use super::line::Entry;
use super::message::{Message, shown};
use super::queues::{self, Queue, Queues, key_of_arn};
use super::send::sequence;
use serde_json::{Map, Value, json};
use servicekit::documents::unavailable;
use servicekit::fields::{integer, object, texts};
use std::sync::Arc;
use std::time::Duration;

/// What may be hidden at once.
const IN_FLIGHT_MAX: usize = 120_000;

struct Taken {
    number: u64,
    entry: Entry,
    message: Message,
    receipt: String,
}

impl Queues {
    pub(crate) async fn receive(
        &self,
        queue: &Arc<Queue>,
        input: &Value,
        account: &str,
    ) -> Result<Value, Fault> {
        let definition = queue.definition();
        let bounded = |member: &'static str, least: i64, most: i64, default: u64| match integer(input, member)
        {
            None => Ok(default),
            Some(value) if (least..=most).contains(&value) => Ok(value as u64),
            Some(value) => {
                let bounds = match member {
                    "MaxNumberOfMessages" => format!("between {least} and {most}"),
                    _ => format!(">= {least} and <= {most}"),
                };
                Err(fault::value(format!(
                    "Value {value} for parameter {member} is invalid. Reason: Must be {bounds}, if provided."
                )))
            }
        };
        let most = bounded("MaxNumberOfMessages", 1, 10, 1)? as usize;
        let wait_s = bounded("WaitTimeSeconds", 0, 20, definition.number("ReceiveMessageWaitTimeSeconds"))?;
        let hide_s = bounded("VisibilityTimeout", 0, 43_200, definition.number("VisibilityTimeout"))?;
        let mut deadline = std::pin::pin!(tokio::time::sleep(Duration::from_secs(wait_s)));
        loop {
            // Made before the look, so that a message that arrives in between wakes it.
            let mut changed = std::pin::pin!(queue.changed.notified());
            changed.as_mut().enable();
            if self.find(&queue.key).is_none() {
                return Err(fault::no_queue());
            }
            let taken = self.take(queue, most, hide_s * 1_000).await?;
            if !taken.is_empty() {
                let messages: Vec<Value> = taken.iter().map(|taken| shape(taken, input, account)).collect();
                return Ok(json!({ "Messages": messages }));
            }
            let next = queue.state().line.next_visible_ms();
            // In steps of a day at most, for clocks that jump.
            let hidden_for = next.map_or(86_400_000, |next_ms| next_ms.saturating_sub(self.now_ms()).max(1));
            tokio::select! {
                () = deadline.as_mut() => return Ok(json!({})),
                () = changed => {}
                () = tokio::time::sleep(Duration::from_millis(hidden_for)) => {}
            }
        }
    }

    async fn take(&self, queue: &Arc<Queue>, most: usize, hide_ms: u64) -> Result<Vec<Taken>, Fault> {
        let now_ms = self.now_ms();
        let (mut taken, mut moved) = (Vec::new(), Vec::new());
        let commit = {
            let mut state = queue.state();
            let definition = state.definition.clone();
            let incarnation = definition.incarnation.as_str();
            let oldest_ms = now_ms.saturating_sub(definition.number("MessageRetentionPeriod") * 1_000);
            let expired = state.line.expire(oldest_ms);
            if state.line.hidden() > IN_FLIGHT_MAX {
                return Err(fault::new(
                    "OverLimit",
                    format!("There are more than {IN_FLIGHT_MAX} messages in flight."),
                ));
            }
            let redrive = definition.redrive();
            let target = redrive.as_ref().and_then(|redrive| self.find(&key_of_arn(&redrive.target)?));
            for number in state.line.receivable(now_ms, most) {
                let Some(message) = self.message(incarnation, number)? else { continue };
                let tried = state.line.get(number).map_or(0, |entry| entry.receives);
                if let (Some(redrive), Some(target)) = (&redrive, &target)
                    && tried >= redrive.receives_max
                    && target.key != queue.key
                {
                    // It leaves the line only once it is safe over there.
                    let Some(entry) = state.line.change(number, |entry| entry.visible_ms = now_ms + 30_000)
                    else {
                        continue;
                    };
                    moved.push((number, entry.clone(), message, target.clone()));
                    continue;
                }
                let receipt = self.world().hex(16);
                let entry = state.line.change(number, |entry| {
                    entry.visible_ms = now_ms + hide_ms;
                    entry.receives += 1;
                    entry.first_received_ms.get_or_insert(now_ms);
                    entry.receipt = Some(receipt.clone());
                });
                let Some(entry) = entry.cloned() else { continue };
                let handle = Handle { number, message_id: entry.message_id.clone(), receipt };
                taken.push(Taken { number, message, receipt: handle.to_string(), entry });
            }
            if taken.is_empty() && expired.is_empty() {
                None
            } else {
                Some(self.write(|batch| {
                    for number in &expired {
                        queues::remove(batch, incarnation, *number);
                    }
                    for taken in &taken {
                        queues::put_entry(batch, incarnation, taken.number, &taken.entry);
                    }
                })?)
            }
        };
        if let Some(commit) = commit {
            commit.await.map_err(unavailable)?;
        }
        for (number, entry, message, target) in moved {
            self.move_away(queue, number, entry, message, &target).await?;
        }
        Ok(taken)
    }

    /// Into the dead-letter queue and out of this one, in one durable step.
    async fn move_away(
        &self,
        queue: &Arc<Queue>,
        number: u64,
        entry: Entry,
        mut message: Message,
        target: &Arc<Queue>,
    ) -> Result<(), Fault> {
        let now_ms = self.now_ms();
        message.source.get_or_insert_with(|| queue.arn());
        let from = queue.definition().incarnation.clone();
        let (new_number, commit) = {
            let mut state = target.state();
            let definition = state.definition.clone();
            let fifo = definition.is_fifo();
            let entry = Entry {
                visible_ms: now_ms,
                receipt: None,
                // A FIFO queue's messages are as old as their arrival.
                sent_ms: if fifo { now_ms } else { entry.sent_ms },
                group: entry.group.filter(|_| fifo),
                ..entry
            };
            let new_number = state.line.push(entry.clone());
            let commit = self.write(|batch| {
                queues::remove(batch, &from, number);
                queues::put_entry(batch, &definition.incarnation, new_number, &entry);
                queues::put_message(batch, &definition.incarnation, new_number, &message);
            });
            let commit = commit.inspect_err(|_| {
                state.line.remove(new_number);
            })?;
            (new_number, commit)
        };
        queue.state().line.remove(number);
        // What waited behind it in its group may come.
        queue.changed.notify_waiters();
        let target = target.clone();
        let done = tokio::spawn(async move {
            let done = commit.await;
            if done.is_ok() {
                target.state().line.admit(new_number);
                target.changed.notify_waiters();
            }
            done
        });
        done.await.map_err(unavailable)?.map_err(unavailable)?;
        Ok(())
    }
}

fn shape(taken: &Taken, input: &Value, account: &str) -> Value {
    let Taken { number, entry, message, receipt } = taken;
    let attributes = message.picked(&texts(input, "MessageAttributeNames"));
    let sum = digest::of_attributes(&attributes);
    object([
        ("MessageId", Some(entry.message_id.clone().into())),
        ("ReceiptHandle", Some(receipt.clone().into())),
        ("MD5OfBody", Some(digest::of_body(&message.body).into())),
        ("Body", Some(message.body.clone().into())),
        ("Attributes", system(*number, entry, message, input, account)),
        ("MD5OfMessageAttributes", sum.map(Value::from)),
        ("MessageAttributes", (!attributes.is_empty()).then(|| shown(&attributes))),
    ])
}

/// What the queue itself knows of a message, as far as it was asked for.
fn system(number: u64, entry: &Entry, message: &Message, input: &Value, account: &str) -> Option<Value> {
    let mut wanted = texts(input, "AttributeNames");
    wanted.extend(texts(input, "MessageSystemAttributeNames"));
    let fifo = entry.group.is_some();
    let trace = message.system.get("AWSTraceHeader").and_then(|trace| trace.text.clone());
    let known = [
        ("SenderId", Some(account.to_owned())),
        ("SentTimestamp", Some(entry.sent_ms.to_string())),
        ("ApproximateReceiveCount", Some(entry.receives.to_string())),
        ("ApproximateFirstReceiveTimestamp", entry.first_received_ms.map(|ms| ms.to_string())),
        ("MessageGroupId", entry.group.clone().or_else(|| message.tenant.clone())),
        ("MessageDeduplicationId", message.dedup.clone()),
        ("SequenceNumber", fifo.then(|| sequence(number))),
        ("AWSTraceHeader", trace),
        ("DeadLetterQueueSourceArn", message.source.clone()),
    ];
    let asked = |name: &str| wanted.iter().any(|want| want == "All" || want == name);
    let picked: Map<String, Value> = known
        .into_iter()
        .filter(|(name, _)| asked(name))
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
        .collect();
    (!picked.is_empty()).then_some(Value::Object(picked))
}
