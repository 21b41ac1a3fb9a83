//! DescribeEndpoints: clients that discover their endpoint find the one they asked.

use super::Body;
use serde_json::json;
use servicekit::call::Call;

const CACHE_MINUTES: u32 = 1440;

pub(super) fn describe_endpoints(call: &Call) -> Body {
    call.input()?;
    let region = &call.caller.region;
    let address = match call.request.header("host") {
        Some(host) => host.to_owned(),
        None => format!("dynamodb.{region}.amazonaws.com"),
    };
    let endpoints = json!({ "Endpoints": [{ "Address": address, "CachePeriodInMinutes": CACHE_MINUTES }] });
    Ok(endpoints.to_string().into_bytes())
}
