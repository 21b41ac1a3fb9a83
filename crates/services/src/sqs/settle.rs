//! What becomes of a message that was received: deleted, or hidden for another while.

use super::fault::{self, Fault};
use super::handle::Handle;
use super::queues::{self, Queue, Queues};
use serde_json::{Value, json};
use servicekit::documents::unavailable;
use servicekit::fields::{integer, required};
use std::sync::Arc;

impl Queues {
    /// Deleting what is gone is a success.
    pub(crate) async fn delete_message(&self, queue: &Arc<Queue>, input: &Value) -> Result<Value, Fault> {
        let handle = Handle::parse(required(input, "ReceiptHandle"))?;
        let commit = {
            let mut state = queue.state();
            let definition = state.definition.clone();
            let Some(entry) =
                state.line.get(handle.number).filter(|entry| entry.message_id == handle.message_id)
            else {
                return Ok(json!({}));
            };
            if entry.group.is_some() {
                let current =
                    entry.receipt.as_deref() == Some(&handle.receipt) && entry.visible_ms > self.now_ms();
                if !current {
                    let text = required(input, "ReceiptHandle");
                    return Err(fault::value(format!(
                        "Value {text} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
                    )));
                }
            }
            let commit = self.write(|batch| queues::remove(batch, &definition.incarnation, handle.number))?;
            state.line.remove(handle.number);
            commit
        };
        // What waited behind it in its group may come.
        queue.changed.notify_waiters();
        commit.await.map_err(unavailable)?;
        Ok(json!({}))
    }

    pub(crate) async fn change_visibility(&self, queue: &Arc<Queue>, input: &Value) -> Result<Value, Fault> {
        let handle = Handle::parse(required(input, "ReceiptHandle"))?;
        let Some(timeout_s) = integer(input, "VisibilityTimeout") else {
            return Err(fault::missing("VisibilityTimeout"));
        };
        if !(0..=43_200).contains(&timeout_s) {
            return Err(fault::value(format!(
                "Value {timeout_s} for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200."
            )));
        }
        let now_ms = self.now_ms();
        let commit = {
            let mut state = queue.state();
            let definition = state.definition.clone();
            let text = required(input, "ReceiptHandle");
            let there = state.line.get(handle.number).filter(|entry| entry.message_id == handle.message_id);
            let in_flight = there.is_some_and(|entry| {
                entry.receipt.as_deref() == Some(&handle.receipt) && entry.visible_ms > now_ms
            });
            if !in_flight {
                let code = if there.is_some() { "MessageNotInflight" } else { "InvalidParameterValue" };
                let why = "Message does not exist or is not available for visibility timeout change.";
                let message = format!("Value {text} for parameter ReceiptHandle is invalid. Reason: {why}");
                return Err(fault::new(code, message));
            }
            let change = state
                .line
                .change(handle.number, |entry| entry.visible_ms = now_ms + timeout_s as u64 * 1_000);
            let entry = change.cloned().ok_or_else(|| fault::bad_handle(text))?;
            self.write(|batch| queues::put_entry(batch, &definition.incarnation, handle.number, &entry))?
        };
        queue.changed.notify_waiters();
        commit.await.map_err(unavailable)?;
        Ok(json!({}))
    }

    pub(crate) async fn delete_message_batch(
        &self,
        queue: &Arc<Queue>,
        input: &Value,
    ) -> Result<Value, Fault> {
        let entries = super::batch_entries("DeleteMessageBatch", input)?;
        let answers = super::in_order(entries.iter().map(|entry| self.delete_message(queue, entry))).await;
        Ok(super::batch_answer(&entries, answers))
    }

    pub(crate) async fn change_visibility_batch(
        &self,
        queue: &Arc<Queue>,
        input: &Value,
    ) -> Result<Value, Fault> {
        let entries = super::batch_entries("ChangeMessageVisibilityBatch", input)?;
        let answers = super::in_order(entries.iter().map(|entry| self.change_visibility(queue, entry))).await;
        Ok(super::batch_answer(&entries, answers))
    }
}
