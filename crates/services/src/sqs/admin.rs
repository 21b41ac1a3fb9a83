//! Queues themselves: made, listed, described, changed, emptied.

use super::definition::{check, is_told, map_answer, pick, plain, strings, unknown_attribute};
use super::fault::{self, Fault};
use super::queues::Queue;
use super::{Sqs, key};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{integer, object, page, required, text, texts};
use std::sync::Arc;

const PURGE_PERIOD_S: u64 = 60;

impl Sqs {
    pub(super) async fn create_queue(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "QueueName");
        let (stem, fifo) = name.strip_suffix(".fifo").map_or((name, false), |stem| (stem, true));
        let fits = (1..=80).contains(&name.len())
            && !stem.is_empty()
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !fits {
            return Err(fault::value(
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            ));
        }
        let mut attributes = plain(strings(input, "Attributes"));
        if attributes.get("FifoQueue").is_some_and(|value| value == "false") && !fifo {
            attributes.remove("FifoQueue");
        }
        if fifo != attributes.contains_key("FifoQueue") {
            return Err(fault::value(if fifo {
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
            } else {
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
            }));
        }
        check(&attributes, fifo)?;
        attributes.retain(|_, value| !value.is_empty());
        self.check_target(&attributes, fifo)?;
        let queue = self.queues.create(&key(call, name), attributes, strings(input, "tags")).await?;
        Ok(json!({ "QueueUrl": url(call, &queue) }))
    }

    /// A dead-letter queue is there, and of the same kind.
    fn check_target(
        &self,
        attributes: &std::collections::BTreeMap<String, String>,
        fifo: bool,
    ) -> Result<(), Fault> {
        let Some(policy) = attributes.get("RedrivePolicy").filter(|policy| !policy.is_empty()) else {
            return Ok(());
        };
        let read = serde_json::from_str::<Value>(policy).unwrap_or_default();
        let target = required(&read, "deadLetterTargetArn");
        let found = super::queues::key_of_arn(target).and_then(|key| self.queues.find(&key));
        let reason = match found {
            None => "Dead letter target does not exist.",
            Some(queue) if queue.definition().is_fifo() != fifo => {
                "Dead-letter queue must be same type of queue as the source."
            }
            Some(_) => return Ok(()),
        };
        Err(fault::value(format!("Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}")))
    }

    pub(super) fn get_queue_url(&self, call: &Call, input: &Value) -> Answer {
        let others =
            text(input, "QueueOwnerAWSAccountId").is_some_and(|owner| owner != &*call.caller.account);
        let queue = self.queues.find(&key(call, required(input, "QueueName"))).filter(|_| !others);
        Ok(json!({ "QueueUrl": url(call, &*queue.ok_or_else(fault::no_queue)?) }))
    }

    pub(super) fn list_queues(&self, call: &Call, input: &Value) -> Answer {
        let queues = self.queues.list(&key(call, text(input, "QueueNamePrefix").unwrap_or_default()));
        paged(call, input, &queues, "QueueUrls")
    }

    pub(super) fn list_sources(&self, call: &Call, queue: &Queue, input: &Value) -> Answer {
        let arn = queue.arn();
        let mut queues = self.queues.list(&key(call, ""));
        queues.retain(|other| other.definition().redrive().is_some_and(|redrive| redrive.target == arn));
        paged(call, input, &queues, "queueUrls")
    }

    pub(super) async fn purge_queue(&self, queue: &Queue) -> Answer {
        let now_s = self.queues.now_ms() / 1_000;
        let recent = queue.state().purged_s.is_some_and(|last_s| now_s < last_s + PURGE_PERIOD_S);
        if recent {
            let message = format!(
                "Only one PurgeQueue operation on {} is allowed every {PURGE_PERIOD_S} seconds.",
                queue.name()
            );
            return Err(fault::new("PurgeQueueInProgress", message).with_status(403));
        }
        queue.state().purged_s = Some(now_s);
        let incarnation = self.queues.new_incarnation();
        self.queues
            .redefine(queue, |definition| {
                definition.incarnation = incarnation;
                Ok(())
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) fn get_queue_attributes(&self, queue: &Queue, input: &Value) -> Answer {
        let wanted = texts(input, "AttributeNames");
        if let Some(odd) = wanted.iter().find(|name| !is_told(name)) {
            return Err(unknown_attribute(odd));
        }
        let state = queue.state();
        let mut all = state.definition.shown();
        let counts = state.line.counts(self.queues.now_ms());
        drop(state);
        all.insert("QueueArn".into(), queue.arn());
        for (name, count) in [
            ("ApproximateNumberOfMessages", counts.ready),
            ("ApproximateNumberOfMessagesNotVisible", counts.in_flight),
            ("ApproximateNumberOfMessagesDelayed", counts.delayed),
        ] {
            all.insert(name.into(), count.to_string());
        }
        Ok(map_answer("Attributes", pick(all, &wanted)))
    }

    pub(super) async fn set_queue_attributes(&self, queue: &Queue, input: &Value) -> Answer {
        let attributes = plain(strings(input, "Attributes"));
        let fifo = queue.definition().is_fifo();
        check(&attributes, fifo)?;
        self.check_target(&attributes, fifo)?;
        let now_s = self.queues.world().now().seconds();
        self.queues
            .redefine(queue, |definition| {
                for (name, value) in attributes {
                    if value.is_empty() {
                        definition.attributes.remove(&name);
                    } else {
                        definition.attributes.insert(name, value);
                    }
                }
                definition.modified_s = now_s;
                Ok(())
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) async fn tag_queue(&self, queue: &Queue, input: &Value) -> Answer {
        let tags = strings(input, "Tags");
        self.queues
            .redefine(queue, |definition| {
                definition.tags.extend(tags);
                if definition.tags.len() > 50 {
                    return Err(fault::value("Too many tags added for queue"));
                }
                Ok(())
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) async fn untag_queue(&self, queue: &Queue, input: &Value) -> Answer {
        let keys = texts(input, "TagKeys");
        self.queues
            .redefine(queue, |definition| {
                definition.tags.retain(|key, _| !keys.contains(key));
                Ok(())
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) fn list_queue_tags(&self, queue: &Queue) -> Value {
        map_answer("Tags", pick(queue.definition().tags.clone(), &["All".to_owned()]))
    }
}

fn paged(call: &Call, input: &Value, queues: &[Arc<Queue>], member: &'static str) -> Answer {
    let limit = integer(input, "MaxResults").unwrap_or(1_000);
    if !(1..=1_000).contains(&limit) {
        return Err(fault::value("MaxResults must be between 1 and 1000"));
    }
    let urls = queues.iter().map(|queue| (queue.name().to_owned(), url(call, queue))).collect();
    let invalid = || fault::value("Invalid or expired next token.");
    let page = page(urls, text(input, "NextToken"), limit as usize, invalid)?;
    // Clients read an absent list as none.
    let urls = (!page.items.is_empty()).then(|| page.items.into());
    // A token only for who asked for pages.
    let next = page.next.filter(|_| input.get("MaxResults").is_some()).map(Value::from);
    Ok(object([(member, urls), ("NextToken", next)]))
}

/// Where the queue is reached: at the address this call came to.
fn url(call: &Call, queue: &Queue) -> String {
    let host = call.request.header("host").unwrap_or("127.0.0.1:4566");
    format!("http://{host}/{}/{}", call.caller.account, queue.name())
}
