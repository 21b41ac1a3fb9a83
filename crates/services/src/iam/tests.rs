//! Forms and the XML they are answered.

use super::Iam;
use crate::testing::call;
use store::Store;
use wire::{Request, percent};
use world::World;

struct Bench {
    iam: Iam,
    runtime: tokio::runtime::Runtime,
}

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const BASIC: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

impl Bench {
    fn new() -> Bench {
        let (store, world) = (Store::memory(), World::simulated(5));
        let vault = crate::Vault::fleeting(&world);
        let keys = access::Keys::new(&store, &world, &vault, &crate::Settings::default());
        let iam = Iam::over(&store, &world, &keys);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
        Bench { iam, runtime }
    }

    /// Status and body of an operation whose form has these members.
    fn ask(&self, operation: &str, members: &[(&str, &str)]) -> (u16, String) {
        let service = &api::tables::iam::SERVICE;
        let mut form = format!("Action={operation}&Version=2010-05-08");
        for (name, value) in members {
            form.push_str(&format!("&{name}={}", percent::encode(value)));
        }
        let call = call(service, operation, Request::post(form));
        let response = self.runtime.block_on(self.iam.call(call));
        (response.status.as_u16(), String::from_utf8(response.body.to_vec()).expect("text"))
    }

    fn good(&self, operation: &str, members: &[(&str, &str)], parts: &[&str]) -> String {
        let (status, body) = self.ask(operation, members);
        assert_eq!(status, 200, "{operation}: {body}");
        for part in parts {
            assert!(body.contains(part), "{operation}: {part} is not in {body}");
        }
        body
    }

    fn bad(&self, operation: &str, members: &[(&str, &str)], status: u16, code: &str, message: &str) {
        let (found, body) = self.ask(operation, members);
        let expect = format!("<Code>{code}</Code><Message>{message}</Message>");
        assert!(found == status && body.contains(&expect), "{operation}: {found} {body}");
    }

    fn with_role() -> Bench {
        let bench = Bench::new();
        bench.good("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST)], &[]);
        bench
    }
}

#[test]
fn a_role_lives() {
    let bench = Bench::new();
    let named = [("RoleName", "r")];
    bench.bad("GetRole", &named, 404, "NoSuchEntity", "The role with name r cannot be found.");
    let made = bench.good(
        "CreateRole",
        &[
            ("RoleName", "r"),
            ("AssumeRolePolicyDocument", TRUST),
            ("Path", "/p/"),
            ("Tags.member.1.Key", "k"),
            ("Tags.member.1.Value", "v"),
        ],
        &[
            "<Arn>arn:aws:iam::123456789012:role/p/r</Arn>",
            "<RoleId>AROA",
            "<AssumeRolePolicyDocument>%7B%22Version%22",
        ],
    );
    assert!(!made.contains("MaxSessionDuration"), "{made}");
    assert!(made.contains("<Tags><member><Key>k</Key><Value>v</Value></member></Tags>"));
    bench.bad(
        "CreateRole",
        &[("RoleName", "R"), ("AssumeRolePolicyDocument", TRUST)],
        409,
        "EntityAlreadyExists",
        "Role with name R already exists.",
    );
    bench.bad(
        "CreateRole",
        &[("RoleName", "s"), ("AssumeRolePolicyDocument", "{")],
        400,
        "MalformedPolicyDocument",
        "This policy contains invalid Json",
    );
    bench.bad(
        "CreateRole",
        &[("AssumeRolePolicyDocument", TRUST)],
        400,
        "ValidationError",
        "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null",
    );
    bench.good("GetRole", &named, &["<MaxSessionDuration>3600<"]);
    bench.good("UpdateRole", &[("RoleName", "r"), ("Description", "d"), ("MaxSessionDuration", "7200")], &[]);
    bench.good("UpdateAssumeRolePolicy", &[("RoleName", "r"), ("PolicyDocument", TRUST)], &[]);
    bench.good("GetRole", &named, &["<Description>d<", "<MaxSessionDuration>7200<"]);
    bench.good("UpdateRoleDescription", &[("RoleName", "r"), ("Description", "e")], &["<Description>e<"]);
    bench.good(
        "TagRole",
        &[("RoleName", "r"), ("Tags.member.1.Key", "x"), ("Tags.member.1.Value", "y")],
        &[],
    );
    bench.good("UntagRole", &[("RoleName", "r"), ("TagKeys.member.1", "k")], &[]);
    bench.good(
        "ListRoleTags",
        &named,
        &["<Tags><member><Key>x</Key><Value>y</Value></member></Tags>", "<IsTruncated>false<"],
    );
    bench.good("ListRoles", &[("PathPrefix", "/p/")], &["<RoleName>r</RoleName>"]);
    bench.good("ListRoles", &[("PathPrefix", "/q/")], &["<Roles></Roles>"]);
    bench.good("ListInstanceProfilesForRole", &named, &["<InstanceProfiles></InstanceProfiles>"]);
    bench.good(
        "DeleteRole",
        &named,
        &["<DeleteRoleResponse xmlns=", "<ResponseMetadata><RequestId>id</RequestId>"],
    );
    bench.bad("DeleteRole", &named, 404, "NoSuchEntity", "The role with name r cannot be found.");
}

#[test]
fn a_role_with_policies_is_not_deleted() {
    let bench = Bench::with_role();
    let named = [("RoleName", "r")];
    let attached = [("RoleName", "r"), ("PolicyArn", BASIC)];
    bench.good("AttachRolePolicy", &attached, &[]);
    bench.good("AttachRolePolicy", &attached, &[]);
    bench.good(
        "ListAttachedRolePolicies",
        &named,
        &["<AttachedPolicies><member><PolicyName>AWSLambdaBasicExecutionRole</PolicyName><PolicyArn>arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole</PolicyArn></member></AttachedPolicies>"],
    );
    bench.bad(
        "DeleteRole",
        &named,
        409,
        "DeleteConflict",
        "Cannot delete entity, must detach policies first.",
    );
    bench.good(
        "ListEntitiesForPolicy",
        &[("PolicyArn", BASIC)],
        &["<PolicyRoles><member><RoleName>r</RoleName>"],
    );
    bench.good("DetachRolePolicy", &attached, &[]);
    bench.bad("DetachRolePolicy", &attached, 404, "NoSuchEntity", &format!("Policy {BASIC} was not found."));
    bench.good("PutRolePolicy", &[("RoleName", "r"), ("PolicyName", "p"), ("PolicyDocument", TRUST)], &[]);
    bench.good("GetRolePolicy", &[("RoleName", "r"), ("PolicyName", "p")], &["<PolicyDocument>%7B"]);
    bench.good("ListRolePolicies", &named, &["<PolicyNames><member>p</member></PolicyNames>"]);
    bench.bad(
        "DeleteRole",
        &named,
        409,
        "DeleteConflict",
        "Cannot delete entity, must delete policies first.",
    );
    bench.good("DeleteRolePolicy", &[("RoleName", "r"), ("PolicyName", "p")], &[]);
    bench.bad(
        "GetRolePolicy",
        &[("RoleName", "r"), ("PolicyName", "p")],
        404,
        "NoSuchEntity",
        "The role policy with name p cannot be found.",
    );
    bench.good("DeleteRole", &named, &[]);
}

#[test]
fn policies_of_aws_and_of_ones_own() {
    let bench = Bench::with_role();
    for name in [
        "service-role/AWSLambdaBasicExecutionRole",
        "service-role/AWSLambdaDynamoDBExecutionRole",
        "service-role/AWSLambdaVPCAccessExecutionRole",
        "AmazonDynamoDBFullAccess",
        "SecretsManagerReadWrite",
    ] {
        let arn = format!("arn:aws:iam::aws:policy/{name}");
        bench.good("GetPolicy", &[("PolicyArn", &arn)], &[&format!("<Arn>{arn}</Arn>"), "<PolicyId>ANPA"]);
        bench.good("GetPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")], &["<Document>%7B"]);
        bench.good("AttachRolePolicy", &[("RoleName", "r"), ("PolicyArn", &arn)], &[]);
    }
    bench.bad(
        "AttachRolePolicy",
        &[("RoleName", "r"), ("PolicyArn", "arn:aws:iam::aws:policy/Nothing")],
        404,
        "NoSuchEntity",
        "Policy arn:aws:iam::aws:policy/Nothing does not exist or is not attachable.",
    );
    let arn = "arn:aws:iam::123456789012:policy/mine";
    bench.good(
        "CreatePolicy",
        &[("PolicyName", "mine"), ("PolicyDocument", TRUST), ("Description", "d")],
        &[&format!("<Arn>{arn}</Arn>"), "<AttachmentCount>0<", "<DefaultVersionId>v1<"],
    );
    bench.good("GetPolicy", &[("PolicyArn", arn)], &["<Description>d<", "<Tags"]);
    let listed = bench.good("ListPolicies", &[("Scope", "Local")], &["<PolicyName>mine<"]);
    assert!(!listed.contains("Description") && !listed.contains("Tags"), "{listed}");
    bench.bad(
        "CreatePolicy",
        &[("PolicyName", "mine"), ("PolicyDocument", TRUST)],
        409,
        "EntityAlreadyExists",
        "A policy called mine already exists. Duplicate names are not allowed.",
    );
    bench.good("AttachRolePolicy", &[("RoleName", "r"), ("PolicyArn", arn)], &[]);
    bench.good(
        "ListPolicies",
        &[("Scope", "Local")],
        &["<PolicyName>mine<", "<AttachmentCount>1<", "<IsTruncated>false<"],
    );
    bench.bad(
        "DeletePolicy",
        &[("PolicyArn", arn)],
        409,
        "DeleteConflict",
        "Cannot delete a policy attached to entities.",
    );
    bench.good("DetachRolePolicy", &[("RoleName", "r"), ("PolicyArn", arn)], &[]);
    bench.good("DeletePolicy", &[("PolicyArn", arn)], &[]);
    bench.bad(
        "GetPolicy",
        &[("PolicyArn", arn)],
        404,
        "NoSuchEntity",
        &format!("Policy {arn} was not found."),
    );
    // Pages of one, from the first to the last.
    let (mut marker, mut pages) = (String::new(), 0);
    loop {
        let mut members = vec![("MaxItems", "1"), ("Scope", "AWS")];
        if !marker.is_empty() {
            members.push(("Marker", &marker));
        }
        let body = bench.good("ListPolicies", &members, &["<member>"]);
        pages += 1;
        match body.split_once("<Marker>").and_then(|(_, rest)| rest.split_once("</Marker>")) {
            Some((next, _)) => marker = next.to_owned(),
            None => break,
        }
    }
    assert!(pages > 10);
}

#[test]
fn groups() {
    let bench = Bench::new();
    let group = ("GroupName", "Readers");
    bench.good(
        "CreateGroup",
        &[group, ("Path", "/a/")],
        &["<Arn>arn:aws:iam::123456789012:group/a/Readers<"],
    );
    bench.bad(
        "CreateGroup",
        &[("GroupName", "readers")],
        409,
        "EntityAlreadyExists",
        "Group with name readers already exists.",
    );
    bench.bad(
        "GetGroup",
        &[("GroupName", "none")],
        404,
        "NoSuchEntity",
        "The group with name none cannot be found.",
    );
    bench.good("CreateUser", &[("UserName", "ann")], &[]);
    let both = [group, ("UserName", "ann")];
    bench.good("AddUserToGroup", &both, &[]);
    bench.good("AddUserToGroup", &both, &[]);
    bench.good("GetGroup", &[group], &["<UserName>ann<", "<GroupName>Readers<"]);
    bench.good("ListGroupsForUser", &[("UserName", "ann")], &["<GroupName>Readers<"]);
    bench.good("ListGroups", &[("PathPrefix", "/a/")], &["<GroupName>Readers<"]);
    assert!(!bench.good("ListGroups", &[("PathPrefix", "/b/")], &[]).contains("Readers"));
    let in_use = "Cannot delete entity, must remove users from group first.";
    bench.bad("DeleteGroup", &[group], 409, "DeleteConflict", in_use);
    bench.bad("DeleteUser", &[("UserName", "ann")], 409, "DeleteConflict", in_use);

    bench.good("AttachGroupPolicy", &[group, ("PolicyArn", BASIC)], &[]);
    bench.good("ListAttachedGroupPolicies", &[group], &["<PolicyName>AWSLambdaBasicExecutionRole<"]);
    bench.good("ListEntitiesForPolicy", &[("PolicyArn", BASIC)], &["<GroupName>Readers<"]);
    let inline = ("PolicyName", "own");
    bench.good("PutGroupPolicy", &[group, inline, ("PolicyDocument", TRUST)], &[]);
    bench.good("GetGroupPolicy", &[group, inline], &["<PolicyName>own<"]);
    bench.good("ListGroupPolicies", &[group], &["<member>own<"]);

    bench.good("RemoveUserFromGroup", &both, &[]);
    bench.good("DeleteUser", &[("UserName", "ann")], &[]);
    bench.bad(
        "DeleteGroup",
        &[group],
        409,
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first.",
    );
    bench.good("DetachGroupPolicy", &[group, ("PolicyArn", BASIC)], &[]);
    bench.bad(
        "DeleteGroup",
        &[group],
        409,
        "DeleteConflict",
        "Cannot delete entity, must delete policies first.",
    );
    bench.good("DeleteGroupPolicy", &[group, inline], &[]);
    bench.good("DeleteGroup", &[group], &[]);
}
