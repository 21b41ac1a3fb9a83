//! Security Token Service.

use crate::call::Call;
use crate::dispatch::Parts;
use wire::Response;

pub(crate) struct Sts;

impl Sts {
    pub fn new(_parts: &Parts) -> Sts {
        Sts
    }

    pub async fn call(&self, call: Call) -> Response {
        call.not_implemented()
    }
}
