use crate::support::*;
use engine::{Attributes, Consistency, ErrorKind, KeyCondition, Query, Scan, Segment, Table};
use model::expression::RangeCondition;
use model::{Item, Value};
use store::Order;

fn all_of(hash: &str) -> KeyCondition {
    KeyCondition { hash: vec![s(hash)], range_equal: vec![], range: None }
}

fn query(key: &KeyCondition) -> Query<'_> {
    Query {
        index: None,
        key,
        filter: None,
        attributes: Attributes::Projected,
        order: Order::Forward,
        limit: None,
        start: None,
        consistency: Consistency::Eventual,
    }
}

fn filled(house: &House) -> std::sync::Arc<Table> {
    let table = house.create(spec("T", true, None));
    for hash in ["a", "ab", "b"] {
        for at in ["1", "12", "2", "3"] {
            house.put(&table, item([("at", s(at)), ("id", s(hash)), ("v", n(at.len()))]));
        }
    }
    table
}

fn ats(items: &[Item]) -> Vec<&str> {
    items
        .iter()
        .map(|item| match item.get("at") {
            Some(Value::S(at)) => at.as_str(),
            _ => "?",
        })
        .collect()
}

#[test]
fn range_conditions_select_ranges() {
    everywhere(|house| {
        let table = filled(house);
        let check = |range: Option<RangeCondition>, expect: &[&str]| {
            let key = KeyCondition { range, ..all_of("a") };
            let (items, page) = house.query(&table, &query(&key)).unwrap();
            assert_eq!(ats(&items), expect);
            assert_eq!((page.count, page.scanned, page.last), (expect.len(), expect.len(), None));
            let (mut back, _) =
                house.query(&table, &Query { order: Order::Backward, ..query(&key) }).unwrap();
            back.reverse();
            assert_eq!(back, items);
        };
        check(None, &["1", "12", "2", "3"]);
        check(Some(RangeCondition::Equal(s("1"))), &["1"]);
        check(Some(RangeCondition::Less(s("2"))), &["1", "12"]);
        check(Some(RangeCondition::LessOrEqual(s("2"))), &["1", "12", "2"]);
        check(Some(RangeCondition::Greater(s("1"))), &["12", "2", "3"]);
        check(Some(RangeCondition::GreaterOrEqual(s("12"))), &["12", "2", "3"]);
        check(Some(RangeCondition::Between(s("12"), s("2"))), &["12", "2"]);
        check(Some(RangeCondition::Between(s("2"), s("12"))), &[]);
        check(Some(RangeCondition::BeginsWith(s("1"))), &["1", "12"]);
        check(Some(RangeCondition::BeginsWith(s(""))), &["1", "12", "2", "3"]);
    });
}

#[test]
fn pages_end_at_the_limit_even_with_the_last_item() {
    let house = House::in_memory();
    let table = filled(&house);
    let key = all_of("b");
    for order in [Order::Forward, Order::Backward] {
        for limit in 1..6 {
            let (mut start, mut read) = (None, Vec::new());
            loop {
                let query = Query { limit: Some(limit), start: start.as_ref(), order, ..query(&key) };
                let (items, page) = house.query(&table, &query).unwrap();
                assert!(page.scanned <= limit);
                assert_eq!(page.last.is_some(), page.scanned == limit);
                read.extend(items);
                match page.last {
                    Some(last) => start = Some(last),
                    None => break,
                }
            }
            if order == Order::Backward {
                read.reverse();
            }
            assert_eq!(ats(&read), ["1", "12", "2", "3"]);
        }
    }
}

#[test]
fn filters_hold_back_after_counting() {
    let house = House::in_memory();
    let table = filled(&house);
    let key = all_of("a");
    let filter = condition("v = :two", &[(":two", n(2))]);
    let (items, page) = house.query(&table, &Query { filter: Some(&filter), ..query(&key) }).unwrap();
    assert_eq!((ats(&items), page.count, page.scanned), (vec!["12"], 1, 4));
    let first = Query { filter: Some(&filter), limit: Some(1), ..query(&key) };
    let (items, page) = house.query(&table, &first).unwrap();
    assert_eq!((items.len(), page.last), (0, Some(id_at("a", "1"))));
}

#[test]
fn pages_end_with_the_megabyte() {
    let house = House::in_memory();
    let table = house.create(spec("T", true, None));
    // Each item has 100,000 bytes: the eleventh makes it more than a megabyte.
    for at in 10..32 {
        let at = at.to_string();
        house.put(&table, item([("at", s(&at)), ("id", s("a")), ("x", s(&"x".repeat(100_000 - 8)))]));
    }
    let key = all_of("a");
    let (items, page) = house.query(&table, &query(&key)).unwrap();
    assert_eq!((items.len(), page.last), (11, Some(id_at("a", "20"))));
    // Filtered items count too.
    let nothing = condition("v = :v", &[(":v", n(1))]);
    let (items, page) = house.query(&table, &Query { filter: Some(&nothing), ..query(&key) }).unwrap();
    assert_eq!((items.len(), page.scanned, &page.last), (0, 11, &Some(id_at("a", "20"))));
    let (items, page) = house.scan(&table, &Scan { start: page.last.as_ref(), ..Scan::default() }).unwrap();
    assert_eq!((items.len(), page.last.is_some()), (11, true));
}

#[test]
fn segments_split_a_scan() {
    everywhere(|house| {
        let table = house.create(spec("T", false, None));
        for number in 0..200 {
            house.put(&table, id(&number.to_string()));
        }
        let (whole, page) = house.scan(&table, &Scan::default()).unwrap();
        assert_eq!((whole.len(), page.last), (200, None));
        for total in [1, 2, 3, 7, 1000] {
            let mut parts = Vec::new();
            for number in 0..total {
                let segment = Some(Segment { number, total });
                let (items, page) = house.scan(&table, &Scan { segment, ..Scan::default() }).unwrap();
                assert_eq!(page.last, None);
                parts.extend(items);
            }
            // Not only the same items: the same order.
            assert_eq!(parts, whole);
        }
        let in_second = house.scan(
            &table,
            &Scan { segment: Some(Segment { number: 1, total: 2 }), limit: Some(1), ..Scan::default() },
        );
        let start = in_second.unwrap().1.last;
        let wrong =
            Scan { segment: Some(Segment { number: 0, total: 2 }), start: start.as_ref(), ..Scan::default() };
        refuses(
            house.scan(&table, &wrong),
            ErrorKind::Validation,
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: 2 Segment: 0",
        );
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    let house = House::in_memory();
    let table = filled(&house);
    let refuse = |key: &KeyCondition, start: Option<&Item>, message: &str| {
        refuses(house.query(&table, &Query { start, ..query(key) }), ErrorKind::Validation, message);
    };
    let number = KeyCondition { hash: vec![n(1)], ..all_of("") };
    refuse(
        &number,
        None,
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    );
    refuse(
        &all_of(""),
        None,
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id",
    );
    refuse(
        &all_of("a"),
        Some(&id_at("b", "1")),
        "The provided starting key is outside query boundaries based on provided conditions",
    );
    refuse(
        &all_of("a"),
        Some(&id("a")),
        "The provided starting key is invalid: The provided key element does not match the schema",
    );
    refuses(
        house.query(&table, &Query { index: Some("none"), ..query(&all_of("a")) }),
        ErrorKind::IndexNotFound,
        "The table does not have the specified index: none",
    );
}

#[test]
fn many_items_are_read_as_of_one_moment() {
    let house = House::in_memory();
    let table = filled(&house);
    let keys: Vec<_> = [id_at("a", "1"), id_at("z", "1")]
        .iter()
        .map(|key| (table.clone(), table.key(key.view()).unwrap()))
        .collect();
    let got = house.engine().get_many(&keys, Consistency::Eventual).unwrap();
    assert_eq!(got.iter().map(|got| got.image.is_some()).collect::<Vec<_>>(), [true, false]);
}
