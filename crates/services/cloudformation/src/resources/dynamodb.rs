//! `AWS::DynamoDB::Table` and `GlobalTable`.

use super::{Change, Cx, only, pick, tags};
use crate::template::evaluate::Made;
use serde_json::{Map, Value, json};

const SHARED: &[&str] = &[
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "TableClass",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
    "ProvisionedThroughput",
];
const TABLE: &[&str] = &[
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "TableClass",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
    "ProvisionedThroughput",
    "StreamSpecification",
    "SSESpecification",
    "TimeToLiveSpecification",
    "PointInTimeRecoverySpecification",
    "Tags",
    "ResourcePolicy",
    "ContributorInsightsSpecification",
];

pub(super) async fn create(kind: &str, cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    let properties = &as_table(kind, cx, properties)?;
    only(properties, TABLE)?;
    let mut input = pick(properties, SHARED);
    input.insert("TableName".to_owned(), name.into());
    input.entry("BillingMode").or_insert("PROVISIONED".into());
    if let Some(stream) = stream(properties) {
        input.insert("StreamSpecification".to_owned(), stream);
    }
    if let Some(sse) = properties.get("SSESpecification") {
        let mut sse = sse.as_object().cloned().unwrap_or_default();
        if let Some(enabled) = sse.remove("SSEEnabled") {
            sse.insert("Enabled".to_owned(), enabled);
        }
        input.insert("SSESpecification".to_owned(), sse.into());
    }
    tags::add("dynamodb", properties, &mut input);
    cx.ask("dynamodb", "CreateTable", input.into()).await?;
    match extras(cx, name, &Value::Null, properties).await {
        Ok(()) => look(cx, name).await,
        Err(words) => {
            // Half a table is none.
            let _removed = cx.ask("dynamodb", "DeleteTable", json!({"TableName": name})).await;
            Err(words)
        }
    }
}

pub(super) async fn update(kind: &str, cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let (old, new) = (&as_table(kind, cx, old)?, &as_table(kind, cx, new)?);
    only(new, TABLE)?;
    let name = made.id.as_str();
    let attributes = new.get("AttributeDefinitions").cloned().unwrap_or_default();
    let ask = |members: Map<String, Value>| {
        let mut input = members;
        input.insert("TableName".to_owned(), name.into());
        cx.ask("dynamodb", "UpdateTable", input.into())
    };
    // One concern a call, as the service wants it.
    for group in [
        &["DeletionProtectionEnabled"][..],
        &["TableClass"],
        &["BillingMode", "ProvisionedThroughput", "OnDemandThroughput"],
        &["WarmThroughput"],
    ] {
        let changed: Vec<&str> =
            group.iter().filter(|member| old.get(**member) != new.get(**member)).copied().collect();
        if !changed.is_empty() {
            let mut members = pick(new, group);
            if changed.contains(&"DeletionProtectionEnabled") {
                members.entry("DeletionProtectionEnabled").or_insert(false.into());
            }
            ask(members).await?;
        }
    }
    if stream(old) != stream(new) {
        if stream(old).is_some() {
            ask(one("StreamSpecification", json!({"StreamEnabled": false}))).await?;
        }
        if let Some(stream) = stream(new) {
            ask(one("StreamSpecification", stream)).await?;
        }
    }
    indexes(cx, name, attributes, old, new).await?;
    extras(cx, name, old, new).await?;
    cx.retag("dynamodb", json!({ "ResourceArn": made.attributes["Arn"] }), old, new).await?;
    look(cx, name).await
}

pub(super) async fn delete(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("dynamodb", "DeleteTable", json!({"TableName": made.id})).await
}

fn one(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}

fn stream(properties: &Value) -> Option<Value> {
    let view = properties.get("StreamSpecification")?.get("StreamViewType")?;
    Some(json!({"StreamEnabled": true, "StreamViewType": view}))
}

async fn indexes(
    cx: &Cx<'_>,
    table: &str,
    attributes: Value,
    old: &Value,
    new: &Value,
) -> Result<(), String> {
    let list = |properties: &Value| {
        properties.get("GlobalSecondaryIndexes").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let (old, new) = (list(old), list(new));
    let named = |list: &[Value], index: &Value| {
        list.iter().find(|one| one["IndexName"] == index["IndexName"]).cloned()
    };
    let mut updates = Vec::new();
    for index in &old {
        let shape = |index: &Value| (index["KeySchema"].clone(), index["Projection"].clone());
        let now = named(&new, index);
        if now.as_ref().map(&shape) != Some(shape(index)) {
            updates.push(json!({"Delete": {"IndexName": index["IndexName"]}}));
            updates.extend(now.map(|now| json!({"Create": now})));
        } else if let Some(now) = now.filter(|now| now != index) {
            let mut members =
                pick(&now, &["IndexName", "ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput"]);
            members.retain(|_, value| !value.is_null());
            updates.push(json!({"Update": members}));
        }
    }
    updates.extend(
        new.iter().filter(|index| named(&old, index).is_none()).map(|index| json!({"Create": index})),
    );
    for update in updates {
        let mut input = json!({"TableName": table, "GlobalSecondaryIndexUpdates": [update]});
        if update.get("Create").is_some() {
            input["AttributeDefinitions"] = attributes.clone();
        }
        cx.ask("dynamodb", "UpdateTable", input).await?;
        wait(cx, table).await?;
    }
    Ok(())
}

/// Waits until the table and its indexes are there: one of them may be being filled.
async fn wait(cx: &Cx<'_>, table: &str) -> Result<(), String> {
    loop {
        let answer = cx.ask("dynamodb", "DescribeTable", json!({"TableName": table})).await?;
        let indexes = answer["Table"]["GlobalSecondaryIndexes"].as_array().cloned().unwrap_or_default();
        let busy = indexes.iter().any(|index| index["IndexStatus"] != "ACTIVE");
        if !busy && answer["Table"]["TableStatus"] == "ACTIVE" {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// What CreateTable does not take.
async fn extras(cx: &Cx<'_>, table: &str, old: &Value, new: &Value) -> Result<(), String> {
    let changed = |name: &str| old.get(name) != new.get(name);
    if changed("TimeToLiveSpecification") {
        let ttl = new.get("TimeToLiveSpecification").cloned();
        let ttl = ttl.or_else(|| {
            let mut was = old["TimeToLiveSpecification"].clone();
            was["Enabled"] = false.into();
            Some(was)
        });
        let input = json!({"TableName": table, "TimeToLiveSpecification": ttl});
        cx.ask("dynamodb", "UpdateTimeToLive", input).await?;
    }
    if changed("PointInTimeRecoverySpecification") {
        let pitr = new.get("PointInTimeRecoverySpecification").cloned();
        let pitr = pitr.unwrap_or_else(|| json!({"PointInTimeRecoveryEnabled": false}));
        let input = json!({"TableName": table, "PointInTimeRecoverySpecification": pitr});
        cx.ask("dynamodb", "UpdateContinuousBackups", input).await?;
    }
    if new.get("ContributorInsightsSpecification").is_some_and(|one| one["Enabled"] == true) {
        return Err(
            "Contributor Insights is not implemented: leave ContributorInsightsSpecification out".to_owned()
        );
    }
    if let Some(policy) = new.get("ResourcePolicy").filter(|_| changed("ResourcePolicy")) {
        let arn = look(cx, table).await?.attributes["Arn"].clone();
        let input = json!({"ResourceArn": arn, "Policy": policy["PolicyDocument"].to_string()});
        cx.ask("dynamodb", "PutResourcePolicy", input).await?;
    }
    Ok(())
}

async fn look(cx: &Cx<'_>, name: &str) -> Result<Made, String> {
    let answer = cx.ask("dynamodb", "DescribeTable", json!({"TableName": name})).await?;
    let table = &answer["Table"];
    let mut made = Made { id: name.to_owned(), ..Made::default() };
    for (attribute, member) in [("Arn", "TableArn"), ("StreamArn", "LatestStreamArn"), ("TableId", "TableId")]
    {
        if let Some(value) = table.get(member) {
            made.attributes.insert(attribute.to_owned(), value.clone());
        }
    }
    Ok(made)
}

/// A global table with its one replica, which is here, as the table it is.
fn as_table(kind: &str, cx: &Cx<'_>, properties: &Value) -> Result<Value, String> {
    if kind == "AWS::DynamoDB::Table" || properties.is_null() {
        return Ok(properties.clone());
    }
    let mut table = properties.as_object().cloned().unwrap_or_default();
    let replicas = table.remove("Replicas").unwrap_or_default();
    let here = match replicas.as_array().map(Vec::as_slice) {
        Some([replica]) if replica["Region"] == *cx.caller.region => replica.clone(),
        _ => return Err("A global table has one replica here, in the stack's own region".to_owned()),
    };
    for name in [
        "DeletionProtectionEnabled",
        "PointInTimeRecoverySpecification",
        "TableClass",
        "ResourcePolicy",
        "ContributorInsightsSpecification",
    ] {
        if let Some(value) = here.get(name) {
            table.insert(name.to_owned(), value.clone());
        }
    }
    // A template gives tags to the replica: those of the whole are the stack's.
    table.insert("Tags".to_owned(), tags::over(&tags::all(properties), here.get("Tags")));
    // Capacity that scales is not scaled here: the least of it is what is set.
    let write = table.remove("WriteProvisionedThroughputSettings");
    let least = |settings: Option<&Value>, member: &str| {
        let scaling = settings.and_then(|one| one.get(member))?;
        scaling.get("MinCapacity").or(Some(scaling)).cloned()
    };
    if let Some(units) = least(write.as_ref(), "WriteCapacityAutoScalingSettings") {
        let read = here.get("ReadProvisionedThroughputSettings");
        let read = least(read, "ReadCapacityAutoScalingSettings")
            .or_else(|| read?.get("ReadCapacityUnits").cloned())
            .unwrap_or_else(|| units.clone());
        table.insert(
            "ProvisionedThroughput".to_owned(),
            json!({"ReadCapacityUnits": read, "WriteCapacityUnits": units}),
        );
    }
    for (from, to, member) in
        [("WriteOnDemandThroughputSettings", "OnDemandThroughput", "MaxWriteRequestUnits")]
    {
        if let Some(settings) = table.remove(from) {
            table.insert(to.to_owned(), json!({member: settings[member]}));
        }
    }
    Ok(table.into())
}
