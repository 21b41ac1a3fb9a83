//! The table of types: how each is named, and what of it cannot change in place.

use super::custom;
use serde_json::Value;

/// A type of resource, as change sets and names need to know it.
pub(crate) struct Kind {
    pub name: &'static str,
    /// The property that names it, and the most letters of a name that is made up.
    pub named_by: Option<(&'static str, usize)>,
    /// Properties that cannot change in place; `*` for all.
    pub fixed: &'static [&'static str],
    /// Whether it takes tags, and so its stack's too.
    pub tagged: bool,
}

const fn kind(
    name: &'static str,
    named_by: Option<(&'static str, usize)>,
    fixed: &'static [&'static str],
) -> Kind {
    Kind { name, named_by, fixed, tagged: false }
}

/// One that takes tags.
const fn tagged(kind: Kind) -> Kind {
    Kind { tagged: true, ..kind }
}

static KINDS: &[Kind] = &[
    kind("AWS::ApiGateway::Account", None, &[]),
    tagged(kind(
        "AWS::ApiGateway::ApiKey",
        Some(("Name", 1024)),
        &["GenerateDistinctId", "Name", "StageKeys", "Value"],
    )),
    kind("AWS::ApiGateway::Authorizer", None, &["RestApiId"]),
    kind("AWS::ApiGateway::Deployment", None, &["RestApiId", "StageName"]),
    kind("AWS::ApiGateway::GatewayResponse", None, &["RestApiId", "ResponseType"]),
    kind("AWS::ApiGateway::Method", None, &["RestApiId", "ResourceId", "HttpMethod"]),
    kind("AWS::ApiGateway::Model", None, &["ContentType", "Name", "RestApiId"]),
    kind("AWS::ApiGateway::RequestValidator", None, &["Name", "RestApiId"]),
    kind("AWS::ApiGateway::Resource", None, &["RestApiId", "ParentId", "PathPart"]),
    tagged(kind("AWS::ApiGateway::RestApi", None, &["ApiKeySourceType"])),
    tagged(kind("AWS::ApiGateway::Stage", None, &["RestApiId", "StageName"])),
    tagged(kind("AWS::ApiGateway::UsagePlan", Some(("UsagePlanName", 1024)), &[])),
    kind("AWS::ApiGateway::UsagePlanKey", None, &["*"]),
    tagged(kind("AWS::ApiGatewayV2::Api", None, &["ProtocolType", "Target", "RouteKey", "CredentialsArn"])),
    kind("AWS::ApiGatewayV2::Authorizer", None, &["ApiId"]),
    kind("AWS::ApiGatewayV2::Deployment", None, &["ApiId", "StageName"]),
    kind("AWS::ApiGatewayV2::Integration", None, &["ApiId"]),
    kind("AWS::ApiGatewayV2::Route", None, &["ApiId"]),
    tagged(kind("AWS::ApiGatewayV2::Stage", None, &["ApiId", "StageName"])),
    kind("AWS::CDK::Metadata", None, &[]),
    kind("AWS::CloudFormation::CustomResource", None, &["ServiceToken"]),
    tagged(kind("AWS::CloudFormation::Stack", None, &[])),
    kind("AWS::CloudFormation::WaitConditionHandle", None, &[]),
    tagged(kind(
        "AWS::DynamoDB::GlobalTable",
        Some(("TableName", 255)),
        &["TableName", "KeySchema", "LocalSecondaryIndexes"],
    )),
    tagged(kind(
        "AWS::DynamoDB::Table",
        Some(("TableName", 255)),
        &["TableName", "KeySchema", "LocalSecondaryIndexes"],
    )),
    tagged(kind("AWS::EC2::EIP", None, &["Domain"])),
    tagged(kind("AWS::EC2::InternetGateway", None, &[])),
    tagged(kind(
        "AWS::EC2::NatGateway",
        None,
        &["AllocationId", "ConnectivityType", "PrivateIpAddress", "SubnetId"],
    )),
    kind("AWS::EC2::Route", None, &["DestinationCidrBlock", "RouteTableId"]),
    tagged(kind("AWS::EC2::RouteTable", None, &["VpcId"])),
    tagged(kind(
        "AWS::EC2::SecurityGroup",
        Some(("GroupName", 255)),
        &["GroupDescription", "GroupName", "VpcId"],
    )),
    kind("AWS::EC2::SecurityGroupEgress", None, &[]),
    kind("AWS::EC2::SecurityGroupIngress", None, &[]),
    tagged(kind("AWS::EC2::Subnet", None, &["AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId"])),
    kind("AWS::EC2::SubnetRouteTableAssociation", None, &["SubnetId"]),
    tagged(kind("AWS::EC2::VPC", None, &["CidrBlock", "InstanceTenancy"])),
    tagged(kind("AWS::EC2::VPCEndpoint", None, &["ServiceName", "VpcEndpointType", "VpcId"])),
    kind("AWS::EC2::VPCGatewayAttachment", None, &[]),
    tagged(kind(
        "AWS::ECR::Repository",
        Some(("RepositoryName", 256)),
        &["RepositoryName", "EncryptionConfiguration", "ImageScanningConfiguration"],
    )),
    kind("AWS::IAM::AccessKey", None, &["Serial", "UserName"]),
    kind("AWS::IAM::Group", Some(("GroupName", 128)), &["GroupName"]),
    kind(
        "AWS::IAM::ManagedPolicy",
        Some(("ManagedPolicyName", 128)),
        &["ManagedPolicyName", "Path", "Description"],
    ),
    kind("AWS::IAM::Policy", Some(("PolicyName", 128)), &["PolicyName"]),
    tagged(kind("AWS::IAM::Role", Some(("RoleName", 64)), &["RoleName", "Path"])),
    tagged(kind("AWS::IAM::User", Some(("UserName", 64)), &["UserName"])),
    kind("AWS::IAM::UserToGroupAddition", None, &["GroupName"]),
    kind("AWS::KMS::Alias", None, &["AliasName"]),
    tagged(kind("AWS::KMS::Key", None, &["KeySpec", "KeyUsage", "MultiRegion", "Origin"])),
    kind("AWS::Lambda::Alias", None, &["FunctionName", "Name"]),
    kind("AWS::Lambda::EventInvokeConfig", None, &["FunctionName", "Qualifier"]),
    tagged(kind(
        "AWS::Lambda::EventSourceMapping",
        None,
        &["EventSourceArn", "StartingPosition", "StartingPositionTimestamp"],
    )),
    tagged(kind("AWS::Lambda::Function", Some(("FunctionName", 64)), &["FunctionName", "PackageType"])),
    kind("AWS::Lambda::LayerVersion", Some(("LayerName", 140)), &["*"]),
    kind("AWS::Lambda::Permission", None, &["*"]),
    kind("AWS::Lambda::Url", None, &["TargetFunctionArn", "Qualifier"]),
    kind("AWS::Lambda::Version", None, &["*"]),
    tagged(kind("AWS::Logs::LogGroup", Some(("LogGroupName", 512)), &["LogGroupName"])),
    kind("AWS::Logs::LogStream", Some(("LogStreamName", 512)), &["LogGroupName", "LogStreamName"]),
    tagged(kind("AWS::S3::Bucket", Some(("BucketName", 63)), &["BucketName"])),
    kind("AWS::S3::BucketPolicy", None, &["Bucket"]),
    kind("AWS::SNS::Subscription", None, &["Endpoint", "Protocol", "TopicArn"]),
    tagged(kind("AWS::SNS::Topic", Some(("TopicName", 256)), &["TopicName", "FifoTopic"])),
    kind("AWS::SNS::TopicPolicy", None, &[]),
    tagged(kind("AWS::SQS::Queue", Some(("QueueName", 75)), &["QueueName", "FifoQueue"])),
    kind("AWS::SQS::QueuePolicy", None, &[]),
    tagged(kind("AWS::SSM::Parameter", Some(("Name", 512)), &["Name"])),
    kind("AWS::SecretsManager::ResourcePolicy", None, &["SecretId"]),
    kind("AWS::SecretsManager::RotationSchedule", None, &["SecretId"]),
    tagged(kind("AWS::SecretsManager::Secret", Some(("Name", 512)), &["Name"])),
    kind("AWS::SecretsManager::SecretTargetAttachment", None, &[]),
    tagged(kind(
        "AWS::RDS::DBCluster",
        Some(("DBClusterIdentifier", 63)),
        &[
            "AvailabilityZones",
            "DatabaseName",
            "DBClusterIdentifier",
            "DBSubnetGroupName",
            "Engine",
            "EngineMode",
            "KmsKeyId",
            "MasterUsername",
            "Port",
            "StorageEncrypted",
        ],
    )),
    tagged(kind(
        "AWS::RDS::DBClusterParameterGroup",
        Some(("DBClusterParameterGroupName", 255)),
        &["DBClusterParameterGroupName", "Description", "Family"],
    )),
    tagged(kind(
        "AWS::RDS::DBInstance",
        Some(("DBInstanceIdentifier", 63)),
        &[
            "AvailabilityZone",
            "DBClusterIdentifier",
            "DBInstanceIdentifier",
            "DBName",
            "DBSubnetGroupName",
            "Engine",
            "KmsKeyId",
            "MasterUsername",
            "Port",
            "StorageEncrypted",
        ],
    )),
    tagged(kind(
        "AWS::RDS::DBParameterGroup",
        Some(("DBParameterGroupName", 255)),
        &["DBParameterGroupName", "Description", "Family"],
    )),
    tagged(kind("AWS::RDS::DBSubnetGroup", Some(("DBSubnetGroupName", 255)), &["DBSubnetGroupName"])),
];

/// The parts of networks.
pub(super) const EC2: &str = "AWS::EC2::";

/// The types of databases and their groups.
pub(super) const RDS: &str = "AWS::RDS::";

/// The types of REST APIs and of HTTP APIs; which of them there are says `KINDS`.
pub(super) const V1: &str = "AWS::ApiGateway::";
pub(super) const V2: &str = "AWS::ApiGatewayV2::";

/// Of REST APIs, what opens them.
pub(super) const PLANS: &[&str] =
    &["AWS::ApiGateway::ApiKey", "AWS::ApiGateway::UsagePlan", "AWS::ApiGateway::UsagePlanKey"];

/// And what says which requests are well.
pub(super) const MODELS: &[&str] = &["AWS::ApiGateway::Model", "AWS::ApiGateway::RequestValidator"];

pub(super) fn unrecognized(kind: &str) -> String {
    format!("Template format error: Unrecognized resource types: [{kind}]")
}

/// A type by its name.
pub(crate) fn known(name: &str) -> Option<&'static Kind> {
    let name = if custom::is_custom(name) { "AWS::CloudFormation::CustomResource" } else { name };
    KINDS.iter().find(|kind| kind.name == name)
}

impl Kind {
    /// Whether a change of these properties needs a new resource.
    pub fn replaces(&self, old: &Value, new: &Value) -> bool {
        let differs = |name: &&str| match *name {
            "*" => old != new,
            name => old.get(name) != new.get(name),
        };
        self.fixed.iter().any(differs)
    }

    /// Whether this property is one that cannot change in place.
    pub fn is_fixed(&self, property: &str) -> bool {
        self.fixed.iter().any(|one| *one == "*" || *one == property)
    }
}
