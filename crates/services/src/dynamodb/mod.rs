//! DynamoDB and DynamoDB Streams.

use crate::call::Call;
use crate::dispatch::Parts;
use wire::Response;

pub(crate) struct Dynamodb;

impl Dynamodb {
    pub fn new(_parts: &Parts) -> Dynamodb {
        Dynamodb
    }

    pub async fn call(&self, call: Call) -> Response {
        call.not_implemented()
    }
}
