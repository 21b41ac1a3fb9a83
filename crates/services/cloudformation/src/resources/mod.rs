//! The types of resources: how each is made, changed and removed by asking our own services, as a client would.

mod api_bodies;
mod api_models;
mod api_plans;
mod api_stages;
mod apigateway;
mod apigatewayv2;
mod custom;
mod dynamodb;
mod ecr;
mod fit;
mod iam;
mod keys;
mod kinds;
mod lambda;
mod lambda_parts;
mod logs;
mod messages;
mod nested;
mod network;
mod policies;
mod principals;
mod rds;
mod secrets;
mod security_groups;
mod storage;
mod surroundings;
pub(crate) mod tags;
mod users;

use super::stack::Stack;
use super::template::evaluate::Made;
use crate::answers::Answers;
use serde_json::{Map, Value};
use servicekit::call::Caller;
use servicekit::house::House;
use std::sync::Arc;
use world::World;

use kinds::{EC2, MODELS, PLANS, RDS, V1, V2, unrecognized};
pub(crate) use kinds::{Kind, known};

/// What a resource became when it was made, what was said of it then, and what is said now.
#[derive(Clone, Copy)]
pub(crate) struct Change<'a> {
    pub made: &'a Made,
    pub old: &'a Value,
    pub new: &'a Value,
}

/// What became of a change.
pub(crate) enum Changed {
    InPlace(Made),
    /// It has to be made anew.
    Replace,
}

/// The surroundings of one resource.
pub(crate) struct Cx<'a> {
    pub house: &'a House,
    pub answers: &'a Arc<Answers>,
    pub caller: &'a Caller,
    pub world: &'a World,
    pub stack: &'a Stack,
    pub logical: &'a str,
}

/// The types that are removed by their name; for most of them it is what `Ref` gives, too.
const REFERRED_BY_NAME: &[&str] = &[
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::Secret",
];

/// The name that a resource is to have: its own, or one that is made up.
pub(crate) fn name(kind: &str, cx: &Cx<'_>, properties: &Value) -> String {
    let named = known(kind).and_then(|kind| kind.named_by);
    let name = named.map(|(property, length)| match properties.get(property).and_then(Value::as_str) {
        Some(name) => name.to_owned(),
        // These bear no stack's name.
        None if kind == "AWS::SSM::Parameter" => {
            format!("CFN-{}-{}", cx.logical, servicekit::ids::token(cx.world, 12))
        }
        None => cx.made_up_name(length),
    });
    name.unwrap_or_default()
}

/// What can be said of a resource before it is made, so that a server that is killed meanwhile can take it back: only where
/// the name is made up, for one that the template gives may be somebody else's.
pub(crate) fn promised(kind: &str, name: &str, properties: &Value) -> Option<Made> {
    let (property, _) = known(kind)?.named_by?;
    let ours = properties.get(property).is_none() && REFERRED_BY_NAME.contains(&kind);
    ours.then(|| Made { id: name.to_owned(), ..Made::default() })
}

pub(crate) async fn create(kind: &str, cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    match kind {
        "AWS::CDK::Metadata" | "AWS::CloudFormation::WaitConditionHandle" => {
            Ok(Made { id: cx.made_up_name(255), ..Made::default() })
        }
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
            dynamodb::create(kind, cx, name, properties).await
        }
        kind if custom::is_custom(kind) => custom::create(cx, kind, properties).await,
        "AWS::CloudFormation::Stack" => nested::create(cx, properties).await,
        "AWS::ECR::Repository" => ecr::create(cx, name, properties).await,
        "AWS::S3::Bucket" => storage::create_bucket(cx, name, properties).await,
        "AWS::S3::BucketPolicy" => storage::put_policy(cx, properties).await,
        "AWS::Lambda::Alias" => lambda_parts::create_alias(cx, properties).await,
        "AWS::Lambda::EventInvokeConfig" => lambda_parts::put_event_config(cx, properties).await,
        "AWS::Lambda::LayerVersion" => lambda_parts::publish_layer(cx, name, properties).await,
        "AWS::Lambda::Url" => lambda_parts::create_url(cx, properties).await,
        "AWS::Lambda::Version" => lambda_parts::publish_version(cx, properties).await,
        "AWS::IAM::Role" => iam::create_role(cx, name, properties).await,
        "AWS::IAM::Policy" => policies::put(cx, name, &Value::Null, properties).await,
        "AWS::IAM::ManagedPolicy" => policies::create_managed(cx, name, properties).await,
        "AWS::IAM::AccessKey" => users::create_key(cx, properties).await,
        "AWS::IAM::Group" => users::create_group(cx, name, properties).await,
        "AWS::IAM::User" => users::create_user(cx, name, properties).await,
        "AWS::IAM::UserToGroupAddition" => users::add_to_group(cx, None, &Value::Null, properties).await,
        "AWS::Logs::LogStream" => logs::create_stream(cx, name, properties).await,
        "AWS::KMS::Alias" => keys::put_alias(cx, None, properties).await,
        "AWS::KMS::Key" => keys::create_key(cx, properties).await,
        "AWS::Lambda::Function" => lambda::create_function(cx, name, properties).await,
        kind if kind.starts_with(EC2) => network::create(kind, cx, name, properties).await,
        kind if kind.starts_with(RDS) => rds::create(kind, cx, name, properties).await,
        kind if MODELS.contains(&kind) => api_models::create(kind, cx, properties).await,
        kind if PLANS.contains(&kind) => api_plans::create(kind, cx, name, properties).await,
        kind if kind.starts_with(V1) => apigateway::create(kind, cx, properties).await,
        kind if kind.starts_with(V2) => apigatewayv2::create(kind, cx, properties).await,
        "AWS::Lambda::EventSourceMapping" => lambda::create_mapping(cx, properties).await,
        "AWS::Lambda::Permission" => lambda::add_permission(cx, properties).await,
        "AWS::Logs::LogGroup" => logs::create(cx, name, properties).await,
        "AWS::SNS::Subscription" => messages::subscribe(cx, properties).await,
        "AWS::SNS::Topic" => messages::create_topic(cx, name, properties).await,
        "AWS::SNS::TopicPolicy" | "AWS::SQS::QueuePolicy" => {
            messages::put_policy(cx, kind, None, &Value::Null, properties).await
        }
        "AWS::SQS::Queue" => messages::create_queue(cx, name, properties).await,
        "AWS::SSM::Parameter" => secrets::create_parameter(cx, name, properties).await,
        "AWS::SecretsManager::ResourcePolicy" => secrets::put_policy(cx, properties).await,
        "AWS::SecretsManager::RotationSchedule" => secrets::rotate(cx, properties).await,
        "AWS::SecretsManager::Secret" => secrets::create_secret(cx, name, properties).await,
        "AWS::SecretsManager::SecretTargetAttachment" => secrets::attach(cx, properties).await,
        _ => Err(unrecognized(kind)),
    }
}

pub(crate) async fn update(kind: &str, cx: &Cx<'_>, change: Change<'_>) -> Result<Changed, String> {
    let Change { made, old, new } = change;
    if known(kind).is_some_and(|kind| kind.replaces(old, new)) {
        return Ok(Changed::Replace);
    }
    let now = match kind {
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => dynamodb::update(kind, cx, change).await?,
        kind if kind.starts_with(EC2) => network::update(kind, cx, change).await?,
        kind if kind.starts_with(RDS) => rds::update(kind, cx, change).await?,
        kind if MODELS.contains(&kind) => api_models::update(kind, cx, change).await?,
        kind if PLANS.contains(&kind) => {
            api_plans::update(kind, cx, change).await?;
            made.clone()
        }
        kind if kind.starts_with(V1) => apigateway::update(kind, cx, change).await?,
        kind if kind.starts_with(V2) => apigatewayv2::update(kind, cx, change).await?,
        kind if custom::is_custom(kind) => custom::update(cx, kind, change).await?,
        "AWS::CloudFormation::Stack" => nested::update(cx, made, new).await?,
        "AWS::ECR::Repository" => ecr::update(cx, change).await?,
        "AWS::S3::Bucket" => storage::update_bucket(cx, change).await?,
        "AWS::S3::BucketPolicy" => storage::put_policy(cx, new).await?,
        "AWS::Lambda::Alias" => lambda_parts::update_alias(cx, made, new).await?,
        "AWS::Lambda::EventInvokeConfig" => lambda_parts::put_event_config(cx, new).await?,
        "AWS::Lambda::Url" => lambda_parts::update_url(cx, made, new).await?,
        "AWS::IAM::Role" => iam::update_role(cx, change).await?,
        "AWS::IAM::Policy" => policies::put(cx, &made.id, old, new).await?,
        "AWS::IAM::ManagedPolicy" => policies::update_managed(cx, change).await?,
        "AWS::IAM::AccessKey" => users::update_key(cx, made, new).await?,
        "AWS::IAM::Group" => users::update_group(cx, change).await?,
        "AWS::IAM::User" => users::update_user(cx, change).await?,
        "AWS::IAM::UserToGroupAddition" => users::add_to_group(cx, Some(made), old, new).await?,
        "AWS::Logs::LogStream" => made.clone(),
        "AWS::KMS::Alias" => keys::put_alias(cx, Some(made), new).await?,
        "AWS::KMS::Key" => keys::update_key(cx, change).await?,
        "AWS::Lambda::Function" => lambda::update_function(cx, change).await?,
        "AWS::Lambda::EventSourceMapping" => lambda::update_mapping(cx, change).await?,
        "AWS::Logs::LogGroup" => logs::update(cx, change).await?,
        "AWS::SNS::Subscription" => messages::update_subscription(cx, change).await?,
        "AWS::SNS::Topic" => messages::update_topic(cx, change).await?,
        "AWS::SNS::TopicPolicy" | "AWS::SQS::QueuePolicy" => {
            messages::put_policy(cx, kind, Some(made), old, new).await?
        }
        "AWS::SQS::Queue" => messages::update_queue(cx, change).await?,
        "AWS::SSM::Parameter" => secrets::update_parameter(cx, change).await?,
        "AWS::SecretsManager::ResourcePolicy" => secrets::put_policy(cx, new).await?,
        "AWS::SecretsManager::RotationSchedule" => secrets::rotate(cx, new).await?,
        "AWS::SecretsManager::Secret" => secrets::update_secret(cx, change).await?,
        "AWS::SecretsManager::SecretTargetAttachment" => secrets::attach(cx, new).await?,
        "AWS::CDK::Metadata" | "AWS::CloudFormation::WaitConditionHandle" => made.clone(),
        _ => return Err(unrecognized(kind)),
    };
    Ok(Changed::InPlace(now))
}

/// Removes a resource; one that is gone already counts as removed.
pub(crate) async fn delete(kind: &str, cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    match kind {
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => dynamodb::delete(cx, made).await,
        kind if kind.starts_with(EC2) => network::delete(kind, cx, made, properties).await,
        kind if kind.starts_with(RDS) => rds::delete(kind, cx, made).await,
        kind if MODELS.contains(&kind) => api_models::delete(kind, cx, made, properties).await,
        kind if PLANS.contains(&kind) => api_plans::delete(kind, cx, made, properties).await,
        kind if kind.starts_with(V1) => apigateway::delete(kind, cx, made, properties).await,
        kind if kind.starts_with(V2) => apigatewayv2::delete(kind, cx, made, properties).await,
        kind if custom::is_custom(kind) => custom::delete(cx, kind, made, properties).await,
        "AWS::CloudFormation::Stack" => nested::delete(cx, made).await,
        "AWS::ECR::Repository" => ecr::delete(cx, made).await,
        "AWS::S3::Bucket" => storage::delete_bucket(cx, made).await,
        "AWS::S3::BucketPolicy" => storage::delete_policy(cx, made).await,
        "AWS::Lambda::Alias" => lambda_parts::delete_alias(cx, made).await,
        "AWS::Lambda::EventInvokeConfig" => lambda_parts::delete_event_config(cx, properties).await,
        "AWS::Lambda::LayerVersion" => lambda_parts::delete_layer(cx, made).await,
        "AWS::Lambda::Url" => lambda_parts::delete_url(cx, properties).await,
        "AWS::Lambda::Version" => lambda_parts::delete_version(cx, made).await,
        "AWS::IAM::Role" => iam::delete_role(cx, made).await,
        "AWS::IAM::Policy" => policies::delete(cx, made, properties).await,
        "AWS::IAM::ManagedPolicy" => policies::delete_managed(cx, made).await,
        "AWS::IAM::AccessKey" => users::delete_key(cx, made, properties).await,
        "AWS::IAM::Group" => users::delete_group(cx, made, properties).await,
        "AWS::IAM::User" => users::delete_user(cx, made, properties).await,
        "AWS::IAM::UserToGroupAddition" => users::take_from_group(cx, properties).await,
        "AWS::Logs::LogStream" => logs::delete_stream(cx, made, properties).await,
        "AWS::KMS::Alias" => keys::delete_alias(cx, made).await,
        "AWS::KMS::Key" => keys::delete_key(cx, made, properties).await,
        "AWS::Lambda::Function" => lambda::delete_function(cx, made).await,
        "AWS::Lambda::EventSourceMapping" => lambda::delete_mapping(cx, made).await,
        "AWS::Lambda::Permission" => lambda::remove_permission(cx, made, properties).await,
        "AWS::Logs::LogGroup" => logs::delete(cx, made).await,
        "AWS::SNS::Subscription" => messages::unsubscribe(cx, made).await,
        "AWS::SNS::Topic" => messages::delete_topic(cx, made).await,
        "AWS::SNS::TopicPolicy" | "AWS::SQS::QueuePolicy" => {
            messages::delete_policy(cx, kind, properties).await
        }
        "AWS::SQS::Queue" => messages::delete_queue(cx, made).await,
        "AWS::SSM::Parameter" => secrets::delete_parameter(cx, made).await,
        "AWS::SecretsManager::ResourcePolicy" => secrets::delete_policy(cx, made).await,
        "AWS::SecretsManager::RotationSchedule" => secrets::stop_rotating(cx, made).await,
        "AWS::SecretsManager::Secret" => secrets::delete_secret(cx, made).await,
        // The secret keeps what it knows.
        "AWS::SecretsManager::SecretTargetAttachment" => Ok(()),
        "AWS::CDK::Metadata" | "AWS::CloudFormation::WaitConditionHandle" => Ok(()),
        _ => Err(unrecognized(kind)),
    }
}

/// The members of an object that have these names.
fn pick(properties: &Value, names: &[&str]) -> Map<String, Value> {
    let own = properties.as_object().into_iter().flatten();
    own.filter(|(name, _)| names.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Refuses properties that the type does not have here, by name.
fn only(properties: &Value, names: &[&str]) -> Result<(), String> {
    let own = properties.as_object().into_iter().flatten();
    match own.map(|(name, _)| name).find(|name| !names.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(format!("Model validation failed (#: extraneous key [{name}] is not permitted)")),
    }
}
