//! Regions and their zones: names only.

use super::describe::{Listing, describe};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::texts;
use wire::ServiceError;

const REGIONS: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The zones of a region: three of them, wherever it is.
pub fn zones(region: &str) -> [String; 3] {
    ["a", "b", "c"].map(|letter| format!("{region}{letter}"))
}

/// A zone's id: `use1-az1`.
pub fn zone_id(zone: &str) -> String {
    let (region, letter) = zone.split_at(zone.len().saturating_sub(1));
    let number = letter.bytes().next().map_or(0, |letter| letter.wrapping_sub(b'a').wrapping_add(1));
    let short: String = region
        .split('-')
        .enumerate()
        .map(|(at, part)| match part {
            part if at == 0 => part,
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            part if part.bytes().all(|byte| byte.is_ascii_digit()) => part,
            part => part.get(..1).unwrap_or_default(),
        })
        .collect();
    format!("{short}-az{number}")
}

pub fn describe_zones(call: &Call, input: &Value) -> Answer {
    const LISTING: Listing = Listing {
        list: "AvailabilityZones",
        ids: "ZoneNames",
        id: "ZoneName",
        missing: no_zone,
        filters: &[
            ("group-name", "GroupName"),
            ("opt-in-status", "OptInStatus"),
            ("region-name", "RegionName"),
            ("state", "State"),
            ("zone-id", "ZoneId"),
            ("zone-name", "ZoneName"),
            ("zone-type", "ZoneType"),
        ],
    };
    let region = &*call.caller.region;
    let zones = zones(region).map(|zone| {
        json!({
            "State": "available",
            "OptInStatus": "opt-in-not-required",
            "RegionName": region,
            "ZoneName": zone,
            "ZoneId": zone_id(&zone),
            "GroupName": region,
            "NetworkBorderGroup": region,
            "ZoneType": "availability-zone",
            "Messages": [],
        })
    });
    let ids = texts(input, "ZoneIds");
    let of_ids = |zone: &Value| ids.is_empty() || ids.iter().any(|id| zone["ZoneId"] == **id);
    if let Some(id) = ids.iter().find(|id| !zones.iter().any(|zone| zone["ZoneId"] == ***id)) {
        return Err(no_zone(id));
    }
    describe(input, &LISTING, zones.into_iter().filter(of_ids).collect())
}

fn no_zone(zone: &str) -> ServiceError {
    super::invalid(format!("Invalid availability zone: [{zone}]"))
}

pub fn describe_regions(input: &Value) -> Answer {
    const LISTING: Listing = Listing {
        list: "Regions",
        ids: "RegionNames",
        id: "RegionName",
        missing: |name| super::invalid(format!("The specified region name {name} is invalid.")),
        filters: &[("endpoint", "Endpoint"), ("opt-in-status", "OptInStatus"), ("region-name", "RegionName")],
    };
    let region = |name: &&str| {
        json!({
            "Endpoint": format!("ec2.{name}.amazonaws.com"),
            "RegionName": name,
            "OptInStatus": "opt-in-not-required",
        })
    };
    describe(input, &LISTING, REGIONS.iter().map(region).collect())
}

#[cfg(test)]
mod tests {
    use super::zone_id;

    #[test]
    fn zone_ids_follow_the_regions_names() {
        for (zone, id) in [
            ("us-east-1a", "use1-az1"),
            ("eu-west-2c", "euw2-az3"),
            ("ap-southeast-2b", "apse2-az2"),
            ("ca-central-1a", "cac1-az1"),
            ("us-gov-west-1a", "usgw1-az1"),
        ] {
            assert_eq!(zone_id(zone), id);
        }
    }
}
