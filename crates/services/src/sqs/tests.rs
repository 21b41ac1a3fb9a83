//! Queues as clients see them.

use super::{Queues, Sqs};
use crate::testing::{call, document};
use serde_json::{Value, json};
use servicekit::call::{Call, Caller};
use std::time::Duration;
use store::Store;
use wire::Request;
use world::World;

struct House {
    store: Store,
    world: World,
    sqs: Sqs,
}

impl House {
    fn new() -> House {
        let (store, world) = (Store::memory(), World::simulated(3));
        let sqs = Sqs::new(&Queues::open(&store, &world).expect("an empty store opens"));
        House { store, world, sqs }
    }

    /// The same store, opened again.
    fn again(self) -> House {
        let House { store, world, .. } = self;
        let sqs = Sqs::new(&Queues::open(&store, &world).expect("the store opens again"));
        House { store, world, sqs }
    }

    async fn ask(&self, operation: &str, input: Value) -> Value {
        let service = &api::tables::sqs::SERVICE;
        let call = call(service, operation, Request::post(input.to_string()).with_header("host", "here:1"));
        let response = self.sqs.call(call).await;
        document(&response)
    }

    /// What clients asked before queues spoke JSON: a form, to the queue's own address.
    async fn ask_by_form(&self, path: &str, form: &str) -> (u16, String) {
        let mut request = Request::post(format!("Version=2012-11-05&{form}"))
            .with_header("content-type", "application/x-www-form-urlencoded")
            .with_header("host", "here:1");
        request.path = path.to_owned();
        let route = wire::route(&request, api::SERVICES).expect("a queue's operation");
        let call = Call {
            request,
            service: route.service,
            operation: route.operation,
            caller: Caller { account: "123456789012".into(), region: "us-east-1".into(), access_key: None },
            request_id: "id".into(),
            inside: None,
        };
        let response = self.sqs.call(call).await;
        (response.status.as_u16(), String::from_utf8(response.body.to_vec()).expect("text"))
    }

    async fn make(&self, name: &str, attributes: Value) -> String {
        let made = self.ask("CreateQueue", json!({"QueueName": name, "Attributes": attributes})).await;
        made["QueueUrl"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    async fn bodies(&self, url: &str) -> Vec<String> {
        let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0});
        let got = self.ask("ReceiveMessage", input).await;
        let list = got["Messages"].as_array().cloned().unwrap_or_default();
        list.iter().map(|message| message["Body"].as_str().unwrap_or_default().to_owned()).collect()
    }

    async fn count(&self, url: &str) -> [String; 3] {
        let got = self.ask("GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": ["All"]})).await;
        ["", "NotVisible", "Delayed"].map(|kind| {
            got["Attributes"][format!("ApproximateNumberOfMessages{kind}")].as_str().unwrap_or("?").to_owned()
        })
    }
}

#[tokio::test]
async fn a_message_is_sent_received_and_deleted_and_survives_a_restart() {
    let house = House::new();
    let url = house.make("work", json!({})).await;
    assert_eq!(url, "http://here:1/123456789012/work");
    let sent = house
        .ask("SendMessage", json!({"QueueUrl": url, "MessageBody": "hello",
            "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "7"}, "b": {"DataType": "Binary", "BinaryValue": "AQI="}}}))
        .await;
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    let house = house.again();
    let got = house
        .ask(
            "ReceiveMessage",
            json!({"QueueUrl": url, "MessageAttributeNames": ["All"], "AttributeNames": ["All"]}),
        )
        .await;
    let message = &got["Messages"][0];
    assert_eq!(message["Body"], "hello");
    assert_eq!(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert_eq!(message["MessageAttributes"]["b"], json!({"BinaryValue": "AQI=", "DataType": "Binary"}));
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1");
    let house = house.again();
    assert_eq!(house.count(&url).await, ["0", "1", "0"], "a restart does not bring it back early");
    let gone =
        house.ask("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})).await;
    assert_eq!(gone, json!({}));
    let house = house.again();
    house.world.advance(Duration::from_secs(60));
    assert_eq!(house.bodies(&url).await, [""; 0]);
}

#[tokio::test]
async fn visibility_runs_out_and_is_changed() {
    let house = House::new();
    let url = house.make("q", json!({"VisibilityTimeout": "30"})).await;
    house.ask("SendMessage", json!({"QueueUrl": url, "MessageBody": "m"})).await;
    let got = house.ask("ReceiveMessage", json!({"QueueUrl": url})).await;
    let handle = &got["Messages"][0]["ReceiptHandle"];
    assert_eq!(house.bodies(&url).await, [""; 0]);
    house
        .ask(
            "ChangeMessageVisibility",
            json!({"QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": 100}),
        )
        .await;
    house.world.advance(Duration::from_secs(99));
    assert_eq!(house.bodies(&url).await, [""; 0]);
    house.world.advance(Duration::from_secs(1));
    assert_eq!(house.bodies(&url).await, ["m"]);
    let late = house
        .ask(
            "ChangeMessageVisibility",
            json!({"QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": 1}),
        )
        .await;
    assert_eq!(late["__type"], "com.amazonaws.sqs#MessageNotInflight");
    house.ask("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": handle})).await;
    let gone = json!({"QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": 1});
    let gone = house.ask("ChangeMessageVisibility", gone).await;
    assert_eq!(gone["__type"], "com.amazonaws.sqs#InvalidParameterValueException");
    let garbage = house.ask("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": "garbage"})).await;
    assert_eq!(garbage["message"], "The input receipt handle \"garbage\" is not a valid receipt handle.");
}

#[tokio::test]
async fn truths_are_written_in_any_letters_and_tenants_are_told() {
    let house = House::new();
    let fifo = house.make("q.fifo", json!({"FifoQueue": "True", "ContentBasedDeduplication": "False"})).await;
    let all = house.ask("GetQueueAttributes", json!({"QueueUrl": fifo, "AttributeNames": ["All"]})).await;
    let told = ["FifoQueue", "ContentBasedDeduplication"].map(|name| all["Attributes"][name].clone());
    assert_eq!(told, ["true", "false"]);
    let url = house.make("q", json!({})).await;
    house.ask("SendMessage", json!({"QueueUrl": url, "MessageBody": "m", "MessageGroupId": "tenant"})).await;
    let got = house.ask("ReceiveMessage", json!({"QueueUrl": url, "AttributeNames": ["All"]})).await;
    assert_eq!(got["Messages"][0]["Attributes"]["MessageGroupId"], "tenant");
}

#[tokio::test]
async fn a_waiting_receiver_is_woken() {
    let house = std::sync::Arc::new(House::new());
    let url = house.make("q", json!({})).await;
    let (waiting, waiting_url) = (house.clone(), url.clone());
    let receiver = tokio::spawn(async move {
        waiting.ask("ReceiveMessage", json!({"QueueUrl": waiting_url, "WaitTimeSeconds": 20})).await
    });
    tokio::task::yield_now().await;
    house.ask("SendMessage", json!({"QueueUrl": url, "MessageBody": "wake"})).await;
    assert_eq!(receiver.await.expect("it ends")["Messages"][0]["Body"], "wake");
}

#[tokio::test]
async fn what_fails_too_often_moves_to_the_dead_letter_queue() {
    let house = House::new();
    let dead = house.make("dead", json!({})).await;
    let policy =
        json!({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": "2"})
            .to_string();
    let url = house.make("q", json!({"RedrivePolicy": policy, "VisibilityTimeout": "1"})).await;
    house.ask("SendMessage", json!({"QueueUrl": url, "MessageBody": "poison"})).await;
    for _ in 0..2 {
        assert_eq!(house.bodies(&url).await, ["poison"]);
        house.world.advance(Duration::from_secs(1));
    }
    assert_eq!(house.bodies(&url).await, [""; 0]);
    let house = house.again();
    let got =
        house.ask("ReceiveMessage", json!({"QueueUrl": dead, "MessageSystemAttributeNames": ["All"]})).await;
    let attributes = &got["Messages"][0]["Attributes"];
    assert_eq!(attributes["DeadLetterQueueSourceArn"], "arn:aws:sqs:us-east-1:123456789012:q");
    assert_eq!(attributes["ApproximateReceiveCount"], "3");
    assert_eq!(house.count(&url).await, ["0", "0", "0"]);
    let sources = house.ask("ListDeadLetterSourceQueues", json!({"QueueUrl": dead})).await;
    assert_eq!(sources["queueUrls"], json!([url]));
}

#[tokio::test]
async fn fifo_queues_keep_groups_in_order_and_send_once() {
    let house = House::new();
    let url = house.make("q.fifo", json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"})).await;
    let entry = |id: &str, group: &str| json!({"Id": id, "MessageBody": id, "MessageGroupId": group});
    let entries = [entry("a1", "a"), entry("a2", "a"), entry("b1", "b")];
    let sent = house.ask("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries})).await;
    assert_eq!(sent["Successful"].as_array().map(Vec::len), Some(3), "{sent}");
    let first = house.ask("ReceiveMessage", json!({"QueueUrl": url})).await;
    assert_eq!(first["Messages"][0]["Body"], "a1");
    assert_eq!(house.bodies(&url).await, ["b1"]);
    house
        .ask(
            "DeleteMessage",
            json!({"QueueUrl": url, "ReceiptHandle": first["Messages"][0]["ReceiptHandle"]}),
        )
        .await;
    assert_eq!(house.bodies(&url).await, ["a2"]);
    let house = house.again();
    let twice =
        house.ask("SendMessage", json!({"QueueUrl": url, "MessageBody": "a1", "MessageGroupId": "a"})).await;
    assert_eq!(twice["MessageId"], sent["Successful"][0]["MessageId"], "known again after a restart");
    house.world.advance(Duration::from_secs(300));
    assert_eq!(house.bodies(&url).await, ["a2", "b1"]);
    house.ask("SendMessage", json!({"QueueUrl": url, "MessageBody": "a1", "MessageGroupId": "c"})).await;
    assert_eq!(house.bodies(&url).await, ["a1"], "five minutes later it is another message");
}

#[tokio::test]
async fn purged_deleted_and_delayed() {
    let house = House::new();
    let url = house.make("q", json!({"DelaySeconds": "10"})).await;
    house.ask("SendMessage", json!({"QueueUrl": url, "MessageBody": "later"})).await;
    house.ask("SendMessage", json!({"QueueUrl": url, "MessageBody": "now", "DelaySeconds": 0})).await;
    assert_eq!(house.count(&url).await, ["1", "0", "1"]);
    assert_eq!(house.bodies(&url).await, ["now"]);
    house.world.advance(Duration::from_secs(10));
    assert_eq!(house.bodies(&url).await, ["later"]);
    house.ask("PurgeQueue", json!({"QueueUrl": url})).await;
    let house = house.again();
    assert_eq!(house.count(&url).await, ["0", "0", "0"]);
    let clash =
        house.ask("CreateQueue", json!({"QueueName": "q", "Attributes": {"DelaySeconds": "11"}})).await;
    assert_eq!(clash["__type"], "com.amazonaws.sqs#QueueNameExists");
    house.ask("DeleteQueue", json!({"QueueUrl": url})).await;
    let gone = house.ask("SendMessage", json!({"QueueUrl": url, "MessageBody": "m"})).await;
    assert_eq!(gone["__type"], "com.amazonaws.sqs#QueueDoesNotExist");
    let odd = house.ask("CreateQueue", json!({"QueueName": "q", "Attributes": {"Odd": "1"}})).await;
    assert_eq!(odd["__type"], "com.amazonaws.sqs#InvalidAttributeName");
}

/// Answers recorded from the service itself.
#[tokio::test]
async fn what_was_recorded_is_what_is_answered() {
    let house = House::new();
    let url = house.make("q", json!({"MaximumMessageSize": "1024"})).await;
    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 11});
    let told = house.ask("ReceiveMessage", input).await;
    assert_eq!(told["__type"], "com.amazonaws.sqs#InvalidParameterValueException");
    let told = house.ask("SendMessage", json!({"QueueUrl": url, "MessageBody": ""})).await;
    assert_eq!(told["__type"], "com.amazonaws.sqs#MissingRequiredParameterException");
    let told =
        house.ask("GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": ["Nonsense"]})).await;
    assert_eq!(told["message"], "Unknown Attribute Nonsense.");

    let told = house.ask("DeleteMessageBatch", json!({"QueueUrl": url, "Entries": []})).await;
    let words = "There should be at least one DeleteMessageBatchRequestEntry in the request.";
    assert_eq!(told["message"], words);

    let long = json!({"QueueUrl": url, "Entries": [{"Id": "1", "MessageBody": "m".repeat(1025)}]});
    let failed = house.ask("SendMessageBatch", long).await["Failed"][0].clone();
    assert_eq!(failed["Code"], "InvalidParameterValue");
    let words =
        "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.";
    assert_eq!(failed["Message"], words);

    let attributes = json!({"attr.1øßä": {"StringValue": "x", "DataType": "String"}});
    house
        .ask("SendMessage", json!({"QueueUrl": url, "MessageBody": "m", "MessageAttributes": attributes}))
        .await;
    let input = json!({"QueueUrl": url, "MessageAttributeNames": ["*"], "AttributeNames": ["SenderId", "AWSTraceHeader"]});
    let got = house.ask("ReceiveMessage", input).await["Messages"][0].clone();
    assert_eq!(got["MessageAttributes"], attributes);
    assert_eq!(got["Attributes"], json!({"SenderId": "123456789012"}));
}

#[tokio::test]
async fn a_purge_forgets_what_was_sent_and_comes_once_a_minute() {
    let house = House::new();
    let url = house.make("q.fifo", json!({"FifoQueue": "true"})).await;
    let message = |body: &str, group: &str, id: &str| json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": id});
    house.ask("SendMessage", message("before", "g", "same")).await;
    house.ask("PurgeQueue", json!({"QueueUrl": url})).await;
    house.ask("SendMessage", message("after", "g", "same")).await;
    assert_eq!(house.bodies(&url).await, ["after"]);
    let told = house.ask("PurgeQueue", json!({"QueueUrl": url})).await;
    assert_eq!(told["message"], "Only one PurgeQueue operation on q.fifo is allowed every 60 seconds.");
    house.world.advance(Duration::from_secs(60));
    assert_eq!(house.ask("PurgeQueue", json!({"QueueUrl": url})).await, json!({}));

    // Of one group as much as there is, before the next.
    for (body, group) in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("c1", "c"), ("a3", "a")] {
        house.ask("SendMessage", message(body, group, body)).await;
    }
    assert_eq!(house.bodies(&url).await, ["a1", "a2", "a3", "b1", "c1"]);
}

#[tokio::test]
async fn older_clients_speak_forms() {
    let house = House::new();
    let made = "Action=CreateQueue&QueueName=old&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=7&Tag.1.Key=a&Tag.1.Value=b";
    let (status, body) = house.ask_by_form("/", made).await;
    assert_eq!(status, 200, "{body}");
    assert!(
        body.contains(
            "<CreateQueueResult><QueueUrl>http://here:1/123456789012/old</QueueUrl></CreateQueueResult>"
        ),
        "{body}"
    );
    let path = "/123456789012/old";

    let sent = "Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=one&SendMessageBatchRequestEntry.1.MessageBody=a%3Cb\
        &SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=Number\
        &SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue=7";
    let (status, body) = house.ask_by_form(path, sent).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("<SendMessageBatchResultEntry><Id>one</Id>"), "{body}");

    let asked = "Action=ReceiveMessage&AttributeName.1=ApproximateReceiveCount&MessageAttributeName.1=All&WaitTimeSeconds=0";
    let (status, body) = house.ask_by_form(path, asked).await;
    assert_eq!(status, 200, "{body}");
    for part in [
        "<ReceiveMessageResult><Message><MessageId>",
        "<Body>a&lt;b</Body>",
        "<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>",
        "<MessageAttribute><Name>n</Name><Value><StringValue>7</StringValue><DataType>Number</DataType></Value></MessageAttribute>",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }

    let (_, body) =
        house.ask_by_form(path, "Action=GetQueueAttributes&AttributeName.1=VisibilityTimeout").await;
    assert!(body.contains("<Attribute><Name>VisibilityTimeout</Name><Value>7</Value></Attribute>"), "{body}");
    let (_, body) = house.ask_by_form(path, "Action=ListQueueTags").await;
    assert!(body.contains("<Tag><Key>a</Key><Value>b</Value></Tag>"), "{body}");

    let (status, body) = house.ask_by_form("/123456789012/none", "Action=PurgeQueue").await;
    assert_eq!(status, 400);
    assert!(body.contains("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"), "{body}");
    let (status, body) = house.ask_by_form("/", "Action=PurgeQueue").await;
    assert_eq!(status, 400);
    assert!(body.contains("<Code>MissingParameter</Code>"), "{body}");
}
