//! Secrets as clients see them.

mod rotation;

use super::Secrets;
use crate::testing::{call, document};
use serde_json::{Value, json};
use servicekit::vault::Vault;
use std::time::Duration;
use store::{Order, Space, Store};
use wire::Request;
use world::World;

const TOKEN: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";

struct House {
    store: Store,
    world: World,
    secrets: Secrets,
}

impl House {
    fn new() -> House {
        let (store, world) = (Store::memory(), World::simulated(5));
        let secrets = Secrets::over(&store, &world, &Vault::fleeting(&world));
        House { store, world, secrets }
    }

    /// As clients ask, which make up a token where none is given.
    async fn ask(&self, operation: &str, mut input: Value) -> Value {
        if matches!(operation, "CreateSecret" | "PutSecretValue" | "UpdateSecret" | "RotateSecret") {
            let members = input.as_object_mut().expect("an object");
            members.entry("ClientRequestToken").or_insert_with(|| self.world.uuid().into());
        }
        self.send(operation, input).await
    }

    async fn send(&self, operation: &str, input: Value) -> Value {
        let service = &api::tables::secretsmanager::SERVICE;
        let call = call(service, operation, Request::post(input.to_string()));
        let response = self.secrets.call(call).await;
        document(&response)
    }

    /// The code and the words of a refusal.
    async fn refused(&self, operation: &str, input: Value) -> String {
        let answer = self.ask(operation, input).await;
        let words = answer.get("Message").or_else(|| answer.get("message")).cloned().unwrap_or_default();
        format!("{}: {}", answer["__type"].as_str().unwrap_or_default(), words.as_str().unwrap_or_default())
    }

    async fn value(&self, id: &str, more: Value) -> Value {
        let mut input = json!({ "SecretId": id });
        input.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        self.ask("GetSecretValue", input).await["SecretString"].clone()
    }

    async fn make(&self, name: &str, value: &str) -> String {
        let made = self.ask("CreateSecret", json!({"Name": name, "SecretString": value})).await;
        made["ARN"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }
}

#[tokio::test]
async fn a_secret_is_found_by_its_name_and_its_arn_and_lies_sealed() {
    let house = House::new();
    let arn = house.make("app/password-two", "open sesame").await;
    let (short, suffix) = arn.rsplit_once('-').expect("a suffix");
    assert_eq!(short, "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/password-two");
    assert!(suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{suffix}");
    for id in ["app/password-two", &arn, short] {
        assert_eq!(house.value(id, json!({})).await, "open sesame", "{id}");
    }
    for id in ["app/password", "arn:aws:secretsmanager:us-west-2:123456789012:secret:app/password-two"] {
        let words = "ResourceNotFoundException: Secrets Manager can't find the specified secret.";
        assert_eq!(house.refused("GetSecretValue", json!({"SecretId": id})).await, words, "{id}");
    }
    let snapshot = house.store.snapshot();
    for entry in snapshot.range(Space::Meta, &[], &[0xff], Order::Forward) {
        let (_, bytes) = entry.expect("readable");
        assert!(!bytes.windows(6).any(|part| part == b"sesame"));
    }
    // Another key opens nothing, and says why.
    let stranger =
        House { secrets: Secrets::over(&house.store, &house.world, &Vault::fleeting(&house.world)), ..house };
    assert!(stranger.refused("GetSecretValue", json!({"SecretId": arn})).await.contains("secrets.key"));
}

#[tokio::test]
async fn versions_move_their_labels_and_tokens_repeat_safely() {
    let house = House::new();
    let made = json!({"Name": "s", "SecretString": "one", "ClientRequestToken": TOKEN});
    let first = house.ask("CreateSecret", made.clone()).await;
    assert_eq!((house.ask("CreateSecret", made).await, &first["VersionId"]), (first.clone(), &json!(TOKEN)));
    let words = "ResourceExistsException: The operation failed because the secret s already exists.";
    assert_eq!(house.refused("CreateSecret", json!({"Name": "s", "SecretString": "one"})).await, words);

    let put = json!({"SecretId": "s", "SecretString": "two", "ClientRequestToken": OTHER});
    let second = house.ask("PutSecretValue", put.clone()).await;
    assert_eq!(second["VersionStages"], json!(["AWSCURRENT"]));
    assert_eq!(house.ask("PutSecretValue", put).await, second);
    let changed = json!({"SecretId": "s", "SecretString": "three", "ClientRequestToken": OTHER});
    let taken = |token: &str| {
        let arn = first["ARN"].as_str().expect("an ARN");
        format!(
            "ResourceExistsException: You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}."
        )
    };
    assert_eq!(house.refused("PutSecretValue", changed).await, taken(OTHER));
    let other = json!({"Name": "s", "SecretString": "other", "ClientRequestToken": TOKEN});
    assert_eq!(house.refused("CreateSecret", other).await, taken(TOKEN));
    assert_eq!(house.value("s", json!({})).await, "two");
    assert_eq!(house.value("s", json!({"VersionStage": "AWSPREVIOUS"})).await, "one");
    assert_eq!(house.value("s", json!({"VersionId": TOKEN})).await, "one");
    let both = json!({"SecretId": "s", "VersionId": TOKEN, "VersionStage": "AWSCURRENT"});
    let words = "InvalidRequestException: You provided a VersionStage that is not associated to the provided VersionId.";
    assert_eq!(house.refused("GetSecretValue", both).await, words);

    let back = json!({"SecretId": "s", "VersionStage": "AWSCURRENT", "MoveToVersionId": TOKEN, "RemoveFromVersionId": OTHER});
    assert_eq!(house.ask("UpdateSecretVersionStage", back.clone()).await["Name"], "s");
    assert_eq!(house.value("s", json!({})).await, "one");
    assert!(house.refused("UpdateSecretVersionStage", back).await.starts_with("InvalidParameterException"));
    let shown = house.ask("DescribeSecret", json!({"SecretId": "s"})).await;
    assert_eq!(shown["VersionIdsToStages"], json!({TOKEN: ["AWSCURRENT"], OTHER: ["AWSPREVIOUS"]}));
    house.ask("UpdateSecret", json!({"SecretId": "s", "SecretString": "three", "Description": "new"})).await;
    let ids = house.ask("ListSecretVersionIds", json!({"SecretId": "s"})).await;
    assert_eq!(ids["Versions"].as_array().map(Vec::len), Some(2));
    let all = house.ask("ListSecretVersionIds", json!({"SecretId": "s", "IncludeDeprecated": true})).await;
    assert_eq!(all["Versions"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_deleted_secret_can_be_restored_until_its_window_is_over() {
    let house = House::new();
    let arn = house.make("s", "one").await;
    house.ask("DeleteSecret", json!({"SecretId": "s", "RecoveryWindowInDays": 7})).await;
    let words = "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.";
    assert_eq!(house.refused("GetSecretValue", json!({"SecretId": "s"})).await, words);
    let words = "InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion.";
    assert_eq!(house.refused("CreateSecret", json!({"Name": "s"})).await, words);
    assert_eq!(house.ask("ListSecrets", json!({})).await["SecretList"], json!([]));
    house.ask("RestoreSecret", json!({"SecretId": "s"})).await;
    assert_eq!(house.value("s", json!({})).await, "one");

    house.ask("DeleteSecret", json!({"SecretId": "s", "RecoveryWindowInDays": 7})).await;
    house.world.advance(Duration::from_secs(7 * 86_400));
    assert!(house.refused("RestoreSecret", json!({"SecretId": "s"})).await.starts_with("ResourceNotFound"));
    assert_ne!(house.make("s", "two").await, arn);
    assert!(house.refused("DescribeSecret", json!({"SecretId": arn})).await.starts_with("ResourceNotFound"));
    let both = json!({"SecretId": "s", "ForceDeleteWithoutRecovery": true, "RecoveryWindowInDays": 7});
    assert!(house.refused("DeleteSecret", both).await.starts_with("InvalidParameterException"));
    house.ask("DeleteSecret", json!({"SecretId": "s", "ForceDeleteWithoutRecovery": true})).await;
    house.make("s", "three").await;
}

#[tokio::test]
async fn lists_are_searched_sorted_and_paged() {
    let house = House::new();
    for (name, tag) in [("app/one", "red"), ("app/two", "blue"), ("other", "red")] {
        let tags = json!([{"Key": "colour", "Value": tag}]);
        let input = json!({"Name": name, "SecretString": name, "Description": format!("The {tag} one"), "Tags": tags});
        house.ask("CreateSecret", input).await;
        house.world.advance(Duration::from_secs(1));
    }
    let names = async |input: Value| {
        let listed = house.ask("ListSecrets", input).await;
        let list = listed["SecretList"].as_array().cloned().unwrap_or_else(|| panic!("{listed}"));
        list.iter().map(|entry| entry["Name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let filter = |key: &str, values: &[&str]| json!({"Filters": [{"Key": key, "Values": values}]});
    assert_eq!(names(json!({"SortOrder": "desc"})).await, ["other", "app/two", "app/one"]);
    assert_eq!(names(filter("name", &["app/"])).await, ["app/one", "app/two"]);
    assert_eq!(names(filter("name", &["!app/"])).await, ["other"]);
    assert_eq!(names(filter("name", &["APP/"])).await, Vec::<String>::new());
    assert_eq!(names(filter("tag-value", &["red"])).await, ["app/one", "other"]);
    assert_eq!(names(filter("description", &["BLUE"])).await, ["app/two"]);
    assert_eq!(names(filter("all", &["two"])).await, ["app/two"]);
    let page = house.ask("ListSecrets", json!({"MaxResults": 2})).await;
    assert_eq!(names(json!({"MaxResults": 2, "NextToken": page["NextToken"]})).await, ["other"]);
    assert!(house.refused("ListSecrets", json!({"NextToken": "x"})).await.starts_with("InvalidNextToken"));

    let batch = house.ask("BatchGetSecretValue", json!({"SecretIdList": ["app/one", "none"]})).await;
    assert_eq!(batch["SecretValues"][0]["SecretString"], "app/one");
    assert_eq!(batch["Errors"][0]["ErrorCode"], "ResourceNotFoundException");
    let batch = house.ask("BatchGetSecretValue", filter("name", &["app/"])).await;
    assert_eq!(batch["SecretValues"].as_array().map(Vec::len), Some(2));
    house.ask("UntagResource", json!({"SecretId": "other", "TagKeys": ["colour"]})).await;
    assert_eq!(names(filter("tag-key", &["col"])).await, ["app/one", "app/two"]);
}

#[tokio::test]
async fn passwords_have_what_is_asked_for() {
    let house = House::new();
    for _ in 0..50 {
        let made = house.ask("GetRandomPassword", json!({"PasswordLength": 4})).await;
        let password = made["RandomPassword"].as_str().expect("a password");
        let has = |test: fn(&char) -> bool| password.chars().filter(test).count() == 1;
        assert!(has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase), "{password}");
        assert!(has(char::is_ascii_digit) && has(char::is_ascii_punctuation), "{password}");
    }
    let plain =
        json!({"ExcludePunctuation": true, "ExcludeUppercase": true, "ExcludeCharacters": "0123456789a"});
    let made = house.ask("GetRandomPassword", plain).await;
    let password = made["RandomPassword"].as_str().expect("a password");
    assert!(password.len() == 32 && password.bytes().all(|byte| (b'b'..=b'z').contains(&byte)), "{password}");
    let short = "InvalidParameterException: Password length is too short based on the required types.";
    assert_eq!(house.refused("GetRandomPassword", json!({"PasswordLength": 3})).await, short);
}

#[tokio::test]
async fn values_are_checked_and_policies_kept() {
    let house = House::new();
    let made = house.ask("CreateSecret", json!({"Name": "empty"})).await;
    assert!(made.get("VersionId").is_none());
    let words = "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
    assert_eq!(house.refused("GetSecretValue", json!({"SecretId": "empty"})).await, words);
    house.ask("PutSecretValue", json!({"SecretId": "empty", "SecretBinary": "AAEC"})).await;
    assert_eq!(house.ask("GetSecretValue", json!({"SecretId": "empty"})).await["SecretBinary"], "AAEC");
    let words = "ValidationException: Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";
    assert_eq!(house.refused("CreateSecret", json!({"Name": "a b"})).await, words);
    let replicas = json!({"Name": "x", "AddReplicaRegions": [{"Region": "us-west-2"}]});
    assert!(house.refused("CreateSecret", replicas).await.contains("AddReplicaRegions is not supported"));

    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
    let put = json!({"SecretId": "empty", "ResourcePolicy": policy});
    assert_eq!(house.ask("PutResourcePolicy", put).await["Name"], "empty");
    let block = json!({"SecretId": "empty", "ResourcePolicy": policy, "BlockPublicPolicy": true});
    assert!(house.refused("PutResourcePolicy", block).await.starts_with("PublicPolicyException"));
    assert_eq!(house.ask("GetResourcePolicy", json!({"SecretId": "empty"})).await["ResourcePolicy"], policy);
    house.ask("DeleteResourcePolicy", json!({"SecretId": "empty"})).await;
    assert_eq!(
        house.ask("GetResourcePolicy", json!({"SecretId": "empty"})).await.get("ResourcePolicy"),
        None
    );
}

/// Answers recorded from the service itself.
#[tokio::test]
async fn what_was_recorded_is_what_is_answered() {
    let house = House::new();
    let words = "InvalidRequestException: You must provide a ClientRequestToken value. We recommend a UUID-type value.";
    for (operation, member, code) in [
        ("CreateSecret", "Name", words.to_owned()),
        ("UpdateSecret", "SecretId", words.to_owned()),
        ("PutSecretValue", "SecretId", words.to_owned()),
        ("RotateSecret", "SecretId", words.replacen("Request", "Parameter", 1)),
    ] {
        let mut input = json!({"SecretString": "one"});
        input[member] = "nobody".into();
        let told = house.send(operation, input).await;
        let code = code.split_once(": ").expect("a code and words");
        assert_eq!((&told["__type"], &told["Message"]), (&json!(code.0), &json!(code.1)), "{operation}");
    }
    // What is no name is not looked for.
    let words = "ValidationException: Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";
    let input = json!({"SecretId": "a name", "ForceDeleteWithoutRecovery": true});
    assert_eq!(house.refused("DeleteSecret", input).await, words);
    // What is not there can be thrown away.
    let gone =
        house.ask("DeleteSecret", json!({"SecretId": "none", "ForceDeleteWithoutRecovery": true})).await;
    assert_eq!(gone["Name"], "none");

    house.ask("CreateSecret", json!({"Name": "s", "Description": ""})).await;
    let shown = house.ask("DescribeSecret", json!({"SecretId": "s"})).await;
    assert!(shown.get("Description").is_none() && shown.get("Tags").is_none(), "{shown}");
    house.ask("TagResource", json!({"SecretId": "s", "Tags": [{"Key": "k", "Value": "v"}]})).await;
    house.ask("UntagResource", json!({"SecretId": "s", "TagKeys": ["k"]})).await;
    assert_eq!(house.ask("DescribeSecret", json!({"SecretId": "s"})).await["Tags"], json!([]));

    let put = |token: &str, stages: Value| json!({"SecretId": "s", "SecretString": token, "ClientRequestToken": token, "VersionStages": stages});
    house.ask("PutSecretValue", put(TOKEN, json!(["AWSCURRENT", "AWSPENDING"]))).await;
    house.value("s", json!({})).await;
    house.world.advance(Duration::from_secs(1));
    house.ask("PutSecretValue", put(OTHER, json!(["AWSCURRENT"]))).await;
    let versions = house.ask("ListSecretVersionIds", json!({"SecretId": "s"})).await["Versions"].clone();
    assert_eq!(versions[1]["VersionStages"], json!(["AWSPREVIOUS"]), "what was current is pending no more");
    assert_eq!(versions[1]["KmsKeyIds"], json!(["DefaultEncryptionKey"]));
    assert!(versions[1]["LastAccessedDate"].is_number() && versions[0].get("LastAccessedDate").is_none());
}

#[tokio::test]
async fn descriptions_are_searched_by_words_and_policies_are_tried() {
    let house = House::new();
    for (name, description) in [("one", "a secret"), ("two", "an secret"), ("three", "asecret")] {
        house.ask("CreateSecret", json!({"Name": name, "Description": description})).await;
    }
    let named = async |value: &str| {
        let input = json!({"Filters": [{"Key": "description", "Values": [value]}], "SortBy": "name"});
        let found = house.ask("ListSecrets", input).await["SecretList"].clone();
        found
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| one["Name"].to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(named("a").await, r#""one" "three" "two""#);
    assert_eq!(named("a secret").await, r#""one" "two""#);
    assert_eq!(named("!a").await, "");

    let policy = |principal: &str| {
        let policy = json!({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "*"}]});
        json!({"SecretId": "one", "ResourcePolicy": policy.to_string()})
    };
    let tried = house.ask("ValidateResourcePolicy", policy("arn:aws:iam::123456789012:root")).await;
    assert_eq!(tried, json!({"PolicyValidationPassed": true, "ValidationErrors": []}));
    assert_eq!(house.ask("ValidateResourcePolicy", policy("*")).await["PolicyValidationPassed"], false);
    let broken = house.refused("ValidateResourcePolicy", json!({"ResourcePolicy": "{"})).await;
    assert_eq!(broken, "MalformedPolicyDocumentException: This resource policy contains invalid Json.");
}
