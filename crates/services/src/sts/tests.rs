//! Who is calling, and for how long.

use super::Sts;
use crate::testing::call;
use std::time::Duration;
use store::Store;
use wire::Request;
use world::World;

fn over(world: &World) -> Sts {
    let vault = crate::Vault::fleeting(world);
    let store = Store::memory();
    Sts::over(&store, world, &access::Keys::new(&store, world, &vault, &crate::Settings::default()))
}

fn ask(sts: &Sts, access_key: Option<&str>, form: &'static str) -> (u16, String) {
    let service = &api::tables::sts::SERVICE;
    let name = form.split('&').next().and_then(|pair| pair.strip_prefix("Action=")).expect("an action");
    let mut call = call(service, name, Request::post(form));
    call.caller.access_key = access_key.map(Into::into);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    let response = runtime.block_on(sts.call(call));
    (response.status.as_u16(), String::from_utf8(response.body.to_vec()).expect("text"))
}

fn between<'a>(body: &'a str, name: &str) -> &'a str {
    let rest = body.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{name} in {body}")).1;
    rest.split_once('<').expect("an end").0
}

#[test]
fn keys_stand_for_somebody() {
    let world = World::simulated(9);
    let sts = over(&world);
    let who = |key: &str| {
        let (status, body) = ask(&sts, Some(key), "Action=GetCallerIdentity");
        if status == 200 { between(&body, "Arn").to_owned() } else { between(&body, "Code").to_owned() }
    };
    assert_eq!(who("AKIDANYBODY"), "arn:aws:iam::123456789012:root");

    let (status, assumed) = ask(
        &sts,
        None,
        "Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/p/r&RoleSessionName=me&DurationSeconds=900",
    );
    assert_eq!(status, 200, "{assumed}");
    let key = between(&assumed, "AccessKeyId");
    assert!(key.starts_with("ASIA") && key.len() == 20);
    assert_eq!(between(&assumed, "SecretAccessKey").len(), 40);
    assert!(between(&assumed, "Expiration").ends_with('Z'));
    assert_eq!(who(key), "arn:aws:sts::123456789012:assumed-role/r/me");
    world.advance(Duration::from_secs(901));
    assert_eq!(who(key), "ExpiredToken");

    let (_, session) = ask(&sts, None, "Action=GetSessionToken");
    assert_eq!(who(between(&session, "AccessKeyId")), "arn:aws:iam::123456789012:root");
    let (_, info) = ask(&sts, None, "Action=GetAccessKeyInfo&AccessKeyId=AKIAIOSFODNN7EXAMPLE");
    assert_eq!(between(&info, "Account"), "123456789012");
}

#[test]
fn what_is_not_a_role_is_not_assumed() {
    let sts = over(&World::simulated(9));
    for (form, words) in [
        (
            "Action=AssumeRole&RoleArn=arn:aws:iam::1:role&RoleSessionName=me",
            "1 validation error detected: Value &apos;arn:aws:iam::1:role&apos; at",
        ),
        ("Action=AssumeRole&RoleArn=arn:aws:s3:::a-bucket-and-more&RoleSessionName=me", "is invalid"),
        ("Action=AssumeRole&RoleSessionName=me", "Value null at"),
        (
            "Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/r&RoleSessionName=m",
            "Member must have length",
        ),
    ] {
        let (status, body) = ask(&sts, None, form);
        assert_eq!((status, between(&body, "Code")), (400, "ValidationError"), "{body}");
        assert!(body.contains(&words.replace("&apos;", "'")), "{body}");
    }
}

/// Answers recorded from the service itself.
#[test]
fn tags_of_a_session_are_told_apart_without_regard_to_case() {
    let sts = over(&World::simulated(1));
    let asked = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr&RoleSessionName=session";
    for (more, words) in [
        (
            "&Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=A&Tags.member.2.Value=2",
            "Duplicate tag keys found.",
        ),
        (
            "&Tags.member.1.Key=a&Tags.member.1.Value=1&TransitiveTagKeys.member.1=b",
            "The specified transitive tag key must be included in the requested tags.",
        ),
    ] {
        let (status, body) = ask(&sts, None, Box::leak(format!("{asked}{more}").into_boxed_str()));
        assert!(
            status == 400 && body.contains("<Code>InvalidParameterValue<") && body.contains(words),
            "{body}"
        );
    }
}
