//! Rotation, with a function that does what its switch says.

use super::House;
use crate::secrets::Secrets;
use crate::secrets::rotor::{Doing, Rotor, Runner};
use serde_json::{Value, json};
use servicekit::call::Caller;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TOKEN: &str = "33333333-3333-4333-8333-333333333333";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:rotate";

/// What a rotation's function does, by itself.
struct Turner {
    house: House,
    fails: Arc<AtomicBool>,
    steps: Arc<Mutex<Vec<String>>>,
}

impl Runner for Turner {
    fn may(&self, _: &Caller, function: &str, _: &str) -> bool {
        function == FUNCTION
    }

    fn run<'a>(&'a self, secret: &'a str, _: &'a str, event: Value) -> Doing<'a> {
        Box::pin(async move {
            let (step, token) = (event["Step"].as_str().unwrap_or_default(), &event["ClientRequestToken"]);
            self.steps.lock().expect("steps").push(step.to_owned());
            let described = self.house.ask("DescribeSecret", json!({"SecretId": secret})).await;
            let stages = &described["VersionIdsToStages"][token.as_str().unwrap_or_default()];
            match step {
                "createSecret" => {
                    assert_eq!(*stages, json!(["AWSPENDING"]));
                    let asked = json!({"SecretId": secret, "VersionId": token, "VersionStage": "AWSPENDING"});
                    let before = self.house.ask("GetSecretValue", asked.clone()).await;
                    if before.get("SecretString").is_none() {
                        let words = "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSPENDING";
                        assert_eq!(self.house.refused("GetSecretValue", asked).await, words);
                        let put = json!({"SecretId": secret, "ClientRequestToken": token, "SecretString": token, "VersionStages": ["AWSPENDING"]});
                        self.house.ask("PutSecretValue", put).await;
                    }
                }
                "testSecret" if self.fails.load(Ordering::Relaxed) => return Err("no login".to_owned()),
                "finishSecret" => {
                    let stages = described["VersionIdsToStages"].as_object().expect("stages");
                    let current = stages.iter().find(|(_, stages)| stages.to_string().contains("AWSCURRENT"));
                    let moved = json!({"SecretId": secret, "VersionStage": "AWSCURRENT", "MoveToVersionId": token,
                        "RemoveFromVersionId": current.expect("a current one").0});
                    self.house.ask("UpdateSecretVersionStage", moved).await;
                }
                _ => {}
            }
            Ok(())
        })
    }
}

struct Bench {
    house: House,
    fails: Arc<AtomicBool>,
    steps: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    fn new() -> Bench {
        let house = House::new();
        let (fails, steps) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::default()));
        let turner = Turner {
            house: House {
                secrets: house.secrets.clone(),
                store: house.store.clone(),
                world: house.world.clone(),
            },
            fails: fails.clone(),
            steps: steps.clone(),
        };
        let secrets = Secrets { rotor: Some(Rotor::new(Box::new(turner))), ..house.secrets.clone() };
        Bench { house: House { secrets, ..house }, fails, steps }
    }

    /// Does what is due, to its end; how many were.
    async fn turn(&self) -> usize {
        let (begun, _) = self.house.secrets.rotate_due().await.expect("the store");
        let count = begun.len();
        for one in begun {
            one.await.expect("a rotation");
        }
        count
    }

    async fn described(&self) -> Value {
        self.house.ask("DescribeSecret", json!({"SecretId": "s"})).await
    }

    fn steps(&self) -> Vec<String> {
        std::mem::take(&mut *self.steps.lock().expect("steps"))
    }

    async fn rotate(&self, more: Value) -> Value {
        let mut input = json!({"SecretId": "s"});
        input.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        self.house.ask("RotateSecret", input).await
    }
}

#[tokio::test]
async fn a_rotation_takes_its_steps_and_comes_again() {
    let bench = Bench::new();
    bench.house.make("s", "first").await;
    let words = "InvalidRequestException: No Lambda rotation function ARN is associated with this secret.";
    assert_eq!(bench.house.refused("RotateSecret", json!({"SecretId": "s"})).await, words);
    let stranger = json!({"SecretId": "s", "RotationLambdaARN": format!("{FUNCTION}s")});
    assert!(bench.house.refused("RotateSecret", stranger).await.starts_with("AccessDeniedException"));

    let asked = json!({"RotationLambdaARN": FUNCTION, "ClientRequestToken": TOKEN, "RotationRules": {"AutomaticallyAfterDays": 10}});
    assert_eq!(bench.rotate(asked).await["VersionId"], TOKEN);
    assert_eq!(bench.house.value("s", json!({})).await, "first", "it goes on to be used meanwhile");
    assert_eq!(bench.turn().await, 1);
    assert_eq!(bench.steps(), ["createSecret", "setSecret", "testSecret", "finishSecret"]);
    assert_eq!(bench.house.value("s", json!({})).await, TOKEN);
    assert_eq!(bench.house.value("s", json!({"VersionStage": "AWSPREVIOUS"})).await, "first");
    let told = bench.described().await;
    assert_eq!((&told["RotationEnabled"], &told["RotationLambdaARN"]), (&json!(true), &json!(FUNCTION)));
    assert_eq!(told["VersionIdsToStages"][TOKEN], json!(["AWSCURRENT"]));
    let (last, next) = (told["LastRotatedDate"].as_f64().expect("a time"), told["NextRotationDate"].as_u64());
    assert_eq!(next, Some(last as u64 + 10 * 86_400));

    assert_eq!(bench.turn().await, 0, "it is not due");
    bench.house.world.advance(Duration::from_secs(10 * 86_400));
    assert_eq!(bench.turn().await, 1);
    assert_eq!(bench.house.value("s", json!({"VersionStage": "AWSPREVIOUS"})).await, TOKEN);
    bench.house.ask("CancelRotateSecret", json!({"SecretId": "s"})).await;
    bench.house.world.advance(Duration::from_secs(10 * 86_400));
    assert_eq!(bench.turn().await, 0);
    assert_eq!(bench.described().await["RotationEnabled"], false);
}

#[tokio::test]
async fn a_step_that_fails_is_tried_again_with_the_same_version() {
    let bench = Bench::new();
    bench.house.make("s", "first").await;
    bench.fails.store(true, Ordering::Relaxed);
    bench.rotate(json!({"RotationLambdaARN": FUNCTION, "ClientRequestToken": TOKEN})).await;
    assert_eq!(bench.turn().await, 1);
    assert_eq!(bench.steps(), ["createSecret", "setSecret", "testSecret"]);
    assert_eq!(bench.house.value("s", json!({})).await, "first");
    assert_eq!(bench.house.value("s", json!({"VersionStage": "AWSPENDING"})).await, TOKEN);
    assert_eq!(bench.turn().await, 0, "after a pause");
    bench.house.world.advance(Duration::from_secs(5));
    assert_eq!(bench.turn().await, 1);

    // Who asks for another one hears that this one is not done, and has it tried at once.
    bench.fails.store(false, Ordering::Relaxed);
    let again = json!({"SecretId": "s", "ClientRequestToken": "44444444-4444-4444-8444-444444444444"});
    let words =
        "InvalidRequestException: A previous rotation isn't complete. That rotation will be reattempted.";
    assert_eq!(bench.house.refused("RotateSecret", again).await, words);
    assert_eq!(bench.turn().await, 1);
    assert_eq!(bench.house.value("s", json!({})).await, TOKEN);

    // Five failures are enough.
    bench.fails.store(true, Ordering::Relaxed);
    bench.rotate(json!({})).await;
    let mut tried = 0;
    for _ in 0..10 {
        tried += bench.turn().await;
        bench.house.world.advance(Duration::from_secs(2_000));
    }
    assert_eq!(tried, 5);
    assert_eq!(bench.house.value("s", json!({})).await, TOKEN);
}
