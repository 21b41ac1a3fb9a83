//! A function's VPC: kept and told. Functions run on this machine's network whatever it says.

use super::Functions;
use crate::name::invalid;
use crate::registry::Vpc;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::texts;
use wire::ServiceError;

impl Functions {
    /// The VPC that a call asks for, whose subnets and groups must be there. None where it says nothing of it, an
    /// empty one where it takes the function out of any.
    pub(super) async fn vpc(&self, call: &Call, input: &Value) -> Result<Option<Vpc>, ServiceError> {
        let Some(config) = input.get("VpcConfig") else { return Ok(None) };
        if config.get("Ipv6AllowedForDualStack").and_then(Value::as_bool) == Some(true) {
            return Err(invalid("VpcConfig.Ipv6AllowedForDualStack is not supported."));
        }
        let (subnets, groups) = (texts(config, "SubnetIds"), texts(config, "SecurityGroupIds"));
        match (subnets.is_empty(), groups.is_empty()) {
            (true, true) => return Ok(Some(Vpc::default())),
            (true, false) | (false, true) => {
                return Err(invalid("SubnetIds and SecurityIds must coexist or be both empty list."));
            }
            (false, false) => {}
        }
        let described = self.ask_ec2(call, "DescribeSecurityGroups", json!({ "GroupIds": groups })).await?;
        let found = self.ask_ec2(call, "DescribeSubnets", json!({ "SubnetIds": subnets })).await?;
        let id = found["Subnets"][0]["VpcId"].as_str().unwrap_or_default().to_owned();
        if found["Subnets"].as_array().into_iter().flatten().any(|subnet| subnet["VpcId"] != *id) {
            return Err(invalid("Subnets are not in the same VPC."));
        }
        if described["SecurityGroups"].as_array().into_iter().flatten().any(|group| group["VpcId"] != *id) {
            return Err(invalid("Security Groups are required to be in the same VPC."));
        }
        Ok(Some(Vpc { id, subnets, groups }))
    }

    async fn ask_ec2(&self, call: &Call, operation: &str, input: Value) -> Answer {
        let answer = self.house.ask(&call.caller, "ec2", operation, input).await;
        answer.map_err(|error| {
            invalid(format!(
                "Error occurred while {operation}. EC2 Error Code: {}. EC2 Error Message: {}",
                error.code,
                error.message.unwrap_or_default()
            ))
        })
    }
}

pub(super) fn shown(vpc: &Vpc) -> Value {
    json!({
        "SubnetIds": vpc.subnets,
        "SecurityGroupIds": vpc.groups,
        "VpcId": vpc.id,
        "Ipv6AllowedForDualStack": false,
    })
}
