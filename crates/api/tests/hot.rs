use api::dynamodb::{
    BatchGetItem, BatchWriteItem, DeleteItem, GetItem, PutItem, Query, ReturnValues, Scan, Select,
    TransactGetItems, TransactWriteItems, UpdateItem, item, string,
};
use model::{CorruptImage, Image, Item, Number, Value};
use world::Random;

fn json_of(of: &Item) -> String {
    let mut out = Vec::new();
    item(of.view(), &mut out).expect("no image, no corruption");
    String::from_utf8(out).expect("JSON is text")
}

#[test]
fn reads_every_type() {
    let body = r##"{"TableName":"tab","Item":{
        "s":{"S":"é\n\"x"},"n":{"N":"1E2"},"b":{"B":"AQI="},"t":{"BOOL":true},"z":{"NULL":true},
        "l":{"L":[{"S":""},{"M":{}}]},"m":{"M":{"a":{"L":[]}}},
        "ss":{"SS":["b","a"]},"ns":{"NS":["2","1.0"]},"bs":{"BS":["Ag==","AQ=="]}},
        "ReturnValues":"ALL_OLD","Unknown":{"x":[1]},"ConditionExpression":null,
        "ExpressionAttributeNames":{"#a":"s"},"ExpressionAttributeValues":{":b":{"N":"5"}}}"##;
    let request = PutItem::read(body.as_bytes()).expect("fast");
    assert_eq!(request.table_name, "tab");
    assert_eq!(request.return_values, Some(ReturnValues::AllOld));
    assert_eq!(request.condition_expression, None);
    assert_eq!(request.expression_attribute_names, Some(vec![("#a".into(), "s".into())]));
    assert_eq!(
        request.expression_attribute_values,
        Some(vec![(":b".into(), Value::N(Number::parse("5").expect("a number")))])
    );
    assert_eq!(
        json_of(&request.item),
        r#"{"b":{"B":"AQI="},"bs":{"BS":["AQ==","Ag=="]},"l":{"L":[{"S":""},{"M":{}}]},"m":{"M":{"a":{"L":[]}}},"n":{"N":"100"},"ns":{"NS":["1","2"]},"s":{"S":"é\n\"x"},"ss":{"SS":["a","b"]},"t":{"BOOL":true},"z":{"NULL":true}}"#
    );
    // An image is written as its tree is.
    let mut from_image = Vec::new();
    item(Image::of(&request.item).view(), &mut from_image).expect("a good image");
    assert_eq!(String::from_utf8(from_image).expect("text"), json_of(&request.item));
}

/// Whatever is wrong, rare or old goes the other way.
#[test]
fn never_explains() {
    let put = |value: &str| {
        let body = format!(r#"{{"TableName":"tab","Item":{{"a":{value}}}}}"#);
        PutItem::read(body.as_bytes()).is_some()
    };
    assert!(put(r#"{"S":"x"}"#));
    for value in [
        "{}",
        "null",
        "1",
        "[]",
        r#"{"S":null}"#,
        r#"{"S":1}"#,
        r#"{"S":"x","N":"1"}"#,
        r#"{"S":"x","N":null}"#,
        r#"{"X":"y"}"#,
        r#"{"N":"x"}"#,
        r#"{"N":""}"#,
        r#"{"N":"1e200"}"#,
        r#"{"NULL":false}"#,
        r#"{"SS":[]}"#,
        r#"{"SS":["a","a"]}"#,
        r#"{"NS":["1","1.0"]}"#,
        r#"{"BS":["AQ==","AQ=="]}"#,
        r#"{"B":"x"}"#,
        r#"{"L":[null]}"#,
        r#"{"BOOL":"true"}"#,
    ] {
        assert!(!put(value), "{value}");
    }
    let nested = |depth: usize| format!("{}{{\"S\":\"\"}}{}", "{\"L\":[".repeat(depth), "]}".repeat(depth));
    assert!(put(&nested(32)));
    assert!(!put(&nested(33)));
    for body in [
        "",
        "{",
        "[]",
        "null",
        r#"{"Item":{}}"#,
        r#"{"TableName":"tab"}"#,
        r#"{"TableName":"t!b","Item":{}}"#,
        r#"{"TableName":"ta","Item":{}}"#,
        r#"{"TableName":"tab","TableName":"tab","Item":{}}"#,
        r#"{"TableName":"tab","Item":{},"Expected":{}}"#,
        r#"{"TableName":"tab","Item":{},"ConditionalOperator":"AND"}"#,
        r#"{"TableName":"tab","Item":{},"ReturnValues":"X"}"#,
        r#"{"TableName":"tab","Item":{}} x"#,
        r##"{"TableName":"tab","Item":{},"ExpressionAttributeNames":{"#a":"b","#a":"c"}}"##,
        r#"{"TableName":"arn:aws:dynamodb:us-east-1:123456789012:table/tab","Item":{}}"#,
    ] {
        assert!(PutItem::read(body.as_bytes()).is_none(), "{body}");
    }
    assert!(PutItem::read(br#"{"TableName":"tab","Item":{},"Expected":null}"#).is_some());
    assert!(PutItem::read(b"{\"TableName\":\"tab\",\"Item\":{\"a\":{\"S\":\"\xff\"}}}").is_none());
}

#[test]
fn reads_every_request() {
    let key = r#""Key":{"pk":{"S":"a"}}"#;
    let table = r#""TableName":"tab""#;
    let get = format!(r#"{{{table},{key},"ConsistentRead":true,"ProjectionExpression":"a"}}"#);
    let get = GetItem::read(get.as_bytes()).expect("GetItem");
    assert!(get.consistent_read && get.projection_expression.as_deref() == Some("a"));
    assert!(GetItem::read(format!(r#"{{{table},{key},"AttributesToGet":["a"]}}"#).as_bytes()).is_none());

    let update = format!(r#"{{{table},{key},"UpdateExpression":"SET a = :a"}}"#);
    assert!(UpdateItem::read(update.as_bytes()).is_some());
    assert!(UpdateItem::read(format!(r#"{{{table},{key},"AttributeUpdates":{{}}}}"#).as_bytes()).is_none());
    assert!(DeleteItem::read(format!("{{{table},{key}}}").as_bytes()).is_some());

    let query = format!(
        r#"{{{table},"IndexName":"idx","Select":"COUNT","Limit":5,"ScanIndexForward":false,"KeyConditionExpression":"pk = :a","ExclusiveStartKey":{{}}}}"#
    );
    let query = Query::read(query.as_bytes()).expect("Query");
    assert_eq!(
        (query.select, query.limit, query.scan_index_forward),
        (Some(Select::Count), Some(5), Some(false))
    );
    assert_eq!(query.exclusive_start_key, Some(Item::new()));
    for bad in [
        r#""Limit":0"#,
        r#""Limit":-1"#,
        r#""Limit":1.5"#,
        r#""Limit":"1""#,
        r#""IndexName":"x""#,
        r#""QueryFilter":{}"#,
    ] {
        assert!(Query::read(format!("{{{table},{bad}}}").as_bytes()).is_none(), "{bad}");
    }
    let scan = format!(r#"{{{table},"Segment":0,"TotalSegments":4}}"#);
    assert_eq!(Scan::read(scan.as_bytes()).expect("Scan").total_segments, Some(4));
    assert!(Scan::read(format!(r#"{{{table},"TotalSegments":0}}"#).as_bytes()).is_none());

    let batch = r#"{"RequestItems":{"tab":{"Keys":[{"pk":{"S":"a"}}]},"other":{"Keys":[{"pk":{"S":"b"}}],"ConsistentRead":true}}}"#;
    let batch = BatchGetItem::read(batch.as_bytes()).expect("BatchGetItem");
    assert_eq!(batch.request_items.len(), 2);
    assert!(batch.request_items[1].1.consistent_read);
    assert!(BatchGetItem::read(br#"{"RequestItems":{}}"#).is_none());
    assert!(BatchGetItem::read(br#"{"RequestItems":{"tab":{"Keys":[]}}}"#).is_none());

    let batch = r#"{"RequestItems":{"tab":[{"PutRequest":{"Item":{}}},{"DeleteRequest":{"Key":{}}}]}}"#;
    let batch = BatchWriteItem::read(batch.as_bytes()).expect("BatchWriteItem");
    assert!(batch.request_items[0].1[0].put.is_some() && batch.request_items[0].1[1].delete.is_some());
    assert!(BatchWriteItem::read(br#"{"RequestItems":{"tab":[{}]}}"#).is_none());
    assert!(
        BatchWriteItem::read(
            br#"{"RequestItems":{"tab":[{"PutRequest":{"Item":{}},"DeleteRequest":{"Key":{}}}]}}"#
        )
        .is_none()
    );

    let write = format!(
        r#"{{"TransactItems":[{{"Put":{{{table},"Item":{{}}}}}},{{"Update":{{{table},{key},"UpdateExpression":"SET a = :a"}}}},{{"Delete":{{{table},{key}}}}},{{"ConditionCheck":{{{table},{key},"ConditionExpression":"a"}}}}],"ClientRequestToken":"t"}}"#
    );
    assert_eq!(
        TransactWriteItems::read(write.as_bytes()).expect("TransactWriteItems").transact_items.len(),
        4
    );
    assert!(TransactWriteItems::read(br#"{"TransactItems":[{}]}"#).is_none());
    let get = format!(r#"{{"TransactItems":[{{"Get":{{{table},{key}}}}}]}}"#);
    assert_eq!(TransactGetItems::read(get.as_bytes()).expect("TransactGetItems").transact_items.len(), 1);
}

#[test]
fn strings_are_escaped_as_any_parser_reads_them() {
    let mut random = Random::from_seed(7);
    for _ in 0..2_000 {
        let length = random.below(40);
        let text: String = (0..length)
            .filter_map(|_| {
                char::from_u32(match random.below(4) {
                    0 => random.below(0x30) as u32,
                    1 => random.below(0x80) as u32,
                    2 => random.below(0x800) as u32,
                    _ => random.below(0x11_0000) as u32,
                })
            })
            .collect();
        let mut out = Vec::new();
        string(&text, &mut out);
        assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), text);
    }
}

/// Writing and reading again gives the same item, whatever is in it; and what is stored is written as what it is of.
#[test]
fn written_items_read_back() {
    let mut random = Random::from_seed(11);
    for _ in 0..500 {
        let item = random_item(&mut random, 0);
        let mut of_image = Vec::new();
        api::dynamodb::item(Image::of(&item).view(), &mut of_image).expect("a whole image");
        assert_eq!(String::from_utf8(of_image).expect("JSON is text"), json_of(&item));
        let body = format!(r#"{{"TableName":"tab","Item":{}}}"#, json_of(&item));
        let read = PutItem::read(body.as_bytes()).unwrap_or_else(|| panic!("{body}"));
        assert_eq!(read.item, item);
    }
}

#[test]
fn damaged_texts_are_not_written() {
    let whole: Item = [("name".to_owned(), Value::S("a text".to_owned()))].into_iter().collect();
    let whole = Image::of(&whole).into_bytes();
    for (letter, damage) in [(b't', 0xff), (b'm', 0xc3), (b' ', 0xe2)] {
        let mut damaged = whole.clone();
        let at = damaged.iter().position(|byte| *byte == letter).expect("a letter of the name or the text");
        damaged[at] = damage;
        let damaged = Image::from_bytes(damaged).expect("the head is whole");
        assert_eq!(item(damaged.view(), &mut Vec::new()), Err(CorruptImage));
    }
}

fn random_item(random: &mut Random, depth: u64) -> Item {
    (0..random.below(6)).map(|at| (format!("a{at}\"\u{e9}"), random_value(random, depth))).collect()
}

fn random_value(random: &mut Random, depth: u64) -> Value {
    let text = |random: &mut Random| format!("{:x}\n", random.below(1 << 20));
    let number = |random: &mut Random| {
        let text = format!("{}e{}", random.next_u64() as i64, random.below(100) as i64 - 60);
        Number::parse(&text).expect("a number")
    };
    let bytes = |random: &mut Random| {
        let mut bytes = vec![0; random.below(9) as usize];
        random.fill(&mut bytes);
        bytes
    };
    match random.below(if depth > 4 { 8 } else { 10 }) {
        0 => Value::S(text(random)),
        1 => Value::N(number(random)),
        2 => Value::B(bytes(random)),
        3 => Value::Bool(random.below(2) == 0),
        4 => Value::Null,
        5 => Value::string_set(vec![text(random)]).expect("a set"),
        6 => Value::number_set(vec![number(random)]).expect("a set"),
        7 => Value::binary_set(vec![bytes(random)]).expect("a set"),
        8 => Value::L((0..random.below(4)).map(|_| random_value(random, depth + 1)).collect()),
        _ => Value::M(random_item(random, depth + 1)),
    }
}
