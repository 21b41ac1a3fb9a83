//! Simple Queue Service: queues of messages that are received, hidden, deleted, or given up.

mod admin;
mod definition;
mod digest;
mod fault;
mod handle;
mod line;
mod message;
mod queues;
mod receive;
mod send;
mod settle;

use fault::Fault;
use queues::Queue;
use serde_json::{Map, Value, json};
use servicekit::call::{Answer, Call, Pending};
use servicekit::fields::required;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;
use wire::shape::Kind;
use wire::{Protocol, Response};

pub(crate) use definition::strings;
pub use message::Attribute;
pub(crate) use message::attributes;
pub use queues::Queues;

pub(crate) struct Sqs {
    queues: Queues,
}

impl Sqs {
    pub fn new(queues: &Queues) -> Sqs {
        Sqs { queues: queues.clone() }
    }

    pub fn call(&self, call: Call) -> Pending<'_, Response> {
        Box::pin(async move {
            let answer = match read(&call) {
                Ok(input) => self.answer(&call, &input).await,
                Err(error) => Err(error),
            };
            let is_query = call.service.protocol == Protocol::Query;
            call.settle(if is_query { answer.map_err(fault::in_query) } else { answer })
        })
    }

    async fn answer(&self, call: &Call, input: &Value) -> Answer {
        let queues = &self.queues;
        match call.operation.name {
            "CreateQueue" => self.create_queue(call, input).await,
            "GetQueueUrl" => self.get_queue_url(call, input),
            "ListQueues" => self.list_queues(call, input),
            name => {
                let queue = self.queue(call, input)?;
                let trace = call.request.header("x-amzn-trace-id");
                match name {
                    "DeleteQueue" => queues.delete(&queue).await.map(|()| json!({})),
                    "PurgeQueue" => self.purge_queue(&queue).await,
                    "GetQueueAttributes" => self.get_queue_attributes(&queue, input),
                    "SetQueueAttributes" => self.set_queue_attributes(&queue, input).await,
                    "TagQueue" => self.tag_queue(&queue, input).await,
                    "UntagQueue" => self.untag_queue(&queue, input).await,
                    "ListQueueTags" => Ok(self.list_queue_tags(&queue)),
                    "ListDeadLetterSourceQueues" => self.list_sources(call, &queue, input),
                    "SendMessage" => queues.send_message(&queue, input, trace).await,
                    "SendMessageBatch" => queues.send_message_batch(&queue, input, trace).await,
                    "ReceiveMessage" => queues.receive(&queue, input, &call.caller.account).await,
                    "DeleteMessage" => queues.delete_message(&queue, input).await,
                    "DeleteMessageBatch" => queues.delete_message_batch(&queue, input).await,
                    "ChangeMessageVisibility" => queues.change_visibility(&queue, input).await,
                    "ChangeMessageVisibilityBatch" => queues.change_visibility_batch(&queue, input).await,
                    _ => Err(call.unknown()),
                }
            }
        }
    }

    /// The queue that a URL names by the last two parts of its path; whichever host it was made for.
    fn queue(&self, call: &Call, input: &Value) -> Result<Arc<Queue>, Fault> {
        let url = required(input, "QueueUrl").trim_end_matches('/');
        let name = url.rsplit('/').next().unwrap_or_default();
        self.queues.find(&key(call, name)).ok_or_else(fault::no_queue)
    }
}

fn read(call: &Call) -> Answer {
    let mut input = call.unchecked_input()?;
    if call.service.protocol == Protocol::Query
        && let Some(Kind::Structure(structure)) = call.operation.input.map(|input| &input.kind)
    {
        for member in structure.members.iter().filter(|member| member.required) {
            if input.get(member.name).is_some() {
                continue;
            }
            // Some clients name the queue only by where they send to.
            match (member.name, call.request.path.as_str()) {
                ("QueueUrl", path) if path.len() > 1 => input["QueueUrl"] = path.into(),
                (name, _) => return Err(fault::missing(name)),
            }
        }
    }
    // Queues have a word of their own for attributes they do not know, which they check by themselves.
    match call.operation.name {
        "CreateQueue" | "SetQueueAttributes" => {}
        _ => call.check(&input)?,
    }
    Ok(input)
}

fn key(call: &Call, name: &str) -> String {
    format!("{}/{}/{name}", call.caller.account, call.caller.region)
}

/// The entries of a batch, each with an id of its own.
fn batch_entries(operation: &str, input: &Value) -> Result<Vec<Value>, Fault> {
    let entries = input.get("Entries").and_then(Value::as_array).cloned().unwrap_or_default();
    if entries.is_empty() {
        let message = format!("There should be at least one {operation}RequestEntry in the request.");
        return Err(fault::new("EmptyBatchRequest", message));
    }
    if entries.len() > 10 {
        let message =
            format!("Maximum number of entries per request are 10. You have sent {}.", entries.len());
        return Err(fault::new("TooManyEntriesInBatchRequest", message));
    }
    let mut ids = BTreeSet::new();
    for entry in &entries {
        let id = required(entry, "Id");
        let fits = (1..=80).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !fits {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
            return Err(fault::new("InvalidBatchEntryId", message));
        }
        if !ids.insert(id) {
            return Err(fault::new("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
    }
    Ok(entries)
}

/// Each entry's answer under its id.
fn batch_answer(entries: &[Value], answers: Vec<Answer>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (entry, answer) in entries.iter().zip(answers) {
        let id = required(entry, "Id");
        match answer {
            Ok(answer) => {
                let mut members = Map::from_iter([("Id".to_owned(), Value::from(id))]);
                members.extend(answer.as_object().cloned().unwrap_or_default());
                successful.push(Value::Object(members));
            }
            Err(error) => failed.push(json!({
                "Id": id,
                "SenderFault": error.status.is_none_or(|status| status < 500),
                "Code": error.name(),
                "Message": error.message,
            })),
        }
    }
    let mut answer = Map::from_iter([("Successful".to_owned(), Value::from(successful))]);
    if !failed.is_empty() {
        answer.insert("Failed".into(), failed.into());
    }
    Value::Object(answer)
}

/// All of them, each begun in order, and then waited for together.
async fn in_order<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut all = true;
        for (future, done) in waiting.iter_mut().filter(|(_, done)| done.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(answer) => *done = Some(answer),
                Poll::Pending => all = false,
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests;
