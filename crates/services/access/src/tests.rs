//! Whose signatures pass, and what the others are told.

use super::gate::Gate;
use super::keys::{AccessKey, Identity, Keys, Session};
use servicekit::vault::Vault;
use servicekit::{Mode, Settings};
use std::time::Duration;
use store::Store;
use wire::sigv4::{Credentials, Signer};
use wire::{Request, Service};
use world::World;

const ROOT: (&str, &str) = ("AKIAROOTROOTROOTROOT", "a-secret-of-the-account-itself");

struct House {
    world: World,
    store: Store,
    gate: Gate,
    runtime: tokio::runtime::Runtime,
}

impl House {
    fn new() -> House {
        let (world, store) = (World::simulated(3), Store::memory());
        let vault = Vault::fleeting(&world);
        let root_key = Some((ROOT.0.to_owned(), ROOT.1.to_owned()));
        let keys = Keys::new(&store, &world, &vault, &Settings { root_key, ..Settings::default() });
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        House { gate: Gate::new(Mode::Verify, keys, &world), world, store, runtime }
    }

    /// Whose the request is, or the code that refuses it.
    fn admit(&self, service: &Service, key: (&str, &str), token: Option<&str>) -> Result<Identity, String> {
        let credentials = Credentials {
            access_key: key.0.to_owned(),
            secret: key.1.to_owned(),
            session_token: token.map(str::to_owned),
        };
        let signer =
            Signer { credentials, region: "us-east-1".to_owned(), service: service.signing_name.to_owned() };
        let request = Request::post("{}").with_header("host", "localhost");
        let request = signer.sign(request, self.world.now());
        match self.gate.admit(Mode::Verify, &request, service) {
            Ok((_, identity)) => Ok(identity.expect("a checked identity")),
            Err(error) => Err(error.code.rsplit('#').next().unwrap_or_default().to_owned()),
        }
    }
}

#[test]
fn every_key_is_told_in_the_words_of_its_protocol() {
    let house = House::new();
    let json = &api::tables::dynamodb::SERVICE;
    let query = &api::tables::iam::SERVICE;
    let rest = &api::tables::lambda::SERVICE;
    let root = Identity::Root { account: "123456789012".to_owned() };
    for service in [json, query, rest] {
        assert_eq!(house.admit(service, ROOT, None), Ok(root.clone()));
    }
    let wrong = (ROOT.0, "another-secret");
    for (service, key, code) in [
        (json, wrong, "InvalidSignatureException"),
        (query, wrong, "SignatureDoesNotMatch"),
        (rest, wrong, "InvalidSignatureException"),
        (json, ("AKIANOBODY", "x"), "UnrecognizedClientException"),
        (query, ("AKIANOBODY", "x"), "InvalidClientTokenId"),
        (rest, ("AKIANOBODY", "x"), "UnrecognizedClientException"),
    ] {
        assert_eq!(house.admit(service, key, None), Err(code.to_owned()), "{key:?}");
    }
    // A token that does not belong to a key is as good as an unknown key.
    assert!(house.admit(json, ROOT, Some("token")).is_err());
}

#[test]
fn sessions_pass_with_their_token_until_they_end() {
    let house = House::new();
    let service = &api::tables::dynamodb::SERVICE;
    let session = Session {
        user_id: "AROAX:me".to_owned(),
        arn: "arn:aws:sts::123456789012:assumed-role/r/me".to_owned(),
        role: Some("arn:aws:iam::123456789012:role/r".to_owned()),
        expires_s: 0,
        user: None,
        policy: None,
        sealed: None,
    };
    let issued = house.runtime.block_on(house.gate.keys.issue(session, 900)).expect("credentials");
    let given = issued.0;
    let key = (given.access_key.as_str(), given.secret_key.as_str());
    let token = given.session_token.as_str();
    let who = house.admit(service, key, Some(token)).expect("it passes");
    assert_eq!(who.arn(), "arn:aws:sts::123456789012:assumed-role/r/me");
    for token in [None, Some("another")] {
        assert_eq!(house.admit(service, key, token), Err("UnrecognizedClientException".to_owned()));
    }
    let function = house.gate.keys.of_function(
        "arn:aws:lambda:us-east-1:123456789012:function:f",
        "arn:aws:iam::123456789012:role/p/r",
    );
    let function_key = (function.access_key.as_str(), function.secret_key.as_str());
    let who = house.admit(service, function_key, Some(&function.session_token)).expect("it passes");
    // A session of one letter has a longer name.
    assert_eq!(who.arn(), "arn:aws:sts::123456789012:assumed-role/r/f@lambda_function");

    house.world.advance(Duration::from_secs(901));
    assert_eq!(house.admit(service, key, Some(token)), Err("ExpiredTokenException".to_owned()));
    let query = &api::tables::sts::SERVICE;
    assert_eq!(house.admit(query, key, Some(token)), Err("ExpiredToken".to_owned()));
    assert!(house.admit(service, function_key, Some(&function.session_token)).is_ok());
    house.world.advance(Duration::from_secs(12 * 3_600));
    let told = house.admit(service, function_key, Some(&function.session_token));
    assert_eq!(told, Err("ExpiredTokenException".to_owned()));
}

#[test]
fn users_keys_are_sealed_and_can_be_switched_off() {
    let house = House::new();
    let service = &api::tables::dynamodb::SERVICE;
    let wanted = AccessKey {
        id: String::new(),
        account: "123456789012".to_owned(),
        user: "ann".to_owned(),
        user_id: "AIDAX".to_owned(),
        user_arn: "arn:aws:iam::123456789012:user/ann".to_owned(),
        secret: String::new(),
        is_active: true,
        created_s: 0,
    };
    let (key, secret) = house.runtime.block_on(house.gate.keys.create(wanted)).expect("a key");
    let given = (key.id.as_str(), secret.as_str());
    assert_eq!(
        house.admit(service, given, None).expect("it passes").arn(),
        "arn:aws:iam::123456789012:user/ann"
    );
    let kept = house.store.snapshot();
    let all = kept.range(store::Space::Meta, b"", b"\xff", store::Order::Forward);
    let bytes: Vec<u8> = all.flatten().flat_map(|(_, value)| value.to_vec()).collect();
    assert!(!bytes.is_empty() && !String::from_utf8_lossy(&bytes).contains(&secret));
    let off = AccessKey { is_active: false, ..key.clone() };
    house.runtime.block_on(house.gate.keys.documents().put(&key.id, off)).expect("kept");
    assert_eq!(house.admit(service, given, None), Err("UnrecognizedClientException".to_owned()));
}
