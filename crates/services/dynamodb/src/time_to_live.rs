//! DescribeTimeToLive and UpdateTimeToLive.

use super::fault::{control, failed};
use super::tree::Tree;
use super::{Body, Dynamodb, names, scope};
use serde_json::json;
use servicekit::call::Call;

pub(super) fn describe_time_to_live(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let name = names::table(Tree::of(&input).text("TableName").unwrap_or_default(), &call.caller)?;
    let table = dynamodb.engine.table(&scope(&call.caller), name).map_err(|error| control(error, name))?;
    let told = match table.state().expiry() {
        Some(expiry) => {
            json!({ "TimeToLiveStatus": "ENABLED", "AttributeName": &**expiry.attribute() })
        }
        None => json!({ "TimeToLiveStatus": "DISABLED" }),
    };
    Ok(json!({ "TimeToLiveDescription": told }).to_string().into_bytes())
}

pub(super) async fn update_time_to_live(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let tree = Tree::of(&input);
    let name = names::table(tree.text("TableName").unwrap_or_default(), &call.caller)?.to_owned();
    let wanted = tree.structure("TimeToLiveSpecification");
    let enabled = wanted.and_then(|wanted| wanted.flag("Enabled")).unwrap_or_default();
    let attribute = wanted.and_then(|wanted| wanted.text("AttributeName")).unwrap_or_default().to_owned();
    let told = json!({ "TimeToLiveSpecification": { "Enabled": enabled, "AttributeName": attribute } });
    let (scope, table) = (scope(&call.caller), name.clone());
    let switch = move |engine: &engine::Engine| match enabled {
        true => engine.enable_time_to_live(&scope, &table, &attribute),
        false => engine.disable_time_to_live(&scope, &table, &attribute),
    };
    let done = dynamodb.blocking(switch).await.map_err(failed)?;
    done.map_err(|error| control(error, &name))?;
    Ok(told.to_string().into_bytes())
}
