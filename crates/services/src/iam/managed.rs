//! The managed policies of AWS that functions' roles name. Each is what it allows, on every resource.

use serde_json::json;

pub(super) struct Managed {
    /// `service-role/AWSLambdaBasicExecutionRole`: what follows `policy/` in its ARN.
    pub path_and_name: &'static str,
    actions: &'static [&'static str],
}

impl Managed {
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::aws:policy/{}", self.path_and_name)
    }

    pub fn document(&self) -> String {
        let statement = json!({ "Effect": "Allow", "Action": self.actions, "Resource": "*" });
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    }

    /// An id that stays the same, made from the name.
    pub fn id(&self) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let letters = (0..17).map(|round: u8| {
            for byte in self.path_and_name.bytes().chain([round]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            char::from(ALPHABET[(hash >> 59) as usize])
        });
        format!("ANPA{}", letters.collect::<String>())
    }
}

const fn policy(path_and_name: &'static str, actions: &'static [&'static str]) -> Managed {
    Managed { path_and_name, actions }
}

const LOGS: [&str; 3] = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];

pub(super) static MANAGED: &[Managed] = &[
    policy(
        "AWSCloudFormationReadOnlyAccess",
        &["cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*"],
    ),
    policy("AWSLambdaExecute", &["logs:*", "s3:GetObject", "s3:PutObject"]),
    policy("AWSLambda_FullAccess", &["lambda:*", "logs:*", "iam:PassRole", "cloudwatch:*"]),
    policy("AWSLambda_ReadOnlyAccess", &["lambda:Get*", "lambda:List*", "logs:Get*", "logs:Describe*"]),
    policy("AdministratorAccess", &["*"]),
    policy("AmazonAPIGatewayAdministrator", &["apigateway:*"]),
    policy("AmazonDynamoDBFullAccess", &["dynamodb:*"]),
    policy(
        "AmazonDynamoDBReadOnlyAccess",
        &[
            "dynamodb:BatchGetItem",
            "dynamodb:Describe*",
            "dynamodb:GetItem",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:List*",
            "dynamodb:PartiQLSelect",
            "dynamodb:Query",
            "dynamodb:Scan",
        ],
    ),
    policy("AmazonRDSDataFullAccess", &["rds-data:*", "secretsmanager:GetSecretValue"]),
    policy("AmazonS3FullAccess", &["s3:*"]),
    policy("AmazonS3ReadOnlyAccess", &["s3:Get*", "s3:List*"]),
    policy("AmazonSNSFullAccess", &["sns:*"]),
    policy("AmazonSQSFullAccess", &["sqs:*"]),
    policy("CloudWatchLogsFullAccess", &["logs:*"]),
    policy("PowerUserAccess", &["*"]),
    policy("ReadOnlyAccess", &["*:Describe*", "*:Get*", "*:List*"]),
    policy("SecretsManagerReadWrite", &["secretsmanager:*"]),
    policy("service-role/AWSLambdaBasicExecutionRole", &LOGS),
    policy(
        "service-role/AWSLambdaDynamoDBExecutionRole",
        &[
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
            LOGS[0],
            LOGS[1],
            LOGS[2],
        ],
    ),
    policy("service-role/AWSLambdaRole", &["lambda:InvokeFunction"]),
    policy(
        "service-role/AWSLambdaSQSQueueExecutionRole",
        &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", LOGS[0], LOGS[1], LOGS[2]],
    ),
    policy(
        "service-role/AWSLambdaVPCAccessExecutionRole",
        &[
            LOGS[0],
            LOGS[1],
            LOGS[2],
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ],
    ),
    policy("service-role/AmazonAPIGatewayPushToCloudWatchLogs", &["logs:*"]),
];
