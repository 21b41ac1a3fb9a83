//! Messages in: one by one, in batches, and from the house itself.

use super::digest;
use super::fault::{self, Fault};
use super::line::Entry;
use super::message::{Attribute, Message, too_long};
use super::queues::{self, DEDUP_MS, Dedup, Queue, Queues, key_of_arn};
use serde_json::Value;
use servicekit::documents::unavailable;
use servicekit::fields::{integer, object, required, text};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A message on its way in.
pub(crate) struct Sending {
    pub message: Message,
    pub group: Option<String>,
    pub delay_s: Option<u64>,
}

pub(crate) struct Sent {
    pub message_id: String,
    /// Of a FIFO queue.
    pub sequence: Option<String>,
}

impl Queues {
    /// Sends a message to the queue with this ARN, and answers its id once it is durable.
    pub async fn send(
        &self,
        arn: &str,
        body: &str,
        attributes: BTreeMap<String, Attribute>,
    ) -> Result<String, wire::ServiceError> {
        self.send_in_group(arn, body, attributes, None, None).await
    }

    /// The same, with the group and the deduplication id that FIFO queues want.
    pub async fn send_in_group(
        &self,
        arn: &str,
        body: &str,
        attributes: BTreeMap<String, Attribute>,
        group: Option<String>,
        dedup: Option<String>,
    ) -> Result<String, wire::ServiceError> {
        let queue = key_of_arn(arn).and_then(|key| self.find(&key)).ok_or_else(fault::no_queue)?;
        let message = Message { body: body.to_owned(), attributes, dedup, ..Message::default() };
        Ok(self.put(&queue, Sending { message, group, delay_s: None }).await?.message_id)
    }

    pub(crate) async fn put(&self, queue: &Arc<Queue>, sending: Sending) -> Result<Sent, Fault> {
        let Sending { mut message, group, delay_s } = sending;
        let now_ms = self.now_ms();
        let message_id = self.world().uuid();
        let (number, commit) = {
            let mut state = queue.state();
            let definition = state.definition.clone();
            if message.bytes() > definition.number("MaximumMessageSize") {
                return Err(too_long(definition.number("MaximumMessageSize")));
            }
            let incarnation = definition.incarnation.as_str();
            let mut forgotten = Vec::new();
            let mut dedup_id = None;
            if definition.is_fifo() {
                let group = group.as_deref().ok_or_else(|| fault::missing("MessageGroupId"))?;
                let given = message
                    .dedup
                    .take()
                    .or_else(|| definition.dedups_by_content().then(|| digest::content(&message.body)));
                let given = given.ok_or_else(|| fault::value("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"))?;
                let id =
                    if definition.dedups_by_group() { format!("{group}\0{given}") } else { given.clone() };
                forgotten = state
                    .dedup
                    .iter()
                    .filter(|(_, seen)| seen.at_ms + DEDUP_MS <= now_ms)
                    .map(|(id, _)| id.clone())
                    .collect();
                for id in &forgotten {
                    state.dedup.remove(id);
                }
                if let Some(seen) = state.dedup.get(&id) {
                    return Ok(Sent {
                        message_id: seen.message_id.clone(),
                        sequence: Some(sequence(seen.number)),
                    });
                }
                message.dedup = Some(given);
                dedup_id = Some(id);
            } else if message.dedup.is_some() {
                return Err(fault::value(
                    "The request include parameter MessageDeduplicationId which is not valid for this queue type",
                ));
            }
            let delay_s = delay_s.unwrap_or_else(|| definition.number("DelaySeconds"));
            let entry = Entry {
                message_id: message_id.clone(),
                sent_ms: now_ms,
                visible_ms: now_ms + delay_s * 1_000,
                receives: 0,
                first_received_ms: None,
                receipt: None,
                group,
            };
            let number = state.line.push(entry.clone());
            let seen =
                dedup_id.map(|id| (id, Dedup { at_ms: now_ms, message_id: message_id.clone(), number }));
            let commit = self.write(|batch| {
                queues::put_entry(batch, incarnation, number, &entry);
                queues::put_message(batch, incarnation, number, &message);
                for id in &forgotten {
                    queues::remove_dedup(batch, incarnation, id);
                }
                if let Some((id, dedup)) = &seen {
                    queues::put_dedup(batch, incarnation, id, dedup);
                }
            });
            let commit = commit.inspect_err(|_| {
                state.line.remove(number);
            })?;
            if let Some((id, dedup)) = seen {
                state.dedup.insert(id, dedup);
            }
            (number, commit)
        };
        // A task of its own: a client that leaves early must not keep the message from being seen.
        let admitted = queue.clone();
        let committed = tokio::spawn(async move {
            let done = commit.await;
            if done.is_ok() {
                admitted.state().line.admit(number);
                admitted.changed.notify_waiters();
            }
            done
        });
        committed.await.map_err(unavailable)?.map_err(unavailable)?;
        let sequence = queue.definition().is_fifo().then(|| sequence(number));
        Ok(Sent { message_id, sequence })
    }

    /// `trace` is what the request's header says of the call that this one belongs to: the message says it too.
    pub(crate) async fn send_message(
        &self,
        queue: &Arc<Queue>,
        input: &Value,
        trace: Option<&str>,
    ) -> Result<Value, Fault> {
        let mut message = Message::read(input)?;
        let body_sum = digest::of_body(&message.body);
        let (sum, system_sum) =
            (digest::of_attributes(&message.attributes), digest::of_attributes(&message.system));
        if let Some(trace) = trace {
            message.system.entry("AWSTraceHeader".to_owned()).or_insert_with(|| Attribute::string(trace));
        }
        let sent = self.put(queue, sending(queue, input, message)?).await?;
        Ok(object([
            ("MD5OfMessageBody", Some(body_sum.into())),
            ("MD5OfMessageAttributes", sum.map(Value::from)),
            ("MD5OfMessageSystemAttributes", system_sum.map(Value::from)),
            ("MessageId", Some(sent.message_id.into())),
            ("SequenceNumber", sent.sequence.map(Value::from)),
        ]))
    }

    pub(crate) async fn send_message_batch(
        &self,
        queue: &Arc<Queue>,
        input: &Value,
        trace: Option<&str>,
    ) -> Result<Value, Fault> {
        let entries = super::batch_entries("SendMessageBatch", input)?;
        let bytes: usize = entries.iter().map(|entry| required(entry, "MessageBody").len()).sum();
        if bytes as u64 > super::definition::MESSAGE_BYTES_MAX {
            let message = format!(
                "Batch requests cannot be longer than {} bytes. You have sent {bytes} bytes.",
                super::definition::MESSAGE_BYTES_MAX
            );
            return Err(fault::new("BatchRequestTooLong", message));
        }
        // One after another into the line, in the order they were written; their syncs are shared.
        let tasks = entries.iter().map(|entry| self.send_message(queue, entry, trace));
        let mut answers = super::in_order(tasks).await;
        // A batch has words of its own for what is too long. [suite: recorded answers]
        for fault in answers.iter_mut().filter_map(|answer| answer.as_mut().err()) {
            fault.message = fault.message.take().map(|told| {
                told.replace(
                    "parameters are invalid. Reason: Message",
                    "parameters cannot be validated. Reason: Message",
                )
            });
        }
        Ok(super::batch_answer(&entries, answers))
    }
}

fn sending(queue: &Queue, input: &Value, mut message: Message) -> Result<Sending, Fault> {
    let fifo = queue.definition().is_fifo();
    let delay_s = match integer(input, "DelaySeconds") {
        None => None,
        Some(_) if fifo && integer(input, "DelaySeconds") != Some(0) => {
            let message = format!(
                "Value {} for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.",
                integer(input, "DelaySeconds").unwrap_or_default()
            );
            return Err(fault::value(message));
        }
        Some(delay) if (0..=900).contains(&delay) => Some(delay as u64),
        Some(delay) => {
            let message = format!(
                "Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
            );
            return Err(fault::value(message));
        }
    };
    for member in ["MessageGroupId", "MessageDeduplicationId"] {
        let fits = |id: &str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if let Some(id) = text(input, member).filter(|id| !fits(id)) {
            return Err(fault::value(format!(
                "Value {id} for parameter {member} is invalid. Reason: {member} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            )));
        }
    }
    message.dedup = text(input, "MessageDeduplicationId").map(str::to_owned);
    let group = text(input, "MessageGroupId").map(str::to_owned);
    let (group, tenant) = if fifo { (group, None) } else { (None, group) };
    message.tenant = tenant;
    Ok(Sending { message, group, delay_s: if fifo { None } else { delay_s } })
}

/// A FIFO queue's sequence number: 20 digits.
pub(crate) fn sequence(number: u64) -> String {
    format!("{:020}", 18_849_496_460_467_696_128_u128 + u128::from(number) * 256)
}
