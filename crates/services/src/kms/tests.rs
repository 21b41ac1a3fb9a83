//! Keys as clients see them.

use super::Kms;
use crate::testing::{call, document};
use serde_json::{Value, json};
use servicekit::vault::Vault;
use std::time::Duration;
use store::Store;
use wire::Request;
use world::World;

struct Bench {
    world: World,
    kms: Kms,
}

impl Bench {
    fn new() -> Bench {
        let (store, world) = (Store::memory(), World::simulated(7));
        let kms = Kms::over(&store, &world, &Vault::fleeting(&world));
        Bench { world, kms }
    }

    async fn ask(&self, operation: &str, input: Value) -> Value {
        let service = &api::tables::kms::SERVICE;
        let call = call(service, operation, Request::post(input.to_string()));
        let response = self.kms.call(call).await;
        document(&response)
    }

    /// The code of a refusal.
    async fn refused(&self, operation: &str, input: Value) -> String {
        let answer = self.ask(operation, input).await;
        answer["__type"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    async fn key(&self) -> String {
        let made = self.ask("CreateKey", json!({})).await;
        made["KeyMetadata"]["KeyId"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    async fn encrypt(&self, key: &str, context: Value) -> String {
        let input = json!({"KeyId": key, "Plaintext": "aGVsbG8=", "EncryptionContext": context});
        let sealed = self.ask("Encrypt", input).await;
        sealed["CiphertextBlob"].as_str().unwrap_or_else(|| panic!("{sealed}")).to_owned()
    }
}

#[tokio::test]
async fn what_is_encrypted_opens_with_its_key_and_context_only() {
    let bench = Bench::new();
    let (key, other) = (bench.key().await, bench.key().await);
    let sealed = bench.encrypt(&key, json!({"a": "1", "b": "2"})).await;
    let open = json!({"CiphertextBlob": sealed, "EncryptionContext": {"b": "2", "a": "1"}});
    let opened = bench.ask("Decrypt", open.clone()).await;
    assert_eq!(opened["Plaintext"], "aGVsbG8=");
    assert_eq!(opened["KeyId"], format!("arn:aws:kms:us-east-1:123456789012:key/{key}"));
    let without = json!({"CiphertextBlob": sealed});
    assert_eq!(bench.ask("Decrypt", without).await, json!({"__type": "InvalidCiphertextException"}));
    let mut wrong = open.clone();
    wrong["KeyId"] = other.as_str().into();
    assert_eq!(bench.refused("Decrypt", wrong).await, "IncorrectKeyException");
    for broken in ["AAAA", &sealed[..sealed.len() - 8], &sealed.replacen('A', "B", 1)] {
        let answer = bench
            .refused("Decrypt", json!({"CiphertextBlob": broken, "EncryptionContext": {"a": "1", "b": "2"}}))
            .await;
        assert_eq!(answer, "InvalidCiphertextException");
    }

    let moved = json!({"CiphertextBlob": sealed, "SourceEncryptionContext": {"a": "1", "b": "2"}, "DestinationKeyId": other});
    let moved = bench.ask("ReEncrypt", moved).await;
    let opened = bench.ask("Decrypt", json!({"CiphertextBlob": moved["CiphertextBlob"]})).await;
    assert_eq!((&opened["Plaintext"], &opened["KeyId"]), (&json!("aGVsbG8="), &moved["KeyId"]));
    let dry = json!({"KeyId": key, "Plaintext": "aGVsbG8=", "DryRun": true});
    assert_eq!(bench.refused("Encrypt", dry).await, "DryRunOperationException");
}

#[tokio::test]
async fn data_keys_open_to_what_was_given_out() {
    let bench = Bench::new();
    let key = bench.key().await;
    let made = bench.ask("GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})).await;
    let opened = bench.ask("Decrypt", json!({"CiphertextBlob": made["CiphertextBlob"]})).await;
    assert_eq!(opened["Plaintext"], made["Plaintext"]);
    assert_eq!(wire::base64::decode(made["Plaintext"].as_str().expect("a key")).expect("base64").len(), 32);
    let made = bench.ask("GenerateDataKeyWithoutPlaintext", json!({"KeyId": key, "NumberOfBytes": 5})).await;
    assert_eq!(made.get("Plaintext"), None);
    let opened = bench.ask("Decrypt", json!({"CiphertextBlob": made["CiphertextBlob"]})).await;
    assert_eq!(opened["Plaintext"].as_str().map(str::len), Some(8));
    assert_eq!(bench.refused("GenerateDataKey", json!({"KeyId": key})).await, "ValidationException");
    assert_eq!(
        bench.ask("GenerateRandom", json!({"NumberOfBytes": 3})).await["Plaintext"].as_str().map(str::len),
        Some(4)
    );
}

#[tokio::test]
async fn aliases_name_keys_and_awss_own_are_there() {
    let bench = Bench::new();
    let (key, other) = (bench.key().await, bench.key().await);
    let alias = |target: &str| json!({"AliasName": "alias/mine", "TargetKeyId": target});
    bench.ask("CreateAlias", alias(&key)).await;
    assert_eq!(bench.refused("CreateAlias", alias(&other)).await, "AlreadyExistsException");
    let sealed = bench.encrypt("alias/mine", json!({})).await;
    bench.ask("UpdateAlias", alias(&other)).await;
    let shown =
        bench.ask("DescribeKey", json!({"KeyId": "arn:aws:kms:us-east-1:123456789012:alias/mine"})).await;
    assert_eq!(shown["KeyMetadata"]["KeyId"], other.as_str());
    assert_eq!(bench.ask("Decrypt", json!({"CiphertextBlob": sealed})).await["Plaintext"], "aGVsbG8=");
    let listed = bench.ask("ListAliases", json!({"KeyId": other})).await;
    assert_eq!(listed["Aliases"][0]["AliasName"], "alias/mine");
    bench.ask("DeleteAlias", json!({"AliasName": "alias/mine"})).await;
    assert_eq!(bench.refused("DescribeKey", json!({"KeyId": "alias/mine"})).await, "NotFoundException");

    let own = bench.ask("DescribeKey", json!({"KeyId": "alias/aws/s3"})).await["KeyMetadata"].clone();
    assert_eq!(own["KeyManager"], "AWS");
    assert_eq!(
        bench.ask("DescribeKey", json!({"KeyId": "alias/aws/s3"})).await["KeyMetadata"]["KeyId"],
        own["KeyId"]
    );
    bench.encrypt("alias/aws/s3", json!({})).await;
    assert_eq!(
        bench.refused("DisableKey", json!({"KeyId": own["KeyId"]})).await,
        "UnsupportedOperationException"
    );
    let taken = json!({"AliasName": "alias/aws/s3", "TargetKeyId": key});
    assert_eq!(bench.refused("CreateAlias", taken).await, "InvalidAliasNameException");
}

#[tokio::test]
async fn keys_are_switched_deleted_and_rotated() {
    let bench = Bench::new();
    let key = bench.key().await;
    let id = json!({"KeyId": key});
    let old = bench.encrypt(&key, json!({})).await;
    let encrypt = json!({"KeyId": key, "Plaintext": "aGVsbG8="});
    bench.ask("DisableKey", id.clone()).await;
    assert_eq!(bench.refused("Encrypt", encrypt.clone()).await, "DisabledException");
    bench.ask("EnableKey", id.clone()).await;
    assert_eq!(bench.refused("CancelKeyDeletion", id.clone()).await, "KMSInvalidStateException");
    let window = json!({"KeyId": key, "PendingWindowInDays": 7});
    assert_eq!(bench.ask("ScheduleKeyDeletion", window.clone()).await["KeyState"], "PendingDeletion");
    assert_eq!(bench.refused("Encrypt", encrypt.clone()).await, "KMSInvalidStateException");
    bench.ask("CancelKeyDeletion", id.clone()).await;
    assert_eq!(bench.ask("DescribeKey", id.clone()).await["KeyMetadata"]["KeyState"], "Disabled");
    bench.ask("EnableKey", id.clone()).await;

    // New material encrypts from then on; the old one still decrypts.
    bench.ask("EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await;
    bench.world.advance(Duration::from_secs(90 * 86_400));
    let new = bench.encrypt(&key, json!({})).await;
    let number = |sealed: &str| wire::base64::decode(sealed).expect("base64")[40];
    assert_eq!((number(&old), number(&new)), (0, 1));
    for sealed in [old, new] {
        assert_eq!(bench.ask("Decrypt", json!({"CiphertextBlob": sealed})).await["Plaintext"], "aGVsbG8=");
    }

    bench.ask("CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": key})).await;
    bench.ask("ScheduleKeyDeletion", window).await;
    bench.world.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(bench.refused("DescribeKey", id).await, "NotFoundException");
    assert_eq!(bench.ask("ListKeys", json!({})).await, json!({"Keys": [], "Truncated": false}));
    assert_eq!(bench.ask("ListAliases", json!({})).await["Aliases"], json!([]));
}

#[tokio::test]
async fn policies_and_tags_are_kept() {
    let bench = Bench::new();
    let tags = json!([{"TagKey": "a", "TagValue": "1"}]);
    let made = bench.ask("CreateKey", json!({"Description": "d", "Tags": tags})).await["KeyMetadata"].clone();
    let key = &made["KeyId"];
    assert_eq!(made["Description"], "d");
    assert_eq!(bench.ask("ListResourceTags", json!({"KeyId": key})).await["Tags"], tags);
    bench.ask("UntagResource", json!({"KeyId": key, "TagKeys": ["a"]})).await;
    assert_eq!(bench.ask("ListResourceTags", json!({"KeyId": key})).await["Tags"], json!([]));
    let policy = bench.ask("GetKeyPolicy", json!({"KeyId": key})).await["Policy"].clone();
    assert!(
        policy.as_str().is_some_and(|policy| policy.contains("arn:aws:iam::123456789012:root")),
        "{policy}"
    );
    let put = |policy: &str| json!({"KeyId": key, "PolicyName": "default", "Policy": policy});
    bench.ask("PutKeyPolicy", put("{\"Version\":\"x\"}")).await;
    assert_eq!(bench.ask("GetKeyPolicy", json!({"KeyId": key})).await["Policy"], "{\"Version\":\"x\"}");
    assert_eq!(bench.refused("PutKeyPolicy", put("no")).await, "MalformedPolicyDocumentException");
    for other in
        [json!({"KeySpec": "RSA_2048"}), json!({"KeyUsage": "SIGN_VERIFY"}), json!({"MultiRegion": true})]
    {
        assert_eq!(
            bench.refused("CreateKey", other.clone()).await,
            "UnsupportedOperationException",
            "{other}"
        );
    }
}

/// Answers recorded from the service itself.
#[tokio::test]
async fn what_was_recorded_is_what_is_answered() {
    let bench = Bench::new();
    let key = bench.key().await;
    let arn = format!("arn:aws:kms:us-east-1:123456789012:key/{key}");
    let long = wire::base64::encode(&[0; 4_097]);
    for (operation, input, words) in [
        ("DescribeKey", json!({"KeyId": "no-key-id"}), "Invalid keyId 'no-key-id'".to_owned()),
        ("DescribeKey", json!({"KeyId": arn.replace("east", "west")}), "Invalid arn us-west-1".to_owned()),
        ("DescribeKey", json!({"KeyId": format!("mrk-{}", "0".repeat(32))}), format!("Key '{}' does not exist", arn.replace(&key, &format!("mrk-{}", "0".repeat(32))))),
        ("GenerateRandom", json!({}), "NumberOfBytes is required.".to_owned()),
        // What is to be kept secret is not repeated.
        ("Encrypt", json!({"KeyId": key, "Plaintext": long}), "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096".to_owned()),
    ] {
        assert_eq!(bench.ask(operation, input.clone()).await["message"], words, "{operation} {input}");
    }

    let material = async || {
        bench.ask("DescribeKey", json!({"KeyId": key})).await["KeyMetadata"]["CurrentKeyMaterialId"].clone()
    };
    let (first, sealed) = (material().await, bench.encrypt(&key, json!({})).await);
    assert_eq!(first.as_str().map(str::len), Some(64));
    bench.ask("EnableKeyRotation", json!({"KeyId": key})).await;
    let scheduled = bench.ask("GetKeyRotationStatus", json!({"KeyId": key})).await;
    bench.world.advance(Duration::from_secs(86_400));
    for _ in 0..10 {
        assert_eq!(bench.ask("RotateKeyOnDemand", json!({"KeyId": key})).await, json!({"KeyId": arn}));
    }
    // Its schedule is what it was.
    assert_eq!(bench.ask("GetKeyRotationStatus", json!({"KeyId": key})).await, scheduled);
    assert_eq!(bench.refused("RotateKeyOnDemand", json!({"KeyId": key})).await, "LimitExceededException");
    assert_ne!(material().await, first);
    let opened = bench.ask("Decrypt", json!({"CiphertextBlob": sealed})).await;
    assert_eq!((&opened["Plaintext"], &opened["KeyMaterialId"]), (&json!("aGVsbG8="), &first));
}

#[tokio::test]
async fn a_services_own_key_is_known_before_it_is_used() {
    let bench = Bench::new();
    let id = servicekit::ids::managed_key("123456789012", "us-east-1", "dynamodb");
    let told = bench.ask("DescribeKey", json!({"KeyId": id})).await["KeyMetadata"].clone();
    assert_eq!(
        told["Description"],
        "Default key that protects my DynamoDB data when no other key is defined"
    );
    let named = bench.ask("DescribeKey", json!({"KeyId": "alias/aws/dynamodb"})).await;
    assert_eq!(named["KeyMetadata"], told);
}
